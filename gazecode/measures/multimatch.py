"""MultiMatch: how alike two scan paths are, in five respects.

H. Jarodzka, K. Holmqvist and M. Nyström 2010, doi:10.1145/1743666.1743718; R. Dewhurst et al. 2012,
doi:10.3758/s13428-012-0212-2. Saccades are vectors from fixation to fixation; those of one path
are aligned with those of the other along the cheapest way through the table of their differences
(steps right, down or both; each cell costs the length of the difference of its two vectors). Over
the aligned pairs the medians of five differences are taken:

* shape: length of the difference of the vectors, over twice the screen's diagonal;
* direction: angle between them, over pi;
* length: difference of their lengths, over the diagonal;
* position: distance of their starting points, over the diagonal;
* duration: difference of the fixations they start from, over the longer of the two.

Similarity is 1 less that. Before, a path may be simplified: fixations are dropped between saccades
that go on in one direction, and beside very short saccades, unless they were long.

Deviation: a short saccade at the end is joined with what the path has become by then, not with
what it was; and where two ways cost the same, the step that takes both vectors is preferred.
"""

import math
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Events
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["MultiMatch", "multimatch", "simplified"]

LEAST = 3
"""Fixations of a path that can be compared: two vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiMatch:
    """Five similarities, 1 for identical paths.

    `n_first` and `n_second` are the saccades of each path as compared, `n_aligned` the pairs that
    the medians are over, `left_out` fixations of both without a position.
    """

    shape: float
    direction: float
    length: float
    position: float
    duration: float
    n_first: int
    n_second: int
    n_aligned: int
    left_out: int


def multimatch(
    first: Events,
    second: Events,
    *,
    width_px: float,
    height_px: float,
    simplify: bool = False,
    max_angle_deg: float = 45.0,
    min_length_px: float | None = None,
    max_duration_ms: float = 300.0,
) -> MultiMatch:
    """Compare two scan paths.

    Parameters
    ----------
    first, second
        Fixations of each, in the order of time; at least three with a position.
    width_px, height_px
        The screen, whose diagonal brings lengths to 0..1. Positions far off it can make a
        similarity negative.
    simplify
        Whether to simplify both first (`simplified`), with the next three.
    max_angle_deg, min_length_px, max_duration_ms
        Saccades within this angle are one; so are those shorter than this with a neighbour (a
        tenth of the diagonal if left out); fixations as long as this or longer stay.

    Raises
    ------
    DataError
        A path with fewer than three fixations, before or after it was simplified.
    ParameterError
        A screen without area.

    Examples
    --------
    >>> def path(*places):
    ...     n = len(places)
    ...     onset = np.arange(n) * 250.0
    ...     kind = ["fixation"] * n
    ...     return Events(kind=kind, onset_ms=onset, offset_ms=onset + 200, xy_px=places)
    >>> a, b = path((0, 0), (300, 0), (300, 400)), path((0, 50), (300, 50), (300, 450))
    >>> said = multimatch(a, b, width_px=600, height_px=800)
    >>> said.shape, said.direction, said.position, said.n_aligned
    (1.0, 1.0, 0.95, 2)
    """
    if not (0 < width_px < math.inf and 0 < height_px < math.inf):
        raise ParameterError(f"the screen is {width_px} by {height_px} px; expected more than 0")
    diagonal = math.hypot(width_px, height_px)
    paths, left_out = [], 0
    for events in (first, second):
        known = ~np.isnan(events.xy_px[:, 0])
        left_out += int((~known).sum())
        xy, spent = events.xy_px[known], events.duration_ms[known]
        if simplify and len(xy) >= LEAST:
            kept = simplified(
                xy,
                spent,
                max_angle_deg=max_angle_deg,
                min_length_px=diagonal / 10 if min_length_px is None else min_length_px,
                max_duration_ms=max_duration_ms,
            )
            xy, spent = xy[kept], spent[kept]
        if len(xy) < LEAST:
            raise DataError(
                f"a scan path has {len(xy)} fixations to compare; expected at least {LEAST}"
            )
        paths.append((xy, spent))
    (a_xy, a_ms), (b_xy, b_ms) = paths
    a, b = np.diff(a_xy, axis=0), np.diff(b_xy, axis=0)
    apart = np.hypot(a[:, None, 0] - b[:, 0], a[:, None, 1] - b[:, 1])
    i, j = _cheapest_way(apart)
    turn = np.abs(np.arctan2(a[i, 1], a[i, 0]) - np.arctan2(b[j, 1], b[j, 0]))
    lengths = np.abs(np.hypot(*a[i].T) - np.hypot(*b[j].T))
    places = np.hypot(*(a_xy[i] - b_xy[j]).T)
    spent = np.abs(a_ms[i] - b_ms[j]) / np.maximum(a_ms[i], b_ms[j])
    return MultiMatch(
        shape=1 - float(np.median(apart[i, j])) / (2 * diagonal),
        direction=1 - float(np.median(np.minimum(turn, 2 * np.pi - turn))) / math.pi,
        length=1 - float(np.median(lengths)) / diagonal,
        position=1 - float(np.median(places)) / diagonal,
        duration=1 - float(np.median(spent)),
        n_first=len(a),
        n_second=len(b),
        n_aligned=len(i),
        left_out=left_out,
    )


def simplified(
    xy_px: FloatArray,
    duration_ms: FloatArray,
    *,
    max_angle_deg: float,
    min_length_px: float,
    max_duration_ms: float,
) -> IntArray:
    """Which fixations a simplified path keeps: `multimatch` says by what rules.

    Direction and length take turns until neither drops a fixation; no fixation is dropped in the
    same turn as the one before it.

    >>> xy = np.array([[0, 0], [100, 0], [200, 10], [200, 300]], float)
    >>> simplified(xy, np.full(4, 200.0), max_angle_deg=45, min_length_px=0, max_duration_ms=300)
    array([0, 2, 3])
    """
    kept = np.arange(len(xy_px))
    while True:
        before = len(kept)
        kept = _without(
            kept, _in_line(xy_px[kept], duration_ms[kept], max_angle_deg, max_duration_ms)
        )
        kept = _without(
            kept, _too_near(xy_px[kept], duration_ms[kept], min_length_px, max_duration_ms)
        )
        if len(kept) == before:
            return kept


def _without(kept: IntArray, dropped: list[int]) -> IntArray:
    return np.delete(kept, dropped)


def _in_line(
    xy_px: FloatArray, duration_ms: FloatArray, max_angle_deg: float, max_duration_ms: float
) -> list[int]:
    """Brief fixations between two saccades in much the same direction."""
    step = np.diff(xy_px, axis=0)
    way = np.arctan2(step[:, 1], step[:, 0])
    turn = np.abs(np.diff(way))
    turn = np.degrees(np.minimum(turn, 2 * np.pi - turn))
    straight = (turn < max_angle_deg) & (duration_ms[1:-1] < max_duration_ms)
    return _every_other((np.flatnonzero(straight) + 1).tolist())


def _too_near(
    xy_px: FloatArray, duration_ms: FloatArray, min_length_px: float, max_duration_ms: float
) -> list[int]:
    """Far ends of short saccades with a brief fixation at either end; of the last the near end."""
    length = np.hypot(*np.diff(xy_px, axis=0).T)
    brief = duration_ms < max_duration_ms
    short = (length < min_length_px) & (brief[1:] | brief[:-1])
    last = len(length)
    dropped = _every_other([k for k in (np.flatnonzero(short) + 1).tolist() if k < last])
    if last > 1 and short[-1] and last - 1 not in dropped and last - 2 not in dropped:
        dropped.append(last - 1)
    return dropped


def _every_other(places: list[int]) -> list[int]:
    """From successive numbers every second one, beginning with the first."""
    taken: list[int] = []
    for place in places:
        if not taken or place > taken[-1] + 1:
            taken.append(place)
    return taken


def _cheapest_way(cost: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows and columns of the cheapest way from corner to corner, both ends included.

    A row at a time: with the costs up to each cell taken off, the best way along a row is a running
    minimum.
    """
    n, m = cost.shape
    total = np.empty((n, m))
    total[0] = np.cumsum(cost[0])
    for i in range(1, n):
        above = total[i - 1]
        come = above.copy()
        np.minimum(come[1:], above[:-1], out=come[1:])
        along = np.cumsum(cost[i])
        before = along - cost[i]
        total[i] = np.minimum.accumulate(come - before) + along
    i, j = n - 1, m - 1
    way = [(i, j)]
    while i or j:
        options = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((o for o in options if min(o) >= 0), key=lambda o: total[o])
        way.append((i, j))
    rows, columns = np.array(way[::-1]).T
    return rows, columns
