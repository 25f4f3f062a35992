"""merge against all pairs looked at anew for every merger."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_scenes import reading, text

from gazecode.errors import ParameterError
from gazecode.mapping.lines.merge import merge
from gazecode.mapping.lines.sequences import in_order


def line_through(points):
    """Slope and root mean square distance; level where all points stand above each other."""
    x, y = points.T
    if np.ptp(x) < 1e-6:
        return 0.0, float(np.sqrt(np.mean((y - y.mean()) ** 2)))
    slope, height = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    return float(slope), float(np.sqrt(np.mean((y - slope * x - height) ** 2)))


def slow_merge(xy, lines):
    groups = [[0]]
    for i in range(1, len(xy)):
        on = xy[i, 0] >= xy[i - 1, 0] and abs(xy[i, 1] - xy[i - 1, 1]) <= 32
        groups[-1].append(i) if on else groups.append([i])
    grain = 20 * 2.0**-14
    for shorter, longer, must_fit in ((3, 3, True), (1, 3, True), (1, 1, True), (1, 1, False)):
        while len(groups) > len(lines):
            options = []
            for i, one in enumerate(groups):
                for j in range(i + 1, len(groups)):
                    sizes = sorted((len(one), len(groups[j])))
                    slope, error = line_through(xy[one + groups[j]])
                    fits = abs(slope) < 0.1 and error < 20
                    if sizes[0] >= shorter and sizes[1] >= longer and (fits or not must_fit):
                        options.append((round(error / grain), i, j))
            if not options:
                break
            _, i, j = min(options)
            groups[i] += groups[j]
            del groups[j]
    heights = np.array([xy[group, 1].mean() for group in groups])
    order = np.argsort(heights, kind="stable")
    sizes = np.array([len(groups[i]) for i in order])
    found = np.zeros(len(xy), int)
    for group, line in zip(order, in_order(heights[order], sizes, lines.y_px), strict=True):
        found[groups[group]] = line
    return found


@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(st.integers(0, 800).map(float), st.integers(80, 350).map(float)),
        min_size=1,
        max_size=14,
        unique_by=(lambda p: p[0], lambda p: p[1]),
    ),
)
def test_the_best_pair_of_all_is_merged(n_lines, points):
    xy, lines = np.array(points), text(n_lines)
    assert merge(xy, lines).tolist() == slow_merge(xy, lines).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_the_best_pair_of_all_in_a_reading(seed):
    lines = text(5, words=6)
    xy, _ = reading(lines, noise_px=14.0, regressions=0.4, seed=seed)
    assert merge(xy, lines).tolist() == slow_merge(xy, lines).tolist()


def test_wrong_thresholds_are_named():
    xy, lines = np.array([[0.0, 0], [1, 1]]), text(2)
    with pytest.raises(ParameterError, match="slope is 0; expected a positive number"):
        merge(xy, lines, slope=0)
    with pytest.raises(ParameterError, match="error_px is -2; expected a positive number"):
        merge(xy, lines, error_px=-2)
