"""One text as agreement meets it: what people marked or looked at, and what every row says."""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import FloatArray, IntArray, column

__all__ = ["Item", "Marks"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """Spans that people marked in a text, over its located units.

    Attributes
    ----------
    unit
        ``(n, 2)`` characters of the text, half-open: the units (model tokens) in text order.
    marked
        ``(h, 2)`` characters of the text, half-open: the spans people marked, as published;
        duplicates and empty spans are kept, because denominators count them.
    """

    unit: IntArray
    marked: IntArray

    def __post_init__(self) -> None:
        for name in ("unit", "marked"):
            span = column(self, name, np.int64, width=2)
            if len(late := np.flatnonzero(span[:, 1] < span[:, 0])):
                a, b = span[late[0]].tolist()
                raise DataError(f"{name} hold ({a}, {b}); expected start <= end: half-open")

    @property
    def overlap(self) -> IntArray:
        """``(n, h)`` characters that each unit shares with each distinct span."""
        marked = np.unique(self.marked, axis=0)
        low = np.maximum(self.unit[:, None, 0], marked[None, :, 0])
        high = np.minimum(self.unit[:, None, 1], marked[None, :, 1])
        return np.asarray(np.maximum(high - low, 0))

    @property
    def value(self) -> FloatArray:
        """``(n,)`` 1 where a unit overlaps a span: ``t_end > h_start and t_start < h_end``."""
        a, b = self.unit, self.marked
        meets = (a[:, None, 1] > b[None, :, 0]) & (a[:, None, 0] < b[None, :, 1])
        return np.asarray(meets.any(axis=1), dtype=np.float64)

    @property
    def width(self) -> IntArray:
        """``(n,)`` characters of each unit."""
        return np.asarray(self.unit[:, 1] - self.unit[:, 0])

    @property
    def credit(self) -> FloatArray:
        """``(2, n)`` what choosing a unit adds to precision and to recall, partial credit.

        Characters shared with each distinct span, over the unit's characters and over the
        span's; a unit or a span without characters adds nothing.

        >>> Marks(unit=[[0, 4], [5, 7]], marked=[[2, 7], [2, 7]]).credit
        array([[0.5, 1. ],
               [0.4, 0.4]])
        """
        shared = self.overlap.astype(np.float64)
        marked = np.unique(self.marked, axis=0)
        width = np.maximum(self.width, 1)  # nothing is shared with what has none
        span = np.maximum(marked[:, 1] - marked[:, 0], 1)
        return np.stack([shared.sum(axis=1) / width, (shared / span).sum(axis=1)])

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """One text with the maps of its people and the scores of all rows, over the same units.

    Attributes
    ----------
    name
        Of the text.
    people
        Who looked or marked; one entry ``""`` where it is unknown.
    human
        ``(p, n)`` one row per person; NaN where a unit was not shown to them.
    model
        ``(r, n)`` one row per row of the table; NaN where it says nothing.
    length
        ``(n,)`` characters per unit; NaN where unknown.
    frequency
        ``(n,)`` how often the unit's text occurs in all items; NaN where unknown.
    marks
        Spans behind `human`, where people marked spans instead of looking.
    """

    name: str
    people: tuple[str, ...]
    human: FloatArray
    model: FloatArray
    length: FloatArray
    frequency: FloatArray
    marks: Marks | None = None

    def __post_init__(self) -> None:
        length = column(self, "length", np.float64)
        n = len(length)
        column(self, "frequency", np.float64)
        column(self, "human", np.float64, width=n)
        column(self, "model", np.float64, width=n)
        if len(self.frequency) != n:
            raise DataError(f"{self.name}: {n} lengths and {len(self.frequency)} frequencies")
        if len(self.people) != len(self.human):
            raise DataError(f"{self.name}: {len(self.people)} people, {len(self.human)} maps")

    def __len__(self) -> int:
        return len(self.length)
