"""Pro Lab exports: sensors in one file, units of three ages, stale gaze, scenes and snapshots."""

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import tobii_prolab as made

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Screen
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.tobii import prolab as tobii_prolab
from gazecode.readers.tools.arrow import read_table
from gazecode.testing import check_reader

REAL = "exports/tobii_prolab/gazeplotter_prolab_mobile.tsv"
COLUMNS = [
    *("Recording timestamp [μs]", "Sensor", "Participant name", "Recording name", "Event"),
    *("Gaze point left X [DACS px]", "Gaze point left Y [DACS px]", "Validity left"),
    *("Gaze point right X [DACS px]", "Gaze point right Y [DACS px]", "Validity right"),
    *("Eye movement type", "Eye movement type index"),
]


def row(
    t, *, sensor="Eye Tracker", who=("P1", "R1"), event="", left=None, right=None, kind=("", "")
):
    """Cells of a row; an eye is (x, y, validity)."""
    eyes = [left or ("", "", ""), right or ("", "", "")]
    return [t, sensor, *who, event, *eyes[0], *eyes[1], *kind]


def write(folder: Path, rows, columns=COLUMNS, encoding="utf-8") -> Source:
    text = "\n".join("\t".join(map(str, cells)) for cells in [columns, *rows]) + "\n"
    path = folder / "made.tsv"
    path.write_bytes(text.encode(encoding))
    return Source(path)


def gaze_rows(times, **cells):
    return [row(t, left=(10, 20, "Valid"), right=(12, 22, "Valid"), **cells) for t in times]


def plain_rows(path: Path):
    lines = path.read_text("utf-8-sig").split("\n")
    return list(
        csv.reader([line for line in lines if line], delimiter="\t", quoting=csv.QUOTE_NONE)
    )


@pytest.mark.real
def test_the_real_file_by_plain_counting(shared_data):
    path = shared_data / REAL
    header, *rows = plain_rows(path)
    assert sniff_format(path) == "tobii_prolab"
    recording = read(path)
    sensors = Counter(cells[1] for cells in rows)
    assert recording.provenance["sensors"] == dict(sensors)
    facts = {"Gyroscope": 66, "Accelerometer": 65, "Eye Tracker": 27, "Magnetometer": 5, "": 1}
    assert sensors == facts
    tracked = [cells for cells in rows if cells[1] == "Eye Tracker"]
    t_us = np.array([int(cells[0]) for cells in tracked])
    np.testing.assert_allclose(recording.samples["both"].t_ms, (t_us - t_us[0]) / 1000)
    assert recording.provenance["left_out"] == {
        "ragged_rows": sum(len(cells) != len(header) for cells in rows),
        "rows_of_other_sensors": 66 + 65 + 5,
    }
    assert (recording.plane, recording.screen) == ("scene_px", None)
    assert recording.samples["both"].lost.all()
    assert any("no gaze points" in note for note in recording.provenance["notes"])
    whole = [cells for cells in tracked if len(cells) == len(header)]
    hits = sum(cells[header.index("AOI hit [geostul_snap - Kameny]")] == "1" for cells in whole)
    assert recording.provenance["aoi_hits"]["geostul_snap - Kameny"] == hits > 0


@pytest.mark.real
def test_the_real_files_events_and_trial(shared_data):
    recording = read(shared_data / REAL)
    (event,) = recording.device_events.to_frame().to_dict("records")
    assert (event["kind"], event["x_px"], event["y_px"]) == ("fixation", 962.0, 647.0)
    assert (event["first"], event["last"], event["onset_ms"]) == (0, 27, 0.0)
    (message,) = recording.messages
    assert message.text == "geostul_snap IntervalStart"
    (trial,) = recording.trials
    assert (trial.name, trial.onset_ms) == ("geostul_snap", message.t_ms)
    mapped = read(shared_data / REAL, snapshot="geostul_snap")
    assert mapped.plane == "screen_px"
    assert mapped.device_events.xy_px.tolist() == [[1213.0, 735.0]]


@pytest.mark.real
def test_rules_hold_on_the_real_file(shared_data):
    check_reader(READERS["tobii_prolab"], shared_data / REAL)


def test_a_screen_recording_has_everything_its_columns_say(tmp_path):
    recording = read(made.make_screen(tmp_path, 400))
    x, y, lost, kind, _ = (np.array(column) for column in made.gaze_of(400))
    left, right = recording.samples["left"], recording.samples["right"]
    np.testing.assert_allclose(left.t_ms, np.arange(400) * made.STEP_US / 1000)
    assert (left.lost == lost).all()
    # The export rounds nothing here; what stood there while lost was stale.
    np.testing.assert_allclose(left.xy_px[~lost], np.stack([x - 8, y + 3], axis=1)[~lost])
    np.testing.assert_allclose(right.pupil[~lost], 3.31)
    assert recording.provenance["left_out"]["invalid_left"] == lost.sum()
    assert (recording.screen.width_px, recording.screen.height_px) == (1920, 1080)
    assert recording.screen.width_mm == pytest.approx(1920 * 0.265, abs=0.1)
    assert recording.screen.distance_mm == 643.1
    assert [t.stimulus for t in recording.trials] == [None, "Vehicle.png", "Rectangle.png"]
    assert recording.validations[0].mean_deg == 0.41
    fixations = recording.device_events.of("fixation")
    starts = (kind == "Fixation") & np.r_[True, kind[:-1] != "Fixation"]
    assert len(fixations) == starts.sum()
    np.testing.assert_array_equal(fixations.xy_px, np.round(np.stack([x, y], axis=1)[starts]))
    assert "laid on Recording timestamp [ms]" in recording.provenance["clock"]


def test_an_older_export_has_no_units_a_decimal_comma_and_utf_16(tmp_path):
    recording = read(made.make_older(tmp_path, 400))
    lost = np.array(made.gaze_of(400)[2])
    assert recording.samples["left"].lost.sum() == lost.sum()
    assert recording.samples["right"].lost.sum() == 0
    np.testing.assert_allclose(recording.samples["right"].pupil, 3.31)
    np.testing.assert_allclose(np.diff(recording.samples["left"].t_ms), made.STEP_US / 1000)
    assert [m.text for m in recording.messages] == ["Keyboard Space"]
    assert any("states no unit; its steps read as us" in n for n in recording.provenance["notes"])


def test_glasses_are_of_the_scene_and_never_a_screen(tmp_path):
    path = made.make_glasses(tmp_path, 400)
    recording = read(path)
    assert (recording.plane, recording.screen, list(recording.samples)) == (
        "scene_px",
        None,
        ["both"],
    )
    assert recording.provenance["scene_px"] == [1920.0, 1080.0]
    assert recording.provenance["left_out"]["ragged_rows"] == 1
    assert [(t.name, t.onset_ms, t.offset_ms) for t in recording.trials] == [
        ("page", 1999.9, 5999.9)
    ]
    mapped = read(path, snapshot="page")
    assert mapped.plane == "screen_px"
    np.testing.assert_allclose(
        mapped.samples["both"].xy_px, recording.samples["both"].xy_px / 2, equal_nan=True
    )
    with pytest.raises(ParameterError, match="no gaze mapped onto a snapshot 'desk'; it has page"):
        read(path, snapshot="desk")
    asked = read(path, screen=Screen(width_px=800, height_px=600))
    assert (asked.plane, asked.screen) == ("scene_px", None)
    assert "the screen asked for was not used" in asked.provenance["notes"][-1]


@pytest.mark.parametrize(
    ("name", "encoding", "step", "per_ms"),
    [
        ("Recording timestamp [μs]", "utf-8", 8333, 1000),
        ("Recording timestamp [µs]", "utf-8", 8333, 1000),
        ("Recording timestamp [µs]", "cp1252", 8333, 1000),
        ("Recording timestamp [μs]", "utf-16", 8333, 1000),
        ("Recording timestamp [ms]", "utf-8", 8, 1),
        ("Recording timestamp", "utf-8", 8333, 1000),
        ("Recording timestamp", "utf-8", 17, 1),
    ],
)
def test_stamps_are_in_the_unit_said_or_shown(tmp_path, name, encoding, step, per_ms):
    source = write(
        tmp_path, gaze_rows(range(700, 700 + 9 * step, step)), [name, *COLUMNS[1:]], encoding
    )
    assert tobii_prolab.sniff(source)
    recording = tobii_prolab.read(source)
    np.testing.assert_allclose(recording.samples["left"].t_ms, np.arange(9) * step / per_ms)


def test_whole_ms_of_a_fast_tracker_lose_no_sample(tmp_path):
    stamps = np.arange(1200) * 5 // 6
    source = write(tmp_path, gaze_rows(stamps), ["Recording timestamp [ms]", *COLUMNS[1:]])
    recording = tobii_prolab.read(source)
    assert len(recording) == 1200
    assert any("laid out evenly" in note for note in recording.provenance["notes"])


def test_stale_gaze_is_lost_and_other_sensors_are_no_gaze(tmp_path):
    rows = [
        row(0, left=(1, 2, "Valid"), right=(3, 4, "Invalid")),
        row(5, sensor="Gyroscope", left=(1, 2, "Valid"), right=(3, 4, "Valid")),
        row(10, left=(1, 2, "0"), right=(3, 4, "2")),
        row(20, left=(1, 2, ""), right=(3, 4, "perhaps")),
        row(20, sensor="", event="tick"),
    ]
    recording = tobii_prolab.read(write(tmp_path, rows))
    assert recording.samples["left"].lost.tolist() == [False, False, True]
    assert recording.samples["right"].lost.tolist() == [True, True, True]
    assert recording.provenance["left_out"] == {
        "rows_of_other_sensors": 1,
        "invalid_left": 1,
        "invalid_right": 3,
        "unknown_validity": 1,
    }
    assert [(m.t_ms, m.text) for m in recording.messages] == [(0.02, "tick")]


def test_a_ragged_row_of_the_tracker_keeps_its_stamp_and_loses_its_gaze(tmp_path):
    rows = gaze_rows([0, 10, 20, 30])
    del rows[1][4]
    rows[2] = ["20"]
    recording = tobii_prolab.read(write(tmp_path, rows))
    assert recording.samples["left"].t_ms.tolist() == [0, 0.01, 0.03]
    assert recording.samples["left"].lost.tolist() == [False, True, False]
    assert recording.provenance["left_out"] == {"ragged_rows": 2}
    assert recording.provenance["participant"] == "P1"


def test_several_recordings_are_refused_until_one_is_named(tmp_path):
    rows = gaze_rows([0, 10]) + gaze_rows([0, 10, 20], who=("P2", "R2"))
    source = write(tmp_path, rows)
    with pytest.raises(FormatError, match=r"several recordings \(P1 / R1, P2 / R2, ...\)"):
        tobii_prolab.read(source)
    for name, n in (("R1", 2), ("P2", 3)):
        recording = tobii_prolab.read(source, recording=name)
        assert len(recording) == n
        assert recording.provenance["left_out"] == {"rows_of_other_recordings": 5 - n}
    with pytest.raises(FormatError, match="no row of the sensor"):
        tobii_prolab.read(source, recording="R3")


def test_without_a_sensor_column_event_rows_are_no_samples(tmp_path):
    keep = [i for i, name in enumerate(COLUMNS) if name != "Sensor"]
    rows = [*gaze_rows([0, 10]), row(12, event="RecordingEnd")]
    source = write(tmp_path, [[r[i] for i in keep] for r in rows], [COLUMNS[i] for i in keep])
    recording = tobii_prolab.read(source)
    assert (len(recording), [m.text for m in recording.messages]) == (2, ["RecordingEnd"])


def test_events_make_trials_where_no_stimulus_is_named(tmp_path):
    columns = [*COLUMNS, "Event value"]
    rows = [[*r, ""] for r in gaze_rows(range(0, 1_000_000, 10_000))]
    marks = (
        *((100_001, "ImageStimulusStart", "A.png"), (300_001, "ImageStimulusEnd", "A.png")),
        *((400_001, "ImageStimulusStart", "A.png"), (500_001, "URLStart", "b.html")),
        (700_001, "Keyboard", "Start"),
    )
    rows += [[*row(t, sensor="", event=word), value] for t, word, value in marks]
    recording = tobii_prolab.read(write(tmp_path, rows, columns))
    assert [(t.name, round(t.onset_ms)) for t in recording.trials] == [
        *(("A.png", 100), ("A.png (2)", 400), ("b.html", 500))
    ]
    assert recording.trials[0].offset_ms == pytest.approx(300.001)


def test_gaze_in_fractions_of_the_media_is_no_place_on_the_screen(tmp_path):
    columns = [*COLUMNS[:5], "Gaze point X [MCS norm]", "Gaze point Y [MCS norm]"]
    rows = [[t, "Eye Tracker", "P1", "R1", "", 0.5, 0.5] for t in (0, 10, 20)]
    recording = tobii_prolab.read(write(tmp_path, rows, columns))
    assert recording.samples["both"].lost.all()
    assert recording.plane == "screen_px"


def test_cells_that_are_no_number_are_lost_and_counted(tmp_path):
    rows = gaze_rows([0, 10, 20])
    rows[1][5] = "abc"
    recording = tobii_prolab.read(write(tmp_path, rows))
    assert recording.samples["left"].lost.tolist() == [False, True, False]
    assert recording.provenance["left_out"] == {"unreadable_cells": 1, "half_lost": 1}


def test_quoted_cells_are_understood_and_a_stray_quote_is_a_character(tmp_path):
    rows = [*gaze_rows([0, 10]), row(12, sensor="", event='say "yes')]
    plain = tobii_prolab.read(write(tmp_path, rows))
    assert [m.text for m in plain.messages] == ['say "yes']
    rows = [[f'"{c}"' if isinstance(c, str) and c else c for c in r] for r in gaze_rows([0, 10])]
    source = write(tmp_path, rows, [f'"{name}"' for name in COLUMNS])
    assert tobii_prolab.sniff(source)
    assert len(tobii_prolab.read(source)) == 2


def test_a_cut_file_is_an_error_and_one_without_stamps_too(tmp_path):
    source = write(tmp_path, gaze_rows([0, 10, 20]))
    source.path.write_bytes(source.path.read_bytes()[:-30])
    with pytest.raises(
        FormatError, match=r"breaks off in its last row \(\d+ of 13 cells\) after 2"
    ):
        tobii_prolab.read(Source(source.path))
    with pytest.raises(FormatError, match="no column Recording timestamp"):
        tobii_prolab.read(write(tmp_path, [], COLUMNS[1:]))
    with pytest.raises(FormatError, match="no row of the sensor 'Eye Tracker'"):
        tobii_prolab.read(write(tmp_path, [row(1, sensor="Mouse")]))


def test_sniff_wants_pro_labs_own_names(tmp_path):
    assert not tobii_prolab.sniff(write(tmp_path, [], ["Recording timestamp", "x", "y"]))
    assert not tobii_prolab.sniff(write(tmp_path, [], ["RecordingTimestamp", "Event", "Sensor"]))
    assert not tobii_prolab.sniff(Source(tmp_path))


CELL = st.one_of(st.just(""), st.integers(-9, 9).map(str), st.sampled_from(["a", "Mouse", "é"]))


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=12),
    st.lists(st.integers(0, 12), max_size=3),
)
def test_tables_are_read_as_by_hand_wherever_blocks_end(rows, borders):
    lines = [b"t\tname\tx", *("\t".join(cells).encode() for cells in rows)]
    edges = sorted({1, len(lines), *(min(b + 1, len(lines)) for b in borders)})
    blocks = [lines[0] + b"\n"]
    blocks += [b"".join(x + b"\n" for x in lines[a:b]) for a, b in pairwise(edges)]
    counts = Counter()
    found = list(read_table(blocks, name="made", columns={"x": float, "name": str}, counts=counts))
    good = [cells for cells in rows if len(cells) == 3]
    texts = [text for b in found for text in b.texts["name"].at(np.arange(b.n))]
    numbers = np.concatenate([np.empty(0), *(b.numbers["x"] for b in found)])
    assert texts == [cells[1] for cells in good]
    expected = [float(c[2]) if c[2].lstrip("-").isdecimal() else np.nan for c in good]
    np.testing.assert_array_equal(numbers, expected)
    assert counts["ragged_rows"] == len(rows) - len(good)
    assert counts["unreadable_cells"] == sum(c[2] in ("a", "Mouse", "é") for c in good)


def test_one_stray_quote_costs_one_row():
    text = '"t"\t"name"\n1\t"a\tb"\n2\t"say ""x"""\n3\t"open\n4\tb"c\n5\te"f"g\n6\t"z"\n'
    counts = Counter()
    (block,) = read_table(
        [text.encode() + b"\xff\xfe\n"],
        name="made",
        columns={"t": float, "name": str},
        counts=counts,
    )
    assert block.numbers["t"].tolist() == [1, 2, 6]
    assert block.texts["name"].at(np.arange(3)) == ["a\tb", 'say "x"', "z"]
    assert counts == {"ragged_rows": 4}


def test_missing_columns_are_named():
    with pytest.raises(FormatError, match="made: no column x; found t, name"):
        list(read_table([b"t\tname\n"], name="made", columns={"x": float}, counts=Counter()))
