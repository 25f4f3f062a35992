"""Visits and first passes over a sequence of fixated units: the arithmetic of reading measures."""

from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Passes", "find_passes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Per unit, ``(u,)`` each; `gazecode.measures.reading` says what each of them means.

    `has` says which units have a first pass, `first` (place in the sequence) where it begins and
    `length` how many fixations it has; `left_back` whether it ended in a regression. `steps` are
    those between ranked units, `adjacent_steps` those of them that pass over nothing.
    """

    n_fixations: int
    count: IntArray
    total_ms: FloatArray
    visits: IntArray
    has: BoolArray
    first: IntArray
    length: IntArray
    first_ms: FloatArray
    gaze_ms: FloatArray
    go_past_ms: FloatArray
    open: BoolArray
    passed: BoolArray
    regressions_in: IntArray
    regressions_out: IntArray
    left_back: FloatArray
    steps: int
    adjacent_steps: int


def find_passes(
    on: IntArray, duration_ms: FloatArray, rank: IntArray, *, bridge: bool, strict: bool = True
) -> Passes:
    """Find first passes and count steps.

    Parameters
    ----------
    on
        ``(n,)`` unit of every fixation in the order of time, -1 for none.
    duration_ms
        ``(n,)`` of each.
    rank
        ``(u,)`` place of every unit in the order, none twice; below 0 if it has none.
    bridge
        Whether fixations on no unit are passed over; if not, they end a visit.
    strict
        Whether a first visit is a first pass only if nothing later was fixated before it.

    Examples
    --------
    >>> found = find_passes(np.array([0, 2, 1, 2]), np.ones(4) * 9, np.arange(3), bridge=False)
    >>> found.has, found.go_past_ms, found.regressions_out
    (array([ True, False,  True]), array([ 9., nan, 27.]), array([0, 0, 1]))
    """
    size = len(rank)
    at = np.flatnonzero(on >= 0)
    seq, spent = on[at], duration_ms[at]
    k = len(seq)
    linked = np.zeros(k, dtype=bool)  # To the one before.
    linked[1:] = (np.diff(at) == 1) | bridge
    entered = ~linked
    entered[1:] |= np.diff(seq) != 0
    visit_end = _ends(entered)
    until = np.concatenate(([0.0], np.cumsum(spent)))
    level = rank[seq]
    furthest = np.maximum.accumulate(level) if k else level

    first = np.full(size, -1)
    first[seq[::-1]] = np.arange(k)[::-1]
    fixated = first >= 0
    begin = np.maximum(first, 0)
    before = np.concatenate(([-1], furthest))[begin]
    has = fixated & (rank >= 0) & ((before < rank) | (not strict))
    # Where the furthest point first lies behind the unit.
    beyond = np.searchsorted(furthest, rank, side="right")
    passed = (rank >= 0) & (beyond < k)
    for u in np.flatnonzero(has & (before > rank)).tolist():
        # Something later came before: what counts is what comes later and after.
        after = np.flatnonzero(level[begin[u] :] > rank[u])
        beyond[u] = begin[u] + after[0] if after.size else k
    end = visit_end[begin] if k else begin
    step, back = _steps(level, linked)
    return Passes(
        n_fixations=len(on),
        count=np.bincount(seq, minlength=size),
        total_ms=np.bincount(seq, weights=spent, minlength=size).astype(np.float64),
        visits=np.bincount(seq[entered], minlength=size),
        has=has,
        first=np.where(has, at[begin] if k else -1, -1),
        length=np.where(has, end - begin, 0),
        first_ms=_where(has, spent[begin] if k else begin),
        gaze_ms=_where(has, until[end] - until[begin]),
        go_past_ms=_where(has & (rank >= 0), until[np.maximum(beyond, begin)] - until[begin]),
        open=has & (rank >= 0) & (beyond == k),
        passed=passed,
        regressions_in=np.bincount(seq[1:][back], minlength=size),
        regressions_out=np.bincount(seq[:-1][back], minlength=size),
        left_back=_left_back(has, end, step, back),
        steps=int(step.sum()),
        adjacent_steps=int((step & (np.diff(at) == 1)).sum()),
    )


def _where(has: BoolArray, values: FloatArray | IntArray) -> FloatArray:
    return np.where(has, values, np.nan)


def _ends(entered: BoolArray) -> IntArray:
    """One past the last fixation of the visit that each fixation belongs to."""
    starts = np.append(np.flatnonzero(entered), len(entered))
    return starts[np.cumsum(entered)]


def _steps(level: IntArray, linked: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Which steps between successive fixations count, and which of them go to an earlier unit."""
    step = linked[1:] & (level[1:] >= 0) & (level[:-1] >= 0)
    return step, step & (level[1:] < level[:-1])


def _left_back(has: BoolArray, end: IntArray, step: BoolArray, back: BoolArray) -> FloatArray:
    """1 where the step out of the first pass is a regression, 0 where it leads on, else NaN."""
    out = np.full(len(has), np.nan)
    rows = np.flatnonzero(has & (end <= len(step)))
    rows = rows[step[end[rows] - 1]]
    out[rows] = back[end[rows] - 1]
    return out
