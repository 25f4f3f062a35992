"""Labvanced: XYTC rows alone, capture time, fractions of the frame, trials in order of time."""

import csv
from pathlib import Path

import numpy as np
import pytest
from makers.labvanced import NAMES

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Screen
from gazecode.readers import READERS, Source, labvanced, read
from gazecode.testing import check_reader


def row(task, trial, name, *cells, session=299, trial_id=7):
    x, y, t, c = cells
    return f"b,1,276,{session},1,{task},3,99,{trial_id},{trial},{name},{x},{y},{t},{c}"


ROWS = [
    row("later", 1, "XYTC", 400, 225, 5000, 0.9, trial_id=3),
    row("later", 1, "XYVA", 0.5, 0.1, 225, 400),
    row("later", 2, "XYTC", 800, 450, 5033, 0.2),
    row("first", 1, "XYTC", "", "", "", ""),
    row("first", 1, "XYTC", -8, 90, 1000, 1),
    row("first", 1, "XYTC", 80, 45, 1033, 0),
    row("first", 1, "XYTC", 80, "", 1066, 1),
]


def write(folder: Path, rows, names=NAMES) -> Source:
    path = folder / "timeseries_data.csv"
    path.write_text("\r\n".join([names, *rows]) + "\r\n", newline="")
    return Source(path)


@pytest.mark.parametrize("comma", ["", ","], ids=["header only", "rows too"])
def test_worked_example(tmp_path, comma):
    rec = labvanced.read(write(tmp_path, [line + comma for line in ROWS]))
    gaze = rec.samples["both"]
    assert rec.plane == "screen_fraction"
    assert gaze.t_ms.tolist() == [0, 33, 66, 4000, 4033]
    np.testing.assert_allclose(
        gaze.xy_px, [[-0.01, 0.2], [0.1, 0.1], [np.nan] * 2, [0.5, 0.5], [1, 1]]
    )
    assert rec.provenance["left_out"] == {
        "rows_of_other_variables": 1,
        "empty_rows": 1,
        "unsorted": 1,
        "half_lost": 1,
    }
    assert [(t.name, t.stimulus, t.onset_ms) for t in rec.trials] == [
        ("first 1", "first 7", 0.0),
        ("later 1", "later 3", 4000.0),
        ("later 2", "later 7", 4033.0),
    ]
    assert (rec.start_ns, rec.provenance["participant"]) == (10**9, "276")
    assert "how large it was shown is not in the file" in rec.provenance["notes"][0]


def test_pixels_only_where_the_frame_on_the_screen_is_named(tmp_path):
    source = write(tmp_path, ROWS)
    rec = read(source.path, screen=Screen(width_px=1600, height_px=900))
    assert rec.plane == "screen_px"
    assert rec.samples["both"].xy_px[3].tolist() == [800, 450]
    other = read(source.path, frame_units=(1600, 900))
    assert other.samples["both"].xy_px[3].tolist() == [0.25, 0.25]
    with pytest.raises(ParameterError, match="frame_units"):
        read(source.path, frame_units=(0, 450))


def test_low_confidence_is_lost_only_when_asked_for(tmp_path):
    source = write(tmp_path, ROWS)
    assert labvanced.read(source).gaze.lost.sum() == 1
    rec = labvanced.read(source, min_confidence=0.5)
    assert rec.gaze.lost.tolist() == [False, True, True, False, True]
    assert rec.provenance["left_out"]["low_confidence"] == 2
    assert rec.provenance["confidence"]["q50"] == 0.9


def test_several_sessions_are_asked_for(tmp_path):
    source = write(tmp_path, [*ROWS, row("first", 1, "XYTC", 1, 2, 9000, 1, session=300)])
    with pytest.raises(FormatError, match=r"2 sessions .*session='299'"):
        labvanced.read(source)
    assert len(labvanced.read(source, session="300")) == 1
    with pytest.raises(FormatError, match="holds no gaze of session '301'"):
        labvanced.read(source, session="301")


@pytest.mark.real
def test_real_counts_by_plain_counting(shared_data):
    path = shared_data / "exports" / "labvanced" / "timeseries_data.csv"
    rec = check_reader(READERS["labvanced"], path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    gaze = [r for r in rows if r["variable_name"] == "XYTC"]
    full = sorted((r for r in gaze if r["t"]), key=lambda r: int(r["t"]))
    assert (len(rows), len(gaze), len(gaze) - len(full)) == (18_678, 12_268, 60)
    assert len(rec) == len(full)
    assert rec.provenance["left_out"] == {
        "rows_of_other_variables": 6_410,
        "empty_rows": 60,
        "unsorted": 1,
    }
    first = int(full[0]["t"])
    assert rec.gaze.t_ms.tolist() == [int(r["t"]) - first for r in full]
    np.testing.assert_allclose(
        rec.gaze.xy_px * [800, 450], [[float(r["x"]), float(r["y"])] for r in full]
    )
    keys = list(dict.fromkeys((r["Task_Name"], r["Trial_Nr"]) for r in full))
    assert [t.name for t in rec.trials] == [f"{task} {number}" for task, number in keys]
    assert len({number for _, number in keys}) == 54
    assert rec.trials[0].name.startswith("smooth_pursuit")
    for trial in rec.trials:
        key = tuple(trial.name.rsplit(" ", 1))
        assert len(rec.window(trial)) == sum((r["Task_Name"], r["Trial_Nr"]) == key for r in full)
    assert rec.provenance["rate_hz"] == pytest.approx(30, abs=1)
