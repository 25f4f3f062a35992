"""What assignment refuses, and lines that the window does not show."""

import numpy as np
import pytest

from gazecode.errors import DataError, ParameterError
from gazecode.mapping import LINE_METHODS, assign_lines, estimate_drift
from gazecode.model import Events, Layout


def page(n, *, line=None, left=0.0, **more):
    y = np.arange(n) * 30.0
    boxes = np.stack([np.full(n, left), y, np.full(n, left + 300), y + 20], axis=1)
    number = np.arange(n) if line is None else line
    return Layout(
        boxes=boxes, token=np.arange(n), line=number, n_tokens=n, line_height_px=30, **more
    )


def gaze(xy):
    onset = np.arange(len(xy)) * 300.0
    return Events(kind=["fixation"] * len(xy), onset_ms=onset, offset_ms=onset + 250, xy_px=xy)


def test_lines_out_of_sight_are_on_nobodys_mind():
    layout = page(
        40, viewport_px=(0.0, 0.0, 300.0, 150.0), scroll_t_ms=[0.0], scroll_px=[[0.0, 300.0]]
    )
    rng = np.random.default_rng(1)
    fixations = gaze(np.stack([rng.uniform(0, 300, 80), rng.uniform(0, 150, 80)], axis=1))
    for method in LINE_METHODS:
        found = assign_lines(fixations, layout, method, min_share=0.0)
        on = found.line[found.line >= 0]
        assert ((on >= 10) & (on <= 14)).all(), method
        assert (found.line_shares.sum(axis=1) <= 1 + 1e-9).all()


@pytest.mark.parametrize("line", [np.arange(6)[::-1], [0, 1, 2, 3, 5, 4]])
def test_lines_that_are_not_numbered_from_the_top_down_are_refused(line):
    with pytest.raises(DataError, match="not numbered from the top down"):
        assign_lines(gaze([[10.0, 10.0]]), page(6, line=line), "attach")


@pytest.mark.parametrize(
    "wrong",
    [{"noise_lines": 0.0}, {"noise_lines": np.nan}, {"edge_lines": -1.0}, {"line_cost": np.inf}],
)
def test_a_drift_needs_numbers_that_mean_something(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        estimate_drift(gaze([[10.0, 10.0]] * 20), page(3), **wrong)


@pytest.mark.parametrize("wrong", [1.5, -0.1, "a"])
def test_a_least_share_is_a_probability(wrong):
    with pytest.raises(ParameterError, match="min_share"):
        assign_lines(gaze([[10.0, 10.0]]), page(3), "attach", min_share=wrong)
