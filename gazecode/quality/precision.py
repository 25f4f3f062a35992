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
from gazecode.model.checks import FloatArray

__all__ = ["area_factor", "bcea", "columns", "rms_s2s", "std"]


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
    x_all, y_all = columns(x, y)
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
    factor = area_factor(p)
    x_valid, y_valid = _valid(x, y)
    if len(x_valid) < 2:
        return math.nan
    covariance = np.cov(x_valid, y_valid)
    # sd_x sd_y sqrt(1 - rho^2) is the root of the determinant, which rounding may push below 0.
    spread = math.sqrt(max(np.linalg.det(covariance), 0.0))
    return factor * spread


def area_factor(p: float) -> float:
    """What the root of a covariance's determinant is multiplied with to give the BCEA: 2 k pi.

    >>> round(area_factor(0.68), 6)
    7.159277
    """
    if not 0 < p < 1:
        raise ParameterError(f"bcea got p = {p}; expected a share between 0 and 1, as 0.68")
    return 2 * math.log(1 / (1 - p)) * math.pi


def columns(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two equal columns; a sample with one lost coordinate is lost."""
    x_all, y_all = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x_all.ndim != 1 or x_all.shape != y_all.shape:
        raise DataError(
            f"x has shape {x_all.shape} and y has {y_all.shape}; expected two equal columns (n,)"
        )
    lost = np.isnan(x_all) | np.isnan(y_all)
    if not lost.any():
        return x_all, y_all
    return np.where(lost, np.nan, x_all), np.where(lost, np.nan, y_all)


def _valid(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x_all, y_all = columns(x, y)
    kept = ~np.isnan(x_all)
    return x_all[kept], y_all[kept]
