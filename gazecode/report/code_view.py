"""Gaze on code: the drawing of one trial, prepared as plain rows for the SVG template.

Everything is in the pixels of the screen the recording was made on, so that code, boxes, raw gaze
and fixations share one coordinate system. Where the text was scrolled, gaze is moved to the text.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.model import STATUSES, Layout
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.report.glyphs import TokenMark, char_width_px, place
from gazecode.report.reading import Reading, read_out
from gazecode.report.scale import WeightScale
from gazecode.report.views import TrialView
from gazecode.report.words import number, percent, pixels, plural, printable

__all__ = ["MAX_GAZE_POINTS", "Drawing", "FixationMark", "draw"]

MAX_GAZE_POINTS = 1500
"""Raw samples drawn per trial; longer ones are thinned out evenly."""
SIZE_KEY_MS = (100.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixationMark:
    """A fixation as drawn: number in time order and where it stands, circle, status, tooltip."""

    n: int
    x: str
    y: str
    r: str
    n_x: str
    n_y: str
    status: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """All rows of one drawing; texts unescaped, coordinates ready to print.

    `height` is that of each fixation in the drawing, 0 to 1 from the top, NaN if lost.
    """

    view_box: tuple[float, float, float, float]
    font_px: float
    line_px: float
    tokens: list[TokenMark]
    gutter: list[tuple[str, str, int]]
    gaze: str
    scan: str
    fixations: list[FixationMark]
    height: FloatArray
    scale: WeightScale
    unit: str
    size_key: list[tuple[str, float]]
    n_status: dict[str, int]
    summary: str
    notes: list[str]
    image_box: tuple[float, float, float, float] | None


def draw(view: TrialView, *, reading: Reading | None = None) -> Drawing:
    """Prepare the drawing of one trial.

    Parameters
    ----------
    view
        The trial.
    reading
        What `read_out` gives for it, if at hand.
    """
    reading = reading or read_out(view)
    layout = view.layout
    cell = char_width_px(view.tokens, layout)
    height = _text_height_px(layout)
    font = float(min(cell / 0.6, 0.92 * height))
    xy = on_text(view.fixations.xy_px, view.fixations.onset_ms, layout)
    box = _view_box(layout, xy, cell_px=cell)
    shown, outside = _at_edge(xy, box, margin_px=0.4 * layout.line_height_px)
    gaze, notes = _gaze(view)
    if outside.any():
        notes.append(f"{plural(int(outside.sum()), 'fixation')} beyond the edge, set at the edge")
    if layout.scroll_t_ms.size:
        notes.append("the text was scrolled: gaze is drawn where the text stood at scroll 0")
    if layout.unmatched:
        listed = ", ".join(f"{name} {n}" for name, n in layout.unmatched.items())
        notes.append(f"not placed on the screen: {listed}")
    n_status = {s: int(np.sum(view.hits.status == s)) for s in STATUSES}
    return Drawing(
        view_box=box,
        font_px=round(font, 1),
        line_px=layout.line_height_px,
        tokens=_tokens(view, reading, cell_px=cell, font_px=font),
        gutter=_gutter(view, cell_px=cell, font_px=font),
        gaze=gaze,
        scan=_scan_path(shown, outside),
        fixations=_fixations(view, reading, shown, outside),
        height=(xy[:, 1] - box[1]) / box[3],
        scale=reading.scale,
        unit=printable(view.weights.unit),
        size_key=[(f"{ms:g}", radius_px(ms, layout.line_height_px)) for ms in SIZE_KEY_MS],
        n_status=n_status,
        summary=_summary(view, n_status),
        notes=notes,
        image_box=_image_box(view),
    )


def on_text(xy_px: FloatArray, t_ms: FloatArray, layout: Layout) -> FloatArray:
    """Screen positions ``(n, 2)`` at times ``(n,)`` as positions on the unscrolled text."""
    if not layout.scroll_t_ms.size:
        return xy_px
    table = np.vstack([np.zeros((1, 2)), layout.scroll_px])
    moved: FloatArray = xy_px + table[np.searchsorted(layout.scroll_t_ms, t_ms, side="right")]
    return moved


def radius_px(duration_ms: float, line_height_px: float) -> float:
    """Radius of a fixation: area grows with duration, 200 ms reach a third of a line's height.

    >>> round(radius_px(200.0, 30.0), 6), round(radius_px(800.0, 30.0), 6)
    (10.0, 20.0)
    """
    relative = float(np.sqrt(max(duration_ms, 0.0) / 200.0)) / 3
    return line_height_px * min(max(relative, 0.12), 1.2)


def _text_height_px(layout: Layout) -> float:
    if not len(layout):
        return layout.line_height_px
    return float(np.median(layout.boxes[:, 3] - layout.boxes[:, 1]))


def _view_box(
    layout: Layout, xy: FloatArray, *, cell_px: float
) -> tuple[float, float, float, float]:
    """Bounds of the code with a margin, and of the fixations near it: x0, y0, width, height."""
    line = layout.line_height_px
    seen = xy[np.isfinite(xy).all(axis=1)]
    corners = layout.boxes.reshape(-1, 2) if len(layout) else seen
    if not len(corners):
        return (0.0, 0.0, 640.0, 240.0)
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = high - low
    # Fixations far off the code would shrink it beyond reading: they are set at the edge.
    reach = np.maximum(0.1 * size, 3 * line)
    if len(seen):
        low = np.minimum(low, np.maximum(seen.min(axis=0) - line, low - reach))
        high = np.maximum(high, np.minimum(seen.max(axis=0) + line, high + reach))
    low = np.minimum(low, corners.min(axis=0) - np.array([4 * cell_px, 0.8 * line]))
    high = np.maximum(high, corners.max(axis=0) + np.array([2 * cell_px, 0.8 * line]))
    x0, y0, x1, y1 = (round(float(v), 1) for v in (*low, *high))
    return (x0, y0, round(x1 - x0, 1), round(y1 - y0, 1))


def _tokens(
    view: TrialView, reading: Reading, *, cell_px: float, font_px: float
) -> list[TokenMark]:
    rects: list[list[tuple[str, str, str, str]]] = [[] for _ in range(len(view.tokens))]
    for token, (x0, y0, x1, y1) in zip(
        view.layout.token.tolist(), view.layout.boxes.tolist(), strict=True
    ):
        rects[token].append((pixels(x0), pixels(y0), pixels(x1 - x0), pixels(y1 - y0)))
    glyphs = place(view.tokens, view.layout, cell_px=cell_px, font_px=font_px)
    return [
        TokenMark(level=level, rects=rects[i], glyphs=glyphs[i], title=reading.titles[i])
        for i, level in enumerate(reading.levels.tolist())
        if rects[i]
    ]


def _gutter(view: TrialView, *, cell_px: float, font_px: float) -> list[tuple[str, str, int]]:
    """Line numbers of the source, one per visual line that begins a row."""
    layout = view.layout
    if not len(layout):
        return []
    x = pixels(float(layout.boxes[:, 0].min()) - 1.5 * cell_px)
    numbers: dict[int, tuple[str, str, int]] = {}
    for k in np.lexsort((layout.boxes[:, 0], layout.line)).tolist():
        row = int(view.tokens.row[layout.token[k]]) + 1
        line = int(layout.line[k])
        y = pixels((layout.boxes[k, 1] + layout.boxes[k, 3]) / 2 + 0.34 * font_px)
        # A token of several lines has one row, that of its start: its other lines stay bare.
        if line not in numbers and all(row != n for _, _, n in numbers.values()):
            numbers[line] = (x, y, row)
    return list(numbers.values())


def _at_edge(
    xy: FloatArray, box: tuple[float, float, float, float], *, margin_px: float
) -> tuple[FloatArray, BoolArray]:
    """Positions with those beyond the drawing moved to its edge, and which these are."""
    low, size = np.array(box[:2]), np.array(box[2:])
    margin = np.minimum(margin_px, size / 2)
    # NaN compares false: a lost fixation is not outside, it is nowhere.
    outside: BoolArray = ((xy < low) | (xy > low + size)).any(axis=1)
    inside = np.clip(xy, low + margin, low + size - margin)
    shown: FloatArray = np.where(outside[:, None], inside, xy)
    return shown, outside


def _fixations(
    view: TrialView, reading: Reading, shown: FloatArray, outside: BoolArray
) -> list[FixationMark]:
    marks: list[FixationMark] = []
    for i, (x, y) in enumerate(shown.tolist()):
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        r = radius_px(float(view.fixations.duration_ms[i]), view.layout.line_height_px)
        marks.append(
            FixationMark(
                n=i + 1,
                x=pixels(x),
                y=pixels(y),
                r=pixels(0.16 * view.layout.line_height_px if outside[i] else r),
                # Above to the right of the circle, so that the code below it stays readable.
                n_x=pixels(x + 0.75 * r),
                n_y=pixels(y - 0.75 * r),
                status=str(view.hits.status[i]) + (" edge" if outside[i] else ""),
                title=reading.fixation_titles[i],
            )
        )
    return marks


def _scan_path(shown: FloatArray, outside: BoolArray) -> str:
    """SVG path from fixation to fixation; a lost one breaks it, and nothing runs along the edge."""
    parts: list[str] = []
    open_line, was_outside = False, False
    for (x, y), beyond in zip(shown.tolist(), outside.tolist(), strict=True):
        if not (np.isfinite(x) and np.isfinite(y)):
            open_line = False
            continue
        joined = open_line and not (was_outside and beyond)
        parts.append(f"{'L' if joined else 'M'}{pixels(x)} {pixels(y)}")
        open_line, was_outside = True, beyond
    return "".join(parts)


def _gaze(view: TrialView) -> tuple[str, list[str]]:
    """SVG path of dots (lines of no length with round caps), and what to say of them."""
    samples = view.gaze
    if samples is None or not len(samples):
        return "", []
    valid = ~samples.lost
    xy = on_text(samples.xy_px[valid], samples.t_ms[valid], view.layout)
    path = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in xy[:: _every(len(xy))].tolist())
    n, n_lost = view.gaze_counts or (len(samples), len(samples) - len(xy))
    notes = [f"{n_lost} of {n} samples lost ({percent(n_lost / n)})"]
    every = round((n - n_lost) / max(path.count("M"), 1))
    if every > 1:
        notes.append(f"one raw sample in {every} is drawn")
    return path, notes


def _every(n: int) -> int:
    return max(1, -(-n // MAX_GAZE_POINTS))


def _image_box(view: TrialView) -> tuple[float, float, float, float] | None:
    """Where the screenshot lies: x0, y0, width, height; None if that is not known."""
    if view.image is None:
        return None
    if view.image_box_px is not None:
        x0, y0, x1, y1 = view.image_box_px
        return (x0, y0, x1 - x0, y1 - y0)
    if view.screen is None:
        return None
    return (0.0, 0.0, view.screen.width_px, view.screen.height_px)


def _summary(view: TrialView, n_status: dict[str, int]) -> str:
    """Say in a sentence what the drawing shows, for those who do not see it."""
    total = float(view.fixations.duration_ms.sum())
    return (
        f"{plural(len(view.fixations), 'fixation')} of {view.participant or 'one person'} on "
        f"{view.stimulus or view.trial}, {number(total / 1000)} s in all: "
        f"{n_status['token']} on a token, {n_status['between']} between tokens, "
        f"{n_status['off']} off the code, {n_status['lost']} lost."
    )
