"""Which token a fixation counts for: the one rule behind a success and behind its null.

A Bernoulli trial of the priors succeeds with at least one fixation on the token. A soft hit spreads
a fixation over many tokens; it counts for one of them, the token with its largest share, of equal
shares for the first in the text. A hard hit has one token anyway.
"""

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.source import Hits

__all__ = ["fixated", "fixation_counts", "largest_shares"]


def largest_shares(fixation: IntArray, token: IntArray, share: FloatArray) -> IntArray:
    """Rows that hold the largest share of each fixation; of equal ones the first token's.

    Parameters
    ----------
    fixation, token, share
        ``(h,)`` sparse triples, in any order.

    Returns
    -------
    IntArray
        One row number per fixation that has a share at all.

    Examples
    --------
    >>> largest_shares(np.array([0, 0, 2]), np.array([4, 5, 1]), np.array([0.2, 0.7, 1.0]))
    array([1, 2])
    """
    if np.all(fixation[1:] > fixation[:-1]):
        return np.arange(len(fixation))
    order = np.lexsort((token, -share, fixation))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(fixation[order]) != 0
    rows: IntArray = order[first]
    return rows


def fixation_counts(hits: Hits) -> IntArray:
    """How many fixations count for each token, ``(m,)``; a fixation counts at most once.

    Examples
    --------
    >>> hits = Hits(
    ...     fixation=[0, 0, 1],
    ...     token=[0, 1, 1],
    ...     share=[0.3, 0.6, 0.9],
    ...     onset_ms=[0, 250],
    ...     duration_ms=[200, 200],
    ...     status=["token"] * 2,
    ...     exposure_ms=[500, 500, 500],
    ... )
    >>> fixation_counts(hits)
    array([0, 2, 0])
    """
    rows = largest_shares(hits.fixation, hits.token, hits.share)
    return np.bincount(hits.token[rows], minlength=hits.n_tokens)


def fixated(hits: Hits) -> BoolArray:
    """Which tokens have at least one fixation that counts for them, ``(m,)``."""
    return np.asarray(fixation_counts(hits) > 0)
