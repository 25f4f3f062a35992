"""The tracker does what it states: noise, offset, drift, loss, blinks, eyes, clock."""

import math

import numpy as np
import pytest

from gazecode.errors import ParameterError
from gazecode.quality import rms_s2s
from gazecode.simulate import Tracker, simulate


def error_deg(layout, screen, tracker, *, seed=2, duration_ms=120000):
    """What the tracker adds to the truth, deg: (t, (n, 2))."""
    exact = Tracker(rate_hz=tracker.rate_hz, noise_deg=0)
    one, other = (
        simulate(layout, seed=seed, screen=screen, duration_ms=duration_ms, tracker=t)
        for t in (tracker, exact)
    )
    eye = next(iter(one.recording.samples))
    gaze = one.recording.samples[eye]
    return gaze.t_ms, (gaze.xy_px - other.recording.gaze.xy_px) / 43, one


@pytest.mark.parametrize("colour", ["white", "coloured"])
@pytest.mark.parametrize("rate_hz", [60, 1000])
def test_noise_is_what_is_stated(layout, screen, colour, rate_hz):
    tracker = Tracker(rate_hz=rate_hz, noise_deg=(0.1, 0.3), noise_colour=colour)
    _, error, seen = error_deg(layout, screen, tracker)
    zero = np.zeros(len(error))
    rms = [rms_s2s(error[:, i], zero) for i in (0, 1)]
    said = seen.noise
    print(
        f"{colour} {rate_hz} Hz: std {error.std(axis=0).round(4)}, RMS {np.round(rms, 4)}, {said}"
    )
    assert error.std(axis=0) == pytest.approx(said["std_deg"], rel=0.05)
    assert rms == pytest.approx(said["rms_s2s_deg"], rel=0.05)
    assert said["colour"] == colour


def test_coloured_noise_is_smoother(layout, screen):
    white, coloured = (
        Tracker(rate_hz=1000, noise_colour=colour).noise_statement(43.0)["rms_s2s_deg"][0]
        for colour in ("white", "coloured")
    )
    assert coloured < 0.5 * white


def test_each_eye_has_its_own_noise(layout, screen):
    tracker = Tracker(rate_hz=250, eyes="binocular", noise_deg=0.1)
    seen = simulate(layout, seed=2, screen=screen, duration_ms=60000, tracker=tracker)
    apart = (seen.recording.samples["right"].xy_px - seen.recording.samples["left"].xy_px) / 43
    assert apart.std(axis=0) == pytest.approx([0.1 * math.sqrt(2)] * 2, rel=0.03)


@pytest.mark.parametrize("offset", [0.3, 0.5, 0.8])
def test_offset_is_smooth_and_of_the_stated_size(layout, screen, offset):
    sizes = []
    for seed in range(20):
        tracker = Tracker(rate_hz=60, noise_deg=0, offset_deg=offset)
        _, error, seen = error_deg(layout, screen, tracker, seed=seed, duration_ms=20000)
        sizes.append((error**2).sum(axis=1).mean())
        places = seen.fixations.xy_px / 43
        # One place, one offset: no two fixations within half a degree differ by much.
        near = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) < 0.5
        at = error[np.searchsorted(seen.recording.gaze.t_ms, seen.fixations.onset_ms + 20)]
        between = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
        assert between[near].max() < 0.25 * offset
    size = math.sqrt(np.mean(sizes))
    print(f"offset {offset} deg over the screen: {size:.3f} deg where the text stood, 20 people")
    assert 0.5 * offset < size < 1.5 * offset


def test_drift_is_steady(layout, screen):
    tracker = Tracker(rate_hz=60, noise_deg=0, drift_deg_min=0.6)
    t, error, _ = error_deg(layout, screen, tracker)
    assert np.hypot(*error.T) == pytest.approx(t / 60000 * 0.6, abs=1e-9)


def test_disparity_is_right_minus_left(layout, screen):
    tracker = Tracker(eyes="binocular", noise_deg=0, disparity_deg=(0.5, -1.0))
    seen = simulate(layout, seed=1, screen=screen, n_fixations=10, tracker=tracker)
    eyes = seen.recording.samples
    apart = (eyes["right"].xy_px - eyes["left"].xy_px) / 43
    assert np.allclose(apart, [0.5, -1.0])
    exact = simulate(layout, seed=1, screen=screen, n_fixations=10, tracker=Tracker(noise_deg=0))
    assert np.allclose(seen.recording.gaze.xy_px, exact.recording.gaze.xy_px)


@pytest.mark.parametrize("burst_ms", [0, 30, 200])
def test_loss_is_the_stated_share(layout, screen, burst_ms):
    tracker = Tracker(rate_hz=250, loss=0.2, loss_burst_ms=burst_ms)
    seen = simulate(layout, seed=1, screen=screen, duration_ms=300000, tracker=tracker)
    lost = seen.recording.gaze.lost
    bursts = np.diff(np.concatenate(([0], lost.astype(int), [0])))
    length = lost.sum() / (bursts == 1).sum() * 4
    print(f"loss 0.2 in bursts of {burst_ms} ms: {lost.mean():.3f}, {length:.0f} ms")
    assert lost.mean() == pytest.approx(0.2, abs=0.025)
    assert length == pytest.approx(max(burst_ms, 5), rel=0.25)


def test_blinks_lose_both_eyes_and_nothing_else(layout, screen):
    tracker = Tracker(rate_hz=500, eyes="binocular", blinks_per_min=15)
    seen = simulate(layout, seed=1, screen=screen, duration_ms=120000, tracker=tracker)
    assert 15 < len(seen.blinks) < 45
    t = seen.recording.gaze.t_ms
    closed = np.zeros(len(t), dtype=bool)
    for onset, offset in zip(seen.blinks.onset_ms, seen.blinks.offset_ms, strict=True):
        closed |= (t >= onset) & (t < offset)
    for samples in seen.recording.samples.values():
        assert np.array_equal(samples.lost, closed)
        assert np.array_equal(np.isnan(samples.pupil), closed)


def test_one_eye_stretches(layout, screen):
    tracker = Tracker(rate_hz=250, eyes="binocular", one_eye_per_min=30, one_eye_ms=200)
    seen = simulate(layout, seed=1, screen=screen, duration_ms=120000, tracker=tracker)
    left, right = (seen.recording.samples[eye].lost for eye in ("left", "right"))
    alone = (left != right).mean()
    print(f"one eye in {alone:.3f} of the samples")
    assert 0.05 < alone < 0.15
    assert left.any()
    assert right.any()


def test_absent_rows_are_the_lost_ones(layout, screen):
    frames = []
    for lost_rows in ("nan", "absent"):
        tracker = Tracker(rate_hz=250, loss=0.1, lost_rows=lost_rows)
        seen = simulate(layout, seed=1, screen=screen, n_fixations=50, tracker=tracker)
        frames.append(seen.recording.to_frame())
    kept = frames[0].dropna().reset_index(drop=True)
    assert frames[1].equals(kept)


@pytest.mark.parametrize("rate_hz", [30, 53.5, 60, 120, 300, 1200])
def test_clock(layout, screen, rate_hz):
    tracker = Tracker(rate_hz=rate_hz, jitter_ms=3)
    t = simulate(
        layout, seed=1, screen=screen, duration_ms=10000, tracker=tracker
    ).recording.gaze.t_ms
    assert t[0] == 0
    assert len(t) == math.ceil(10 * rate_hz - 1e-9)
    assert (np.diff(t) > 0).all()
    assert np.abs(t - np.arange(len(t)) * 1000 / rate_hz).max() <= 0.45 * 1000 / rate_hz + 1e-9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_hz": 0}, "Tracker.rate_hz is 0; expected above 0"),
        ({"jitter_ms": -1}, "Tracker.jitter_ms is -1; expected 0 or more"),
        (
            {"loss": 1.0},
            (
                "Tracker has loss 1.0 and noise_deg 0.05; "
                "expected a loss below 1 and a noise of 0 or more"
            ),
        ),
        (
            {"noise_colour": "pink"},
            "no 'pink' in Tracker.noise_colour; choose from: coloured, white",
        ),
        (
            {"eyes": "three"},
            "no 'three' in Tracker.eyes; choose from: binocular, both, left, right",
        ),
    ],
)
def test_impossible_trackers_are_refused(settings, message):
    with pytest.raises(ParameterError) as caught:
        Tracker(**settings)
    assert str(caught.value) == message
