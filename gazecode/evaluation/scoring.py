"""How well two sequences of events agree: per sample, per event, and in time.

Per sample: Cohen's kappa of one class against the rest (J. Cohen 1960,
doi:10.1177/001316446002000104). Per event: F1 of a one-to-one matching by intersection over union
above one half; F1 where each reference event takes the first unused event that overlaps it at all
(I. T. C. Hooge et al. 2018, doi:10.3758/s13428-017-0955-x); kappa over events matched by largest
overlap (R. Zemblys et al. 2019, doi:10.3758/s13428-018-1133-5). In time: the mean (RTO) and
standard deviation (RTD) of test minus reference onsets and offsets over matched events (Hooge et
al. 2018).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.agreement import metrics
from gazecode.model import Events
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import sample_end_ms

__all__ = [
    "VARIANTS",
    "Matched",
    "cohen_kappa",
    "event_kappa",
    "events_of_labels",
    "f1",
    "labels_of_events",
    "match_by_iou",
    "match_first",
    "timing",
    "variant",
]

VARIANTS = ("all", "common", "pso as fixation", "pso as saccade")
"""Which samples are kept and what a post-saccadic oscillation counts as.

``all``: every sample; what is not the class is rest. ``common``: without those that the reference
calls blink, pursuit or undefined.
"""


def cohen_kappa(a: BoolArray, b: BoolArray) -> float:
    """Agreement of two raters on one class beyond chance; NaN where chance alone agrees.

    >>> cohen_kappa(np.array([1, 1, 0, 0], bool), np.array([1, 0, 0, 0], bool))
    0.5
    """
    return float(metrics.cohen_kappa(a, b))


def variant(
    name: str, reference: IntArray, test: IntArray, classes: Mapping[str, int]
) -> tuple[IntArray, IntArray]:
    """Both sequences of labels as a variant of `VARIANTS` counts them."""
    if name == "common":
        left_out = [classes[kind] for kind in ("blink", "pursuit", "undefined")]
        kept = ~np.isin(reference, left_out)
        return reference[kept], test[kept]
    if name.startswith("pso as "):
        to = classes[name.removeprefix("pso as ")]
        pso = classes["pso"]
        return np.where(reference == pso, to, reference), np.where(test == pso, to, test)
    return reference, test


def labels_of_events(events: Events, t_ms: FloatArray, classes: Mapping[str, int]) -> IntArray:
    """The class of every sample, ``(n,)``; 0 where no event holds it, the later where two do."""
    labels = np.zeros(len(t_ms), dtype=np.int64)
    first = np.searchsorted(t_ms, events.onset_ms - 1e-9)
    last = np.searchsorted(t_ms, events.offset_ms - 1e-9)
    for kind, a, b in zip(events.kind, first.tolist(), last.tolist(), strict=True):
        labels[a:b] = classes[kind]
    return labels


def events_of_labels(labels: IntArray, t_ms: FloatArray, wanted: int) -> FloatArray:
    """Half-open intervals ``(k, 2)`` ms of consecutive samples of one class.

    >>> events_of_labels(np.array([1, 1, 2, 1]), np.array([0.0, 2, 4, 6]), 1)
    array([[0., 4.],
           [6., 9.]])
    """
    inside = np.concatenate(([False], labels == wanted, [False]))
    first = np.flatnonzero(inside[1:] & ~inside[:-1])
    last = np.flatnonzero(inside[:-1] & ~inside[1:])
    end = sample_end_ms(t_ms)
    return np.stack([t_ms[first], end[last - 1]], axis=1) if len(first) else np.empty((0, 2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """Which reference event is which test event, and how many there are of each."""

    reference: IntArray
    test: IntArray
    n_reference: int
    n_test: int


def f1(matched: Sequence[Matched]) -> float:
    """2 TP / (2 TP + FP + FN) over all recordings; NaN without any event."""
    hits = sum(len(m.reference) for m in matched)
    total = sum(m.n_reference + m.n_test for m in matched)
    return 2 * hits / total if total else math.nan


def match_by_iou(reference: FloatArray, test: FloatArray, *, least: float = 0.5) -> Matched:
    """Pairs whose intersection over union exceeds `least`; above one half they are one-to-one.

    Parameters
    ----------
    reference, test
        ``(k, 2)`` intervals, sorted, those of one side disjoint.
    """
    pairs = _overlaps(reference, test)
    a, b = reference[pairs[:, 0]], test[pairs[:, 1]]
    shared = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    joined = np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0])
    return _matched(pairs[shared > least * joined], reference, test)


def match_first(reference: FloatArray, test: FloatArray) -> Matched:
    """Each reference event with the first unused test event that overlaps it at all."""
    used = -1
    kept: list[tuple[int, int]] = []
    for i, j in _overlaps(reference, test).tolist():
        if j > used and (not kept or kept[-1][0] != i):
            kept.append((i, j))
            used = j
    return _matched(np.array(kept, dtype=np.int64).reshape(-1, 2), reference, test)


def event_kappa(reference: IntArray, test: IntArray, t_ms: FloatArray, wanted: int) -> float:
    """Kappa of one class over events matched by their largest overlap, whatever their class.

    Every reference event is paired with the unused test event that it shares most time with; what
    is left on either side is paired with nothing, which is the rest.
    """
    theirs, ours = _all_events(reference, t_ms), _all_events(test, t_ms)
    pairs = _overlaps(theirs[:, :2], ours[:, :2])
    a, b = theirs[pairs[:, 0]], ours[pairs[:, 1]]
    shared = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    partner = np.full(len(theirs), -1)
    taken = np.zeros(len(ours), dtype=bool)
    for k in np.argsort(-shared, kind="stable").tolist():
        i, j = pairs[k]
        if partner[i] < 0 and not taken[j]:
            partner[i], taken[j] = j, True
    paired = partner >= 0
    alone = ours[~taken, 2]
    said = np.concatenate([theirs[:, 2], np.zeros(len(alone))]) == wanted
    found = np.zeros(len(theirs))
    found[paired] = ours[partner[paired], 2]
    return cohen_kappa(said, np.concatenate([found, alone]) == wanted)


def timing(
    matched: Sequence[tuple[Matched, FloatArray, FloatArray]],
) -> tuple[FloatArray, FloatArray]:
    """RTO and RTD: mean and standard deviation of test minus reference (onset, offset), ms."""
    off = [test[m.test] - reference[m.reference] for m, reference, test in matched]
    joined = np.concatenate(off) if off else np.empty((0, 2))
    if not len(joined):
        return np.full(2, np.nan), np.full(2, np.nan)
    return joined.mean(axis=0), joined.std(axis=0)


def _all_events(labels: IntArray, t_ms: FloatArray) -> FloatArray:
    """Onset, offset and class of every stretch of one class other than 0, by onset."""
    parts = [np.empty((0, 3))]
    for wanted in np.unique(labels[labels > 0]).tolist():
        spans = events_of_labels(labels, t_ms, wanted)
        parts.append(np.column_stack([spans, np.full(len(spans), wanted)]))
    rows = np.concatenate(parts)
    return rows[np.argsort(rows[:, 0], kind="stable")]


def _overlaps(a: FloatArray, b: FloatArray) -> IntArray:
    """Index pairs of intervals that share time, ``(p, 2)``, by `a`, then `b`."""
    low = np.searchsorted(b[:, 1], a[:, 0], side="right")
    high = np.maximum(np.searchsorted(b[:, 0], a[:, 1], side="left"), low)
    count = high - low
    i = np.repeat(np.arange(len(a)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([i, np.repeat(low, count) + within], axis=1)


def _matched(pairs: IntArray, reference: FloatArray, test: FloatArray) -> Matched:
    return Matched(
        reference=pairs[:, 0], test=pairs[:, 1], n_reference=len(reference), n_test=len(test)
    )
