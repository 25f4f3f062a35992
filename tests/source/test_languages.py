"""The tables of all languages: worked examples, which rules fire, broken code, a table from outside.

Each ``examples/example.*`` has beside it the label of every token (``-`` for none), read through by
hand; Java's column of the rules is the measured one, the others follow it by role.
"""

import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.source import LABELS, LANGUAGES, language_of, parse
from gazecode.source.grammars import load_grammar
from gazecode.source.language import Language
from gazecode.source.places import split_place
from gazecode.source.roles import Roles, Rule

FOLDER = Path(__file__).with_name("examples")
BY_LANGUAGE = {
    language_of(path): path for path in sorted(FOLDER.glob("example.*")) if path.suffix != ".labels"
}

every_language = pytest.mark.parametrize("name", sorted(BY_LANGUAGE))


def expected(path):
    lines = path.with_name(path.name + ".labels").read_text(encoding="utf-8").splitlines()
    pairs = [tuple(line.split("\t")) for line in lines if line]
    return [(text, "" if label == "-" else label) for text, label in pairs]


def found(code, name):
    tokens = parse(code, name)
    return list(zip(tokens.texts, map(str, tokens.label), strict=True))


def test_every_language_has_an_example():
    assert set(BY_LANGUAGE) == set(LANGUAGES)


@every_language
def test_labels_of_the_example(name):
    path = BY_LANGUAGE[name]
    assert found(path.read_bytes(), name) == expected(path)


@every_language
def test_the_example_has_every_label(name):
    """All but "index operation": one token of the published study has it, and no rule gives it."""
    used = {label for _, label in expected(BY_LANGUAGE[name])}
    assert set(LABELS) - used == {"index operation"}


def with_rules(language, name, rules, monkeypatch):
    """Labels that `language` would give with other rules, as a function of the code."""
    table = replace(language, name=name, roles=replace(language.roles, rules=tuple(rules)))
    monkeypatch.setitem(LANGUAGES._entries, name, table)
    return lambda code: [label for _, label in found(code, name)]


@every_language
def test_every_rule_decides_something_in_the_example(name, monkeypatch):
    """A rule under a label that no table gives shows which tokens it decides."""
    language, code = LANGUAGES[name], BY_LANGUAGE[name].read_bytes()
    rules = language.roles.rules
    counts = []
    for number, rule in enumerate(rules):
        changed = [*rules[:number], replace(rule, label="index operation"), *rules[number + 1 :]]
        labels = with_rules(language, f"{name} rule {number}", changed, monkeypatch)(code)
        counts.append(labels.count("index operation"))
        print(f"{name} {number:2} {rule.label}: {counts[-1]} tokens")
    # Brackets alone have a role, but no label: what holds for them shows in the published stream.
    idle = [rule for rule, count in zip(rules, counts, strict=True) if not count]
    assert [rule for rule in idle if not rule.places.endswith(".dimensions")] == []


def atoms_of(roles):
    """Every place and every word as a rule of its own; those that ask for a neighbour are left."""
    for rule in roles.rules:
        if not (rule.before or rule.after):
            yield from (Rule(rule.label, place) for place in rule.places.split())
            yield from (Rule(rule.label, words=word) for word in rule.words.split())


def every_place(name):
    """The example, and what it has no room for: the rest of the places and words of its table."""
    example = BY_LANGUAGE[name]
    files = [example, example.with_stem("more")]
    if name == "tsx":
        files = [path.with_suffix(".ts") for path in files] + files
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("name", sorted(set(BY_LANGUAGE) - {"java"}))
def test_every_place_and_word_decides_something(name, monkeypatch):
    """Two tables with two labels that differ for each: the pair tells which one decided.

    Java's table is held to published rows instead (test_agreement).
    """
    language = LANGUAGES[name]
    code = every_place(name)
    atoms = list(atoms_of(language.roles))
    pairs = list(permutations(LABELS[1:], 2))[: len(atoms)]
    assert len(pairs) == len(atoms)
    sides = []
    for side in range(2):
        rules = [replace(a, label=pair[side]) for a, pair in zip(atoms, pairs, strict=True)]
        sides.append(with_rules(language, f"{name} side {side}", rules, monkeypatch)(code))
    seen = set(zip(*sides, strict=True))
    idle = [a.places or a.words for a, pair in zip(atoms, pairs, strict=True) if pair not in seen]
    assert idle == []


@every_language
def test_every_node_and_field_of_a_table_is_in_the_grammar(name):
    language, grammar = LANGUAGES[name], load_grammar(name)
    kinds = {grammar.node_kind_for_id(k) for k in range(grammar.node_kind_count)}
    fields = {grammar.field_name_for_id(k) for k in range(1, grammar.field_count + 1)}
    roles = language.roles
    assert language.whole | language.functions | roles.literals | roles.names <= kinds
    assert {word for rule in roles.rules for word in rule.words.split()} <= kinds
    texts = [roles.declares, roles.assigns]
    texts += [text for rule in roles.rules for text in (rule.places, rule.before, rule.after)]
    for place in " ".join(texts).split():
        for _, field, kind in split_place(place.removeprefix("^")):
            assert not field or field in fields, place
            assert kind in kinds | {"", "_", "*", "@names", "@literals"}, place


@pytest.mark.parametrize("name", sorted(BY_LANGUAGE))
@given(data=st.data())
@settings(max_examples=15)
def test_broken_code_loses_nothing(name, data):
    """Cut, doubled and mixed up: every byte that is not blank is in exactly one token."""
    code = BY_LANGUAGE[name].read_text(encoding="utf-8")
    a, b = sorted(data.draw(st.tuples(*[st.integers(0, len(code))] * 2)))
    c = data.draw(st.integers(0, len(code)))
    noise = data.draw(st.text("(){}<>\"'`/*#@\\;=\n\rä€𝒳 ", max_size=6))
    broken = code[:a] + noise + code[b:c] + noise + code[a:b]
    tokens = parse(broken, name)
    owners = np.zeros(len(tokens.code), dtype=int)
    for start, end in tokens.span.tolist():
        owners[start:end] += 1
    solid = [not char.isspace() for char in broken for _ in char.encode()]
    assert owners.max(initial=0) <= 1
    assert (owners[np.array(solid, dtype=bool)] == 1).all()
    assert set(tokens.label) <= set(LABELS)


@every_language
def test_windows_line_ends_change_no_label(name):
    code = BY_LANGUAGE[name].read_text(encoding="utf-8")
    assert found(code.replace("\n", "\r\n"), name) == found(code, name)


@every_language
def test_a_name_outside_ascii_is_one_token(name):
    path = BY_LANGUAGE[name]
    tokens = parse(path.read_bytes(), name)
    places = [k for k, text in enumerate(tokens.texts) if text == "größe"]
    lines = path.read_text(encoding="utf-8").split("\n")
    assert len(places) == path.read_text(encoding="utf-8").count("größe") > 1
    for k in places:
        assert lines[tokens.row[k]][tokens.column[k] :].startswith("größe")
        assert tokens.label[k]


def test_suffixes_belong_to_one_language():
    suffixes = [suffix for language in LANGUAGES.values() for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))


# A language from another package: a table and an entry point, nothing else.


def _load():
    import tree_sitter_go

    return tree_sitter_go.language()


GONE = Language(
    name="gone",
    suffixes=(".gone",),
    load=_load,
    whole=frozenset({"comment", "raw_string_literal"}),
    functions=frozenset({"function_declaration"}),
    roles=Roles(
        rules=(
            Rule("comment", "comment"),
            Rule("parameter", "function_declaration.parameters"),
            Rule("function call", "call_expression.function=@names"),
            Rule("function declaration", "function_declaration.name", "func"),
        ),
        literals=frozenset({"int_literal", "raw_string_literal"}),
        names=frozenset({"identifier", "type_identifier"}),
        declares="parameter_declaration.name",
        assigns="expression_list/@names",
    ),
)


@pytest.fixture
def installed(monkeypatch):
    """As if a package with the entry point ``gone = gazecode_gone:GONE`` were installed."""
    module = ModuleType("gazecode_gone")
    module.GONE = GONE
    monkeypatch.setitem(sys.modules, "gazecode_gone", module)
    entry = EntryPoint(name="gone", value="gazecode_gone:GONE", group="gazecode.languages")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [entry])
    monkeypatch.setattr(LANGUAGES, "_entries", dict(LANGUAGES._entries))
    monkeypatch.setattr(LANGUAGES, "_complete", False)


@pytest.mark.usefixtures("installed")
def test_another_package_adds_a_language_by_its_table():
    assert language_of("a.gone") == "gone"
    code = "func f(a int) { b := g(a, 1) // why\n b }"
    other, declared = "externally defined variable or function", "variable declaration"
    assert found(code, "gone") == [
        ("func", "function declaration"), ("f", "function declaration"), ("(", ""),
        ("a", "parameter"), ("int", "parameter"), (")", ""), ("{", ""),
        ("b", declared), (":=", "operator"), ("g", "function call"), ("(", ""), ("a", "variable"),
        (",", ""), ("1", "literal"), (")", ""), ("// why", "comment"), ("b", "variable"), ("}", ""),
    ]  # fmt: skip
    assert dict(found("x.Y", "gone")) == {
        "x": other,
        ".": "",
        "Y": "external class",
    }
