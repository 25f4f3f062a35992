"""The code as text on the boxes of its layout, so that gaze coordinates lie on it exactly.

Each piece of a token is set into its box with its width given (`textLength`), whatever font the
reader's machine has. What a box holds beyond its text (the padding of hand-made areas of interest)
is told apart by the width of a character, the median over longer tokens.
"""

import unicodedata
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gazecode.model import Layout, SourceTokens
from gazecode.report.words import pixels, printable

__all__ = ["Glyphs", "TokenMark", "char_width_px", "place", "width_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One piece of text: `x` and baseline `y`, and its width where it is more than a character."""

    x: str
    y: str
    length: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMark:
    """A token as drawn: rectangles ``x y width height``, text, step of colour, tooltip."""

    level: int
    rects: list[tuple[str, str, str, str]]
    glyphs: list[Glyphs]
    title: str


def width_of(text: str) -> int:
    """Cells of a monospaced line: wide characters take two, combining ones none.

    >>> width_of("ab"), width_of("日本"), width_of("e\u0301")
    (2, 4, 1)
    """
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return wide - sum(1 for c in text if unicodedata.combining(c))


def char_width_px(tokens: SourceTokens, layout: Layout) -> float:
    """Median width of a character over the tokens that stand in one box, px.

    Tokens of four characters and more are asked first: their padding weighs little.
    """
    boxes_per_token = np.bincount(layout.token, minlength=layout.n_tokens)
    cells = np.array([width_of(text) for text in tokens.texts], dtype=np.float64)
    width = (layout.boxes[:, 2] - layout.boxes[:, 0]) / np.maximum(cells[layout.token], 1)
    single = boxes_per_token[layout.token] == 1
    for chosen in (single & (cells[layout.token] >= 4), single, np.ones(len(layout), dtype=bool)):
        if chosen.any():
            return float(np.median(width[chosen]))
    return layout.line_height_px * 0.5


def place(
    tokens: SourceTokens, layout: Layout, *, cell_px: float, font_px: float
) -> list[list[Glyphs]]:
    """Text of each token in its boxes, one list per token."""
    boxes_of: list[list[int]] = [[] for _ in range(layout.n_tokens)]
    for k in np.lexsort((layout.boxes[:, 0], layout.line)).tolist():
        boxes_of[int(layout.token[k])].append(k)
    placed: list[list[Glyphs]] = []
    for text, rows in zip(tokens.texts, boxes_of, strict=True):
        pieces = _pieces(printable(text), len(rows))
        # The box of a continued line may begin with its indentation: its text stands at the right.
        anchor = 0.5 if len(rows) == 1 else 1.0
        placed.append(
            [
                _set(piece, layout.boxes[k].tolist(), anchor, cell_px=cell_px, font_px=font_px)
                for piece, k in zip(pieces, rows, strict=True)
                if piece
            ]
        )
    return placed


def _pieces(text: str, n_boxes: int) -> list[str]:
    """Text of a token cut into its boxes: by line, else by what is left of it."""
    if n_boxes <= 1:
        return [" ".join(text.split("\n")).strip()][:n_boxes]
    lines = text.split("\n")
    if len(lines) != n_boxes:
        lines = [line for line in lines if line.strip()]
    if len(lines) == n_boxes:
        return [line.strip() for line in lines]
    # A line wrapped by the editor, or boxes of parts only: cut into equal pieces.
    joined = " ".join(line.strip() for line in lines)
    cuts = [round(len(joined) * i / n_boxes) for i in range(n_boxes + 1)]
    return [joined[a:b].strip() for a, b in pairwise(cuts)]


def _set(piece: str, box: list[float], anchor: float, *, cell_px: float, font_px: float) -> Glyphs:
    x0, y0, x1, y1 = box
    cells = max(width_of(piece), 1)
    natural, room = cells * cell_px, x1 - x0
    # Proportional fonts and measured boxes differ by a little from cells: then the box is right.
    # A short token in a padded box is not stretched: it keeps its width.
    snug = cells > 2 and abs(room / natural - 1) < 0.3
    width = room if snug else min(natural, room)
    x = x0 + (room - width) * anchor
    baseline = (y0 + y1) / 2 + 0.34 * font_px
    length = pixels(width) if cells > 1 else ""
    return Glyphs(x=pixels(x), y=pixels(baseline), length=length, text=piece)
