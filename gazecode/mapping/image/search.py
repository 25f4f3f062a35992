"""Where on a picture a text could stand: correlation of its rows, then of its columns.

A page of text is two combs: rows (line pitch, first line) and columns (character pitch, left
edge). Which rows are blank gives the first by correlation with the picture's row profile, which
columns are blank in each row gives the second, so no search ever has more than two unknowns:
normalised cross-correlation by FFT (J. P. Lewis 1995, Fast normalized cross-correlation).
Everything is searched on geometric scales fine enough that the far end of the text is off by less
than a third of a cell. Panels beside the text do not hide it: rows are also searched in halves and
quarters of the width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.mapping.image.written import Written, per_row
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Guess", "row_combs", "search", "telling_rows"]

_LINE_PX = (7.0, 120.0)
_LINES_PER_CHAR = (1.25, 5.0)  # line pitch over character pitch
_BLOCK_PX = 8
_GUESSES_PER_WINDOW = 4
_MOST_ROW_GUESSES = 12
_MOST_ROWS = 24  # of text that the search for columns looks at
_SURE = 0.75  # correlation of columns at which no further rows are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A grid to within a third of a cell.

    `x_px` is the left edge of column 0, `y_px` the middle of row 0, `score` the correlation of
    the text's cells with the ink, -1 to 1.
    """

    x_px: float
    y_px: float
    char_px: float
    line_px: float
    score: float


def search(ink: FloatArray, written: Written, most: int = 3) -> list[Guess]:
    """The best grids, best first; empty where nothing fits."""
    found: list[Guess] = []
    for line_px, top_px, _ in row_combs(ink > 0, written):
        found += _columns(ink, written, line_px, top_px)
        if found and max(g.score for g in found) > _SURE:
            break
    return sorted(found, key=lambda g: -g.score)[:most]


def row_combs(inked: BoolArray, written: Written) -> list[tuple[float, float, float]]:
    """Line pitch, top of the first row and correlation of the most likely combs of rows."""
    height, width = inked.shape
    edges = np.arange(0, width, _BLOCK_PX)
    blocks = np.logical_or.reduceat(inked, edges, axis=1).astype(np.float64)
    found: list[tuple[float, float, float]] = []
    scales = _line_scales(height, written.n_rows)
    if not len(scales):
        return []
    templates = [_row_template(per_row(written), s) for s in scales.tolist()]
    for first, last in _windows(len(edges)):
        profile = blocks[:, first:last].sum(axis=1)
        if profile.any():
            found += _best_rows(profile, scales, templates)
    found.sort(key=lambda one: -one[2])
    kept: list[tuple[float, float, float]] = []
    for one in found:
        if not any(_same_rows(one, other, written.n_rows) for other in kept):
            kept.append(one)
        if len(kept) == _MOST_ROW_GUESSES:
            break
    return kept


def _same_rows(
    one: tuple[float, float, float], other: tuple[float, float, float], n_rows: int
) -> bool:
    top = abs(one[1] - other[1])
    bottom = abs(one[1] + one[0] * n_rows - other[1] - other[0] * n_rows)
    return max(top, bottom) < 0.4 * other[0]


def _windows(n: int) -> Iterator[tuple[int, int]]:
    for parts in (1, 2, 4):
        size = n // parts
        if size:
            for i in range(2 * parts - 1):
                yield i * size // 2, i * size // 2 + size


def _line_scales(height: int, n_rows: int) -> FloatArray:
    top = min(_LINE_PX[1], (height + 2) / max(n_rows - 0.4, 0.6))
    if top <= _LINE_PX[0]:
        return np.empty(0)
    step = min(0.03, 0.25 / n_rows)
    count = int(np.ceil(np.log(top / _LINE_PX[0]) / step)) + 1
    return np.geomspace(_LINE_PX[0], top, count)


def _row_template(counts: FloatArray, line_px: float) -> FloatArray:
    """Ink expected in each row of pixels: the middle half of every line that is not blank."""
    place = (np.arange(int(np.ceil(line_px * len(counts)))) + 0.5) / line_px
    row = np.minimum(place.astype(np.int64), len(counts) - 1)
    middle = np.abs(place - row - 0.5) < 0.25
    return np.where(middle, np.sqrt(counts[row]), 0.0)


def _best_rows(
    profile: FloatArray, scales: FloatArray, templates: list[FloatArray]
) -> list[tuple[float, float, float]]:
    pad = int(scales[-1])
    padded = np.concatenate([np.zeros(pad), np.sqrt(profile), np.zeros(pad)])
    n = 1 << int(np.ceil(np.log2(len(padded) + max(map(len, templates)))))
    spectrum = np.fft.rfft(padded, n)
    best = np.empty((len(scales), 2))
    for i, template in enumerate(templates):
        best[i] = _peak(padded, spectrum, template, n)
    order = [i for i in np.argsort(-best[:, 1], kind="stable").tolist() if _is_peak(best[:, 1], i)]
    return [
        (float(scales[i]), float(best[i, 0]) - pad, float(best[i, 1]))
        for i in order[:_GUESSES_PER_WINDOW]
    ]


def _is_peak(values: FloatArray, i: int) -> bool:
    return bool(values[i] >= values[max(i - 2, 0) : i + 3].max())


def _peak(
    signal: FloatArray, spectrum: np.ndarray, template: FloatArray, n: int
) -> tuple[float, float]:
    """Where a template fits a signal best and how well (correlation)."""
    size = len(template)
    if size >= len(signal):
        return 0.0, -1.0
    centred = template - template.mean()
    product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(centred, n)), n)
    product = product[: len(signal) - size]
    total = np.concatenate(([0.0], np.cumsum(signal)))
    square = np.concatenate(([0.0], np.cumsum(signal**2)))
    sums = total[size:-1] - total[: -size - 1]
    spread = square[size:-1] - square[: -size - 1] - sums**2 / size
    # The floor keeps a window with a speck of ink from looking like a page.
    floor = 0.05 * float(np.var(signal)) * size + 1e-9
    score = product / np.sqrt(np.maximum(spread, floor) * float(centred @ centred) + 1e-12)
    at = int(score.argmax())
    return float(at), float(score[at])


def _columns(ink: FloatArray, written: Written, line_px: float, top_px: float) -> list[Guess]:
    """The best character pitches and left edges for given rows."""
    low, high = line_px / _LINES_PER_CHAR[1], line_px / _LINES_PER_CHAR[0]
    n_columns = written.n_columns
    high = min(high, (ink.shape[1] + 2) / max(n_columns - 0.5, 0.5))
    if high <= low:
        return []
    bin_px = max(1, int(low / 2.5))
    rows = telling_rows(written)
    strips = _strips(ink, rows, line_px, top_px, bin_px)
    count = int(np.ceil(np.log(high / low) / min(0.03, 0.3 / n_columns))) + 1
    scales = np.geomspace(low, high, count)
    pad = int(np.ceil(high / bin_px)) + 1
    strips = np.pad(strips, ((0, 0), (pad, pad)))
    mask = np.pad(written.mask[rows], ((0, 0), (1, 1))).astype(np.float32)
    found = _correlate(strips, mask, scales / bin_px)
    order = [
        i for i in np.argsort(-found[:, 1], kind="stable").tolist() if _is_peak(found[:, 1], i)
    ]
    return [
        Guess(
            # One blank column stands before the text in the mask.
            x_px=float((found[i, 0] - pad) * bin_px + scales[i]),
            y_px=top_px + line_px / 2,
            char_px=float(scales[i]),
            line_px=line_px,
            score=float(found[i, 1]),
        )
        for i in order[:2]
    ]


def telling_rows(written: Written) -> IntArray:
    """The rows whose blanks say most, in order: those with the most words, spread over the text."""
    if written.n_rows <= _MOST_ROWS:
        return np.arange(written.n_rows)
    words = (np.diff(np.pad(written.mask, ((0, 0), (1, 0))).astype(np.int8), axis=1) > 0).sum(1)
    parts = np.array_split(np.arange(written.n_rows), _MOST_ROWS)
    return np.array([part[words[part].argmax()] for part in parts])


def _strips(
    ink: FloatArray, rows: IntArray, line_px: float, top_px: float, bin_px: int
) -> FloatArray:
    """Whether each row of text has ink, by bins of columns: ``(rows, bins)`` 0 or 1."""
    edges = np.rint(top_px + line_px * (rows[:, None] + np.array([0.1, 0.9])))
    edges = np.clip(edges, 0, ink.shape[0]).astype(np.int64)
    summed = np.zeros((len(rows), ink.shape[1]), dtype=np.float32)
    for i, (first, last) in enumerate(edges.tolist()):
        if last > first:
            summed[i] = ink[first:last].sum(axis=0)
    bins = np.maximum.reduceat(summed, np.arange(0, ink.shape[1], bin_px), axis=1)
    return (bins > 0.3).astype(np.float32)


def _correlate(strips: npt.NDArray[Any], mask: npt.NDArray[Any], scales: FloatArray) -> FloatArray:
    """Best place and correlation of the mask at each scale, ``(scales, 2)``."""
    n_rows, size = strips.shape
    longest = int(np.ceil(mask.shape[1] * scales[-1]))
    n = 1 << int(np.ceil(np.log2(size + longest)))
    from scipy import fft

    spectrum = fft.rfft(strips, n, axis=1)
    total = np.concatenate(([0.0], np.cumsum(strips.sum(axis=0, dtype=np.float64))))
    found = np.full((len(scales), 2), -1.0)
    for i, scale in enumerate(scales.tolist()):
        length = int(mask.shape[1] * scale)
        if not 0 < length < size:
            continue
        cells: IntArray = np.minimum(
            ((np.arange(length) + 0.5) / scale).astype(np.int64), mask.shape[1] - 1
        )
        template = mask[:, cells]
        mean = float(template.mean())
        product = fft.irfft((spectrum * fft.rfft(template, n, axis=1).conj()).sum(axis=0), n)
        sums = total[length:] - total[:-length]
        area = n_rows * length
        spread = sums - sums**2 / area
        norm = np.sqrt(np.maximum(spread, 0.02 * area) * area * mean * (1 - mean) + 1e-9)
        score = (product[: len(sums)] - mean * sums) / norm
        found[i] = score.argmax(), score.max()
    return found
