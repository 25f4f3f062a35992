"""The leaves of a syntax tree as arrays.

The walk keeps, instead of an ancestor list per leaf, one number: its place in a tree of contexts
in which equal chains of (node kind, field) are stored once. A file has few different contexts, so
whatever depends on the ancestors (paths, labels) is worked out once per context, not per leaf.
"""

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model.checks import BoolArray, IntArray

if TYPE_CHECKING:
    from tree_sitter import Tree

__all__ = [
    "ERROR_KIND",
    "MAX_PATH",
    "NO_FIELD",
    "Contexts",
    "Leaves",
    "blank_bytes",
    "collect_leaves",
    "fill_gaps",
]

ERROR_KIND = 0xFFFF
"""tree-sitter's number for text it could not parse."""
NO_FIELD = 0
MAX_PATH = 512
"""Deeper ancestors are left out of a path: it would grow with the square of the nesting."""

_INVISIBLE = "\ufeff\u200b\u2060"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """Chains of ancestors, each stored as its parent chain plus one node; 0 is the root's.

    Attributes
    ----------
    parent, kind, field
        One entry per chain: number of the chain above (-1 at the root), kind and field of its
        innermost node. A chain above always has the smaller number.
    """

    parent: list[int]
    kind: list[int]
    field: list[int]

    def __len__(self) -> int:
        return len(self.kind)

    def paths(self, names: dict[int, str]) -> list[tuple[str, ...]]:
        """Kinds from the root down, one tuple per chain."""
        paths: list[tuple[str, ...]] = []
        for above, kind in zip(self.parent, self.kind, strict=True):
            outer = paths[above] if above >= 0 else ()
            paths.append((*outer, names[kind]) if len(outer) < MAX_PATH else outer)
        return paths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaves:
    """Leaves in text order.

    Attributes
    ----------
    span
        ``(m, 2)`` bytes.
    kind, field, context
        ``(m,)`` numbers of the grammar, and of the chain of ancestors.
    scope
        ``(m,)`` number of the outermost function around the leaf, -1 outside of functions.
    """

    span: IntArray
    kind: IntArray
    field: IntArray
    context: IntArray
    scope: IntArray


def collect_leaves(
    tree: "Tree", *, whole: frozenset[int], functions: frozenset[int]
) -> tuple[Leaves, Contexts]:
    """Walk the tree once; nodes of a kind in `whole` are leaves. No recursion: depth is free."""
    contexts = Contexts(parent=[-1], kind=[tree.root_node.kind_id], field=[NO_FIELD])
    known: dict[tuple[int, int, int], int] = {}
    # Flat and typed: a big file has millions of leaves, and tuples of them would fill memory.
    rows = array("q")
    stack: list[int] = []
    context = -1
    scope, scope_depth, scopes = -1, -1, 0
    cursor = tree.walk()
    # Bound methods, because this loop is what parsing costs beyond tree-sitter itself.
    down, right, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    while True:
        node = cursor.node
        assert node is not None  # noqa: S101 - a cursor always stands on a node
        kind, field = node.kind_id, cursor.field_id or NO_FIELD
        if kind not in whole and down():
            stack.append(context)
            context = _enter(contexts, known, (context, kind, field))
            if kind in functions and scope < 0:
                scope, scope_depth, scopes = scopes, len(stack), scopes + 1
            continue
        rows.extend((node.start_byte, node.end_byte, kind, field, context, scope))
        while not right():
            if not up():
                return _as_arrays(rows), contexts
            if len(stack) == scope_depth:
                scope, scope_depth = -1, -1
            context = stack.pop()


def _enter(
    contexts: Contexts, known: dict[tuple[int, int, int], int], key: tuple[int, int, int]
) -> int:
    if key[0] < 0:
        return 0
    found = known.get(key)
    if found is None:
        found = known[key] = len(contexts)
        contexts.parent.append(key[0])
        contexts.kind.append(key[1])
        contexts.field.append(key[2])
    return found


def _as_arrays(rows: "array[int]") -> Leaves:
    table = np.frombuffer(rows, dtype=np.int64).reshape(-1, 6)
    # A leaf the grammar only supposes (MISSING) and an empty root have no width. An empty file's
    # root is its own leaf and has no chain above: it goes with them.
    table = table[table[:, 1] > table[:, 0]]
    table[:, 4] = np.maximum(table[:, 4], 0)
    return Leaves(
        span=table[:, :2],
        kind=table[:, 2],
        field=table[:, 3],
        context=table[:, 4],
        scope=table[:, 5],
    )


def blank_bytes(code: bytes) -> BoolArray:
    r"""Which bytes belong to white space (or an invisible mark such as a BOM), ``(n,)``.

    >>> blank_bytes("a \u00a0b".encode()).tolist()
    [False, True, True, True, False]
    """
    raw = np.frombuffer(code, dtype=np.uint8)
    blank: BoolArray = (
        (raw == 0x20) | ((raw >= 0x09) & (raw <= 0x0D)) | ((raw >= 0x1C) & (raw <= 0x1F))
    )
    high = np.flatnonzero(raw >= 0xC0)
    if not high.size:
        return blank
    # The rare wide blanks are found by character; ASCII text never comes here.
    text = np.frombuffer(code.decode("utf-8").encode("utf-32-le"), dtype=np.uint32)
    starts = np.flatnonzero((raw & 0xC0) != 0x80)
    for point in np.unique(text[text > 0x7F]).tolist():
        if not (chr(point).isspace() or chr(point) in _INVISIBLE):
            continue
        first = starts[text == point]
        for k in range(len(chr(point).encode())):
            blank[first + k] = True
    return blank


def fill_gaps(leaves: Leaves, code: bytes) -> Leaves:
    """Give every byte that is not blank exactly one leaf, and no leaf blank ends.

    Text that no leaf covers (skipped while recovering from an error, the backslash of a continued
    line) becomes leaves of kind ERROR in the context of the leaf before. Leaves of kind ERROR are
    cut at blanks; all others keep inner blanks and lose those at their ends.
    """
    blank = blank_bytes(code)
    owner = np.full(len(code) + 1, -1, dtype=np.int64)
    lengths = leaves.span[:, 1] - leaves.span[:, 0]
    owner[_ranges(leaves.span[:, 0], lengths)] = np.repeat(np.arange(len(lengths)), lengths)
    # A blank counts as inside its leaf unless the leaf is an error; blank ends go below.
    loose = owner[:-1] < 0
    error = np.zeros(len(code), dtype=bool)
    error[~loose] = leaves.kind[owner[:-1][~loose]] == ERROR_KIND
    key = np.where(blank & (loose | error), -2, owner[:-1])
    edge = np.flatnonzero(np.diff(key, prepend=-3))
    stop = np.append(edge[1:], len(code))
    kept = key[edge] != -2
    span, source = _strip(np.stack([edge[kept], stop[kept]], axis=1), blank), key[edge][kept]
    wide = span[:, 1] > span[:, 0]
    return _pick(leaves, span[wide], source[wide])


def _ranges(first: IntArray, length: IntArray) -> IntArray:
    """``first[0], first[0]+1, ...`` for each length, one after the other."""
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    step: IntArray = np.arange(total) + np.repeat(first - ends + length, length)
    return step


def _strip(span: IntArray, blank: BoolArray) -> IntArray:
    n = len(blank)
    place = np.arange(n + 1)
    solid = np.append(~blank, True)
    after = np.minimum.accumulate(np.where(solid, place, n)[::-1])[::-1]
    before = np.maximum.accumulate(np.where(np.insert(~blank, 0, False), place, 0))
    start = np.minimum(after[span[:, 0]], span[:, 1])
    return np.stack([start, np.maximum(before[span[:, 1]], start)], axis=1)


def _pick(leaves: Leaves, span: IntArray, source: IntArray) -> Leaves:
    """Leaves at `span`; `source` is the leaf each comes from, -1 for text without one."""
    loose = source < 0
    previous = np.maximum.accumulate(np.where(loose, -1, source)) if len(source) else source
    safe = np.maximum(previous, 0)

    def column(values: IntArray, missing: int) -> IntArray:
        picked: IntArray = values[safe] if len(values) else np.zeros(len(source), dtype=np.int64)
        return np.where(loose & (previous < 0), missing, picked)

    return Leaves(
        span=span,
        kind=np.where(loose, ERROR_KIND, column(leaves.kind, ERROR_KIND)),
        field=np.where(loose, NO_FIELD, column(leaves.field, NO_FIELD)),
        context=column(leaves.context, 0),
        scope=column(leaves.scope, -1),
    )
