"""Engbert and Kliegl against a loop over samples, the published formula, and scenes."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect, detect_engbert_kliegl
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def slow_velocities(samples, runs, angles, *, window_ms, spherical):
    t = samples.t_ms
    steps = [t[run[k + 1]] - t[run[k]] for run in runs for k in range(len(run) - 1)]
    if not steps:
        return {}
    reach = max(round(window_ms / 2 / (sum(steps) / len(steps)) * (1 - 1e-9)), 1)
    found = {}
    for run in runs:
        for k, i in enumerate(run):
            if len(run) == 1:
                continue
            around = run[max(k - 1, 0)], run[min(k + 1, len(run) - 1)]
            if t[around[1]] - t[around[0]] > 1.5 * window_ms:
                v = faster_step(t, angles, i, around, least=window_ms / 2)
            else:
                v = averaged(t, angles, run, k, reach=reach, least=window_ms / 2)
            scale = math.cos(math.radians(angles[i][1])) if spherical else 1.0
            found[i] = (v[0] * scale, v[1])
    return found


def averaged(t, angles, run, k, *, reach, least):
    m = min(reach, k, len(run) - 1 - k)
    before, after = run[k - m : k], run[k + 1 : k + 1 + m]
    if t[run[k + m]] - t[run[k - m]] < least:
        near = [j for j in run if t[j] > t[run[k]] - least / 2 + 1e-6]
        begin = max(run.index(near[0]) - 1, 0)
        far = [n for n, j in enumerate(run) if t[j] >= t[run[k]] + least / 2 - 1e-6]
        end = far[0] if far else len(run) - 1
        before, after = run[min(begin, k) : k], run[k + 1 : end + 1]
    before, after = before or [run[k]], after or [run[k]]

    def mean(values):
        return sum(values) / len(values)

    span = mean([t[j] for j in after]) - mean([t[j] for j in before])
    return [
        1000 * (mean([angles[j][d] for j in after]) - mean([angles[j][d] for j in before])) / span
        for d in (0, 1)
    ]


def faster_step(t, angles, i, around, *, least):
    steps = []
    for a, b in ((around[0], i), (i, around[1])):
        span = max(t[b] - t[a], least)
        steps.append([1000 * (angles[b][d] - angles[a][d]) / span for d in (0, 1)])
    return max(steps, key=lambda v: math.hypot(*v))


def slow_saccades(samples, runs, ends, velocities, *, threshold, min_saccade_ms):
    if not velocities:
        return []
    spread = []
    for d in (0, 1):
        v = [row[d] for row in velocities.values()]
        squares = statistics.median(x * x for x in v) - statistics.median(v) ** 2
        spread.append(math.sqrt(max(squares, 1e-6)))
    found = []
    for run in runs:
        held = []
        for i in [*run, None]:
            v = velocities.get(i)
            if v and sum((v[d] / threshold / spread[d]) ** 2 for d in (0, 1)) > 1:
                held.append(i)
                continue
            if held and ends[held[-1]] - samples.t_ms[held[0]] >= min_saccade_ms - 1e-6:
                found.append((held[0], held[-1] + 1))
            held = []
    return found


@settings(max_examples=250)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(LOSSES),
    with_screen=st.booleans(),
    window_ms=st.sampled_from([8.0, 16.0, 40.0]),
    threshold=st.sampled_from([2.0, 6.0]),
)
def test_saccades_equal_the_oracle(
    clip, slow_runs, slow_angles, screen, *, seed, clock, losses, with_screen, window_ms, threshold
):
    samples = clip(seed, clock, losses)
    known = screen if with_screen else None
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []

    events = detect_engbert_kliegl(
        samples,
        screen=known,
        breaks_ms=breaks,
        velocity_window_ms=window_ms,
        threshold_spreads=threshold,
    ).of("saccade")

    runs, ends = slow_runs(samples, breaks)
    velocities = slow_velocities(
        samples, runs, slow_angles(samples, known), window_ms=window_ms, spherical=with_screen
    )
    expected = slow_saccades(
        samples, runs, ends, velocities, threshold=threshold, min_saccade_ms=12.0
    )
    assert list(zip(events.first.tolist(), events.last.tolist(), strict=True)) == expected
    assert events.offset_ms.tolist() == [ends[b - 1] for _, b in expected]


def test_on_their_clock_it_is_the_published_formula(scene):
    """v = (x[+2] + x[+1] - x[-1] - x[-2]) / (6 dt), spread by medians, lambda 6, three samples."""
    samples = scene(4, 60).record(250)
    x = samples.xy_px / 40.0
    v = np.zeros_like(x)
    v[2:-2] = (x[4:] + x[3:-1] - x[1:-3] - x[:-4]) * 250 / 6
    # Their velocities of the first and last two samples differ, and so little do the medians.
    eta = 6 * np.sqrt(np.median(v**2, axis=0) - np.median(v, axis=0) ** 2)
    outside = np.concatenate(([False], ((v / eta) ** 2).sum(axis=1) > 1, [False]))
    edges = np.flatnonzero(np.diff(outside)).reshape(-1, 2)
    expected = edges[edges[:, 1] - edges[:, 0] >= 3]
    found = detect(samples, "engbert_kliegl").of("saccade")
    same = np.abs(np.stack([found.first, found.last], axis=1) - expected) <= 1
    assert same.all()
    assert (same == 0).mean() < 0.05


def test_the_threshold_follows_the_noise(scene):
    truth = scene(7, 200, small=0.0)
    for noise_deg in (0.005, 0.05, 0.1):
        found = detect(
            truth.record(500, noise_deg=noise_deg), "engbert_kliegl", px_per_deg=truth.px_per_deg
        )
        assert len(found.of("saccade")) == pytest.approx(199, abs=4)


def test_gaze_without_noise_moves_where_it_changes():
    x = np.repeat([0.0, 40.0], 50)
    samples = Samples(t_ms=np.arange(100) * 4.0, xy_px=np.stack([x, x * 0], axis=1))
    assert detect(samples, "engbert_kliegl").kind.tolist() == ["fixation", "saccade", "fixation"]
    still = Samples(t_ms=np.arange(100) * 4.0, xy_px=np.full((100, 2), 321.1))
    assert detect(still, "engbert_kliegl").kind.tolist() == ["fixation"]


@pytest.mark.parametrize(
    ("rate_hz", "jitter", "drop"),
    [
        *((rate, 0.0, 0.0) for rate in (30, 60, 120, 250, 300, 500, 1000, 2000)),
        (60, 0.3, 0.1),
        (120, 0.0, 0.2),
        (250, 0.4, 0.0),
        (500, 0.4, 0.1),
    ],
)
def test_a_scene_gives_the_same_fixations_on_every_clock(scene, rate_hz, jitter, drop):
    truth = scene(7, 300)
    samples = truth.record(rate_hz, jitter=jitter, drop=drop)
    fixed = detect_engbert_kliegl(samples, px_per_deg=truth.px_per_deg).of("fixation")
    print(f"Engbert-Kliegl, {rate_hz} Hz, jitter {jitter}, dropped {drop}: {len(fixed)} of 300")
    assert abs(len(fixed) - 300) < 0.05 * 300


def test_refuses_values_out_of_range():
    samples = Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]])
    with pytest.raises(ParameterError) as error:
        detect_engbert_kliegl(samples, threshold_spreads=0)
    assert str(error.value) == "threshold_spreads is 0; expected a number above 0"
