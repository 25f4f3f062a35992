"""Scores of events: worked by hand, against plain loops, and against scikit-learn's definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.evaluation.scoring import (
    Matched,
    cohen_kappa,
    event_kappa,
    events_of_labels,
    f1,
    labels_of_events,
    match_by_iou,
    match_first,
    timing,
    variant,
)
from gazecode.model import Events

CLASSES = {"fixation": 1, "saccade": 2, "pso": 3, "pursuit": 4, "blink": 5, "undefined": 6}
LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=60).map(np.array)


def spans_of(labels, wanted):
    """Runs of one label on a clock of 2 ms, by a loop; a sample holds until the next, 3 ms last."""
    out, start = [], None
    for i, label in enumerate([*labels, None]):
        if label == wanted and start is None:
            start = i
        elif label != wanted and start is not None:
            last = 2.0 * i if i < len(labels) else 2.0 * (i - 1) + 3.0
            out.append((2.0 * start, last))
            start = None
    return out


@given(LABELS, st.integers(1, 6))
def test_events_of_labels_are_runs(labels, wanted):
    found = events_of_labels(labels, np.arange(len(labels)) * 2.0, wanted)
    expected = spans_of(labels.tolist(), wanted)
    if len(labels) > 1:
        assert found.tolist() == [list(pair) for pair in expected]
    assert len(found) == len(expected)


@given(LABELS.filter(lambda labels: len(labels) > 1))
def test_labels_and_events_are_two_ways_to_say_the_same(labels):
    t = np.arange(len(labels)) * 2.0
    names = {number: kind for kind, number in CLASSES.items()}
    rows = [
        (onset, offset, names[number])
        for number in CLASSES.values()
        for onset, offset in events_of_labels(labels, t, number).tolist()
    ]
    rows.sort()
    events = Events(
        kind=[r[2] for r in rows],
        onset_ms=[r[0] for r in rows],
        offset_ms=[r[1] for r in rows],
        xy_px=np.zeros((len(rows), 2)),
    )
    assert labels_of_events(events, t, CLASSES).tolist() == labels.tolist()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_kappa_from_the_four_cells(pairs):
    a, b = np.array(pairs, dtype=bool).T
    n = len(a)
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    chance = (a.sum() * b.sum() + (~a).sum() * (~b).sum()) / n**2
    if chance == 1:
        assert np.isnan(cohen_kappa(a, b))
    else:
        assert cohen_kappa(a, b) == pytest.approx(((both + neither) / n - chance) / (1 - chance))


def test_kappa_of_nothing_is_unknown():
    assert np.isnan(cohen_kappa(np.empty(0, bool), np.empty(0, bool)))


SPANS = st.lists(st.integers(1, 9), max_size=14).map(
    lambda steps: np.cumsum(steps)[: len(steps) // 2 * 2].reshape(-1, 2).astype(float)
)


def iou(a, b):
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return max(shared, 0.0) / (max(a[1], b[1]) - min(a[0], b[0]))


@given(SPANS, SPANS)
def test_matching_by_iou_is_one_to_one_and_complete(a, b):
    found = match_by_iou(a, b)
    expected = [
        (i, j) for i, j in itertools.product(range(len(a)), range(len(b))) if iou(a[i], b[j]) > 0.5
    ]
    assert list(zip(found.reference.tolist(), found.test.tolist(), strict=True)) == expected
    assert len(set(found.reference)) == len(set(found.test)) == len(expected)
    assert (found.n_reference, found.n_test) == (len(a), len(b))


@given(SPANS, SPANS)
def test_first_overlap_takes_the_first_unused(a, b):
    used: set[int] = set()
    expected = []
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            if j not in used and iou(one, other) > 0:
                used.add(j)
                expected.append((i, j))
                break
    found = match_first(a, b)
    assert list(zip(found.reference.tolist(), found.test.tolist(), strict=True)) == expected


def test_f1_counts_what_is_left_on_either_side():
    two = Matched(reference=np.arange(2), test=np.arange(2), n_reference=3, n_test=5)
    none = Matched(reference=np.arange(0), test=np.arange(0), n_reference=0, n_test=0)
    assert f1([two]) == 0.5
    assert f1([two, two]) == 0.5
    assert np.isnan(f1([none]))


def test_event_kappa_worked_by_hand():
    # Coder: F S F; detector: F S S. The last event is matched by overlap and called otherwise.
    t = np.arange(9) * 2.0
    coder = np.array([1, 1, 1, 2, 2, 1, 1, 1, 1])
    found = np.array([1, 1, 1, 2, 2, 0, 2, 2, 2])
    # Pairs (F, F), (S, S), (F, S): observed 2/3; chance (2·1 + 1·2)/9.
    assert event_kappa(coder, found, t, 1) == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))
    assert event_kappa(coder, coder, t, 1) == 1.0


def test_event_kappa_counts_events_that_nobody_else_has():
    t = np.arange(6) * 2.0
    coder = np.array([1, 1, 0, 0, 2, 2])
    found = np.array([1, 1, 0, 1, 0, 0])
    # (F, F), (S, nothing), (nothing, F).
    assert event_kappa(coder, found, t, 1) == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))


def test_timing_is_test_minus_reference():
    a, b = np.array([[0.0, 10.0], [20.0, 30.0]]), np.array([[1.0, 10.0], [23.0, 32.0]])
    mean, deviation = timing([(match_by_iou(a, b), a, b)])
    assert mean.tolist() == [2.0, 1.0]
    assert deviation.tolist() == [1.0, 1.0]
    mean, _ = timing([])
    assert np.isnan(mean).all()


def test_ways_to_count():
    coder, found = np.array([1, 3, 4, 5, 6, 2]), np.array([1, 1, 1, 1, 3, 2])
    same, test = variant("all", coder, found, CLASSES)
    assert same.tolist() == coder.tolist()
    assert test.tolist() == found.tolist()
    kept, test = variant("common", coder, found, CLASSES)
    assert kept.tolist() == [1, 3, 2]
    assert test.tolist() == [1, 1, 2]
    theirs, test = variant("pso as saccade", coder, found, CLASSES)
    assert theirs.tolist() == [1, 2, 4, 5, 6, 2]
    assert test.tolist() == [1, 1, 1, 1, 2, 2]
