"""Which part of its text each subword stands for.

A subword that crosses a border belongs to one part alone: before text without a name goes any part
with one; before those go the parts that count in the loss or have tokens; among equals, the part
more of whose bytes it covers, the earlier of equals. A special token belongs to a part only if all
of it lies inside. White space counts, also where trimmed offsets show none of it: a trainer
predicts it like any other text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.alignment.spread import Overlaps
from gazecode.alignment.subwords.offsets import first_of, ranges
from gazecode.alignment.templates.filling import FROM_CODE, TEXT, Filled
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["Segments", "borders", "learned_ends", "segments_of", "stood_for"]


Runs = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segments:
    """``s`` named parts of ``d`` texts, in the order of the texts.

    Attributes
    ----------
    name
        ``(s,)``
    text
        ``(s,)`` number of the text.
    first
        ``(d + 1,)`` where those of each text begin.
    span
        ``(s, 2)`` bytes of all texts.
    made_of
        ``(s,)`` `TEXT`, `FROM_CODE` or `FROM_ANSWER` of `gazecode.alignment.templates.filling`.
    begin
        ``(s,)`` byte of the code or the answer at which it begins.
    in_loss, ends
        ``(s,)`` whether it counts, and whether the end of turn after it does.
    """

    name: tuple[str, ...]
    text: IntArray
    first: IntArray
    span: IntArray
    made_of: IntArray
    begin: IntArray
    in_loss: BoolArray
    ends: BoolArray

    @property
    def is_code(self) -> BoolArray:
        """``(s,)`` parts of the code that was read."""
        return np.asarray(self.made_of == FROM_CODE)

    def bytes_of_code(self, start: IntArray, end: IntArray, n_bytes: int) -> IntArray:
        """``(p,)`` bytes of code in each of some ranges that are not empty."""
        run = self.run_of_byte(n_bytes)
        first, last = run[start], run[end - 1]
        of_run = np.append(np.stack([np.zeros_like(self.is_code), self.is_code], axis=1), False)
        held: IntArray = (end - start) * of_run[first]
        across = np.flatnonzero(first != last)
        span = np.stack([start[across], end[across]], axis=1)
        met = _met(self, span, first[across], last[across])
        n_bytes_met = met.n_bytes * self.is_code[met.token]
        held[across] = np.bincount(met.row, weights=n_bytes_met, minlength=len(across))
        return held

    def run_of_byte(self, n_bytes: int) -> Runs:
        """``(n_bytes + 1,)`` number of the run each byte lies in; segment ``k`` is ``2 k + 1``."""
        edges = np.concatenate([[0], self.span.ravel(), [n_bytes + 1]])
        return np.repeat(np.arange(len(edges) - 1, dtype=np.int32), np.diff(edges))

    def fill_their_texts(self, first_byte: IntArray) -> bool:
        """Whether every text is one part from its beginning to its end."""
        return (
            len(self.name) == len(first_byte) - 1
            and bool((self.span[:, 0] == first_byte[:-1]).all())
            and bool((self.span[:, 1] == first_byte[1:]).all())
        )


def segments_of(filled: Sequence[Filled], first_character: IntArray, byte_at: IntArray) -> Segments:
    """Parts of filled texts that are laid end to end."""
    count = np.array([len(f.parts) for f in filled], dtype=np.int64)
    rows = [part for f in filled for part in f.parts]
    names, *columns = zip(*rows, strict=True) if rows else ((),) * 7
    start, end, made_of, begin = (np.array(c, dtype=np.int64) for c in columns[:4])
    text = np.repeat(np.arange(len(filled)), count)
    moved = first_character[text]
    return Segments(
        name=tuple(names),
        text=text,
        first=first_of(count),
        span=np.stack([byte_at[start + moved], byte_at[end + moved]], axis=1),
        made_of=made_of,
        begin=begin,
        in_loss=np.array(columns[4], dtype=bool),
        ends=np.array(columns[5], dtype=bool),
    )


def stood_for(
    segments: Segments,
    span: IntArray,
    position_text: IntArray,
    first_byte: IntArray,
    *,
    added: BoolArray,
    special: BoolArray,
) -> IntArray:
    """``(n,)`` number of the segment of each position; -1 for none.

    Parameters
    ----------
    span, position_text
        ``(n, 2)`` bytes and ``(n,)`` text of the positions.
    first_byte
        ``(d + 1,)`` where each text begins.
    added, special
        ``(n,)`` positions the tokenizer put around a text, and those with a meaning beyond text.
    """
    if segments.fill_their_texts(first_byte):
        return np.where(added, -1, position_text) if added.any() else position_text
    low, high = span.T
    run = segments.run_of_byte(int(first_byte[-1]))
    first, last = run[low], run[np.maximum(high - 1, low)]
    # Runs take turns: text without a name, segment, text without a name, ...
    segment: IntArray = np.where(first & 1, first >> 1, -1)
    crossing = np.flatnonzero(first != last)
    met = _met(segments, span[crossing], first[crossing], last[crossing])
    segment[crossing] = _best(segments, met, special[crossing])
    blank = np.flatnonzero(low == high)
    segment[blank] = _trimmed(segments, low[blank], position_text[blank], first_byte)
    segment[added] = -1
    return segment


def borders(
    segments: Segments, segment: IntArray, first_position: IntArray
) -> tuple[IntArray, IntArray]:
    """``(s,)`` first and last position of each segment, half-open, within its own text.

    A segment without a position lies, empty, where the one before it ends.
    """
    s = len(segments.name)
    # Few runs of one segment each, of many positions.
    edge = np.flatnonzero(np.diff(segment)) + 1
    opens, closes = np.append(0, edge), np.append(edge, len(segment))
    number = segment[opens] if len(segment) else opens - 1
    opens, closes, number = (c[number >= 0] for c in (opens, closes, number))
    start: IntArray = np.full(s, -1, dtype=np.int64)
    end: IntArray = np.zeros(s, dtype=np.int64)
    end[number] = closes
    start[number[::-1]] = opens[::-1]
    own = first_position[segments.text]
    # Parts are in order, so that the largest end so far is that of the one before.
    before = np.maximum.accumulate(np.maximum(end, own))
    empty = start < 0
    start[empty] = end[empty] = before[empty]
    return start - own, end - own


def learned_ends(
    segments: Segments,
    segment: IntArray,
    special: BoolArray,
    blank: BoolArray,
    first_position: IntArray,
    *,
    span: IntArray,
    added: BoolArray,
) -> tuple[IntArray, BoolArray]:
    """Positions from the end of a part to the first special token after it, that one included.

    Only blanks may lie between, and none of it may belong to another part.

    Parameters
    ----------
    segment, special, blank
        ``(n,)`` part of each position; special ones; those of white space alone.
    first_position
        ``(d + 1,)`` where each text begins.
    span, added
        As for `stood_for`.

    Returns
    -------
    positions, found
        Numbers of positions, and ``(d,)`` texts with any.
    """
    n, numbers = len(segment), np.flatnonzero(segments.ends)
    between = blank & ~special & (segment < 0)
    stop = np.where(between, n, np.arange(n))
    stop = np.append(np.minimum.accumulate(stop[::-1])[::-1], n)
    text = segments.text[numbers]
    start, end = (b[numbers] for b in borders(segments, segment, first_position))
    after = _next_own(segments.span[numbers, 1], text, first_position, span, added)
    # The border of a part without a position (an empty answer) is that of another part.
    end = np.where(start < end, end + first_position[text], after)
    last = stop[end]
    there = last < first_position[text + 1]
    there[there] = (special & (segment < 0))[last[there]]
    positions = ranges(end[there], 1 + last[there] - end[there])
    return positions, np.bincount(text[there], minlength=len(first_position) - 1) > 0


def _next_own(
    byte: IntArray, text: IntArray, first_position: IntArray, span: IntArray, added: BoolArray
) -> IntArray:
    """First position from a byte of a text on; if there is none, the one after its last own."""
    own = np.flatnonzero(~added)
    first, last = (np.searchsorted(own, first_position[text + k]) for k in (0, 1))
    found = np.searchsorted(np.maximum.accumulate(span[own, 0]), byte, side="left")
    found = np.clip(found, first, last)
    padded = np.append(own, len(added))
    before = np.where(first < last, padded[last - 1] + 1, first_position[text + 1])
    return np.where(found < last, padded[found], before)


def _numbers_filled(segments: Segments) -> IntArray:
    return np.flatnonzero(segments.span[:, 1] > segments.span[:, 0])


def _met(segments: Segments, span: IntArray, first: Runs, last: Runs) -> Overlaps:
    """Segments that ranges of bytes meet, from the runs in which these begin and end."""
    # Segments have the odd runs: the first from `first` on, the last up to `last`.
    low, high = (first.astype(np.int64) | 1) >> 1, ((last.astype(np.int64) - 1) | 1) >> 1
    count = np.maximum(1 + high - low, 0)
    row, number = np.repeat(np.arange(len(span)), count), ranges(low, count)
    start, end = span[row].T
    begins, ends = segments.span[number].T
    n_bytes = np.minimum(end, ends) - np.maximum(start, begins)
    there = n_bytes > 0
    return Overlaps(row=row[there], token=number[there], n_bytes=n_bytes[there])


def _best(segments: Segments, met: Overlaps, special: BoolArray) -> IntArray:
    """``(n,)`` segment of each row, the earlier of equals; -1 for special tokens."""
    carries = segments.in_loss | (segments.made_of != TEXT)
    rank = met.n_bytes + carries[met.token] * (1 + int(met.n_bytes.max(initial=0)))
    rank[special[met.row]] = 0
    most: IntArray = np.ones(len(special), dtype=np.int64)
    np.maximum.at(most, met.row, rank)
    best = np.flatnonzero(rank == most[met.row])[::-1]
    index: IntArray = np.full(len(special), -1, dtype=np.int64)
    # Backwards, so that the earlier of equals is written last and stays.
    index[met.row[best]] = met.token[best]
    return index


def _trimmed(segments: Segments, low: IntArray, text: IntArray, first_byte: IntArray) -> IntArray:
    """Segments of blanks whose offsets are empty: they lie at the end of the blank."""
    numbers = _numbers_filled(segments)
    span, own = segments.span[numbers], first_of(np.bincount(segments.text[numbers]))
    own = np.append(own, np.full(len(first_byte) - len(own), own[-1]))
    k = np.maximum(np.searchsorted(span[:, 1], low, side="left"), own[text])
    there = k < own[text + 1]
    k = np.where(there, k, 0)
    if not len(span):
        return np.full(len(low), -1, dtype=np.int64)
    start = span[k, 0]
    # At the text's own beginning there is no blank before.
    inside = there & ((low > start) | (start == first_byte[text])) & (low >= start)
    return np.where(inside, numbers[k], -1)
