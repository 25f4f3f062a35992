"""Correlations against scipy and against their textbook formulas."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.agreement.metrics import mid_ranks, partial_spearman, pearson, spearman
from gazecode.errors import DataError

TIED = st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0, 5.0])
ANY = st.one_of(TIED, st.floats(-100, 100).map(lambda x: round(x, 3)))
MISSING = st.one_of(ANY, st.just(np.nan))
PAIRS = st.integers(0, 12).flatmap(lambda n: arrays(np.float64, (2, n), elements=ANY))
GAPPED = st.integers(0, 12).flatmap(lambda n: arrays(np.float64, (2, n), elements=MISSING))
BATCH = st.integers(1, 9).flatmap(lambda n: arrays(np.float64, (2, 4, n), elements=MISSING))


def expected(function, p, q):
    kept = ~(np.isnan(p) | np.isnan(q))
    p, q = p[kept], q[kept]
    if len(p) < 2 or np.ptp(p) == 0 or np.ptp(q) == 0:
        return np.nan
    return function(p, q).statistic


SCIPY = pytest.mark.parametrize(
    ("ours", "theirs"),
    [(pearson, scipy.stats.pearsonr), (spearman, scipy.stats.spearmanr)],
    ids=["pearson", "spearman"],
)
BOTH = pytest.mark.parametrize("ours", [pearson, spearman])


@SCIPY
@given(pair=GAPPED)
def test_equals_scipy_and_is_unknown_for_constants(ours, theirs, pair):
    found = ours(*pair)
    assert isinstance(found, float)
    assert found == pytest.approx(expected(theirs, *pair), abs=1e-9, nan_ok=True)


@BOTH
@settings(max_examples=40)
@given(batch=BATCH)
def test_items_are_independent(ours, batch):
    p, q = batch
    rows = [ours(a, b) for a, b in zip(p, q, strict=True)]
    assert ours(p, q) == pytest.approx(rows, abs=1e-12, nan_ok=True)


@BOTH
@settings(max_examples=40)
@given(batch=BATCH)
def test_one_human_meets_many_models(ours, batch):
    p, q = batch[0][0], batch[1]
    assert ours(p, q) == pytest.approx([ours(p, row) for row in q], abs=1e-12, nan_ok=True)
    table = ours(batch[0][:, None], q[None])
    assert table.shape == (4, 4)
    assert table[2, 3] == pytest.approx(ours(batch[0][2], q[3]), abs=1e-12, nan_ok=True)


@BOTH
@given(pair=PAIRS)
def test_is_symmetric_and_odd(ours, pair):
    p, q = pair
    assert ours(p, q) == pytest.approx(ours(q, p), abs=1e-12, nan_ok=True)
    assert ours(p, -q) == pytest.approx(-ours(p, q), abs=1e-12, nan_ok=True)


@BOTH
@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e307])
def test_knows_no_size(ours, scale):
    p, q = np.array([1, 5, 2, 7.0]), np.array([2, 9, 4, 1.0])
    tolerance = 1e-3 if scale < 1e-300 else 1e-12
    assert ours(p * scale, q) == pytest.approx(ours(p, q), abs=tolerance)


@BOTH
@pytest.mark.parametrize("constant", [[0.1] * 7, [1e300] * 7, [0.0] * 7])
def test_a_constant_map_is_unknown_not_0(ours, constant):
    assert np.isnan(ours(constant, range(7)))
    assert np.isnan(ours(range(7), constant))


@BOTH
def test_of_nothing_is_unknown(ours):
    assert np.isnan(ours([], []))
    assert np.isnan(ours([1, 2], [np.nan, 3]))
    assert np.isnan(ours(np.empty((3, 0)), np.empty((3, 0)))).all()


@given(PAIRS)
def test_rank_correlation_does_not_change_under_a_monotone_map(pair):
    p, q = pair
    assert spearman(p, np.exp(q / 100)) == pytest.approx(spearman(p, q), abs=1e-12, nan_ok=True)


CONTROLLED = st.integers(6, 14).flatmap(lambda n: arrays(np.float64, (4, n), elements=ANY))


@settings(max_examples=50)
@given(CONTROLLED)
def test_partial_is_the_inverse_of_the_correlation_matrix(rows):
    if min(map(np.ptp, rows)) == 0:
        return
    matrix = np.corrcoef(mid_ranks(rows))
    if np.linalg.cond(matrix) > 1e4:
        return
    inverse = np.linalg.inv(matrix)
    by_inverse = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    found = partial_spearman(rows[0], rows[1], rows[2:].T)
    assert found == pytest.approx(by_inverse, abs=1e-9)


@settings(max_examples=50)
@given(CONTROLLED)
def test_partial_of_one_column_is_the_textbook_formula(rows):
    p, q, c = rows[:3]
    pq, pc, qc = spearman(p, q), spearman(p, c), spearman(q, c)
    if np.isnan([pq, pc, qc]).any() or max(abs(pc), abs(qc)) > 0.999:
        return
    by_hand = (pq - pc * qc) / np.sqrt((1 - pc**2) * (1 - qc**2))
    assert partial_spearman(p, q, c[:, None]) == pytest.approx(by_hand, abs=1e-9)


@settings(max_examples=50)
@given(CONTROLLED)
def test_columns_that_say_nothing_new_change_nothing(rows):
    p, q, c = rows[:3]
    constant = np.full_like(c, 0.1)
    alone = partial_spearman(p, q, c[:, None])
    again = partial_spearman(p, q, np.stack([c, constant, c * 2, 5 - c], axis=1))
    assert again == pytest.approx(alone, abs=1e-7, nan_ok=True)
    assert partial_spearman(p, q, constant[:, None]) == pytest.approx(
        spearman(p, q), abs=1e-9, nan_ok=True
    )
    assert partial_spearman(p, q, np.empty((len(p), 0))) == pytest.approx(
        spearman(p, q), abs=1e-9, nan_ok=True
    )


def test_nothing_is_left_of_a_map_that_is_the_column():
    rng = np.random.default_rng(0)
    p, q = rng.random((2, 20))
    assert np.isnan(partial_spearman(p, q, np.log(p)[:, None]))
    assert np.isnan(partial_spearman(p, q, q[:, None]))


def test_partial_leaves_out_units_that_miss_anything():
    rng = np.random.default_rng(1)
    p, q, c, d = rng.random((4, 12))
    p[0], q[1], c[2] = np.nan, np.nan, np.nan
    kept = slice(3, None)
    whole = partial_spearman(p, q, np.stack([c, d], axis=1))
    part = partial_spearman(p[kept], q[kept], np.stack([c, d], axis=1)[kept])
    assert whole == pytest.approx(part, abs=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_partial_is_vectorised(gaps):
    rng = np.random.default_rng(2)
    p, q, given = rng.random((5, 12)), rng.random((7, 5, 12)), rng.random((5, 12, 2))
    p[rng.random(p.shape) < gaps] = np.nan
    given[rng.random(given.shape) < gaps / 2] = np.nan
    table = partial_spearman(p, q, given)
    assert table.shape == (7, 5)
    for i in range(7):
        for j in range(5):
            alone = partial_spearman(p[j], q[i, j], given[j])
            assert table[i, j] == pytest.approx(alone, abs=1e-10, nan_ok=True)


def test_partial_refuses_a_column_of_other_units():
    with pytest.raises(DataError, match=r"units on the last axis: p 3, q 3, given 4; expected"):
        partial_spearman([1, 2, 3], [1, 2, 3], np.ones((4, 1)))
    with pytest.raises(DataError, match=r"units on the last axis: p 3, q 3, given 4; expected"):
        partial_spearman([1, 2, 3], [1, 2, 3], [1, 2, 3, 4])


def test_one_thing_held_fixed_may_be_a_vector():
    p, q, given = [1, 2, 4, 3, 5], [1, 3, 4, 2, 2], [3, 1, 2, 5, 4]
    assert partial_spearman(p, q, given) == partial_spearman(p, q, np.array(given)[:, None])
