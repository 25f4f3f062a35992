"""A study's own areas: order, text, and what is left over."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.mapping import box_layout
from gazecode.model import SourceTokens

SIDES = ["text", "x0", "y0", "x1", "y1"]


def tokens(*texts):
    """Tokens with one blank between them."""
    raw = [t.encode() for t in texts]
    ends = np.cumsum([len(t) + 1 for t in raw]) - 1 if raw else np.empty(0, int)
    starts = ends - [len(t) for t in raw]
    n = len(texts)
    return SourceTokens(
        language="java",
        source_id="",
        code=b" ".join(raw),
        span=np.stack([starts, ends], axis=1).reshape(n, 2),
        row=[0] * n,
        column=starts.tolist(),
        kind=["identifier"] * n,
        path=((),) * n,
        label=[""] * n,
    )


def areas(*texts, width=10):
    """Boxes on one line, `width` px a character, 10 px apart."""
    rows, x = [], 0.0
    for text in texts:
        size = width * max(len(text) if isinstance(text, str) else 4, 1)
        rows.append((text, x, 0.0, x + size, 20.0))
        x += size + 10
    return pd.DataFrame(rows, columns=SIDES)


def test_one_box_may_hold_several_tokens():
    layout = box_layout(tokens("this", ".", "x", "=", "p"), areas("this.x", "=", "p"))
    assert layout.token.tolist() == [0, 1, 2, 3, 4]
    assert layout.boxes[:, [0, 2]].tolist() == [[0, 40], [40, 50], [50, 60], [70, 80], [90, 100]]
    assert layout.unmatched == {}


def test_blanks_inside_a_box_belong_to_no_token():
    layout = box_layout(tokens("int", "x"), areas("int   x"))
    assert layout.boxes[:, [0, 2]].tolist() == [[0, 30], [60, 70]]


def test_one_token_may_have_several_boxes_which_are_joined():
    layout = box_layout(tokens("print", '"a bc"'), areas("print", '"a', "bc", '"'))
    assert layout.token.tolist() == [0, 1]
    assert layout.boxes[1].tolist() == [60, 0, 130, 20]


def test_a_token_on_two_lines_has_a_box_on_each():
    boxes = areas("x", "/*a", "b*/")
    boxes.loc[2, ["x0", "y0", "x1", "y1"]] = [0.0, 30.0, 30.0, 50.0]
    layout = box_layout(tokens("x", "/*a b*/"), boxes)
    assert layout.token.tolist() == [0, 1, 1]
    assert layout.line.tolist() == [0, 0, 1]
    assert layout.line_height_px == 30


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        pytest.param(['"Audi"', ",", "x"], ["Audi", ",", "x"], id="quotes lost"),
        pytest.param(["a", "<", "b"], ["a", "&lt;", "b"], id="html"),
        pytest.param(["a", "null", "b"], ["a", np.nan, "b"], id="null read as missing"),
        pytest.param(["a", "null", "b"], ["a", "nan", "b"], id="null read as nan"),
        pytest.param(["a", "naïve", "b"], ["a", "na?ve", "b"], id="damaged letter"),
        pytest.param(["a", "+", "b"], ["a", "\ufffd", "b"], id="damaged sign"),
    ],
)
def test_damaged_texts_find_their_token(source, shown):
    layout = box_layout(tokens(*source), areas(*shown))
    assert layout.token.tolist() == [0, 1, 2]
    assert layout.boxes.tolist() == areas(*shown)[SIDES[1:]].to_numpy().tolist()
    assert layout.unmatched == {}


def test_leftovers_of_both_sides_are_counted():
    layout = box_layout(tokens("a", "/*note*/", "b"), areas("a", "b", "Next", "page"))
    assert layout.token.tolist() == [0, 2]
    assert layout.unmatched == {"boxes": 2, "tokens": 1}


def test_boxes_are_taken_in_reading_order_whatever_their_rows():
    boxes = areas("a", "b", "c").iloc[[2, 0, 1]]
    layout = box_layout(tokens("a", "b", "c"), boxes)
    assert layout.boxes[:, 0].tolist() == [0, 20, 40]


def test_lines_are_found_in_boxes_that_fit_the_ink():
    boxes = pd.DataFrame(
        [["a", 0, 3, 9, 20], ["-", 20, 12, 29, 14], ["b", 0, 30, 9, 52], ["c", 20, 36, 29, 50]],
        columns=SIDES,
    )
    layout = box_layout(tokens("a", "-", "b", "c"), boxes)
    assert layout.line.tolist() == [0, 0, 1, 1]
    assert layout.line_height_px == pytest.approx(42 - 12.25)


def test_without_text_boxes_go_by_order_when_they_are_as_many():
    boxes = areas("a", "b").drop(columns="text")
    assert box_layout(tokens("x", "y"), boxes).token.tolist() == [0, 1]
    with pytest.raises(
        DataError,
        match=r"^2 boxes have no text and the source has 3 tokens; expected a column text, or one "
        r"box per token$",
    ):
        box_layout(tokens("x", "y", "z"), boxes)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (
            areas("a").drop(columns="x1"),
            "no column x1 in the frame of boxes; found text, x0, y0, y1; expected text x0 y0 x1 y1",
        ),
        (
            areas("a").assign(x1=0.0),
            "box 0 of the frame is [0.0, 0.0, 0.0, 20.0]; expected x0 < x1 and y0 < y1",
        ),
    ],
)
def test_wrong_frames_are_refused(boxes, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        box_layout(tokens("a"), boxes)


def test_no_boxes_at_all():
    layout = box_layout(tokens("a"), areas("b").iloc[:0].assign(text="b"))
    assert len(layout) == 0


WORDS = st.lists(
    st.text(st.sampled_from('ab1(.;="<é'), min_size=1, max_size=5), min_size=1, max_size=12
)


@given(WORDS, st.data())
def test_any_way_to_cut_the_same_text_finds_every_token(texts, data):
    whole = "".join(texts)
    cuts = data.draw(st.sets(st.integers(1, max(len(whole) - 1, 1)), max_size=8))
    edges = sorted({0, len(whole), *(c for c in cuts if c < len(whole))})
    shown = [whole[a:b] for a, b in pairwise(edges)]
    layout = box_layout(tokens(*texts), areas(*shown))
    assert layout.token.tolist() == list(range(len(texts)))
    assert layout.unmatched == {}
    # Left to right, as the text runs.
    assert (np.diff(layout.boxes[:, 0]) > 0).all()


@given(WORDS, WORDS)
def test_nothing_is_dropped_in_silence(texts, shown):
    layout = box_layout(tokens(*texts), areas(*shown))
    assert len(set(layout.token.tolist())) + layout.unmatched.get("tokens", 0) == len(texts)
    assert 0 <= layout.unmatched.get("boxes", 0) <= len(shown)
