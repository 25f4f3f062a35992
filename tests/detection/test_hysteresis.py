"""Two thresholds against an oracle that labels every sample by a loop, and its worked traps."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect, detect_ivt_hysteresis
from gazecode.detection.fitted_speed import fitted_speed_deg_s
from gazecode.detection.segments import find_runs
from gazecode.detection.velocity import directions, speed_deg_s
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def slow_speeds(samples, runs, angles, reached, *, window_ms, spherical):
    """Speed of each sample by `numpy.polyfit`; `reached` where its window is too short."""
    t = samples.t_ms
    steps = [t[b] - t[a] for run in runs for a, b in itertools.pairwise(run)]
    speeds = {i: math.nan for run in runs for i in run}
    if not steps:
        return speeds
    step = sum(steps) / len(steps)
    width = 3
    while width * step < window_ms * (1 - 1e-9):
        width += 2
    for run in runs:
        size = min(width, len(run))
        for k, i in enumerate(run):
            begin = min(max(k - size // 2, 0), len(run) - size)
            held = run[begin : begin + size]
            before, after = run[max(k - 1, 0)], run[min(k + 1, len(run) - 1)]
            if t[after] - t[before] > 1.5 * window_ms:
                speeds[i] = max(
                    1000
                    * angle_between(angles[a], angles[b], spherical=spherical)
                    / min(max(t[b] - t[a], window_ms / 2), 20.0)
                    for a, b in ((before, i), (i, after))
                )
            elif t[held[-1]] - t[held[0]] < window_ms / 2:
                speeds[i] = reached[i]
            else:
                speeds[i] = slope(t[held], [angles[j] for j in held], t[i], spherical=spherical)
    return speeds


def slope(t, angles, at, *, spherical):
    x, y = (np.polyfit((t - at) / 1000, [p[k] for p in angles], 1) for k in (0, 1))
    return math.hypot(x[0] * (math.cos(math.radians(y[1])) if spherical else 1.0), y[0])


def angle_between(a, b, *, spherical):
    if not spherical:
        return math.hypot(b[0] - a[0], b[1] - a[1])
    u, v = (
        (math.cos(e) * math.sin(z), math.sin(e), math.cos(e) * math.cos(z))
        for z, e in ((math.radians(p[0]), math.radians(p[1])) for p in (a, b))
    )
    return math.degrees(
        math.atan2(math.dist(np.cross(u, v), (0, 0, 0)), sum(map(float.__mul__, u, v)))
    )


def slow_stretches(run, wanted):
    found = []
    for i in run:
        if not wanted(i):
            continue
        if found and found[-1][1] == i:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return found


def slow_bridged(pieces, saccades, samples, *, ends, angles, breaks, spherical):
    """Pieces that only a loss of at most 75 ms parts, within half a degree."""

    def mean(a, b):
        known = [angles[i] for i in range(a, b) if not math.isnan(angles[i][0])]
        return tuple(sum(p[k] for p in known) / len(known) for k in (0, 1))

    t = samples.t_ms
    longest = max(3 * np.median(np.diff(t)), 75.0) + 1e-6 if len(t) > 1 else 0
    out = []
    for c, d in pieces:
        if out:
            a, b = out[-1]
            joined = (
                t[c] - ends[b - 1] <= 75.0 + 1e-6
                and not any(a < s < c for s, _ in saccades)
                and not any(t[a] < x <= t[c] for x in breaks)
                and not (np.diff(t[a : c + 1]) > longest).any()
                and angle_between(mean(a, b), mean(c, d), spherical=spherical) <= 0.5 + 1e-9
            )
            if joined:
                out[-1] = (a, d)
                continue
        out.append((c, d))
    return out


@settings(max_examples=250)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(LOSSES),
    with_screen=st.booleans(),
    window_ms=st.sampled_from([10.0, 14.0, 40.0]),
    min_saccade_ms=st.sampled_from([0.0, 10.0, 30.0]),
)
def test_equals_the_oracle_that_labels_by_a_loop(
    clip, slow_runs, slow_angles, screen, *, seed, clock, losses, with_screen,
    window_ms, min_saccade_ms,
):  # fmt: skip
    samples = clip(seed, clock, losses)
    known = screen if with_screen else None
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []

    events = detect_ivt_hysteresis(
        samples,
        screen=known,
        breaks_ms=breaks,
        velocity_window_ms=window_ms,
        min_saccade_ms=min_saccade_ms,
        min_duration_ms=20.0,
    )

    runs, ends = slow_runs(samples, breaks)
    angles = slow_angles(samples, known)
    gaze = directions(samples, known, px_per_deg=40.0)
    segments = find_runs(samples, breaks_ms=breaks, min_gap_ms=75.0)
    reached = speed_deg_s(samples.t_ms, gaze, segments, window_ms=window_ms)
    speeds = slow_speeds(samples, runs, angles, reached, window_ms=window_ms, spherical=with_screen)
    saccades = [
        (a, b)
        for run in runs
        for a, b in slow_stretches(run, lambda i: speeds[i] >= 25.0)
        if ends[b - 1] - samples.t_ms[a] >= min_saccade_ms - 1e-6
        and any(speeds[i] >= 45.0 for i in range(a, b))
    ]
    moving = {i for a, b in saccades for i in range(a, b)}
    still = [
        (a, b)
        for run in runs
        for a, b in slow_stretches(run, lambda i: i not in moving and speeds[i] == speeds[i])
    ]
    borders = [*samples.breaks_ms.tolist(), *breaks]
    still = slow_bridged(
        still, saccades, samples, ends=ends, angles=angles, breaks=borders, spherical=with_screen
    )
    fixed = [(a, b) for a, b in still if ends[b - 1] - samples.t_ms[a] >= 20.0 - 1e-6]
    expected = sorted(
        [(a, b, "fixation") for a, b in fixed] + [(a, b, "saccade") for a, b in saccades]
    )
    found = zip(events.first.tolist(), events.last.tolist(), events.kind.tolist(), strict=True)
    assert list(found) == expected
    assert events.offset_ms.tolist() == [ends[b - 1] for _, b, _ in expected]


@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
def test_on_a_regular_clock_the_speed_is_that_of_the_savitzky_golay_filter(scene, rate_hz):
    from scipy.signal import savgol_filter

    samples = scene(1, 10).record(rate_hz)
    gaze = directions(samples, None, px_per_deg=40.0)
    runs = find_runs(samples, min_gap_ms=75.0)
    width = {250: 5, 500: 7, 1000: 15}[rate_hz]
    for degree in (1, 2):
        slopes = savgol_filter(gaze.deg, width, degree, deriv=1, delta=1 / rate_hz, axis=0)
        inner = slice(width, -width)
        speed = fitted_speed_deg_s(samples.t_ms, gaze, runs, window_ms=14.0)
        assert speed[inner] == pytest.approx(np.hypot(*slopes.T)[inner], abs=1e-6)


def ramp(*pieces, rate_hz=500.0):
    """Gaze that moves at so many deg/s for so many ms; NaN is loss; 40 px/deg."""
    step = 1.0 / rate_hz
    speed = np.concatenate([np.full(round(ms / 1000 * rate_hz), v) for v, ms in pieces])
    x = np.concatenate(([0.0], np.cumsum(np.nan_to_num(speed[:-1]) * step))) * 40
    x = np.where(np.isnan(speed), np.nan, x)
    return Samples(t_ms=np.arange(len(x)) * 1000 * step, xy_px=np.stack([x, x * 0], axis=1))


def test_a_saccade_reaches_the_upper_threshold_and_lasts_above_the_lower():
    fast = detect(ramp((0, 200), (35, 20), (100, 20), (35, 20), (0, 200)), "ivt_hysteresis")
    slow = detect(ramp((0, 200), (35, 60), (0, 200)), "ivt_hysteresis")
    assert fast.kind.tolist() == ["fixation", "saccade", "fixation"]
    assert fast.onset_ms[1] == pytest.approx(200, abs=6)
    assert fast.offset_ms[1] == pytest.approx(260, abs=6)
    assert slow.kind.tolist() == ["fixation"]


def test_what_is_fast_for_too_short_interrupts_no_fixation():
    samples = ramp((0, 200), (200, 4), (0, 200))
    assert detect(samples, "ivt_hysteresis", min_saccade_ms=20.0).kind.tolist() == ["fixation"]
    assert len(detect(samples, "ivt_hysteresis", min_saccade_ms=0.0)) == 3


@pytest.mark.parametrize(("lost_ms", "count"), [(74, 1), (80, 2)])
def test_a_short_loss_is_bridged(lost_ms, count):
    samples = ramp((0, 200), (math.nan, lost_ms), (0, 200))
    assert detect(samples, "ivt_hysteresis").kind.tolist() == ["fixation"] * count


def test_a_saccade_is_never_bridged():
    samples = ramp((0, 200), (300, 20), (math.nan, 20), (-300, 20), (0, 200))
    found = detect(samples, "ivt_hysteresis")
    assert found.kind.tolist() == ["fixation", "saccade", "saccade", "fixation"]


def recall(scene, events):
    found = 0
    for a, b in zip(scene.onset, scene.offset, strict=True):
        shared = np.minimum(b, events.offset_ms) - np.maximum(a, events.onset_ms)
        joined = np.maximum(b, events.offset_ms) - np.minimum(a, events.onset_ms)
        found += bool((shared / joined > 0.5).any())
    return found / len(scene.onset)


@pytest.mark.parametrize("rate_hz", [30, 60, 120, 250, 300, 500, 1000, 2000])
def test_a_scene_gives_the_same_fixations_at_every_rate(scene, rate_hz):
    truth = scene(7, 300)
    samples = truth.record(rate_hz)
    fixed = detect_ivt_hysteresis(samples, px_per_deg=truth.px_per_deg).of("fixation")
    print(f"hysteresis, {rate_hz} Hz: {len(fixed)} of 300, recall {recall(truth, fixed):.3f}")
    assert abs(len(fixed) - 300) < 0.05 * 300
    # At 30 Hz a saccade lies between two samples.
    assert recall(truth, fixed) >= (0.95 if rate_hz < 60 else 0.98)


@pytest.mark.parametrize(
    ("rate_hz", "jitter", "drop"),
    [(60, 0.3, 0.1), (120, 0.0, 0.2), (250, 0.4, 0.0), (500, 0.4, 0.1)],
)
def test_jittered_and_dropped_samples_change_the_count_by_less_than_5_percent(
    scene, rate_hz, jitter, drop
):
    truth = scene(8, 300)
    samples = truth.record(rate_hz, jitter=jitter, drop=drop)
    fixed = detect_ivt_hysteresis(samples, px_per_deg=truth.px_per_deg).of("fixation")
    assert abs(len(fixed) - 300) < 0.05 * 300


def test_edges_lie_within_a_sample_and_what_the_lower_threshold_leaves(scene):
    """A minimum-jerk saccade is slower than 25 deg/s for up to a tenth of its course."""
    truth = scene(9, 200, small=0.0)
    samples = truth.record(1000, noise_deg=0.005)
    fixed = detect_ivt_hysteresis(samples, px_per_deg=truth.px_per_deg).of("fixation")
    assert len(fixed) == 200
    assert np.abs(fixed.onset_ms - truth.onset).max() < 8
    assert np.abs(fixed.offset_ms[:-1] - truth.offset[:-1]).max() < 8


def test_refuses_values_out_of_range():
    samples = Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]])
    with pytest.raises(ParameterError) as error:
        detect_ivt_hysteresis(samples, peak_speed_deg_s=20)
    assert str(error.value) == (
        "peak_speed_deg_s is 20 and edge_speed_deg_s 25.0; "
        "expected the threshold of the edges not to be above that of the peak"
    )
    with pytest.raises(ParameterError, match="min_saccade_ms is -1; expected 0 or more"):
        detect_ivt_hysteresis(samples, min_saccade_ms=-1)


@pytest.mark.real
def test_agrees_with_people_who_labelled_images(shared_data):
    """In-sample: the two thresholds were first seen to work on these images."""
    from gazecode.evaluation.detection import found_by, score
    from gazecode.evaluation.handlabels import recordings

    folder = shared_data / "andersson2017-handlabels"
    if not folder.is_dir():
        pytest.skip("the hand-labelled recordings are not in ../shared/data")
    rows = score(recordings(folder, ["img"]), found_by("ivt_hysteresis"), kinds=("fixation",))
    for row, kappa, f1 in zip(rows, (0.82, 0.75), (0.95, 0.93), strict=True):
        print(row["coder"], round(row["kappa"], 3), round(row["f1"], 3))
        assert row["kappa"] >= kappa
        assert row["f1"] >= f1
