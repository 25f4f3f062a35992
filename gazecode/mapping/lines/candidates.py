"""The lines a fixation may belong to, and how it lies to each of them."""

from dataclasses import dataclass

import numpy as np

from gazecode.mapping.lines.geometry import Lines
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Area", "Candidates", "area_of", "candidates"]

REACH_LINES = 5
"""Lines above and below the nearest one that a fixation may belong to."""
FLOOR = 1e-3
"""What a place far outside a line is at least worth against one inside it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """The K lines next to each of n fixations. Distances are in line pitches.

    Attributes
    ----------
    line
        ``(n, K)`` index of the line, ascending and consecutive.
    above
        ``(n, K)`` how far below the line's centre the fixation was recorded.
    down
        ``(n, K)`` where the line is between the text's first (-1) and last (1).
    fit_x
        ``(n, K)`` 1 where the fixation lies within the line's extent, less outside.
    along
        ``(n,)`` where the fixation is between the text's left (-1) and right (1) edge.
    half_size
        Half the text's width and height.
    """

    line: IntArray
    above: FloatArray
    down: FloatArray
    fit_x: FloatArray
    along: FloatArray
    half_size: tuple[float, float]

    def __getitem__(self, rows: "IntArray | BoolArray | slice") -> "Candidates":
        return Candidates(
            line=self.line[rows],
            above=self.above[rows],
            down=self.down[rows],
            fit_x=self.fit_x[rows],
            along=self.along[rows],
            half_size=self.half_size,
        )


Area = tuple[float, float, float, float]


def area_of(lines: Lines) -> Area:
    """Left, first line's centre, right and last line's centre of a text, px."""
    x = float(lines.left_px.min()), float(lines.right_px.max())
    return x[0], float(lines.y_px[0]), x[1], float(lines.y_px[-1])


def candidates(
    xy_px: FloatArray, lines: Lines, *, edge_lines: float, area: Area | None = None
) -> Candidates:
    """Lines a fixation may belong to, with how it lies to them.

    Parameters
    ----------
    edge_lines
        Distance to the left of a line's indentation or right of its end at which a fixation is e
        times less likely, line pitches.
    area
        Where drift is a function of the place; that of the lines if not given.
    """
    pitch = lines.pitch_px
    count = min(len(lines), 2 * REACH_LINES + 1)
    edges = (lines.y_px[1:] + lines.y_px[:-1]) / 2
    nearest = np.searchsorted(edges, xy_px[:, 1])
    line = np.clip(nearest - count // 2, 0, len(lines) - count)[:, None] + np.arange(count)
    left, top, right, bottom = area_of(lines) if area is None else area
    half = max((right - left) / 2, pitch), max((bottom - top) / 2, pitch)
    x = xy_px[:, :1]
    outside = np.maximum(lines.left_px[line] - x, x - lines.right_px[line])
    fit_x = np.exp(-np.maximum(outside, 0.0) / (edge_lines * pitch))
    return Candidates(
        line=line,
        above=(xy_px[:, 1:] - lines.y_px[line]) / pitch,
        down=((lines.y_px - (top + bottom) / 2) / half[1])[line],
        fit_x=np.maximum(fit_x, FLOOR),
        along=np.clip((x[:, 0] - (left + right) / 2) / half[0], -1.5, 1.5),
        half_size=(half[0] / pitch, half[1] / pitch),
    )
