"""Semantic labels of tokens, by the role of the nodes around them (`gazecode.source.roles`).

Structural and coarse: names are looked up in the outermost function, not by scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import IntArray, StrArray
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles

__all__ = ["LeafTable", "Node", "label_leaves"]

PUNCTUATION = frozenset("(){}[];,.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """What a rule may ask of a node: its kind, its field, and the same of its parent."""

    kind: str
    field: str = ""
    parent_kind: str = ""
    parent_field: str = ""
    grandparent_kind: str = ""

    def places(self) -> tuple[str, ...]:
        """Return every way a rule can name this node."""
        return (
            self.kind,
            f"{self.parent_kind}.{self.field}",
            f"{self.parent_kind}/{self.kind}",
            f"{self.grandparent_kind}.{self.parent_field}.{self.field}",
        )


def _bits(places: Mapping[str, int], node: Node) -> int:
    bits = 0
    for place in node.places():
        bits |= places.get(place, 0)
    return bits


def _index(lists: list[str]) -> dict[str, int]:
    """Place or word → the set of rules that name it, as bits."""
    index: dict[str, int] = {}
    for number, text in enumerate(lists):
        for name in text.split():
            index[name] = index.get(name, 0) | 1 << number
    return index


def label_leaves(
    roles: Roles, texts: list[str], chains: list[Node], above: list[int], leaves: "LeafTable"
) -> StrArray:
    """Label every leaf.

    Parameters
    ----------
    texts
        Text of each leaf.
    chains, above
        The nodes that contexts end in, and the number of the context above each (-1: none).
    leaves
        Kinds of leaves in their contexts, and which of them each leaf is.
    """
    places = _index([rule.places for rule in roles.rules])
    words = _index([rule.words for rule in roles.rules])
    special = _index([roles.declares, roles.assigns])
    claimed: list[int] = []
    marked: list[int] = []
    for node, up in zip(chains, above, strict=True):
        claimed.append(_bits(places, node) | (claimed[up] if up >= 0 else 0))
        marked.append(_bits(special, node) | (marked[up] if up >= 0 else 0))
    names: list[str] = []
    marks: list[int] = []
    for node, context in zip(leaves.nodes, leaves.contexts, strict=True):
        bits = claimed[context] | _bits(places, node) | words.get(node.kind, 0)
        names.append(_structural(roles, node, bits))
        marks.append((marked[context] | _bits(special, node)) if node.kind in roles.names else 0)
    label: StrArray = np.array(names, dtype=object)[leaves.number]
    mark = np.array(marks, dtype=np.int64)[leaves.number]
    return _resolve_names(label, mark, texts, leaves.scope)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeafTable:
    """Distinct (context, leaf node) pairs; per leaf ``(m,)`` its pair and its function."""

    nodes: list[Node]
    contexts: list[int]
    number: IntArray
    scope: IntArray


_NO_ROLE = frozenset({":", "@", "ERROR"})

_NAME = "name"
"""Stands for a name until it is known whether the function declares it."""


def _structural(roles: Roles, node: Node, bits: int) -> str:
    if node.kind in PUNCTUATION:
        return ""
    if bits:
        return roles.rules[(bits & -bits).bit_length() - 1].label
    if node.kind in roles.literals:
        return "assignment" if node.parent_kind.startswith("assignment") else "literal"
    if node.kind in roles.names:
        return "function call" if f"{node.parent_kind}.{node.field}" == "call.function" else _NAME
    if node.kind in _NO_ROLE:
        return ""
    return EXTERNAL if node.kind.isidentifier() else "operator"


def _resolve_names(label: StrArray, mark: IntArray, texts: list[str], scope: IntArray) -> StrArray:
    seen: set[tuple[int, str]] = set()
    scopes = scope.tolist()
    for i in np.flatnonzero(mark).tolist():
        key = (scopes[i], texts[i])
        if mark[i] & 2 and key not in seen and label[i] == _NAME:
            label[i] = DECLARATION
        seen.add(key)
    for i in np.flatnonzero(label == _NAME).tolist():
        if (scopes[i], texts[i]) in seen:
            label[i] = "variable"
        else:
            label[i] = "external class" if texts[i][:1].isupper() else EXTERNAL
    return label
