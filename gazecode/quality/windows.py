"""Precision in moving windows: RMS-S2S, STD and BCEA of the window that begins at each sample.

The median over windows says how precise gaze is while the eye rests: the spread of a whole
recording would be that of its saccades. Sums over windows are differences of running sums, so the
cost does not depend on how long windows are.

ETDQualitizer counts windows in samples and takes all that hold one sample; ``min_share=0`` is that.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.quality.precision import area_factor, columns
from gazecode.units import step_ms

__all__ = ["Precision", "Windows", "moving_precision"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Precision:
    """Precision of many stretches of gaze, one row each, in the unit given.

    Attributes
    ----------
    rms
        ``(k,)`` RMS of sample-to-sample distances.
    std, std_x, std_y
        ``(k,)`` standard deviations, divided by n: of both axes joined by the root of the sum of
        squares, and of each.
    bcea
        ``(k,)`` area of the contour ellipse, in the square of the unit.
    """

    rms: FloatArray
    std: FloatArray
    std_x: FloatArray
    std_y: FloatArray
    bcea: FloatArray

    def __len__(self) -> int:
        return len(self.rms)


class Windows:
    """The windows of one clock, found once for all eyes that share it.

    Parameters
    ----------
    t_ms
        ``(n,)`` increasing.
    window_ms
        Length; it is made four median steps long where it would hold less.
    """

    def __init__(self, t_ms: npt.ArrayLike, *, window_ms: float = 100.0) -> None:
        if not window_ms > 0:
            raise ParameterError(f"window_ms is {window_ms}; expected more than 0")
        t = np.asarray(t_ms, dtype=np.float64)
        step = step_ms(t)
        self.n = len(t)
        self.window_ms = max(window_ms, 4 * step) if step > 0 else window_ms
        self.expected = self.window_ms / step if step > 0 else math.nan
        # A hair less: stamps such as 12 * 8.333 are at the edge or beyond it by rounding alone.
        self.whole = int((t + self.window_ms <= t[-1] + step * (1 + 1e-6)).sum()) if self.n else 0
        self.whole *= self.n >= 3
        self.stop = np.searchsorted(t, t[: self.whole] + (self.window_ms - 1e-6 * step))

    def precision(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, p: float = 0.68, min_share: float = 0.5
    ) -> Precision:
        """Precision of the window that begins at each sample.

        Parameters
        ----------
        x, y
            ``(n,)`` gaze, lost samples NaN and in place.
        p
            Share of the gaze inside the ellipse of the BCEA.
        min_share
            Windows with fewer valid samples than this share of what they should hold are NaN, and
            those with fewer than three; 0 keeps every window in which a figure exists.

        Returns
        -------
        Precision
            ``(n,)``; NaN where the recording ends inside the window.

        Examples
        --------
        >>> windows = Windows(np.arange(6) * 30.0)
        >>> windows.precision([0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 0, 1]).rms.round(3)
        array([1.   , 1.   , 1.155,   nan,   nan,   nan])
        """
        factor = area_factor(p)
        x_all, y_all = columns(x, y)
        valid = ~np.isnan(x_all)
        n = self._sums(valid)
        least = max(3.0, min_share * self.expected) if min_share > 0 else 1.0
        with np.errstate(invalid="ignore", divide="ignore"):
            n[n < least] = np.nan
            mean_x, mean_y, var_x, var_y, cov = self._moments(x_all, y_all, valid, n)
            var_x -= mean_x * mean_x
            var_y -= mean_y * mean_y
            cov -= mean_x * mean_y
            np.maximum(var_x, 0.0, out=var_x)
            np.maximum(var_y, 0.0, out=var_y)
            # The BCEA divides by n - 1, the standard deviation by n.
            area = np.sqrt(np.maximum(var_x * var_y - cov * cov, 0.0)) * (n / (n - 1))
            area[n < 2] = np.nan
            rms = self._rms(x_all, y_all, n)
        return Precision(
            rms=self._full(rms),
            std=self._full(np.sqrt(var_x + var_y)),
            std_x=self._full(np.sqrt(var_x)),
            std_y=self._full(np.sqrt(var_y)),
            bcea=self._full(factor * area),
        )

    def _moments(
        self, x: FloatArray, y: FloatArray, valid: BoolArray, n: FloatArray
    ) -> list[FloatArray]:
        """Means of x, y, x², y² and xy over the valid samples of each window."""
        if not valid.any():
            return [np.full(self.whole, np.nan) for _ in range(5)]
        filled = []
        for values in (x, y):
            # Small numbers lose fewer digits when their squares are summed.
            centred = values - values[valid].mean()
            centred[~valid] = 0.0
            filled.append(centred)
        x, y = filled
        return [self._sums(values) / n for values in (x, y, x * x, y * y, x * y)]

    def _rms(self, x: FloatArray, y: FloatArray, n: FloatArray) -> FloatArray:
        squared = np.diff(x) ** 2
        squared += np.diff(y) ** 2
        known = ~np.isnan(squared)
        squared[~known] = 0.0
        pairs = self._sums(known, shorter=1)
        pairs[np.isnan(n) | (pairs < 1)] = np.nan
        rms: FloatArray = np.sqrt(self._sums(squared, shorter=1) / pairs)
        return rms

    def _sums(self, values: npt.NDArray[np.generic], *, shorter: int = 0) -> FloatArray:
        """Sum in every whole window, or in the window without its last `shorter` values."""
        running = np.zeros(len(values) + 1)
        np.cumsum(values, dtype=np.float64, out=running[1:])
        total: FloatArray = running[self.stop - shorter] - running[: self.whole]
        return total

    def _full(self, values: FloatArray) -> FloatArray:
        padded = np.full(self.n, np.nan)
        padded[: self.whole] = values
        return padded


def moving_precision(
    t_ms: npt.ArrayLike,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    window_ms: float = 100.0,
    min_share: float = 0.5,
) -> tuple[FloatArray, FloatArray]:
    """RMS-S2S and STD in the window that begins at each sample.

    Parameters
    ----------
    t_ms, x, y
        ``(n,)`` gaze on any clock, lost samples NaN.
    window_ms
        Length of a window; it is made four median steps long where it would hold less.
    min_share
        Least share of valid samples in a window (and at least three); 0 asks for none.

    Returns
    -------
    rms, std
        ``(n,)`` in the unit given. NaN where the recording ends inside the window, or where too
        few of the samples it should hold are valid.

    Examples
    --------
    >>> rms, std = moving_precision(np.arange(6) * 30.0, [0, 1, 0, 1, 0, 1], np.zeros(6))
    >>> rms, std
    (array([ 1.,  1.,  1., nan, nan, nan]), array([0.5, 0.5, 0.5, nan, nan, nan]))
    """
    windows = Windows(t_ms, window_ms=window_ms)
    found = windows.precision(x, y, min_share=min_share)
    return found.rms, found.std
