import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.report.colour import LEVELS
from gazecode.report.scale import WeightScale, log_ticks, nice_step, ticks

positive = st.floats(1e-6, 1e9)


@given(positive)
def test_nice_step_is_near(least):
    step = nice_step(least)
    assert least * (1 - 1e-9) <= step <= 2.5 * least


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_levels_follow_values(values):
    value = np.array(values)
    levels = WeightScale.of(value).levels(value)
    assert ((levels == 0) == (value == 0)).all()
    assert levels.max() <= LEVELS
    order = np.argsort(value, kind="stable")
    assert (np.diff(levels[order]) >= 0).all()


def test_a_value_on_an_edge_belongs_below():
    scale = WeightScale(step=0.1, open_ended=False)
    assert scale.levels(np.array([0.1, 0.3, 0.300001, 0.8])).tolist() == [1, 3, 4, 8]
    assert scale.edges == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def test_one_stare_does_not_bleach_the_rest():
    value = np.array([100.0] * 60 + [60_000.0])
    scale = WeightScale.of(value)
    assert scale.open_ended
    assert scale.levels(value)[0] >= LEVELS / 2


def test_nothing_looked_at():
    assert WeightScale.of(np.zeros(3)).levels(np.zeros(3)).tolist() == [0, 0, 0]


@given(st.floats(0, 1e6), positive)
def test_ticks_lie_inside(low, width):
    got = ticks(low, low + width)
    assert len(got) <= 8
    assert all(low - 1e-6 * width <= t <= low + width * (1 + 1e-6) + 1e-9 for t in got)


def test_log_ticks_of_a_narrow_range():
    assert log_ticks(4.0, 12.0) == [5.0, 10.0]


@pytest.mark.parametrize("low", [0.0, 5.0])
def test_ticks_of_nothing(low):
    assert ticks(low, low) == [low]
