"""A study file: every mistake is one line that names the key and its line."""

import pytest

from gazecode.errors import StudyError
from gazecode.study.settings import load_study

GOOD = """\
[study]
name = "s"

[stimuli.Vehicle]
code = "Vehicle.java"
layout = { kind = "grid", origin_px = [575.2, 93.7], char_width_px = 13.4, line_height_px = 28.7 }

[[recordings]]
file = "a.csv"
participant = "p1"

[[recordings]]
file = "b.csv"
participant = "p2"

[detect]
method = "ivt"
max_speed_deg_s = 40.0

[align]
tokenizer = "tokenizer.json"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Vehicle.java").write_text("class Vehicle {}")
    (tmp_path / "tokenizer.json").write_text("{}")
    return tmp_path


def load(folder, text):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def test_a_good_study(folder):
    study = load(folder, GOOD)
    assert study.align.strength == 0.5
    assert study.detect.params == {"max_speed_deg_s": 40.0}
    assert study.recordings[1].file == folder / "b.csv"
    assert study.stimuli["Vehicle"].layout.tab_width == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("line_height_px", "line_heigt_px", r"stimuli.Vehicle.layout.line_heigt_px \(line 6\): unknown key; did you mean line_height_px\?"),
        ('file = "b.csv"', 'fiel = "b.csv"', r"recordings\[1\].fiel \(line 13\): unknown key; did you mean file\?"),
        ("[align]", "[aling]", r"aling \(line 20\): unknown key; did you mean align\?"),
        ("13.4", "-13.4", r"stimuli.Vehicle.layout.char_width_px \(line 6\): Input should be greater than 0; found -13.4"),
        ('participant = "p2"\n', "", r"recordings\[1\].participant \(line 12\): this key is missing"),
        ('"grid"', '"gird"', r"stimuli.Vehicle.layout \(line 6\): Input tag 'gird'"),
        ('"Vehicle.java"', '"Vehcle.java"', r"stimuli.Vehicle.code \(line 5\): Vehcle.java: no such file"),
        ('"tokenizer.json"', '"t.json"', r"align.tokenizer \(line 21\): t.json: no such file"),
        ('name = "s"', "name = ", r"not valid TOML: Invalid value \(at line 2"),
    ],
    ids=["layout", "recording", "table", "value", "missing", "kind", "code", "tokenizer", "toml"],
)  # fmt: skip
def test_mistakes_name_key_and_line(folder, old, new, message):
    assert old in GOOD
    with pytest.raises(StudyError, match=message):
        load(folder, GOOD.replace(old, new))


def test_tasks_and_the_null_have_defaults_and_recordings_may_differ(folder):
    study = load(folder, GOOD)
    assert [r.task for r in study.recordings] == ["reading", "reading"]
    assert (study.null.shifts, study.null.seed) == (200, 0)
    text = GOOD.replace('name = "s"', 'name = "s"\ntask = "writing"')
    text = text.replace('participant = "p2"', 'participant = "p2"\ntask = "reading"')
    assert [r.task for r in load(folder, text).recordings] == ["writing", "reading"]
    with pytest.raises(StudyError, match=r"study.task \(line 3\): Input should be 'reading' or"):
        load(folder, GOOD.replace('name = "s"', 'name = "s"\ntask = "sleeping"'))
    with pytest.raises(StudyError, match=r"null.shift \(line \d+\): .*did you mean shifts\?"):
        load(folder, GOOD + "\n[null]\nshift = 3\n")


def test_a_table_of_sources_needs_a_language(folder):
    text = GOOD.replace('code = "Vehicle.java"', 'code = "Vehicle.java"\ncode_column = "text"')
    with pytest.raises(StudyError, match="expected language: a table of sources does not say it"):
        load(folder, text)


def test_a_folder_or_nothing_is_not_a_study(folder):
    with pytest.raises(StudyError, match="is a folder; name the study file in it"):
        load_study(folder)
    with pytest.raises(StudyError, match="no study file: .*no such file"):
        load_study(folder / "none.toml")


def test_layout_and_layouts_exclude_each_other(folder):
    both = GOOD.replace(
        '\n[[recordings]]\nfile = "a.csv"',
        '\n[stimuli.Vehicle.layouts."1x1"]\nkind = "grid"\norigin_px = [1, 2]\nchar_width_px = 3\n'
        'line_height_px = 4\n\n[[recordings]]\nfile = "a.csv"',
    )
    with pytest.raises(StudyError, match="expected either layout or layouts"):
        load(folder, both)


@pytest.mark.parametrize(("shifts", "good"), [(0, True), (1, False), (199, False), (200, True)])
def test_a_null_has_at_least_200_shifts_or_none(study, shifts, good):
    text = study.read_text(encoding="utf-8").split("[null]")[0]
    study.write_text(f"{text}\n[null]\nshifts = {shifts}\n", encoding="utf-8")
    if good:
        assert load_study(study).null.shifts == shifts
        return
    with pytest.raises(StudyError, match=r"null.shifts \(line \d+\): .* or at least 200; found"):
        load_study(study)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("max_length = 8\noverlap = 7", ""),
        ("max_length = 64\nallow_inert = true\ntransitions = false", ""),
        ("max_length = 7", r"align.max_length \(line \d+\): .*greater than or equal to 8; found 7"),
        ("overlap = 4", r"align \(line \d+\): .*overlap needs max_length"),
        ("max_length = 8\noverlap = 8", r"overlap is 8; expected less than max_length \(8\)"),
        ("max_length = 8\noverlap = -1", r"align.overlap \(line \d+\): .*equal to 0; found -1"),
    ],
)
def test_windows_of_a_text(folder, keys, message):
    if message:
        with pytest.raises(StudyError, match=message):
            load(folder, f"{GOOD}{keys}\n")
        return
    align = load(folder, f"{GOOD}{keys}\n").align
    assert (align.overlap or 0) < align.max_length


def test_words_about_people_and_sharing_are_no_parameters(folder):
    bare = load(folder, GOOD)
    study = load(folder, f'{GOOD}\n[share]\nmin_people = 9\n[card]\nconsent = "given"\n')
    assert (bare.share.min_people, study.share.min_people) == (5, 9)
    assert (bare.card.consent, study.card.consent) == ("", "given")
    assert bare.parameters() == study.parameters()
    assert bare.parameters()["align"] == {
        "tokenizer": "tokenizer.json",
        "strength": 0.5,
        "policy": "inherit",
        "per": "character",
        "max_ratio": 5.0,
        "allow_inert": False,
        "transitions": True,
    }
