"""What is particular to JSON lines; what all containers share is in test_opening.py."""

import json

import pytest

from gazecode.errors import SchemaError
from gazecode.export import convert, read_examples, to_jsonl, validate
from gazecode.export.schema import COLUMNS


@pytest.fixture
def lines(tmp_path, make_example):
    path = tmp_path / "w.jsonl"
    to_jsonl([make_example("one"), make_example("two")], path)
    return path.read_text(encoding="utf-8").splitlines()


def test_a_line_of_metadata_then_a_line_per_row(lines):
    assert list(json.loads(lines[0])) == ["gazecode"]
    assert [list(json.loads(line)) for line in lines[1:]] == [[c.name for c in COLUMNS]] * 2


def test_shortest_floats_and_text_as_it_is(lines):
    assert '"weight":[1.0,0.5,1.5,1.1]' in lines[1]
    assert '"token_value":[120.0,240.5,0.1]' in lines[1]
    assert '"loss_mask":[false,true,true,true]' in lines[1]
    assert '"text":"int ß = 0;"' in lines[1]


def test_empty_lines_are_passed_over(tmp_path, lines):
    path = tmp_path / "w.jsonl"
    path.write_text("\n\n".join(lines) + "\n\n", encoding="utf-8")
    assert [e.example_id for e in read_examples(path)] == ["one", "two"]


def _said(tmp_path, lines):
    path = tmp_path / "w.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(SchemaError) as caught:
        read_examples(path)
    assert "\n" not in str(caught.value)
    return str(caught.value), validate(path).problems[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b'{"a": 1', "Expecting ',' delimiter: line 1 column 8 (char 7)", id="cut"),
        pytest.param(b'{"a": NaN}', "NaN is not JSON", id="NaN"),
        pytest.param(
            b'{"a": "\xff"}',
            "'utf-8' codec can't decode byte 0xff in position 7: invalid start byte",
            id="bytes",
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path, lines, line, said):
    found, problem = _said(tmp_path, [lines[0].encode(), lines[1].encode(), line])
    assert found == (
        f"w.jsonl, line 3: no JSON object ({said}); the line is cut short or broken, "
        "export the file again"
    )
    assert problem.message == found


def test_deep_nesting_is_refused(tmp_path, lines):
    found, _ = _said(tmp_path, [lines[0].encode(), b"[" * 200_000])
    assert found.startswith("w.jsonl, line 2: no JSON object (")


def test_a_line_that_is_no_object(tmp_path, lines):
    found, _ = _said(tmp_path, [lines[0].encode(), b"[1]"])
    assert found == "w.jsonl, line 2: a JSON list; expected an object, export the file again"


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        pytest.param("input_ids", [1, 2.0, 3, 4], "[1, 2.0, 3, 4]", id="float for int"),
        pytest.param("input_ids", [1, True, 3, 4], "[1, True, 3, 4]", id="truth for int"),
        pytest.param("input_ids", [1, 2, 3, 2**31], "[1, 2, 3, 2147483648]", id="beyond 32 bits"),
        pytest.param("loss_mask", [1, 0, 1, 1], "[1, 0, 1, 1]", id="int for truth"),
        pytest.param("weight", ["1"], "['1']", id="text for float"),
        pytest.param("weight", 1.0, "1.0", id="no list"),
        pytest.param("token_label", "abc", "'abc'", id="text for list"),
        pytest.param("text", None, "None", id="null"),
        pytest.param("n_people", [1], "[1]", id="list for int"),
    ],
)
def test_a_value_of_another_type_is_named(tmp_path, lines, column, value, shown):
    row = json.dumps(json.loads(lines[2]) | {column: value}).encode()
    found, problem = _said(tmp_path, [lines[0].encode(), lines[1].encode(), row])
    kind = next(c.type for c in COLUMNS if c.name == column)
    assert found == (f"w.jsonl: row 1: {column} is {shown}; expected {kind}, export the file again")
    assert (problem.row, problem.column) == (1, column)


def test_a_row_without_a_column_is_named(tmp_path, lines):
    fields = json.loads(lines[2])
    del fields["weight"]
    raw = json.dumps(fields).encode()
    found, problem = _said(tmp_path, [lines[0].encode(), lines[1].encode(), raw])
    assert found.startswith("w.jsonl: row 1 has no weight; found example_id, source_id, ")
    assert (problem.row, problem.column) == (1, "weight")


def test_half_a_surrogate_pair_is_named(tmp_path, lines):
    raw = lines[1].replace("int ß", "\\ud800").encode()
    found, problem = _said(tmp_path, [lines[0].encode(), raw])
    assert found.startswith("w.jsonl: rows 0 to 0: text does not fit string (")
    assert problem.column == "text"


def test_an_unknown_column_is_ignored_and_reported(tmp_path, lines):
    path = tmp_path / "w.jsonl"
    rows = [json.dumps(json.loads(line) | {"mine": 1}) for line in lines[1:]]
    path.write_text("\n".join([lines[0], *rows]), encoding="utf-8")
    assert len(read_examples(path)) == 2
    assert [p.column for p in validate(path).problems] == ["mine"]


def test_a_column_that_only_a_later_row_has_is_found(tmp_path, make_example):
    path = tmp_path / "w.jsonl"
    to_jsonl([make_example("a"), make_example("b")], path)
    *head, last = path.read_text(encoding="utf-8").splitlines()
    last = json.dumps(json.loads(last) | {"more": 1})
    path.write_text("\n".join([*head, last]) + "\n", encoding="utf-8")
    (problem,) = validate(path).problems
    assert (problem.row, problem.column) == (1, "more")
    assert "which row 0 has not" in problem.message
    with pytest.raises(SchemaError, match="row 1 has 'more'"):
        convert(path, tmp_path / "w.parquet")


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path, make_example, same_examples):
    examples = [make_example("a"), make_example("b")]
    to_jsonl(examples, tmp_path / "w.jsonl")
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "w.jsonl").read_bytes())
    assert same_examples(read_examples(marked), examples)
    assert validate(marked).ok
