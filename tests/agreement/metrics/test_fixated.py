"""Area under the ROC curve and NSS, against pairs counted one by one and against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import mannwhitneyu

from gazecode.agreement.metrics import auc, nss

SCORE = st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0, 2.5])
SIZES = st.integers(0, 12)
MAPS = SIZES.flatmap(
    lambda n: st.tuples(arrays(np.bool_, (n,)), arrays(np.float64, (n,), elements=SCORE))
)
GAPPED = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, (4, n), elements=st.sampled_from([0.0, 1.0, 3.0, np.nan])),
        arrays(np.float64, (4, n), elements=st.one_of(SCORE, st.just(np.nan))),
    )
)


def by_pairs(fixated, q):
    yes, no = q[fixated], q[~fixated]
    if not len(yes) or not len(no):
        return math.nan
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))


@given(MAPS)
def test_auc_is_the_share_of_pairs_in_order(maps):
    fixated, q = maps
    found = auc(fixated, q)
    assert isinstance(found, float)
    assert found == pytest.approx(by_pairs(fixated, q), abs=1e-12, nan_ok=True)
    if not math.isnan(found):
        u = mannwhitneyu(q[fixated], q[~fixated]).statistic
        assert found == pytest.approx(u / (fixated.sum() * (~fixated).sum()), abs=1e-9)
    assert auc(~fixated, q) == pytest.approx(1 - found, abs=1e-12, nan_ok=True)
    assert auc(fixated, np.exp(q)) == pytest.approx(found, abs=1e-12, nan_ok=True)


@given(MAPS)
def test_nss_is_the_mean_z_score_of_the_population(maps):
    fixated, q = maps
    found = nss(fixated, q)
    assert isinstance(found, float)
    if not fixated.any() or np.ptp(q) == 0:
        assert math.isnan(found)
        return
    expected = ((q - q.mean()) / q.std())[fixated].mean()
    assert found == pytest.approx(expected, abs=1e-9)
    # Over fixated and other units together z-scores sum to 0.
    if not fixated.all():
        other = nss(~fixated, q)
        assert found * fixated.sum() + other * (~fixated).sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("function", [auc, nss])
@settings(max_examples=40)
@given(maps=GAPPED)
def test_items_are_independent_and_gaps_are_left_out_pairwise(function, maps):
    fixated, q = maps
    kept = ~(np.isnan(fixated) | np.isnan(q))
    rows = [function(f[k] > 0, x[k]) for f, x, k in zip(fixated, q, kept, strict=True)]
    assert function(fixated, q) == pytest.approx(rows, abs=1e-9, nan_ok=True)
    one = [function(fixated[0], x) for x in q]
    assert function(fixated[0], q) == pytest.approx(one, abs=1e-9, nan_ok=True)
    table = function(fixated[:, None], q)
    assert table[:, 1] == pytest.approx([function(f, q[1]) for f in fixated], abs=1e-9, nan_ok=True)


def test_a_constant_model_is_at_chance_by_auc_and_unknown_by_nss():
    assert auc([True, False, False], [0.1, 0.1, 0.1]) == 0.5
    assert math.isnan(nss([True, False, False], [0.1, 0.1, 0.1]))
