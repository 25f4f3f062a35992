"""Mid-ranks against scipy, ties and missing units included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import rankdata

from gazecode.agreement.metrics import mid_ranks

# Few values make ties; None of them is far from another, so that monotone maps stay monotone.
VALUES = st.sampled_from([-2.0, -0.0, 0.0, 0.25, 0.25, 1.0, 3.0, 7.5, np.nan])
MAPS = arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=8), elements=VALUES)


@given(MAPS)
def test_equal_those_of_scipy(x):
    assert np.array_equal(mid_ranks(x), rankdata(x, axis=-1, nan_policy="omit"), equal_nan=True)


@given(MAPS)
def test_units_present_share_all_ranks(x):
    n = (~np.isnan(x)).sum(axis=-1)
    assert np.allclose(np.nansum(mid_ranks(x), axis=-1), n * (n + 1) / 2)


@given(MAPS)
def test_do_not_change_under_a_monotone_map(x):
    assert np.array_equal(mid_ranks(x), mid_ranks(np.exp(x / 4) - 9), equal_nan=True)


def test_of_nothing_are_nothing():
    assert mid_ranks(np.empty((3, 0))).shape == (3, 0)


def test_the_map_stays_as_it_was():
    x = np.array([3.0, 1.0, 2.0])
    mid_ranks(x)
    assert x.tolist() == [3, 1, 2]
