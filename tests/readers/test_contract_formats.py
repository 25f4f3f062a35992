"""What the vendors' files say, counted line by line, beside what reading them gives.

Nothing here goes through a reader's own helpers: rows are counted with csv, json and h5py. Made-up
files hold the traps that no public file has: units spelt two ways, NaN in words, two people.
"""

import csv
import gzip
import json
import re
from collections import Counter

import numpy as np
import pytest

from gazecode.errors import FormatError
from gazecode.export import from_pymovements, to_bids, to_pymovements
from gazecode.model import Screen
from gazecode.readers import read

SCREEN = Screen(width_px=1000, height_px=800)
PROLAB = (
    "Recording timestamp{unit}\tSensor\tParticipant name\tRecording name\t"
    "Recording resolution width\tRecording resolution height\t"
    "Gaze point left X [DACS px]\tGaze point left Y [DACS px]\t"
    "Gaze point right X [DACS px]\tGaze point right Y [DACS px]\t"
    "Validity left\tValidity right\tEvent\n"
)
GAZEPOINT = (
    "CNT,{time},TIMETICK(f=10000000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,"
    "BPOGX,BPOGY,BPOGV,LPV,RPV,\n"
)


def rows_of(path, *, delimiter="\t"):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def file_of(path):
    if not path.exists():
        pytest.skip(f"{path.name} is not among the recordings")
    return path


def prolab(unit, step, *, people=("P1",), n=6):
    lines = [PROLAB.format(unit=unit)]
    for person in people:
        for i in range(n):
            left = "Invalid" if i == 3 else "Valid"
            cells = [1_000_000 + i * step, "Eye Tracker", person, f"Rec {person}", 1920, 1080]
            cells += [100 + i, 200, 110 + i, 200, left, "Valid", ""]
            lines.append("\t".join(map(str, cells)) + "\n")
            cells[0] += 1
            lines.append("\t".join(map(str, [cells[0], "Mouse", *cells[2:]])) + "\n")
    return "".join(lines)


def gazepoint(time="TIME", *, n=6, valid=lambda i: i != 2, t_s=lambda i: i * 0.0164):
    lines = [GAZEPOINT.format(time=time)]
    for i in range(n):
        ok, tick = int(valid(i)), 3504312699860 + i * 164000
        at = f"{t_s(i):.5f}"
        x = f"{0.5 + i / 100:.2f}"
        lines.append(f"{i},{at},{tick},0.5,0.25,0.0,{at},1,1,{x},-0.1,{ok},1,1,\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("unit", "step", "encoding", "ms"),
    [
        (" [μs]", 8333, "utf-8", 8.333),
        (" [µs]", 8333, "utf-8-sig", 8.333),
        (" [μs]", 8333, "utf-16", 8.333),
        (" [ms]", 8, "utf-8", 8.0),
        ("", 8333, "utf-8", 8.333),
    ],
)
def test_pro_lab_of_a_screen_in_every_unit(tmp_path, unit, step, encoding, ms):
    path = tmp_path / "export.tsv"
    path.write_bytes(prolab(unit, step).replace("\n", "\r\n").encode(encoding))
    got = read(path)
    assert got.plane == "screen_px"
    assert (got.screen.width_px, got.screen.height_px) == (1920, 1080)
    assert len(got) == 6
    np.testing.assert_allclose(got.samples["left"].t_ms, np.arange(6) * ms, atol=1e-9)
    assert got.samples["left"].lost.tolist() == [i == 3 for i in range(6)]
    assert not got.samples["right"].lost.any()
    assert got.provenance["left_out"]["rows_of_other_sensors"] == 6
    assert got.provenance["participant"] == "P1"


def test_pro_lab_of_two_people_asks_which(tmp_path):
    path = tmp_path / "both.tsv"
    path.write_text(prolab(" [μs]", 8333, people=("P1", "P2")), encoding="utf-8")
    with pytest.raises(FormatError, match="recording="):
        read(path)
    assert read(path, recording="Rec P2").provenance["participant"] == "P2"


def test_gazepoint_header_says_when_it_began_or_does_not(tmp_path):
    path = tmp_path / "User 9_all_gaze.csv"
    path.write_text(gazepoint("TIME(2022/09/19 13:34:49.156)"))
    dated = read(path)
    path.write_text(gazepoint("TIME"))
    plain = read(path)
    # date -u -d "2022-09-19 13:34:49.156" +%s%N
    assert dated.start_ns == 1_663_594_489_156_000_000
    assert plain.start_ns is None
    assert plain.to_frame().equals(dated.to_frame())
    assert "2022" not in json.dumps(dict(dated.provenance))


@pytest.mark.parametrize("nan", ["nan", "NaN", "NAN", "", "n/a"])
def test_a_coordinate_that_is_no_number_is_lost(tmp_path, nan):
    path = tmp_path / "all_gaze.csv"
    path.write_text(gazepoint().replace("0.51,-0.1", f"{nan},{nan}"))
    assert read(path).samples["both"].lost.tolist() == [False, True, True, False, False, False]


def test_stamps_that_repeat_step_back_or_are_negative(tmp_path):
    path = tmp_path / "all_gaze.csv"
    path.write_text(gazepoint(t_s=lambda i: (i // 2) * 0.0164))
    assert read(path).provenance["left_out"]["duplicate_time"] == 3
    path.write_text(gazepoint(t_s=lambda i: [0, 0.02, 0.06, 0.04, 0.08, 0.1][i]))
    got = read(path)
    assert got.provenance["left_out"]["unsorted"] == 1
    np.testing.assert_allclose(got.samples["both"].xy_px[3, 0], np.nan)
    path.write_text(gazepoint("TIME(2022/09/19 13:34:49.156)", t_s=lambda i: -0.05 + i * 0.0164))
    got = read(path)
    assert got.samples["both"].t_ms[0] == 0
    assert got.start_ns == 1_663_594_489_106_000_000


def test_gaze_lost_throughout_is_a_recording(tmp_path):
    path = tmp_path / "all_gaze.csv"
    path.write_text(gazepoint(valid=lambda _: False))
    got = read(path)
    assert len(got) == got.provenance["n_lost"]["both"] == 6


def test_a_header_without_rows_is_answered(tmp_path):
    for name, text in (("a.csv", gazepoint(n=0)), ("a.tsv", prolab(" [ms]", 8, n=0))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(FormatError, match=r"[Ee]xport"):
            read(tmp_path / name)


@pytest.mark.real
def test_smi_takes_only_samples_of_both_eyes(shared_data):
    path = file_of(shared_data / "exports/smi_iview/46_rawdata.tsv")
    lines = path.read_text(encoding="latin-1").splitlines()
    names = next(line for line in lines if line.startswith("Time\t")).split("\t")
    rows = [dict(zip(names, x.split("\t"), strict=False)) for x in lines if "\tSMP\t" in x]
    eyes = Counter((row["L Validity"], row["R Validity"]) for row in rows)
    known = [
        (float(row["L POR X [px]"]), float(row["L POR Y [px]"]))
        for row in rows
        if row["L Validity"] == row["R Validity"] == "1" and float(row["L POR X [px]"])
    ]
    got = read(path)
    gaze = got.samples["both"]
    assert sum(eyes.values()) == len(got) == 11_222
    assert eyes["1", "0"] + eyes["0", "1"] == got.provenance["left_out"]["one_eye"] == 172
    np.testing.assert_array_equal(gaze.xy_px[~gaze.lost], np.array(known))
    assert gaze.lost.sum() == 11_222 - len(known)


@pytest.mark.real
@pytest.mark.parametrize("user", [1, 2])
def test_gazepoint_counts(shared_data, user):
    path = file_of(shared_data / f"exports/gazepoint/User {user}_all_gaze.csv")
    rows = rows_of(path, delimiter=",")
    one = sum(r["BPOGV"] == "1" and (r["LPV"] == "1") != (r["RPV"] == "1") for r in rows)
    got, px = read(path), read(path, screen=SCREEN)
    said = got.provenance["left_out"]
    assert said["invalid_both"] == sum(r["BPOGV"] == "0" for r in rows)
    assert said["one_eye"] == one
    fixations = got.device_events.of("fixation")
    assert len(fixations) == len({r["FPOGID"] for r in rows if r["FPOGV"] == "1"})
    last = {r["FPOGID"]: r for r in rows if r["FPOGV"] == "1"}
    places = [(float(r["FPOGX"]), float(r["FPOGY"])) for r in last.values()]
    np.testing.assert_allclose(fixations.xy_px, places)
    np.testing.assert_allclose(px.device_events.of("fixation").xy_px, fixations.xy_px * [1000, 800])
    np.testing.assert_allclose(px.samples["both"].xy_px, got.samples["both"].xy_px * [1000, 800])


@pytest.mark.real
def test_studio_3_counts(shared_data):
    path = file_of(shared_data / "exports/tobii_studio/d2lab_data.tsv")
    rows = rows_of(path)
    got = read(path)
    for eye in ("Left", "Right"):
        seen = sum(r[f"GazePoint{eye}X (ADCSpx)"] != "" for r in rows)
        assert (~got.samples[eye.lower()].lost).sum() == seen
    events = got.device_events
    assert len(got) == sum(r["ValidityLeft"] != "" for r in rows)
    assert len(events.of("fixation")) == len({r["FixationIndex"] for r in rows} - {""})
    assert len(events.of("saccade")) == len({r["SaccadeIndex"] for r in rows} - {""})
    said = {r["FixationIndex"]: float(r["GazeEventDuration"]) for r in rows if r["FixationIndex"]}
    # The file's durations are whole ms.
    off = events.of("fixation").duration_ms - np.array(list(said.values()))
    assert np.abs(np.median(off)) < 1.0


@pytest.mark.real
def test_imotions_takes_only_rows_of_the_eye_tracker(shared_data):
    path = file_of(shared_data / "exports/imotions/ET_Emotiv_FACET_Shimmer.txt")
    rows = [r for r in rows_of(path) if "ET" in r["EventSource"].split("|")]
    got = read(path)
    assert len(got) == len(rows) == 458
    for eye in ("Left", "Right"):
        missing = sum(float(r[f"Gaze{eye}x"]) == -1 for r in rows)
        assert got.samples[eye.lower()].lost.sum() == missing
    # UTCTimestamp of the first row of gaze: 20171005_012228818
    assert got.start_ns == 1_507_166_548_818_000_000


@pytest.mark.real
def test_labvanced_takes_only_rows_of_gaze(shared_data):
    path = file_of(shared_data / "exports/labvanced/timeseries_data.csv")
    rows = [r for r in rows_of(path, delimiter=",") if r["variable_name"] == "XYTC" and r["x"]]
    got = read(path)
    assert len(got) == len({r["t"] for r in rows}) == 12_208
    tasks = {(r["Task_Name"], r["Trial_Id"], r["Trial_Nr"]) for r in rows}
    assert len(got.trials) == len(tasks)
    ordered = sorted(rows, key=lambda r: float(r["t"]))
    x = np.array([float(r["x"]) for r in ordered]) / 800
    np.testing.assert_allclose(got.samples["both"].xy_px[:, 0], x, atol=1e-9)


@pytest.mark.real
def test_glasses_2_counts(shared_data):
    path = file_of(shared_data / "exports/tobii_glasses2/livedata.json.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    points = [r for r in records if "gp" in r]
    good = sorted((r["ts"], *r["gp"]) for r in points if r["s"] == 0)
    got = read(path)
    gaze = got.samples["both"]
    assert got.plane == "scene_px"
    assert len(got) == len({r["ts"] for r in points}) == 1_424
    assert gaze.lost.sum() == sum(r["s"] != 0 for r in points)
    np.testing.assert_allclose(
        gaze.xy_px[~gaze.lost], np.array(good)[:, 1:] * [1920, 1080], atol=1e-6
    )


@pytest.mark.real
def test_psychopy_centre_origin_and_lost_corner(shared_data):
    h5py = pytest.importorskip("h5py")
    path = file_of(shared_data / "exports/psychopy_iohub/events_2013_sessions5.hdf5")
    with h5py.File(path) as file:
        eyes = file["data_collection/events/eyetracker/BinocularEyeSampleEvent"][:]
    for session, (width, height) in {1: (1920, 1080), 3: (1280, 1024)}.items():
        rows = eyes[eyes["session_id"] == session]
        x, y = rows["left_gaze_x"], rows["left_gaze_y"]
        lost = (rows["status"] != 0) | ((x == -960) & (y == 540))
        got = read(path, session=session)
        gaze = got.samples["left"]
        assert len(got) == len(rows)
        if session == 1:
            assert lost.sum() == gaze.lost.sum() == 52
        kept = ~gaze.lost
        np.testing.assert_allclose(gaze.xy_px[kept, 0], x[kept] + width / 2, atol=1e-3)
        np.testing.assert_allclose(gaze.xy_px[kept, 1], height / 2 - y[kept], atol=1e-3)


@pytest.mark.real
def test_neon_cloud_stamps_are_whole_ns(shared_data):
    path = file_of(shared_data / "exports/neon_cloud/gaze.csv")
    stamps = [int(r["timestamp [ns]"]) for r in rows_of(path, delimiter=",")]
    got = read(path)
    assert got.start_ns == stamps[0]
    expected = np.array([(t - stamps[0]) / 1e6 for t in stamps])
    np.testing.assert_allclose(got.samples["both"].t_ms, expected, rtol=0, atol=1e-6)
    spans = rows_of(path.with_name("fixations.csv"), delimiter=",")
    onsets = sorted((int(r["start timestamp [ns]"]) - stamps[0]) / 1e6 for r in spans)
    np.testing.assert_allclose(got.device_events.onset_ms, onsets, rtol=0, atol=1e-6)


@pytest.mark.real
def test_pupil_core_y_is_flipped_and_units_of_durations_differ(shared_data):
    folder = shared_data / "exports/pupil_core"
    path = file_of(folder / "t10_gaze_positions.csv")
    rows = rows_of(path, delimiter=",")
    kept = [r for r in rows if float(r["confidence"]) >= 0.6]
    got = read(path)
    gaze = got.samples["both"]
    y = [1 - float(r["norm_pos_y"]) for r in kept]
    np.testing.assert_allclose(gaze.xy_px[~gaze.lost, 1], y, atol=1e-12)
    blinks = [
        float(r["duration"]) * 1000 for r in rows_of(folder / "t10_blinks.csv", delimiter=",")
    ]
    np.testing.assert_allclose(got.device_events.of("blink").duration_ms, blinks, atol=1e-3)
    apart = read(folder / "t10_fixations.csv", merge_gap_ms=0).device_events
    fixations = rows_of(folder / "t10_fixations.csv", delimiter=",")
    assert len(apart) == len(fixations) == 36


@pytest.mark.real
def test_fixation_reports_lose_neither_rows_nor_time(shared_data):
    for path in sorted(shared_data.glob("alakmeh2024*/raw_fixation_reports/*.txt")):
        rows = rows_of(path)
        events = read(path).device_events
        assert len(events) == len(rows)
        total = sum(float(r["CURRENT_FIX_DURATION"]) for r in rows)
        np.testing.assert_allclose(events.duration_ms.sum(), total)
    for path in sorted(shared_data.glob("met-code-fix8/*/*.json"))[::5]:
        fixations = json.loads(path.read_text(encoding="utf-8"))["fixations"]
        assert len(read(path).device_events) == len(fixations)
    for path in sorted(shared_data.glob("emip-bednarik2020/corrected/*/*.csv"))[::4]:
        hits = rows_of(path, delimiter=",")
        assert len(read(path).device_events) == len({r["timestamp"] for r in hits})


@pytest.mark.real
def test_an_event_file_never_takes_another_recordings_gaze(shared_data, tmp_path):
    folder = file_of(shared_data / "exports/tobii_studio")
    for name in ("P61-Event-Data.tsv", "P63-All-Data.tsv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(FormatError, match="of the same export"):
        read(tmp_path / "P61-Event-Data.tsv")


ROUND = (
    "exports/eyelink_asc/bino500.asc.gz",
    "exports/smi_iview/46_rawdata.tsv",
    "exports/tobii_studio/d2lab_data.tsv",
    "exports/gazepoint/User 1_all_gaze.csv",
    "i2mc-example/participant1/2.tsv",
)


@pytest.mark.real
@pytest.mark.parametrize("name", ROUND)
def test_there_and_back_through_bids(shared_data, tmp_path, name):
    there = read(file_of(shared_data / name))
    to_bids(there, tmp_path, subject="01", task="read", allow_incomplete=True)
    back = read(min(tmp_path.rglob("*_physio.tsv.gz")))
    _same(there, back)
    assert back.plane == there.plane
    assert len(back.trials) == len(there.trials)
    text = "".join(p.read_text(encoding="utf-8") for p in tmp_path.rglob("*.json"))
    assert not re.search(r"20[012]\d-[01]\d-[0-3]\d", text)


@pytest.mark.real
@pytest.mark.parametrize("name", ROUND)
def test_there_and_back_through_pymovements(shared_data, name):
    pytest.importorskip("pymovements")
    there = read(file_of(shared_data / name), screen=Screen(width_px=1920, height_px=1080))
    _same(there, from_pymovements(to_pymovements(there)))


def _same(there, back):
    assert set(back.samples) == set(there.samples)
    for eye, one in there.samples.items():
        other = back.samples[eye]
        np.testing.assert_allclose(other.t_ms, one.t_ms, atol=1e-3)
        np.testing.assert_allclose(other.xy_px, one.xy_px, atol=1e-3)
    assert Counter(back.device_events.kind) == Counter(there.device_events.kind)
    np.testing.assert_allclose(back.device_events.onset_ms, there.device_events.onset_ms, atol=1e-3)
