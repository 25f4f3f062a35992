"""Parallel slanted lines, one per line of text, fitted to all fixations at once.

A. L. Cohen 2013, doi:10.3758/s13428-012-0280-3, as described by Carr et al. 2022,
doi:10.3758/s13428-021-01554-0. Every fixation belongs to the slanted line it is most probable
under; slope, offset and standard deviation are common to all lines and maximise the likelihood.
Assumes one drift of this form for the whole trial, and little of it: the search starts at none.

Deviates: the paper's offset of up to 50 px and its sd of 1 to 20 px are shares of the line pitch
here, the same on its text; Powell's minimiser instead of Nelder & Mead's, which stops early on this
likelihood. Slopes turn about x = 0, as in the paper.
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import PAPER_PITCH_PX, length_px, nearest
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["regress"]

_SD_PX = (1.0, 20.0)
"""Bounds of the standard deviation in the paper."""


def regress(
    xy_px: FloatArray,
    lines: Lines,
    *,
    slope: float = 0.1,
    offset_px: float | None = None,
    sd_px: tuple[float, float] | None = None,
) -> IntArray:
    """Fit a slanted line to each line of text and take the most probable for each fixation.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates.
    lines
        The lines of the text.
    slope
        Greatest slope up or down, px per px.
    offset_px
        Greatest offset either way: by default 0.78 line pitches (the paper's 50 px at its 64 px).
    sd_px
        Least and greatest standard deviation: by default 0.016 and 0.31 line pitches (1, 20 px).

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Raises
    ------
    ParameterError
        Bounds that hold nothing.

    Examples
    --------
    Fixations that climb along the line:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> regress(np.array([[0.0, 10], [400, 40], [0, 41], [400, 71]]), lines)
    array([0, 0, 1, 1])
    """
    from scipy.optimize import minimize
    from scipy.special import ndtr

    if not slope > 0:
        raise ParameterError(f"slope is {slope}; expected a positive number")
    offset = length_px("offset_px", offset_px, lines.pitch_px, paper_px=50)
    given = sd_px or (None, None)
    least, greatest = (
        length_px("sd_px", sd, lines.pitch_px, paper_px=paper)
        for sd, paper in zip(given, _SD_PX, strict=True)
    )
    if least >= greatest:
        raise ParameterError(f"sd_px is {sd_px}; expected the least and the greatest")
    # In the paper's pixels, so that a text twice as large takes the same steps.
    unit = lines.pitch_px / PAPER_PITCH_PX
    low = np.array([-slope, -offset / unit, least / unit])
    width = np.array([slope, offset / unit, greatest / unit]) - low
    x, y = xy_px.T / unit
    line_y = lines.y_px / unit

    def levelled(change: FloatArray) -> tuple[FloatArray, float]:
        """Heights without the drift; free parameters become bounded ones by the normal curve."""
        tilt, shift, sd = (low + width * ndtr(change)).tolist()
        return y - tilt * x - shift, sd

    def cost(change: FloatArray) -> float:
        level, sd = levelled(change)
        off = level - line_y[nearest(level, line_y)]
        # With the constant of the density: the search stops at a relative change of the whole.
        return float(len(off) * np.log(sd * np.sqrt(2 * np.pi)) + off @ off / (2 * sd**2))

    level, _ = levelled(minimize(cost, np.zeros(3), method="powell").x)
    return nearest(level, line_y)
