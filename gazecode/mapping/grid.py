"""Layout of monospaced text: a box for every token and visual line, from the grid of cells."""

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.mapping.cells import cells_of
from gazecode.mapping.rows import VisualRows
from gazecode.model import Layout, SourceTokens
from gazecode.model.checks import IntArray

__all__ = ["grid_layout"]


def grid_layout(  # noqa: PLR0913 - a grid, and the time and window it holds for
    tokens: SourceTokens,
    *,
    origin_px: tuple[float, float],
    char_width_px: float,
    line_height_px: float,
    tab_width: int = 4,
    first_row: int = 0,
    rows: VisualRows | None = None,
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
        The source's row (0-based) that stands in the first line; rows before have no boxes. With
        `rows`, the visual row.
    rows
        Soft wraps and folds (`gazecode.mapping.rows`): a token cut by a wrap has a box on each
        visual row, one in a fold none. None: every row of the source is one line.
    onset_ms, offset_ms
        The half-open interval the layout holds for.
    scroll_t_ms, scroll_px
        ``(s,)`` and ``(s, 2)``: from each time on the text is moved left and up by so much.
    viewport_px
        ``x0 y0 x1 y1`` of the area that shows text; None if nothing is cut off.

    Returns
    -------
    Layout
        `unmatched` counts tokens ``above_first_row``, ``without_width`` and ``folded``. Lines are
        numbered from `first_row` on, visual rows with `rows`.

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
    text = tokens.code.decode("utf-8")
    pieces = _pieces(tokens)
    cell, end = cells_of(text, tab_width=tab_width)
    shift, folded = np.zeros(len(pieces), dtype=np.int64), pieces[:0, 3]
    if rows is not None:
        folded = pieces[~np.isin(pieces[:, 2], rows.row), 3]
        pieces, shift = _wrap(pieces, rows, text, cell)
    first, last, row, token = pieces.T
    left, right = cell[first] + shift, end[last - 1] + shift
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
            len(tokens),
            token[shown],
            above_first_row=token[above],
            without_width=token[thin],
            folded=folded,
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


def _pieces(tokens: SourceTokens) -> IntArray:
    """First and last (exclusive) character, row and token of each token's lines, ``(p, 4)``."""
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
    sorted_table: IntArray = table[np.lexsort((table[:, 2], table[:, 3]))]
    return sorted_table


def _wrap(
    pieces: IntArray, rows: VisualRows, text: str, cell: IntArray
) -> tuple[IntArray, IntArray]:
    """Cut pieces at soft wraps; their row is the visual one, and they move by so many cells."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    begins = np.concatenate(([0], np.flatnonzero(points == 0x0A) + 1))
    owner, visual = rows.parts_of(pieces[:, 2])
    first, last, row, token = pieces[owner].T
    begin = begins[row]
    # A row's last column may be far behind its end.
    first = np.maximum(first, begin + rows.first[visual])
    last = np.minimum(last, begin + np.minimum(rows.last[visual], len(points)))
    blank = np.isin(points, _BLANK)
    first, last = _without_blanks(first, last, blank)
    kept = np.flatnonzero(first < last)
    visual = visual[kept]
    shift = rows.indent[visual] - cell[begin[kept] + rows.first[visual]]
    return np.stack([first[kept], last[kept], visual, token[kept]], axis=1), shift


_BLANK = np.array([0x09, 0x0A, 0x0D, 0x20])


def _without_blanks(
    first: IntArray, last: IntArray, blank: "npt.NDArray[np.bool_]"
) -> tuple[IntArray, IntArray]:
    """Stretches of characters without the blanks at their ends."""
    n = len(blank)
    place = np.arange(n)
    following = np.minimum.accumulate(np.where(blank, n, place)[::-1])[::-1]
    before = np.maximum.accumulate(np.where(blank, -1, place))
    return np.append(following, n)[np.minimum(first, n)], np.append(before, -1)[last - 1] + 1


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
