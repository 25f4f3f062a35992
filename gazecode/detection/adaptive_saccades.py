"""Saccades whose thresholds adapt to the noise around them, as `gazecode.detection.remodnav` says.

A. H. Dar, A. S. Wagner and M. Hanke 2021, doi:10.3758/s13428-020-01428-x; onset, offset and
oscillation after M. Nyström and K. Holmqvist 2010, doi:10.3758/BRM.42.1.188.
"""

from bisect import bisect
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from gazecode.detection.medians import MAD_TO_SD, median
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Limits", "Saccade", "Seen", "adapted_thresholds", "saccades_of_part"]

LEAST_DEG_S = 5.0
"""The least threshold of onset: gaze without noise, or in whole pixels, would have none."""
SETTLED_DEG_S = 1.0
"""A threshold that moves less than this has settled (Nyström and Holmqvist 2010)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Parameters of `detect_remodnav` that the search for saccades needs."""

    factor: float
    start_deg_s: float
    major_hz: float
    context_ms: float
    between_ms: float
    saccade_ms: float
    pso_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saccade:
    """Samples ``[first, last)``; the oscillation after it ends before `settled`."""

    first: int
    last: int
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Speeds, as an array and as a list (for steps from sample to sample), and where they are.

    `start` and `stop` bound the known speeds around a sample; `cut` collects the samples of
    saccades whose beginning or end is lost.
    """

    t_ms: FloatArray
    end_ms: FloatArray
    speed: FloatArray
    median: FloatArray
    steps: list[float]
    start: IntArray
    stop: IntArray
    cut: BoolArray


def adapted_thresholds(
    speed_deg_s: npt.ArrayLike, *, factor: float, start_deg_s: float = 300.0
) -> tuple[float, float]:
    """Thresholds of onset and of peak that fit the noise of some speeds, deg/s.

    Parameters
    ----------
    speed_deg_s
        ``(n,)`` speeds; NaN does not count.
    factor
        Onset is `factor` standard deviations (1.4826 MAD) above the median, peak twice that.
    start_deg_s
        Speeds from here on are no noise.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = np.hypot(*rng.normal(0, 10, (2, 20_000)))
    >>> [round(limit) for limit in adapted_thresholds(noise, factor=5)]
    [45, 77]
    """
    speed = np.asarray(speed_deg_s, dtype=np.float64)
    speed = speed[speed < start_deg_s]
    peak, onset = start_deg_s, start_deg_s
    while len(speed):
        middle = median(speed)
        spread = factor * MAD_TO_SD * median(np.abs(speed - middle))
        onset = max(middle + spread, LEAST_DEG_S)
        before, peak = peak, max(middle + 2 * spread, 2 * LEAST_DEG_S)
        # Downwards only: speeds once left out stay out, so that it ends.
        if before - peak < SETTLED_DEG_S:
            break
        speed = speed[speed < peak]
    return onset, peak


def saccades_of_part(seen: Seen, a: int, b: int, limits: Limits) -> list[Saccade]:
    """Saccades of one part, in order: major ones, and minor ones between them."""
    majors = _majors(seen, a, b, limits)
    found: list[Saccade] = []
    begin = a
    for major in (*majors, None):
        end = b if major is None else major.first
        found += _minors(seen, begin, end, limits, parted=(begin > a, end < b))
        if major is not None:
            found.append(major)
            begin = major.settled
    return found


def _majors(seen: Seen, a: int, b: int, limits: Limits) -> list[Saccade]:
    steady, speed = seen.median[a:b], seen.speed
    known_ms = float((seen.end_ms[a:b] - seen.t_ms[a:b])[~np.isnan(steady)].sum())
    most = limits.major_hz * known_ms / 1000.0
    _, peak = _thresholds(steady, limits)
    above = _above(steady, peak)
    highest = [float(np.max(steady[i:j])) for i, j in above]
    # By time, so that the neighbours of a new one are at hand.
    found: list[Saccade] = []
    for k in np.argsort(-np.array(highest), kind="stable").tolist():
        if len(found) >= most:
            break
        i, j = above[k]
        at = a + i + int(np.argmax(speed[a + i : a + j]))
        around = seen.t_ms[at] + np.array([-0.5, 0.5]) * limits.context_ms
        left, right = np.clip(np.searchsorted(seen.t_ms, around), a, b)
        both = _thresholds(speed[left:right], limits)
        place = bisect(found, at, key=attrgetter("first"))
        low = found[place - 1].settled if place else a
        high = found[place].first if place < len(found) else b
        if not low <= at < high or speed[at] <= both[1]:
            continue
        one = _around(seen, at, (low, high), both, limits)
        if one and _apart(seen, one, low, high, limits, parted=(low > a, high < b)):
            found.insert(place, one)
    return found


def _minors(
    seen: Seen, a: int, b: int, limits: Limits, *, parted: tuple[bool, bool]
) -> list[Saccade]:
    """Saccades between two major ones, in order; `parted` says which ends are saccades."""
    shortest = 2 * limits.between_ms + limits.saccade_ms + limits.pso_ms
    if b <= a or seen.end_ms[b - 1] - seen.t_ms[a] < shortest:
        return []
    speed = seen.speed[a:b]
    both = _thresholds(speed, limits)
    found: list[Saccade] = []
    low = a
    for i, j in _above(speed, both[1]):
        if a + j <= low:
            continue
        at = a + i + int(np.argmax(speed[i:j]))
        one = _around(seen, max(at, low), (low, b), both, limits)
        if one and _apart(seen, one, low, b, limits, parted=(parted[0] or low > a, parted[1])):
            found.append(one)
            low = one.settled
    return found


def _thresholds(speed: FloatArray, limits: Limits) -> tuple[float, float]:
    return adapted_thresholds(speed, factor=limits.factor, start_deg_s=limits.start_deg_s)


def _above(values: FloatArray, limit: float) -> list[tuple[int, int]]:
    """Stretches of consecutive values above the limit."""
    edges = np.flatnonzero(np.diff(values > limit, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _around(
    seen: Seen, at: int, bounds: tuple[int, int], limits_deg_s: tuple[float, float], limits: Limits
) -> Saccade | None:
    """The saccade whose peak is at a sample; None where its beginning or end is not seen."""
    onset_deg_s = limits_deg_s[0]
    low, high = max(bounds[0], int(seen.start[at])), min(bounds[1], int(seen.stop[at]))
    speed = seen.steps
    first = at
    while first >= low and speed[first] > onset_deg_s:
        first -= 1
    last = at
    while last < high and not _resting(speed, last, high - 1, onset_deg_s):
        last += 1
    if first < low or last >= high:
        if (first < low and low > bounds[0]) or (last >= high and high < bounds[1]):
            seen.cut[max(first, low) : last] = True
        return None
    return Saccade(first=first, last=last, settled=_settled(seen, last, high, limits_deg_s, limits))


def _resting(speed: list[float], i: int, final: int, limit: float) -> bool:
    """Whether speed is within the limit and not lower at the next sample."""
    return speed[i] <= limit and (i == final or speed[i + 1] >= speed[i])


def _settled(
    seen: Seen, end: int, high: int, limits_deg_s: tuple[float, float], limits: Limits
) -> int:
    """One past the last sample of the oscillation after a saccade; `end` where there is none."""
    speed, onset_deg_s = seen.steps, limits_deg_s[0]
    until = min(int(np.searchsorted(seen.t_ms, seen.t_ms[end] + limits.pso_ms)), high)
    # What exceeds the threshold of the peak exceeds that of the onset, too.
    fast = np.flatnonzero(seen.speed[end:until] > onset_deg_s)
    if not len(fast):
        return end
    for i in range(end + int(fast[-1]), high):
        if _resting(speed, i, high - 1, onset_deg_s):
            return i
    return end


def _apart(
    seen: Seen, one: Saccade, low: int, high: int, limits: Limits, *, parted: tuple[bool, bool]
) -> bool:
    """Whether a saccade is long enough, and far enough from those before and after it."""
    t, end = seen.t_ms, seen.end_ms
    long = end[one.last - 1] - t[one.first] >= limits.saccade_ms
    after = not parted[0] or t[one.first] - end[low - 1] >= limits.between_ms
    before = not parted[1] or t[high] - end[one.last - 1] >= limits.between_ms
    return bool(long and after and before)
