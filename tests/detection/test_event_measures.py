import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import detect_ivt
from gazecode.detection.event_measures import EventMeasures, event_measures
from gazecode.detection.segments import find_runs
from gazecode.errors import DataError, ParameterError
from gazecode.model import Events, Samples
from gazecode.quality import bcea, rms_s2s, std

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


def angle(a, b, *, spherical):
    if not spherical:
        return math.dist(a, b)
    (ax, ay), (bx, by) = (map(math.radians, p) for p in (a, b))
    va = (math.cos(ay) * math.sin(ax), math.sin(ay), math.cos(ay) * math.cos(ax))
    vb = (math.cos(by) * math.sin(bx), math.sin(by), math.cos(by) * math.cos(bx))
    return math.degrees(2 * math.asin(min(1.0, math.dist(va, vb) / 2)))


def random_events(rng, samples):
    """Events that may overlap, hold nothing, or hold only losses."""
    n = len(samples)
    first = np.sort(rng.integers(0, n + 1, 8))
    last = np.minimum(first + rng.integers(0, 30, 8), n)
    t = np.append(samples.t_ms, samples.t_ms[-1] + 10 if n else 0.0)
    return Events(
        kind=rng.choice(["fixation", "saccade"], 8).astype(object),
        onset_ms=t[first],
        offset_ms=np.maximum(t[last], t[first] + 1),
        xy_px=np.full((8, 2), np.nan),
        end_xy_px=np.where(rng.random((8, 1)) < 0.3, rng.uniform(0, 900, (8, 2)), np.nan),
        first=first,
        last=last,
    )


def by_hand(events, samples, i, *, angles, screen):
    """One event, one sample at a time."""
    runs = find_runs(samples, min_gap_ms=75)
    place = [angles[j] for j in range(events.first[i], events.last[i])]
    numbers = [j for j in range(events.first[i], events.last[i]) if not samples.lost[j]]
    known = [angles[j] for j in numbers]
    said = {"n_samples": len(place), "path_deg": math.nan, "amplitude_deg": math.nan}
    said["share_lost"] = (len(place) - len(known)) / len(place) if place else math.nan
    said |= dict.fromkeys(("dispersion_deg", "std_deg", "rms_s2s_deg", "bcea_deg2"), math.nan)
    if not known:
        return said
    spherical = screen is not None
    said["path_deg"] = sum(angle(a, b, spherical=spherical) for a, b in itertools.pairwise(known))
    end = known[-1]
    if not math.isnan(events.end_xy_px[i, 0]):
        x, y = events.end_xy_px[i]
        end = (x / 40, y / 40)
        if spherical:
            x_mm = (x / screen.width_px - 0.5) * screen.width_mm
            y_mm = (y / screen.height_px - 0.5) * screen.height_mm
            flat = math.hypot(x_mm, screen.distance_mm)
            end = tuple(
                math.degrees(math.atan2(a, b))
                for a, b in ((x_mm, screen.distance_mm), (y_mm, flat))
            )
    said["amplitude_deg"] = angle(known[0], end, spherical=spherical)
    x, y = zip(*known, strict=True)
    said["dispersion_deg"] = max(x) - min(x) + max(y) - min(y)
    said["std_deg"] = std(x, y)
    said["bcea_deg2"] = bcea(x, y)
    squares = [
        (angles[b][0] - angles[a][0]) ** 2 + (angles[b][1] - angles[a][1]) ** 2
        for a, b in itertools.pairwise(numbers)
        if b == a + 1 and runs.part[a] == runs.part[b]
    ]
    said["rms_s2s_deg"] = math.sqrt(sum(squares) / len(squares)) if squares else math.nan
    return said


@given(st.booleans(), st.integers(0, 10**6), st.tuples(*map(st.sampled_from, (CLOCKS, LOSSES))))
def test_against_loops(clip, slow_angles, screen, known_screen, seed, kind):  # noqa: PLR0917
    samples = clip(seed, *kind)
    events = random_events(np.random.default_rng(seed), samples)
    where = screen if known_screen else None
    found = event_measures(events, samples, screen=where)
    angles = slow_angles(samples, where)
    for i in range(len(events)):
        for name, value in by_hand(events, samples, i, angles=angles, screen=where).items():
            # On a line the area is the root of a difference that is all rounding.
            near = 1e-6 if name == "bcea_deg2" else 1e-9
            assert getattr(found, name)[i] == pytest.approx(value, abs=near, nan_ok=True), name


@given(st.integers(0, 10**6), st.sampled_from(CLOCKS), st.sampled_from(LOSSES))
def test_laws(clip, seed, clock, losses):
    samples = clip(seed, clock, losses)
    events = random_events(np.random.default_rng(seed), samples)
    m = event_measures(events, samples)
    some = m.share_lost < 1
    np.testing.assert_array_equal(np.isnan(m.path_deg), ~some)
    own_end = some & np.isnan(events.end_xy_px[:, 0])
    # Straight is shortest; no two samples are further apart than the ranges allow.
    assert (m.amplitude_deg[own_end] <= m.path_deg[own_end] + 1e-9).all()
    assert (m.amplitude_deg[own_end] <= m.dispersion_deg[own_end] + 1e-9).all()
    assert (m.std_deg[some] <= m.dispersion_deg[some] + 1e-9).all()
    speedy = ~np.isnan(m.peak_speed_deg_s)
    assert (m.mean_speed_deg_s[speedy] <= m.peak_speed_deg_s[speedy] + 1e-9).all()
    np.testing.assert_array_equal(m.duration_ms, events.offset_ms - events.onset_ms)
    doubled = event_measures(events, samples, px_per_deg=80)
    np.testing.assert_allclose(doubled.amplitude_deg, m.amplitude_deg / 2)
    np.testing.assert_allclose(doubled.bcea_deg2, m.bcea_deg2 / 4, atol=1e-12)


def test_precision_is_that_of_quality_on_the_same_samples(scene):
    samples = scene(3, 20).record(500)
    fixations = detect_ivt(samples, px_per_deg=43).of("fixation")
    m = event_measures(fixations, samples, px_per_deg=43)
    for i, (a, b) in enumerate(zip(fixations.first, fixations.last, strict=True)):
        x, y = (samples.xy_px[a:b] / 43).T
        assert m.rms_s2s_deg[i] == pytest.approx(rms_s2s(x, y))
        assert m.std_deg[i] == pytest.approx(std(x, y))
        assert m.bcea_deg2[i] == pytest.approx(bcea(x, y))
    np.testing.assert_allclose(m.mean_xy_px, fixations.xy_px)


@pytest.mark.parametrize("rate", [120, 300, 500, 1000])
def test_a_saccade_of_known_size(scene, rate):
    """Minimum jerk: the peak is 1.875 times the mean speed, at the middle."""
    known = scene(5, 30, small=0.0)
    samples = known.record(rate, noise_deg=0.0)
    begin, end = known.offset[:-1], known.onset[1:]
    saccades = Events(
        kind=["saccade"] * len(begin),
        onset_ms=begin,
        offset_ms=end,
        xy_px=np.zeros((len(begin), 2)),
    )
    found = event_measures(saccades, samples, px_per_deg=43, velocity_window_ms=6)
    step = known.place[1:] - known.place[:-1]
    size = np.hypot(*step.T)
    full = rate >= 500
    assert np.abs(found.amplitude_deg / size - 1).max() < (0.01 if full else 0.25)
    peak = 1.875 * size / (end - begin) * 1000
    assert np.abs(found.peak_speed_deg_s / peak - 1).max() < (0.03 if full else 0.35)
    # Up is positive.
    way = np.degrees(np.arctan2(-step[:, 1], step[:, 0]))
    off = (found.direction_deg - way + 180) % 360 - 180
    assert np.abs(off).max() < 1


def test_an_event_needs_no_sample_numbers():
    samples = Samples(t_ms=np.arange(10) * 10.0, xy_px=np.arange(20).reshape(10, 2) * 4.0)
    bare = Events(kind=["fixation"], onset_ms=[20], offset_ms=[60], xy_px=[[0, 0]])
    numbered = Events(
        kind=["fixation"], onset_ms=[20], offset_ms=[60], xy_px=[[0, 0]], first=[2], last=[6]
    )
    a, b = (event_measures(e, samples).to_frame() for e in (bare, numbered))
    assert a.equals(b)
    assert a["n_samples"].tolist() == [4]


def test_nothing_at_all():
    none = Samples(t_ms=[], xy_px=np.empty((0, 2)))
    assert len(event_measures(Events.empty(), none)) == 0
    event = Events(kind=["blink"], onset_ms=[0], offset_ms=[9], xy_px=[[np.nan, np.nan]])
    found = event_measures(event, none)
    assert found.n_samples[0] == 0
    assert np.isnan(found.share_lost[0])
    assert found.duration_ms[0] == 9
    assert isinstance(found, EventMeasures)


def test_refusals():
    samples = Samples(t_ms=[0, 10], xy_px=[[0, 0], [1, 1]])
    event = Events(
        kind=["fixation"], onset_ms=[0], offset_ms=[9], xy_px=[[0, 0]], first=[0], last=[3]
    )
    with pytest.raises(DataError, match="event 0 holds the samples 0 to 3 of 2; pass the samples"):
        event_measures(event, samples)
    with pytest.raises(ParameterError, match="velocity_window_ms"):
        event_measures(Events.empty(), samples, velocity_window_ms=0)
