"""How each figure of a comparison is made of sums over units, so that it can be pooled.

The figure of an item is ``figure(sums of the item)``; the pooled figure is ``figure(sums over all
items)``, after what has to be said of all units together (ranks) was said of all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.stacks import Stack
from gazecode.agreement.terms import Term
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Measure", "Prepared", "Sums", "best_first", "inverse", "ratio"]

Sums = tuple[FloatArray, ...]

LOWER_IS_BETTER = frozenset({"kl", "js", "emd"})
"""Metrics that are 0 where two maps agree."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A measure, ready on one stack at one level.

    Attributes
    ----------
    terms
        The sums that permuting changes.
    fixed
        Those that it does not, each ``(c, ...)``.
    figure
        ``figure(changing, fixed) -> (..., r)``: any leading axes, the same for all arrays or none.
    """

    terms: tuple[Term, ...]
    fixed: Sums
    figure: Callable[[Sums, Sums], FloatArray]

    def values(self, start: IntArray) -> FloatArray:
        """``(c, r)`` the figure of every reading."""
        return self.figure(self.observed(start), self.fixed)

    def observed(self, start: IntArray) -> Sums:
        """What the terms sum to as things are, each ``(c, K)``."""
        return tuple(term.observed(start) for term in self.terms)

    def total(self) -> Sums:
        """The fixed sums over all readings."""
        return tuple(array.sum(axis=0) for array in self.fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure that `compare` can make.

    Attributes
    ----------
    name
        As asked for: ``"iou@5"``.
    prepare
        ``prepare(stack, start)``: with `start` the readings' own, or all units as one stretch.
    together
        Whether the pooled figure needs its own preparation over all units (ranks, means). If not,
        the sums of the items are added as they are.
    pooled
        How the pooled figure comes about, for people.
    rule
        Everything else that decides the number, for people.
    null
        What the figure of an item is expected to be where model and people have nothing to do
        with each other; None where that depends on the item.
    k
        How many units are chosen; None where none are.
    """

    name: str
    prepare: Callable[[Stack, IntArray], Prepared]
    together: bool
    pooled: str
    rule: str = ""
    null: float | None = None
    k: int | None = None


def best_first(metric: str, figure: float) -> tuple[bool, float]:
    """What to sort rows by: the best figure first, undefined ones last.

    >>> sorted([0.1, float("nan"), 0.3], key=lambda figure: best_first("iou", figure))
    [0.3, 0.1, nan]
    """
    if np.isnan(figure):
        return True, 0.0
    return False, figure if metric in LOWER_IS_BETTER else -figure


def inverse(below: FloatArray) -> FloatArray:
    """One over it; NaN, without a warning, where there is nothing to divide by.

    What permuting leaves alone is divided by before it meets what is permuted: then a figure of
    1,000 permutations is a product and a sum.
    """
    blank = np.full(np.shape(below), np.nan)
    return np.asarray(np.divide(1.0, below, out=blank, where=below > 0))


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """One over the other; NaN, without a warning, where there is nothing to divide by."""
    return np.asarray(above * inverse(below))
