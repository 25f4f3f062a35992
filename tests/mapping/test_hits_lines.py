"""Confidence in lines travels into hits: what one line gives, times how probable it is."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.mapping import assign_lines, map_to_tokens
from gazecode.mapping.lines import Lines
from gazecode.model import Events, Layout

METHODS = [("nearest", {}), ("disc", {"radius_px": 20.0}), ("gaussian", {"sd_px": (15.0, 25.0)})]


def fixations(xy, **more):
    n = len(xy)
    onset = np.arange(n) * 250.0
    return Events(
        kind=["fixation"] * n,
        onset_ms=onset,
        offset_ms=onset + 200,
        xy_px=np.reshape(np.asarray(xy, float), (n, 2)),
        **more,
    )


@st.composite
def scenes(draw):
    """Lines of disjoint boxes, one token on two lines, scroll and viewport, shares of lines."""
    n_lines = draw(st.integers(1, 5))
    pitch = draw(st.sampled_from([12.0, 30.0]))
    boxes, line = [], []
    for number in range(n_lines):
        x = 0.0
        for _ in range(draw(st.integers(1, 3))):
            x += draw(st.integers(0, 80)) / 2
            width = draw(st.integers(1, 80)) / 2
            boxes.append((x, number * pitch, x + width, number * pitch + 10))
            line.append(number * 2)
            x += width
    token = np.arange(len(boxes))
    token[-1] = draw(st.integers(0, len(boxes) - 1))
    lay = Layout(
        boxes=boxes,
        token=token,
        line=line,
        n_tokens=len(boxes),
        line_height_px=pitch,
        viewport_px=draw(st.sampled_from([None, (-20, -20, 90, 60)])),
        scroll_t_ms=[300.0],
        scroll_px=[[2.5, draw(st.sampled_from([0.0, 12.3]))]],
    )
    n = draw(st.integers(0, 6))
    coordinate = st.integers(-60, 300).map(lambda v: v / 2)
    xy = draw(st.lists(st.tuples(coordinate, coordinate), min_size=n, max_size=n))
    weight = st.lists(
        st.sampled_from([0.0, 1e-9, 0.1, 0.5, 1.0]), min_size=n_lines + 1, max_size=n_lines + 1
    )
    weights = np.array(draw(st.lists(weight, min_size=n, max_size=n))).reshape(n, n_lines + 1)
    weights[:, -1] += 1e-3
    shares = (weights / weights.sum(axis=1, keepdims=True))[:, :-1]
    return lay, fixations(np.reshape(xy, (n, 2)), line_shares=shares)


def only(lay, number):
    kept = lay.line == number
    return replace(lay, boxes=lay.boxes[kept], token=lay.token[kept], line=lay.line[kept])


def at_line(events, lay, index):
    """Fixations on the screen at the height of one line, as `assign_lines` corrects them."""
    lines = Lines.of(lay)
    scroll = np.where(events.onset_ms >= 300, lay.scroll_px[0, 1], 0.0)
    xy = np.column_stack([events.xy_px[:, 0], lines.y_px[index] - scroll])
    return replace(events, xy_px=xy, line_shares=None)


@given(scenes())
def test_every_line_counts_by_its_probability(scene):
    lay, events = scene
    numbers = np.unique(lay.line)
    for method, params in METHODS:
        expected = np.zeros((len(events), lay.n_tokens))
        for index, number in enumerate(numbers.tolist()):
            hits = map_to_tokens(at_line(events, lay, index), only(lay, number), method, **params)
            p = events.line_shares[:, index]
            p = np.where(p >= 1e-6, p, 0.0)
            expected[hits.fixation, hits.token] += hits.share * p[hits.fixation]
        hits = map_to_tokens(events, lay, method, **params)
        found = np.zeros_like(expected)
        found[hits.fixation, hits.token] = hits.share
        assert found == pytest.approx(expected, abs=1e-12)
        assert len(hits) == (expected > 0).sum()
        assert (np.bincount(hits.fixation, hits.share, minlength=1) <= 1 + 1e-9).all()
        on_token = np.isin(np.arange(len(events)), hits.fixation)
        assert ((hits.status == "token") == on_token).all()


@given(scenes())
def test_a_certain_line_gives_what_the_corrected_position_gives(scene):
    lay, events = scene
    assigned = assign_lines(replace(events, line_shares=None), lay, "attach")
    for method, params in METHODS:
        hits = map_to_tokens(assigned, lay, method, **params)
        plain = replace(assigned, line_shares=None)
        for number in np.unique(lay.line).tolist():
            rows = np.flatnonzero(assigned.line == number)
            one = map_to_tokens(plain[rows], only(lay, number), method, **params)
            here = np.isin(hits.fixation, rows)
            assert hits.fixation[here].tolist() == rows[one.fixation].tolist()
            assert hits.token[here].tolist() == one.token.tolist()
            assert hits.share[here].tolist() == one.share.tolist()


@given(scenes())
def test_without_shares_of_lines_nothing_changes(scene):
    lay, events = scene
    plain = replace(events, line_shares=None)
    told = replace(plain, line=np.zeros(len(plain), int), line_share=np.ones(len(plain)))
    for method, params in METHODS:
        one, two = (map_to_tokens(some, lay, method, **params) for some in (plain, told))
        assert one.to_frame().equals(two.to_frame())


TWO = Layout(
    boxes=[[0, 0, 40, 20], [0, 30, 40, 50], [50, 30, 90, 50]],
    token=[0, 1, 0],
    line=[0, 1, 1],
    n_tokens=2,
    line_height_px=30,
)


def test_the_sum_is_what_lines_with_a_token_in_reach_have():
    events = fixations([(70, 5), (20, 5)], line_shares=[[0.25, 0.5], [0.25, 0.5]])
    hits = map_to_tokens(events, TWO, reach_px=5)
    # At x = 70 the first line has nothing within 5 px; token 0 stands on both lines.
    assert hits.fixation.tolist() == [0, 1, 1]
    assert hits.token.tolist() == [0, 0, 1]
    assert hits.share.tolist() == [0.5, 0.25, 0.5]


def test_a_token_on_two_lines_adds_up():
    lay = replace(TWO, token=[0, 0, 1])
    hits = map_to_tokens(fixations([(20, 5)], line_shares=[[0.25, 0.5]]), lay)
    assert (hits.token.tolist(), hits.share.tolist()) == ([0], [0.75])


def test_a_method_that_abstained_keeps_what_it_gave():
    events = fixations([(20, 24)], line_shares=[[0.4, 0.5]], line=[-1], line_share=[0.5])
    hits = map_to_tokens(events, TWO)
    assert (hits.token.tolist(), hits.share.tolist()) == ([0, 1], [0.4, 0.5])


def test_no_line_at_all_is_no_token():
    hits = map_to_tokens(fixations([(20, 5), (20, 500)], line_shares=np.zeros((2, 2))), TWO)
    assert hits.status.tolist() == ["between", "off"]
    assert len(hits) == 0


def test_shares_a_hair_above_one_are_brought_back():
    shares = [[0.5, 0.5 + 9e-10]]
    hits = map_to_tokens(fixations([(20, 24)], line_shares=shares), TWO)
    assert hits.share.sum() == pytest.approx(1.0, abs=1e-15)


def test_lines_of_another_layout_are_refused():
    message = (
        "fixations have shares of 3 lines, the layout has 2; expected fixations assigned on this "
        "layout: assign_lines(fixations, layout)"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        map_to_tokens(fixations([(20, 5)], line_shares=[[0.1, 0.2, 0.3]]), TWO)
