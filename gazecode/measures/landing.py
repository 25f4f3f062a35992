"""Where on a token or line the eyes landed."""

import numpy as np

from gazecode.model import Events, Layout, SourceTokens
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["landing_positions"]


def landing_positions(
    first: IntArray,
    fixations: Events,
    layout: Layout,
    tokens: SourceTokens,
    unit_of: IntArray,
) -> FloatArray:
    """Distance from a unit's left edge in characters, and as a share of its width, ``(2, u)``.

    Parameters
    ----------
    first
        ``(u,)`` the fixation that landed on each unit; -1 for none.
    fixations, layout, tokens
        Positions, boxes (moved by the scroll in force at the fixation's onset) and texts.
    unit_of
        ``(m,)`` unit of every token.

    Returns
    -------
    FloatArray
        NaN without a fixation, a position or a box. A unit is as wide as its boxes on the visual
        line nearest to the fixation; its characters are those of its text on a line of its own,
        spaces between its tokens included.
    """
    found = np.full((2, len(first)), np.nan)
    landed = np.flatnonzero(first >= 0)
    if not len(landed) or not len(layout):
        return found
    xy = fixations.xy_px[first[landed]] + _scroll(layout, fixations.onset_ms[first[landed]])
    unit, line, left, right, middle = _extents(layout, unit_of)
    for k, u in enumerate(landed.tolist()):
        a, b = np.searchsorted(unit, [u, u + 1])
        if a == b or np.isnan(xy[k, 0]):
            continue
        box = a + int(np.abs(middle[a:b] - xy[k, 1]).argmin())
        share = (xy[k, 0] - left[box]) / (right[box] - left[box])
        found[:, u] = share * _characters(tokens, layout, unit_of, u, int(line[box])), share
    return found


def _scroll(layout: Layout, onset_ms: FloatArray) -> FloatArray:
    if not len(layout.scroll_t_ms):
        return np.zeros((len(onset_ms), 2))
    at = np.searchsorted(layout.scroll_t_ms, onset_ms, side="right")
    moved: FloatArray = np.concatenate(([[0.0, 0.0]], layout.scroll_px))[at]
    return moved


def _extents(layout: Layout, unit_of: IntArray) -> tuple[FloatArray | IntArray, ...]:
    """Of every unit on every visual line: unit, line, left and right edge, middle in y."""
    owner = unit_of[layout.token]
    order = np.lexsort((layout.line, owner))
    owner, line, boxes = owner[order], layout.line[order], layout.boxes[order]
    start = np.ones(len(order), dtype=bool)
    start[1:] = (np.diff(owner) != 0) | (np.diff(line) != 0)
    at = np.flatnonzero(start)
    middle = (boxes[at, 1] + boxes[at, 3]) / 2
    left, right = np.minimum.reduceat(boxes[:, 0], at), np.maximum.reduceat(boxes[:, 2], at)
    return owner[at], line[at], left, right, middle


def _characters(
    tokens: SourceTokens, layout: Layout, unit_of: IntArray, unit: int, line: int
) -> int:
    """Characters of a unit from its first to its last token on a visual line."""
    held = layout.token[(layout.line == line) & (unit_of[layout.token] == unit)]
    start, end = tokens.span[held.min(), 0], tokens.span[held.max(), 1]
    text = tokens.code[start:end].decode("utf-8", "replace")
    if len(held) == 1 and "\n" in text:
        # A token over several lines: the part that stands on this one.
        lines = layout.line[layout.token == held[0]]
        text = text.split("\n")[min(int(line - lines.min()), text.count("\n"))].strip("\r")
        return len(text.strip()) or 1
    return len(text)
