"""Local polynomials against a fit of every window by itself, on all clocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection.segments import find_runs
from gazecode.detection.smoothing import EVEN, smooth, window_samples
from gazecode.detection.velocity import Directions, directions
from gazecode.model import Samples


def by_hand(samples, gaze, runs, *, size, degree):
    """Value, change and its change at every sample, ``(3, n, 2)``; numpy's own fit, one a sample."""
    out = np.full((3, len(samples), 2), np.nan)
    for i in range(len(samples)):
        start, stop = int(runs.start[i]), int(runs.stop[i])
        if start == stop:
            continue
        held = min(size, stop - start)
        first = min(max(i - held // 2, start), stop - held)
        window = slice(first, first + held)
        t = (samples.t_ms[window] - samples.t_ms[i]) / 1000.0
        for axis in (0, 1):
            fit = np.polynomial.Polynomial.fit(
                t, gaze.deg[window, axis], min(degree, held - 1)
            ).convert()
            for row, factor in enumerate((1.0, 1.0, 2.0)):
                known = row == 0 or (held > row and degree >= row)
                if known:
                    out[row, i, axis] = factor * (fit.coef[row] if len(fit.coef) > row else 0.0)
    if gaze.spherical:
        out[1:, :, 0] *= np.cos(np.radians(out[0, :, 1]))
    return out


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    clock=st.sampled_from(["regular", "rounded", "jittered", "gapped"]),
    losses=st.sampled_from(["none", "some", "blinks", "all"]),
    flat=st.booleans(),
    degree=st.sampled_from([1, 2]),
    window_ms=st.sampled_from([10.0, 20.0, 60.0]),
)
def test_every_window_is_fitted(clip, screen, *, seed, clock, losses, flat, degree, window_ms):
    samples = clip(seed, clock, losses)
    gaze = directions(samples, None if flat else screen, px_per_deg=40)
    runs = find_runs(samples, min_gap_ms=75)
    fitted = smooth(samples.t_ms, gaze, runs, window_ms=window_ms, degree=degree)
    size = window_samples(samples.t_ms, runs, window_ms, degree=degree)
    expected = by_hand(samples, gaze, runs, size=size, degree=degree)
    found = (fitted.deg, fitted.velocity_deg_s, fitted.acceleration_deg_s2)
    step_s = max(float(np.min(np.diff(samples.t_ms), initial=1e3)), 1e-3) / 1000.0
    for order, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        # Rounding of places counts so much the more the shorter the step is.
        near = 1e-12 / step_s**order
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=near)


@pytest.mark.parametrize("origin_ms", [0.0, 1e7])
@pytest.mark.parametrize("step_ms", [1.0, 2.0, 1000 / 300, 1000 / 120])
def test_even_windows_are_fitted_as_uneven_ones(step_ms, origin_ms):
    """A hair more than `EVEN` off the clock, and every window is fitted on its own stamps."""
    rng = np.random.default_rng(0)
    t = origin_ms + np.arange(500) * step_ms
    off = rng.uniform(-1, 1, 500) * 100 * EVEN * step_ms
    xy = 400 + np.cumsum(rng.normal(0, 3, (500, 2)), axis=0)
    values = []
    for stamps in (t, t + off):
        samples = Samples(t_ms=stamps, xy_px=xy)
        gaze = Directions(deg=xy / 40, spherical=False)
        values.append(smooth(stamps, gaze, find_runs(samples, min_gap_ms=75), window_ms=20))
    even, uneven = values
    for name in ("deg", "velocity_deg_s", "acceleration_deg_s2"):
        a, b = getattr(even, name), getattr(uneven, name)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max())


def test_a_window_is_counted_in_mean_steps():
    """Bursts of three stamps every 6 ms are 500 Hz."""
    t = np.floor(np.arange(300) / 3) * 6 + np.arange(300) % 3 * 0.1
    samples = Samples(t_ms=t, xy_px=np.zeros((300, 2)))
    runs = find_runs(samples, min_gap_ms=75)
    assert window_samples(t, runs, 14.0) == 7
    assert window_samples(t, runs, 0.1) == 3
    alone = Samples(t_ms=[0.0], xy_px=np.zeros((1, 2)))
    assert window_samples(alone.t_ms, find_runs(alone, min_gap_ms=75), 14.0) == 3


def test_two_windows_equally_near_are_chosen_alike_whatever_the_origin():
    for origin in (0.0, 1234.5, 1e6 / 3):
        t = origin + np.arange(400) * (1000 / 300)
        samples = Samples(t_ms=t, xy_px=np.zeros((400, 2)))
        assert window_samples(t, find_runs(samples, min_gap_ms=75), 20.0) == 5
