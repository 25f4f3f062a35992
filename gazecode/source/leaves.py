"""The leaves of syntax trees as arrays, and which bytes they own.

A tree is walked once. What depends on the ancestors of a leaf is not collected but followed: the
walk is in some state, each child leads to another, and a leaf takes one number away with it
(`gazecode.source.automaton`).
"""

import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gazecode.model.checks import BoolArray, IntArray

if TYPE_CHECKING:
    from tree_sitter import Tree

__all__ = [
    "Child",
    "Key",
    "Leaves",
    "Moves",
    "RawLeaves",
    "blank_bytes",
    "collect_leaves",
    "fill_gaps",
]

_WIDE_BLANK = re.compile(
    rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8b\xa8\xa9\xaf]|\xe2\x81[\x9f\xa0]"
    rb"|\xe3\x80\x80|\xef\xbb\xbf"
)
"""Wide white space, and the marks nobody sees: U+200B, U+2060 and the byte-order mark."""


Key = int | tuple[int, int | None]

_IS_BLANK = np.zeros(256, dtype=bool)
_IS_BLANK[[*range(0x09, 0x0E), *range(0x1C, 0x20), 0x20]] = True


class Moves(Protocol):
    """State of a walk: what stands inside a node, by kind; None where more matters than that."""

    opens: bool
    """An outermost function begins here."""

    def __getitem__(self, key: Key, /) -> "Child | None":
        """Look a child up by kind, or by kind and field."""
        ...

    def leaf(self, child: "Child", /) -> int:
        """Work out `Child.number`."""
        ...

    def enter(self, child: "Child", /) -> "Moves":
        """Work out `Child.inner`."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Child:
    """What a node of some kind and field means in some state; worked out when first met.

    Attributes
    ----------
    number
        What it takes away as a leaf.
    inner, opened
        The state inside; where an outermost function begins it is in `opened` instead, so that
        the walk meets each of them.
    splits
        Whether a walk goes into it at all.
    coarse
        The same child in a walk whose states tell less apart, if there is one.
    then
        The state in which the walk goes on beside it; None where it stays the same.
    """

    kind: int
    field: int
    splits: bool
    number: int | None = None
    inner: Moves | None = None
    opened: Moves | None = None
    coarse: "Child | None" = None
    then: Moves | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class RawLeaves:
    """What walking trees collects, as 64-bit integers one after the other.

    Attributes
    ----------
    span
        Begin and end of each leaf, in bytes of its own source.
    number
        What each leaf took away.
    functions
        Begin and end of each function that names are looked up in.
    """

    span: bytearray = field(default_factory=bytearray)
    number: bytearray = field(default_factory=bytearray)
    functions: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return len(self.number) // 8

    def add(self, span: list[int], number: list[int], functions: list[int]) -> None:
        """Add the leaves of one source; packed at once, which numpy and array are slower at."""
        self.span += struct.pack(f"{len(span)}q", *span)
        self.number += struct.pack(f"{len(number)}q", *number)
        self.functions += struct.pack(f"{len(functions)}q", *functions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaves:
    """Leaves of ``d`` sources in text order, in bytes of all sources laid end to end.

    Attributes
    ----------
    span
        ``(m, 2)`` bytes.
    number
        ``(m,)`` what the walk said of the leaf; for text in no leaf that of the leaf before it in
        the same source, -1 if there is none.
    loose
        ``(m,)`` text in no leaf.
    start
        ``(d + 1,)`` first leaf of each source.
    """

    span: IntArray
    number: IntArray
    loose: BoolArray
    start: IntArray


def collect_leaves(tree: "Tree", moves: Moves, into: RawLeaves) -> None:
    """Walk a tree from the state `moves`. No recursion: depth is free."""
    spans: list[int] = []
    numbers: list[int] = []
    functions: list[int] = []
    outer: list[Moves] = []
    cursor = tree.walk()
    # Bound methods, because this loop is what parsing costs beyond tree-sitter itself.
    down, right, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    add_span, add_number = spans.extend, numbers.append
    push, pop = outer.append, outer.pop
    while True:
        node: Any = cursor.node
        kind = node.kind_id
        child: Any = moves[kind]
        if child is None:
            child = moves[kind, cursor.field_id]
            if child.then is not None:
                # Nothing asks the state left behind for this child any more: it is worked out.
                moves = child.then
        if child.splits and down():
            push(moves)
            inner = child.inner
            if inner is None:
                inner = moves.enter(child) if child.opened is None else child.opened
                if inner.opens:
                    functions.extend(node.byte_range)
            moves = inner
            continue
        number = child.number
        add_number(moves.leaf(child) if number is None else number)
        add_span(node.byte_range)
        while not right():
            if not up():
                into.add(spans, numbers, functions)
                return
            moves = pop()


def blank_bytes(code: bytes) -> BoolArray:
    r"""Which bytes belong to white space (or an invisible mark such as a BOM), ``(n,)``.

    >>> blank_bytes("a \u00a0b".encode()).tolist()
    [False, True, True, True, False]
    """
    blank: BoolArray = _IS_BLANK[np.frombuffer(code, dtype=np.uint8)]
    if not code.isascii():
        for wide in _WIDE_BLANK.finditer(code):
            blank[wide.start() : wide.end()] = True
    return blank


def fill_gaps(leaves: Leaves, error: BoolArray, code: bytes, start: IntArray) -> Leaves:
    """Give every byte that is not blank exactly one leaf, and no leaf blank ends.

    Text that no leaf covers (skipped while recovering from an error, the backslash of a continued
    line) becomes loose leaves. They are cut at blanks, and so are errors; all others keep inner
    blanks. Nothing crosses from one source into the next.

    Parameters
    ----------
    error
        By number of leaf: whether it is text that could not be parsed.
    start
        ``(d + 1,)`` where each source begins in `code`, and its end.
    """
    solid = np.flatnonzero(~blank_bytes(code))
    # Places among the solid bytes: counted so, the leaves of a text without errors touch.
    rank = np.zeros(len(code) + 1, dtype=np.int64)
    rank[solid + 1] = 1
    np.cumsum(rank, out=rank)
    solid_span = rank[leaves.span]
    owner = np.flatnonzero(solid_span[:, 1] > solid_span[:, 0])
    solid_span, wrong = solid_span[owner], error[leaves.number[owner]]
    if wrong.any() or np.diff(solid_span).sum() != len(solid):
        solid_span, owner = _cut(solid_span, owner, wrong, solid, rank[start])
    span = np.stack([solid[solid_span[:, 0]], solid[solid_span[:, 1] - 1] + 1], axis=1)
    begin = np.searchsorted(span[:, 0], start)
    loose = owner < 0
    if loose.any():
        before = np.maximum.accumulate(owner)
        # The leaf before must be one of the same source.
        own = np.repeat(leaves.start[:-1], np.diff(begin))
        owner = np.where(before >= own, before, -1)
    number = np.append(leaves.number, -1)[owner]
    return Leaves(span=span, number=number, loose=loose, start=begin)


def _cut(
    span: IntArray, owner: IntArray, wrong: BoolArray, solid: IntArray, border: IntArray
) -> tuple[IntArray, IntArray]:
    """Add what lies between leaves; cut it and what is `wrong` at blanks. In solid bytes."""
    first, last = span.T
    gap = np.stack([np.append(0, last), np.append(first, len(solid))], axis=1)
    gap = gap[gap[:, 1] > gap[:, 0]]
    # A gap over the border of two sources is two.
    begin = np.union1d(gap[:, 0], border[_within(border, gap)])
    end = gap[np.searchsorted(gap[:, 0], begin, side="right") - 1, 1]
    end = np.minimum(end, np.append(begin[1:], len(solid)))
    begin, end = np.append(begin, first[wrong]), np.append(end, last[wrong])
    source = np.append(np.full(len(end) - wrong.sum(), -1), owner[wrong])

    place = _ranges(begin, end - begin)
    part = np.repeat(np.arange(len(begin)), end - begin)
    edge = np.flatnonzero(
        (np.diff(part, prepend=-1) != 0) | (np.diff(solid[place], prepend=-2) > 1)
    )
    stop = place[np.append(edge[1:], len(place)) - 1] + 1
    first = np.concatenate([first[~wrong], place[edge]])
    last = np.concatenate([last[~wrong], stop])
    owner = np.concatenate([owner[~wrong], source[part[edge]]])
    order = np.argsort(first, kind="stable")
    return np.stack([first, last], axis=1)[order], owner[order]


def _within(points: IntArray, intervals: IntArray) -> BoolArray:
    """Which points lie inside sorted intervals, their ends left out."""
    place = np.searchsorted(intervals[:, 0], points) - 1
    inside: BoolArray = (place >= 0) & (points < np.append(intervals[:, 1], 0)[place])
    return inside


def _ranges(first: IntArray, length: IntArray) -> IntArray:
    """``first[0], first[0]+1, ...`` for each length, one after the other."""
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    step: IntArray = np.arange(total) + np.repeat(first - ends + length, length)
    return step
