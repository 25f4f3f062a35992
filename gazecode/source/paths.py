"""Paths of ancestors, followed while walking a tree.

Equal paths are stored once: a file has few different ones, so that a token costs one number.
"""

from dataclasses import dataclass, field
from typing import cast

from gazecode.source.automaton import RuleMoves
from gazecode.source.leaves import Child, Key

__all__ = ["MAX_PATH", "PathMoves", "PathTable"]

MAX_PATH = 512
"""Deeper ancestors are left out of a path: it would grow with the square of the nesting."""


@dataclass(slots=True, eq=False)
class PathTable:
    """What leaves are, and under which ancestors: grows while trees are walked.

    Attributes
    ----------
    names
        Kinds by number.
    paths
        Kinds of ancestors from the root down.
    kind, path, outcome
        Per number that a leaf takes away: its kind, its place in `paths`, what the rules say.
    """

    names: dict[int, str]
    paths: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    kind: list[int] = field(default_factory=list)
    path: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    _inner: dict[tuple[int, int], int] = field(default_factory=dict)
    _moves: dict[tuple[int, int], "PathMoves"] = field(default_factory=dict)

    def add_leaf(self, kind: int, path: int, outcome: int) -> int:
        """Return the number of a kind of leaf."""
        self.kind.append(kind)
        self.path.append(path)
        self.outcome.append(outcome)
        return len(self.kind) - 1

    def moves(self, rules: RuleMoves, path: int) -> "PathMoves":
        """Return the state of a walk at the end of a path."""
        key = (id(rules), path)
        if key not in self._moves:
            self._moves[key] = PathMoves(self, rules, path)
        return self._moves[key]

    def inside(self, path: int, kind: int) -> int:
        """Return the path inside a node of some kind."""
        if len(self.paths[path]) >= MAX_PATH:
            return path
        found = self._inner.setdefault((path, kind), len(self.paths))
        if found == len(self.paths):
            self.paths.append((*self.paths[path], self.names[kind]))
        return found


class PathMoves(dict[Key, "Child | None"]):
    """A state of the rules at the end of a path, as `gazecode.source.leaves.Moves`."""

    __slots__ = ("opens", "path", "rules", "table")

    def __init__(self, table: PathTable, rules: RuleMoves, path: int) -> None:
        super().__init__()
        self.opens = rules.opens
        self.path = path
        self.rules = rules
        self.table = table

    def __missing__(self, key: Key) -> Child | None:
        coarse = self.rules[key]
        child = coarse and Child(
            kind=coarse.kind, field=coarse.field, splits=coarse.splits, coarse=coarse
        )
        if child and coarse and coarse.then is not None:
            self.leaf(child)
            child.then = self.table.moves(cast("RuleMoves", coarse.then), self.path)
        return self.setdefault(key, child)

    def leaf(self, child: Child, /) -> int:
        """Number of a leaf in the table."""
        coarse = child.coarse or child
        outcome = self.rules.leaf(coarse) if coarse.number is None else coarse.number
        child.number = number = self.table.add_leaf(child.kind, self.path, outcome)
        return number

    def enter(self, child: Child, /) -> "PathMoves":
        """State inside a child."""
        coarse = child.coarse or child
        known = cast("RuleMoves | None", coarse.inner or coarse.opened)
        rules = self.rules.enter(coarse) if known is None else known
        inner = self.table.moves(rules, self.table.inside(self.path, child.kind))
        if inner.opens:
            child.opened = inner
        else:
            child.inner = inner
        return inner
