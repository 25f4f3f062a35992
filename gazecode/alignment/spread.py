"""Values of AST tokens on subwords: who inherits, and how mass is shared.

``inherit``  the value of the token with the largest overlap; a tie goes to the earlier one
             (the rule of the EyeMulator write-up: the salience of a leaf is copied to its shards)
``share``    the token's value divided by its owned bytes: the sum over its subwords is its value
``max``      the largest value among the tokens overlapped
``mean``     their mean, weighted by the bytes of the overlap

Overlap is counted over the bytes a subword's offsets cover, so that all pieces of one character
inherit alike; mass is shared over the bytes it owns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gazecode.alignment.subwords.offsets import Ownership, ranges, summed
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import Registry

__all__ = ["POLICIES", "Overlaps", "Spread", "overlaps"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlaps:
    """``(k,)`` pairs of a row and a token that have `n_bytes` in common, sorted by row."""

    row: IntArray
    token: IntArray
    n_bytes: IntArray


def overlaps(start: IntArray, end: IntArray, span: IntArray) -> Overlaps:
    """Find which tokens each half-open range of bytes meets.

    Parameters
    ----------
    start, end
        ``(n,)`` ranges; empty ones meet nothing.
    span
        ``(m, 2)`` tokens, sorted and disjoint.

    Examples
    --------
    >>> o = overlaps(np.array([0, 3]), np.array([3, 9]), np.array([[0, 2], [2, 5], [6, 8]]))
    >>> o.row, o.token, o.n_bytes
    (array([0, 0, 1, 1]), array([0, 1, 1, 2]), array([2, 1, 2, 2]))
    """
    # Counted along the bytes: in a batch every byte is near a token, so this beats searching.
    size = 1 + max(int(end.max(initial=0)), int(span.max(initial=0)))
    begun = np.cumsum(np.bincount(span[:, 0], minlength=size))
    ended = np.cumsum(np.bincount(span[:, 1], minlength=size))
    first = ended[start]
    count = begun[np.maximum(end - 1, 0)] - first
    count = np.where(start < end, np.maximum(count, 0), 0)
    row = np.repeat(np.arange(len(start)), count)
    token = ranges(first, count)
    n_bytes = np.minimum(end[row], span[token, 1]) - np.maximum(start[row], span[token, 0])
    return Overlaps(row=row, token=token, n_bytes=n_bytes)


class Spread:
    """The overlap of subwords and AST tokens of one text, or of many laid end to end.

    Parameters
    ----------
    ownership
        Bytes of the ``n`` subwords.
    span
        ``(m, 2)`` bytes of the tokens in the same text.

    Attributes
    ----------
    token_index
        ``(n,)`` token of the largest overlap, the earlier of equals; -1 for none.
    owned
        ``(m,)`` bytes of each token that subwords own.
    """

    def __init__(self, ownership: Ownership, span: IntArray) -> None:
        self.n_subwords = len(ownership.span)
        covers = overlaps(ownership.span[:, 0], ownership.span[:, 1], span)
        self._covers = covers
        if ownership.shares_nothing:
            self._subword, self._token = covers.row, covers.token
            self._bytes: FloatArray = covers.n_bytes.astype(np.float64)
        else:
            pieces = overlaps(ownership.start, ownership.end, span)
            self._subword, self._token = ownership.subword[pieces.row], pieces.token
            self._bytes = pieces.n_bytes * ownership.fraction[pieces.row]
        self.owned = summed(self._token, self._bytes, len(span))
        self.token_index = self._largest()

    @property
    def parts(self) -> tuple[IntArray, IntArray, FloatArray]:
        """``(k,)`` subword, token and how many bytes of it the subword owns, by subword."""
        return self._subword, self._token, self._bytes

    def _largest(self) -> IntArray:
        index: IntArray = np.full(self.n_subwords, -1, dtype=np.int64)
        row, token = self._covers.row, self._covers.token
        # Backwards, so that the earliest is written last and stays.
        index[row[::-1]] = token[::-1]
        several = np.flatnonzero(np.bincount(row, minlength=self.n_subwords)[row] > 1)
        row, n_bytes = row[several], self._covers.n_bytes[several]
        most: IntArray = np.zeros(self.n_subwords, dtype=np.int64)
        np.maximum.at(most, row, n_bytes)
        best = np.flatnonzero(n_bytes == most[row])[::-1]
        index[row[best]] = token[several[best]]
        return index

    def flagged(self, flag: BoolArray) -> BoolArray:
        """``(n,)`` flags of tokens on the subwords of `token_index`; false on no token."""
        flags: BoolArray = np.append(flag, np.False_)[self.token_index]
        return flags

    def owns(self, flag: BoolArray) -> BoolArray:
        """``(n,)`` subwords that own a byte of a token with the flag."""
        found: BoolArray = np.zeros(self.n_subwords, dtype=bool)
        found[self._subword[flag[self._token] & (self._bytes > 0)]] = True
        return found

    def inherit(self, value: FloatArray, *, background: float) -> FloatArray:
        """``(n,)`` the value of the token with the largest overlap."""
        return np.append(value, background)[self.token_index]

    def share(self, value: FloatArray, *, background: float) -> FloatArray:
        """``(n,)`` the token's value by owned bytes; conserved where any byte is owned."""
        per_byte = np.divide(value, self.owned, out=np.zeros(len(value)), where=self.owned > 0)
        mass = summed(self._subword, self._bytes * per_byte[self._token], self.n_subwords)
        shared: FloatArray = np.where(self.token_index < 0, background, mass)
        return shared

    def largest_value(self, value: FloatArray, *, background: float) -> FloatArray:
        """``(n,)`` the largest value among the tokens overlapped."""
        found: FloatArray = np.full(self.n_subwords, -np.inf)
        np.maximum.at(found, self._covers.row, value[self._covers.token])
        return np.where(self.token_index < 0, background, found)

    def mean_value(self, value: FloatArray, *, background: float) -> FloatArray:
        """``(n,)`` the mean over the tokens overlapped, weighted by bytes."""
        rows, n_bytes = self._covers.row, self._covers.n_bytes
        total = summed(rows, n_bytes * value[self._covers.token], self.n_subwords)
        weight = summed(rows, n_bytes.astype(np.float64), self.n_subwords)
        mean: FloatArray = np.where(weight > 0, total / np.maximum(weight, 1), background)
        return mean


POLICIES: Registry[Callable[..., FloatArray]] = Registry(
    "policies",
    {
        "inherit": Spread.inherit,
        "share": Spread.share,
        "max": Spread.largest_value,
        "mean": Spread.mean_value,
    },
)
