"""Name tables: how they read, what they may change, what fitting one finds."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.source import parse
from gazecode.source.compat import load_names, save_names
from gazecode.source.published import (
    PublishedRow,
    align_texts,
    fit_name_table,
    label_agreement,
    read_rows,
)

CALL, EXTERNAL = "function call", "externally defined variable or function"
CODE = "void f(int a) { b(); c.b(a); d = b; if (b()) e(); int b = 1; }"


def test_a_table_changes_callees_and_names_from_elsewhere_only():
    strict = parse("void f() { b(); c = d; if (b()) { return; } A.e(); }", "java")
    table = {"b": EXTERNAL, "c": CALL, "A": CALL, "e": CALL}
    compat = parse(strict.code, "java", compat=table)
    differ = np.flatnonzero(strict.label != compat.label)
    assert [(strict.text(i), compat.label[i]) for i in differ] == [("b", EXTERNAL), ("c", CALL)]
    assert (strict.label_mode, compat.label_mode) == ("strict", "compat")


def test_an_empty_table_is_the_strict_mode():
    assert parse(CODE, "java", compat={}).label.tolist() == parse(CODE, "java").label.tolist()
    assert len(parse("", "java", compat={})) == 0


def test_a_table_survives_its_file(tmp_path):
    table = {"größe": EXTERNAL, "add": CALL}
    save_names(table, tmp_path / "names.json")
    assert load_names(tmp_path / "names.json") == load_names(table)
    assert list(json.loads((tmp_path / "names.json").read_text("utf-8"))) == ["add", "größe"]
    labels = parse(CODE, "java", compat=tmp_path / "names.json").label
    assert labels.tolist() == parse(CODE, "java").label.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"^n\.json: not a name table \(.*\); expected JSON$"),
        ("[]", r"^n\.json: expected a JSON object of label by name$"),
        ('{"a": 1}', r"^n\.json: expected a JSON object of label by name$"),
        ('{"a": "call"}', r"^'call' is not a semantic label; expected one of: "),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "n.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        parse("a();", "java", compat=path)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("no/such.json", ParameterError, r"^such\.json: no name table to read \(No such file"),
        (".", ParameterError, r"no name table to read \("),
        (3, ParameterError, r"^compat=int: expected a mapping of label by name, or the path"),
        ([("a", CALL)], ParameterError, r"^compat=list: expected a mapping"),
        ({"a": 3}, DataError, r"^compat: expected a mapping of label by name, both text"),
        ({3: CALL}, DataError, r"^compat: expected a mapping of label by name, both text"),
    ],
)
def test_what_is_no_table_says_how_to_fit_one(table, error, message):
    with pytest.raises(error, match=message) as caught:
        parse("a();", "java", compat=table)
    assert "gazecode.source.published.fit_name_table" in str(caught.value)
    assert "save_names" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fitting_takes_the_label_most_rows_give_a_name():
    rows = [
        PublishedRow(code="void f() { a(); }", tokens=("void", "f", "a"), labels=("", "", label))
        for label in (EXTERNAL, EXTERNAL, CALL)
    ]
    rows.append(
        PublishedRow(code="void f() { b(c); }", tokens=("c", "b"), labels=("argument", CALL))
    )
    table = fit_name_table(rows)
    assert table == {"a": EXTERNAL, "b": CALL}
    assert label_agreement(rows).agreement < label_agreement(rows, compat=table).agreement


def test_rows_are_read_by_the_recovered_ids(tmp_path):
    row = {"code": "x", "code_tokens": ["a", "b"], "semantic_token_sequence": [13, 0]}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n\n")
    assert read_rows([path]) == [PublishedRow(code="x", tokens=("a", "b"), labels=("loop", ""))]


@pytest.mark.parametrize(
    "line",
    ["{", "{}", '{"code": "x", "code_tokens": ["a"], "semantic_token_sequence": [21]}',
     '{"code": "x", "code_tokens": ["a"], "semantic_token_sequence": [-1]}'],
)  # fmt: skip
def test_what_is_no_row_is_refused_by_place(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match=r"^rows\.jsonl, line 1: not a published row \("):
        read_rows([path])


def test_a_row_whose_columns_differ_is_refused():
    with pytest.raises(DataError, match="a row has 1 tokens and 2 labels"):
        PublishedRow(code="", tokens=("a",), labels=("", ""))


def longest(a, b):
    """Length of the longest common subsequence, the plain way."""
    row = [0] * (len(b) + 1)
    for x in a:
        last = row
        row = [0]
        for j, y in enumerate(b):
            row.append(last[j] + 1 if x == y else max(row[j], last[j + 1]))
    return row[-1]


@given(*[st.lists(st.sampled_from("abcd"), max_size=9)] * 2)
def test_alignment_pairs_equal_texts_and_all_that_can_be_paired(ours, theirs):
    pairs = align_texts(ours, theirs).tolist()
    assert all(ours[i] == theirs[j] for i, j in pairs)
    for k in (0, 1):
        assert len({pair[k] for pair in pairs}) == len(pairs)
    assert len(pairs) == sum(min(ours.count(t), theirs.count(t)) for t in "abcd")
    in_order = longest([j for _, j in pairs], sorted(j for _, j in pairs))
    assert in_order >= longest(ours, theirs)
