"""attach, chain, cluster, segment and split, each against an independent way to get there."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_scenes import reading, text

from gazecode.errors import ParameterError
from gazecode.mapping.lines.attach import attach
from gazecode.mapping.lines.chain import chain
from gazecode.mapping.lines.cluster import cluster
from gazecode.mapping.lines.kmeans import tightest_clusters
from gazecode.mapping.lines.segment import segment
from gazecode.mapping.lines.split import split

coordinate = st.integers(-100, 1600).map(lambda v: v / 2)
scenes = st.tuples(
    st.integers(1, 6),
    st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=24).map(np.array),
)


def mean_lines(xy, groups, lines):
    """The line nearest to the mean height of each group."""
    found = np.zeros(len(xy), int)
    for group in groups:
        height = np.mean([xy[i, 1] for i in group])
        found[group] = np.abs(lines.y_px - height).argmin()
    return found.tolist()


@given(scenes)
def test_attach_is_the_nearest_line(scene):
    n, xy = scene
    lines = text(n)
    expected = [np.abs(lines.y_px - y).argmin() for y in xy[:, 1]]
    assert attach(xy, lines).tolist() == expected


@given(scenes)
def test_chain_by_loop(scene):
    n, xy = scene
    lines = text(n)
    groups = [[0]]
    for i in range(1, len(xy)):
        near = abs(xy[i, 0] - xy[i - 1, 0]) <= 192 and abs(xy[i, 1] - xy[i - 1, 1]) <= 32
        groups[-1].append(i) if near else groups.append([i])
    assert chain(xy, lines).tolist() == mean_lines(xy, groups, lines)


def test_chain_takes_lengths_in_pixels():
    lines = text(3)
    xy = np.array([[300.0, 100], [390, 140], [480, 125]])
    assert chain(xy, lines).tolist() == [0, 1, 1]
    assert chain(xy, lines, y_px=50).tolist() == [0, 0, 0]
    assert chain(xy, lines, x_px=50).tolist() == attach(xy, lines).tolist() == [0, 1, 0]
    with pytest.raises(ParameterError, match="y_px is -1"):
        chain(xy, lines, y_px=-1)


@pytest.mark.filterwarnings("ignore:One of the clusters is empty")
@pytest.mark.parametrize("seed", range(20))
def test_cluster_is_k_means_started_at_the_lines(seed):
    from scipy.cluster.vq import kmeans2

    rng = np.random.default_rng(seed)
    lines = text(int(rng.integers(1, 9)))
    xy = rng.uniform(50, 700, (int(rng.integers(1, 80)), 2))
    _, label = kmeans2(xy[:, 1], lines.y_px.copy(), iter=300, minit="matrix")
    assert cluster(xy, lines).tolist() == label.tolist()


@given(scenes)
def test_every_cluster_is_around_its_mean(scene):
    n, xy = scene
    found, y = cluster(xy, text(n)), xy[:, 1]
    centre = {line: y[found == line].mean() for line in np.unique(found).tolist()}
    for line, height in zip(found.tolist(), y.tolist(), strict=True):
        assert abs(height - centre[line]) <= min(abs(height - c) for c in centre.values()) + 1e-9
    assert sorted(centre.values()) == [centre[line] for line in sorted(centre)]


@given(scenes)
def test_the_tightest_clusters_are_the_best_of_all_cuts(scene):
    n, xy = scene
    y = np.sort(xy[:, 1])
    k = min(n, len(np.unique(y)), 4)
    options = []
    for cuts in combinations(range(1, len(y)), k - 1):
        parts = np.split(y, cuts)
        options.append(sum(((part - part.mean()) ** 2).sum() for part in parts))
    label = tightest_clusters(xy[:, 1], k)
    assert sorted(set(label.tolist())) == list(range(k))
    found = sum(((xy[label == i, 1] - xy[label == i, 1].mean()) ** 2).sum() for i in range(k))
    assert found == pytest.approx(min(options), abs=1e-6)
    assert (np.diff(label[np.argsort(xy[:, 1], kind="stable")]) >= 0).all()


def test_the_tightest_clusters_need_no_start():
    lines = text(8)
    xy, line = reading(lines, noise_px=3.0)
    far = xy + np.array([0, 0.9 * lines.pitch_px])
    assert (cluster(far, lines, tightest=True) == line).all()
    assert (cluster(far, lines) == line).mean() < 0.5
    assert cluster(xy[:1], lines, tightest=True).tolist() == [0]


def test_cluster_leaves_an_unread_line_alone():
    lines = text(3)
    xy = np.array([[300.0, 95], [400, 99], [300, 230], [400, 233]])
    assert cluster(xy, lines).tolist() == [0, 0, 2, 2]


@given(scenes)
def test_segment_cuts_at_the_largest_leftward_saccades(scene):
    n, xy = scene
    step = np.diff(xy[:, 0]).tolist()
    # The later of two equal ones first.
    cuts = sorted(range(len(step)), key=lambda i: (step[i], -i))[: n - 1]
    expected = [sum(cut < i for cut in cuts) for i in range(len(xy))]
    assert segment(xy, text(n)).tolist() == expected


@given(scenes)
def test_split_halves_saccades_where_squares_within_are_least(scene):
    n, xy = scene
    lines = text(n)
    step = np.diff(xy[:, 0])
    options = []
    for most in np.unique(step)[:-1].tolist():
        low, high = step[step <= most], step[step > most]
        within = ((low - low.mean()) ** 2).sum() + ((high - high.mean()) ** 2).sum()
        options.append((within, most))
    least = min(options, default=(0.0, -np.inf))[0]
    expected = []
    for within, most in options or [(0.0, -np.inf)]:
        if within <= least * (1 + 1e-9) + 1e-9:
            cuts = np.flatnonzero(step <= most) + 1
            expected.append(mean_lines(xy, np.split(np.arange(len(xy)), cuts), lines))
    assert split(xy, lines).tolist() in expected


def test_one_kind_of_saccade_is_no_sweep():
    xy = np.array([[300.0, 100], [350, 170], [400, 110]])
    assert split(xy, text(3)).tolist() == [0, 0, 0]
