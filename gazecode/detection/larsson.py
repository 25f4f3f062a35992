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
  none does for more than 6 ms it is over, and it is cut after 50 ms.
* A candidate is a disturbance if it comes within 20 ms of a loss that is not brief, or exceeds 1000
  deg/s or 100,000 deg/s². It belongs to no event, up to the loss.
* Losses of at most 20 ms are passed over (`gazecode.detection.brief_losses`): the polynomials span
  them. Two pieces of a fixation are one where only a loss of at most `max_loss_ms` parts them and
  their places agree (`gazecode.detection.merging`). Longer losses end every event.
* Fixations are what remains; pursuit is not told from them.
* Below 250 Hz no oscillation is claimed. What looks like one still belongs to no fixation.

The numbers were chosen on hand-labelled gaze at moving dots and videos, not on images.
"""

import math
from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import peaks
from gazecode.detection.brief_losses import BRIEF_LOSS_MS, pass_over_losses
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import MAX_LOSS_MS, groups
from gazecode.detection.moves import events_of_moves
from gazecode.detection.segments import (
    MIN_GAP_MS,
    Runs,
    Stretches,
    covered,
    holes,
    mean_step_ms,
)
from gazecode.detection.smoothing import smooth, window_samples
from gazecode.detection.turning_saccades import Rules, Signals, all_moves
from gazecode.detection.velocity import Directions, directions
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_larsson"]

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
    candidate_gap_ms: float = 20.0,
    max_deviation_deg: float = 90.0,
    min_saccade_ms: float = 10.0,
    max_pso_ms: float = 50.0,
    loss_margin_ms: float = 20.0,
    impossible_speed_deg_s: float = 1000.0,
    impossible_acceleration_deg_s2: float = 100_000.0,
    min_duration_ms: float = 40.0,
    brief_loss_ms: float = BRIEF_LOSS_MS,
    max_loss_ms: float = MAX_LOSS_MS,
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
    candidate_gap_ms
        Bursts of acceleration less than this apart are one candidate.
    max_deviation_deg
        A saccade ends where gaze moves at a larger angle to its main direction.
    min_saccade_ms
        Shorter ones (``offset - onset``) are part of the fixation around them.
    max_pso_ms
        The longest oscillation; 0 switches them off.
    loss_margin_ms
        What is fast this near to a loss that is not brief is part of a blink.
    impossible_speed_deg_s, impossible_acceleration_deg_s2
        What no eye exceeds.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded.
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
        impossible_speed_deg_s=impossible_speed_deg_s,
        impossible_acceleration_deg_s2=impossible_acceleration_deg_s2,
    )
    at_least_zero(
        candidate_gap_ms=candidate_gap_ms,
        min_saccade_ms=min_saccade_ms,
        max_pso_ms=max_pso_ms,
        loss_margin_ms=loss_margin_ms,
        min_duration_ms=min_duration_ms,
        brief_loss_ms=brief_loss_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    rules = Rules(
        cosine=float(np.cos(np.radians(max_deviation_deg))),
        min_saccade_ms=min_saccade_ms - TOLERANCE_MS,
        max_pso_ms=max_pso_ms,
    )
    if len(samples) < 2:
        return Events.empty()
    passed = pass_over_losses(
        samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms, max_loss_ms=brief_loss_ms
    )
    samples, runs = passed.samples, passed.runs
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    windows_ms = (velocity_window_ms, acceleration_window_ms)
    signals = _signals(samples.t_ms, gaze, runs, windows_ms=windows_ms)

    candidates = _candidates(signals, runs, candidate_gap_ms=candidate_gap_ms)
    missing = _missing_before(samples, brief_ms=brief_loss_ms)
    bad = _unlike_eyes(
        signals, candidates, (impossible_speed_deg_s, impossible_acceleration_deg_s2)
    )
    bad, disturbed = _disturbances(
        samples, runs, candidates, bad, missing, margin_ms=loss_margin_ms
    )
    moves = _moves(signals, runs, candidates, bad, rules)
    return events_of_moves(
        passed,
        gaze,
        moves,
        still=~np.isnan(signals.speed) & ~covered(len(samples), *disturbed),
        apart=disturbed[0],
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
    )


def _signals(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, windows_ms: tuple[float, float]
) -> Signals:
    window_ms, heavy_ms = windows_ms
    velocity, noise = _velocity(t_ms, gaze, runs, window_ms)
    if noise > NOISY_DEG_S:
        wider_ms = _wider_ms(t_ms, runs, window_ms, noise)
        heavy_ms += wider_ms - window_ms
        velocity, noise = _velocity(t_ms, gaze, runs, wider_ms)
    strength = smooth(t_ms, gaze, runs, window_ms=heavy_ms).strength_deg_s2
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
    velocity = smooth(t_ms, gaze, runs, window_ms=window_ms).velocity_deg_s
    apart = window_samples(t_ms, runs, window_ms)
    step = velocity[apart:] - velocity[:-apart]
    same = runs.start[apart:] == runs.start[:-apart]
    change = np.hypot(step[same, 0], step[same, 1])
    return velocity, _deviation(change) / SQRT_2


def _wider_ms(t_ms: FloatArray, runs: Runs, window_ms: float, noise: float) -> float:
    """Window whose noise would be bearable: white noise in a slope falls with its size ** 1.5."""
    size = window_samples(t_ms, runs, window_ms)
    wanted = size * (noise / NOISY_DEG_S) ** (2 / 3)
    wider = size + 2 * max(int(np.ceil((wanted - size) / 2)), 0)
    largest = max(window_samples(t_ms, runs, WIDEST_MS), size)
    return min(wider, largest) * mean_step_ms(t_ms, runs)


def _deviation(lengths: FloatArray) -> float:
    """Robust standard deviation of each component of vectors of these lengths; 0 without any."""
    known = lengths[~np.isnan(lengths)]
    return float(np.median(known)) / RAYLEIGH if known.size else 0.0


def _candidates(signals: Signals, runs: Runs, *, candidate_gap_ms: float) -> Stretches:
    index = np.flatnonzero(signals.acceleration > signals.threshold("acceleration"))
    near = np.diff(signals.t_ms[index]) <= candidate_gap_ms + TOLERANCE_MS
    # Neighbouring samples belong together, whatever the clock.
    near |= np.diff(index) == 1
    near &= runs.start[index[1:]] == runs.start[index[:-1]]
    head, tail = groups(near, len(index))
    return index[head], index[tail] + 1


def _unlike_eyes(signals: Signals, candidates: Stretches, limits: tuple[float, float]) -> BoolArray:
    """Candidates ``(k,)`` beyond the limits of speed or of acceleration."""
    fast = peaks(signals.speed, *candidates) > limits[0]
    return fast | (peaks(signals.acceleration, *candidates) > limits[1])


def _disturbances(
    samples: Samples,
    runs: Runs,
    candidates: Stretches,
    bad: BoolArray,
    missing: BoolArray,
    *,
    margin_ms: float,
) -> tuple[BoolArray, Stretches]:
    """Which candidates ``(k,)`` are bad or too near to a loss; their samples, up to the loss."""
    first, last = candidates
    start, stop = runs.start[first], runs.stop[first]
    t = samples.t_ms
    after_loss = missing[start] & (t[first] - t[start] < margin_ms - TOLERANCE_MS)
    before_loss = missing[stop] & (t[stop - 1] - t[last - 1] < margin_ms - TOLERANCE_MS)
    bad = bad | after_loss | before_loss
    begin, end = np.where(after_loss, start, first), np.where(before_loss, stop, last)
    return bad, (begin[bad], end[bad])


def _missing_before(samples: Samples, *, brief_ms: float) -> BoolArray:
    """Whether gaze was lost, or samples are absent, right before each sample and the end."""
    missing = np.append(holes(samples.t_ms, brief_ms=brief_ms), False)
    missing[1:] |= samples.lost
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
