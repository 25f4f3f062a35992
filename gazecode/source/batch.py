"""Many sources at once: spans, rows and labels, and nothing that costs a step per token more.

One walk a source over a table shared by all of them (`gazecode.source.automaton`); the rest is
array work over the sources laid end to end.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model import TokenBatch
from gazecode.model.checks import IntArray
from gazecode.source.automaton import Automaton, OutcomeTable
from gazecode.source.compat import NameTable, load_names
from gazecode.source.grammars import LANGUAGES, known_language, load_grammar
from gazecode.source.labels import Sources, apply_names, label_leaves
from gazecode.source.leaves import Leaves, Moves, RawLeaves, collect_leaves, fill_gaps
from gazecode.source.places import Vocabulary

if TYPE_CHECKING:
    from tree_sitter import Tree

__all__ = ["automaton_of", "outcomes_of", "parse_batch", "read_trees", "rows", "walk_sources"]


@cache
def automaton_of(language: str) -> Automaton:
    """Return the rules of a language, compiled once; they learn from every source they read."""
    spoken = LANGUAGES[language]
    groups = {"literals": spoken.roles.literals, "names": spoken.roles.names}
    return Automaton(spoken, Vocabulary.of(load_grammar(language), groups))


def read_trees(codes: Sequence[bytes], language: str) -> Iterator["Tree"]:
    """Parse sources one by one; a tree is large and lives until the next is asked for."""
    import tree_sitter

    return map(tree_sitter.Parser(load_grammar(language)).parse, codes)


def walk_sources(
    trees: Iterable["Tree"], codes: Sequence[bytes], moves: Moves
) -> tuple[Leaves, Sources]:
    """Walk the trees of sources; leaves as the grammar has them, gaps and blank ends included."""
    raw, counts, functions = RawLeaves(), [0], [0]
    for tree in trees:
        collect_leaves(tree, moves, raw)
        counts.append(len(raw))
        functions.append(len(raw.functions) // 16)
    start, leaf_start = np.cumsum([0, *map(len, codes)]), np.array(counts)
    span, opened = (
        np.frombuffer(flat, dtype=np.int64).reshape(-1, 2)
        + np.repeat(start[:-1], np.diff(each))[:, None]
        for flat, each in ((raw.span, leaf_start), (raw.functions, np.array(functions)))
    )
    number = np.frombuffer(raw.number, dtype=np.int64)
    leaves = Leaves(
        span=span, number=number, loose=np.zeros(len(number), dtype=bool), start=leaf_start
    )
    return leaves, Sources(code=b"".join(codes), start=start, functions=opened)


def parse_batch(
    codes: Sequence[bytes],
    language: str,
    *,
    compat: NameTable | None = None,
    trees: "Iterable[Tree] | None" = None,
) -> TokenBatch:
    """Tokens of many sources, as `gazecode.source.parse` gives them, without kinds and paths.

    Parameters
    ----------
    codes
        Sources; each must be valid UTF-8, which is not looked into here.
    language
        A name in `LANGUAGES`, or another spelling of one (``C#``, ``py``); the same for all.
    compat
        Labels of names (`gazecode.source.compat`); None is the strict mode.
    trees
        The syntax trees of `codes`, for a caller who looks at them as they pass (`read_trees`).

    Examples
    --------
    >>> batch = parse_batch([b"int x;", b"", b"y = 1;"], "java")
    >>> batch.token_start.tolist(), batch.label.tolist()
    ([0, 3, 3, 7], [19, 19, 0, 8, 2, 2, 0])
    """
    name = known_language(language)
    automaton = automaton_of(name)
    read = read_trees(codes, name) if trees is None else trees
    walked, sources = walk_sources(read, codes, automaton.root)
    table = automaton.table
    leaves = fill_gaps(walked, table.error, sources.code, sources.start)
    labels = label_leaves(leaves, table, automaton.rule_codes, sources)
    if compat is not None:
        apply_names(labels, leaves, table.identifier, sources.code, load_names(compat))
    return TokenBatch(
        code=sources.code,
        code_start=sources.start,
        token_start=leaves.start,
        span=leaves.span,
        row=rows(leaves, sources),
        label=labels,
    )


def outcomes_of(code: bytes, language: str) -> tuple[IntArray, OutcomeTable]:
    """What the rules say of every token of a source: places in the table."""
    automaton = automaton_of(language)
    walked, sources = walk_sources(read_trees([code], language), [code], automaton.root)
    table = automaton.table
    return fill_gaps(walked, table.error, code, sources.start).number, table


def rows(leaves: Leaves, sources: Sources) -> IntArray:
    """Line of each leaf, 0-based, in its own source."""
    raw = np.frombuffer(sources.code, dtype=np.uint8)
    newlines = np.flatnonzero(raw == 0x0A)
    line: IntArray = np.searchsorted(newlines, leaves.span[:, 0])
    line -= np.repeat(np.searchsorted(newlines, sources.start[:-1]), np.diff(leaves.start))
    return line
