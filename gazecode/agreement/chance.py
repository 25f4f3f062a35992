"""What every figure is where people's maps are permuted within the item.

A permutation keeps the item's values and the places of what is missing and forgets where people
looked; all rows, and all people of an item, are given the same permutations. The work is cut into
runs of permutations, so that memory is bounded whatever the length of a text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.measures import Prepared, Sums, ratio
from gazecode.agreement.seeding import generator
from gazecode.agreement.stacks import Stack
from gazecode.agreement.terms import Gathered
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Chance", "Levels", "permute"]

AT_ONCE = 1_000_000
"""Units times permutations that are worked on at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """One measure on one stack.

    Attributes
    ----------
    item, whole
        Prepared within the items, and over all units; the same where nothing is to be said of all.
    weight
        ``(c, r)`` part of each reading in its item's figure; 0 where it has none.
    """

    item: Prepared
    whole: Prepared
    weight: FloatArray


class Chance:
    """Gathers the figures of all permutations of one measure on one stack."""

    def __init__(self, levels: Levels, permutations: int) -> None:
        self.levels = levels
        rows = levels.weight.shape[1]
        self.above = np.zeros((permutations, rows))
        self.missed = np.zeros((permutations, rows))
        self.below = np.zeros(rows)
        self.changing: list[FloatArray] = []
        # Sums over all units never change, whichever units meet.
        self.fixed = levels.whole.total()

    def add(self, reading: int, at: slice, run: slice, order: IntArray, done: Gathered) -> None:
        """One reading in a run of permutations."""
        item, whole = self.levels.item, self.levels.whole
        changing = _permuted(item, at, reading, order, done)
        value = item.figure(changing, tuple(array[reading] for array in item.fixed))
        weight = self.levels.weight[reading]
        if np.isnan(value.sum()):
            # Rows without a figure here, and the rare permutation that has none.
            there = ~np.isnan(value)
            self.missed[run] += weight * ~there
            value = np.where(there, value, 0.0)
        if (weight != 1).any():
            value = value * weight
        self.above[run] += value
        if not run.start:
            self.below += weight
        if whole is not item:
            changing = _permuted(whole, at, reading, order, done)
        if not self.changing:
            self.changing = [np.zeros((len(self.above), part.shape[1])) for part in changing]
        for total, part in zip(self.changing, changing, strict=True):
            total[run] += part

    def mean(self) -> FloatArray:
        """``(p, r)`` mean over items."""
        return ratio(self.above, self.below - self.missed)

    def pooled(self) -> FloatArray:
        """``(p, r)`` pooled figure."""
        if not self.changing:
            return np.empty_like(self.above)
        return self.levels.whole.figure(tuple(self.changing), self.fixed)


def _permuted(prepared: Prepared, at: slice, reading: int, order: IntArray, done: Gathered) -> Sums:
    return tuple(term.permuted(at, reading, order, done) for term in prepared.terms)


def permute(
    work: Sequence[tuple[Stack, Sequence[Levels]]],
    names: Sequence[str],
    sizes: Sequence[int],
    *,
    permutations: int,
    seed: int,
    told: Callable[[int], None],
) -> list[list[Chance]]:
    """The figures of every permutation.

    Parameters
    ----------
    work
        Stacks, each with its measures.
    names, sizes
        Of the items, and how many units they have.
    permutations
        How many.
    seed
        Of the permutations, together with the item's name.
    told
        Told after each item.

    Returns
    -------
    Per stack and measure.
    """
    found = [[Chance(one, permutations) for one in levels] for _, levels in work]
    readings = [np.searchsorted(stack.item, np.arange(len(names) + 1)) for stack, _ in work]
    for i, (name, n) in enumerate(zip(names, sizes, strict=True)):
        for run, order in _orders(generator(seed, "permutation", name), n, permutations):
            for (stack, _), chances, first in zip(work, found, readings, strict=True):
                for reading in range(first[i], first[i + 1]):
                    at = slice(stack.start[reading], stack.start[reading + 1])
                    own, done = _among(order, stack.unit[at]), Gathered()
                    for chance in chances:
                        chance.add(reading, at, run, own, done)
        told(i + 1)
    return found


def _orders(
    rng: np.random.Generator, n: int, permutations: int
) -> Iterator[tuple[slice, IntArray]]:
    """Runs of permutations of n units; how they are cut does not change them."""
    step = max(1, AT_ONCE // max(n, 1))
    for first in range(0, permutations, step):
        last = min(first + step, permutations)
        yield slice(first, last), rng.permuted(np.tile(np.arange(n), (last - first, 1)), axis=1)


def _among(order: IntArray, unit: IntArray) -> IntArray:
    """Permutations of some of the units: the order in which the whole permutation meets them."""
    n = order.shape[1]
    if len(unit) == n:
        return order
    place = np.full(n, -1)
    place[unit] = np.arange(len(unit))
    placed = place[order]
    return placed[placed >= 0].reshape(len(order), len(unit))
