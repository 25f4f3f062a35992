"""TX300 text: validity codes before coordinates, -1 for lost, fractions of an unknown screen."""

import csv

import numpy as np
import pytest
from makers import tobii_tx300 as makers

from gazecode.errors import FormatError
from gazecode.readers.source import Source
from gazecode.readers.tobii import tx300 as tobii_tx300

NAMES = (
    *("Time", "LGazePos2dx", "LGazePos2dy", "LPupilDm", "LValidity"),
    *("RGazePos2dx", "RGazePos2dy", "RPupilDm", "RValidity", "RelTimestamp"),
)


def write(folder, rows):
    path = folder / "1.tsv"
    lines = ["\t".join(NAMES), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return Source(path)


def row(i, left=(0.25, 0.5, 4.0, 0), right=(0.75, 0.5, 3.0, 0), relative=None):
    time = 2_619_771_723 + i * 3000
    return (time, *left, *right, i * 3.0 if relative is None else relative)


def test_codes_decide_before_coordinates(tmp_path):
    rows = [row(i, left=(0.25, 0.5, 4.0, code)) for i, code in enumerate(range(5))]
    rec = tobii_tx300.read(write(tmp_path, rows))
    left = rec.samples["left"]
    assert left.lost.tolist() == [False, False, True, True, True]
    assert np.isnan(left.pupil).tolist() == left.lost.tolist()
    assert rec.provenance["left_out"] == {"invalid_left": 3}
    assert rec.samples["right"].lost.sum() == 0
    np.testing.assert_allclose(left.t_ms, np.arange(5) * 3.0)
    assert rec.plane == "screen_fraction"
    assert rec.screen is None


def test_minus_one_is_lost_even_with_a_good_code(tmp_path):
    rec = tobii_tx300.read(write(tmp_path, [row(0, left=(-1.0, -1.0, -1.0, 0)), row(1)]))
    assert rec.samples["left"].lost.tolist() == [True, False]
    assert np.isnan(rec.samples["left"].pupil[0])
    assert rec.provenance["left_out"] == {}


def test_a_second_clock_that_differs_is_said(tmp_path):
    same = tobii_tx300.read(write(tmp_path, [row(0), row(1)]))
    other = tobii_tx300.read(write(tmp_path, [row(0), row(1, relative=50.0)]))
    assert not any("RelTimestamp" in note for note in same.provenance["notes"])
    assert (
        "Time and RelTimestamp drift apart by up to 47.0 ms; Time is taken"
        in other.provenance["notes"]
    )


def test_no_stamp_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="no row with a time stamp"):
        tobii_tx300.read(write(tmp_path, [("", *row(0)[1:])]))


def test_sniff_needs_the_codes(tmp_path):
    assert tobii_tx300.sniff(write(tmp_path, [row(0)]))
    other = tmp_path / "other.tsv"
    other.write_text("Time\tLGazePos2dx\tLGazePos2dy\n1\t2\t3\n")
    assert not tobii_tx300.sniff(Source(other))


def test_the_made_file_has_the_columns_of_the_format(tmp_path):
    path = makers.make(tmp_path, 120)
    assert len(path.read_text().partition("\n")[0].split("\t")) == 28
    rec = tobii_tx300.read(Source(path))
    assert {eye: int(s.lost.sum()) for eye, s in rec.samples.items()} == {"left": 3, "right": 6}


FILES = [
    ("exports/tobii_sdk/i2mc_participant1_1.tsv", 651),
    ("i2mc-example/participant1/1.tsv", 651),
    ("i2mc-example/participant1/2.tsv", 1206),
    ("i2mc-example/participant1/5.tsv", 1210),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "n"), FILES)
def test_real_trials(shared_data, name, n):
    path = shared_data / name
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    rec = tobii_tx300.read(Source(path))
    assert len(rec) == len(rows) == n
    relative = [float(r["RelTimestamp"]) for r in rows]
    np.testing.assert_allclose(rec.gaze.t_ms, relative, atol=1e-3)
    assert np.median(np.diff(rec.gaze.t_ms)) == pytest.approx(3.3515, abs=0.001)
    for eye, letter in (("left", "L"), ("right", "R")):
        gaze = rec.samples[eye]
        assert gaze.lost.tolist() == [r[f"{letter}Validity"] == "4" for r in rows]
        seen = [r for r in rows if r[f"{letter}Validity"] == "0"]
        assert gaze.xy_px[~gaze.lost, 1].tolist() == [float(r[f"{letter}GazePos2dy"]) for r in seen]
        assert gaze.pupil[~gaze.lost].tolist() == [float(r[f"{letter}PupilDm"]) for r in seen]
    if n == 651:
        assert [int(s.lost.sum()) for s in rec.samples.values()] == [9, 9]
