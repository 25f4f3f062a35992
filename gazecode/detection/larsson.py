"""Saccades and post-saccadic oscillations: Larsson, Nyström and Stridh 2013.

L. Larsson, M. Nyström and M. Stridh 2013, doi:10.1109/TBME.2013.2258918. Saccades are looked for in
the acceleration, where pursuit of any constant speed is silent. Around its fastest sample a saccade
lasts as long as gaze moves in its main direction: where an oscillation follows, gaze turns round
at the saccade's end, and that is where human coders end it. What then swings about is the
oscillation of the pupil in the eye. Intervals of disturbance (blinks) are set aside.

The paper is followed from its abstract and from what others report of it (R. Andersson et al. 2017,
doi:10.3758/s13428-016-0738-9); its equations were not at hand. Hence these decisions, all of them
deviations as far as the paper does otherwise:

* Velocity and acceleration are slope and curvature of parabolas fitted on the real stamps, velocity
  over 10 ms, acceleration over 18 ms (`gazecode.detection.smoothing`): nothing is resampled. Where
  the noise of velocity exceeds 8 deg/s both windows grow, by at most 10 ms.
* Noise is robust and one number a recording: of acceleration its median, of velocity the median of
  differences between windows that share no sample. Saccades are rare and pursuit cancels.
* A candidate is where acceleration exceeds 4 times the noise and 2000 deg/s²; candidates less than
  20 ms apart are one. Its fastest sample, and any other piece of it at least half as fast, is a
  saccade if it exceeds 6 times the noise and 30 deg/s.
* Edges lie where the direction of a sample's velocity deviates by more than 90 degrees from the
  saccade's main direction (that of its displacement), or where speed falls below 4 times the noise
  or 20 deg/s. Velocity is taken less that of the pursuit before: its median over 60 ms, as far as
  most of it is below 40 deg/s.
* An oscillation is not fitted by a damped model; its half-waves are measured. After the saccade,
  velocity along its main direction, less that of the pursuit after, alternates in sign; every
  half-wave must reach 4 times the noise and 15 deg/s and stay below the saccade's peak. Where
  none does for more than 6 ms it is over, and it is cut after 60 ms.
* A candidate is a disturbance if it comes within 20 ms of a loss, or exceeds 1000 deg/s or 100,000
  deg/s². It belongs to no event, up to the loss.
* Fixations are what remains; pursuit is not told from them.
* Below 250 Hz no oscillation is claimed. What looks like one still belongs to no fixation.

The numbers were chosen on hand-labelled gaze at moving dots and videos, not on images.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gazecode.detection.assembly import assemble, covered, peaks
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.segments import GAP_STEPS, MIN_GAP_MS, Runs, find_runs, stretches
from gazecode.detection.smoothing import smooth, window_samples
from gazecode.detection.turning_saccades import Rules, Signals, all_moves
from gazecode.detection.velocity import Directions, directions
from gazecode.model import Events, Samples, Screen
from gazecode.units import DEFAULT_PX_PER_DEG, rate_hz, step_ms

__all__ = ["PSO_RATE_HZ", "detect_larsson"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Stretches = tuple[IntArray, IntArray]

PSO_RATE_HZ = 250.0
"""Below this rate (less 2 % for a clock that is slow) no oscillation is claimed."""
RAYLEIGH = math.sqrt(2 * math.log(2))
"""Median length of a vector whose two components have a standard deviation of 1."""
SQRT_2 = math.sqrt(2)
NOISY_DEG_S = 8.0
"""Where the noise of velocity exceeds this the windows grow."""
WIDEST_MS = 20.0
"""The longest window of velocity they grow to."""


def detect_larsson(  # noqa: PLR0913 - what the paper leaves to be set
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 10.0,
    acceleration_window_ms: float = 18.0,
    merge_gap_ms: float = 20.0,
    max_deviation_deg: float = 90.0,
    min_saccade_ms: float = 10.0,
    max_pso_ms: float = 60.0,
    loss_margin_ms: float = 20.0,
    max_speed_deg_s: float = 1000.0,
    max_acceleration_deg_s2: float = 100_000.0,
    min_duration_ms: float = 40.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Saccades by acceleration and direction, the oscillations after them, fixations between.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms, acceleration_window_ms
        Windows of the fitted parabolas; they hold at least three samples, and grow with noise.
    merge_gap_ms
        Bursts of acceleration less than this apart are one candidate.
    max_deviation_deg
        A saccade ends where gaze moves at a larger angle to its main direction.
    min_saccade_ms
        Shorter ones (``offset - onset``) are part of the fixation around them.
    max_pso_ms
        The longest oscillation; 0 switches them off.
    loss_margin_ms
        What is fast this near to a loss is part of a blink.
    max_speed_deg_s, max_acceleration_deg_s2
        What no eye exceeds.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded.
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
    >>> events = detect_larsson(Samples(t_ms=t, xy_px=np.stack([x, x], axis=1)))
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
           kind  onset_ms  offset_ms  first  last
    0  fixation       0.0      198.0      0    99
    1   saccade     198.0      244.0     99   122
    2  fixation     244.0      401.0    122   200
    """
    above_zero(
        px_per_deg=px_per_deg,
        velocity_window_ms=velocity_window_ms,
        acceleration_window_ms=acceleration_window_ms,
        max_deviation_deg=max_deviation_deg,
        max_speed_deg_s=max_speed_deg_s,
        max_acceleration_deg_s2=max_acceleration_deg_s2,
    )
    at_least_zero(
        merge_gap_ms=merge_gap_ms,
        min_saccade_ms=min_saccade_ms,
        max_pso_ms=max_pso_ms,
        loss_margin_ms=loss_margin_ms,
        min_duration_ms=min_duration_ms,
        min_gap_ms=min_gap_ms,
    )
    if len(samples) < 2:
        return Events.empty()
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    windows_ms = (velocity_window_ms, acceleration_window_ms)
    signals = _signals(samples.t_ms, gaze, runs, windows_ms=windows_ms)

    candidates = _candidates(signals, runs, merge_gap_ms=merge_gap_ms)
    limits = (max_speed_deg_s, max_acceleration_deg_s2)
    disturbed, bad = _disturbances(
        samples, signals, runs, candidates, margin_ms=loss_margin_ms, limits=limits
    )
    rules = Rules(
        cosine=float(np.cos(np.radians(max_deviation_deg))),
        min_saccade_ms=min_saccade_ms - TOLERANCE_MS,
        max_pso_ms=max_pso_ms,
    )
    moves = _moves(signals, runs, candidates, bad, rules)
    saccades, swings = (moves[:, 0], moves[:, 1]), (moves[:, 1], moves[:, 2])
    long = swings[1] > swings[0]
    swings = (swings[0][long], swings[1][long])

    still = ~np.isnan(signals.speed) & ~disturbed
    still &= ~covered(len(samples), *saccades) & ~covered(len(samples), *swings)
    first, last = stretches(still, runs)
    kept = runs.end_ms[last - 1] - samples.t_ms[first] >= min_duration_ms - TOLERANCE_MS
    found = {"fixation": (first[kept], last[kept]), "saccade": saccades}
    if rate_hz(samples.t_ms) >= 0.98 * PSO_RATE_HZ:
        found["pso"] = swings
    return assemble(samples, runs, found)


def _signals(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, windows_ms: tuple[float, float]
) -> Signals:
    window_ms, heavy_ms = windows_ms
    velocity, noise = _velocity(t_ms, gaze, runs, window_ms)
    if noise > NOISY_DEG_S:
        wider_ms = _wider_ms(t_ms, window_ms, noise)
        heavy_ms += wider_ms - window_ms
        velocity, noise = _velocity(t_ms, gaze, runs, wider_ms)
    heavy = smooth(t_ms, gaze, runs, window_ms=heavy_ms)
    acceleration = _along_the_sphere(heavy.acceleration_deg_s2, gaze)
    strength = np.hypot(acceleration[:, 0], acceleration[:, 1])
    return Signals(
        t_ms=t_ms,
        end_ms=runs.end_ms,
        velocity=velocity,
        speed=np.hypot(velocity[:, 0], velocity[:, 1]),
        acceleration=strength,
        velocity_noise=noise,
        acceleration_noise=_deviation(strength),
    )


def _velocity(
    t_ms: FloatArray, gaze: Directions, runs: Runs, window_ms: float
) -> tuple[FloatArray, float]:
    """Velocity ``(n, 2)`` and its noise, from differences of windows that share no sample."""
    fitted = smooth(t_ms, gaze, runs, window_ms=window_ms)
    velocity = _along_the_sphere(fitted.velocity_deg_s, gaze)
    apart = window_samples(t_ms, window_ms)
    step = velocity[apart:] - velocity[:-apart]
    same = runs.start[apart:] == runs.start[:-apart]
    change = np.hypot(step[same, 0], step[same, 1])
    return velocity, _deviation(change) / SQRT_2


def _wider_ms(t_ms: FloatArray, window_ms: float, noise: float) -> float:
    """Window whose noise would be bearable: white noise in a slope falls with its size ** 1.5."""
    size = window_samples(t_ms, window_ms)
    wanted = size * (noise / NOISY_DEG_S) ** (2 / 3)
    wider = size + 2 * max(int(np.ceil((wanted - size) / 2)), 0)
    largest = max(window_samples(t_ms, WIDEST_MS), size)
    return float(min(wider, largest) * step_ms(t_ms))


def _along_the_sphere(change: FloatArray, gaze: Directions) -> FloatArray:
    """Azimuth shrinks with the cosine of the elevation."""
    if gaze.spherical:
        change[:, 0] *= np.cos(np.radians(gaze.deg[:, 1]))
    return change


def _deviation(lengths: FloatArray) -> float:
    """Robust standard deviation of each component of vectors of these lengths; 0 without any."""
    known = lengths[~np.isnan(lengths)]
    return float(np.median(known)) / RAYLEIGH if known.size else 0.0


def _candidates(signals: Signals, runs: Runs, *, merge_gap_ms: float) -> Stretches:
    index = np.flatnonzero(signals.acceleration > signals.threshold("acceleration"))
    if not index.size:
        return index, index
    apart = np.diff(signals.t_ms[index]) > merge_gap_ms + TOLERANCE_MS
    # Neighbouring samples belong together, whatever the clock.
    apart &= np.diff(index) > 1
    apart |= runs.start[index[1:]] != runs.start[index[:-1]]
    borders = np.flatnonzero(apart)
    return np.append(index[0], index[borders + 1]), np.append(index[borders], index[-1]) + 1


def _disturbances(
    samples: Samples,
    signals: Signals,
    runs: Runs,
    candidates: Stretches,
    *,
    margin_ms: float,
    limits: tuple[float, float],
) -> tuple[BoolArray, BoolArray]:
    """Samples ``(n,)`` that are disturbed, and which candidates ``(k,)`` are.

    `limits` are those of speed and acceleration.
    """
    first, last = candidates
    start, stop = runs.start[first], runs.stop[first]
    missing = _missing_before(samples)
    t = samples.t_ms
    after_loss = missing[start] & (t[first] - t[start] < margin_ms - TOLERANCE_MS)
    before_loss = missing[stop] & (t[stop - 1] - t[last - 1] < margin_ms - TOLERANCE_MS)
    bad = after_loss | before_loss
    bad |= peaks(signals.speed, first, last) > limits[0]
    bad |= peaks(signals.acceleration, first, last) > limits[1]
    begin, end = np.where(after_loss, start, first), np.where(before_loss, stop, last)
    # Two of them may reach to the same loss, hence no `covered`.
    edges = np.zeros(len(samples) + 1, dtype=np.int64)
    np.add.at(edges, begin[bad], 1)
    np.subtract.at(edges, end[bad], 1)
    return np.cumsum(edges[:-1]) > 0, bad


def _missing_before(samples: Samples) -> BoolArray:
    """Whether gaze was lost, or samples are absent, right before each sample and the end."""
    missing = np.zeros(len(samples) + 1, dtype=np.bool_)
    missing[1:] = samples.lost
    missing[1:-1] |= np.diff(samples.t_ms) > GAP_STEPS * step_ms(samples.t_ms)
    # Before the first sample and after the last one nothing is known.
    missing[[0, -1]] = False
    # Where the next sample is lost, the one before it ends a run: seen from its end.
    missing[:-1] |= samples.lost
    return missing


def _moves(
    signals: Signals, runs: Runs, candidates: Stretches, bad: BoolArray, rules: Rules
) -> IntArray:
    """Saccades and their oscillations; none reaches into a disturbance."""
    first, last = candidates
    lower, upper = runs.start[first], runs.stop[first]
    lower[1:] = np.where(bad[:-1], np.maximum(lower[1:], last[:-1]), lower[1:])
    upper[:-1] = np.where(bad[1:], np.minimum(upper[:-1], first[1:]), upper[:-1])
    good = ~bad
    bounds = list(zip(lower[good].tolist(), upper[good].tolist(), strict=True))
    kept = list(zip(first[good].tolist(), last[good].tolist(), strict=True))
    return all_moves(signals, kept, bounds, rules)
