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

__all__ = ["LANGUAGES", "Language", "known_language", "language_of", "load_grammar"]


LANGUAGES: Registry[Language] = Registry(
    "languages",
    {
        language.name: language
        for language in (JAVA, PYTHON, C, CPP, C_SHARP, GO, JAVASCRIPT, TYPESCRIPT, TSX)
    },
    group="gazecode.languages",
)


_SPELLINGS = {
    "c++": "cpp",
    "c#": "c_sharp",
    "c-sharp": "c_sharp",
    "c sharp": "c_sharp",
    "csharp": "c_sharp",
    "golang": "go",
    "node": "javascript",
    "python2": "python",
    "python3": "python",
}
"""What others call a language, beside its name and the suffixes of its files."""


def known_language(name: str) -> str:
    """Return the package's name of a language, however it is spelled: ``C#``, ``cs``, ``py``.

    A name in `LANGUAGES` stands for itself, those of other packages too. Next come other names, and
    last the suffixes of files, with or without their dot; case is of no account.

    Raises
    ------
    ParameterError
        No language is called so; the names in `LANGUAGES` are listed.

    Examples
    --------
    >>> [known_language(name) for name in ("Java", "C#", "jsx")]
    ['java', 'c_sharp', 'javascript']
    >>> known_language("COBOL")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: no grammar for 'COBOL'; there are: c, c_sharp, cpp, go, java, \
javascript, python, tsx, typescript
    """
    plain = str(name).strip().lower()
    for spelling in (str(name), plain, _SPELLINGS.get(plain, plain)):
        # One that fails to load is asked for too: it says why.
        if spelling in LANGUAGES or spelling in LANGUAGES.broken:
            return spelling
    suffix = f".{plain.removeprefix('.')}"
    for known, language in LANGUAGES.items():
        if suffix in language.suffixes:
            return known
    raise ParameterError(
        f"no grammar for {str(name)[:40]!r}; there are: {', '.join(sorted(LANGUAGES))}"
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
