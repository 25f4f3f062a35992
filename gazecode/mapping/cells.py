"""Where characters stand in their line, counted as editors count: cells, characters, units, bytes.

A tab leads to the next tab stop where cells are counted, and is one character elsewhere. East
Asian wide characters and emoji take two visual cells, combining marks and joined emoji none
(Unicode 11.4: categories Mn, Me, Cf; East Asian Width W, F).
"""

import unicodedata

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model.checks import IntArray

__all__ = ["COLUMN_UNITS", "cells_of"]

COLUMN_UNITS = ("visual", "logical", "character", "utf16", "byte")
"""What a column may count: cells on the screen (Atom, VS Code, Sublime); characters with tabs up
to their stops (JetBrains); characters; UTF-16 units (Eclipse, Visual Studio); UTF-8 bytes
(Notepad++)."""

_LINE_END = (0x0A, 0x0D)
_TAB = 0x09
_ZERO_WIDTH_JOINER = 0x200D
_SOFT_HYPHEN = 0x00AD
_SKIN_TONES = (0x1F3FB, 0x1F3FF)
_JAMO_TAILS = (0x1160, 0x11FF)


def cells_of(text: str, tab_width: int = 4, *, unit: str = "visual") -> tuple[IntArray, IntArray]:
    r"""Column each character begins in and the one after it, counted from its line's start.

    Parameters
    ----------
    text
        Lines end with LF or CRLF; line ends take no column.
    tab_width
        Cells between tab stops; only visual and logical columns have them.
    unit
        One of `COLUMN_UNITS`.

    Returns
    -------
    begin, end
        ``(n,)`` each, n being the number of characters (code points).

    Examples
    --------
    >>> cells_of("\t日x")[0].tolist(), cells_of("\t日x", unit="byte")[0].tolist()
    ([0, 4, 6], [0, 1, 4])
    """
    if unit not in COLUMN_UNITS:
        raise ParameterError.unknown("units of columns", unit, COLUMN_UNITS)
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    width = _widths(points) if unit == "visual" else _lengths(points, unit)
    total = np.concatenate(([0], np.cumsum(width)))
    newline = np.flatnonzero(points == _LINE_END[0])
    line = np.searchsorted(newline, np.arange(len(points)))
    base = total[np.concatenate(([0], newline + 1))][line] if len(points) else total[:0]
    start: IntArray = total[:-1] - base
    end = start + width
    if unit in ("visual", "logical"):
        _stretch_tabs(start, end, np.flatnonzero(points == _TAB), line, tab_width)
    return start, end


def _lengths(points: IntArray, unit: str) -> IntArray:
    """What each character counts where none is wide; line ends nothing."""
    length = np.ones(len(points), dtype=np.int64)
    if unit == "utf16":
        length += points > 0xFFFF
    elif unit == "byte":
        length += (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
    elif unit == "logical":
        length[points == _TAB] = 0
    newline = np.flatnonzero(points == _LINE_END[0])
    length[newline] = 0
    before = newline[newline > 0] - 1
    length[before[points[before] == _LINE_END[1]]] = 0
    return length


def _stretch_tabs(
    start: IntArray, end: IntArray, tabs: IntArray, line: IntArray, tab_width: int
) -> None:
    """Move what follows each tab to its stop, in place."""
    if not len(tabs):
        return
    extra = np.empty(len(tabs), dtype=np.int64)
    shift, current = 0, -1
    cells, lines = start[tabs].tolist(), line[tabs].tolist()
    for i, (cell, number) in enumerate(zip(cells, lines, strict=True)):
        shift = shift if number == current else 0
        current = number
        shift += tab_width - (cell + shift) % tab_width
        extra[i] = shift
    # Each character is moved by the last tab before it in its own line.
    before = np.searchsorted(tabs, np.arange(len(start))) - 1
    same = (before >= 0) & (line[tabs[np.maximum(before, 0)]] == line)
    moved = np.where(same, extra[np.maximum(before, 0)], 0)
    start += moved
    end += moved
    end[tabs] = end[tabs] - moved[tabs] + extra


def _widths(points: IntArray) -> IntArray:
    """Cells of each character: 1, 2 (wide) or 0 (combining, control)."""
    width = np.ones(len(points), dtype=np.int64)
    width[points < 0x20] = 0
    for point in np.unique(points[points > 0x7E]).tolist():
        width[points == point] = _width(point)
    # The second half of a joined emoji, and a skin tone, are drawn into the first.
    joined = np.flatnonzero(points == _ZERO_WIDTH_JOINER) + 1
    width[joined[joined < len(points)]] = 0
    tone = (points >= _SKIN_TONES[0]) & (points <= _SKIN_TONES[1])
    tone[:1] = False
    width[tone] = 0
    return width


def _width(point: int) -> int:
    char = chr(point)
    if point == _SOFT_HYPHEN:
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf", "Cc"}:
        return 0
    if _JAMO_TAILS[0] <= point <= _JAMO_TAILS[1]:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
