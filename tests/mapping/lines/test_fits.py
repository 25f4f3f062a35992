"""stretch and regress: a drift of their own form is found and undone."""

import numpy as np
import pytest
from line_scenes import reading, text

from gazecode.errors import ParameterError
from gazecode.mapping.lines.attach import attach
from gazecode.mapping.lines.regress import regress
from gazecode.mapping.lines.stretch import stretch


@pytest.mark.parametrize(("scale", "offset_px"), [(1.03, -12), (0.97, 10), (1.0, 25), (0.98, 30)])
def test_a_stretch_is_undone(scale, offset_px):
    lines = text(12)
    xy, line = reading(lines, noise_px=3.0)
    xy[:, 1] = (xy[:, 1] - offset_px) / scale
    assert (stretch(xy, lines) == line).mean() == 1.0


@pytest.mark.parametrize(
    ("slope", "offset_px"), [(0.05, 10), (-0.05, 10), (0.07, -25), (-0.04, -10)]
)
def test_a_slope_is_undone_which_the_nearest_line_does_not(slope, offset_px):
    lines = text(12)
    xy, line = reading(lines, noise_px=3.0)
    xy[:, 1] += slope * xy[:, 0] + offset_px
    assert (regress(xy, lines) == line).mean() == 1.0
    assert (attach(xy, lines) == line).mean() < 0.8


def test_bounds_hold():
    lines = text(6)
    xy, line = reading(lines, noise_px=2.0)
    far = xy + np.array([0.0, 30.0])
    assert (stretch(far, lines) == line).all()
    # A drift beyond the bounds is not undone: 34 px are nearer to the next line.
    beyond = xy + np.array([0.0, 36.0])
    assert (stretch(beyond, lines, offset_px=1.0, scale=(0.999, 1.001)) != line).any()


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        (stretch, {"scale": (1.1, 1.2)}, "two factors with 1 between them"),
        (stretch, {"offset_px": 0}, "offset_px is 0; expected a positive number of pixels"),
        (regress, {"slope": 0}, "slope is 0; expected a positive number"),
        (regress, {"offset_px": -1}, "offset_px is -1"),
        (regress, {"sd_px": (5, 2)}, "expected the least and the greatest"),
        (regress, {"sd_px": (0, 2)}, "sd_px is 0; expected a positive number of pixels"),
    ],
)
def test_wrong_bounds_are_named(function, params, message):
    with pytest.raises(ParameterError, match=message):
        function(np.zeros((3, 2)), text(2), **params)
