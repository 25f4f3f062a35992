"""Lines as probabilities: one form for what algorithms return in two."""

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["as_shares"]


def as_shares(found: "IntArray | FloatArray", n_lines: int) -> FloatArray:
    """Probabilities as they are; a line as certainty of it, none (-1) as zeros.

    >>> as_shares(np.array([1, -1]), 3)
    array([[0., 1., 0.],
           [0., 0., 0.]])
    """
    if found.ndim == 2:
        return np.asarray(found, dtype=np.float64)
    shares = np.zeros((len(found), n_lines))
    rows = np.flatnonzero(found >= 0)
    shares[rows, found[rows]] = 1.0
    return shares
