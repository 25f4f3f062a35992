"""The first k units, against sorting pairs of (value, place)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.agreement.metrics import in_top_k, iou_at_k, overlap_at_k, top_k
from gazecode.errors import ParameterError

VALUES = st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, np.nan])
BATCH = st.integers(0, 9).flatmap(lambda n: arrays(np.float64, (2, 3, n), elements=VALUES))
K = st.integers(1, 12)


def by_sorting(q, k):
    present = [(-value, i) for i, value in enumerate(q) if not math.isnan(value)]
    return [i for _, i in sorted(present)[:k]]


@settings(max_examples=50)
@given(BATCH, K)
def test_largest_first_and_earlier_first_where_equal(batch, k):
    chosen, mask = top_k(batch, k), in_top_k(batch, k)
    assert chosen.shape == (2, 3, min(k, batch.shape[-1]))
    for i in np.ndindex(2, 3):
        expected = by_sorting(batch[i], k)
        assert top_k(batch[i], k).tolist() == expected
        padded = expected + [-1] * (chosen.shape[-1] - len(expected))
        assert chosen[i].tolist() == padded
        assert np.flatnonzero(mask[i]).tolist() == sorted(expected)


@settings(max_examples=50)
@given(BATCH, K)
def test_sets_over_units_present_in_both(batch, k):
    p, q = batch
    lost = np.isnan(p) | np.isnan(q)
    found, overlap = iou_at_k(p, q, k), overlap_at_k(p, q, k)
    for i in range(3):
        a = set(by_sorting(np.where(lost, np.nan, p)[i], k))
        b = set(by_sorting(np.where(lost, np.nan, q)[i], k))
        expected = len(a & b) / len(a | b) if a else math.nan
        assert found[i] == pytest.approx(expected, nan_ok=True)
        assert overlap[i] == pytest.approx(len(a & b) / len(a) if a else math.nan, nan_ok=True)
        assert found[i] == pytest.approx(overlap[i] / (2 - overlap[i]), nan_ok=True)
        one = iou_at_k(p[i], q[i], k)
        assert isinstance(one, float)
        assert one == pytest.approx(expected, nan_ok=True)
    assert iou_at_k(p[0], q, k) == pytest.approx([iou_at_k(p[0], row, k) for row in q], nan_ok=True)


def test_with_few_units_every_map_agrees():
    assert iou_at_k([1, 2, 3], [3, 2, 1], 5) == 1.0


@pytest.mark.parametrize("function", [iou_at_k, overlap_at_k])
def test_k_is_at_least_1(function):
    with pytest.raises(ParameterError, match="k is 0; expected 1 or more units"):
        function([1], [1], 0)
    with pytest.raises(ParameterError, match="k is 0; expected 1 or more units"):
        top_k([1], 0)
