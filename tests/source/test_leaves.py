"""Gaps and blanks, by hand-made leaves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.source.leaves import ERROR_KIND, Contexts, Leaves, blank_bytes, fill_gaps


def leaves(*rows):
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    zero = np.zeros(len(table), dtype=np.int64)
    return Leaves(span=table[:, :2], kind=table[:, 2], field=zero, context=zero, scope=zero - 1)


def test_uncovered_text_becomes_error_leaves_cut_at_blanks():
    filled = fill_gaps(leaves([2, 4, 7]), b"a bc de  f ")
    assert filled.span.tolist() == [[0, 1], [2, 4], [5, 7], [9, 10]]
    assert filled.kind.tolist() == [ERROR_KIND, 7, ERROR_KIND, ERROR_KIND]


def test_only_error_leaves_are_cut_at_inner_blanks_and_all_lose_outer_ones():
    filled = fill_gaps(leaves([0, 5, 7], [5, 10, ERROR_KIND]), b" a b  c d ")
    assert filled.span.tolist() == [[1, 4], [6, 7], [8, 9]]


def test_a_leaf_of_blanks_is_no_leaf():
    assert len(fill_gaps(leaves([0, 2, 3]), b"  ").span) == 0


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_blank_bytes_are_those_of_blank_characters(text):
    expected = []
    for char in text:
        expected += [char.isspace() or char in "\ufeff\u200b\u2060"] * len(char.encode())
    # U+0085 and other ASCII-range separators included: the rule is Python's own.
    assert blank_bytes(text.encode()).tolist() == expected


def test_paths_share_their_outer_part_and_end_at_the_limit():
    n = 600
    contexts = Contexts(parent=[-1, *range(n - 1)], kind=[0] * n, field=[0] * n)
    paths = contexts.paths({0: "block"})
    assert [len(p) for p in paths[:3]] == [1, 2, 3]
    assert len(paths[-1]) == 512
    assert paths[-1] is paths[511]
