"""Dispersion threshold (I-DT): D. D. Salvucci and J. H. Goldberg 2000, doi:10.1145/355017.355028.

From a first sample on a window of the minimum duration is opened. If its dispersion, (max x - min
x) + (max y - min y), is within the threshold, the window grows until one more sample would exceed
it: a fixation, and the next window opens at that sample. If not, the first sample is dropped.

Deviates: a lost sample, a gap or a break ends the window (the paper does not treat them).

Exact and fast: the extrema over 1, 2, 4, ... samples are tabulated. Two of them, overlapping, give
the dispersion of every shortest window at once. A window then grows by running extrema; where many
short fixations may begin, the furthest end is found for all first samples together, by the longest
tabulated step that still fits, then the next shorter one, and so on.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import TOLERANCE_DEG, TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.segments import MIN_GAP_MS, Stretches, find_runs
from gazecode.detection.velocity import directions
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_idt"]

CHUNK = 1 << 13
"""First samples treated at once: the tables of a chunk stay in the processor's cache."""
FEW = 64
"""Where windows hold at least this many samples fixations are few, and grow one by one."""


def detect_idt(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    max_dispersion_deg: float = 1.0,
    min_duration_ms: float = 100.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Fixations where gaze stays within a small area.

    Parameters
    ----------
    samples
        Gaze on any clock; a lost sample (NaN) ends a window.
    screen, px_per_deg
        With millimetres and distance azimuth and elevation are exact; otherwise `px_per_deg` holds
        everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    max_dispersion_deg
        Largest range of azimuth plus range of elevation, to 1e-9 deg.
    min_duration_ms
        Shortest ``offset - onset``, to 1e-6 ms.
    min_gap_ms
        A step between stamps longer than this and than three median steps ends a window.

    Returns
    -------
    Events
        Fixations, half-open, with `first` and `last`. The method knows no saccades.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> x = np.repeat([0.0, 400.0], 15)
    >>> samples = Samples(t_ms=np.arange(30) * 10.0, xy_px=np.stack([x, x], axis=1))
    >>> detect_idt(samples).to_frame()[["onset_ms", "offset_ms", "x_px", "first", "last"]]
       onset_ms  offset_ms   x_px  first  last
    0       0.0      150.0    0.0      0    15
    1     150.0      305.0  400.0     15    30
    """
    above_zero(px_per_deg=px_per_deg, max_dispersion_deg=max_dispersion_deg)
    at_least_zero(min_duration_ms=min_duration_ms, min_gap_ms=min_gap_ms)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    limit = max_dispersion_deg + TOLERANCE_DEG
    # One past the first sample that makes the window long enough, itself at least.
    enough = samples.t_ms + (min_duration_ms - TOLERANCE_MS)
    shortest = 1 + np.maximum(np.searchsorted(runs.end_ms, enough), np.arange(len(samples)))
    stop = np.where(shortest <= runs.stop, runs.stop, 0)
    fixed = _windows(_extrema(gaze.deg), shortest, stop, limit=limit)
    return assemble(samples, runs, {"fixation": fixed})


def _extrema(deg: FloatArray) -> FloatArray:
    """Azimuth, elevation and their negatives ``(4, n)``: the minimum is a maximum, too."""
    # Any number will do for a lost sample: no window reaches it.
    known = np.nan_to_num(deg.T, nan=0.0)
    return np.concatenate((known, -known))


def _dispersion(high: FloatArray) -> FloatArray:
    total: FloatArray = (high[0] + high[2]) + (high[1] + high[3])
    return total


def _windows(values: FloatArray, shortest: IntArray, stop: IntArray, *, limit: float) -> Stretches:
    """First and one past the last sample of every fixation.

    `shortest` is where each first sample's window becomes long enough, `stop` where its run ends
    (0 where the run is too short for any window).
    """
    n = len(stop)
    first: list[int] = []
    last: list[int] = []
    free = 0
    for begin in range(0, n, CHUNK):
        index = np.arange(max(begin, free), min(begin + CHUNK, n))
        index = index[stop[index] > 0]
        if not index.size:
            continue
        index = index[_still(values, index, shortest[index], limit=limit)]
        length = shortest[index] - index
        ends = None
        if index.size and length.min() < FEW:
            levels = int(length.max()).bit_length() + 2
            ends = _furthest(values, index, stop[index], levels=levels, limit=limit).tolist()
        starts = index.tolist()
        k = 0
        while k < len(starts):
            start = starts[k]
            free = 0 if ends is None else ends[k]
            if not free:
                free = _grow(values, start, int(stop[start]), ahead=4 * length[k], limit=limit)
            first.append(start)
            last.append(free)
            k = bisect_left(starts, free, k)
    return np.array(first, dtype=np.int64), np.array(last, dtype=np.int64)


def _still(values: FloatArray, index: IntArray, shortest: IntArray, *, limit: float) -> BoolArray:
    """Whether the shortest window from each first sample is within the limit."""
    origin = int(index[0])
    # Two stretches of 2**level samples cover a window of up to twice that length.
    level = np.frexp(shortest - index)[1] - 1
    table = _maxima(values[:, origin : int(shortest.max())], levels=int(level.max()) + 1)
    still = np.zeros(len(index), dtype=np.bool_)
    for k in range(int(level.min()), len(table)):
        rows = np.flatnonzero(level == k)
        head = table[k].take(index[rows] - origin, axis=1)
        tail = table[k].take(shortest[rows] - origin - (1 << k), axis=1)
        still[rows] = _dispersion(np.maximum(head, tail)) <= limit
    return still


def _furthest(
    values: FloatArray, index: IntArray, stop: IntArray, *, levels: int, limit: float
) -> IntArray:
    """One past the last sample of each window; 0 if it may reach ``2**levels - 1`` samples on."""
    origin = int(index[0])
    table = _maxima(values[:, origin : int(index[-1]) + (1 << levels)], levels=levels)
    end = index - origin
    stop = stop - origin
    high = np.full((4, len(index)), -np.inf)
    for level, row in reversed(list(enumerate(table))):
        longer = end + (1 << level)
        # A step beyond the table is beyond the run as well; it is refused below.
        grown = np.maximum(high, row.take(np.minimum(end, row.shape[1] - 1), axis=1))
        fits = (longer <= stop) & (_dispersion(grown) <= limit)
        end = np.where(fits, longer, end)
        np.copyto(high, grown, where=fits)
    end += origin
    return np.where(end - index < (1 << levels) - 1, end, 0)


def _maxima(values: FloatArray, *, levels: int) -> list[FloatArray]:
    """Maxima over 1, 2, 4, ... samples from each sample on, as far as there are samples."""
    table = [values]
    for level in range(1, levels):
        half, below = 1 << (level - 1), table[-1]
        if below.shape[1] <= half:
            break
        table.append(np.maximum(below[:, :-half], below[:, half:]))
    return table


def _grow(values: FloatArray, start: int, stop: int, *, ahead: int, limit: float) -> int:
    """One past the last sample of a window, by looking `ahead`, then ever further."""
    while True:
        end = min(start + ahead, stop)
        reach = np.maximum.accumulate(values[:, start:end], axis=1)
        wide = _dispersion(reach) > limit
        if wide[-1]:
            return start + int(wide.argmax())
        if end == stop:
            return stop
        ahead *= 4
