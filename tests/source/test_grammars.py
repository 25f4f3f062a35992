"""Languages are data; another package may bring one."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from gazecode.errors import ParameterError
from gazecode.registry import Registry
from gazecode.source import parse, parse_batch
from gazecode.source.grammars import LANGUAGES, Language, known_language, load_grammar
from gazecode.source.places import Vocabulary, split_place


def listed(language):
    """Every place a language names."""
    roles = language.roles
    texts = [roles.declares, roles.assigns, language.omits]
    for rule in roles.rules:
        texts += [rule.places, rule.before, rule.after]
    return [place for text in texts for place in text.split()]


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_every_kind_a_language_names_exists_in_its_grammar(name):
    language, grammar = LANGUAGES[name], load_grammar(name)
    kinds = {grammar.node_kind_for_id(k) for k in range(grammar.node_kind_count)}
    kinds |= {"@literals", "@names", "_", ""}
    fields = {grammar.field_name_for_id(k) for k in range(1, grammar.field_count + 1)} | {""}
    assert language.whole | language.functions | language.units <= kinds
    assert language.roles.names | language.roles.literals <= kinds
    assert {kind for pair in language.joins for kind in pair} <= kinds
    for place in listed(language):
        for axis, field, kind in split_place(place.removeprefix("^")):
            assert kind in kinds, place
            assert field in fields, place
            assert axis in ("", ".", "/", "//", "~")
    words = {w for rule in language.roles.rules for w in rule.words.split()}
    assert words <= kinds, words - kinds


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        ("a", [("", "", "a")]),
        ("a.b.c", [("", "", "a"), (".", "b", ""), (".", "c", "")]),
        ("a.b=c/d", [("", "", "a"), (".", "b", "c"), ("/", "", "d")]),
        ("a//b", [("", "", "a"), ("//", "", "b")]),
        ("a//@names/_", [("", "", "a"), ("//", "", "@names"), ("/", "", "_")]),
        ("a/=", [("", "", "a"), ("/", "", "=")]),
        ("a/*", [("", "", "a"), ("/", "", "*")]),
        ("a//", [("", "", "a"), ("/", "", "/")]),
        ("a///", [("", "", "a"), ("/", "", "//")]),
        ("a/:", [("", "", "a"), ("/", "", ":")]),
        ("a/if~b", [("", "", "a"), ("/", "", "if"), ("~", "", "b")]),
        ("a/?~_", [("", "", "a"), ("/", "", "?"), ("~", "", "_")]),
        ("a/if~=", [("", "", "a"), ("/", "", "if"), ("~", "", "=")]),
        ("a/->~b.c", [("", "", "a"), ("/", "", "->"), ("~", "", "b"), (".", "c", "")]),
        ("a/~", [("", "", "a"), ("/", "", "~")]),
        ("a/~=", [("", "", "a"), ("/", "", "~=")]),
        ("a/~~b", [("", "", "a"), ("/", "", "~"), ("~", "", "b")]),
    ],
)
def test_places_are_split_into_steps(place, steps):
    assert split_place(place) == steps


def test_a_place_needs_a_word_before_its_sibling():
    vocabulary = Vocabulary.of(load_grammar("python"), {})
    with pytest.raises(ParameterError, match="^place 'if~_': expected kind/word before ~$"):
        vocabulary.place("if~_")


SPELLINGS = {
    "c_sharp": "csharp c# C# cs CS C-Sharp c_sharp .cs",
    "cpp": "c++ C++ CPP cpp cxx cc",
    "javascript": "js JS jsx JavaScript node mjs",
    "typescript": "ts TypeScript",
    "tsx": "tsx TSX",
    "python": "py python3 Python",
    "go": "golang Go go",
    "java": "Java JAVA",
    "c": "C h",
}


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_language_is_known_however_it_is_spelled(name):
    for spelling in SPELLINGS[name].split():
        assert known_language(spelling) == name
        assert parse("x", spelling).language == name
        assert len(parse_batch([b"x"], spelling).span) == 1


@pytest.mark.parametrize("name", ["", " ", ".", "COBOL", 3])
def test_an_unknown_language_lists_the_names(name):
    listed = "c, c_sharp, cpp, go, java, javascript, python, tsx, typescript"
    with pytest.raises(ParameterError, match=f"^no grammar for '{name}'; there are: {listed}$"):
        parse("x", name)


def test_a_name_another_package_registers_goes_before_spellings(monkeypatch):
    entries = dict(LANGUAGES._entries)
    monkeypatch.setattr(LANGUAGES, "_entries", entries)
    entries["cs"] = entries["CSharp"] = entries["java"]
    assert (known_language("cs"), known_language("CSharp")) == ("cs", "CSharp")
    assert (known_language("csharp"), known_language("C#")) == ("c_sharp", "c_sharp")


def test_a_plug_in_adds_a_language(monkeypatch):
    entry = EntryPoint(name="extra", value="gazecode.source.languages.java:JAVA", group="g")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [entry])
    table = Registry("languages", {}, group="g")
    assert isinstance(table["extra"], Language)


@pytest.mark.parametrize("module", ["tree_sitter", "tree_sitter_java", "pandas", "scipy"])
def test_importing_the_stage_loads_no_grammar(module):
    code = f"import sys, gazecode.source, gazecode.mapping; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
