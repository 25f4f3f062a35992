"""What the algorithms share, against plain loops."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError
from gazecode.mapping.lines.sequences import close_runs, in_order, length_px, nearest

number = st.integers(-40, 400).map(lambda v: v / 2)


@given(st.lists(number, max_size=20), st.lists(number, min_size=1, max_size=8, unique=True))
def test_nearest_is_the_least_distance_and_the_upper_of_two(y, line_y):
    line_y = np.sort(line_y)
    expected = np.abs(np.reshape(y, (-1, 1)) - line_y).argmin(axis=1)
    assert nearest(np.array(y), line_y).tolist() == expected.tolist()


@given(st.lists(st.tuples(number, number), min_size=1, max_size=20))
def test_a_run_ends_beyond_reach(points):
    expected, run = [0], 0
    for (x0, y0), (x1, y1) in pairwise(points):
        run += abs(x1 - x0) > 30 or abs(y1 - y0) > 10
        expected.append(run)
    assert close_runs(np.array(points), x_px=30, y_px=10).tolist() == expected


@given(st.data())
def test_groups_keep_their_order_at_the_least_distance(data):
    line_y = np.cumsum(data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=6))).astype(
        float
    )
    n = data.draw(st.integers(1, len(line_y)))
    y = np.sort(data.draw(st.lists(number, min_size=n, max_size=n)))
    weight = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), float)
    found = in_order(y, weight, line_y)
    cost = {
        chosen: (weight * np.abs(line_y[list(chosen)] - y)).sum()
        for chosen in combinations(range(len(line_y)), n)
    }
    assert cost[tuple(found.tolist())] == pytest.approx(min(cost.values()))
    assert n < len(line_y) or found.tolist() == list(range(n))


@pytest.mark.parametrize("given_px", [0, -3, np.inf, np.nan])
def test_a_length_is_positive(given_px):
    with pytest.raises(ParameterError, match="^x_px is .*; expected a positive number of pixels$"):
        length_px("x_px", given_px, 30.0, paper_px=192)


def test_lengths_go_with_the_pitch_and_are_the_papers_on_its_text():
    assert length_px("x_px", None, 64.0, paper_px=192) == 192
    assert length_px("x_px", None, 28.8, paper_px=192) == pytest.approx(86.4)
    assert length_px("x_px", 75, 28.8, paper_px=192) == 75
