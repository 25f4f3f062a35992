"""Detection and mapping on gaze with known truth.

A true fixation is found when a detected one overlaps it with an intersection over union above 0.5
(then at most one does). It is on the right token when the detected fixation is mapped to the token
that was fixated. All true fixations of at least 60 ms count, lost or not.
"""

import numpy as np
import pytest

from gazecode.detection import detect
from gazecode.mapping import map_to_tokens
from gazecode.simulate import ReadingModel, Tracker, simulate

SEEDS = range(5)
N_FIXATIONS = 400


def partner(truth, found):
    """Detected fixation of each true one, -1 for none, by a loop over both."""
    partners = np.full(len(truth), -1)
    first = np.searchsorted(found.offset_ms, truth.onset_ms, side="right")
    for i, (onset, offset) in enumerate(zip(truth.onset_ms, truth.offset_ms, strict=True)):
        for j in range(first[i], len(found)):
            if found.onset_ms[j] >= offset:
                break
            shared = min(offset, found.offset_ms[j]) - max(onset, found.onset_ms[j])
            union = max(offset, found.offset_ms[j]) - min(onset, found.onset_ms[j])
            if shared / union > 0.5:
                partners[i] = j
    return partners


def score(layout, screen, tracker, seed, *, reading=None):
    """Detected per true fixation; share found; share found and on the right token."""
    seen = simulate(
        layout, seed=seed, screen=screen, n_fixations=N_FIXATIONS, tracker=tracker, reading=reading
    )
    found = detect(seen.recording.gaze, "ivt", screen=screen).of("fixation")
    hits = map_to_tokens(found, layout, method="nearest")
    token = np.full(len(found), -1)
    token[hits.fixation] = hits.token
    truth = seen.fixations
    long = truth.duration_ms >= 60
    partners = partner(truth, found)
    matched = (partners >= 0) & long
    right = np.zeros(len(truth), dtype=bool)
    right[matched] = token[partners[matched]] == seen.token[matched]
    return len(found) / len(truth), matched[long].mean(), right[long].mean()


def scores(layout, screen, tracker, *, reading=None):
    return np.array([score(layout, screen, tracker, s, reading=reading) for s in SEEDS])


def show(what, found):
    count, hit, right = found.mean(axis=0)
    print(
        f"{what}: found {hit:.3f} (least {found[:, 1].min():.3f}), on the right token {right:.3f} "
        f"(least {found[:, 2].min():.3f}), count {count:.3f} of the truth"
    )


def test_white_noise_of_0_05_deg_at_120_hz(layout, screen):
    found = scores(layout, screen, Tracker(rate_hz=120, noise_deg=0.05))
    show("120 Hz, white 0.05 deg, no offset, cells 20 x 29 px, 43 px/deg", found)
    assert found[:, 1].min() >= 0.97
    assert found[:, 2].min() >= 0.95


def test_the_count_hardly_depends_on_the_rate(layout, screen):
    counts = {}
    for rate_hz in (60, 120, 250, 500, 1200):
        found = scores(layout, screen, Tracker(rate_hz=rate_hz, noise_deg=0.05))
        show(f"{rate_hz} Hz, white 0.05 deg", found)
        counts[rate_hz] = found[:, 0]
    change = np.max([np.abs(counts[60] / counts[rate] - 1) for rate in counts], axis=0)
    print(f"largest change of the count from 60 Hz on, per seed: {change.round(4)}")
    assert change.max() < 0.05


@pytest.mark.parametrize("rate_hz", [60, 120, 250])
def test_other_noise_and_offsets_print(layout, screen, rate_hz):
    cases = {
        "white 0.1 deg": Tracker(rate_hz=rate_hz, noise_deg=0.1),
        "white 0.3 deg": Tracker(rate_hz=rate_hz, noise_deg=0.3),
        "coloured 0.05 deg, 10 ms": Tracker(
            rate_hz=rate_hz, noise_deg=0.05, noise_colour="coloured"
        ),
        "coloured 0.1 deg, 100 ms": Tracker(
            rate_hz=rate_hz, noise_deg=0.1, noise_colour="coloured", noise_time_ms=100
        ),
        "coloured 0.3 deg, 100 ms": Tracker(
            rate_hz=rate_hz, noise_deg=0.3, noise_colour="coloured", noise_time_ms=100
        ),
    }
    for offset in (0.3, 0.5, 0.8):
        cases[f"white 0.05 deg, offset {offset} deg"] = Tracker(
            rate_hz=rate_hz, noise_deg=0.05, offset_deg=offset
        )
    right = {}
    for name, tracker in cases.items():
        found = scores(layout, screen, tracker)
        show(f"{rate_hz} Hz, {name}, RMS {tracker.noise_statement(43.0)['rms_s2s_deg'][0]}", found)
        right[name] = found[:, 2].mean()
    # No bar, but what is known of offsets: offset, not noise, takes fixations off their token.
    offsets = [right[f"white 0.05 deg, offset {o} deg"] for o in (0.3, 0.5, 0.8)]
    assert offsets[0] > offsets[1] > offsets[2]
    assert offsets[0] < right["coloured 0.05 deg, 10 ms"]


def test_smaller_saccades_print(layout, screen):
    for least in (0.5, 0.0):
        for rate_hz in (60, 120, 1200):
            reading = ReadingModel(min_saccade_deg=least)
            found = scores(layout, screen, Tracker(rate_hz=rate_hz), reading=reading)
            show(f"{rate_hz} Hz, saccades from {least} deg on", found)
            assert found[:, 1].min() > 0.75
