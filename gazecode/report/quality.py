"""Is this gaze usable, as one page: verdict, figures with their units, and where to look.

The page holds no raw sample: gaze is drawn as a coarse grid over the screen, everything else as
counts. Like every page it runs no script and asks for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gazecode.report import plots
from gazecode.report.maps import MapDrawing, MapView, draw_map
from gazecode.report.page import Images, template, write_page
from gazecode.report.views import RecordingView, SaccadeView
from gazecode.report.words import plural

__all__ = [
    "FigureGroup",
    "QualityPage",
    "QualityView",
    "TableView",
    "render_quality",
    "write_quality_page",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureGroup:
    """Figures that belong together: rows of what, value with its unit, and what it means."""

    title: str
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A small table: heads, and rows of as many cells."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QualityView:
    """One recording on the page.

    Attributes
    ----------
    recording
        Name, verdict with reasons, loss over time, steps between samples.
    warnings
        What the verdict does not say: that accuracy is unknown, that a size was assumed.
    figures
        In groups; every value with its unit.
    tables
        Trials, validation targets, what the layout can resolve.
    maps, maps_note
        Gaze over what was shown, one per trial or one of all; what is not drawn.
    precision
        Precision over the screen, or None.
    saccades
        For the main sequence, or None.
    """

    recording: RecordingView
    warnings: Sequence[str] = ()
    figures: Sequence[FigureGroup] = ()
    tables: Sequence[TableView] = ()
    maps: Sequence[MapView] = ()
    maps_note: str = ""
    precision: MapView | None = None
    saccades: SaccadeView | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QualityPage:
    """The whole page; `methods` is a paragraph to paste into a paper, `notes` are of all."""

    title: str
    recordings: Sequence[QualityView] = ()
    participants: TableView | None = None
    notes: Sequence[str] = ()
    methods: str = ""
    broken: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One recording as the template takes it."""

    key: str
    view: QualityView
    loss: plots.Chart | None
    steps: plots.Chart | None
    saccades: plots.Chart | None
    maps: list[MapDrawing]
    precision: MapDrawing | None


def render_quality(page: QualityPage) -> str:
    """Render the page as HTML.

    Examples
    --------
    >>> html = render_quality(QualityPage(title="a < b", broken=[("x.asc", "is empty")]))
    >>> html.startswith("<!doctype html>"), "a &lt; b" in html, "is empty" in html
    (True, True, True)
    """
    images = Images()
    parts = [_part(f"r{i + 1}", view, images) for i, view in enumerate(page.recordings)]
    html = template("quality.html.j2").render(
        report=page, parts=parts, figures=_figures(page), images=images.shown
    )
    return html + "\n"


def write_quality_page(page: QualityPage, path: Path | str) -> Path:
    """Write the page; a half-written one never stands under its name."""
    return write_page(render_quality(page), path)


def _part(key: str, view: QualityView, images: Images) -> _Part:
    return _Part(
        key=key,
        view=view,
        loss=plots.loss_chart([view.recording]),
        steps=plots.step_chart([view.recording]),
        saccades=None if view.saccades is None else plots.saccade_chart(view.saccades),
        maps=[_map(one, images) for one in view.maps],
        precision=None if view.precision is None else _map(view.precision, images),
    )


def _map(view: MapView, images: Images) -> MapDrawing:
    image, refused = images.add(view.image)
    return draw_map(view, image=image, note=refused)


def _figures(page: QualityPage) -> list[tuple[str, str]]:
    views = [one.recording for one in page.recordings]
    usable = sum(bool(one.usable) for one in views)
    rows = [("recordings", str(len(views) + len(page.broken)))]
    if views:
        rows.append(("usable", f"{usable} of {len(views)}"))
    if page.broken:
        rows.append(("not readable", plural(len(page.broken), "file")))
    return rows
