"""Chains of fixations that lie close together go to the line nearest to their mean.

S. Schroeder's popEye (2019), as described by Carr, Pescuma, Furlan, Ktori & Crepaldi 2022,
doi:10.3758/s13428-021-01554-0. Assumes forward runs: within a chain nobody changes the line.

Deviates: the paper's 192 and 32 px are 3 and 0.5 line pitches here, which is the same on its text.
"""

from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import close_runs, length_px, means, nearest
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["chain"]


def chain(
    xy_px: FloatArray,
    lines: Lines,
    *,
    x_px: float | None = None,
    y_px: float | None = None,
) -> IntArray:
    """Chain fixations and take the line nearest to the mean height of each chain.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text.
    x_px, y_px
        A chain ends where the next fixation is further away than this: by default 3 and 0.5 line
        pitches (the paper's 192 and 32 px at its 64 px).

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Raises
    ------
    ParameterError
        A length that is not positive.

    Examples
    --------
    A chain of two keeps its line, though one of them strays:

    >>> import numpy as np
    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> chain(np.array([[10.0, 19], [80, 28], [10, 44]]), lines)
    array([0, 0, 1])
    """
    piece = close_runs(
        xy_px,
        x_px=length_px("x_px", x_px, lines.pitch_px, paper_px=192),
        y_px=length_px("y_px", y_px, lines.pitch_px, paper_px=32),
    )
    return nearest(means(xy_px[:, 1], piece), lines.y_px)[piece]
