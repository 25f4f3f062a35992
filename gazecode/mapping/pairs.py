"""Which boxes can matter to which points: the few of a band of lines, not all.

Boxes of one line lie side by side, so two binary searches (lines by y, boxes of a line by x) find
the candidates of all points at once.
"""

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Bands"]

_ROUNDING_PX = 1e-6


class Bands:
    """Boxes sorted into lines, ready to be searched.

    Parameters
    ----------
    boxes
        ``(k, 4)`` px.
    line
        ``(k,)`` visual line of each box; any grouping is right, lines are fast.

    Examples
    --------
    >>> boxes = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10], [0, 50, 10, 60]])
    >>> bands = Bands(boxes, np.array([0, 0, 1]))
    >>> point, box = bands.near(np.array([[12.0, 5.0]]), reach_x_px=5, reach_y_px=5)
    >>> box
    array([0])
    """

    def __init__(self, boxes: FloatArray, line: IntArray) -> None:
        _, band = np.unique(line, return_inverse=True)
        n = int(band.max()) + 1 if len(band) else 0
        top, bottom = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(top, band, boxes[:, 1])
        np.maximum.at(bottom, band, boxes[:, 3])
        by_top = np.argsort(top, kind="stable")
        rank = np.empty(n, dtype=np.int64)
        rank[by_top] = np.arange(n)
        band = rank[band]
        self.top = top[by_top]
        # Sorted upper bounds: no band before the first match reaches the point.
        self.bottom = np.maximum.accumulate(bottom[by_top]) if n else bottom
        self.order = np.lexsort((boxes[:, 0], band))
        self._key_boxes(boxes[self.order], band[self.order])

    def _key_boxes(self, boxes: FloatArray, band: IntArray) -> None:
        """One sorted key per box side: x within its band, bands far apart."""
        self.shift = float(boxes[:, 0].min()) if len(boxes) else 0.0
        width = float(boxes[:, 2].max()) - self.shift if len(boxes) else 0.0
        self.width = max(width, 1.0)
        self.stride = 4 * self.width
        base = band * self.stride
        self.left = boxes[:, 0] - self.shift + base
        self.right = np.maximum.accumulate(boxes[:, 2] - self.shift + base)

    def near(
        self, xy_px: FloatArray, *, reach_x_px: float, reach_y_px: float
    ) -> tuple[IntArray, IntArray]:
        """Pairs (point, box) with the box within reach in x, and its line within reach in y.

        Points must be finite. Every box within reach on both axes is among the pairs.
        """
        # Keys of far bands are large numbers: a hair more than their rounding.
        reach_x_px, reach_y_px = reach_x_px + _ROUNDING_PX, reach_y_px + _ROUNDING_PX
        y = xy_px[:, 1]
        first = np.searchsorted(self.bottom, y - reach_y_px, side="left")
        last = np.searchsorted(self.top, y + reach_y_px, side="right")
        point, band = _expand(first, last)
        # Clipped into the band's own stretch of keys, so that no point reads the next band.
        x = xy_px[point, 0] - self.shift
        base = band * self.stride
        low = base + np.clip(x - reach_x_px, -self.width, 2 * self.width)
        high = base + np.clip(x + reach_x_px, -self.width, 2 * self.width)
        begin = np.searchsorted(self.right, low, side="left")
        end = np.searchsorted(self.left, high, side="right")
        pair, place = _expand(begin, end)
        return point[pair], self.order[place]


def _expand(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Row number and value for every value in ``[first, last)`` of each row."""
    count = np.maximum(last - first, 0)
    row = np.repeat(np.arange(len(count)), count)
    ends = np.cumsum(count)
    value = np.arange(len(row)) + (first - ends + count)[row]
    return row, value
