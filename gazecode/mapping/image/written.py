"""Which cells of a monospaced page a text fills, and what its characters look like to a grid."""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.mapping.cells import cells_of
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["CENTRED", "X_HEIGHT", "Written", "per_row", "write"]

CENTRED = frozenset("ovwxmnuOHIMTUVWXYA08=+-*:._\"'!|^#~")
"""Characters whose ink stands in the middle of their cell in (nearly) every monospaced font."""
X_HEIGHT = frozenset("acemnorsuvwxz")
"""Characters that reach from the baseline to the height of an x and no further."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """The non-blank characters of a text, in order.

    Attributes
    ----------
    text
        What is shown, from its first row on.
    place
        ``(n,)`` character of `text`, blanks counted.
    row, left, right
        ``(n,)`` the row (0-based), the first cell and the one after the last.
    centred, x_height
        ``(n,)`` whether the character is one of `CENTRED` and of `X_HEIGHT`.
    n_rows, n_columns
        Up to the last row and the last cell that is not blank.
    """

    text: str
    place: IntArray
    row: IntArray
    left: IntArray
    right: IntArray
    centred: BoolArray
    x_height: BoolArray
    n_rows: int
    n_columns: int

    @property
    def mask(self) -> BoolArray:
        """``(n_rows, n_columns)``: the cells that hold a character."""
        mask = np.zeros((self.n_rows, self.n_columns), dtype=bool)
        for step in range(int((self.right - self.left).max(initial=1))):
            wide = self.left + step < self.right
            mask[self.row[wide], self.left[wide] + step] = True
        return mask

    @property
    def chars(self) -> list[str]:
        """The characters themselves."""
        return [self.text[i] for i in self.place.tolist()]


def write(text: str, tab_width: int) -> Written:
    """Lay a text out in cells.

    Raises
    ------
    DataError
        The text has no character that leaves ink.
    """
    start, end = cells_of(text, tab_width=tab_width)
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    blank = np.array([not chr(p).strip() for p in points.tolist()], dtype=bool)
    place = np.flatnonzero(~blank & (end > start))
    if not len(place):
        raise DataError("the text has no visible character; expected the text the picture shows")
    row = np.searchsorted(np.flatnonzero(points == 0x0A), place)
    chars = [text[i] for i in place.tolist()]
    return Written(
        text=text,
        place=place,
        row=row,
        left=start[place],
        right=end[place],
        centred=np.array([c in CENTRED for c in chars]),
        x_height=np.array([c in X_HEIGHT for c in chars]),
        n_rows=int(row.max()) + 1,
        n_columns=int(end[place].max()),
    )


def per_row(written: Written) -> FloatArray:
    """How many characters each row holds, ``(n_rows,)``."""
    return np.bincount(written.row, minlength=written.n_rows).astype(np.float64)
