"""Many versions of one text and of its tokens, each kept as what changed.

A version costs what differs from the one before, and every `_EVERY`-th is kept whole: memory grows
with the edits, and any version is at hand in a few steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gazecode.model.checks import IntArray
from gazecode.source.edits.replay import Splice, apply_splice

__all__ = ["Rows", "Texts", "same_ends"]

_EVERY = 64


@dataclass(slots=True)
class Texts:
    """Versions of a text, ``texts[k]``."""

    splices: list[tuple[Splice, ...]] = field(default_factory=list)
    whole: list[bytes] = field(default_factory=list)

    def append(self, code: bytes, splices: Sequence[Splice]) -> None:
        """Add the next version, which `splices` make of the last one."""
        if len(self.splices) % _EVERY == 0:
            self.whole.append(code)
        self.splices.append(tuple(splices))

    def __len__(self) -> int:
        return len(self.splices)

    def __getitem__(self, version: int) -> bytes:
        begin = version // _EVERY
        code = self.whole[begin]
        for splices in self.splices[begin * _EVERY + 1 : version + 1]:
            for splice in splices:
                code = apply_splice(code, splice)
        return code


@dataclass(frozen=True, slots=True)
class _Change:
    """Rows that stay at both ends, how far the last ones move, and the new ones between."""

    head: int
    tail: int
    moved: int
    middle: IntArray


_MOVED = np.array([1, 1, 0])


@dataclass(slots=True)
class Rows:
    """Versions of a table of tokens, ``rows[k]``: begin and end (bytes) and id, ``(m, 3)``."""

    changes: list[_Change] = field(default_factory=list)
    whole: list[IntArray] = field(default_factory=list)
    last: IntArray = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))
    size: int = 0

    def append(self, rows: IntArray, size: int) -> None:
        """Add the next version, of a text of `size` bytes."""
        moved = size - self.size
        head, tail = same_ends(self.last, rows, _MOVED * moved)
        middle = rows[head : len(rows) - tail].copy()
        if len(self.changes) % _EVERY == 0:
            self.whole.append(rows)
        self.changes.append(_Change(head=head, tail=tail, moved=moved, middle=middle))
        self.last, self.size = rows, size

    def __len__(self) -> int:
        return len(self.changes)

    def __getitem__(self, version: int) -> IntArray:
        begin = version // _EVERY
        rows = self.whole[begin]
        for change in self.changes[begin * _EVERY + 1 : version + 1]:
            tail = rows[len(rows) - change.tail :] + _MOVED * change.moved
            rows = np.concatenate([rows[: change.head], change.middle, tail])
        return rows


def same_ends(old: IntArray, new: IntArray, moved: IntArray) -> tuple[int, int]:
    """How many rows two tables share at the top, and of the rest at the bottom, there moved.

    >>> old, new = np.array([[0, 1], [2, 3], [4, 5]]), np.array([[0, 1], [3, 4], [5, 6]])
    >>> same_ends(old, new, np.array([1, 1]))
    (1, 2)
    """
    n = min(len(old), len(new))
    unlike = np.flatnonzero((old[:n] != new[:n]).any(axis=1))
    head = int(unlike[0]) if len(unlike) else n
    rest = n - head
    ends = old[len(old) - rest :] + moved != new[len(new) - rest :]
    unlike = np.flatnonzero(ends.any(axis=1))
    return head, rest - 1 - int(unlike[-1]) if len(unlike) else rest
