"""Methods for code: probabilities, drift found and left alone, jumps, abstaining, cost."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from code_scenes import PITCH, fixations_of, layout_of, off, page, read
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError
from gazecode.mapping.lines import LINE_METHODS, assign_lines
from gazecode.mapping.lines.attach import attach
from gazecode.mapping.lines.jumps import MOVES, _kernel, jumps
from gazecode.mapping.lines.register import register

BOTH = pytest.mark.parametrize("method", [jumps, register])
coordinate = st.integers(-400, 4000).map(lambda v: v / 2)


@BOTH
@given(n_lines=st.integers(1, 14), points=st.lists(st.tuples(coordinate, coordinate), max_size=12))
def test_every_fixation_has_a_probability_for_every_line(method, n_lines, points):
    xy = np.array(points).reshape(-1, 2)
    before = xy.copy()
    share = method(xy, page(n_lines))
    assert share.shape == (len(xy), n_lines)
    assert (share >= 0).all()
    assert share.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert np.array_equal(xy, before)
    assert np.array_equal(share, method(xy, page(n_lines)))


@BOTH
def test_gaze_and_text_moved_together_change_nothing(method):
    lines = page()
    xy, _ = read(lines, n=120, noise_px=9)
    moved = replace(
        lines,
        y_px=lines.y_px + 512,
        left_px=lines.left_px + 256,
        right_px=lines.right_px + 256,
    )
    assert method(off(xy, 256, 512), moved) == pytest.approx(method(xy, lines), abs=1e-6)


@BOTH
def test_the_same_text_twice_as_large_has_the_same_probabilities(method):
    lines = page()
    xy, _ = read(lines, n=120, noise_px=9)
    large = replace(
        lines,
        y_px=2 * lines.y_px,
        left_px=2 * lines.left_px,
        right_px=2 * lines.right_px,
        pitch_px=2 * PITCH,
    )
    assert method(2 * xy, large) == pytest.approx(method(xy, lines), abs=1e-9)


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_without_drift_and_noise_the_nearest_line_is_taken(method, seed):
    lines = page(seed=seed)
    xy, line = read(lines, noise_px=2, seed=seed)
    found = method(xy, lines).argmax(axis=1)
    assert np.array_equal(found, attach(xy, lines))
    assert np.array_equal(found, line)


@BOTH
@pytest.mark.parametrize("offset", [-0.9, -0.4, 0.4, 0.9])
def test_an_offset_is_undone(method, offset):
    lines = page()
    xy, line = read(lines)
    recorded = off(xy, 0, offset * PITCH)
    assert (attach(recorded, lines) == line).mean() < 0.85
    assert (method(recorded, lines).argmax(axis=1) == line).mean() > 0.95


def test_a_slope_and_a_slow_change_are_undone():
    lines = page()
    xy, line = read(lines, n=400)
    middle = xy.mean(axis=0)
    error = 0.08 * (xy[:, 1] - middle[1]) + 0.03 * (xy[:, 0] - middle[0])
    error += 0.35 * PITCH * np.sin(np.linspace(0, 4, len(xy)))
    recorded = xy + np.stack([np.zeros(len(xy)), error], axis=1)
    assert (attach(recorded, lines) == line).mean() < 0.75
    assert (jumps(recorded, lines).argmax(axis=1) == line).mean() > 0.93


def test_the_order_of_reading_helps_where_noise_is_large():
    lines = page(seed=4)
    right = {name: [] for name in ("attach", "register", "jumps")}
    for seed in range(4):
        xy, line = read(lines, noise_px=0.45 * PITCH, seed=seed)
        right["attach"].append(attach(xy, lines) == line)
        right["register"].append(register(xy, lines).argmax(axis=1) == line)
        right["jumps"].append(jumps(xy, lines).argmax(axis=1) == line)
    accuracy = {name: np.concatenate(found).mean() for name, found in right.items()}
    assert accuracy["jumps"] > accuracy["register"] > accuracy["attach"]


def test_probabilities_are_what_they_say():
    shares, rights = [], []
    for seed in range(12):
        lines = page(seed=seed)
        xy, line = read(lines, n=200, noise_px=0.3 * PITCH, seed=seed)
        share = jumps(off(xy, 0, 12), lines)
        shares.append(share.max(axis=1))
        rights.append(share.argmax(axis=1) == line)
    share, right = np.concatenate(shares), np.concatenate(rights)
    for low, high in [(0.4, 0.7), (0.7, 0.9), (0.9, 1.01)]:
        here = (share >= low) & (share < high)
        assert here.sum() > 50
        assert right[here].mean() == pytest.approx(share[here].mean(), abs=0.08)


def test_what_is_unsure_is_left_out_and_the_rest_is_more_often_right():
    lines = page(seed=2)
    xy, line = read(lines, n=500, noise_px=0.35 * PITCH, seed=2)
    events, layout = fixations_of(xy), layout_of(lines)
    taken, accuracy = [], []
    for least in (0.0, 0.5, 0.7, 0.9):
        found = assign_lines(events, layout, "jumps", min_share=least)
        kept = found.line >= 0
        taken.append(kept)
        accuracy.append((found.line == lines.number[line])[kept].mean())
    assert all((more | ~fewer).all() for more, fewer in pairwise(taken))
    assert accuracy == sorted(accuracy)
    assert taken[0].all()
    assert not taken[-1].all()


def test_a_few_fixations_are_not_moved_by_a_line():
    lines = page()
    recorded = off(read(lines, n=6, noise_px=3)[0], 0, 0.8 * PITCH)
    believed = jumps(recorded, lines, drift="none").argmax(axis=1)
    assert np.array_equal(jumps(recorded, lines).argmax(axis=1), believed)


def test_gaze_beyond_a_short_line_belongs_to_its_long_neighbour():
    lines = replace(
        page(3),
        number=np.arange(3),
        y_px=np.array([100.0, 140.0, 180.0]),
        left_px=np.full(3, 100.0),
        right_px=np.array([800.0, 130.0, 160.0]),
    )
    xy = np.array([[600.0, 125.0], [110.0, 125.0]])
    assert attach(xy, lines).tolist() == [1, 1]
    assert register(xy, lines).argmax(axis=1).tolist() == [0, 1]


@BOTH
@pytest.mark.parametrize("n", [599, 600, 601, 660])
def test_long_recordings_are_searched_in_parts_with_the_same_result(method, n):
    lines = page(seed=1)
    xy, line = read(lines, n=n, seed=1)
    found = method(off(xy, 0, 0.5 * PITCH), lines).argmax(axis=1)
    assert (found == line).mean() > 0.95


def test_moves_are_probabilities_for_texts_of_every_length():
    for n_lines in (1, 2, 5, 40):
        for shares in MOVES:
            kernel = _kernel(shares, n_lines, 0.5)
            assert (kernel > 0).all()
            assert kernel.sum(axis=1) == pytest.approx(1.0)


@BOTH
@pytest.mark.parametrize(
    "wrong", [{"drift": "some"}, {"noise_lines": 0}, {"edge_lines": -1}, {"line_cost": -1}]
)
def test_what_makes_no_sense_is_refused(method, wrong):
    with pytest.raises(ParameterError):
        method(np.zeros((1, 2)), page(), **wrong)


def test_both_are_known_by_name():
    assert LINE_METHODS["jumps"] is jumps
    assert LINE_METHODS["register"] is register


@BOTH
@pytest.mark.slow
def test_five_thousand_fixations_on_three_hundred_lines(method):
    lines = page(300, seed=5)
    xy, line = read(lines, n=5000, seed=5)
    method(xy[:700], lines)
    took = []
    for _ in range(3):
        start = time.process_time()
        found = method(off(xy, 0, 15), lines)
        took.append(time.process_time() - start)
    assert (found.argmax(axis=1) == line).mean() > 0.95
    print(f"{method.__name__}: 5,000 fixations on 300 lines in {min(took):.3f} s (reach 0.2)")
