"""Krippendorff's alpha against its published example and the coincidence matrix written out."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.agreement.metrics import alpha as module
from gazecode.agreement.metrics import binary_alpha, krippendorff_alpha
from gazecode.errors import DataError, ParameterError

LEVELS = ("nominal", "ordinal", "interval", "ratio")
RATING = st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0, np.nan, np.nan])
TABLES = st.tuples(st.integers(2, 4), st.integers(0, 8)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=RATING)
)


def by_coincidences(table, level):
    """The definition, cell by cell."""
    values = sorted({x for x in table.ravel() if not math.isnan(x)})
    o = np.zeros((len(values), len(values)))
    for unit in table.T:
        codes = [values.index(x) for x in unit if not math.isnan(x)]
        for a, b in itertools.permutations(range(len(codes)), 2):
            o[codes[a], codes[b]] += 1 / (len(codes) - 1)
    total = o.sum(axis=0)
    n = total.sum()

    def distance(c, k):
        if level == "nominal":
            return float(c != k)
        if level == "ordinal":
            low, high = min(c, k), max(c, k)
            return (total[low : high + 1].sum() - (total[c] + total[k]) / 2) ** 2
        difference = values[c] - values[k]
        if level == "interval":
            return difference**2
        both = values[c] + values[k]
        return (difference / both) ** 2 if both else 0.0

    pairs = list(itertools.product(range(len(values)), repeat=2))
    observed = sum(o[c, k] * distance(c, k) for c, k in pairs)
    expected = sum(total[c] * total[k] * distance(c, k) for c, k in pairs if c != k)
    return 1 - (n - 1) * observed / expected if expected else math.nan


_ = None
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


@pytest.mark.parametrize(
    ("level", "printed"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_the_published_example(level, printed):
    # K. Krippendorff 2011, Computing Krippendorff's alpha-reliability, section C and D.
    assert krippendorff_alpha(PUBLISHED, level=level) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("level", LEVELS)
@given(table=TABLES)
def test_is_the_coincidence_matrix(level, table):
    found = krippendorff_alpha(table, level=level)
    assert isinstance(found, float)
    assert found == pytest.approx(by_coincidences(table, level), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("level", LEVELS)
@given(table=TABLES)
def test_order_of_raters_and_units_does_not_matter(level, table):
    found = krippendorff_alpha(table, level=level)
    turned = krippendorff_alpha(table[::-1, ::-1], level=level)
    assert turned == pytest.approx(found, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("level", LEVELS)
@given(rating=st.lists(st.sampled_from([0, 1, 2, 0.1]), max_size=9))
def test_raters_who_agree_have_1_unless_all_is_one_value(level, rating):
    found = krippendorff_alpha(rating, rating, level=level)
    if len(set(rating)) < 2:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(1, abs=1e-12)
        three = krippendorff_alpha([rating] * 3, level=level)
        assert three == pytest.approx(1, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_counts_of_two_codes_are_enough(pairs):
    a, b = np.array(pairs, dtype=bool).reshape(-1, 2).T
    cells = [(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]
    found = binary_alpha(*cells)
    assert isinstance(found, float)
    assert found == pytest.approx(krippendorff_alpha(a, b), abs=1e-12, nan_ok=True)
    stacked = binary_alpha(*np.array([cells, [5, 1, 2, 9]]).T)
    assert stacked == pytest.approx([found, binary_alpha(5, 1, 2, 9)], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("level", ["ordinal", "interval", "ratio"])
def test_independent_raters_have_about_0(level):
    rng = np.random.default_rng(3)
    found = [krippendorff_alpha(rng.integers(0, 4, (3, 60)), level=level) for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=3 * np.std(found) / math.sqrt(200))


def test_pooling_texts_of_different_length_makes_agreement_out_of_chance():
    # Five of each text's tokens, chosen blindly, among 10 or among 100.
    rng = np.random.default_rng(4)
    counts = []
    for n in [10, 100] * 100:
        human, model = np.zeros((2, n), dtype=bool)
        human[rng.choice(n, 5, replace=False)] = True
        model[rng.choice(n, 5, replace=False)] = True
        both = int((human & model).sum())
        counts.append((both, 5 - both, 5 - both, n - 10 + both))
    per_text = binary_alpha(*np.array(counts).T)
    pooled = binary_alpha(*np.sum(counts, axis=0))
    assert abs(np.mean(per_text)) < 0.06
    assert pooled > 0.15


def test_nominal_takes_texts_and_large_numbers():
    assert krippendorff_alpha(["a", "b", None], ["a", "c", "a"]) == krippendorff_alpha(
        [0, 1, np.nan], [0, 2, 0]
    )
    big = 2**60
    assert krippendorff_alpha([big, big + 1], [big, big + 1]) == 1.0
    assert krippendorff_alpha(np.array([True, False]), np.array([True, False])) == 1.0


@pytest.mark.parametrize("level", ["interval", "ordinal", "ratio"])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_size_does_not_matter(level, scale):
    rows = np.array([[1, 2, 3, 5.0], [1, 2, 4, 4.0]])
    found = krippendorff_alpha(rows * scale, level=level)
    assert found == pytest.approx(krippendorff_alpha(rows, level=level), abs=1e-9)


def test_ratio_in_blocks(monkeypatch):
    rng = np.random.default_rng(5)
    rows = rng.random((3, 40))
    whole = krippendorff_alpha(rows, level="ratio")
    monkeypatch.setattr(module, "BLOCK", 300)
    assert krippendorff_alpha(rows, level="ratio") == pytest.approx(whole, abs=1e-12)


def test_as_many_values_as_ratings_need_no_table_of_them():
    # Distinct values by distinct values would be 60 GB.
    rng = np.random.default_rng(6)
    a = rng.random(60_000)
    b = np.where(rng.random(60_000) < 0.5, a, rng.random(60_000))
    for level in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(a, b, level=level) == pytest.approx(0.5, abs=0.02)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match=r"shapes \(2,\) and \(3,\); expected the same units"):
        krippendorff_alpha([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match=r"shape \(3,\); expected raters x units, or two vec"):
        krippendorff_alpha([1, 2, 3])
    with pytest.raises(DataError, match=r"ratings are no table: .*; expected rows of one length"):
        krippendorff_alpha([[1, 2, 3], [1, 2]])
    with pytest.raises(DataError, match=r"a rating is 'a'; expected numbers at level 'ordinal'"):
        krippendorff_alpha(["a", "b"], ["b", "b"], level="ordinal")
    with pytest.raises(DataError, match=r"a rating is -1; expected 0 or more at level 'ratio'"):
        krippendorff_alpha([-1, 2], [1, 2], level="ratio")
    with pytest.raises(DataError, match="expected numbers or texts"):
        krippendorff_alpha(np.array([{}, 1], dtype=object), np.array([1, 2], dtype=object))
    with pytest.raises(ParameterError, match="no 'Nominal' in levels; choose from: interval, nom"):
        krippendorff_alpha([1, 2], [1, 2], level="Nominal")
