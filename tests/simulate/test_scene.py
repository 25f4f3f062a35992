"""Scenes: the truth, its independence of the tracker, sessions, errors."""

import json

import numpy as np
import pytest

from gazecode.errors import ParameterError
from gazecode.simulate import ReadingModel, Tracker, simulate, simulate_session

TRACKERS = [
    Tracker(rate_hz=60),
    Tracker(rate_hz=1200, noise_deg=0.3, noise_colour="coloured", eyes="binocular"),
    Tracker(rate_hz=120, jitter_ms=2, loss=0.3, lost_rows="absent", offset_deg=0.8),
    Tracker(rate_hz=250, blinks_per_min=20, drift_deg_min=1),
]


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_same_seed_gives_the_same_truth_whatever_the_tracker(layout, screen, tracker):
    plain = simulate(layout, seed=7, screen=screen, n_fixations=80)
    seen = simulate(layout, seed=7, screen=screen, n_fixations=80, tracker=tracker)
    assert seen.truth.to_frame().equals(plain.truth.to_frame())
    assert np.array_equal(seen.token, plain.token)


def test_the_same_blinks_at_every_rate(layout, screen):
    onsets = [
        simulate(
            layout,
            seed=7,
            screen=screen,
            duration_ms=60000,
            tracker=Tracker(rate_hz=rate, blinks_per_min=15, loss=0.1),
        ).blinks.onset_ms
        for rate in (60, 500)
    ]
    assert len(onsets[0]) > 3
    assert np.array_equal(*onsets)


def test_the_same_call_gives_the_same_samples_and_another_seed_does_not(layout, screen):
    tracker = Tracker(rate_hz=250, jitter_ms=1, blinks_per_min=10, loss=0.05, eyes="binocular")
    frames = [
        simulate(
            layout, seed=s, screen=screen, n_fixations=30, tracker=tracker
        ).recording.to_frame()
        for s in (1, 1, 2)
    ]
    assert frames[0].equals(frames[1])
    assert not frames[0].equals(frames[2])


def test_every_true_fixation_lies_on_its_token(layout, screen):
    seen = simulate(layout, seed=3, screen=screen, n_fixations=500)
    x, y = seen.fixations.xy_px.T
    x0, y0, x1, y1 = layout.boxes[seen.box].T
    assert ((x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)).all()
    assert np.array_equal(seen.token, layout.token[seen.box])
    assert np.array_equal(seen.line, layout.line[seen.box])


def test_fixations_and_saccades_fill_the_trial_without_overlap(layout, screen):
    seen = simulate(layout, seed=3, screen=screen, n_fixations=200)
    onset, offset = seen.truth.onset_ms, seen.truth.offset_ms
    assert onset[1:] == pytest.approx(offset[:-1])
    assert set(seen.truth.kind[::2]) == {"fixation"}
    assert set(seen.truth.kind[1::2]) == {"saccade"}
    assert offset[-1] == seen.recording.trials[0].offset_ms


def test_a_duration_ends_the_trial_on_time(layout, screen):
    seen = simulate(layout, seed=3, screen=screen, duration_ms=7000)
    assert seen.recording.trials[0].offset_ms == 7000
    assert seen.truth.offset_ms.max() <= 7000
    assert seen.recording.gaze.t_ms[-1] == 7000 - 4
    assert seen.fixations.duration_ms.min() >= 80


@pytest.mark.parametrize("rate_hz", [60, 120, 1200])
def test_without_noise_samples_are_where_the_truth_says(layout, screen, rate_hz):
    tracker = Tracker(rate_hz=rate_hz, noise_deg=0)
    seen = simulate(layout, seed=4, screen=screen, n_fixations=60, tracker=tracker)
    gaze, fixations = seen.recording.gaze, seen.fixations
    for onset, offset, place in zip(
        fixations.onset_ms, fixations.offset_ms, fixations.xy_px, strict=True
    ):
        inside = gaze.between(onset, offset)
        assert np.allclose(inside.xy_px, place)


def test_a_session_has_one_recording_and_a_trial_per_text(layout, screen):
    tracker = Tracker(rate_hz=60, offset_deg=0.5, noise_deg=0)
    seen = simulate_session(
        [("A", layout), ("B", layout)],
        seed=5,
        screen=screen,
        duration_ms=4000,
        tracker=tracker,
        pause_ms=950,
    )
    trials = seen.recording.trials
    assert [(t.stimulus, t.onset_ms, t.offset_ms) for t in trials] == [
        ("A", 0, 4000),
        ("B", 5000, 9000),
    ]
    t = seen.recording.gaze.t_ms
    assert len(t) == 2 * 240
    assert not ((t >= 4000) & (t < 5000)).any()
    inside = [
        trials[k].onset_ms <= on < trials[k].offset_ms
        for k, on in zip(seen.trial, seen.fixations.onset_ms, strict=True)
    ]
    assert all(inside)
    # Two readings of one text differ, and no saccade leads through the pause.
    assert not np.array_equal(seen.token[seen.trial == 0][:10], seen.token[seen.trial == 1][:10])
    saccades = seen.truth.of("saccade")
    assert saccades.duration_ms.max() < 200


def test_the_frame_of_the_truth(layout, screen):
    seen = simulate(layout, seed=5, screen=screen, n_fixations=4, name="Sort")
    frame = seen.to_frame()
    assert list(frame.columns) == [
        *("trial", "onset_ms", "offset_ms", "duration_ms", "x_px", "y_px", "token", "line")
    ]
    assert set(frame["trial"]) == {"Sort"}


def test_the_provenance_says_that_it_is_synthetic(layout, screen):
    said = simulate(layout, seed=5, screen=screen, n_fixations=4).recording.provenance
    assert said["synthetic"] is True
    assert said["seed"] == 5
    json.dumps(dict(said), allow_nan=False)


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (
            {},
            "simulate got n_fixations=None and duration_ms=None; expected exactly one of the two",
        ),
        (
            {"n_fixations": 3, "duration_ms": 9},
            "simulate got n_fixations=3 and duration_ms=9; expected exactly one of the two",
        ),
        (
            {"n_fixations": 0},
            (
                "simulate got a length of 0 and pause_ms=500.0; "
                "expected a length above 0 and a pause of 0 or more"
            ),
        ),
    ],
)
def test_a_length_is_needed(layout, screen, length, message):
    with pytest.raises(ParameterError) as caught:
        simulate(layout, seed=1, screen=screen, **length)
    assert str(caught.value) == message


def test_no_text_is_refused(screen):
    with pytest.raises(ParameterError, match="simulate_session got no text; expected at least one"):
        simulate_session([], seed=1, screen=screen, n_fixations=1)


def test_other_readers_read_otherwise(layout, screen):
    slow = ReadingModel(mean_fixation_ms=400, forward=80, backward=10, refixation=10)
    seen = simulate(layout, seed=5, screen=screen, n_fixations=300, reading=slow)
    assert seen.fixations.duration_ms.mean() == pytest.approx(400, rel=0.05)
