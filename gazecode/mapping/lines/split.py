"""Saccades are return sweeps or not; what lies between two sweeps goes to the nearest line.

Carr et al. 2022, doi:10.3758/s13428-021-01554-0, their own: k-means divides the saccades into two
clusters by their horizontal length. Unlike `segment` it does not need one sweep per line.

Deviates: the paper's k-means starts at random; two clusters on one axis are two halves of a sorted
list, and the best place to halve it is found exactly.
"""

import numpy as np

from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import means, nearest, pieces
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["split"]


def split(xy_px: FloatArray, lines: Lines) -> IntArray:
    """Cut at the saccades that cluster as return sweeps; pieces go to the nearest line.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text.

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Examples
    --------
    Heights of what lies between sweeps count together:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> split(np.array([[10.0, 19], [45, 28], [80, 21], [10, 44]]), lines)
    array([0, 0, 0, 1])
    """
    piece = pieces(_lower_half(np.diff(xy_px[:, 0])))
    return nearest(means(xy_px[:, 1], piece), lines.y_px)[piece]


def _lower_half(values: FloatArray) -> BoolArray:
    """Which values belong to the lower of the two clusters with the least squares within them.

    Equal values stay together; without two different ones there is no lower cluster.
    """
    ordered = np.sort(values)
    last = np.flatnonzero(np.diff(ordered) > 0)
    if not len(last):
        return np.zeros(len(values), dtype=bool)
    # Least squares within is largest between: sums from either end say all about a cut.
    n, n_low = len(ordered), last + 1
    centred = ordered - ordered.mean()
    low = np.cumsum(centred)[last]
    best = int(np.argmax(low**2 / n_low + (centred.sum() - low) ** 2 / (n - n_low)))
    below: BoolArray = values <= ordered[last[best]]
    return below
