"""Edit logs: read tolerantly, refused in one line, replayed to the byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, FormatError, GazecodeError, ParameterError
from gazecode.source.edits import (
    Edit,
    clock_ms,
    find_splices,
    read_changelog,
    replay,
    splices_between,
)
from gazecode.source.edits.replay import UNITS, apply_splice

ENTRY = {"type": "insert", "offset": 2, "text": "x", "len": 1, "timestamp": 1622128613847}


def write(tmp_path, document, name="changelog.json"):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def insert(offset, text):
    return Edit(kind="insert", offset=offset, text=text, unix_ms=0)


def delete(offset, text="", length=None):
    return Edit(kind="delete", offset=offset, text=text, length=length, unix_ms=0)


def last(code, edits, unit=None):
    *_, end = replay(code, edits, unit=unit)
    return end


def test_the_last_empty_object_and_unknown_keys_are_left_out(tmp_path):
    more = {**ENTRY, "filename": "a.js", "newlineoffset": 9, "row": 1, "col": 0, "new": []}
    path = write(tmp_path, {"log": [ENTRY, more, {}]})
    plain, named = read_changelog(path)
    assert plain == Edit(kind="insert", offset=2, text="x", unix_ms=1622128613847)
    assert named == Edit(kind="insert", offset=2, text="x", unix_ms=1622128613847, file="a.js")


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_a_bare_list_numbers_as_text_and_a_mark_are_read(tmp_path, text):
    entry = {**ENTRY, "offset": "2", "timestamp": 1622128613847.0, "type": "DELETE", "text": None}
    path = write(tmp_path, text + json.dumps([entry]))
    assert read_changelog(path) == (
        Edit(kind="delete", offset=2, text="", length=1, unix_ms=1622128613847),
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param("", "no JSON", id="empty"),
        pytest.param("{" * 100_000, "no JSON", id="unclosed"),
        pytest.param("[" * 100_000 + "]" * 100_000, "no JSON|no edit", id="deep"),
        pytest.param({"edits": []}, "no changelog", id="another document"),
        pytest.param({"log": {}}, "no changelog", id="log is no list"),
        pytest.param({"log": [3]}, "entry 0 is no edit", id="entry is no object"),
        pytest.param(
            {"log": [{}, {**ENTRY, "type": "move"}]}, "entry 1 is of type 'move'", id="kind"
        ),
        pytest.param({"log": [{**ENTRY, "offset": -1}]}, "offset -1", id="negative"),
        pytest.param({"log": [{**ENTRY, "offset": True}]}, "offset True", id="truth"),
        pytest.param({"log": [{**ENTRY, "offset": 1.5}]}, "offset 1.5", id="fraction"),
        pytest.param({"log": [{**ENTRY, "offset": 2**70}]}, "offset", id="huge"),
        pytest.param({"log": [{**ENTRY, "offset": "9" * 9999}]}, "offset", id="long text"),
        pytest.param('{"log": [{"type": "insert", "offset": NaN}]}', "offset nan", id="nan"),
        pytest.param({"log": [{**ENTRY, "text": 7}]}, "a text that is none", id="number as text"),
        pytest.param(
            {"log": [{"type": "delete", "offset": 1, "timestamp": 5}]}, "neither", id="what"
        ),
        pytest.param({"log": [{**ENTRY, "timestamp": None}]}, "timestamp None", id="no time"),
        pytest.param({"log": [{**ENTRY, "type": "\x1b[31m\n"}]}, "of type", id="escape"),
    ],
)
def test_what_is_no_log_is_one_line(tmp_path, document, message):
    with pytest.raises(FormatError, match=message) as error:
        read_changelog(write(tmp_path, document))
    assert "\n" not in str(error.value)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 400


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["log", "type", "offset", "text", "len", "timestamp"]), inner)))  # fmt: skip
def test_any_document_is_edits_or_an_error(tmp_path_factory, document):
    path = write(tmp_path_factory.mktemp("log"), document)
    try:
        edits = read_changelog(path)
    except GazecodeError as error:
        refused = str(error)
        assert refused.isprintable()
        return
    assert all(isinstance(edit, Edit) for edit in edits)


def test_no_file_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read_changelog(tmp_path / "none.json")


@pytest.mark.parametrize(("unit", "offset"), [("utf16", 3), ("character", 2), ("byte", 5)], ids=str)
def test_offsets_count_what_the_unit_says(unit, offset):
    code = "\ufeff😀ab".encode()
    assert last(code, [insert(offset, "é")], unit).decode() == "\ufeff😀aéb"
    assert last(code, [delete(offset, length=1)], unit).decode() == "\ufeff😀a"
    # What stands there decides where nobody says.
    assert last(code, [delete(offset, "b")]).decode() == "\ufeff😀a"


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        pytest.param([insert(9, "x")], "edit 0 inserts at 9 .* outside the text", id="behind"),
        pytest.param([delete(1, "bcde")], "outside the text", id="too long"),
        pytest.param([delete(1, length=4)], "outside the text", id="too many"),
        pytest.param([delete(0, "b")], "deletes 'b' at 0 .utf16., where 'a' stands", id="other"),
        pytest.param([insert(0, "x"), delete(0, "a")], "edit 1 deletes", id="later"),
        pytest.param([insert(0, "\ud83d")], "half a character", id="half"),
    ],
)
def test_an_edit_that_does_not_fit_is_one_line(edits, message):
    with pytest.raises(DataError, match=message) as error:
        list(replay(b"abc", edits))
    assert "\n" not in str(error.value)


def test_an_edit_within_a_character_is_refused():
    with pytest.raises(DataError, match="within a character"):
        find_splices("😀".encode(), [insert(1, "x")], unit="utf16")
    with pytest.raises(ParameterError, match="no 'chars' in units of offsets"):
        find_splices(b"", [], unit="chars")


TEXT = st.text(st.sampled_from("ab\r\n\té日😀"), max_size=12)


@given(TEXT, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 4), TEXT), max_size=6), st.sampled_from(UNITS))  # fmt: skip
def test_replay_agrees_with_lists_of_characters(start, changes, unit):
    """Oracle: edits on a list of characters, offsets counted one by one."""
    sizes = {"utf16": lambda c: len(c.encode("utf-16-le")) // 2, "character": len}
    size = sizes.get(unit, lambda c: len(c.encode()))
    chars, edits, expected = list(start), [], [start]
    for place, count, text in changes:
        at = place % (len(chars) + 1)
        gone = "".join(chars[at : at + count])
        offset = sum(map(size, chars[:at]))
        if gone:
            edits.append(delete(offset, gone))
            del chars[at : at + count]
            expected.append("".join(chars))
        edits.append(insert(offset, text))
        chars[at:at] = text
        expected.append("".join(chars))
    found = [code.decode() for code in replay(start.encode(), edits, unit=unit)]
    assert found == expected


@given(TEXT, TEXT)
def test_splices_between_turn_one_text_into_the_other(old, new):
    code = old.encode()
    for splice in splices_between(old.encode(), new.encode()):
        code[: splice.start].decode()
        splice.new.decode()
        assert splice.start < splice.stop or splice.new
        code = apply_splice(code, splice)
    assert code == new.encode()


def test_splices_between_leave_what_two_changes_stand_around():
    old = b"one\n" + b"kept line\n" * 20 + b"two\n"
    new = old.replace(b"one", b"One").replace(b"two", b"twO!")
    splices = splices_between(old, new)
    assert sum(s.stop - s.start for s in splices) == 2
    many = b"".join(b"%d\n" % i for i in range(3000))
    assert len(splices_between(many, many.replace(b"7\n", b"8\n"))) == 1


def test_the_clock_is_exact():
    assert clock_ms([1622128602604, 0], 1622128602604_250_000).tolist() == [
        -0.25,
        -1622128602604.25,
    ]


@pytest.mark.real
def test_the_demonstration_is_replayed_to_the_byte(shared_data):
    folder = shared_data / "itrace-gazel-demo" / "js"
    edits = read_changelog(folder / "changelog.json")
    texts = list(replay((folder / "Sample-Data.js").read_bytes(), edits))
    (end,) = folder.glob("modifiedSourceFile-*")
    assert len(texts) == 66
    assert texts[-1] == end.read_bytes()
