"""What two maps share, by its laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.agreement.metrics import iou, sim
from gazecode.errors import DataError, ParameterError

MASS = st.one_of(st.sampled_from([0.0, 0.0, 1.0]), st.floats(1e-3, 100))
PAIRS = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (2, n), elements=MASS))
GAPPED = st.one_of(MASS, st.just(np.nan))
BATCH = st.integers(1, 9).flatmap(lambda n: arrays(np.float64, (2, 4, n), elements=GAPPED))
SQUARES = st.integers(1, 7).flatmap(lambda n: arrays(np.float64, (2, n, n), elements=MASS))


@given(PAIRS)
def test_sim_is_1_minus_total_variation_and_iou_follows_from_it(pair):
    p, q = pair
    if p.sum() == 0 or q.sum() == 0:
        assert math.isnan(sim(p, q))
        return
    distance = np.abs(p / p.sum() - q / q.sum()).sum() / 2
    s = sim(p, q)
    assert isinstance(s, float)
    assert s == pytest.approx(1 - distance, abs=1e-12)
    assert iou(p, q) == pytest.approx(s / (2 - s), abs=1e-12)
    assert iou(p, q) == pytest.approx((1 - distance) / (1 + distance), abs=1e-12)
    assert iou(p, q) == pytest.approx(iou(q, p), abs=1e-12)
    assert iou(p, 3 * p) == pytest.approx(1, abs=1e-12)


@settings(max_examples=50)
@given(SQUARES)
def test_row_stochastic_matrices_follow_from_their_distance(pair):
    p, q = pair + 1e-3
    n = len(p)
    p, q = (x / x.sum(axis=1, keepdims=True) for x in (p, q))
    distance = np.abs(p - q).sum() / 2
    assert iou(p, q) == pytest.approx((n - distance) / (n + distance), abs=1e-9)
    assert iou(p * 7, q) == pytest.approx(iou(p, q), abs=1e-9)
    assert iou(p, p) == pytest.approx(1, abs=1e-12)


@settings(max_examples=50)
@given(SQUARES)
def test_a_matrix_is_one_object_and_rows_without_mass_stay_0(pair):
    rows = [[r / r.sum() if r.sum() else r for r in matrix] for matrix in pair]
    shared = sum(np.minimum(a, b).sum() for a, b in zip(*rows, strict=True))
    joined = sum(np.maximum(a, b).sum() for a, b in zip(*rows, strict=True))
    expected = shared / joined if joined else math.nan
    found = iou(*pair)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)
    stacked = iou(np.stack([pair[0]] * 3), pair[1], axis=(-2, -1))
    assert stacked == pytest.approx([expected] * 3, abs=1e-9, nan_ok=True)


@settings(max_examples=40)
@given(BATCH)
def test_rows_are_independent_and_gaps_are_left_out_pairwise(batch):
    p, q = batch
    kept = ~(np.isnan(p) | np.isnan(q))
    pairs = [(a[k], b[k]) for a, b, k in zip(p, q, kept, strict=True)]
    assert sim(p, q) == pytest.approx([sim(*pair) for pair in pairs], abs=1e-12, nan_ok=True)
    rows = [iou(*pair) for pair in pairs]
    assert iou(p, q, axis=-1) == pytest.approx(rows, abs=1e-12, nan_ok=True)


def test_as_they_stand():
    assert sim([0.5, 0], [0.25, 5], normalise=False) == 0.25
    assert iou([1, 0, 4], [2, 0, 2], normalise=False) == 0.5


def test_one_map_without_mass_shares_nothing_and_two_are_undefined():
    assert iou([0, 0], [1, 0]) == 0.0
    assert math.isnan(iou([0, 0], [0, 0]))
    assert math.isnan(iou([], []))
    assert np.isnan(iou(np.zeros((2, 3)), np.zeros((2, 3)), axis=-1)).all()


def test_uniform_rows_and_sinks_score_high():
    # Why a chance row stands beside every figure.
    causal = np.tril(np.ones((20, 20)))
    sink = np.zeros((20, 20))
    sink[:, 0] = 1
    assert iou(causal, np.ones((20, 20))) > 0.3
    assert iou(causal, sink) > 0.09


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match=r"p has shape \(2,\) and q \(3, 2\); expected one object"):
        iou([1, 2], np.ones((3, 2)))
    with pytest.raises(DataError, match="a vector has no axes"):
        iou([1, 2], [1, 2], axis=(-2, -1))
    with pytest.raises(ParameterError, match=r"axis is 0; expected None, -1 \(rows\)"):
        iou([1, 2], [1, 2], axis=0)
    with pytest.raises(DataError, match="q has a negative mass, -1"):
        sim([1, 2], [1, -1])
