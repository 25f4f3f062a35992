"""The k units that a map puts first, and how many two maps have in common.

Among equal values the earlier unit comes first: with many ties (masking scores that are mostly 0)
the rule moves figures by percents, so it is part of the definition.
"""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import Figure, as_map, over, paired, plain
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["in_top_k", "iou_at_k", "overlap_at_k", "top_k"]


def top_k(q: npt.ArrayLike, k: int) -> IntArray:
    """Index of the k largest values, largest first, the earlier unit first where they are equal.

    Parameters
    ----------
    q
        ``(..., n)`` a map; NaN where a unit is missing: it is never chosen.
    k
        How many, at least 1; all units present where there are fewer.

    Returns
    -------
    ``(..., min(k, n))`` indices; -1 after the last where a row of several has fewer units. For a
    vector just as many as there are.

    Raises
    ------
    ParameterError
        Where k is no whole number of at least 1.

    Notes
    -----
    The tie rule is that of B. Kou et al. 2024, doi:10.1145/3660807.

    Examples
    --------
    >>> top_k([0.1, 0.9, 0.9, 0.3], 3)
    array([1, 2, 3])
    >>> top_k([[1, 2, 3], [1, float("nan"), float("nan")]], 2)
    array([[ 2,  1],
           [ 0, -1]])
    """
    _check(k)
    values = as_map(q, "q")
    first = _order(values)[..., :k]
    chosen = np.where(np.isnan(np.take_along_axis(values, first, axis=-1)), -1, first)
    return chosen[chosen >= 0] if chosen.ndim == 1 else chosen


def in_top_k(q: npt.ArrayLike, k: int) -> BoolArray:
    """Whether each unit is among the k that `top_k` chooses.

    Parameters
    ----------
    q
        ``(..., n)`` a map; NaN where a unit is missing: it is never chosen.
    k
        How many, at least 1; all units present where there are fewer.

    Returns
    -------
    ``(..., n)`` booleans.

    Raises
    ------
    ParameterError
        Where k is no whole number of at least 1.

    Examples
    --------
    >>> in_top_k([0.1, 0.9, 0.9, 0.3], 1)
    array([False,  True, False, False])
    """
    _check(k)
    return _chosen(as_map(q, "q"), k)


def iou_at_k(p: npt.ArrayLike, q: npt.ArrayLike, k: int) -> Figure:
    """Top-k units of both over those of either, ``|A ∩ B| / |A ∪ B|``; ties as in `top_k`.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps; NaN where a unit is missing.
    k
        How many, at least 1; all n units present in both where there are fewer, which gives 1
        whatever the maps say: count those items.

    Returns
    -------
    0 to 1 per item, a float for vectors; NaN without a unit.

    Raises
    ------
    DataError
        Where the maps are of different units.
    ParameterError
        Where k is no whole number of at least 1.

    Notes
    -----
    P. Jaccard 1901, doi:10.5169/seals-266450, of the two sets of units.

    Examples
    --------
    >>> iou_at_k([3, 2, 1, 0], [3, 0, 1, 2], 2)
    0.3333333333333333
    """
    shared, size = _shared(p, q, k)
    return plain(over(shared, 2 * size - shared))


def overlap_at_k(p: npt.ArrayLike, q: npt.ArrayLike, k: int) -> Figure:
    """Share of the top-k units that both choose, ``|A ∩ B| / min(k, n)``; ties as in `top_k`.

    With overlap o, IoU@k is ``o / (2 - o)``.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps; NaN where a unit is missing; n are those in both.
    k
        How many, at least 1; all units where there are fewer, which gives 1: count those items.

    Returns
    -------
    0 to 1 per item, a float for vectors; NaN without a unit.

    Raises
    ------
    DataError
        Where the maps are of different units.
    ParameterError
        Where k is no whole number of at least 1.

    Examples
    --------
    >>> overlap_at_k([3, 2, 1, 0], [3, 0, 1, 2], 2)
    0.5
    """
    shared, size = _shared(p, q, k)
    return plain(over(shared, size))


def _check(k: object) -> None:
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k is {k!r}; expected 1 or more units, a whole number")


def _order(values: FloatArray) -> IntArray:
    # NaN stays NaN and comes last.
    return np.argsort(-values, axis=-1, kind="stable")


def _chosen(values: FloatArray, k: int) -> BoolArray:
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, _order(values)[..., :k], values=True, axis=-1)
    return chosen & ~np.isnan(values)


def _shared(p: npt.ArrayLike, q: npt.ArrayLike, k: int) -> tuple[FloatArray, FloatArray]:
    """How many of the top k both maps choose, and how many each of them does."""
    _check(k)
    p, q = paired(p, q)
    a, b = _chosen(p, k), _chosen(q, k)
    shared, size = (a & b).sum(axis=-1), a.sum(axis=-1)
    return np.asarray(shared, dtype=np.float64), np.asarray(size, dtype=np.float64)
