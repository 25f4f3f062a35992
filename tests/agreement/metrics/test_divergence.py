"""Divergences and entropy against scipy; what is undefined is said."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon

from gazecode.agreement.metrics import entropy, js, kl
from gazecode.errors import DataError, ParameterError

MASS = st.one_of(st.sampled_from([0.0, 0.0, 1.0]), st.floats(1e-3, 100))
PAIRS = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (2, n), elements=MASS))
GAPPED = st.integers(1, 9).flatmap(
    lambda n: arrays(np.float64, (2, 4, n), elements=st.one_of(MASS, st.just(np.nan)))
)


def with_mass(p, q):
    return p.sum() > 0 and q.sum() > 0


@given(PAIRS)
def test_kl_equals_scipy_where_q_exceeds_the_floor(pair):
    p, q = pair[0], pair[1] + 1e-3
    found = kl(p, q)
    assert isinstance(found, float)
    if p.sum() == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(scipy.stats.entropy(p, q), abs=1e-9)


@given(PAIRS)
def test_kl_puts_the_floor_where_q_is_0(pair):
    p, q = pair
    if not with_mass(p, q):
        return
    p, q = p / p.sum(), q / q.sum()
    by_hand = sum(a * math.log(a / max(b, 1e-12)) for a, b in zip(p, q, strict=True) if a > 0)
    assert kl(p, q) == pytest.approx(by_hand, abs=1e-9)
    assert kl(p, q, normalise=False) == pytest.approx(by_hand, abs=1e-9)
    assert kl(p, p) == pytest.approx(0, abs=1e-12)
    if ((p > 0) & (q == 0)).any():
        assert math.isnan(kl(p, q, floor=0))
    else:
        assert kl(p, q, floor=0) == pytest.approx(scipy.stats.entropy(p, q), abs=1e-9)


@given(PAIRS)
def test_js_is_the_square_of_scipys_distance(pair):
    p, q = pair
    found = js(p, q)
    if not with_mass(p, q):
        assert math.isnan(found)
        return
    assert found == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-9)
    assert 0 <= found <= math.log(2) + 1e-12
    assert found == pytest.approx(js(q, p), abs=1e-12)
    assert js(p, 3 * p) == pytest.approx(0, abs=1e-12)


@given(PAIRS)
def test_entropy_equals_scipy(pair):
    (q, _) = pair
    found, share = entropy(q), entropy(q, relative=True)
    if q.sum() == 0:
        assert math.isnan(found)
        return
    assert found == pytest.approx(scipy.stats.entropy(q), abs=1e-9)
    if len(q) == 1:
        assert math.isnan(share)
    else:
        assert share == pytest.approx(found / math.log(len(q)), abs=1e-12)


@settings(max_examples=40)
@given(GAPPED)
def test_items_are_independent_and_gaps_are_left_out_pairwise(batch):
    p, q = batch
    for function in (kl, js):
        rows = []
        for a, b in zip(p, q, strict=True):
            kept = ~(np.isnan(a) | np.isnan(b))
            rows.append(function(a[kept], b[kept]))
        assert function(p, q) == pytest.approx(rows, abs=1e-12, nan_ok=True)
        one = [function(p[0], b) for b in q]
        assert function(p[0], q) == pytest.approx(one, abs=1e-12, nan_ok=True)
    for relative in (False, True):
        rows = [entropy(a[~np.isnan(a)], relative=relative) for a in p]
        assert entropy(p, relative=relative) == pytest.approx(rows, abs=1e-12, nan_ok=True)


def test_uniform_and_one_unit():
    assert entropy([2, 2, 2, 2]) == pytest.approx(math.log(4))
    assert entropy([0, 5, 0]) == 0.0
    assert math.copysign(1, entropy([0, 5, 0])) == 1
    assert entropy([0.25, 0.25], normalise=False) == pytest.approx(0.5 * math.log(4))
    assert math.isnan(entropy([]))


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e308])
def test_size_does_not_matter(scale):
    p, q = np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0])
    assert kl(p * scale, q) == pytest.approx(math.log(1.5))
    assert js(p * scale, q * scale) == pytest.approx(js(p, q))


@pytest.mark.parametrize("function", [kl, js])
def test_no_mass_is_undefined(function):
    assert math.isnan(function([0, 0], [1, 2]))
    assert math.isnan(function([1, 2], [0, 0]))
    assert math.isnan(function([0, 0], [0, 0], normalise=False))
    assert math.isnan(function([], []))


def test_bad_values_are_refused():
    with pytest.raises(DataError, match=r"q has a negative mass, -0.5; expected values of at le"):
        kl([1, 2], [1, -0.5])
    with pytest.raises(DataError, match="p has a negative mass"):
        js([[1, 2], [-1, np.nan]], [1, 0.5])
    with pytest.raises(DataError, match="q has a negative mass"):
        entropy([-1, 2])
    with pytest.raises(ParameterError, match=r"floor is -1; expected 0 or more"):
        kl([1], [1], floor=-1)
