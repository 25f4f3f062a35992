"""EyeLink text: what the reader gets back is what was written."""

import numpy as np
import pytest

from gazecode.errors import DataError, ParameterError
from gazecode.model import Recording
from gazecode.readers import read
from gazecode.simulate import Tracker, simulate, simulate_session, write_eyelink_asc

TRACKER = Tracker(
    rate_hz=500,
    eyes="binocular",
    disparity_deg=(0.2, 0.1),
    blinks_per_min=20,
    one_eye_per_min=6,
    loss=0.01,
    loss_burst_ms=30,
)


@pytest.fixture(scope="module")
def seen(layout, screen):
    texts = [("A", layout), ("B", layout)]
    return simulate_session(texts, seed=5, screen=screen, duration_ms=15000, tracker=TRACKER)


@pytest.fixture(scope="module")
def back(seen, tmp_path_factory):
    path = tmp_path_factory.mktemp("asc") / "P01.asc"
    write_eyelink_asc(seen.recording, path, truth=seen.truth)
    return read(path)


def test_samples_come_back(seen, back):
    assert back.provenance["format"] == "eyelink"
    for eye in ("left", "right"):
        written, found = seen.recording.samples[eye], back.samples[eye]
        assert np.array_equal(found.t_ms, written.t_ms)
        assert np.array_equal(found.lost, written.lost)
        # One decimal.
        assert np.nanmax(np.abs(found.xy_px - written.xy_px)) <= 0.05 + 1e-9


def test_trials_screen_and_rate_come_back(seen, back):
    assert [(t.name, t.onset_ms, t.offset_ms) for t in back.trials] == [
        (t.name, t.onset_ms, t.offset_ms) for t in seen.recording.trials
    ]
    assert [t.stimulus for t in back.trials] == ["A.png", "B.png"]
    assert (back.screen.width_px, back.screen.height_px) == (1920, 1080)
    assert back.provenance["stated_rates_hz"] == [500.0]
    assert back.provenance["left_out"] == {}


def test_events_are_the_truth_where_gaze_was_there(layout, screen, tmp_path):
    clean = Tracker(rate_hz=1000, eyes="right", noise_deg=0.02)
    seen = simulate(layout, seed=9, screen=screen, n_fixations=60, tracker=clean)
    write_eyelink_asc(seen.recording, tmp_path / "P.asc", truth=seen.truth)
    found = read(tmp_path / "P.asc").device_events
    assert found.kind.tolist() == seen.truth.kind.tolist()
    assert np.abs(found.onset_ms - seen.truth.onset_ms).max() <= 1
    assert np.abs(found.offset_ms - seen.truth.offset_ms).max() <= 1
    fixations = found.of("fixation")
    assert np.abs(fixations.xy_px - seen.fixations.xy_px).max() < 1


def test_no_fixation_of_the_file_holds_a_lost_sample(back):
    fixations = back.device_events.of("fixation")
    assert len(fixations) > 50
    for onset, offset, eye in zip(
        fixations.onset_ms, fixations.offset_ms, fixations.eye, strict=True
    ):
        assert not back.samples[eye].between(onset, offset).lost.any()


def test_lost_stretches_are_blinks_inside_saccades(seen, tmp_path):
    write_eyelink_asc(seen.recording, tmp_path / "P.asc", truth=seen.truth)
    kinds = [
        line.split()[0] + line.split()[1]
        for line in (tmp_path / "P.asc").read_text().splitlines()
        if line[:2] in ("SB", "EB", "SS", "ES")
    ]
    for eye in "LR":
        mine = [kind[:-1] for kind in kinds if kind[-1] == eye]
        at = [i for i, kind in enumerate(mine) if kind == "SBLINK"]
        assert len(at) > 5
        for i in at:
            assert mine[i - 1 : i + 3] == ["SSACC", "SBLINK", "EBLINK", "ESACC"]


@pytest.mark.parametrize("name", ["a.asc", "a.asc.gz"])
def test_the_same_bytes(seen, tmp_path, name):
    write_eyelink_asc(seen.recording, tmp_path / name, truth=seen.truth)
    first = (tmp_path / name).read_bytes()
    write_eyelink_asc(seen.recording, tmp_path / name, truth=seen.truth)
    assert (tmp_path / name).read_bytes() == first
    assert len(read(tmp_path / name)) == len(seen.recording)


def test_without_truth_there_are_no_events(seen, tmp_path):
    write_eyelink_asc(seen.recording, tmp_path / "P.asc")
    assert len(read(tmp_path / "P.asc").device_events) == 0


def test_the_file_says_that_it_is_synthetic(seen, tmp_path):
    write_eyelink_asc(seen.recording, tmp_path / "P.asc")
    assert "SYNTHETIC" in (tmp_path / "P.asc").read_text()[:400]


def test_a_rate_without_whole_ms_is_refused(layout, screen, tmp_path):
    tracker = Tracker(rate_hz=1200, eyes="left")
    seen = simulate(layout, seed=1, screen=screen, n_fixations=3, tracker=tracker)
    with pytest.raises(ParameterError, match="share a stamp in whole ms; simulate 1000, 500 or"):
        write_eyelink_asc(seen.recording, tmp_path / "P.asc")
    assert not (tmp_path / "P.asc").exists()


def test_joined_gaze_or_no_screen_is_refused(layout, screen, tmp_path):
    seen = simulate(layout, seed=1, screen=screen, n_fixations=3)
    with pytest.raises(DataError, match="a recording of both with screen"):
        write_eyelink_asc(seen.recording, tmp_path / "P.asc")
    tracker = Tracker(eyes="left")
    left = simulate(layout, seed=1, screen=screen, n_fixations=3, tracker=tracker).recording
    with pytest.raises(DataError, match="of left with screen None cannot be written"):
        write_eyelink_asc(Recording(samples=left.samples), tmp_path / "P.asc")
