"""Lines of code, read with jumps: a hidden Markov model of line, noise and drift.

Prose methods expect one return sweep per line. Code is not read so: of 11,000 moves over Java and
Python two thirds stay on the line and a tenth each go to the next and to the one before it, the
rest farther, with a heavy tail, and what a move is depends on its direction: long leftward ones
stay least. Here

* a fixation lies around the centre of a line, displaced by a drift that varies smoothly
  (`gazecode.mapping.lines.surface`), seldom left of the indentation or right of the line's end, and
  never on a blank line;
* from fixation to fixation the line stays or changes as such counts have it, tempered: their square
  root, as readers and fixation filters differ;
* the drift is found by EM from many starts, and what remains uncertain about it is uncertain in the
  result: drifts are weighed by their evidence.

The algorithm is this package's own; forward-backward is Rabiner's (1989, doi:10.1109/5.18626).
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.candidates import Candidates, candidates
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.surface import MODELS, fit
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["LINE_COST", "MOVES", "jumps", "moves"]

MOVES = ((0.35, 0.20, 0.14, 0.31), (0.55, 0.15, 0.12, 0.18))
"""Share of moves that stay, go one line down, one up, and farther: after a sweep to the left by
more than two line pitches, and after any other saccade."""
TAIL = 1.5
"""Moves by d lines, d of 2 and more, are d ** -1.5 as likely: the tail of the same counts."""
SWEEP_LINES = -2.0
LINE_COST = 13.0
"""Log odds against a drift that moves a whole trial by a line: after a calibration what was
recorded is believed until gaze over the ends of lines, the blank ones and the indentation say
otherwise. Set on a trial of Busjahn et al. 2013, whose lines were taken from the recorded places:
on that set the figures are in-sample. At 0, offsets of 0.5 to 0.8 deg are found more often."""


def jumps(
    xy_px: FloatArray,
    lines: Lines,
    *,
    drift: str = "full",
    noise_lines: float = 0.3,
    edge_lines: float = 0.25,
    line_cost: float = LINE_COST,
    move_power: float = 0.5,
) -> FloatArray:
    """Assign fixations on code to lines, with a probability for every line.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the order of time.
    drift
        The widest drift that is tried: none, offset, affine, or full (quadratic, and slowly
        changing in time).
    noise_lines
        Expected spread of fixations around a line, line pitches.
    edge_lines
        How fast gaze becomes unlikely outside the line's extent: e times per so many pitches.
    line_cost
        Log odds against moving the whole trial by a line or more; 0 where no calibration can be
        trusted at all.
    move_power
        Power of the shares in `MOVES`: 1 takes them as they are, 0 lets any move be as likely.

    Returns
    -------
    ``(n, L)``; every row sums to 1.

    Raises
    ------
    ParameterError
        An unknown drift; a spread that is not positive; a negative cost or power.

    Examples
    --------
    A third line far to the right: what is seen there cannot be of the second, although nearer.

    >>> lines = Lines(
    ...     number=np.arange(3),
    ...     y_px=np.array([10.0, 40.0, 70.0]),
    ...     left_px=np.array([0.0, 40.0, 300.0]),
    ...     right_px=np.array([200.0, 90.0, 500.0]),
    ...     pitch_px=30.0,
    ...     word_xy_px=np.empty((0, 2)),
    ...     word_line=np.empty(0, dtype=int),
    ... )
    >>> jumps(np.array([[30.0, 12.0], [400.0, 54.0]]), lines).argmax(axis=1)
    array([0, 2])
    """
    if drift not in MODELS:
        raise ParameterError.unknown("drift", drift, MODELS)
    if not (noise_lines > 0 and edge_lines > 0 and line_cost >= 0 and move_power >= 0):
        raise ParameterError(
            f"jumps has noise_lines {noise_lines}, edge_lines {edge_lines}, line_cost {line_cost} "
            f"and move_power {move_power}; expected two above 0 and two of 0 or more"
        )
    shares = np.zeros((len(xy_px), len(lines)))
    if not len(xy_px):
        return shares
    seen = candidates(xy_px, lines, edge_lines=edge_lines)
    modes = fit(
        seen,
        moves(xy_px[:, 0] / lines.pitch_px, seen, len(lines), power=move_power),
        model=drift,
        noise_lines=noise_lines,
        line_cost=line_cost,
    )
    np.put_along_axis(shares, seen.line, modes.mixed, axis=1)
    return shares


def moves(x_lines: FloatArray, seen: Candidates, n_lines: int, *, power: float) -> FloatArray:
    """``(n - 1, K, K)`` how likely each candidate follows each, given where the eye went in x."""
    kernel = np.stack([_kernel(shares, n_lines, power) for shares in MOVES])
    swept = np.where(np.diff(x_lines) < SWEEP_LINES, 0, 1)
    # Numbers of lines stand in order: one index says the pair, which is faster than two.
    pair = seen.line[:-1, :, None] * n_lines + seen.line[1:, None, :]
    pair += (swept * n_lines**2)[:, None, None]
    likely: FloatArray = kernel.ravel()[pair]
    return likely


def _kernel(shares: tuple[float, ...], n_lines: int, power: float) -> FloatArray:
    """``(L, L)`` from each line to each; rows sum to 1, at the edges of the text as well."""
    stay, down, up, far = np.array(shares) ** power / (np.array(shares) ** power).sum()
    line: IntArray = np.arange(n_lines)
    step = line - line[:, None]
    size = np.maximum(np.abs(step), 1).astype(np.float64)
    tail = 2 * (np.arange(2, 60) ** -TAIL).sum()
    kernel = np.where(np.abs(step) > 1, far / tail * size**-TAIL, 0.0)
    kernel += stay * (step == 0) + down * (step == 1) + up * (step == -1)
    rows: FloatArray = kernel / kernel.sum(axis=1, keepdims=True)
    return rows
