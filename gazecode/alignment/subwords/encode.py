"""Whole texts, tokenized once: ids, the bytes each subword owns, its part of the text, its loss.

The texts of a batch are laid end to end on one axis of bytes and one of subwords, so that every
step after the tokenizer is a few array operations for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress
from typing import TYPE_CHECKING

import numpy as np

from gazecode.alignment.subwords.offsets import (
    Ownership,
    byte_positions,
    first_of,
    offset_array,
    own,
    ranges,
    summed,
)
from gazecode.alignment.subwords.segments import (
    Segments,
    borders,
    learned_ends,
    segments_of,
    stood_for,
)
from gazecode.alignment.subwords.tokenizer import Prepared
from gazecode.alignment.templates.filling import Filled, Refused
from gazecode.errors import AlignmentError, TokenizerError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from tokenizers import Encoding

__all__ = ["Encoded", "encode"]

_FILLED: IntArray = (~np.isin(np.arange(256), list(b" \t\n\v\f\r"))).astype(np.int64)
"""1 for a byte that is no white space."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """``d`` texts as ``n`` subwords.

    Attributes
    ----------
    text
        The texts; their bytes lie end to end, nothing between them.
    first_byte, first_position
        ``(d + 1,)`` where each text begins, in bytes and in subwords; the last is the length.
    position_text
        ``(n,)`` number of the text of each subword.
    added
        ``(n,)`` positions the tokenizer put around the texts.
    special
        ``(n,)`` positions whose id means more than text, whether the tokenizer added them or the
        text spells them out.
    segments
        The named parts of the texts.
    segment
        ``(n,)`` number of the part each position stands for, -1 for none.
    loss_mask
        ``(n,)`` positions that a trainer should count.
    end_learned
        ``(d,)`` texts whose end of turn counts, too; None where nobody asked.
    """

    text: tuple[str, ...]
    first_byte: IntArray
    first_position: IntArray
    position_text: IntArray
    ids: IntArray
    ownership: Ownership
    added: BoolArray
    special: BoolArray
    segments: Segments
    segment: IntArray
    loss_mask: BoolArray
    end_learned: BoolArray | None = None

    @property
    def in_code(self) -> BoolArray:
        """``(n,)`` positions that stand for code that was read."""
        inside: BoolArray = np.append(self.segments.is_code, np.False_)[self.segment]
        return inside

    @property
    def unowned_bytes(self) -> IntArray:
        """``(d,)`` bytes of the code that no subword owns."""
        d, pieces = len(self.text), self.ownership
        text = self.position_text[pieces.subword]
        if self.segments.fill_their_texts(self.first_byte):
            held = (pieces.end - pieces.start) * pieces.fraction
            return np.diff(self.first_byte) - _rounded(text, held, d)
        n_bytes = int(self.first_byte[-1])
        held = self.segments.bytes_of_code(pieces.start, pieces.end, n_bytes) * pieces.fraction
        of_code = self.segments.is_code
        length = np.diff(self.segments.span[of_code]).ravel()
        size = _rounded(self.segments.text[of_code], length, d)
        unowned: IntArray = size - _rounded(text, held, d)
        return unowned

    @property
    def special_in_code(self) -> IntArray:
        """``(d,)`` positions where the code spells out a special token."""
        special = np.flatnonzero(self.special)
        inside = np.append(self.segments.is_code, np.False_)[self.segment[special]]
        spelled = self.position_text[special[inside]]
        return np.bincount(spelled, minlength=len(self.text))

    @property
    def span(self) -> IntArray:
        """``(n, 2)`` bytes of each position, counted in its own text."""
        span: IntArray = self.ownership.span - self.first_byte[self.position_text, None]
        return span

    @property
    def borders(self) -> tuple[IntArray, IntArray]:
        """``(s,)`` first and last position of each part, half-open, within its own text."""
        return borders(self.segments, self.segment, self.first_position)


def encode(
    filled: Mapping[int, Filled],
    source_id: Sequence[str],
    prepared: Prepared,
    *,
    special_tokens: bool = True,
) -> tuple[IntArray, Encoded, Refused]:
    """Tokenize filled templates.

    Parameters
    ----------
    filled
        By number of the source.
    source_id
        Names of all sources, for messages.
    special_tokens
        Whether the tokenizer puts its own around each text.

    Returns
    -------
    kept, encoded, refused
        Numbers of the sources that are in `encoded`, in their order; the reason for every other:
        the tokenizer fails on it, has a mark in pieces, or none of its positions counts in the
        loss.
    """
    refused: Refused = {}
    encodings: dict[int, Encoding] = {}
    texts = [f.text for f in filled.values()]
    made = prepared.encode_batch(texts, special_tokens=special_tokens)
    for i, found in zip(filled, made, strict=True):
        if isinstance(found, TokenizerError):
            refused[i] = found
        else:
            encodings[i] = found
    encoded, broken = _laid(filled, encodings, prepared)
    kept = np.array(list(encodings), dtype=np.int64)
    silent = np.bincount(encoded.position_text[encoded.loss_mask], minlength=len(kept)) == 0
    left_out = silent.copy()
    left_out[list(broken)] = True
    for k in np.flatnonzero(left_out).tolist():
        i = int(kept[k])
        length = len(encodings.pop(i))
        refused[i] = broken.get(k) or _without_loss(source_id[i] or "the source", filled[i], length)
    if left_out.any():
        encoded, _ = _laid(filled, encodings, prepared)
    return kept[~left_out], encoded, refused


def _without_loss(name: str, filled: Filled, n: int) -> AlignmentError:
    counted = [part for part in filled.parts if part.in_loss]
    parts = " or ".join(f"the {part.name}" for part in counted)
    if all(part.start == part.end for part in counted):
        return AlignmentError(
            f"no position of {name} counts in the loss: {parts} is empty; leave this source out"
        )
    return AlignmentError(
        f"no position of {name} counts in the loss: none of its {n} subwords stands for text of "
        f"{parts}; use another tokenizer or leave this source out"
    )


def _laid(
    filled: Mapping[int, Filled], encodings: "Mapping[int, Encoding]", prepared: Prepared
) -> tuple[Encoded, dict[int, AlignmentError]]:
    """Tokenized texts end to end; which of them have marks in pieces."""
    pages, made = [filled[i] for i in encodings], list(encodings.values())
    text = [page.text for page in pages]
    first_character = first_of(np.array([len(t) for t in text], dtype=np.int64))
    count = np.array([len(e) for e in made], dtype=np.int64)
    first_position = first_of(count)
    n = int(first_position[-1])
    position_text = np.repeat(np.arange(len(text)), count)
    ids = np.fromiter(chain.from_iterable(e.ids for e in made), dtype=np.int64, count=n)
    added = _added(made, prepared, n)
    offsets = _offsets(text, made, ids, added, count=count, prepared=prepared)
    offsets += first_character[position_text, None]
    at = byte_positions("".join(text))
    ownership = own(offsets, at, lambda subwords: prepared.edges(ids[subwords]))
    first_byte = at[first_character]
    special = added | np.isin(ids, prepared.special_ids)
    broken = _marked(pages, first_character, offsets, ids, added, special, prepared)
    segments = segments_of(pages, first_character, at)
    segment = stood_for(
        segments, ownership.span, position_text, first_byte, added=added, special=special
    )
    counts = segment >= 0
    if not segments.in_loss.all():
        counts = np.append(segments.in_loss, np.False_)[segment]
    loss_mask = counts & ~special
    end_learned = None
    if segments.ends.any():
        blank = _blank("".join(text).encode(), ownership.span)
        ends, end_learned = learned_ends(
            segments,
            segment,
            special,
            blank,
            first_position,
            span=ownership.span,
            added=added,
        )
        loss_mask[ends] = True
    encoded = Encoded(
        text=tuple(text),
        first_byte=first_byte,
        first_position=first_position,
        position_text=position_text,
        ids=ids,
        ownership=ownership,
        added=added,
        special=special,
        segments=segments,
        segment=segment,
        loss_mask=loss_mask,
        end_learned=end_learned,
    )
    return encoded, broken


def _rounded(group: IntArray, value: FloatArray, n_groups: int) -> IntArray:
    return np.rint(summed(group, value, n_groups)).astype(np.int64)


def _blank(text: bytes, span: IntArray) -> BoolArray:
    """``(n,)`` positions without a byte that is not white space."""
    before = first_of(_FILLED[np.frombuffer(text, dtype=np.uint8)])
    blank: BoolArray = before[span[:, 0]] == before[span[:, 1]]
    return blank


def _marked(  # noqa: PLR0917 - all of them describe one batch
    pages: Sequence[Filled],
    first_character: IntArray,
    offsets: IntArray,
    ids: IntArray,
    added: BoolArray,
    special: BoolArray,
    prepared: Prepared,
) -> dict[int, AlignmentError]:
    """Make marks special, in place; texts in which one is not a token of its own."""
    marks = [(k, a, b) for k, page in enumerate(pages) for a, b in page.marks]
    if not marks:
        return {}
    broken: dict[int, AlignmentError] = {}
    text, start, end = np.array(marks, dtype=np.int64).T
    spelled = [pages[k].text[a:b] for k, a, b in marks]
    is_mark = lru_cache(maxsize=None)(lambda i, mark: _is_mark(i, mark, prepared))
    own = np.flatnonzero(~added)
    met = _meets(offsets[own], start + first_character[text], end + first_character[text])
    for k, mark, found in zip(text.tolist(), spelled, met, strict=True):
        meets = own[found]
        if len(meets) == 1 and is_mark(int(ids[meets[0]]), mark):
            special[meets[0]] = True
        elif k not in broken:
            pieces = [prepared.tokenizer.id_to_token(i) for i in ids[meets].tolist()]
            broken[k] = AlignmentError(
                f"the tokenizer has {mark!r} as {pieces}; expected one token of its "
                "own: take the layout of this tokenizer's model, or add the token to it"
            )
    return broken


def _meets(offsets: IntArray, start: IntArray, end: IntArray) -> list[IntArray]:
    """Positions whose characters meet each range, also those that lie empty inside it."""
    low, high = offsets.T
    # Offsets need not be in order: between these bounds, which are, lie all that can meet.
    first = np.searchsorted(np.maximum.accumulate(high), start, side="right")
    last = np.searchsorted(np.minimum.accumulate(low[::-1])[::-1], end, side="left")
    size = np.maximum(last - first, 0)
    position, of_range = ranges(first, size), np.repeat(np.arange(len(start)), size)
    there = (low[position] < end[of_range]) & (high[position] > start[of_range])
    count = np.bincount(of_range[there], minlength=len(start))
    return np.split(position[there], np.cumsum(count)[:-1])


def _is_mark(token_id: int, text: str, prepared: Prepared) -> bool:
    piece = prepared.tokenizer.id_to_token(token_id) or ""
    # SentencePiece writes a blank as U+2581.
    return piece.replace("\u2581", " ").strip() == text.replace("\u2581", " ").strip()


def _offsets(
    text: Sequence[str],
    encodings: "Sequence[Encoding]",
    ids: IntArray,
    added: BoolArray,
    *,
    count: IntArray,
    prepared: Prepared,
) -> IntArray:
    """``(n, 2)`` characters of each subword, counted in its own text."""
    if prepared.spelling is None:
        offsets, known = np.zeros((len(ids), 2), dtype=np.int64), np.zeros(len(text), dtype=bool)
    else:
        offsets, known = prepared.spelling.offsets(text, ids, added, first_of(count))
    if not known.all():
        length = np.array([len(t) for t in text], dtype=np.int64)
        offsets[np.repeat(~known, count)] = offset_array(
            chain.from_iterable(e.offsets for e in compress(encodings, ~known)),
            n_characters=np.repeat(length[~known], count[~known]),
            count=int(count[~known].sum()),
        )
    return offsets


def _added(encodings: Sequence["Encoding"], prepared: Prepared, n: int) -> BoolArray:
    """``(n,)`` positions the tokenizer put around the text."""
    if not prepared.n_added:
        return np.zeros(n, dtype=bool)
    masks = chain.from_iterable(e.special_tokens_mask for e in encodings)
    return np.fromiter(masks, dtype=bool, count=n)
