"""Kappa: agreement of two raters (Cohen) or of a fixed number per item (Fleiss), beyond chance.

J. Cohen 1960, doi:10.1177/001316446002000104, and 1968, doi:10.1037/h0026256 (weighted);
J. L. Fleiss 1971, doi:10.1037/h0031619.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.codes import as_ratings, coded, recoded
from gazecode.agreement.metrics.pairing import Figure, as_floats, over, plain, same_units
from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["binary_kappa", "cohen_kappa", "fleiss_kappa"]


def cohen_kappa(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    categories: Sequence[Any] | None = None,
) -> Figure:
    """Cohen's kappa, ``(po - pe) / (1 - pe)``, pe from each rater's own margins.

    Weighted: ``1 - Σ w_ij o_ij / Σ w_ij e_ij`` over observed and expected shares.

    Parameters
    ----------
    a, b
        ``(..., n)`` what both raters said: booleans, numbers or texts; None or NaN where a unit
        is missing.
    weights
        None: two categories differ or not. ``"linear"``, ``"quadratic"``: by how many places they
        are apart in `categories`, or by its square.
    categories
        All categories in their order; without it those that occur in `a` or `b`, ascending.

    Returns
    -------
    1 for raters who always agree, 0 at chance, per item, a float for vectors; NaN where both only
    ever say the same one (pe = 1), or no unit is left.

    Raises
    ------
    DataError
        Where the raters have different units, or a category is not listed.
    ParameterError
        Where the weights are unknown.

    Notes
    -----
    J. Cohen 1960, doi:10.1177/001316446002000104; weighted 1968, doi:10.1037/h0026256.

    Examples
    --------
    >>> cohen_kappa([True, True, False, False], [True, False, False, False])
    0.5
    >>> cohen_kappa(["low", "high", "mid"], ["low", "mid", "mid"])
    0.5
    >>> order = ["low", "mid", "high"]
    >>> a, b = ["low", "high", "mid"], ["low", "mid", "mid"]
    >>> round(cohen_kappa(a, b, weights="linear", categories=order), 4)
    0.5714
    """
    if weights not in (None, "linear", "quadratic"):
        raise ParameterError.unknown("weights", weights, ("linear", "quadratic"))
    one, two = as_ratings(a), as_ratings(b)
    if one.dtype == two.dtype == np.bool_ and one.ndim and two.ndim:
        same_units((one, two), ("a", "b"))
        return _of_booleans(one, two)
    found, (x, y) = coded(one, two)
    if not x.ndim or not y.ndim:
        raise DataError("a and b are single ratings; expected one rating per unit: vectors")
    same_units((x, y), ("a", "b"))
    if categories is not None:
        x, y = (recoded(codes, found, categories) for codes in (x, y))
    size = len(found if categories is None else categories)
    x, y = np.broadcast_arrays(x, y)
    kept = (x >= 0) & (y >= 0)
    n = kept.sum(axis=-1)
    apart = np.where(kept, _distance(x, y, weights), 0.0).sum(axis=-1) * n
    places = np.arange(size)
    table = _distance(places[:, None], places, weights)
    rows, columns = _margins(x, kept, size), _margins(y, kept, size)
    expected = np.einsum("...i,ij,...j->...", rows, table, columns, optimize=True)
    return plain(1 - over(apart, expected))


def binary_kappa(
    n11: npt.ArrayLike, n10: npt.ArrayLike, n01: npt.ArrayLike, n00: npt.ArrayLike
) -> Figure:
    """Cohen's kappa of two codes, from counts of units.

    ``2 (n11 n00 - n10 n01) / (r1 c0 + r0 c1)``, r the first rater's margins, c the second's.

    Parameters
    ----------
    n11, n10, n01, n00
        Any shape: units by what the first rater (human) and the second (model) said. Add the
        counts of several texts to pool them.

    Returns
    -------
    Kappa in the shape of the counts, a float for numbers; NaN where both only ever say the same
    one, or there is no unit.

    Notes
    -----
    J. Cohen 1960, doi:10.1177/001316446002000104.

    Examples
    --------
    >>> binary_kappa(1, 1, 0, 2)
    0.5
    """
    both, first, second, neither = (
        np.asarray(count, dtype=np.float64) for count in (n11, n10, n01, n00)
    )
    beyond = 2 * (both * neither - first * second)
    room = (both + first) * (first + neither) + (both + second) * (second + neither)
    return plain(over(beyond, room))


def fleiss_kappa(counts: npt.ArrayLike) -> Figure:
    """Fleiss' kappa, ``(P - Pe) / (1 - Pe)``, of items each rated by n raters.

    P is the mean over items of ``(Σ_j n_ij² - n) / (n (n - 1))``, ``Pe = Σ_j p_j²``.

    Parameters
    ----------
    counts
        ``(..., items, categories)`` how many raters put each item into each category; every item
        has the same number of raters. An item with a NaN is left out.

    Returns
    -------
    1 for raters who always agree, a float for one table; NaN where one category was used alone
    (Pe = 1), with one rater, or without items.

    Raises
    ------
    DataError
        Where counts are no numbers of at least 0, or items have different numbers of raters.

    Notes
    -----
    J. L. Fleiss 1971, doi:10.1037/h0031619.

    Examples
    --------
    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1]]), 4)
    0.55
    """
    try:
        table = as_floats(counts)
    except ValueError as error:
        raise DataError(f"counts are no table: {error}; expected items x categories") from error
    if table.ndim < 2:
        raise DataError(f"counts have shape {table.shape}; expected items x categories")
    kept = np.asarray(~np.isnan(table).any(axis=-1))
    table = np.where(kept[..., None], table, 0.0)
    raters = table.sum(axis=-1)
    most = raters.max(axis=-1, initial=0.0)
    if (table < 0).any() or np.isinf(table).any():
        odd = table[(table < 0) | np.isinf(table)][0]
        raise DataError(f"a count is {odd:g}; expected how many raters, 0 or more")
    if (kept & (raters != most[..., None])).any():
        few = np.min(raters, where=kept, initial=np.inf)
        raise DataError(
            f"items have {few:g} to {most.max():g} raters; expected the same number for every"
            " item: use krippendorff_alpha where ratings are missing"
        )
    items = kept.sum(axis=-1)
    total = table.sum(axis=-2)
    ratings = np.maximum(items * most, 1)
    chance = ((total / ratings[..., None]) ** 2).sum(axis=-1)
    pairs = np.maximum(items * most * (most - 1), 1)
    observed = ((table**2).sum(axis=(-2, -1)) - items * most) / pairs
    # With one category alone chance is 1, and rounding must not say otherwise.
    defined = (most > 1) & ((total > 0).sum(axis=-1) > 1)
    return plain(over(observed - chance, np.where(defined, 1 - chance, 0.0)))


def _of_booleans(a: BoolArray, b: BoolArray) -> Figure:
    """Counts instead of codes: ratings of samples are many."""
    both, one, two = (np.asarray(x.sum(axis=-1)) for x in (a & b, a, b))
    return binary_kappa(both, one - both, two - both, a.shape[-1] - one - two + both)


def _distance(x: IntArray, y: IntArray, weights: str | None) -> FloatArray:
    if weights is None:
        return np.asarray(x != y, dtype=np.float64)
    apart = np.abs(x - y).astype(np.float64)
    return np.asarray(apart if weights == "linear" else apart**2)


def _margins(codes: IntArray, kept: BoolArray, size: int) -> FloatArray:
    """How often each code occurs per item, ``(..., size)``."""
    lead = codes.shape[:-1]
    items = int(np.prod(lead))
    row = np.broadcast_to(np.arange(items).reshape(*lead, 1), codes.shape)
    count = np.bincount((row * size + codes)[kept], minlength=items * size)
    return np.asarray(count.astype(np.float64).reshape(*lead, size))
