"""Blinks laid over what a detector found: what the lid did is no movement of the eye."""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble, by_kind, columns_of
from gazecode.detection.blinks import detect_blink_loss
from gazecode.detection.limits import TOLERANCE_MS, at_least_zero
from gazecode.detection.segments import MIN_GAP_MS, Runs, Stretches, covered, find_runs
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, IntArray, repeated
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["lay_blinks"]


def lay_blinks(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all rules
    px_per_deg: float = DEFAULT_PX_PER_DEG,  # noqa: ARG001
    breaks_ms: Sequence[float] = (),
    blinks: Events | None = None,
    min_duration_ms: float = 40.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Lay blinks over other events.

    A saccade or an oscillation that overlaps a blink or touches it belongs to the blink, which
    grows over it and over what touches it in turn: the lid sweeps over the pupil, and gaze seems to
    jump (EyeLink's blinks lie within such a saccade). Other events are cut where the blink is;
    pieces begin and end with valid samples. Blinks that `events` hold themselves give way to those
    that overlap them.

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    screen, px_per_deg
        Without effect.
    breaks_ms, min_gap_ms
        As the detector was given them.
    blinks
        Of the same samples, for instance from ``blink_pupil``; other kinds in it are left out. None
        takes those of ``blink_loss``.
    min_duration_ms
        Shorter pieces of what was cut are left out.

    Raises
    ------
    DataError
        Events or blinks lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> from gazecode.detection import detect
    >>> x = np.concatenate([np.full(100, 300), [330, 360], np.full(30, np.nan), np.full(50, 300)])
    >>> samples = Samples(t_ms=np.arange(182) * 4.0, xy_px=np.stack([x, x], axis=1))
    >>> events = detect(samples, "ivt")
    >>> events.kind.tolist()
    ['fixation', 'saccade', 'fixation']
    >>> lay_blinks(events, samples).to_frame()[["kind", "onset_ms", "offset_ms"]]
           kind  onset_ms  offset_ms
    0  fixation       0.0      392.0
    1     blink     392.0      528.0
    2  fixation     528.0      730.0
    """
    at_least_zero(min_duration_ms=min_duration_ms, min_gap_ms=min_gap_ms)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    if not isinstance(blinks, Events | None):
        raise ParameterError(
            f"blinks is {blinks!r}; expected events, or None; [detect] blinks, or "
            "detect(..., blinks=...), names the way to find them"
        )
    if blinks is None:
        blinks = detect_blink_loss(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    kinds, first, last = columns_of(events, samples)
    _, *shut = columns_of(blinks.of("blink"), samples)
    moving = np.isin(kinds, ("saccade", "pso"))
    closed = _grown(runs, (first[moving], last[moving]), (shut[0], shut[1]))
    hidden = covered(len(samples), *closed)
    met = _any_inside(hidden, first, last)
    # A movement that meets a blink is part of it by now; anything else is cut.
    kept = ~(met & (moving | (kinds == "blink")))
    rows, first, last = _cut(samples, (first, last), kept, hidden)
    lasting = runs.end_ms[last - 1] - samples.t_ms[first]
    kept = ~met[rows] | (lasting >= min_duration_ms - TOLERANCE_MS)
    kinds = np.concatenate((kinds[rows[kept]], repeated("blink", len(closed[0]))))
    first = np.concatenate((first[kept], closed[0]))
    last = np.concatenate((last[kept], closed[1]))
    return assemble(samples, runs, by_kind(kinds, first, last))


def _grown(runs: Runs, moving: Stretches, shut: Stretches) -> Stretches:
    """Blinks with all movements that touch or overlap them, directly or by another one."""
    first = np.concatenate((moving[0], shut[0]))
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.concatenate((moving[1], shut[1]))[order]
    blink = order >= len(moving[0])
    reach = np.maximum.accumulate(last) if len(last) else last
    apart = first[1:] > reach[:-1]
    apart |= runs.part[first[1:]] != runs.part[first[:-1]]
    begins = np.flatnonzero(np.concatenate(([True], apart))[: len(first)])
    if not len(begins):
        return first, last
    ends = np.append(begins[1:], len(first)) - 1
    closed = np.add.reduceat(blink, begins, dtype=np.int64) > 0
    return first[begins[closed]], reach[ends[closed]]


def _any_inside(mask: BoolArray, first: IntArray, last: IntArray) -> BoolArray:
    """Whether a stretch ``[first, last)`` holds a marked sample."""
    count = np.concatenate(([0], np.cumsum(mask)))
    some: BoolArray = count[last] > count[first]
    return some


def _cut(
    samples: Samples, pieces: Stretches, kept: BoolArray, hidden: BoolArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Row, first and last sample of what is left of every event that is kept."""
    n = len(samples)
    first, last = pieces
    rows = np.flatnonzero(kept)
    of = np.full(n, -1)
    length = last[rows] - first[rows]
    begin = np.repeat(first[rows] - np.concatenate(([0], np.cumsum(length)[:-1])), length)
    of[begin + np.arange(length.sum())] = np.repeat(rows, length)
    of[hidden] = -1
    change = np.diff(of, prepend=-1, append=-1) != 0
    start, stop = change[:-1] & (of >= 0), change[1:] & (of >= 0)
    first_left, last_left = np.flatnonzero(start), np.flatnonzero(stop)
    row = of[first_left]
    # Where a cut was made, lost samples at the ends of a piece are no part of it.
    index = np.arange(n)
    valid = ~samples.lost
    following = np.minimum.accumulate(np.where(valid, index, n)[::-1])[::-1]
    previous = np.maximum.accumulate(np.where(valid, index, -1))
    first_left = np.where(first_left > first[row], following[first_left], first_left)
    last_left = np.where(last_left + 1 < last[row], previous[last_left], last_left) + 1
    seen = first_left < last_left
    return row[seen], first_left[seen], last_left[seen]
