"""The whole text, tokenized once: ids, the bytes each subword owns, what is code and special.

Where the code begins in a template is known from the template, never guessed from tokenizing the
prompt alone: a merge may cross the border.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.offsets import Ownership, byte_positions, offset_array, own
from gazecode.alignment.tokenizer import Prepared
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["PLACEHOLDER", "Encoded", "encode"]

PLACEHOLDER = "{code}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """A text as ``n`` subwords.

    Attributes
    ----------
    code_start, code_end
        Where the code lies, bytes of `text`.
    special
        ``(n,)`` positions whose id means more than text, whether the tokenizer added them or the
        text spells them out.
    in_code
        ``(n,)`` positions that stand for text of the code. White space counts, also where trimmed
        offsets show none of it: a trainer predicts it like any other text.
    """

    text: str
    code_start: int
    code_end: int
    ids: IntArray
    ownership: Ownership
    special: BoolArray
    in_code: BoolArray

    @property
    def unowned_bytes(self) -> int:
        """Bytes of the code that no subword owns."""
        pieces = self.ownership
        inside = np.minimum(pieces.end, self.code_end) - np.maximum(pieces.start, self.code_start)
        owned = float((np.maximum(inside, 0) * pieces.fraction).sum())
        return self.code_end - self.code_start - round(owned)

    @property
    def special_in_code(self) -> int:
        """Positions where the code spells out a special token."""
        return int((self.special & self.in_code).sum())


def encode(tokens: SourceTokens, prepared: Prepared, *, template: str | None) -> Encoded:
    """Tokenize the code within its template.

    Raises
    ------
    AlignmentError
        The code is empty or not UTF-8.
    ParameterError
        The template does not hold ``{code}`` exactly once.
    """
    before, code, after = _parts(tokens, template)
    text = before + code + after
    encoding = prepared.encode(text)
    ids: IntArray = np.array(encoding.ids, dtype=np.int64)
    at = byte_positions(text)
    offsets = offset_array(encoding.offsets, n_characters=len(text))
    ownership = own(offsets, at, lambda subwords: prepared.edges(ids[subwords]))
    added = np.array(encoding.special_tokens_mask, dtype=bool)
    bounds = int(at[len(before)]), int(at[len(before) + len(code)])
    return Encoded(
        text=text,
        code_start=bounds[0],
        code_end=bounds[1],
        ids=ids,
        ownership=ownership,
        special=added | np.isin(ids, prepared.special_ids),
        in_code=~added & _within(ownership.span, *bounds),
    )


def _parts(tokens: SourceTokens, template: str | None) -> tuple[str, str, str]:
    name = tokens.source_id or "the source"
    if not tokens.code:
        raise AlignmentError(f"{name} is empty; expected code to align weights with")
    try:
        code = tokens.code.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlignmentError(
            f"{name} is not UTF-8 at byte {error.start}; decode it with its own encoding first"
        ) from error
    if template is None:
        return "", code, ""
    found = template.count(PLACEHOLDER)
    if found != 1:
        raise ParameterError(
            f"the template holds {PLACEHOLDER} {found} times; expected it exactly once"
        )
    before, _, after = template.partition(PLACEHOLDER)
    return before, code, after


def _within(span: IntArray, start: int, end: int) -> BoolArray:
    """Subwords that cover a byte of ``start:end``, or stand for a blank in it that was trimmed."""
    low, high = span.T
    covers = (low < high) & (low < end) & (high > start)
    # Trimmed offsets lie at the end of the blank; at the text's own beginning nothing is before.
    trimmed = (low == high) & ((low > start) | (start == 0)) & (low <= end)
    within: BoolArray = covers | trimmed
    return within
