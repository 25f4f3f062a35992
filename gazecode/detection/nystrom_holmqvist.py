"""Adaptive velocity thresholds: M. Nyström and K. Holmqvist 2010, doi:10.3758/BRM.42.1.188.

Speed must exceed a peak threshold that the recording's own noise sets: from a start of 250 deg/s it
is replaced by mean + 6 standard deviations of the speeds below it, until it moves by less than 1
deg/s. Onset is the nearest local minimum before the peak below mean + 3 standard deviations of
those speeds; offset the nearest one after it below 0.7 times that threshold + 0.3 times the noise
(mean + 3 standard deviations) of the shortest fixation before the onset. A glissade, which is the
post-saccadic oscillation, is what exceeds the offset threshold again (low velocity) or the peak
threshold again (high velocity) within the shortest fixation after a saccade; it ends in the first
local minimum below the offset threshold. What exceeds 1000 deg/s or 100,000 deg/s² is no eye's, nor
what is near it until speed falls below twice its median. Fixations are what remains.

The paper is followed from what is commonly reported of it; its own program was not read. What is
left open, and what is done otherwise:

* Speed and acceleration are those of parabolas fitted on the real stamps
  (`gazecode.detection.smoothing`): nothing is resampled. The window is 14 ms; the paper's (twice
  the shortest saccade) is 20 ms, and drowns the end of a saccade in its oscillation.
* The speeds that set thresholds are those inside stretches that last at least the shortest
  fixation, less a sixth of it at either end: with the flanks of every saccade among them the peak
  threshold stays where it started.
* The thresholds never fall below 30 deg/s (peak) and 15 deg/s (onset and offset): gaze without
  noise, or in whole pixels, would have none.
* Where the time before an onset is no fixation (cut short, or its noise exceeds the peak
  threshold), the offset threshold is that of the onset.
* Where no minimum is found the event ends with the run, or where the next one begins. An event
  cut by a loss, such as a blink, is none; its samples belong to no event.
* Losses of at most 20 ms are passed over (`gazecode.detection.brief_losses`): the polynomials span
  them. Two pieces of a fixation are one where only a loss of at most `max_loss_ms` parts them and
  their places agree (`gazecode.detection.merging`). Longer losses end every event.
* A glissade is slower than its saccade and lasts at most twice the shortest fixation.
* Below 250 Hz no oscillation is claimed. What looks like one still belongs to no fixation.
* One set of thresholds a recording; pursuit is not told from fixations.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gazecode.detection.brief_losses import BRIEF_LOSS_MS, pass_over_losses
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import MAX_LOSS_MS
from gazecode.detection.moves import events_of_moves
from gazecode.detection.segments import (
    MIN_GAP_MS,
    Runs,
    Stretches,
    covered,
    holes,
    lasting,
    stretches,
)
from gazecode.detection.smoothing import smooth
from gazecode.detection.velocity import directions
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_nystrom_holmqvist", "peak_threshold_deg_s"]

PEAK_SD, EDGE_SD = 6.0, 3.0
"""Standard deviations above the mean: the threshold of peaks, and of onset and local noise."""
OWN_SHARE, LOCAL_SHARE = 0.7, 0.3
"""What onset threshold and local noise add to the offset threshold."""
SETTLED_DEG_S = 1.0
MAX_ROUNDS = 100
MIN_NOISE_SAMPLES = 3
LEAST_PEAK_DEG_S, LEAST_EDGE_DEG_S = 30.0, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the search for saccades looks at."""

    t_ms: FloatArray
    end_ms: FloatArray
    speed: FloatArray
    minima: list[int]
    peak: float
    edge: float
    min_duration_ms: float


def detect_nystrom_holmqvist(  # noqa: PLR0913 - what the paper leaves to be set
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 14.0,
    start_peak_speed_deg_s: float = 250.0,
    min_saccade_ms: float = 10.0,
    impossible_speed_deg_s: float = 1000.0,
    impossible_acceleration_deg_s2: float = 100_000.0,
    min_duration_ms: float = 40.0,
    brief_loss_ms: float = BRIEF_LOSS_MS,
    max_loss_ms: float = MAX_LOSS_MS,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Saccades above thresholds that follow the noise, glissades after them, fixations between.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms
        Window of the fitted parabolas; it holds at least three samples.
    start_peak_speed_deg_s
        Where the search for the peak threshold begins; 100 to 300 in the paper.
    min_saccade_ms
        Shorter ones (``offset - onset``) are part of the fixation around them.
    impossible_speed_deg_s, impossible_acceleration_deg_s2
        What no eye exceeds.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded; also how long before a saccade noise
        is measured, and how long after it a glissade may begin.
    brief_loss_ms
        Losses of at most this are passed over before speeds are taken; 0 for none.
    max_loss_ms
        Pieces of a fixation at the same place (0.5 deg) that a loss of at most this parts are one;
        0 switches that off.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Fixations, saccades and (from 250 Hz on) oscillations by onset, half-open, with `first`,
        `last` and `end_xy_px`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> t = np.arange(200) * 2.0
    >>> x = 100 + 400 * np.clip((t - 200) / 40, 0, 1)
    >>> events = detect_nystrom_holmqvist(Samples(t_ms=t, xy_px=np.stack([x, x], axis=1)))
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
           kind  onset_ms  offset_ms  first  last
    0  fixation       0.0      194.0      0    97
    1   saccade     194.0      246.0     97   123
    2  fixation     246.0      401.0    123   200
    """
    above_zero(
        px_per_deg=px_per_deg,
        velocity_window_ms=velocity_window_ms,
        start_peak_speed_deg_s=start_peak_speed_deg_s,
        impossible_speed_deg_s=impossible_speed_deg_s,
        impossible_acceleration_deg_s2=impossible_acceleration_deg_s2,
    )
    at_least_zero(
        min_saccade_ms=min_saccade_ms,
        min_duration_ms=min_duration_ms,
        brief_loss_ms=brief_loss_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    if len(samples) < 2:
        return Events.empty()
    passed = pass_over_losses(
        samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms, max_loss_ms=brief_loss_ms
    )
    samples, runs = passed.samples, passed.runs
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    fitted = smooth(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)
    speed = fitted.speed_deg_s
    wild = (speed > impossible_speed_deg_s) | (
        fitted.strength_deg_s2 > impossible_acceleration_deg_s2
    )
    wild = _around(wild, speed, runs)
    known = ~np.isnan(speed) & ~wild
    seen = _seen(
        samples, runs, speed, known, start_deg_s=start_peak_speed_deg_s, least_ms=min_duration_ms
    )
    above = stretches(known & (speed > seen.peak), runs)
    absent = holes(samples.t_ms, brief_ms=brief_loss_ms)
    moves, cut = _moves(seen, above, _bounds(known, absent, runs))
    lasts = runs.end_ms[moves[:, 1] - 1] - samples.t_ms[moves[:, 0]]
    moves = moves[lasts >= min_saccade_ms - TOLERANCE_MS]
    return events_of_moves(
        passed,
        gaze,
        moves,
        still=known & ~covered(len(samples), *cut.T),
        apart=np.concatenate((cut[:, 0], stretches(wild, runs)[0])),
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
    )


def _seen(
    samples: Samples,
    runs: Runs,
    speed: FloatArray,
    known: BoolArray,
    *,
    start_deg_s: float,
    least_ms: float,
) -> _Seen:
    inside = partial(_inside_fixations, samples=samples, runs=runs, least_ms=least_ms)
    peak, edge = peak_threshold_deg_s(
        np.where(known, speed, np.nan), start_deg_s=start_deg_s, still=inside
    )
    return _Seen(
        t_ms=samples.t_ms,
        end_ms=runs.end_ms,
        speed=speed,
        minima=_minima(speed),
        peak=peak,
        edge=edge,
        min_duration_ms=least_ms,
    )


def peak_threshold_deg_s(
    speed_deg_s: FloatArray,
    *,
    start_deg_s: float,
    still: Callable[[BoolArray], BoolArray] = lambda slow: slow,
) -> tuple[float, float]:
    """Thresholds of peak and of onset that follow from the speeds below the former.

    Parameters
    ----------
    speed_deg_s
        ``(n,)``, NaN where unknown.
    start_deg_s
        The first peak threshold.
    still
        Which of the slow samples ``(n,)`` noise is taken from.

    Examples
    --------
    >>> speed = np.append(np.tile([5.0, 9.0], 100), [300.0, 400.0])
    >>> peak_threshold_deg_s(speed, start_deg_s=250.0)
    (30.0, 15.0)
    >>> peak_threshold_deg_s(4 * speed, start_deg_s=250.0)
    (76.0, 52.0)
    """
    peak, edge = start_deg_s, LEAST_EDGE_DEG_S
    for _ in range(MAX_ROUNDS):
        below = speed_deg_s[still(speed_deg_s < peak)]
        if not below.size:
            break
        mean, sd = float(below.mean()), float(below.std())
        before, peak, edge = peak, mean + PEAK_SD * sd, mean + EDGE_SD * sd
        if abs(peak - before) < SETTLED_DEG_S:
            break
    return max(peak, LEAST_PEAK_DEG_S), max(edge, LEAST_EDGE_DEG_S)


def _inside_fixations(
    slow: BoolArray, *, samples: Samples, runs: Runs, least_ms: float
) -> BoolArray:
    """Slow samples of stretches that last `least_ms`, but for the sixth of it at either end."""
    first, last = lasting(samples, runs, stretches(slow, runs), min_ms=least_ms)
    t_ms, end_ms = samples.t_ms, runs.end_ms
    begin = np.searchsorted(t_ms, t_ms[first] + least_ms / 6)
    end = np.searchsorted(t_ms, end_ms[last - 1] - least_ms / 6)
    inner = end > begin
    return covered(len(slow), begin[inner], end[inner])


def _around(wild: BoolArray, speed: FloatArray, runs: Runs) -> BoolArray:
    """What is wild, and its surroundings until speed falls below twice its median."""
    if not wild.any():
        return wild
    fast = wild | (speed > 2 * float(np.nanmedian(speed)))
    first, last = stretches(fast, runs)
    hit = np.logical_or.reduceat(wild, first)
    return covered(len(speed), first[hit], last[hit])


def _minima(speed: FloatArray) -> list[int]:
    """Samples no faster than their neighbours, of which at least one is faster."""
    # Where gaze stands still, rounding is no slope.
    speed = np.round(speed, 6)
    before, at, after = speed[:-2], speed[1:-1], speed[2:]
    lowest = (at <= before) & (at <= after) & ((at < before) | (at < after))
    minima: list[int] = (np.flatnonzero(lowest) + 1).tolist()
    return minima


def _bounds(
    known: BoolArray, absent: BoolArray, runs: Runs
) -> tuple[IntArray, IntArray, BoolArray]:
    """Stretches of known speed ``[first, last)``, and which of their ends ``(k, 2)`` are losses."""
    first, last = stretches(known, runs)
    unknown, absent = np.append(~known, False), np.append(absent, False)
    after_loss = (first > 0) & (unknown[first - 1] | absent[first])
    before_loss = unknown[last] | absent[last]
    return first, last, np.stack([after_loss, before_loss], axis=1)


def _moves(
    seen: _Seen, above: Stretches, bounds: tuple[IntArray, IntArray, BoolArray]
) -> tuple[IntArray, IntArray]:
    """Saccades with their glissades ``(k, 3)``, and what a loss cut short ``(m, 2)``.

    A loop over what is above the peak threshold, not over samples.
    """
    starts, stops, losses = (column.tolist() for column in bounds)
    part = (np.searchsorted(bounds[0], above[0], side="right") - 1).tolist()
    found: list[tuple[int, int, int]] = []
    cut: list[tuple[int, int]] = []
    free = 0
    for first, last, i in zip(above[0].tolist(), above[1].tolist(), part, strict=True):
        if first < free:
            continue
        low, high = max(starts[i], free), stops[i]
        onset = _onset(seen, first, low)
        limit = _offset_threshold(seen, onset, low)
        offset = _settled(seen, last, high, limit)
        if (onset == starts[i] and losses[i][0]) or (offset == high and losses[i][1]):
            cut.append((onset, offset))
            free = offset
            continue
        free = _glissade(seen, offset, high, limit, float(seen.speed[onset:offset].max()))
        found.append((onset, offset, free))
    return (
        np.array(found, dtype=np.int64).reshape(-1, 3),
        np.array(cut, dtype=np.int64).reshape(-1, 2),
    )


def _onset(seen: _Seen, first: int, low: int) -> int:
    k = bisect_left(seen.minima, first) - 1
    while k >= 0 and seen.minima[k] >= low:
        if seen.speed[seen.minima[k]] < seen.edge:
            return seen.minima[k]
        k -= 1
    return low


def _offset_threshold(seen: _Seen, onset: int, low: int) -> float:
    begin_ms = seen.t_ms[onset] - seen.min_duration_ms
    begin = int(np.searchsorted(seen.t_ms, begin_ms - TOLERANCE_MS))
    before = seen.speed[max(begin, low) : onset]
    if begin < low or len(before) < MIN_NOISE_SAMPLES:
        return seen.edge
    noise = float(before.mean()) + EDGE_SD * float(before.std())
    if noise > seen.peak:
        return seen.edge
    return max(OWN_SHARE * seen.edge + LOCAL_SHARE * noise, LEAST_EDGE_DEG_S)


def _settled(seen: _Seen, last: int, high: int, limit: float) -> int:
    """First local minimum below the limit from `last` on, or the end."""
    k = bisect_left(seen.minima, last)
    while k < len(seen.minima) and seen.minima[k] < high:
        if seen.speed[seen.minima[k]] < limit:
            return seen.minima[k]
        k += 1
    return high


def _glissade(seen: _Seen, offset: int, high: int, limit: float, peak: float) -> int:
    """One past the glissade that follows, or the offset where there is none."""
    if offset >= high:
        return offset
    window_ms = seen.t_ms[offset] + seen.min_duration_ms
    stop = min(int(np.searchsorted(seen.t_ms, window_ms)), high)
    after = seen.speed[offset:stop]
    fast = np.flatnonzero(after > limit)
    if not fast.size or after.max() >= peak:
        return offset
    end = _settled(seen, offset + int(fast[-1]), high, limit)
    lasts = seen.end_ms[end - 1] - seen.t_ms[offset]
    return end if end < high and lasts <= 2 * seen.min_duration_ms + TOLERANCE_MS else offset
