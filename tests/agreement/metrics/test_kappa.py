"""Kappas against their tables written out, and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.agreement.metrics import binary_kappa, cohen_kappa, fleiss_kappa
from gazecode.errors import DataError, ParameterError

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30)


def by_table(a, b, weight):
    names = sorted({*a, *b})
    n = len(a)
    table = np.zeros((len(names), len(names)))
    for x, y in zip(a, b, strict=True):
        table[names.index(x), names.index(y)] += 1
    w = np.array([[weight(i, j) for j in range(len(names))] for i in range(len(names))])
    if not n:
        return math.nan
    expected = (w * np.outer(table.sum(axis=1), table.sum(axis=0))).sum() / n
    return 1 - (w * table).sum() / expected if expected else math.nan


WEIGHTS = {
    None: lambda i, j: float(i != j),
    "linear": lambda i, j: abs(i - j),
    "quadratic": lambda i, j: (i - j) ** 2,
}


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
@given(pairs=PAIRS)
def test_is_the_table_of_both_raters(weights, pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    expected = by_table(a, b, WEIGHTS[weights])
    found = cohen_kappa(a, b, weights=weights)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)
    texts = cohen_kappa(["wxyz"[x] for x in a], ["wxyz"[y] for y in b], weights=weights)
    assert texts == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert cohen_kappa(b, a, weights=weights) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_items_share_the_categories_and_nothing_else(weights):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 6, 25)).astype(float)
    a[rng.random(a.shape) < 0.1] = np.nan
    table = cohen_kappa(a[:, None], b, weights=weights)
    assert table.shape == (6, 6)
    for i, j in np.ndindex(6, 6):
        kept = ~np.isnan(a[i])
        one = cohen_kappa(a[i][kept], b[j][kept], weights=weights, categories=range(4))
        assert table[i, j] == pytest.approx(one, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_counts_of_two_codes_are_enough(pairs):
    a, b = np.array(pairs, dtype=bool).reshape(-1, 2).T
    cells = [(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]
    expected = by_table(a.tolist(), b.tolist(), WEIGHTS[None])
    assert binary_kappa(*cells) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert cohen_kappa(a, b) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert cohen_kappa(a.astype(int), b) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    stacked = cohen_kappa(np.stack([a, b]), np.stack([b, b]))
    assert stacked == pytest.approx([expected, cohen_kappa(b, b)], abs=1e-12, nan_ok=True)


def test_a_worked_example():
    # Both accept 20, both reject 15, of 50: po = .7, pe = .5.
    assert binary_kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert binary_kappa(20, 0, 0, 15) == 1.0
    assert math.isnan(binary_kappa(20, 0, 0, 0))
    assert math.isnan(binary_kappa(0, 0, 0, 0))
    assert binary_kappa(0, 20, 0, 0) == 0.0


def test_independent_raters_have_about_0():
    rng = np.random.default_rng(1)
    found = cohen_kappa(rng.integers(0, 3, (400, 50)), rng.integers(0, 3, (400, 50)))
    assert found.mean() == pytest.approx(0, abs=3 * found.std() / 20)


def test_the_order_of_categories_decides_weights():
    order = ["low", "mid", "high"]
    a, b = ["low", "mid", "high", None], ["mid", "mid", "high", "low"]
    as_numbers = cohen_kappa([0, 1, 2], [1, 1, 2], weights="quadratic")
    assert cohen_kappa(a, b, weights="quadratic", categories=order) == pytest.approx(as_numbers)
    assert cohen_kappa(a, b, categories=order) == pytest.approx(cohen_kappa(a, b))
    # Categories that nobody used widen the distances between the others.
    apart = cohen_kappa([0, 5, 9], [0, 9, 9], weights="linear", categories=range(10))
    assert apart != pytest.approx(cohen_kappa([0, 5, 9], [0, 9, 9], weights="linear"))


def test_missing_ratings_are_left_out_pairwise():
    assert math.isnan(cohen_kappa(["a", None], [None, "a"]))
    assert math.isnan(cohen_kappa([], []))
    assert cohen_kappa(["a", None, "b"], ["a", "b", "b"]) == 1.0


# J. L. Fleiss's measure over 14 raters, 10 items, 5 categories: .210.
FOURTEEN = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_fleiss_worked_example():
    assert fleiss_kappa(FOURTEEN) == pytest.approx(0.210, abs=5e-4)
    gap = [*FOURTEEN, [math.nan] * 5]
    assert fleiss_kappa(gap) == pytest.approx(fleiss_kappa(FOURTEEN), abs=1e-12)
    both = fleiss_kappa(np.stack([FOURTEEN, FOURTEEN]))
    assert both == pytest.approx([fleiss_kappa(FOURTEEN)] * 2, abs=1e-12)


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=12))
def test_fleiss_is_its_formula(ratings):
    counts = np.array([[row.count(c) for c in range(4)] for row in ratings], dtype=float)
    items, n = len(ratings), 4
    share = counts.sum(axis=0) / (items * n)
    agreement = np.mean([((row**2).sum() - n) / (n * (n - 1)) for row in counts])
    chance = (share**2).sum()
    found = fleiss_kappa(counts)
    assert isinstance(found, float)
    if (share > 0).sum() == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx((agreement - chance) / (1 - chance), abs=1e-12)


def test_fleiss_of_one_rater_or_nothing_is_undefined():
    assert math.isnan(fleiss_kappa([[1, 0], [0, 1]]))
    assert math.isnan(fleiss_kappa(np.empty((0, 3))))
    # Three categories, one of them used: 1 - chance is rounding, not room.
    assert math.isnan(fleiss_kappa([[0, 7, 0]] * 3))


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match=r"units on the last axis: a 2, b 3; expected the same"):
        cohen_kappa([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match=r"units on the last axis: a 1, b 2; expected the same"):
        cohen_kappa(np.ones(1, bool), np.ones(2, bool))
    with pytest.raises(DataError, match="a and b are single ratings"):
        cohen_kappa(1, 2)
    with pytest.raises(DataError, match="'c' is not among the categories"):
        cohen_kappa(["a", "c"], ["a", "b"], categories=["a", "b"])
    with pytest.raises(ParameterError, match="no 'cubic' in weights; choose from"):
        cohen_kappa([1], [1], weights="cubic")
    with pytest.raises(DataError, match="items have 2 to 3 raters; expected the same number"):
        fleiss_kappa([[1, 2], [1, 1]])
    with pytest.raises(DataError, match="a count is -1; expected how many raters"):
        fleiss_kappa([[3, -1], [1, 1]])
    with pytest.raises(DataError, match=r"counts have shape \(2,\); expected items x categories"):
        fleiss_kappa([1, 2])
