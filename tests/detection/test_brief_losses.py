"""Brief losses are passed over: events stay what they were without them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import DETECTORS
from gazecode.detection.brief_losses import pass_over_losses
from gazecode.model import Samples

PASSING = ("larsson", "nystrom_holmqvist", "remodnav")


def without(samples, lost):
    return Samples(t_ms=samples.t_ms, xy_px=np.where(lost[:, None], np.nan, samples.xy_px))


def short_losses(n, *, seed, longest):
    rng = np.random.default_rng(seed)
    lost = np.zeros(n, dtype=bool)
    for begin in rng.integers(0, n, n // (30 * longest)):
        lost[begin : begin + rng.integers(1, longest + 1)] = True
    return lost


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("longest", [1, 5])
@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
def test_events_outlive_short_losses(scene, name, rate_hz, longest):
    whole = scene(2, 80).record(rate_hz, noise_deg=0.03)
    holed = without(whole, short_losses(len(whole), seed=rate_hz, longest=longest))
    before, after = (DETECTORS[name](s, px_per_deg=43.0) for s in (whole, holed))
    for kind in ("fixation", "saccade"):
        old, new = before.of(kind), after.of(kind)
        assert abs(len(new) - len(old)) <= 2, kind
        nearest = np.abs(old.onset_ms[:, None] - new.onset_ms).min(axis=1)
        assert np.median(nearest) <= 1000 / rate_hz, kind
        assert (nearest < 20).mean() >= 0.95, kind


@pytest.mark.parametrize("name", PASSING)
def test_a_longer_loss_than_the_limit_is_not_passed_over(scene, name):
    whole = scene(2, 30).record(500, noise_deg=0.03)
    lost = np.zeros(len(whole), dtype=bool)
    middle = int(DETECTORS[name](whole, px_per_deg=43.0).of("saccade").first[4]) + 3
    lost[middle : middle + 6] = True  # 12 ms in a saccade
    holed = without(whole, lost)
    passed = DETECTORS[name](holed, px_per_deg=43.0)
    stopped = DETECTORS[name](holed, px_per_deg=43.0, brief_loss_ms=10.0)
    over = [(e.first <= middle - 1) & (e.last > middle + 6) for e in (passed, stopped)]
    assert over[0].any()
    assert not over[1].any()


@given(
    seed=st.integers(0, 10**6),
    clock=st.sampled_from(["regular", "rounded", "jittered", "gapped", "bursts"]),
    losses=st.sampled_from(["none", "some", "blinks", "all"]),
    max_loss_ms=st.sampled_from([0.0, 5.0, 20.0, 60.0]),
)
def test_what_is_left_equals_a_loop(clip, seed, clock, losses, max_loss_ms):
    samples = clip(seed, clock, losses)
    passed = pass_over_losses(samples, min_gap_ms=75, max_loss_ms=max_loss_ms)
    t, lost, kept = samples.t_ms, samples.lost, []
    for i in range(len(samples)):
        a = i
        while a > 0 and lost[a - 1]:
            a -= 1
        b = i
        while b < len(samples) and lost[b]:
            b += 1
        inner = a > 0 and b < len(samples)
        if not (lost[i] and inner and t[b] - t[a] <= max_loss_ms + 1e-6):
            kept.append(i)
    assert passed.rows.tolist() == kept
    np.testing.assert_array_equal(passed.samples.xy_px, samples.xy_px[kept])
    np.testing.assert_array_equal(passed.runs.end_ms, passed.whole_runs.end_ms[kept])
    # No run of what is left crosses a gap or a break of the whole.
    part = passed.whole_runs.part[kept]
    for start, stop in zip(passed.runs.start, passed.runs.stop, strict=True):
        assert len(set(part[start:stop].tolist())) <= 1
