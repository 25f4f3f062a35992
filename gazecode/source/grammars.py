"""Languages: which grammar reads them and which of its nodes are one token.

The grammars are pinned wheels of the tree-sitter project; nothing is downloaded or built. A
language is data, so that another package adds one through the entry-point group
``gazecode.languages``.
"""

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from gazecode.errors import ParameterError
from gazecode.registry import Registry
from gazecode.source.language import Language
from gazecode.source.languages.c import C
from gazecode.source.languages.c_sharp import C_SHARP
from gazecode.source.languages.cpp import CPP
from gazecode.source.languages.go import GO
from gazecode.source.languages.java import JAVA
from gazecode.source.languages.javascript import JAVASCRIPT
from gazecode.source.languages.python import PYTHON
from gazecode.source.languages.typescript import TSX, TYPESCRIPT

if TYPE_CHECKING:
    import os

    from tree_sitter import Language as Grammar

__all__ = ["LANGUAGES", "Language", "language_of", "load_grammar"]


LANGUAGES: Registry[Language] = Registry(
    "languages",
    {
        language.name: language
        for language in (JAVA, PYTHON, C, CPP, C_SHARP, GO, JAVASCRIPT, TYPESCRIPT, TSX)
    },
    group="gazecode.languages",
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
with language=...: c, c_sharp, cpp, go, java, javascript, python, tsx, typescript
    """
    suffix = PurePath(path).suffix.lower()
    for name, language in LANGUAGES.items():
        if suffix in language.suffixes:
            return name
    raise ParameterError(
        f"no language has files named {suffix!r} ({PurePath(path).name}); "
        f"name one with language=...: {', '.join(sorted(LANGUAGES))}"
    )
