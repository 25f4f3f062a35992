"""Scroll and visible area: from logs, or from where lines were seen, to a layout's timed table.

A log says from when on which part of the text was visible, in px (CodeGRITS's visible areas) or in
lines. iTrace logs no scroll, but its answers hold a line and a place on the screen: that line's top
(``editor_line_base_y``) says the scroll exactly, a sample's own y to within one line height.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray, column, no_floats, same_length

__all__ = ["VisibleLog", "scroll_of_lines", "scroll_of_samples", "scrolled"]

LOG_UNITS = ("px", "lines")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisibleLog:
    """Which part of the text was visible from when on.

    Attributes
    ----------
    t_ms
        ``(s,)`` on the recording's clock, in any order; of rows with one time the last holds.
    top, left
        ``(s,)`` how far the text is scrolled up and to the left. `left` is 0 if not given.
    height, width
        ``(s,)`` how much is visible; NaN (if not given) where the log does not say.
    unit
        ``px`` of the recording's screen; ``lines``: `top` and `height` in visual rows (0-based,
        parts of rows too), `left` and `width` in columns.
    """

    t_ms: FloatArray
    top: FloatArray
    left: FloatArray = field(default_factory=no_floats)
    height: FloatArray = field(default_factory=no_floats)
    width: FloatArray = field(default_factory=no_floats)
    unit: str = "px"

    def __post_init__(self) -> None:
        n = len(self.t_ms)
        for name, value in (("left", 0.0), ("height", np.nan), ("width", np.nan)):
            if len(getattr(self, name)) == 0 < n:
                object.__setattr__(self, name, np.full(n, value))
        for name in ("t_ms", "top", "left", "height", "width"):
            column(self, name, np.float64)
        same_length(self, "t_ms", "top", "left", "height", "width")
        if self.unit not in LOG_UNITS:
            raise ParameterError.unknown("units of visible areas", self.unit, LOG_UNITS)
        for name in ("t_ms", "top", "left"):
            if not np.isfinite(getattr(self, name)).all():
                raise DataError(
                    f"VisibleLog.{name} holds NaN or infinity; leave such rows out and count them"
                )

    def __len__(self) -> int:
        return len(self.t_ms)


def scrolled(
    layout: Layout,
    log: VisibleLog,
    *,
    origin_px: tuple[float, float] | None = None,
    char_width_px: float | None = None,
) -> Layout:
    """The same layout with the scroll, and the viewport, that a log says.

    Parameters
    ----------
    layout
        Boxes at scroll 0.
    log
        Scroll before its first row is taken as 0, as a layout has it.
    origin_px
        Top left of the area that shows text, on the screen: with it and the log's sizes the
        layout gets a viewport. None leaves the layout's own.
    char_width_px
        Of a column, where a log in lines says columns.

    Returns
    -------
    Layout
        A viewport has one size: that which was visible longest. `unmatched` counts rows of the
        log with another one as ``viewport_sizes``.

    Examples
    --------
    >>> layout = Layout(boxes=[[0, 0, 40, 20]], token=[0], line=[0], n_tokens=1, line_height_px=20)
    >>> log = VisibleLog(t_ms=[0, 500], top=[0, 3], height=[10, 10], unit="lines")
    >>> moved = scrolled(layout, log, origin_px=(0, 100))
    >>> moved.scroll_t_ms, moved.scroll_px.tolist(), moved.viewport_px
    (array([  0., 500.]), [[0.0, 0.0], [0.0, 60.0]], (0.0, 100.0, inf, 300.0))
    """
    order = np.argsort(log.t_ms, kind="stable")
    order = order[np.append(np.diff(log.t_ms[order]) > 0, True)[: len(order)]]
    scale_x, scale_y = _scales(layout, log, char_width_px)
    scroll = np.stack([log.left * scale_x, log.top * scale_y], axis=1)[order]
    t = log.t_ms[order]
    viewport, others = layout.viewport_px, 0
    if origin_px is not None and len(order):
        size = np.stack([log.width * scale_x, log.height * scale_y], axis=1)[order]
        (width, height), others = _lasting(t, size, layout.offset_ms)
        x, y = map(float, origin_px)
        viewport = (x, y, x + width, y + height)
    fresh = np.ones(len(t), dtype=np.bool_)
    fresh[1:] = (scroll[1:] != scroll[:-1]).any(axis=1)
    return replace(
        layout,
        scroll_t_ms=t[fresh],
        scroll_px=scroll[fresh],
        viewport_px=viewport,
        unmatched={**layout.unmatched, **({"viewport_sizes": others} if others else {})},
    )


def _scales(layout: Layout, log: VisibleLog, char_width_px: float | None) -> tuple[float, float]:
    """Px in one unit of the log, across and down."""
    if log.unit == "px":
        return 1.0, 1.0
    sideways = np.any(log.left) or np.isfinite(log.width).any()
    if sideways and char_width_px is None:
        raise ParameterError("the log counts columns; give their width: char_width_px=...")
    return char_width_px or 1.0, layout.line_height_px


def _lasting(t: FloatArray, size: FloatArray, offset_ms: float) -> tuple[tuple[float, float], int]:
    """The size in force longest, infinite where unknown, and how many rows have another."""
    known = np.where(np.isfinite(size), size, np.inf)
    if (known <= 0).any():
        raise DataError("a visible area has no size; expected more than 0")
    sizes, group = np.unique(known, axis=0, return_inverse=True)
    group = group.reshape(-1)
    end = offset_ms if np.isfinite(offset_ms) else t[-1] + max(float(t[-1] - t[0]), 1.0)
    held = np.maximum(np.diff(np.append(t, end)), 0.0)
    best = int(np.argmax(np.bincount(group, weights=held)))
    width, height = sizes[best].tolist()
    return (width, height), int((group != best).sum())


def scroll_of_lines(
    t_ms: npt.ArrayLike,
    line: npt.ArrayLike,
    top_px: npt.ArrayLike,
    *,
    origin_y_px: float,
    line_height_px: float,
) -> VisibleLog:
    """Scroll from the tops of lines on the screen (``editor_line_base_y`` of iTrace's answers).

    Parameters
    ----------
    t_ms, line, top_px
        ``(n,)`` time in order, visual row (0-based; negative is off text) and the top of that
        row on the screen; rows without either are left out.
    origin_y_px, line_height_px
        Of the grid at scroll 0.

    Examples
    --------
    >>> log = scroll_of_lines([0, 9], [2, 5], [140, 140], origin_y_px=100, line_height_px=20)
    >>> log.top.tolist()
    [0.0, 60.0]
    """
    t, row, y = _columns(t_ms, line, top_px)
    top = origin_y_px + row * line_height_px - y
    fresh = np.ones(len(t), dtype=np.bool_)
    fresh[1:] = np.diff(top) != 0
    return VisibleLog(t_ms=t[fresh], top=top[fresh])


def scroll_of_samples(
    t_ms: npt.ArrayLike,
    line: npt.ArrayLike,
    y_px: npt.ArrayLike,
    *,
    origin_y_px: float,
    line_height_px: float,
    slack_px: float = 1.0,
    shown_px: tuple[float, float] = (-np.inf, np.inf),
) -> VisibleLog:
    """Scroll from the lines that samples were resolved to, each known to one line height.

    A sample in a line says that the scroll lies in an interval as high as a line. Samples go
    together as long as their intervals have a part in common; the middle of it is the scroll
    from the first of them on. So the scroll moves no more often than the samples demand; it is
    off by half a line at most, or by one where a smaller scroll went unnoticed.

    Parameters
    ----------
    t_ms, line, y_px
        ``(n,)`` time in order, visual row (0-based; negative is off text) and the sample on the
        screen, as the editor got it; rows without either are left out.
    origin_y_px, line_height_px
        Of the grid at scroll 0.
    slack_px
        By how much an interval is widened on each side: samples are whole px.
    shown_px
        Top and bottom of the area that shows text, on the screen. Samples outside are left out:
        editors answer their first or last visible row for them.

    Examples
    --------
    >>> log = scroll_of_samples(
    ...     [0, 9, 18], [0, 1, 9], [101, 139, 150], origin_y_px=100, line_height_px=20, slack_px=0
    ... )
    >>> log.t_ms.tolist(), log.top.tolist()
    ([0.0, 18.0], [0.0, 140.0])
    """
    if not (np.isfinite(line_height_px) and line_height_px > 0 and slack_px >= 0):
        raise ParameterError(
            f"line_height_px is {line_height_px} and slack_px {slack_px}; expected more than 0, "
            "and at least 0"
        )
    t, row, y = _columns(t_ms, line, y_px)
    inside = (y >= shown_px[0]) & (y < shown_px[1])
    t, row, y = t[inside], row[inside], y[inside]
    low = origin_y_px + row * line_height_px - y - slack_px
    high = low + line_height_px + 2 * slack_px
    starts: list[float] = []
    tops: list[float] = []
    lowest, highest = np.inf, -np.inf
    for at, a, b in zip(t.tolist(), low.tolist(), high.tolist(), strict=True):
        if a > highest or b < lowest:
            lowest, highest = a, b
            starts.append(at)
            tops.append(0.0)
        lowest, highest = max(lowest, a), min(highest, b)
        tops[-1] = (lowest + highest) / 2
    return VisibleLog(t_ms=np.array(starts), top=np.array(tops))


def _columns(
    t_ms: npt.ArrayLike, line: npt.ArrayLike, y_px: npt.ArrayLike
) -> tuple[FloatArray, IntArray, FloatArray]:
    t, row, y = (np.asarray(c, dtype=np.float64) for c in (t_ms, line, y_px))
    if not t.shape == row.shape == y.shape or t.ndim != 1:
        raise DataError(
            f"times, lines and px have shapes {t.shape}, {row.shape} and {y.shape}; expected one "
            "of each per answer"
        )
    kept = np.isfinite(t) & (row >= 0) & np.isfinite(y)
    t, row, y = t[kept], row[kept], y[kept]
    if (np.diff(t) < 0).any():
        raise DataError("times of answers run backward; expected them in order")
    rows: IntArray = row.astype(np.int64)
    return t, rows, y
