"""Grids over the screen: every sample in one cell or counted as outside."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.model import Events, Samples
from gazecode.report.maps import (
    MAX_TALL,
    MIN_FIXATIONS,
    Extent,
    MapView,
    draw_map,
    gaze_map,
    precision_map,
)
from gazecode.testing import samples


@given(gaze=samples(max_size=80), columns=st.integers(1, 40))
def test_every_valid_sample_is_in_one_cell_or_outside(gaze, columns):
    view = gaze_map(gaze, Extent(width=1920, height=1080), columns=columns)
    inside = view.n - view.outside
    assert view.n == int((~gaze.lost).sum())
    assert np.nansum(view.values) == pytest.approx(1.0 if inside else 0.0)


@given(gaze=samples(min_size=1, max_size=60), columns=st.integers(1, 12))
def test_cells_are_those_of_a_slow_count(gaze, columns):
    width, height = 1920, 1080
    view = gaze_map(gaze, Extent(width=width, height=height), columns=columns)
    rows = view.values.shape[0]
    expected = np.zeros((rows, columns))
    for x, y in gaze.xy_px:
        if 0 <= x < width and 0 <= y < height:
            expected[int(y / height * rows), int(x / width * columns)] += 1
    counts = np.nan_to_num(view.values) * (view.n - view.outside)
    np.testing.assert_allclose(counts, expected, atol=1e-9)


@given(
    values=st.lists(st.floats(0.01, 5) | st.just(np.nan), max_size=60),
    seed=st.integers(0, 9),
)
def test_precision_is_the_median_of_each_cell(values, seed):
    xy = np.random.default_rng(seed).uniform(-100, 900, (len(values), 2))
    spread = np.array(values)
    view = precision_map(xy, spread, Extent(width=800, height=600), value_unit="deg", columns=4)
    rows, columns = view.values.shape
    for r in range(rows):
        for c in range(columns):
            here = [
                v
                for (x, y), v in zip(xy, values, strict=True)
                if np.isfinite(v)
                and c * 800 / columns <= x < (c + 1) * 800 / columns
                and r * 600 / rows <= y < (r + 1) * 600 / rows
            ]
            if len(here) >= MIN_FIXATIONS:
                assert view.values[r, c] == pytest.approx(np.median(here))
            else:
                assert np.isnan(view.values[r, c])


def test_a_drawing_says_what_it_leaves_out():
    gaze = Samples(t_ms=np.arange(4), xy_px=[[1, 1], [1, 1], [99, 49], [-5, 0]])
    events = Events(
        kind=["fixation", "fixation"],
        onset_ms=[0, 2],
        offset_ms=[1, 3],
        xy_px=[[1, 1], [np.nan, np.nan]],
    )
    view = gaze_map(gaze, Extent(width=100, height=50), columns=10)
    view = MapView(
        **{n: getattr(view, n) for n in view.__dataclass_fields__} | {"fixations": events}
    )
    drawing = draw_map(view)
    assert drawing.note == "4 valid samples, 1 fixation as circles; 1 sample outside, not drawn"
    assert [(cell.x, cell.y, cell.level) for cell in drawing.cells] == [
        ("0", "0", 8),
        ("900", "400", 4),
    ]
    assert drawing.height == "500"


def test_a_map_without_an_extent_is_refused():
    with pytest.raises(DataError, match="size of the screen"):
        Extent(width=0, height=10)


def test_an_extent_may_begin_anywhere():
    gaze = Samples(t_ms=np.arange(3), xy_px=[[-90, -40], [0, 0], [200, 0]])
    extent = Extent(width=200, height=100, left=-100, top=-50, unit="href", words="chosen")
    view = gaze_map(gaze, extent, columns=2)
    np.testing.assert_array_equal(view.values, [[0.5, 0.5]])
    assert view.outside == 1
    assert draw_map(view, note="and so on").note.endswith("; chosen; and so on")


def test_a_screen_of_a_silly_size_is_a_small_map():
    gaze = Samples(t_ms=np.arange(2), xy_px=[[1, 1], [2, 9e8]])
    view = gaze_map(gaze, Extent(width=10, height=1e9), columns=4)
    assert view.values.shape == (4 * MAX_TALL, 4)
    assert view.outside == 0
    assert float(draw_map(view).height) <= 1000 * MAX_TALL


def test_a_map_says_how_many_circles_it_leaves_out():
    onset = np.arange(900) * 10.0
    many = Events(
        kind=["fixation"] * 900, onset_ms=onset, offset_ms=onset + 5, xy_px=np.full((900, 2), 5.0)
    )
    gaze = Samples(t_ms=np.arange(2), xy_px=[[1, 1], [2, 2]])
    view = replace(gaze_map(gaze, Extent(width=10, height=10)), fixations=many)
    assert draw_map(view).note == "2 valid samples, the first 400 of 900 fixations as circles"
