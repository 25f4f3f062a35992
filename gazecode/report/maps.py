"""Gaze and precision over the screen, as coarse grids: no raw sample goes into a page."""

from dataclasses import dataclass, field

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Events, Samples
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.report.colour import LEVELS
from gazecode.report.words import number, pixels, plural

__all__ = ["Cell", "Extent", "MapDrawing", "MapView", "draw_map", "gaze_map", "precision_map"]

GAZE_COLUMNS = 96
PRECISION_COLUMNS = 16
MIN_FIXATIONS = 3
"""Fewer fixations in a cell than this say nothing about precision there."""
MAX_FIXATIONS = 400
MAX_TALL = 4
"""Rows are no more than so many times the columns, whatever size a file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The part of a plane that is drawn, in its unit; `words` say it where it is a choice.

    >>> Extent(width=1920, height=1080).left
    0.0
    """

    width: float
    height: float
    left: float = 0.0
    top: float = 0.0
    unit: str = "px"
    words: str = ""

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise DataError(
                f"a map of {self.width} x {self.height}; expected the size of the screen"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapView:
    """A value for each cell of a screen, what lay below it, and fixations over it.

    Attributes
    ----------
    extent
        What is drawn of the plane.
    values
        ``(rows, columns)``; NaN where there is none.
    outside
        How many samples or fixations lay outside; they are in no cell.
    kind
        ``gaze`` (values are shares of the samples) or ``precision`` (values are STD).
    """

    title: str
    extent: Extent
    values: FloatArray
    value_unit: str = ""
    kind: str = "gaze"
    n: int = 0
    outside: int = 0
    image: bytes | None = None
    fixations: Events | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 2 or not values.size:
            raise DataError(f"a map has values of shape {values.shape}; expected (rows, columns)")
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell as the template takes it, places in thousandths of the width."""

    x: str
    y: str
    level: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDrawing:
    """A map as the template takes it: `height` for a width of 1000, cells, circles, words."""

    view: MapView
    height: str
    cell_width: str
    cell_height: str
    cells: list[Cell]
    circles: list[tuple[str, str, str]] = field(default_factory=list)
    note: str = ""
    image: str | None = None


def gaze_map(
    samples: Samples, extent: Extent, *, title: str = "", columns: int = GAZE_COLUMNS
) -> MapView:
    """Where gaze lay: the share of the valid samples in each cell of the plane.

    >>> samples = Samples(t_ms=[0, 1, 2], xy_px=[[10, 10], [90, 40], [500, 0]])
    >>> view = gaze_map(samples, Extent(width=100, height=50), columns=2)
    >>> view.values, view.outside
    (array([[0.5, 0.5]]), 1)
    """
    cell, inside, shape = _cells(samples.xy_px, extent, columns)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    share = counts / max(int(inside.sum()), 1)
    valid = int((~samples.lost).sum())
    return MapView(
        title=title,
        extent=extent,
        values=np.where(counts > 0, share, np.nan),
        n=valid,
        outside=valid - int(inside.sum()),
    )


def precision_map(
    xy: FloatArray,
    spread: FloatArray,
    extent: Extent,
    *,
    value_unit: str,
    columns: int = PRECISION_COLUMNS,
) -> MapView:
    """Median precision of the fixations in each cell of the plane.

    Parameters
    ----------
    xy
        ``(n, 2)`` place of the fixations.
    spread
        ``(n,)`` STD of the gaze inside each; NaN where it is not known.

    Examples
    --------
    >>> xy = np.full((3, 2), 20.0)
    >>> spread, extent = np.array([0.1, 0.3, 0.9]), Extent(width=40, height=40)
    >>> precision_map(xy, spread, extent, value_unit="deg", columns=1).values
    array([[0.3]])
    """
    known = np.isfinite(spread)
    cell, inside, shape = _cells(xy, extent, columns, known)
    value = spread[inside]
    order = np.lexsort((value, cell))
    value = value[order]
    n = np.bincount(cell, minlength=shape[0] * shape[1])
    start = np.concatenate(([0], np.cumsum(n)[:-1]))
    filled = n >= MIN_FIXATIONS
    low, high = start + (n - 1) // 2, start + n // 2
    median = np.full(len(n), np.nan)
    median[filled] = (value[low[filled]] + value[high[filled]]) / 2
    return MapView(
        title="",
        kind="precision",
        extent=extent,
        values=median.reshape(shape),
        value_unit=value_unit,
        n=int(known.sum()),
        outside=int(known.sum() - inside.sum()),
    )


def _cells(
    xy: FloatArray, extent: Extent, columns: int, wanted: BoolArray | None = None
) -> tuple[IntArray, BoolArray, tuple[int, int]]:
    """Cell of each point within the extent, which those are, and (rows, columns)."""
    width, height = extent.width, extent.height
    rows = round(min(max(1.0, columns * height / width), MAX_TALL * columns))
    xy = xy - np.array([extent.left, extent.top])
    with np.errstate(invalid="ignore"):
        inside = (xy >= 0).all(axis=1) & (xy[:, 0] < width) & (xy[:, 1] < height)
    if wanted is not None:
        inside &= wanted
    column_of = np.minimum((xy[inside, 0] / width * columns).astype(np.int64), columns - 1)
    row_of = np.minimum((xy[inside, 1] / height * rows).astype(np.int64), rows - 1)
    return row_of * columns + column_of, inside, (rows, columns)


def draw_map(view: MapView, *, image: str | None = None, note: str = "") -> MapDrawing:
    """Prepare a map for the template; `image` is the key of an embedded picture.

    `note` goes below it beside its own: why there is no picture, for one.
    """
    rows, columns = view.values.shape
    scale = 1000.0 / view.extent.width
    height = view.extent.height * min(scale, 1000.0 * MAX_TALL / view.extent.height)
    wide, high = 1000.0 / columns, height / rows
    levels = _levels(view.values)
    cells = [
        Cell(
            x=pixels(c * wide),
            y=pixels(r * high),
            level=int(levels[r, c]),
            title=_cell_words(view, float(view.values[r, c])),
        )
        for r, c in np.argwhere(levels > 0).tolist()
    ]
    return MapDrawing(
        view=view,
        height=pixels(height),
        cell_width=pixels(wide + 0.2),
        cell_height=pixels(high + 0.2),
        cells=cells,
        circles=_circles(view, scale),
        note="; ".join(part for part in (_note(view), view.extent.words, note) if part),
        image=image,
    )


def _levels(values: FloatArray) -> IntArray:
    """Colour of each cell, 1 to `LEVELS`, by rank among the filled cells; 0 where there is none."""
    known = np.isfinite(values)
    levels = np.zeros(values.shape, dtype=np.int64)
    if known.any():
        ordered = np.sort(values[known])
        rank = np.searchsorted(ordered, values[known], side="right") / len(ordered)
        levels[known] = np.clip(np.ceil(rank * LEVELS), 1, LEVELS)
    return levels


def _cell_words(view: MapView, value: float) -> str:
    if view.kind == "gaze":
        return f"{plural(round(value * (view.n - view.outside)), 'sample')}"
    return f"{number(value)} {view.value_unit}"


def _circles(view: MapView, scale: float) -> list[tuple[str, str, str]]:
    """Centre and radius of the first fixations; the area is proportional to the duration."""
    if view.fixations is None:
        return []
    corner = np.array([view.extent.left, view.extent.top])
    xy, duration = view.fixations.xy_px - corner, view.fixations.duration_ms
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))[:MAX_FIXATIONS]
    radius = np.clip(np.sqrt(duration / 250.0) * 8.0, 2.0, 30.0)
    return [
        (pixels(xy[i, 0] * scale), pixels(xy[i, 1] * scale), pixels(float(radius[i])))
        for i in known.tolist()
    ]


def _note(view: MapView) -> str:
    what = "fixation" if view.kind == "precision" else "sample"
    outside = f"; {plural(view.outside, what)} outside, not drawn" if view.outside else ""
    if view.kind == "precision":
        known = view.values[np.isfinite(view.values)]
        if not known.size:
            return f"no cell holds {MIN_FIXATIONS} fixations"
        low, high = number(float(known.min())), number(float(known.max()))
        return f"median STD of the fixations per cell, {low} to {high} {view.value_unit}{outside}"
    return f"{plural(view.n, 'valid sample')}{_circle_words(view)}{outside}"


def _circle_words(view: MapView) -> str:
    drawn = len(_circles(view, 1.0))
    if not drawn or view.fixations is None:
        return ""
    if drawn == MAX_FIXATIONS < len(view.fixations):
        return f", the first {drawn} of {len(view.fixations)} fixations as circles"
    return f", {plural(drawn, 'fixation')} as circles"
