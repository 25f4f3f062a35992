"""Columns that grow while a file is read, block by block, and are never in memory twice.

A column is held in a few parts, each an eighth of what came before it, and is put together at the
end, part by part. So neither must anybody know how many rows will come, nor is there ever more than
the column and its largest part.
"""

import math
import mmap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.readers.tools.label_events import Labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gathered", "Growing"]

Array = npt.NDArray[Any]

_MAPPED_BYTES = 1 << 20
"""Smaller arrays come from the heap as ever."""
_SHARE = 8


class Growing:
    """A column that rows are added to: ``(n,)``, or ``(n, k)``.

    Parameters
    ----------
    like
        An array without rows, of the type that rows would have: what is there if none come.

    Examples
    --------
    >>> column = Growing()
    >>> for part in ([1.0, 2.0], [3.0]):
    ...     column.add(np.array(part))
    >>> len(column), column.whole()
    (3, array([1., 2., 3.]))
    """

    def __init__(self, like: Array | None = None) -> None:
        self._parts: list[Array] = [] if like is None else [like]
        self._used = 0

    def __len__(self) -> int:
        return sum(map(len, self._parts[:-1])) + self._used

    def add(self, values: Array) -> None:
        """Append a copy of some rows; whole numbers become floats if others have fractions."""
        if not self._parts or not _alike(self._parts[-1], values):
            self._open(values)
        last = self._parts[-1]
        fits = values[: len(last) - self._used]
        last[self._used : self._used + len(fits)] = fits
        self._used += len(fits)
        if len(fits) < len(values):
            rest = values[len(fits) :]
            self._open(rest)
            self._parts[-1][: len(rest)] = rest
            self._used = len(rest)

    def drop_last(self) -> None:
        """Take back the last row."""
        while not self._used:
            self._parts.pop()
            self._used = len(self._parts[-1])
        self._used -= 1

    def whole(self) -> Array:
        """All rows in one piece; whoever lets go of this column may write to it."""
        self._close()
        if len(self._parts) > 1:
            n, at = len(self), 0
            kind = np.result_type(*(part.dtype for part in self._parts))
            whole = _pages((n, *self._parts[-1].shape[1:]), kind)
            self._parts.reverse()
            while self._parts:
                part = self._parts.pop()
                whole[at : at + len(part)] = part
                at += len(part)
            self._parts, self._used = [whole], n
        return self._parts[0] if self._parts else np.empty(0)

    def _open(self, values: Array) -> None:
        """Add a part with room for these rows, and with the type of theirs."""
        self._close()
        row_bytes = math.prod(values.shape[1:]) * values.dtype.itemsize
        # The rows of a small file are all of it.
        room = max(len(self) // _SHARE, _MAPPED_BYTES // row_bytes) if len(self) else 0
        self._parts.append(_pages((max(room, len(values)), *values.shape[1:]), values.dtype))
        self._used = 0

    def _close(self) -> None:
        """Let go of the last part's room; what holds no row is no part beside others."""
        if self._parts:
            self._parts[-1] = self._parts[-1][: self._used]
        if len(self._parts) > 1 and not self._used:
            self._parts.pop()
            self._used = len(self._parts[-1])


def _alike(part: Array, values: Array) -> bool:
    return part.dtype == values.dtype and part.shape[1:] == values.shape[1:]


def _pages(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
    """An empty array in pages that cost nothing before they are written to.

    They are mapped here because numpy asks for huge pages, which some systems hand out at once;
    and what is let go of goes back to the system, not to a heap full of holes.
    """
    size = math.prod(shape) * kind.itemsize
    if size < _MAPPED_BYTES or kind.hasobject:
        return np.empty(shape, dtype=kind)
    return np.frombuffer(mmap.mmap(-1, size), dtype=kind).reshape(shape)


class Gathered:
    """Columns by name: arrays, and labels as the number of each row's label.

    Examples
    --------
    >>> gathered = Gathered()
    >>> for part in ([0.0, 1.0], [2.0]):
    ...     gathered.add({"t": np.array(part)})
    >>> gathered.array("t"), "t" in gathered
    (array([0., 1., 2.]), False)
    """

    def __init__(self) -> None:
        self._columns: dict[str, Growing] = {}
        self._names: dict[str, dict[str, int]] = {}

    def add(self, taken: "Mapping[str, Any] | pd.DataFrame") -> None:
        """Append a block's columns: arrays, or categorical series."""
        for name, values in taken.items():
            key = str(name)
            column = self._numbers(key, values) if hasattr(values, "cat") else np.asarray(values)
            self._columns.setdefault(key, Growing()).add(column)

    def _numbers(self, name: str, values: "pd.Series") -> npt.NDArray[np.signedinteger]:
        known = self._names.setdefault(name, {})
        new = [known.setdefault(str(c), len(known)) for c in values.cat.categories]
        # The code of a missing label is -1 and takes the last entry.
        smallest = np.min_scalar_type(-1 - len(known))
        return np.array([*new, -1], dtype=smallest)[values.cat.codes.to_numpy()]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def array(self, name: str) -> Array:
        """Let go of a column of numbers, ``(0,)`` if none came; the caller may write to it."""
        return self._columns.pop(name, Growing()).whole()

    def arrays(self) -> dict[str, Array]:
        """Let go of all columns, labels as their numbers."""
        return {name: self.array(name) for name in tuple(self._columns)}

    def names(self, name: str) -> list[str]:
        """The labels of a column by number; none if it is not there."""
        return list(self._names.get(name, ()))

    def labels(self, name: str, rows: npt.NDArray[np.int64] | slice) -> Labels:
        """Labels of some rows."""
        return self._columns[name].whole()[rows], self.names(name)

    def drop_last(self, name: str) -> None:
        """Take back the last row of a column."""
        self._columns[name].drop_last()
