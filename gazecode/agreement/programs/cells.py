"""Saccades of one reading as a row-stochastic matrix, and the same with their targets permuted.

Human matrices are nearly empty: a hundred saccades among ten thousand cells. Whatever is summed
over minima or over rows needs the cells with saccades alone, so nothing dense is made, and a
thousand permutations of a reading are one sort.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.programs.observed import Observed
from gazecode.agreement.seeding import generator
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Cells", "Saccades", "blocks"]

_BLOCK = 1_000_000
"""Cells worked on together: about 60 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saccades:
    """Saccades of one person in one file, one entry each.

    Attributes
    ----------
    observed
        Whose.
    origin, target, weight
        ``(k,)``; the weight is 1, or the cell's count where fixations were shared by tokens: then
        a cell is what is permuted.
    """

    observed: Observed
    origin: IntArray
    target: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, observed: Observed) -> "Saccades | None":
        """None where there is no saccade."""
        seen = observed.transitions
        if seen is None or not (seen.count > 0).any():
            return None
        whole = bool((seen.count == np.round(seen.count)).all())
        times = seen.count.astype(np.int64) if whole else (seen.count > 0).astype(np.int64)
        weight = np.ones(times.sum()) if whole else seen.count[seen.count > 0]
        return cls(
            observed=observed,
            origin=np.repeat(seen.origin, times),
            target=np.repeat(seen.target, times),
            weight=weight,
        )

    @property
    def size(self) -> int:
        """Tokens of the file."""
        return len(self.observed.value)

    @property
    def shown(self) -> BoolArray:
        """``(m,)`` tokens the eyes could go to: shown, or gone to."""
        shown = ~np.isnan(self.observed.value)
        shown[self.target] = True
        return np.asarray(shown)

    @property
    def rows(self) -> IntArray:
        """Tokens that were left at least once."""
        return np.unique(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Row-stochastic matrices of some readings, each in some draws; draw 0 is what was observed.

    Attributes
    ----------
    reading, draw
        ``(c,)`` number of the reading and of the draw.
    origin, target, share
        ``(c,)`` row, column and the cell's share of the row.
    """

    reading: IntArray
    draw: IntArray
    origin: IntArray
    target: IntArray
    share: FloatArray


def blocks(readings: Sequence[Saccades], *, permutations: int, seed: int) -> Iterator[Cells]:
    """The cells of readings of one file, observed and permuted, a bounded number at a time.

    Targets are permuted within the reading: every token is left, and gone to, as often as it was.
    What is drawn depends on the seed and on who read what, never on what stands beside it.
    """
    waiting: list[Cells] = []
    for number, reading in enumerate(readings):
        seen = reading.observed
        rng = generator(seed, "saccades", seen.source, seen.person)
        step = max(_BLOCK // len(reading.target), 1)
        for first in range(0, permutations + 1, step):
            n = min(step, permutations + 1 - first)
            waiting.append(_drawn(reading, number, np.arange(first, first + n), rng))
            if sum(len(cells.share) for cells in waiting) >= _BLOCK:
                yield _joined(waiting)
                waiting = []
    if waiting:
        yield _joined(waiting)


def _drawn(reading: Saccades, number: int, draw: IntArray, rng: np.random.Generator) -> Cells:
    m, k = reading.size, len(reading.target)
    target = np.tile(reading.target, (len(draw), 1))
    permuted = draw > 0
    target[permuted] = rng.permuted(target[permuted], axis=1)
    cell = ((np.arange(len(draw))[:, None] * m + reading.origin) * m + target).ravel()
    if (reading.weight == 1).all():
        cell.sort()
        first = _starts(cell)
        count = np.diff(first, append=len(cell)).astype(np.float64)
    else:
        order = np.argsort(cell, kind="stable")
        cell = cell[order]
        first = _starts(cell)
        weight = np.broadcast_to(reading.weight, (len(draw), k)).ravel()[order]
        count = np.add.reduceat(weight, first)
    rest, column = np.divmod(cell[first], m)
    at, row = np.divmod(rest, m)
    total = np.bincount(reading.origin, weights=reading.weight, minlength=m)
    return Cells(
        reading=np.full(len(first), number),
        draw=draw[at],
        origin=row,
        target=column,
        share=count / total[row],
    )


def _starts(cell: IntArray) -> IntArray:
    return np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))


def _joined(parts: Sequence[Cells]) -> Cells:
    names = ("reading", "draw", "origin", "target", "share")
    return Cells(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})
