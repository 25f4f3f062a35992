"""Earth mover's distance against scipy on a line, and against itself over matrices of costs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import wasserstein_distance

from gazecode.agreement.metrics import emd, sim
from gazecode.errors import DataError, ParameterError

MASS = st.one_of(st.sampled_from([0.0, 0.0, 1.0]), st.floats(1e-3, 10))
PLACE = st.one_of(st.integers(-5, 5).map(float), st.floats(-50, 50))
SIZES = st.integers(1, 8)
PAIRS = SIZES.flatmap(lambda n: arrays(np.float64, (2, n), elements=MASS))
PLACED = SIZES.flatmap(
    lambda n: st.tuples(
        arrays(np.float64, (2, n), elements=MASS), arrays(np.float64, (n,), elements=PLACE)
    )
)
GAPPED = SIZES.flatmap(
    lambda n: arrays(np.float64, (2, 4, n), elements=st.one_of(MASS, st.just(np.nan)))
)


def on_line(places, p, q):
    if not len(p) or p.sum() == 0 or q.sum() == 0:
        return math.nan
    return wasserstein_distance(places, places, p, q)


@given(PAIRS)
def test_over_token_index(pair):
    p, q = pair
    found = emd(p, q)
    assert isinstance(found, float)
    assert found == pytest.approx(on_line(np.arange(len(p)), p, q), abs=1e-9, nan_ok=True)
    if not math.isnan(found):
        difference = np.cumsum(p / p.sum()) - np.cumsum(q / q.sum())
        assert found == pytest.approx(np.abs(difference).sum(), abs=1e-9)


@given(PLACED)
def test_over_positions_in_any_order(placed):
    (p, q), places = placed
    found = emd(p, q, ground="position", positions=places)
    assert found == pytest.approx(on_line(places, p, q), abs=1e-9, nan_ok=True)


@given(GAPPED)
def test_items_are_independent_and_a_missing_unit_takes_its_place(batch):
    p, q = batch
    kept = ~(np.isnan(p) | np.isnan(q))
    place = np.arange(p.shape[1]) ** 2
    for places, given_as in (
        (np.arange(p.shape[1]), {}),
        (place, {"ground": "position", "positions": place}),
    ):
        rows = [on_line(places[k], a[k], b[k]) for a, b, k in zip(p, q, kept, strict=True)]
        assert emd(p, q, **given_as) == pytest.approx(rows, abs=1e-9, nan_ok=True)


def test_an_unknown_position_makes_a_unit_missing():
    found = emd([1, 1, 9], [0, 1, 9], ground="position", positions=[0, 4, np.nan])
    assert found == pytest.approx(2)


@settings(max_examples=40)
@given(PLACED)
def test_a_matrix_of_distances_on_the_line_is_the_line(placed):
    (p, q), places = placed
    cost = np.abs(places[:, None] - places)
    assert emd(p, q, ground=cost) == pytest.approx(on_line(places, p, q), abs=1e-7, nan_ok=True)


@settings(max_examples=40)
@given(PAIRS)
def test_where_every_way_costs_1_it_is_1_minus_sim(pair):
    p, q = pair
    cost = 1.0 - np.eye(len(p))
    assert emd(p, q, ground=cost) == pytest.approx(1 - sim(p, q), abs=1e-7, nan_ok=True)


def test_over_a_tree():
    # Leaves 0, 1 under one parent, 2 under another: 2 and 4 edges apart.
    tree = np.array([[0, 2, 4], [2, 0, 4], [4, 4, 0]])
    assert emd([1, 0, 0], [0, 0.5, 0.5], ground=tree) == pytest.approx(3)
    assert emd([1, np.nan, 0], [0, 0.5, 0.5], ground=tree) == pytest.approx(4)


def test_masses_as_they_stand_must_be_equal():
    assert emd([2, 0], [0, 2], normalise=False) == 2.0
    assert math.isnan(emd([2, 0], [0, 1], normalise=False))
    assert math.isnan(emd([2, 0], [0, 1], normalise=False, ground=[[0, 1], [1, 0]]))
    assert math.isnan(emd([0, 0], [0, 1], ground=[[0, 1], [1, 0]]))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="no 'tree' in ground distances; choose from"):
        emd([1], [1], ground="tree")
    with pytest.raises(ParameterError, match="positions are not given; expected them with"):
        emd([1], [1], ground="position")
    with pytest.raises(ParameterError, match="positions are given; expected them with"):
        emd([1], [1], positions=[1])
    with pytest.raises(DataError, match=r"ground has shape \(2, 3\); expected \(2, 2\) costs"):
        emd([1, 1], [1, 2], ground=np.ones((2, 3)))
    with pytest.raises(DataError, match=r"expected \(2, 2\) costs of at least 0"):
        emd([1, 1], [1, 2], ground=-np.ones((2, 2)))
    with pytest.raises(DataError, match="expected two vectors with a matrix of costs"):
        emd(np.ones((3, 2)), [1, 2], ground=np.ones((2, 2)))
