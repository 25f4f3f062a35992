"""Rows of different length as one rectangle and back, a bounded piece at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.export.rows import BLOCK_ROWS
from gazecode.export.schema import Column

__all__ = ["DTYPES", "PADDING", "blocks", "pad", "unpad"]

DTYPES: Mapping[str, str] = {"int32": "int32", "float": "float32", "bool": "int8"}
"""What one value is in a rectangle; netCDF has no truth values."""
PADDING: Mapping[str, Any] = {"int32": -1, "float": np.nan, "bool": 0, "string": ""}
"""What stands behind the end of a row. A padded position never counts in a loss: 0 is false."""

MOST_CELLS = 2**22
"""One long text among short ones must not blow up the rectangle it is padded into."""


def blocks(lengths: npt.NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Cut rows into runs that stay small when padded to their longest.

    >>> list(blocks(np.array([3, 5_000_000, 3])))
    [(0, 1), (1, 2), (2, 3)]
    """
    for start in range(0, len(lengths), BLOCK_ROWS):
        stop = min(start + BLOCK_ROWS, len(lengths))
        if (stop - start) * int(lengths[start:stop].max()) <= MOST_CELLS:
            yield start, stop
        else:
            yield from ((row, row + 1) for row in range(start, stop))


def pad(flat: npt.NDArray[Any], lengths: npt.NDArray[Any], column: Column) -> npt.NDArray[Any]:
    """Return the rectangle ``(rows, longest)`` of values that stand one row after another.

    >>> from gazecode.export.schema import BY_NAME
    >>> pad(np.array([1, 2, 3]), np.array([1, 2]), BY_NAME["input_ids"])
    array([[ 1, -1],
           [ 2,  3]], dtype=int32)
    """
    shape = (len(lengths), int(lengths.max(initial=0)))
    dtype = DTYPES.get(column.element, "object")
    rectangle = np.full(shape, PADDING[column.element], dtype=dtype)
    rectangle[_inside(lengths, shape[1])] = flat
    return rectangle


def unpad(rectangle: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values of a rectangle, one row after another, without what pads them."""
    flat: npt.NDArray[Any] = rectangle[_inside(lengths, rectangle.shape[1])]
    return flat


def _inside(lengths: npt.NDArray[Any], width: int) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = np.arange(width) < np.asarray(lengths)[:, None]
    return inside
