"""`assess` and `analyse` of the pipeline: fixations found once, recordings of events alone."""

import json
import math
import time

import numpy as np
import pytest

from gazecode.errors import DataError
from gazecode.finding import find_events
from gazecode.mapping import grid_layout
from gazecode.model import Events, Layout, Recording, Samples, Screen, Trial
from gazecode.pipeline import Shown, Steps, analyse, assess
from gazecode.quality import Gates
from gazecode.quality import assess as assess_alone
from gazecode.simulate import Tracker, simulate
from gazecode.source import parse

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
TOKENS = parse("int x = 1;\nint y = 2;", language="java")
LAYOUT = grid_layout(TOKENS, origin_px=(300, 300), char_width_px=20, line_height_px=60)


def page():
    x = np.tile(np.arange(8) * 150.0 + 300, 10)
    y = np.repeat(np.arange(10) * 60.0 + 200, 8)
    return Layout(
        boxes=np.stack([x, y, x + 120, y + 29], axis=1),
        token=np.arange(80),
        line=np.repeat(np.arange(10), 8),
        n_tokens=80,
        line_height_px=60,
    )


def seen(**tracker):
    tracker = Tracker(**{"rate_hz": 500, "noise_deg": 0.1, **tracker})
    return simulate(page(), seed=3, screen=SCREEN, duration_ms=30000, tracker=tracker)


def test_precision_inside_fixations_is_that_of_the_noise():
    simulation = seen()
    figures = assess(simulation.recording).recording
    stated = math.hypot(*simulation.noise["rms_s2s_deg"]), math.hypot(*simulation.noise["std_deg"])
    found = figures["fixation_rms_s2s_deg"], figures["fixation_std_deg"]
    print(f"RMS, STD stated {np.round(stated, 4)} deg, inside fixations {np.round(found, 4)} deg")
    assert found == pytest.approx(stated, rel=0.08)
    area = 2 * math.log(1 / 0.32) * math.pi * math.prod(simulation.noise["std_deg"])
    assert figures["fixation_bcea_deg2"] == pytest.approx(area, rel=0.15)
    assert figures["fixation_rms_std_ratio"] == pytest.approx(math.sqrt(2), rel=0.05)
    assert figures["fixations_source"].startswith("ivt (velocity_window_ms 20")
    assert figures["rate_hz"] == pytest.approx(500)


def test_each_eye_has_its_own_precision():
    simulation = seen(eyes="binocular", noise_deg=0.1)
    figures = assess(simulation.recording).recording
    alone = [figures["eyes"][eye]["fixation_std_deg"] for eye in ("left", "right")]
    # The mean of two eyes has less noise than either.
    assert figures["fixation_std_deg"] == pytest.approx(np.mean(alone) / math.sqrt(2), rel=0.1)


def test_the_devices_own_fixations_go_first():
    simulation = seen()
    own = simulation.fixations[:5]
    rec = Recording(
        samples=simulation.recording.samples, screen=SCREEN, device_events=own, trials=()
    )
    figures = assess(rec).recording
    assert (figures["fixations_source"], figures["n_fixations"]) == ("device", 5)


def test_quality_alone_is_what_the_pipeline_makes_of_it():
    simulation = seen()
    rec = simulation.recording
    ours = assess(rec).to_dict()
    events = find_events(rec)
    source = ours["about"]["fixations_source"]
    assert assess_alone(rec, fixations=events, fixations_source=source).to_dict() == ours
    bare = assess_alone(rec).recording
    assert bare["fixation_std_deg"] is None
    assert bare["std_deg"] == ours["recording"]["std_deg"]


def test_gaze_on_no_screen_is_assessed_without_fixations():
    samples = seen().recording.samples
    report = assess(Recording(samples=samples, plane="scene_px"))
    assert report.recording["n_fixations"] is None
    assert report.recording["rms_s2s_px"] > 0
    assert any("plane scene_px" in warning for warning in report.warnings)


def only_events(*, trials=True, eyes=("left",)):
    onset = np.arange(12) * 300.0
    n = len(onset) * len(eyes)
    order = np.argsort(np.tile(onset, len(eyes)), kind="stable")
    events = Events(
        kind=["fixation"] * n,
        onset_ms=np.tile(onset, len(eyes))[order],
        offset_ms=np.tile(onset, len(eyes))[order] + 250,
        xy_px=np.full((n, 2), (330.0, 330.0)),
        eye=np.repeat(np.array(eyes, dtype=object), len(onset))[order],
    )
    named = [
        Trial(name="code", onset_ms=0, offset_ms=3000, stimulus="A"),
        Trial(name="none", onset_ms=9000, offset_ms=12_000, stimulus="A"),
    ]
    return Recording(
        samples={"left": Samples(t_ms=[], xy_px=[], eye="left")},
        device_events=events,
        screen=SCREEN,
        trials=named if trials else (),
    )


def show(recording, trial):
    return Shown(stimulus="A", tokens=TOKENS, layout=LAYOUT)


def test_a_recording_of_fixations_alone_is_not_refused():
    for judge in (assess, assess_alone):
        report = judge(only_events())
        assert report.usable
        assert [trial.passed for trial in report.trials] == [True, False]
        assert report.trial_reasons("none") == ["the device reports no fixation"]
        figures = report.recording
        for name in ("loss", "rate_hz", "rms_s2s_deg", "fixation_std_deg", "effective_hz"):
            assert figures[name] is None, name
        assert (figures["n_samples"], figures["n_fixations"], figures["fixation_ms"]) == (
            0,
            10,
            250,
        )
        assert figures["off_screen"] == 0
        assert "loss, rate and precision are unknown" in report.warnings[0]
        json.dumps(report.to_dict(), allow_nan=False)
    assert assess(only_events(trials=False)).recording["duration_ms"] == 3550


def test_fixations_alone_are_analysed_with_the_devices_own():
    steps = Steps(detect="device", null_shifts=0)
    result = analyse(only_events(), show, steps)
    assert [trial.trial.name for trial in result.trials] == ["code"]
    assert len(result.trials[0].fixations) == 10
    assert result.trials[0].weights.value.sum() > 0
    assert [(f.trial, f.stage) for f in result.failures] == [("none", "quality")]


def test_another_detector_is_answered_with_what_to_set():
    result = analyse(only_events(), show, Steps())
    assert not result.trials
    assert [(f.trial, f.stage) for f in result.failures] == [("", "detect")]
    assert '[detect] method = "device"' in result.failures[0].reason
    assert result.quality["usable"]
    with pytest.raises(
        DataError, match=r"ivt needs samples; take the device\'s own: --method device"
    ):
        find_events(only_events())


def test_of_two_eyes_without_samples_the_longer_fixating_is_taken():
    rec = only_events(eyes=("left", "right"))
    found = find_events(rec, "device")
    assert set(found.eye) == {"left"}
    assert len(found) == 12


def test_analyse_gives_the_shares_of_its_layouts():
    result = analyse(
        Recording(
            samples=seen().recording.samples,
            screen=SCREEN,
            trials=[Trial(name="a", onset_ms=0, offset_ms=20_000, stimulus="A")],
        ),
        lambda *_: Shown(stimulus="A", tokens=TOKENS, layout=LAYOUT),
        Steps(null_shifts=0, gates=Gates(max_off_screen=None)),
    )
    found = result.quality["recording"]["resolvability"]
    assert [row["accuracy_deg"] for row in found["table"]] == [0, 0.3, 0.5, 0.8]
    assert found["lines"] == "unknown"
    assert result.quality["recording"]["fixations_source"].startswith("ivt")


def ten_minutes(*, binocular):
    rng = np.random.default_rng(0)
    n, hold = 600_000, 280
    place = rng.uniform((200, 100), (1700, 900), (n // hold + 1, 2))
    xy = place[np.arange(n) // hold]
    t = np.arange(n) * 1.0
    samples = {}
    for eye in ("left", "right") if binocular else ("left",):
        own = xy + rng.normal(0, 3, (n, 2))
        own[(np.arange(n) + 500 * len(samples)) % 3000 < 150] = np.nan
        samples[eye] = Samples(t_ms=t, xy_px=own, eye=eye)
    trials = [
        Trial(name=str(i), onset_ms=i * 6e4, offset_ms=(i + 1) * 6e4, stimulus="A")
        for i in range(10)
    ]
    return Recording(samples=samples, trials=trials, screen=SCREEN)


@pytest.mark.slow
@pytest.mark.parametrize("binocular", [False, True])
def test_ten_minutes_at_1000_hz_print(binocular):
    rec = ten_minutes(binocular=binocular)
    begun = time.perf_counter()
    report = assess(rec, layouts=page())
    print(f"assess with detection, binocular {binocular}: {time.perf_counter() - begun:.2f} s")
    assert report.recording["n_samples"] == 600_000
