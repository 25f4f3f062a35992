import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.measures.multimatch import multimatch, simplified
from gazecode.measures.scanmatch import grid_substitution, scanmatch, scanmatch_grid, timed
from gazecode.model import Events

SCREEN = {"width_px": 1000, "height_px": 800}
PLACE = st.tuples(st.integers(0, 999), st.integers(0, 799))


def path(places, spent=None):
    n = len(places)
    onset = np.arange(n) * 2000.0
    return Events(
        kind=["fixation"] * n,
        onset_ms=onset,
        offset_ms=onset + (200.0 if spent is None else np.asarray(spent, float)),
        xy_px=np.reshape(np.asarray(places, float), (-1, 2)),
    )


PATHS = st.lists(st.tuples(PLACE, st.integers(20, 900)), min_size=3, max_size=9).map(
    lambda rows: path([r[0] for r in rows], [r[1] for r in rows])
)


def best_alignment(a, b, table, gap):
    """Every alignment there is."""
    if not len(a) or not len(b):
        return gap * (len(a) + len(b))
    return max(
        table[a[0]][b[0]] + best_alignment(a[1:], b[1:], table, gap),
        gap + best_alignment(a[1:], b, table, gap),
        gap + best_alignment(a, b[1:], table, gap),
    )


@given(
    st.lists(st.integers(0, 3), max_size=5),
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.sampled_from([0.0, -0.5]),
)
def test_scanmatch_is_the_best_of_all_alignments(a, b, gap):
    table = grid_substitution(2, 2, threshold_bins=1.2)
    said = scanmatch(a, b, substitution=table, gap=gap)
    assert said.score == pytest.approx(best_alignment(a, b, table.tolist(), gap))
    assert said.similarity == pytest.approx(said.score / (1.2 * max(len(a), len(b))))


@given(PATHS, PATHS)
def test_scanmatch_laws(a, b):
    same = scanmatch_grid(a, a, **SCREEN)
    assert same.similarity == pytest.approx(1.0)
    one, other = scanmatch_grid(a, b, **SCREEN), scanmatch_grid(b, a, **SCREEN)
    assert one.similarity == pytest.approx(other.similarity)
    assert 0 <= one.similarity <= 1 + 1e-12


def test_scanmatch_by_hand():
    # Bins of 250 px; 100 ms are two of 50: A A B against A C.
    a = path([(10, 10), (260, 10)], [100, 50])
    b = path([(10, 10), (510, 10)], [50, 50])
    said = scanmatch_grid(a, b, **SCREEN, columns=4, rows=4, bin_ms=50, threshold_bins=2.0)
    assert (said.n_first, said.n_second) == (3, 2)
    assert said.score == 2.0 + 1.0  # A with A; B with C, one bin away; a gap at 0.
    assert said.similarity == pytest.approx(3.0 / (2.0 * 3))
    assert timed([5], [1], bin_ms=50).tolist() == [5]
    assert timed([5, 6], [500, 9], bin_ms=0).tolist() == [5, 6]


def test_scanmatch_counts_what_it_leaves_out():
    a = path([(10, 10), (2000, 10), (math.nan, math.nan)])
    said = scanmatch_grid(a, path([(10, 10)]), **SCREEN)
    assert (said.left_out, said.similarity) == (2, 1.0)
    assert math.isnan(scanmatch([], []).similarity)


def difference_table(a, b):
    (ax, ay), (bx, by) = np.diff(a.xy_px, axis=0).T, np.diff(b.xy_px, axis=0).T
    return np.hypot(ax[:, None] - bx, ay[:, None] - by)


def every_way(n, m):
    if (n, m) == (1, 1):
        return [[(0, 0)]]
    ways = []
    for di, dj in ((1, 1), (1, 0), (0, 1)):
        if n - di >= 1 and m - dj >= 1:
            ways += [[*way, (n - 1, m - 1)] for way in every_way(n - di, m - dj)]
    return ways


@given(PATHS.filter(lambda p: len(p) < 6), PATHS.filter(lambda p: len(p) < 6))
def test_multimatch_against_every_way(a, b):
    """The way is a cheapest one; the five figures are the medians along it."""
    cost = difference_table(a, b)
    ways = every_way(*cost.shape)
    costs = [sum(cost[c] for c in way) for way in ways]
    cheapest = [w for w, c in zip(ways, costs, strict=True) if c <= min(costs) + 1e-6]
    said = multimatch(a, b, **SCREEN)
    diagonal = math.hypot(1000, 800)
    expected = {
        tuple(
            round(v, 9)
            for v in (
                1 - np.median([cost[c] for c in way]) / (2 * diagonal),
                1 - np.median([math.dist(a.xy_px[i], b.xy_px[j]) for i, j in way]) / diagonal,
                1
                - np.median(
                    [
                        abs(a.duration_ms[i] - b.duration_ms[j])
                        / max(a.duration_ms[i], b.duration_ms[j])
                        for i, j in way
                    ]
                ),
            )
        )
        for way in cheapest
    }
    assert tuple(round(v, 9) for v in (said.shape, said.position, said.duration)) in expected


@given(PATHS, PATHS, st.booleans())
def test_multimatch_laws(a, b, simplify):
    try:
        same = multimatch(a, a, **SCREEN, simplify=simplify)
        one = multimatch(a, b, **SCREEN, simplify=simplify)
        other = multimatch(b, a, **SCREEN, simplify=simplify)
    except DataError:
        assert simplify
        return
    for name in ("shape", "direction", "length", "position", "duration"):
        assert getattr(same, name) == pytest.approx(1.0)
        assert 0 <= getattr(one, name) <= 1
    assert one.n_aligned >= max(one.n_first, one.n_second)
    # Ways of equal cost may differ from either side; the cheapest cost does not.
    if not simplify:
        assert one.n_first == other.n_second


def test_multimatch_moved_paths_differ_in_position_alone():
    places = np.array([(100, 100), (400, 120), (350, 500), (600, 300)])
    said = multimatch(path(places), path(places + np.array([30, 40])), **SCREEN)
    assert said.shape == said.direction == said.length == said.duration == 1.0
    assert said.position == pytest.approx(1 - 50 / math.hypot(1000, 800))
    slower = multimatch(path(places), path(places, [400] * 4), **SCREEN)
    assert (slower.position, slower.duration) == (1.0, 0.5)


@given(PATHS)
def test_a_simplified_path_is_simple(p):
    limits = {"max_angle_deg": 45.0, "min_length_px": 100.0, "max_duration_ms": 300.0}
    kept = simplified(p.xy_px, p.duration_ms, **limits)
    assert kept[0] == 0
    assert kept[-1] == len(p) - 1
    again = simplified(p.xy_px[kept], p.duration_ms[kept], **limits)
    np.testing.assert_array_equal(again, np.arange(len(kept)))
    # Long fixations stay, but at the far end of a short saccade from a brief one.
    nothing = simplified(p.xy_px, p.duration_ms, **limits | {"max_duration_ms": 0.0})
    np.testing.assert_array_equal(nothing, np.arange(len(p)))


def test_multimatch_beside_its_published_implementation():
    peer = pytest.importorskip("multimatch_gaze", reason="multimatch-gaze is not installed")
    rng = np.random.default_rng(7)
    fields = [("start_x", float), ("start_y", float), ("duration", float)]
    for _ in range(30):
        ours, theirs = [], []
        for n in rng.integers(3, 25, 2).tolist():
            places, spent = rng.uniform(0, 800, (n, 2)), rng.uniform(50, 800, n)
            ours.append(path(places, spent))
            rows = zip(*places.T, spent / 1000, strict=True)
            theirs.append(np.array(list(rows), dtype=fields))
        expected = peer.docomparison(*theirs, screensize=[1000, 800])
        said = multimatch(*ours, **SCREEN)
        found = (said.shape, said.direction, said.length, said.position, said.duration)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_refusals():
    three = path([(0, 0), (1, 1), (2, 0)])
    with pytest.raises(DataError, match="has 2 fixations to compare; expected at least 3"):
        multimatch(three, path([(0, 0), (1, 1)]), **SCREEN)
    with pytest.raises(ParameterError, match="screen is 0 by 800"):
        multimatch(three, three, width_px=0, height_px=800)
    with pytest.raises(ParameterError, match="gap is 1"):
        scanmatch([0], [0], gap=1)
    with pytest.raises(DataError, match="numbered to 4; the substitution has 2"):
        scanmatch([4], [0], substitution=np.eye(2))
    with pytest.raises(ParameterError, match="expected \\(s, s\\)"):
        scanmatch([0], [0], substitution=[1.0])
    with pytest.raises(ParameterError, match="grid of 0 by 8"):
        scanmatch_grid(three, three, **SCREEN, columns=0)
    with pytest.raises(ParameterError, match="width_px is 0"):
        scanmatch_grid(three, three, width_px=0, height_px=1)
