"""Semantic labels: worked examples, one row per rule."""

import pytest

from gazecode.source import parse

JAVA = """class A {
  int size;
  int f(int a, List<String> b) throws E {
    int x = a + 1;
    if (x > 0) { y = 2; } else { g(a); }
    while (a < 3) { a++; if (a > 9) { break; } }
    try { x = B.make(a); this.n -= 1; } catch (E e) { throw e; }
    y = -x;
    return b ? x : null;
  }
}
"""


def labels(code, language):
    tokens = parse(code, language)
    return [(t, str(label)) for t, label in zip(tokens.texts, tokens.label, strict=True)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (1, {"size": "variable declaration"}),
        (2, {"f": "function declaration", "a": "parameter", "List": "parameter",
             "E": "exception handling"}),
        (3, {"x": "variable declaration", "=": "variable declaration",
             "1": "variable declaration"}),
        (4, {"if": "conditional statement", "x": "conditional statement", "2": "conditional block",
             "else": "conditional statement", "g": "conditional block", "{": ""}),
        (5, {"while": "loop", "<": "conditional statement", "++": "loop",
             "9": "conditional statement",
             "break": "loop"}),
        (6, {"try": "exception handling", "x": "variable", "=": "assignment", "B": "external class",
             "make": "function call", "a": "argument", "-=": "operation", "1": "assignment",
             "this": "externally defined variable or function", "catch": "exception handling",
             "e": "parameter", "throw": "exception handling", ".": ""}),
        (7, {"y": "externally defined variable or function", "-": "operation", "x": "variable"}),
        (8, {"return": "return", "b": "return", "null": "return", ";": ""}),
    ],
)  # fmt: skip
def test_java(line, expected):
    tokens = parse(JAVA, "java")
    found = {}
    for text, row, label in zip(tokens.texts, tokens.row, tokens.label, strict=True):
        if row == line:
            found.setdefault(text, label)
    assert {text: found[text] for text in expected} == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1", ["variable declaration", "assignment", "assignment"]),
        ("x = 1; x = x", ["variable declaration", "assignment", "assignment", "", "variable",
                          "assignment", "variable"]),
        ("# note", ["comment"]),
        ("f(1)", ["function call", "", "argument", ""]),
        ("a.b.f()", ["externally defined variable or function", "",
                     "externally defined variable or function", "", "function call", "", ""]),
        ("print 'x'", ["function call", "literal"]),
        ("for i in y: pass", ["loop", "loop", "loop", "loop", "loop", "loop"]),
        ("raise E", ["exception handling"] * 2),
        ("if a: b", ["conditional statement"] * 2 + ["", "conditional block"]),
        ("def f(p): return p", ["function declaration"] * 2 + ["", "parameter", "", "", "return",
                                                               "return"]),
        ("C ** 2", ["external class", "operation", "literal"]),
        ("a > 2", ["externally defined variable or function", "operator", "literal"]),
        ("$", [""]),
    ],
)  # fmt: skip
def test_python(code, expected):
    assert [label for _, label in labels(code, "python")] == expected


def test_names_belong_to_the_function_that_declares_them():
    code = "class A { void f(int a) { g(); a = 1; } void h() { a = 1; } }"
    found = [label for text, label in labels(code, "java") if text == "a"]
    assert found == ["parameter", "variable", "externally defined variable or function"]
