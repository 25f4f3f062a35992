"""Each program of saccades by hand on one Java and one Python function."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import gazecode as gc
from gazecode.agreement.programs import TRANSITION_PROGRAMS, Known

JAVA = gc.parse("int f(int x) {\n  int y = x;\n  return x + y;\n}", language="java")
# int f ( int x ) {      0-6
# int y = x ;            7-11
# return x + y ;         12-16
# }                      17
PYTHON = gc.parse("def f(x):\n    y = x\n    return x + y\n", "python")
# def f ( x ) :          0-5
# y = x                  6-8
# return x + y           9-12

NOTHING = Known()


def asked(name, tokens, known=NOTHING):
    return TRANSITION_PROGRAMS[name](tokens, known)


def pairs(name, tokens):
    """Cells with mass, which all have the same."""
    matrix = asked(name, tokens)
    assert set(matrix.ravel()) <= {0.0, 1.0}
    return set(zip(*(axis.tolist() for axis in np.nonzero(matrix)), strict=True))


def test_the_sources_are_those_written_above():
    assert (len(JAVA), len(PYTHON)) == (18, 13)


ALL = {"java": JAVA, "python": PYTHON}


@pytest.mark.parametrize("tokens", ALL.values(), ids=ALL)
def test_steps_in_the_text(tokens):
    m = len(tokens)
    assert pairs("previous_token", tokens) == {(i, i - 1) for i in range(1, m)}
    assert pairs("next_token", tokens) == {(i, i + 1) for i in range(m - 1)}
    assert pairs("same_token", tokens) == {(i, i) for i in range(m)}
    assert pairs("uniform", tokens) == {(i, j) for i in range(m) for j in range(m)}
    assert asked("nearby", tokens)[4, :7].tolist() == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 1 / 2, 1 / 4]
    assert asked("nearby_forward", tokens)[4, :7].tolist() == [0, 0, 0, 0, 0, 1 / 2, 1 / 4]


@pytest.mark.parametrize("tokens", ALL.values(), ids=ALL)
def test_lines(tokens):
    row, m = tokens.row, len(tokens)
    start = [i for i in range(m) if i == 0 or row[i] != row[i - 1]]
    same = {(i, j) for i in range(m) for j in range(m) if row[i] == row[j] and i != j}
    assert pairs("same_line", tokens) == same
    assert pairs("line_start", tokens) == {(i, start[row[i]]) for i in range(m)} - {
        (i, i) for i in start
    }
    onward = {(i, j) for i in range(m) for j in start if row[j] == row[i] + 1}
    assert pairs("next_line_start", tokens) == onward
    back = {(i, j) for i in range(m) for j in start if row[j] == row[i] - 1}
    assert pairs("previous_line_start", tokens) == back
    below = {(i, j) for i in range(m) for j in range(m) if row[j] == row[i] + 1}
    assert pairs("next_lines", tokens) == below


def test_lines_without_tokens_are_no_lines():
    tokens = gc.parse("a\n\n\nb", "python")
    assert pairs("next_line_start", tokens) == {(0, 1)}


@pytest.mark.parametrize(
    ("tokens", "x", "y"), [(JAVA, (4, 10, 13), (8, 15)), (PYTHON, (3, 8, 10), (6, 12))], ids=ALL
)
def test_names(tokens, x, y):
    def chain(places):
        return {(a, b) for a, b in pairwise(places)}

    both = {(a, b) for places in (x, y) for a in places for b in places if a != b}
    assert pairs("same_identifier", tokens) == both
    assert pairs("next_same_identifier", tokens) == chain(x) | chain(y)
    assert pairs("previous_same_identifier", tokens) == {(b, a) for a, b in chain(x) | chain(y)}
    used = {(x[0], x[1]), (x[0], x[2]), (y[0], y[1])}
    assert pairs("definition_to_use", tokens) == used
    assert pairs("use_to_definition", tokens) == {(b, a) for a, b in used}
    names = sorted([1, *x, *y])
    onward = {(i, min(n for n in names if n > i)) for i in range(len(tokens)) if i < names[-1]}
    assert pairs("next_identifier", tokens) == onward


def test_labels():
    label = PYTHON.label
    same = {
        (i, j)
        for i in range(13)
        for j in range(13)
        if i != j and label[i] == label[j] and label[i] != ""
    }
    assert pairs("same_label", PYTHON) == same
    assert (9, 12) in same
    known = Known(theta={"return": 0.9}, mean_theta=0.2)
    assert asked("salient_label", PYTHON, known)[0, [0, 12]].tolist() == [0.2, 0.9]


@pytest.mark.parametrize("tokens", ALL.values(), ids=ALL)
def test_columns_are_the_same_in_every_row(tokens):
    for name in ("first_token", "random_token", "random_targets", "long_tokens", "any_identifier"):
        matrix = asked(name, tokens)
        assert (matrix == matrix[0]).all()
        assert matrix.tolist() == asked(name, tokens).tolist()
    assert np.flatnonzero(asked("first_token", tokens)[0]).tolist() == [0]
    assert asked("random_token", tokens)[0].sum() == 1
    assert asked("long_tokens", tokens)[0].tolist() == [len(text) for text in tokens.texts]
    assert np.flatnonzero(asked("any_identifier", JAVA)[0]).tolist() == [1, 4, 8, 10, 13, 15]


def test_distance_on_screen_counts_a_line_as_five_characters():
    tokens = gc.parse("a  b\nc", "python")
    said = asked("nearby_on_screen", tokens)[0]
    assert said == pytest.approx([1.0, np.exp(-0.3), np.exp(-0.5)])


def test_every_transition_program_is_tried_here():
    said = set(Path(__file__).read_text(encoding="utf-8").split('"'))
    assert [name for name in TRANSITION_PROGRAMS if name not in said] == []
