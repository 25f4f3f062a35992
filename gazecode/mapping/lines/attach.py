"""The nearest line: no correction at all, the baseline of Carr et al. 2022."""

from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import nearest
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["attach"]


def attach(xy_px: FloatArray, lines: Lines) -> IntArray:
    """Take the nearest line; halfway between two, the upper one.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates.
    lines
        The lines of the text.

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Examples
    --------
    Its third fixation is nearer to the second line:

    >>> import numpy as np
    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> attach(np.array([[10.0, 8], [80, 12], [10, 27]]), lines)
    array([0, 0, 1])
    """
    return nearest(xy_px[:, 1], lines.y_px)
