"""Tokens, layouts and hits refuse what breaks their invariants."""

import numpy as np
import pytest

from gazecode.errors import DataError
from gazecode.model import Hits, Layout, SourceTokens


def tokens(span, code=b"ab cd"):
    n = len(span)
    return SourceTokens(
        language="java",
        source_id="s",
        code=code,
        span=span,
        row=[0] * n,
        column=[0] * n,
        kind=["x"] * n,
        path=((),) * n,
        label=[""] * n,
    )


def test_text_of_tokens():
    assert tokens([[0, 2], [3, 5]]).texts == ["ab", "cd"]
    assert tokens([[0, 2], [3, 5]]).text(1) == "cd"


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ([[0, 3], [2, 5]], "not sorted, disjoint"),
        ([[0, 0]], "not sorted, disjoint and non-empty"),
        ([[0, 9]], "ends at byte 9, the code has 5 bytes"),
    ],
    ids=["overlap", "empty", "outside"],
)
def test_bad_spans_are_refused(span, message):
    with pytest.raises(DataError, match=message):
        tokens(span)


def layout(**changes):
    values = {"boxes": [[0, 0, 5, 5]], "token": [0], "line": [0], "n_tokens": 1}
    return Layout(**(values | {"line_height_px": 20.0} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": [[5, 0, 5, 5]]}, "expected x0 < x1 and y0 < y1"),
        ({"boxes": [[0, 0, np.nan, 5]]}, "expected x0 < x1"),
        ({"token": [3]}, "a box belongs to token 3; the source has 1"),
        ({"line_height_px": 0.0}, "line_height_px is 0.0"),
        ({"scroll_t_ms": [0, 0], "scroll_px": [[0, 0], [0, 1]]}, "scroll_t_ms does not increase"),
    ],
    ids=["flat", "nan", "token", "height", "scroll"],
)
def test_bad_layouts_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        layout(**changes)


def hits(**changes):
    values = {
        "fixation": [0],
        "token": [0],
        "share": [0.5],
        "onset_ms": [0.0],
        "duration_ms": [100.0],
        "status": ["token"],
        "exposure_ms": [100.0],
    }
    return Hits(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": [1.5]}, "sum to more than 1"),
        ({"share": [0.0]}, "not positive"),
        ({"fixation": [1]}, "a hit names fixation 1; there are 1"),
        ({"token": [1]}, "a hit names token 1; there are 1"),
        ({"status": ["nowhere"]}, "unknown status"),
    ],
    ids=["over", "zero", "fixation", "token", "status"],
)
def test_bad_hits_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        hits(**changes)
