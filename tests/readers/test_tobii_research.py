"""Tobii research CSV without a header: by hand, damaged, and the real recording."""

import time

import numpy as np
import pytest

from gazecode.errors import FormatError, GazecodeError
from gazecode.model import Screen
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

READER = READERS["tobii_research"]


def row(i, *, left="(0.25, 0.5)", right="(0.27, 0.52)", valid=(1, 1), name="sort", person="168"):
    stamp = 6798411771 + 8333 * i
    return (
        f'{person},{name},42,{435067971035 + 8333 * i},{stamp},{valid[0]},{valid[1]},"{left}",'
        f'"{right}",1,0,3.5,nan'
    )


def write(folder, rows, end="\n"):
    path = folder / "168_gaze_reading_sort.csv"
    path.write_text("\n".join(rows) + end, encoding="utf-8")
    return path


def test_columns_mean_what_the_sdk_says(tmp_path):
    lost = row(1, left="(nan, nan)", valid=(0, 1))
    path = write(tmp_path, [row(0), lost, row(2, left="(-0.1, 1.2)")])
    got = check_reader(READER, path, cuts=(0.5, 0.9))
    assert sniff_format(path) == "tobii_research"
    left, right = got.samples["left"], got.samples["right"]
    assert left.t_ms == pytest.approx([0, 8.333, 16.666])
    assert np.array_equal(left.xy_px, [[0.25, 0.5], [np.nan] * 2, [-0.1, 1.2]], equal_nan=True)
    assert right.xy_px[1].tolist() == [0.27, 0.52]
    assert left.pupil.tolist() == [3.5] * 3
    assert np.isnan(right.pupil).all()
    assert got.plane == "screen_fraction"
    assert [(t.name, t.stimulus, t.onset_ms) for t in got.trials] == [("sort", "sort", 0.0)]
    said = got.provenance
    assert (said["participant"], said["functions"]) == ("168", {"sort": "42"})
    assert said["off_screen"] == {"left": 1, "right": 0}
    assert "device_timestamp" in said["clock"]


def test_fractions_become_pixels_on_a_screen_that_is_named(tmp_path):
    path = write(tmp_path, [row(i) for i in range(3)])
    got = read(path, screen=Screen(width_px=1920, height_px=1080))
    assert got.plane == "screen_px"
    assert got.samples["left"].xy_px[0].tolist() == [480.0, 540.0]
    assert "fractions of the screen became px" in got.provenance["notes"][0]


def test_a_point_the_tracker_calls_invalid_is_lost_and_counted(tmp_path):
    got = read(write(tmp_path, [row(0), row(1, valid=(0, 1)), row(2)]))
    assert got.samples["left"].lost.tolist() == [False, True, False]
    assert got.provenance["left_out"] == {"invalid_left": 1}


@pytest.mark.parametrize(
    ("damaged", "left_out", "n"),
    [
        pytest.param(row(1)[:60], {"ragged_rows": 1}, 3, id="cut row"),
        pytest.param(row(1) + ",7", {"ragged_rows": 1}, 3, id="a cell too many"),
        pytest.param(row(1, left="0.25 0.5"), {"ragged_rows": 1}, 3, id="no tuple"),
        pytest.param(row(1, left="(0.2x, 0.5)"), {"unreadable_cells": 1, "half_lost": 1}, 4, id="no number"),
        pytest.param(row(1).replace("6798420104", "679842o104"), {"unreadable_cells": 1, "no_time": 1}, 3, id="no stamp"),
        pytest.param(row(0), {"duplicate_time": 1}, 3, id="twice"),
        pytest.param("", {}, 3, id="blank"),
    ],
)  # fmt: skip
def test_damaged_rows_are_counted_and_the_others_stay(tmp_path, damaged, left_out, n):
    path = write(tmp_path, [row(0), damaged, row(2), row(3)])
    got = read(path)
    assert got.provenance["left_out"] == left_out
    assert len(got) == n


def test_a_row_that_breaks_off_at_the_end_is_one_of_them(tmp_path):
    got = read(write(tmp_path, [row(0), row(1), row(2)[:40]], end=""))
    assert (len(got), got.provenance["left_out"]) == (2, {"ragged_rows": 1})


def test_several_functions_are_several_trials(tmp_path):
    rows = [row(i, name="sort" if i % 4 < 2 else "find") for i in range(8)]
    assert [t.name for t in read(write(tmp_path, rows)).trials] == [
        *("sort", "find", "sort (2)", "find (2)")
    ]


def test_a_damaged_name_is_left_out_and_a_second_person_refused(tmp_path):
    one = [row(i, person="1b8" if i == 70 else "168") for i in range(200)]
    got = read(write(tmp_path, one))
    assert got.provenance["left_out"] == {"other_participant": 1}
    assert got.provenance["participant"] == "168"
    two = [row(i, person="168" if i < 100 else "169") for i in range(200)]
    with pytest.raises(FormatError, match=r"gaze of 2 participants \(168, 169, ...\)"):
        read(write(tmp_path, two))


def test_nothing_left_is_an_error(tmp_path):
    no_stamp = [row(i).replace(str(6798411771 + 8333 * i), "9" * 400) for i in range(3)]
    with pytest.raises(FormatError, match=r"no whole row with a device time stamp \(\{\}\)"):
        read(write(tmp_path, no_stamp))
    with pytest.raises(FormatError, match=r"\(\{'ragged_rows': 3\}\)"):
        READER.read(Source(write(tmp_path, [row(0)[:50]] * 3)))


@pytest.mark.parametrize(
    "text",
    [
        "participant_id,function_name,function_id\n" + row(0) + "\n",
        "0," + row(0) + ',POINT (0.7 0.1),1\n',
        row(0).replace('"(0.25, 0.5)"', "0.25") + "\n",
        "1,2,3\n",
    ],
    ids=["header", "annotated", "one number", "table"],
)  # fmt: skip
def test_other_tables_are_not_recognised(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    # A header alone makes no difference between one row of gaze and none.
    assert READER.sniff(Source(path)) is (text.count("\n") > 1)


@pytest.mark.parametrize("seed", range(10))
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path, seed):
    rng = np.random.default_rng(seed)
    raw = bytearray("\n".join(row(i) for i in range(120)).encode())
    for _ in range(int(rng.integers(1, 60))):
        at = int(rng.integers(len(raw)))
        match int(rng.integers(4)):
            case 0:
                raw[at] = int(rng.integers(256))
            case 1:
                del raw[at : at + int(rng.integers(1, 40))]
            case 2:
                raw[at:at] = rng.bytes(int(rng.integers(1, 20)))
            case _:
                raw[at:at] = b'\n"(,)' * int(rng.integers(1, 4))
    path = tmp_path / "168_gaze.csv"
    path.write_bytes(bytes(raw))
    said = ""
    try:
        got = read(path, format="tobii_research")
        assert len(got) == got.provenance["n_samples"]
    except GazecodeError as error:
        said = str(error)
    assert "\n" not in said


def test_speed(tmp_path):
    path = tmp_path / "big.csv"
    path.write_text("\n".join(row(i) for i in range(100_000)) + "\n", encoding="utf-8")
    read(path)
    start = time.perf_counter()
    got = read(path)
    rate = len(got) / (time.perf_counter() - start)
    print(f"tobii_research: {rate:,.0f} rows/s")
    assert rate > 50_000


@pytest.fixture(scope="module")
def vanderbilt(shared_data):
    found = sorted(shared_data.glob("vanderbilt*/gaze/*_gaze_reading_*.csv"))
    if not found:
        pytest.skip("no Vanderbilt recording in the shared data")
    return found[0]


@pytest.mark.real
def test_the_real_recording_has_its_published_facts(vanderbilt):
    got = check_reader(READER, vanderbilt)
    assert len(got) == 8812
    assert got.duration_ms == pytest.approx(73_400, abs=50)
    assert got.provenance["rate_hz"] == pytest.approx(120, abs=0.1)
    loss = {eye: s.lost.mean() for eye, s in got.samples.items()}
    assert loss["left"] == pytest.approx(0.070, abs=5e-4)
    assert loss["right"] == pytest.approx(0.072, abs=5e-4)
    assert got.provenance["left_out"] == {}
    assert got.provenance["participant"] == "168"
    assert [t.name for t in got.trials] == ["createServerChooser"]
    assert got.trials[0].offset_ms >= got.duration_ms
    # The cluster off the screen, to the left of it, is gaze and stays.
    assert (got.gaze.xy_px[:, 0] < 0).sum() > 50


@pytest.mark.real
def test_the_real_recording_is_nobody_elses(vanderbilt):
    found = [name for name in READERS if READERS[name].sniff(Source(vanderbilt))]
    assert found == ["tobii_research"]
    annotated = next((vanderbilt.parents[1] / "annotated_gaze").glob("*.csv"))
    assert not READER.sniff(Source(annotated))
