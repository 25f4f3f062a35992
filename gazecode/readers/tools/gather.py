"""Columns of delimited text gathered in one piece of memory each, block by block.

`read_delimited` holds the blocks' frames until it joins them, so that for a moment everything is
there twice. Here a reader takes what it wants out of every block, and what it takes grows in place.
"""

import math
import mmap
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.readers.tools.delimited import delimited_frames
from gazecode.readers.tools.label_events import Labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gathered", "gather"]

Take = Callable[["pd.DataFrame"], Mapping[str, Any]]

_SPARE = 1.5
"""Room beyond the rows that the first block lets expect."""

_MAPPED_BYTES = 1 << 20
"""Smaller arrays come from the heap as ever."""


class Gathered:
    """What was taken: `arrays` by name, and `labels` by name (number of each row's label)."""

    def __init__(self, blocks: float = 1.0) -> None:
        """`blocks` is how many blocks to expect, if they are all like the first one."""
        self._blocks = blocks
        self._rows: dict[str, _Growing] = {}
        self._names: dict[str, dict[str, int]] = {}

    def add(self, taken: Mapping[str, Any]) -> None:
        """Append the columns of one block: arrays, or categorical series."""
        for name, values in taken.items():
            column = self._numbers(name, values) if hasattr(values, "cat") else np.asarray(values)
            if name not in self._rows:
                self._rows[name] = _Growing(int(len(column) * self._blocks * _SPARE))
            self._rows[name].append(column)

    def _numbers(self, name: str, values: "pd.Series") -> npt.NDArray[np.signedinteger]:
        known = self._names.setdefault(name, {})
        new = [known.setdefault(str(c), len(known)) for c in values.cat.categories]
        # The code of a missing label is -1 and takes the last entry.
        smallest = np.min_scalar_type(-1 - len(known))
        return np.array([*new, -1], dtype=smallest)[values.cat.codes.to_numpy()]

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def array(self, name: str) -> npt.NDArray[Any]:
        """Let go of a column of numbers; the caller may write to it."""
        return self._rows.pop(name).whole()

    def labels(self, name: str, rows: npt.NDArray[np.int64] | slice) -> Labels:
        """Labels of some rows."""
        return self._rows[name].whole()[rows], list(self._names[name])


class _Growing:
    """An array with room to grow, in pages that cost nothing before they are written to.

    They are mapped here because numpy asks for huge pages, which some systems hand out at once;
    and what is let go of goes back to the system, not to a heap full of holes.
    """

    def __init__(self, room: int) -> None:
        self._least = room
        self._room: npt.NDArray[Any] = np.empty(0)
        self._n = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        end = self._n + len(values)
        kind = np.promote_types(values.dtype, self._room.dtype) if self._n else values.dtype
        fits = self._room.shape[1:] == values.shape[1:] and kind == self._room.dtype
        if end > len(self._room) or not fits:
            room = _pages((max(2 * end, self._least), *values.shape[1:]), kind)
            if self._n:
                room[: self._n] = self._room[: self._n]
            self._room = room
        self._room[self._n : end] = values
        self._n = end

    def whole(self) -> npt.NDArray[Any]:
        return self._room[: self._n]


def _pages(shape: tuple[int, ...], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    size = math.prod(shape) * kind.itemsize
    if size < _MAPPED_BYTES:
        return np.empty(shape, dtype=kind)
    return np.frombuffer(mmap.mmap(-1, size), dtype=kind).reshape(shape)


def gather(
    text: Iterable[bytes], *, take: Take, name: str, size: int = 0, **options: Any
) -> Gathered:
    r"""Read delimited text and keep what `take` makes of each block.

    Parameters
    ----------
    text, name, **options
        As `delimited_frames` has them, in blocks.
    size
        Of the text in bytes, where it is known: what room to make.
    take
        Given a block's frame: name → array ``(n, ...)`` or categorical series, of any rows; the
        same names and types for every block.

    Examples
    --------
    >>> from collections import Counter
    >>> got = gather(
    ...     [b"t\tpage\n1\ta\n", b"2\tb\n3\ta\n"],
    ...     take=lambda frame: {"s": frame["t"].to_numpy() / 10, "page": frame["page"]},
    ...     name="a.tsv",
    ...     columns={"t": float, "page": str},
    ...     counts=Counter(),
    ... )
    >>> got.array("s"), got.labels("page", slice(None))
    (array([0.1, 0.2, 0.3]), (array([0, 1, 0], dtype=int8), ['a', 'b']))
    """
    blocks = iter(text)
    first = next(blocks, b"")
    # Names alone say nothing of their columns: the first rows belong to them.
    while first.find(b"\n") + 1 >= len(first.rstrip(b"\n")) and (more := next(blocks, b"")):
        first = first.rstrip(b"\n") + b"\n" + more
    gathered = Gathered(max(size / max(len(first), 1), 1.0))

    for frame in delimited_frames(chain([first], blocks), name=name, **options):
        gathered.add(take(frame))
    return gathered
