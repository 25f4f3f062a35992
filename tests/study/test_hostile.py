"""Study files made to harm: devices, pipes, huge files, names that are no names. All are refused."""

import os
import re
import shutil
from pathlib import Path

import pytest

from gazecode.errors import GazecodeError, StudyError
from gazecode.study import load_study, run_study
from gazecode.study.stimuli import check_stimuli

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
STUDY = """
[study]
name = "hostile"
[stimuli.Vehicle]
code = {code}
image = {image}
layout = {{ kind = "grid", origin_px = [0, 0], char_width_px = 10, line_height_px = 20 }}
[[recordings]]
file = "P01.tsv"
participant = "P01"
[align]
tokenizer = "tokenizer.json"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Vehicle.java").write_text("class Vehicle {}")
    (tmp_path / "Vehicle.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    shutil.copy(DEMO / "tokenizer.json", tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10 << 30)
    return tmp_path


def study_of(folder, code='"Vehicle.java"', image='"Vehicle.png"'):
    path = folder / "study.toml"
    path.write_text(STUDY.format(code=code, image=image))
    return load_study(path)


@pytest.mark.parametrize("key", ["code", "image"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"/dev/zero"', "device or a pipe"),
        ('"pipe"', "device or a pipe"),
        ('"loop"', "cannot be opened"),
        ('"a\\u0000b"', "cannot be opened"),
        (f'"{"x" * 5000}"', "cannot be opened"),
        ('"~root/x"', "no such file"),
        ('"file:///etc/passwd"', "no such file"),
    ],
)
def test_names_that_are_no_files_are_refused_with_key_and_line(folder, key, value, said):
    with pytest.raises(StudyError, match=rf"stimuli\.Vehicle\.{key} \(line \d+\)") as error:
        study_of(folder, **{key: value})
    assert re.search(said, str(error.value))
    assert len(str(error.value)) < 1000
    assert "\x00" not in str(error.value)


def test_a_huge_source_is_refused_before_it_is_read(folder):
    study = study_of(folder, code='"huge"')
    with pytest.raises(GazecodeError, match="huge holds 10737418240 bytes"):
        check_stimuli(study)


@pytest.mark.parametrize("name", ["huge", "pipe", "loop", "/dev/zero"])
def test_a_study_file_is_a_small_plain_file(folder, name):
    with pytest.raises(StudyError, match="no study file"):
        load_study(folder / name)


def test_brackets_without_end_are_refused(folder):
    path = folder / "study.toml"
    path.write_text("a = " + "[" * 200_000)
    with pytest.raises(StudyError, match="not valid TOML"):
        load_study(path)


@pytest.mark.parametrize(
    "name",
    ["/dev/zero", "pipe", "loop", "a\\u0000b", pytest.param("huge", marks=pytest.mark.slow), "."],
)
@pytest.mark.parametrize("key", ["file", "tokenizer"])
def test_recordings_and_tokenizers_are_plain_files(folder, key, name):
    table = folder / "P01.tsv"
    table.write_text("t_ms,left_x_px,left_y_px\n0,1,2\n4,1,2\n")
    text = STUDY.format(code='"Vehicle.java"', image='"Vehicle.png"')
    old = {"file": 'file = "P01.tsv"', "tokenizer": 'tokenizer = "tokenizer.json"'}[key]
    path = folder / "study.toml"
    path.write_text(text.replace(old, f'{key} = "{name}"'))
    with pytest.raises(GazecodeError) as error:
        run_study(path, folder / "out")
    said = str(error.value)
    assert len(said) < 1000
    assert "\n" not in said
    assert "\x00" not in said


def test_options_name_no_devices(folder):
    (folder / "GazeData_1.csv").write_text("Time;Gaze.X;GazeY;Diameter.Pupil.Left\n")
    text = STUDY.format(code='"Vehicle.java"', image='"Vehicle.png"')
    text = text.replace(
        'file = "P01.tsv"', 'file = "GazeData_1.csv"\noptions = { general_info = "/dev/zero" }'
    )
    path = folder / "study.toml"
    path.write_text(text)
    with pytest.raises(GazecodeError):
        run_study(path, folder / "out")
