"""Crossed bootstrap: intervals over other people and other texts, both drawn anew.

Each draw takes people with replacement and items with replacement, and a reading counts as often
as its person times its item was drawn (the "pigeonhole" bootstrap: P. McCullagh 2000,
doi:10.2307/3318577; A. B. Owen 2007, doi:10.1214/07-AOAS122, who shows it to be mildly
conservative). All rows get the same draws, so differences between rows are paired. With one
person there is nobody to draw: the interval covers items alone.
"""

from collections.abc import Iterator

import numpy as np

from gazecode.agreement.measures import Prepared
from gazecode.agreement.seeding import generator
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Resamples", "interval"]

AT_ONCE = 4_000_000
"""Draws times readings that are held at once."""
LEVEL = 0.95


class Resamples:
    """Weights of readings in every draw.

    Parameters
    ----------
    item, person
        ``(c,)`` numbers of each reading's item and person.
    draws
        How many.
    seed
        Of the draws.
    """

    def __init__(self, item: IntArray, person: IntArray, *, draws: int, seed: int) -> None:
        self.item, self.person, self.draws = item, person, draws
        self._items = _counts(int(item.max(initial=0)) + 1, draws, generator(seed, "draw items"))
        self._people = _counts(int(person.max(initial=0)) + 1, draws, generator(seed, "people"))

    def runs(self, readings: IntArray) -> Iterator[tuple[slice, FloatArray]]:
        """Runs of draws, each with ``(b, c)`` how often each of these readings counts."""
        step = max(1, AT_ONCE // max(len(readings), 1))
        item, person = self.item[readings], self.person[readings]
        for first in range(0, self.draws, step):
            run = slice(first, min(first + step, self.draws))
            yield run, self._items[run][:, item] * self._people[run][:, person]

    def means(self, value: FloatArray, weight: FloatArray) -> FloatArray:
        """``(b, r)`` mean over items of ``(c, r)`` figures of readings, as `weight` joins them."""
        above = np.empty((self.draws, value.shape[1]))
        below = np.empty_like(above)
        joined = np.where(weight > 0, value, 0.0) * weight
        for run, counts in self.runs(np.arange(len(value))):
            above[run], below[run] = counts @ joined, counts @ weight
        return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)

    def pooled(self, prepared: Prepared, start: IntArray, readings: IntArray) -> FloatArray:
        """``(b, r)`` pooled figure; ranks stay those of all units."""
        changing, fixed = prepared.observed(start), prepared.fixed
        found = np.empty((self.draws, prepared.values(start).shape[1]))
        for run, counts in self.runs(readings):
            found[run] = prepared.figure(
                tuple(_weighed(counts, array) for array in changing),
                tuple(_weighed(counts, array) for array in fixed),
            )
        return found


def _counts(n: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """``(b, n)`` how often each of n is drawn in n draws; one alone always is."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64)


def _weighed(counts: FloatArray, array: FloatArray) -> FloatArray:
    flat = counts @ array.reshape(len(array), -1)
    return flat.reshape(len(counts), *array.shape[1:])


def interval(draws: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Both ends of the percentile interval of ``(b, ...)`` draws; NaN where no draw is defined.

    >>> low, high = interval(np.arange(101.0))
    >>> round(float(low), 6), round(float(high), 6)
    (2.5, 97.5)
    """
    tail = (1 - level) / 2
    known = ~np.isnan(draws)
    if not len(draws):
        none = np.full(draws.shape[1:], np.nan)
        return none, none
    filled = np.where(known.any(axis=0), draws, 0.0)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    gone = ~known.any(axis=0)
    return np.where(gone, np.nan, low), np.where(gone, np.nan, high)
