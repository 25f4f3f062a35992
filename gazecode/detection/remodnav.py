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
* Two pieces of a fixation are one where only a loss of at most `max_loss_ms` parts them and their
  places agree (`gazecode.detection.merging`); the paper ends a fixation at every loss.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gazecode.detection.adaptive_saccades import Limits, Seen, saccades_of_part
from gazecode.detection.assembly import assemble, covered
from gazecode.detection.fitted_speed import mean_step_ms
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import bridge_losses
from gazecode.detection.segments import MIN_GAP_MS, Runs, find_runs, stretches
from gazecode.detection.smoothing import smooth, window_samples
from gazecode.detection.velocity import Directions, directions, speed_deg_s
from gazecode.model import Events, Samples, Screen
from gazecode.units import DEFAULT_PX_PER_DEG, step_ms

__all__ = ["detect_remodnav"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Stretches = tuple[IntArray, IntArray]

SLOW_CLOCK, LONGEST = 2 / 3, 2.0
"""Shares of the window: the longest step for a parabola, the longest span (samples dropped)."""
MEDIAN_MS = 50.0
LOSS_MS, BESIDE_LOSS_MS = 20.0, 10.0
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
    start_speed_deg_s: float = 300.0,
    max_major_saccades_hz: float = 2.0,
    context_ms: float = 1000.0,
    smoothing_ms: float = 19.0,
    min_between_saccades_ms: float = 40.0,
    min_saccade_ms: float = 10.0,
    max_pso_ms: float = 40.0,
    min_duration_ms: float = 40.0,
    max_loss_ms: float = 75.0,
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
    start_speed_deg_s
        Where thresholds start from: faster than the slowest saccade.
    max_major_saccades_hz, context_ms
        How many saccades part the recording first, and around each of them how much gaze its
        thresholds are taken from.
    smoothing_ms
        Window of the polynomial.
    min_between_saccades_ms, min_saccade_ms, max_pso_ms
        Least time from one saccade to the next, least and longest durations.
    min_duration_ms
        Shorter fixations and pursuits (``offset - onset``) are discarded.
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
        start_speed_deg_s=start_speed_deg_s,
        context_ms=context_ms,
        smoothing_ms=smoothing_ms,
    )
    at_least_zero(
        max_major_saccades_hz=max_major_saccades_hz,
        min_between_saccades_ms=min_between_saccades_ms,
        min_saccade_ms=min_saccade_ms,
        max_pso_ms=max_pso_ms,
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    speed = _speed(samples.t_ms, gaze, runs, window_ms=smoothing_ms)
    speed[_beside_long_losses(samples)] = np.nan
    seen = _seen(samples, runs, speed)
    limits = Limits(
        factor=noise_factor,
        start_deg_s=start_speed_deg_s,
        major_hz=max_major_saccades_hz,
        context_ms=context_ms,
        between_ms=min_between_saccades_ms - TOLERANCE_MS,
        saccade_ms=min_saccade_ms - TOLERANCE_MS,
        pso_ms=max_pso_ms,
    )
    saccades = [
        found
        for a, b in _parts(runs)
        if b - a > 1
        for found in saccades_of_part(seen, a, b, limits)
    ]
    n = len(samples)
    moving = {
        "saccade": _stretches([(s.first, s.last) for s in saccades]),
        "pso": _stretches([(s.last, s.settled) for s in saccades if s.settled > s.last]),
    }
    still = ~np.isnan(speed) & ~seen.cut
    for held in moving.values():
        still &= ~covered(n, *held)
    rest = stretches(still, runs)
    if pursuit:
        following = _following(samples.t_ms, gaze.deg, *rest, speed_deg_s=pursuit_speed_deg_s)
        # What is too short for a fixation does not interrupt a pursuit.
        between = stretches(still & ~following, runs)
        following |= covered(n, *between) & ~covered(
            n, *_lasting(samples, runs, between, min_duration_ms)
        )
        moving["pursuit"] = _lasting(samples, runs, stretches(following, runs), min_duration_ms)
        rest = stretches(still & ~covered(n, *moving["pursuit"]), runs)
    apart = np.sort(np.concatenate([first for first, _ in moving.values()]))
    rest = bridge_losses(samples.t_ms, gaze, runs, rest, apart=apart, max_loss_ms=max_loss_ms)
    return assemble(
        samples, runs, {"fixation": _lasting(samples, runs, rest, min_duration_ms), **moving}
    )


def _speed(t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float) -> FloatArray:
    """Speed of every sample by a parabola around it, or between neighbours on a slow clock."""
    step = mean_step_ms(t_ms, runs)
    if not step <= SLOW_CLOCK * window_ms:
        return speed_deg_s(t_ms, gaze, runs, window_ms=window_ms)
    # `smooth` counts in median steps, which bursts of stamps make meaningless.
    scaled = window_ms * step_ms(t_ms) / step
    speed = smooth(t_ms, gaze, runs, window_ms=scaled).speed_deg_s
    size = np.minimum(runs.stop - runs.start, window_samples(t_ms, scaled))
    first = np.clip(np.arange(len(t_ms)) - size // 2, runs.start, np.maximum(runs.stop - size, 0))
    span = t_ms[np.maximum(first + size - 1, first)] - t_ms[first]
    holed = span > LONGEST * window_ms
    if holed.any():
        speed[holed] = speed_deg_s(t_ms, gaze, runs, window_ms=window_ms)[holed]
    return speed


def _beside_long_losses(samples: Samples) -> BoolArray:
    """Samples within 10 ms of a loss longer than 20 ms: lids and pupils move there."""
    t, lost = samples.t_ms, samples.lost
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2)
    begin, end = t[edges[:, 0]], t[np.minimum(edges[:, 1], len(t) - 1)]
    long = end - begin > LOSS_MS + TOLERANCE_MS
    first = np.searchsorted(t, begin[long] - BESIDE_LOSS_MS - TOLERANCE_MS)
    last = np.searchsorted(t, end[long] + BESIDE_LOSS_MS - TOLERANCE_MS)
    edge = np.zeros(len(t) + 1, dtype=np.int64)
    np.add.at(edge, first, 1)
    np.add.at(edge, last, -1)
    beside: BoolArray = np.cumsum(edge[:-1]) > 0
    return beside


def _seen(samples: Samples, runs: Runs, speed: FloatArray) -> Seen:
    from scipy.ndimage import median_filter

    n = len(samples)
    start, stop = np.arange(n), np.arange(n)
    median = np.full(n, np.nan)
    size = 2 * max(round((MEDIAN_MS / step_ms(samples.t_ms) - 1) / 2), 1) + 1 if n > 1 else 1
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


def _parts(runs: Runs) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(runs.part, prepend=-1, append=-1)).tolist()
    return list(pairwise(edges))


def _stretches(pairs: Sequence[tuple[int, int]]) -> Stretches:
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _lasting(samples: Samples, runs: Runs, held: Stretches, min_ms: float) -> Stretches:
    first, last = held
    kept = runs.end_ms[last - 1] - samples.t_ms[first] >= min_ms - TOLERANCE_MS
    return first[kept], last[kept]


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
