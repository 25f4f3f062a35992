"""BeGaze events: kinds and eyes kept apart, µs to ms, free text, half-open intervals."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from makers.smi_begaze import HEADER, make, make_tab

from gazecode.errors import FormatError
from gazecode.readers import READERS, Source
from gazecode.readers.smi import begaze as smi_begaze
from gazecode.testing import check_reader

ROWS = [
    "UserEvent,1,1,1000,# Message: page one.jpg",
    "Saccade L,1,1,2000,9000,7000,815.24,692.39,937.58,796.65,3.70,149,0.91,40,66,-60,21",
    "Saccade R,1,1,2000,9000,7000,0.00,0.00,937.58,796.65,3.70,149,0.91,40,66,-60,21",
    "Fixation L,1,1,9000,29000,20000,951.83,791.40,47,48,-,-,-1,16.42,16.42",
    "Fixation R,1,1,9000,29000,20000,951.83,791.40,47,48,hall, left,-,-1,16.58,16.58",
    "Blink L,1,1,29000,39000,10000",
    "UserEvent,1,2,31000,# Message: Space, held, twice",
    "Fixation L,1,2,39000,39000,0,951.83,791.40,47,48,-,-,-1,16.42,16.42",
]


def write(folder: Path, rows, header=HEADER, end="\n") -> Source:
    path = folder / "events.txt"
    path.write_bytes((header + "\n".join(rows) + "\n").replace("\n", end).encode())
    return Source(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_worked_example(tmp_path, end):
    rec = smi_begaze.read(write(tmp_path, ROWS, end=end))
    ev = rec.device_events
    assert len(rec) == 0
    assert ev.kind.tolist() == ["saccade", "saccade", "fixation", "fixation", "blink"]
    assert ev.eye.tolist() == ["left", "right", "left", "right", "left"]
    assert ev.onset_ms.tolist() == [1, 1, 8, 8, 28]
    assert ev.offset_ms.tolist() == [8, 8, 28, 28, 38]
    np.testing.assert_array_equal(
        ev.xy_px,
        [[815.24, 692.39], [np.nan] * 2, [951.83, 791.4], [951.83, 791.4], [np.nan] * 2],
    )
    np.testing.assert_array_equal(ev.end_xy_px[:2], [[937.58, 796.65]] * 2)
    assert np.isnan(ev.end_xy_px[2:]).all()
    assert [(m.t_ms, m.text) for m in rec.messages] == [
        (0.0, "page one.jpg"),
        (30.0, "Space, held, twice"),
    ]
    assert [(t.name, t.stimulus, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("page one", "page one", 0.0, 38.0)
    ]
    assert rec.provenance["left_out"] == {"no_duration": 1}
    assert rec.provenance["participant"] == "made1"
    assert rec.provenance["vendor_rate_hz"] == 120
    assert "count one eye only" in rec.provenance["notes"][1]


def test_trial_numbers_are_trials(tmp_path):
    rows = [
        *ROWS[:4],
        "UserEvent,2,1,50000,# Message: two.png",
        "Fixation L,2,1,51000,61000,10000,1,2,3,4,-,-,-1,5,5",
        "Fixation L,3,1,70000,90000,20000,1,2,3,4,-,-,-1,5,5",
    ]
    rec = smi_begaze.read(write(tmp_path, rows))
    assert [(t.name, t.stimulus, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("trial 1", "page one", 0.0, 49.0),
        ("trial 2", "two", 49.0, 69.0),
        ("trial 3", None, 69.0, 89.0),
    ]


def test_older_files_have_tabs_and_may_have_decimal_commas(tmp_path):
    (tmp_path / "a").mkdir()
    comma, tab = (smi_begaze.read(Source(m(tmp_path / "a", 50))) for m in (make, make_tab))
    assert len(comma.device_events) == 48
    assert comma.device_events.to_frame().equals(tab.device_events.to_frame())
    assert comma.messages[0].text == "key Space, held; twice"


def test_without_pictures_the_stimulus_is_that_of_the_header(tmp_path):
    rec = smi_begaze.read(write(tmp_path, ROWS[1:4]))
    assert [(t.name, t.stimulus) for t in rec.trials] == [("made1-scrrec", "made1-scrrec")]
    rec = smi_begaze.read(write(tmp_path, ROWS[1:4], HEADER.replace("made1-scrrec.avi", "")))
    assert [(t.name, t.stimulus) for t in rec.trials] == [("recording", None)]


def test_damaged_rows_are_counted(tmp_path):
    rows = [*ROWS, "Fixation L,1,3", "Smooth L,1,1,1,2,1", "Fixation R,1,3,soon,99000,9,1,2,3"]
    rec = smi_begaze.read(write(tmp_path, rows))
    assert rec.provenance["left_out"] == {
        "no_duration": 1,
        "ragged_rows": 1,
        "unknown_rows": 1,
        "unreadable_cells": 1,
        "no_time": 1,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[: raw.rindex(b"Fixation L") + 40], "breaks off in its last row"),
        (lambda raw: raw.replace(b"Event Type", b"Kind"), "no line of column names"),
        (lambda raw: raw.replace(b"Trial,Number", b"Number,Trial"), "no column Event Type, Trial"),
        (lambda raw: raw[: raw.index(b"UserEvent")], "no event with a time stamp"),
    ],
    ids=["cut", "no names", "other order", "no rows"],
)
def test_bad_files_are_one_clear_line(tmp_path, change, message):
    source = write(tmp_path, ROWS)
    source.path.write_bytes(change(source.path.read_bytes()))
    with pytest.raises(FormatError) as caught:
        smi_begaze.read(Source(source.path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_trials_cost_little(tmp_path):
    rows = [f"Blink L,{i},1,{i * 100},{i * 100 + 50},50" for i in range(1, 20_001)]
    rec = smi_begaze.read(write(tmp_path, rows))
    assert len(rec.trials) == 20_000


@pytest.mark.real
def test_real_counts_by_plain_counting(shared_data):
    path = shared_data / "exports" / "smi_begaze_events" / "SMI_Sample_67_Events.txt"
    rec = check_reader(READERS["smi_begaze"], path)
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row[0].split(" ")[0] in ("Fixation", "Saccade", "Blink")]
    counted = Counter(row[0] for row in rows)
    assert counted == {
        "Fixation L": 5271,
        "Fixation R": 5272,
        "Saccade L": 5180,
        "Saccade R": 5299,
        "Blink L": 181,
        "Blink R": 228,
    }
    ev = rec.device_events
    found = Counter(f"{k.title()} {e[0].upper()}" for k, e in zip(ev.kind, ev.eye, strict=True))
    assert found == counted
    assert len(rec.messages) == 416
    assert ev.duration_ms.sum() * 1000 == pytest.approx(sum(int(row[5]) for row in rows))
    assert rec.messages[0].t_ms == 0.0
    assert rec.messages[-1].t_ms == pytest.approx((169495962288 - 167531284088) / 1000)
    fixations = ev.of("fixation")
    x = fixations.xy_px[np.asarray(fixations.eye == "left"), 0]
    np.testing.assert_allclose(x, [float(row[6]) for row in rows if row[0] == "Fixation L"])
