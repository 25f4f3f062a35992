"""Recognising, dispatching, refusing: what holds for every format."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gazecode import readers
from gazecode.errors import FormatError, ParameterError, UnknownFormat
from gazecode.model import Events, Recording, Samples, Screen
from gazecode.readers import READERS, Reader, formats, read, sniff_format
from gazecode.registry import Registry

OWN = "t_ms,left_x_px,left_y_px\n0,10,20\n4,11,20\n8,,\n"
FRACTIONS = "t_ms,both_x_fraction,both_y_fraction\n0,0.5,0.25\n10,,\n"


def small(**changes):
    samples = {"both": Samples(t_ms=[0, 10], xy_px=[[0.5, 0.25], [np.nan, np.nan]])}
    return Recording(**{"samples": samples, **changes})


def always(_source):
    return True


def giving(recording):
    def read(source):
        assert source.path.exists()
        return recording

    return read


READS_SMALL = giving(small())


def fake(name, *, priority=0, read=READS_SMALL, sniff=always):
    return Reader(name=name, title=f"the {name}", sniff=sniff, read=read, priority=priority)


@pytest.fixture
def with_readers(monkeypatch):
    """Replace the table of readers, as plug-ins would extend it."""

    def use(*entries):
        table = Registry("readers", {entry.name: entry for entry in entries})
        monkeypatch.setattr(readers, "READERS", table)

    return use


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "P01.dat"
    path.write_text("something")
    return path


def test_the_six_are_registered():
    assert set(READERS) >= {"eyelink", "eyex", "smi", "eyecode", "itrace", "table"}
    assert all(READERS[name].name == name for name in READERS)


def test_formats_lists_name_title_suffixes():
    rows = {row["name"]: row for row in formats()}
    assert set(rows) == set(READERS)
    assert all(set(row) == {"name", "title", "suffixes"} and row["title"] for row in rows.values())


def test_reading_loads_no_heavy_library_before_it_needs_one():
    code = (
        "import sys, gazecode.readers\n"
        "print([m for m in ('pandas','pyarrow','defusedxml','scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_provenance_is_complete(tmp_path):
    path = tmp_path / "P01.csv"
    path.write_text(OWN)
    said = dict(read(path).provenance)
    assert said["format"] == "table"
    assert said["file"] == "P01.csv"
    assert len(said["sha256"]) == 64
    assert said["plane"] == "screen_px"
    assert said["rate_hz"] == 250.0
    assert said["eyes"] == ["left"]
    assert (said["n_samples"], said["n_lost"]) == (3, {"left": 1})
    assert (said["left_out"], said["notes"]) == ({}, [])
    assert str(tmp_path) not in json.dumps(said)


def test_format_may_be_positional_and_path_a_string(tmp_path):
    path = tmp_path / "P01.csv"
    path.write_text(OWN)
    assert len(read(str(path), "table")) == 3


def test_highest_priority_wins(with_readers, file):
    with_readers(fake("low"), fake("high", priority=3), fake("mid", priority=1))
    assert sniff_format(file) == "high"


def test_a_tie_names_both(with_readers, file):
    with_readers(fake("b"), fake("a"))
    with pytest.raises(UnknownFormat) as caught:
        read(file)
    assert str(caught.value) == (
        "P01.dat is recognised by several readers: a, b; name the right one, as in format='a'"
    )


def test_a_sniff_that_stumbles_does_not_hide_the_others(with_readers, file):
    def broken(source):
        raise IndexError

    with_readers(fake("bad", sniff=broken), fake("good"))
    assert sniff_format(file) == "good"


def test_a_plugin_that_is_no_reader_is_named(monkeypatch, file):
    table = Registry("readers", {"odd": len, "good": fake("good")})
    monkeypatch.setattr(readers, "READERS", table)
    assert sniff_format(file) == "good"
    with pytest.raises(ParameterError, match="'odd' in readers is a builtin_function_or_method"):
        read(file, "odd")


def test_unknown_format_says_how_it_begins_and_what_to_do(file):
    with pytest.raises(UnknownFormat) as caught:
        read(file)
    assert str(caught.value).startswith(
        "P01.dat: no reader knows this file, it begins 'something'; gazecode formats lists the "
    )
    assert "format='table'" in str(caught.value)


def test_unknown_name_lists_the_readers(file):
    with pytest.raises(ParameterError, match=r"no 'eyelnk' in readers; choose from: .*eyelink"):
        read(file, "eyelnk")


def test_wrong_format_names_both_sides(tmp_path):
    path = tmp_path / "P01.csv"
    path.write_text(OWN)
    with pytest.raises(FormatError) as caught:
        read(path, format="eyelink")
    assert str(caught.value) == (
        "P01.csv is not eyelink (EyeLink text from edf2asc (SR Research)): it begins "
        "'t_ms,left_x_px,left_y_px'; it looks like table"
    )


@pytest.mark.parametrize("name", [None, "eyelink", "table", "smi"])
def test_empty_file(tmp_path, name):
    path = tmp_path / "P01.asc"
    path.touch()
    with pytest.raises(FormatError) as caught:
        read(path, name)
    assert str(caught.value) == "P01.asc is empty; expected a recording. Copy or export it again"


@pytest.mark.parametrize("name", [None, "eyelink"])
def test_folder(tmp_path, name):
    with pytest.raises(FormatError, match=r"^\S+ is (a folder|not eyelink)") as caught:
        read(tmp_path, name)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FormatError, match="no such file; check the path"):
        read(tmp_path / "absent.asc")


def test_unknown_option_is_refused_by_name(tmp_path):
    path = tmp_path / "P01.csv"
    path.write_text(OWN)
    with pytest.raises(ParameterError, match="reader table has no parameter colums; it has: "):
        read(path, colums={})


@pytest.mark.parametrize(
    "problem",
    [ValueError("a\nb"), KeyError("x"), IndexError(), OverflowError("big"), AttributeError("none")],
)
def test_whatever_a_reader_stumbles_over_is_one_line(with_readers, file, problem):
    def stumble(source):
        raise problem

    with_readers(fake("shaky", read=stumble))
    with pytest.raises(FormatError) as caught:
        read(file)
    text = str(caught.value)
    assert text.startswith("P01.dat (reader shaky): the data cannot be read (")
    assert type(problem).__name__ in text
    assert "\n" not in text
    assert caught.value.__cause__ is problem


def test_a_broken_invariant_names_file_and_reader(with_readers, file):
    def nowhere(_source):
        return small(plane="nowhere")

    with_readers(fake("shaky", read=nowhere))
    with pytest.raises(FormatError, match=r"^P01\.dat \(reader shaky\): unknown plane 'nowhere'"):
        read(file)


def test_an_error_made_on_purpose_passes_unchanged(with_readers, file):
    def refuse(source):
        raise ParameterError("give plugin=")

    with_readers(fake("strict", read=refuse))
    with pytest.raises(ParameterError, match=r"^give plugin=$"):
        read(file)


def test_an_unreadable_file_is_no_traceback(with_readers, file):
    def denied(source):
        raise PermissionError(13, "Permission denied")

    with_readers(fake("any", read=denied))
    with pytest.raises(FormatError, match=r"cannot be opened \(Permission denied\)"):
        read(file)


def test_screen_turns_fractions_into_pixels(with_readers, file):
    events = Events(
        kind=["saccade"],
        onset_ms=[0],
        offset_ms=[5],
        xy_px=[[0.1, 0.1]],
        end_xy_px=[[1.0, 0.5]],
    )
    recording = small(plane="screen_fraction", device_events=events)
    with_readers(fake("frac", read=giving(recording)))
    assert read(file).plane == "screen_fraction"
    got = read(file, screen=Screen(width_px=1000, height_px=400))
    assert got.plane == got.provenance["plane"] == "screen_px"
    assert got.samples["both"].xy_px[0].tolist() == [500.0, 100.0]
    assert got.samples["both"].lost.tolist() == [False, True]
    assert got.device_events.xy_px.tolist() == [[100.0, 40.0]]
    assert got.device_events.end_xy_px.tolist() == [[1000.0, 200.0]]
    assert got.provenance["notes"] == [
        "fractions of the screen became px on the 1000 x 400 px asked for"
    ]


def test_screen_fills_in_and_a_contradiction_is_noted(with_readers, file):
    found = Screen(width_px=1024, height_px=768, distance_mm=600)
    with_readers(fake("any", read=giving(small(screen=found))))
    same = read(file, screen=Screen(width_px=1024, height_px=768, width_mm=300, height_mm=200))
    assert same.screen.has_geometry
    assert same.screen.distance_mm == 600
    assert same.provenance["notes"] == []
    other = read(file, screen=Screen(width_px=1920, height_px=1080))
    assert other.screen.width_px == 1920
    assert other.provenance["notes"] == [
        "screen 1920 x 1080 px as asked for; the file says 1024 x 768"
    ]


def test_a_reader_may_ask_for_the_screen(with_readers, file):
    seen = []

    def curious(source, *, screen=None):
        seen.append(screen)
        return small()

    with_readers(fake("curious", read=curious))
    screen = Screen(width_px=10, height_px=10)
    read(file, screen=screen)
    assert seen == [screen]


def test_counts_of_zero_are_not_reported(with_readers, file):
    said = {"left_out": {"ragged_rows": np.int64(2), "no_time": 0}, "clock": "c", "extra": 7}
    with_readers(fake("any", read=giving(small(provenance=said))))
    got = read(file).provenance
    assert got["left_out"] == {"ragged_rows": 2}
    assert (got["clock"], got["extra"]) == ("c", 7)
    json.dumps(dict(got))


@pytest.mark.real
def test_binary_edf_says_what_to_do(shared_data: Path):
    for path in sorted((shared_data / "exports" / "eyelink_edf").glob("*.edf")):
        with pytest.raises(FormatError, match=r"convert it with SR Research's edf2asc"):
            read(path)


PLUGIN = """
from gazecode.model import Recording, Samples
from gazecode.readers import Reader

def sniff(source):
    return source.head.startswith(b"PLUG")

def read(source):
    return Recording(samples={"left": Samples(t_ms=[0], xy_px=[[1, 2]], eye="left")})

READER = Reader(name="plug", title="a format of another package", sniff=sniff, read=read)
"""


def test_another_package_adds_a_reader(tmp_path):
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gazecode.readers]\nplug = plug:READER\n")
    (tmp_path / "plug.py").write_text(PLUGIN)
    (tmp_path / "P01.plug").write_bytes(b"PLUG")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from gazecode.readers import read\n"
        f"print(read({str(tmp_path / 'P01.plug')!r}).provenance['format'])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "plug"
