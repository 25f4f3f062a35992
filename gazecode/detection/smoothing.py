"""Position and velocity by a local polynomial: Savitzky and Golay, on the stamps as they are.

A. Savitzky and M. J. E. Golay 1964, doi:10.1021/ac60214a047: in a window around each sample a
polynomial is fitted by least squares; its value is the smoothed position, its slope the velocity.
Their tables hold for regular time. Here every window is fitted on its real stamps, so that nothing
is resampled; on a regular clock the results are those of their filter, and where the stamps are
even the windows share one fit's weights, as their tables do.

A window never leaves its run (`gazecode.detection.segments`): at the ends it is shifted inwards and
the polynomial is read off its middle, as the filter's "interp" mode does. How many samples fill a
window is counted in mean steps within runs: the median step says nothing where stamps come in
bursts or samples were dropped. On a regular clock the two are one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gazecode.detection.segments import Runs, mean_step_ms
from gazecode.detection.velocity import Directions
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Smooth", "smooth", "window_samples"]

CHUNK = 1 << 13
"""Samples whose windows are fitted at once: they stay in the processor's cache."""
EVEN = 1e-9
"""Relative to a step: what float stamps of an even clock differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """Smoothed gaze.

    Attributes
    ----------
    deg
        ``(n, 2)`` azimuth and elevation, degrees; NaN where lost.
    velocity_deg_s, acceleration_deg_s2
        ``(n, 2)`` change along the sphere per second, and its change: azimuth shrinks with the
        cosine of the elevation where the geometry is known. NaN where lost; velocity where the run
        is a single sample, acceleration where it has fewer than three, and for a line (`degree` 1).
    """

    deg: FloatArray
    velocity_deg_s: FloatArray
    acceleration_deg_s2: FloatArray

    @property
    def speed_deg_s(self) -> FloatArray:
        """``(n,)`` length of the velocity."""
        return _length(self.velocity_deg_s)

    @property
    def strength_deg_s2(self) -> FloatArray:
        """``(n,)`` length of the acceleration."""
        return _length(self.acceleration_deg_s2)


def window_samples(t_ms: FloatArray, runs: Runs, window_ms: float, *, degree: int = 2) -> int:
    """Odd number of samples whose window is nearest to `window_ms`, above the degree.

    >>> from gazecode.detection.segments import find_runs
    >>> from gazecode.model import Samples
    >>> samples = Samples(t_ms=np.arange(100) * 2.0, xy_px=np.zeros((100, 2)))
    >>> window_samples(samples.t_ms, find_runs(samples, min_gap_ms=75), 14.0)
    7
    """
    step = mean_step_ms(t_ms, runs)
    fewest = max((degree + 1) // 2, 1)
    if np.isnan(step):
        return 2 * fewest + 1
    # What float stamps add or take does not decide between two windows equally near.
    size = min(window_ms / step, 2.0 * len(t_ms) + 1)
    return 2 * max(round(round((size - 1) / 2, 6)), fewest) + 1


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
    size = window_samples(t_ms, runs, window_ms, degree=degree)
    places = np.ascontiguousarray(gaze.deg.T)
    fitted = _centred(t_ms, places, size, degree=degree)
    length, index = runs.stop - runs.start, np.arange(len(t_ms))
    middle = np.clip(index, runs.start + size // 2, runs.stop - 1 - size // 2)
    ends = np.flatnonzero((length >= size) & (middle != index))
    fitted[:, :, ends] = _moved(t_ms, fitted, ends, middle[ends], degree=degree)
    fitted[:, :, length < size] = np.nan
    # A window of its own length for runs shorter than the window.
    for shorter in np.unique(length[(length > 0) & (length < size)]).tolist():
        rows = np.flatnonzero(length == shorter)
        for begin in range(0, len(rows), CHUNK):
            part = rows[begin : begin + CHUNK]
            window = runs.start[part] + np.arange(shorter)[:, None]
            out = np.full((3, 2, len(part)), np.nan)
            _fit(t_ms[part], t_ms[window], places[:, window], degree=degree, out=out)
            fitted[:, :, part] = out
    if gaze.spherical:
        fitted[1:, 0] *= np.cos(np.radians(fitted[0, 1]))
    deg, velocity, acceleration = fitted.transpose(0, 2, 1)
    return Smooth(deg=deg, velocity_deg_s=velocity, acceleration_deg_s2=acceleration)


def _centred(t_ms: FloatArray, places: FloatArray, size: int, *, degree: int) -> FloatArray:
    """Fit ``(3, 2, n)`` in the window centred on each sample, as if no run ever ended."""
    n, half = len(t_ms), size // 2
    fitted = np.full((3, 2, n), np.nan)
    if n < size:
        return fitted
    stamps = sliding_window_view(t_ms, size).T
    windows = sliding_window_view(places, size, axis=1).transpose(0, 2, 1)
    for begin in range(0, n - size + 1, CHUNK):
        end = min(begin + CHUNK, n - size + 1)
        middle, held = slice(begin + half, end + half), slice(begin, end)
        if _even(t_ms[begin : end + size - 1]):
            # The stamps of one window stand for those of all.
            held = slice(begin, begin + 1)
        _fit(
            stamps[half, held],
            stamps[:, held],
            windows[:, :, begin:end],
            degree=degree,
            out=fitted[:, :, middle],
        )
    return fitted


def _even(t_ms: FloatArray) -> bool:
    step = (t_ms[-1] - t_ms[0]) / (len(t_ms) - 1)
    return bool(np.abs(np.diff(t_ms) - step).max() <= EVEN * step)


def _moved(
    t_ms: FloatArray, fitted: FloatArray, rows: IntArray, middle: IntArray, *, degree: int
) -> FloatArray:
    """The polynomials around `middle`, read off at `rows`."""
    away = (t_ms[rows] - t_ms[middle]) / 1000.0
    moved = fitted[:, :, middle]
    moved[0] += moved[1] * away
    if degree > 1:
        moved[0] += moved[2] * away**2 / 2
        moved[1] += moved[2] * away
    return moved


def _fit(
    at_ms: FloatArray, t_ms: FloatArray, places: FloatArray, *, degree: int, out: FloatArray
) -> None:
    """Value, slope per second and curvature at `at_ms` of the fit in each window.

    Written to `out` ``(3, 2, n)``, which holds NaN. Stamps are ``(k, n)``, or ``(k, 1)`` where all
    windows have the same; places ``(2, k, n)``. With polynomials that are orthogonal on the
    window's own stamps each coefficient is a plain sum.
    """
    size = len(t_ms)
    # From a stamp near by: a large clock would cost digits.
    t = (t_ms - at_ms) / 1000.0
    at = -t.mean(axis=0)
    t += at
    out[0] = places.mean(axis=1)
    if size < 2:
        return
    squares = t * t
    second = squares.sum(axis=0)
    slope = (t * places).sum(axis=1) / second
    out[0] += slope * at
    out[1] = slope
    if size < 3 or degree < 2:
        return
    # t² less its projections on 1 and t.
    tilt = (squares * t).sum(axis=0) / second
    bend = squares - second / size - tilt * t
    curve = (bend * places).sum(axis=1) / (bend * bend).sum(axis=0)
    out[0] += curve * (at * at - second / size - tilt * at)
    out[1] += curve * (2 * at - tilt)
    out[2] = 2 * curve


def _length(vectors: FloatArray) -> FloatArray:
    length: FloatArray = np.hypot(vectors[:, 0], vectors[:, 1])
    return length
