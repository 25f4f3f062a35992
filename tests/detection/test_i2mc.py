"""I2MC: two-means against every possible split, scenes with known fixations, the reference."""

import importlib.util
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import detect_i2mc, i2mc
from gazecode.detection.i2mc import two_means
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def spread(points, labels):
    """Sum of squared distances to the mean of each cluster."""
    parts = [points[labels], points[~labels]]
    return sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts if len(part))


def least_spread(points):
    """The best of all splits in two, one by one."""
    n = len(points)
    masks = itertools.product([False, True], repeat=n - 1)
    return min(spread(points, np.array([False, *mask])) for mask in masks)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 9), apart=st.sampled_from([14.0, 30.0]))
def test_two_places_are_parted_as_the_best_of_all_splits_parts_them(seed, n, apart):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 1, (n, 2)).clip(-2, 2)
    points[rng.integers(1, n) :] += apart * np.array([np.cos(seed), np.sin(seed)])
    (labels,) = two_means(points[None, :, 0], points[None, :, 1])
    assert spread(points, labels) <= least_spread(points) + 1e-9


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(2, 30))
def test_every_point_is_with_the_nearer_mean_and_rows_do_not_meet(seed, k):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 1, (2, 6, k))
    x[0], y[0] = 3.0, 4.0
    labels = two_means(x, y)
    assert not labels[0].any()
    for row in range(1, 6):
        points = np.stack([x[row], y[row]], axis=1)
        means = [points[labels[row] == side].mean(axis=0) for side in (False, True)]
        away = [np.hypot(*(points - mean).T) for mean in means]
        assert ((away[1] < away[0]) == labels[row]).all()
        alone = two_means(x[row : row + 1], y[row : row + 1])
        assert (alone[0] == labels[row]).all()


@pytest.mark.parametrize("rate_hz", [60, 120, 300, 500])
@pytest.mark.parametrize("noise_deg", [0.05, 0.3])
def test_finds_the_fixations_of_a_scene_in_noise(scene, rate_hz, noise_deg):
    truth = scene(3, 40, small=0.0)
    events = detect_i2mc(truth.record(rate_hz, noise_deg=noise_deg), px_per_deg=truth.px_per_deg)
    shared = np.minimum(events.offset_ms[:, None], truth.offset) - np.maximum(
        events.onset_ms[:, None], truth.onset
    )
    whole = np.maximum(events.offset_ms[:, None], truth.offset) - np.minimum(
        events.onset_ms[:, None], truth.onset
    )
    hits = (shared > 0.5 * whole).sum()
    # At 60 Hz a window holds twelve samples, and noise of .3 deg hides some of the saccades.
    assert 2 * hits / (len(events) + 40) >= (0.85 if rate_hz == 60 and noise_deg > 0.1 else 0.95)


def test_jittered_and_dropped_samples_change_little(scene):
    truth = scene(7, 60, small=0.0)
    regular = detect_i2mc(truth.record(250, noise_deg=0.1), px_per_deg=truth.px_per_deg)
    shaken = truth.record(250, noise_deg=0.1, jitter=0.4, drop=0.05)
    assert abs(len(detect_i2mc(shaken, px_per_deg=truth.px_per_deg)) - len(regular)) <= 3


def three_places(*, lost):
    """Fixations of 500 samples, the second with a loss from its 200th on."""
    rng = np.random.default_rng(0)
    xy = np.repeat([[300.0, 300.0], [600.0, 400.0], [200.0, 600.0]], 500, axis=0)
    xy += rng.normal(0, 4, xy.shape)
    xy[700 : 700 + lost] = np.nan
    return Samples(t_ms=np.arange(1500) * 2.0, xy_px=xy)


@pytest.mark.parametrize(("lost", "pieces"), [(40, 3), (49, 3), (50, 4)])
def test_a_loss_of_up_to_100_ms_is_bridged(lost, pieces):
    samples = three_places(lost=lost)
    events = detect_i2mc(samples)
    assert len(events) == pieces
    # From the last sample before to the first after there are lost + 1 steps of 2 ms.
    assert len(detect_i2mc(samples, max_loss_ms=0)) == 4
    for a, b, place in zip(events.first, events.last, events.xy_px, strict=True):
        assert place == pytest.approx(np.nanmean(samples.xy_px[a:b], axis=0))
        assert not np.isnan(samples.xy_px[[a, b - 1]]).any()


def test_nothing_is_extrapolated():
    samples = three_places(lost=0)
    xy = samples.xy_px.copy()
    xy[:10] = xy[-10:] = np.nan
    events = detect_i2mc(Samples(t_ms=samples.t_ms, xy_px=xy))
    assert events.first.min() >= 10
    assert events.last.max() <= 1490


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("losses", LOSSES)
def test_any_clock_and_loss(clip, clock, losses, screen):
    for seed in range(25):
        samples = clip(seed, clock, losses)
        breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) else []
        events = detect_i2mc(samples, breaks_ms=breaks, screen=screen)
        assert (events.onset_ms[1:] >= events.offset_ms[:-1]).all()
        assert (events.duration_ms >= 40 - 1e-6).all()
        for at in (*breaks, *samples.breaks_ms):
            assert not ((events.onset_ms < at) & (events.offset_ms > at)).any()


def test_chunks_do_not_change_the_result(scene, monkeypatch):
    samples = scene(5, 20).record(300, noise_deg=0.2)
    whole = detect_i2mc(samples)
    monkeypatch.setattr(i2mc, "CHUNK", 200)
    parts = detect_i2mc(samples)
    assert parts.first.tolist() == whole.first.tolist()
    assert parts.last.tolist() == whole.last.tolist()


def test_refuses_a_rate_that_is_none():
    with pytest.raises(ParameterError) as error:
        detect_i2mc(Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]]), downsamplings=(1, 5))
    assert str(error.value) == "downsamplings is (1, 5); expected whole numbers of 2 or more"


@pytest.mark.real
@pytest.mark.parametrize("name", ["1", "2", "5"])
def test_the_reference_finds_the_same_fixations(shared_data, name):
    if importlib.util.find_spec("I2MC") is None:
        pytest.skip("the reference implementation is not installed: pip install I2MC==2.2.8")
    from gazecode.evaluation.scoring import f1, match_by_iou

    t, xy = read_mean_gaze(shared_data / "i2mc-example" / "participant1" / f"{name}.tsv")
    theirs = run_reference(t, xy)
    ours = detect_i2mc(Samples(t_ms=t, xy_px=xy), px_per_deg=43.0)
    matched = match_by_iou(theirs, np.stack([ours.onset_ms, ours.offset_ms], axis=1))
    assert len(theirs) == len(ours)
    assert f1([matched]) == 1.0


def read_mean_gaze(path):
    """Stamps and mean of both eyes, px, of the reference's own example."""
    import pandas as pd

    rows = pd.read_csv(path, sep="\t")
    eyes = []
    for eye in "LR":
        places = rows[[f"{eye}GazePos2dx", f"{eye}GazePos2dy"]].to_numpy()
        bad = (rows[f"{eye}Validity"].to_numpy() > 1) | (places[:, 0] == -1)
        eyes.append(np.where(bad[:, None], np.nan, places * [1920, 1080]))
    left, right = eyes
    mean = np.where(np.isnan(left), right, np.where(np.isnan(right), left, (left + right) / 2))
    return rows["RelTimestamp"].to_numpy(float), mean


def run_reference(t, xy):
    """Intervals of the fixations that I2MC finds, its last samples made ends."""
    import warnings

    import I2MC
    import pandas as pd

    lost = np.isnan(xy[:, 0])
    frame = pd.DataFrame(
        {
            "time": t,
            "average_X": np.where(lost, -1920.0, xy[:, 0]),
            "average_Y": np.where(lost, -1080.0, xy[:, 1]),
        }
    )
    options = {"xres": 1920.0, "yres": 1080.0, "missingx": -1920.0, "missingy": -1080.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = I2MC.I2MC(frame, {**options, "freq": 300.0}, logging=False)[0]
    return np.stack([found["startT"], found["endT"] + 1000 / 300], axis=1)
