"""The grid of cells: tabs, wide characters, tokens over several lines."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError
from gazecode.mapping import grid_layout
from gazecode.model import SourceTokens

GRID = {"origin_px": (100.0, 50.0), "char_width_px": 10.0, "line_height_px": 20.0}


def words(code, *spans):
    """Tokens at the given byte spans; default: the words between blanks."""
    raw = code.encode()
    if not spans:
        import re

        spans = [m.span() for m in re.finditer(rb"[^ \t\r\n]+", raw)]
    rows = [raw[:a].count(b"\n") for a, _ in spans]
    starts = [raw.rfind(b"\n", 0, a) + 1 for a, _ in spans]
    n = len(spans)
    return SourceTokens(
        language="java",
        source_id="",
        code=raw,
        span=np.reshape(spans, (n, 2)),
        row=rows,
        column=[len(raw[s:a].decode()) for s, (a, _) in zip(starts, spans, strict=True)],
        kind=["identifier"] * n,
        path=((),) * n,
        label=[""] * n,
    )


def cells(layout):
    """First and last cell and line of every box."""
    x = (layout.boxes[:, [0, 2]] - 100) / 10
    return [(int(a), int(b), int(line)) for (a, b), line in zip(x, layout.line, strict=True)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("ab c", [(0, 2, 0), (3, 4, 0)], id="plain"),
        pytest.param("\tx\ty", [(4, 5, 0), (8, 9, 0)], id="tab to its stop"),
        pytest.param("abcd\tx", [(0, 4, 0), (8, 9, 0)], id="tab at a stop goes to the next"),
        pytest.param("a\n\tb", [(0, 1, 0), (4, 5, 1)], id="tabs begin anew on each line"),
        pytest.param("日本 x", [(0, 4, 0), (5, 6, 0)], id="East Asian wide"),
        pytest.param("日\tx", [(0, 2, 0), (4, 5, 0)], id="tab after a wide character"),
        pytest.param("e\u0301 x", [(0, 1, 0), (2, 3, 0)], id="combining mark"),
        pytest.param("😀 x", [(0, 2, 0), (3, 4, 0)], id="emoji"),
        pytest.param("👩\u200d💻 x", [(0, 2, 0), (3, 4, 0)], id="joined emoji"),
        pytest.param("👍🏽 x", [(0, 2, 0), (3, 4, 0)], id="skin tone"),
        pytest.param("\ufeffab", [(0, 2, 0)], id="byte-order mark"),
        pytest.param("a\r\nb", [(0, 1, 0), (0, 1, 1)], id="crlf"),
        pytest.param("a\u00adb x", [(0, 3, 0), (4, 5, 0)], id="soft hyphen is drawn"),
    ],
)
def test_cells(code, expected):
    assert cells(grid_layout(words(code), **GRID)) == expected


def test_boxes_are_as_high_as_the_line_and_begin_at_the_origin():
    layout = grid_layout(words("ab\n c"), **GRID)
    assert layout.boxes.tolist() == [[100, 50, 120, 70], [110, 70, 120, 90]]
    assert layout.line_height_px == 20


def test_a_token_over_several_lines_has_a_box_on_each_without_outer_blanks():
    code = "x /* a\n\t  b c \n\n\t*/ y"
    comment = (2, code.index("*/") + 2)
    layout = grid_layout(words(code, (0, 1), comment, (len(code) - 1, len(code))), **GRID)
    assert layout.token.tolist() == [0, 1, 1, 1, 2]
    assert cells(layout) == [(0, 1, 0), (2, 6, 0), (6, 9, 1), (4, 6, 3), (7, 8, 3)]


def test_rows_before_the_first_shown_have_no_box_and_are_counted():
    code = "a\nb /* c\nd */"
    layout = grid_layout(words(code, (0, 1), (2, 3), (4, len(code))), first_row=2, **GRID)
    assert layout.token.tolist() == [2]
    assert layout.boxes[0, 1] == 50
    assert layout.unmatched == {"above_first_row": 2}


def test_a_token_without_width_is_counted():
    assert grid_layout(words("a \u0301\u0301"), **GRID).unmatched == {"without_width": 1}


def test_time_scroll_and_viewport_are_handed_on():
    layout = grid_layout(
        words("a"), **GRID, onset_ms=1, offset_ms=9, scroll_t_ms=[2], scroll_px=[[0, 5]],
        viewport_px=(0, 0, 9, 9),
    )  # fmt: skip
    assert (layout.onset_ms, layout.offset_ms, layout.viewport_px) == (1, 9, (0, 0, 9, 9))
    assert layout.scroll_px.tolist() == [[0, 5]]


@pytest.mark.parametrize("name", ["char_width_px", "line_height_px", "tab_width"])
def test_sizes_must_be_positive(name):
    with pytest.raises(ParameterError, match=f"^{name} is 0; expected more than 0: measure it"):
        grid_layout(words("a"), **GRID | {name: 0})


def slow_cells(line, tab_width):
    """One character after the other."""
    at, starts = 0, []
    for char in line:
        starts.append(at)
        if char == "\t":
            at += tab_width - at % tab_width
        elif unicodedata.category(char) not in {"Mn", "Cc"}:
            at += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return [*starts, at]


@given(
    st.lists(st.text(st.sampled_from("ab\t é日\u0301"), max_size=12), max_size=5).map("\n".join),
    st.integers(1, 8),
)
def test_equals_a_typewriter(code, tab_width):
    tokens = words(code)
    layout = grid_layout(tokens, **GRID, tab_width=tab_width)
    expected = []
    for i, text in enumerate(tokens.texts):
        row, column = int(tokens.row[i]), int(tokens.column[i])
        starts = slow_cells(code.split("\n")[row], tab_width)
        if starts[column + len(text)] > starts[column]:
            expected.append((starts[column], starts[column + len(text)], row))
    assert cells(layout) == expected
