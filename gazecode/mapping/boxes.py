"""Layout from a study's own areas of interest: whose boxes are whose tokens.

Studies cut text in their own ways (``this.producer`` is one area, a quoted string several), and
tables damage texts (quotes lost, ``&lt;`` for ``<``, ``null`` read as missing). So areas and
tokens are matched by their characters without white space, in reading order, and what finds no
partner is counted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError
from gazecode.mapping.matching import Spelling, match, spell
from gazecode.mapping.tables import read_boxes
from gazecode.model import Layout, SourceTokens
from gazecode.model.checks import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["box_layout", "read_boxes"]

_SIDES = ("x0", "y0", "x1", "y1")


def box_layout(
    tokens: SourceTokens,
    boxes: "pd.DataFrame",
    *,
    line_height_px: float | None = None,
    onset_ms: float = -np.inf,
    offset_ms: float = np.inf,
    scroll_t_ms: npt.ArrayLike = (),
    scroll_px: npt.ArrayLike = (),
    viewport_px: tuple[float, float, float, float] | None = None,
) -> Layout:
    """Give tokens the areas of interest whose text they are.

    Boxes are taken in reading order (lines by their vertical centres, then left to right). A box
    that holds several tokens is split at its characters, all taken as equally wide; the boxes of
    one token on one line are joined. White space, lost quotes and HTML escapes do not matter.

    Parameters
    ----------
    tokens
        What was shown.
    boxes
        One row per area: `text`, `x0`, `y0`, `x1`, `y1` (px). Without any text the boxes must be
        as many as the tokens and go by order; a single missing text goes by its neighbours.
    line_height_px
        Default: median distance of consecutive lines, or the median box height of a single one.
    onset_ms, offset_ms, scroll_t_ms, scroll_px, viewport_px
        As for `grid_layout`.

    Returns
    -------
    Layout
        `unmatched` counts ``boxes`` and ``tokens`` without a partner.

    Raises
    ------
    DataError
        A column is missing, a box has no area, or texts are needed and not there.

    Examples
    --------
    >>> import pandas as pd
    >>> from gazecode.model import SourceTokens
    >>> tokens = SourceTokens(
    ...     language="java",
    ...     source_id="",
    ...     code=b"a.b = 1",
    ...     span=[[0, 1], [1, 2], [2, 3], [4, 5], [6, 7]],
    ...     row=[0] * 5,
    ...     column=[0, 1, 2, 4, 6],
    ...     kind=["identifier"] * 5,
    ...     path=((),) * 5,
    ...     label=[""] * 5,
    ... )
    >>> boxes = pd.DataFrame(
    ...     [["a.b", 0, 0, 30, 20], ["=", 40, 0, 50, 20]], columns=["text", "x0", "y0", "x1", "y1"]
    ... )
    >>> layout = box_layout(tokens, boxes)
    >>> layout.boxes[:, [0, 2]].tolist(), layout.unmatched
    ([[0.0, 10.0], [10.0, 20.0], [20.0, 30.0], [40.0, 50.0]], {'tokens': 1})
    """
    area, line = _in_reading_order(boxes)
    height = _line_height(area.px, line) if line_height_px is None else line_height_px
    pieces = _pieces(tokens, area)
    px, token, lines = _join(pieces, line)
    unmatched = {
        "boxes": len(line) - len(np.unique(pieces.box)),
        "tokens": len(tokens) - len(np.unique(pieces.token)),
    }
    return Layout(
        boxes=px,
        token=token,
        line=lines,
        n_tokens=len(tokens),
        line_height_px=height,
        onset_ms=onset_ms,
        offset_ms=offset_ms,
        scroll_t_ms=np.asarray(scroll_t_ms, dtype=np.float64),
        scroll_px=np.asarray(scroll_px, dtype=np.float64),
        viewport_px=viewport_px,
        unmatched={name: count for name, count in unmatched.items() if count},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Areas:
    px: FloatArray
    text: list[str | None]


def _in_reading_order(boxes: "pd.DataFrame") -> tuple[_Areas, IntArray]:
    missing = [name for name in _SIDES if name not in boxes]
    if missing:
        raise DataError(
            f"no column {', '.join(missing)} in the frame of boxes; found "
            f"{', '.join(map(str, boxes.columns))}; expected text x0 y0 x1 y1"
        )
    px = boxes[list(_SIDES)].to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~((px[:, 0] < px[:, 2]) & (px[:, 1] < px[:, 3])))
    if bad.size:
        i = int(bad[0])
        raise DataError(f"box {i} of the frame is {px[i].tolist()}; expected x0 < x1 and y0 < y1")
    raw = boxes["text"].tolist() if "text" in boxes else [None] * len(px)
    text = [value if isinstance(value, str) and value.strip() else None for value in raw]
    line = _lines(px)
    order = np.lexsort((px[:, 0], line))
    return _Areas(px=px[order], text=[text[i] for i in order.tolist()]), line[order]


def _lines(px: FloatArray) -> IntArray:
    """Visual line of each box: a new one where centres are over half a box height apart."""
    centre = (px[:, 1] + px[:, 3]) / 2
    order = np.argsort(centre, kind="stable")
    gap = np.diff(centre[order], prepend=centre[order][:1])
    half = float(np.median(px[:, 3] - px[:, 1])) / 2 if len(px) else 0.0
    line = np.empty(len(px), dtype=np.int64)
    line[order] = np.cumsum(gap > half)
    return line


def _line_height(px: FloatArray, line: IntArray) -> float:
    if not len(px):
        return 1.0
    centre = (px[:, 1] + px[:, 3]) / 2
    counts = np.bincount(line)
    centres = np.bincount(line, weights=centre) / counts
    if len(centres) > 1:
        return float(np.median(np.diff(centres)))
    return float(np.median(px[:, 3] - px[:, 1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Parts of boxes that belong to one token each."""

    box: IntArray
    token: IntArray
    px: FloatArray


def _pieces(tokens: SourceTokens, area: _Areas) -> _Pieces:
    if not area.text or any(text is not None for text in area.text):
        shown, written = spell(area.text), spell(list(tokens.texts))
        return _split(area, shown, *match(written, shown))
    if len(area.text) != len(tokens):
        raise DataError(
            f"{len(area.text)} boxes have no text and the source has {len(tokens)} tokens; "
            "expected a column text, or one box per token"
        )
    every = np.arange(len(tokens))
    return _Pieces(box=every, token=every, px=area.px)


def _split(area: _Areas, shown: Spelling, token: IntArray, char: IntArray) -> _Pieces:
    """Cut boxes where their characters change token.

    `char` are characters of `shown` and `token` the token that each is part of.
    """
    box = shown.owner[char]
    order = np.lexsort((char, token, box))
    box, token, char = box[order], token[order], char[order]
    fresh = np.ones(len(box), dtype=bool)
    fresh[1:] = (np.diff(box) != 0) | (np.diff(token) != 0)
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(box)) - 1 if len(first) else first
    left, right = shown.begin[char[first]], shown.end[char[last]]
    # A box with one token is that token's as a whole, whatever its text lost.
    alone = np.bincount(box[first], minlength=len(area.text))[box[first]] == 1
    left, right = np.where(alone, 0.0, left), np.where(alone, 1.0, right)
    px = area.px[box[first]]
    width = px[:, 2] - px[:, 0]
    cut = np.stack([px[:, 0] + left * width, px[:, 1], px[:, 0] + right * width, px[:, 3]], axis=1)
    return _Pieces(box=box[first], token=token[first], px=cut)


def _join(pieces: _Pieces, line: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """One box per token and line: around all its pieces."""
    lines = line[pieces.box]
    order = np.lexsort((lines, pieces.token))
    token, lines, px = pieces.token[order], lines[order], pieces.px[order]
    fresh = np.ones(len(token), dtype=bool)
    fresh[1:] = (np.diff(token) != 0) | (np.diff(lines) != 0)
    first = np.flatnonzero(fresh)
    if not len(first):
        return px, token, lines
    low = np.minimum.reduceat(px[:, :2], first)
    high = np.maximum.reduceat(px[:, 2:], first)
    return np.concatenate([low, high], axis=1), token[first], lines[first]
