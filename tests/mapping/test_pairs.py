"""The search for candidates leaves out nothing within reach."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.mapping.pairs import Bands

NUMBER = st.integers(-200, 200).map(lambda v: v / 4)


@given(
    st.lists(st.tuples(NUMBER, NUMBER, st.integers(1, 160), st.integers(1, 160)), max_size=15),
    st.lists(st.tuples(NUMBER, NUMBER), max_size=6),
    st.integers(0, 40),
    st.integers(0, 40),
    st.data(),
)
def test_every_box_within_reach_is_a_candidate(corners, points, reach_x, reach_y, data):
    boxes = np.array([(x, y, x + w / 4, y + h / 4) for x, y, w, h in corners]).reshape(-1, 4)
    line = data.draw(st.lists(st.integers(0, 4), min_size=len(boxes), max_size=len(boxes)))
    xy = np.array(points, float).reshape(-1, 2)
    found = Bands(boxes, np.array(line, int)).near(xy, reach_x_px=reach_x, reach_y_px=reach_y)
    pairs = list(zip(*(column.tolist() for column in found), strict=True))
    assert len(set(pairs)) == len(pairs)
    for i, (x, y) in enumerate(points):
        for j, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
            dx, dy = max(x0 - x, 0, x - x1), max(y0 - y, 0, y - y1)
            if dx <= reach_x and dy <= reach_y:
                assert (i, j) in pairs


def test_few_boxes_are_looked_at_in_a_text():
    grid = np.array([(x, y, x + 9, y + 20) for y in range(0, 1200, 20) for x in range(0, 300, 10)])
    line = np.repeat(np.arange(60), 30)
    xy = np.random.default_rng(1).uniform(0, 300, (100, 2))
    point, _ = Bands(grid.astype(float), line).near(xy, reach_x_px=20, reach_y_px=20)
    assert len(point) / 100 < 25
