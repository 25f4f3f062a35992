"""A fixation whose line is not certain, as several points: one at the height of each line."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gazecode.errors import DataError
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.view import place
from gazecode.model import Events, Layout
from gazecode.model.checks import FloatArray, IntArray, repeated

__all__ = ["MIN_LINE_SHARE", "LinePoints", "line_points"]

MIN_LINE_SHARE = 1e-6
"""Lines less probable than this are left out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinePoints:
    """One row per fixation and line that it may be on.

    Attributes
    ----------
    events
        The fixation at the height of the line, on the screen.
    fixation, line
        ``(p,)`` its number, and the number of the line.
    share
        ``(p,)`` how probable the line is; of one fixation at most 1 in all.
    """

    events: Events
    fixation: IntArray
    line: IntArray
    share: FloatArray

    def by_line(self, layout: Layout) -> Iterator[tuple[IntArray, Layout]]:
        """Rows on each line, and the layout with the boxes of that line alone."""
        rows = np.argsort(self.line, kind="stable")
        number, first = np.unique(self.line[rows], return_index=True)
        by_line = np.argsort(layout.line, kind="stable")
        begin = np.searchsorted(layout.line[by_line], number, side="left")
        end = np.searchsorted(layout.line[by_line], number, side="right")
        for part, low, high in zip(np.split(rows, first[1:]), begin, end, strict=False):
            box = np.sort(by_line[low:high])
            yield (
                part,
                replace(
                    layout, boxes=layout.boxes[box], token=layout.token[box], line=layout.line[box]
                ),
            )


def line_points(fixations: Events, layout: Layout) -> LinePoints:
    """Every fixation at the height of every line with a probability worth the name.

    Parameters
    ----------
    fixations
        With `line_shares`, whose columns are the lines of the layout.
    layout
        The one they were assigned on.

    Raises
    ------
    DataError
        Shares of more or fewer lines than the layout has.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 90, 20], [0, 30, 90, 50]],
    ...     token=[0, 1],
    ...     line=[0, 1],
    ...     n_tokens=2,
    ...     line_height_px=30,
    ... )
    >>> one = Events(
    ...     kind=["fixation"],
    ...     onset_ms=[0],
    ...     offset_ms=[200],
    ...     xy_px=[[40, 23]],
    ...     line_shares=[[0.25, 0.75]],
    ... )
    >>> points = line_points(one, layout)
    >>> points.events.xy_px.tolist(), points.share
    ([[40.0, 10.0], [40.0, 40.0]], array([0.25, 0.75]))
    """
    lines = Lines.of(layout)
    shares = fixations.line_shares
    width = 0 if shares is None else shares.shape[1]
    if shares is None or width != len(lines):
        raise DataError(
            f"fixations have shares of {width} lines, the layout has {len(lines)}; expected "
            "fixations assigned on this layout: assign_lines(fixations, layout)"
        )
    row, column = np.nonzero(shares >= MIN_LINE_SHARE)
    scroll = place(fixations, layout).scroll_px[row, 1]
    total = np.maximum(shares.sum(axis=1), 1.0)
    return LinePoints(
        events=Events(
            kind=repeated("fixation", len(row)),
            onset_ms=fixations.onset_ms[row],
            offset_ms=fixations.offset_ms[row],
            xy_px=np.column_stack([fixations.xy_px[row, 0], lines.y_px[column] - scroll]),
        ),
        fixation=row,
        line=lines.number[column],
        share=(shares / total[:, None])[row, column],
    )
