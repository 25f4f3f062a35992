"""Languages: which grammar reads them and which of its nodes are one token.

The grammars are pinned wheels of the tree-sitter project; nothing is downloaded or built. A
language is data, so that another package adds one through the entry-point group
``gazecode.languages``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from gazecode.errors import ParameterError
from gazecode.registry import Registry
from gazecode.source.labels import JAVA_ROLES, PYTHON_ROLES, Roles

if TYPE_CHECKING:
    import os

    from tree_sitter import Language as Grammar

__all__ = ["LANGUAGES", "Language", "language_of", "load_grammar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One programming language.

    Attributes
    ----------
    name
        What `parse` is asked for, and what `SourceTokens.language` says.
    suffixes
        File name endings, lower case, with the dot.
    load
        Imports the grammar's package and returns what ``tree_sitter.Language`` takes.
    whole
        Node kinds that are one token although the grammar splits them: comments, strings.
    functions
        Node kinds that declare a function: names are looked up inside the outermost one.
    roles
        Which node kinds play which role for the semantic label.
    """

    name: str
    suffixes: tuple[str, ...]
    load: Callable[[], Any]
    whole: frozenset[str]
    functions: frozenset[str]
    roles: Roles


def _load_java() -> Any:
    import tree_sitter_java

    return tree_sitter_java.language()


def _load_python() -> Any:
    import tree_sitter_python

    return tree_sitter_python.language()


_JAVA = Language(
    name="java",
    suffixes=(".java",),
    load=_load_java,
    whole=frozenset({"line_comment", "block_comment", "string_literal", "character_literal"}),
    functions=frozenset({"method_declaration", "constructor_declaration"}),
    roles=JAVA_ROLES,
)
_PYTHON = Language(
    name="python",
    suffixes=(".py", ".pyi", ".pyw"),
    load=_load_python,
    whole=frozenset({"comment", "string"}),
    functions=frozenset({"function_definition"}),
    roles=PYTHON_ROLES,
)

LANGUAGES: Registry[Language] = Registry(
    "languages", {"java": _JAVA, "python": _PYTHON}, group="gazecode.languages"
)


@cache
def load_grammar(name: str) -> "Grammar":
    """Return the grammar of a language, loaded once."""
    import tree_sitter

    return tree_sitter.Language(LANGUAGES[name].load())


def language_of(path: "str | os.PathLike[str]") -> str:
    """Return the language of a source file, by the end of its name.

    >>> language_of("snippets/Vehicle.java")
    'java'
    >>> language_of("notes.txt")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: no language has files named '.txt' (notes.txt); name one \
with language=...: java, python
    """
    suffix = PurePath(path).suffix.lower()
    for name, language in LANGUAGES.items():
        if suffix in language.suffixes:
            return name
    raise ParameterError(
        f"no language has files named {suffix!r} ({PurePath(path).name}); "
        f"name one with language=...: {', '.join(sorted(LANGUAGES))}"
    )
