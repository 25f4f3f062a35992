"""What line-assignment algorithms share: runs of fixations, their mean height, the line for each.

The algorithms of Carr et al. 2022 differ in how they cut the sequence of fixations into pieces and
in how they join them; what is left is to find the line of each piece, by distance or by position.
The paper gives lengths in pixels for its own text: lines 64 px apart, Courier New of 26.667 px
(characters of 16 px). Here they are defaults in line pitches, and equal the paper's at that size.
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["PAPER_PITCH_PX", "close_runs", "in_order", "length_px", "means", "nearest", "pieces"]

PAPER_PITCH_PX = 64.0
"""Distance of lines in the text of Carr et al. 2022."""


def length_px(name: str, given_px: float | None, pitch_px: float, *, paper_px: float) -> float:
    """The length somebody gave, or the paper's brought to this text's line pitch.

    >>> length_px("x_px", None, 32.0, paper_px=192)
    96.0
    """
    px = paper_px * pitch_px / PAPER_PITCH_PX if given_px is None else given_px
    if not (np.isfinite(px) and px > 0):
        raise ParameterError(f"{name} is {px}; expected a positive number of pixels")
    return float(px)


def pieces(cut: BoolArray) -> IntArray:
    """``(n,)`` number of the piece each fixation is in, from the ``(n - 1,)`` cuts between them.

    >>> pieces(np.array([False, True, False]))
    array([0, 0, 1, 1])
    """
    number: IntArray = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(cut)])
    return number


def close_runs(xy_px: FloatArray, *, x_px: float, y_px: float) -> IntArray:
    """``(n,)`` number of the run each fixation is in: each within reach of the one before."""
    step = np.abs(np.diff(xy_px, axis=0))
    return pieces((step[:, 0] > x_px) | (step[:, 1] > y_px))


def means(values: FloatArray, piece: IntArray) -> FloatArray:
    """Mean of each piece; every piece must hold something."""
    total: FloatArray = np.bincount(piece, weights=values) / np.bincount(piece)
    return total


def nearest(y_px: FloatArray, line_y_px: FloatArray) -> IntArray:
    """Index of the nearest line; halfway between two it is the upper one.

    >>> nearest(np.array([-3.0, 15, 15.1, 99]), np.array([10.0, 20, 30]))
    array([0, 0, 1, 2])
    """
    order = np.argsort(line_y_px, kind="stable")
    y = line_y_px[order]
    found: IntArray = order[np.searchsorted((y[1:] + y[:-1]) / 2, y_px, side="left")]
    return found


def in_order(y_px: FloatArray, weight: "FloatArray | IntArray", line_y_px: FloatArray) -> IntArray:
    """Groups to lines from top to bottom, each group to a line of its own.

    With as many groups as lines that is all there is to it, and what the paper means. Fewer groups
    leave lines empty: which ones, is decided by the least weighted distance between the groups'
    heights and their lines.

    Parameters
    ----------
    y_px, weight
        ``(g,)`` height of each group, from top to bottom, and how many fixations it holds; g is at
        most L.
    line_y_px
        ``(L,)``, ascending.

    Returns
    -------
    ndarray
        ``(g,)`` index of a line, ascending.

    Examples
    --------
    >>> in_order(np.array([17.0, 48.0]), np.ones(2), np.array([10.0, 20.0, 30.0, 40.0]))
    array([1, 3])
    """
    n_groups = len(y_px)
    free = len(line_y_px) - n_groups
    # Group i can only be on the lines i to i + free: one row each of a table, the best so far.
    best = np.zeros(free + 1)
    taken = np.zeros((n_groups, free + 1), dtype=np.int64)
    for i in range(n_groups):
        cost = best + weight[i] * np.abs(line_y_px[i : i + free + 1] - y_px[i])
        best = np.minimum.accumulate(cost)
        fresh = np.concatenate([[True], cost[1:] < best[:-1]])
        taken[i] = np.maximum.accumulate(np.where(fresh, np.arange(free + 1), 0))
    line = np.empty(n_groups, dtype=np.int64)
    shift = free
    for i in range(n_groups - 1, -1, -1):
        shift = int(taken[i, shift])
        line[i] = i + shift
    return line
