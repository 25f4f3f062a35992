"""What was found on a picture: where each character of the text stands."""

from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["TextGrid"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextGrid:
    """A text on a picture.

    Attributes
    ----------
    kind
        ``grid``: all lines lie on one grid of cells. ``lines``: cells of one width, every line
        with a place of its own. ``words``: a proportional font, words by their ink.
    origin_px
        Top left of the first cell of the first row, ``(x, y)`` px. Without a common grid: of the
        first line that was found.
    char_width_px
        Pitch of the characters; NaN for ``words``.
    line_height_px
        Pitch of the lines; their median distance where they are not evenly spaced.
    x_height_px
        Height of the letter x.
    score
        0 to 1: how well the blank and non-blank cells of the text agree with the ink (phi
        coefficient); for ``lines`` and ``words`` the share of characters that found their ink.
    likeness
        Share of characters that look most like themselves elsewhere on the picture; NaN if that
        was not asked (``words``).
    residual_px
        Median distance of the marks (characters that stand in the middle of their cells; words)
        from where the fit has them.
    row
        ``(k,)`` rows of the text (0-based, blank rows left out).
    middle_px, left_px
        ``(k,)`` vertical middle of each row, and left edge of its first character's cell.
    line_residual_px
        ``(k,)`` as `residual_px`, by row; NaN in a row without marks.
    n_differing
        ``(k,)`` characters of the row that are missing, too many or of another look; 0 in a row
        that is shown as it is written.
    place
        ``(n,)`` the text's non-blank characters (blanks counted).
    place_row
        ``(n,)`` the row of each.
    span_px
        ``(n, 2)`` left and right edge of each; NaN for what the picture does not show.
    """

    kind: str
    origin_px: tuple[float, float]
    char_width_px: float
    line_height_px: float
    x_height_px: float
    score: float
    likeness: float
    residual_px: float
    row: IntArray
    middle_px: FloatArray
    left_px: FloatArray
    line_residual_px: FloatArray
    n_differing: IntArray
    place: IntArray
    place_row: IntArray
    span_px: FloatArray

    @property
    def matched(self) -> BoolArray:
        """``(k,)``: rows that are shown as they are written."""
        matched: BoolArray = self.n_differing == 0
        return matched

    @property
    def unmatched(self) -> tuple[int, ...]:
        """Rows of the text (0-based) that differ from the picture."""
        return tuple(self.row[~self.matched].tolist())

    @property
    def share_matched(self) -> float:
        """Share of the characters that stand where and as they are written, at least 0."""
        return max(1 - float(self.n_differing.sum()) / max(len(self.place), 1), 0.0)

    @property
    def n_missing(self) -> int:
        """Characters the picture does not show."""
        return int(np.isnan(self.span_px[:, 0]).sum())
