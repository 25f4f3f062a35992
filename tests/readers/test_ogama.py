"""OGAMA fixation export: trailing TAB, CR LF, several trials and people; the real files."""

import pytest

from gazecode.errors import FormatError, ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

READER = READERS["ogama"]
HEADER = "ID\tSubjectName\tTrialID\tTrialSequence\tCountInTrial\tStartTime\tLength\tPosX\tPosY"


def row(i, start, length, x=1.0, y=2.0, *, who="be26", trial=8, sequence=1):
    return f"{i}\t{who}\t{trial}\t{sequence}\t{i}\t{start}\t{length}\t{x}\t{y}"


def write(folder, rows, tail="\t\r\n"):
    path = folder / "subject1.txt"
    path.write_text("".join(line + tail for line in [HEADER, *rows]), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("tail", ["\t\r\n", "\r\n", "\n"])
def test_a_tab_at_the_end_of_each_line_is_no_column(tmp_path, tail):
    path = write(tmp_path, [row(1, 250, 184, 423.4375, 378.08), row(2, 567, 200)], tail)
    got = check_reader(READER, path, cuts=(0.5,))
    assert sniff_format(path) == "ogama"
    assert got.device_events.onset_ms.tolist() == [250, 567]
    assert got.device_events.offset_ms.tolist() == [434, 767]
    assert got.device_events.xy_px[0].tolist() == [423.4375, 378.08]
    assert got.trials[0].onset_ms == 0
    assert got.trials[0].offset_ms == 767
    assert got.provenance["left_out"] == {}


def test_trials_have_clocks_of_their_own(tmp_path):
    rows = [row(1, 250, 184), row(2, 100, 50, trial=9, sequence=2), row(3, 90, 10, sequence=3)]
    got = read(write(tmp_path, rows))
    assert [(t.name, t.onset_ms, t.offset_ms) for t in got.trials] == [
        ("8", 0, 434),
        ("9", 1434, 1584),
        ("8 (2)", 2584, 2684),
    ]
    assert "each trial has its own clock" in got.provenance["clock"]


def test_people_are_told_apart_by_case_and_can_be_asked_for(tmp_path):
    path = write(tmp_path, [row(1, 0, 10), row(2, 5, 10, who="BE26"), row(3, 50, 10)])
    got = read(path)
    assert got.provenance["participants"] == {"8": "be26", "8 (2)": "BE26"}
    assert read(path, participant="BE26").provenance["left_out"] == {"other_participant": 2}
    with pytest.raises(ParameterError, match="BE26, be26"):
        read(path, participant="x")


def test_a_decimal_comma_and_damaged_rows(tmp_path):
    rows = [
        row(1, 0, 10, "1,5", "2,5"),
        row(2, 20, 0, "1,5", "2,5"),
        "7\tbe26",
        row(3, "x", 5, "3,5", "1,5"),
    ]
    got = read(write(tmp_path, rows, "\n"))
    assert got.device_events.xy_px.tolist() == [[1.5, 2.5]]
    assert got.provenance["left_out"] == {"ragged_rows": 1, "unreadable_cells": 1, "no_interval": 2}


def test_other_tables_are_not_recognised(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("ID\tSubjectName\tStartTime\n1\ta\t2\n")
    assert not READER.sniff(Source(path))
    with pytest.raises(FormatError):
        read(path, format="ogama")


@pytest.mark.real
def test_the_real_files_hold_what_counting_says(shared_data):
    files = sorted(shared_data.glob("busjahn2013-eyecode/subject*_*.txt"))
    if not files:
        pytest.skip("no OGAMA export in the shared data")
    total = 0
    for path in files:
        lines = [
            line.split("\t") for line in path.read_text().replace("\r", "").split("\n")[1:] if line
        ]
        got = check_reader(READER, path, cuts=(0.5,))
        assert len(got.device_events) == len(lines)
        assert got.device_events.onset_ms.tolist() == [float(cells[5]) for cells in lines]
        assert got.device_events.duration_ms.tolist() == [float(cells[6]) for cells in lines]
        assert got.device_events.xy_px[:, 0].tolist() == [float(cells[7]) for cells in lines]
        assert got.provenance["participant"] == lines[0][1]
        total += len(lines)
    assert total == 698
