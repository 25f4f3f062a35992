"""Time, scroll and viewport: what of a layout a fixation could fall on, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gazecode.model import Events, Layout
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Fit", "Place", "exposure_ms", "fits", "place", "text_area"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where fixations lie in the text.

    Attributes
    ----------
    xy_px
        ``(f, 2)`` position in the text at scroll 0: on the screen plus the scroll at onset.
    scroll_px
        ``(f, 2)`` that scroll.
    lost, shown
        ``(f,)`` without a position; within the layout's interval and the viewport.
    """

    xy_px: FloatArray
    scroll_px: FloatArray
    lost: BoolArray
    shown: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Fixations under one scroll, and the parts of boxes the viewport shows then."""

    fixation: IntArray
    xy_px: FloatArray
    box: IntArray
    boxes: FloatArray


def place(fixations: Events, layout: Layout) -> Place:
    """Bring fixations from the screen to the text."""
    xy = fixations.xy_px
    lost: BoolArray = np.isnan(xy[:, 0]) | np.isnan(xy[:, 1])
    onset = fixations.onset_ms
    shown = ~lost & (onset >= layout.onset_ms) & (onset < layout.offset_ms)
    if layout.viewport_px is not None:
        x0, y0, x1, y1 = layout.viewport_px
        shown &= (xy[:, 0] >= x0) & (xy[:, 0] < x1) & (xy[:, 1] >= y0) & (xy[:, 1] < y1)
    scroll = _scroll_at(layout, onset)
    return Place(xy_px=xy + scroll, scroll_px=scroll, lost=lost, shown=shown)


def _scroll_at(layout: Layout, t_ms: FloatArray) -> FloatArray:
    """Scroll in force at each time, ``(n, 2)``; none before the first entry of the table."""
    table = np.concatenate([np.zeros((1, 2)), layout.scroll_px])
    at: FloatArray = table[np.searchsorted(layout.scroll_t_ms, t_ms, side="right")]
    return at


def fits(where: Place, layout: Layout) -> Iterator[Fit]:
    """Fixations that can hit something, in groups that see the same boxes."""
    chosen = np.flatnonzero(where.shown)
    if not len(chosen) or not len(layout):
        return
    if layout.viewport_px is None:
        yield Fit(
            fixation=chosen,
            xy_px=where.xy_px[chosen],
            box=np.arange(len(layout)),
            boxes=layout.boxes,
        )
        return
    states, group = np.unique(where.scroll_px[chosen], axis=0, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(group.reshape(-1), minlength=len(states)))
    for scroll, part in zip(states, np.split(chosen[order], ends[:-1]), strict=True):
        box, boxes = _clip(layout, scroll)
        if len(box):
            yield Fit(fixation=part, xy_px=where.xy_px[part], box=box, boxes=boxes)


def _clip(layout: Layout, scroll_px: FloatArray) -> tuple[IntArray, FloatArray]:
    """Boxes the viewport shows at a scroll, cut to it, in the text's coordinates."""
    window = np.asarray(layout.viewport_px, dtype=np.float64) + np.tile(scroll_px, 2)
    low = np.maximum(layout.boxes[:, :2], window[:2])
    high = np.minimum(layout.boxes[:, 2:], window[2:])
    seen = np.flatnonzero((low < high).all(axis=1))
    return seen, np.concatenate([low[seen], high[seen]], axis=1)


def text_area(where: Place, layout: Layout, min_margin_px: float) -> BoolArray:
    """Which fixations lie within the box around all boxes, plus a line height on every side."""
    if not len(layout):
        return np.zeros(len(where.lost), dtype=bool)
    margin = max(layout.line_height_px, min_margin_px)
    low = layout.boxes[:, :2].min(axis=0) - margin
    high = layout.boxes[:, 2:].max(axis=0) + margin
    inside: BoolArray = ((where.xy_px >= low) & (where.xy_px <= high)).all(axis=1)
    return inside


def exposure_ms(fixations: Events, layout: Layout) -> FloatArray:
    """How long each token had the centre of a box in the viewport, ``(m,)`` ms.

    An open interval is closed by the first onset and the last offset of the fixations; without
    fixations nothing is known to have been on the screen.
    """
    onset, offset = layout.onset_ms, layout.offset_ms
    if len(fixations):
        onset = onset if np.isfinite(onset) else float(fixations.onset_ms[0])
        offset = offset if np.isfinite(offset) else float(fixations.offset_ms.max())
    exposure = np.zeros(layout.n_tokens)
    if not np.isfinite(offset - onset) or offset <= onset:
        return exposure
    if layout.viewport_px is None:
        exposure[layout.token] = offset - onset
        return exposure
    window = np.asarray(layout.viewport_px, dtype=np.float64)
    centre = (layout.boxes[:, :2] + layout.boxes[:, 2:]) / 2
    for scroll, duration in _scroll_spans(layout, onset, offset):
        screen = centre - scroll
        seen = ((screen >= window[:2]) & (screen < window[2:])).all(axis=1)
        exposure[np.unique(layout.token[seen])] += duration
    return exposure


def _scroll_spans(
    layout: Layout, onset_ms: float, offset_ms: float
) -> Iterator[tuple[FloatArray, float]]:
    """Each scroll position with the time it was in force."""
    t = layout.scroll_t_ms
    edges = np.concatenate(([onset_ms], t[(t > onset_ms) & (t < offset_ms)], [offset_ms]))
    scroll, group = np.unique(_scroll_at(layout, edges[:-1]), axis=0, return_inverse=True)
    duration = np.bincount(group.reshape(-1), weights=np.diff(edges))
    yield from zip(scroll, duration.tolist(), strict=True)
