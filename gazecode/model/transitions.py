"""Saccades between tokens as a sparse matrix: where the eyes went from each of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import FloatArray, IntArray, column, same_length

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Transitions"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transitions:
    """A sparse ``(size, size)`` matrix of transitions, of AST tokens or of subwords.

    Attributes
    ----------
    origin, target
        ``(k,)`` row and column of each cell that is not 0; sorted by row, then column, none twice.
    count
        ``(k,)`` saccades, at least 0; fractions where a fixation was shared by several tokens.
    share
        ``(k,)`` share of the row: the cells of a row sum to 1. Left out: `count` divided by the
        row's sum. Subwords have their own: each shard of a token repeats the whole row of it.

    Examples
    --------
    >>> seen = Transitions(size=3, origin=[0, 0, 2], target=[1, 2, 0], count=[3.0, 1.0, 2.0])
    >>> seen.share
    array([0.75, 0.25, 1.  ])
    >>> seen.to_scipy().toarray()
    array([[0.  , 0.75, 0.25],
           [0.  , 0.  , 0.  ],
           [1.  , 0.  , 0.  ]])
    """

    size: int
    origin: IntArray
    target: IntArray
    count: FloatArray
    share: FloatArray | None = None

    def __post_init__(self) -> None:
        origin = column(self, "origin", np.int64)
        target = column(self, "target", np.int64)
        count = column(self, "count", np.float64)
        same_length(self, "origin", "target", "count")
        ends = np.concatenate([origin, target])
        if ends.size and not (ends.min() >= 0 and ends.max() < self.size):
            raise DataError(
                f"a transition joins {ends.min()} to {ends.max()}; expected 0 to {self.size - 1}"
            )
        if np.any(np.diff(origin * max(self.size, 1) + target) <= 0):
            raise DataError("transitions are not sorted by origin and target, each pair once")
        if not np.all(np.isfinite(count) & (count >= 0)):
            raise DataError("a transition has a count below 0 or not finite; expected saccades")
        if self.share is None:
            total = np.bincount(origin, weights=count, minlength=self.size)[origin]
            share = np.divide(count, total, out=np.zeros(len(count)), where=total > 0)
            object.__setattr__(self, "share", share)
        column(self, "share", np.float64)
        same_length(self, "origin", "share")

    def __len__(self) -> int:
        return len(self.origin)

    def to_scipy(self) -> "csr_array":
        """``(size, size)`` shares as a sparse matrix; rows of tokens never left are empty."""
        from scipy.sparse import csr_array

        return csr_array((self.share, (self.origin, self.target)), shape=(self.size, self.size))
