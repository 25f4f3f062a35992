"""Precision inside fixations: the eye rests there, so what moves is mostly the tracker.

Each fixation is a stretch of its own: its mean is taken out before squares are summed, and no step
reaches from one fixation into the next. Definitions are those of `gazecode.quality.precision`.
"""

import numpy as np
import numpy.typing as npt

from gazecode.model import Events, Samples
from gazecode.model.checks import FloatArray, IntArray
from gazecode.quality.precision import area_factor, columns
from gazecode.quality.windows import Precision

__all__ = ["MIN_SAMPLES", "precision_within", "rows_of"]

MIN_SAMPLES = 3
"""Fewer valid samples say nothing about a spread."""


def rows_of(samples: Samples, events: Events) -> tuple[IntArray, IntArray]:
    """First row and one past the last one of each event, by its times.

    >>> from gazecode.model import Events
    >>> samples = Samples(t_ms=[0, 10, 20, 30], xy_px=[[1, 1]] * 4)
    >>> rows_of(samples, Events(kind=["fixation"], onset_ms=[5], offset_ms=[30], xy_px=[[1, 1]]))
    (array([1]), array([3]))
    """
    first = np.searchsorted(samples.t_ms, events.onset_ms)
    return first, np.searchsorted(samples.t_ms, events.offset_ms)


def precision_within(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    first: IntArray,
    last: IntArray,
    *,
    p: float = 0.68,
    min_samples: int = MIN_SAMPLES,
) -> Precision:
    """Precision of each stretch ``[first, last)`` of samples.

    Parameters
    ----------
    x, y
        ``(n,)`` gaze in any unit, lost samples NaN and in place.
    first, last
        ``(k,)`` rows of each stretch; stretches may overlap.
    p
        Share of the gaze inside the ellipse of the BCEA.
    min_samples
        Stretches with fewer valid samples are NaN.

    Returns
    -------
    Precision
        ``(k,)``.

    Examples
    --------
    >>> x = np.array([0.0, 2, 0, 2, 9, np.nan, 9, 9])
    >>> y = np.array([0.0, 0, 2, 2, 1, np.nan, 1, 1])
    >>> found = precision_within(x, y, np.array([0, 4]), np.array([4, 8]))
    >>> found.std, found.bcea.round(4), found.rms.round(4)
    (array([1.4142..., 0.        ]), array([9.5457, 0.    ]), array([2.3094, 0.    ]))
    """
    factor = area_factor(p)
    x_all, y_all = columns(x, y)
    length = last - first
    stretch = np.repeat(np.arange(len(first)), length)
    row = np.arange(len(stretch)) + np.repeat(first - (np.cumsum(length) - length), length)
    x_in, y_in = x_all[row], y_all[row]
    valid = ~np.isnan(x_in)
    rms = _rms(x_in, y_in, stretch, len(first))
    stretch, x_in, y_in = stretch[valid], x_in[valid], y_in[valid]

    def total(values: FloatArray | None) -> FloatArray:
        return np.bincount(stretch, weights=values, minlength=len(first)).astype(np.float64)

    n = total(None)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = x_in - (total(x_in) / n)[stretch]
        dy = y_in - (total(y_in) / n)[stretch]
        n[n < min_samples] = np.nan
        var_x, var_y, cov = (total(v) / n for v in (dx * dx, dy * dy, dx * dy))
        area = np.sqrt(np.maximum(var_x * var_y - cov * cov, 0.0)) * (n / (n - 1))
    rms[np.isnan(n)] = np.nan
    area[~(n > 1)] = np.nan
    return Precision(
        rms=rms,
        std=np.sqrt(var_x + var_y),
        std_x=np.sqrt(var_x),
        std_y=np.sqrt(var_y),
        bcea=factor * area,
    )


def _rms(x: FloatArray, y: FloatArray, stretch: IntArray, k: int) -> FloatArray:
    squared = np.diff(x) ** 2 + np.diff(y) ** 2
    known = ~np.isnan(squared) & (stretch[1:] == stretch[:-1])
    pairs = np.bincount(stretch[1:][known], minlength=k).astype(np.float64)
    sums = np.bincount(stretch[1:][known], weights=squared[known], minlength=k)
    with np.errstate(invalid="ignore", divide="ignore"):
        rms: FloatArray = np.sqrt(sums / pairs)
    return rms
