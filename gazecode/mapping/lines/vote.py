"""What most algorithms say: the share of the votes is how probable a line is.

The "wisdom of the crowd" that Carr et al. 2022, doi:10.3758/s13428-021-01554-0, propose:
algorithms that rest on different assumptions fail on different trials, and seldom on the same line.
By default all ten that correct something vote; `attach`, which corrects nothing, does not.

Deviates: a tie goes to the line nearer to the recorded fixation, the upper one of two equally near
(the paper leaves it open); the other lines of the tie give up `TIE_SHARE` of probability, so that
whoever takes the most probable line takes this one. Voters that give probabilities cast them.
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.shares import as_shares
from gazecode.model.checks import FloatArray

__all__ = ["TIE_SHARE", "VOTERS", "vote"]

VOTERS = (
    "chain",
    "cluster",
    "compare",
    "merge",
    "regress",
    "segment",
    "slice",
    "split",
    "stretch",
    "warp",
)
TIE_SHARE = 1e-9


def vote(xy_px: FloatArray, lines: Lines, *, methods: tuple[str, ...] = VOTERS) -> FloatArray:
    """Let several algorithms vote on the line of each fixation, each with its defaults.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text.
    methods
        Names in `LINE_METHODS`, `vote` excepted.

    Returns
    -------
    ndarray
        ``(n, L)`` share of the votes for each line; less than 1 in all where voters abstained.

    Raises
    ------
    ParameterError
        No methods, one named twice, one that is unknown, or the vote itself.

    Examples
    --------
    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 30, 20], [90, 0, 130, 20], [0, 30, 40, 50], [90, 30, 130, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=range(4), line=[0, 0, 1, 1], n_tokens=4, line_height_px=30)
    ... )
    >>> xy = np.array([[15.0, 9], [110, 8], [20, 24], [110, 39]])
    >>> vote(xy, lines, methods=("attach", "segment", "warp"))[2].round(2)
    array([0.33, 0.67])
    """
    # The table of methods holds this one, too.
    from gazecode.mapping.lines.assign import LINE_METHODS

    if not methods or len(set(methods)) < len(methods) or "vote" in methods:
        raise ParameterError(
            f"methods are {', '.join(methods) or 'none'}; expected names of line methods, each "
            "once, and not vote itself"
        )
    cast = [as_shares(LINE_METHODS[name](xy_px, lines), len(lines)) for name in methods]
    shares = np.mean(cast, axis=0)
    return _without_ties(shares, np.abs(xy_px[:, 1:] - lines.y_px))


def _without_ties(shares: FloatArray, away_px: FloatArray) -> FloatArray:
    """The most probable line, made the only one."""
    most = shares.max(axis=1, keepdims=True)
    # Sums of the same votes in another order differ by their rounding.
    tied = (shares > most - TIE_SHARE) & (most > 0)
    chosen = np.where(tied, away_px, np.inf).argmin(axis=1)
    tied[np.arange(len(tied)), chosen] = False
    clear: FloatArray = shares - TIE_SHARE * tied
    return clear
