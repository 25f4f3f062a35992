"""Pupil Core: y from the bottom left, doubt, eyes, ms and s, pieces of one fixation, surfaces."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import pupil_core as maker

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Screen
from gazecode.readers import READERS, read
from gazecode.readers.pupil_labs.shared import EventColumns, merge_pieces
from gazecode.testing import check_reader
from gazecode.units import sample_end_ms


def gaze_row(t, x=0.5, y=0.25, *, confidence=0.9, eyes="01"):
    base = " ".join(f"{t}-{eye}" for eye in eyes)
    filled = [",".join("111111" if eye in eyes else [""] * 6) for eye in "01"]
    return f"{t},417,{confidence},{x},{y},{base},-1.5,-2,-1e-05,{filled[0]},{filled[1]}"


def write(path: Path, header: str, rows) -> Path:
    return maker.write(path, header, list(rows))


def gaze_file(folder: Path, rows, name="gaze_positions.csv") -> Path:
    return write(folder / name, maker.GAZE_HEADER, rows)


def fixation_row(start, duration, x=0.5, y=0.25, method="3d gaze"):
    return f"1,{start},{duration},1,2,{x},{y},1.2,0.9,{method},1,2,3,{start}"


def blink_row(start, duration):
    return f"1,{start},{duration},{start + duration},1,2,3,0.9,0.5 0.6,0.1"


def test_y_counts_from_the_top_and_doubt_is_lost(tmp_path):
    rows = [gaze_row(10, 0.2, 0.9), gaze_row(10.004, 1.5, -0.5), gaze_row(10.008, confidence=0.59)]
    recording = read(gaze_file(tmp_path, rows))
    gaze = recording.samples["both"]
    np.testing.assert_allclose(gaze.t_ms, [0, 4, 8], atol=1e-9)
    np.testing.assert_allclose(gaze.xy_px[:2], [[0.2, 0.1], [1.5, 1.5]])
    assert gaze.lost.tolist() == [False, False, True]
    assert recording.plane == "scene_fraction"
    assert recording.provenance["left_out"] == {"low_confidence": 1}
    assert recording.provenance["outside"] == 1


def test_the_threshold_is_an_option(tmp_path):
    path = gaze_file(tmp_path, [gaze_row(1, confidence=c) for c in (0.0,)])
    assert read(path, min_confidence=0.0).provenance["n_lost"] == {"both": 0}
    for wrong in ({"min_confidence": 1.5}, {"min_confidence": float("nan")}, {"merge_gap_ms": -1}):
        with pytest.raises(ParameterError, match="expected"):
            read(path, **wrong)


@pytest.mark.parametrize(
    ("eyes", "name", "counts"),
    [
        (["0", "0"], "right", {"right": 2}),
        (["1", "1"], "left", {"left": 2}),
        (["0", "1"], "both", {"right": 1, "left": 1}),
        (["01", "0"], "both", {"both": 1, "right": 1}),
        (["", ""], "both", {}),
    ],
)
def test_eye_0_is_the_right_one(tmp_path, eyes, name, counts):
    rows = [gaze_row(10 + i, eyes=seen) for i, seen in enumerate(eyes)]
    recording = read(gaze_file(tmp_path, rows))
    assert list(recording.samples) == [name]
    assert recording.provenance["mapped_from"] == counts


def test_the_old_names_of_columns_are_read(tmp_path):
    path = tmp_path / "gaze_positions.csv"
    path.write_text("timestamp,index,confidence,norm_pos_x,norm_pos_y,base_data\n5,1,1,0.5,0,5-1\n")
    recording = read(path)
    assert recording.samples["left"].xy_px.tolist() == [[0.5, 1.0]]


def test_events_beside_the_gaze_share_its_prefix_and_clock(tmp_path):
    gaze = gaze_file(tmp_path, [gaze_row(10 + i / 100) for i in range(100)], "a_gaze_positions.csv")
    write(tmp_path / "a_fixations.csv", maker.FIXATION_HEADER, [fixation_row(10.1, 200)])
    write(tmp_path / "a_blinks.csv", maker.BLINK_HEADER, [blink_row(10.5, 0.25)])
    write(tmp_path / "b_blinks.csv", maker.BLINK_HEADER, [blink_row(10.7, 0.1)])
    notes = ["417,10.5,page 1,0.0,True", '418,10.6,"a, b",0.0,True']
    write(tmp_path / "a_annotations.csv", "index,timestamp,label,duration,x", notes)
    recording = read(gaze)
    events = recording.device_events
    assert events.kind.tolist() == ["fixation", "blink"]
    np.testing.assert_allclose(events.onset_ms, [100, 500], atol=1e-6)
    # Both end with a sample, which holds until the next one: ms of a fixation, s of a blink.
    np.testing.assert_allclose(events.offset_ms, [310, 760], atol=1e-6)
    np.testing.assert_allclose(events.xy_px[0], [0.5, 0.75])
    assert [(round(m.t_ms), m.text) for m in recording.messages] == [(500, "page 1"), (600, "a, b")]


def test_events_of_another_time_are_left_out_and_said(tmp_path):
    gaze = gaze_file(tmp_path, [gaze_row(10 + i / 100) for i in range(100)])
    write(tmp_path / "blinks.csv", maker.BLINK_HEADER, [blink_row(99.0, 0.25)])
    recording = read(gaze)
    assert len(recording.device_events) == 0
    assert recording.provenance["left_out"] == {"events_of_another_time": 1}


PIECES = [
    fixation_row(10.0, 200, 0.1),
    fixation_row(10.2025, 100, 0.4),
    fixation_row(10.3055, 100, 0.1, method="2d gaze"),
    fixation_row(10.4117, 100, 0.3, method="2d gaze"),
]


def test_pieces_of_one_fixation_are_joined_and_counted(tmp_path):
    path = write(tmp_path / "fixations.csv", maker.FIXATION_HEADER, PIECES)
    joined = read(path)
    assert len(joined) == 0
    np.testing.assert_allclose(joined.device_events.onset_ms, [0, 305.5, 411.7], atol=1e-6)
    np.testing.assert_allclose(joined.device_events.duration_ms, [302.5, 100, 100], atol=1e-6)
    np.testing.assert_allclose(joined.device_events.xy_px[0], [0.2, 0.75])
    assert joined.provenance["left_out"] == {"fixation_pieces_joined": 1}
    apart = read(path, merge_gap_ms=0)
    assert len(apart.device_events) == 4
    assert apart.provenance["left_out"] == {}
    assert len(read(path, merge_gap_ms=7).device_events) == 2


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(1, 300), st.floats(0, 1)), max_size=30),
    st.floats(0, 20),
)
def test_joining_agrees_with_going_through_one_by_one(rows, gap):
    steps = np.array(rows).reshape(-1, 3)
    onset = np.cumsum(steps[:, 0] + steps[:, 1]) - steps[:, 1]
    offset, x = onset + steps[:, 1], steps[:, 2]
    expected: list[list[float]] = []
    for a, b, at in zip(onset, offset, x, strict=True):
        if expected and gap > 0 and a - expected[-1][1] < gap:
            group = expected[-1]
            group[1], group[2], group[3] = b, group[2] + at * (b - a), group[3] + b - a
        else:
            expected.append([a, b, at * (b - a), b - a])
    part = EventColumns(
        kind="fixation", onset_ms=onset, offset_ms=offset, xy=np.stack([x, x], axis=1)
    )
    merged, n = merge_pieces(part, gap)
    assert n == len(rows) - len(expected)
    np.testing.assert_allclose(merged.onset_ms, [e[0] for e in expected])
    np.testing.assert_allclose(merged.offset_ms, [e[1] for e in expected])
    np.testing.assert_allclose(merged.xy[:, 0], [e[2] / e[3] for e in expected])


def test_a_header_alone_is_no_events_and_no_gaze_is_an_error(tmp_path):
    for name, header in (("fixations", maker.FIXATION_HEADER), ("blinks", maker.BLINK_HEADER)):
        recording = read(write(tmp_path / f"{name}.csv", header, []))
        assert (len(recording), len(recording.device_events)) == (0, 0)
    with pytest.raises(FormatError, match="no row with a number in gaze_timestamp"):
        read(gaze_file(tmp_path, []))


def test_pupils_are_read_once_an_image_and_hold_no_gaze(tmp_path):
    recording = read(maker.pupil(tmp_path, 80))
    assert list(recording.samples) == ["left", "right"]
    assert recording.provenance["n_lost"] == {"left": 40, "right": 40}
    assert recording.provenance["left_out"]["rows_of_other_method"] == 40
    assert recording.provenance["pupil_unit"] == "mm"
    left, right = recording.samples["left"].pupil, recording.samples["right"].pupil
    assert np.isfinite(right[:4]).tolist() == [True, False, True, False]
    np.testing.assert_allclose([right[0], left[1]], [3.1, 3.3])
    # Doubt about a pupil: one image in ten, of which two rows tell.
    assert recording.provenance["left_out"]["low_confidence"] == 4


def test_pupils_in_px_where_the_3d_detector_did_not_run(tmp_path):
    rows = [f"{10 + i},1,0,0.9,0.5,0.5,{30 + i},2d c++,1,1,1,1,1,,,"[:-1] + "," for i in range(3)]
    recording = read(write(tmp_path / "pupil_positions.csv", maker.PUPIL_HEADER, rows))
    assert recording.samples["right"].pupil.tolist() == [30, 31, 32]
    assert recording.provenance["pupil_unit"] == "px"


def test_a_surface_is_a_fraction_from_its_top_left(tmp_path):
    path = maker.surface(tmp_path, 100)
    recording = read(path)
    gaze = recording.samples["both"]
    assert recording.plane == "screen_fraction"
    np.testing.assert_allclose(gaze.xy_px[0], [0.1, 0.125])
    said = recording.provenance
    # x goes 0.1, 0.2, ... 1.1; what lies off the surface keeps its place.
    assert said["off_surface"] == sum(0.1 + i % 11 * 0.1 > 1 for i in range(100))
    assert said["left_out"] == {"low_confidence": 10, "repeated_fixation_rows": 2}
    assert np.nanmax(gaze.xy_px[:, 0]) > 1
    assert any("'Monitor 1'" in note for note in said["notes"])
    # A fixation is listed once per frame: its place is the mean of those on the surface.
    np.testing.assert_allclose(recording.device_events.xy_px, [[0.255, 0.25]])
    on_screen = read(path, screen=Screen(width_px=1000, height_px=800))
    np.testing.assert_allclose(on_screen.samples["both"].xy_px[0], [100, 100])
    alone = read(tmp_path / "fixations_on_surface_Monitor 1.csv")
    assert (len(alone), len(alone.device_events)) == (0, 1)
    np.testing.assert_allclose(alone.device_events.duration_ms, [200])


def test_files_without_gaze_open_the_gaze_they_belong_to(tmp_path):
    maker.gaze(tmp_path, 50)
    for name in ("world_timestamps", "export_info"):
        recording = read(tmp_path / f"made_{name}.csv")
        assert len(recording) == 50
        assert f"made_{name}.csv holds no gaze" in recording.provenance["notes"][-1]
    lonely = tmp_path / "elsewhere"
    lonely.mkdir()
    moved = (tmp_path / "made_world_timestamps.csv").rename(lonely / "world_timestamps.csv")
    with pytest.raises(FormatError, match=r"world timestamps of a Pupil Player.*Open its gaze_pos"):
        read(moved)
    maker.gaze(lonely, 50)
    assert len(read(moved)) == 50
    gaze_file(lonely, [gaze_row(1)], "other_gaze_positions.csv")
    with pytest.raises(FormatError, match="2 files of gaze lie beside it"):
        read(moved)


def plain(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n", "low", "eye"), [("t10", 2054, 441, "both"), ("wc", 775, 0, "right")]
)
def test_real_gaze(shared_data, name, n, low, eye):
    path = shared_data / f"exports/pupil_core/{name}_gaze_positions.csv"
    recording = check_reader(READERS["pupil_core"], path)
    gaze, rows = recording.samples[eye], plain(path)
    t = np.array([float(row["gaze_timestamp"]) for row in rows])
    assert (
        (len(gaze), int(gaze.lost.sum()))
        == (n, low)
        == (
            len(rows),
            sum(float(row["confidence"]) < 0.6 for row in rows),
        )
    )
    np.testing.assert_allclose(gaze.t_ms, (t - t[0]) * 1000, atol=1e-6)
    kept = np.array([[float(r["norm_pos_x"]), 1 - float(r["norm_pos_y"])] for r in rows])
    np.testing.assert_array_equal(gaze.xy_px[~gaze.lost], kept[~gaze.lost])
    outside = sum(not (0 <= x <= 1 and 0 <= y <= 1) for x, y in kept)
    assert recording.provenance["outside"] == outside == {"t10": 34, "wc": 0}[name]
    eyes = [(bool(r["gaze_normal0_x"]), bool(r["gaze_normal1_x"])) for r in rows]
    named = {"both": (True, True), "right": (True, False), "left": (False, True)}
    counted = {key: eyes.count(pair) for key, pair in named.items() if pair in eyes}
    assert recording.provenance["mapped_from"] == counted


@pytest.mark.real
def test_real_events(shared_data):
    folder = shared_data / "exports/pupil_core"
    rows = plain(folder / "t10_fixations.csv")
    start = np.array([float(row["start_timestamp"]) for row in rows])
    duration = np.array([float(row["duration"]) for row in rows])
    near = (start[1:] - start[:-1]) * 1000 - duration[:-1] < 6
    assert (len(rows), int(near.sum()), round(duration.max())) == (36, 11, 213)
    apart = read(folder / "t10_fixations.csv", merge_gap_ms=0)
    np.testing.assert_allclose(apart.device_events.duration_ms, duration)
    joined = read(folder / "t10_fixations.csv")
    assert len(joined.device_events) == 36 - 11
    assert joined.provenance["left_out"] == {"fixation_pieces_joined": 11}
    blinks = read(folder / "t10_blinks.csv").device_events
    ends = [float(row["end_timestamp"]) for row in plain(folder / "t10_blinks.csv")]
    np.testing.assert_allclose(blinks.offset_ms, (np.array(ends) - 329368.551824) * 1000, atol=1e-4)
    assert len(read(folder / "wc_fixations_empty.csv").device_events) == 0


@pytest.mark.real
def test_real_events_lie_on_the_clock_of_the_gaze(shared_data):
    recording = read(shared_data / "exports/pupil_core/t10_gaze_positions.csv")
    fixations = recording.device_events.of("fixation")
    assert (len(fixations), len(recording.device_events.of("blink"))) == (25, 3)
    t = recording.gaze.t_ms
    # The first one began before the exported gaze, the last one ended after it.
    first = np.abs(fixations.onset_ms[1:, None] - t).min(axis=1)
    last = np.abs(fixations.offset_ms[:, None] - sample_end_ms(t)).min(axis=1)
    assert max(first.max(), last[:-1].max()) < 1e-3
    # Gaze inside a fixation lies where the vendor says it does (y turned the right way up).
    for i in range(1, len(fixations)):
        inside = recording.gaze.between(fixations.onset_ms[i], fixations.offset_ms[i]).xy_px
        assert np.abs(np.nanmean(inside, axis=0) - fixations.xy_px[i]).max() < 0.03


@pytest.mark.real
def test_real_pupils(shared_data):
    path = shared_data / "exports/pupil_core/wc_pupil_positions.csv"
    recording = read(path)
    rows = [row for row in plain(path) if "3d" in row["method"]]
    assert (len(plain(path)), len(recording)) == (1556, len(rows))
    assert list(recording.samples) == ["right"]
    sizes = [
        float(row["diameter_3d"]) if float(row["confidence"]) >= 0.6 else np.nan for row in rows
    ]
    np.testing.assert_array_equal(recording.samples["right"].pupil, sizes)


@pytest.mark.real
def test_every_real_file_opens_something(shared_data):
    for path in (shared_data / "exports/pupil_core").glob("wc_*"):
        recording = read(path)
        gaze = 0 if "fixations_empty" in path.name else 778 if "pupil" in path.name else 775
        assert len(recording) == gaze, path.name
