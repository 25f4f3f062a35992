"""Forward sequences are merged, best fit first, until there are as many as lines.

O. Špakov, H. Istance, A. Hyrskykari, H. Siirtola & K.-J. Räihä 2019,
doi:10.3758/s13428-018-1120-x, as described by Carr et al. 2022, doi:10.3758/s13428-021-01554-0.
A sequence goes on while the next fixation lies further right and at the same height. Two sequences
may be merged when a straight line through all their fixations is nearly level and fits well; of
all pairs the best fit is merged, over and over. In four phases the pairs looked at become more:
sequences of three and more fixations only, one of them shorter, both shorter, and in the end any
two however badly they fit. What is left goes to the lines in positional order. Assumes that every
line was read.

Deviates: thresholds of 32 and 20 px are 0.5 and 0.31 line pitches here, the same on the paper's
text. In the second phase either of the two may be the long one. Of pairs that fit equally well,
as two single fixations always do, the first in time is merged. Fewer sequences than lines go to the
lines they are nearest to, in order.

Cost: all pairs once a phase, then one row of pairs a merger: quadratic in the sequences, no matrix
is kept. 0.01 s for 200 fixations on 12 lines, 0.1 s for 1,000 on 60, 0.7 s for 5,000 on 300.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import in_order, length_px, pieces
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["merge"]

_LONG = 3
"""Fixations from which a sequence counts as long in the first phases."""
_SAME_X = 1e-9
"""Spread of x, px² a fixation, below which all stand above each other and no slope is known."""
_GRAIN = 2.0**-14
"""Precision of an error, as a share of the greatest."""
_PHASES = ((_LONG, _LONG, True), (1, _LONG, True), (1, 1, True), (1, 1, False))
"""Fixations at least in the shorter and the longer of a pair; whether the fit must be good."""


def merge(
    xy_px: FloatArray,
    lines: Lines,
    *,
    y_px: float | None = None,
    slope: float = 0.1,
    error_px: float | None = None,
) -> IntArray:
    """Merge sequences that lie on a common line until each line has one.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text.
    y_px
        A sequence ends where the next fixation is higher or lower by more than this: by default
        half a line pitch (the paper's 32 px at its 64 px).
    slope
        Greatest slope of the line through a merged pair, px per px.
    error_px
        Greatest root mean square distance from it: by default 0.31 pitches (20 px).

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Raises
    ------
    ParameterError
        A threshold that is not positive.

    Examples
    --------
    Two sequences on one line, and one on the next:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> merge(np.array([[10.0, 12], [60, 13], [30, 12], [80, 13], [10, 41]]), lines)
    array([0, 0, 0, 0, 1])
    """
    jump = length_px("y_px", y_px, lines.pitch_px, paper_px=32)
    error = length_px("error_px", error_px, lines.pitch_px, paper_px=20)
    if not slope > 0:
        raise ParameterError(f"slope is {slope}; expected a positive number")
    step = np.diff(xy_px, axis=0)
    sequence = pieces((step[:, 0] < 0) | (np.abs(step[:, 1]) > jump))
    sums = _sums(xy_px, sequence)
    group = _merged(sums, len(lines), slope=slope, error_px=error)
    number, group = np.unique(group, return_inverse=True)
    total = np.stack([np.bincount(group, weights=column) for column in sums.T], axis=1)
    height = total[:, 2] / total[:, 0] + xy_px[:, 1].mean()
    order = np.argsort(height, kind="stable")
    line = np.empty(len(number), dtype=np.int64)
    line[order] = in_order(height[order], total[order, 0], lines.y_px)
    return line[group][sequence]


def _sums(xy_px: FloatArray, sequence: IntArray) -> FloatArray:
    """``(s, 6)`` count and sums of x, y, x², xy, y² of each sequence: all that a fit needs.

    Around the mean of all fixations, so that squares keep their digits.
    """
    x, y = (xy_px - xy_px.mean(axis=0)).T
    columns = (np.ones(len(x)), x, y, x * x, x * y, y * y)
    return np.stack([np.bincount(sequence, weights=column) for column in columns], axis=1)


def _fit(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Slope, and root mean square distance, of the straight line through what the sums hold."""
    n, x, y, xx, xy, yy = sums.T
    spread_x, shared, spread_y = xx - x * x / n, xy - x * y / n, yy - y * y / n
    slope = np.divide(shared, spread_x, out=np.zeros(len(n)), where=spread_x > _SAME_X * n)
    return slope, np.sqrt(np.maximum(spread_y - slope * shared, 0.0) / n)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rule:
    """Which pairs a phase may merge."""

    shorter: int
    longer: int
    slope: float
    error_px: float


class _Pool:
    """Groups of sequences; for each the best partner among those after it.

    Parameters
    ----------
    sums
        As `_sums` gives them, one row a group.
    grain_px
        Errors are equal to this precision, and of equal ones the first pair is taken: two points
        fit any line but for their rounding, which is to decide nothing.
    """

    def __init__(self, sums: FloatArray, *, grain_px: float) -> None:
        self.sums = sums.copy()
        self.grain_px = grain_px
        self.alive = np.ones(len(sums), dtype=bool)
        self.parent = np.arange(len(sums))
        self.error = np.full(len(sums), np.inf)
        self.partner = np.full(len(sums), -1)

    def errors(self, i: int, others: IntArray, rule: _Rule) -> FloatArray:
        """Error of the line through i and each of the others; infinite where they may not merge."""
        both = self.sums[others] + self.sums[i]
        slope, error = _fit(both)
        least = np.minimum(self.sums[others, 0], self.sums[i, 0])
        most = both[:, 0] - least
        allowed = (least >= rule.shorter) & (most >= rule.longer)
        allowed &= (np.abs(slope) < rule.slope) & (error < rule.error_px)
        return np.where(allowed, np.round(error / self.grain_px) * self.grain_px, np.inf)

    def look(self, i: int, rule: _Rule) -> None:
        """Find the best partner of i anew."""
        others = i + 1 + np.flatnonzero(self.alive[i + 1 :])
        errors = self.errors(i, others, rule)
        best = int(errors.argmin()) if len(others) else -1
        self.error[i] = errors[best] if len(others) else np.inf
        self.partner[i] = others[best] if len(others) else -1

    def merge(self, i: int, rule: _Rule) -> None:
        """Merge i with its partner, which is no more."""
        j = int(self.partner[i])
        self.sums[i] += self.sums[j]
        self.alive[j] = False
        self.error[j] = np.inf
        self.parent[j] = i
        before = np.flatnonzero(self.alive[:i])
        changed = self.errors(i, before, rule)
        better = changed < self.error[before]
        self.error[before[better]] = changed[better]
        self.partner[before[better]] = i
        stale = self.alive & np.isin(self.partner, (i, j))
        stale[before[better]] = False
        stale[i] = True
        for k in np.flatnonzero(stale).tolist():
            self.look(k, rule)


def _merged(sums: FloatArray, n_lines: int, *, slope: float, error_px: float) -> IntArray:
    """``(s,)`` group of each sequence, after all the phases."""
    pool = _Pool(sums, grain_px=_GRAIN * error_px)
    left = len(sums)
    for shorter, longer, must_fit in _PHASES:
        rule = _Rule(
            shorter=shorter,
            longer=longer,
            slope=slope if must_fit else np.inf,
            error_px=error_px if must_fit else np.inf,
        )
        if left <= n_lines:
            break
        for i in np.flatnonzero(pool.alive).tolist():
            pool.look(i, rule)
        while left > n_lines:
            i = int(pool.error.argmin())
            if not np.isfinite(pool.error[i]):
                break
            pool.merge(i, rule)
            left -= 1
    return _roots(pool.parent)


def _roots(parent: IntArray) -> IntArray:
    """Where each chain of parents ends."""
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return parent
