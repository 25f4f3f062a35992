"""Languages are data; another package may bring one."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from gazecode.registry import Registry
from gazecode.source.grammars import LANGUAGES, Language, load_grammar


def test_every_kind_a_language_names_exists_in_its_grammar():
    for name, language in LANGUAGES.items():
        grammar = load_grammar(name)
        kinds = {grammar.node_kind_for_id(k) for k in range(grammar.node_kind_count)}
        fields = {grammar.field_name_for_id(k) for k in range(1, grammar.field_count + 1)}
        assert language.whole <= kinds
        assert language.functions <= kinds
        assert language.roles.names <= kinds
        assert language.roles.literals <= kinds
        places = [p for rule in language.roles.rules for p in rule.places.split()]
        places += language.roles.declares.split() + language.roles.assigns.split()
        for place in places:
            kind, *rest = place.split("/") if "/" in place else place.split(".")
            assert kind in kinds, place
            assert set(rest) <= (kinds if "/" in place else fields), place
        words = [w for rule in language.roles.rules for w in rule.words.split()]
        assert set(words) <= kinds, set(words) - kinds


def test_a_plug_in_adds_a_language(monkeypatch):
    entry = EntryPoint(name="extra", value="gazecode.source.languages.java:JAVA", group="g")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [entry])
    table = Registry("languages", {}, group="g")
    assert isinstance(table["extra"], Language)


@pytest.mark.parametrize("module", ["tree_sitter", "tree_sitter_java", "pandas", "scipy"])
def test_importing_the_stage_loads_no_grammar(module):
    code = f"import sys, gazecode.source, gazecode.mapping; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
