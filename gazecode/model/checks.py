"""The few checks every type makes when it is created."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError

__all__ = [
    "Array",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "StrArray",
    "column",
    "no_floats",
    "no_numbers",
    "no_texts",
    "repeated",
    "same_length",
    "sealed",
]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
StrArray = npt.NDArray[np.object_]


def column(owner: object, name: str, dtype: npt.DTypeLike, *, width: int | None = None) -> Array:
    """Turn a field into a read-only array of `dtype`, ``(n,)`` or ``(n, width)``, in place."""
    array = _own(getattr(owner, name), dtype, f"{type(owner).__name__}.{name}")
    if width is not None and array.size == 0:
        array = array.reshape(0, width)
    expected = 1 if width is None else 2
    if array.ndim != expected or (width is not None and array.shape[1] != width):
        shape = "(n,)" if width is None else f"(n, {width})"
        raise DataError(f"{type(owner).__name__}.{name} has shape {array.shape}; expected {shape}")
    array.flags.writeable = False
    object.__setattr__(owner, name, array)
    return array


def _own(raw: Any, dtype: npt.DTypeLike, name: str) -> Array:
    """An array that nobody else can write to; what is read-only already is taken as it is."""
    writable = isinstance(raw, np.ndarray) and raw.flags.writeable
    try:
        return np.array(raw, dtype=dtype) if writable else np.asarray(raw, dtype=dtype).view()
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} cannot be a column of {np.dtype(dtype)}: {error}") from error


def sealed(array: Array) -> Array:
    """The array as a view that nobody writes to, so that a type need not copy it.

    For whoever made the array and lets go of it.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def same_length(owner: object, *names: str) -> int:
    """Check that the named columns (those that are not None) are equally long; return how long."""
    lengths = {
        name: len(getattr(owner, name)) for name in names if getattr(owner, name) is not None
    }
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise DataError(f"{type(owner).__name__} columns differ in length: {listed}")
    return next(iter(lengths.values()))


def no_numbers() -> IntArray:
    """Return an empty column of whole numbers."""
    return np.empty(0, dtype=np.int64)


def no_floats() -> FloatArray:
    """Return an empty column of floats."""
    return np.empty(0)


def no_texts() -> StrArray:
    """Return an empty column of texts."""
    return np.empty(0, dtype=object)


def repeated(text: str | None, n: int) -> StrArray:
    """``(n,)`` the same text in every row, held once; `np.full` would make `n` of them.

    >>> repeated("fixation", 2)
    array(['fixation', 'fixation'], dtype=object)
    """
    texts: StrArray = np.empty(n, dtype=object)
    texts.fill(text)
    return texts
