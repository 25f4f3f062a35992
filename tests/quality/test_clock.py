"""Jumps of the clock against jitter, lost rows and pauses; one-eye stretches; seconds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Recording, Samples, Trial
from gazecode.quality import Gates, assess
from gazecode.quality.clock import off_grid, rates

STEP = 4.0


def recording(t, *, lost=(), **kwargs):
    xy = np.full((len(t), 2), 100.0)
    xy[list(lost)] = np.nan
    return Recording(samples={"left": Samples(t_ms=t, xy_px=xy, eye="left")}, **kwargs)


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 400), max_size=20, unique=True),
    st.floats(0, 0.15),
    st.integers(0, 4),
)
def test_dropped_rows_and_jitter_are_no_jumps_and_shifts_are(seed, dropped, jitter, n_jumps):
    """Whatever is dropped, and with jitter of up to a sixth of the interval."""
    rng = np.random.default_rng(seed)
    t = np.arange(600) * STEP + rng.uniform(-jitter, jitter, 600)
    for k in range(n_jumps):
        t[450 + 30 * k :] += 0.5 * STEP
    kept = np.delete(t, dropped)
    moved = off_grid(np.diff(kept), STEP)
    assert moved is not None
    assert moved.sum() == n_jumps


def test_one_late_row_is_no_jump():
    t = np.arange(100) * STEP
    t[50] += 1.8
    assert assess(recording(t)).recording["clock_jumps"] == 0


def test_wide_jitter_hides_the_grid():
    t = np.cumsum(np.random.default_rng(0).uniform(5, 20, 500))
    assert assess(recording(t)).recording["clock_off_grid"] is None


def test_a_forward_step_is_a_jump_where_lost_gaze_has_rows():
    t = np.concatenate([np.arange(100) * STEP, 5000 + np.arange(100) * STEP])
    figures = assess(recording(t, lost=[3])).recording
    assert (figures["clock_forward"], figures["clock_jumps"]) == (1, 1)
    assert figures["clock_forward_longest_ms"] == 5000 - 99 * STEP
    assert assess(recording(t)).recording["clock_forward"] == 0


def test_backward_steps_come_from_the_reader_and_count_for_the_recording():
    trials = [Trial(name="a", onset_ms=0, offset_ms=2000)]
    rec = recording(np.arange(500) * STEP, trials=trials, provenance={"left_out": {"unsorted": 3}})
    report = assess(rec)
    assert report.recording["clock_backward"] == report.recording["clock_jumps"] == 3
    assert report.trials[0].figures["clock_jumps"] == 0
    assert "the clock jumps: 3 backward" in report.warnings
    assert report.usable
    strict = assess(rec, gates=Gates(max_clock_jumps=2))
    assert strict.reasons == ["whole recording: jumps of the clock: 3 (allowed: at most 2)"]


def test_jumps_between_trials_are_not_theirs():
    t = np.concatenate([np.arange(500) * STEP, 90_001.5 + np.arange(500) * STEP])
    trials = [
        Trial(name="a", onset_ms=0, offset_ms=2000),
        Trial(name="b", onset_ms=90_000, offset_ms=92_000),
    ]
    assert assess(recording(t, trials=trials)).recording["clock_jumps"] == 0
    assert assess(recording(t, lost=[7])).recording["clock_jumps"] == 1


def test_whole_ms_stamps_of_300_hz_lie_on_their_grid():
    t = np.round(np.arange(3000) * 1000 / 300)
    assert assess(recording(t)).recording["clock_off_grid"] == 0


@given(st.integers(1, 5), st.sampled_from([60.0, 250.0, 1000.0]))
def test_rates_count_full_seconds(seconds, hz):
    n = round(seconds * hz)
    found = rates(np.arange(n) * 1000 / hz, np.ones(n, dtype=bool), hz)
    assert sum(found["rows"]) == sum(found["valid"]) == seconds
    middle = np.array(found["edges_hz"])[:-1] + hz / 40
    assert middle[np.argmax(found["rows"])] == pytest.approx(hz)


def test_one_eye_stretches_are_counted_and_measured():
    t = np.arange(500) * STEP
    xy = np.full((500, 2), 100.0)
    right = xy.copy()
    right[50:100] = np.nan
    right[300:310] = np.nan
    rec = Recording(
        samples={
            "left": Samples(t_ms=t, xy_px=xy, eye="left"),
            "right": Samples(t_ms=t, xy_px=right, eye="right"),
        },
        trials=[
            Trial(name="a", onset_ms=0, offset_ms=300),
            Trial(name="b", onset_ms=300, offset_ms=2000),
        ],
    )
    report = assess(rec)
    names = ("one_eye_count", "one_eye_ms", "one_eye_longest_ms")
    assert [report.recording[name] for name in names] == [3, 240, 100]
    # The first stretch, 200 to 400 ms, is cut by the border of the trials.
    assert [report.trials[0].figures[name] for name in names] == [1, 100, 100]
    assert [report.trials[1].figures[name] for name in names] == [2, 140, 100]


def test_drift_of_the_disparity_needs_no_target():
    t = np.arange(0, 120_000, 8.0)
    rng = np.random.default_rng(1)
    left = rng.normal(500, 2, (len(t), 2))
    right = left + rng.normal(0, 2, left.shape) + np.stack([0 * t, 20 + 6 * t / 60_000], axis=1)
    right[rng.random(len(t)) < 0.3] = np.nan
    rec = Recording(
        samples={
            "left": Samples(t_ms=t, xy_px=left, eye="left"),
            "right": Samples(t_ms=t, xy_px=right, eye="right"),
        }
    )
    figures = assess(rec).recording
    error = figures["disparity_drift_y_se_px_min"]
    print(f"{figures['disparity_drift_y_px_min']:.3f} +- {error:.3f} px/min")
    assert figures["disparity_drift_y_px_min"] == pytest.approx(6, abs=4 * error)
    assert figures["disparity_drift_x_px_min"] == pytest.approx(0, abs=0.3)
    assert error < 0.1
    assert assess(rec.window((0.0, 9_000.0))).recording["disparity_drift_y_px_min"] is None
