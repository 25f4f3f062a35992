"""Speed and acceleration of every sample, in a fraction of the time of fitting every window.

The quantities are those of `gazecode.detection.smoothing`: a local polynomial on the real stamps.
Where all stamps of a window are evenly spaced the fit is a fixed set of weights (the tables of A.
Savitzky and M. J. E. Golay 1964, doi:10.1021/ac60214a047), and the samples of a recording are one
convolution; windows around irregular stamps are fitted one by one. On a clock that is irregular
throughout nothing is gained.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gazecode.detection.segments import Runs
from gazecode.detection.smoothing import smooth, window_samples
from gazecode.detection.velocity import Directions

__all__ = ["speed_and_acceleration"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

STEP_TOLERANCE = 1e-6
"""Relative to a step: what float stamps of an even clock differ by."""


def speed_and_acceleration(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float
) -> tuple[FloatArray, FloatArray]:
    """Speed (deg/s) and magnitude of the acceleration (deg/s²) of every sample, ``(n,)`` each.

    Parameters
    ----------
    t_ms, gaze, runs, window_ms
        As `gazecode.detection.smoothing.smooth` takes them, degree 2.

    Returns
    -------
    tuple
        NaN where lost and where a run is too short: one sample for speed, two for acceleration.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> from gazecode.model import Samples
    >>> t = np.arange(9) * 10.0
    >>> samples = Samples(t_ms=t, xy_px=np.stack([t * t / 25, t * 0], axis=1))
    >>> gaze = Directions(deg=samples.xy_px / 40, spherical=False)
    >>> speed, acceleration = speed_and_acceleration(
    ...     t, gaze, find_runs(samples, min_gap_ms=75), window_ms=30
    ... )
    >>> speed.round(6)[[0, 4, 8]], acceleration.round(6)[4]
    (array([  0.,  80., 160.]), np.float64(2000.0))
    """
    n = len(t_ms)
    if n < 2:
        return np.full(n, np.nan), np.full(n, np.nan)
    size = window_samples(t_ms, window_ms)
    even = _even_windows(t_ms, runs, size)
    velocity, change, level = _convolved(t_ms, gaze, size)
    ends = np.flatnonzero(~even)
    rows, centre = _shifted(ends, even, runs, size)
    # Off the middle of its window the same quadratic has another slope and another value.
    off_s = (t_ms[rows] - t_ms[centre]) / 1000.0
    middle = velocity[:, centre]
    velocity[:, rows] = middle + change[:, centre] * off_s
    level[rows] = level[centre] + (middle[1] + change[1, centre] * off_s / 2) * off_s
    change[:, rows] = change[:, centre]
    if gaze.spherical:
        shrink = np.cos(np.radians(level))
        velocity[0] *= shrink
        change[0] *= shrink
    speed = np.sqrt(velocity[0] ** 2 + velocity[1] ** 2)
    acceleration = np.sqrt(change[0] ** 2 + change[1] ** 2)
    left = np.setdiff1d(ends, rows, assume_unique=True)
    if len(left):
        speed[left], acceleration[left] = _fitted(t_ms, gaze, runs, left, window_ms=window_ms)
    return speed, acceleration


def _shifted(ends: IntArray, even: BoolArray, runs: Runs, size: int) -> tuple[IntArray, IntArray]:
    """Samples near the ends of their runs whose shifted window is even, and its middle."""
    half = size // 2
    start, stop = runs.start[ends], runs.stop[ends]
    centre = np.clip(ends, start + half, np.maximum(stop - 1 - half, start + half))
    inside = (stop - start >= size) & even[np.minimum(centre, len(even) - 1)]
    return ends[inside], centre[inside]


def _fitted(
    t_ms: FloatArray, gaze: Directions, runs: Runs, rows: IntArray, *, window_ms: float
) -> tuple[FloatArray, FloatArray]:
    """Speed and acceleration of some samples, a window at a time."""
    wanted = np.zeros(len(t_ms), dtype=bool)
    wanted[rows] = True
    # Without a run of their own `smooth` passes over samples: it fits only what is wanted.
    only = replace(runs, stop=np.where(wanted, runs.stop, runs.start))
    fitted = smooth(t_ms, gaze, only, window_ms=window_ms)
    across = fitted.acceleration_deg_s2[rows, 0]
    if gaze.spherical:
        across = across * np.cos(np.radians(fitted.deg[rows, 1]))
    return fitted.speed_deg_s[rows], np.hypot(across, fitted.acceleration_deg_s2[rows, 1])


def _even_windows(t_ms: FloatArray, runs: Runs, size: int) -> BoolArray:
    """Whether the window centred on each sample lies in its run and has evenly spaced stamps."""
    n, half = len(t_ms), size // 2
    even = np.zeros(n, dtype=bool)
    if n < size:
        return even
    step = np.diff(t_ms)
    # An even window has the same step throughout: no change of step within it.
    uneven = np.abs(np.diff(step)) > STEP_TOLERANCE * step[1:]
    changes = np.concatenate(([0], np.cumsum(uneven)))
    middle = np.arange(half, n - half)
    # Steps i - half ... i + half - 1 are the window's; changes lie between them.
    even[middle] = changes[middle + half - 1] == changes[middle - half]
    even[middle] &= (runs.start[middle] <= middle - half) & (middle + half < runs.stop[middle])
    return even


def _convolved(
    t_ms: FloatArray, gaze: Directions, size: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Velocity and acceleration ``(2, n)`` and elevation by fixed weights, per second.

    Meaningless where windows are not even, NaN where they reach over the recording's ends.
    """
    n, half = len(t_ms), size // 2
    velocity, change, level = np.full((2, n), np.nan), np.full((2, n), np.nan), np.full(n, np.nan)
    if n < size:
        return velocity, change, level
    k = np.arange(-half, half + 1.0)
    slope = k / (k @ k)
    bend = k * k - (k @ k) / size
    curve = 2 * bend / (bend @ bend)
    inner = slice(half, n - half)
    step_s = (t_ms[2 * half :] - t_ms[: n - 2 * half]) / (2 * half * 1000.0)
    for axis in (0, 1):
        values = np.ascontiguousarray(gaze.deg[:, axis])
        velocity[axis, inner] = np.correlate(values, slope, mode="valid") / step_s
        change[axis, inner] = np.correlate(values, curve, mode="valid") / step_s**2
    if gaze.spherical:
        mean = np.full(size, 1 / size) - bend * (k @ k) / size / (bend @ bend)
        level[inner] = np.correlate(np.ascontiguousarray(gaze.deg[:, 1]), mean, mode="valid")
    return velocity, change, level
