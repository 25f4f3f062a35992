"""Every registered program keeps the rules; what breaks one is told."""

import numpy as np
import pytest

import gazecode as gc
from gazecode.agreement.programs import PROGRAMS, TRANSITION_PROGRAMS, check_program

TEXTS = {
    "java": "class A { int f(List<String> xs) { for (String x : xs) { g(x, 'é'); } return 1; } }",
    "python": 'def f(xs):\n    # add\n    for x in xs:\n        if not x: f(x)\n    return "a b"\n',
    "go": "package p\nfunc f(a int) int { b := a * 2; return b }",
    "cpp": "#include <x>\nint f(int *a) { return a->b == nullptr ? 0 : 1; }",
    "javascript": "const f = (a) => { return `x${a}` + a?.b; };",
}
SOURCES = {language: gc.parse(code, language=language) for language, code in TEXTS.items()}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_every_program_keeps_the_rules(name):
    said = check_program(PROGRAMS[name], tokens=SOURCES)
    assert len(said["java"]) == len(SOURCES["java"])


@pytest.mark.parametrize("name", list(TRANSITION_PROGRAMS))
def test_every_transition_program_keeps_the_rules(name):
    said = check_program(TRANSITION_PROGRAMS[name], transitions=True, tokens=SOURCES)
    assert said["java"].shape == (len(SOURCES["java"]),) * 2


def _growing():
    seen = []

    def program(tokens, known):
        seen.append(tokens.code)
        return np.full(len(tokens), len(seen))

    return program


def _remembering():
    """Answers by what it was told before: what of people it keeps it takes to the next file."""
    held = []

    def program(tokens, known):
        held.append(known)
        return np.full(len(tokens), held[-2:][0].mean_theta)

    return program


def _meddling(tokens, known):
    known.theta["loop"] = 1.0
    return np.ones(len(tokens))


BROKEN = {
    "expected numbers": lambda tokens, _known: np.ones(len(tokens) + 1),
    "finite numbers of at least 0": lambda tokens, _known: -np.ones(len(tokens)),
    "gives nan": lambda tokens, _known: np.full(len(tokens), np.nan),
    "gives inf": lambda tokens, _known: np.full(len(tokens), np.inf),
    "gives <U1": lambda tokens, _known: np.full(len(tokens), "a"),
    "IndexError": lambda tokens, _known: np.arange(len(tokens)) + tokens.span[0, 0],
    "TypeError": _meddling,
    "something else": _growing(),
}


@pytest.mark.parametrize("said", list(BROKEN))
def test_a_broken_program_is_told(said):
    with pytest.raises(AssertionError, match=said):
        check_program(BROKEN[said])


def test_a_program_that_remembers_people_is_told():
    with pytest.raises(AssertionError, match="asked again, it gives something else"):
        check_program(_remembering())


def test_a_map_program_is_no_transition_program():
    with pytest.raises(AssertionError, match=r"expected numbers \(0, 0\)"):
        check_program(PROGRAMS["uniform"], transitions=True)
