"""The lines of a layout as line assignment sees them: where each is, how far it reaches, its words.

Everything is in the text's coordinates at scroll 0, px.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Lines"]

WORD_GAP = 0.2
"""Boxes of a line further apart than this share of the line height are two words."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Lines that hold text, from top to bottom; blank lines are gaps between their numbers.

    Attributes
    ----------
    number
        ``(L,)`` visual line of the layout, ascending.
    y_px
        ``(L,)`` centre of each line.
    left_px, right_px
        ``(L,)`` where its text begins (its indentation) and ends.
    pitch_px
        Distance from line to line.
    word_xy_px, word_line
        ``(w, 2)`` centres of words in text order, and ``(w,)`` the index (not number) of the line
        of each: boxes of a line without a blank between them are one word.
    """

    number: IntArray
    y_px: FloatArray
    left_px: FloatArray
    right_px: FloatArray
    pitch_px: float
    word_xy_px: FloatArray
    word_line: IntArray

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def of(cls, layout: Layout) -> "Lines":
        """The lines of a layout.

        >>> layout = Layout(
        ...     boxes=[[0, 0, 40, 20], [41, 0, 60, 20], [90, 0, 99, 20], [20, 40, 50, 60]],
        ...     token=[0, 1, 2, 3],
        ...     line=[0, 0, 0, 2],
        ...     n_tokens=4,
        ...     line_height_px=20,
        ... )
        >>> lines = Lines.of(layout)
        >>> lines.number, lines.y_px, lines.left_px
        (array([0, 2]), array([10., 50.]), array([ 0., 20.]))
        >>> lines.word_xy_px.tolist(), lines.word_line.tolist()
        ([[30.0, 10.0], [94.5, 10.0], [35.0, 50.0]], [0, 0, 1])
        """
        order = np.lexsort((layout.boxes[:, 0], layout.line))
        boxes, line = layout.boxes[order], layout.line[order]
        number, index = np.unique(line, return_inverse=True)
        count = np.maximum(np.bincount(index, minlength=len(number)), 1)
        y = np.bincount(index, weights=boxes[:, [1, 3]].mean(axis=1), minlength=len(number)) / count
        left, right = np.full(len(number), np.inf), np.full(len(number), -np.inf)
        np.minimum.at(left, index, boxes[:, 0])
        np.maximum.at(right, index, boxes[:, 2])
        words, word_line = _words(boxes, index, gap_px=WORD_GAP * layout.line_height_px)
        if (np.diff(y) <= 0).any():
            raise DataError(
                "lines of the layout are not numbered from the top down, one below the other; "
                "lay out columns, and pages side by side, one at a time"
            )
        return cls(
            number=number,
            y_px=y,
            left_px=left,
            right_px=right,
            pitch_px=float(layout.line_height_px),
            word_xy_px=np.column_stack([words, y[word_line]]),
            word_line=word_line,
        )


def _words(boxes: FloatArray, index: IntArray, *, gap_px: float) -> tuple[FloatArray, IntArray]:
    """Centres in x of words, and the line of each."""
    if not len(boxes):
        return np.empty(0), np.empty(0, dtype=np.int64)
    first = np.ones(len(boxes), dtype=bool)
    first[1:] = (np.diff(index) != 0) | (boxes[1:, 0] - boxes[:-1, 2] > gap_px)
    start = np.flatnonzero(first)
    x = (boxes[start, 0] + np.maximum.reduceat(boxes[:, 2], start)) / 2
    return x, index[start]
