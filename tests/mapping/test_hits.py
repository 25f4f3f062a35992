"""Hard and soft hits against plain loops, and laws."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.mapping import MAPPERS, map_to_tokens
from gazecode.mapping.hits import disc_overlap
from gazecode.model import Events, Layout


def fixations(xy, *, step_ms=250.0, duration_ms=200.0):
    n = len(xy)
    onset = np.arange(n) * step_ms
    return Events(
        kind=["fixation"] * n,
        onset_ms=onset,
        offset_ms=onset + duration_ms,
        xy_px=np.reshape(xy, (n, 2)),
    )


def layout(boxes, *, token=None, line=None, n_tokens=None, line_height_px=20.0, **more):
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    token = np.arange(len(boxes)) if token is None else np.asarray(token)
    return Layout(
        boxes=boxes,
        token=token,
        line=np.zeros(len(boxes), int) if line is None else line,
        n_tokens=int(token.max(initial=-1)) + 1 if n_tokens is None else n_tokens,
        line_height_px=line_height_px,
        **more,
    )


def slow_nearest(x, y, lay, reach):
    best = None
    for (x0, y0, x1, y1), token in zip(lay.boxes.tolist(), lay.token.tolist(), strict=True):
        distance = math.hypot(max(x0 - x, 0, x - x1), max(y0 - y, 0, y - y1))
        centre = math.hypot((x0 + x1) / 2 - x, (y0 + y1) / 2 - y)
        if distance <= reach and (best is None or (distance, centre, token) < best):
            best = (distance, centre, token)
    return None if best is None else best[2]


def disc_area(x, y, box, radius, steps=20_000):
    """Midpoint rule over vertical strips: an integration that shares no formula with the code."""
    x0, y0, x1, y1 = box
    low, high = max(x0, x - radius), min(x1, x + radius)
    if low >= high:
        return 0.0
    u = low + (np.arange(steps) + 0.5) * (high - low) / steps
    half = np.sqrt(np.maximum(radius**2 - (u - x) ** 2, 0))
    strip = np.minimum(y1, y + half) - np.maximum(y0, y - half)
    return float(np.maximum(strip, 0).sum() * (high - low) / steps)


def gaussian_mass(x, y, box, sd_x, sd_y):
    def cdf(value, mean, sd):
        return math.erfc((mean - value) / (sd * math.sqrt(2))) / 2

    x0, y0, x1, y1 = box
    return (cdf(x1, x, sd_x) - cdf(x0, x, sd_x)) * (cdf(y1, y, sd_y) - cdf(y0, y, sd_y))


METHODS = [("nearest", {}), ("disc", {"radius_px": 20.0}), ("gaussian", {"sd_px": (15.0, 25.0)})]


@st.composite
def scenes(draw):
    """Boxes anywhere, overlapping, tall and flat, grouped into lines badly; points around them."""
    k = draw(st.integers(0, 12))
    # Whole and half pixels make ties and shared edges common.
    number = st.integers(-40, 300).map(lambda v: v / 2)
    size = st.integers(1, 120).map(lambda v: v / 2)
    boxes = []
    for _ in range(k):
        x, y = draw(number), draw(number)
        boxes.append((x, y, x + draw(size), y + draw(size)))
    token = draw(st.lists(st.integers(0, 5), min_size=k, max_size=k))
    line = draw(st.lists(st.integers(0, 3), min_size=k, max_size=k))
    points = draw(st.lists(st.tuples(number, number), max_size=8))
    lay = layout(
        boxes,
        token=np.array(token, int),
        line=np.array(line, int),
        n_tokens=6,
        line_height_px=draw(st.sampled_from([8.0, 30.0])),
    )
    return lay, np.array(points, float).reshape(-1, 2)


@given(scenes())
def test_nearest_equals_a_loop_over_all_boxes(scene):
    lay, points = scene
    hits = map_to_tokens(fixations(points), lay)
    expected = [slow_nearest(x, y, lay, max(lay.line_height_px, 20)) for x, y in points.tolist()]
    found = dict(zip(hits.fixation.tolist(), hits.token.tolist(), strict=True))
    assert [found.get(i) for i in range(len(points))] == expected


@given(scenes(), st.sampled_from([3.0, 20.0, 45.0]))
def test_disc_takes_the_largest_overlap(scene, radius):
    lay, points = scene
    hits = map_to_tokens(fixations(points), lay, "disc", radius_px=radius)
    found = dict(zip(hits.fixation.tolist(), hits.token.tolist(), strict=True))
    for i, (x, y) in enumerate(points.tolist()):
        area = np.zeros(6)
        for box, token in zip(lay.boxes.tolist(), lay.token.tolist(), strict=True):
            area[token] += disc_area(x, y, box, radius, steps=2000)
        if i in found:
            # The strips are good to a thousandth of the disc: within that, a tie is anyone's.
            assert area[found[i]] >= area.max() - 2e-3 * radius**2
        else:
            assert area.max() < 2e-3 * radius**2


@given(scenes(), st.sampled_from([4.0, 30.0]), st.sampled_from([4.0, 30.0]))
def test_gaussian_shares_are_the_mass_over_the_boxes(scene, sd_x, sd_y):
    lay, points = scene
    # Overlapping boxes count text twice; real layouts have none.
    lay = replace(lay, **disjoint(lay))
    hits = map_to_tokens(fixations(points), lay, "gaussian", sd_px=(sd_x, sd_y))
    share = np.zeros((len(points), 6))
    share[hits.fixation, hits.token] = hits.share
    for i, (x, y) in enumerate(points.tolist()):
        expected = np.zeros(6)
        for box, token in zip(lay.boxes.tolist(), lay.token.tolist(), strict=True):
            expected[token] += gaussian_mass(x, y, box, sd_x, sd_y)
        assert share[i] == pytest.approx(expected, abs=1.2e-5)
    assert (share.sum(axis=1) <= 1 + 1e-9).all()


def disjoint(lay):
    kept = []
    for i, a in enumerate(lay.boxes):
        if all(
            a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for b in lay.boxes[kept]
        ):
            kept.append(i)
    return {"boxes": lay.boxes[kept], "token": lay.token[kept], "line": lay.line[kept]}


@given(scenes(), st.data())
def test_nothing_disappears(scene, data):
    lay, points = scene
    lost = data.draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points)))
    points[np.array(lost, bool)] = np.nan
    lay = replace(
        lay,
        **disjoint(lay),
        viewport_px=data.draw(st.sampled_from([None, (0, 0, 60, 60)])),
        onset_ms=data.draw(st.sampled_from([-np.inf, 300.0])),
        scroll_t_ms=[100.0, 600.0],
        scroll_px=[[0, 10], [5, -20]],
    )
    for method, params in METHODS:
        hits = map_to_tokens(fixations(points), lay, method, **params)
        assert hits.n_fixations == len(points)
        on_token = np.isin(np.arange(len(points)), hits.fixation)
        assert ((hits.status == "token") == on_token).all()
        assert ((hits.status == "lost") == np.array(lost, bool)).all()
        assert (np.bincount(hits.fixation, hits.share, minlength=1) <= 1 + 1e-9).all()
        assert (np.diff(hits.fixation) >= 0).all()


@given(scenes(), st.integers(-2000, 2000), st.integers(-2000, 2000))
def test_moving_screen_and_gaze_together_changes_nothing(scene, dx, dy):
    lay, points = scene
    moved = replace(lay, boxes=lay.boxes + np.array([dx, dy, dx, dy]))
    for method, params in METHODS:
        if method == "gaussian":
            lay, moved = replace(lay, **disjoint(lay)), replace(moved, **disjoint(moved))
        one = map_to_tokens(fixations(points), lay, method, **params)
        two = map_to_tokens(fixations(points + np.array([dx, dy])), moved, method, **params)
        assert one.fixation.tolist() == two.fixation.tolist()
        assert one.token.tolist() == two.token.tolist()
        assert one.share == pytest.approx(two.share, abs=1e-9)
        assert one.status.tolist() == two.status.tolist()


def test_disc_overlap_is_exact():
    rng = np.random.default_rng(3)
    xy = rng.uniform(-30, 30, (300, 2))
    corner = rng.uniform(-30, 30, (300, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.1, 60, (300, 2))], axis=1)
    found = disc_overlap(xy, boxes, radius_px=20.0)
    expected = [disc_area(*p, b, 20.0) for p, b in zip(xy.tolist(), boxes.tolist(), strict=True)]
    assert found == pytest.approx(expected, abs=2e-3)
    whole = disc_overlap(np.zeros((1, 2)), np.array([[-99.0, -99, 99, 99]]), radius_px=20.0)
    assert whole[0] == pytest.approx(np.pi * 400, rel=1e-12)


@pytest.mark.parametrize(
    ("xy", "token"),
    [
        pytest.param((40, 10), 0, id="shared edge: nearer centre"),
        pytest.param((39.9, 10), 0, id="inside"),
        pytest.param((45, 25), 2, id="tie in all: lower token"),
        pytest.param((5, 40), 0, id="just within reach"),
        pytest.param((5, 40.1), None, id="just out of reach"),
    ],
)
def test_ties_and_reach_of_nearest(xy, token):
    lay = layout(
        [[0, 0, 40, 20], [40, 0, 200, 20], [40, 20, 50, 30], [40, 20, 50, 30]], line=[0, 0, 1, 1]
    )
    hits = map_to_tokens(fixations([xy]), lay)
    assert hits.token.tolist() == ([] if token is None else [token])


def test_status_says_where_a_fixation_without_token_was():
    lay = layout([[0, 0, 40, 20], [300, 0, 340, 20]], onset_ms=0.0, offset_ms=1000.0)
    points = [(20, 10), (170, 10), (170, 100), (np.nan, 5), (20, 10)]
    hits = map_to_tokens(fixations(points), lay)
    assert hits.status.tolist() == ["token", "between", "off", "lost", "off"]
    assert hits.exposure_ms.tolist() == [1000.0, 1000.0]


def test_scroll_in_force_at_onset_and_the_viewport_decide_what_is_seen():
    lay = layout(
        [[0, 0, 40, 20], [0, 100, 40, 120]],
        line=[0, 1],
        scroll_t_ms=[250.0],
        scroll_px=[[0, 100]],
        viewport_px=(0, 0, 100, 50),
    )
    points = [(20, 10), (20, 10), (20, -90), (20, 30)]
    hits = map_to_tokens(fixations(points), lay, reach_px=5)
    assert hits.token.tolist() == [0, 1]
    assert hits.status.tolist() == ["token", "token", "off", "between"]
    # Fixations span 0..950 ms; the scroll comes at 250 ms.
    assert hits.exposure_ms.tolist() == [250.0, 700.0]


def test_a_box_the_viewport_hides_attracts_nothing():
    lay = layout([[0, 52, 40, 72]], viewport_px=(0, 0, 100, 50))
    assert map_to_tokens(fixations([(20, 45)]), lay).status.tolist() == ["between"]


def test_shares_of_a_token_on_two_lines_add_up():
    lay = layout([[0, 0, 40, 20], [0, 20, 40, 40]], token=[0, 0], line=[0, 1])
    hits = map_to_tokens(fixations([(20, 20)]), lay, "gaussian", sd_px=2)
    assert hits.token.tolist() == [0]
    assert hits.share == pytest.approx([1.0], abs=1e-6)


def test_overlapping_boxes_share_a_fixation_and_never_exceed_it():
    lay = layout([[0, 0, 40, 20], [0, 0, 40, 20]])
    hits = map_to_tokens(fixations([(20, 10)]), lay, "gaussian", sd_px=1)
    assert hits.share == pytest.approx([0.5, 0.5])


def test_without_boxes_or_fixations_nothing_breaks():
    assert map_to_tokens(fixations([(1, 1)]), layout([], n_tokens=3)).status.tolist() == ["off"]
    hits = map_to_tokens(Events.empty(), layout([[0, 0, 1, 1]]))
    assert hits.n_fixations == 0
    assert hits.exposure_ms.tolist() == [0.0]


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("near", {}, "no 'near' in mapping methods; choose from: disc, gaussian, nearest"),
        ("nearest", {"reach": 3}, "nearest has no parameter reach; it has: reach_px"),
        ("nearest", {"reach_px": -1}, "reach_px is -1; expected a number of at least 0 of pixels"),
        ("disc", {"radius_px": 0}, "radius_px is 0; expected a positive number of pixels"),
        ("gaussian", {"sd_px": (3, np.nan)}, "sd_px is nan; expected a positive number of pixels"),
        (
            "gaussian",
            {"sd_px": (1, 2, 3)},
            "sd_px is (1, 2, 3); expected one number, or one for x and one for y",
        ),
        ("gaussian", {}, "gaussian needs sd_px; give it: sd_px=..."),
    ],
)
def test_wrong_parameters_are_named(method, params, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        map_to_tokens(fixations([(1, 1)]), layout([[0, 0, 9, 9]]), method, **params)


def test_saccades_are_refused():
    events = replace(fixations([(1, 1)]), kind=["saccade"])
    with pytest.raises(DataError, match="events to map hold saccade; expected fixations only"):
        map_to_tokens(events, layout([[0, 0, 9, 9]]))


def test_the_table_of_methods_is_a_mapping():
    assert set(MAPPERS) == {"nearest", "disc", "gaussian"}
    assert isinstance(layout([]), Layout)
