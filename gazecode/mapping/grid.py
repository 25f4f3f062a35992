"""Layout of monospaced text: a box for every token and visual line, from the grid of cells."""

import unicodedata

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.model import Layout, SourceTokens
from gazecode.model.checks import IntArray

__all__ = ["grid_layout"]

_ZERO_WIDTH_JOINER = 0x200D
_SOFT_HYPHEN = 0x00AD
_SKIN_TONES = (0x1F3FB, 0x1F3FF)
_JAMO_TAILS = (0x1160, 0x11FF)


def grid_layout(  # noqa: PLR0913 - a grid, and the time and window it holds for
    tokens: SourceTokens,
    *,
    origin_px: tuple[float, float],
    char_width_px: float,
    line_height_px: float,
    tab_width: int = 4,
    first_row: int = 0,
    onset_ms: float = -np.inf,
    offset_ms: float = np.inf,
    scroll_t_ms: npt.ArrayLike = (),
    scroll_px: npt.ArrayLike = (),
    viewport_px: tuple[float, float, float, float] | None = None,
) -> Layout:
    r"""Lay tokens out on a grid of equal cells, as an editor with a monospaced font does.

    A tab leads to the next tab stop. East Asian wide characters and emoji take two cells,
    combining marks and joined emoji none (Unicode 11.4: categories Mn, Me, Cf; East Asian Width
    W, F). A token over several lines has a box on each, without the blanks a line begins or ends
    with. A box is as high as the line.

    Parameters
    ----------
    tokens
        What was shown.
    origin_px
        Top left of the first cell, ``(x, y)`` px.
    char_width_px, line_height_px
        Size of a cell, px.
    tab_width
        Cells between tab stops.
    first_row
        The source's row (0-based) that stands in the first line; rows before have no boxes.
    onset_ms, offset_ms
        The half-open interval the layout holds for.
    scroll_t_ms, scroll_px
        ``(s,)`` and ``(s, 2)``: from each time on the text is moved left and up by so much.
    viewport_px
        ``x0 y0 x1 y1`` of the area that shows text; None if nothing is cut off.

    Returns
    -------
    Layout
        `unmatched` counts tokens ``above_first_row`` and ``without_width``.

    Examples
    --------
    >>> from gazecode.model import SourceTokens
    >>> tokens = SourceTokens(
    ...     language="python",
    ...     source_id="",
    ...     code=b"\tx = 1",
    ...     span=[[1, 2], [3, 4], [5, 6]],
    ...     row=[0, 0, 0],
    ...     column=[1, 3, 5],
    ...     kind=["identifier", "=", "integer"],
    ...     path=((), (), ()),
    ...     label=["", "", ""],
    ... )
    >>> layout = grid_layout(tokens, origin_px=(100, 50), char_width_px=10, line_height_px=30)
    >>> layout.boxes[0]
    array([140.,  50., 150.,  80.])
    """
    _check(char_width_px, line_height_px, tab_width)
    first, last, row, token = _pieces(tokens)
    cell, end = _cells(tokens.code.decode("utf-8"), tab_width)
    left, right = cell[first], end[last - 1]
    above, thin = row < first_row, right <= left
    shown = ~above & ~thin
    top = origin_px[1] + (row - first_row) * line_height_px
    boxes = np.stack(
        [
            origin_px[0] + left * char_width_px,
            top,
            origin_px[0] + right * char_width_px,
            top + line_height_px,
        ],
        axis=1,
    )
    return Layout(
        boxes=boxes[shown],
        token=token[shown],
        line=(row - first_row)[shown],
        n_tokens=len(tokens),
        line_height_px=line_height_px,
        onset_ms=onset_ms,
        offset_ms=offset_ms,
        scroll_t_ms=np.asarray(scroll_t_ms, dtype=np.float64),
        scroll_px=np.asarray(scroll_px, dtype=np.float64),
        viewport_px=viewport_px,
        unmatched=_count_unshown(
            len(tokens), token[shown], above_first_row=token[above], without_width=token[thin]
        ),
    )


def _check(char_width_px: float, line_height_px: float, tab_width: int) -> None:
    for name, value in (
        ("char_width_px", char_width_px),
        ("line_height_px", line_height_px),
        ("tab_width", tab_width),
    ):
        if not (np.isfinite(value) and value > 0):
            raise ParameterError(
                f"{name} is {value}; expected more than 0: measure it on the stimulus"
            )


def _count_unshown(n: int, shown: IntArray, **reasons: IntArray) -> dict[str, int]:
    """How many tokens have no box at all, by the first reason that holds."""
    missing = np.ones(n, dtype=bool)
    missing[shown] = False
    counts: dict[str, int] = {}
    for reason, tokens in reasons.items():
        hit = np.unique(tokens[missing[tokens]])
        missing[hit] = False
        if len(hit):
            counts[reason] = len(hit)
    return counts


def _pieces(tokens: SourceTokens) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """First and last (exclusive) character, row and token of each token's visual lines."""
    raw = np.frombuffer(tokens.code, dtype=np.uint8)
    chars = np.concatenate(([0], np.cumsum((raw & 0xC0) != 0x80)))
    breaks = np.flatnonzero(raw == 0x0A)
    start, stop = tokens.span[:, 0], tokens.span[:, 1]
    lines = np.searchsorted(breaks, stop) - np.searchsorted(breaks, start)
    single = np.flatnonzero(lines == 0)
    rows: list[tuple[int, int, int, int]] = []
    for token in np.flatnonzero(lines).tolist():
        rows += _lines_of(tokens, token, chars)
    many = np.array(rows, dtype=np.int64).reshape(-1, 4)
    table = np.concatenate(
        [np.stack([chars[start], chars[stop], tokens.row, np.arange(len(tokens))], 1)[single], many]
    )
    table = table[np.lexsort((table[:, 2], table[:, 3]))]
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _lines_of(tokens: SourceTokens, token: int, chars: IntArray) -> list[tuple[int, int, int, int]]:
    place = int(chars[tokens.span[token, 0]])
    row = int(tokens.row[token])
    pieces = []
    for number, line in enumerate(tokens.text(token).split("\n")):
        text = line.strip()
        if text:
            first = place + len(line) - len(line.lstrip())
            pieces.append((first, first + len(text), row + number, token))
        place += len(line) + 1
    return pieces


def _cells(text: str, tab_width: int) -> tuple[IntArray, IntArray]:
    """Cell each character begins in and the one after it, counted from its line's start."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    width = _widths(points)
    total = np.concatenate(([0], np.cumsum(width)))
    newline = np.flatnonzero(points == 0x0A)
    line = np.searchsorted(newline, np.arange(len(points)))
    base = total[np.concatenate(([0], newline + 1))][line] if len(points) else total[:0]
    start: IntArray = total[:-1] - base
    end = start + width
    _stretch_tabs(start, end, np.flatnonzero(points == 0x09), line, tab_width)
    return start, end


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
