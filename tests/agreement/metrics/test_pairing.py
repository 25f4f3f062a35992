"""What all metrics of two maps have in common at their door."""

import math

import numpy as np
import pytest

from gazecode.agreement import metrics
from gazecode.errors import DataError, GazecodeError

OF_TWO = ["spearman", "pearson", "kl", "js", "sim", "iou", "emd", "auc", "nss"]


@pytest.fixture(params=OF_TWO)
def metric(request):
    return getattr(metrics, request.param)


def test_maps_of_different_units_are_refused(metric):
    with pytest.raises(DataError, match=r"^units on the last axis: \w+ 2, q 3; expected .*\Z"):
        metric([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="units on the last axis"):
        metric([1], [1, 2, 3])


def test_items_that_do_not_broadcast_are_refused(metric):
    with pytest.raises(DataError, match=r"\(2, 3\), q \(4, 3\); expected leading axes that broad"):
        metric(np.ones((2, 3)), np.ones((4, 3)))


def test_what_is_no_number_is_refused(metric):
    with pytest.raises(DataError, match="is not a map: .*; expected numbers, or NaN"):
        metric(["a", "b"], [1, 2])
    with pytest.raises(DataError, match="q holds an infinite value"):
        metric([1, 2], [1, math.inf])
    with pytest.raises(DataError, match="is one number, 1.0; expected one value per unit"):
        metric(1, [1])


def test_none_and_nan_are_missing_and_all_missing_is_unknown(metric):
    whole = metric([1, 0, 3, 9], [2, 1, 7, 4])
    lists = metric([1, 0, None, 3, 9, 5], [2, 1, 8, 7, 4, math.nan])
    if metric is not metrics.emd:  # a missing unit takes its place
        assert lists == pytest.approx(whole, abs=1e-12)
    assert math.isnan(metric([None, 1], [1, None]))
    assert isinstance(lists, float)


def test_inputs_are_left_as_they_are(metric):
    p, q = np.array([[1.0, 0, 3], [2, math.nan, 1]]), np.array([[2.0, 1, math.nan], [1, 1, 5]])
    before = p.copy(), q.copy()
    p.flags.writeable = q.flags.writeable = False
    metric(p, q)
    assert np.array_equal(p, before[0], equal_nan=True)
    assert np.array_equal(q, before[1], equal_nan=True)


def test_every_public_function_says_its_example():
    for name in metrics.__all__:
        assert ">>>" in getattr(metrics, name).__doc__ or name == "Overlap"


def test_errors_are_one_line():
    with pytest.raises(GazecodeError) as caught:
        metrics.spearman([1, 2], [1, 2, 3])
    assert "\n" not in str(caught.value)
