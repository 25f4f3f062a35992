"""One scale and one offset of all heights that bring the fixations closest to the lines.

S. Lohmeier 2015, described by Carr et al. 2022, doi:10.3758/s13428-021-01554-0. Assumes a uniform
drift and little of it: the search starts at no change and finds the best one nearby.

Deviates: the paper's offset of up to 50 px is 0.78 line pitches here, the same on its text; its
minimiser is not prescribed, and Powell's needs no slopes, of which this sum has none at its kinks.
Heights are scaled from y = 0, as in the paper, so the place of the text on the screen matters.
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import PAPER_PITCH_PX, length_px, nearest
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["stretch"]


def stretch(
    xy_px: FloatArray,
    lines: Lines,
    *,
    scale: tuple[float, float] = (0.9, 1.1),
    offset_px: float | None = None,
) -> IntArray:
    """Scale and shift all fixations together, then take the nearest line.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates.
    lines
        The lines of the text.
    scale
        Least and greatest factor.
    offset_px
        Greatest offset either way: by default 0.78 line pitches (the paper's 50 px at its 64 px).

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Raises
    ------
    ParameterError
        Bounds that do not hold 1, or an offset that is not positive.

    Examples
    --------
    A tenth of a line is shifted away:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> stretch(np.array([[10.0, 24], [80, 26], [10, 55]]), lines)
    array([0, 0, 1])
    """
    from scipy.optimize import minimize

    if not 0 < scale[0] < 1 < scale[1]:
        raise ParameterError(f"scale is {scale}; expected two factors with 1 between them")
    offset = length_px("offset_px", offset_px, lines.pitch_px, paper_px=50)
    # In the paper's pixels, so that a text twice as large takes the same steps.
    unit = lines.pitch_px / PAPER_PITCH_PX
    y, line_y = xy_px[:, 1] / unit, lines.y_px / unit

    def distance(change: FloatArray) -> float:
        moved = y * change[0] + change[1]
        return float(np.abs(moved - line_y[nearest(moved, line_y)]).sum())

    bounds = [scale, (-offset / unit, offset / unit)]
    factor, shift = minimize(distance, (1.0, 0.0), method="powell", bounds=bounds).x
    return nearest(y * factor + shift, line_y)
