"""Where runs begin and end, and until when a sample holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection.assembly import mean_place
from gazecode.detection.segments import find_runs
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")


@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(("none", "some", "blinks", "all")),
)
def test_runs_equal_the_loop(clip, slow_runs, seed, clock, losses):
    samples = clip(seed, clock, losses)
    breaks = samples.t_ms[::40].tolist()
    runs = find_runs(samples, breaks_ms=breaks, min_gap_ms=75.0)
    expected, ends = slow_runs(samples, breaks)
    assert runs.end_ms.tolist() == ends
    for run in expected:
        for i in run:
            assert (runs.start[i], runs.stop[i]) == (run[0], run[-1] + 1)
    lost = np.flatnonzero(samples.lost)
    assert (runs.start[lost] == runs.stop[lost]).all()


def test_a_slow_clock_has_longer_gaps_than_a_fast_one():
    slow = Samples(
        t_ms=np.arange(20) * 33.0 + 65.0 * (np.arange(20) >= 10), xy_px=np.zeros((20, 2))
    )
    fast = Samples(t_ms=np.arange(20) * 4.0 + 80.0 * (np.arange(20) >= 10), xy_px=np.zeros((20, 2)))
    assert find_runs(slow, min_gap_ms=75.0).stop[0] == 20
    assert find_runs(fast, min_gap_ms=75.0).stop[0] == 10


def test_a_sample_holds_no_longer_than_until_the_break():
    samples = Samples(t_ms=[0.0, 4.0, 8.0], xy_px=np.zeros((3, 2)), breaks_ms=[9.0])
    runs = find_runs(samples, breaks_ms=[4.0, 5.5], min_gap_ms=75.0)
    assert runs.end_ms.tolist() == [4.0, 5.5, 9.0]
    assert runs.part.tolist() == [0, 1, 2]


def test_the_mean_place_leaves_out_what_was_lost():
    xy = [[1.0, 2.0], [np.nan, np.nan], [3.0, 6.0], [10.0, 10.0]]
    samples = Samples(t_ms=np.arange(4.0), xy_px=xy)
    place = mean_place(samples, np.array([0, 3]), np.array([3, 4]))
    assert place.tolist() == [[2.0, 4.0], [10.0, 10.0]]
    assert mean_place(samples, np.array([], int), np.array([], int)).shape == (0, 2)


def test_breaks_outside_the_recording_change_nothing():
    samples = Samples(t_ms=np.arange(10) * 4.0, xy_px=np.zeros((10, 2)))
    plain = find_runs(samples, min_gap_ms=75.0)
    wide = find_runs(samples, breaks_ms=[-100.0, 0.0, 1e9], min_gap_ms=75.0)
    assert plain.stop.tolist() == wide.stop.tolist()
    assert plain.end_ms == pytest.approx(wide.end_ms)
