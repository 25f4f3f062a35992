"""Items laid end to end: what every figure and every permutation of a comparison works on.

A *reading* is one person's map of one item, or the item where one person is all there is. Its
target is that person's map; with two people or more it is the mean of the *others'* maps, so
that model rows and the person themself (the ceiling) are scored against the same thing
(Nili et al. 2014, doi:10.1371/journal.pcbi.1003553, the lower bound of their noise ceiling).
Rows that miss the same units stand in one stack, so that nothing in it is missing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from gazecode.agreement.item import Item
from gazecode.model.checks import Array, BoolArray, FloatArray, IntArray

__all__ = ["COVARIATES", "Reading", "Stack", "patterns_of", "readings_of", "stacks_of"]

COVARIATES = ("length", "position", "frequency")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """One target that rows are scored against.

    Attributes
    ----------
    item, person
        Numbers of both.
    target
        ``(n,)`` the map; NaN where missing.
    own
        ``(n,)`` the map of the person whom the target leaves out; None where there are no others.
    """

    item: int
    person: int
    target: FloatArray
    own: FloatArray | None


def readings_of(items: Sequence[Item], people: Sequence[str]) -> list[Reading]:
    """Every item's targets, in the order of items and of `people`."""
    number = {person: i for i, person in enumerate(people)}
    readings = []
    for i, item in enumerate(items):
        several = len(item.people) > 1
        # By name, so that the order in which people are given changes no digit of a sum.
        order = sorted(range(len(item.people)), key=lambda p: item.people[p])
        human = item.human[order]
        targets = _others(human) if several else human
        for p, own, target in zip(order, human, targets, strict=True):
            person = number[item.people[p]]
            readings.append(
                Reading(item=i, person=person, target=target, own=own if several else None)
            )
    return readings


def _others(human: FloatArray) -> FloatArray:
    """``(p, n)`` for each person the mean of the others' maps, over those who saw the unit.

    Maps without values below 0 are brought to sum 1 first (less where a person was not shown
    all units); those without mass say nothing about where people look and join no mean.
    """
    seen = ~np.isnan(human)
    values = np.where(seen, human, 0.0)
    if (values >= 0).all():
        mass = values.sum(axis=1, keepdims=True)
        seen = seen & (mass > 0)
        per_unit = seen.mean(axis=1, keepdims=True)
        values = np.where(seen, values * per_unit / np.where(mass > 0, mass, 1.0), 0.0)
    count = seen.sum(axis=0) - seen
    total = np.stack([np.delete(values, i, axis=0).sum(axis=0) for i in range(len(values))])
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Readings end to end, with the rows that are known on exactly these units.

    Attributes
    ----------
    rows
        ``(r,)`` numbers of the rows.
    reading, item
        ``(c,)`` numbers of the readings and of their items, ascending.
    start
        ``(c + 1,)`` where each reading's units begin.
    unit
        ``(n,)`` number of each unit in its item.
    human, model
        ``(n,)`` targets and ``(r, n)`` scores; nothing missing.
    marked
        ``(n,)`` 1 where people marked or looked: value above 0, or a span overlaps.
    credit
        ``(2, n)`` what choosing the unit adds to precision and to recall.
    wide
        ``(n,)`` whether the unit has characters.
    spans
        ``(c,)`` what recall divides by: marked spans, or marked units where there are no spans.
    covariates
        ``(3, n)`` length, position and frequency; NaN where unknown.
    """

    rows: IntArray
    reading: IntArray
    item: IntArray
    start: IntArray
    unit: IntArray
    human: FloatArray
    model: FloatArray
    marked: FloatArray
    credit: FloatArray
    wide: BoolArray
    spans: FloatArray
    covariates: FloatArray
    memo: dict[tuple[object, ...], Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.reading)

    @property
    def whole(self) -> IntArray:
        """``(2,)`` all units as one stretch."""
        return self.start[[0, -1]]

    def once(self, make: Callable[[], Array], *key: object) -> Array:
        """What measures share, made once: a permutation then gathers it once for all of them."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]


def stacks_of(items: Sequence[Item], readings: Sequence[Reading], n_rows: int) -> list[Stack]:
    """One stack per pattern of missing units; the last row, `n_rows`, is the ceiling's."""
    groups: dict[bytes, list[int]] = {}
    for row, pattern in enumerate(patterns_of(items, n_rows)):
        groups.setdefault(pattern, []).append(row)
    numbered = list(enumerate(readings))
    stacks = [
        _stack(
            items, rows, [(i, reading, items[reading.item].model[rows]) for i, reading in numbered]
        )
        for rows in groups.values()
    ]
    own = [(i, reading, reading.own[None]) for i, reading in numbered if reading.own is not None]
    stacks.append(_stack(items, [n_rows], own))
    return [stack for stack in stacks if len(stack)]


def patterns_of(items: Sequence[Item], n_rows: int) -> list[bytes]:
    """Which units of all items each row is known on: the same for rows that can be paired."""
    known = [~np.isnan(item.model) for item in items]
    return [
        np.packbits(np.concatenate([mask[row] for mask in known])).tobytes()
        for row in range(n_rows)
    ]


def _stack(
    items: Sequence[Item], rows: Sequence[int], scored: Sequence[tuple[int, Reading, FloatArray]]
) -> Stack:
    """Numbered readings with the rows' scores ``(r, n)``, without the units that either lacks."""
    parts, number = [], []
    for i, reading, said in scored:
        unit = np.flatnonzero(~np.isnan(reading.target) & ~np.isnan(said[0]))
        if len(unit):
            parts.append((reading, unit, said[:, unit]))
            number.append(i)
    size = [len(unit) for _, unit, _ in parts]
    marks = [_marks(items[reading.item], reading.target, unit) for reading, unit, _ in parts]
    return Stack(
        rows=np.asarray(rows, dtype=np.int64),
        reading=_joined(number, np.int64),
        item=_joined((reading.item for reading, _, _ in parts), np.int64),
        start=np.concatenate([[0], np.cumsum(size, dtype=np.int64)]).astype(np.int64),
        unit=_end_to_end([unit for _, unit, _ in parts], ()).astype(np.int64),
        human=_end_to_end([reading.target[unit] for reading, unit, _ in parts], ()),
        model=_end_to_end([said for _, _, said in parts], (len(rows),)),
        marked=_end_to_end([value for value, *_ in marks], ()),
        credit=_end_to_end([credit for _, credit, *_ in marks], (2,)),
        wide=_end_to_end([wide for *_, wide, _ in marks], ()).astype(bool),
        spans=_joined((spans for *_, spans in marks), np.float64),
        covariates=_end_to_end(
            [_covariates(items[reading.item])[:, unit] for reading, unit, _ in parts], (3,)
        ),
    )


def _joined(values: Iterable[float], dtype: type) -> Array:
    return np.fromiter(values, dtype=dtype)


def _end_to_end(parts: Sequence[Array], leading: tuple[int, ...]) -> Array:
    return np.concatenate([np.empty((*leading, 0)), *parts], axis=-1)


def _marks(
    item: Item, target: FloatArray, unit: IntArray
) -> tuple[FloatArray, FloatArray, BoolArray, float]:
    if item.marks is None:
        value = (target[unit] > 0).astype(np.float64)
        return value, np.stack([value, value]), np.ones(len(unit), dtype=bool), value.sum()
    marks = item.marks
    return marks.value[unit], marks.credit[:, unit], marks.width[unit] > 0, len(marks.marked)


def _covariates(item: Item) -> FloatArray:
    position = np.arange(len(item), dtype=np.float64)
    return np.stack([item.length, position, item.frequency])
