"""Two eyes made one, by the rules of the module's head."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Recording, Samples, join_eyes, runs


def eye(t, xy, name):
    return Samples(t_ms=t, xy_px=xy, eye=name)


def scene(n=400, disparity=(60.0, 50.0), step=4.0):
    """A smooth gaze seen by two eyes a constant disparity apart."""
    t = np.arange(n) * step
    middle = np.stack([500 + 0.1 * t, 300 + 0.05 * t], axis=1)
    half = np.array(disparity) / 2
    return t, middle, middle - half, middle + half


def test_one_lost_eye_makes_no_jump():
    t, middle, left, right = scene()
    right[100:110] = np.nan
    gaze = join_eyes(eye(t, left, "left"), eye(t, right, "right"))
    assert np.allclose(gaze.xy_px, middle)
    assert gaze.breaks_ms.size == 0


def test_the_plain_mean_of_valid_eyes_would_jump():
    # What the rule is there for: half of the disparity, 39 px here.
    _, middle, left, right = scene()
    right[100:110] = np.nan
    naive = np.where(np.isnan(right), left, (left + right) / 2)
    assert np.abs(naive - middle).max() > 25


def test_a_long_stretch_begins_and_ends_with_a_break():
    t, _, left, right = scene()
    left[100:130] = np.nan  # 30 samples of 4 ms: 120 ms
    gaze = join_eyes(eye(t, left, "left"), eye(t, right, "right"))
    assert gaze.breaks_ms.tolist() == [400.0, 520.0]


def test_a_stretch_of_exactly_100_ms_has_no_break():
    t, _, left, right = scene()
    left[100:125] = np.nan
    assert join_eyes(eye(t, left, "left"), eye(t, right, "right")).breaks_ms.size == 0


def test_eyes_that_never_meet_keep_their_places_between_breaks():
    t, _, left, right = scene(10)
    left[5:] = np.nan
    right[:5] = np.nan
    gaze = join_eyes(eye(t, left, "left"), eye(t, right, "right"))
    assert np.allclose(gaze.xy_px[:5], left[:5])
    assert np.allclose(gaze.xy_px[5:], right[5:])
    assert 20.0 in gaze.breaks_ms


def test_lost_in_both_eyes_stays_lost():
    t, _, left, right = scene(20)
    left[3:6] = right[3:6] = np.nan
    assert join_eyes(eye(t, left, "left"), eye(t, right, "right")).lost.sum() == 3


def test_mean_is_lost_where_one_eye_is():
    t, _, left, right = scene(20)
    left[3] = np.nan
    rec = Recording(samples={"left": eye(t, left, "left"), "right": eye(t, right, "right")})
    assert rec.eye("mean").lost.tolist() == [i == 3 for i in range(20)]
    assert not rec.gaze.lost.any()


def test_disparity_is_the_one_around_the_stretch():
    t, middle, left, right = scene(1000)
    right[500:] += 40.0  # the disparity changes half way
    right[900:905] = np.nan
    gaze = join_eyes(eye(t, left, "left"), eye(t, right, "right"))
    assert np.allclose(gaze.xy_px[900:905], middle[900:905] + 20.0)


@given(st.lists(st.booleans(), max_size=40))
def test_runs_agree_with_a_loop(mask):
    expected, start = [], None
    for i, value in enumerate([*mask, False]):
        if value and start is None:
            start = i
        if not value and start is not None:
            expected.append([start, i])
            start = None
    assert runs(np.array(mask, dtype=bool)).tolist() == expected
