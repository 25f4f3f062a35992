"""Saccades between AST tokens to saccades between subwords, for a batch of texts at once.

A subword's row is that of its token (`Spread.token_index`), copied to each shard; columns are split
by the bytes that the shards own. So every row still sums to 1 whatever the tokenizer does. Counts
are split by owned bytes on both sides, so that they sum to the saccades.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.spread import Spread
from gazecode.alignment.subwords.offsets import first_of, ranges, summed
from gazecode.errors import AlignmentError, DataError
from gazecode.model import Transitions
from gazecode.model.checks import Array, BoolArray, FloatArray, IntArray

__all__ = ["saccades_lost", "spread_transitions"]


def spread_transitions(
    transitions: Transitions, spread: Spread, first_position: IntArray
) -> dict[str, Array]:
    """Bring saccades between tokens to positions.

    Parameters
    ----------
    transitions
        Over the ``m`` tokens of all texts, laid end to end; none leads into another text.
    spread
        Where the ``m`` tokens lie among the ``n`` subwords.
    first_position
        ``(d + 1,)`` where each text begins among the subwords; the last is ``n``.

    Returns
    -------
    dict of str to array
        The columns of `ExampleBatch`: `first_transition` ``(d + 1,)``, and ``(k,)`` of
        `transition_from`, `transition_to` (positions within their own text, sorted by both),
        `transition_share` (each row sums to 1) and `transition_count` (saccades). A token that
        owns no byte is left out of all rows, which are renormalised; a token that is no subword's
        own has no row (`saccades_lost` counts both). A shard that owns no byte of its token has the
        row with counts of 0.

    Raises
    ------
    AlignmentError
        Transitions of other tokens, or positions of other texts.
    DataError
        A transition from one text to another.

    Examples
    --------
    >>> from gazecode.alignment.subwords.offsets import byte_positions, own
    >>> pieces = own(
    ...     np.array([[0, 3], [3, 4], [4, 6]]), byte_positions("getX y"), lambda i: np.zeros((0, 2))
    ... )
    >>> spread = Spread(pieces, np.array([[0, 4], [5, 6]]))  # get|X, then " y"
    >>> seen = Transitions(size=2, origin=[0, 1], target=[1, 0], count=[4.0, 2.0])
    >>> found = spread_transitions(seen, spread, np.array([0, 3]))
    >>> found["transition_from"], found["transition_to"]
    (array([0, 1, 2, 2]), array([2, 2, 0, 1]))
    >>> found["transition_share"], found["transition_count"]
    (array([1.  , 1.  , 0.75, 0.25]), array([3. , 1. , 1.5, 0.5]))
    """
    _check(transitions, spread, first_position)
    rows, columns = _rows(spread), _columns(spread)
    kept = _kept(transitions, rows, columns)
    origin, target = transitions.origin[kept], transitions.target[kept]
    share = np.asarray(transitions.share)[kept]
    share = share / summed(origin, share, transitions.size)[origin]
    cell, row, col = _product(rows.count[origin], columns.count[target])
    row += rows.first[origin][cell]
    col += columns.first[target][cell]
    part = columns.part[col]
    return _sorted_cells(
        rows.subword[row],
        columns.subword[col],
        share[cell] * part,
        transitions.count[kept][cell] * rows.part[row] * part,
        first_position,
    )


def saccades_lost(transitions: Transitions, spread: Spread, first_token: IntArray) -> FloatArray:
    """``(d,)`` saccades of each text that no pair of subwords has.

    Their token owns no byte (white space trimmed away, a character that the tokenizer drops), or
    the eyes left from a token that lies in a subword of a larger one.

    Parameters
    ----------
    transitions, spread
        As for `spread_transitions`.
    first_token
        ``(d + 1,)`` where each text begins among the tokens; the last is ``m``.
    """
    rows, columns = _rows(spread), _columns(spread)
    lost = ~(_kept(transitions, rows, columns) & (rows.total[transitions.origin] > 0))
    text = _group(first_token, transitions.origin[lost])
    return summed(text, transitions.count[lost], len(first_token) - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shards:
    """Subwords by token: those of token ``t`` are the `count` ones from ``first[t]`` on.

    `part` is the share of the token's bytes that each holds, of the `total` that all of them hold.
    """

    subword: IntArray
    part: FloatArray
    first: IntArray
    count: IntArray
    total: FloatArray


def _by_token(subword: IntArray, token: IntArray, n_bytes: FloatArray, m: int) -> _Shards:
    order = np.argsort(token, kind="stable")
    subword, token, n_bytes = subword[order], token[order], n_bytes[order]
    count = np.bincount(token, minlength=m)
    total = summed(token, n_bytes, m)
    per = total[token]
    part = np.divide(n_bytes, per, out=np.zeros(len(per)), where=per > 0)
    return _Shards(subword=subword, part=part, first=first_of(count), count=count, total=total)


def _columns(spread: Spread) -> _Shards:
    """All subwords that own a byte of a token."""
    subword, token, n_bytes = spread.parts
    owns = n_bytes > 0
    return _by_token(subword[owns], token[owns], n_bytes[owns], len(spread.owned))


def _rows(spread: Spread) -> _Shards:
    """The subwords whose own token it is."""
    subword, token, n_bytes = spread.parts
    own = token == spread.token_index[subword]
    held = summed(subword[own], n_bytes[own], spread.n_subwords)
    shard = np.flatnonzero(spread.token_index >= 0)
    return _by_token(shard, spread.token_index[shard], held[shard], len(spread.owned))


def _kept(transitions: Transitions, rows: _Shards, columns: _Shards) -> BoolArray:
    """``(k,)`` cells with a row and a column among the subwords."""
    there: BoolArray = rows.count[transitions.origin] > 0
    return there & (columns.count[transitions.target] > 0) & (np.asarray(transitions.share) > 0)


def _product(n_rows: IntArray, n_columns: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Every row with every column of each cell: number of the cell, of the row, of the column."""
    size = n_rows * n_columns
    cell = np.repeat(np.arange(len(size)), size)
    row, column = np.divmod(ranges(np.zeros_like(size), size), n_columns[cell])
    return cell, row, column


def _sorted_cells(
    origin: IntArray,
    target: IntArray,
    share: FloatArray,
    count: FloatArray,
    first_position: IntArray,
) -> dict[str, Array]:
    """Cells sorted by row and column, those of one pair of subwords summed."""
    found, other = (_group(first_position, ends) for ends in (origin, target))
    for i in np.flatnonzero(found != other)[:1].tolist():
        raise DataError(
            f"a transition leads from position {origin[i]} to {target[i]}, of another text; "
            "expected saccades within one text"
        )
    n = int(first_position[-1])
    cell, group = np.unique(origin * n + target, return_inverse=True)
    row, column = np.divmod(cell, max(n, 1))
    text = _group(first_position, row)
    return {
        "first_transition": first_of(np.bincount(text, minlength=len(first_position) - 1)),
        "transition_from": row - first_position[text],
        "transition_to": column - first_position[text],
        "transition_share": summed(group, share, len(cell)),
        "transition_count": summed(group, count, len(cell)),
    }


def _group(first: IntArray, number: IntArray) -> IntArray:
    """Which of consecutive groups each number lies in."""
    group: IntArray = np.searchsorted(first, number, side="right") - 1
    return group


def _check(transitions: Transitions, spread: Spread, first_position: IntArray) -> None:
    if transitions.size != len(spread.owned):
        raise AlignmentError(
            f"the transitions join {transitions.size} tokens and there are {len(spread.owned)}; "
            "pass those of the tokens that are aligned"
        )
    if first_position[-1] != spread.n_subwords:
        raise AlignmentError(
            f"the texts end at position {first_position[-1]}; expected {spread.n_subwords}"
        )
