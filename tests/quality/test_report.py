"""`assess`: figures with units in their names, JSON, trials, and what makes gaze unusable."""

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings

from gazecode.errors import ParameterError
from gazecode.model import Layout, Recording, Samples, Screen, Trial
from gazecode.quality import Gates, assess
from gazecode.simulate import Tracker, simulate
from gazecode.testing import recordings

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)


def layout():
    x = np.tile(np.arange(8) * 150.0 + 300, 10)
    y = np.repeat(np.arange(10) * 60.0 + 200, 8)
    return Layout(
        boxes=np.stack([x, y, x + 120, y + 29], axis=1),
        token=np.arange(80),
        line=np.repeat(np.arange(10), 8),
        n_tokens=80,
        line_height_px=60,
    )


def still(n=1000, *, step=4.0, lost=(), eye="left", at=(100.0, 200.0)):
    xy = np.tile(np.asarray(at, dtype=float), (n, 1))
    xy[list(lost)] = np.nan
    return Samples(t_ms=np.arange(n) * step, xy_px=xy, eye=eye)


def recording(samples, trials=(), **kwargs):
    return Recording(samples={samples.eye: samples}, trials=trials, **kwargs)


@settings(max_examples=60)
@given(recordings(min_size=1))
def test_any_recording_is_assessed_and_fits_into_json(rec):
    report = assess(rec)
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert report.usable == (not report.reasons)
    assert json.loads(text)["recording"]["n_samples"] <= len(rec)
    for figures in (report.recording, *(trial.figures for trial in report.trials)):
        assert 0 <= figures["loss"] <= 1
        assert figures["n_samples"] == figures["n_valid"] + figures["n_invalid"]


def test_an_empty_recording_is_unusable():
    report = assess(recording(Samples(t_ms=[], xy_px=[], eye="left")))
    assert (report.usable, report.reasons) == (False, ["the recording holds no samples"])
    json.dumps(report.to_dict(), allow_nan=False)


def test_trials_without_samples_are_assessed():
    trials = [Trial(name="a", onset_ms=0, offset_ms=9)]
    report = assess(recording(Samples(t_ms=[], xy_px=[], eye="left"), trials))
    assert report.reasons == ["the recording holds no samples"]
    assert report.trials[0].figures["loss"] == 1.0


def test_pauses_between_trials_are_no_loss():
    t = np.concatenate([np.arange(500) * 4.0, 90000 + np.arange(500) * 4.0])
    samples = Samples(t_ms=t, xy_px=np.ones((1000, 2)), eye="left")
    trials = [
        Trial(name="a", onset_ms=0, offset_ms=2000, stimulus="A"),
        Trial(name="b", onset_ms=90000, offset_ms=92000, stimulus="B"),
    ]
    report = assess(recording(samples, trials))
    assert report.recording["loss"] == 0
    assert report.recording["duration_ms"] == 4000
    # Without its trials nothing says that nobody was to look at the screen meanwhile.
    assert assess(recording(samples)).recording["loss"] > 0.9


def trials_of(n, *, stimulus):
    return [
        Trial(name=f"t{i}", onset_ms=i * 1000, offset_ms=(i + 1) * 1000, stimulus=stimulus)
        for i in range(n)
    ]


def test_trials_that_fail_are_listed_one_by_one():
    report = assess(recording(still(lost=range(250, 400)), trials_of(4, stimulus="A")))
    assert report.usable
    assert report.reasons == []
    assert [trial.passed for trial in report.trials] == [True, False, True, True]
    assert report.trial_reasons("t1") == ["loss is 60 % (allowed: at most 40 %)"]
    assert report.trial_reasons("t2") == []
    assert report.to_dict()["trials"]["t1"]["passed"] is False


def test_reasons_name_each_gate_once():
    report = assess(recording(still(lost=range(1, 1000)), trials_of(4, stimulus="A")))
    assert not report.usable
    assert report.reasons == [
        "0 of 4 trials pass (needed: at least 1)",
        "max_loss fails in 4 of 4 trials, as in t0: loss is 99.6 % (allowed: at most 40 %)",
        "min_valid_samples fails in 4 of 4 trials, as in t0: valid samples: 1 (needed: at least 20)",
    ]


def test_trials_without_a_stimulus_do_not_make_a_recording_usable():
    trials = [
        Trial(name="cross", onset_ms=0, offset_ms=2000),
        Trial(name="code", onset_ms=2000, offset_ms=4000, stimulus="A"),
    ]
    report = assess(recording(still(lost=range(500, 1000)), trials))
    assert report.trials[0].passed
    assert not report.usable
    assert report.recording["loss"] == 1.0


def test_how_many_trials_must_pass_can_be_set():
    rec = recording(still(lost=range(250, 1000)), trials_of(4, stimulus="A"))
    assert assess(rec).usable
    assert not assess(rec, gates=Gates(min_passed_trials=2)).usable
    # More than there are cannot be asked for.
    good = recording(still(), trials_of(4, stimulus="A"))
    assert assess(good, gates=Gates(min_passed_trials=99)).usable


def test_unknown_trial_is_refused():
    report = assess(recording(still(), trials_of(2, stimulus="A")))
    with pytest.raises(ParameterError, match="no 't9' in trials; choose from: t0, t1"):
        report.trial_reasons("t9")


@pytest.mark.parametrize(
    ("plane", "screen", "key"),
    [
        ("screen_px", SCREEN, "rms_s2s_deg"),
        ("screen_px", Screen(width_px=1920, height_px=1080), "rms_s2s_px"),
        ("screen_px", None, "rms_s2s_px"),
        ("scene_px", SCREEN, "rms_s2s_px"),
        ("screen_fraction", SCREEN, "rms_s2s_fraction"),
        ("href", SCREEN, "rms_s2s_href"),
    ],
)
def test_the_unit_is_that_of_the_plane(plane, screen, key):
    report = assess(recording(still(), plane=plane, screen=screen))
    assert report.recording[key] == 0
    assert report.recording["plane"] == plane
    others = {"rms_s2s_deg", "rms_s2s_px", "rms_s2s_fraction", "rms_s2s_href"} - {key}
    assert not others & report.recording.keys()


def test_gaze_off_the_screen():
    xy = np.array([[-1.0, 5], [1921, 5], [5, 1081], [0, 0], [1920, 1080], [np.nan, np.nan]])
    samples = Samples(t_ms=np.arange(6) * 10.0, xy_px=xy, eye="left")
    assert assess(recording(samples, screen=SCREEN)).recording["off_screen"] == 0.6
    assert assess(recording(samples)).recording["off_screen"] is None


def binocular(dy=52.0, lost_right=()):
    right = still(eye="right", at=(110.0, 200.0 + dy), lost=lost_right)
    return Recording(samples={"left": still(), "right": right}, screen=SCREEN)


def test_disparity_beside_the_height_of_a_line():
    report = assess(binocular(), line_height_px=27.0)
    figures = report.recording
    assert figures["disparity_y_px"] == 52
    assert figures["disparity_x_px"] == 10
    assert figures["disparity_px"] == pytest.approx(math.hypot(10, 52), abs=1e-5)
    assert figures["disparity_deg"] == pytest.approx(math.hypot(10, 52) / 42.82, rel=0.1)
    assert figures["disparity_lines"] == pytest.approx(52 / 27, abs=1e-5)
    assert report.usable
    wide = assess(binocular(dy=100.0), line_height_px=27.0)
    assert wide.reasons == [
        "vertical distance of the eyes is 3.704 lines (allowed: at most 3 lines)"
    ]
    assert assess(binocular(dy=100.0)).usable


def test_line_heights_by_trial():
    rec = Recording(samples=dict(binocular().samples), trials=trials_of(2, stimulus="A"))
    report = assess(rec, line_height_px={"t0": 26.0, "t1": 52.0})
    assert [trial.figures["disparity_lines"] for trial in report.trials] == [2.0, 1.0]
    assert report.recording["disparity_lines"] == 2.0
    with pytest.raises(ParameterError, match="line_height_px of t0 is 0"):
        assess(rec, line_height_px=0)


def test_one_eye_share_and_each_eye():
    report = assess(binocular(lost_right=range(100)))
    assert report.recording["one_eye"] == 0.1
    assert report.recording["loss"] == 0
    assert report.recording["eyes"]["right"]["lost_rows"] == 0.1
    assert report.recording["eyes"]["left"]["lost_rows"] == 0


def test_precision_is_that_of_the_noise_and_not_of_the_saccades():
    tracker = Tracker(rate_hz=500, noise_deg=0.1)
    seen = simulate(layout(), seed=3, screen=SCREEN, duration_ms=30000, tracker=tracker)
    figures = assess(seen.recording).recording
    stated = math.hypot(*seen.noise["rms_s2s_deg"]), math.hypot(*seen.noise["std_deg"])
    found = figures["rms_s2s_deg"], figures["std_deg"]
    print(f"RMS, STD stated {np.round(stated, 4)} deg, found {np.round(found, 4)} deg")
    # The windows that hold a saccade pull the median up a little; all samples have 100 times that.
    assert found == pytest.approx(stated, rel=0.1)
    assert figures["rms_std_ratio"] == pytest.approx(math.sqrt(2), rel=0.06)


@pytest.mark.parametrize("lost_rows", ["nan", "absent"])
def test_loss_of_simulated_gaze(lost_rows):
    tracker = Tracker(rate_hz=250, loss=0.25, loss_burst_ms=60, lost_rows=lost_rows)
    seen = simulate(layout(), seed=5, screen=SCREEN, duration_ms=60000, tracker=tracker)
    found = assess(seen.recording).recording["loss"]
    print(f"lost rows {lost_rows}: loss 0.25 asked for, {found:.4f} found")
    assert found == pytest.approx(0.25, abs=0.03)


def test_the_same_loss_however_it_is_written():
    found = []
    for lost_rows in ("nan", "absent"):
        tracker = Tracker(rate_hz=120, loss=0.2, loss_burst_ms=50, lost_rows=lost_rows)
        seen = simulate(layout(), seed=6, screen=SCREEN, duration_ms=30000, tracker=tracker)
        found.append(assess(seen.recording).recording["loss"])
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_ten_minutes_at_1000_hz_print():
    rng = np.random.default_rng(0)
    n = 600_000
    xy = 500 + np.cumsum(rng.normal(0, 0.2, (n, 2)), axis=0)
    samples = Samples(t_ms=np.arange(n) * 1.0, xy_px=xy, eye="left")
    trials = [
        Trial(name=str(i), onset_ms=i * 6e4, offset_ms=(i + 1) * 6e4, stimulus="A")
        for i in range(10)
    ]
    rec = recording(samples, trials, screen=SCREEN)
    begun = time.perf_counter()
    report = assess(rec)
    print(f"assess of 600,000 samples in 10 trials: {time.perf_counter() - begun:.2f} s")
    assert report.recording["n_samples"] == n


def test_a_histogram_of_steps():
    t = np.array([0.0, 10, 20, 30, 50, 60, 90])
    samples = Samples(t_ms=t, xy_px=np.ones((7, 2)), eye="left")
    steps = assess(recording(samples)).recording["steps"]
    edges = np.array(steps["edges_ms"])
    assert steps["counts"][np.searchsorted(edges, 10.0) - 1] == 4
    assert steps["counts"][np.searchsorted(edges, 20.0) - 1] == 1
    assert steps["longer"] == 1


def test_accuracy_is_unknown_and_the_devices_own_words_stand_beside():
    said = [{"eye": "left", "error_avg_deg": 0.4}]
    figures = assess(recording(still(), provenance={"validations": said})).recording
    assert figures["accuracy"] == "unknown"
    assert figures["device_validations"] == said
