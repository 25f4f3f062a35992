"""Best alignment of two sequences: S. B. Needleman & C. D. Wunsch 1970.

doi:10.1016/0022-2836(70)90057-4, with a penalty per gap that is the same wherever it stands. Cost
grows with the product of both lengths; one numpy pass per element of the second sequence.
"""

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["prefix_scores"]


def prefix_scores(rows: FloatArray, second: IntArray, *, gap: float) -> FloatArray:
    """Best score of a whole first sequence with each beginning of a second.

    Parameters
    ----------
    rows
        ``(s, n)`` score of each symbol with each of the n elements of the first sequence.
    second
        ``(m,)`` symbols (rows of `rows`) of the second sequence.
    gap
        Score of an element without partner, 0 or below.

    Returns
    -------
    FloatArray
        ``(m + 1,)``; the last is that of both whole sequences.

    Examples
    --------
    >>> prefix_scores(np.array([[3.0, -3.0], [-3.0, 3.0]]), np.array([0, 1, 0]), gap=-2)
    array([-4.,  1.,  6.,  4.])
    """
    # Within a row of the table a cell leans on its left neighbour, by a gap that costs the same
    # each time: less the gaps up to there, the row is a running maximum.
    gaps = gap * np.arange(rows.shape[1] + 1.0)
    row = gaps.copy()
    best = np.empty_like(row)
    scores = np.empty(len(second) + 1)
    scores[0] = row[-1]
    for i, symbol in enumerate(second.tolist(), start=1):
        best[0] = gap * i
        np.maximum(row[:-1] + rows[symbol], row[1:] + gap, out=best[1:])
        best -= gaps
        np.maximum.accumulate(best, out=row)
        row += gaps
        scores[i] = row[-1]
    return scores
