"""Semantic labels: worked examples, one row per rule."""

import pytest

from gazecode.model.labels import label_names
from gazecode.source import parse, parse_batch

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
    ("method", "expected"),
    [
        pytest.param("void f(int... a) {}", {"a": "parameter"}, id="2 spread"),
        pytest.param("<T> void f() {}", {"T": "parameter"}, id="2 type parameter"),
        pytest.param(
            "void f() { g(x -> x, (y, z) -> 1); h = k -> k; }",
            {"y": "parameter", "z": "parameter"},
            id="2 untyped lambdas",
        ),
        pytest.param(
            "int f() { return new A() { int g() { if (b) c(); } }; }",
            {"new": "return", "if": "return", "c": "return", "g": "return"},
            id="3 everything in what is returned",
        ),
        pytest.param(
            "void f() { for (;;) { if (a) { b = 1; } break; } }",
            {"b": "loop", "1": "loop", "if": "conditional statement", "break": "loop"},
            id="8 beats 9",
        ),
        pytest.param(
            "void f() { do { g(1); } while (a); }",
            {"do": "loop", "g": "function call", "a": "conditional statement", "while": "loop"},
            id="8b do is transparent",
        ),
        pytest.param(
            "void f() { if (a) { int b = 2; } }", {"b": "conditional block"}, id="9 beats 11"
        ),
        pytest.param(
            "void f() { x = a ? b : c; }",
            {"?": "conditional statement", "a": "conditional statement", ":": "conditional block",
             "b": "conditional block"},
            id="7 and 10",
        ),
        pytest.param(
            "void f() { try (A a = g()) { b(); } synchronized (c) { d(); } }",
            {"A": "variable declaration", "b": "function call", "c": "variable declaration",
             "d": "function call", "synchronized": "externally defined variable or function"},
            id="11 and transparent bodies",
        ),
        pytest.param(
            '@Test(a = 1) public List<String> f() {}',
            {"Test": "external class", "1": "argument", "public": "function declaration",
             "List": "external class", "String": "argument", "f": "function declaration"},
            id="12 generic result",
        ),
        pytest.param(
            "int[] f() {}",
            {"int": "externally defined variable or function", "f": "function declaration"},
            id="12 primitive array",
        ),
        pytest.param("<T> List<T> f() {}", {"List": "variable"}, id="12 after type parameters"),
        pytest.param(
            "void f() { g(new A() { public int h() {} }); }",
            {"public": "argument", "h": "argument", "new": "argument"},
            id="12 only of the outermost method",
        ),
        pytest.param(
            "void f() { switch (a) { case 1: g(); default: h(); } }",
            {"switch": "externally defined variable or function", "a": "conditional statement",
             "case": "externally defined variable or function", "1": "literal",
             "g": "function call", "default": "externally defined variable or function"},
            id="14",
        ),
        pytest.param(
            "void f() { a = new B(); }",
            {"=": "operator", "new": "operator", "B": "external class"},
            id="15 an object is made",
        ),
        pytest.param(
            "void f() { a = new B().c(); }", {"=": "assignment"}, id="15 and something done with it"
        ),
        pytest.param(
            "void f() { a += b >> 2; c++; d = 3; }",
            {"+=": "operation", ">>": "operator", "2": "literal", "++": "operator",
             "=": "assignment", "3": "assignment"},
            id="15 and 16",
        ),
        pytest.param(
            'void f() { a = "x" + b * 2; c = 1 < 7; }',
            {'"x"': "operation", "2": "operation", "1": "literal", "7": "literal"},
            id="16 beside arithmetic",
        ),
        pytest.param("void f() { assert a; }", {"assert": "function call"}, id="17"),
        pytest.param(
            "void f(int a) { for (A b : c) {} d.e(); } ",
            {"d": "externally defined variable or function", "e": "function call", "b": "loop"},
            id="18 and 19",
        ),
    ],
)  # fmt: skip
def test_java_rules(method, expected):
    for code in (method, "class K { " + method + " }"):
        found = dict(labels(code, "java"))
        assert {text: found[text] for text in expected} == expected


def test_a_method_is_labelled_alike_wherever_it_stands():
    method = "public int f(int a) { g(a); return 1; }"
    alone = labels(method, "java")
    for around in ("class A {{ {} }}", "class A {{ X x = new X() {{ {} }}; }}",
                   "class A {{ A() {{ h(new X() {{ {} }}); }} }}",
                   "enum E {{ K {{ {} }} }}"):  # fmt: skip
        found = labels(around.format(method), "java")
        places = [i for i in range(len(found)) if found[i : i + len(alone)] == alone]
        assert places, around


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
        ("for i in y: pass", ["loop", "loop", "loop", "loop", "", "loop"]),
        ("raise E", ["exception handling"] * 2),
        ("if a: b", ["conditional statement"] * 2 + ["", "conditional block"]),
        ("def f(p): return p", ["function declaration"] * 2 + ["", "parameter", "", "", "return",
                                                               "return"]),
        ("C ** 2", ["external class", "operation", "operation"]),
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


BLOCK, CONDITION = "conditional block", "conditional statement"
HEADER, DECLARED = "function declaration", "variable declaration"
EXTERNAL = "externally defined variable or function"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = a if c > 2 else b", {"a": BLOCK, "c": CONDITION, ">": CONDITION, "2": CONDITION,
                                   "if": CONDITION, "else": CONDITION, "b": BLOCK}),
        ("f(a if c(d) else b)", {"a": BLOCK, "c": CONDITION, "d": CONDITION, "b": BLOCK}),
        ("[a if c else b for d in e if g]", {"a": BLOCK, "c": CONDITION, "b": BLOCK, "d": "loop",
                                             "g": CONDITION}),
        ("a if (b if c else d) else (e if f else g)",
         {"a": BLOCK, "b": CONDITION, "c": CONDITION, "d": CONDITION, "e": BLOCK, "f": CONDITION,
          "g": BLOCK}),
        ("a if b else c if d else e", {"a": BLOCK, "b": CONDITION, "c": BLOCK, "d": CONDITION,
                                       "e": BLOCK}),
        ("(a if # why\n c else # so\n b)", {"a": BLOCK, "c": CONDITION, "b": BLOCK,
                                           "# why": "comment"}),
        ("for i in j:\n  y = a if c else b", {"a": "loop", "c": CONDITION, "b": "loop"}),
        ("return a if c else b", dict.fromkeys(["a", "c", "b"], "return")),
    ],
)  # fmt: skip
def test_the_condition_between_if_and_else(code, expected):
    found = dict(labels(code, "python"))
    assert {text: found[text] for text in expected} == expected
    batch = parse_batch([code.encode()] * 2, "python")
    assert label_names(batch.label).tolist() == [label for _, label in labels(code, "python")] * 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("match x:\n  case Point(y=yy): yy", {"yy": "variable"}),
        ("match x:\n  case Foo(a) as b: b", {"a": "variable", "b": "variable"}),
        ("match x:\n  case 1: pass\nwith a as b: a", {"a": EXTERNAL}),
        ("with lock: lock", {"lock": EXTERNAL}),
        ("with open(x): pass", {"open": "function call", "x": "argument"}),
        ("with open(x) as y, lock: pass", {"open": DECLARED, "y": DECLARED, "lock": EXTERNAL}),
    ],
)  # fmt: skip
def test_what_python_patterns_and_with_declare(code, expected):
    found = dict(labels(code, "python"))
    assert {text: found[text] for text in expected} == expected


@pytest.mark.parametrize("around", ["{}", "def f():\n{}", "for a in b:\n{}", "while a:\n{}"])
@pytest.mark.parametrize(
    "block",
    ["if a: b", "for a in b: c", "while a: b", "with a: b", "try: a\nexcept b: c", "class A: b",
     "if a: b\nelif c: d\nelse: e", "try: a\nfinally: b", "match a:\n  case b: c"],
)  # fmt: skip
def test_the_colon_before_a_block_has_no_label_anywhere(around, block):
    inner = "\n".join("  " + line for line in block.split("\n")) if around != "{}" else block
    found = labels(around.format(inner), "python")
    assert {label for text, label in found if text == ":"} == {""}
    assert "ERROR" not in parse(around.format(inner), "python").kind


@pytest.mark.parametrize("language", ["c", "cpp"])
@pytest.mark.parametrize(
    "header",
    ["void push(int)", "int foo(int a)", "static inline unsigned long **h(void)",
     "extern const struct s *const f(int a)", "T f(T x, int n)"],
)  # fmt: skip
def test_a_prototype_is_labelled_as_its_definition(header, language):
    definition = labels(header + " {}", language)
    assert labels(header + ";", language)[:-1] == definition[:-2]


@pytest.mark.parametrize(
    "header",
    ["std::vector<int> *g(int) const", "virtual void f(int)", "bool operator==(const A &o) const",
     "std::map<int, T> h()", "inline virtual const A &k()", "explicit A(int)", "~A()",
     "static const T &f()", "T &&f() noexcept"],
)  # fmt: skip
def test_a_method_is_labelled_as_its_definition(header):
    definition = labels("class A { " + header + " {} };", "cpp")
    assert labels("class A { " + header + "; };", "cpp")[:-3] == definition[:-4]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class A { virtual void f(int)=0; };", {"void": HEADER, "=": HEADER, "0": HEADER}),
        ("class A { virtual int f() const = 0; };", {"=": HEADER, "0": HEADER}),
        ("class A { int a = 0, *b; };", dict.fromkeys(["int", "a", "=", "0", "*", "b"], DECLARED)),
        ("int *(*hook)(char);", {"int": DECLARED, "*": DECLARED, "hook": DECLARED}),
        ("int x, f(char);", {"int": DECLARED, "x": DECLARED, "f": HEADER}),
        ("struct s { int a; } *f();", {"int": DECLARED, "a": DECLARED, "*": HEADER, "f": HEADER}),
        ("void f() { T x(a); x; }", {"T": DECLARED, "x": "variable"}),
        ("int a; int f(char);", {"a": DECLARED, "f": HEADER}),
    ],
)  # fmt: skip
def test_what_is_a_prototype_and_what_is_not(code, expected):
    found = dict(labels(code, "cpp"))
    assert {text: found[text] for text in expected} == expected


def test_rows_of_asking_leaves_stay_in_their_source():
    codes = [b"static int", b"f(int);", b"static int", b"int f(int);"]
    batch = parse_batch(codes, "c")
    alone = [label for code in codes for label in parse(code, "c").label]
    assert label_names(batch.label).tolist() == alone
