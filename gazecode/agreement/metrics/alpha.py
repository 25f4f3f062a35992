"""Krippendorff's alpha: agreement of any number of raters, at any level, with values missing.

K. Krippendorff 1970, doi:10.1177/001316447003000105; A. F. Hayes and K. Krippendorff 2007,
doi:10.1080/19312450709336664. Disagreement observed and expected are those of the coincidence
matrix; they are summed here without it, since values may be as many as ratings: ordinal distances
are differences of mid-ranks, and squared differences sum to squared deviations from the mean.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.codes import coded
from gazecode.agreement.metrics.pairing import Figure, over, plain
from gazecode.agreement.metrics.ranks import mid_ranks
from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import Array, FloatArray, IntArray

__all__ = ["LEVELS", "binary_alpha", "krippendorff_alpha"]

LEVELS = ("nominal", "ordinal", "interval", "ratio")
"""Equal or not; by rank; by difference; by difference over sum (a true zero)."""

BLOCK = 1_000_000
"""Pairs of values held at once."""
LARGEST = 1e307


def krippendorff_alpha(
    ratings: npt.ArrayLike,
    other: npt.ArrayLike | None = None,
    *,
    level: Literal["nominal", "ordinal", "interval", "ratio"] = "nominal",
) -> float:
    """Krippendorff's alpha, ``1 - Do / De``.

    Do is the mean squared distance of two ratings of one unit, De that of any two ratings.

    Parameters
    ----------
    ratings
        ``(raters, units)``, or one rater's ``(n,)`` with `other`. NaN or None is missing; units
        with fewer than two ratings are left out. Texts at the nominal level only.
    other
        ``(n,)`` of a second rater.
    level
        The squared distance of c and k. ``"nominal"``: 1 where they differ. ``"ordinal"``: square
        of the ratings from c to k, those at the ends counted half. ``"interval"``: (c - k)².
        ``"ratio"``: ((c - k) / (c + k))², values at least 0.

    Returns
    -------
    1 for raters who always agree; NaN where all ratings are one value (De = 0) or none is left.

    Raises
    ------
    DataError
        Where raters have different units, there is one rater, or values do not fit the level.
    ParameterError
        Where the level is unknown.

    Notes
    -----
    K. Krippendorff 1970, doi:10.1177/001316447003000105.

    Over units pooled from texts of different length alpha is **not** 0 at chance: give the figure
    of permuted scores beside it.

    Examples
    --------
    >>> krippendorff_alpha([1, 1, 0, 0], [1, 0, 0, 0])
    0.5333333333333333
    >>> krippendorff_alpha([[1, 2, 3, None], [1, 2, 4, 4], [None, 2, 3, 4]], level="interval")
    0.9274193548387097
    >>> krippendorff_alpha(["a", "a"], ["a", "a"])
    nan
    """
    if level not in LEVELS:
        raise ParameterError.unknown("levels", level, LEVELS)
    values, codes = _table(ratings, other)
    count = (codes >= 0).sum(axis=0)
    codes, count = codes[:, count > 1], count[count > 1]
    there = np.nonzero(codes >= 0)
    code, unit = codes[there], there[1]
    if not len(code) or code.min() == code.max():
        return float("nan")
    if level != "nominal" and values.dtype.kind not in "biuf":
        odd = next(v for v in values.tolist() if not isinstance(v, (int, float)))
        raise DataError(f"a rating is {odd!r}; expected numbers at level {level!r}: say 'nominal'")
    if level in ("interval", "ratio") and np.isinf(values[[0, -1]].astype(np.float64)).any():
        raise DataError(f"a rating is infinite; expected numbers at level {level!r}: say 'ordinal'")
    if level == "nominal":
        observed, expected = _nominal(code, unit, count)
    elif level == "ordinal":
        observed, expected = _squared(mid_ranks(code), unit, count)
    elif level == "interval":
        observed, expected = _squared(values[code].astype(np.float64), unit, count)
    else:
        observed, expected = _ratio(values.astype(np.float64), codes, count)
    return float(1 - observed * (len(code) - 1) / expected)


def binary_alpha(
    n11: npt.ArrayLike, n10: npt.ArrayLike, n01: npt.ArrayLike, n00: npt.ArrayLike
) -> Figure:
    """Nominal alpha of two raters and two codes, from counts of units.

    ``1 - (n10 + n01)(n - 1) / (n1 n0)``, n twice the units, n1 and n0 the 1s and 0s of both.

    Parameters
    ----------
    n11, n10, n01, n00
        Any shape: units by what the first rater (human) and the second (model) said. Add the
        counts of several texts to pool them.

    Returns
    -------
    Alpha in the shape of the counts, a float for numbers; NaN where one code was never used.

    Notes
    -----
    K. Krippendorff 1970, doi:10.1177/001316447003000105; as B. Kou et al. 2024 use it.

    Examples
    --------
    >>> binary_alpha(1, 1, 0, 2)
    0.5333333333333333
    """
    both, first, second, neither = (
        np.asarray(count, dtype=np.float64) for count in (n11, n10, n01, n00)
    )
    apart = first + second
    ones, zeros = 2 * both + apart, 2 * neither + apart
    return plain(1 - over(apart * (ones + zeros - 1), ones * zeros))


def _table(ratings: npt.ArrayLike, other: npt.ArrayLike | None) -> tuple[Array, IntArray]:
    """Distinct values and codes ``(raters, units)``, -1 where missing."""
    if other is None:
        values, (codes,) = coded(ratings)
        if codes.ndim != 2 or len(codes) < 2:
            raise DataError(
                f"ratings have shape {codes.shape}; expected raters x units, or two vectors"
            )
        return values, codes
    values, (a, b) = coded(ratings, other)
    if a.ndim != 1 or a.shape != b.shape:
        raise DataError(f"ratings have shapes {a.shape} and {b.shape}; expected the same units")
    return values, np.stack([a, b])


def _nominal(code: IntArray, unit: IntArray, count: IntArray) -> tuple[float, float]:
    """Pairs that differ: within units, each over (ratings - 1), and among all ratings."""
    size = int(code.max()) + 1
    cell, times = np.unique(unit * size + code, return_counts=True)
    equal = np.bincount(cell // size, weights=times.astype(np.float64) ** 2)
    observed = (count.astype(np.float64) ** 2 - equal) / (count - 1)
    total = np.bincount(code).astype(np.float64)
    return float(observed.sum()), float(total.sum() ** 2 - (total**2).sum())


def _squared(x: FloatArray, unit: IntArray, count: IntArray) -> tuple[float, float]:
    """The same for squared differences: ``Σ (x_i - x_j)² = 2 m Σ (x_i - mean)²``."""
    x = x / np.abs(x).max()
    x = x - x.mean()
    # Of numbers that differ in their last digits only, whatever their size.
    x = x / np.abs(x).max()
    within = x - (np.bincount(unit, weights=x) / count)[unit]
    squares = np.bincount(unit, weights=within**2)
    observed = 2 * squares * count / (count - 1)
    deviation = x - x.mean()
    return float(observed.sum()), float(2 * len(x) * (deviation**2).sum())


def _ratio(values: FloatArray, codes: IntArray, count: IntArray) -> tuple[float, float]:
    """The same for ((c - k) / (c + k))², rater by rater and in blocks of values."""
    if values[0] < 0:
        raise DataError(
            f"a rating is {values[0]:g}; expected 0 or more at level 'ratio': say 'interval'"
        )
    if values[-1] > LARGEST:
        # Sums of two would leave the range of floats; ratios of all of them stay what they are.
        values = values / 2
    x = np.where(codes >= 0, values[codes], np.nan)
    observed = sum(
        float((np.nansum(_ratio_distance(row, x), axis=0) / (count - 1)).sum()) for row in x
    )
    total = np.bincount(codes[codes >= 0], minlength=len(values)).astype(np.float64)
    step = max(1, BLOCK // len(values))
    expected = sum(
        float(total[i : i + step] @ _ratio_distance(values[i : i + step, None], values) @ total)
        for i in range(0, len(values), step)
    )
    return observed, expected


def _ratio_distance(a: FloatArray, b: FloatArray) -> Any:
    """((a - b) / (a + b))²; 0 for two zeros, NaN where one is missing."""
    total = a + b
    return (np.divide(a - b, total, out=np.zeros_like(total), where=total != 0)) ** 2
