"""From value to loss weight."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazecode.alignment.strength import check_strength, loss_weights
from gazecode.errors import ParameterError

VALUES = hnp.arrays(np.float64, 12, elements=st.floats(0, 1e6, allow_subnormal=False))
FLAGS = hnp.arrays(np.bool_, 12)
STRENGTHS = st.floats(0, 1)


@given(VALUES, FLAGS, STRENGTHS)
def test_mean_is_one_and_every_other_position_exactly_one(value, weighable, strength):
    weight = loss_weights(value, weighable, strength=strength).weight
    assert (weight[~weighable] == 1.0).all()
    assert np.isfinite(weight).all()
    if weighable.any():
        assert weight[weighable].mean() == pytest.approx(1.0, abs=1e-12)


@given(VALUES, FLAGS)
def test_strength_0_is_plain_training(value, weighable):
    assert (loss_weights(value, weighable, strength=0.0).weight == 1.0).all()


@given(VALUES, FLAGS, STRENGTHS, st.floats(1e-3, 1e3))
def test_the_unit_of_the_value_does_not_matter(value, weighable, strength, scale):
    once = loss_weights(value, weighable, strength=strength).weight
    scaled = loss_weights(value * scale, weighable, strength=strength).weight
    np.testing.assert_allclose(scaled, once, rtol=1e-9)


@given(VALUES, STRENGTHS)
def test_more_gaze_never_weighs_less(value, strength):
    weight = loss_weights(value, np.ones(12, bool), strength=strength).weight
    assert (np.diff(weight[np.argsort(value)]) >= -1e-12).all()


@given(VALUES, FLAGS)
def test_the_rule_written_out(value, weighable):
    assume(value[weighable].sum() > 0)
    made = loss_weights(value, weighable, strength=0.7, max_ratio=2.0)
    v = value[weighable]
    raw = [0.3 + 0.7 * x / (sum(v) / len(v)) for x in v]
    cut = [min(w, 2.0) for w in raw]
    np.testing.assert_allclose(made.weight[weighable], np.array(cut) / (sum(cut) / len(cut)))
    assert made.clipped_share == sum(w > 2.0 for w in raw) / len(raw)


def test_one_token_with_all_the_gaze_is_clipped():
    value = np.zeros(20)
    value[3] = 8.0
    made = loss_weights(value, np.ones(20, bool), strength=1.0)
    # The raw weight of 20 is cut to 5; the mean of 0.25 is brought back to 1 by a factor of 4.
    assert made.clipped_share == 0.05
    assert made.weight.tolist() == [20.0 if i == 3 else 0.0 for i in range(20)]
    half = loss_weights(value, np.ones(20, bool), strength=0.5)
    assert half.weight[3] == pytest.approx(5.0 / (0.5 * 19 + 5.0) * 20)


@pytest.mark.parametrize(
    "weighable", [np.zeros(3, bool), np.array([True, True, False])], ids=["nothing", "no gaze"]
)
def test_no_signal_gives_ones_and_says_so(weighable):
    made = loss_weights(np.array([0.0, 0.0, 7.0]), weighable, strength=0.5)
    assert made.no_signal
    assert made.weight.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("strength", "max_ratio", "message"),
    [
        (-0.1, 5.0, "strength is -0.1; expected 0 (plain training) to 1, or None"),
        (float("nan"), 5.0, "strength is nan; expected 0 (plain training) to 1, or None"),
        (0.5, 1.0, "max_ratio is 1.0; expected a number above 1"),
    ],
)
def test_refused(strength, max_ratio, message):
    with pytest.raises(ParameterError) as error:
        check_strength(strength, max_ratio)
    assert str(error.value) == message
