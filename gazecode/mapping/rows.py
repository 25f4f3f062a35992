r"""Visual rows: which part of which source row each line on the screen shows.

Soft wraps show one row on several lines, folds hide rows. Editors break at different characters;
who knows the exact rows says them (`VisualRows`), who knows the width alone takes `wrapped`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.cells import cells_of
from gazecode.model.checks import BoolArray, IntArray, column, no_numbers, same_length

__all__ = ["TO_THE_END", "VisualRows", "folded", "wrapped"]

TO_THE_END = 2**31 - 1
"""A last column that is the row's end, however long the row."""

_BLANK = " \t"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisualRows:
    """Lines on the screen from the top down.

    Attributes
    ----------
    row
        ``(v,)`` source row that each visual row shows, 0-based; never decreasing.
    first, last
        ``(v,)`` columns of it, half-open, in characters (a tab is one); `TO_THE_END` is the end.
        Parts of one row are in order and do not overlap.
    indent
        ``(v,)`` cells that a continuation is moved to the right; 0 if not given.
    n_rows
        How many rows the source has, shown or not.

    Examples
    --------
    >>> rows = VisualRows(row=[0, 0, 2], first=[0, 8, 0], last=[8, 20, 20], n_rows=3)
    >>> len(rows), rows.hidden.tolist(), rows.indent.tolist()
    (3, [False, True, False], [0, 0, 0])
    """

    row: IntArray
    first: IntArray
    last: IntArray
    n_rows: int
    indent: IntArray = field(default_factory=no_numbers)

    def __post_init__(self) -> None:
        if len(self.indent) == 0 < len(self.row):
            object.__setattr__(self, "indent", np.zeros(len(self.row), dtype=np.int64))
        row, first, last, indent = (
            column(self, name, np.int64) for name in ("row", "first", "last", "indent")
        )
        same_length(self, "row", "first", "last", "indent")
        if len(row) and not (row[0] >= 0 and row[-1] < self.n_rows and (np.diff(row) >= 0).all()):
            raise DataError(
                f"visual rows show rows {row.min()} to {row.max()} of {self.n_rows}; expected "
                "rows of the source, from the top down"
            )
        again = np.diff(row) == 0
        if (first < 0).any() or (last < first).any() or (first[1:] < last[:-1])[again].any():
            raise DataError("parts of a row overlap or run backward; expected them left to right")
        if (indent < 0).any():
            raise DataError("a visual row is moved to the left; expected an indent of 0 or more")

    def __len__(self) -> int:
        return len(self.row)

    @property
    def hidden(self) -> BoolArray:
        """``(n_rows,)`` source rows that no line shows."""
        hidden = np.ones(self.n_rows, dtype=np.bool_)
        hidden[self.row] = False
        return hidden

    def folded(self, ranges: Iterable[tuple[int, int]]) -> "VisualRows":
        """Without the source rows ``first <= row < last`` of each range.

        >>> folded(5, [(1, 3)]).folded([(4, 5)]).row.tolist()
        [0, 3]
        """
        kept = ~_in_ranges(self.row, ranges, self.n_rows)
        columns = {name: getattr(self, name)[kept] for name in ("row", "first", "last", "indent")}
        return replace(self, **columns)

    def parts_of(self, row: IntArray) -> tuple[IntArray, IntArray]:
        r"""Visual rows of each of these source rows: ``(k,)`` places in `row`, and those rows.

        >>> [part.tolist() for part in wrapped("a b\nc", 2).parts_of(np.array([1, 0]))]
        [[0, 1, 1], [2, 0, 1]]
        """
        low, high = (np.searchsorted(self.row, row, side=side) for side in ("left", "right"))
        count = high - low
        owner = np.repeat(np.arange(len(row)), count)
        ends = np.cumsum(count)
        visual: IntArray = np.arange(int(count.sum())) + np.repeat(low - ends + count, count)
        return owner, visual


def folded(n_rows: int, ranges: Iterable[tuple[int, int]]) -> VisualRows:
    """Rows of a source with folds: those ``first <= row < last`` of each range are hidden.

    The row that a fold begins on stays visible in most editors: a fold of rows 3 to 7 on row 3
    is the range ``(4, 8)``.

    Examples
    --------
    >>> folded(6, [(1, 3), (5, 6)]).row.tolist()
    [0, 3, 4]
    """
    row = np.arange(n_rows)
    ends = np.full(n_rows, TO_THE_END)
    return VisualRows(row=row, first=row * 0, last=ends, n_rows=n_rows).folded(ranges)


def _in_ranges(row: IntArray, ranges: Iterable[tuple[int, int]], n_rows: int) -> BoolArray:
    inside = np.zeros(len(row), dtype=np.bool_)
    for first, last in ranges:
        if not 0 <= first <= last <= n_rows:
            raise ParameterError(
                f"a fold hides rows {first} to {last} of {n_rows}; expected a first row and one "
                "past the last, both in the source"
            )
        inside |= (row >= first) & (row < last)
    return inside


def wrapped(
    text: str | bytes,
    width_columns: int,
    tab_width: int = 4,
    *,
    indent: int | None = 0,
    at: str = "word",
) -> VisualRows:
    r"""Wrap every row that is longer than `width_columns` cells.

    Parameters
    ----------
    text
        The source; bytes must be UTF-8.
    width_columns
        Cells of a line.
    tab_width
        Cells between tab stops, counted from the row's own start on continuations too.
    indent
        Cells that continuations are moved to the right; None: as far as the row itself begins
        with blanks (if that leaves half a line).
    at
        ``word``: after the last blank that fits, at any character if there is none;
        ``character``: at any character. Editors may break after other characters too.

    Examples
    --------
    >>> rows = wrapped("int total = a + b;\nx", 8)
    >>> rows.row.tolist(), rows.first.tolist(), rows.last.tolist()
    ([0, 0, 0, 1], [0, 4, 12, 0], [4, 12, 18, 1])
    """
    if at not in ("word", "character"):
        raise ParameterError.unknown("ways to wrap", at, ("word", "character"))
    if width_columns < 1 or tab_width < 1 or (indent is not None and indent < 0):
        raise ParameterError(
            f"width_columns is {width_columns}, tab_width {tab_width} and indent {indent}; "
            "expected at least 1, 1 and 0 cells"
        )
    text = text.decode() if isinstance(text, bytes) else text
    begin, end = cells_of(text, tab_width)
    found: list[tuple[int, int, int, int]] = []
    place = 0
    lines = text.split("\n")
    for row, line in enumerate(lines):
        n = len(line.removesuffix("\r"))
        cells = slice(place, place + n)
        if n and end[place + n - 1] > width_columns:
            moved = _own_indent(line, begin[cells], width_columns) if indent is None else indent
            own = begin[cells], end[cells]
            breaks = _breaks(line[:n], own, width_columns, indent=moved, at=at)
        else:
            moved, breaks = 0, [0]
        for first, last in zip(breaks, [*breaks[1:], n], strict=True):
            found.append((row, first, last, moved if first else 0))
        place += len(line) + 1
    columns = np.array(found, dtype=np.int64).T
    return VisualRows(
        row=columns[0], first=columns[1], last=columns[2], indent=columns[3], n_rows=len(lines)
    )


def _own_indent(line: str, begin: IntArray, width: int) -> int:
    blanks = len(line) - len(line.lstrip())
    own = int(begin[blanks]) if blanks < len(begin) else 0
    return own if 2 * own <= width else 0


def _breaks(
    line: str, cells: tuple[IntArray, IntArray], width: int, *, indent: int, at: str
) -> list[int]:
    """First character of each part of a row."""
    begin, end = cells
    found = [0]
    while True:
        first = found[-1]
        room = max(width - (indent if first else 0), 1)
        # At least one character a line, however narrow.
        stop = max(int(np.searchsorted(end, begin[first] + room, side="right")), first + 1)
        if stop >= len(line):
            return found
        if at == "word":
            stop = _after_blank(line, first, stop)
        if stop >= len(line):
            return found
        found.append(stop)


def _after_blank(line: str, first: int, stop: int) -> int:
    """Where a word begins, near `stop`; `stop` itself if the part before it is one word.

    Blanks that do not fit hang over the end of the line, as editors let them.
    """
    if line[stop] in _BLANK:
        return stop + len(line[stop:]) - len(line[stop:].lstrip(_BLANK))
    for place in range(stop, first, -1):
        if line[place - 1] in _BLANK:
            return place
    return stop
