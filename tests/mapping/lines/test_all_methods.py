"""Laws that hold for every method: valid lines, the same every time, at every size of text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_scenes import reading, text

from gazecode.mapping.lines import LINE_METHODS, Lines
from gazecode.mapping.lines.vote import VOTERS

NAMES = (*VOTERS, "attach", "vote")
coordinate = st.integers(-200, 2400).map(lambda v: v / 2)


@given(
    st.sampled_from(NAMES),
    st.integers(1, 6),
    st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=40),
)
def test_any_gaze_gives_lines_that_exist(name, n_lines, points):
    xy, lines = np.array(points), text(n_lines, words=3)
    before = xy.copy()
    found = LINE_METHODS[name](xy, lines)
    assert np.array_equal(xy, before)
    if name == "vote":
        assert found.shape == (len(xy), n_lines)
        assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-7)
        assert (found >= 0).all()
    else:
        assert found.shape == (len(xy),)
        assert ((found >= 0) & (found < n_lines)).all()
    assert np.array_equal(LINE_METHODS[name](xy, lines), found)


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_reading_is_found(name):
    lines = text(10)
    xy, line = reading(lines, regressions=0.1)
    found = LINE_METHODS[name](xy, lines)
    found = found.argmax(axis=1) if found.ndim == 2 else found
    # Full lines look alike in x: compare has nothing to tell them by.
    assert (found == line).mean() >= (0.3 if name == "compare" else 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_text_twice_as_large_has_the_same_lines(name):
    small = text(9, pitch_px=32.0, word_px=45.0)
    xy, _ = reading(small, noise_px=7.0, regressions=0.2, seed=3)
    large = Lines(
        number=small.number,
        y_px=2 * small.y_px,
        left_px=2 * small.left_px,
        right_px=2 * small.right_px,
        pitch_px=2 * small.pitch_px,
        word_xy_px=2 * small.word_xy_px,
        word_line=small.word_line,
    )
    assert np.array_equal(LINE_METHODS[name](2 * xy, large), LINE_METHODS[name](xy, small))


@pytest.mark.parametrize("name", ["slice", "warp", "regress", "stretch", "cluster", "merge"])
def test_a_third_of_a_line_too_low_is_undone(name):
    lines = text(10)
    xy, line = reading(lines, noise_px=5.0)
    found = LINE_METHODS[name](xy + np.array([0, lines.pitch_px / 3]), lines)
    assert (found == line).mean() >= 0.98


@pytest.mark.parametrize("name", ["segment", "warp"])
def test_order_alone_undoes_more_than_half_a_line(name):
    lines = text(10)
    xy, line = reading(lines, noise_px=5.0)
    offset = 3 if name == "segment" else 0.6
    assert (
        LINE_METHODS[name](xy + np.array([0, offset * lines.pitch_px]), lines) == line
    ).mean() >= 0.95


@pytest.mark.parametrize("name", ["slice", "merge"])
def test_a_part_of_the_text_stays_where_it_was_read(name):
    lines = text(40)
    xy, line = reading(lines, noise_px=4.0)
    part = (line >= 20) & (line < 27)
    assert (LINE_METHODS[name](xy[part], lines) == line[part]).all()
