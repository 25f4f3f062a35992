"""Source code to tokens: the leaves of a syntax tree with their place and semantic label."""

from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import SourceError
from gazecode.model import LABELS, SourceTokens
from gazecode.model.checks import IntArray, StrArray
from gazecode.source.grammars import LANGUAGES, language_of, load_grammar
from gazecode.source.labels import LeafTable, Node, label_leaves
from gazecode.source.language import Language
from gazecode.source.leaves import (
    ERROR_KIND,
    Contexts,
    Leaves,
    collect_leaves,
    fill_gaps,
)

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar

__all__ = ["LABELS", "LANGUAGES", "Language", "language_of", "parse"]


def parse(code: str | bytes, language: str | None = None, *, source_id: str = "") -> SourceTokens:
    r"""Return the leaves of the syntax tree of `code`, punctuation and comments included.

    A comment and a string literal are one token each. Code with errors is read as far as it goes:
    every byte that is not blank belongs to exactly one token, those the grammar cannot read to
    tokens of kind ``ERROR`` (the backslash of a continued line among them).

    Parameters
    ----------
    code
        Source text; bytes must be UTF-8. A byte-order mark and line ends stay as they are.
    language
        A name in `LANGUAGES`; None goes by the suffix of `source_id`.
    source_id
        What the source is called in all outputs, often its file name.

    Raises
    ------
    SourceError
        The bytes are not UTF-8, or the text holds half a character.
    ParameterError
        No such language.

    Examples
    --------
    >>> tokens = parse('int x = f("a b");  // why\n', language="java")
    >>> tokens.texts
    ['int', 'x', '=', 'f', '(', '"a b"', ')', ';', '// why']
    >>> tokens.label[3], tokens.label[5], tokens.column[8].item()
    ('variable declaration', 'variable declaration', 19)
    """
    name = language_of(source_id) if language is None else language
    spoken = LANGUAGES[name]
    text = _utf8(code, source_id or "the source")
    leaves, contexts, kinds = _leaves(text, spoken)
    paths = contexts.paths(kinds)
    row, column = _positions(text, leaves.span[:, 0])
    texts = [text[a:b].decode() for a, b in leaves.span.tolist()]
    return SourceTokens(
        language=name,
        source_id=source_id,
        code=text,
        span=leaves.span,
        row=row,
        column=column,
        kind=_names(leaves.kind, kinds),
        path=tuple([paths[c] for c in leaves.context.tolist()]),
        label=_labels(leaves, contexts, kinds, spoken, texts),
    )


def _utf8(code: str | bytes, name: str) -> bytes:
    if isinstance(code, str):
        try:
            return code.encode("utf-8")
        except UnicodeEncodeError as error:
            raise SourceError(
                f"{name}: character {error.start} is a lone surrogate; "
                "expected text that UTF-8 can hold; decode the file again"
            ) from error
    try:
        code.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: byte {error.start} (0x{code[error.start]:02x}) is not UTF-8; "
            "decode the file with its own encoding and pass the text"
        ) from error
    return bytes(code)


def _leaves(code: bytes, language: Language) -> tuple[Leaves, Contexts, dict[int, str]]:
    import tree_sitter

    grammar = load_grammar(language.name)
    kinds = _kind_names(grammar)
    tree = tree_sitter.Parser(grammar).parse(code)
    leaves, contexts = collect_leaves(
        tree,
        whole=frozenset(k for k, name in kinds.items() if name in language.whole),
        functions=frozenset(k for k, name in kinds.items() if name in language.functions),
    )
    return fill_gaps(leaves, code), contexts, kinds


def _kind_names(grammar: "Grammar") -> dict[int, str]:
    kinds = {k: grammar.node_kind_for_id(k) or "" for k in range(grammar.node_kind_count)}
    return kinds | {ERROR_KIND: "ERROR", ERROR_KIND - 1: "ERROR"}


def _names(kind: IntArray, kinds: dict[int, str]) -> StrArray:
    numbers, place = np.unique(kind, return_inverse=True)
    named = np.array([kinds[k] for k in numbers.tolist()], dtype=object)
    picked: StrArray = named[place] if len(kind) else np.empty(0, dtype=object)
    return picked


def _positions(code: bytes, start: IntArray) -> tuple[IntArray, IntArray]:
    """Row and column of byte positions; a column counts characters, tree-sitter counts bytes."""
    raw = np.frombuffer(code, dtype=np.uint8)
    characters = np.concatenate(([0], np.cumsum((raw & 0xC0) != 0x80)))
    line_start = np.concatenate(([0], np.flatnonzero(raw == 0x0A) + 1))
    row = np.searchsorted(line_start, start, side="right") - 1
    return row, characters[start] - characters[line_start[row]]


def _labels(
    leaves: Leaves,
    contexts: Contexts,
    kinds: dict[int, str],
    language: Language,
    texts: list[str],
) -> StrArray:
    grammar = load_grammar(language.name)

    def node(kind: int, field: int, above: int) -> Node:
        if above < 0:
            return Node(kind=kinds[kind])
        top = contexts.parent[above]
        return Node(
            kind=kinds[kind],
            field=_field_name(grammar, field),
            parent_kind=kinds[contexts.kind[above]],
            parent_field=_field_name(grammar, contexts.field[above]),
            grandparent_kind=kinds[contexts.kind[top]] if top >= 0 else "",
        )

    chains = map(node, contexts.kind, contexts.field, contexts.parent)
    # One number per (context, kind, field): a label depends on little else.
    key = (leaves.context << 32) | (leaves.kind << 16) | leaves.field
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    above = leaves.context[first].tolist()
    table = LeafTable(
        nodes=list(map(node, leaves.kind[first].tolist(), leaves.field[first].tolist(), above)),
        contexts=above,
        number=number,
        scope=leaves.scope,
    )
    return label_leaves(language.roles, texts, list(chains), contexts.parent, table)


def _field_name(grammar: "Grammar", field: int) -> str:
    return (grammar.field_name_for_id(field) or "") if field else ""
