"""Loss and clock: rows without gaze, rows that are not there, pauses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Samples
from gazecode.quality.timing import pool, sample_interval_ms, timing


def figures(t, lost=(), span=None, *, interval=10.0, rows=False):
    t = np.asarray(t, dtype=float)
    xy = np.ones((len(t), 2))
    xy[list(lost)] = np.nan
    span = span or (t[0], t[-1] + interval)
    samples = Samples(t_ms=t, xy_px=xy)
    part = timing(samples, *span, interval_ms=interval, has_lost_rows=rows)
    return pool([part], interval_ms=interval)


@pytest.mark.parametrize("rate_hz", [30, 60, 120, 250, 300, 500, 1200])
def test_interval_of_rounded_stamps(rate_hz):
    t = np.unique(np.floor(np.arange(5000) * 1000 / rate_hz))
    if rate_hz <= 1000:
        assert 1000 / sample_interval_ms(t) == pytest.approx(rate_hz, rel=0.002)


def test_interval_is_not_moved_by_gaps_and_jitter():
    rng = np.random.default_rng(1)
    t = np.arange(4000) * 16.0 + rng.normal(0, 1.5, 4000)
    kept = rng.random(4000) > 0.2
    assert sample_interval_ms(t[kept]) == pytest.approx(16.0, rel=0.01)


def test_interval_of_nothing_is_unknown():
    assert math.isnan(sample_interval_ms([]))
    assert math.isnan(sample_interval_ms([5.0]))


def test_rows_without_gaze_and_absent_rows_both_count():
    found = figures([0, 10, 20, 50, 60], lost=[1])
    assert (found["n_samples"], found["n_invalid"], found["n_absent"]) == (5, 1, 2)
    assert found["loss"] == pytest.approx(3 / 7)
    assert (found["gap_count"], found["gap_longest_ms"]) == (2, 20)


def test_what_is_missing_at_the_edges_counts():
    found = figures([50, 60, 70], span=(0.0, 100.0))
    assert found["n_absent"] == 7
    assert found["loss"] == pytest.approx(0.7)
    assert found["gap_longest_ms"] == 50


@given(st.floats(0.05, 0.9), st.integers(0, 99), st.sampled_from(["nan", "absent"]))
def test_loss_is_the_same_however_it_is_written(share, seed, how):
    rng = np.random.default_rng(seed)
    t = np.arange(2000) * 4.0
    lost = rng.random(2000) < share
    lost[[0, -1]] = False
    span = (0.0, 8000.0)
    if how == "nan":
        found = figures(t, np.flatnonzero(lost), span, interval=4.0, rows=True)
    else:
        found = figures(t[~lost], (), span, interval=4.0)
    assert found["loss"] == pytest.approx(lost.mean(), abs=1e-9)
    assert found["loss_from_expected"] == pytest.approx(lost.mean(), abs=1e-9)


def test_a_pause_is_no_loss_where_lost_gaze_has_rows():
    t = np.concatenate([np.arange(100) * 10.0, 60000 + np.arange(100) * 10.0])
    said = figures(t, lost=[5], rows=True)
    assert said["paused_ms"] == 60000 - 990 - 10
    assert said["loss"] == pytest.approx(1 / 200)
    assert said["gap_longest_ms"] == 10
    silent = figures(t)
    assert silent["paused_ms"] == 0
    assert silent["loss"] == pytest.approx(1 - 200 / 6100)
    assert silent["gap_longest_ms"] == 60000 - 990 - 10


def test_effective_rate_is_valid_samples_over_time():
    assert figures(np.arange(100) * 10.0, lost=range(50))["effective_hz"] == pytest.approx(50)


def test_jitter_leaves_gaps_out():
    t = np.cumsum([0, 9, 11, 9, 11, 9, 11, 400, 9, 11])
    assert figures(t)["step_sd_ms"] == pytest.approx(1.0)


def test_several_stretches_are_pooled():
    one = Samples(t_ms=[0.0, 10, 20], xy_px=[[1, 1]] * 3)
    two = Samples(t_ms=[1000.0, 1040], xy_px=[[1, 1], [np.nan, np.nan]])
    parts = [
        timing(one, 0.0, 30.0, interval_ms=10.0, has_lost_rows=False),
        timing(two, 1000.0, 1050.0, interval_ms=10.0, has_lost_rows=False),
    ]
    found = pool(parts, interval_ms=10.0)
    assert (found["duration_ms"], found["n_valid"], found["n_absent"]) == (80, 4, 3)
    assert found["loss"] == pytest.approx(0.5)


def test_no_sample_at_all_is_all_lost():
    empty = Samples(t_ms=[], xy_px=[])
    part = timing(empty, 0.0, 100.0, interval_ms=math.nan, has_lost_rows=False)
    assert pool([part], interval_ms=math.nan)["loss"] == 1.0
    assert pool([], interval_ms=math.nan)["loss"] == 1.0
