"""REMoDNaV: thresholds, worked scenes, people's labels, and the authors' own program."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import detect_remodnav
from gazecode.detection.adaptive_saccades import adapted_thresholds, median
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_the_median_is_the_median(values):
    assert median(np.array(values)) == pytest.approx(np.median(values), rel=1e-12, abs=1e-9)


def slow_thresholds(speeds, factor):
    """The definition, step by step."""
    kept, peak = [v for v in speeds if v < 300], 300.0
    onset = peak
    while kept:
        middle = np.median(kept)
        spread = factor * 1.4826 * np.median([abs(v - middle) for v in kept])
        onset, new = max(middle + spread, 5.0), max(middle + 2 * spread, 10.0)
        if peak - new < 1:
            return onset, new
        peak = new
        kept = [v for v in kept if v < peak]
    return onset, peak


@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([3.0, 5.0]))
def test_thresholds_are_those_of_the_definition(seed, factor):
    rng = np.random.default_rng(seed)
    speeds = np.abs(rng.normal(0, rng.uniform(0, 20), rng.integers(0, 80)))
    speeds[rng.random(len(speeds)) < 0.1] += 400 * rng.random()
    expected = slow_thresholds(speeds.tolist(), factor)
    assert adapted_thresholds(speeds, factor=factor) == pytest.approx(expected)


def test_thresholds_of_rayleigh_noise():
    """Median 1.1774 and MAD .4485 standard deviations of one axis."""
    noise = np.hypot(*np.random.default_rng(0).normal(0, 10, (2, 200_000)))
    onset, peak = adapted_thresholds(noise, factor=5)
    assert onset == pytest.approx(11.774 + 5 * 1.4826 * 4.485, rel=0.01)
    assert peak == pytest.approx(11.774 + 10 * 1.4826 * 4.485, rel=0.01)


@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
def test_onsets_and_ends_of_a_scene(scene, rate_hz):
    truth = scene(11, 60, small=0.0)
    events = detect_remodnav(truth.record(rate_hz, noise_deg=0.02), px_per_deg=truth.px_per_deg)
    saccades = events.of("saccade")
    assert len(saccades) == 59
    assert len(events.of("fixation")) == 60
    # Its window of 19 ms carries the speed of a saccade as far.
    for found, true in (
        (saccades.onset_ms, truth.offset[:-1]),
        (saccades.offset_ms, truth.onset[1:]),
    ):
        assert np.abs(found - true).max() <= 19
        assert np.abs(found - true).mean() <= 9


def with_oscillation(*, size_deg=0.6, rate_hz=500.0):
    """Two fixations, a saccade of 8 deg between them, and a damped swing after it."""
    t = np.arange(0.0, 1200.0, 1000 / rate_hz)
    share = np.clip((t - 600) / 38.6, 0, 1)
    x = 8 * (10 * share**3 - 15 * share**4 + 6 * share**5)
    after = np.maximum(t - 638.6, 0)
    x = x + size_deg * np.exp(-after / 12) * np.sin(2 * np.pi * after / 24) * (after > 0)
    rng = np.random.default_rng(0)
    deg = np.stack([x, np.zeros_like(x)], axis=1) + rng.normal(0, 0.01, (len(t), 2))
    return Samples(t_ms=t, xy_px=deg * 40 + 500)


def test_an_oscillation_after_a_saccade_is_found():
    events = detect_remodnav(with_oscillation())
    assert events.kind.tolist() == ["fixation", "saccade", "pso", "fixation"]
    pso = events.of("pso")
    assert pso.onset_ms[0] == events.of("saccade").offset_ms[0]
    assert 8 <= pso.duration_ms[0] <= 60
    none = detect_remodnav(with_oscillation(size_deg=0.0))
    assert none.kind.tolist() == ["fixation", "saccade", "fixation"]


def moving(speed_deg_s, *, noise_deg=0.01):
    t = np.arange(0.0, 2000.0, 2.0)
    x = np.where(t < 1000, 0.0, speed_deg_s * (t - 1000) / 1000)
    rng = np.random.default_rng(1)
    deg = np.stack([x, np.zeros_like(x)], axis=1) + rng.normal(0, noise_deg, (len(t), 2))
    return Samples(t_ms=t, xy_px=deg * 40 + 500)


def test_pursuit_is_found_when_asked_for_and_is_fixation_otherwise():
    samples = moving(8.0)
    assert detect_remodnav(samples).kind.tolist() == ["fixation"]
    events = detect_remodnav(samples, pursuit=True)
    assert events.kind.tolist() == ["fixation", "pursuit"]
    assert abs(events.onset_ms[1] - 1000) <= 150
    still = detect_remodnav(moving(0.5), pursuit=True)
    assert "pursuit" not in still.kind.tolist()


def test_a_saccade_into_a_loss_is_none():
    samples = with_oscillation(size_deg=0.0)
    xy = samples.xy_px.copy()
    xy[309:360] = np.nan
    events = detect_remodnav(Samples(t_ms=samples.t_ms, xy_px=xy))
    assert events.kind.tolist() == ["fixation", "fixation"]
    # Nor is what was seen of it part of the fixation.
    assert events.offset_ms[0] <= 612


def test_parts_have_thresholds_of_their_own():
    """Noise that begins after a break does not hide the saccades before it."""
    quiet = with_oscillation(size_deg=0.0)
    rng = np.random.default_rng(2)
    loud = quiet.xy_px + rng.normal(0, 12, quiet.xy_px.shape)
    t = np.concatenate([quiet.t_ms, quiet.t_ms + 1200])
    both = Samples(t_ms=t, xy_px=np.concatenate([quiet.xy_px, loud]), breaks_ms=[1200.0])
    alone = detect_remodnav(quiet)
    early = detect_remodnav(both)[: len(alone)]
    assert early.kind.tolist() == alone.kind.tolist()
    assert early.onset_ms.tolist() == alone.onset_ms.tolist()


@pytest.mark.parametrize("pursuit", [False, True])
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("losses", LOSSES)
def test_any_clock_and_loss(clip, clock, losses, screen, pursuit):
    for seed in range(20):
        samples = clip(seed, clock, losses)
        breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) else []
        events = detect_remodnav(samples, breaks_ms=breaks, screen=screen, pursuit=pursuit)
        assert (events.onset_ms[1:] >= events.offset_ms[:-1]).all()
        for at in (*breaks, *samples.breaks_ms):
            assert not ((events.onset_ms < at) & (events.offset_ms > at)).any()


def test_refuses_values_out_of_range():
    with pytest.raises(ParameterError) as error:
        detect_remodnav(Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]]), noise_factor=0)
    assert str(error.value) == "noise_factor is 0; expected a number above 0"


@pytest.mark.real
def test_people_agree_on_videos_about_as_with_the_authors_program(shared_data):
    """Kappa without pursuit, blinks and undefined samples; with the program: fixation .85/.87."""
    from gazecode.evaluation.detection import score
    from gazecode.evaluation.handlabels import recordings

    videos = list(recordings(shared_data / "andersson2017-handlabels", ["video"]))
    rows = score(
        videos,
        lambda one: detect_remodnav(one.samples, screen=one.screen),
        kinds=("fixation", "saccade"),
        counted="common",
    )
    assert min(row["kappa"] for row in rows if row["kind"] == "fixation") >= 0.78
    assert min(row["kappa"] for row in rows if row["kind"] == "saccade") >= 0.78


@pytest.mark.real
def test_the_authors_program_finds_the_same_saccades(shared_data):
    if importlib.util.find_spec("remodnav") is None:
        pytest.skip("the authors' program is not installed: pip install remodnav==1.1.2")
    from gazecode.evaluation.handlabels import recordings
    from gazecode.evaluation.scoring import f1, match_by_iou

    folder = shared_data / "andersson2017-handlabels"
    matched = []
    for one in recordings(folder, ["video"]):
        # It fails on gaze that begins or ends with a loss.
        if one.samples.lost[[0, -1]].any():
            continue
        ours = detect_remodnav(one.samples, screen=one.screen).of("saccade")
        theirs = run_program(one)
        matched.append(match_by_iou(theirs, np.stack([ours.onset_ms, ours.offset_ms], axis=1)))
    assert f1(matched) >= 0.9


def run_program(one):
    """Saccades of the authors' program with pursuit switched off, ``(k, 2)`` ms."""
    import logging
    import warnings

    import remodnav

    step_s = float(np.median(np.diff(one.samples.t_ms))) / 1000
    gaze = np.rec.fromarrays(list(one.samples.xy_px.T.copy()), names="x,y")
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = remodnav.EyegazeClassifier(
            px2deg=1 / one.screen.px_per_deg, sampling_rate=1 / step_s, pursuit_velthresh=1000.0
        )
        found = program(program.preproc(gaze))
    logging.disable(logging.NOTSET)
    rows = [
        (one.samples.t_ms[0] + 1000 * e["start_time"], one.samples.t_ms[0] + 1000 * e["end_time"])
        for e in found
        if e["label"] in ("SACC", "ISAC")
    ]
    return np.array(sorted(rows))
