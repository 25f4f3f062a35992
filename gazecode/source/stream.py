"""The token stream of the published rows, as a view over the leaves.

The rows of EyeMulator (Zhang et al.; the corpus of EyeTrans, doi:10.1145/3643732) hold one stream
a source: what stands inside methods, without punctuation, some neighbours joined to one token.
`SourceTokens` keeps every leaf; here is which of them the stream has, so that both speak of the
same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, IntArray, StrArray, column, same_length
from gazecode.model.labels import label_names
from gazecode.source.automaton import PUNCTUATION
from gazecode.source.batch import outcomes_of
from gazecode.source.grammars import LANGUAGES

__all__ = ["TokenStream", "published_stream"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenStream:
    """Some leaves of a source in order, neighbours joined.

    Attributes
    ----------
    leaves
        ``(k, 2)`` leaves of each item, half-open: numbers of tokens in `SourceTokens`.
    span
        ``(k, 2)`` bytes, half-open.
    text
        ``(k,)`` the source between them.
    label
        ``(k,)`` semantic label; a joined pair of brackets has one, although its halves have none.
    """

    leaves: IntArray
    span: IntArray
    text: StrArray
    label: StrArray

    def __post_init__(self) -> None:
        column(self, "leaves", np.int64, width=2)
        column(self, "span", np.int64, width=2)
        column(self, "text", object)
        column(self, "label", object)
        same_length(self, "leaves", "span", "text", "label")

    def __len__(self) -> int:
        return len(self.leaves)


def published_stream(tokens: SourceTokens, *, null: str = "null") -> TokenStream:
    """Return the stream that the published rows have of a source.

    Parameters
    ----------
    tokens
        A parsed source in a language that says what its stream is (`Language.units`).
    null
        What `null` is called; the published rows say "nan".

    Raises
    ------
    ParameterError
        The language has no such stream.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> stream = published_stream(parse("class A { int[] f() { return; } }", "java"))
    >>> stream.text.tolist(), stream.leaves.tolist()
    (['int', '[]', 'f', 'return;'], [[3, 4], [4, 6], [6, 7], [10, 12]])
    """
    language = LANGUAGES[tokens.language]
    if not language.units:
        having = ", ".join(sorted(name for name, spoken in LANGUAGES.items() if spoken.units))
        raise ParameterError(
            f"{language.name} has no published token stream; those that have one: {having}"
        )
    outcome, table = outcomes_of(tokens.code, tokens.language)
    within = _within(tokens, language.units)
    joined = _joined(tokens.kind, frozenset(language.joins)) & within[:-1] & within[1:]
    second = np.append(False, joined)[: len(tokens)]
    kept = _kept(tokens.kind, joined) & within & ~second & ~table.omitted[outcome]
    first = np.flatnonzero(kept)
    leaves = np.stack([first, first + 1 + np.append(joined, False)[first]], axis=1)
    span = np.stack([tokens.span[leaves[:, 0], 0], tokens.span[leaves[:, 1] - 1, 1]], axis=1)
    role = label_names(table.role[outcome[first]])
    label = np.where(tokens.label[first] == "", role, tokens.label[first])
    return TokenStream(leaves=leaves, span=span, text=_texts(tokens, span, null), label=label)


def _within(tokens: SourceTokens, units: frozenset[str]) -> BoolArray:
    """Which leaves stand inside a unit; equal paths are one object, so each is asked once."""
    inside = {id(path): not units.isdisjoint(path) for path in tokens.path}
    return np.array([inside[id(path)] for path in tokens.path], dtype=bool)


def _joined(kind: StrArray, joins: frozenset[tuple[str, str]]) -> BoolArray:
    """Which leaves are joined to the next, ``(m - 1,)``."""
    pairs: Iterable[tuple[str, str]] = zip(kind[:-1].tolist(), kind[1:].tolist(), strict=True)
    return np.array([pair in joins for pair in pairs], dtype=bool)


def _kept(kind: StrArray, joined: BoolArray) -> BoolArray:
    dropped = np.array([name in PUNCTUATION for name in kind.tolist()], dtype=bool)
    dropped[:-1] &= ~joined
    return ~dropped


def _texts(tokens: SourceTokens, span: IntArray, null: str) -> StrArray:
    texts = [tokens.code[a:b].decode("utf-8", "replace") for a, b in span.tolist()]
    return np.array([null if text == "null" else text for text in texts], dtype=object)
