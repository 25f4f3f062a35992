"""A text found on one grid of cells, and its lines checked against the picture."""

import numpy as np

from gazecode.mapping.image.found import TextGrid
from gazecode.mapping.image.glyphs import align, look_at, looks_of
from gazecode.mapping.image.refine import Fitted, cut_strips, fit_grid, occupied
from gazecode.mapping.image.search import search
from gazecode.mapping.image.written import Written
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["compare_looks", "find_grid", "place_rows"]

_BEFORE, _AFTER = 1, 2  # cells beside the text that are looked at
_DOUBT = 0.1  # a character that looks so much more like another is doubtful
_DOUBTFUL = 2  # doubtful characters that make a line another line
_LOOK = 1.2  # half the height of a look, in x-heights


def find_grid(ink: FloatArray, written: Written) -> TextGrid | None:
    """The best grid for the text, whatever its score; None where no grid could be laid."""
    best: tuple[float, Fitted, BoolArray] | None = None
    for guess in search(ink, written):
        fitted = fit_grid(ink, written, guess)
        if not 0.5 * guess.char_px < fitted.char_px < 2 * guess.char_px:
            continue
        held = _held(ink, written, fitted)
        score = _phi(held, np.pad(written.mask, ((0, 0), (_BEFORE, _AFTER))))
        if best is None or score > best[0]:
            best = (score, fitted, held)
    return None if best is None else _grid(ink, written, *best)


def _held(ink: FloatArray, written: Written, fitted: Fitted) -> BoolArray:
    middles = fitted.y_px + fitted.line_px * np.arange(written.n_rows, dtype=np.float64)
    strips = cut_strips(ink, middles, fitted.x_height_px, fitted.line_px)
    x = np.full(written.n_rows, fitted.x_px - _BEFORE * fitted.char_px)
    n = written.n_columns + _BEFORE + _AFTER
    return occupied(strips, x, fitted.char_px, n, fitted.x_height_px**2)


def _phi(one: BoolArray, other: BoolArray) -> float:
    """Correlation of two patterns of cells (phi coefficient)."""
    a, b = one.ravel() - one.mean(), other.ravel() - other.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


def _grid(
    ink: FloatArray, written: Written, score: float, fitted: Fitted, held: BoolArray
) -> TextGrid:
    row = np.unique(written.row)
    middles = fitted.y_px + fitted.line_px * np.arange(written.n_rows, dtype=np.float64)
    cells = np.stack([written.left, written.right], axis=1).astype(np.float64)
    spans = fitted.x_px + fitted.char_px * cells
    wrong = _cells_that_differ(held[:, _BEFORE:], written)
    inked = [np.flatnonzero(one).astype(np.float64) - _BEFORE for one in held]
    placed, differing, likeness = place_rows(
        ink,
        written,
        spans=spans,
        middles=middles,
        cells=[fitted.x_px + fitted.char_px * c for c in inked],
        wrong=wrong,
        size=(fitted.char_px, fitted.x_height_px),
    )
    first = np.unique(written.row, return_index=True)[1]
    residual = fitted.residual_px[row]
    return TextGrid(
        kind="grid",
        origin_px=(float(fitted.x_px), float(fitted.y_px - fitted.line_px / 2)),
        char_width_px=float(fitted.char_px),
        line_height_px=float(fitted.line_px),
        x_height_px=fitted.x_height_px,
        score=score,
        likeness=likeness,
        residual_px=float(np.nanmedian(residual)) if np.isfinite(residual).any() else np.nan,
        row=row,
        middle_px=middles[row],
        left_px=spans[first, 0],
        line_residual_px=residual,
        n_differing=differing[row],
        place=written.place,
        place_row=written.row,
        span_px=placed,
    )


def _cells_that_differ(held: BoolArray, written: Written) -> IntArray:
    """Cells of each row that are blank here and not there, up to a little after its end."""
    mask = np.pad(written.mask, ((0, 0), (0, _AFTER)))
    end = np.zeros(written.n_rows, dtype=np.int64)
    np.maximum.at(end, written.row, written.right)
    near = np.arange(mask.shape[1]) < end[:, None] + _AFTER
    counts: IntArray = ((mask != held) & near).sum(axis=1)
    return counts


def place_rows(
    ink: FloatArray,
    written: Written,
    *,
    spans: FloatArray,
    middles: FloatArray,
    cells: list[FloatArray],
    wrong: IntArray,
    size: tuple[float, float],
) -> tuple[FloatArray, IntArray, float]:
    """Where the characters stand, rows that differ laid anew by the looks of their characters.

    Parameters
    ----------
    spans
        ``(n, 2)`` px where the text has its characters; NaN where its row was not found.
    middles
        ``(n_rows,)`` px.
    cells
        For each row the left edges of the cells that hold ink, px.
    wrong
        ``(n_rows,)`` cells that differ.
    size
        Character pitch and x-height.

    Returns
    -------
    The places, how many characters of each row differ, and the share that look like themselves.
    """
    char_px, x_height = size
    doubtful, looks = compare_looks(
        ink, written, spans=spans, middles=middles, wrong=wrong, size=size
    )
    known = np.isfinite(spans[:, 0])
    likeness = 1 - float(doubtful.sum()) / max(int(known.sum()), 1)
    by_row = np.bincount(written.row, weights=doubtful, minlength=written.n_rows)
    differing = np.where((wrong > 0) | (by_row >= _DOUBTFUL), np.maximum(wrong, by_row), 0)
    spans = spans.copy()
    chars = written.chars
    for i in np.flatnonzero(differing).tolist():
        here = np.flatnonzero(written.row == i)
        if not len(here) or not len(cells[i]) or not np.isfinite(middles[i]) or not looks:
            continue
        middle = np.full(len(cells[i]), middles[i])
        patches = look_at(ink, cells[i], middle, char_px, _LOOK * x_height)
        cell = align([chars[k] for k in here.tolist()], patches, looks)
        found = cells[i][np.maximum(cell, 0)]
        width = (written.right - written.left)[here] * char_px
        spans[here] = np.where(
            (cell >= 0)[:, None], np.stack([found, found + width], axis=1), np.nan
        )
        differing[i] = max(int((cell < 0).sum()) + len(cells[i]) - int((cell >= 0).sum()), 1)
    return spans, differing.astype(np.int64), likeness


def compare_looks(
    ink: FloatArray,
    written: Written,
    *,
    spans: FloatArray,
    middles: FloatArray,
    wrong: IntArray,
    size: tuple[float, float],
) -> tuple[BoolArray, dict[str, FloatArray]]:
    """Which characters look like another one, ``(n,)``, and what each looks like.

    Looks are taken from rows in which no cell differs.
    """
    char_px, x_height = size
    doubtful = np.zeros(len(written.row), dtype=bool)
    sound = np.flatnonzero((wrong == 0)[written.row] & np.isfinite(spans[:, 0]))
    if not len(sound):
        return doubtful, {}
    patches = look_at(ink, spans[sound, 0], middles[written.row[sound]], char_px, _LOOK * x_height)
    chars = written.chars
    held = [chars[i] for i in sound.tolist()]
    looks = looks_of(held, patches)
    names = list(looks)
    alike = patches @ np.stack([looks[name] for name in names]).T
    own = alike[np.arange(len(held)), [names.index(c) for c in held]]
    doubtful[sound] = own < alike.max(axis=1) - _DOUBT
    return doubtful, looks
