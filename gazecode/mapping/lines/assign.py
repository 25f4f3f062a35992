"""Fixations to lines of text: one verb over many algorithms.

A tracker's error is often larger than half a line, and vertical: fixations on one line come to lie
on its neighbour. Algorithms that know the order of reading, or where the lines begin and end, undo
it. Each is a function ``(xy_px, lines, *, params) -> line of each fixation``, an index into `Lines`
(-1: none) or a probability for every line; `LINE_METHODS` names them and is open to the entry-point
group ``gazecode.line_methods``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.lines.attach import attach
from gazecode.mapping.lines.chain import chain
from gazecode.mapping.lines.cluster import cluster
from gazecode.mapping.lines.compare import compare
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.jumps import jumps
from gazecode.mapping.lines.merge import merge
from gazecode.mapping.lines.register import register
from gazecode.mapping.lines.regress import regress
from gazecode.mapping.lines.segment import segment
from gazecode.mapping.lines.shares import as_shares
from gazecode.mapping.lines.slice import slice_runs
from gazecode.mapping.lines.split import split
from gazecode.mapping.lines.stretch import stretch
from gazecode.mapping.lines.vote import vote
from gazecode.mapping.lines.warp import warp
from gazecode.mapping.view import place
from gazecode.model import Events, Layout
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import Registry, check_parameters

__all__ = ["LINE_METHODS", "LineMethod", "assign_lines"]

LineMethod = Callable[..., "IntArray | FloatArray"]

FAR_LINES = 3.0
"""Gaze further above or below the text than this many lines was not on it, whatever the drift."""
ABSTAIN = {"jumps": 0.5, "register": 0.5}
"""Below which probability a method takes no line unless the caller says so."""

LINE_METHODS: Registry[LineMethod] = Registry(
    "line methods",
    {
        "attach": attach,
        "chain": chain,
        "cluster": cluster,
        "compare": compare,
        "jumps": jumps,
        "merge": merge,
        "register": register,
        "regress": regress,
        "segment": segment,
        "slice": slice_runs,
        "split": split,
        "stretch": stretch,
        "vote": vote,
        "warp": warp,
    },
    group="gazecode.line_methods",
)


def assign_lines(
    fixations: Events,
    layout: Layout,
    method: str = "slice",
    *,
    min_share: float | None = None,
    **params: Any,
) -> Events:
    """Assign every fixation to a line of text.

    Parameters
    ----------
    fixations
        Fixations only, in the order of time.
    layout
        Where tokens stood; the scroll in force at a fixation's onset is taken into account.
    method
        A name in `LINE_METHODS`.
    min_share
        A line less probable than this is not taken: the method abstains. By default `ABSTAIN`:
        0.5 for the methods for code, 0 for the others, which know no probability.

    Returns
    -------
    Events
        New fixations: `line` (-1 where the position is lost, off the text's interval or viewport
        or more than `FAR_LINES` lines above or below the text, and where the method abstains),
        `line_share`, `line_shares`, `xy_px` with y moved to the centre of the line, and
        `recorded_xy_px` as the tracker had it. Nothing is edited in place.

    Raises
    ------
    ParameterError
        Unknown method or parameter.
    DataError
        Events other than fixations, or a layout without text.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 90, 20], [0, 30, 90, 50]],
    ...     token=[0, 1],
    ...     line=[0, 1],
    ...     n_tokens=2,
    ...     line_height_px=30,
    ... )
    >>> fixations = Events(
    ...     kind=["fixation"] * 2,
    ...     onset_ms=[0, 300],
    ...     offset_ms=[250, 500],
    ...     xy_px=[[20, 3], [50, 28]],
    ... )
    >>> assigned = assign_lines(fixations, layout, "attach")
    >>> assigned.line, assigned.xy_px[:, 1], assigned.recorded_xy_px[:, 1]
    (array([0, 1]), array([10., 40.]), array([ 3., 28.]))
    """
    function = LINE_METHODS[method]
    check_parameters(function, params, name=method)
    if min_share is None:
        min_share = ABSTAIN.get(method, 0.0)
    check_parameters(assign_lines, {"min_share": min_share}, name="assign_lines")
    if not 0 <= min_share <= 1:
        raise ParameterError(f"min_share is {min_share}; expected a probability, 0 to 1")
    other = set(fixations.kind) - {"fixation"}
    if other:
        raise DataError(
            f"events to assign hold {', '.join(sorted(other))}; expected fixations only: "
            'pass events.of("fixation")'
        )
    lines = Lines.of(layout)
    if not len(lines):
        raise DataError("the layout shows no text; expected at least one box of a token")
    where = place(fixations, layout)
    rows = np.flatnonzero(where.shown & _near(where.xy_px[:, 1], lines))
    shares = np.zeros((len(fixations), len(lines)))
    if len(rows):
        found = as_shares(function(where.xy_px[rows], lines, **params), len(lines))
        shares[rows] = _on_shown_lines(found, where.scroll_px[rows, 1], lines, layout)
    best = shares.argmax(axis=1)
    share = shares.max(axis=1, initial=0.0)
    taken = (share > 0) & (share >= min_share)
    xy = fixations.xy_px.copy()
    xy[taken, 1] = lines.y_px[best[taken]] - where.scroll_px[taken, 1]
    return replace(
        fixations,
        xy_px=xy,
        recorded_xy_px=fixations.xy_px if (at := fixations.recorded_xy_px) is None else at,
        line=np.where(taken, lines.number[best], -1),
        line_share=share,
        line_shares=shares,
    )


def _on_shown_lines(
    shares: FloatArray, scroll_px: FloatArray, lines: Lines, layout: Layout
) -> FloatArray:
    """Without lines that the viewport did not show; what is left of a row is brought to its sum.

    Whose lines were all out of sight was on none of them.
    """
    if layout.viewport_px is None:
        return shares
    at = lines.y_px - scroll_px[:, None]
    seen = np.where((at >= layout.viewport_px[1]) & (at < layout.viewport_px[3]), shares, 0.0)
    left = seen.sum(axis=1, keepdims=True)
    whole: FloatArray = np.divide(
        seen * shares.sum(axis=1, keepdims=True), left, out=np.zeros_like(seen), where=left > 0
    )
    return whole


def _near(y_px: FloatArray, lines: Lines) -> BoolArray:
    reach = FAR_LINES * lines.pitch_px
    near: BoolArray = (y_px >= lines.y_px[0] - reach) & (y_px <= lines.y_px[-1] + reach)
    return near
