"""Exposure: how long a token was on the screen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.mapping.view import exposure_ms
from gazecode.model import Events, Layout

BOXES = [[0, 0, 40, 20], [0, 50, 40, 70], [0, 100, 40, 120]]


def layout(**more):
    return Layout(
        boxes=BOXES, token=[0, 1, 1], line=[0, 1, 2], n_tokens=3, line_height_px=20, **more
    )


def events(*intervals):
    onset, offset = zip(*intervals, strict=True)
    return Events(
        kind=["fixation"] * len(onset),
        onset_ms=onset,
        offset_ms=offset,
        xy_px=[[0, 0]] * len(onset),
    )


def test_an_open_interval_is_closed_by_the_fixations():
    assert exposure_ms(events((100, 300), (400, 900)), layout()).tolist() == [800, 800, 0]
    assert exposure_ms(events((100, 300)), layout(offset_ms=1000.0)).tolist() == [900, 900, 0]
    assert exposure_ms(Events.empty(), layout()).tolist() == [0, 0, 0]


def test_a_known_interval_needs_no_fixations():
    assert exposure_ms(Events.empty(), layout(onset_ms=0.0, offset_ms=50.0)).tolist() == [50, 50, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(-100, 100)), max_size=6, unique_by=lambda r: r[0]
    ),
    st.integers(0, 30),
    st.integers(31, 60),
)
def test_equals_looking_every_millisecond(changes, onset, offset):
    changes.sort()
    lay = layout(
        onset_ms=float(onset),
        offset_ms=float(offset),
        scroll_t_ms=[float(t) for t, _ in changes],
        scroll_px=np.array([(0, y) for _, y in changes], float).reshape(-1, 2),
        viewport_px=(0, 0, 100, 60),
    )
    expected = [0, 0, 0]
    for t in range(onset, offset):
        scroll = ([y for at, y in changes if at <= t] or [0])[-1]
        seen = {
            k for k, b in zip([0, 1, 1], BOXES, strict=True) if 0 <= (b[1] + b[3]) / 2 - scroll < 60
        }
        for token in seen:
            expected[token] += 1
    assert exposure_ms(Events.empty(), lay).tolist() == expected
