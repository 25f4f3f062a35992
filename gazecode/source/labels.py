"""Semantic labels of leaves, over all sources of a batch at once.

What a leaf's ancestors say is known from the walk (`gazecode.source.automaton`). Left are rules
that ask for a neighbour, and names: structural and coarse, a name is looked up in the outermost
function around it, not by scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import BoolArray, IntArray
from gazecode.model.labels import LABELS, CodeArray
from gazecode.source.automaton import OutcomeTable
from gazecode.source.leaves import Leaves
from gazecode.source.program import AFTER, BEFORE
from gazecode.source.roles import DECLARATION, EXTERNAL

__all__ = ["Sources", "apply_names", "label_leaves"]

_VARIABLE, _CLASS, _EXTERNAL, _DECLARATION, _CALL = (
    LABELS.index(label)
    for label in ("variable", "external class", EXTERNAL, DECLARATION, "function call")
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """Sources laid end to end.

    Attributes
    ----------
    code
        All of them.
    start
        ``(d + 1,)`` where each begins, and the end of the last.
    functions
        ``(f, 2)`` bytes of the functions that names are looked up in, in text order; one may stand
        inside another.
    """

    code: bytes
    start: IntArray
    functions: IntArray

    def scope(self, at: IntArray) -> IntArray:
        """Number of the function around bytes; a number below 0 per source outside of all."""
        border, scope = [0], [-1]
        around: list[tuple[int, int]] = []
        for number, (start, end) in enumerate([*self.functions.tolist(), [len(self.code)] * 2]):
            while around and around[-1][0] <= start:
                border.append(around.pop()[0])
                scope.append(around[-1][1] if around else -1)
            around.append((end, number))
            border.append(start)
            scope.append(number)
        found = np.array(scope)[np.searchsorted(border, at, side="right") - 1]
        outside = -np.searchsorted(self.start, at, side="right")
        return np.where(found < 0, outside, found)


def label_leaves(
    leaves: Leaves, table: OutcomeTable, rules: CodeArray, sources: Sources
) -> CodeArray:
    """Label every leaf.

    Parameters
    ----------
    leaves
        Their numbers are places in `table`.
    rules
        Label of every rule.
    """
    outcome = leaves.number
    if not len(outcome) or not len(table.role):
        return np.zeros(len(outcome), dtype=np.int8)
    label, name, marks = table.label[outcome], table.name[outcome], table.marks[outcome]
    if table.waits.any():
        _ask_neighbours(label, name, leaves, table, rules)
    if leaves.loose.any():
        around = np.where(outcome < 0, np.int8(0), table.around[outcome])
        label = np.where(leaves.loose, around, label)
        name &= ~leaves.loose
        marks[leaves.loose] = 0
    _resolve_names(label, name, marks, leaves.span, sources)
    return label


def _ask_neighbours(
    label: CodeArray,
    name: BoolArray,
    leaves: Leaves,
    table: OutcomeTable,
    rules: CodeArray,
) -> None:
    """Let the rules decide, in place, that hold only next to some other leaf."""
    for side in (BEFORE, AFTER):
        asking = np.flatnonzero(table.waits[leaves.number, side] > 0)
        asking = asking[~leaves.loose[asking]]
        other = _beyond(asking, side)
        source = np.searchsorted(leaves.start, np.stack([asking, other]), side="right")
        near = source[0] == source[1]
        asking, other = asking[near], other[near]
        allowed = np.where(leaves.loose[other], 0, table.allows[leaves.number[other], side])
        granted = table.waits[leaves.number[asking], side] & allowed
        # Punctuation asks as part of a row; a label it has not.
        chosen = np.flatnonzero((granted > 0) & ~table.punctuation[leaves.number[asking]])
        for leaf, bits in zip(asking[chosen].tolist(), granted[chosen].tolist(), strict=True):
            label[leaf] = rules[(bits & -bits).bit_length() - 1]
            name[leaf] = False


def _beyond(asking: IntArray, side: int) -> IntArray:
    """Leaf next to the row of asking leaves that each of them stands in."""
    first = np.diff(asking, prepend=-2) > 1
    # Of each row only its end on that side knows; the others take what it says.
    end = first if side == AFTER else np.append(first[1:], True)[: len(asking)]
    step = 1 if side == BEFORE else -1
    row = np.cumsum(first) - 1
    found: IntArray = (asking[end] + step)[row]
    return found


def _resolve_names(
    label: CodeArray, name: BoolArray, marks: IntArray, span: IntArray, sources: Sources
) -> None:
    """Decide, in place, what depends on where a name is declared."""
    asked = np.flatnonzero(name | (marks > 0))
    around = sources.scope(span[asked, 0])
    code = sources.code
    worth = _worth_knowing(name[asked], around, span[asked], code)
    asked, scope = asked[worth], around[worth].tolist()
    keys = [(s, code[a:b]) for s, (a, b) in zip(scope, span[asked].tolist(), strict=True)]
    declared: set[tuple[int, bytes]] = set()
    found: list[int] = label[asked].tolist()
    is_open = name[asked].tolist()
    for k, mark in enumerate(marks[asked].tolist()):
        if mark & 2 and is_open[k] and keys[k] not in declared:
            found[k], is_open[k] = _DECLARATION, False
        if mark:
            declared.add(keys[k])
    for k, (key, still_open) in enumerate(zip(keys, is_open, strict=True)):
        if still_open:
            found[k] = _VARIABLE if key in declared else _by_letter(key[1])
    label[asked] = found


def _worth_knowing(is_open: BoolArray, scope: IntArray, span: IntArray, code: bytes) -> BoolArray:
    """Open names, and whatever may declare one: names that look alike from afar.

    Most declarations are of names that some rule claims anyway; a set of them costs more than a
    glance at three of their letters.
    """
    raw = np.frombuffer(code, dtype=np.uint8)
    start, end = span.T
    letters = [raw[start], raw[(start + end) // 2], raw[end - 1]]
    look = scope << 32 | np.minimum(end - start, 255) << 24
    for place, letter in enumerate(letters):
        look |= letter.astype(np.int64) << 8 * place
    return is_open | np.isin(look, look[is_open])


def _by_letter(name: bytes) -> int:
    first = name[:1] if name.isascii() else name.decode("utf-8", "replace")[:1]
    return _CLASS if first.isupper() else _EXTERNAL


def apply_names(
    label: CodeArray,
    leaves: Leaves,
    identifier: BoolArray,
    code: bytes,
    names: Mapping[bytes, int],
) -> None:
    """Label callees, and names declared elsewhere, by a table, in place.

    Names the table does not have keep their label. `identifier` goes by number of leaf.
    """
    if not len(identifier):
        return
    open_to_it = (label == _CALL) | (label == _EXTERNAL)
    asked = np.flatnonzero(open_to_it & identifier[leaves.number] & ~leaves.loose)
    for leaf, (start, end) in zip(asked.tolist(), leaves.span[asked].tolist(), strict=True):
        label[leaf] = names.get(code[start:end], label[leaf])
