"""Speed on real clocks."""

import numpy as np
import pytest

from gazecode.detection.segments import find_runs
from gazecode.detection.velocity import directions, speed_deg_s
from gazecode.model import Samples


def speed(samples, screen=None, *, window_ms=20.0, breaks_ms=()):
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=75.0)
    gaze = directions(samples, screen, px_per_deg=40.0)
    return speed_deg_s(samples.t_ms, gaze, runs, window_ms=window_ms)


@pytest.mark.parametrize(
    "t",
    [
        np.arange(60) * 1000 / 60,
        np.arange(60) * 1000 / 1200,
        np.cumsum(np.tile([8.0, 9.0], 30)),
        np.sort(np.random.default_rng(1).uniform(0, 600, 60)),
        np.arange(60) // 3 * 25.0 + np.arange(60) % 3 * 0.05,
    ],
    ids=["60 Hz", "1200 Hz", "8 and 9 ms", "random", "bursts"],
)
def test_uniform_motion_has_its_speed_on_every_clock(t):
    samples = Samples(t_ms=t, xy_px=np.stack([40.0 * 0.1 * t, 0 * t], axis=1))
    assert speed(samples) == pytest.approx(100.0)


def test_a_step_across_a_gap_a_loss_or_a_break_has_no_speed():
    t = np.concatenate((np.arange(100), 1049.0 + np.arange(100)))
    x = np.repeat([300.0, 500.0], 100)
    assert not speed(Samples(t_ms=t, xy_px=np.stack([x, x], axis=1))).any()
    near = Samples(t_ms=np.arange(200.0), xy_px=np.stack([x, x], axis=1))
    assert speed(near).max() > 100
    assert not speed(near, breaks_ms=[99.5]).any()
    x[99] = np.nan
    lost = speed(Samples(t_ms=np.arange(200.0), xy_px=np.stack([x, x], axis=1)))
    assert np.isnan(lost[99])
    assert not np.delete(lost, 99).any()


def test_a_sample_alone_has_no_speed():
    x = [1.0, np.nan, 2.0, np.nan, 3.0, 4.0]
    samples = Samples(t_ms=np.arange(6) * 4.0, xy_px=np.stack([x, x], axis=1))
    assert np.isnan(speed(samples)).tolist() == [True, True, True, True, False, False]


def test_noise_in_a_burst_of_stamps_is_not_speed():
    t = np.arange(300) // 3 * 25.0 + np.arange(300) % 3 * 0.05
    xy = np.random.default_rng(2).normal(500, 0.05 * 40, (300, 2))
    assert speed(Samples(t_ms=t, xy_px=xy)).max() < 30.0


def test_the_angle_is_that_between_lines_of_sight(screen):
    # From the centre to 50.9 mm right of it at 650 mm, in 20 ms.
    x = np.array([960.0, 960.0, 1152.0])
    samples = Samples(t_ms=[0.0, 10.0, 20.0], xy_px=np.stack([x, np.full(3, 540.0)], axis=1))
    angle = np.degrees(np.arctan2(50.9, 650.0))
    assert speed(samples, screen)[1] == pytest.approx(angle / 0.020)
    # Far from the centre the same width is a smaller angle.
    high = Samples(t_ms=samples.t_ms, xy_px=np.stack([x, np.full(3, 40.0)], axis=1))
    assert speed(high, screen)[1] < 0.98 * angle / 0.020
