"""scikit-learn, statsmodels and krippendorff say the same, to 1e-9; they are run, never read."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.agreement.metrics import (
    auc,
    binary_alpha,
    binary_kappa,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)

MAPS = st.integers(2, 15).flatmap(
    lambda n: st.tuples(
        arrays(np.bool_, (n,)),
        arrays(np.float64, (n,), elements=st.sampled_from([0.0, 0.0, 0.1, 1.0, 2.0])),
    )
)
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def sklearn():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@pytest.fixture(scope="module")
def krippendorff():
    return pytest.importorskip("krippendorff", reason="krippendorff is not installed")


@pytest.fixture(scope="module")
def statsmodels():
    return pytest.importorskip(
        "statsmodels.stats.inter_rater", reason="statsmodels is not installed"
    )


@given(maps=MAPS)
def test_area_under_the_roc_curve(sklearn, maps):
    fixated, q = maps
    if fixated.all() or not fixated.any():
        assert math.isnan(auc(fixated, q))
        return
    assert auc(fixated, q) == pytest.approx(sklearn.roc_auc_score(fixated, q), abs=1e-9)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@given(pairs=PAIRS)
def test_cohen_kappa(sklearn, weights, pairs):
    a, b = np.array(pairs).T
    found = cohen_kappa(a, b, weights=weights)
    if len(np.unique([a, b])) == 1:
        assert math.isnan(found)
        return
    assert found == pytest.approx(sklearn.cohen_kappa_score(a, b, weights=weights), abs=1e-9)


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=25))
def test_two_codes_from_counts(sklearn, krippendorff, pairs):
    a, b = np.array(pairs).T
    cells = [(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]
    if len(np.unique([a, b])) == 1:
        assert math.isnan(binary_kappa(*cells))
        assert math.isnan(binary_alpha(*cells))
        return
    assert binary_kappa(*cells) == pytest.approx(sklearn.cohen_kappa_score(a, b), abs=1e-9)
    theirs = krippendorff.alpha([a.astype(float), b.astype(float)], level_of_measurement="nominal")
    assert binary_alpha(*cells) == pytest.approx(theirs, abs=1e-9)


RATING = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 5.0, np.nan]), st.floats(0, 9).map(float))
TABLES = st.tuples(st.integers(2, 4), st.integers(2, 9)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=RATING)
)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
@settings(max_examples=60)
@given(table=TABLES.map(lambda x: np.round(x, 3)))
def test_krippendorff_alpha(krippendorff, level, table):
    found = krippendorff_alpha(table, level=level)
    paired = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        # There is nothing to disagree about: here that is said, there it is refused or divided.
        assert math.isnan(found)
        return
    assert found == pytest.approx(krippendorff.alpha(table, level_of_measurement=level), abs=1e-9)


def test_krippendorff_alpha_of_texts(krippendorff):
    rows = [["a", "b", "c", "a", None], ["a", "c", "c", "b", "a"], [None, "b", "c", "a", "a"]]
    table = [[np.nan if x is None else float(ord(x)) for x in row] for row in rows]
    theirs = krippendorff.alpha(table, level_of_measurement="nominal")
    assert krippendorff_alpha(rows) == pytest.approx(theirs, abs=1e-9)


@given(
    ratings=st.integers(2, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1, max_size=10
        )
    )
)
def test_fleiss_kappa(statsmodels, ratings):
    counts = np.array([[row.count(c) for c in range(4)] for row in ratings])
    found = fleiss_kappa(counts)
    if (counts.sum(axis=0) > 0).sum() == 1:
        assert math.isnan(found)
        return
    assert found == pytest.approx(statsmodels.fleiss_kappa(counts), abs=1e-9)
