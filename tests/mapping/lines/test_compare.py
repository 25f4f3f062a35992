"""compare against dynamic time warping by plain recursion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_scenes import text

from gazecode.errors import ParameterError
from gazecode.mapping.lines import Lines
from gazecode.mapping.lines.compare import compare


def warping_cost(a, b):
    cost = {(-1, -1): 0.0}
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            before = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
            cost[i, j] = abs(x - y) + min(cost.get(k, np.inf) for k in before)
    return cost[len(a) - 1, len(b) - 1]


def ragged(n_words, shift):
    """Lines of different words."""
    line = np.repeat(np.arange(len(n_words)), n_words)
    x = np.concatenate([shift * (i % 3) + 70.0 * np.arange(n) for i, n in enumerate(n_words)])
    y = 50.0 + 64 * np.arange(len(n_words))
    return Lines(
        number=np.arange(len(n_words)),
        y_px=y,
        left_px=np.zeros(len(n_words)),
        right_px=np.full(len(n_words), 900.0),
        pitch_px=64.0,
        word_xy_px=np.column_stack([x, y[line]]),
        word_line=line,
    )


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.integers(1, 40),
    st.lists(
        st.tuples(st.integers(-50, 800).map(float), st.integers(0, 400).map(float)),
        min_size=1,
        max_size=25,
    ),
)
def test_every_gaze_line_goes_to_the_most_similar_of_the_nearest(n_words, shift, points):
    xy, lines = np.array(points), ragged(n_words, float(shift))
    found = compare(xy, lines, x_px=200)
    cuts = np.flatnonzero(np.diff(xy[:, 0]) < -200) + 1
    for part in np.split(np.arange(len(xy)), cuts):
        away = np.abs(lines.y_px - xy[part, 1].mean())
        near = np.argsort(away, kind="stable")[:3].tolist()
        cost = [warping_cost(xy[part, 0], lines.word_xy_px[lines.word_line == k, 0]) for k in near]
        assert len(set(found[part].tolist())) == 1
        chosen = near.index(int(found[part[0]]))
        assert cost[chosen] == pytest.approx(min(cost), abs=1e-9)


def test_the_nearest_line_wins_among_alike():
    lines = text(5)
    xy = lines.word_xy_px[lines.word_line == 2] + np.array([0, 10.0])
    assert (compare(xy, lines) == 2).all()


def test_a_line_is_told_by_its_words():
    lines = ragged([6, 2, 6], 20.0)
    # Over the short line, but reading the long one below it.
    xy = lines.word_xy_px[lines.word_line == 2] - np.array([0, 40.0])
    assert (compare(xy, lines, n_nearest=2) == 2).all()
    assert (compare(xy, lines, n_nearest=1) == 1).all()
    with pytest.raises(ParameterError, match="n_nearest is 0; expected 1 or more"):
        compare(xy, lines, n_nearest=0)
