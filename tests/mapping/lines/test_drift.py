"""Drift found on text and measured on targets; what it says is undone exactly."""

import numpy as np
import pytest
from code_scenes import PITCH, fixations_of, layout_of, off, page, read

from gazecode.errors import DataError, ParameterError
from gazecode.evaluation.code_lines import hansen2012
from gazecode.mapping.lines.drift import Drift, Target, estimate_drift, measure_drift
from gazecode.model import Events


@pytest.mark.parametrize("offset", [-30.0, -12.0, 14.0, 35.0])
def test_an_offset_is_found(offset):
    lines = page()
    xy, _ = read(lines)
    drift = estimate_drift(fixations_of(off(xy, 0, offset)), layout_of(lines))
    assert drift.model == "offset"
    assert drift.offset_px[0] == pytest.approx([0, offset], abs=2.5)
    assert drift.gain > 0
    assert 0.5 < drift.confidence <= 1
    assert drift.n_fixations == len(xy)


def test_no_drift_is_found_where_there_is_none():
    lines = page()
    drift = estimate_drift(fixations_of(read(lines)[0]), layout_of(lines))
    assert abs(drift.offset_px[0, 1]) < 2


def test_an_affine_error_is_found_and_undone():
    lines = page()
    xy, _ = read(lines, n=400, noise_px=3)
    true = Drift(
        model="affine",
        t_ms=[0],
        offset_px=[[0, 18]],
        scale=1.06,
        slope=-0.03,
        origin_px=(600, 500),
        confidence=1.0,
        n_fixations=0,
    )
    y = xy[:, 1] + 18 + 0.06 * (xy[:, 1] - 500) - 0.03 * (xy[:, 0] - 600)
    recorded = fixations_of(np.stack([xy[:, 0], y], axis=1))
    assert true.apply(recorded).xy_px == pytest.approx(xy)
    drift = estimate_drift(recorded, layout_of(lines), model="affine")
    assert drift.scale == pytest.approx(1.06, abs=0.01)
    assert drift.slope == pytest.approx(-0.03, abs=0.01)
    assert np.abs(drift.apply(recorded).xy_px - xy).max() < 6


def test_several_short_trials_tell_what_one_cannot():
    trials, layouts = [], []
    for seed in range(8):
        lines = page(10, seed=seed)
        xy, _ = read(lines, n=9, seed=seed)
        trials.append(fixations_of(off(xy, 0, 0.9 * PITCH)))
        layouts.append(layout_of(lines))
    assert estimate_drift(trials, layouts).offset_px[0, 1] == pytest.approx(0.9 * PITCH, abs=5)
    alone = [
        estimate_drift(one, layout).offset_px[0, 1]
        for one, layout in zip(trials, layouts, strict=True)
    ]
    assert any(abs(offset - 0.9 * PITCH) > 10 for offset in alone)


def test_events_keep_what_was_recorded():
    drift = Drift(model="offset", t_ms=[0], offset_px=[[3, 8]], confidence=1.0, n_fixations=1)
    saccade = Events(
        kind=["saccade"], onset_ms=[0], offset_ms=[40], xy_px=[[5, 20]], end_xy_px=[[50, 60]]
    )
    once = drift.apply(saccade)
    assert once.xy_px.tolist() == [[2, 12]]
    assert once.end_xy_px.tolist() == [[47, 52]]
    assert drift.apply(once).recorded_xy_px.tolist() == [[5, 20]]
    assert saccade.xy_px.tolist() == [[5, 20]]


def test_offsets_are_interpolated_between_targets_and_constant_outside():
    drift = Drift(
        model="targets",
        t_ms=[1000, 3000],
        offset_px=[[0, 10], [4, 30]],
        confidence=1.0,
        n_fixations=2,
    )
    assert drift.offset_at(np.array([0, 1000, 2000, 3000, 9000])).tolist() == [
        [0, 10],
        [0, 10],
        [2, 20],
        [4, 30],
        [4, 30],
    ]


def test_targets_that_nobody_looked_at_count_as_missed():
    crosses = [Target(onset_ms=t, offset_ms=t + 400, xy_px=(100, 100)) for t in (0, 1000, 2000)]
    events = Events(
        kind=["fixation"] * 4,
        onset_ms=[0, 50, 1000, 2350],
        offset_ms=[50, 390, 1400, 2700],
        xy_px=[[130, 130], [102, 109], [900, 900], [101, 111]],
    )
    drift = measure_drift(events, crosses)
    assert drift.offset_px.tolist() == [[2, 9], [1, 11]]
    assert drift.t_ms.tolist() == [200, 2200]
    assert drift.confidence == pytest.approx(2 / 3)


def test_what_cannot_be_known_is_refused():
    lines = page()
    events, layout = fixations_of(read(lines)[0]), layout_of(lines)
    with pytest.raises(ParameterError, match="offset"):
        estimate_drift(events, layout, model="cubic")
    with pytest.raises(DataError, match="as many"):
        estimate_drift([events, events], [layout])
    with pytest.raises(DataError, match="no fixation"):
        estimate_drift(events[:0], layout)
    with pytest.raises(DataError, match="no target"):
        measure_drift(events, [])
    with pytest.raises(DataError, match="clock"):
        measure_drift(events, [Target(onset_ms=-9, offset_ms=-1, xy_px=(0, 0))])
    with pytest.raises(DataError, match="scale"):
        Drift(model="affine", t_ms=[0], offset_px=[[0, 0]], scale=0, confidence=1.0, n_fixations=0)


@pytest.mark.real
@pytest.mark.parametrize(("person", "by_hand"), [("7", 0), ("11", 30), ("20", 50)])
def test_offsets_that_were_set_by_hand_are_found(shared_data, person, by_hand):
    trials = [trial for trial in hansen2012(shared_data) if trial.group == person]
    drift = estimate_drift([one.fixations for one in trials], [one.layout for one in trials])
    assert drift.offset_px[0, 1] == pytest.approx(by_hand, abs=2)
