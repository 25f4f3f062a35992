"""I-VT against an oracle that labels every sample by a loop, and its worked traps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect_ivt
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def angle_between(a, b, *, spherical):
    """By the cross and dot product of two lines of sight, not by the haversine."""
    if not spherical:
        return math.hypot(b[0] - a[0], b[1] - a[1])
    u, v = (
        (math.cos(e) * math.sin(z), math.sin(e), math.cos(e) * math.cos(z))
        for z, e in ((math.radians(p[0]), math.radians(p[1])) for p in (a, b))
    )
    return math.degrees(
        math.atan2(math.dist(np.cross(u, v), (0, 0, 0)), sum(map(float.__mul__, u, v)))
    )


def slow_speed(samples, run, i, angles, *, window_ms, spherical):
    t = samples.t_ms
    half = window_ms / 2
    inner = [j for j in run if abs(t[j] - t[i]) <= half + 1e-6 or abs(j - i) == 1]
    a, b = min(inner), max(inner)
    if t[b] - t[a] < half - 1e-6:
        a = max((j for j in run if t[j] <= t[i] - half + 1e-6), default=run[0])
        b = min((j for j in run if t[j] >= t[i] + half - 1e-6), default=run[-1])
    usual = np.median(np.diff(t)) if len(t) > 1 else 0.0
    longest = window_ms * (4 / 3 if usual > window_ms * 2 / 3 + 1e-6 else 2)
    parts = [(a, b)] if t[b] - t[a] <= longest + 1e-6 else [(a, i), (i, b)]
    speeds = [
        1000 * angle_between(angles[p], angles[q], spherical=spherical) / (t[q] - t[p])
        for p, q in parts
        if p < q
    ]
    return max(speeds, default=math.nan)


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


def slow_merge(samples, stretches, ends, angles, same_part, *, gap_ms, angle_deg, spherical):
    def mean(a, b):
        kept = [angles[i] for i in range(a, b) if not math.isnan(angles[i][0])]
        return tuple(sum(p[k] for p in kept) / len(kept) for k in (0, 1))

    merged = []
    rest = [list(s) for s in stretches]
    while rest:
        a, b = rest.pop(0)
        while True:
            near = [
                k
                for k, (c, d) in enumerate(rest)
                if samples.t_ms[c] - ends[b - 1] <= gap_ms + 1e-6
                and same_part(a, c)
                and angle_between(mean(a, b), mean(c, d), spherical=spherical) <= angle_deg
                and all(ends[f - 1] - samples.t_ms[e] < 20.0 - 1e-6 for e, f in rest[:k])
            ]
            if not near:
                break
            b = rest[near[0]][1]
            rest = rest[near[0] + 1 :]
        merged.append((a, b))
    return merged


def slow_ivt(samples, runs, ends, angles, *, breaks_ms, spherical, merge_gap_ms, min_duration_ms):
    speed = {
        i: slow_speed(samples, run, i, angles, window_ms=20.0, spherical=spherical)
        for run in runs
        for i in run
    }
    slow = [s for run in runs for s in slow_stretches(run, lambda i: speed[i] < 30.0)]
    breaks = [*samples.breaks_ms.tolist(), *breaks_ms]

    def same_part(a, c):
        if any(samples.t_ms[a] < b <= samples.t_ms[c] for b in breaks):
            return False
        between = np.diff(samples.t_ms[a : c + 1])
        return not any(between > max(3 * np.median(np.diff(samples.t_ms)), 75.0) + 1e-6)

    if merge_gap_ms:
        slow = slow_merge(
            samples, slow, ends, angles, same_part,
            gap_ms=merge_gap_ms, angle_deg=0.5, spherical=spherical,
        )  # fmt: skip
    fixed = [(a, b) for a, b in slow if ends[b - 1] - samples.t_ms[a] >= min_duration_ms - 1e-6]
    inside = {i for a, b in fixed for i in range(a, b)}
    fast = [
        s
        for run in runs
        for s in slow_stretches(run, lambda i: speed[i] >= 30.0 and i not in inside)
    ]
    return sorted([(a, b, "fixation") for a, b in fixed] + [(a, b, "saccade") for a, b in fast])


@settings(max_examples=250)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(LOSSES),
    with_screen=st.booleans(),
    merge_gap_ms=st.sampled_from([0.0, 30.0, 75.0]),
    min_duration_ms=st.sampled_from([0.0, 20.0, 60.0]),
)
def test_equals_the_oracle_that_labels_by_a_loop(
    clip, slow_runs, slow_angles, screen, *, seed, clock, losses, with_screen,
    merge_gap_ms, min_duration_ms,
):  # fmt: skip
    samples = clip(seed, clock, losses)
    known = screen if with_screen else None
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []
    limits = {"merge_gap_ms": merge_gap_ms, "min_duration_ms": min_duration_ms}

    events = detect_ivt(samples, screen=known, breaks_ms=breaks, **limits)

    runs, ends = slow_runs(samples, breaks)
    angles = slow_angles(samples, known)
    expected = slow_ivt(
        samples, runs, ends, angles, breaks_ms=breaks, spherical=with_screen, **limits
    )
    found = zip(events.first.tolist(), events.last.tolist(), events.kind.tolist(), strict=True)
    assert list(found) == expected
    assert events.onset_ms.tolist() == [samples.t_ms[a] for a, _, _ in expected]
    assert events.offset_ms.tolist() == [ends[b - 1] for _, b, _ in expected]
    for (a, b, kind), place in zip(expected, events.xy_px, strict=True):
        part = samples.xy_px[a:b]
        want = np.nanmean(part, axis=0) if kind == "fixation" else part[0]
        assert place == pytest.approx(want, abs=1e-6)


def still(blocks, *, step_ms=1.0):
    """Gaze that stands at each x (deg) for so many samples; NaN is loss; 40 px/deg."""
    x = np.concatenate([np.full(count, deg * 40.0) for deg, count in blocks])
    return Samples(
        t_ms=np.arange(len(x)) * step_ms,
        xy_px=np.stack([x, np.where(np.isnan(x), np.nan, 300.0)], axis=1),
    )


def test_saccade_lies_between_its_fixations_and_says_where_it_led():
    samples = still([(0, 200), (5, 200)])
    events = detect_ivt(samples)
    assert events.kind.tolist() == ["fixation", "saccade", "fixation"]
    # A step is seen by every sample whose window of 20 ms holds both sides.
    assert events.first.tolist() == [0, 190, 210]
    assert events.last.tolist() == [190, 210, 400]
    assert events.xy_px[:, 0].tolist() == [0.0, 0.0, 200.0]
    assert events.end_xy_px[1].tolist() == [200.0, 300.0]
    assert np.isnan(events.end_xy_px[[0, 2]]).all()


def test_the_last_fixation_is_emitted_and_ends_half_open():
    events = detect_ivt(still([(0, 50)], step_ms=4.0))
    assert events.onset_ms.tolist() == [0.0]
    assert events.offset_ms.tolist() == [49 * 4.0 + 1.5 * 4.0]
    assert (events.first.tolist(), events.last.tolist()) == ([0], [50])


@pytest.mark.parametrize("gap_ms", [76.0, 950.0, 4900.0])
def test_no_event_and_no_speed_crosses_a_gap(gap_ms):
    t = np.concatenate((np.arange(100), 99 + gap_ms + np.arange(100)))
    x = np.repeat([300.0, 500.0], 100)
    here = Samples(t_ms=t, xy_px=np.full((200, 2), 300.0))
    there = Samples(t_ms=t, xy_px=np.stack([x, x], axis=1))
    for samples in (here, there):
        events = detect_ivt(samples)
        assert events.kind.tolist() == ["fixation", "fixation"]
        assert events.offset_ms.tolist() == [100.5, 99 + gap_ms + 99 + 1.5]
        assert events.last.tolist() == [100, 200]


@pytest.mark.parametrize(
    ("lost", "away_deg", "count"), [(70, 0.0, 1), (75, 0.4, 1), (76, 0.0, 2), (40, 0.6, 2)]
)
def test_only_merging_bridges_a_loss_within_its_limits(lost, away_deg, count):
    samples = still([(0, 150), (math.nan, lost), (away_deg, 150)])
    events = detect_ivt(samples)
    assert events.kind.tolist() == ["fixation"] * count
    assert len(detect_ivt(samples, merge_gap_ms=0.0)) == 2
    if count == 1:
        assert events.xy_px[0, 0] == pytest.approx(away_deg * 40 / 2)


def test_one_outlying_sample_does_not_split_a_fixation():
    samples = still([(0, 100), (3, 1), (0, 100)], step_ms=10 / 3)
    events = detect_ivt(samples)
    assert (events.kind.tolist(), events.last.tolist()) == (["fixation"], [201])


def test_breaks_part_events_even_without_a_gap():
    samples = still([(0, 200)])
    own = Samples(t_ms=samples.t_ms, xy_px=samples.xy_px, breaks_ms=[100.0])
    for found in (
        detect_ivt(own, breaks_ms=[150.25]),
        detect_ivt(samples, breaks_ms=[100, 150.25]),
    ):
        assert found.first.tolist() == [0]
        assert found.offset_ms.tolist() == [100.0]
    parts = detect_ivt(own, breaks_ms=[150.25], min_duration_ms=0.0)
    assert parts.first.tolist() == [0, 100, 151]
    assert parts.offset_ms.tolist() == [100.0, 150.25, 200.5]


def test_minimum_duration_is_inclusive_and_in_ms():
    samples = still([(0, 6), (math.nan, 3)], step_ms=10.0)
    assert detect_ivt(samples).duration_ms.tolist() == [60.0]
    assert len(detect_ivt(samples, min_duration_ms=60.1)) == 0


def test_steps_of_a_third_are_summed_within_the_tolerance():
    t = np.arange(73) / 1.2
    samples = Samples(t_ms=t, xy_px=np.concatenate((np.zeros((72, 2)), np.full((1, 2), np.nan))))
    assert detect_ivt(samples).duration_ms == pytest.approx([60.0])


@pytest.mark.parametrize("rate_hz", [60, 120, 300, 1200])
def test_three_clear_fixations_are_found_at_every_rate(rate_hz):
    """A threshold per sample finds none of them at 300 and 1200 Hz."""
    t = np.arange(0, 990, 1000 / rate_hz)
    deg = np.interp(t, [0, 300, 330, 630, 660, 990], [0, 0, 5, 5, 10, 10])
    samples = Samples(t_ms=t, xy_px=np.stack([deg * 40, deg * 0], axis=1))
    events = detect_ivt(samples)
    assert events.kind.tolist() == ["fixation", "saccade"] * 2 + ["fixation"]
    fixed = events.of("fixation")
    step = 1000 / rate_hz + 10
    assert fixed.onset_ms == pytest.approx([0, 330, 660], abs=step)
    assert fixed.offset_ms == pytest.approx([300, 630, 990], abs=step)


def test_degrees_come_from_the_geometry_where_it_is_known(screen):
    # 5 deg at the edge of the screen takes more px than at its centre.
    t = np.arange(40) * 10.0
    x = np.repeat([1900.0, 1915.0], 20)
    samples = Samples(t_ms=t, xy_px=np.stack([x, np.full(40, 540.0)], axis=1))
    # 15 px are .375 deg at 40 px/deg, .305 deg out there: 18.75 and 15.2 deg/s over 20 ms.
    limit = {"max_speed_deg_s": 17.0, "merge_gap_ms": 0.0}
    assert detect_ivt(samples, **limit).of("saccade").first.tolist() == [19]
    assert len(detect_ivt(samples, screen=screen, **limit).of("saccade")) == 0


def recall(scene, events):
    found = 0
    for a, b in zip(scene.onset, scene.offset, strict=True):
        shared = np.minimum(b, events.offset_ms) - np.maximum(a, events.onset_ms)
        joined = np.maximum(b, events.offset_ms) - np.minimum(a, events.onset_ms)
        found += bool((shared / joined > 0.5).any())
    return found / len(scene.onset)


def test_a_scene_gives_the_same_fixations_at_every_rate(scene):
    truth = scene(7, 300)
    counts = {}
    for rate_hz in (60, 120, 250, 300, 500, 1000, 1200):
        fixed = detect_ivt(truth.record(rate_hz), px_per_deg=truth.px_per_deg).of("fixation")
        counts[rate_hz] = len(fixed)
        print(f"I-VT, {rate_hz} Hz: {len(fixed)} of 300 fixations, recall", recall(truth, fixed))
        assert recall(truth, fixed) >= 0.97
    assert max(counts.values()) - min(counts.values()) < 0.05 * 300


def test_decimated_jittered_and_dropped_samples_change_the_count_by_less_than_5_percent(scene):
    truth = scene(8, 300)
    full = truth.record(1000)
    versions = {
        f"every {k}th": Samples(t_ms=full.t_ms[::k], xy_px=full.xy_px[::k]) for k in (2, 4, 8)
    }
    versions["jittered"] = truth.record(250, jitter=0.4)
    versions["a fifth dropped"] = truth.record(120, drop=0.2)
    versions["jittered, a tenth dropped"] = truth.record(60, jitter=0.3, drop=0.1)
    for name, samples in versions.items():
        fixed = detect_ivt(samples, px_per_deg=truth.px_per_deg).of("fixation")
        print(f"I-VT, {name}: {len(fixed)} of 300 fixations")
        assert abs(len(fixed) - 300) < 0.05 * 300


@given(shift=st.floats(-1e6, 1e6))
def test_shifting_the_clock_shifts_the_events(scene, shift):
    samples = scene(3, 12).record(300)
    moved = Samples(t_ms=samples.t_ms + shift, xy_px=samples.xy_px)
    a, b = detect_ivt(samples), detect_ivt(moved)
    assert a.first.tolist() == b.first.tolist()
    assert b.onset_ms == pytest.approx(a.onset_ms + shift, abs=1e-6)


def test_refuses_values_out_of_range():
    samples = Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]])
    with pytest.raises(ParameterError) as error:
        detect_ivt(samples, max_speed_deg_s=-30)
    assert str(error.value) == "max_speed_deg_s is -30; expected a number above 0"
    with pytest.raises(ParameterError) as error:
        detect_ivt(samples, merge_gap_ms=-1)
    assert str(error.value) == "merge_gap_ms is -1; expected 0 or more"
    with pytest.raises(ParameterError) as error:
        detect_ivt(samples, velocity_window_ms="20")
    assert str(error.value) == "velocity_window_ms is '20'; expected a finite number"
