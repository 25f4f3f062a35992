"""warp against dynamic time warping by a table and a loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from line_scenes import reading, text

from gazecode.mapping.lines.warp import warp


def slow_warp(xy, lines):
    words = lines.word_xy_px
    n, w = len(xy), len(words)
    cost = np.full((n + 1, w + 1), np.inf)
    cost[0, 0] = 0
    for i in range(n):
        for j in range(w):
            gap = np.hypot(xy[i, 0] - words[j, 0], xy[i, 1] - words[j, 1])
            cost[i + 1, j + 1] = gap + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    votes = np.zeros((n, len(lines)), int)
    i, j = n, w
    while i and j:
        votes[i - 1, lines.word_line[j - 1]] += 1
        options = [(cost[i - 1, j - 1], 0), (cost[i - 1, j], 1), (cost[i, j - 1], 2)]
        move = min(options)[1]
        i, j = i - (move != 2), j - (move != 1)
    return votes.argmax(axis=1)


number = st.integers(0, 900).map(float)


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.tuples(number, number), min_size=1, max_size=15),
)
def test_the_cheapest_path_and_the_line_of_most_words(n_lines, words, points):
    lines, xy = text(n_lines, words=words), np.array(points)
    assert warp(xy, lines).tolist() == slow_warp(xy, lines).tolist()


def test_a_longer_reading_too():
    lines = text(8)
    xy, _ = reading(lines, noise_px=25.0, regressions=0.3, seed=5)
    assert warp(xy, lines).tolist() == slow_warp(xy, lines).tolist()


def test_one_word_takes_all():
    lines = text(1, words=1)
    assert warp(np.array([[0.0, 0], [900, 900]]), lines).tolist() == [0, 0]
