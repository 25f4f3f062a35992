"""Blinks from loss and from the pupil against loops over samples, and their limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect
from gazecode.detection.blinks import detect_blink_loss, detect_blink_pupil
from gazecode.errors import ParameterError
from gazecode.model import Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")


def slow_parts(samples, breaks_ms, min_gap_ms=75.0):
    """Number of gaps and breaks before each sample, by a loop."""
    t = samples.t_ms.tolist()
    usual = float(np.median(np.diff(t))) if len(t) > 1 else math.inf
    breaks = [*samples.breaks_ms.tolist(), *breaks_ms]
    part, number = [], 0
    for i, now in enumerate(t):
        if i:
            gap = now - t[i - 1] > max(3 * usual, min_gap_ms) + 1e-6
            number += gap or any(t[i - 1] < b <= now for b in breaks)
        part.append(number)
    return part


def slow_stretches(missing, part):
    found = []
    for i, gone in enumerate(missing):
        if not gone:
            continue
        if found and found[-1][1] == i and part[i - 1] == part[i]:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return found


def slow_joined(pieces, edges, t, *, ends, part, island_ms):
    """Pieces whose edges are near, as (first, last, onset, end)."""
    out = []
    for (a, b), (c, d) in zip(pieces, edges, strict=True):
        near = (
            out and part[out[-1][0]] == part[a] and t[c] - ends[out[-1][3] - 1] <= island_ms + 1e-6
        )
        if near:
            out[-1][1], out[-1][3] = b, d
        else:
            out.append([a, b, c, d])
    return out


def slow_kept(joined, t, *, ends, part, least, most):
    kept = []
    for a, b, c, d in joined:
        seen = (a > 0 and part[a - 1] == part[a]) or (b < len(t) and part[b] == part[b - 1])
        if seen and least - 1e-6 <= ends[b - 1] - t[a] <= most + 1e-6:
            kept.append((c, d))
    return kept


def slow_edges(samples, part, missing, a, b, *, ends, max_edge_ms):
    t, pupil = samples.t_ms, samples.pupil

    def mean(i):
        known = []
        for side in (range(i, -1, -1), range(i + 1, len(t))):
            for j in side:
                if missing[j] or part[j] != part[i] or abs(t[j] - t[i]) > 5.0 + 1e-6:
                    break
                known.append(pupil[j])
        return sum(known) / len(known)

    def usable(i, j):
        return 0 <= i < len(t) and part[i] == part[j] and not missing[i]

    onset, end = a, b
    i = a - 1
    while usable(i, a) and usable(i - 1, a) and mean(i) < mean(i - 1) - 1e-6:
        onset = i = i - 1
    i = b
    while usable(i, b - 1) and usable(i + 1, b - 1) and mean(i + 1) > mean(i) + 1e-6:
        end, i = i + 2, i + 1
    while onset < a and t[a] - t[onset] > max_edge_ms + 1e-6:
        onset += 1
    while end > b and ends[end - 1] - ends[b - 1] > max_edge_ms + 1e-6:
        end -= 1
    return onset, end


def with_pupil(samples, seed):
    rng = np.random.default_rng(seed)
    n = len(samples)
    pupil = np.round(50 + np.cumsum(rng.normal(0, 2, n)))
    pupil = np.where(pupil > 0, pupil, 1.0)
    for _ in range(3):
        a = int(rng.integers(0, max(n, 1)))
        pupil[a : a + int(rng.integers(1, 20))] = rng.choice([0.0, np.nan])
    return Samples(t_ms=samples.t_ms, xy_px=samples.xy_px, pupil=pupil, breaks_ms=samples.breaks_ms)


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    losses=st.sampled_from(["some", "blinks", "all"]),
    island_ms=st.sampled_from([0.0, 20.0, 100.0]),
)
def test_loss_equals_the_oracle(clip, slow_runs, *, seed, clock, losses, island_ms):
    samples = clip(seed, clock, losses)
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []

    found = detect_blink_loss(
        samples, breaks_ms=breaks, min_duration_ms=20.0, max_island_ms=island_ms
    )

    _, ends = slow_runs(samples, breaks)
    part = slow_parts(samples, breaks)
    pieces = slow_stretches(samples.lost.tolist(), part)
    joined = slow_joined(pieces, pieces, samples.t_ms, ends=ends, part=part, island_ms=island_ms)
    expected = slow_kept(joined, samples.t_ms, ends=ends, part=part, least=20.0, most=500.0)
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == expected
    assert found.offset_ms.tolist() == [ends[b - 1] for _, b in expected]
    assert set(found.kind) <= {"blink"}
    assert np.isnan(found.xy_px).all()


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    island_ms=st.sampled_from([0.0, 30.0, 100.0]),
    max_edge_ms=st.sampled_from([0.0, 15.0, 100.0]),
)
def test_pupil_equals_the_oracle(clip, slow_runs, *, seed, clock, island_ms, max_edge_ms):
    samples = with_pupil(clip(seed, clock, "none"), seed)
    breaks = [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []

    found = detect_blink_pupil(
        samples,
        breaks_ms=breaks,
        min_duration_ms=10.0,
        max_island_ms=island_ms,
        max_edge_ms=max_edge_ms,
    )

    _, ends = slow_runs(samples, breaks)
    part = slow_parts(samples, breaks)
    missing = [not p > 0 for p in samples.pupil.tolist()]
    pieces = slow_stretches(missing, part)
    edges = [
        slow_edges(samples, part, missing, a, b, ends=ends, max_edge_ms=max_edge_ms)
        for a, b in pieces
    ]
    joined = slow_joined(pieces, edges, samples.t_ms, ends=ends, part=part, island_ms=island_ms)
    expected = slow_kept(joined, samples.t_ms, ends=ends, part=part, least=10.0, most=500.0)
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == expected


def shut(*pieces, step_ms=4.0):
    """Gaze seen (True) or lost (False) for so many samples each."""
    lost = np.concatenate([np.full(count, not seen) for seen, count in pieces])
    x = np.where(lost, np.nan, 300.0)
    return Samples(t_ms=np.arange(len(x)) * step_ms, xy_px=np.stack([x, x], axis=1))


@pytest.mark.parametrize(
    ("count", "found"), [(12, 0), (13, 1), (125, 1), (126, 0)], ids=["48", "52", "500", "504"]
)
def test_a_loss_is_a_blink_within_the_limits(count, found):
    assert len(detect_blink_loss(shut((True, 50), (False, count), (True, 50)))) == found


def test_a_blink_may_be_cut_but_needs_an_eye_beside_it():
    assert len(detect_blink_loss(shut((False, 30), (True, 50), (False, 30)))) == 2
    samples = shut((True, 50), (False, 60), (True, 50))
    assert detect_blink_loss(samples, breaks_ms=[320.0]).onset_ms.tolist() == [200.0, 320.0]
    # Between two breaks there is nothing but loss.
    assert detect_blink_loss(samples, breaks_ms=[260, 360]).onset_ms.tolist() == [200.0, 360.0]


def test_an_island_joins_two_losses():
    samples = shut((True, 50), (False, 10), (True, 5), (False, 10), (True, 50))
    found = detect_blink_loss(samples)
    assert (found.first.tolist(), found.last.tolist()) == ([50], [75])
    assert len(detect_blink_loss(samples, max_island_ms=19.0)) == 0


def test_absent_rows_are_no_blink():
    t = np.concatenate((np.arange(50), 50 + 50 + np.arange(50))) * 4.0
    samples = Samples(t_ms=t, xy_px=np.full((100, 2), 300.0), pupil=np.full(100, 4.0))
    assert len(detect_blink_loss(samples)) == 0
    assert len(detect_blink_pupil(samples)) == 0


def test_a_recording_without_pupil_has_no_blinks_from_it():
    assert len(detect_blink_pupil(shut((True, 50), (False, 30), (True, 50)))) == 0


def test_the_lid_moves_the_edges_outwards():
    # 1000 Hz: 40 ms down, 80 ms shut, 60 ms up; noise of 0.01 mm in a pupil of 4 mm.
    rng = np.random.default_rng(0)
    pupil = 4 + rng.normal(0, 0.01, 1000)
    pupil[400:440] -= np.linspace(0, 2, 40)
    pupil[440:520] = 0.0
    pupil[520:580] -= np.linspace(2, 0, 60)
    samples = Samples(t_ms=np.arange(1000.0), xy_px=np.full((1000, 2), 5.0), pupil=pupil)
    found = detect(samples, "blink_pupil")
    assert found.onset_ms == pytest.approx([400.0], abs=6)
    assert found.offset_ms == pytest.approx([580.0], abs=6)
    near = detect(samples, "blink_pupil", max_edge_ms=0)
    assert (near.first.tolist(), near.last.tolist()) == ([440], [520])


def test_refuses_values_out_of_range():
    with pytest.raises(ParameterError) as error:
        detect_blink_loss(shut((True, 3)), min_duration_ms=600)
    assert str(error.value) == (
        "min_duration_ms is 600 and max_duration_ms 500.0; "
        "expected the shortest blink not to be longer than the longest"
    )
