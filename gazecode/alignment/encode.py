"""Whole texts, tokenized once: ids, the bytes each subword owns, what is code and special.

The texts of a batch are laid end to end on one axis of bytes and one of subwords, so that every
step after the tokenizer is a few array operations for all of them. Where the code begins in a
template is known from the template, never guessed from tokenizing the prompt alone: a merge may
cross the border.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING

import numpy as np

from gazecode.alignment.offsets import (
    Ownership,
    byte_positions,
    first_of,
    offset_array,
    own,
    summed,
)
from gazecode.alignment.tokenizer import Prepared
from gazecode.errors import AlignmentError, GazecodeError, ParameterError, TokenizerError
from gazecode.model import TokenBatch
from gazecode.model.checks import BoolArray, IntArray

if TYPE_CHECKING:
    from tokenizers import Encoding

__all__ = ["PLACEHOLDER", "Encoded", "Refused", "encode"]

PLACEHOLDER = "{code}"

Refused = dict[int, GazecodeError]
"""Why a source was left out, by its number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """``d`` texts as ``n`` subwords.

    Attributes
    ----------
    text
        The texts; their bytes lie end to end, nothing between them.
    first_byte, first_position
        ``(d + 1,)`` where each text begins, in bytes and in subwords; the last is the length.
    code_start, code_end
        ``(d,)`` where the code lies, bytes of all texts.
    position_text
        ``(n,)`` number of the text of each subword.
    special
        ``(n,)`` positions whose id means more than text, whether the tokenizer added them or the
        text spells them out.
    in_code
        ``(n,)`` positions that stand for text of the code. White space counts, also where trimmed
        offsets show none of it: a trainer predicts it like any other text.
    """

    text: tuple[str, ...]
    first_byte: IntArray
    first_position: IntArray
    code_start: IntArray
    code_end: IntArray
    position_text: IntArray
    ids: IntArray
    ownership: Ownership
    special: BoolArray
    in_code: BoolArray

    @property
    def loss_mask(self) -> BoolArray:
        """``(n,)`` positions that a trainer should count."""
        mask: BoolArray = self.in_code & ~self.special
        return mask

    @property
    def unowned_bytes(self) -> IntArray:
        """``(d,)`` bytes of the code that no subword owns."""
        pieces = self.ownership
        text = self.position_text[pieces.subword]
        start = np.maximum(pieces.start, self.code_start[text])
        inside = np.minimum(pieces.end, self.code_end[text]) - start
        owned = summed(text, np.maximum(inside, 0) * pieces.fraction, len(self.text))
        unowned: IntArray = self.code_end - self.code_start - np.rint(owned).astype(np.int64)
        return unowned

    @property
    def special_in_code(self) -> IntArray:
        """``(d,)`` positions where the code spells out a special token."""
        spelled = self.position_text[self.special & self.in_code]
        return np.bincount(spelled, minlength=len(self.text))


def encode(
    batch: TokenBatch, source_id: Sequence[str], prepared: Prepared, *, template: str | None
) -> tuple[IntArray, Encoded, Refused]:
    """Tokenize the code of every source within its template.

    Returns
    -------
    kept, encoded, refused
        Numbers of the sources that are in `encoded`, in their order; the reason for every other:
        its code is empty or not UTF-8, the tokenizer fails on it, or none of its positions counts
        in the loss.

    Raises
    ------
    ParameterError
        The template does not hold ``{code}`` exactly once.
    """
    around = _frame(template)
    text: dict[int, str] = {}
    refused: Refused = {}
    for i, name in enumerate(source_id):
        try:
            text[i] = around[0] + _code_text(batch.code_of(i), name or "the source") + around[1]
        except AlignmentError as error:
            refused[i] = error
    encodings: dict[int, Encoding] = {}
    for i, found in zip(text, prepared.encode_batch(list(text.values())), strict=True):
        if isinstance(found, TokenizerError):
            refused[i] = found
        else:
            encodings[i] = found
    encoded = _laid([text[i] for i in encodings], list(encodings.values()), prepared, around)
    kept = np.array(list(encodings), dtype=np.int64)
    silent = np.bincount(encoded.position_text[encoded.loss_mask], minlength=len(kept)) == 0
    if silent.any():
        for i in kept[silent].tolist():
            refused[i] = _without_loss(source_id[i] or "the source", len(encodings.pop(i)))
        encoded = _laid([text[i] for i in encodings], list(encodings.values()), prepared, around)
    return kept[~silent], encoded, refused


def _frame(template: str | None) -> tuple[str, str]:
    """What stands before and after the code."""
    if template is None:
        return "", ""
    found = template.count(PLACEHOLDER)
    if found != 1:
        raise ParameterError(
            f"the template holds {PLACEHOLDER} {found} times; expected it exactly once"
        )
    before, _, after = template.partition(PLACEHOLDER)
    return before, after


def _code_text(code: bytes, name: str) -> str:
    if not code:
        raise AlignmentError(f"{name} is empty; expected code to align weights with")
    try:
        return code.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlignmentError(
            f"{name} is not UTF-8 at byte {error.start}; decode it with its own encoding first"
        ) from error


def _without_loss(name: str, n: int) -> AlignmentError:
    return AlignmentError(
        f"no position of {name} counts in the loss: none of its {n} subwords stands for text of "
        "the code; use another tokenizer or leave this source out"
    )


def _laid(
    text: Sequence[str],
    encodings: "Sequence[Encoding]",
    prepared: Prepared,
    around: tuple[str, str],
) -> Encoded:
    """Tokenized texts end to end."""
    length = np.array([len(t) for t in text], dtype=np.int64)
    count = np.array([len(e) for e in encodings], dtype=np.int64)
    first_character, first_position = first_of(length), first_of(count)
    n = int(first_position[-1])
    position_text = np.repeat(np.arange(len(text)), count)
    ids = np.fromiter(chain.from_iterable(e.ids for e in encodings), dtype=np.int64, count=n)
    added = _added(encodings, prepared, n)
    offsets = _offsets(text, encodings, ids, added, count=count, prepared=prepared)
    offsets += first_character[position_text, None]
    at = byte_positions("".join(text))
    ownership = own(offsets, at, lambda subwords: prepared.edges(ids[subwords]))
    before, after = (len(part) for part in around)
    code_start, code_end = at[first_character[:-1] + before], at[first_character[1:] - after]
    in_code = ~added
    if before or after:
        in_code &= _within(
            ownership.span - at[first_character[position_text], None],
            (code_start - at[first_character[:-1]])[position_text],
            (code_end - at[first_character[:-1]])[position_text],
        )
    return Encoded(
        text=tuple(text),
        first_byte=at[first_character],
        first_position=first_position,
        code_start=code_start,
        code_end=code_end,
        position_text=position_text,
        ids=ids,
        ownership=ownership,
        special=added | np.isin(ids, prepared.special_ids),
        in_code=in_code,
    )


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


def _within(span: IntArray, start: IntArray, end: IntArray) -> BoolArray:
    """Subwords that cover a byte of ``start:end``, or stand for a blank in it that was trimmed."""
    low, high = span.T
    covers = (low < high) & (low < end) & (high > start)
    # Trimmed offsets lie at the end of the blank; at the text's own beginning nothing is before.
    trimmed = (low == high) & ((low > start) | (start == 0)) & (low <= end)
    within: BoolArray = covers | trimmed
    return within
