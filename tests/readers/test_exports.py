"""Every public export opens without hints, or is answered; what it holds was counted elsewhere."""

import re
from pathlib import Path

import pytest
from export_facts import FACTS, differences, seen

from gazecode.errors import GazecodeError
from gazecode.readers import read

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
ANSWERED = {
    # A file of the export that holds no gaze, or another program's: what the answer must say.
    "example.edf": "edf2asc",
    "test_raw.edf": "edf2asc",
    "sub-01_task-FreeView": "empty|holds nothing",
    "task-FreeView": "empty|holds nothing",
}


def exports_of(shared_data):
    files = [path for path in (shared_data / "exports").rglob("*") if path.is_file()]
    return sorted(path for path in files if path.name != "SOURCE.md")


@pytest.mark.real
def test_every_export_opens_without_hints_or_is_answered(shared_data):
    for path in exports_of(shared_data):
        words = next((w for name, w in ANSWERED.items() if path.name.startswith(name)), None)
        if words is None:
            recording = read(path)
            assert len(recording) or len(recording.device_events) or "empty" in path.name
            continue
        with pytest.raises(GazecodeError) as error:
            read(path)
        assert re.search(words, str(error.value)), error.value
        assert not str(error.value).startswith("no reader")


@pytest.mark.real
@pytest.mark.parametrize("pattern", sorted(FACTS))
def test_an_export_holds_what_was_counted_in_it(shared_data, pattern):
    found = sorted(shared_data.glob(pattern)) if "*" in pattern else [shared_data / pattern]
    assert found
    for path in found:
        if not path.exists():
            pytest.skip(f"{pattern} is not among the recordings")
        assert differences(FACTS[pattern], seen(read(path))) == []


def test_facts_that_differ_are_said():
    facts = {"samples": 3, "rate_hz": 100, "lost": {"left": 1}, "duration_ms": None}
    found = {"samples": 3, "rate_hz": 104.0, "lost": {"left": 2}, "duration_ms": 5.0}
    assert differences(facts, found) == [
        "rate_hz is 104.0, expected 100",
        "lost is {'left': 2}, expected {'left': 1}",
    ]


@pytest.mark.real
def test_the_table_of_recordings_is_what_reading_gives(shared_data):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("make_formats_table", PAGE.parent / "make_formats_table.py")
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    written = PAGE.read_text(encoding="utf-8").split(made.BEGIN)[1].split(made.END)[0]
    lines = set(written.strip().splitlines())
    n = 0
    for path in made.files_of(shared_data):
        row = made.row(path, shared_data)
        if f"| {row[0]} |" in written:
            assert made.line(row) in lines
            n += 1
    print(f"{n} of {len(lines) - 2} rows compared")
    assert n
