"""Adaptive velocity for noisy static and dynamic gaze: REMoDNaV.

A. H. Dar, A. S. Wagner and M. Hanke 2021, doi:10.3758/s13428-020-01428-x, after M. Nyström and
K. Holmqvist 2010, doi:10.3758/BRM.42.1.188.

1. Speed is smoothed (Savitzky and Golay, 19 ms); beside losses longer than 20 ms, 10 ms of it are
   left out.
2. A threshold adapts to a stretch of gaze: from 300 deg/s on it becomes the median plus twice F
   times the median absolute deviation (as a standard deviation) of all speeds below it, until it
   stays. That is the peak threshold; with F alone it is the threshold of onset and offset.
3. Major saccades: where the speed, running median of 50 ms, exceeds its own peak threshold, the
   fastest first, until there are 2 per second. Thresholds of each come from the second around it.
4. Between major saccades the same is done with thresholds from that stretch alone: what exceeds
   them are minor saccades. A stretch shorter than two intervals (40 ms), a saccade and an
   oscillation is not searched.
5. A saccade begins with the last sample before its peak within the onset threshold, and ends with
   the first local minimum of speed within it.
6. An oscillation (PSO) follows a saccade where within 40 ms of its end the speed exceeds the peak
   threshold (a fast one) or that of the onset (a slow one) again; it ends with the local minimum
   after the last such sample.
7. What is left is fixation; with `pursuit`, where gaze below 4 Hz (Butterworth) is faster than
   2 deg/s, it is pursuit.

What differs from the paper, or is left open there:

* `pursuit` is off by default: code stands still, and the paper's 2 deg/s are within the drift and
  noise of fixations. Both kinds of oscillation are `pso`.
* Polynomials and medians are taken over the real stamps of each run; nothing is resampled but for
  the filter of `pursuit`, inside a stretch without loss. On clocks too slow for a window of 19 ms
  (below 79 Hz), and in windows with holes, speed is that of `gazecode.detection.velocity`.
* Each stretch between gaps and breaks is treated by itself, as the paper treats a recording.
* The paper removes spikes before; here the running median and the shortest saccade do.
* A saccade whose beginning or end is lost is none, and its samples belong to no event.
* Below 250 Hz no oscillation is claimed. What looks like one still belongs to no fixation.
* Losses of at most 20 ms are passed over (`gazecode.detection.brief_losses`): the polynomials span
  them. Two pieces of a fixation are one where only a loss of at most `max_loss_ms` parts them and
  their places agree (`gazecode.detection.merging`). The
  paper ends a fixation at every loss.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.adaptive_saccades import Limits, Seen, saccades_of_part
from gazecode.detection.brief_losses import BRIEF_LOSS_MS, pass_over_losses
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import MAX_LOSS_MS
from gazecode.detection.moves import events_of_moves
from gazecode.detection.segments import (
    MIN_GAP_MS,
    Runs,
    Stretches,
    covered,
    lasting,
    mean_step_ms,
    parts,
    stretches,
)
from gazecode.detection.smoothing import smooth, window_samples
from gazecode.detection.velocity import Directions, directions, speed_deg_s
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_remodnav"]


SLOW_CLOCK, LONGEST = 2 / 3, 2.0
"""Shares of the window: the longest step for a parabola, the longest span (samples dropped)."""
MEDIAN_MS = 50.0
BESIDE_LOSS_MS = 10.0
PURSUIT_HZ = 4.0
SHORTEST_FILTERED = 5
"""Samples: fewer are taken as fixation."""


def detect_remodnav(  # noqa: PLR0913 - what the paper leaves to be set
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    pursuit: bool = False,
    pursuit_speed_deg_s: float = 2.0,
    noise_factor: float = 5.0,
    start_peak_speed_deg_s: float = 300.0,
    max_major_saccades_hz: float = 2.0,
    context_ms: float = 1000.0,
    velocity_window_ms: float = 19.0,
    min_between_saccades_ms: float = 40.0,
    min_saccade_ms: float = 10.0,
    max_pso_ms: float = 40.0,
    min_duration_ms: float = 40.0,
    brief_loss_ms: float = BRIEF_LOSS_MS,
    max_loss_ms: float = MAX_LOSS_MS,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Saccades by thresholds that adapt to noise, oscillations after them, fixations, pursuit.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``; each stretch between them
        has thresholds of its own.
    pursuit, pursuit_speed_deg_s
        Whether slow gaze may be pursuit, and from which speed below 4 Hz on.
    noise_factor
        F of the head: larger for noisier gaze.
    start_peak_speed_deg_s
        Where thresholds start from: faster than the slowest saccade.
    max_major_saccades_hz, context_ms
        How many saccades part the recording first, and around each of them how much gaze its
        thresholds are taken from.
    velocity_window_ms
        Window of the polynomial.
    min_between_saccades_ms, min_saccade_ms, max_pso_ms
        Least time from one saccade to the next, least and longest durations.
    min_duration_ms
        Shorter fixations and pursuits (``offset - onset``) are discarded.
    brief_loss_ms
        Losses of at most this are passed over before speeds are taken; beside longer ones 10 ms are
        left out. 0 for none.
    max_loss_ms
        Pieces of a fixation at the same place (0.5 deg) that a loss of at most this parts are one;
        0 switches that off.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Fixations, saccades, pso and, if asked for, pursuits by onset, half-open, with `first`,
        `last` and `end_xy_px`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.interp(np.arange(400), [0, 190, 210, 400], [100, 100, 500, 500])
    >>> xy = np.stack([x, x], axis=1) + rng.normal(0, 1, (400, 2))
    >>> detect_remodnav(Samples(t_ms=np.arange(400) * 2.0, xy_px=xy)).kind.tolist()
    ['fixation', 'saccade', 'fixation']
    """
    above_zero(
        px_per_deg=px_per_deg,
        pursuit_speed_deg_s=pursuit_speed_deg_s,
        noise_factor=noise_factor,
        start_peak_speed_deg_s=start_peak_speed_deg_s,
        context_ms=context_ms,
        velocity_window_ms=velocity_window_ms,
    )
    at_least_zero(
        max_major_saccades_hz=max_major_saccades_hz,
        min_between_saccades_ms=min_between_saccades_ms,
        min_saccade_ms=min_saccade_ms,
        max_pso_ms=max_pso_ms,
        min_duration_ms=min_duration_ms,
        brief_loss_ms=brief_loss_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    limits = Limits(
        factor=noise_factor,
        start_deg_s=start_peak_speed_deg_s,
        major_hz=max_major_saccades_hz,
        context_ms=context_ms,
        between_ms=min_between_saccades_ms - TOLERANCE_MS,
        saccade_ms=min_saccade_ms - TOLERANCE_MS,
        pso_ms=max_pso_ms,
    )
    passed = pass_over_losses(
        samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms, max_loss_ms=brief_loss_ms
    )
    samples, runs = passed.samples, passed.runs
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    speed = _speed(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)
    speed[_beside_long_losses(samples, brief_ms=brief_loss_ms)] = np.nan
    seen = _seen(samples, runs, speed)
    moves = _moves(seen, runs, limits)
    still = ~np.isnan(speed) & ~seen.cut & ~covered(len(samples), moves[:, 0], moves[:, 2])
    pursuits = (np.empty(0, dtype=np.int64),) * 2
    if pursuit:
        pursuits = _pursuits(
            samples,
            gaze,
            runs,
            still,
            speed_deg_s=pursuit_speed_deg_s,
            min_duration_ms=min_duration_ms,
        )
    return events_of_moves(
        passed,
        gaze,
        moves,
        still=still & ~covered(len(samples), *pursuits),
        apart=pursuits[0],
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
        others={"pursuit": pursuits},
    )


def _speed(t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float) -> FloatArray:
    """Speed of every sample by a parabola around it, or between neighbours on a slow clock."""
    step = mean_step_ms(t_ms, runs)
    if not step <= SLOW_CLOCK * window_ms:
        return speed_deg_s(t_ms, gaze, runs, window_ms=window_ms)
    speed = smooth(t_ms, gaze, runs, window_ms=window_ms).speed_deg_s
    size = np.minimum(runs.stop - runs.start, window_samples(t_ms, runs, window_ms))
    first = np.clip(np.arange(len(t_ms)) - size // 2, runs.start, np.maximum(runs.stop - size, 0))
    span = t_ms[np.maximum(first + size - 1, first)] - t_ms[first]
    holed = span > LONGEST * window_ms
    if holed.any():
        speed[holed] = speed_deg_s(t_ms, gaze, runs, window_ms=window_ms)[holed]
    return speed


def _beside_long_losses(samples: Samples, *, brief_ms: float) -> BoolArray:
    """Samples within 10 ms of a loss that is not brief: lids and pupils move there."""
    t, lost = samples.t_ms, samples.lost
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2)
    begin, end = t[edges[:, 0]], t[np.minimum(edges[:, 1], len(t) - 1)]
    long = end - begin > brief_ms + TOLERANCE_MS
    first = np.searchsorted(t, begin[long] - BESIDE_LOSS_MS - TOLERANCE_MS)
    last = np.searchsorted(t, end[long] + BESIDE_LOSS_MS - TOLERANCE_MS)
    return covered(len(t), first, last)


def _seen(samples: Samples, runs: Runs, speed: FloatArray) -> Seen:
    from scipy.ndimage import median_filter

    n = len(samples)
    start, stop = np.arange(n), np.arange(n)
    median = np.full(n, np.nan)
    step = mean_step_ms(samples.t_ms, runs)
    size = 1 if np.isnan(step) else 2 * max(round((min(MEDIAN_MS / step, n) - 1) / 2), 1) + 1
    for a, b in zip(*stretches(~np.isnan(speed), runs), strict=True):
        start[a:b], stop[a:b] = a, b
        median[a:b] = median_filter(speed[a:b], size=min(size, b - a), mode="nearest")
    return Seen(
        t_ms=samples.t_ms,
        end_ms=runs.end_ms,
        speed=speed,
        median=median,
        steps=speed.tolist(),
        start=start,
        stop=stop,
        cut=np.zeros(n, dtype=np.bool_),
    )


def _moves(seen: Seen, runs: Runs, limits: Limits) -> IntArray:
    """First sample of each saccade, one past its last, one past its oscillation, ``(k, 3)``."""
    saccades = [
        (found.first, found.last, found.settled)
        for a, b in parts(runs)
        if b - a > 1
        for found in saccades_of_part(seen, a, b, limits)
    ]
    return np.array(saccades, dtype=np.int64).reshape(-1, 3)


def _pursuits(
    samples: Samples,
    gaze: Directions,
    runs: Runs,
    still: BoolArray,
    *,
    speed_deg_s: float,
    min_duration_ms: float,
) -> Stretches:
    rest = stretches(still, runs)
    following = _following(samples.t_ms, gaze.deg, *rest, speed_deg_s=speed_deg_s)
    # What is too short for a fixation does not interrupt a pursuit.
    between = stretches(still & ~following, runs)
    n, long = len(samples), lasting(samples, runs, between, min_ms=min_duration_ms)
    following |= covered(n, *between) & ~covered(n, *long)
    return lasting(samples, runs, stretches(following, runs), min_ms=min_duration_ms)


def _following(
    t_ms: FloatArray, deg: FloatArray, first: IntArray, last: IntArray, *, speed_deg_s: float
) -> BoolArray:
    """Samples whose gaze below 4 Hz is faster than the limit, stretch by stretch, ``(n,)``."""
    from scipy.signal import butter, sosfiltfilt

    fast = np.zeros(len(t_ms), dtype=np.bool_)
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        if b - a < SHORTEST_FILTERED:
            continue
        t = t_ms[a:b]
        # The filter needs regular time: as many samples on an even clock.
        even = np.linspace(t[0], t[-1], b - a)
        rate = 1000.0 / (even[1] - even[0])
        if rate <= 2 * PURSUIT_HZ:
            continue
        places = np.stack([np.interp(even, t, deg[a:b, axis]) for axis in (0, 1)])
        low = sosfiltfilt(
            butter(2, PURSUIT_HZ, fs=rate, output="sos"), places, padlen=min(b - a - 1, 15)
        )
        slope = np.gradient(low, even / 1000.0, axis=1)
        fast[a:b] = np.interp(t, even, np.hypot(slope[0], slope[1])) > speed_deg_s
    return fast
