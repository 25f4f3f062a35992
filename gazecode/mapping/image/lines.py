"""Monospaced lines that lie on no common grid: word processors, odd indents, added blanks.

In a monospaced line the k-th cell with ink is the k-th non-blank character, however many blanks
stand between: so a pitch fits if its cells with ink are as many as the characters, line by line.
Bands of ink and lines of text are paired in order at least cost (dynamic programming), what is no
line of the text is skipped. Then pitch and the place of each line are fitted as in `refine`.
"""

from dataclasses import dataclass, replace

import numpy as np

from gazecode.mapping.image.bands import Paired, bands_of_rows, cut_bands, match_in_order
from gazecode.mapping.image.found import TextGrid
from gazecode.mapping.image.monospaced import place_rows
from gazecode.mapping.image.refine import LINE, MIDDLE, line_fit, row_edges, sums
from gazecode.mapping.image.written import Written
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["find_lines"]

_PITCH_PER_BAND = (0.3, 1.1)  # character pitch over the height of a band
_PHASES = 12
_SPECK = 0.03  # of a squared x-height
_X_HEIGHT = 0.55  # of a band's height
_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cells:
    """Bands cut into cells: left edge of cell 0 of each band, and which cells hold ink."""

    char_px: float
    x_px: FloatArray
    held: BoolArray

    @property
    def count(self) -> IntArray:
        counts: IntArray = self.held.sum(axis=1)
        return counts


def find_lines(ink: FloatArray, written: Written) -> TextGrid | None:
    """Each line of the text on a band of ink; None where there is too little ink."""
    bands = cut_bands(ink)
    if not len(bands):
        return None
    columns = np.flatnonzero(ink.any(axis=0))
    left, right = max(int(columns[0]) - 4, 0), min(int(columns[-1]) + 5, ink.shape[1])
    strips = np.stack([ink[top:bottom, left:right].sum(axis=0) for top, bottom in bands.tolist()])
    height = float(np.percentile(bands[:, 1] - bands[:, 0], 75))
    rows = np.unique(written.row)
    size = _sizes(written)[rows]
    area = (_X_HEIGHT * height) ** 2
    pitch = _best_pitch(strips, size, height, area, right - left)
    if pitch is None:
        return None
    cells = _cut(strips, pitch, area)
    cost = _costs(size, cells.count)
    band = bands_of_rows(cost, size, cells.count.astype(np.float64))
    if not (band >= 0).any():
        return None
    paired = Paired(row=rows, band=band, edges=bands)
    cells, residual = _refine(strips, written, paired, cells, area)
    return _lines(ink, written, paired, replace(cells, x_px=cells.x_px + left), residual)


def _sizes(written: Written) -> FloatArray:
    """Cells with ink each row should have, ``(n_rows,)``."""
    width = written.right - written.left
    return np.bincount(written.row, weights=width, minlength=written.n_rows).astype(np.float64)


def _costs(size: FloatArray, count: IntArray) -> FloatArray:
    """``(rows, bands, ...)``: characters too many or too few, at most those of the row."""
    wide = size.reshape((-1,) + (1,) * count.ndim)
    return np.minimum(1.5 * np.abs(wide - count), 1.2 * wide)


def _best_pitch(
    strips: FloatArray, size: FloatArray, height: float, area: float, width: int
) -> float | None:
    low, high = _PITCH_PER_BAND[0] * height, _PITCH_PER_BAND[1] * height
    longest = float(size.max())
    high = min(high, width / max(longest - 0.5, 0.5))
    if high <= low:
        return None
    step = min(0.02, 0.25 / longest)
    pitches = np.geomspace(low, high, int(np.ceil(np.log(high / low) / step)) + 1)
    counts = np.stack([_cut(strips, p, area).count for p in pitches.tolist()], axis=1)
    total = match_in_order(_costs(size, counts), size, counts.astype(np.float64))[-1, -1]
    # Neighbouring pitches often fit alike: the middle of the best run is the safest.
    best = np.flatnonzero(total <= total.min() + 1e-9)
    run = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest_run = max(run, key=len)
    return float(pitches[longest_run[len(longest_run) // 2]])


def _cut(strips: FloatArray, pitch: float, area: float) -> _Cells:
    """Cut bands into cells where the cuts meet least ink."""
    n = int(np.ceil(strips.shape[1] / pitch)) + 1
    phase = pitch * (np.arange(_PHASES) / _PHASES - 1)
    cut = phase[:, None] + pitch * np.arange(n + 1)
    band = np.arange(len(strips))
    row = np.repeat(band, cut.size)
    place = np.tile(cut.ravel(), len(strips))
    at_cut = sums(strips, row, place - 0.1 * pitch, place + 0.1 * pitch)
    met = at_cut.reshape(len(strips), _PHASES, n + 1).sum(axis=2)
    x = phase[met.argmin(axis=1)]
    return _Cells(char_px=pitch, x_px=x, held=_held(strips, x, pitch, n, area))


def _held(strips: FloatArray, x: FloatArray, pitch: float, n: int, area: float) -> BoolArray:
    row, cell = np.indices((len(strips), n))
    left = x[:, None] + pitch * cell
    ink = sums(strips, row.ravel(), (left + 0.2 * pitch).ravel(), (left + 0.8 * pitch).ravel())
    return (ink > _SPECK * area).reshape(row.shape)


def _refine(
    strips: FloatArray, written: Written, paired: Paired, cells: _Cells, area: float
) -> tuple[_Cells, FloatArray]:
    """Fit the pitch of all lines and the place of each by the middles of characters."""
    band = paired.band
    place = np.arange(strips.shape[1]) + 0.5
    moments = strips * place
    residual = np.full(len(band), np.nan)
    for _ in range(_ROUNDS):
        at, row, centred = _marks(written, paired, cells)
        if len(at) < 3:
            break
        expected = cells.x_px[band[row]] + cells.char_px * (at + 0.5)
        left, right = expected - 0.55 * cells.char_px, expected + 0.55 * cells.char_px
        mass = sums(strips, band[row], left, right)
        centre = sums(moments, band[row], left, right) / np.maximum(mass, 1e-9)
        use = (mass > 0.5) & centred
        n = np.bincount(row[use], minlength=len(band))
        mean_at = np.bincount(row[use], at[use], len(band)) / np.maximum(n, 1)
        mean_x = np.bincount(row[use], centre[use], len(band)) / np.maximum(n, 1)
        _, pitch = line_fit((at - mean_at[row])[use], (centre - mean_x[row])[use])
        x = cells.x_px.copy()
        fitted = n > 0
        x[band[fitted]] = (mean_x - pitch * (mean_at + 0.5))[fitted]
        off = np.abs(centre - x[band[row]] - pitch * (at + 0.5))
        for i in np.flatnonzero(fitted).tolist():
            residual[i] = np.median(off[use & (row == i)])
        cells = _Cells(
            char_px=pitch, x_px=x, held=_held(strips, x, pitch, cells.held.shape[1], area)
        )
    return cells, residual


def _marks(
    written: Written, paired: Paired, cells: _Cells
) -> tuple[FloatArray, IntArray, BoolArray]:
    """Cell, row (its number among `rows`) and whether it is a good mark, of every cell with ink."""
    at, row, good = [], [], []
    for i in np.flatnonzero(paired.band >= 0).tolist():
        held = np.flatnonzero(cells.held[paired.band[i]])
        here = np.flatnonzero(written.row == paired.row[i])
        width = (written.right - written.left)[here]
        centred = np.repeat(written.centred[here] & (width == 1), width)
        if len(held) != len(centred):
            centred = np.zeros(len(held), dtype=bool)
        at.append(held)
        row.append(np.full(len(held), i))
        # A line without good marks goes by all its characters.
        good.append(centred if centred.any() else np.ones(len(held), dtype=bool))
    if not at:
        return np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    return np.concatenate(at).astype(np.float64), np.concatenate(row), np.concatenate(good)


def _lines(
    ink: FloatArray, written: Written, paired: Paired, cells: _Cells, residual: FloatArray
) -> TextGrid:
    rows, band = paired.row, paired.band
    spans = np.full((len(written.row), 2), np.nan)
    wrong = np.zeros(written.n_rows, dtype=np.int64)
    inked: list[FloatArray] = [np.empty(0)] * written.n_rows
    width = written.right - written.left
    for i, row in enumerate(rows.tolist()):
        here = np.flatnonzero(written.row == row)
        if band[i] < 0:
            wrong[row] = len(here)
            continue
        held = np.flatnonzero(cells.held[band[i]])
        inked[row] = cells.x_px[band[i]] + cells.char_px * held
        wrong[row] = abs(len(held) - int(width[here].sum()))
        first = np.cumsum(width[here]) - width[here]
        shown = first + width[here] <= len(held)
        left = inked[row][np.minimum(first, len(held) - 1)]
        span = np.stack([left, left + cells.char_px * width[here]], axis=1)
        spans[here] = np.where(shown[:, None], span, np.nan)
    middles, x_height = find_middles(ink, written, paired, spans)
    spans, differing, likeness = place_rows(
        ink,
        written,
        spans=spans,
        middles=middles,
        cells=inked,
        wrong=wrong,
        size=(cells.char_px, x_height),
    )
    on_picture = np.flatnonzero(np.isfinite(middles[rows]))
    known = middles[rows][on_picture]
    pitch = float(np.median(np.diff(known))) if len(known) > 1 else LINE * x_height
    left = np.array([np.fmin.reduce(spans[written.row == row, 0]) for row in rows.tolist()])
    return TextGrid(
        kind="lines",
        origin_px=(float(left[np.isfinite(left)][0]), float(known[0]) - pitch / 2),
        char_width_px=cells.char_px,
        line_height_px=pitch,
        x_height_px=x_height,
        score=max(1 - float(differing.sum()) / len(written.row), 0.0),
        likeness=likeness,
        residual_px=float(np.nanmedian(residual)) if np.isfinite(residual).any() else np.nan,
        row=rows,
        middle_px=middles[rows],
        left_px=left,
        line_residual_px=residual,
        n_differing=differing[rows],
        place=written.place,
        place_row=written.row,
        span_px=spans,
    )


def find_middles(
    ink: FloatArray, written: Written, paired: Paired, spans: FloatArray
) -> tuple[FloatArray, float]:
    """Vertical middle of each row, ``(n_rows,)``, NaN for rows not found; and the x-height."""
    middles = np.full(written.n_rows, np.nan)
    found = paired.band >= 0
    edges = paired.edges[paired.band[found]]
    middles[paired.row[found]] = edges.mean(axis=1)
    height = float(np.median(np.diff(edges, axis=1)))
    marks = written.x_height & np.isfinite(spans[:, 0]) & np.isfinite(middles[written.row])
    if not marks.any():
        return middles, _X_HEIGHT * height
    letters = row_edges(ink, middles, 0.75 * height, written.row[marks], spans[marks])
    known = np.isfinite(letters[:, 1])
    if not known.any():
        return middles, _X_HEIGHT * height
    x_height = float(np.median((letters[:, 1] - letters[:, 0])[known]))
    middles[known] = letters[known, 1] - MIDDLE * x_height
    return middles, x_height
