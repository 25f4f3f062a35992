"""Correlation of two maps: linear, by rank, and by rank with other things held fixed.

K. Pearson 1895, doi:10.1098/rspl.1895.0041; C. Spearman 1904, doi:10.2307/1412159. With human maps
the rank correlation is used by M. Paltenghi and M. Pradel 2021, doi:10.1109/ASE51524.2021.9678712.
"""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import (
    Figure,
    as_map,
    blank,
    dot,
    over,
    paired,
    plain,
    same_units,
    standard,
)
from gazecode.agreement.metrics.ranks import mid_ranks
from gazecode.model.checks import FloatArray

__all__ = ["partial_spearman", "pearson", "spearman"]

NOTHING_LEFT = 1e-9
"""Share of a map's length below which nothing is left of it once the others are held fixed."""


def pearson(p: npt.ArrayLike, q: npt.ArrayLike) -> Figure:
    """Linear correlation, "CC" of the saliency literature.

    ``r = Σ (p - mean p)(q - mean q) / sqrt(Σ (p - mean p)² Σ (q - mean q)²)``.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps; NaN where a unit is missing.

    Returns
    -------
    -1 to 1 per item, a float for vectors; NaN where a map is constant (or has one unit).

    Raises
    ------
    DataError
        Where the maps are of different units.

    Notes
    -----
    K. Pearson 1895, doi:10.1098/rspl.1895.0041.

    Examples
    --------
    >>> round(pearson([1, 2, 3, 4], [1, 2, 3, 10]), 3)
    0.885
    >>> pearson([1, 2, 3], [5, 5, 5])
    nan
    """
    p, q = paired(p, q)
    return plain(_correlate(standard(p), standard(q)))


def spearman(p: npt.ArrayLike, q: npt.ArrayLike) -> Figure:
    """Rank correlation: the linear correlation of mid-ranks.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps; NaN where a unit is missing. Ranks are taken among the
        units present in both.

    Returns
    -------
    -1 to 1 per item, a float for vectors; NaN where a map is constant (or has one unit).

    Raises
    ------
    DataError
        Where the maps are of different units.

    Notes
    -----
    C. Spearman 1904, doi:10.2307/1412159.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [1, 2, 3, 10])
    1.0
    >>> spearman([[1, 2, 3], [3, 2, 1]], [1, 5, 9])
    array([ 1., -1.])
    """
    p, q = paired(p, q)
    return plain(_correlate(standard(mid_ranks(p)), standard(mid_ranks(q))))


def partial_spearman(p: npt.ArrayLike, q: npt.ArrayLike, given: npt.ArrayLike) -> Figure:
    """Rank correlation with other things held fixed: length, position, frequency of a token.

    The linear correlation of what is left of both maps' mid-ranks after least squares on the
    mid-ranks of `given` (and a constant).

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps; NaN where a unit is missing.
    given
        ``(..., n, c)`` what is held fixed, or ``(n,)`` one thing alone. A unit with a NaN in any
        column is missing: leave out a column that is unknown altogether.

    Returns
    -------
    -1 to 1 per item, a float for vectors; NaN where a map is constant, or nothing is left of it.

    Raises
    ------
    DataError
        Where the maps are of different units.

    Notes
    -----
    R. A. Fisher 1924 (Metron 3), of ranks. Columns that say nothing new (constant, or
    given by the others) change nothing.

    Examples
    --------
    >>> length = [[1], [2], [3], [4]]
    >>> round(partial_spearman([1, 2, 4, 3], [1, 3, 4, 2], length), 4)
    0.8729
    >>> partial_spearman([1, 2, 4, 3], [1, 2, 3, 4], length)
    nan
    """
    p, q, columns = _with_columns(p, q, given)
    base = _base(mid_ranks(columns))
    p, q = (_left(standard(mid_ranks(x)), base) for x in (p, q))
    return plain(_correlate(p, q))


def _with_columns(
    p: npt.ArrayLike, q: npt.ArrayLike, given: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Both maps, and what is held fixed as ``(..., c, n)``, missing where one of them is."""
    held = as_map(given, "given")
    if held.ndim < 2:
        held = held[:, None]
    columns = np.swapaxes(held, -1, -2)
    known = np.where(np.isnan(columns).any(axis=-2), np.nan, 0.0)
    same_units((as_map(p, "p"), as_map(q, "q"), known), ("p", "q", "given"))
    p, q, known = paired(p, q, known, names=("p", "q", "given"))
    return p, q, columns + known[..., None, :]


def _correlate(p: FloatArray, q: FloatArray) -> FloatArray:
    value = np.clip(dot(p, q), -1.0, 1.0)
    # Over no units at all the sum is 0, which nothing else would call undefined.
    return value if p.shape[-1] else np.full_like(value, np.nan)


def _base(columns: FloatArray) -> FloatArray:
    """Orthogonal directions ``(..., n, c)`` that columns ``(..., c, n)`` span; 0 where fewer."""
    # A constant column is NaN: it spans nothing.
    turned = np.swapaxes(blank(standard(columns)), -1, -2)
    if not turned.size:
        return turned
    base, strength, _ = np.linalg.svd(turned, full_matrices=False)
    kept = strength > NOTHING_LEFT * np.maximum(strength[..., :1], 1.0)
    return np.asarray(base * kept[..., None, :])


def _left(x: FloatArray, base: FloatArray) -> FloatArray:
    """What is left of rows of length 1 beside the base; NaN where that is nothing."""
    along = np.einsum("...n,...nc->...c", x, base)
    rest = x - np.einsum("...nc,...c->...n", base, along)
    length = np.sqrt(dot(rest, rest))[..., None]
    return over(rest, np.where(length > NOTHING_LEFT, length, 0.0))
