import itertools
import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.measures.linearity import linearity, pool_linearity
from gazecode.model import Screen

CODE = [0, 1, 3, 4, 8]
PATH = st.lists(
    st.tuples(st.sampled_from([*CODE, -1]), st.sampled_from([0.0, 1.0, 2.0, math.nan])),
    max_size=14,
)


def by_hand(path, *, bridge):
    """Pairs one at a time."""
    n = dict.fromkeys(
        ("same_line", "next_line", "later_line", "earlier_line", "forward", "backward"), 0
    )
    chain = [p for p in path if p[0] >= 0] if bridge else path
    pairs = 0
    for (a, x), (b, z) in itertools.pairwise(chain):
        if a < 0 or b < 0:
            continue
        pairs += 1
        step = CODE.index(b) - CODE.index(a)
        n["same_line"] += step == 0
        n["next_line"] += step == 1
        n["later_line"] += step > 0
        n["earlier_line"] += step < 0
        n["forward"] += step == 0 and z > x
        n["backward"] += step == 0 and z < x
    return n | {"pairs": pairs}


@given(PATH, st.booleans())
def test_against_loops(path, bridge):
    line, place = [p[0] for p in path], [p[1] for p in path]
    said = linearity(line, place=place, code_lines=CODE, bridge=bridge)
    for name, value in by_hand(path, bridge=bridge).items():
        assert getattr(said, name) == value, name
    assert said.same_line + said.later_line + said.earlier_line == said.pairs
    assert said.lines_fixated == len({x for x in line if x >= 0})
    if not bridge:
        assert said.pairs + said.broken == max(len(path) - 1, 0)
    for row in said.variants():
        assert row["count"] >= 0
        assert row["count"] <= row["total"] or row["of"] == "forward"
    if said.pairs:
        later, back = said.vertical_later, said.earlier_line / said.pairs
        assert later + back == pytest.approx(1)
        assert said.vertical_next <= later


@given(st.lists(PATH, max_size=4))
def test_pooled_is_the_sum(paths):
    parts = [linearity([p[0] for p in path], code_lines=CODE) for path in paths]
    pooled = pool_linearity(parts)
    for f in fields(pooled):
        assert getattr(pooled, f.name) == sum(getattr(p, f.name) for p in parts)


def test_straight_through_and_backwards():
    down = linearity([0, 0, 1, 1, 3], place=[0, 5, 0, 5, 0], code_lines=CODE)
    assert down.vertical_next == down.vertical_later == 1.0
    assert (down.horizontal_later, down.regression_rate) == (0.5, 0.0)
    up = linearity([3, 1, 1, 0], place=[0, 5, 0, 5], code_lines=CODE)
    assert (up.vertical_later, up.regression_rate, up.line_regression_rate) == (1 / 3, 1.0, 1 / 3)


def test_as_the_scripts_of_the_replication_count():
    """Peitek et al. 2020: by fixations on code, passing over others, other lines only."""
    said = linearity(
        [0, 0, -1, 0, 1, 4, 3], place=[0, 5, 0, 5, 0, 0, 0], code_lines=CODE, bridge=True
    )
    share = {
        r["measure"]: (r["count"], r["total"]) for r in said.variants() if r["of"] == "fixations"
    }
    assert share == {
        "vertical next": (1, 6),
        "vertical later": (2, 6),
        "horizontal later": (2, 6),  # They count the same place as forward.
        "regression": (1, 6),
        "line regression": (0, 6),
    }


def test_collapsed_refixations_and_elements():
    said = linearity([0, 0, 0, 1], element=[2, 2, 3, -1], n_elements=10, collapse=True)
    assert (said.collapsed, said.pairs, said.on_code, said.fixations) == (1, 2, 3, 4)
    assert (said.elements_fixated, said.element_coverage) == (2, 0.2)
    whole = linearity([0, 0, 0, 1], element=[2, 2, 3, -1], n_elements=10)
    assert (whole.collapsed, whole.pairs, whole.element_coverage) == (0, 3, 0.2)


def test_length_of_saccades():
    xy = [[0, 0], [30, 40], [math.nan, math.nan], [0, 0], [0, 8]]
    said = linearity([0, 0, 1, 0, 1], xy_px=xy)
    assert said.pairs == 4
    assert said.saccades == 2  # Two pairs have no known position.
    assert said.saccade_length_px == (50 + 8) / 2
    assert said.saccade_length_deg == (50 + 8) / 2 / 40
    assert said.forward == 1
    screen = Screen(width_px=1000, height_px=500, width_mm=500, height_mm=250, distance_mm=600)
    middle = linearity([0, 0], xy_px=[[500, 250], [600, 250]], screen=screen)
    assert middle.saccade_length_deg == pytest.approx(math.degrees(math.atan(50 / 600)))


def test_nothing_to_divide_by():
    said = linearity([])
    assert said.pairs == 0
    for name in ("vertical_next", "regression_rate", "saccade_length_px", "line_coverage"):
        assert math.isnan(getattr(said, name))
    assert len(said.to_frame()) == 16
    assert pool_linearity([]).pairs == 0


def test_refusals():
    with pytest.raises(DataError, match="fixation 1 is on line 2, which holds no code"):
        linearity([0, 2], code_lines=CODE)
    with pytest.raises(DataError, match="place has shape"):
        linearity([0, 1], place=[0])
    with pytest.raises(DataError, match="pass element"):
        linearity([0, 1], collapse=True)
    with pytest.raises(DataError, match="element 7; there are 5"):
        linearity([0], element=[7], n_elements=5)
    with pytest.raises(DataError, match="holds no code"):
        linearity(np.array([0]), code_lines=[])


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_pixels_of_a_degree_are_a_number_above_zero(wrong):
    with pytest.raises(ParameterError, match="px_per_deg"):
        linearity([0, 1], xy_px=[[0, 0], [9, 9]], px_per_deg=wrong)


def test_a_column_with_gaps_is_told_what_stands_for_none():
    with pytest.raises(DataError, match="line holds what is no whole number; expected -1"):
        linearity([0, float("nan"), 1])
    assert linearity([0.0, -1.0, 1.0]).on_code == 2
