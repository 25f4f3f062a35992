"""Gaps and blanks, by hand-made leaves."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.source.leaves import Leaves, blank_bytes, fill_gaps
from gazecode.source.parsing import parse

ERROR = 1
IS_ERROR = np.array([False, True])


def fill(code, *rows, start=None):
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    start = np.array([0, len(code)] if start is None else start)
    leaves = Leaves(
        span=table[:, :2],
        number=table[:, 2],
        loose=np.zeros(len(table), dtype=bool),
        start=np.searchsorted(table[:, 0], start),
    )
    return fill_gaps(leaves, IS_ERROR, code, start)


def test_uncovered_text_becomes_loose_leaves_cut_at_blanks():
    filled = fill(b"a bc de  f ", [2, 4, 0])
    assert filled.span.tolist() == [[0, 1], [2, 4], [5, 7], [9, 10]]
    assert filled.loose.tolist() == [True, False, True, True]
    assert filled.number.tolist() == [-1, 0, 0, 0]


def test_only_errors_are_cut_at_inner_blanks_and_all_lose_outer_ones():
    filled = fill(b" a b  c d ", [0, 5, 0], [5, 10, ERROR])
    assert filled.span.tolist() == [[1, 4], [6, 7], [8, 9]]
    assert filled.number.tolist() == [0, ERROR, ERROR]


def test_a_leaf_of_blanks_is_no_leaf():
    assert len(fill(b"  ", [0, 2, 0]).span) == 0


def test_a_gap_over_the_border_of_two_sources_is_two_leaves_with_no_leaf_before_the_second():
    filled = fill(b"abcd", [0, 1, 0], start=[0, 2, 2, 4])
    assert filled.span.tolist() == [[0, 1], [1, 2], [2, 4]]
    assert filled.number.tolist() == [0, 0, -1]
    assert filled.start.tolist() == [0, 2, 2, 3]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_blank_bytes_are_those_of_blank_characters(text):
    expected = []
    for char in text:
        expected += [char.isspace() or char in "\ufeff\u200b\u2060"] * len(char.encode())
    # U+0085 and other ASCII-range separators included: the rule is Python's own.
    assert blank_bytes(text.encode()).tolist() == expected


def test_blank_bytes_know_every_character_there_is():
    points = [*range(0xD800), *range(0xE000, 0x110000)]
    text = "x".join(map(chr, points))
    found = blank_bytes(text.encode())
    expected = re.sub(r"[\s\ufeff\u200b\u2060]", lambda m: " " * len(m[0].encode()), text)
    assert found.sum() == expected.count(" ")


def test_paths_share_their_outer_part_and_end_at_the_limit():
    tokens = parse("{" * 600 + "}" * 600, "java")
    assert [len(path) for path in tokens.path[:3]] == [2, 3, 4]
    assert max(map(len, tokens.path)) == 512
    assert tokens.path[550] is tokens.path[551]


@pytest.mark.parametrize("code", ["int f() { return 1; }", "int f() { return 1 1; } }"])
def test_equal_paths_are_one_object(code):
    paths = parse(code, "java").path
    assert len({id(path) for path in paths}) == len(set(paths))
