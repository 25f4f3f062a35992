"""One source: its tokens with all there is to say of them."""

from dataclasses import replace

import numpy as np

from gazecode.errors import SourceError
from gazecode.model import SourceTokens
from gazecode.model.checks import IntArray, StrArray
from gazecode.model.labels import label_names
from gazecode.source.batch import automaton_of, read_trees, rows, walk_sources
from gazecode.source.compat import NameTable, load_names
from gazecode.source.grammars import LANGUAGES, known_language, language_of
from gazecode.source.labels import apply_names, label_leaves
from gazecode.source.leaves import fill_gaps
from gazecode.source.links import definitions
from gazecode.source.paths import PathTable
from gazecode.source.places import ERROR_KIND

__all__ = ["parse"]


def parse(
    code: str | bytes,
    language: str | None = None,
    *,
    source_id: str = "",
    compat: NameTable | None = None,
) -> SourceTokens:
    r"""Return the leaves of the syntax tree of `code`, punctuation and comments included.

    A comment and a string literal are one token each. Code with errors is read as far as it goes:
    every byte that is not blank belongs to exactly one token, those the grammar cannot read to
    tokens of kind ``ERROR`` (the backslash of a continued line among them).

    Parameters
    ----------
    code
        Source text; bytes must be UTF-8. A byte-order mark and line ends stay as they are.
    language
        A name in `LANGUAGES`, or another spelling of one (``C#``, ``py``); None goes by the suffix
        of `source_id`.
    source_id
        What the source is called in all outputs, often its file name.
    compat
        Labels of names, as `gazecode.source.published.fit_name_table` fits them to published rows,
        or the path of such a table. None is strict: structure alone decides.

    Raises
    ------
    SourceError
        The bytes are not UTF-8, or the text holds half a character.
    ParameterError
        No such language, or no such table of names.
    DataError
        `compat` is no table of labels by name.

    Examples
    --------
    >>> tokens = parse('int x = f("a b");  // why\n', language="java")
    >>> tokens.texts
    ['int', 'x', '=', 'f', '(', '"a b"', ')', ';', '// why']
    >>> tokens.label[3], tokens.label[5], tokens.column[8].item()
    ('variable declaration', 'variable declaration', 19)
    """
    name = language_of(source_id) if language is None else known_language(language)
    text = _utf8(code, source_id or "the source")
    automaton = automaton_of(name)
    met = PathTable(names=automaton.vocabulary.names)
    tree = next(read_trees([text], name))
    walked, sources = walk_sources([tree], [text], met.moves(automaton.root, 0))
    outcome, kind, path = (np.array(c, dtype=np.int64) for c in (met.outcome, met.kind, met.path))
    table = automaton.table
    leaves = fill_gaps(walked, table.error[outcome], text, sources.start)
    known = np.maximum(leaves.number, 0)
    # From here on a leaf's number is what the rules say of it; its path is no longer needed.
    ruled = replace(leaves, number=np.where(leaves.number < 0, -1, _take(outcome, known)))
    labels = label_leaves(ruled, table, automaton.rule_codes, sources)
    if compat is not None:
        apply_names(labels, ruled, table.identifier, text, load_names(compat))
    kinds = np.where(leaves.loose, ERROR_KIND, _take(kind, known))
    # Text before the first leaf stands directly in the root.
    paths = np.where(leaves.number < 0, min(1, len(met.paths) - 1), _take(path, known))
    return SourceTokens(
        language=name,
        source_id=source_id,
        code=text,
        span=leaves.span,
        row=rows(leaves, sources),
        column=_columns(text, leaves.span[:, 0]),
        kind=_kind_names(kinds, met.names),
        path=tuple([met.paths[p] for p in paths.tolist()]),
        label=label_names(labels),
        definition=definitions(tree, LANGUAGES[name], leaves.span),
        label_mode="strict" if compat is None else "compat",
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


def _take(values: IntArray, places: IntArray) -> IntArray:
    """Like indexing, but zeros if there are no values at all."""
    taken: IntArray = values[places] if len(values) else np.zeros(len(places), dtype=np.int64)
    return taken


def _kind_names(kinds: IntArray, names: dict[int, str]) -> StrArray:
    numbers, place = np.unique(kinds, return_inverse=True)
    named: StrArray = np.array([names[k] for k in numbers.tolist()], dtype=object)[place]
    return named


def _columns(code: bytes, start: IntArray) -> IntArray:
    """Columns of byte positions, in characters."""
    raw = np.frombuffer(code, dtype=np.uint8)
    characters = np.concatenate(([0], np.cumsum((raw & 0xC0) != 0x80)))
    line_start = np.concatenate(([0], np.flatnonzero(raw == 0x0A) + 1))
    line = np.searchsorted(line_start, start, side="right") - 1
    column: IntArray = characters[start] - characters[line_start[line]]
    return column
