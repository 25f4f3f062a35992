"""Pupil Cloud: 19-digit stamps, several recordings in a file, surfaces, companions."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from makers import neon_cloud as maker

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Screen
from gazecode.readers import READERS, read
from gazecode.readers.tools.gather import gather
from gazecode.testing import check_reader

A, B, C = maker.IDS
T0 = maker.ORIGIN_NS
SECTIONS_HEADER = (
    "section id,recording id,recording name,wearer id,wearer name,section start time [ns],"
    "section end time [ns],start event name,end event name"
)
SPANS = f"section id,recording id,fixation id,{maker.SPAN_HEADER},fixation x [px],fixation y [px]"


def raw_row(ms, x=800.5, y=600.25, *, worn="1.0", recording=A):
    return f"s{recording[0]},{recording},{T0 + int(ms * 1e6)},{x},{y},{worn},,,0.5,1.5"


def surface_row(ms, x="0.25", y="0.75", *, on="true", recording=A, section=None):
    section = section or f"s{recording[0]}"
    return f"{section},{recording},{T0 + int(ms * 1e6)},{on},{x},{y},"


def section_row(section, recording, wearer="w1", event="begin"):
    return f"{section},{recording},2025-08-09_06:55:05,{wearer},,{T0},{T0 + 10},{event},end"


def raw(folder: Path, rows) -> Path:
    return maker.write(folder / "gaze.csv", maker.RAW_HEADER, list(rows))


def surface(folder: Path, rows, sections=()) -> Path:
    if sections:
        maker.write(folder / "sections.csv", SECTIONS_HEADER, list(sections))
    return maker.write(folder / "gaze.csv", maker.SURFACE_HEADER, list(rows))


def test_stamps_of_19_digits_keep_every_ns(tmp_path):
    t = np.array([0, 5_000_013, 9_999_999], dtype=np.int64)
    recording = read(
        raw(tmp_path, [raw_row(0).replace(str(T0), str(T0 + ns)) for ns in t.tolist()])
    )
    assert recording.start_ns == T0
    np.testing.assert_array_equal(recording.samples["both"].t_ms, t / 1e6)
    assert recording.plane == "scene_px"
    # A float of a stamp is off by up to 128 ns.
    assert int(float(T0)) != T0


def test_raw_gaze_is_lost_while_the_glasses_were_off(tmp_path):
    rows = [raw_row(0), raw_row(5, worn="0.0"), raw_row(10, "", ""), raw_row(15, worn="")]
    recording = read(raw(tmp_path, rows))
    assert recording.samples["both"].lost.tolist() == [False, True, True, False]
    assert recording.provenance["left_out"] == {"not_worn": 1}
    assert not recording.trials


def test_everything_beside_raw_gaze_is_on_its_clock(tmp_path):
    recording = read(maker.raw(tmp_path, 100))
    events = recording.device_events
    fixations = events.of("fixation")
    step = maker.STEP_NS / 1e6
    np.testing.assert_allclose(fixations.onset_ms, np.array([0, 25, 50, 75]) * step)
    np.testing.assert_allclose(fixations.duration_ms, 20 * step)
    np.testing.assert_allclose(fixations.xy_px[1], [701.25, 512.5])
    saccades = events.of("saccade")
    np.testing.assert_allclose(saccades.onset_ms, np.array([20, 45, 70]) * step)
    assert np.isnan(saccades.xy_px).all()
    np.testing.assert_allclose(events.of("blink").duration_ms, [250])
    assert [m.text for m in recording.messages] == ["recording.begin", "page 1, top"]
    np.testing.assert_allclose([m.t_ms for m in recording.messages], [-2000, 50 * step])
    said = recording.provenance
    assert (said["participant"], said["vendor_rate_hz"], said["pupil_unit"]) == ("made1", 200, "mm")
    # The mean of the two pupils.
    np.testing.assert_array_equal(recording.samples["both"].pupil[:2], [4.0, 4.5])
    assert not any(str(T0)[:6] in str(value) for value in said.values())


def test_one_eye_by_the_mode_in_info(tmp_path):
    path = maker.raw(tmp_path, 50)
    info = json.loads((tmp_path / "info.json").read_text())
    (tmp_path / "info.json").write_text(json.dumps(info | {"gaze_mode": "monocular right"}))
    recording = read(path)
    assert list(recording.samples) == ["right"]
    np.testing.assert_array_equal(recording.samples["right"].pupil[:2], [4.5, 5.5])


def test_a_surface_keeps_what_lies_off_it_and_loses_what_was_not_found(tmp_path):
    rows = [
        surface_row(0, "0.25", "0.75"),
        surface_row(5, "1.5", "-0.5", on="false"),
        surface_row(10, "", "", on="false"),
    ]
    path = surface(tmp_path, rows)
    recording = read(path)
    gaze = recording.samples["both"]
    # (0, 0) is the surface's top left corner: nothing is turned over.
    np.testing.assert_array_equal(gaze.xy_px[:2], [[0.25, 0.75], [1.5, -0.5]])
    assert gaze.lost.tolist() == [False, False, True]
    assert recording.plane == "screen_fraction"
    assert recording.provenance["off_surface"] == 2
    on_screen = read(path, screen=Screen(width_px=1000, height_px=800))
    assert on_screen.samples["both"].xy_px[0].tolist() == [250, 600]


def two(folder: Path, wearers, start_ms=60_000) -> Path:
    rows = [surface_row(5 * i) for i in range(4)]
    rows += [surface_row(start_ms + 5 * i, "0.5", recording=B) for i in range(3)]
    sections = [section_row(f"s{r[0]}", r, w) for r, w in zip((A, B), wearers, strict=True)]
    return surface(folder, rows, sections)


def test_recordings_of_one_wearer_become_trials_on_one_clock(tmp_path):
    path = two(tmp_path, ("w1", "w1"))
    recording = read(path)
    names = [(t.name, t.onset_ms, t.offset_ms) for t in recording.trials]
    assert names == [("begin", 0.0, 22.5), ("begin (2)", 60_000.0, 60_017.5)]
    assert [len(recording.window(trial)) for trial in recording.trials] == [4, 3]
    assert "2 recordings of one wearer" in recording.provenance["notes"][0]
    assert [s["n_samples"] for s in recording.provenance["sections"]] == [4, 3]
    for name in (B, B[:4]):
        one = read(path, recording=name)
        assert (len(one), one.samples["both"].t_ms[0]) == (3, 0.0)
        assert one.start_ns == T0 + 60_000 * 10**6
        assert one.provenance["left_out"] == {"rows_of_other_recordings": 4}
        assert [t.name for t in one.trials] == ["begin"]
    for wrong in ("zzz", "", "2025-08-09_06:55:05"):
        with pytest.raises(ParameterError, match="recordings are called"):
            read(path, recording=wrong)


@pytest.mark.parametrize(
    ("wearers", "start_ms", "why"),
    [(("w1", "w2"), 60_000, "are of 2 wearers"), (("w1", "w1"), 10, "overlap in time")],
)
def test_gaze_of_two_people_is_never_put_together(tmp_path, wearers, start_ms, why):
    recording = read(two(tmp_path, wearers, start_ms))
    assert len(recording) == 4
    assert (recording.samples["both"].xy_px[:, 0] == 0.25).all()
    assert recording.provenance["left_out"] == {"rows_of_other_recordings": 3}
    assert why in recording.provenance["notes"][0]
    assert B in recording.provenance["notes"][0]
    assert recording.provenance["participant"] == "w1"


def test_overlapping_sections_share_their_rows(tmp_path):
    rows = [surface_row(5 * i, section="outer") for i in range(10)]
    rows += [surface_row(5 * i, section="inner") for i in range(3, 6)]
    recording = read(surface(tmp_path, rows))
    assert len(recording) == 10
    assert recording.provenance["left_out"] == {"duplicate_time": 3, "unsorted": 1}
    stretches = {t.name: (t.onset_ms, t.offset_ms) for t in recording.trials}
    assert stretches == {"section outer": (0, 52.5), "section inner": (15, 32.5)}


def test_ids_of_fixations_start_again_in_each_recording(tmp_path):
    spans = [(A, 1, 0), (A, 1, 0), (A, 2, 100), (B, 1, 60_000), (B, 1, 60_000)]
    rows = [
        f"s,{who},{number},{T0 + ms * 10**6},{T0 + (ms + 50) * 10**6},50,700,500"
        for who, number, ms in spans
    ]
    recording = read(maker.write(tmp_path / "fixations.csv", SPANS, rows))
    assert recording.device_events.onset_ms.tolist() == [0, 100, 60_000]
    assert recording.provenance["left_out"] == {"repeated_events": 2}
    assert len(recording) == 0
    empty = read(maker.write(tmp_path / "blinks.csv", SPANS.replace("fixation id", "blink id"), []))
    assert len(empty.device_events) == 0


def test_files_without_gaze_open_it_and_say_so(tmp_path):
    maker.surface(tmp_path, 60)
    for name in ("sections.csv", "surface_positions.csv", "enrichment_info.txt"):
        recording = read(tmp_path / name)
        assert len(recording) == 60
        assert recording.provenance["notes"][-1] == (
            f"{name} holds no gaze: gaze.csv beside it was opened"
        )
    # Three quotes on each side of a list, and empty corners.
    assert recording.provenance["surface_frames"] == {"n": 2, "located": 1}
    (tmp_path / "gaze.csv").unlink()
    with pytest.raises(FormatError, match="sections of a Pupil Cloud export.*Open its gaze.csv"):
        read(tmp_path / "sections.csv")


def test_info_alone_is_answered(tmp_path):
    maker.raw(tmp_path, 30)
    assert len(read(tmp_path / "info.json")) == 30
    (tmp_path / "gaze.csv").unlink()
    with pytest.raises(FormatError, match="info of a Pupil Cloud export"):
        read(tmp_path / "info.json")


def test_a_reference_image_is_no_screen(tmp_path):
    header = "section id,recording id,timestamp [ns],gaze detected in reference image,"
    header += "gaze position in reference image x [px],gaze position in reference image y [px]"
    path = maker.write(tmp_path / "gaze.csv", header, [f"s,r,{T0},true,3,4"])
    with pytest.raises(FormatError, match="Reference Image Mapper"):
        read(path)


def test_no_stamp_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="no row with a time stamp"):
        read(raw(tmp_path, ["s,r,,1,2,1.0,,,,"]))


def test_a_cell_that_is_no_number_costs_its_own_row(tmp_path):
    recording = read(raw(tmp_path, [raw_row(0), raw_row(5, "abc"), raw_row(10)]))
    assert recording.samples["both"].lost.tolist() == [False, True, False]


def test_labels_stay_the_same_from_block_to_block():
    gathered = gather(
        [b"r,x\na,1\nb,2\n", b"c,3\n", b"b,4\na,5\n"],
        take=lambda frame: {"code": frame["r"], "xy": frame[["x", "x"]].to_numpy()},
        name="a.csv",
        columns={"r": str, "x": float},
        counts={},
    )
    names = gathered.names("code")
    assert [names[code] for code in gathered.array("code")] == ["a", "b", "c", "b", "a"]
    assert gathered.array("xy")[:, 1].tolist() == [1, 2, 3, 4, 5]


def plain(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.real
def test_real_gaze(shared_data):
    path = shared_data / "exports/neon_cloud/gaze.csv"
    recording = check_reader(READERS["neon_cloud"], path)
    rows, gaze = plain(path), recording.samples["both"]
    ns = [int(row["timestamp [ns]"]) for row in rows]
    assert len(gaze) == len(rows) == 3917
    np.testing.assert_array_equal(gaze.t_ms, [(t - ns[0]) / 1e6 for t in ns])
    xy = [[float(row[f"gaze position on surface {a} [normalized]"]) for a in "xy"] for row in rows]
    np.testing.assert_allclose(gaze.xy_px, xy, rtol=1e-12)
    on = sum(row["gaze detected on surface"] == "true" for row in rows)
    assert recording.provenance["off_surface"] == 3917 - on == 3917 - 2397
    assert recording.provenance["surface_frames"]["n"] == 587
    assert recording.provenance["rate_hz"] == pytest.approx(200, abs=0.5)
    sections = [row["section id"] for row in rows]
    assert [len(recording.window(t)) for t in recording.trials] == [
        sections.count(section) for section in dict.fromkeys(sections)
    ]
    assert "2025" not in json.dumps(dict(recording.provenance))


@pytest.mark.real
def test_real_fixations_hold_the_rows_that_name_them(shared_data):
    folder = shared_data / "exports/neon_cloud"
    recording = read(folder / "gaze.csv")
    fixations = recording.device_events
    assert len(fixations) == len(plain(folder / "fixations.csv")) == 41
    rows = plain(folder / "gaze.csv")
    listed = [row["section id"] for row in plain(folder / "fixations.csv")]
    per_section = [listed.count(row) for row in dict.fromkeys(r["section id"] for r in rows)]
    assert sorted(per_section) == [5, 11, 25]
    assert [len(recording.window(t).device_events) for t in recording.trials] == per_section
    keys = [(row["recording id"], row["fixation id"]) for row in rows]
    assert sum(not fixation for _, fixation in keys) == 1932
    t = recording.gaze.t_ms
    for i, row in enumerate(plain(folder / "fixations.csv")):
        own = [k for k, key in enumerate(keys) if key == (row["recording id"], row["fixation id"])]
        inside = (t >= fixations.onset_ms[i]) & (t < fixations.offset_ms[i])
        assert np.flatnonzero(inside).tolist() == own
    alone = read(folder / "fixations.csv")
    assert (len(alone), len(alone.device_events)) == (0, 41)


@pytest.mark.real
def test_every_real_file_opens(shared_data):
    for path in (shared_data / "exports/neon_cloud").iterdir():
        if path.name != "SOURCE.md":
            assert len(read(path)) == (0 if path.name == "fixations.csv" else 3917), path.name
