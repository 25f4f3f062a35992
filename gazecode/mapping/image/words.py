"""Text in a proportional font, found word by word.

A line of text has a width in any font size (`proportional`): lines are paired with bands of ink in
order at the size that fits them all best. Within a line the gaps between words are those of the
ink's gaps that make the words as wide as they should be (dynamic programming); within a word
characters share its width, and what lies between two of them is drawn to the nearest column
without ink.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.mapping.image.bands import Paired, bands_of_rows, cut_bands, match_in_order
from gazecode.mapping.image.found import TextGrid
from gazecode.mapping.image.lines import find_middles
from gazecode.mapping.image.proportional import SPACE, Advances
from gazecode.mapping.image.refine import LINE
from gazecode.mapping.image.search import row_combs
from gazecode.mapping.image.written import Written
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["find_words"]

_SIZE_PER_BAND = (0.7, 1.8)  # size of the font over the height of a band
_CHAR = 0.5  # mean advance, font sizes: makes widths characters
_WORD_ERROR = (0.08, 1.5)  # how far a word may be from its width: a share, and px
_WORD_FOUND = (0.12, 3.0)  # as above, and it counts as found
_SNAP = 0.15  # font sizes that a character's edge may move to where there is no ink
_ROUNDS = 3
_SURE = 0.95  # score at which no other lines are tried
_COMBS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Word:
    """A word of the text: its row (number among the rows) and its characters."""

    row: int
    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Font:
    advances: Advances
    size_px: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Held:
    """Words, the ends of their ink, the lines they are on, and the font."""

    words: list[_Word]
    edges: FloatArray
    paired: Paired
    strips: FloatArray
    font: _Font


def find_words(ink: FloatArray, written: Written) -> TextGrid | None:
    """Each word of the text on a stretch of ink; None where there is too little ink.

    Lines are bands of ink with nothing between, or, where descenders reach the next line, the
    teeth of a comb.
    """
    best = _on_bands(ink, written, cut_bands(ink))
    if best is not None and best.score >= _SURE:
        return best
    for line_px, top_px, _ in row_combs(ink > 0, written)[:_COMBS]:
        found = _on_bands(ink, written, _teeth(ink, np.unique(written.row), line_px, top_px))
        if found is not None and (best is None or found.score > best.score):
            best = found
    return best


def _teeth(ink: FloatArray, rows: IntArray, line_px: float, top_px: float) -> IntArray:
    """Bands of the rows with text on a comb, those with ink."""
    edges = np.rint(top_px + line_px * (rows[:, None] + np.array([0.04, 0.96])))
    bands = np.clip(edges, 0, ink.shape[0]).astype(np.int64)
    held = [bool(ink[top:bottom].any()) for top, bottom in bands.tolist()]
    teeth: IntArray = bands[np.array(held, dtype=bool)]
    return teeth


def _on_bands(ink: FloatArray, written: Written, bands: IntArray) -> TextGrid | None:
    rows = np.unique(written.row)
    if not len(bands):
        return None
    words = _words(written, rows)
    strips = np.stack([ink[top:bottom].sum(axis=0) for top, bottom in bands.tolist()])
    extent = np.array([_ends(strip) for strip in strips])
    advances = Advances()
    wide = extent[:, 1] - extent[:, 0]
    height = float(np.percentile(bands[:, 1] - bands[:, 0], 75))
    size = _best_size(_row_widths(words, advances, len(rows)), wide, height)
    edges = np.full((len(words), 2), np.nan)
    band = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(_ROUNDS):
        cost, ours, theirs = _costs(_row_widths(words, advances, len(rows)), wide, size)
        band = bands_of_rows(cost, ours, theirs)
        edges = _all_edges(words, band, strips, extent, _Font(advances=advances, size_px=size))
        known = np.flatnonzero(np.isfinite(edges[:, 0]))
        if not len(known):
            return None
        texts = [words[k].text for k in known.tolist()]
        measured = (edges[known, 1] - edges[known, 0]) / size
        expected = np.array([_width(advances, text) for text in texts])
        size *= float(np.median(measured / expected))
        measured *= np.median(expected / measured)
        advances = advances.learnt(texts, measured + 0.1)
    held = _Held(
        words=words,
        edges=edges,
        paired=Paired(row=rows, band=band, edges=bands),
        strips=strips,
        font=_Font(advances=advances, size_px=size),
    )
    return _found(ink, written, held)


def _words(written: Written, rows: IntArray) -> list[_Word]:
    """Words between blanks; the characters are numbers among the non-blank ones."""
    place, row = written.place, written.row
    begins = np.flatnonzero((np.diff(place, prepend=-2) > 1) | (np.diff(row, prepend=-1) != 0))
    ends = np.append(begins[1:], len(place))
    chars = written.chars
    number = np.searchsorted(rows, row[begins])
    return [
        _Word(row=int(r), first=int(a), last=int(b), text="".join(chars[a:b]))
        for r, a, b in zip(number.tolist(), begins.tolist(), ends.tolist(), strict=True)
    ]


def _width(advances: Advances, text: str) -> float:
    """Width of a word's ink in font sizes: its advances without the outer bearings."""
    return float(max(advances.of(text).sum() - 0.1, 0.05))


def _row_widths(words: list[_Word], advances: Advances, n_rows: int) -> FloatArray:
    widths = np.full(n_rows, -SPACE)
    for word in words:
        widths[word.row] += _width(advances, word.text) + 0.1 + SPACE
    return widths


def _ends(strip: FloatArray) -> tuple[float, float]:
    inked = np.flatnonzero(strip > 0)
    return float(inked[0]), float(inked[-1] + 1)


def _costs(
    row: FloatArray, wide: FloatArray, size: float | FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cost of every row on every band, and the sizes of both, in characters."""
    ours = row / _CHAR
    theirs = (wide.reshape((-1,) + (1,) * np.ndim(size)) / size) / _CHAR
    off = np.abs(ours.reshape((-1,) + (1,) * theirs.ndim) - theirs)
    return np.minimum(1.5 * off, 1.2 * ours.reshape((-1,) + (1,) * theirs.ndim)), ours, theirs


def _best_size(row: FloatArray, wide: FloatArray, height: float) -> float:
    sizes = np.geomspace(_SIZE_PER_BAND[0] * height, _SIZE_PER_BAND[1] * height, 240)
    cost, ours, theirs = _costs(row, wide, sizes)
    total = match_in_order(cost, ours, theirs)[-1, -1]
    return float(sizes[int(total.argmin())])


def _all_edges(
    words: list[_Word], band: IntArray, strips: FloatArray, extent: FloatArray, font: _Font
) -> FloatArray:
    """Left and right end of each word's ink, ``(words, 2)``; NaN in rows without band."""
    edges = np.full((len(words), 2), np.nan)
    row = np.array([word.row for word in words])
    for i in np.flatnonzero(band >= 0).tolist():
        here = np.flatnonzero(row == i)
        widths = font.size_px * np.array(
            [_width(font.advances, words[k].text) for k in here.tolist()]
        )
        found = _cut_line(strips[band[i]], extent[band[i]], widths, font.size_px)
        if found is not None:
            edges[here] = found
    return edges


def _cut_line(
    strip: FloatArray, extent: FloatArray, widths: FloatArray, size: float
) -> FloatArray | None:
    """Ends of the words of one line: the gaps at which the words are as wide as they should be."""
    left, right = int(extent[0]), int(extent[1])
    blank = np.flatnonzero(strip[left:right] <= 0) + left
    gaps = np.split(blank, np.flatnonzero(np.diff(blank) > 1) + 1) if len(blank) else []
    begin = np.array([left] + [int(gap[-1]) + 1 for gap in gaps], dtype=np.float64)
    end = np.array([int(gap[0]) for gap in gaps] + [right], dtype=np.float64)
    n, m = len(widths), len(begin)
    if n > m:
        return None
    share, px = _WORD_ERROR
    # Stretches of ink i..k make a word: begin of i, end of k.
    reach = end[None, :] - begin[:, None]
    before = np.concatenate(([SPACE * size], begin[1:] - end[:-1]))
    gap_cost = ((before - SPACE * size) / (0.35 * SPACE * size + 1)) ** 2
    gap_cost = np.minimum(gap_cost, 9)
    best = np.full((n, m), np.inf)
    via = np.zeros((n, m), dtype=np.int64)
    for j in range(n):
        error = ((reach - widths[j]) / (share * widths[j] + px)) ** 2
        error = np.where(reach > 0, np.minimum(error, 100), np.inf)
        if j == 0:
            best[0] = error[0]
            continue
        # The word before ends one stretch earlier.
        entry = np.concatenate(([np.inf], best[j - 1, :-1])) + gap_cost
        total = entry[:, None] + error
        via[j] = total.argmin(axis=0)
        best[j] = total.min(axis=0)
    if not np.isfinite(best[-1, -1]):
        return None
    edges = np.empty((n, 2))
    k = m - 1
    for j in range(n - 1, -1, -1):
        i = int(via[j, k]) if j else 0
        edges[j] = begin[i], end[k]
        k = i - 1
    return edges


def _found(ink: FloatArray, written: Written, held: _Held) -> TextGrid:
    words, edges, rows, band = held.words, held.edges, held.paired.row, held.paired.band
    advances, size = held.font.advances, held.font.size_px
    spans = np.full((len(written.row), 2), np.nan)
    off = np.full(len(words), np.nan)
    differing = np.zeros(len(rows), dtype=np.int64)
    for k, word in enumerate(words):
        if np.isnan(edges[k, 0]):
            differing[word.row] += len(word.text)
            continue
        expected = size * _width(advances, word.text)
        off[k] = abs(edges[k, 1] - edges[k, 0] - expected)
        if off[k] > _WORD_FOUND[0] * expected + _WORD_FOUND[1]:
            differing[word.row] += len(word.text)
        inner = _inner_edges(held.strips[band[word.row]], edges[k], advances.of(word.text), size)
        spans[word.first : word.last] = np.stack([inner[:-1], inner[1:]], axis=1)
    middles, x_height = find_middles(ink, written, held.paired, spans)
    middle = middles[rows]
    known = np.flatnonzero(np.isfinite(middle))
    pitch = float(np.median(np.diff(middle[known]))) if len(known) > 1 else LINE * x_height
    row = np.array([word.row for word in words])
    left = np.array([np.fmin.reduce(edges[row == i, 0]) for i in range(len(rows))])
    residual = np.array([_median(off[row == i]) for i in range(len(rows))])
    return TextGrid(
        kind="words",
        origin_px=(float(left[known[0]]), float(middle[known[0]]) - pitch / 2),
        char_width_px=np.nan,
        line_height_px=pitch,
        x_height_px=x_height,
        score=max(1 - float(differing.sum()) / len(written.row), 0.0),
        likeness=np.nan,
        residual_px=_median(off),
        row=rows,
        middle_px=middle,
        left_px=left,
        line_residual_px=residual,
        n_differing=differing,
        place=written.place,
        place_row=written.row,
        span_px=spans,
    )


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _inner_edges(
    strip: FloatArray, ends: FloatArray, advances: FloatArray, size: float
) -> FloatArray:
    """Edges of a word's characters, ``(n + 1,)``, the inner ones where there is least ink."""
    share = np.concatenate(([0], np.cumsum(advances))) / advances.sum()
    edges: FloatArray = ends[0] + (ends[1] - ends[0]) * share
    reach = max(round(_SNAP * size), 1)
    full = float(strip[int(ends[0]) : int(np.ceil(ends[1]))].max()) + 1e-9
    for i in range(1, len(edges) - 1):
        near = np.arange(int(edges[i]) - reach, int(edges[i]) + reach + 1)
        near = near[(near > edges[i - 1] + 1) & (near < ends[1] - 1) & (near < len(strip))]
        if len(near):
            cost = strip[near] / full + 0.3 * np.abs(near + 0.5 - edges[i]) / reach
            best = int(near[cost.argmin()])
            edges[i] = best + 0.5
    return edges
