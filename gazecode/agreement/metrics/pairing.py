"""What every metric does at its door: same units, pairwise missing, masses of at least 0."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, FloatArray

__all__ = [
    "Figure",
    "as_floats",
    "as_given",
    "as_map",
    "blank",
    "dot",
    "has_mass",
    "masses",
    "over",
    "paired",
    "plain",
    "same_units",
    "shares",
    "standard",
]

Figure = float | FloatArray
"""A Python float for vectors, else an array of the leading axes."""


LARGEST = 1e300
"""Greatest sum of a map that is not divided by its sum: products stay within floats."""


def plain(value: npt.ArrayLike) -> Figure:
    """A Python float where there is one figure."""
    array = np.asarray(value, dtype=np.float64)
    return array if array.ndim else float(array)


def as_given(raw: Any) -> Any:
    """What numpy would read past: a masked array's mask (as None), a tensor's gradient."""
    if isinstance(raw, np.ma.MaskedArray):
        values = raw.data.astype(object)
        values[np.ma.getmaskarray(raw)] = None
        return values
    if hasattr(raw, "requires_grad"):
        return raw.detach().cpu()
    return raw


def as_floats(raw: Any) -> FloatArray:
    """Numbers as an array of floats, NaN where None stands or a mask hides; else a ValueError."""
    try:
        return np.asarray(as_given(raw), dtype=np.float64)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def as_map(raw: npt.ArrayLike, name: str) -> FloatArray:
    """A map as floats, units on the last axis; NaN (or None) is a missing unit.

    >>> as_map([1, None], "p")
    array([ 1., nan])
    >>> as_map(np.ma.array([1, 2], mask=[False, True]), "p")
    array([ 1., nan])
    """
    try:
        array = as_floats(raw)
    except ValueError as error:
        raise DataError(f"{name} is not a map: {error}; expected numbers, or NaN") from error
    if array.ndim == 0:
        raise DataError(f"{name} is one number, {array}; expected one value per unit: a vector")
    if not np.isfinite(array).all() and np.isinf(array).any():
        raise DataError(f"{name} holds an infinite value; expected numbers: say NaN where unknown")
    return array


def paired(*maps: npt.ArrayLike, names: Sequence[str] = ("p", "q")) -> tuple[FloatArray, ...]:
    """Maps over the same units; a unit missing in one of them is missing in all.

    They are broadcast only where something is missing, so that what is worked out per map (ranks,
    sums) is worked out once for a map that meets many.

    >>> paired([1, 2], [3, float("nan")])
    (array([ 1., nan]), array([ 3., nan]))
    """
    arrays = tuple(as_map(raw, name) for raw, name in zip(maps, names, strict=True))
    same_units(arrays, names)
    if all(np.isfinite(array).all() for array in arrays):
        return arrays
    lost = reduce(np.logical_or, [np.isnan(array) for array in arrays])
    return tuple(np.where(lost, np.nan, array) for array in arrays)


def same_units(arrays: Sequence[npt.NDArray[np.generic]], names: Sequence[str]) -> None:
    """Refuse maps whose last axes differ or whose leading axes do not broadcast."""
    if len({array.shape[-1] for array in arrays}) > 1:
        found = ", ".join(f"{name} {a.shape[-1]}" for a, name in zip(arrays, names, strict=True))
        raise DataError(f"units on the last axis: {found}; expected the same units in all of them")
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        found = ", ".join(f"{name} {a.shape}" for a, name in zip(arrays, names, strict=True))
        raise DataError(
            f"shapes {found}; expected leading axes that broadcast: insert axes of length 1"
        ) from None


def masses(
    *maps: npt.ArrayLike, normalise: bool, names: Sequence[str] = ("p", "q")
) -> tuple[FloatArray, ...]:
    """Maps as masses of at least 0, missing units 0; over their sum where asked for.

    Rows without mass stay 0: `has_mass` tells them.
    """
    arrays = paired(*maps, names=names)
    for array, name in zip(arrays, names, strict=True):
        if (array < 0).any():
            raise DataError(
                f"{name} has a negative mass, {np.nanmin(array):g}; expected values of at least 0:"
                " take magnitudes, or compare by rank"
            )
    filled = tuple(blank(array) for array in arrays)
    if normalise:
        return tuple(shares(array) for array in filled)
    for array, name in zip(filled, names, strict=True):
        if (array.max(axis=-1, initial=0.0) > LARGEST / max(array.shape[-1], 1)).any():
            raise DataError(
                f"{name} has a mass of {array.max():g}; expected a sum of at most {LARGEST:g}:"
                " divide it, or say normalise=True"
            )
    return filled


def blank(array: FloatArray) -> FloatArray:
    """0 where a unit is missing."""
    lost = np.isnan(array)
    return np.where(lost, 0.0, array) if lost.any() else array


def shares(mass: FloatArray) -> FloatArray:
    """Rows over their sum; a row without mass stays 0.

    >>> shares(np.array([[1.0, 3.0], [0.0, 0.0]]))
    array([[0.25, 0.75],
           [0.  , 0.  ]])
    """
    with np.errstate(over="ignore"):
        total = mass.sum(axis=-1, keepdims=True)
    if np.isinf(total).any():
        return shares(np.where(np.isinf(total), mass * 2.0**-64, mass))
    # A row without mass is all 0, over anything.
    return np.asarray(mass / np.where(total > 0, total, 1.0))


def has_mass(*maps: FloatArray) -> BoolArray:
    """Where all maps have some, over the leading axes."""
    have: list[BoolArray] = [np.asarray((array > 0).any(axis=-1)) for array in maps]
    return reduce(np.logical_and, have)


def over(a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
    """``a / b`` where b is above 0; NaN, undefined, elsewhere.

    >>> over([1, 1], [2, 0])
    array([0.5, nan])
    """
    top, bottom = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    value = np.full(bottom.shape, np.nan)
    np.divide(top, bottom, out=value, where=bottom > 0)
    return value


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Products summed over the units, without an array of the products."""
    return np.asarray(np.einsum("...i,...i->...", a, b))


def standard(x: FloatArray) -> FloatArray:
    """Rows centred, of length 1, 0 where missing; NaN where the row is constant."""
    there = ~np.isnan(x)
    low = np.min(x, axis=-1, keepdims=True, where=there, initial=np.inf)
    high = np.max(x, axis=-1, keepdims=True, where=there, initial=-np.inf)
    varies = low < high
    # Scaled first: squares of very large and very small numbers would leave the range of floats.
    scale = np.where(varies, np.maximum(np.abs(low), np.abs(high)), 1.0)
    scaled = blank(x) / scale
    n = np.maximum(there.sum(axis=-1, keepdims=True), 1)
    centred = np.where(there, scaled - scaled.sum(axis=-1, keepdims=True) / n, 0.0)
    length = np.sqrt(dot(centred, centred))[..., None]
    return over(centred, np.where(varies, length, 0.0))
