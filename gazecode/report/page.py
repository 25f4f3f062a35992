"""One self-contained HTML page, and the picture of gaze on code.

No script, no request, no clock: the same data give the same bytes. Everything that comes from a
recording, a study or a source file is escaped by jinja2 (autoescape), and a content security policy
forbids scripts and requests even so.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gazecode.disk import replacing
from gazecode.report import plots
from gazecode.report.code_text import Piece, SubwordText, source_pieces, subword_text
from gazecode.report.code_view import Drawing, draw
from gazecode.report.colour import LEVELS, PALETTES
from gazecode.report.reading import STATUS_WORDS, TopToken, read_out, top_tokens
from gazecode.report.views import RecordingView, StudyView, TrialView
from gazecode.report.words import flatten, number, percent, pixels, plural, printable, seconds

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "MAX_IMAGE_BYTES",
    "Images",
    "picture",
    "render_report",
    "template",
    "write_page",
    "write_report",
]

MAX_IMAGE_BYTES = 400_000
"""Screenshots larger than this are left out of the page, which says so."""
MAX_IMAGES_BYTES = 1_200_000
"""And no more than this in all."""

IMAGE_TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPage:
    """One trial as the template takes it."""

    key: str
    view: TrialView
    drawing: Drawing
    top: list[TopToken]
    order: plots.Order | None
    source: list[Piece]
    subwords: SubwordText | None
    image: str | None
    notes: list[str]


def render_report(report: StudyView) -> str:
    """Render the page of a study as HTML.

    Parameters
    ----------
    report
        What to show; empty parts are left out, and no trial at all is fine.

    Returns
    -------
    str
        The whole document; write it as UTF-8 (`write_report` does).

    Examples
    --------
    >>> html = render_report(StudyView(title="A <b> study"))
    >>> html.startswith("<!doctype html>"), "A &lt;b&gt; study" in html
    (True, True)
    """
    images = Images()
    trials = [_trial_page(f"t{i + 1}", view, images) for i, view in enumerate(report.trials)]
    recordings = report.recordings
    html = template("page.html.j2").render(
        report=report,
        figures=_figures(report),
        trials=trials,
        images=images.shown,
        n_not_drawn=max((report.n_trials or 0) - len(trials), 0),
        accounting=plots.accounting([v for v in recordings if v.n_fixations]),
        loss=plots.loss_chart(recordings),
        steps=plots.step_chart(recordings),
        saccades=plots.saccade_chart(report.saccades) if report.saccades else None,
        parameters=flatten(report.parameters),
        provenance=flatten(report.provenance),
    )
    return html + "\n"


def write_report(report: StudyView, path: Path | str) -> Path:
    """Write the page of a study; a half-written page never stands under its name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(StudyView(title="Empty"), Path(folder) / "report.html").stat().st_size > 0
    True
    """
    return write_page(render_report(report), path)


def write_page(html: str, path: Path | str) -> Path:
    """Write a page beside, then under its name."""
    with replacing(path) as beside:
        beside.write_text(html, encoding="utf-8", newline="\n")
    return Path(path)


def picture(view: TrialView, *, width_px: float = 960.0) -> str:
    """Gaze on code as one SVG document of its own, light or dark as its reader is.

    Parameters
    ----------
    view
        The trial to draw.
    width_px
        Natural width; the height follows.

    Returns
    -------
    str
        Well-formed XML that embeds its style and asks for nothing; write it as UTF-8.
    """
    drawing = draw(view)
    svg = template("picture.svg.j2").render(
        drawing=drawing,
        key="picture",
        view=view,
        width=pixels(width_px),
    )
    return svg + "\n"


class Images:
    """Screenshots of a page, each embedded once however many trials show it."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self._key_of: dict[bytes, str] = {}
        self._room = MAX_IMAGES_BYTES

    def add(self, image: bytes | None) -> tuple[str | None, str]:
        """Key of the embedded image, or why it is not embedded."""
        if image is None:
            return None, ""
        if image in self._key_of:
            return self._key_of[image], ""
        kind = next((t for magic, t in IMAGE_TYPES.items() if image.startswith(magic)), None)
        if kind is None:
            return None, "the screenshot is not PNG, JPEG, GIF or WebP and is not shown"
        if len(image) > min(MAX_IMAGE_BYTES, self._room):
            return None, f"the screenshot ({len(image)} bytes) is too large to embed"
        key = f"image{len(self.shown) + 1}"
        self._room -= len(image)
        self._key_of[image] = key
        self.shown[key] = f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
        return key, ""


def _trial_page(key: str, view: TrialView, images: Images) -> TrialPage:
    reading = read_out(view)
    drawing = draw(view, reading=reading)
    image, refused = None, ""
    if drawing.image_box is not None:
        image, refused = images.add(view.image)
    elif view.image is not None:
        refused = "the screenshot is not shown: the screen's size is not known"
    return TrialPage(
        key=key,
        view=view,
        drawing=drawing,
        top=top_tokens(view, reading),
        order=plots.order_chart(view, drawing.height),
        source=source_pieces(view, reading),
        subwords=None if view.subwords is None else subword_text(view.subwords),
        image=image,
        notes=[*drawing.notes, refused] if refused else drawing.notes,
    )


def _figures(report: StudyView) -> list[tuple[str, str]]:
    """Numbers for the head of the page: what there is, and how much of it is good."""
    rows: list[tuple[str, str]] = []
    recordings = report.recordings
    if recordings or report.failures:
        rows.append(("recordings", str(len(recordings))))
        assessed = [v for v in recordings if v.usable is not None]
        if assessed:
            rows.append(("usable", f"{sum(bool(v.usable) for v in assessed)} of {len(assessed)}"))
        rows.append(("failures", str(len(report.failures))))
    n_trials = len(report.trials) if report.n_trials is None else report.n_trials
    if n_trials:
        rows.append(("trials", str(n_trials)))
    n_fixations, n_mapped, n_token = _fixation_totals(recordings)
    if n_fixations:
        rows.append(("fixations", str(n_fixations)))
    if n_mapped:
        rows.append(("mapped fixations on a token", percent(n_token / n_mapped)))
    return rows + flatten(report.figures)


def _fixation_totals(recordings: Sequence[RecordingView]) -> tuple[int, int, int]:
    return (
        sum(v.n_fixations for v in recordings),
        sum(v.n_mapped for v in recordings),
        sum(v.n_status.get("token", 0) for v in recordings),
    )


def template(name: str) -> "jinja2.Template":
    """A template of the package; everything it shows is escaped."""
    return _environment().get_template(name)


@cache
def _environment() -> "jinja2.Environment":
    import jinja2
    from markupsafe import Markup

    def safe_text(value: object) -> object:
        """Last gate of every expression: no control character of any source passes."""
        return (
            printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        )

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gazecode.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=safe_text,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "pixels": pixels,
        "seconds": seconds,
        "plural": plural,
    }
    environment.globals |= {
        "palettes": PALETTES,
        "levels": LEVELS,
        "status_words": STATUS_WORDS,
    }
    return environment
