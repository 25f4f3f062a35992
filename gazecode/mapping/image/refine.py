"""From a grid within a third of a cell to a fraction of a pixel.

Columns: characters that stand in the middle of their cell in every monospaced font (`CENTRED`)
are the marks; the centre of gravity of their ink is a line in (column, x), fitted by least
squares with Huber's weights (P. J. Huber 1964, doi:10.1214/aoms/1177703732), again and again until
the cells stand still. Rows: letters without ascender and descender (`X_HEIGHT`) end at the
baseline and at the x-height; the baselines are a line in (row, y). A line's middle lies 0.6
x-heights above its baseline: half way between ascent and descent in DejaVu Sans Mono and Courier
New is 0.63; editors put Consolas at 0.55 to 0.58.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.mapping.image.search import Guess, telling_rows
from gazecode.mapping.image.written import Written
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = [
    "LINE",
    "MIDDLE",
    "Fitted",
    "cut_strips",
    "fit_grid",
    "line_fit",
    "occupied",
    "row_edges",
    "sums",
]

MIDDLE = 0.6
"""A line's middle above its baseline, in x-heights."""
LINE = 2.15
"""Line height in x-heights, where there is but one line."""
_REACH = 1.3  # what a line's ink can reach from its middle, in x-heights
_SPECK = 0.03  # of a squared x-height: less ink leaves a cell blank
_ROUNDS = 12
_EDGE = 0.15  # of the fullest row: serifs are full rows, the middle of thin letters is not


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A grid, and how well the marks lie on it.

    Attributes
    ----------
    x_px, char_px
        Left edge of column 0 and character pitch.
    y_px, line_px
        Middle of row 0 and line pitch.
    x_height_px
        Height of an x.
    residual_px
        ``(n_rows,)`` median distance of a row's marks from the grid, NaN in rows without marks.
    """

    x_px: float
    char_px: float
    y_px: float
    line_px: float
    x_height_px: float
    residual_px: FloatArray


def fit_grid(ink: FloatArray, written: Written, guess: Guess) -> Fitted:
    """Fit pitch and origin of columns and rows to the ink."""
    y, pitch, x_height = _fit_rows(ink, written, guess)
    middles = y + pitch * np.arange(written.n_rows, dtype=np.float64)
    strips = cut_strips(ink, middles, x_height, pitch)
    x, char = _slide(strips, written, guess)
    x, char, residual = _fit_columns(strips, written, x, char)
    # Rows again, now that the columns of the letters are known.
    better = Guess(x_px=x, char_px=char, y_px=y, line_px=pitch, score=guess.score)
    y, pitch, x_height = _fit_rows(ink, written, better)
    if written.n_rows == 1:
        pitch = LINE * x_height  # one line says nothing of the next
    return Fitted(
        x_px=x,
        char_px=char,
        y_px=y,
        line_px=pitch,
        x_height_px=x_height,
        residual_px=residual,
    )


def line_fit(
    at: FloatArray, value: FloatArray, *, scale: float = 0.5, slope: float | None = None
) -> tuple[float, float]:
    """Intercept and slope by least squares with Huber's weights; `slope` holds it fixed."""
    weight = np.ones(len(at))
    first = last = (0.0, 0.0)
    for _ in range(10):
        total = weight.sum()
        mean_at, mean = float(weight @ at) / total, float(weight @ value) / total
        spread = float(weight @ (at - mean_at) ** 2)
        if slope is None:
            rise = float(weight @ ((at - mean_at) * (value - mean))) / spread if spread else 0.0
        else:
            rise = slope
        last = (mean - rise * mean_at, rise)
        if np.allclose(first, last, rtol=0, atol=1e-6):
            break
        first = last
        off = np.abs(value - last[0] - rise * at)
        weight = scale / np.maximum(off, scale)
    return last


def cut_strips(
    ink: FloatArray, middle_px: FloatArray, x_height: float, line_px: float = np.inf
) -> FloatArray:
    """The ink of each line by columns of pixels, ``(rows, w)``; none of the lines beside it."""
    reach = min(_REACH * x_height, 0.5 * line_px)
    # Rounded down: an underscore is the last row of pixels of a line set tight.
    edges = np.stack([np.rint(middle_px - reach), np.ceil(middle_px + reach)], axis=1)
    edges = np.clip(edges, 0, ink.shape[0]).astype(np.int64)
    strips = np.zeros((len(middle_px), ink.shape[1]))
    for i, (first, last) in enumerate(edges.tolist()):
        strips[i] = ink[first:last].sum(axis=0)
    return strips


def sums(strips: FloatArray, row: IntArray, x0: FloatArray, x1: FloatArray) -> FloatArray:
    """Ink of each strip between two places, to fractions of a pixel."""
    total = np.pad(np.cumsum(strips, axis=1), ((0, 0), (1, 0)))
    return _at(total, row, x1) - _at(total, row, x0)


def _at(total: FloatArray, row: IntArray, x: FloatArray) -> FloatArray:
    x = np.clip(x, 0, total.shape[1] - 1)
    whole = np.minimum(x.astype(np.int64), total.shape[1] - 2)
    low = total[row, whole]
    held: FloatArray = low + (x - whole) * (total[row, whole + 1] - low)
    return held


def _slide(strips: FloatArray, written: Written, guess: Guess) -> tuple[float, float]:
    """Left edge and pitch near a guess at which the blank cells' middles hold least ink."""
    rows = telling_rows(written)
    mask = written.mask[rows]
    place = np.indices(mask.shape).reshape(2, -1)
    row, cell, sign = rows[place[0]], place[1], np.where(mask.ravel(), 1.0, -2.0)
    limit = 0.08 * guess.char_px * 2
    total = np.pad(np.cumsum(np.minimum(strips, limit), axis=1), ((0, 0), (1, 0)))
    reach = 0.75 / max(written.n_columns, 4)
    best = (-np.inf, guess.x_px, guess.char_px)
    for stretch in np.linspace(1 - reach, 1 + reach, 25).tolist():
        char = guess.char_px * stretch
        for shift in np.linspace(-0.7, 0.7, 29).tolist():
            x = guess.x_px + shift * guess.char_px
            left = x + char * cell
            held = _at(total, row, left + 0.9 * char) - _at(total, row, left + 0.1 * char)
            value = float(sign @ held)
            if value > best[0]:
                best = (value, x, char)
    return best[1], best[2]


def _fit_columns(
    strips: FloatArray, written: Written, x: float, char: float
) -> tuple[float, float, FloatArray]:
    marks = np.flatnonzero(written.centred & (written.right - written.left == 1))
    if len(np.unique(written.left[marks])) < 2:
        marks = np.arange(len(written.row))
    row = written.row[marks]
    middle = (written.left[marks] + written.right[marks]) / 2
    total = np.pad(np.cumsum(strips, axis=1), ((0, 0), (1, 0)))
    place = np.arange(strips.shape[1]) + 0.5
    moment = np.pad(np.cumsum(strips * place, axis=1), ((0, 0), (1, 0)))
    centre = x + char * middle
    for _ in range(_ROUNDS):
        expected = x + char * middle
        left, right = expected - 0.55 * char, expected + 0.55 * char
        mass = _at(total, row, right) - _at(total, row, left)
        moments = _at(moment, row, right) - _at(moment, row, left)
        inked = mass > 0.5
        if inked.sum() < 2:
            break
        centre = np.where(inked, moments / np.maximum(mass, 1e-9), np.nan)
        fixed = char if len(np.unique(middle[inked])) < 2 else None
        before = x, char
        x, char = line_fit(middle[inked], centre[inked], slope=fixed)
        if np.allclose(before, (x, char), rtol=0, atol=1e-4):
            break
    return x, char, _per_row_median(np.abs(centre - x - char * middle), row, written.n_rows)


def _per_row_median(values: FloatArray, row: IntArray, n_rows: int) -> FloatArray:
    median = np.full(n_rows, np.nan)
    for i in np.unique(row).tolist():
        held = values[(row == i) & np.isfinite(values)]
        if held.size:
            median[i] = np.median(held)
    return median


def _fit_rows(ink: FloatArray, written: Written, guess: Guess) -> tuple[float, float, float]:
    """Middle of row 0, line pitch and x-height."""
    cells = np.stack([written.left, written.right], axis=1).astype(np.float64)
    spans = guess.x_px + guess.char_px * cells
    marks = written.x_height if written.x_height.any() else np.ones(len(cells), dtype=bool)
    y, pitch = guess.y_px, guess.line_px
    height = 0.42 * pitch
    for _ in range(4):
        middles = y + pitch * np.arange(written.n_rows, dtype=np.float64)
        edges = row_edges(ink, middles, 0.5 * pitch, written.row[marks], spans[marks])
        top, bottom = edges[:, 0], edges[:, 1]
        known = np.flatnonzero(np.isfinite(top))
        if not len(known):
            break
        height = float(np.median(bottom[known] - top[known]))
        before = y, pitch
        fixed = pitch if len(known) < 2 else None
        base, pitch = line_fit(known.astype(np.float64), bottom[known], slope=fixed)
        y = base - MIDDLE * height
        if np.allclose(before, (y, pitch), rtol=0, atol=1e-3):
            break
    return y, pitch, height


def row_edges(
    ink: FloatArray, middle_px: FloatArray, reach_px: float, row: IntArray, span_px: FloatArray
) -> FloatArray:
    """Top and bottom of the marks of each row, ``(rows, 2)``; NaN where there is no ink."""
    height, width = ink.shape
    edges = np.full((len(middle_px), 2), np.nan)
    first, last = np.clip(np.rint(span_px), 0, width).astype(np.int64).T
    for i in np.unique(row).tolist():
        top = max(int(np.floor(middle_px[i] - reach_px)), 0)
        bottom = min(int(np.ceil(middle_px[i] + reach_px)), height)
        here = np.flatnonzero(row == i)
        columns = np.zeros(width, dtype=bool)
        for k in here.tolist():
            columns[first[k] : last[k]] = True
        if bottom - top > 2 and columns.any():
            profile = ink[top:bottom, columns].sum(axis=1)
            edges[i] = top + np.array(_extent(profile, middle_px[i] - top))
    return edges


def _extent(profile: FloatArray, middle: float) -> tuple[float, float]:
    """First and last row of the strongest stretch of ink, to fractions of a row."""
    peak = float(profile.max())
    if peak <= 0.5:
        return np.nan, np.nan
    level = _EDGE * peak
    over = np.flatnonzero(profile >= level)
    groups = np.split(over, np.flatnonzero(np.diff(over) > max(2, 0.25 * len(profile))) + 1)
    mass = [
        float(profile[g[0] : g[-1] + 1].sum()) / (1 + abs((g[0] + g[-1] + 1) / 2 - middle))
        for g in groups
    ]
    best = groups[int(np.argmax(mass))]
    first, last = int(best[0]), int(best[-1])
    before = float(profile[first - 1]) if first else 0.0
    after = float(profile[last + 1]) if last + 1 < len(profile) else 0.0
    # The edge lies where a line between neighbouring rows would cross the level.
    top = first + 0.5 - (profile[first] - level) / max(profile[first] - before, 1e-9)
    end = last + 0.5 + (profile[last] - level) / max(profile[last] - after, 1e-9)
    return float(top), float(end)


def occupied(strips: FloatArray, x: FloatArray, char_px: float, n: int, area: float) -> BoolArray:
    """Which of `n` cells from `x` (one left edge per row) hold ink, ``(rows, n)``."""
    row, cell = np.indices((len(strips), n))
    left = x[:, None] + char_px * cell
    held = sums(strips, row.ravel(), (left + 0.2 * char_px).ravel(), (left + 0.8 * char_px).ravel())
    return (held > _SPECK * area).reshape(row.shape)
