"""Saccades: the main sequence, and a course without jumps."""

import numpy as np
import pytest

from gazecode.simulate.eye import Path, minimum_jerk, saccade_duration_ms


def test_duration_is_carpenters_line():
    assert saccade_duration_ms(np.array([0.0, 1.0, 10.0])) == pytest.approx([21, 23.2, 43])


def test_minimum_jerk_starts_and_ends_at_rest():
    way = minimum_jerk(np.linspace(0, 1, 1001))
    speed = np.diff(way) * 1000
    assert (way[0], way[-1]) == (0, 1)
    assert speed[0] < 0.01
    assert speed[-1] < 0.01
    assert speed.max() == pytest.approx(1.875, abs=1e-3)
    assert (np.diff(way) > 0).all()


def test_peak_speed_grows_and_levels_off():
    amplitude = np.array([1.0, 2, 5, 10, 20, 40])
    peak = []
    for a in amplitude:
        duration = float(saccade_duration_ms(np.array([a]))[0])
        path = Path(
            onset_ms=np.array([0.0, 100 + duration]),
            offset_ms=np.array([100.0, 400.0]),
            xy_px=np.array([[0.0, 0], [a, 0]]),
        )
        t = np.arange(0, 300, 0.1)
        peak.append(np.max(np.diff(path.at(t)[:, 0]) / 1e-4))
    print(f"peak speed at {amplitude} deg: {np.round(peak)} deg/s")
    assert (np.diff(peak) > 0).all()
    assert (np.diff(peak) / np.diff(amplitude))[-1] < 0.2 * (np.diff(peak) / np.diff(amplitude))[0]
    assert peak[-1] < 1.875 / 2.2e-3
    # Bahill 1975 has about 300-450 deg/s at 10 deg.
    assert 300 < peak[3] < 500


def test_the_eye_rests_before_and_after():
    path = Path(
        onset_ms=np.array([10.0, 80.0]),
        offset_ms=np.array([50.0, 120.0]),
        xy_px=np.array([[1.0, 2.0], [5.0, 6.0]]),
    )
    at = path.at(np.array([0.0, 10, 49, 50, 65, 80, 120, 999]))
    assert at[:4].tolist() == [[1, 2]] * 4
    assert at[4].tolist() == [3, 4]
    assert at[5:].tolist() == [[5, 6]] * 3
    assert path.events().kind.tolist() == ["fixation", "saccade", "fixation"]
