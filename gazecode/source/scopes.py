"""What the captures of a query of locals say, and the tree of scopes they make.

See `gazecode.source.links` for the captures. Scopes are found in one sweep over the captured
nodes, whatever their depth; no function here calls itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model.checks import IntArray

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["NEVER", "NONE", "Rule", "Scopes", "find_scopes", "read_rule"]

NONE = -1
NEVER = 1 << 62
_VALUES = frozenset({"var", "parameter", "function", "constant", "import", "macro", "field"})
_PLACES = frozenset({"at-outer", "at-function", "at-class", "at-root"})
_WORDS = _PLACES | {"hoisted", "after", "fresh", "overload", "weak", "of-class", "always", "next"}
_REGIONS = frozenset({"scope", "extent", "binding"})
_Key = tuple[int, int, int]
_Frame = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One capture name, taken apart, and the nodes it captured."""

    kind: str
    words: frozenset[str]
    spaces: tuple[str, ...]
    nodes: "list[Node]"


def read_rule(name: str, nodes: "list[Node]") -> Rule:
    """Take ``local.definition.var.at-outer`` apart: kind, words, namespaces."""
    _, kind, *words = name.split(".")
    named = ["value" if w in _VALUES else w for w in words if w not in _WORDS]
    return Rule(kind, frozenset(words), tuple(dict.fromkeys(named)) or ("value",), nodes)


@dataclass(slots=True)
class Scopes:
    """The tree of scopes, numbered so that those within scope s are ``s..last[s]``.

    `place`, `scope`, `limit` and `binding` say what holds from each byte on: the innermost scope,
    the end of the innermost extent, and the rule of the binding around.
    """

    parent: list[int]
    last: list[int]
    words: list[set[str]]
    function: list[int]
    owner: list[int]
    place: IntArray
    scope: IntArray
    limit: IntArray
    binding: IntArray

    def at(self, byte: IntArray) -> IntArray:
        """The stretch each byte lies in."""
        stretch: IntArray = np.searchsorted(self.place, byte, side="right") - 1
        return stretch


@dataclass(slots=True)
class _Region:
    words: set[str] = field(default_factory=set)
    binding: int = NONE
    extent: bool = False


def _regions(root: "Node", rules: Sequence[Rule]) -> tuple[_Region, list[tuple[_Key, _Region]]]:
    """What holds inside the captured nodes, outer ones first; the root's apart."""
    regions: dict[_Key, _Region] = {}
    for number, rule in enumerate(rules):
        if rule.kind not in _REGIONS:
            continue
        for node in rule.nodes:
            start, end = node.byte_range
            # Of two nodes with equal bytes the outer one has more descendants.
            region = regions.setdefault((start, -end, -node.descendant_count), _Region())
            if rule.kind == "scope":
                region.words |= rule.words or {"plain"}
            elif rule.kind == "binding":
                region.binding = number
            else:
                region.extent = True
    key = (root.start_byte, -root.end_byte, -root.descendant_count)
    return regions.pop(key, _Region()), sorted(regions.items(), key=lambda item: item[0])


def find_scopes(root: "Node", rules: Sequence[Rule]) -> Scopes:
    """Sweep the regions once in text order, with the open ones on a stack."""
    whole, regions = _regions(root, rules)
    parent, words = [NONE], [whole.words]
    # Where it ends, its scope, the end of its extent, its binding.
    frames: list[_Frame] = [(NEVER, 0, NEVER, NONE)]
    rows: list[_Frame] = [(0, *frames[0][1:])]
    for (start, minus_end, _), region in regions:
        if -minus_end <= start:
            continue
        while frames[-1][0] <= start:
            end = frames.pop()[0]
            rows.append((end, *frames[-1][1:]))
        _, scope, limit, binding = frames[-1]
        if region.words:
            binding = NONE
            scope = max(parent[scope], 0) if "outside" in region.words else scope
            if region.words != {"outside"}:
                parent.append(scope)
                words.append(region.words)
                scope = len(parent) - 1
        limit = -minus_end if region.extent else limit
        binding = region.binding if region.binding >= 0 else binding
        frames.append((-minus_end, scope, limit, binding))
        rows.append((start, scope, limit, binding))
    # What is still open ends after all later text, in this order.
    pairs = zip(reversed(frames[1:]), reversed(frames[:-1]), strict=True)
    rows.extend((inner[0], *outer[1:]) for inner, outer in pairs)
    return _numbered(parent, words, np.array(rows, dtype=np.int64))


def _numbered(parent: list[int], words: list[set[str]], rows: IntArray) -> Scopes:
    """Number scopes from the root down, each before those inside it and they before the next."""
    n = len(parent)
    size = [1] * n
    for scope in range(n - 1, 0, -1):
        size[parent[scope]] += size[scope]
    number, free = [0] * n, [1] * n
    for scope in range(1, n):
        number[scope] = free[parent[scope]]
        free[parent[scope]] += size[scope]
        free[scope] = number[scope] + 1
    new = np.array(number, dtype=np.int64)
    order = np.argsort(new).tolist()
    above = [number[parent[old]] if old else NONE for old in order]
    flags = [words[old] for old in order]
    function, owner = [0] * n, [NONE] * n
    for scope, up in enumerate(above):
        if up >= 0:
            function[scope] = scope if "function" in flags[scope] else function[up]
        around = owner[up] if up >= 0 and "receiver" not in flags[scope] else NONE
        owner[scope] = scope if "class" in flags[scope] else around
    return Scopes(
        parent=above,
        last=[scope + size[old] - 1 for scope, old in enumerate(order)],
        words=flags,
        function=function,
        owner=owner,
        place=rows[:, 0],
        scope=new[rows[:, 1]],
        limit=rows[:, 2],
        binding=rows[:, 3],
    )
