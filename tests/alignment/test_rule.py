"""What weights and attention mean where tokens were never shown, or values are weights already."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from gazecode.alignment import align
from gazecode.alignment.rule import LOSS_WEIGHT
from gazecode.errors import ParameterError

FLAGS = st.lists(st.booleans(), min_size=6, max_size=6)
VALUES = st.lists(st.floats(0, 100), min_size=6, max_size=6)


@pytest.fixture(scope="module")
def pairs():
    """A tokenizer whose pieces lie across the borders of tokens: "bc", "de" of "ab cd ef"."""
    vocabulary = {c: i for i, c in enumerate("abcdefghi")} | {"bcd": 9, "ef": 10, "hi": 11}
    return Tokenizer(models.BPE(vocabulary | {"cd": 12}, [("c", "d"), ("b", "cd"), ("e", "f")]))


SPANS = [(0, 2), (2, 4), (4, 5), (5, 6), (6, 7), (7, 9)]  # ab cd e f g hi


@given(VALUES, FLAGS)
def test_share_loses_no_mass_to_tokens_never_shown(pairs, make, value, shown):
    """Law: the weights of all positions that a shown token owns sum to the values shown."""
    tokens = make.source("abcdefghi", SPANS)
    example = align(make.gaze(value, exposed=shown), tokens, pairs, policy="share")
    assert pairs.encode("abcdefghi").tokens == ["a", "bcd", "ef", "g", "h", "i"]
    owners = [[0], [0, 1], [2, 3], [4], [5], [5]]
    reached = np.array([any(shown[t] for t in row) for row in owners])
    expected = float(np.array(value)[np.array(shown)].sum())
    assert example.weight[reached].sum() == pytest.approx(expected, abs=1e-9)
    assert (example.weight[~reached] == 1.0).all()


def test_share_where_a_token_never_shown_has_the_larger_part(pairs, make):
    tokens = make.source("abcdefghi", SPANS)
    weights = make.gaze([4, 9, 0, 0, 0, 0], exposed=[True, False, True, True, True, True])
    example = align(weights, tokens, pairs, policy="share")
    assert example.token_index.tolist() == [0, 1, 2, 4, 5, 5]
    assert example.weight.tolist() == [2, 2, 0, 0, 0, 0]
    neutral = align(weights, tokens, pairs, policy="inherit")
    assert neutral.weight.tolist() == [4, 1, 0, 0, 0, 0]


@given(VALUES, FLAGS)
def test_attention_of_loss_weights_lies_on_the_path_alone(pairs, make, value, on_path):
    tokens = make.source("abcdefghi", SPANS)
    value = np.where(on_path, 1.0 + np.array(value), 1.0)
    weights = make.gaze(value, on_path=on_path, scheme="eyemulator", unit=LOSS_WEIGHT)
    example = align(weights, tokens, pairs)
    gaze = make.gaze(np.where(on_path, value, 0.0), on_path=on_path)
    np.testing.assert_array_equal(example.attention, align(gaze, tokens, pairs).attention)
    assert example.attention.sum() == pytest.approx(1.0 if any(on_path) else 0.0)
    assert example.report["no_signal"] is (not any(on_path))
    np.testing.assert_array_equal(example.weight, value[[0, 1, 2, 4, 5, 5]])


def test_other_units_count_wherever_there_is_a_value(pairs, make):
    tokens = make.source("abcdefghi", SPANS)
    example = align(make.gaze([1] * 6, on_path=[False] * 6), tokens, pairs)
    assert example.attention.sum() == pytest.approx(1.0)


@given(VALUES, FLAGS)
def test_mean_one_keeps_the_ratios(pairs, make, value, shown):
    """Presets are compared at one step size."""
    tokens = make.source("abcdefghi", SPANS)
    value = 1.0 + np.array(value)
    weights = make.gaze(value, exposed=shown, unit=LOSS_WEIGHT)
    raw = align(weights, tokens, pairs)
    example = align(weights, tokens, pairs, mean_one=True)
    reached = np.array(shown)[[0, 1, 2, 4, 5, 5]]
    assert (example.weight[~reached] == 1.0).all()
    if reached.any():
        assert example.weight[reached].mean() == pytest.approx(1.0, abs=1e-12)
        ratio = raw.weight[reached] / raw.weight[reached].mean()
        np.testing.assert_allclose(example.weight[reached], ratio)
    assert example.report["clipped_share"] == 0.0
    assert example.example_id != raw.example_id


def test_mean_one_of_nothing_is_neutral(pairs, make):
    tokens = make.source("abcdefghi", SPANS)
    example = align(make.gaze([0] * 6), tokens, pairs, mean_one=True)
    assert (example.weight == 1.0).all()
    assert example.report["no_signal"] is True


def test_with_a_strength_the_mean_is_one_in_any_case(pairs, make):
    tokens = make.source("abcdefghi", SPANS)
    weights = make.gaze([1, 2, 3, 4, 5, 6])
    plain = align(weights, tokens, pairs, strength=0.5)
    np.testing.assert_array_equal(
        align(weights, tokens, pairs, strength=0.5, mean_one=True).weight, plain.weight
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strength": "abc"}, "align: strength is 'abc'; expected a number"),
        ({"strength": float("nan")}, "strength is nan; expected 0 (plain training) to 1, or None"),
        ({"max_ratio": "5"}, "align: max_ratio is '5'; expected a number"),
        ({"mean_one": 1}, "align: mean_one is 1; expected true or false"),
        ({"policy": ["share"]}, "align: policy is ['share']; expected a text"),
    ],
)
def test_values_of_another_kind(pairs, make, given, message):
    tokens = make.source("abcdefghi", SPANS)
    with pytest.raises(ParameterError) as error:
        align(make.gaze([1.0] * 6), tokens, pairs, **given)
    assert str(error.value) == message
