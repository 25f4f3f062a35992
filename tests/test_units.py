"""Angles and intervals against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Screen
from gazecode.units import angle_deg, px_to_deg, sample_end_ms, step_ms

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
point = st.tuples(st.floats(-500, 2500), st.floats(-500, 1600))


def direction(px):
    """Unit vector of gaze on a point, straight from the geometry."""
    x = (px[0] - 960) * 509 / 1920
    y = (px[1] - 540) * 286 / 1080
    return np.array([x, y, 650.0]) / math.sqrt(x * x + y * y + 650.0**2)


@given(point, point)
def test_angle_equals_the_angle_between_gaze_vectors(a, b):
    ours = angle_deg(px_to_deg([a], SCREEN), px_to_deg([b], SCREEN))[0]
    u, v = direction(a), direction(b)
    exact = math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(u - v)) / 2)))
    assert ours == pytest.approx(exact, abs=1e-6)


def test_unknown_geometry_uses_the_stated_scale():
    bare = Screen(width_px=100, height_px=100)
    assert px_to_deg([[50, 90]], bare, px_per_deg=20).tolist() == [[0.0, 2.0]]


def test_lost_gaze_stays_lost():
    assert np.isnan(px_to_deg([[np.nan, np.nan]], SCREEN)).all()


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=30))
def test_samples_end_at_the_next_one_or_at_the_cap(steps):
    t = np.concatenate([[0.0], np.cumsum(steps)])
    cap = 1.5 * np.median(np.diff(t))
    end = sample_end_ms(t)
    for i in range(len(t) - 1):
        assert end[i] == pytest.approx(min(t[i + 1], t[i] + cap))
    assert end[-1] == pytest.approx(t[-1] + cap)
    assert (end > t).all()


def test_step_of_too_few():
    assert math.isnan(step_ms([]))
    assert math.isnan(step_ms([3.0]))
