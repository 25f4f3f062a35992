"""An Arrow list column as what it is made of: flat values and where each row's begin and end."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["flat_values", "row_of"]


def flat_values(values: Any) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return the flat Arrow array and ``(rows + 1,)`` borders in it.

    A batch may be a slice of a larger array; only its own part is given.

    >>> import pyarrow as pa
    >>> flat, borders = flat_values(pa.array([[1], [2, 3]])[1:])
    >>> flat.to_pylist(), borders.tolist()
    ([2, 3], [0, 2])
    """
    borders = values.offsets.to_numpy().astype(np.int64)
    return values.flatten(), borders - borders[0]


def row_of(borders: npt.NDArray[np.int64], index: int) -> int:
    """Return the row that flat value number `index` belongs to.

    >>> row_of(np.array([0, 2, 2, 3]), 2)
    2
    """
    return int(np.searchsorted(borders, index, side="right")) - 1
