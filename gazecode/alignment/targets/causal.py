"""Saccades as rows of attention, for models that look back only and for those that look both ways.

About half of all saccades in code go backward, the others forward; a causal model can look back
only. So a target says which direction of the saccades it takes, what no causal row can hold, and
how much of the whole that was.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.subwords.offsets import summed
from gazecode.errors import DataError, ParameterError
from gazecode.model import Transitions
from gazecode.model.checks import BoolArray, FloatArray, IntArray, column

__all__ = ["DIRECTIONS", "CausalTarget", "causal_target", "full_target"]

DIRECTIONS = ("forward", "transpose", "symmetric")
"""``forward``: row i says where the eyes went from i. ``transpose``: where they came from to i.
``symmetric``: both counts summed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CausalTarget:
    """Rows of attention that a causal model can follow, and what it cannot.

    Attributes
    ----------
    rows
        ``(n, n)`` sparse; `share` sums to 1 in every row that is not empty, and no cell lies above
        the diagonal. `count` is the mass before rows were renormalised.
    key
        ``(n,)`` positions over which a model's row is renormalised, too (those up to its own).
    skipped_rows
        Rows that had mass and kept none: all of it lay on later positions, or on no key.
    discarded_share
        Share of the whole mass that no causal row can hold.
    removed_share
        Share of the whole mass that a causal row could hold and that lay on no key.
    """

    rows: Transitions
    key: BoolArray
    skipped_rows: int
    discarded_share: float
    removed_share: float = 0.0

    def __post_init__(self) -> None:
        key = column(self, "key", np.bool_)
        if len(key) != self.rows.size:
            raise DataError(f"there are {len(key)} keys for {self.rows.size} positions")
        if np.any(self.rows.target > self.rows.origin):
            raise DataError("a row holds a later position; expected a causal target")

    def __len__(self) -> int:
        return self.rows.size

    @property
    def query(self) -> BoolArray:
        """``(n,)`` positions whose row has mass: those to supervise."""
        filled: BoolArray = np.zeros(len(self), dtype=bool)
        filled[self.rows.origin] = True
        return filled

    def to_dense(self) -> FloatArray:
        """``(n, n)`` shares; rows without mass are all 0."""
        dense: FloatArray = np.zeros((len(self), len(self)))
        dense[self.rows.origin, self.rows.target] = self.rows.share
        return dense


def causal_target(
    transitions: Transitions, *, direction: str = "forward", keys: BoolArray | None = None
) -> CausalTarget:
    """Restrict saccades to what a causal model can follow, row by row.

    Parameters
    ----------
    transitions
        Saccades between ``n`` positions, as `Example.transitions` has them.
    direction
        A name in `DIRECTIONS`. ``forward`` takes the shares of the rows; the other two take the
        counts, because columns of shares have no common unit. ``symmetric`` is the count matrix
        plus its transpose, so that a saccade from a token to itself counts on both ends.
    keys
        ``(n,)`` positions that may be looked at, as `source_keys` gives them; None for all.

    Returns
    -------
    CausalTarget
        Shares of saccades are of the saccades given, each counted once: what is kept, what is
        discarded (a causal row would have to look ahead; none under ``symmetric``) and what is
        removed (it lands on no key) sum to 1.

    Raises
    ------
    ParameterError
        Unknown direction, or keys of another length.

    Examples
    --------
    >>> saccades = Transitions(
    ...     size=3, origin=[0, 1, 2, 2], target=[2, 2, 0, 1], count=[2.0, 4.0, 1.0, 1.0]
    ... )
    >>> found = causal_target(saccades)
    >>> found.to_dense()[2], found.discarded_share
    (array([0.5, 0.5, 0. ]), 0.75)
    >>> causal_target(saccades, direction="transpose").rows.share
    array([0.33333333, 0.66666667])
    """
    whole = full_target(transitions, direction=direction)
    key = _keys(keys, whole.size)
    seen = whole.target <= whole.origin
    kept = seen & key[whole.target]
    rows = Transitions(
        size=whole.size,
        origin=whole.origin[kept],
        target=whole.target[kept],
        count=whole.count[kept],
        share=_row_shares(whole.origin[kept], _mass(whole, direction)[kept], whole.size),
    )
    held, on_key = _held(transitions, direction, key)
    total = float(transitions.count.sum()) or 1.0
    return CausalTarget(
        rows=rows,
        key=key,
        skipped_rows=_n_rows(whole) - _n_rows(rows),
        discarded_share=float(transitions.count[~held].sum()) / total,
        removed_share=float(transitions.count[held & ~on_key].sum()) / total,
    )


def full_target(transitions: Transitions, *, direction: str = "forward") -> Transitions:
    """Whole rows, for encoders: they look both ways.

    Parameters
    ----------
    direction
        As for `causal_target`.

    Returns
    -------
    Transitions
        ``(n, n)``; every row sums to 1 or is empty. Cells without mass are left out.

    Raises
    ------
    ParameterError
        Unknown direction.

    Examples
    --------
    >>> saccades = Transitions(size=2, origin=[0, 1], target=[1, 0], count=[3.0, 1.0])
    >>> full_target(saccades, direction="symmetric").count
    array([4., 4.])
    """
    if direction not in DIRECTIONS:
        raise ParameterError.unknown("directions", direction, DIRECTIONS)
    mass, n = _mass(transitions, direction), transitions.size
    moved = mass > 0
    origin, target = transitions.origin[moved], transitions.target[moved]
    count = transitions.count[moved]
    if direction == "forward":
        share = _row_shares(origin, mass[moved], n)
        return Transitions(size=n, origin=origin, target=target, count=count, share=share)
    cell = target * n + origin
    if direction == "symmetric":
        cell, count = np.concatenate([cell, origin * n + target]), np.concatenate([count, count])
    found, group = np.unique(cell, return_inverse=True)
    row, place = np.divmod(found, max(n, 1))
    return Transitions(size=n, origin=row, target=place, count=summed(group, count, len(found)))


def _keys(keys: BoolArray | None, n: int) -> BoolArray:
    key = np.ones(n, dtype=bool) if keys is None else np.asarray(keys, dtype=bool)
    if key.shape != (n,):
        raise ParameterError(f"keys has shape {key.shape}; expected one flag for each of {n}")
    return key


def _mass(transitions: Transitions, direction: str) -> FloatArray:
    """``(k,)`` what a row is made of: shares where rows are kept, counts where they are mixed."""
    return np.asarray(transitions.share if direction == "forward" else transitions.count)


def _row_shares(origin: IntArray, mass: FloatArray, n: int) -> FloatArray:
    """``(k,)`` mass divided by the sum of its row."""
    return np.asarray(mass / summed(origin, mass, n)[origin])


def _n_rows(transitions: Transitions) -> int:
    """Rows that are not empty; cells are sorted by row."""
    return int((np.diff(transitions.origin, prepend=-1) > 0).sum())


def _held(transitions: Transitions, direction: str, key: BoolArray) -> tuple[BoolArray, BoolArray]:
    """``(k,)`` saccades that a causal row holds, and those that land on a key there."""
    origin, target = transitions.origin, transitions.target
    row, looked_at = {
        "forward": (origin, target),
        "transpose": (target, origin),
        "symmetric": (np.maximum(origin, target), np.minimum(origin, target)),
    }[direction]
    return looked_at <= row, key[looked_at]
