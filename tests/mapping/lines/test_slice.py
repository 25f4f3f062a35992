"""slice: bent drift, lines left out, and an end to every search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from line_scenes import reading, text

from gazecode.errors import ParameterError
from gazecode.mapping.lines.attach import attach
from gazecode.mapping.lines.slice import slice_runs


def test_drift_may_bend():
    lines = text(12)
    xy, line = reading(lines, noise_px=3.0)
    x, y = (xy - xy.min(axis=0)).T
    xy[:, 1] += 60 * np.sin(x / 400) + 0.05 * y
    assert (slice_runs(xy, lines) == line).mean() > 0.98
    assert (attach(xy, lines) == line).mean() < 0.6


def test_an_unread_line_stays_empty():
    lines = text(8)
    xy, line = reading(lines, noise_px=3.0)
    seen = (line != 3) & (line != 5)
    assert (slice_runs(xy[seen], lines) == line[seen]).all()


def test_too_many_proto_lines_are_joined_from_the_outside():
    lines = text(3)
    runs = [
        [(300.0 + 80 * i, y) for i in range(n)]
        for y, n in ((36, 1), (100, 6), (164, 5), (228, 6), (292, 2))
    ]
    xy = np.array([point for run in runs for point in run])
    assert slice_runs(xy, lines).tolist() == [0] + [0] * 6 + [1] * 5 + [2] * 6 + [2] * 2


def test_runs_between_two_proto_lines_end_the_search():
    lines = text(4)
    # The last run is 45 px below the first line and 45 px above the second, at no line's height.
    runs = [
        [(300.0 + 80 * i, 100.0) for i in range(9)],
        [(300.0 + 80 * i, 188.0) for i in range(4)],
        [(1000.0, 190.0)],
        [(620.0, 145.0)],
    ]
    xy = np.array([point for run in runs for point in run])
    found = slice_runs(xy, lines, within_px=20, next_px=30)
    assert found.tolist() == slice_runs(xy, lines, within_px=20, next_px=30).tolist()
    assert set(found.tolist()) <= {0, 1, 2, 3}


@settings(max_examples=300)
@given(
    st.integers(1, 5),
    st.floats(1, 60),
    st.floats(1, 120),
    st.lists(
        st.tuples(
            st.integers(0, 60).map(lambda v: v * 20.0), st.integers(0, 100).map(lambda v: v * 7.0)
        ),
        min_size=1,
        max_size=30,
    ),
)
def test_it_always_ends(n_lines, within_px, next_px, points):
    found = slice_runs(np.array(points), text(n_lines), within_px=within_px, next_px=next_px)
    assert ((found >= 0) & (found < n_lines)).all()


def test_lengths_are_positive():
    with pytest.raises(ParameterError, match="next_px is 0; expected a positive number of pixels"):
        slice_runs(np.zeros((2, 2)), text(2), next_px=0)
