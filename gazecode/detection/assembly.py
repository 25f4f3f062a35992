"""Stretches of samples made into events: times, places and samples of each."""

from collections.abc import Mapping

import numpy as np

from gazecode.detection.segments import Runs, Stretches
from gazecode.errors import DataError
from gazecode.model import KINDS, Events, Samples
from gazecode.model.checks import FloatArray, IntArray, StrArray, repeated

__all__ = ["assemble", "by_kind", "columns_of", "mean_place", "peaks"]

_MOVING = ("saccade", "pso")
_STILL = ("fixation", "pursuit", "undefined")


def assemble(samples: Samples, runs: Runs, found: Mapping[str, Stretches]) -> Events:
    """Events of stretches ``[first, last)`` by kind, sorted by onset.

    The place of a fixation, a pursuit or what is undefined is the mean of its valid samples; that
    of a saccade or an oscillation its first sample, and its `end_xy_px` the sample at its offset
    (where it has led), or its last one where gaze was lost then; a blink has none.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> samples = Samples(t_ms=[0, 5, 10, 15], xy_px=[[1, 1], [3, 1], [9, 9], [9, 9]])
    >>> runs = find_runs(samples, min_gap_ms=75)
    >>> still, moving = (np.array([0]), np.array([2])), (np.array([2]), np.array([4]))
    >>> found = assemble(samples, runs, {"saccade": moving, "fixation": still})
    >>> found.kind.tolist(), found.xy_px.tolist(), found.offset_ms.tolist()
    (['fixation', 'saccade'], [[2.0, 1.0], [9.0, 9.0]], [10.0, 22.5])
    """
    kind = [repeated(name, len(first)) for name, (first, _) in found.items()]
    place = [_places(samples, runs, name, *held) for name, held in found.items()]
    first = np.concatenate([held[0] for held in found.values()])
    last = np.concatenate([held[1] for held in found.values()])
    order = np.argsort(first, kind="stable")
    first, last = first[order], last[order]
    return Events(
        kind=np.concatenate(kind)[order],
        onset_ms=samples.t_ms[first],
        offset_ms=runs.end_ms[last - 1],
        xy_px=np.concatenate([at for at, _ in place])[order],
        end_xy_px=np.concatenate([end for _, end in place])[order],
        first=first,
        last=last,
    )


def by_kind(kinds: StrArray, first: IntArray, last: IntArray) -> dict[str, Stretches]:
    """Stretches ``[first, last)`` with the kind of each, as `assemble` takes them."""
    masks = {kind: np.asarray(kinds == kind, dtype=bool) for kind in KINDS}
    return {kind: (first[mask], last[mask]) for kind, mask in masks.items()}


def columns_of(events: Events, samples: Samples) -> tuple[StrArray, IntArray, IntArray]:
    """Kind, first sample and one past the last of each event, ``(n,)`` each.

    Raises
    ------
    DataError
        The events do not say which samples they hold, overlap, or are of other samples.
    """
    first, last = events.first, events.last
    if first is None or last is None:
        raise DataError(
            "events do not say which samples they hold (first, last); "
            "expected events as a detector of gazecode gives them"
        )
    if not len(first):
        return events.kind, first, last
    inside = first.min() >= 0 and (last > first).all() and last.max() <= len(samples)
    if not inside or (samples.t_ms[first] != events.onset_ms).any():
        raise DataError(
            f"events begin at other times than the samples ({len(samples)}) they name; "
            "pass the samples that the detector was given"
        )
    late = np.flatnonzero(first[1:] < last[:-1])
    if late.size:
        raise DataError(
            f"events {int(late[0])} and {int(late[0]) + 1} overlap; "
            "expected events as a detector of gazecode gives them"
        )
    return events.kind, first, last


def _places(
    samples: Samples, runs: Runs, kind: str, first: IntArray, last: IntArray
) -> tuple[FloatArray, FloatArray]:
    unknown = np.full((len(first), 2), np.nan)
    if kind in _STILL:
        return mean_place(samples, first, last), unknown
    if kind in _MOVING:
        landing = np.minimum(last, runs.stop[last - 1] - 1)
        return samples.xy_px[first], samples.xy_px[landing]
    return unknown, unknown


def mean_place(samples: Samples, first: IntArray, last: IntArray) -> FloatArray:
    """Mean of the valid samples of every ``[first, last)``, px ``(k, 2)``."""
    if not len(first):
        return np.empty((0, 2))
    valid = ~samples.lost
    # One column more, so that an event may end with the last sample.
    columns = np.zeros((3, len(samples) + 1))
    for axis in (0, 1):
        columns[axis, :-1] = np.where(valid, samples.xy_px[:, axis], 0.0)
    columns[2, :-1] = valid
    edges = np.stack([first, last], axis=1).ravel()
    sums = np.add.reduceat(columns, edges, axis=1)[:, ::2]
    place: FloatArray = (sums[:2] / sums[2]).T
    return place


def peaks(values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """Largest value of each stretch ``[first, last)``, ``(k,)``; stretches do not overlap.

    >>> peaks(np.array([1.0, 5.0, 2.0, 3.0]), np.array([0, 2]), np.array([2, 4]))
    array([5., 3.])
    """
    if not len(first):
        return np.empty(0)
    # One value more, so that a stretch may end with the last sample.
    longer = np.append(values, -np.inf)
    edges = np.stack([first, last], axis=1).ravel()
    largest: FloatArray = np.maximum.reduceat(longer, edges)[::2]
    return largest
