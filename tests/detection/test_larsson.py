"""Saccades that end where gaze turns, and the oscillations after them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swinging import Swinging

from gazecode.detection import detect, detect_larsson
from gazecode.detection.limits import TOLERANCE_MS
from gazecode.errors import ParameterError
from gazecode.evaluation.detection import found_by, score
from gazecode.evaluation.handlabels import decimated, recordings
from gazecode.model import Samples


@pytest.fixture(scope="module")
def swinging():
    return Swinging(3, 60)


@pytest.fixture(scope="module")
def plain():
    return Swinging(4, 60, damping=None)


def found(scene, rate_hz, **recorded):
    return detect_larsson(scene.record(rate_hz, **recorded), px_per_deg=scene.px_per_deg)


@pytest.mark.parametrize(
    ("rate_hz", "noise_deg"), [(250, 0), (500, 0), (500, 0.01), (1000, 0), (1000, 0.01)]
)
def test_edges_are_right_to_one_sample(swinging, rate_hz, noise_deg):
    events = found(swinging, rate_hz, noise_deg=noise_deg)
    saccades, step = events.of("saccade"), 1000 / rate_hz
    assert len(saccades) == 60
    assert np.abs(saccades.onset_ms - swinging.onset_ms).max() < step
    assert np.abs(saccades.offset_ms - swinging.turn_ms).max() < step
    assert len(events.of("fixation")) == 61


@pytest.mark.parametrize(
    ("rate_hz", "noise_deg"), [(250, 0), (500, 0), (500, 0.01), (1000, 0), (1000, 0.01)]
)
def test_every_oscillation_is_found_and_follows_its_saccade(swinging, rate_hz, noise_deg):
    events = found(swinging, rate_hz, noise_deg=noise_deg)
    swings = events.of("pso")
    assert len(swings) == 60
    assert (swings.first == events.of("saccade").last).all()
    # A last half-wave may fall to the threshold's other side: it is as strong as the noise.
    late = swings.offset_ms - swinging.still_ms
    assert np.median(np.abs(late)) < 4
    assert np.abs(late).max() < 20


@pytest.mark.parametrize("noise_deg", [0, 0.01, 0.05])
@pytest.mark.parametrize("rate_hz", [250, 500, 1000, 2000])
def test_no_oscillation_is_invented(plain, rate_hz, noise_deg):
    events = found(plain, rate_hz, noise_deg=noise_deg)
    assert len(events.of("saccade")) == 60
    assert len(events.of("pso")) <= 1


def test_an_irregular_clock_is_no_matter(swinging):
    events = found(swinging, 500, noise_deg=0.01, jitter=0.3)
    saccades = events.of("saccade")
    assert len(saccades) == 60
    assert len(events.of("pso")) == 60
    assert np.abs(saccades.offset_ms - swinging.turn_ms).max() < 4


@pytest.mark.parametrize("rate_hz", [120, 200, 240])
def test_below_250_hz_no_oscillation_is_claimed_nor_given_to_a_fixation(swinging, rate_hz):
    events = found(swinging, rate_hz)
    assert set(events.kind) == {"fixation", "saccade"}
    after = events.of("fixation").onset_ms[1:]
    assert np.median(after - swinging.turn_ms) > 15


def test_oscillations_can_be_switched_off(swinging):
    samples = swinging.record(500)
    events = detect_larsson(samples, px_per_deg=swinging.px_per_deg, max_pso_ms=0)
    assert set(events.kind) == {"fixation", "saccade"}


@pytest.mark.parametrize("noise_deg", [0.05, 0.1, 0.15])
def test_windows_grow_with_noise(plain, noise_deg):
    saccades = found(plain, 500, noise_deg=noise_deg).of("saccade")
    assert len(saccades) == 60
    assert np.abs(saccades.onset_ms - plain.onset_ms).max() < 10


def pursuit(*, saccade_deg=0.0):
    """A second of pursuit at 20 deg/s, with a saccade of 30 ms along it in the middle."""
    t = np.arange(0.0, 1000.0, 2.0)
    s = np.clip((t - 500) / 30, 0, 1)
    x = 0.02 * t + saccade_deg * s**3 * (10 - 15 * s + 6 * s**2)
    noise = np.random.default_rng(0).normal(0, 0.01, (len(t), 2))
    return Samples(t_ms=t, xy_px=(np.stack([x, 0 * x], axis=1) + noise) * 40)


def test_pursuit_is_no_saccade():
    assert detect_larsson(pursuit()).kind.tolist() == ["fixation"]


def test_a_saccade_is_found_in_pursuit():
    events = detect_larsson(pursuit(saccade_deg=1.5))
    assert events.kind.tolist() == ["fixation", "saccade", "fixation"]
    assert events.onset_ms[1] == pytest.approx(504, abs=4)
    assert events.offset_ms[1] == pytest.approx(526, abs=4)


def still(duration_ms=600.0):
    t = np.arange(0.0, duration_ms, 2.0)
    noise = np.random.default_rng(1).normal(0, 0.4, (len(t), 2))
    return t, np.full((len(t), 2), 400.0) + noise


def test_what_is_fast_beside_a_loss_is_a_blink():
    t, xy = still()
    xy[140:150, 1] += np.linspace(0, 200, 10)
    xy[150:200] = np.nan
    xy[200:208, 1] += np.linspace(150, 0, 8)
    events = detect_larsson(Samples(t_ms=t, xy_px=xy))
    assert events.kind.tolist() == ["fixation", "fixation"]
    assert (events.last[0], events.first[1]) == pytest.approx((140, 208), abs=6)
    events = detect_larsson(Samples(t_ms=t, xy_px=xy), loss_margin_ms=0)
    assert "saccade" in events.kind


def test_absent_samples_are_a_loss():
    t, xy = still()
    xy[140:150, 1] += np.linspace(0, 200, 10)
    kept = np.r_[0:150, 200:300]
    events = detect_larsson(Samples(t_ms=t[kept], xy_px=xy[kept]))
    assert events.kind.tolist() == ["fixation", "fixation"]


def test_what_no_eye_does_is_set_aside():
    t, xy = still()
    xy[150] += 600
    events = detect_larsson(Samples(t_ms=t, xy_px=xy))
    assert events.kind.tolist() == ["fixation", "fixation"]
    assert not ((events.first <= 150) & (events.last > 150)).any()


def test_two_saccades_close_together_are_two():
    t, xy = still()
    for begin, size in ((300.0, 300.0), (350.0, -220.0)):
        s = np.clip((t - begin) / 34, 0, 1)
        xy[:, 0] += size * s**3 * (10 - 15 * s + 6 * s**2)
    saccades = detect_larsson(Samples(t_ms=t, xy_px=xy)).of("saccade")
    assert saccades.onset_ms == pytest.approx([303, 353], abs=4)
    assert saccades.offset_ms == pytest.approx([331, 381], abs=4)


@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(["regular", "rounded", "jittered", "gapped", "bursts"]),
    losses=st.sampled_from(["none", "some", "blinks", "all"]),
)
def test_the_axes_are_alike(clip, seed, clock, losses):
    samples = clip(seed, clock, losses)
    # A quarter turn about a whole pixel: sums stay exact.
    turned = Samples(
        t_ms=samples.t_ms,
        xy_px=samples.xy_px[:, ::-1] * [1.0, -1.0],
        breaks_ms=samples.breaks_ms,
    )
    a, b = detect_larsson(samples), detect_larsson(turned)
    assert a.kind.tolist() == b.kind.tolist()
    assert (a.first == b.first).all()
    assert (a.last == b.last).all()
    fixations = a.of("fixation")
    assert (fixations.duration_ms >= 40 - TOLERANCE_MS).all()
    assert (a.of("saccade").duration_ms >= 10 - TOLERANCE_MS).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("velocity_window_ms", 0),
        ("acceleration_window_ms", -1),
        ("max_deviation_deg", 0),
        ("impossible_speed_deg_s", 0),
        ("impossible_acceleration_deg_s2", 0),
        ("min_saccade_ms", -1),
        ("max_pso_ms", -1),
        ("candidate_gap_ms", -1),
        ("loss_margin_ms", -1),
        ("min_duration_ms", np.nan),
    ],
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        detect(Samples(t_ms=[0, 2], xy_px=np.zeros((2, 2))), "larsson", **{name: value})


@pytest.fixture(scope="module")
def images(shared_data):
    return list(recordings(shared_data / "andersson2017-handlabels", ["img"]))


@pytest.mark.real
def test_people_agree_on_images(images):
    """With the defaults, which were chosen on the other stimuli."""
    least = {
        "fixation": {"MN": (0.86, 0.95), "RA": (0.78, 0.93)},
        "saccade": {"MN": (0.86, 0.93), "RA": (0.86, 0.92)},
        "pso": {"MN": (0.60, 0.62), "RA": (0.60, 0.62)},
    }
    for row in score(images, found_by("larsson")):
        kappa, f1 = least[row["kind"]][row["coder"]]
        assert row["kappa"] >= kappa, row
        assert row["f1"] >= f1, row


@pytest.mark.real
def test_people_agree_at_250_hz(images):
    fast = [one for one in images if np.median(np.diff(one.samples.t_ms)) < 3]
    slower = [decimated(one, 250, noise_deg=0.0, seed=1) for one in fast]
    for row in score(slower, found_by("larsson")):
        least = {"fixation": 0.75, "saccade": 0.8, "pso": 0.58}[row["kind"]]
        assert row["kappa"] >= least, row
