"""Transitions between groups of tokens: labels, lines, or any other names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError
from gazecode.model import SourceTokens, Transitions
from gazecode.model.checks import BoolArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GroupedTransitions", "group_transitions", "label_transitions", "line_transitions"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupedTransitions:
    """Saccades between groups.

    Attributes
    ----------
    names
        The groups, in ascending order.
    transitions
        Counts from group to group, transitions within one included. Rows divided by their sum
        (`Transitions.share`) say where the eyes went from there.
    left_out
        Saccades with an end on a token of no group.
    """

    names: tuple[str, ...]
    transitions: Transitions
    left_out: float

    def to_frame(self) -> "pd.DataFrame":
        """Counts as a square table, names on both sides: from the row to the column."""
        import pandas as pd

        table = np.zeros((len(self.names), len(self.names)))
        table[self.transitions.origin, self.transitions.target] = self.transitions.count
        return pd.DataFrame(table, index=list(self.names), columns=list(self.names))


def group_transitions(seen: Transitions, groups: Sequence[str | None]) -> GroupedTransitions:
    """Add up the transitions between tokens by the groups of their tokens.

    Parameters
    ----------
    seen
        Between ``m`` tokens, from `gazecode.measures.transitions`.
    groups
        ``(m,)`` the group of each token; None for none.

    Raises
    ------
    DataError
        Not one group per token.

    Examples
    --------
    >>> seen = Transitions(size=3, origin=[0, 0, 2], target=[1, 2, 0], count=[3.0, 1.0, 2.0])
    >>> found = group_transitions(seen, ["name", "loop", "name"])
    >>> found.to_frame()
          loop  name
    loop   0.0   0.0
    name   3.0   3.0
    """
    if len(groups) != seen.size:
        raise DataError(f"{len(groups)} groups for {seen.size} tokens; expected one each")
    names = sorted({name for name in groups if name is not None})
    number = {name: i for i, name in enumerate(names)}
    of = np.array([-1 if name is None else number[name] for name in groups], dtype=np.int64)
    a, b = of[seen.origin], of[seen.target]
    both: BoolArray = (a >= 0) & (b >= 0)
    size = max(len(names), 1)
    cell, inverse = np.unique(a[both] * size + b[both], return_inverse=True)
    origin, target = np.divmod(cell, size)
    return GroupedTransitions(
        names=tuple(names),
        transitions=Transitions(
            size=len(names),
            origin=origin,
            target=target,
            count=np.bincount(inverse, seen.count[both], len(cell)).astype(np.float64),
        ),
        left_out=float(seen.count[~both].sum()),
    )


def label_transitions(seen: Transitions, tokens: SourceTokens) -> GroupedTransitions:
    """Between semantic labels; tokens without a label (punctuation) are in no group."""
    return group_transitions(seen, [label or None for label in tokens.label])


def line_transitions(seen: Transitions, tokens: SourceTokens) -> GroupedTransitions:
    """Between lines: names are 0-based rows, filled with zeros to sort as numbers do."""
    width = len(str(int(tokens.row.max()))) if len(tokens) else 1
    return group_transitions(seen, [f"{row:0{width}d}" for row in tokens.row.tolist()])
