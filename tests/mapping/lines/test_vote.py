"""The vote: shares are counts, a tie goes to the nearer line, and nobody votes twice."""

import numpy as np
import pytest
from line_scenes import reading, text

from gazecode.errors import ParameterError
from gazecode.mapping.lines import LINE_METHODS, assign, assign_lines
from gazecode.mapping.lines.vote import TIE_SHARE, VOTERS, vote
from gazecode.model import Events, Layout
from gazecode.registry import Registry


def test_shares_are_counts_of_votes():
    lines = text(10)
    xy, _ = reading(lines, noise_px=18.0, regressions=0.3, seed=2)
    xy[:, 1] += 0.04 * xy[:, 0]
    cast = [LINE_METHODS[name](xy, lines) for name in VOTERS]
    counts = np.stack([np.bincount(row, minlength=10) for row in np.transpose(cast)])
    assert (counts.max(axis=1) < len(VOTERS)).any()
    found = vote(xy, lines)
    assert found == pytest.approx(counts / len(VOTERS), abs=1e-8)
    assert ((found == found.max(axis=1, keepdims=True)).sum(axis=1) == 1).all()


def fixed(line):
    return lambda _xy, _lines: line


@pytest.fixture
def said(monkeypatch):
    """Methods that say what a test wants."""

    def say(**lines):
        table = {name: fixed(np.array(line)) for name, line in lines.items()}
        monkeypatch.setattr(assign, "LINE_METHODS", Registry("line methods", table))
        return tuple(lines)

    return say


def test_a_tie_goes_to_the_line_nearer_to_the_fixation(said):
    lines = text(4)
    methods = said(a=[0, 0, 3], b=[1, 1, 0])
    y = lines.y_px
    xy = np.array([[300.0, y[0] + 1], [300.0, y[1] - 1], [300.0, (y[0] + y[3]) / 2]])
    found = vote(xy, lines, methods=methods)
    # The third is as far from either: the upper one.
    assert found.argmax(axis=1).tolist() == [0, 1, 0]
    assert found.sum(axis=1) == pytest.approx(1 - TIE_SHARE, abs=1e-12)


def test_abstaining_voters_leave_their_share_open(said):
    methods = said(a=[-1, -1], b=[2, -1], c=[[0.0, 0.5, 0.25], [0, 0, 0]])
    found = vote(np.full((2, 2), 300.0), text(3), methods=methods)
    assert found == pytest.approx(np.array([[0, 0.5, 1.25], [0, 0, 0]]) / 3)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ((), "methods are none; expected names of line methods, each once, and not vote itself"),
        (("warp", "warp"), "methods are warp, warp; expected"),
        (("warp", "vote"), "methods are warp, vote; expected"),
        (("wrap",), "no 'wrap' in line methods; choose from: "),
    ],
)
def test_wrong_voters_are_named(methods, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        vote(np.zeros((2, 2)), text(2), methods=methods)


def test_assign_lines_takes_the_votes_as_confidence():
    layout = Layout(
        boxes=[[0, 0, 90, 20], [120, 0, 210, 20], [0, 30, 90, 50], [120, 30, 210, 50]],
        token=range(4),
        line=[0, 0, 1, 1],
        n_tokens=4,
        line_height_px=30,
    )
    fixations = Events(
        kind=["fixation"] * 4,
        onset_ms=np.arange(4) * 300.0,
        offset_ms=np.arange(4) * 300.0 + 200,
        xy_px=[[40, 12], [150, 14], [40, 24], [150, 41]],
    )
    found = assign_lines(fixations, layout, "vote", methods=["attach", "segment", "warp"])
    assert found.line.tolist() == [0, 0, 1, 1]
    assert found.line_share == pytest.approx([1, 1, 2 / 3, 1])
    strict = assign_lines(
        fixations, layout, "vote", methods=["attach", "segment", "warp"], min_share=0.9
    )
    assert strict.line.tolist() == [0, 0, -1, 1]
