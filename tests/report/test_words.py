import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.report.words import flatten, number, percent, pixels, printable, seconds

FORBIDDEN = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@given(st.text(st.characters(), max_size=40))
def test_printable_is_legal_xml(text):
    assert not FORBIDDEN.search(printable(text))
    printable(text).encode("utf-8")


@given(st.text(st.characters(), max_size=40))
def test_printable_once_is_enough(text):
    assert printable(printable(text)) == printable(text)


def test_plain_text_is_left_alone():
    text = "für i in «日本» 🙂\n\tx"
    assert printable(text) == text


@given(st.floats(1e-3, 1e7))
def test_number_is_close(value):
    assert float(number(value, 3)) == pytest.approx(value, rel=0.0051)


@given(st.floats(0, 1))
def test_percent_never_rounds_to_the_ends(share):
    text = percent(share)
    assert (text == "0 %") == (share == 0)
    assert (text == "100 %") == (share == 1)


@given(st.floats(-5000, 5000))
def test_pixels_are_close(value):
    assert float(pixels(value)) == pytest.approx(value, abs=0.0501)
    assert pixels(value) != "-0"


def test_unknown_is_a_dash():
    assert {number(None), number(np.inf), percent(np.nan), seconds(np.nan)} == {"—"}


def test_minutes_carry_over():
    assert seconds(179_999.0) == "3 min 00 s"


def test_flatten_speaks_plainly():
    values = {
        "a": {"b": {"c": True}},
        "d": np.float64(0.1 + 0.2),
        "e": [],
        "f": {},
        "g": np.bool_(0),
    }
    assert flatten(values) == [
        ("a.b.c", "yes"),
        ("d", "0.3"),
        ("e", "none"),
        ("f", "none"),
        ("g", "no"),
    ]
    assert flatten({"runs": [{"x": 1, "y": None}]}) == [("runs", "x = 1, y = none")]
