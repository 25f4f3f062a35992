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
    for side, step in ((BEFORE, 1), (AFTER, -1)):
        asking = np.flatnonzero(table.waits[leaves.number, side] > 0)
        asking = asking[~leaves.loose[asking]]
        other = asking + step
        source = np.searchsorted(leaves.start, np.stack([asking, other]), side="right")
        near = source[0] == source[1]
        asking, other = asking[near], other[near]
        allowed = np.where(leaves.loose[other], 0, table.allows[leaves.number[other], side])
        granted = table.waits[leaves.number[asking], side] & allowed
        for leaf, bits in zip(asking.tolist(), granted.tolist(), strict=True):
            if bits:
                label[leaf] = rules[(bits & -bits).bit_length() - 1]
                name[leaf] = False


def _resolve_names(
    label: CodeArray, name: BoolArray, marks: IntArray, span: IntArray, sources: Sources
) -> None:
    """Decide, in place, what depends on where a name is declared."""
    asked = np.flatnonzero(name | (marks > 0))
    scope = sources.scope(span[asked, 0]).tolist()
    code = sources.code
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
