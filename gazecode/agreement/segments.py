"""Ranks, sums and shares within stretches of one long vector, without a loop over stretches.

Items are ragged; laid end to end with the places where each starts, whole corpora are
transformed at once. ``start`` is ``(c + 1,)``: stretch i is ``[start[i], start[i + 1])``, never
empty; arrays have units on their last axis. The same functions serve both levels of every
figure: within the item, and (with one stretch) over all items together.
"""

import numpy as np

from gazecode.model.checks import Array, BoolArray, FloatArray, IntArray

__all__ = [
    "centered",
    "lowest",
    "midranks",
    "near_one",
    "orthonormal",
    "shares",
    "spread",
    "sums",
    "top",
]

NEGLIGIBLE = 1e-10
"""A covariate whose part of its own is below this share of it says nothing new."""


def sums(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., c)`` sum per stretch.

    >>> sums(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 3]))
    array([3., 4.])
    """
    return np.asarray(np.add.reduceat(values, start[:-1], axis=-1))


def lowest(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., c)`` smallest value per stretch."""
    return np.asarray(np.minimum.reduceat(values, start[:-1], axis=-1))


def spread(values: Array, start: IntArray) -> Array:
    """``(..., n)`` one value per stretch, given to all its units."""
    return np.repeat(values, np.diff(start), axis=-1)


def owners(start: IntArray) -> IntArray:
    """``(n,)`` stretch of each unit."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def centered(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., n)`` less the mean of the stretch; exactly 0 where the stretch is constant.

    >>> centered(np.array([0.1, 0.1, 0.1, 1.0, 3.0]), np.array([0, 3, 5]))
    array([ 0.,  0.,  0., -1.,  1.])
    """
    less = values - spread(sums(values, start) / np.diff(start), start)
    less[spread(lowest(values, start) == -lowest(-values, start), start)] = 0.0
    return less


def midranks(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., n)`` ranks within the stretch from 1; equal values share their mean rank.

    >>> midranks(np.array([5.0, 1.0, 5.0, 7.0, 7.0]), np.array([0, 3, 5]))
    array([2.5, 1. , 2.5, 1.5, 1.5])
    """
    if values.ndim > 1:
        return np.stack([midranks(row, start) for row in values]) if len(values) else values
    owner = owners(start)
    order = np.lexsort((values, owner))
    ordered, at = values[order], owner[order]
    new = np.ones(len(values), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]) | (at[1:] != at[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((first + 1 + last) / 2, last - first) - start[at]
    return ranks


def top(values: FloatArray, start: IntArray, k: int) -> BoolArray:
    """``(..., n)`` the k greatest of each stretch; the earlier unit first where they are equal.

    >>> top(np.array([2.0, 2.0, 1.0, 9.0]), np.array([0, 3, 4]), 1)
    array([ True, False, False,  True])
    """
    if values.ndim > 1:
        empty = np.zeros(values.shape, dtype=bool)
        return np.stack([top(row, start, k) for row in values]) if len(values) else empty
    owner = owners(start)
    order = np.lexsort((-values, owner))  # stable: units stand in text order
    chosen = np.empty(len(values), dtype=bool)
    chosen[order] = np.arange(len(values)) - start[owner] < k
    return chosen


def shares(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., n)`` values over their sum in the stretch; 0 where that is 0."""
    mass = sums(values, start)
    return np.asarray(values / spread(np.where(mass > 0, mass, 1.0), start))


def near_one(values: FloatArray, start: IntArray) -> FloatArray:
    """``(..., n)`` less the mean, the stretch scaled to 1: squares stay in the range of floats."""
    most = np.maximum.reduceat(np.abs(values), start[:-1], axis=-1)
    return centered(values / spread(np.where(most > 0, most, 1.0), start), start)


def orthonormal(columns: FloatArray, start: IntArray) -> FloatArray:
    """``(1 + c, n)`` intercept and columns, at right angles to each other in every stretch.

    Gram-Schmidt, twice. A column that is constant, not known (NaN anywhere in the stretch) or
    made of those before it is 0 there.
    """
    size = np.diff(start).astype(np.float64)
    basis = [spread(1.0 / np.sqrt(size), start)]
    for column in columns:
        known = np.isfinite(sums(column, start))
        rest = centered(np.where(spread(known, start), column, 0.0), start)
        before = sums(rest * rest, start)
        for _ in range(2):
            for other in basis:
                rest = rest - other * spread(sums(rest * other, start), start)
        after = sums(rest * rest, start)
        kept = after > NEGLIGIBLE * before
        scale = np.divide(1.0, np.sqrt(after), out=np.zeros_like(after), where=kept)
        basis.append(rest * spread(scale, start))
    return np.stack(basis)
