"""Links in languages with braces against a brute-force reading of their blocks."""

from dataclasses import dataclass, field

import pytest
import tree_sitter
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.source import LANGUAGES, parse
from gazecode.source.grammars import load_grammar
from gazecode.source.links import definitions

NAME = st.sampled_from("abc")


def links_by_byte(code, language):
    """Where each token that has a definition begins → where its definition begins."""
    tokens = parse(code, language)
    tree = tree_sitter.Parser(load_grammar(language)).parse(tokens.code)
    start = tokens.span[:, 0].tolist()
    defined = definitions(tree, LANGUAGES[language], tokens.span).tolist()
    return {start[i]: None if d < 0 else start[d] for i, d in enumerate(defined)}


# Languages with braces: each definition knows its block, and every one is tried for every use.


@dataclass
class Text:
    """Code being written, with what it defines and uses, and the blocks open."""

    style: "Style"
    code: str = ""
    path: tuple = ()
    blocks: int = 0
    defined: list = field(default_factory=list)
    used: list = field(default_factory=list)

    def open(self):
        self.blocks += 1
        self.path = (*self.path, self.blocks)

    def close(self):
        self.path = self.path[:-1]

    def use(self, names):
        for i, name in enumerate(names or ["z"]):
            self.code += " + " if i else ""
            self.used.append((name, len(self.code), self.path))
            self.code += name

    def define(self, name, path=None):
        self.defined.append([name, len(self.code), path or self.path, len(self.code)])
        self.code += name


@dataclass(frozen=True)
class Style:
    before: str
    after: str
    let: str
    end: str
    loop: tuple
    closure: tuple
    hoists: bool = False
    late: bool = False


C_LOOP = ("for (int ", " = 0; ", " < 1;) {")
JS_LOOP = ("for (let ", " = 0; ", " < 1;) {")
STYLES = {
    "java": Style("class A { void f() {", "} }", "int ", ";", C_LOOP, ("q(", " -> {", "});")),
    "c": Style("int f(void) {", "}", "int ", ";", C_LOOP, ()),
    "cpp": Style("int f() {", "}", "int ", ";", C_LOOP, ("q([&](int ", ") {", "});")),
    "c_sharp": Style("class A { void f() {", "} }", "int ", ";", C_LOOP, ("q(", " => {", "});")),
    "javascript": Style(
        "function f() {", "}", "let ", ";", JS_LOOP, ("q((", ") => {", "});"), hoists=True
    ),
    "typescript": Style(
        "function f() {", "}", "let ", ";", JS_LOOP, ("q((", ": number) => {", "});"), hoists=True
    ),
    "go": Style(
        "package p\nfunc f() {",
        "}",
        "var ",
        "\n",
        ("for ", " := 0; ", " < 1; {"),
        ("q(func(", " int) {", "})\n"),
        late=True,
    ),
}


def write(text, statements):
    style = text.style
    for kind, name, names, body in statements:
        if kind == "let":
            write_let(text, name, names)
        elif kind == "use":
            text.code += "u("
            text.use(names)
            text.code += ")" + style.end
        elif kind == "block" or not style.closure:
            write_block(text, body, "{", "}")
        elif kind == "loop":
            text.open()
            text.code += style.loop[0]
            text.define(name)
            text.code += style.loop[1]
            text.use([name])
            write_block(text, body, style.loop[2], "}")
            text.close()
        else:
            text.open()
            text.code += style.closure[0]
            text.define(name)
            write_block(text, body, *style.closure[1:])
            text.close()


def write_let(text, name, names):
    text.code += text.style.let
    text.define(name)
    at = len(text.defined) - 1
    text.code += " = "
    text.use(names)
    if text.style.late:
        text.defined[at][3] = len(text.code)
    text.code += text.style.end


def write_block(text, body, before, after):
    text.open()
    text.code += before
    write(text, body)
    text.code += after + ("\n" if text.style.late else "")
    text.close()


def brute(text):
    """Every name → the first definition of its name in the innermost block that shows it one."""
    found = {}
    first = {}
    for name, place, path, seen in text.defined:
        first.setdefault((name, path), (place, seen))
        found[place] = first[name, path][0]
    for name, place, path in text.used:
        around = [
            (len(where), at)
            for (known, where), (at, seen) in first.items()
            if known == name
            and path[: len(where)] == where
            and (text.style.hoists or seen <= place)
        ]
        found[place] = max(around)[1] if around else None
    return found


PROGRAM = st.recursive(
    st.tuples(st.sampled_from(["let", "use"]), NAME, st.lists(NAME, max_size=2), st.just([])),
    lambda inner: st.tuples(
        st.sampled_from(["block", "loop", "closure"]),
        NAME,
        st.just([]),
        st.lists(inner, max_size=5),
    ),
    max_leaves=15,
)


@pytest.mark.parametrize("language", sorted(STYLES))
@given(statements=st.lists(PROGRAM, max_size=6))
@settings(max_examples=60)
def test_generated_blocks_agree_with_brute_force(language, statements):
    text = Text(STYLES[language])
    text.code = text.style.before
    text.open()
    write(text, statements)
    text.code += text.style.after
    found = links_by_byte(text.code, language)
    assert {place: found[place] for place in brute(text)} == brute(text), text.code


VAR = st.recursive(
    st.tuples(st.sampled_from(["var", "use"]), NAME, st.just([])),
    lambda inner: st.tuples(
        st.sampled_from(["block", "function", "arrow"]), NAME, st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


@given(statements=st.lists(VAR, max_size=5))
@settings(max_examples=100)
def test_var_and_functions_are_hoisted(statements):
    text = Text(STYLES["javascript"])

    def put(statements, function):
        for kind, name, body in statements:
            if kind in ("var", "use"):
                text.code += "var " if kind == "var" else "u("
                text.define(name, function) if kind == "var" else text.use([name])
                text.code += " = 1;" if kind == "var" else ");"
                continue
            if kind == "function":
                text.code += "function "
                text.define(name)
            text.open()
            inner = function if kind == "block" else text.path
            text.code += {"block": "{", "function": "(", "arrow": "q(("}[kind]
            if kind != "block":
                text.define("c", inner)
                text.code += ") {" if kind == "function" else ") => {"
                text.open()
            put(body, inner)
            text.code += "})\n;" if kind == "arrow" else "}\n"
            text.close()
            if kind != "block":
                text.close()

    text.open()
    put(statements, text.path)
    found = links_by_byte(text.code, "javascript")
    # A var may stand after a nested one of its function in another block: first in text order.
    expected = brute(text)
    assert {place: found[place] for place in expected} == expected, text.code
