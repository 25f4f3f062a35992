"""Speed by a local line fit on any clock, and where stamps are too far apart or too near for one.

The slope of a line fitted to the samples around each one; on a regular clock it is that of a
parabola, too (A. Savitzky and M. J. E. Golay 1964, doi:10.1021/ac60214a047; on uneven stamps a
parabola through few samples follows their noise). Where stamps are far apart, three of them outlast
a saccade, and its speed would drown: there a step to a neighbour is taken, the faster of both, over
at most the 20 ms that small saccades take, so that what counts is how far gaze has moved.
"""

import math

import numpy as np

from gazecode.detection.segments import Runs, mean_step_ms
from gazecode.detection.smoothing import smooth
from gazecode.detection.velocity import Directions, speed_deg_s
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["LONGEST", "MOVING_MS", "SHORTEST", "fitted_speed_deg_s", "neighbours"]

LONGEST = 1.5
"""Neighbours further apart than this many windows are too far for a fit: below 95 Hz for 14 ms."""
SHORTEST = 0.5
"""A fit over less than this share of the window would take noise for speed."""
MOVING_MS = 20.0
"""How long small saccades last (main sequence); a longer step holds rest as well."""
_ROUNDING = 1 - 1e-9
"""7 steps of 2 ms fill 14 ms whatever floats make of the stamps."""


def fitted_speed_deg_s(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float
) -> FloatArray:
    """Speed of every sample from a line fitted around it, ``(n,)`` deg/s.

    The fewest samples, an odd number, whose steps fill `window_ms`. NaN where gaze is lost or a
    sample is alone in its run. Where the neighbours are further apart than 1.5 times `window_ms`
    (the clock is slow, or samples were dropped) the faster of the steps to them, over at least half
    of `window_ms` and at most `MOVING_MS`. Where the samples last less than half of `window_ms`
    (stamps in bursts) the speed is `gazecode.detection.velocity.speed_deg_s`, which reaches out.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> from gazecode.model import Samples
    >>> t = np.arange(9) * 2.0
    >>> samples = Samples(t_ms=t, xy_px=np.stack([t * 4, t * 0], axis=1))
    >>> gaze = Directions(deg=samples.xy_px / 40, spherical=False)
    >>> runs = find_runs(samples, min_gap_ms=75)
    >>> fitted_speed_deg_s(t, gaze, runs, window_ms=14).round(6)
    array([100., 100., 100., 100., 100., 100., 100., 100., 100.])
    """
    step = mean_step_ms(t_ms, runs)
    if math.isnan(step):
        return np.full(len(t_ms), np.nan)
    width = 2 * max(math.ceil((window_ms / step * _ROUNDING - 1) / 2), 1) + 1
    speed = smooth(t_ms, gaze, runs, window_ms=width * step, degree=1).speed_deg_s
    index = np.arange(len(t_ms))
    short = _span_ms(t_ms, runs, index, width) < SHORTEST * window_ms
    short &= runs.stop > runs.start
    if short.any():
        speed[short] = speed_deg_s(t_ms, gaze, runs, window_ms=window_ms)[short]
    before, after = neighbours(runs, index)
    long = t_ms[after] - t_ms[before] > LONGEST * window_ms
    if long.any():
        speed[long] = _faster_step_deg_s(
            t_ms, gaze, before[long], index[long], after[long], least_ms=SHORTEST * window_ms
        )
    return speed


def neighbours(runs: Runs, index: IntArray) -> tuple[IntArray, IntArray]:
    """The samples before and after each one; at an end of its run itself."""
    before = np.maximum(index - 1, runs.start[index])
    after = np.minimum(index + 1, runs.stop[index] - 1)
    lost = runs.stop[index] == runs.start[index]
    return np.where(lost, index, before), np.where(lost, index, after)


def _span_ms(t_ms: FloatArray, runs: Runs, index: IntArray, width: int) -> FloatArray:
    """From the first to the last stamp of every sample's window."""
    size = np.maximum(np.minimum(runs.stop - runs.start, min(width, len(t_ms))), 1)
    first = np.clip(index - size // 2, runs.start, np.maximum(runs.stop - size, runs.start))
    span: FloatArray = t_ms[first + size - 1] - t_ms[first]
    return span


def _faster_step_deg_s(
    t_ms: FloatArray,
    gaze: Directions,
    before: IntArray,
    here: IntArray,
    after: IntArray,
    *,
    least_ms: float,
) -> FloatArray:
    steps = []
    for a, b in ((before, here), (here, after)):
        span = np.clip(t_ms[b] - t_ms[a], least_ms, MOVING_MS)
        steps.append(1000.0 * gaze.between(a, b) / span)
    faster: FloatArray = np.maximum(*steps)
    return faster
