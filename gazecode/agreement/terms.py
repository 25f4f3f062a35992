"""What of a figure changes when a human map is permuted: sums over units, by matrix products.

Permuting changes only how human and model values meet. Where their meeting is a product, summed
over units, 1,000 permutations of an item against all rows are one product ``(1000, n) @ (n, r)``.
Any other function of two values is a product too where people's map has few values (marks have
two): one indicator per value against what the function says of it. Else it is looked up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gazecode.agreement.segments import sums
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Chosen", "Crossed", "Gathered", "Linear", "Term"]

FEW_VALUES = 8
"""Up to so many values of a map a product is faster than looking up."""

TABLES = 100_000
"""Entries of the tables of several rows that are made at once."""

ONE_THREAD = 200_000
"""Multiplications that linear algebra libraries do without other threads (OpenBLAS: 262,144)."""
WORTH_CUTTING = 16
"""Fewer permutations at once are not worth it: then the product is large, and threads help."""

Gathered = dict[int | tuple[int, int], FloatArray]
"""Permuted columns of the reading at hand, so that terms that share a column share the work."""


def _product(values: FloatArray, table: FloatArray) -> FloatArray:
    """``values @ table``, ``(p, n) @ (n, r)``, in pieces too small for several threads.

    Threads that wait for each other cost more than thousands of small products do, by far where
    the machine is busy; and the digits do not depend on how many there are.
    """
    p, n = values.shape
    step = ONE_THREAD // max(1, n * table.shape[1])
    if step < WORTH_CUTTING or step >= p:
        return np.asarray(values @ table)
    even = p - p % step
    found = np.empty((p, table.shape[1]))
    pieces = np.ascontiguousarray(values[:even]).reshape(-1, step, n)
    np.matmul(pieces, table, out=found[:even].reshape(len(pieces), step, -1))
    found[even:] = values[even:] @ table
    return found


class Term(Protocol):
    """One kind of sum that permuting changes; ``K`` columns, mostly one per row."""

    def observed(self, start: IntArray) -> FloatArray:
        """``(c, K)`` sums of the maps as they are."""
        ...

    def permuted(self, at: slice, reading: int, order: IntArray, done: Gathered) -> FloatArray:
        """``(p, K)`` sums of one reading, its units (`at`) taken in each `order` ``(p, n)``."""
        ...


def _gathered(values: FloatArray, at: slice, order: IntArray, done: Gathered) -> FloatArray:
    if id(values) not in done:
        done[id(values)] = np.take(values[at], order)
    return done[id(values)]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """``Σ h m``: human ``(n,)``, model ``(K, n)``."""

    human: FloatArray
    model: FloatArray

    def observed(self, start: IntArray) -> FloatArray:
        """As `Term` says."""
        return sums(self.human * self.model, start).T

    def permuted(self, at: slice, reading: int, order: IntArray, done: Gathered) -> FloatArray:  # noqa: ARG002
        """As `Term` says."""
        return _product(_gathered(self.human, at, order, done), self.model[:, at].T)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Units that both choose: model ``(r, n)`` 0 or 1, human the `k` greatest of each order.

    Which of several equal units people "choose" depends on their order, so the choice is made
    again in every permutation.
    """

    human: FloatArray
    model: FloatArray
    k: int
    chosen: FloatArray

    def observed(self, start: IntArray) -> FloatArray:
        """As `Term` says."""
        return sums(self.chosen * self.model, start).T

    def permuted(self, at: slice, reading: int, order: IntArray, done: Gathered) -> FloatArray:  # noqa: ARG002
        """As `Term` says."""
        values = _gathered(self.human, at, order, done)
        n = values.shape[1]
        k = min(self.k, n)
        least = np.partition(self.human[at], n - k)[n - k]
        equal = values == least
        above = values > least
        room = k - np.count_nonzero(above[0])
        first = equal & (np.cumsum(equal, axis=1) <= room)
        return _product((above | first).astype(np.float64), self.model[:, at].T)


@dataclass(frozen=True, eq=False)
class Crossed:
    """``Σ meet(h, m)`` of any function of two values; 0 where a reading or row is not live."""

    meet: Callable[[FloatArray, FloatArray], FloatArray]
    human: FloatArray
    model: FloatArray
    live: FloatArray

    def observed(self, start: IntArray) -> FloatArray:
        """As `Term` says."""
        return np.asarray(sums(self.meet(self.human, self.model), start).T * self.live)

    def permuted(self, at: slice, reading: int, order: IntArray, done: Gathered) -> FloatArray:
        """As `Term` says."""
        values, codes = np.unique(self.human[at], return_inverse=True)
        if len(values) <= FEW_VALUES:
            live = self.live[reading][:, None]
            met = self.meet(values[:, None, None], self.model[:, at]) * live
            found = self._few(met[1:] - met[0], codes, order, done)
            return np.asarray(found + met[0].sum(axis=-1))
        if len(values) <= len(order):
            found = self._looked_up(values, codes[order], at)
        else:
            human = _gathered(self.human, at, order, done)
            found = np.stack([self.meet(human, row[at]).sum(axis=1) for row in self.model], axis=1)
        return np.asarray(found * self.live[reading])

    def _few(
        self, tables: FloatArray, codes: IntArray, order: IntArray, done: Gathered
    ) -> FloatArray:
        """What each value but the first adds, ``(values - 1, r, n)`` by the unit it comes to."""
        found = np.zeros((len(order), len(self.model)))
        for code, table in enumerate(tables, start=1):
            key = (id(self.human), code)
            if key not in done:
                done[key] = np.take((codes == code).astype(np.float64), order)
            found += _product(done[key], table.T)
        return found

    def _looked_up(self, values: FloatArray, codes: IntArray, at: slice) -> FloatArray:
        p, n = codes.shape
        place = codes * n + np.arange(n)
        met = np.empty((p, n))
        found = np.empty((len(self.model), p))
        step = max(1, TABLES // (n * len(values)))
        for first in range(0, len(found), step):
            tables = self.meet(values[:, None], self.model[first : first + step, None, at])
            for table, column in zip(tables, found[first : first + step], strict=True):
                np.take(table, place, out=met, mode="clip")  # "raise" would copy
                np.einsum("pn->p", met, out=column)
        return found.T
