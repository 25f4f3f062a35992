"""What two maps share: SIM of the saliency benchmarks, and weighted intersection over union.

T. Judd, F. Durand and A. Torralba 2012, hdl:1721.1/68590 (SIM); Z. Bylinskii et al. 2019,
doi:10.1109/TPAMI.2018.2815601; M. Ružička 1958 (weighted Jaccard), for attention in Hayes, Li and
Andreas, arXiv:2606.19317, equation 2.
"""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import Figure, has_mass, masses, over, plain
from gazecode.errors import DataError, ParameterError

__all__ = ["iou", "sim"]

Axis = int | tuple[int, int] | None


def sim(p: npt.ArrayLike, q: npt.ArrayLike, *, normalise: bool = True) -> Figure:
    """Shared mass, ``Σ min(p, q)``: 1 minus the total variation of two distributions.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps, at least 0; NaN where a unit is missing.
    normalise
        Divide both maps by their sum over the units present in both.

    Returns
    -------
    0 (disjoint) to 1 (equal) per item, a float for vectors; NaN where a map has no mass.

    Raises
    ------
    DataError
        Where the maps are of different units or a mass is negative.

    Notes
    -----
    T. Judd, F. Durand and A. Torralba 2012, hdl:1721.1/68590.

    Examples
    --------
    >>> sim([1, 1, 0], [0, 1, 1])
    0.5
    """
    p, q = masses(p, q, normalise=normalise)
    return plain(np.where(has_mass(p, q), np.minimum(p, q).sum(axis=-1), np.nan))


def iou(p: npt.ArrayLike, q: npt.ArrayLike, *, axis: Axis = None, normalise: bool = True) -> Figure:
    """Weighted intersection over union, ``Σ min(p, q) / Σ max(p, q)``.

    Two distributions with SIM s have IoU ``s / (2 - s)``. Two row-stochastic n x n matrices with
    ``D = ½ Σ |p - q|`` have ``(n - D) / (n + D)``: uniform rows and sinks score high, so give
    their figures beside every other.

    Parameters
    ----------
    p, q
        Human and model maps, at least 0; NaN where a unit is missing.
    axis
        What one figure is of. None: the whole, a vector ``(n,)`` or an attention matrix ``(n, n)``
        as one object. -1: every row of ``(..., n)``. (-2, -1): every matrix of ``(..., n, n)``.
    normalise
        Divide every row by its sum over the units present in both; rows without mass stay 0.

    Returns
    -------
    0 to 1, a float for one figure. NaN where both maps have no mass; 0 where one has.

    Raises
    ------
    DataError
        Where the maps are of different units, a mass is negative, or with ``axis=None`` the shapes
        differ.
    ParameterError
        With any other axis.

    Notes
    -----
    Hayes, Li and Andreas, arXiv:2606.19317, equation 2 (M. Ružička 1958).

    The paper clips entries to [1e-12, 1]; nothing is clipped here.

    Examples
    --------
    >>> iou([1, 1, 0, 0], [0, 1, 1, 0])
    0.3333333333333333
    >>> iou([[1, 0], [1, 1]], [[1, 0], [1, 0]])
    0.6
    >>> iou([[1, 0], [1, 1]], [1, 0], axis=-1)
    array([1.        , 0.33333333])
    """
    if axis not in (None, -1, (-2, -1)):
        raise ParameterError(f"axis is {axis}; expected None, -1 (rows) or (-2, -1) (matrices)")
    p, q = masses(p, q, normalise=normalise)
    if axis is None and p.shape != q.shape:
        raise DataError(
            f"p has shape {p.shape} and q {q.shape}; expected one object each: axis=-1 takes rows"
        )
    if axis == (-2, -1) and min(p.ndim, q.ndim) < 2:
        raise DataError("a vector has no axes (-2, -1); expected matrices: say axis=-1")
    shared = np.minimum(p, q).sum(axis=axis)
    joined = np.maximum(p, q).sum(axis=axis)
    return plain(over(shared, joined))
