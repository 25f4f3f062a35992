"""Position and velocity by a local polynomial: Savitzky and Golay, on the stamps as they are.

A. Savitzky and M. J. E. Golay 1964, doi:10.1021/ac60214a047: in a window around each sample a
polynomial is fitted by least squares; its value is the smoothed position, its slope the velocity.
Their tables hold for regular time. Here every window is fitted on its real stamps, so that nothing
is resampled; on a regular clock the results are those of their filter.

A window never leaves its run (`gazecode.detection.segments`): at the ends it is shifted inwards and
the polynomial is read off its middle, as the filter's "interp" mode does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.detection.segments import Runs
from gazecode.detection.velocity import Directions
from gazecode.units import step_ms

__all__ = ["Smooth", "smooth", "window_samples"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHUNK = 1 << 14
"""Samples whose windows are laid out at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """Smoothed gaze.

    Attributes
    ----------
    deg
        ``(n, 2)`` azimuth and elevation, degrees; NaN where lost.
    velocity_deg_s
        ``(n, 2)`` their change per second; NaN where lost or where the run is a single sample.
    acceleration_deg_s2
        ``(n, 2)`` likewise; NaN in runs of fewer than three samples and for a line (`degree` 1).
    speed_deg_s
        ``(n,)`` speed along the sphere: azimuth shrinks with the cosine of the elevation where the
        geometry is known.
    """

    deg: FloatArray
    velocity_deg_s: FloatArray
    acceleration_deg_s2: FloatArray
    speed_deg_s: FloatArray


def window_samples(t_ms: FloatArray, window_ms: float, *, degree: int = 2) -> int:
    """Odd number of samples whose window is nearest to `window_ms`, above the degree.

    >>> window_samples(np.arange(100) * 2.0, 14.0)
    7
    """
    half = max(round((window_ms / step_ms(t_ms) - 1) / 2), (degree + 1) // 2, 1)
    return 2 * half + 1


def smooth(
    t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float, degree: int = 2
) -> Smooth:
    """Fit a polynomial around every sample.

    Parameters
    ----------
    t_ms, gaze, runs
        The samples' stamps, their directions, and where gaze is unbroken.
    window_ms
        Length of the window; it holds an odd number of samples (`window_samples`), fewer where a
        run is shorter.
    degree
        1 or 2; less in a run that holds too few samples.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> from gazecode.model import Samples
    >>> t = np.array([0.0, 9.0, 21.0, 29.0, 40.0])
    >>> samples = Samples(t_ms=t, xy_px=np.stack([t * 4, t * 0], axis=1))
    >>> gaze = Directions(deg=samples.xy_px / 40, spherical=False)
    >>> smooth(t, gaze, find_runs(samples, min_gap_ms=75), window_ms=40).speed_deg_s.round(6)
    array([100., 100., 100., 100., 100.])
    """
    n, width = len(t_ms), window_samples(t_ms, window_ms, degree=degree)
    out = np.full((3, n, 2), np.nan)
    length = runs.stop - runs.start
    # A window of its own length for runs shorter than the window: few, and short.
    for size in np.unique(np.minimum(length, width)).tolist():
        rows = np.flatnonzero(np.minimum(length, width) == size)
        if not size:
            continue
        for begin in range(0, len(rows), CHUNK):
            part = rows[begin : begin + CHUNK]
            first = np.clip(part - size // 2, runs.start[part], runs.stop[part] - size)
            window = first[:, None] + np.arange(size)
            out[:, part] = _fit(t_ms[part], t_ms[window], gaze.deg[window], degree=degree)
    deg, velocity, acceleration = out
    across = velocity[:, 0]
    if gaze.spherical:
        across = across * np.cos(np.radians(deg[:, 1]))
    return Smooth(
        deg=deg,
        velocity_deg_s=velocity,
        acceleration_deg_s2=acceleration,
        speed_deg_s=np.hypot(across, velocity[:, 1]),
    )


def _fit(at_ms: FloatArray, t_ms: FloatArray, deg: FloatArray, *, degree: int) -> FloatArray:
    """Value, slope per second and curvature at `at_ms` of the fit in each window, ``(3, n, 2)``.

    With polynomials that are orthogonal on the window's own stamps each coefficient is a plain sum.
    """
    n, size = t_ms.shape
    mean = t_ms.mean(axis=1, keepdims=True)
    t = (t_ms - mean) / 1000.0
    at = (at_ms - mean[:, 0]) / 1000.0
    fitted = np.full((3, n, 2), np.nan)
    fitted[0] = deg.mean(axis=1)
    if size < 2:
        return fitted
    second = np.einsum("nk,nk->n", t, t)
    slope = np.einsum("nk,nkd->nd", t, deg) / second[:, None]
    fitted[0] += slope * at[:, None]
    fitted[1] = slope
    if size < 3 or degree < 2:
        return fitted
    # t² less its projections on 1 and t.
    tilt = np.einsum("nk,nk->n", t * t, t) / second
    bend = t * t - (second / size)[:, None] - tilt[:, None] * t
    curve = np.einsum("nk,nkd->nd", bend, deg) / np.einsum("nk,nk->n", bend, bend)[:, None]
    fitted[0] += curve * (at * at - second / size - tilt * at)[:, None]
    fitted[1] += curve * (2 * at - tilt)[:, None]
    fitted[2] = 2 * curve
    return fitted
