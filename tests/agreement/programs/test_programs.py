"""Each program by hand on one Java and one Python function."""

from pathlib import Path

import numpy as np
import pytest

import gazecode as gc
from gazecode.agreement.programs import PROGRAMS, Known
from gazecode.agreement.programs.token_classes import (
    comments,
    identifiers,
    keywords,
    literals,
    operators,
    punctuation,
)

JAVA = gc.parse(
    'int add(int[] xs) {\n    // all\n    if (xs[0] > 1) return log(xs, "a b");\n    return -1;\n}',
    language="java",
)
# int add ( int [ ] xs ) {                                               0-8
# // all                                                                 9
# if ( xs [ 0 ] > 1 ) return log ( xs , "a b" ) ;                        10-26
# return - 1 ;                                                           27-30
# }                                                                      31
PYTHON = gc.parse(
    "def f(xs):\n    for x in xs:\n        if not x: f(x)\n    return None\n", "python"
)
# def f ( xs ) :                        0-5
# for x in xs :                         6-10
# if not x : f ( x )                    11-18
# return None                           19-20

KNOWN = Known(
    theta={"parameter": 0.9, "": 0.1}, mean_theta=0.5, frequency={"int": 3, ";": 9, "xs": 1}
)


def test_the_sources_are_those_written_above():
    assert (len(JAVA), len(PYTHON)) == (32, 21)
    assert JAVA.texts[10:13] == ["if", "(", "xs"]
    assert PYTHON.texts[11:14] == ["if", "not", "x"]


def test_every_token_is_of_one_class():
    for tokens in (JAVA, PYTHON):
        kinds = [identifiers, keywords, literals, operators, comments, punctuation]
        assert (np.sum([kind(tokens) for kind in kinds], axis=0) == 1).all()


@pytest.mark.parametrize(
    "language", ["java", "python", "go", "cpp", "c", "c_sharp", "javascript", "typescript"]
)
def test_classes_mean_the_same_in_every_grammar(language):
    code = {
        "java": 'class A { float f = 1.5f; boolean g() { return f == 2 && x != null || "s" instanceof B; } List<A> y; }',
        "python": 'class A:\n    f = 1.5\n    def g(self): return f == 2 and x is not None or "s" in B\n',
        "go": 'package p\nvar f float64 = 1.5\nfunc g() bool { return f == 2 && x != nil || "s" > B }',
        "cpp": 'class A { float f = 1.5f; bool g() { return f == 2 && x != nullptr || "s" > B; } };',
        "c": 'float f = 1.5f; int g() { return f == 2 && x != NULL || "s" > B; }',
        "c_sharp": 'class A { float f = 1.5f; bool g() { return f == 2 && x != null || "s" == B; } }',
        "javascript": 'class A { g() { let f = 1.5; return f == 2 && x != null || "s" > B; } }',
        "typescript": 'class A { f: number = 1.5; g(): boolean { return f == 2 && x != null || "s" > B; } }',
    }[language]
    tokens = gc.parse(code, language=language)
    said = {
        kind.__name__: {t for t, is_it in zip(tokens.texts, kind(tokens), strict=True) if is_it}
        for kind in (identifiers, keywords, literals, operators, punctuation)
    }
    assert {"f", "g", "x", "B"} <= said["identifiers"]
    assert {"return"} <= said["keywords"]
    assert '"s"' in said["literals"] or "s" in said["literals"]
    assert {"2"} <= said["literals"]
    assert said["literals"] & {"null", "None", "nil", "NULL", "nullptr"}
    assert "==" in said["operators"]
    assert said["operators"] & {"&&", "and"}
    assert {"(", ")"} <= said["punctuation"]
    assert not said["keywords"] & {"and", "instanceof"}


def asked(name, tokens, known=KNOWN):
    return PROGRAMS[name](tokens, known)


def where(name, tokens, known=KNOWN):
    """Tokens with mass, which all have the same."""
    said = asked(name, tokens, known)
    assert set(said) <= {0.0, 1.0}
    return np.flatnonzero(said).tolist()


ONES = {
    # name: (Java, Python)
    "first_token": ([0], [0]),
    "last_token": ([31], [20]),
    "line_start": ([0, 9, 10, 27, 31], [0, 6, 11, 19]),
    "line_end": ([8, 9, 26, 30, 31], [5, 10, 18, 20]),
    "identifiers_only": ([1, 6, 12, 20, 22], [1, 3, 7, 9, 13, 15, 17]),
    "keywords": ([0, 3, 10, 19, 27], [0, 6, 8, 11, 19]),
    "literals": ([14, 17, 24, 29], [20]),
    "operators": ([16, 28], [12]),
    "comments": ([9], []),
    "punctuation": (
        [2, 4, 5, 7, 8, 11, 13, 15, 18, 21, 23, 25, 26, 30, 31],
        [2, 4, 5, 10, 14, 16, 18],
    ),
    "first_occurrence": ([1, 6, 20], [1, 3, 7]),
    "definitions": ([1, 6], [1, 3, 7]),
    "uses": ([12, 22], [9, 13, 15, 17]),
}


@pytest.mark.parametrize("name", list(ONES))
def test_programs_of_some_tokens(name):
    java, python = ONES[name]
    assert where(name, JAVA) == java
    assert where(name, PYTHON) == python


def test_what_is_left_when_one_class_is_off():
    assert where("punctuation_off", PYTHON) == [0, 1, 3, 6, 7, 8, 9, 11, 12, 13, 15, 17, 19, 20]
    assert where("code_only", JAVA) == [i for i in range(32) if i != 9]
    assert where("uniform", JAVA) == list(range(32))


def test_labels_choose_tokens():
    for name, labels in {
        "calls": ["function call"],
        "conditions": ["conditional statement"],
        "loops": ["loop"],
        "control_flow": ["loop", "conditional statement", "conditional block"],
        "signatures": ["function declaration", "parameter"],
        "declarations": ["variable declaration"],
        "returns": ["return"],
        "unlabelled": [""],
    }.items():
        for tokens in (JAVA, PYTHON):
            expected = [i for i, label in enumerate(tokens.label) if label in labels]
            assert where(name, tokens) == expected
    assert where("conditions", JAVA)[:2] == [10, 12]
    assert where("signatures", JAVA) == [0, 1, 3, 6]


def test_theta_is_that_of_the_label_and_the_mean_for_what_was_never_met():
    said = asked("label_theta", JAVA)
    assert (said[6], said[2], said[1]) == (0.9, 0.1, 0.5)


def test_frequencies_count_other_files_and_this_one():
    said = asked("inverse_frequency", JAVA)
    assert (said[0], said[26], said[6], said[1]) == (1 / 4, 1 / 10, 1 / 2, 1.0)
    # 13 tokens, 3 texts and one place for what was never met.
    said = asked("surprisal", JAVA)
    assert said[0] == pytest.approx(-np.log(4 / 17))
    assert said[1] == pytest.approx(-np.log(1 / 17))
    said = asked("rare_here", JAVA)
    assert (said[0], said[6], said[1]) == (1 / 2, 1 / 3, 1.0)
    assert asked("surprisal_here", JAVA)[6] == pytest.approx(-np.log(3 / 32))


def test_names_by_their_places():
    said = asked("repeated_identifiers", JAVA)
    assert {i: said[i] for i in np.flatnonzero(said)} == {6: 2, 12: 2, 22: 2}
    said = asked("often_used", PYTHON)
    assert {i: said[i] for i in np.flatnonzero(said)} == {1: 1, 3: 1, 7: 2}


def test_lengths_and_lines():
    assert asked("token_length", JAVA)[[0, 1, 9, 24]].tolist() == [3, 3, 6, 5]
    assert asked("short_tokens", JAVA)[[0, 24]].tolist() == [1 / 3, 1 / 5]
    said = asked("long_identifiers", JAVA)
    assert {i: said[i] for i in np.flatnonzero(said)} == {1: 1, 20: 1}
    # "def f(xs):" without its blank, "returnNone"
    assert asked("long_lines", PYTHON)[[0, 5, 20]].tolist() == [9, 9, 10]


def test_depth_is_the_number_of_ancestors():
    depth = np.array([len(path) for path in JAVA.path])
    assert asked("deep_nesting", JAVA).tolist() == depth.tolist()
    assert asked("shallow", JAVA).tolist() == (1 / (1 + depth)).tolist()


def test_places_rise_and_fall():
    assert asked("earlier", PYTHON)[[0, 20]].tolist() == [21, 1]
    assert asked("later", PYTHON)[[0, 20]].tolist() == [1, 21]
    assert asked("left", PYTHON)[[0, 6]].tolist() == [1, 1 / 5]
    assert asked("right", PYTHON)[[0, 6]].tolist() == [1, 5]
    # "    return None": columns 4 to 15, the middle is 9.5.
    said = asked("centre_of_line", PYTHON)[[19, 20]]
    assert said.tolist() == [1 - 2.5 / 5.5, 1 - 3.5 / 5.5]
    said = asked("centre_of_code", PYTHON)
    assert said.argmax() in range(6, 19)
    assert said.min() >= np.exp(-4.0)


def test_a_token_drawn_by_the_text_is_the_same_for_the_same_text():
    copy = gc.parse(JAVA.code.decode(), language="java")
    for name in ("random_token", "random_values"):
        assert asked(name, JAVA).tolist() == asked(name, copy).tolist()
    assert len(where("random_token", JAVA)) == 1
    drawn = {
        int(asked("random_token", gc.parse(f"int x = {i};", language="java")).argmax())
        for i in range(60)
    }
    assert drawn == {0, 1, 2, 3, 4}


def test_every_map_program_is_tried_here():
    said = set(Path(__file__).read_text(encoding="utf-8").split('"'))
    assert [name for name in PROGRAMS if name not in said] == []
