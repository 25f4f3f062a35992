"""The same code twice, side by side: where people looked, and where a model does.

Both maps are shaded alike, by rank or by share of the largest value, so that the darkest eighth of
the tokens means the same on both sides. What a side does not know of a token is left unshaded and
underlined, and never drawn as nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import FloatArray, IntArray
from gazecode.report.code_text import Piece
from gazecode.report.colour import LEVELS
from gazecode.report.glyphs import width_of
from gazecode.report.page import template
from gazecode.report.words import number, percent, pixels, plural, printable

__all__ = ["SHADES", "Shading", "map_pieces", "map_titles", "shade_levels", "shading", "two_maps"]

SHADES = ("rank", "share")
LEGENDS = {
    "rank": ("lowest eighth of the tokens", "highest eighth"),
    "share": ("an eighth of the largest value", "the largest value"),
}

COLUMNS = 100
"""Cells after which the picture breaks a line of code."""
MAX_LINES = 400
"""Lines of the picture; what is cut off is counted in it."""
TAB = 4
CELL_PX, LINE_PX, FONT_PX = 7.2, 17.0, 12.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shading:
    """One map as drawn: per token its step (0 none, below 0 negative), class and tooltip."""

    name: str
    level: IntArray
    kind: tuple[str, ...]
    title: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A stretch of one token, or of what lies between tokens (-1), on one line, in cells."""

    token: int
    line: int
    cell: int
    cells: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A run as the template takes it."""

    x: str
    y: str
    width: str
    baseline: str
    length: str
    text: str
    kind: str
    title: str


def shade_levels(value: FloatArray, *, shade: str = "rank") -> IntArray:
    """``(n,)`` steps of colour, 0 (none) to 8, below 0 for negative shares.

    Parameters
    ----------
    value
        ``(n,)``; NaN has none.
    shade
        ``"rank"``: eighths of the tokens by mid-rank, 0 is none where nothing is negative;
        ``"share"``: eighths of the largest absolute value.

    Examples
    --------
    >>> shade_levels(np.array([0.0, 1.0, 5.0, 100.0]))
    array([0, 4, 6, 8])
    >>> shade_levels(np.array([0.0, 1.0, -50.0, 100.0, np.nan]), shade="share")
    array([ 0,  1, -4,  8,  0])
    """
    value = np.asarray(value, dtype=np.float64)
    level = np.zeros(len(value), dtype=np.int64)
    known = np.isfinite(value)
    found = value[known]
    if not found.size:
        return level
    if shade == "rank":
        steps = np.ceil(_mid_ranks(found) / found.size * LEVELS - 1e-9)
        level[known] = np.where((found == 0) & (found.min() >= 0), 0, steps)
    elif shade == "share":
        largest = np.abs(found).max()
        steps = np.ceil(np.abs(found) / (largest or 1.0) * LEVELS - 1e-9)
        level[known] = np.sign(found) * np.clip(steps, 1, LEVELS)
    else:
        raise ParameterError.unknown("ways to shade a map", shade, SHADES)
    return level


def _mid_ranks(value: FloatArray) -> FloatArray:
    """Ranks from 1 up; equal values share the mean of theirs."""
    ordered = np.sort(value)
    low = np.searchsorted(ordered, value, side="left")
    high = np.searchsorted(ordered, value, side="right")
    return np.asarray((low + 1 + high) / 2)


def map_titles(value: FloatArray, *, unit: str = "", beside: Sequence[str] = ()) -> list[str]:
    """Tooltip of each token: value, share of the sum, rank from above, and what stands `beside`.

    >>> map_titles(np.array([3.0, 1.0, np.nan]), unit="ms")
    ['3 ms · 75 % of all · rank 1 of 2', '1 ms · 25 % of all · rank 2 of 2', 'not known']
    """
    value = np.asarray(value, dtype=np.float64)
    known = np.isfinite(value)
    found = value[known]
    ranks = np.full(len(value), np.nan)
    ranks[known] = found.size + 1 - _mid_ranks(found)
    total = float(found.sum())
    shares = value / total if total > 0 and (found >= 0).all() else np.full(len(value), np.nan)
    more = list(beside) or [""] * len(value)
    return [
        " · ".join(
            filter(
                None,
                [
                    f"{number(v)} {unit}".strip() if there else "not known",
                    f"{percent(s)} of all" if np.isfinite(s) else "",
                    f"rank {number(r, 6)} of {found.size}" if there else "",
                    said,
                ],
            )
        )
        for v, s, r, there, said in zip(
            value.tolist(), shares.tolist(), ranks.tolist(), known.tolist(), more, strict=True
        )
    ]


def shading(
    value: FloatArray, *, name: str, shade: str = "rank", titles: Sequence[str] = ()
) -> Shading:
    """How one map is drawn.

    Parameters
    ----------
    value
        ``(n,)`` per token; NaN where it is not known.
    titles
        ``(n,)`` tooltips; `map_titles` of the values if none are given.
    """
    value = np.asarray(value, dtype=np.float64)
    level = shade_levels(value, shade=shade)
    kinds = tuple(
        "unseen" if not there else f"{'w' if k > 0 else 'n'}{abs(k)}" if k else ""
        for k, there in zip(level.tolist(), np.isfinite(value).tolist(), strict=True)
    )
    return Shading(name=name, level=level, kind=kinds, title=tuple(titles or map_titles(value)))


def two_maps(
    text: str | bytes,
    span: IntArray,
    human: FloatArray,
    model: FloatArray,
    *,
    title: str = "Attention of people and model",
    names: tuple[str, str] = ("people", "model"),
    shade: str = "rank",
    width_px: float = 1200.0,
) -> str:
    """Two maps of attention over one text as an SVG document, light or dark as its reader is.

    Parameters
    ----------
    text
        The code, or any text.
    span
        ``(n, 2)`` bytes of its UTF-8, one row per token, sorted and disjoint.
    human, model
        ``(n,)`` values per token, in any unit; NaN where unknown.
    title, names
        Of the picture, and of its two halves.
    shade
        ``"rank"`` or ``"share"``, see `shade_levels`.
    width_px
        Natural width; the height follows.

    Returns
    -------
    str
        Well-formed XML that embeds its style and asks for nothing; write it as UTF-8.

    Raises
    ------
    DataError
        Lengths differ, or spans overlap or leave the text.
    ParameterError
        An unknown `shade`.

    Examples
    --------
    >>> import gazecode as gc
    >>> tokens = gc.parse("int x = 1;", language="java")
    >>> svg = two_maps(tokens.code, tokens.span, [0, 2, 1, 1, 0], [9, 1, 1, 1, 1])
    >>> svg.count("<title>"), "of all · rank 1 of 5" in svg
    (10, True)
    """
    code = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    span = checked_span(code, span, n=len(human))
    if len(model) != len(human):
        raise DataError(
            f"people have {len(human)} values, the model {len(model)}; expected one per token each"
        )
    runs = list(_runs(code, span))
    n_lines = 1 + max((run.line for run in runs), default=0)
    kept = [run for run in runs if run.line < MAX_LINES]
    halves = [
        shading(np.asarray(value, dtype=np.float64), name=name, shade=shade)
        for value, name in zip((human, model), names, strict=True)
    ]
    # A line that ends in blanks is no wider for them.
    cells = max((run.cell + run.cells for run in kept if run.text.strip()), default=1)
    half = max(cells * CELL_PX, 330.0) + 2 * CELL_PX
    height = (min(n_lines, MAX_LINES) + 1) * LINE_PX
    svg = template("two_maps.svg.j2").render(
        title=title,
        halves=[(s.name, [_mark(run, s) for run in kept]) for s in halves],
        half=half,
        height=height,
        line=LINE_PX,
        font=FONT_PX,
        width=width_px,
        legend=LEGENDS[shade],
        negative=any((s.level < 0).any() for s in halves),
        unknown=any("unseen" in s.kind for s in halves),
        cut=f"{plural(n_lines - MAX_LINES, 'further line')} not drawn"
        if n_lines > MAX_LINES
        else "",
    )
    return svg + "\n"


def checked_span(code: bytes, span: IntArray, *, n: int) -> IntArray:
    """Spans that can be drawn: one per value, sorted, disjoint, inside the text."""
    found = np.asarray(span, dtype=np.int64).reshape(-1, 2)
    if len(found) != n:
        raise DataError(f"{len(found)} tokens and {n} values; expected one value per token")
    flat = found.ravel()
    if flat.size and (np.any(np.diff(flat) < 0) or flat[0] < 0 or flat[-1] > len(code)):
        raise DataError(
            f"tokens overlap, run backward or leave the text of {len(code)} bytes; expected sorted "
            "bytes of it"
        )
    return found


def map_pieces(code: bytes, span: IntArray, drawn: Shading) -> list[Piece]:
    """Cut the whole text into shaded tokens and all text between them, for a page."""
    pieces: list[Piece] = []
    for token, text in _cut(code, span):
        if token < 0:
            pieces.append(Piece(text=text))
        else:
            pieces.append(Piece(text=text, kind=drawn.kind[token], title=drawn.title[token]))
    return pieces


def _cut(code: bytes, span: IntArray) -> Iterator[tuple[int, str]]:
    """All of the text in order: number of the token, or -1 for what lies between tokens."""
    done = 0
    for i, (a, b) in enumerate([*span.tolist(), [len(code)] * 2]):
        for token, raw in ((-1, code[done:a]), (i, code[a:b])):
            if raw:
                yield token, printable(raw.decode("utf-8", "replace"))
        done = b


def _runs(code: bytes, span: IntArray) -> Iterator[_Run]:
    """The text on a grid: tabs expanded, lines broken at `COLUMNS` cells."""
    line = cell = 0
    for token, text in _cut(code, span):
        start, held = cell, ""
        for c in text:
            if c == "\n" or cell >= COLUMNS:
                if held:
                    yield _Run(token=token, line=line, cell=start, cells=cell - start, text=held)
                line, cell, start, held = line + 1, 0, 0, ""
            if c != "\n":
                step = TAB - cell % TAB if c == "\t" else width_of(c)
                held += " " * step if c == "\t" else c
                cell += step
        if held:
            yield _Run(token=token, line=line, cell=start, cells=cell - start, text=held)


def _mark(run: _Run, drawn: Shading) -> _Mark:
    known = run.token >= 0
    return _Mark(
        x=pixels(run.cell * CELL_PX),
        y=pixels(run.line * LINE_PX),
        width=pixels(max(run.cells, 0) * CELL_PX),
        baseline=pixels(run.line * LINE_PX + 0.72 * LINE_PX),
        length=pixels(run.cells * CELL_PX) if run.cells > 1 else "",
        text=run.text,
        kind=drawn.kind[run.token] if known else "between",
        title=drawn.title[run.token] if known else "",
    )
