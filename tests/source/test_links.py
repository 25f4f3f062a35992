"""Definition → use links: worked examples, laws, broken and real code.

In the examples (``links/<language>-<subject>.txt``) ``name§1!`` is a definition, ``name§1`` a use
of it or a later definition of the same name, ``name§-`` has no link. Names without a mark are not
looked at. The oracles are in `test_links_python` and
`test_links_blocks`.
"""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tree_sitter
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, SourceError
from gazecode.source import LANGUAGES, parse
from gazecode.source.grammars import load_grammar
from gazecode.source.links import definitions

NAMES = ["java", "python", "c", "cpp", "c_sharp", "javascript", "typescript", "tsx", "go"]
EXAMPLES = {
    path.stem: path.read_text("utf-8") for path in (Path(__file__).parent / "links").glob("*.txt")
}
MARK = re.compile(r"§(-|\d+!?)")


def link(code, language, spoken=None):
    """The tokens of a source, and their definitions."""
    tokens = parse(code, language)
    tree = tree_sitter.Parser(load_grammar(language)).parse(tokens.code)
    return tokens, definitions(tree, spoken or LANGUAGES[language], tokens.span)


def marked(text):
    """Code without marks, and the marks by the byte their name ends at."""
    code, marks, last = "", {}, 0
    for found in MARK.finditer(text):
        code += text[last : found.start()]
        marks[len(code.encode())] = found[1]
        last = found.end()
    return code + text[last:], marks


def check(text, language):
    code, marks = marked(text)
    tokens, definition = link(code, language)
    token_at = {end: i for i, (_, end) in enumerate(tokens.span.tolist())}
    heads = {m[:-1]: token_at[end] for end, m in marks.items() if m.endswith("!")}
    wrong = []
    for end, mark in marks.items():
        token = token_at[end]
        if definition[token] != (-1 if mark == "-" else heads[mark.rstrip("!")]):
            wrong.append(f"line {tokens.row[token] + 1}: {tokens.text(token)}§{mark}")
    assert not wrong
    check_laws(tokens, definition)


def check_laws(tokens, definition):
    known = np.flatnonzero(definition >= 0)
    assert definition.shape == (len(tokens),)
    np.testing.assert_array_equal(definition[definition[known]], definition[known])
    texts = tokens.texts
    assert all(texts[i] == texts[definition[i]] for i in known.tolist())
    linked = replace(tokens, definition=definition).links
    assert (linked[:, 0] != linked[:, 1]).all()
    np.testing.assert_array_equal(definition[linked[:, 1]], linked[:, 0])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_worked_example(name):
    language = name.partition("-")[0]
    check(EXAMPLES[name], language)
    if language == "typescript":
        check(EXAMPLES[name].replace("<A§12<string>>z§25", "z§25"), "tsx")


@pytest.mark.parametrize("language", NAMES)
def test_every_language_has_an_example_and_a_query_that_fits(language):
    assert language == "tsx" or any(name.startswith(language + "-") for name in EXAMPLES)
    tokens, definition = link("", language)
    assert len(tokens) == len(definition) == 0


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_two_runs_agree_and_blank_lines_before_change_nothing(name):
    code, language = marked(EXAMPLES[name])[0], name.partition("-")[0]
    tokens, definition = link(code, language)
    np.testing.assert_array_equal(definition, link(code, language)[1])
    np.testing.assert_array_equal(
        definition, link("\n\n  \n" * (language != "python") + code, language)[1]
    )
    assert tokens.text(0) == link(code, language)[0].text(0)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        (
            "java",
            "class A { int f() { int x = 1; { int y = x; return y; } } int z = 2; int w = z; }",
        ),
        ("go", "package p\nfunc f() { x := 1; { y := x; y++ }; x++ }"),
        ("c", "int g; int f(int a) { int b = a; { int c = b; c++; } return g; }"),
    ],
)
def test_without_hoisting_a_definition_comes_before_its_uses(language, code):
    definition = link(code, language)[1]
    known = np.flatnonzero(definition >= 0)
    assert len(known) >= 6
    assert (definition[known] <= known).all()


@given(st.data())
@settings(max_examples=60)
def test_broken_code_keeps_the_laws(data):
    name = data.draw(st.sampled_from(sorted(EXAMPLES)))
    code = marked(EXAMPLES[name])[0]
    a, b = sorted(data.draw(st.tuples(*[st.integers(0, len(code))] * 2)))
    noise = data.draw(st.sampled_from(["", "{", "}", "((", "class", "\0", "é'", "=>", "def "]))
    check_laws(*link(code[:a] + noise + code[b:], name.partition("-")[0]))


def test_intact_parts_of_broken_code_stay_linked():
    check(
        "class A { int x§1!; int f§2!(int a§3!) { return a§3 + x§1; }\n"
        "void g() { int ] = ; foo( }\n"
        "int h(int b§4!) { return f§2(b§4) + x§1; } }",
        "java",
    )
    check(
        "def f(a§1!):\n    return a§1\ndef g():\n    x = = 1\ndef h(b§2!):\n    return b§2\n",
        "python",
    )


def test_names_inside_a_whole_token_belong_to_no_token():
    tokens, definition = link('name = 1\nprint(f"{name}", name)\n', "python")
    assert tokens.texts[5] == 'f"{name}"'
    assert definition.tolist() == [0, -1, -1, -1, -1, -1, -1, 0, -1]


def test_a_query_of_ones_own():
    own = replace(
        LANGUAGES["java"],
        locals="(block) @local.scope (identifier) @local.reference "
        "(variable_declarator name: (identifier) @local.definition.var)",
    )
    assert link("{ int x = 1; y = x; }", "java", own)[1].tolist() == [-1, -1, 2] + [-1] * 5 + [
        2,
        -1,
        -1,
    ]


def test_a_language_without_a_query_has_no_links():
    assert set(link("x = x", "python", replace(LANGUAGES["python"], name="unknown"))[1]) == {-1}


def test_a_query_that_does_not_fit_says_so():
    wrong = replace(LANGUAGES["java"], locals="(no_such_node) @local.scope")
    with pytest.raises(SourceError, match=r"java: its query of locals does not fit its grammar \("):
        link("int x;", "java", wrong)


def test_tokens_without_links_say_minus_one():
    tokens = replace(parse("x = x", "python"), definition=[])
    assert tokens.definition.tolist() == [-1, -1, -1]
    assert tokens.links.shape == (0, 2)
    assert replace(tokens, definition=[0, -1, 0]).links.tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ([0, -1], "columns differ in length: span 3, definition 2"),
        ([0, -1, 3], "token 2 is defined by token 3; expected -1 .unknown. or one of 3 tokens"),
        ([-2, -1, 0], "token 0 is defined by token -2; expected -1"),
        ([-1, -1, 0], "token 2 is defined by token 0, which is no definition"),
    ],
)
def test_definitions_that_cannot_be_are_refused(definition, message):
    with pytest.raises(DataError, match=message):
        replace(parse("x = x", "python"), definition=definition)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("java", "class A{void f(){" + "{x++;" * 3000 + "int x=1;}" * 3000 + "}}"),
        ("java", "class A{void f(){a" + ".b(x)" * 3000 + ";}}"),
        (
            "java",
            "class A{"
            + "".join(
                f"void f({','.join(f'int a{k}' for k in range(i % 30))}){{f(1);}}"
                for i in range(600)
            )
            + "}",
        ),
        ("javascript", "f(" + "(x)=>(y)=>" * 1500 + "x)"),
        ("c", "int f(){" + "{int x=1;" * 3000 + "}" * 3000 + "{x++;}" * 3000 + "}"),
        ("python", "x = x + 1\n" * 10000),
    ],
    ids=["late", "chain", "overloads", "arrows", "after", "again"],
)
def test_deep_and_long_code_takes_no_more_than_its_share(language, code):
    began = time.process_time()
    tokens, definition = link(code, language)
    check_laws(tokens, definition)
    # Far above what it takes (under a second each), far below what a square would.
    assert time.process_time() - began < 10


@pytest.mark.real
def test_published_java(shared_data):
    folder = shared_data / "eyemulator" / "dataset_sample"
    lines = [
        line
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    known = names = 0
    for code in {json.loads(line)["code"] for line in lines}:
        tokens, definition = link(code, "java")
        check_laws(tokens, definition)
        is_name = np.isin(tokens.kind, ["identifier", "type_identifier"])
        known, names = known + int((definition >= 0).sum()), names + int(is_name.sum())
    print(f"{known} of {names} identifiers have a definition ({known / names:.0%})")
    assert known / names > 0.4
