"""Gates: limits, words, and what is not judged."""

import math

import pytest

from gazecode.errors import ParameterError
from gazecode.quality import Gates

GOOD = {
    "loss": 0.1,
    "n_valid": 5000,
    "duration_ms": 20000.0,
    "rate_hz": 250.0,
    "off_screen": 0.01,
    "std_deg": 0.1,
    "rms_s2s_deg": 0.05,
    "gap_longest_ms": 900.0,
    "disparity_lines": 0.4,
}


def test_good_figures_pass():
    assert Gates().failures(GOOD) == {}


@pytest.mark.parametrize(
    ("gates", "figure", "words"),
    [
        (Gates(), {"loss": 0.41}, "loss is 41 % (allowed: at most 40 %)"),
        (Gates(), {"n_valid": 19}, "valid samples: 19 (needed: at least 20)"),
        (Gates(), {"duration_ms": 499.0}, "duration is 499 ms (needed: at least 500 ms)"),
        (Gates(), {"rate_hz": 14.1386}, "rate is 14.14 Hz (needed: at least 25 Hz)"),
        (Gates(), {"off_screen": 0.807}, "gaze off the screen: 80.7 % (allowed: at most 50 %)"),
        (Gates(), {"std_deg": 1.5}, "spread within 100 ms is 1.5 deg (allowed: at most 1 deg)"),
        (
            Gates(max_rms_s2s_deg=0.01),
            {},
            "RMS of steps within 100 ms is 0.05 deg (allowed: at most 0.01 deg)",
        ),
        (Gates(max_gap_ms=500), {}, "longest gap is 900 ms (allowed: at most 500 ms)"),
        (
            Gates(),
            {"disparity_lines": 3.5},
            "vertical distance of the eyes is 3.5 lines (allowed: at most 3 lines)",
        ),
    ],
)
def test_each_gate_says_what_and_how_much(gates, figure, words):
    assert list(gates.failures(GOOD | figure).values()) == [words]


def test_a_limit_itself_passes():
    assert Gates().failures(GOOD | {"loss": 0.4, "n_valid": 20, "rate_hz": 25.0}) == {}


def test_unknown_figures_are_not_judged():
    assert Gates().failures({"loss": None, "std_deg": math.nan}) == {}


def test_none_switches_a_gate_off():
    assert Gates(max_loss=None).failures(GOOD | {"loss": 1.0}) == {}


@pytest.mark.parametrize("value", [-1, math.nan, "0.4", True])
def test_a_limit_that_is_no_number_is_refused(value):
    with pytest.raises(ParameterError) as caught:
        Gates(max_loss=value)
    assert str(caught.value) == (
        f"Gates.max_loss is {value!r}; expected a number of 0 or more, or None to switch it off"
    )
