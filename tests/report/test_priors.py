"""The page of priors: chance beside every curve, arrows that point the right way."""

import re

import numpy as np
import pytest

from gazecode.report import LabelView, PriorsView, render_priors, write_priors_page
from gazecode.report.transitions import BEND, transition_graph

LOOP = LabelView(
    label="loop", hit=30, shown=100, theta=31 / 102, low=0.2, high=0.4, theta_null=0.25
)
ARGUMENT = LabelView(label="argument", hit=3, shown=10, theta=4 / 12, flag="few")


def numbers(path):
    return [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", path)]


def test_chance_and_interval_stand_beside_theta():
    html = render_priors(PriorsView(title="P", labels=(LOOP,)))
    assert "0.304 [0.200, 0.400] · chance 0.250 · n 100" in html
    assert 'x1="25.00%" x2="25.00%"' in html
    assert "without a known chance" not in html


def test_an_unknown_chance_is_called_unknown():
    html = render_priors(PriorsView(title="P", labels=(LOOP, ARGUMENT)))
    assert "0.333 · chance unknown · n 10 · few" in html
    assert "1 label without a known chance level" in html


def test_labels_without_a_trial_are_not_drawn():
    html = render_priors(
        PriorsView(title="P", labels=(LabelView(label="x", hit=0, shown=0, theta=0),))
    )
    assert 'class="name">x<' not in html


def test_the_density_peaks_at_the_mode():
    from gazecode.report.priors import _density

    points = np.array(numbers(_density(LOOP))).reshape(-1, 2)
    assert points[np.argmin(points[:, 1]), 0] == pytest.approx(1000 * 30 / 100, abs=8)


def test_an_arrow_ends_at_its_second_label():
    counts = np.zeros((3, 3))
    counts[0, 2] = 5
    graph = transition_graph(["a", "b", "c"], counts, directed=True)
    assert [node.label for node in graph.nodes] == ["a", "c"]
    (arrow,) = graph.arrows
    assert arrow.title.startswith("a → c: 5, 100")
    path = numbers(arrow.path)
    start, end = np.array(path[:2]), np.array(path[-2:])
    places = [np.array([float(n.x), float(n.y)]) for n in graph.nodes]
    assert np.linalg.norm(start - places[0]) < 30 > np.linalg.norm(end - places[1])
    assert BEND > 0


def test_without_direction_there_is_one_line_for_a_pair():
    counts = np.array([[2.0, 3.0], [4.0, 0.0]])
    graph = transition_graph(["a", "b"], counts, directed=False)
    assert {arrow.title.split(",")[0] for arrow in graph.arrows} == {"a – b: 7", "a – a: 2"}
    html = render_priors(
        PriorsView(
            title="P",
            labels=(LOOP,),
            transition_labels=("a", "b"),
            transitions=counts,
            directed=False,
        )
    )
    assert "the direction was lost" in html
    assert "marker-end" not in html


def test_rare_transitions_are_counted():
    graph = transition_graph([str(i) for i in range(9)], np.ones((9, 9)), directed=True)
    assert graph.n_hidden == 81 - len(graph.arrows) == 41
    assert transition_graph(["a"], np.zeros((1, 1)), directed=True) is None


def test_names_are_escaped(tmp_path):
    view = PriorsView(title="<script>", labels=(LOOP,), details={"<b>": "<i>"})
    html = write_priors_page(view, tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "<i>" not in html
    assert [p.name for p in tmp_path.iterdir()] == ["p.html"]
