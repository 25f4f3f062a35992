"""What must hold in the columns that version 2 of the schema brought."""

from collections.abc import Callable, Iterator

import numpy as np

from gazecode.export.checked import Finding, Rows, first_values
from gazecode.export.schema import PAIR_SIDES, ROUTES
from gazecode.model.checks import BoolArray

__all__ = ["AMONG_LISTS_V2", "CHECKS_V2", "SHARE_TOLERANCE"]

SHARE_TOLERANCE = 1e-5
"""How far the shares of a row of transitions may be from 1 in sum, as for attention."""


def _route(rows: Rows) -> Iterator[Finding]:
    for row, route in enumerate(rows.scalars["route"]):
        if route not in ROUTES:
            yield row, "route", f"{route!a:.70}; expected {', '.join(ROUTES[1:])}, or nothing"


def _pair(rows: Rows) -> Iterator[Finding]:
    pairs = zip(rows.scalars["pair_id"], rows.scalars["pair_side"], strict=True)
    for row, (name, side) in enumerate(pairs):
        if side not in PAIR_SIDES:
            yield row, "pair_side", f"{side!a:.70}; expected chosen, rejected, or nothing"
        elif bool(name) != bool(side):
            said = f"{name!a:.70}, and pair_side is {side!a}; expected both or neither"
            yield row, "pair_id", said


def _window(rows: Rows) -> Iterator[Finding]:
    windows = zip(rows.scalars["window"], rows.scalars["n_windows"], strict=True)
    for row, (window, n) in enumerate(windows):
        if not 0 <= window < n:
            yield row, "window", f"{window} of {n}; expected a number from 0, below n_windows"


def _sums(rows: Rows) -> Iterator[Finding]:
    for row, share in enumerate(rows.scalars["attention_share"]):
        if not 0 <= share <= 1:
            yield row, "attention_share", f"{share}; expected a share from 0 to 1"
    for row, weight in enumerate(rows.scalars["inert_weight"]):
        if not 0 <= weight < np.inf:
            yield row, "inert_weight", f"{weight}; expected a finite number >= 0"


def _counts(rows: Rows) -> Iterator[Finding]:
    for column in ("transition_share", "transition_count"):
        values = rows.flat[column]
        bad = ~(np.isfinite(values) & (values >= 0))
        yield from first_values(rows, column, bad, "a finite number >= 0")


def _segments(rows: Rows) -> Iterator[Finding]:
    start, end = (rows.flat[name] for name in ("segment_start", "segment_end"))
    if len(start) != len(end):
        return
    owner = rows.owner["segment_start"]
    size = rows.lengths("input_ids")[owner]
    outside = (start < 0) | (end > size)
    yield from first_values(rows, "segment_end", outside, "segments inside the positions")
    yield from first_values(rows, "segment_end", end < start, "an end at or after its start")
    previous = np.concatenate([[0], end[:-1]])
    unsorted = _inner(rows, "segment_start") & (start < previous)
    yield from first_values(rows, "segment_start", unsorted, "segments sorted and disjoint")


def _inner(rows: Rows, column: str) -> BoolArray:
    """Values that are not the first of their row."""
    inner: BoolArray = np.diff(rows.owner[column], prepend=-1) == 0
    return inner


def _transitions(rows: Rows) -> Iterator[Finding]:
    origin, target = (rows.flat[f"transition_{end}"].astype(np.int64) for end in ("from", "to"))
    if len(origin) != len(target):
        return
    size = rows.lengths("input_ids")[rows.owner["transition_from"]]
    for column, ends in (("transition_from", origin), ("transition_to", target)):
        outside = (ends < 0) | (ends >= size)
        yield from first_values(rows, column, outside, "a position of the row")
    # Both fit into 31 bits where they are positions at all.
    behind = np.diff(origin * 2**31 + target, prepend=0) <= 0
    unsorted = _inner(rows, "transition_from") & behind
    expected = "transitions sorted by from and to, each pair once"
    yield from first_values(rows, "transition_from", unsorted, expected)


def _shares(rows: Rows) -> Iterator[Finding]:
    origin, share = rows.flat["transition_from"], rows.flat["transition_share"]
    if len(origin) != len(share):
        return
    owner = rows.owner["transition_from"]
    row_of_matrix = owner * 2**32 + (origin.astype(np.int64) + 2**31)
    _, first, which = np.unique(row_of_matrix, return_index=True, return_inverse=True)
    total = np.bincount(which, weights=share.astype(np.float64), minlength=len(first))
    # A share that is not finite was named already; NaN compares false here.
    bad = first[(np.abs(total - 1) > SHARE_TOLERANCE) & np.isfinite(total)]
    _, first_of_row = np.unique(owner[bad], return_index=True)
    for i in bad[first_of_row].tolist():
        said = f"shares from {origin[i]} sum to {total[which[i]]:.7g}; expected 1"
        yield int(owner[i]), "transition_share", said


CHECKS_V2: tuple[Callable[[Rows], Iterator[Finding]], ...] = (
    _route,
    _pair,
    _window,
    _sums,
    _counts,
)
AMONG_LISTS_V2: tuple[Callable[[Rows], Iterator[Finding]], ...] = (
    _segments,
    _transitions,
    _shares,
)
"""They put values of several lists side by side, and so need them equally long."""
