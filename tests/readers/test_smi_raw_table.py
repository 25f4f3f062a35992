"""BeGaze 3.6 raw tables: rows that are no gaze, lost as - and 0, 0, glasses."""

import numpy as np
import pytest
from makers.smi_raw_table import NAMES, glasses, remote

from gazecode.errors import FormatError
from gazecode.readers import Source, read
from gazecode.readers.smi import raw_table as smi_raw_table

ROWS = [
    "10,5;T1;one.jpg;P1;Fixation;Fixation;3,5;3,6;100,25;200,5;108,5;201;-",
    "14,5;T1;one.jpg;P1;Fixation;Saccade;3,5;0;102,25;200,5;0;0;-",
    "18,5;T1;one.jpg;P1;User Event;User Event;-;-;-;-;-;-;UE-keypress Space",
    "18,5;T1;one.jpg;P1;Blink;Blink;0;0;0,0;0,0;0,0;0,0;-",
    "22,5;T1;one.jpg;P1;Separator;Separator;-;-;-;-;-;-;-",
    "90,5;T2;two.jpg;P1;Saccade;Saccade;3,5;3,6;-;-;110,5;210;-",
]


def write(folder, rows) -> Source:
    path = folder / "P1 raw.txt"
    path.write_text("\r\n".join([NAMES, *rows]) + "\r\n", newline="")
    return Source(path)


def test_worked_example(tmp_path):
    rec = smi_raw_table.read(write(tmp_path, ROWS))
    left, right = rec.samples["left"], rec.samples["right"]
    assert left.t_ms.tolist() == [0, 4, 8, 80]
    np.testing.assert_array_equal(
        right.xy_px, [[100.25, 200.5], [102.25, 200.5], [np.nan] * 2, [np.nan] * 2]
    )
    np.testing.assert_array_equal(
        left.xy_px, [[108.5, 201], [np.nan] * 2, [np.nan] * 2, [110.5, 210]]
    )
    np.testing.assert_array_equal(left.pupil, [3.6, np.nan, np.nan, 3.6])
    assert [(m.t_ms, m.text) for m in rec.messages] == [(8.0, "UE-keypress Space")]
    assert [(t.name, t.stimulus, t.onset_ms) for t in rec.trials] == [
        ("one", "one", 0.0),
        ("two", "two", 80.0),
    ]
    assert rec.provenance["left_out"] == {"rows_without_gaze": 2, "lost_left": 2, "lost_right": 2}
    events = list(zip(rec.device_events.kind, rec.device_events.eye, strict=True))
    assert sorted(events) == [
        ("blink", "left"),
        ("blink", "right"),
        ("fixation", "left"),
        ("fixation", "right"),
        ("saccade", "left"),
        ("saccade", "left"),
        ("saccade", "right"),
    ]
    assert rec.plane == "screen_px"


def test_glasses_are_no_screen(tmp_path):
    rec = read(glasses(tmp_path, 200))
    assert rec.plane == "scene_px"
    assert list(rec.samples) == ["both"]
    assert [m.text for m in rec.messages] == ["Align #1"]
    assert "scene camera" in rec.provenance["notes"][0]
    assert set(rec.device_events.kind) == {"fixation", "saccade", "blink"}


def test_several_participants_are_asked_for(tmp_path):
    source = write(tmp_path, [*ROWS, ROWS[0].replace("P1", "P2")])
    with pytest.raises(FormatError, match=r"2 participants .*participant='P1'"):
        smi_raw_table.read(source)
    rec = smi_raw_table.read(source, participant="P2")
    assert len(rec) == 1
    assert rec.provenance["left_out"]["rows_of_other_participants"] == 6


def test_points_must_be_there(tmp_path):
    source = write(tmp_path, ROWS)
    source.path.write_text(source.path.read_text().replace(" X [px]", " X"))
    with pytest.raises(FormatError, match="no column Point of Regard Right X"):
        smi_raw_table.read(Source(source.path))


def test_counts_of_the_made_file(tmp_path):
    rec = read(remote(tmp_path, 300))
    assert rec.provenance["format"] == "smi_raw_table"
    assert len(rec) == 298
    assert rec.provenance["rate_hz"] == 250
    assert [len(rec.window(t)) for t in rec.trials] == [149, 149]
