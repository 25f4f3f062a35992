"""The choice of a detector: what is measured is what was put in, and little is lost by the choice."""

import numpy as np
import pytest

from gazecode.detection import DETECTORS
from gazecode.detection.auto import choose_detector
from gazecode.evaluation.scoring import f1, match_by_iou
from gazecode.model import Layout, Samples, Screen
from gazecode.simulate import ReadingModel, Tracker, simulate

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)


def layout():
    rng = np.random.default_rng(5)
    boxes, lines = [], []
    for line in range(25):
        left = 200 + 52 * int(rng.integers(0, 4))
        for _ in range(int(rng.integers(2, 9))):
            width = 13 * int(rng.integers(1, 12))
            boxes.append([left, 80 + line * 34, left + width, 110 + line * 34])
            lines.append(line)
            left += width + 13
    return Layout(
        boxes=boxes, token=range(len(boxes)), line=lines, n_tokens=len(boxes), line_height_px=34
    )


def reading(rate_hz, noise_deg, *, n=80, **tracker):
    return simulate(
        layout(),
        seed=11,
        screen=SCREEN,
        n_fixations=n,
        tracker=Tracker(rate_hz=rate_hz, noise_deg=noise_deg, **tracker),
        reading=ReadingModel(min_saccade_deg=1.0),
    )


def agreement(scene, method):
    found = DETECTORS[method](scene.recording.gaze, screen=SCREEN).of("fixation")
    true = scene.fixations
    pairs = [np.stack([e.onset_ms, e.offset_ms], axis=1) for e in (true, found)]
    return f1([match_by_iou(*pairs)])


@pytest.mark.parametrize("colour", ["white", "coloured"])
@pytest.mark.parametrize("rate_hz", [60, 250, 1000])
@pytest.mark.parametrize("noise_deg", [0.03, 0.1, 0.3])
def test_measures_the_noise_that_was_put_in(rate_hz, noise_deg, colour):
    tracker = Tracker(rate_hz=rate_hz, noise_deg=noise_deg, noise_colour=colour)
    scene = reading(rate_hz, noise_deg, noise_colour=colour)
    choice = choose_detector(scene.recording.gaze, screen=SCREEN)
    x, y = tracker.noise_statement(40.0)["rms_s2s_deg"]
    # Saccades below three times the noise count as rest.
    assert choice.rms_s2s_deg == pytest.approx(np.hypot(x, y), rel=0.25)
    assert choice.rate_hz == pytest.approx(rate_hz, rel=0.01)
    assert choice.lost == 0


def test_loss_is_counted_as_nan_and_as_missing_rows():
    for rows in ("nan", "absent"):
        scene = reading(250, 0.05, loss=0.1, lost_rows=rows)
        choice = choose_detector(scene.recording.gaze, screen=SCREEN)
        assert choice.lost == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("rate_hz", "noise_deg", "method"),
    [
        (30, 0.05, "idt"),
        (30, 0.22, "ihmm"),
        (60, 0.05, "ivt"),
        (60, 0.3, "i2mc"),
        (120, 0.1, "ivt"),
        (120, 0.4, "i2mc"),
        (250, 0.2, "ivt"),
        (500, 0.05, "ivt_hysteresis"),
        (1000, 0.2, "ivt"),
        (1000, 0.5, "i2mc"),
    ],
)
def test_little_is_lost_by_the_choice(rate_hz, noise_deg, method):
    scene = reading(rate_hz, noise_deg)
    choice = choose_detector(scene.recording.gaze, screen=SCREEN)
    assert choice.method == method
    candidates = ("idt", "ihmm", "ivt", "ivt_hysteresis", "i2mc", "engbert_kliegl", "remodnav")
    best = max(agreement(scene, name) for name in candidates)
    assert agreement(scene, choice.method) >= best - 0.06


def test_losses_decide_against_dispersion():
    scene = reading(30, 0.05, loss=0.1)
    assert choose_detector(scene.recording.gaze, screen=SCREEN).method == "ihmm"


def test_why_says_what_was_measured_and_what_follows():
    scene = reading(120, 0.06)
    choice = choose_detector(scene.recording.gaze, screen=SCREEN)
    assert choice.why == (
        f"120 Hz, RMS-S2S {choice.rms_s2s_deg:.2f} deg ({choice.noise_deg:.2f} deg in 20 ms), "
        "0 % lost: ivt, since gaze is quiet enough for a threshold of speed, and its merging "
        "bridges losses"
    ).replace(" 0.", " .").replace("(0.", "(.")
    assert dict(choice.params) == {}


@pytest.mark.parametrize("n", [0, 1])
def test_too_little_gaze_is_said(n):
    few = Samples(t_ms=np.arange(n) * 500.0, xy_px=np.zeros((n, 2)))
    choice = choose_detector(few)
    assert choice.method == "ivt"
    assert choice.why.startswith("too little gaze to measure noise: ivt, since ")


def test_gaze_without_noise_and_any_clock(clip):
    flat = Samples(t_ms=np.arange(100) * 2.0, xy_px=np.full((100, 2), 5.0))
    assert choose_detector(flat).noise_deg == 0
    for seed in range(200):
        clock = ("regular", "rounded", "jittered", "gapped", "bursts")[seed % 5]
        choice = choose_detector(clip(seed, clock, ("none", "some", "blinks", "all")[seed % 4]))
        assert choice.method in DETECTORS
        assert 0 <= choice.lost <= 1
