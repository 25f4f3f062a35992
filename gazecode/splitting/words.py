"""What a token is by its text alone: an identifier, a keyword, a literal, or something else.

An example brings the text and the label of a token and not its grammar's kind, so that one table
of reserved words serves all languages. Words that are reserved in one language and common names in
another (``in``, ``from``, ``map``, ``self``, ``type``) are left out: taken for names, they are so
in both of two copies.
"""

import re
from functools import lru_cache

__all__ = ["KEYWORDS", "kind_of"]

_WORDS = """
abstract and assert async await bool boolean break byte case catch char class const constexpr
continue def default defer do double elif else enum except explicit export extends extern
fallthrough False false final finally float for foreach friend goto if implements import instanceof
int interface long mutable new nil None nonlocal not null nullptr or override pass private protected
public raise readonly return sealed short signed sizeof static strictfp struct super switch
synchronized template this throw throws transient True true try typedef typename typeof union unsafe
unsigned using var virtual void volatile while with yield
"""
KEYWORDS = frozenset(_WORDS.split())
"""Reserved words and built-in types that nobody calls a variable."""

_NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_NUMBER = re.compile(r"\.?\d")
_STRING = re.compile(r"[A-Za-z@$]{0,3}[\"'`]")


@lru_cache(maxsize=2**16)
def kind_of(token: str) -> str:
    """``name``, ``keyword``, ``number``, ``string`` or ``other``.

    >>> [kind_of(token) for token in ("sum", "while", "1.5f", 'f"{x}"', "+=")]
    ['name', 'keyword', 'number', 'string', 'other']
    """
    if _NAME.fullmatch(token):
        return "keyword" if token in KEYWORDS else "name"
    if _NUMBER.match(token):
        return "number"
    return "string" if _STRING.match(token) else "other"
