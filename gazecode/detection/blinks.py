"""Blinks from loss of gaze, and from the disappearance of the pupil.

*Loss.* A tracker that loses the eye for about as long as a lid is down has seen a blink: 50 to 500
ms of loss beside gaze. The limits are conventions around the 100 to 400 ms that blinks mostly last;
shorter losses are flickers of the tracker, longer ones somebody looking away. How open the lid is
tells more (M. Nyström et al. 2024, doi:10.3758/s13428-023-02333-9), but few trackers say it.

*Pupil.* R. Hershman, A. Henik and N. Cohen 2018, doi:10.3758/s13428-017-1008-1: while the lid comes
down the pupil seems to shrink, and to grow while it goes up, faster than noise. From where the
pupil is missing, the edges are moved outwards as long as the pupil, smoothed over 10 ms, goes on
falling before or rising after it; noise ends that soon.

Deviates: limits of duration, and of an edge (theirs has none; where a record has no noise it would
run far). Both ask that the eye was seen just before or just after: a blink may be cut by the end of
a recording or by a break, but a part without any gaze is none. Rows that are absent altogether are
a gap, not a blink.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import groups
from gazecode.detection.segments import MIN_GAP_MS, Runs, Stretches, find_runs, stretches_within
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_blink_loss", "detect_blink_pupil"]

SMOOTHING_MS = 10.0
ROUNDING = 1e-9
"""Changes of the smoothed pupil below this share of its size are rounding."""


def detect_blink_loss(
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all detectors
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    min_duration_ms: float = 50.0,
    max_duration_ms: float = 500.0,
    max_island_ms: float = 20.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Blinks where gaze is lost for as long as a blink lasts.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN. Absent ones are a gap, which is no blink.
    screen, px_per_deg
        Without effect.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    min_duration_ms, max_duration_ms
        Of the loss, islands included.
    max_island_ms
        Samples between two losses that last at most this long belong to the blink: a half-closed
        lid lets the tracker guess. 0 keeps losses apart.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Blinks, half-open, with `first` and `last`; their places are NaN.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> x = np.where((np.arange(100) >= 40) & (np.arange(100) < 60), np.nan, 300.0)
    >>> samples = Samples(t_ms=np.arange(100) * 4.0, xy_px=np.stack([x, x], axis=1))
    >>> detect_blink_loss(samples).to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
        kind  onset_ms  offset_ms  first  last
    0  blink     160.0      240.0     40    60
    """
    _check(
        px_per_deg,
        min_duration_ms,
        max_duration_ms,
        max_island_ms=max_island_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    missing = stretches_within(samples.lost, runs.part)
    return _blinks(
        samples,
        runs,
        missing,
        missing,
        max_island_ms=max_island_ms,
        limits_ms=(min_duration_ms, max_duration_ms),
    )


def detect_blink_pupil(
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all detectors
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    min_duration_ms: float = 50.0,
    max_duration_ms: float = 500.0,
    max_island_ms: float = 100.0,
    max_edge_ms: float = 100.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Blinks where the pupil is missing, from where it begins to shrink to where it is back.

    Parameters
    ----------
    samples
        Gaze with the size of the pupil, in any unit; missing is NaN or not above 0. Without any
        size there are no blinks.
    screen, px_per_deg
        Without effect.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    min_duration_ms, max_duration_ms
        Of the time without a pupil, islands included, edges not.
    max_island_ms
        Blinks at most this far apart are one.
    max_edge_ms
        How far an edge may be moved outwards at most.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Blinks, half-open, with `first` and `last`; their places are NaN.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> pupil = np.tile([4.0, 4.1], 50)
    >>> pupil[36:44] = [4, 3, 2, np.nan, np.nan, np.nan, 2, 3]
    >>> samples = Samples(t_ms=np.arange(100) * 20.0, xy_px=np.zeros((100, 2)), pupil=pupil)
    >>> detect_blink_pupil(samples).to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
        kind  onset_ms  offset_ms  first  last
    0  blink     700.0      920.0     35    46
    """
    _check(
        px_per_deg,
        min_duration_ms,
        max_duration_ms,
        max_island_ms=max_island_ms,
        max_edge_ms=max_edge_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    missing = ~(np.asarray(samples.pupil) > 0)
    inner = stretches_within(missing, runs.part)
    return _blinks(
        samples,
        runs,
        inner,
        _widened(samples, runs, missing, inner, max_edge_ms=max_edge_ms),
        max_island_ms=max_island_ms,
        limits_ms=(min_duration_ms, max_duration_ms),
    )


def _check(
    px_per_deg: float, min_duration_ms: float, max_duration_ms: float, **others: float
) -> None:
    above_zero(px_per_deg=px_per_deg, max_duration_ms=max_duration_ms)
    at_least_zero(min_duration_ms=min_duration_ms, **others)
    if max_duration_ms < min_duration_ms:
        raise ParameterError(
            f"min_duration_ms is {min_duration_ms} and max_duration_ms {max_duration_ms}; "
            "expected the shortest blink not to be longer than the longest"
        )


def _blinks(
    samples: Samples,
    runs: Runs,
    missing: Stretches,
    edges: Stretches,
    *,
    max_island_ms: float,
    limits_ms: tuple[float, float],
) -> Events:
    """Blinks ``[onset, end)`` around what is missing ``[first, last)``, near ones made one."""
    (first, last), (onset, end) = missing, edges
    pause = samples.t_ms[onset[1:]] - runs.end_ms[end[:-1] - 1]
    near = (pause <= max_island_ms + TOLERANCE_MS) & (runs.part[first[1:]] == runs.part[first[:-1]])
    head, tail = groups(near, len(first))
    first, last, onset, end = first[head], last[tail], onset[head], end[tail]
    duration = runs.end_ms[last - 1] - samples.t_ms[first]
    kept = _seen_beside(runs, first, last)
    kept &= (duration >= limits_ms[0] - TOLERANCE_MS) & (duration <= limits_ms[1] + TOLERANCE_MS)
    return assemble(samples, runs, {"blink": (onset[kept], end[kept])})


def _seen_beside(runs: Runs, first: IntArray, last: IntArray) -> BoolArray:
    """Whether the eye was seen just before or after, without a gap or break between."""
    part = np.concatenate(([-1], runs.part, [-1]))
    seen: BoolArray = (part[first] == part[first + 1]) | (part[last + 1] == part[last])
    return seen


def _widened(
    samples: Samples,
    runs: Runs,
    missing: BoolArray,
    pieces: Stretches,
    *,
    max_edge_ms: float,
) -> Stretches:
    """Edges of ``[first, last)``, moved outwards where the pupil falls before or rises after.

    The sample from which it falls, and the one to which it rises, belong to the blink.
    """
    first, last = pieces
    n = len(samples)
    mean = _smoothed(samples, runs, missing)
    # step[i] leads from sample i - 1 to sample i, where both are seen and of one part.
    step = np.full(n + 1, np.nan)
    step[1:n] = np.where(np.diff(runs.part) == 0, np.diff(mean), np.nan)
    least = ROUNDING * np.nanmax(mean, initial=0.0)
    index = np.arange(n + 1)
    no_fall = np.maximum.accumulate(np.where(step < -least, 0, index))
    no_rise = np.minimum.accumulate(np.where(step > least, n, index)[::-1])[::-1]
    before, after = np.maximum(first - 1, 0), np.minimum(last, n - 1)
    falls = (step[before] < -least) & (runs.part[before] == runs.part[first])
    rises = (step[after + 1] > least) & (runs.part[after] == runs.part[last - 1])
    onset = np.where(falls, no_fall[before], first)
    end = np.where(rises, no_rise[after + 1], last)
    reach = max_edge_ms + TOLERANCE_MS
    earliest = np.searchsorted(samples.t_ms, samples.t_ms[first] - reach)
    latest = np.searchsorted(runs.end_ms, runs.end_ms[last - 1] + reach)
    return np.maximum(onset, earliest), np.maximum(np.minimum(end, latest), last)


def _smoothed(samples: Samples, runs: Runs, missing: BoolArray) -> FloatArray:
    """Mean of the pupil over `SMOOTHING_MS` around each sample, ``(n,)``; NaN where missing."""
    t_ms, size, n = samples.t_ms, np.asarray(samples.pupil), len(samples)
    borders = missing | np.concatenate(([False], missing[:-1]))
    borders |= np.diff(runs.part, prepend=-1) != 0
    edges = np.append(np.flatnonzero(borders), n)
    number = np.cumsum(borders) - 1
    half = SMOOTHING_MS / 2 + TOLERANCE_MS
    start = np.maximum(np.searchsorted(t_ms, t_ms - half), edges[number])
    stop = np.minimum(np.searchsorted(t_ms, t_ms + half, side="right"), edges[number + 1])
    sums = np.concatenate(([0.0], np.cumsum(np.where(missing, 0.0, size))))
    return np.where(missing, np.nan, (sums[stop] - sums[start]) / (stop - start))
