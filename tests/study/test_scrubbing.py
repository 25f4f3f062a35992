"""Names and times go out of texts, and nothing else does."""

import json
import re
import string
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gazecode.demo import demo_study
from gazecode.pipeline import Failure, RecordingResult
from gazecode.study import run_study
from gazecode.study.scrubbing import Scrubber, names_of, without_clock
from gazecode.study.settings import load_study
from tests.study.everything import texts_of

NAMES = st.text(string.ascii_letters + string.digits + "_-. é'<|", min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=4), NAMES, NAMES)
def test_a_name_that_stands_alone_is_gone(names, before, after):
    scrub = Scrubber(dict.fromkeys(names, "\N{BULLET}"))
    for name in names:
        assume(any(c.isalnum() for c in name))
        text = f"{before} ({name}) {after}"
        assert f"({name})" not in scrub.text(text)
        assert f"({name.swapcase()})" not in scrub.text(f"({name.swapcase()})") or (
            name.swapcase().swapcase() != name
        )


@given(st.text(max_size=40))
def test_without_names_every_text_stays(text):
    assert Scrubber({}).text(text) == text
    assert Scrubber({"": "x", " ": "y", "-.": "z"}).text(text) == text


@pytest.mark.parametrize(
    ("name", "text", "result"),
    [
        ("P1", "P1.asc, p1_a, (P1), subP1", "#.asc, #_a, (#), sub#"),
        ("P1", "P12 P1.5 GP10", "P12 #.5 GP10"),
        ("7", "trial 7, 17, 7.5 s, 0.7, P7, 70", "trial #, 17, 7.5 s, 0.7, P#, 70"),
        ("anna", "Anna, joanna, anna_2, annas, anna1", "#, joanna, #_2, annas, #1"),
        ("24aed847", "GazeData_24AED847x.csv", "GazeData_#x.csv"),
        ("a.*b", "a.*b axxb", "# axxb"),
        ("ß", "ß ẞ", "# #"),
    ],
)
def test_what_stands_alone(name, text, result):
    assert Scrubber({name: "#"}).text(text) == result


def test_people_who_differ_by_case_keep_apart():
    scrub = Scrubber({"anna": "1", "ANNA": "2"})
    assert scrub.text("anna ANNA") == "1 2"


def test_the_longest_name_wins():
    assert Scrubber({"P1": "a", "P1-P2": "b", "P2": "c"}).text("P1-P2 P2-P1") == "b c-a"


def test_what_a_reader_says_of_itself_is_kept_and_keys_are_no_names():
    study = load_study(demo_study())
    entry = study.recordings[0].model_copy(update={"participant": "eyes", "name": "x"})
    provenance = {
        "format": "smi",
        "participant": "Subject Seven",
        "session": "1622128602571",
        "file": "P1.asc",
        "sha256": "ab",
        "notes": ["Subject Seven moved; eyes lost"],
        "eyes": ["left"],
    }
    quality = {
        "recording": {"eyes": {}},
        "trials": {"eyes trial": {"stimulus": "eyes.png", "reasons": ["eyes: loss"]}},
    }
    failure = Failure(trial="eyes 1", stage="read", reason="subject seven: no gaze")
    result = RecordingResult(
        quality=quality,
        provenance=provenance,
        screen=None,
        failures=(failure,),
        without_stimulus=("eyes break",),
    )
    cleaned = Scrubber({"eyes": "#"}).result(entry, result)
    assert cleaned.provenance == {
        "format": "smi",
        "notes": ["eyes moved; # lost"],
        "eyes": ["left"],
    }
    assert cleaned.quality == {
        "recording": {"eyes": {}},
        "trials": {"# trial": {"stimulus": "#.png", "reasons": ["#: loss"]}},
    }
    assert cleaned.failures == (Failure(trial="# 1", stage="read", reason="eyes: no gaze"),)
    assert cleaned.without_stimulus == ("# break",)


def test_files_that_tell_nobody_apart_are_no_names():
    study = load_study(demo_study())
    entries = [
        entry.model_copy(update={"name": f"{person}/gaze.csv", "participant": person})
        for entry, person in zip(study.recordings, ("A1", "B2"), strict=False)
    ]
    names = names_of(
        study.model_copy(update={"recordings": tuple(entries)}),
        person=lambda who: f"<{who}>",
        file=lambda name: f"[{name}]",
    )
    assert names["A1/gaze.csv"] == "[A1/gaze.csv]"
    assert "gaze.csv" not in names
    assert "gaze" not in names
    assert names["A1"] == "<A1>"


STAMPS = [
    "2019-01-23",
    "2019-01-23T10:31:02.5Z",
    "2019/01/23 10:31",
    "23.01.2019 10:31:02",
    "1/23/2019, 10:31:02",
    "Wed Apr 12 10:31:02 2017",
    "Apr 12, 2017",
    "12 April 2017 10:31",
    "20190123T103102",
    "10:31:02",
    "1548264437",
    "1548264437562",
    "1548264437562123",
    "1548264437562123456",
]


def cleaned(text):
    failure = Failure(trial="t", stage="read", reason=text)
    result = RecordingResult(
        quality={}, provenance={"notes": [text]}, screen=None, failures=(failure,)
    )
    clean = without_clock(result)
    assert clean.provenance["notes"] == [clean.failures[0].reason]
    return clean.failures[0].reason


@pytest.mark.parametrize("stamp", STAMPS)
def test_stamps_of_the_clock_on_the_wall_go(stamp):
    assert cleaned(f"begun {stamp}; ok") == "begun [time]; ok"
    assert cleaned(stamp) == "[time]"


@pytest.mark.parametrize(
    "text",
    [
        "1920 x 1080 px at 60 Hz, 2019 samples",
        "version 3.0.20, EyeLink 1000 v4.594",
        "ms 0 is the first stamp, 1000000",
        "line 12: expected 3 columns, found 4 (1.25, 7:3)",
        "loss is 60 % (allowed: at most 40 %), 0.1234567890123",
    ],
)
def test_other_numbers_stay(text):
    assert cleaned(text) == text


@given(st.integers(10**9, 2 * 10**9 - 1), st.sampled_from(["", "%Y-%m-%d", "%d.%m.%Y %H:%M:%S"]))
def test_any_time_is_found(seconds, form):
    text = time.strftime(form, time.gmtime(seconds)) if form else str(seconds)
    assert cleaned(f"at {text}") == "at [time]"


def itrace(rows):
    """A session as iTrace writes it: stamps of the wall clock in every row."""
    lines = "".join(
        f'<response event_id="{132_666_022_026_050_242 + i * 10**5}" '
        f'core_time="{1622128602605 + 10 * i}" tracker_time="{5_913_634_755_900 + 10_000 * i}" '
        f'x="150" y="100" left_x="150" left_y="100" left_pupil_diameter="9.5" left_validation="1" '
        f'right_x="150" right_y="100" right_pupil_diameter="8.5" right_validation="1" />'
        for i in range(rows)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<itrace_core session_id="1622128602571" '
        'session_date_time="1622128602571"><environment screen_width="1920" '
        f'screen_height="1080" tracker_type="T 1622128602"/><gazes>{lines}</gazes></itrace_core>'
    )


def test_no_output_holds_the_time_of_day(study, tmp_path):
    """Recordings whose files are full of it: headers of EyeLink and SMI, every row of iTrace."""
    import gzip

    folder = study.parent / "recordings"
    eyelink = gzip.decompress((folder / "P1.asc.gz").read_bytes()).decode()
    eyelink = eyelink.replace("** TYPE:", "** DATE: Thu May 27 15:16:42 2021\n** TYPE:", 1)
    eyelink = eyelink.replace(
        "MSG\t999900", "MSG\t999899 begun 2021-05-27 15:16:42\nMSG\t999900", 1
    )
    (folder / "P1.asc").write_text(eyelink, encoding="utf-8")
    smi = gzip.decompress((folder / "P4.tsv.gz").read_bytes()).decode()
    smi = smi.replace("## Version:", "## Date:\t27.05.2021 15:16:42\n## Version:", 1)
    (folder / "P4.tsv").write_text(smi, encoding="utf-8")
    (folder / "P5.xml").write_text(itrace(300), encoding="utf-8")
    (folder / "P6.asc").write_text(
        eyelink.replace("\t", " 2021-05-27T15:16:42 ", 40), encoding="utf-8"
    )
    text = study.read_text(encoding="utf-8")
    head = text[: text.index("[[recordings]]")]
    for name in ("P1.asc", "P4.tsv", "P5.xml", "P6.asc"):
        head += f'[[recordings]]\nfile = "recordings/{name}"\nparticipant = "{name[:2]}"\n'
    study.write_text(head, encoding="utf-8")
    run_study(study, tmp_path / "out")
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert [r["provenance"].get("format") for r in quality["recordings"]][2] == "itrace"
    wanted = re.compile(
        rb"27\.0?5\.2021|2021[-/]05|May 27|15:16|16221286|1326660220|5913634755|20210527"
    )
    for file, content in texts_of(tmp_path / "out").items():
        assert not wanted.search(content), (file, wanted.search(content))
