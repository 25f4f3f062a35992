"""Thresholds that follow from the noise, and glissades."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swinging import Swinging

from gazecode.detection import detect, detect_nystrom_holmqvist
from gazecode.detection.limits import TOLERANCE_MS
from gazecode.detection.nystrom_holmqvist import peak_threshold_deg_s
from gazecode.errors import ParameterError
from gazecode.evaluation.detection import found_by, score
from gazecode.evaluation.handlabels import recordings
from gazecode.model import Samples


@pytest.fixture(scope="module")
def swinging():
    return Swinging(3, 60)


@pytest.fixture(scope="module")
def plain():
    return Swinging(4, 60, damping=None)


def found(scene, rate_hz, **recorded):
    return detect_nystrom_holmqvist(scene.record(rate_hz, **recorded), px_per_deg=scene.px_per_deg)


def slow_thresholds(speeds, start):
    peak, edge = start, 15.0
    for _ in range(100):
        below = [v for v in speeds if v < peak]
        if not below:
            break
        mean = sum(below) / len(below)
        sd = (sum((v - mean) ** 2 for v in below) / len(below)) ** 0.5
        before, peak, edge = peak, mean + 6 * sd, mean + 3 * sd
        if abs(peak - before) < 1:
            break
    return max(peak, 30.0), max(edge, 15.0)


@given(seed=st.integers(0, 2**32 - 1), start=st.sampled_from([100.0, 250.0, 300.0]))
def test_thresholds_are_those_of_the_definition(seed, start):
    rng = np.random.default_rng(seed)
    speeds = np.abs(rng.normal(0, rng.uniform(1, 30), rng.integers(1, 80)))
    speeds[rng.random(len(speeds)) < 0.1] += 400 * rng.random()
    expected = slow_thresholds(speeds.tolist(), start)
    assert peak_threshold_deg_s(speeds, start_deg_s=start) == pytest.approx(expected)


@pytest.mark.parametrize("noise_deg", [0, 0.01, 0.03])
@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
def test_saccades_are_found_and_hold_the_true_ones(plain, rate_hz, noise_deg):
    """Edges lie in minima of the speed, outside what is faster than a threshold."""
    events = found(plain, rate_hz, noise_deg=noise_deg)
    saccades, step = events.of("saccade"), 1000 / rate_hz
    assert len(saccades) == 60
    assert len(events.of("fixation")) == 61
    early, late = plain.onset_ms - saccades.onset_ms, saccades.offset_ms - plain.turn_ms
    assert (early > -step).all()
    assert (late > -step).all()
    assert np.median(early) < 14
    assert np.median(late) < 14


@pytest.mark.parametrize(("rate_hz", "noise_deg"), [(500, 0), (500, 0.01), (1000, 0.01)])
def test_glissades_are_found(swinging, rate_hz, noise_deg):
    events = found(swinging, rate_hz, noise_deg=noise_deg)
    assert len(events.of("saccade")) == 60
    swings = events.of("pso")
    assert len(swings) >= 57
    assert np.isin(swings.first, events.of("saccade").last).all()
    assert (swings.duration_ms <= 80 + TOLERANCE_MS).all()
    end = events.of("fixation").onset_ms[1:]
    assert np.median(np.abs(end - swinging.still_ms)) < 4


@pytest.mark.parametrize("rate_hz", [500, 1000])
def test_no_glissade_is_invented(plain, rate_hz):
    assert not len(found(plain, rate_hz, noise_deg=0.01).of("pso"))


def test_below_250_hz_no_oscillation_is_claimed(swinging):
    assert set(found(swinging, 200).kind) == {"fixation", "saccade"}


def still():
    t = np.arange(0.0, 600.0, 2.0)
    noise = np.random.default_rng(1).normal(0, 0.4, (len(t), 2))
    return t, np.full((len(t), 2), 400.0) + noise


def test_what_a_loss_cuts_short_is_no_saccade():
    t, xy = still()
    xy[140:150, 1] += np.linspace(0, 200, 10)
    xy[150:200] = np.nan
    xy[200:208, 1] += np.linspace(150, 0, 8)
    events = detect_nystrom_holmqvist(Samples(t_ms=t, xy_px=xy))
    assert events.kind.tolist() == ["fixation", "fixation"]
    assert (events.last[0], events.first[1]) == pytest.approx((140, 208), abs=6)


def test_what_no_eye_does_is_set_aside_with_its_surroundings():
    t, xy = still()
    xy[150] += 900
    events = detect_nystrom_holmqvist(Samples(t_ms=t, xy_px=xy))
    assert events.kind.tolist() == ["fixation", "fixation"]
    assert events.last[0] <= 147
    assert events.first[1] >= 154


@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(["regular", "rounded", "jittered", "gapped", "bursts"]),
    losses=st.sampled_from(["none", "some", "blinks", "all"]),
)
def test_durations_are_kept_and_events_are_disjoint(clip, seed, clock, losses):
    events = detect_nystrom_holmqvist(clip(seed, clock, losses))
    if not len(events):
        return
    assert (events.first[1:] >= events.last[:-1]).all()
    assert (events.of("fixation").duration_ms >= 40 - TOLERANCE_MS).all()
    assert (events.of("saccade").duration_ms >= 10 - TOLERANCE_MS).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("velocity_window_ms", 0),
        ("start_peak_speed_deg_s", 0),
        ("impossible_speed_deg_s", 0),
        ("impossible_acceleration_deg_s2", 0),
        ("min_saccade_ms", -1),
        ("min_duration_ms", np.nan),
    ],
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        detect(Samples(t_ms=[0, 2], xy_px=np.zeros((2, 2))), "nystrom_holmqvist", **{name: value})


@pytest.mark.real
def test_with_the_papers_window_saccades_agree_as_published(shared_data):
    """Andersson et al. 2017 print .667 for images, on more recordings and a pooled pair."""
    images = list(recordings(shared_data / "andersson2017-handlabels", ["img"]))
    rows = score(
        images, found_by("nystrom_holmqvist", {"velocity_window_ms": 20.0}), kinds=("saccade",)
    )
    assert [row["kappa"] for row in rows] == pytest.approx([0.667, 0.667], abs=0.03)


@pytest.mark.real
def test_people_agree_on_images(shared_data):
    images = list(recordings(shared_data / "andersson2017-handlabels", ["img"]))
    for row in score(images, found_by("nystrom_holmqvist")):
        least = {"fixation": 0.66, "saccade": 0.70, "pso": 0.39}[row["kind"]]
        assert row["kappa"] >= least, row
