"""Precision: RMS of sample-to-sample steps, standard deviation, BCEA; lost samples are NaN.

Definitions are those of ETDQualitizer (D. C. Niehorster et al., https://github.com/dcnieho/
ETDQualitizer; K. Holmqvist et al. 2023, doi:10.3758/s13428-021-01762-8), read from its text and
written anew. Two of its choices are kept on purpose: the standard deviation divides by n, that of
the BCEA by n - 1.

Lost samples stay in place as NaN: taking them out would join the samples on either side of a loss
to one step and falsify the RMS.
"""

import math

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import FloatArray, IntArray
from gazecode.units import step_ms

__all__ = ["bcea", "moving_precision", "rms_s2s", "std"]


def rms_s2s(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Root mean square of the distances between successive samples, in the unit given.

    Parameters
    ----------
    x, y
        ``(n,)`` gaze, lost samples NaN and in place; a pair with a lost sample drops out.

    Returns
    -------
    float
        NaN without one pair of valid samples.

    Examples
    --------
    >>> round(rms_s2s([0, 3, 3, np.nan, 9], [0, 4, 4, np.nan, 9]), 6)
    3.535534
    """
    x_all, y_all = _columns(x, y)
    squared = np.diff(x_all) ** 2 + np.diff(y_all) ** 2
    known = squared[~np.isnan(squared)]
    return math.sqrt(known.mean()) if len(known) else math.nan


def std(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Standard deviation of position, both axes joined by the root of the sum of squares.

    Parameters
    ----------
    x, y
        ``(n,)`` gaze, lost samples NaN.

    Returns
    -------
    float
        In the unit given; divided by n (``ddof=0``); NaN without a valid sample.

    Examples
    --------
    >>> std([0, 2, np.nan], [0, 0, np.nan])
    1.0
    """
    x_valid, y_valid = _valid(x, y)
    return math.hypot(x_valid.std(), y_valid.std()) if len(x_valid) else math.nan


def bcea(x: npt.ArrayLike, y: npt.ArrayLike, p: float = 0.68) -> float:
    """Bivariate contour ellipse area: of the ellipse that holds a share `p` of the gaze.

    ``2 k pi sd_x sd_y sqrt(1 - rho^2)`` with ``k = ln(1 / (1 - p))`` and standard deviations
    divided by n - 1. R. M. Steinman 1965, doi:10.1364/JOSA.55.001158.

    Parameters
    ----------
    x, y
        ``(n,)`` gaze, lost samples NaN; they do not count.
    p
        Share of the gaze inside, between 0 and 1.

    Returns
    -------
    float
        In the square of the unit given; NaN for fewer than two valid samples.

    Examples
    --------
    >>> round(bcea([0, 2, 0, 2], [0, 0, 2, 2]), 6)
    9.545702
    """
    if not 0 < p < 1:
        raise ParameterError(f"bcea got p = {p}; expected a share between 0 and 1, as 0.68")
    x_valid, y_valid = _valid(x, y)
    if len(x_valid) < 2:
        return math.nan
    covariance = np.cov(x_valid, y_valid)
    # sd_x sd_y sqrt(1 - rho^2) is the root of the determinant, which rounding may push below 0.
    spread = math.sqrt(max(np.linalg.det(covariance), 0.0))
    return 2 * math.log(1 / (1 - p)) * math.pi * spread


def moving_precision(
    t_ms: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike, *, window_ms: float = 100.0
) -> tuple[FloatArray, FloatArray]:
    """RMS-S2S and STD in the window that begins at each sample.

    The median over windows says how precise gaze is while the eye rests: the spread of a whole
    recording would be that of its saccades.

    Parameters
    ----------
    t_ms, x, y
        ``(n,)`` gaze on any clock, lost samples NaN.
    window_ms
        Length of a window; it is made four median steps long where it would hold less.

    Returns
    -------
    rms, std
        ``(n,)`` in the unit given. NaN where the recording ends inside the window, or where fewer
        than half of the samples it should hold (and fewer than three) are valid.

    Examples
    --------
    >>> rms, std = moving_precision(np.arange(6) * 30.0, [0, 1, 0, 1, 0, 1], np.zeros(6))
    >>> rms, std
    (array([ 1.,  1.,  1., nan, nan, nan]), array([0.5, 0.5, 0.5, nan, nan, nan]))
    """
    if not window_ms > 0:
        raise ParameterError(f"window_ms is {window_ms}; expected more than 0")
    t = np.asarray(t_ms, dtype=np.float64)
    x_all, y_all = _columns(x, y)
    step = step_ms(t)
    rms, spread = np.full(len(t), np.nan), np.full(len(t), np.nan)
    if len(t) < 3:
        return rms, spread
    window = max(window_ms, 4 * step)
    # A hair less: stamps such as 12 * 8.333 are at the edge or beyond it by rounding alone.
    stop = np.searchsorted(t, t + window - 1e-6 * step)
    whole = np.flatnonzero(t + window <= t[-1] + step * (1 + 1e-6))
    valid = ~np.isnan(x_all)
    sums = _WindowSums(whole, stop[whole])
    count = sums.of(valid)
    known = (count >= 3) & (count >= window / step / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread[whole] = np.where(
            known, np.sqrt(_variances(x_all, y_all, valid, sums, count)), np.nan
        )
        rms[whole] = np.where(known, _window_rms(x_all, y_all, sums), np.nan)
    return rms, spread


class _WindowSums:
    """Sums over ``[first, stop)`` as differences of running sums."""

    def __init__(self, first: IntArray, stop: IntArray) -> None:
        self.first, self.stop = first, stop

    def of(self, values: npt.NDArray[np.generic], *, shorter: int = 0) -> FloatArray:
        """Sum in every window, or in the window without its last `shorter` values."""
        running = np.zeros(len(values) + 1)
        np.cumsum(values, dtype=np.float64, out=running[1:])
        total: FloatArray = running[self.stop - shorter] - running[self.first]
        return total


def _variances(
    x: FloatArray, y: FloatArray, valid: npt.NDArray[np.bool_], sums: _WindowSums, n: FloatArray
) -> FloatArray:
    total = np.zeros(len(n))
    for values in (x, y):
        # Small numbers lose fewer digits when their squares are summed.
        filled = np.where(valid, values - np.median(values[valid]), 0.0) if valid.any() else x
        total += np.maximum(sums.of(filled**2) / n - (sums.of(filled) / n) ** 2, 0.0)
    return total


def _window_rms(x: FloatArray, y: FloatArray, sums: _WindowSums) -> FloatArray:
    squared = np.diff(x) ** 2 + np.diff(y) ** 2
    known = ~np.isnan(squared)
    pairs = sums.of(known, shorter=1)
    mean: FloatArray = sums.of(np.where(known, squared, 0.0), shorter=1) / pairs
    return np.sqrt(mean)


def _columns(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x_all, y_all = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x_all.ndim != 1 or x_all.shape != y_all.shape:
        raise DataError(
            f"x has shape {x_all.shape} and y has {y_all.shape}; expected two equal columns (n,)"
        )
    # A sample with one lost coordinate is lost.
    lost = np.isnan(x_all) | np.isnan(y_all)
    if not lost.any():
        return x_all, y_all
    return np.where(lost, np.nan, x_all), np.where(lost, np.nan, y_all)


def _valid(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x_all, y_all = _columns(x, y)
    kept = ~np.isnan(x_all)
    return x_all[kept], y_all[kept]
