"""Which bytes of a text each subword owns, from a tokenizer's character offsets.

Tokenizers count characters (code points); everything here counts UTF-8 bytes. Where several
subwords name the same character, byte-level pieces own its bytes one by one, as their spelling
says; any others own the character in equal parts. No byte is owned more than once in sum.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = [
    "Ownership",
    "byte_positions",
    "first_of",
    "offset_array",
    "own",
    "ranges",
    "summed",
]

Edges = Callable[[IntArray], IntArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ownership:
    """Bytes of a text by subword.

    Attributes
    ----------
    span
        ``(n, 2)`` bytes each subword's offsets cover, characters it shares included; empty for
        subwords without text.
    subword, start, end, fraction
        ``(p,)`` owned pieces, sorted by subword: `fraction` of the bytes ``start:end``.
    shares_nothing
        Whether every subword is known to own all that its offsets cover.
    """

    span: IntArray
    subword: IntArray
    start: IntArray
    end: IntArray
    fraction: FloatArray
    shares_nothing: bool = False

    def owned(self) -> FloatArray:
        """``(n,)`` bytes owned by each subword."""
        held = (self.end - self.start) * self.fraction
        return summed(self.subword, held, len(self.span))


def byte_positions(text: str) -> IntArray:
    """``(c + 1,)`` byte at which each character begins, and the length of the text in bytes.

    >>> byte_positions("né😀")
    array([0, 1, 3, 7])
    """
    if text.isascii():
        return np.arange(len(text) + 1, dtype=np.int64)
    code = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    at: IntArray = np.zeros(len(code) + 1, dtype=np.int64)
    np.cumsum(1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000), out=at[1:])
    return at


def offset_array(
    offsets: Iterable[tuple[int, int]], *, n_characters: int | IntArray, count: int = -1
) -> IntArray:
    """``(n, 2)`` character offsets, kept inside their text and never ending before they begin.

    Parameters
    ----------
    offsets
        ``n`` pairs; they are drawn one by one, so that a batch's need not exist at the same time.
    n_characters
        Length of the text, or ``(n,)`` of the text of each subword.
    count
        `n` where it is known beforehand.
    """
    flat = np.fromiter(
        chain.from_iterable(offsets), dtype=np.int64, count=2 * count if count >= 0 else -1
    )
    pairs = flat.reshape(-1, 2)
    np.clip(pairs[:, 0], 0, n_characters, out=pairs[:, 0])
    np.clip(pairs[:, 1], pairs[:, 0], n_characters, out=pairs[:, 1])
    return pairs


def own(offsets: IntArray, at: IntArray, edges: Edges) -> Ownership:
    """Divide the bytes of a text among subwords.

    Parameters
    ----------
    offsets
        ``(n, 2)`` characters of each subword; empty for subwords without text.
    at
        ``(c + 1,)`` byte positions of the characters (`byte_positions`).
    edges
        For numbers of subwords ``(k,)``: bytes of split characters at the start and the end of
        each, ``(k, 2)``; zeros where a subword is not made of bytes.

    Examples
    --------
    >>> at = byte_positions("a😀")
    >>> halves = np.array([[0, 2], [2, 0]])  # the emoji in two byte-level pieces, "a" with it
    >>> o = own(np.array([[0, 2], [1, 2]]), at, lambda i: halves[i])
    >>> o.start, o.end, o.fraction
    (array([0, 1, 3]), array([1, 3, 5]), array([1., 1., 1.]))
    >>> o = own(np.array([[0, 2], [1, 2]]), at, lambda i: 0 * halves[i])
    >>> o.start, o.end, o.fraction
    (array([0, 1, 1]), array([1, 5, 5]), array([1. , 0.5, 0.5]))
    """
    span = at[offsets]
    wide = np.flatnonzero(offsets[:, 0] < offsets[:, 1])
    shared = _shared_characters(offsets[wide], len(at) - 1)
    if shared is None:
        whole, split = wide, wide[:0]
    else:
        before = np.concatenate([[0], np.cumsum(shared)])
        touches = before[offsets[wide, 1]] > before[offsets[wide, 0]]
        whole, split = wide[~touches], wide[touches]
    own_whole = (whole, span[whole, 0], span[whole, 1], np.ones(len(whole)))
    if shared is None or not len(split):
        return _ownership(span, own_whole)
    subword, character = _expand(split, offsets)
    single = ~shared[character]
    alone = (subword[single], at[character[single]], at[character[single] + 1])
    own_alone = (*alone, np.ones(int(single.sum())))
    own_parts = _divide(subword[~single], character[~single], offsets, at, edges)
    return _ownership(span, own_whole, own_alone, own_parts)


def summed(group: IntArray, value: FloatArray, n_groups: int) -> FloatArray:
    """``(n_groups,)`` sums of `value` by group.

    >>> summed(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 4)
    array([1., 0., 5., 0.])
    """
    total = np.bincount(group, weights=value, minlength=n_groups)
    return total.astype(np.float64, copy=False)


def first_of(count: IntArray) -> IntArray:
    """``(d + 1,)`` where each of consecutive groups begins, and the end.

    >>> first_of(np.array([2, 0, 3]))
    array([0, 2, 2, 5])
    """
    first: IntArray = np.zeros(len(count) + 1, dtype=np.int64)
    np.cumsum(count, out=first[1:])
    return first


def ranges(first: IntArray, count: IntArray) -> IntArray:
    """All of ``first[i], first[i] + 1, ...``, `count` of each, one after the other.

    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    numbers: IntArray = np.arange(total) + np.repeat(first - (ends - count), count)
    return numbers


def _shared_characters(offsets: IntArray, n_characters: int) -> BoolArray | None:
    """``(c,)`` characters that more than one subword names; None if there is none."""
    start, end = offsets.T
    if not np.any(start[1:] < end[:-1]):
        return None
    change = np.bincount(start, minlength=n_characters + 1)
    change = change - np.bincount(end, minlength=n_characters + 1)
    shared: BoolArray = np.cumsum(change)[:-1] > 1
    return shared


def _expand(subwords: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray]:
    """One row per subword and character it names."""
    first, last = offsets[subwords].T
    return np.repeat(subwords, last - first), ranges(first, last - first)


Pieces = tuple[IntArray, IntArray, IntArray, FloatArray]


def _divide(
    subword: IntArray, character: IntArray, offsets: IntArray, at: IntArray, edges: Edges
) -> Pieces:
    """Pieces of characters that several subwords name."""
    order = np.argsort(character, kind="stable")
    subword, character = subword[order], character[order]
    held = _bytes_held(subword, character, offsets, edges)
    fresh = np.ones(len(character), dtype=bool)
    fresh[1:] = character[1:] != character[:-1]
    first, group = np.flatnonzero(fresh), np.cumsum(fresh) - 1
    size = at[character[first] + 1] - at[character[first]]
    exact = np.add.reduceat(held, first) == size
    exact &= np.minimum.reduceat(held, first) > 0
    by_byte = exact[group]
    before = np.cumsum(held) - held
    begin = at[character] + np.where(by_byte, before - before[first][group], 0)
    end = np.where(by_byte, begin + held, at[character + 1])
    n_sharing = np.diff(np.append(first, len(character)))
    fraction = np.where(by_byte, 1.0, 1.0 / n_sharing[group])
    return subword, begin, end, fraction


def _bytes_held(
    subword: IntArray, character: IntArray, offsets: IntArray, edges: Edges
) -> IntArray:
    """Bytes of the character that the subword's spelling holds; 0 where it does not say."""
    head, tail = edges(subword).T
    start, end = offsets[subword].T
    at_end: IntArray = np.where(character == end - 1, tail, 0)
    return np.where((character == start) & (head > 0), head, at_end)


def _ownership(span: IntArray, *parts: Pieces) -> Ownership:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if len(parts) > 1:
        order = np.lexsort((columns[1], columns[0]))
        columns = [column[order] for column in columns]
    subword, start, end, fraction = columns
    return Ownership(
        span=span,
        subword=subword,
        start=start,
        end=end,
        fraction=fraction,
        shares_nothing=len(parts) == 1,
    )
