"""The largest leftward saccades are the return sweeps; what lies between them is a line each.

E. Abdulin & O. Komogortsev 2015, doi:10.1109/BTAS.2015.7358786, as described by Carr et al. 2022,
doi:10.3758/s13428-021-01554-0. Assumes exactly one return sweep per line, so that heights do not
matter at all: safe against any drift, and unsafe where readers jump, as they do on code.

Deviates: of equally large saccades the later is taken. With fewer saccades than line ends the
pieces go to the first lines.
"""

import numpy as np

from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import pieces
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["segment"]


def segment(xy_px: FloatArray, lines: Lines) -> IntArray:
    """Cut at the L - 1 largest leftward saccades; the pieces are the lines in the order of time.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The L lines of the text, each taken as read once, from top to bottom.

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Examples
    --------
    One sweep to the left, whatever the heights:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> segment(np.array([[10.0, 25], [80, 26], [10, 27], [80, 29]]), lines)
    array([0, 0, 1, 1])
    """
    step = np.diff(xy_px[:, 0])
    cut = np.zeros(len(step), dtype=bool)
    # Sorted backwards, so that the stable order puts the later of two equals first.
    cut[len(step) - 1 - np.argsort(step[::-1], kind="stable")[: len(lines) - 1]] = True
    return pieces(cut)
