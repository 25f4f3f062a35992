"""The part of a text that a window covers, and the AST tokens in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.alignment.spread import Overlaps, overlaps
from gazecode.alignment.subwords.offsets import first_of, ranges, summed
from gazecode.alignment.windows.plan import Plan
from gazecode.errors import AlignmentError
from gazecode.model import ExampleBatch
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["tokens_of_windows"]


def tokens_of_windows(
    examples: ExampleBatch,
    span: IntArray,
    plan: Plan,
    *,
    position: IntArray,
    window: IntArray,
    counted_in: IntArray,
) -> dict[str, Any]:
    """Texts, tokens and the token of every position of each window.

    Parameters
    ----------
    span
        ``(n, 2)`` bytes of each subword in its own text.
    position, window
        ``(p,)`` positions of all windows, and the window of each.
    counted_in
        ``(n,)`` window that counts each position; -1 for none.

    Returns
    -------
    dict of str to column
        Those of `ExampleBatch`: `text`, `first_token`, `token_index`, and the four of each token.
    """
    raw = [text.encode() for text in examples.text]
    text_start = first_of(np.array([len(r) for r in raw], dtype=np.int64))
    texts = [np.diff(first) for first in (examples.first_position, examples.first_token)]
    of_position, of_token = (np.repeat(text_start[:-1], count) for count in texts)
    token_span = np.stack([examples.token_start, examples.token_end], axis=1) + of_token[:, None]
    order = _order(token_span[:, 0])
    if order is not None:
        token_span = token_span[order]
    span = span + of_position[:, None]
    covered, fresh = _covered(span, plan, text_start)
    covered = _whole_characters(covered, b"".join(raw))
    touched = _touched(token_span, covered, plan, examples.first_token)
    met, row_window, token = overlaps(span[:, 0], span[:, 1], token_span), *touched.rows()
    start = token_span[token, 0]
    inside = (start >= fresh[row_window, 0]) & (start < fresh[row_window, 1])
    share = _shares(met, touched, token, counted_in, inside)
    place = None
    if order is not None:
        # In the order in which the example has them.
        token = order[token]
        sorted_rows = np.lexsort((token, row_window))
        place = _inverse(sorted_rows)
        token, share = token[sorted_rows], share[sorted_rows]
    first_token = touched.first_row
    own = covered[row_window, 0]
    at = of_token[token]
    return {
        "text": _cut_texts(examples.text, raw, covered - text_start[plan.example, None], plan),
        "first_token": first_token,
        "token_index": _renumbered(
            examples, position, window, touched=touched, order=order, place=place
        ),
        "token_start": np.maximum(examples.token_start[token] + at, own) - own,
        "token_end": np.minimum(examples.token_end[token] + at, covered[row_window, 1]) - own,
        "token_label": examples.token_label[token],
        "token_value": examples.token_value[token] * share,
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Touched:
    """Tokens in order of bytes that each of ``w`` windows touches: `count` from `first` on."""

    first: IntArray
    count: IntArray

    @property
    def first_row(self) -> IntArray:
        """``(w + 1,)`` where the rows of each window begin, one row for each of its tokens."""
        return first_of(self.count)

    def rows(self) -> tuple[IntArray, IntArray]:
        """``(r,)`` window and token of each row."""
        return np.repeat(np.arange(len(self.count)), self.count), ranges(self.first, self.count)

    def row(self, window: IntArray, token: IntArray) -> IntArray:
        """Row of a token in a window; -1 where the window does not touch it."""
        within = token - self.first[window]
        there = (within >= 0) & (within < self.count[window])
        row: IntArray = np.where(there, self.first_row[window] + within, -1)
        return row


def _covered(span: IntArray, plan: Plan, text_start: IntArray) -> tuple[IntArray, IntArray]:
    """``(w, 2)`` bytes of all texts that each window covers, and of them those it counts.

    What lies between two subwords (a trimmed blank) belongs to the second.
    """
    start, end = span.T
    filled = start < end
    bytes_before: IntArray = np.zeros(len(span) + 1, dtype=np.int64)
    np.maximum.accumulate(np.where(filled, end, 0), out=bytes_before[1:])
    next_start = np.append(np.where(filled, start, text_start[-1]), text_start[-1])
    next_start = np.minimum.accumulate(next_start[::-1])[::-1]
    begins = np.minimum(bytes_before, next_start)
    text_first, text_last = text_start[plan.example], text_start[plan.example + 1]
    is_first = plan.number == 0
    low = np.where(is_first, text_first, np.maximum(begins[plan.start], text_first))
    high = np.where(plan.is_last, text_last, np.maximum(bytes_before[plan.stop], low))
    fresh = np.where(is_first, text_first, begins[plan.fresh])
    stale = np.where(plan.is_last, text_last, begins[plan.stop])
    return np.stack([low, high], axis=1), np.stack([fresh, stale], axis=1)


def _whole_characters(covered: IntArray, raw: bytes) -> IntArray:
    """Ranges of bytes, widened where they begin or end inside a character."""
    within = np.append((np.frombuffer(raw, dtype=np.uint8) & 0xC0) == 0x80, np.False_)
    low, high = covered.T.copy()
    for _ in range(3):
        low -= within[low]
        high += within[high]
    return np.stack([low, high], axis=1)


def _touched(token_span: IntArray, covered: IntArray, plan: Plan, first_token: IntArray) -> Touched:
    first = np.searchsorted(token_span[:, 1], covered[:, 0], side="right")
    last = np.searchsorted(token_span[:, 0], covered[:, 1], side="left")
    first = np.where(plan.number == 0, first_token[plan.example], first)
    last = np.where(plan.is_last, first_token[plan.example + 1], last)
    # A window of trimmed blanks alone covers no byte, though it may lie inside a token.
    count = np.where(covered[:, 0] < covered[:, 1], np.maximum(last - first, 0), 0)
    return Touched(first=first, count=count)


def _shares(
    met: Overlaps, touched: Touched, token: IntArray, counted_in: IntArray, inside: BoolArray
) -> FloatArray:
    """``(r,)`` share of the token's bytes, as the subwords have them, that the window counts.

    A token that no subword shows counts where it begins `inside` the text that is counted.
    """
    m = 1 + max(int(token.max(initial=0)), int(met.token.max(initial=0)))
    n_bytes, window = met.n_bytes.astype(np.float64), counted_in[met.row]
    of_all = summed(met.token, n_bytes, m)[token]
    there = window >= 0
    row = touched.row(window[there], met.token[there])
    counted = summed(row, n_bytes[there], len(token))
    share: FloatArray = inside.astype(np.float64)
    np.divide(counted, of_all, out=share, where=of_all > 0)
    return share


def _order(start: IntArray) -> IntArray | None:
    """``(m,)`` tokens in order of bytes; None where they are."""
    return None if np.all(start[1:] >= start[:-1]) else np.argsort(start, kind="stable")


def _inverse(order: IntArray) -> IntArray:
    place: IntArray = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


def _renumbered(
    examples: ExampleBatch,
    position: IntArray,
    window: IntArray,
    *,
    touched: Touched,
    order: IntArray | None,
    place: IntArray | None,
) -> IntArray:
    """``(p,)`` token of each position, counted within its window; -1 for none."""
    text = np.repeat(examples.first_token[:-1], np.diff(examples.first_position))
    old = examples.token_index[position]
    has: BoolArray = old >= 0
    token, within = (old + text[position])[has], window[has]
    row = touched.row(within, token if order is None else _inverse(order)[token])
    wrong = np.flatnonzero(row < 0)
    if wrong.size:
        i = int(np.flatnonzero(has)[wrong[0]])
        raise AlignmentError(
            f"position {position[i]} belongs to token {old[i]}, which does not lie in the text of "
            "its window; expected tokens that their subwords overlap"
        )
    index: IntArray = np.full(len(position), -1, dtype=np.int64)
    index[has] = (row if place is None else place[row]) - touched.first_row[within]
    return index


def _cut_texts(
    text: tuple[str, ...], raw: list[bytes], covered: IntArray, plan: Plan
) -> tuple[str, ...]:
    """The covered part of each text; a text that was not cut as it is."""
    parts = zip(plan.example.tolist(), covered.tolist(), plan.is_cut.tolist(), strict=True)
    return tuple(raw[i][a:b].decode() if cut else text[i] for i, (a, b), cut in parts)
