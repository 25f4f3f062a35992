"""Hidden Markov model of two states (I-HMM): D. D. Salvucci and J. H. Goldberg 2000.

doi:10.1145/355017.355028. The speed of gaze is drawn from one normal distribution while the eye is
fixed and from another, faster one while it moves; from sample to sample it stays in its state or
leaves it with some probability. The parameters are re-estimated from the recording itself
(Baum-Welch), then the most probable sequence of states is taken (Viterbi; L. R. Rabiner 1989,
doi:10.1109/5.18626). Both are exact and linear in samples (`gazecode.detection.hmm`).

What the paper leaves open, or what differs:

* Speed is the slope of a line fitted to 14 ms, the speed of neighbours on slow clocks. It is taken
  as it is, as in the paper: of the logarithm of speed re-estimation makes one state of slow
  fixations and one of noisy ones.
* It begins with a fixation of median speed, with 1.4826 times the median deviation as sd; a saccade
  is what is faster than 4 such sd. Fixations last 250 ms, saccades 40 ms. It ends after
  `max_iterations`, or when the log likelihood gains less than 1e-4 a sample. An sd is at least
  0.1 deg/s, and leaving a state never more probable than staying.
* Where no more than noise is left for the second state (its mean is below 20 deg/s, or not 2 sd of
  a fixation above it) there are no saccades.
* Probabilities are per sample whatever the time between two; at a loss, gap or break the chain
  begins anew. A recording is one model: give the detector one person's.
* The paper takes all samples of the first state as fixations. Here short ones are left out. The
  oscillation after a saccade is fast and counts as saccade.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.fitted_speed import fitted_speed_deg_s
from gazecode.detection.hmm import Chain, expectations, most_probable
from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.medians import MAD_TO_SD
from gazecode.detection.merging import MAX_LOSS_MS, fixations_between
from gazecode.detection.segments import MIN_GAP_MS, covered, find_runs, mean_step_ms, stretches
from gazecode.detection.velocity import directions
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_ihmm"]

FIXATION_MS, SACCADE_MS = 250.0, 40.0
"""How long the two states last on average before anything is learned."""
OUTSIDE = 4.0
"""A saccade is faster than the median by this many sd of the slower half, to begin with."""
LEAST_SACCADE_DEG_S = 20.0
LEAST_DISTANCE = 2.0
LEAST_SD_DEG_S = 0.1
LEAST_GAIN = 1e-4
"""Re-estimation ends when a sample's log likelihood grows by less."""
_LEAST_LOG = -600.0


def detect_ihmm(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 14.0,
    max_iterations: int = 30,
    min_duration_ms: float = 40.0,
    max_loss_ms: float = MAX_LOSS_MS,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Fixations and saccades as the two states of a hidden Markov model of speed.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent. All of it teaches the model.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms
        Speed is the slope of a line fitted to the samples of this window.
    max_iterations
        Of re-estimation at most; 0 keeps the first guess.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded.
    max_loss_ms
        Pieces of a fixation at the same place (0.5 deg) that a loss of at most this parts are one;
        0 switches that off.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Fixations and saccades by onset, half-open, with `first`, `last` and `end_xy_px`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> x = np.repeat([100.0, 500.0], 100) + np.random.default_rng(1).normal(0, 1, 200)
    >>> samples = Samples(t_ms=np.arange(200) * 4.0, xy_px=np.stack([x, x], axis=1))
    >>> events = detect_ihmm(samples)
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
           kind  onset_ms  offset_ms  first  last
    0  fixation       0.0      392.0      0    98
    1   saccade     392.0      408.0     98   102
    2  fixation     408.0      802.0    102   200
    """
    above_zero(px_per_deg=px_per_deg, velocity_window_ms=velocity_window_ms)
    at_least_zero(
        max_iterations=max_iterations,
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    speed = fitted_speed_deg_s(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)
    known = ~np.isnan(speed)
    fast = np.zeros(len(samples), dtype=np.bool_)
    if known.any():
        begins = np.diff(runs.start[known], prepend=-1) > 0
        step_ms = mean_step_ms(samples.t_ms, runs)
        fast[known] = _fast(speed[known], begins, step_ms, max_iterations=int(max_iterations))
    saccades = stretches(fast, runs)
    fixed = fixations_between(
        samples,
        gaze,
        runs,
        known & ~covered(len(samples), *saccades),
        apart=saccades[0],
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
    )
    return assemble(samples, runs, {"fixation": fixed, "saccade": saccades})


def _fast(
    speed: FloatArray, begins: BoolArray, step_ms: float, *, max_iterations: int
) -> BoolArray:
    """Which samples are in the faster state, ``(n,)``."""
    middle = float(np.median(speed))
    sd = max(MAD_TO_SD * float(np.median(np.abs(speed - middle))), LEAST_SD_DEG_S)
    outside = speed[speed > middle + OUTSIDE * sd]
    if not len(outside):
        return np.zeros(len(speed), dtype=np.bool_)
    mean_sd = (
        np.array([middle, outside.mean()]),
        np.maximum([sd, outside.std()], [LEAST_SD_DEG_S, sd]),
    )
    share = SACCADE_MS / (FIXATION_MS + SACCADE_MS)
    leave = (min(step_ms / FIXATION_MS, 0.5), min(step_ms / SACCADE_MS, 0.5))
    mean, sd_of, chain = _learned(
        speed, begins, mean_sd, Chain(start=share, leave=leave), max_iterations=max_iterations
    )
    if mean[1] < max(LEAST_SACCADE_DEG_S, mean[0] + LEAST_DISTANCE * sd_of[0]):
        return np.zeros(len(speed), dtype=np.bool_)
    density = _log_density(speed, mean, sd_of)
    return most_probable(density[1] - density[0], begins, chain)


def _learned(
    speed: FloatArray,
    begins: BoolArray,
    mean_sd: tuple[FloatArray, FloatArray],
    chain: Chain,
    *,
    max_iterations: int,
) -> tuple[FloatArray, FloatArray, Chain]:
    """Mean and sd of speed in each state and the chain, re-estimated."""
    mean, sd = mean_sd
    likelihood = -np.inf
    for _ in range(max_iterations):
        density = _log_density(speed, mean, sd)
        most = density.max(axis=0)
        relative = np.exp(np.maximum(density - most, _LEAST_LOG))
        fast, steps, total = expectations(relative, begins, chain)
        before, likelihood = likelihood, total + float(most.sum())
        if likelihood - before < LEAST_GAIN * len(speed):
            break
        weight = np.stack([1.0 - fast, fast])
        count = weight.sum(axis=1)
        # A state that nobody is in any more has nothing to teach.
        if count.min() < 1 or steps.sum(axis=1).min() <= 0:
            break
        mean = weight @ speed / count
        spread = np.einsum("sn,sn->s", weight, (speed - mean[:, None]) ** 2) / count
        sd = np.maximum(np.sqrt(spread), LEAST_SD_DEG_S)
        left = np.clip(steps[[0, 1], [1, 0]] / steps.sum(axis=1), 1e-6, 0.5)
        start = float(np.clip(fast[begins].mean(), 1e-3, 1 - 1e-3))
        chain = Chain(start=start, leave=(float(left[0]), float(left[1])))
    return mean, sd, chain


def _log_density(speed: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Of the speed in each state, ``(2, n)``, up to a constant."""
    deviation = (speed - mean[:, None]) / sd[:, None]
    density: FloatArray = -0.5 * deviation**2 - np.log(sd)[:, None]
    return density
