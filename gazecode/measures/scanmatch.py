"""ScanMatch: how alike two scan paths are as sequences of places, each as long as it was looked at.

F. Cristino, S. Mathôt, J. Theeuwes and I. D. Gilchrist 2010, doi:10.3758/BRM.42.3.692. The screen
is a grid of bins (or any areas: lines, labels); a fixation is its bin, repeated once per
`bin_ms`; two sequences are aligned (`gazecode.measures.needleman`) with a score for every pair of
bins that falls with their distance, and the best score is divided by that of the longer sequence
matched with itself:

    score / (largest substitution score * length of the longer sequence)

1 for identical paths; with gaps at 0 never below 0. Bins, time and the distance at which a score
is 0 are parameters of the method, and figures of different settings do not compare: report them.
Here they are 12 by 8 bins, 50 ms and 3.5 bins unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.measures.needleman import prefix_scores
from gazecode.model import Events
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["ScanMatch", "grid_substitution", "scanmatch", "scanmatch_grid", "timed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanMatch:
    """What the alignment of two paths scored.

    Attributes
    ----------
    score, similarity
        Raw, and divided by the score of the longer one with itself; NaN where both are empty.
    n_first, n_second
        Lengths of the two sequences, in bins of time.
    left_out
        Fixations of both without a position or beside the grid.
    """

    score: float
    similarity: float
    n_first: int
    n_second: int
    left_out: int = 0


def scanmatch(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    substitution: npt.ArrayLike | None = None,
    gap: float = 0.0,
    left_out: int = 0,
) -> ScanMatch:
    """Compare two sequences of areas.

    Parameters
    ----------
    first, second
        Numbers of areas from 0: tokens, lines, labels, bins; `timed` repeats them by duration.
    substitution
        ``(s, s)`` score of each area in place of each other, symmetric, largest on its diagonal.
        Left out: 1 for the same area and -1 for any other.
    gap
        Score of an element without partner, 0 or below.
    left_out
        Passed on to the result.

    Raises
    ------
    ParameterError
        A substitution that is not square or whose largest score is not above 0, or a gap above 0.
    DataError
        A number that the substitution does not hold.

    Examples
    --------
    >>> scanmatch([0, 1, 2], [0, 1, 2]).similarity, scanmatch([0, 1, 2], [0, 2]).score
    (1.0, 2.0)
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    size = int(max(a.max(initial=-1), b.max(initial=-1))) + 1
    table = (
        2.0 * np.eye(size) - 1.0
        if substitution is None
        else np.asarray(substitution, dtype=np.float64)
    )
    if not gap <= 0:
        raise ParameterError(f"gap is {gap}; expected a penalty, 0 or below")
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ParameterError(f"substitution has shape {table.shape}; expected (s, s)")
    if size > len(table) or min(a.min(initial=0), b.min(initial=0)) < 0:
        raise DataError(f"areas are numbered to {size - 1}; the substitution has {len(table)}")
    longest = max(len(a), len(b))
    if not longest:
        return ScanMatch(
            score=0.0, similarity=float("nan"), n_first=0, n_second=0, left_out=left_out
        )
    best = float(table.max())
    if not best > 0:
        raise ParameterError(f"the largest substitution score is {best}; expected above 0")
    score = float(prefix_scores(table[:, a], b, gap=gap)[-1])
    return ScanMatch(
        score=score,
        similarity=score / (best * longest),
        n_first=len(a),
        n_second=len(b),
        left_out=left_out,
    )


def scanmatch_grid(
    first: Events,
    second: Events,
    *,
    width_px: float,
    height_px: float,
    columns: int = 12,
    rows: int = 8,
    bin_ms: float = 50.0,
    threshold_bins: float = 3.5,
    gap: float = 0.0,
) -> ScanMatch:
    """Compare two scan paths on a grid.

    Parameters
    ----------
    first, second
        Fixations of each, in the order of time.
    width_px, height_px, columns, rows
        The grid; fixations beside it or without a position are left out and counted.
    bin_ms
        A fixation counts once per so many ms, at least once; 0: once whatever it lasted.
    threshold_bins
        Distance, in bins, of two bins whose substitution scores 0.
    gap
        Score of an element without partner.

    Examples
    --------
    >>> def path(*places):
    ...     n = len(places)
    ...     onset = np.arange(n) * 250.0
    ...     kind = ["fixation"] * n
    ...     return Events(kind=kind, onset_ms=onset, offset_ms=onset + 200, xy_px=places)
    >>> a, b = path((100, 100), (800, 500)), path((100, 120), (1800, 900))
    >>> same = scanmatch_grid(a, a, width_px=1920, height_px=1080)
    >>> same.similarity, same.n_first
    (1.0, 8)
    >>> scanmatch_grid(a, b, width_px=1920, height_px=1080).similarity
    0.5
    """
    for name, value in (("width_px", width_px), ("height_px", height_px), ("bin_ms", bin_ms)):
        if not value >= 0 or (value == 0 and name != "bin_ms"):
            raise ParameterError(f"{name} is {value}; expected more than 0")
    numbers, lost = [], 0
    for events in (first, second):
        x, y = events.xy_px.T
        # A comparison with NaN is false: what has no position is not inside.
        inside = (x >= 0) & (x < width_px) & (y >= 0) & (y < height_px)
        lost += int((~inside).sum())
        column = np.floor(x[inside] / width_px * columns).astype(np.int64)
        row = np.floor(y[inside] / height_px * rows).astype(np.int64)
        numbers.append(timed(row * columns + column, events.duration_ms[inside], bin_ms=bin_ms))
    table = grid_substitution(columns, rows, threshold_bins=threshold_bins)
    return scanmatch(*numbers, substitution=table, gap=gap, left_out=lost)


def grid_substitution(columns: int, rows: int, *, threshold_bins: float = 3.5) -> FloatArray:
    """Threshold less distance for every pair of bins, numbered row by row.

    >>> grid_substitution(2, 1, threshold_bins=3.0)
    array([[3., 2.],
           [2., 3.]])
    """
    if columns < 1 or rows < 1 or not threshold_bins > 0:
        raise ParameterError(
            f"a grid of {columns} by {rows} bins with a threshold of {threshold_bins}; "
            "expected at least one bin and a distance above 0"
        )
    row, column = np.divmod(np.arange(columns * rows), columns)
    distance = np.hypot(row[:, None] - row, column[:, None] - column)
    table: FloatArray = threshold_bins - distance
    return table


def timed(
    area: npt.ArrayLike, duration_ms: Sequence[float] | FloatArray, *, bin_ms: float
) -> IntArray:
    """Repeat each area once per `bin_ms` of its duration, rounded, at least once.

    >>> timed([4, 7], [120, 20], bin_ms=50)
    array([4, 4, 7])
    """
    areas = np.asarray(area, dtype=np.int64)
    if not bin_ms:
        return areas
    count = np.maximum(np.rint(np.asarray(duration_ms) / bin_ms).astype(np.int64), 1)
    return np.repeat(areas, count)
