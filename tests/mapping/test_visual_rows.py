"""Soft wraps and folds: which line shows what, and the boxes that follow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.mapping import grid_layout
from gazecode.mapping.cells import cells_of
from gazecode.mapping.rows import TO_THE_END, VisualRows, folded, wrapped

from .test_grid import GRID, cells, words


def shown(code, rows, **more):
    """Text, first and last cell and line of every box."""
    tokens = words(code)
    layout = grid_layout(tokens, **GRID, rows=rows, **more)
    return [
        (tokens.text(t), *box) for t, box in zip(layout.token.tolist(), cells(layout), strict=True)
    ]


def parts(code, rows):
    lines = code.split("\n")
    return [lines[r][a:b] for r, a, b in zip(rows.row, rows.first, rows.last, strict=True)]


@pytest.mark.parametrize(
    ("code", "width", "expected"),
    [
        pytest.param("ab cd", 9, ["ab cd"], id="fits"),
        pytest.param("ab cd", 3, ["ab ", "cd"], id="after a blank"),
        pytest.param("ab cd", 2, ["ab ", "cd"], id="a blank hangs over the end"),
        pytest.param("abcdef gh", 4, ["abcd", "ef ", "gh"], id="a long word is cut"),
        pytest.param("日日 日", 5, ["日日 ", "日"], id="wide characters"),
        pytest.param("日日", 3, ["日", "日"], id="half a wide one does not fit"),
        pytest.param("日", 1, ["日"], id="one at least"),
        pytest.param("\tab\tcd", 8, ["\tab\t", "cd"], id="tabs"),
        pytest.param("ab   ", 3, ["ab   "], id="blanks at the end"),
        pytest.param("", 3, [""], id="empty"),
        pytest.param("a\n\nbc d\n", 2, ["a", "", "bc ", "d", ""], id="rows"),
    ],
)
def test_wrapped_at_words(code, width, expected):
    assert parts(code, wrapped(code, width)) == expected


def test_wrapped_at_characters_and_with_an_indent():
    assert parts("ab cd ef", wrapped("ab cd ef", 4, at="character")) == ["ab c", "d ef"]
    rows = wrapped("ab cd ef", 4, indent=2)
    assert parts("ab cd ef", rows) == ["ab ", "cd ", "ef"]
    assert rows.indent.tolist() == [0, 2, 2]
    assert wrapped("  ab cd", 5, indent=None).indent.tolist() == [0, 2]
    # No editor leaves less than half a line.
    assert wrapped("    ab cd", 6, indent=None).indent.tolist() == [0, 0]


@given(st.text("ab \t日", max_size=30), st.integers(2, 12), st.integers(0, 1), st.sampled_from(["word", "character"]))  # fmt: skip
def test_wraps_lose_nothing_and_no_line_is_too_long(code, width, indent, at):
    rows = wrapped(code, width, indent=indent, at=at)
    assert "".join(parts(code, rows)) == code
    begin, end = cells_of(code)
    for first, last, moved in zip(rows.first, rows.last, rows.indent, strict=True):
        text = code[first:last].rstrip() if at == "word" else code[first:last]
        if len(text) > 1:
            assert end[first + len(text) - 1] - begin[first] + moved <= width


def test_a_wrapped_token_has_a_box_on_each_line():
    code = "x = abcdefgh y"
    rows = VisualRows(row=[0, 0], first=[0, 7], last=[7, 99], n_rows=1)
    assert shown(code, rows) == [
        ("x", 0, 1, 0),
        ("=", 2, 3, 0),
        ("abcdefgh", 4, 7, 0),
        ("abcdefgh", 0, 5, 1),
        ("y", 6, 7, 1),
    ]
    moved = VisualRows(row=[0, 0], first=[0, 7], last=[7, 99], indent=[0, 3], n_rows=1)
    assert shown(code, moved)[-1] == ("y", 9, 10, 1)


def test_blanks_at_a_wrap_belong_to_no_box():
    code = "'ab   cd'"
    tokens = words(code, (0, 9))
    rows = VisualRows(row=[0, 0, 0], first=[0, 4, 5], last=[4, 5, 9], n_rows=1)
    layout = grid_layout(tokens, **GRID, rows=rows)
    assert cells(layout) == [(0, 3, 0), (1, 4, 2)]


def test_folded_tokens_have_no_box_and_are_counted():
    code = "a\nb\nc\nd"
    layout = grid_layout(words(code), **GRID, rows=folded(4, [(1, 3)]))
    assert layout.token.tolist() == [0, 3]
    assert layout.line.tolist() == [0, 1]
    assert layout.boxes[:, 1].tolist() == [50, 70]
    assert layout.unmatched == {"folded": 2}
    first = grid_layout(words(code), **GRID, rows=folded(4, [(1, 3)]), first_row=1)
    assert (first.token.tolist(), first.line.tolist()) == ([3], [0])
    assert first.unmatched == {"above_first_row": 1, "folded": 2}


def test_a_token_over_rows_keeps_what_is_not_folded():
    code = "/* a\n b\n c */ d"
    tokens = words(code, (0, 13), (14, 15))
    layout = grid_layout(tokens, **GRID, rows=folded(3, [(1, 2)]))
    assert list(zip(layout.token.tolist(), cells(layout), strict=True)) == [
        (0, (0, 4, 0)),
        (0, (1, 5, 1)),
        (1, (6, 7, 1)),
    ]
    assert layout.unmatched == {}


def test_wraps_can_be_folded():
    code = "ab cd\nx\nef gh"
    rows = wrapped(code, 3).folded([(1, 2)])
    assert parts(code, rows) == ["ab ", "cd", "ef ", "gh"]
    assert [line for *_, line in shown(code, rows)] == [0, 1, 2, 3]
    assert rows.hidden.tolist() == [False, True, False]


@given(st.text("ab \t\n日", max_size=40), st.sampled_from([3, 4, 8]))
def test_rows_without_wraps_and_folds_change_nothing(code, tab_width):
    tokens = words(code)
    plain = grid_layout(tokens, **GRID, tab_width=tab_width)
    n_rows = code.count("\n") + 1
    for rows in (folded(n_rows, []), wrapped(code, 10_000, tab_width)):
        layout = grid_layout(tokens, **GRID, tab_width=tab_width, rows=rows)
        np.testing.assert_array_equal(layout.boxes, plain.boxes)
        np.testing.assert_array_equal(layout.token, plain.token)
        np.testing.assert_array_equal(layout.line, plain.line)
        assert layout.unmatched == plain.unmatched


@given(st.text("ab \n", max_size=40), st.integers(2, 9), st.sets(st.integers(0, 5)))
def test_boxes_cover_each_shown_character_once(code, width, hidden):
    """Oracle: write every shown character into its cell, and read the boxes."""
    n_rows = code.count("\n") + 1
    rows = wrapped(code, width).folded((r, r + 1) for r in hidden if r < n_rows)
    screen = parts(code, rows)
    read = [(screen[line][a:b], token) for token, a, b, line in shown_tokens(code, rows)]
    tokens = words(code)
    pieces = {}
    for text, token in read:
        assert text == text.strip()
        pieces[token] = pieces.get(token, "") + text
    for token, text in pieces.items():
        assert text == tokens.text(token)
    gone = set(range(len(tokens))) - set(pieces)
    assert gone == {t for t in range(len(tokens)) if tokens.row[t] in hidden}


def shown_tokens(code, rows):
    layout = grid_layout(words(code), **GRID, rows=rows)
    return [(t, *box) for t, box in zip(layout.token.tolist(), cells(layout), strict=True)]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"row": [0, 2]}, id="no such row"),
        pytest.param({"row": [-1, 0]}, id="negative row"),
        pytest.param({"row": [1, 0]}, id="upward"),
        pytest.param({"row": [0, 0], "first": [0, 2], "last": [3, 9]}, id="overlap"),
        pytest.param({"first": [3, 0], "last": [2, 9]}, id="backward"),
        pytest.param({"first": [-1, 0]}, id="before the row"),
        pytest.param({"indent": [0, -1]}, id="to the left"),
    ],
)
def test_impossible_rows_are_refused(columns):
    base = {"row": [0, 1], "first": [0, 0], "last": [TO_THE_END] * 2, "n_rows": 2}
    assert len(VisualRows(**base)) == 2
    with pytest.raises(DataError):
        VisualRows(**{**base, **columns})


def test_impossible_folds_and_widths_are_refused():
    for ranges in ([(2, 1)], [(0, 9)], [(-1, 1)]):
        with pytest.raises(ParameterError, match="a fold hides rows"):
            folded(3, ranges)
    for bad in ({"width_columns": 0}, {"width_columns": 3, "indent": -1}):
        with pytest.raises(ParameterError, match="expected at least 1, 1 and 0 cells"):
            wrapped("a", **bad)
    with pytest.raises(ParameterError, match="ways to wrap"):
        wrapped("a", 3, at="syllable")
