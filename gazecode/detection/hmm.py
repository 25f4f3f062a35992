"""Hidden Markov chains of two states over many samples, exactly and without a loop over samples.

L. R. Rabiner 1989, doi:10.1109/5.18626: the forward-backward sums, the most probable sequence of
states (Viterbi), expected transitions (Baum-Welch).

A chain of two states is a product of 2 x 2 matrices. The samples are cut into blocks of equal
length, and each step is taken in all blocks at once: first the product of each block, then the
state at which each block begins, then what lies inside. Viterbi needs only the difference of the
two scores; a step moves it and holds it between two limits, steps of that kind make one of that
kind, and so they are joined block by block as well. Where a chain begins anew (after a loss, a gap
or a break) the matrix has two equal rows: whatever was before, the state is drawn afresh.
"""

import math
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["Chain", "expectations", "most_probable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How states follow each other: 0 and 1.

    Attributes
    ----------
    start
        Probability of state 1 at the first sample of a chain.
    leave
        Probability to leave state 0, and state 1, at each step; at most one half, so that staying
        is never less probable than leaving.
    """

    start: float
    leave: tuple[float, float]

    @property
    def matrix(self) -> FloatArray:
        """``(2, 2)`` probability of the next state (column) after each (row)."""
        out, back = self.leave
        return np.array([[1 - out, out], [back, 1 - back]])


def most_probable(log_odds: FloatArray, begins: BoolArray, chain: Chain) -> BoolArray:
    """Whether each sample is in state 1 in the most probable sequence (Viterbi), ``(n,)``.

    Parameters
    ----------
    log_odds
        ``(n,)`` log density of the observation in state 1 less that in state 0.
    begins
        ``(n,)`` where a chain begins; true for the first sample.
    chain
        Start and transitions.

    Examples
    --------
    >>> chain = Chain(start=0.5, leave=(0.1, 0.1))
    >>> seen = np.array([-3.0, -3.0, 2.0, -3.0, 3.0, 3.0])
    >>> most_probable(seen, np.arange(6) == 0, chain).tolist()
    [False, False, False, False, True, True]
    """
    n = len(log_odds)
    if not n:
        return np.zeros(0, dtype=np.bool_)
    # Log score of each transition, and how far ahead a state must be to be come from anyway.
    (stay_0, go_1), (go_0, stay_1) = np.log(chain.matrix)
    low, high = go_1 - stay_1, stay_0 - go_0
    lead = _leads(log_odds, begins, chain, low=low, high=high)
    # Where one state leads by that much the past is settled; else it is that of the next sample.
    settled = (lead < low) | (lead >= high)
    settled[np.append(begins[1:], True)] = True
    ahead = np.where(np.append(begins[1:], True), lead > 0, lead >= high)
    index = np.where(settled, np.arange(n), n)
    return ahead[np.minimum.accumulate(index[::-1])[::-1]]


def _leads(
    log_odds: FloatArray, begins: BoolArray, chain: Chain, *, low: float, high: float
) -> FloatArray:
    """Best score of a sequence that ends in state 1 less that of one that ends in state 0."""
    # max(go_1, lead + stay_1) - max(stay_0, lead + go_0) is the lead, held and moved.
    drift = math.log1p(-chain.leave[1]) - math.log1p(-chain.leave[0])
    fresh = math.log(chain.start) - math.log1p(-chain.start)
    floor = np.where(begins, fresh, low + drift) + log_odds
    roof = np.where(begins, fresh, high + drift) + log_odds
    move = drift + log_odds
    steps = [_blocks(column, 0.0) for column in (move, floor, roof)]
    shift, bottom, top = (np.array(column[0]) for column in steps)
    for step, least, most in zip(*(column[1:] for column in steps), strict=True):
        # Both limits of the block so far go through the step as any lead does.
        bottom = np.clip(bottom + step, least, most)
        top = np.clip(top + step, least, most)
        shift += step
    lead, entering = 0.0, []
    for moved, least, most in zip(shift.tolist(), bottom.tolist(), top.tolist(), strict=True):
        entering.append(lead)
        lead = min(max(lead + moved, least), most)
    out = np.empty_like(steps[0])
    current = np.array(entering)
    for row, step, least, most in zip(out, *steps, strict=True):
        np.add(current, step, out=row)
        np.clip(row, least, most, out=row)
        current = row
    return _unblocked(out, len(log_odds))


def expectations(
    density: FloatArray, begins: BoolArray, chain: Chain
) -> tuple[FloatArray, FloatArray, float]:
    """What a chain makes of observations: one expectation step of Baum-Welch.

    Parameters
    ----------
    density
        ``(2, n)`` density of each observation in state 0 and state 1, above zero and up to a
        factor of each sample's own.
    begins, chain
        As in `most_probable`.

    Returns
    -------
    probability
        ``(n,)`` of state 1 given all observations of its chain.
    transitions
        ``(2, 2)`` expected number of steps from each state (row) to each (column).
    log_likelihood
        Of all observations, less the logs of the factors.

    Examples
    --------
    >>> density = np.array([[0.9, 0.9, 0.1], [0.1, 0.1, 0.9]])
    >>> chain = Chain(start=0.5, leave=(0.2, 0.2))
    >>> probability, transitions, _ = expectations(density, np.arange(3) == 0, chain)
    >>> probability.round(3), transitions.sum().round(6).item()
    (array([0.055, 0.1  , 0.72 ]), 2.0)
    """
    n = density.shape[1]
    if not n:
        return np.empty(0), np.zeros((2, 2)), 0.0
    matrix = chain.matrix
    drawn = np.array([1 - chain.start, chain.start])
    # steps[i, j]: from i to j and seeing the sample; a block of padding changes nothing.
    steps = np.empty((2, 2, *_shape(n)[::-1]))
    for i in (0, 1):
        for j in (0, 1):
            column = np.where(begins, drawn[j], matrix[i, j]) * density[j]
            steps[i, j] = _blocks(column, float(i == j))
    entering, leaving = _at_borders(_products(steps))
    forward, total = _forward(steps, entering)
    backward = _backward(steps, leaving)
    both = forward * backward
    probability = _unblocked(both[1] / both.sum(axis=0), n)
    transitions = _transitions(
        matrix,
        np.stack([_unblocked(row, n) for row in forward]),
        density * np.stack([_unblocked(row, n) for row in backward]),
        begins,
    )
    return probability, transitions, total


def _transitions(
    matrix: FloatArray, before: FloatArray, after: FloatArray, begins: BoolArray
) -> FloatArray:
    """Expected number of steps between states, ``(2, 2)``, within chains."""
    here, there = before[:, :-1], after[:, 1:]
    parts = [[here[i] * there[j] * matrix[i, j] for j in (0, 1)] for i in (0, 1)]
    weight = ~begins[1:] / (parts[0][0] + parts[0][1] + parts[1][0] + parts[1][1])
    return np.array([[part @ weight for part in row] for row in parts])


def _shape(n: int) -> tuple[int, int]:
    """Number of blocks and their length: few steps, each over many blocks."""
    length = max(math.isqrt(n // 6), 1)
    return -(-n // length), length


def _blocks(column: FloatArray, padding: float) -> FloatArray:
    """``(length, blocks)`` the column cut into blocks, one a column."""
    blocks, length = _shape(len(column))
    padded = np.full(blocks * length, padding)
    padded[: len(column)] = column
    return np.ascontiguousarray(padded.reshape(blocks, length).T)


def _unblocked(table: FloatArray, n: int) -> FloatArray:
    return table.T.reshape(-1)[:n]


def _products(steps: FloatArray) -> FloatArray:
    """Product of each block's matrices up to a factor, ``(2, 2, blocks)``."""
    product = steps[:, :, 0].copy()
    for step in np.moveaxis(steps, 2, 0)[1:]:
        product = product[:, 0, None] * step[0] + product[:, 1, None] * step[1]
        product /= product.max(axis=(0, 1))
    return product


def _at_borders(products: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Forward states that enter each block, backward ones at its end, ``(2, blocks)`` each."""
    each = products.transpose(2, 0, 1).tolist()
    entering, state = [], (0.5, 0.5)
    for (a, b), (c, d) in each:
        entering.append(state)
        p, q = state[0] * a + state[1] * c, state[0] * b + state[1] * d
        state = (p / (p + q), q / (p + q))
    leaving, state = [], (0.5, 0.5)
    for (a, b), (c, d) in reversed(each):
        leaving.append(state)
        p, q = a * state[0] + b * state[1], c * state[0] + d * state[1]
        state = (p / (p + q), q / (p + q))
    return np.array(entering).T, np.array(leaving[::-1]).T


def _forward(steps: FloatArray, entering: FloatArray) -> tuple[FloatArray, float]:
    """Probability of each state given what was seen so far, and the log of all factors."""
    out = np.empty(steps.shape[1:])
    scale = np.empty(steps.shape[2:])
    state = entering
    for k in range(steps.shape[2]):
        state = state[0] * steps[0, :, k] + state[1] * steps[1, :, k]
        np.add(state[0], state[1], out=scale[k])
        state /= scale[k]
        out[:, k] = state
    return out, float(np.log(scale).sum())


def _backward(steps: FloatArray, leaving: FloatArray) -> FloatArray:
    """What is seen later speaks for each state so much, up to a factor."""
    out = np.empty(steps.shape[1:])
    state = leaving
    out[:, -1] = state
    for k in range(steps.shape[2] - 1, 0, -1):
        state = steps[:, 0, k] * state[0] + steps[:, 1, k] * state[1]
        state /= state[0] + state[1]
        out[:, k - 1] = state
    return out
