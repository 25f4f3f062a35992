"""iMotions: which rows are gaze, which clock, -1 and validity, both exports."""

import csv
from pathlib import Path

import numpy as np
import pytest
from makers.imotions import CSV_NAMES, comma, text

from gazecode.errors import FormatError
from gazecode.readers import READERS, Source, imotions, read
from gazecode.testing import check_reader

NAMES = (
    "StudyName Name StimulusName SlideType EventSource UTCTimestamp TimeSignal GazeLeftx GazeLefty "
    "GazeRightx GazeRighty PupilLeft PupilRight ValidityLeft ValidityRight GazeEventType LiveMarker"
)


def row(source, t, left, right, *, pupil=("3.5", "3.6"), code="00", slide="TestImage", **more):
    said = {"page": "one", "name": "p1", "event": "", "marker": ""} | more
    stamp = "20171005_012228818"
    where = map(str, (t, *left, *right))
    head = ("S", said["name"], said["page"], slide, source, stamp)
    return "\t".join((*head, *where, *pupil, *code, said["event"], said["marker"]))


ROWS = [
    row("ET", 1000, (10, 20), (14, 22), slide="BlackInterslide", event="Fixation"),
    row("EmotivEEG", 1000, (10, 20), (14, 22), slide="BlackInterslide", event="Fixation"),
    row("ET|Shimmer Sensor", 1017, (-1, -1), (15, 22), pupil=("-1", "3.6"), code="40"),
    row("Emotient FACET", 1017, (-1, -1), (15, 22), marker="go"),
    row("EmotivEEG|ET", 1033, (12, 20), (-1, -1), marker="go", event="Fixation"),
    row("ET", 1050, (13, 20), (17, 22), code="03", page="two"),
]


def write(folder: Path, rows) -> Source:
    path = folder / "export.txt"
    path.write_text("\r\n".join(["\t".join(NAMES.split()), *rows]) + "\r\n", newline="")
    return Source(path)


def test_worked_example(tmp_path):
    rec = imotions.read(write(tmp_path, ROWS))
    left, right = rec.samples["left"], rec.samples["right"]
    assert left.t_ms.tolist() == [0, 17, 33, 50]
    np.testing.assert_array_equal(left.xy_px, [[10, 20], [np.nan] * 2, [12, 20], [13, 20]])
    np.testing.assert_array_equal(right.xy_px, [[14, 22], [15, 22], [np.nan] * 2, [np.nan] * 2])
    np.testing.assert_array_equal(left.pupil, [3.5, np.nan, 3.5, 3.5])
    assert rec.provenance["left_out"] == {
        "rows_of_other_sensors": 2,
        "lost_left": 1,
        "lost_right": 2,
    }
    assert [(t.name, t.stimulus) for t in rec.trials] == [
        ("one [BlackInterslide]", None),
        ("one", "one"),
        ("two", "two"),
    ]
    assert [(m.t_ms, m.text) for m in rec.messages] == [(17.0, "go")]
    assert rec.device_events.kind.tolist() == ["fixation", "fixation"]
    assert rec.start_ns == 1507166548818000000
    assert "2017" not in str(dict(rec.provenance))


def test_two_respondents_are_refused(tmp_path):
    source = write(tmp_path, [*ROWS, row("ET", 1070, (1, 2), (3, 4), name="p2")])
    with pytest.raises(FormatError, match=r"gaze of 2 respondents \(p1, p2"):
        imotions.read(source)


def test_the_csv_export(tmp_path):
    rec = read(comma(tmp_path, 400))
    assert len(rec) == 300
    assert rec.provenance["participant"] == "made1"
    assert rec.provenance["left_out"] == {"rows_of_other_sensors": 100, "lost_left": 20}
    assert [t.stimulus for t in rec.trials] == ["one, first", "two"]
    assert [m.text for m in rec.messages] == ["StartMedia"] * 2
    fixations = rec.device_events
    assert set(fixations.kind) == {"fixation"}
    assert fixations.onset_ms[:3].tolist() == pytest.approx([0, 250.0, 500.01], abs=0.01)
    np.testing.assert_allclose(fixations.duration_ms, 200.0)


def test_the_file_of_the_eye_tracker_alone(tmp_path):
    path = tmp_path / "ET_Eyetracker.csv"
    path.write_text("RowNumber,Timestamp,ET_GazeLeftx,ET_GazeLefty\n1,5.5,10,20\n2,9.5,-1,-1\n")
    rec = read(path)
    assert rec.samples["left"].lost.tolist() == [False, True]
    assert rec.provenance["clock"].startswith("column Timestamp")


@pytest.mark.parametrize("start", [0, 1, 5])
def test_names_are_looked_for_behind_the_preamble_only(tmp_path, start):
    path = tmp_path / "a.csv"
    path.write_text("#INFO,\n" * start + CSV_NAMES + "\n")
    assert imotions.sniff(Source(path))
    path.write_text("something,else\n" + CSV_NAMES + "\n")
    assert not imotions.sniff(Source(path))


def test_gaze_of_the_made_text_export(tmp_path):
    rec = read(text(tmp_path, 600))
    assert rec.provenance["left_out"]["rows_of_other_sensors"] == 300
    assert [m.text for m in rec.messages] == ["key pressed, once"]


@pytest.mark.real
def test_real_counts_by_plain_counting(shared_data):
    path = shared_data / "exports" / "imotions" / "ET_Emotiv_FACET_Shimmer.txt"
    rec = check_reader(READERS["imotions"], path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    gaze = [r for r in rows if "ET" in r["EventSource"].split("|")]
    assert (len(rows), len(gaze), sum("ET" in r["EventSource"] for r in rows)) == (2499, 458, 672)
    assert len(rec) == 458
    lost = [r["GazeLeftx"] == "-1" for r in gaze]
    assert sum(lost) == 62
    assert rec.samples["left"].lost.tolist() == lost
    bad = [r["GazeRightx"] == "-1" or r["ValidityRight"] == "4" for r in gaze]
    assert rec.samples["right"].lost.tolist() == bad
    first = int(gaze[0]["TimeSignal"])
    assert rec.gaze.t_ms.tolist() == [int(r["TimeSignal"]) - first for r in gaze]
    black = sum(r["SlideType"] == "BlackInterslide" for r in gaze)
    assert [len(rec.window(t)) for t in rec.trials] == [black, 458 - black]
    assert rec.provenance["participant"] == "t111"
    assert rec.provenance["rate_hz"] == pytest.approx(60, abs=2)
