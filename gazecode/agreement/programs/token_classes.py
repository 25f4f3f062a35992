"""What kind of token a token is, by its text, its grammar's name and its parent.

One set of rules for every grammar: a program must mean the same thing in Java and in Python.
Each token is exactly one of identifier, keyword, literal, operator, comment, punctuation.
"""

import re

import numpy as np

from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, IntArray

__all__ = [
    "comments",
    "identifiers",
    "keywords",
    "literals",
    "operators",
    "punctuation",
    "text_numbers",
]

_WORD = re.compile(r"@?#?[^\W\d]\w*[!?]?", re.UNICODE)
_SYMBOL = re.compile(r"[-+*/%=<>!&|^~?]+|:=|\.\.\.")
_WORD_OPERATORS = frozenset({"and", "or", "not", "in", "is", "instanceof", "typeof", "sizeof"})
_CONSTANTS = frozenset(
    {"true", "false", "True", "False", "None", "null", "nil", "NULL", "nullptr", "undefined"}
)
_LITERAL_KINDS = ("literal", "string", "integer", "float", "number", "character", "regex")
_QUOTES = frozenset("\"'`")
_OPERATES = ("operator", "binary", "unary", "instanceof", "sizeof")
_BRACKETED = ("type_arg", "type_param", "template_arg", "template_param")


def identifiers(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` names of variables, functions, classes."""
    return _is(tokens, "identifier")


def keywords(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` words of the language, types like ``int`` included, operators in words not."""
    return _is(tokens, "keyword")


def literals(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` numbers, strings, characters, ``true``, ``null`` and their like."""
    return _is(tokens, "literal")


def operators(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` symbols that compute, compare or assign, and ``and``, ``instanceof`` ..."""
    return _is(tokens, "operator")


def comments(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` comments."""
    return _is(tokens, "comment")


def punctuation(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` brackets and separators."""
    return _is(tokens, "punctuation")


def text_numbers(tokens: SourceTokens) -> IntArray:
    """``(m,)`` the same number for tokens of the same text, from 0 in order of appearance."""
    number: dict[str, int] = {}
    each = (number.setdefault(text, len(number)) for text in tokens.texts)
    return np.fromiter(each, dtype=np.int64, count=len(tokens))


def _is(tokens: SourceTokens, wanted: str) -> BoolArray:
    kind = np.where(tokens.definition >= 0, "identifier", tokens.kind)
    parent = ("".join(path[-1:]) for path in tokens.path)
    rows = zip(tokens.texts, kind, parent, strict=True)
    return np.fromiter((_class(*row) == wanted for row in rows), dtype=bool, count=len(tokens))


def _class(text: str, kind: str, parent: str) -> str:
    if "comment" in kind:
        return "comment"
    if text in _CONSTANTS or _reads_as_literal(text, kind):
        return "literal"
    if _WORD.fullmatch(text):
        if "identifier" in kind:
            return "identifier"
        works = text in _WORD_OPERATORS and any(part in parent for part in _OPERATES)
        return "operator" if works else "keyword"
    # The brackets of generics look like comparisons.
    bracket = any(part in parent for part in _BRACKETED)
    return "operator" if _SYMBOL.fullmatch(text) and not bracket else "punctuation"


def _reads_as_literal(text: str, kind: str) -> bool:
    if text[:1].isdigit() or text[:1] in _QUOTES:
        return True
    # A type may be called so, too: then the word is its own kind.
    return kind != text and any(part in kind for part in _LITERAL_KINDS)
