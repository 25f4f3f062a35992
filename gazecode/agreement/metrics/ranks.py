"""Ranks with ties: what Spearman's rho and the area under the ROC curve stand on."""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import as_map
from gazecode.model.checks import FloatArray

__all__ = ["mid_ranks"]


def mid_ranks(x: npt.ArrayLike) -> FloatArray:
    """Ranks from 1 along the last axis; equal values share the mean of their ranks.

    Parameters
    ----------
    x
        ``(..., n)`` numbers; NaN where a unit is missing.

    Returns
    -------
    ``(..., n)`` ranks among the units present; NaN where `x` is.

    Raises
    ------
    DataError
        Where `x` holds infinite values or is no array of numbers.

    Notes
    -----
    M. G. Kendall 1945, doi:10.1093/biomet/33.3.239. One sort per row and the first and last place
    of every run of equal values.

    Examples
    --------
    >>> mid_ranks([30, 10, 30, float("nan")])
    array([2.5, 1. , 2.5, nan])
    """
    values = as_map(x, "x")
    n = values.shape[-1]
    if not n:
        return values.copy()
    order = np.argsort(values, axis=-1, kind="stable")
    in_order = np.take_along_axis(values, order, axis=-1)
    starts = np.ones(values.shape, dtype=bool)
    # NaN comes last and differs from itself: it never joins a run.
    np.not_equal(in_order[..., 1:], in_order[..., :-1], out=starts[..., 1:])
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = starts[..., 1:]
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    last = np.where(ends, place, n - 1)[..., ::-1]
    last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    ranks[np.isnan(values)] = np.nan
    return ranks
