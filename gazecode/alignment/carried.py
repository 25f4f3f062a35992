"""The AST tokens of filled texts: those of the code and of the answer, where the texts have them.

A layout may cut the code and change the order of its parts: then a token lies in the text once for
each part of it, in text order.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.spread import overlaps
from gazecode.alignment.subwords.encode import Encoded
from gazecode.alignment.subwords.offsets import first_of, ranges, summed
from gazecode.alignment.templates.filling import FROM_ANSWER, FROM_CODE
from gazecode.errors import AlignmentError, DataError
from gazecode.model import TokenBatch, Transitions
from gazecode.model.checks import Array, FloatArray, IntArray

__all__ = ["Carried", "carried", "characters"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """``m`` tokens of ``d`` texts, in text order.

    Attributes
    ----------
    first
        ``(d + 1,)`` where those of each text begin.
    span
        ``(m, 2)`` bytes of all texts.
    n_code
        How many tokens the code has, in all sources.
    row
        ``(m,)`` which token of the code it is, or, from `n_code` on, which of the answers; None
        where all tokens of the code are there, whole and in order, and no others.
    part
        ``(m,)`` share of the token's bytes that lies here; None where it is 1 throughout.
    """

    first: IntArray
    span: IntArray
    n_code: int
    row: IntArray | None = None
    part: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.span)

    @property
    def reached(self) -> FloatArray:
        """``(n_code,)`` share of each token of the code that lies in a text."""
        if self.row is None:
            return np.ones(self.n_code)
        part = np.ones(len(self)) if self.part is None else self.part
        here = self.row < self.n_code
        return summed(self.row[here], part[here], self.n_code)

    def taken(self, of_code: Array, of_answers: Array | None = None) -> Array:
        """``(m,)`` values of the tokens of the code and of the answers, on the tokens here."""
        if self.row is None:
            return of_code
        return np.concatenate([of_code, of_code[:0] if of_answers is None else of_answers])[
            self.row
        ]

    def divided(self, value: FloatArray) -> FloatArray:
        """``(m,)`` values that a cut divides by bytes."""
        return value if self.part is None else np.asarray(value * self.part)

    def transitions(self, seen: Transitions) -> Transitions:
        """Transitions between tokens of the code, as between tokens here.

        Rows of a cut token are repeated, columns divided by bytes, counts by both.
        """
        if seen.size != self.n_code:
            raise AlignmentError(
                f"the transitions join {seen.size} tokens and there are {self.n_code}; "
                "pass those of the tokens that are aligned"
            )
        if self.row is None:
            return seen
        here = np.flatnonzero(self.row < self.n_code)
        here = here[np.argsort(self.row[here], kind="stable")]
        count = np.bincount(self.row[here], minlength=self.n_code)
        first = first_of(count)
        n_rows, n_columns = count[seen.origin], count[seen.target]
        size = n_rows * n_columns
        cell = np.repeat(np.arange(len(size)), size)
        row, column = np.divmod(ranges(np.zeros_like(size), size), np.maximum(n_columns, 1)[cell])
        origin = here[first[seen.origin][cell] + row]
        target = here[first[seen.target][cell] + column]
        part = np.ones(len(self)) if self.part is None else self.part
        order = np.lexsort((target, origin))
        share = (np.asarray(seen.share)[cell] * part[target])[order]
        return Transitions(
            size=len(self),
            origin=origin[order],
            target=target[order],
            count=(seen.count[cell] * part[origin] * part[target])[order],
            share=share,
        )


def carried(encoded: Encoded, batch: TokenBatch, answers: TokenBatch | None) -> Carried:
    """Find the tokens of the code and of the answers in the texts."""
    parts = encoded.segments
    of_code = np.flatnonzero(parts.is_code)
    size = np.diff(parts.span[of_code]).ravel()
    # One part a text, as long as the code: nothing is cut, nothing is moved.
    whole = np.array_equal(parts.text[of_code], np.arange(batch.n_sources)) and np.array_equal(
        size, np.diff(batch.code_start)
    )
    if whole and (answers is None or not len(answers)):
        moved = parts.span[of_code, 0] - batch.code_start[:-1]
        return Carried(
            first=batch.token_start,
            span=batch.span + np.repeat(moved, np.diff(batch.token_start))[:, None],
            n_code=len(batch),
        )
    found = [_found(encoded, batch, FROM_CODE, 0)]
    if answers is not None:
        found.append(_found(encoded, answers, FROM_ANSWER, len(batch)))
    segment, row, start, end, part = (np.concatenate(c) for c in zip(*found, strict=True))
    order = np.argsort(segment, kind="stable")
    text = parts.text[segment]
    return Carried(
        first=first_of(np.bincount(text, minlength=len(encoded.text))),
        span=np.stack([start[order], end[order]], axis=1),
        n_code=len(batch),
        row=row[order],
        part=None if (part == 1.0).all() else part[order],
    )


Found = tuple[IntArray, IntArray, IntArray, IntArray, FloatArray]


def _found(encoded: Encoded, tokens: TokenBatch, made_of: int, first_row: int) -> Found:
    """Tokens within the segments made of one kind of text: segment, row, start, end, part."""
    parts = encoded.segments
    number = np.flatnonzero(parts.made_of == made_of)
    begin = parts.begin[number] + tokens.code_start[parts.text[number]]
    end = begin + np.diff(parts.span[number]).ravel()
    met = overlaps(begin, end, tokens.span)
    low = np.maximum(begin[met.row], tokens.span[met.token, 0])
    start = parts.span[number[met.row], 0] + low - begin[met.row]
    part = met.n_bytes / np.maximum(np.diff(tokens.span[met.token]).ravel(), 1)
    return number[met.row], met.token + first_row, start, start + met.n_bytes, part


def characters(tokens: TokenBatch) -> FloatArray:
    """``(m,)`` characters of each token, white space inside it included."""
    byte = np.frombuffer(tokens.code, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum((byte & 0xC0) != 0x80)])
    count: FloatArray = before[tokens.span[:, 1]] - before[tokens.span[:, 0]]
    return np.maximum(count, 1).astype(np.float64)


def check_within(transitions: Transitions, batch: TokenBatch) -> None:
    """Refuse a transition from one source into another."""
    source = batch.source
    across = np.flatnonzero(source[transitions.origin] != source[transitions.target])
    if across.size:
        i = int(across[0])
        raise DataError(
            f"a transition leads from token {transitions.origin[i]} to "
            f"{transitions.target[i]}, of another source; expected saccades within one source"
        )
