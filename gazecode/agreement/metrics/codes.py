"""Categories as codes: what raters said, as numbers from 0 in the order of the categories."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import as_given
from gazecode.errors import DataError
from gazecode.model.checks import Array, IntArray

__all__ = ["as_ratings", "coded", "recoded"]


def coded(*ratings: npt.ArrayLike) -> tuple[Array, tuple[IntArray, ...]]:
    """The distinct categories of all ratings, ascending, and each rating as their index.

    None, NaN, pandas' NA and NaT, and what a mask hides are missing: -1. Categories of different
    types (1 and "1") differ; those that cannot be sorted stand in the order of their first use.

    >>> coded(["b", None], ["a", "b"])
    (array(['a', 'b'], dtype=object), (array([ 1, -1]), array([0, 1])))
    """
    arrays = [as_ratings(raw) for raw in ratings]
    if all(array.dtype.kind in "biuf" for array in arrays):
        return _of_numbers(arrays)
    return _of_objects(arrays)


def recoded(codes: IntArray, found: Array, categories: Sequence[Any]) -> IntArray:
    """Codes in the order of `categories` instead of that of `found`."""
    place = {category: i for i, category in enumerate(categories)}
    unknown = [name for name in found.tolist() if name not in place]
    if unknown:
        raise DataError(f"{unknown[0]!r} is not among the categories; expected all of them listed")
    # The last entry is what -1, missing, points at.
    return np.array([*(place[name] for name in found.tolist()), -1], dtype=np.int64)[codes]


def as_ratings(raw: npt.ArrayLike) -> Array:
    """An array that keeps numbers, texts and None of a list apart."""
    raw = as_given(raw)
    if isinstance(raw, np.ndarray):
        return raw
    try:
        array = np.asarray(raw)
        # A text array would turn the numbers and the None of a list into texts.
        return np.array(raw, dtype=object) if array.dtype.kind in "SU" else array
    except ValueError as error:
        raise DataError(f"ratings are no table: {error}; expected rows of one length") from error


def _of_numbers(arrays: Sequence[Array]) -> tuple[Array, tuple[IntArray, ...]]:
    flat = np.concatenate([array.ravel() for array in arrays])
    there = ~np.isnan(flat) if flat.dtype.kind == "f" else np.ones(len(flat), dtype=bool)
    values, codes = np.unique(flat[there], return_inverse=True)
    all_codes = np.full(len(flat), -1, dtype=np.int64)
    all_codes[there] = codes
    return values, _split(all_codes, arrays)


def _of_objects(arrays: Sequence[Array]) -> tuple[Array, tuple[IntArray, ...]]:
    flat = [value for array in arrays for value in array.ravel().tolist()]
    try:
        names = list(dict.fromkeys(value for value in flat if not _missing(value)))
    except (TypeError, ValueError) as error:
        raise DataError(f"ratings hold {error}; expected numbers or texts") from error
    try:
        names.sort()
    except TypeError:
        names = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(names)}
    codes = np.array([-1 if _missing(v) else place[v] for v in flat], dtype=np.int64)
    return _as_values(names), _split(codes, arrays)


def _as_values(names: list[Any]) -> Array:
    """An array of numbers where all are: None beside them made them objects."""
    if names and all(isinstance(name, (int, float, np.number)) for name in names):
        return np.array(names)
    values = np.empty(len(names), dtype=object)
    values[:] = names
    return values


def _missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - what NaN, NaT and no other value says
    except TypeError:
        # pandas' NA does not even say whether it equals itself.
        return True


def _split(codes: IntArray, arrays: Sequence[Array]) -> tuple[IntArray, ...]:
    ends = np.cumsum([array.size for array in arrays])[:-1]
    parts = np.split(codes, ends)
    return tuple(part.reshape(a.shape) for part, a in zip(parts, arrays, strict=True))
