"""Do models look where people look, as one page: figures with chance and ceiling, and both maps.

Like every page it runs no script and asks for nothing; the same figures give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.model.checks import FloatArray, IntArray
from gazecode.report.code_text import Piece
from gazecode.report.page import template, write_page
from gazecode.report.plots import Axis
from gazecode.report.quality import TableView
from gazecode.report.scale import ticks
from gazecode.report.two_maps import (
    LEGENDS,
    Shading,
    checked_span,
    map_pieces,
    map_titles,
    shading,
)
from gazecode.report.words import flatten, number, plural

__all__ = [
    "MAX_MAPS",
    "MAX_TOKENS",
    "AgreementView",
    "FigureView",
    "MapsView",
    "MetricView",
    "render_agreement",
    "write_agreement_page",
]

MAX_MAPS = 12
"""Texts that are drawn; the others are in the figures and counted."""
MAX_TOKENS = 30_000
"""Tokens drawn on a page, each map counted; a page stays within a few megabytes."""
MAX_LINE = 120
"""Bytes of the longest line of a text whose lines are kept as they are."""
NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """One row of one metric; NaN where there is none.

    Attributes
    ----------
    row
        Whose: a method of a model, or a program.
    value, low, high
        Mean over items and its 95 % interval.
    pooled, pooled_chance
        Of all items together, and the same where the scores are permuted within each item.
    chance, chance_low, chance_high
        Mean of `value` over permutations within the item, and their 95 % range.
    above
        The figure minus chance.
    ceiling, ceiling_low, ceiling_high
        One person against the others, the same for all rows, and its 95 % interval.
    units, items, people
        How many are behind it.
    undefined, reasons
        Readings in which the metric is not defined, and why.
    baseline
        Whether the row is no model's, but what one has to beat.
    """

    row: str
    value: float
    low: float = NAN
    high: float = NAN
    pooled: float = NAN
    pooled_chance: float = NAN
    chance: float = NAN
    chance_low: float = NAN
    chance_high: float = NAN
    above: float = NAN
    ceiling: float = NAN
    ceiling_low: float = NAN
    ceiling_high: float = NAN
    units: int = 0
    items: int = 0
    people: int = 0
    undefined: int = 0
    reasons: str = ""
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """All rows of one metric; `words` say how it is defined."""

    name: str
    rows: Sequence[FigureView]
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapsView:
    """One text with the map of its people and those of the rows.

    Attributes
    ----------
    text
        The code as UTF-8 bytes.
    span
        ``(n, 2)`` bytes of `text`, one row per token, sorted and disjoint.
    human
        ``(n,)`` mean of the people's maps; NaN where a token was shown to nobody.
    looked
        ``(n,)`` how many of the `people` looked at the token; None where that is no question.
    rows
        Name and ``(n,)`` scores of each row.
    prose
        Whether lines may be broken.
    """

    name: str
    text: bytes
    span: IntArray
    human: FloatArray
    rows: Sequence[tuple[str, FloatArray]]
    people: int = 0
    looked: IntArray | None = None
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgreementView:
    """The whole page.

    Attributes
    ----------
    warnings
        Sentences that belong to the figures.
    maps
        Texts to draw, as many as fit the page's bound.
    n_texts
        How many texts there are in all.
    explained
        Small programs beside people and each row, where that was asked for.
    shade
        ``rank`` or ``share``, as `gazecode.report.two_maps.shade_levels` takes it.
    """

    title: str
    metrics: Sequence[MetricView] = ()
    warnings: Sequence[str] = ()
    maps: Sequence[MapsView] = ()
    n_texts: int = 0
    explained: TableView | None = None
    shade: str = "rank"
    figures: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A figure as the template takes it; places are per cent of the axis, empty where unknown."""

    view: FigureView
    at: Mapping[str, str]
    text: Mapping[str, str]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    view: MetricView
    rows: list[_Row]
    axis: Axis
    zero: str
    ceiling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """One text as the template takes it: people's pieces, and those of each row."""

    key: str
    view: MapsView
    human: list[Piece]
    rows: list[tuple[str, list[Piece]]]
    wrap: bool


def render_agreement(view: AgreementView) -> str:
    """Render the page as HTML.

    Parameters
    ----------
    view
        What to show; of `maps` as many as fit `MAX_MAPS` and `MAX_TOKENS`, which the page says.

    Raises
    ------
    DataError
        A map has another number of tokens than its text, or spans overlap or leave the text.

    Examples
    --------
    >>> html = render_agreement(AgreementView(title="a < b"))
    >>> html.startswith("<!doctype html>"), "a &lt; b" in html
    (True, True)
    """
    pairs = list(_pairs(view))
    n_texts = max(view.n_texts, len(view.maps))
    html = template("agreement.html.j2").render(
        report=view,
        metrics=[_metric(metric) for metric in view.metrics if metric.rows],
        pairs=pairs,
        most_rows=max((len(pair.rows) for pair in pairs), default=0),
        n_not_drawn=n_texts - len(pairs),
        legend=LEGENDS[view.shade],
        figures=flatten(view.figures),
        details=flatten(view.details),
    )
    return html + "\n"


def write_agreement_page(view: AgreementView, path: Path | str) -> Path:
    """Write the page; a half-written page never stands under its name."""
    return write_page(render_agreement(view), path)


def _pairs(view: AgreementView) -> Iterator[_Pair]:
    """Texts to draw while there is room; the first is always drawn."""
    room = MAX_TOKENS
    for i, maps in enumerate(view.maps[:MAX_MAPS]):
        room -= len(maps.human) * (1 + len(maps.rows))
        if room < 0 and i:
            return
        yield _pair(f"m{i + 1}", maps, shade=view.shade)


def _pair(key: str, maps: MapsView, *, shade: str) -> _Pair:
    span = checked_span(maps.text, maps.span, n=len(maps.human))
    rows = []
    for name, value in maps.rows:
        checked_span(maps.text, maps.span, n=len(value))
        rows.append((name, map_pieces(maps.text, span, shading(value, name=name, shade=shade))))
    return _Pair(
        key=key,
        view=maps,
        human=map_pieces(maps.text, span, _human(maps, shade=shade)),
        rows=rows,
        # Code keeps its lines; a text in one long line, as a prompt is, is not scrolled through.
        wrap=maps.prose or max(map(len, maps.text.split(b"\n"))) > MAX_LINE,
    )


def _human(maps: MapsView, *, shade: str) -> Shading:
    beside = (
        []
        if maps.looked is None
        else [f"{k} of {plural_people(maps.people)} looked" for k in maps.looked.tolist()]
    )
    titles = map_titles(maps.human, beside=beside)
    return shading(maps.human, name="people", shade=shade, titles=titles)


def plural_people(n: int) -> str:
    """Count people in words.

    >>> plural_people(1), plural_people(6)
    ('1 person', '6 people')
    """
    return "1 person" if n == 1 else f"{n} people"


def _metric(view: MetricView) -> _Metric:
    drawn = np.array(
        [
            [r.value, r.low, r.high, r.chance, r.chance_low, r.chance_high, r.ceiling]
            for r in view.rows
        ]
    )
    known = drawn[np.isfinite(drawn)]
    low, high = (min(known.min(), 0.0), max(known.max(), 0.0)) if known.size else (0.0, 1.0)
    room = 0.04 * (high - low) or 1.0
    low, high = float(low - room * (low < 0)), float(high + room)
    scale = ticks(low, high, at_most=5)
    return _Metric(
        view=view,
        rows=[_row(row, low, high) for row in view.rows],
        axis=Axis(label="", ticks=[(_place(t, low, high), number(t)) for t in scale]),
        zero=_place(0.0, low, high),
        ceiling=_ceiling(view.rows[0]),
    )


def _ceiling(row: FigureView) -> str:
    if not np.isfinite(row.ceiling):
        return "No ceiling: no text was read by several people."
    reach = _range(row.ceiling_low, row.ceiling_high)
    return f"Ceiling {digits(row.ceiling)}{reach}: each person against the mean of the others."


def _row(row: FigureView, low: float, high: float) -> _Row:
    names = ("value", "low", "high", "chance", "chance_low", "chance_high", "ceiling")
    return _Row(
        view=row,
        at={name: _place(getattr(row, name), low, high) for name in names},
        text={
            name: digits(getattr(row, name))
            for name in (*names, "pooled", "pooled_chance", "above")
        },
        words=_words(row),
    )


def _words(row: FigureView) -> str:
    parts = [f"{row.row}: {digits(row.value)}{_range(row.low, row.high)}"]
    parts.append(
        f"chance {digits(row.chance)}{_range(row.chance_low, row.chance_high)}"
        if np.isfinite(row.chance)
        else "chance not known"
    )
    if np.isfinite(row.ceiling):
        parts.append(f"ceiling {digits(row.ceiling)}")
    if row.undefined:
        why = f" ({row.reasons})" if row.reasons else ""
        parts.append(f"undefined in {plural(row.undefined, 'reading')}{why}")
    return " · ".join(parts)


def _range(low: float, high: float) -> str:
    return f" [{digits(low)}, {digits(high)}]" if np.isfinite(low) and np.isfinite(high) else ""


def digits(value: float) -> str:
    """Three decimals, which is what such figures are good for.

    >>> digits(0.12345), digits(float("nan")), digits(-0.00001)
    ('0.123', '—', '0.000')
    """
    return f"{value + 0.0:.3f}".replace("-0.000", "0.000") if np.isfinite(value) else "—"


def _place(value: float, low: float, high: float) -> str:
    return f"{100 * (value - low) / (high - low):.2f}" if np.isfinite(value) else ""
