"""A layout from a picture of the stimulus and the text it shows. Nothing is recognised (no OCR).

The text is known, so only its place is asked for: which cells are blank is matched with which
pixels hold ink (`search`), the grid is fitted to the ink of single characters (`refine`), and
every line is checked by what its characters look like elsewhere on the same picture (`glyphs`).
Where lines do not lie on one grid they are matched one by one (`lines`); proportional fonts by
words (`words`).
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.image.found import TextGrid
from gazecode.mapping.image.lines import find_lines
from gazecode.mapping.image.monospaced import find_grid
from gazecode.mapping.image.picture import Picture, find_ink, open_picture
from gazecode.mapping.image.words import find_words
from gazecode.mapping.image.written import Written, write
from gazecode.model import Layout, SourceTokens
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["MIN_LIKENESS", "MIN_SCORE", "find_text", "image_layout"]

MIN_SCORE = {"grid": 0.8, "lines": 0.9, "words": 0.8}
"""Below its score a text is not on the picture, by `TextGrid.kind`.

Texts on pictures of other texts reach 0.75, 0.85 and 0.47, on their own 0.97, 0.96 and 0.99.
"""
MIN_LIKENESS = 0.75
"""Below this share of characters that look like themselves it is another text of that shape.

A text on its own picture has 0.99 and more, one of the same shape with other letters 0.6 to 0.7
(0.85 at 8 px). That every e is an a cannot be seen: nothing is recognised.
"""
_WORTH = 0.01  # share of characters that lines of their own must place better than a grid

Region = tuple[float, float, float, float]


def find_text(
    image: Picture,
    text: str,
    *,
    tab_width: int = 4,
    region_px: Region | None = None,
    monospace: bool = True,
    min_score: float | None = None,
) -> TextGrid:
    r"""Find where a picture shows a known text.

    Parameters
    ----------
    image
        Path, the file's bytes, or an array ``(h, w)`` or ``(h, w, 3)`` of uint8. Dark or light,
        coloured, with other things around the text.
    text
        What is shown, line by line; blank lines count. White space inside a line may differ from
        the picture's if no other grid fits.
    tab_width
        Cells between tab stops.
    region_px
        ``x0 y0 x1 y1`` to look in; None: the whole picture.
    monospace
        False for proportional fonts.
    min_score
        The least score that counts as found; None: `MIN_SCORE` of the way it was found.

    Raises
    ------
    DataError
        The text is not on the picture (best score below `min_score`), or it is blank.
    FormatError, TooLarge
        The picture cannot be opened, see `open_picture`.
    ParameterError
        A tab width or region that makes no sense.

    Examples
    --------
    >>> page = np.full((120, 200), 255, dtype=np.uint8)
    >>> for row, word in enumerate(["ooo oo", "", "  oooo o", "oo"]):
    ...     for column, char in enumerate(word):
    ...         if char == "o":
    ...             x, y = 30 + 10 * column, 20 + 20 * row
    ...             page[y + 6 : y + 14, x + 2 : x + 8] = 0
    >>> found = find_text(page, "ooo oo\n\n  oooo o\noo")
    >>> [round(v, 1) for v in (found.origin_px[0], found.char_width_px, found.line_height_px)]
    [30.0, 10.0, 20.0]
    """
    if tab_width < 1:
        raise ParameterError(f"tab_width is {tab_width}; expected at least 1")
    rgb = open_picture(image)
    written = write(text, tab_width)
    left, top, right, bottom = _region(region_px, rgb.shape[1], rgb.shape[0])
    ink = find_ink(rgb[top:bottom, left:right])
    found = _best(ink, written, monospace=monospace)
    _check_found(found, min_score)
    return _moved(found, left, top) if left or top else found


def _region(region_px: Region | None, width: int, height: int) -> tuple[int, int, int, int]:
    if region_px is None:
        return 0, 0, width, height
    left, top = max(int(region_px[0]), 0), max(int(region_px[1]), 0)
    right, bottom = min(int(np.ceil(region_px[2])), width), min(int(np.ceil(region_px[3])), height)
    if right - left < 8 or bottom - top < 8:
        raise ParameterError(
            f"region_px is {region_px} on a picture of {width} x {height} px; expected "
            "(x0, y0, x1, y1) inside it, at least 8 px wide and high"
        )
    return left, top, right, bottom


def _best(ink: FloatArray, written: Written, *, monospace: bool) -> TextGrid:
    """The way that shows most of the text as it is written."""
    if monospace:
        grid = find_grid(ink, written)
        if grid is not None and grid.score >= MIN_SCORE["grid"] and not grid.unmatched:
            return grid
        held = [grid, find_lines(ink, written)]
    else:
        held = [find_words(ink, written)]
    found = [one for one in held if one is not None]
    if not found:
        raise DataError(
            f"nothing on the picture can be a text of {written.n_rows} lines and "
            f"{written.n_columns} columns; check that picture and text belong together, or give "
            "region_px"
        )
    # A grid that is found counts for more: it places lines that differ, too.
    rank = [
        (_passes(one), one.share_matched + (_WORTH if one.kind == "grid" else 0)) for one in found
    ]
    return found[rank.index(max(rank))]


def _passes(found: TextGrid) -> bool:
    return found.score >= MIN_SCORE[found.kind] and not found.likeness < MIN_LIKENESS


def _check_found(found: TextGrid, min_score: float | None) -> None:
    least = MIN_SCORE[found.kind] if min_score is None else min_score
    if found.score < least:
        raise DataError(
            f"the text is not on the picture: agreement {found.score:.2f}, expected at least "
            f"{least:g}; check that picture and text belong together and that all of the text is "
            f"shown, give region_px, or monospace={found.kind == 'words'}"
        )
    if found.likeness < MIN_LIKENESS:
        raise DataError(
            f"a text of this shape is on the picture, not this one: {found.likeness:.2f} of the "
            f"characters look like themselves, expected at least {MIN_LIKENESS:g}; check that "
            "picture and text belong together"
        )


def _moved(found: TextGrid, left: int, top: int) -> TextGrid:
    return replace(
        found,
        origin_px=(found.origin_px[0] + left, found.origin_px[1] + top),
        middle_px=found.middle_px + top,
        left_px=found.left_px + left,
        span_px=found.span_px + left,
    )


def image_layout(  # noqa: PLR0913 - a picture, what it shows, and the time the layout holds for
    tokens: SourceTokens,
    image: Picture,
    *,
    tab_width: int = 4,
    region_px: Region | None = None,
    monospace: bool = True,
    displayed: str | None = None,
    first_row: int = 0,
    last_row: int | None = None,
    min_score: float | None = None,
    onset_ms: float = -np.inf,
    offset_ms: float = np.inf,
    scroll_t_ms: npt.ArrayLike = (),
    scroll_px: npt.ArrayLike = (),
    viewport_px: Region | None = None,
) -> Layout:
    r"""Lay tokens out as a picture shows them.

    A token has a box on each line it is shown on, from its first to its last character there. A
    box is as high as the line, or reaches to the middle between lines that are closer.

    Parameters
    ----------
    tokens
        What is shown.
    image, tab_width, region_px, monospace, min_score
        As for `find_text`.
    displayed
        The text as shown, if its white space or line breaks differ from the source's. Its
        non-blank characters are the source's, in order.
    first_row, last_row
        The source's rows (0-based, the last included) that the picture shows.
    onset_ms, offset_ms, scroll_t_ms, scroll_px, viewport_px
        As for `grid_layout`.

    Returns
    -------
    Layout
        `unmatched` counts tokens ``not_in_picture`` and ``outside_rows``, and ``differing_lines``
        whose text differs from the picture.

    Raises
    ------
    DataError
        As for `find_text`; or `displayed` is another text.

    Examples
    --------
    >>> from gazecode.model import SourceTokens
    >>> tokens = SourceTokens(
    ...     language="java",
    ...     source_id="",
    ...     code=b"oo o\n\nooo",
    ...     span=[[0, 2], [3, 4], [6, 9]],
    ...     row=[0, 0, 2],
    ...     column=[0, 3, 0],
    ...     kind=["identifier"] * 3,
    ...     path=((),) * 3,
    ...     label=[""] * 3,
    ... )
    >>> page = np.full((120, 200, 3), 40, dtype=np.uint8)
    >>> for x, y in [(30, 20), (40, 20), (60, 20), (30, 60), (40, 60), (50, 60)]:
    ...     page[y + 6 : y + 14, x + 2 : x + 8] = (120, 200, 90)
    >>> image_layout(tokens, page).boxes[:, [0, 2]].round().tolist()
    [[30.0, 50.0], [60.0, 70.0], [30.0, 60.0]]
    """
    code = tokens.code.decode("utf-8")
    shown, source_place = _shown(code, displayed, first_row, last_row)
    found = find_text(
        image,
        shown,
        tab_width=tab_width,
        region_px=region_px,
        monospace=monospace,
        min_score=min_score,
    )
    char = source_place[found.place]
    token = _token_of(tokens, code)[char]
    boxes, owner, line = _boxes(found, token)
    missing = np.setdiff1d(np.arange(len(tokens)), owner)
    asked = np.isin(missing, token)
    unmatched = {
        "not_in_picture": int(asked.sum()),
        "outside_rows": int((~asked).sum()),
        "differing_lines": len(found.unmatched),
    }
    return Layout(
        boxes=boxes,
        token=owner,
        line=line,
        n_tokens=len(tokens),
        line_height_px=found.line_height_px,
        onset_ms=onset_ms,
        offset_ms=offset_ms,
        scroll_t_ms=np.asarray(scroll_t_ms, dtype=np.float64),
        scroll_px=np.asarray(scroll_px, dtype=np.float64),
        viewport_px=viewport_px,
        unmatched={name: count for name, count in unmatched.items() if count},
    )


def _shown(
    code: str, displayed: str | None, first_row: int, last_row: int | None
) -> tuple[str, IntArray]:
    """The text to look for, and which character of the code each of its characters is (or -1)."""
    rows = code.split("\n")
    if not 0 <= first_row < len(rows) or (last_row is not None and last_row < first_row):
        raise ParameterError(
            f"rows {first_row} to {last_row} of a source of {len(rows)} rows; expected "
            "0 <= first_row <= last_row, below the number of rows"
        )
    begin = sum(len(row) + 1 for row in rows[:first_row])
    part = "\n".join(rows[first_row : None if last_row is None else last_row + 1])
    here = begin + np.arange(len(part), dtype=np.int64)
    if displayed is None:
        return part, here
    ours = [i for i, char in enumerate(part) if char.strip()]
    theirs = [i for i, char in enumerate(displayed) if char.strip()]
    a, b = "".join(part[i] for i in ours), "".join(displayed[i] for i in theirs)
    if a != b:
        at = next((i for i, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), -1)
        at = min(len(a), len(b)) if at < 0 else at
        raise DataError(
            f"displayed differs from the source at its non-blank character {at}: "
            f"{b[at : at + 12]!r}, expected {a[at : at + 12]!r}; only white space may differ"
        )
    place = np.full(len(displayed), -1, dtype=np.int64)
    place[theirs] = here[ours]
    return displayed, place


def _token_of(tokens: SourceTokens, code: str) -> IntArray:
    """The token of each character, -1 for none."""
    size = np.array([len(char.encode()) for char in code], dtype=np.int64)
    byte = np.cumsum(size) - size
    token = np.searchsorted(tokens.span[:, 0], byte, side="right") - 1
    inside = (token >= 0) & (byte < tokens.span[np.maximum(token, 0), 1]) if len(tokens) else False
    return np.where(inside, token, -1)


def _boxes(found: TextGrid, token: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """A box for every token and line, in the order of tokens; with token and line."""
    shown = np.flatnonzero((token >= 0) & np.isfinite(found.span_px[:, 0]))
    key = np.stack([token[shown], found.place_row[shown]], axis=1)
    pairs, group = np.unique(key, axis=0, return_inverse=True)
    group = group.ravel()
    left, right = np.full(len(pairs), np.inf), np.full(len(pairs), -np.inf)
    np.minimum.at(left, group, found.span_px[shown, 0])
    np.maximum.at(right, group, found.span_px[shown, 1])
    top, bottom = _heights(found)
    at = np.searchsorted(found.row, pairs[:, 1])
    boxes = np.stack([left, top[at], right, bottom[at]], axis=1)
    return boxes, pairs[:, 0], pairs[:, 1]


def _heights(found: TextGrid) -> tuple[FloatArray, FloatArray]:
    """Top and bottom of each row: half a line from its middle, less where a neighbour is near."""
    half = np.full(len(found.row), found.line_height_px / 2)
    gap = np.diff(found.middle_px) / 2
    above, below = half.copy(), half.copy()
    above[1:] = np.fmin(above[1:], gap)
    below[:-1] = np.fmin(below[:-1], gap)
    return found.middle_px - above, found.middle_px + below
