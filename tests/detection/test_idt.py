"""I-DT against a quadratic oracle, and its worked traps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect_idt
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def slow_idt(samples, runs, ends, angles, *, max_dispersion_deg, min_duration_ms):
    """Grow the window from every start, recompute the dispersion each time."""

    def dispersion(a, b):
        xs = [angles[i][0] for i in range(a, b)]
        ys = [angles[i][1] for i in range(a, b)]
        return (max(xs) - min(xs)) + (max(ys) - min(ys))

    found = []
    for run in runs:
        start, stop = run[0], run[-1] + 1
        while start < stop:
            end = start + 1
            while end < stop and ends[end - 1] - samples.t_ms[start] < min_duration_ms - 1e-6:
                end += 1
            long_enough = ends[end - 1] - samples.t_ms[start] >= min_duration_ms - 1e-6
            if not long_enough or dispersion(start, end) > max_dispersion_deg + 1e-9:
                start += 1
                continue
            while end < stop and dispersion(start, end + 1) <= max_dispersion_deg + 1e-9:
                end += 1
            found.append((start, end))
            start = end
    return found


@settings(max_examples=400)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(LOSSES),
    with_screen=st.booleans(),
    max_dispersion_deg=st.sampled_from([0.5, 1.0, 2.5]),
    min_duration_ms=st.sampled_from([0.0, 20.0, 60.0, 100.0]),
    chunk=st.sampled_from([8, 1 << 13]),
    few=st.sampled_from([0, 8, 64, 1000]),
)
def test_equals_the_quadratic_oracle(
    clip, slow_runs, slow_angles, screen, *, seed, clock, losses, with_screen,
    max_dispersion_deg, min_duration_ms, chunk, few,
):  # fmt: skip
    # Without a screen on a grid of a quarter degree, so that the threshold is met exactly.
    samples = clip(seed, clock, losses, whole_px=not with_screen)
    known = screen if with_screen else None
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []
    limits = {"max_dispersion_deg": max_dispersion_deg, "min_duration_ms": min_duration_ms}

    with pytest.MonkeyPatch.context() as patch:
        # Borders of chunks and both ways of growing, on clips short enough for the oracle.
        patch.setattr("gazecode.detection.idt.CHUNK", chunk)
        patch.setattr("gazecode.detection.idt.FEW", few)
        events = detect_idt(samples, screen=known, breaks_ms=breaks, **limits)

    runs, ends = slow_runs(samples, breaks)
    angles = slow_angles(samples, known)
    expected = slow_idt(samples, runs, ends, angles, **limits)
    assert list(zip(events.first.tolist(), events.last.tolist(), strict=True)) == expected
    assert events.onset_ms.tolist() == [samples.t_ms[a] for a, _ in expected]
    assert events.offset_ms.tolist() == [ends[b - 1] for _, b in expected]
    for (a, b), place in zip(expected, events.xy_px, strict=True):
        assert place == pytest.approx(samples.xy_px[a:b].mean(axis=0), abs=1e-6)


@pytest.mark.parametrize("still", [200, 255, 256, 700, 5_000, 40_000])
def test_long_fixations_end_where_the_oracle_ends_them(still):
    """Windows beyond the tables, across chunks: drift first breaks the threshold at `still`."""
    n = still + 400
    x = np.where(np.arange(n) < still, 0.0, 500.0) + np.arange(n) % 2 * 10
    samples = Samples(t_ms=np.arange(n) * 1.0, xy_px=np.stack([x, x], axis=1))
    events = detect_idt(samples)
    assert events.first.tolist() == [0, still]
    assert events.last.tolist() == [still, n]


def test_a_minimum_longer_than_the_tables_is_exact():
    n = 3_000
    x = np.repeat([0.0, 500.0, 0.0], [999, 1001, 1000])
    samples = Samples(t_ms=np.arange(n) * 1.0, xy_px=np.stack([x, x], axis=1))
    events = detect_idt(samples, min_duration_ms=1000.0)
    # The second lasts 1001 ms, the third 999 ms and the half step after its last sample: 1000.5.
    assert events.first.tolist() == [999, 2000]
    assert events.last.tolist() == [2000, 3000]


def test_the_first_sample_of_the_next_place_is_not_swallowed():
    x = np.repeat([0.0, 10.0], 150)
    samples = Samples(t_ms=np.arange(300) * 1.0, xy_px=np.stack([x, x], axis=1))
    events = detect_idt(samples, px_per_deg=1.0)
    assert events.first.tolist() == [0, 150]
    assert events.last.tolist() == [150, 300]
    assert events.xy_px.tolist() == [[0.0, 0.0], [10.0, 10.0]]


def test_a_lost_sample_ends_the_window_and_counts_nowhere():
    x = np.repeat([0.0, 10.0], 150)
    x[149] = np.nan
    samples = Samples(t_ms=np.arange(300) * 1.0, xy_px=np.stack([x, x], axis=1))
    events = detect_idt(samples, px_per_deg=1.0)
    assert events.first.tolist() == [0, 150]
    assert events.last.tolist() == [149, 300]
    assert events.offset_ms.tolist() == [149.0, 300.5]


def test_the_threshold_itself_still_is_a_fixation():
    x = np.array([960.0, 980.0] * 20)
    samples = Samples(t_ms=np.arange(40) * 10.0, xy_px=np.stack([x, x], axis=1))
    assert len(detect_idt(samples, px_per_deg=40.0)) == 1
    assert len(detect_idt(samples, px_per_deg=39.99)) == 0


def test_minimum_duration_is_reached_by_the_half_open_interval():
    samples = Samples(
        t_ms=np.arange(11) * 10.0, xy_px=np.repeat([[0.0, 0.0], [999.0, 0.0]], [10, 1], axis=0)
    )
    assert detect_idt(samples, min_duration_ms=100.0).duration_ms.tolist() == [100.0]
    assert len(detect_idt(samples, min_duration_ms=100.1)) == 0


@pytest.mark.parametrize("gap_ms", [76.0, 950.0, 4900.0])
def test_no_fixation_crosses_a_gap(gap_ms):
    t = np.concatenate((np.arange(100), 99 + gap_ms + np.arange(100)))
    samples = Samples(t_ms=t, xy_px=np.full((200, 2), 500.0))
    events = detect_idt(samples, min_duration_ms=50.0)
    assert events.duration_ms.tolist() == [100.5, 100.5]


def test_refuses_values_out_of_range():
    samples = Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]])
    with pytest.raises(ParameterError) as error:
        detect_idt(samples, max_dispersion_deg=0)
    assert str(error.value) == "max_dispersion_deg is 0; expected a number above 0"
    with pytest.raises(ParameterError) as error:
        detect_idt(samples, min_duration_ms=float("nan"))
    assert str(error.value) == "min_duration_ms is nan; expected a finite number"
