"""Saccades as velocities outside an ellipse fitted to the noise: R. Engbert and R. Kliegl 2003.

R. Engbert and R. Kliegl 2003, doi:10.1016/S0042-6989(03)00084-1; the same with other settings in R.
Engbert and K. Mergenthaler 2006, doi:10.1073/pnas.0509557103. Velocity is a moving average over
five samples; its spread on each axis is ``sqrt(median(v²) - median(v)²)``, which saccades hardly
touch; a saccade is a stretch of at least three samples outside the ellipse whose half-axes are
lambda spreads. Defaults are those of 2003 in ms at their 250 Hz: lambda 6, 16 ms from the first
to the last sample of the average, at least 12 ms; 2006 take lambda 5 and, at 500 Hz, 8 and 6 ms.

What differs, and what is done where the papers are silent:

* The average weighs stamps as it weighs places, so that it is a velocity on any clock; on a regular
  one it is theirs. At the ends of a run, and where stamps come in bursts, it is as long as both
  sides allow and reaches further where that is less than half of the window. Where neighbours are
  further apart than 1.5 windows, the faster of the steps to them counts.
* Spread is taken over the whole recording, where the papers take it per trial: medians of a few
  samples between two losses would be no estimate. Call the detector per trial for theirs.
* One signal is judged. The papers ask that both eyes move; `Samples` hold one eye or the mean.
* Fixations are what lies between saccades and lasts long enough; the papers name none. Oscillations
  after a saccade often exceed the ellipse and count as saccades of their own.
* A spread below 0.001 deg/s counts as that: noise-free gaze has none.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.fitted_speed import LONGEST, SHORTEST, neighbours
from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.merging import MAX_LOSS_MS, fixations_between
from gazecode.detection.segments import (
    MIN_GAP_MS,
    Runs,
    covered,
    find_runs,
    lasting,
    mean_step_ms,
    stretches,
)
from gazecode.detection.velocity import Directions, directions, reach_out
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_engbert_kliegl"]

LEAST_SPREAD_DEG_S = 1e-3


def detect_engbert_kliegl(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 16.0,
    threshold_spreads: float = 6.0,
    min_saccade_ms: float = 12.0,
    min_duration_ms: float = 40.0,
    max_loss_ms: float = MAX_LOSS_MS,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Saccades where velocity leaves the noise of the recording, fixations between them.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent. All of it sets the threshold.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms
        From the first to the last sample whose places a velocity averages.
    threshold_spreads
        Lambda: half-axes of the ellipse, in spreads of the velocity on each axis.
    min_saccade_ms
        What is fast for less belongs to the fixation around it.
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
    >>> x = np.repeat([100.0, 500.0], 50) + np.random.default_rng(1).normal(0, 1, 100)
    >>> samples = Samples(t_ms=np.arange(100) * 4.0, xy_px=np.stack([x, x], axis=1))
    >>> events = detect_engbert_kliegl(samples)
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
           kind  onset_ms  offset_ms  first  last
    0  fixation       0.0      192.0      0    48
    1   saccade     192.0      208.0     48    52
    2  fixation     208.0      402.0     52   100
    """
    above_zero(
        px_per_deg=px_per_deg,
        velocity_window_ms=velocity_window_ms,
        threshold_spreads=threshold_spreads,
    )
    at_least_zero(
        min_saccade_ms=min_saccade_ms,
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    velocity = _velocity_deg_s(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)
    known = ~np.isnan(velocity[:, 0])
    limit = threshold_spreads * _spread_deg_s(velocity[known])
    outside = stretches(((velocity / limit) ** 2).sum(axis=1) > 1, runs)
    saccades = lasting(samples, runs, outside, min_ms=min_saccade_ms)
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


def _spread_deg_s(velocity: FloatArray) -> FloatArray:
    """Spread of each axis by medians, ``(2,)``; the least there is where nothing is known."""
    if not len(velocity):
        return np.full(2, LEAST_SPREAD_DEG_S)
    squares = np.median(velocity**2, axis=0) - np.median(velocity, axis=0) ** 2
    # Rounding may leave less than nothing where all velocities are alike.
    spread: FloatArray = np.sqrt(np.maximum(squares, LEAST_SPREAD_DEG_S**2))
    return spread


def _velocity_deg_s(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float
) -> FloatArray:
    """Mean of the places after a sample less that of those before, over the time between the two.

    ``(n, 2)`` along the sphere: azimuth shrinks with the cosine of the elevation where the geometry
    is known. NaN where lost or alone in its run.
    """
    n = len(t_ms)
    step = mean_step_ms(t_ms, runs)
    if np.isnan(step):
        return np.full((n, 2), np.nan)
    index = np.arange(n)
    # A half is rounded down whatever floats make of the stamps.
    most = max(round(min(window_ms / 2 / step, n) * (1 - 1e-9)), 1)
    sides = np.minimum(index - runs.start, runs.stop - 1 - index)
    reach = np.where(runs.stop > runs.start, np.minimum(most, sides), 0)
    left, right = _reach_out(t_ms, runs, reach, least_ms=SHORTEST * window_ms)
    velocity = _between_means(t_ms, gaze.deg, index, left, right)
    before, after = neighbours(runs, index)
    long = np.flatnonzero(t_ms[after] - t_ms[before] > LONGEST * window_ms)
    velocity[long] = _faster_step(
        t_ms, gaze.deg, before[long], long, after[long], least_ms=SHORTEST * window_ms
    )
    if gaze.spherical:
        velocity[:, 0] *= np.cos(np.radians(gaze.deg[:, 1]))
    return velocity


def _reach_out(
    t_ms: FloatArray, runs: Runs, reach: IntArray, *, least_ms: float
) -> tuple[IntArray, IntArray]:
    """Number of samples before and after each one that a velocity averages."""
    left, right = reach.copy(), reach.copy()
    index = np.arange(len(t_ms))
    short = np.flatnonzero(
        (runs.stop > runs.start) & (t_ms[index + reach] - t_ms[index - reach] < least_ms)
    )
    before, after = reach_out(t_ms, runs, short, half_ms=least_ms / 2)
    left[short], right[short] = short - before, after - short
    return left, right


def _between_means(
    t_ms: FloatArray, deg: FloatArray, index: IntArray, left: IntArray, right: IntArray
) -> FloatArray:
    """Velocity from the `left` samples before each to the `right` ones after it."""
    # Times from the start of the recording: a large clock would cost digits.
    rows = np.concatenate(((t_ms - t_ms[0])[None] / 1000.0, np.nan_to_num(deg.T, nan=0.0)))
    sums = np.concatenate((np.zeros((3, 1)), np.cumsum(rows, axis=1)), axis=1)
    after = sums[:, index + right + 1] - sums[:, index + 1]
    before = sums[:, index] - sums[:, index - left]
    count_after, count_before = right.astype(float), left.astype(float)
    # At the first and last sample of a run one side is the sample itself.
    for total, count in ((after, count_after), (before, count_before)):
        alone = np.flatnonzero(count == 0)
        total[:, alone] = rows[:, alone]
        count[alone] = 1.0
    step = after / count_after - before / count_before
    velocity = np.full((len(index), 2), np.nan)
    np.divide(step[1:].T, step[:1].T, out=velocity, where=(left + right > 0)[:, None])
    return velocity


def _faster_step(
    t_ms: FloatArray,
    deg: FloatArray,
    before: IntArray,
    here: IntArray,
    after: IntArray,
    *,
    least_ms: float,
) -> FloatArray:
    """Velocity from the sample before or to the one after, whichever is faster."""
    steps = []
    for a, b in ((before, here), (here, after)):
        span = np.maximum(t_ms[b] - t_ms[a], least_ms)
        steps.append(1000.0 * (deg[b] - deg[a]) / span[:, None])
    back, ahead = steps
    faster = np.hypot(*ahead.T) > np.hypot(*back.T)
    return np.where(faster[:, None], ahead, back)
