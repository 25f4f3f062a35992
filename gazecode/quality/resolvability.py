"""Can this layout resolve lines? tokens? By simulation, at a stated error of gaze.

True places are the centres of the layout's boxes, drawn with the boxes' area as weight. Gaze is a
normal error away: per axis sd² = accuracy² + precision², in px. What the mapping makes of each
point is compared with the line and the token it was drawn from.

* accuracy per axis is the root mean square of the targets' offsets on that axis; where only an
  angle is known (devices often state no more) the whole angle is taken for each axis, which is
  too much rather than too little.
* precision per axis is the STD inside fixations; without fixations that of windows, over sqrt 2.

With unknown accuracy the shares are unknown too, and the table for 0, .3, .5 and .8 deg says what
they would be. In closed form, for lines of pitch h and endless width: P(right line) =
erf(h / (2 sqrt(2) sd)): 79, 55 and 36 % at .3, .5 and .8 deg, 28.8 px and 38 px per deg.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray

__all__ = [
    "ACCURACIES_DEG",
    "DOUBTFUL",
    "DRAWS",
    "YES",
    "GazeError",
    "Resolver",
    "line_share",
    "simulated_shares",
    "table",
    "verdict",
    "worded",
]

ACCURACIES_DEG = (0.0, 0.3, 0.5, 0.8)
"""Accuracies, deg per axis, that the table is given for."""
YES, DOUBTFUL = 0.8, 0.5
"""From these shares on, what is asked for can be resolved: yes; perhaps. Below: no."""
DRAWS = 4000
"""Points drawn: the standard error of a share is at most 0.8 %."""

Resolve = Callable[[FloatArray], tuple[IntArray, IntArray]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resolver:
    """A layout, and the mapping that says which of its lines and tokens a point falls on.

    Attributes
    ----------
    layout
        Where tokens stood.
    resolve
        ``(points_xy_px (n, 2)) -> (line (n,), token (n,))``; -1 where a point falls on none.
    """

    layout: Layout
    resolve: Resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class GazeError:
    """Standard deviation of gaze around the truth on each axis, px, and what it is made of.

    Attributes
    ----------
    accuracy_px
        x and y; None if unknown.
    precision_px
        x and y.
    px_per_deg
        Of the screen, or assumed.
    """

    accuracy_px: tuple[float, float] | None
    precision_px: tuple[float, float]
    px_per_deg: float

    def sd_px(self, accuracy_deg: float | None = None) -> tuple[float, float]:
        """Both joined; at another accuracy than its own if one is given."""
        if accuracy_deg is not None:
            x = y = accuracy_deg * self.px_per_deg
        elif self.accuracy_px is not None:
            x, y = self.accuracy_px
        else:
            return math.nan, math.nan
        return math.hypot(x, self.precision_px[0]), math.hypot(y, self.precision_px[1])


def line_share(sd_y_px: float, line_height_px: float) -> float:
    """Share of fixations nearer to their own line than to the next, in closed form.

    >>> [round(line_share(deg * 38, 28.8), 2) for deg in (0.3, 0.5, 0.8)]
    [0.79, 0.55, 0.36]
    """
    if sd_y_px == 0:
        return 1.0
    return math.erf(line_height_px / (2 * math.sqrt(2) * sd_y_px))


def simulated_shares(
    resolver: Resolver, sd_px: tuple[float, float], *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """Share of fixations on the right line, and on the right token.

    Parameters
    ----------
    sd_px
        Error in x and y.
    seed
        The same seed draws the same places and errors, scaled: shares at several errors can be
        compared.

    Returns
    -------
    line_share, token_share
        NaN for a layout without boxes.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 90, 30], [0, 30, 90, 60]],
    ...     token=[0, 1],
    ...     line=[0, 1],
    ...     n_tokens=2,
    ...     line_height_px=30,
    ... )
    >>> by_row = Resolver(
    ...     layout=layout, resolve=lambda xy: ((row := (xy[:, 1] >= 30).astype(int)), row)
    ... )
    >>> simulated_shares(by_row, (0, 0))
    (1.0, 1.0)
    >>> simulated_shares(by_row, (0, 15))[0]  # beyond the outer edges nothing is confused: 84 %
    0.84575
    """
    layout = resolver.layout
    if not len(layout):
        return math.nan, math.nan
    if draws < 1:
        raise ParameterError(f"draws is {draws}; expected at least 1")
    rng = np.random.default_rng(seed)
    boxes = layout.boxes
    edges = np.cumsum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    # Stratified: the share of each box varies as little as it can.
    at = (np.arange(draws) + rng.random(draws)) / draws * edges[-1]
    box = np.minimum(np.searchsorted(edges, at, side="right"), len(boxes) - 1)
    truth = (boxes[box, :2] + boxes[box, 2:]) / 2
    error = rng.standard_normal((draws, 2)) * np.asarray(sd_px, dtype=np.float64)
    line, token = resolver.resolve(truth + error)
    right_line, right_token = line == layout.line[box], token == layout.token[box]
    return float(right_line.mean()), float(right_token.mean())


def table(
    error: GazeError,
    *,
    resolver: Resolver | None = None,
    line_height_px: float | None = None,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Shares at `ACCURACIES_DEG`; of lines alone, in closed form, without a layout."""
    rows = []
    for accuracy_deg in ACCURACIES_DEG:
        sd = error.sd_px(accuracy_deg)
        line, token = shares(sd, resolver=resolver, line_height_px=line_height_px, seed=seed)
        rows.append({"accuracy_deg": accuracy_deg, "line_share": line, "token_share": token})
    return rows


def shares(
    sd_px: tuple[float, float],
    *,
    resolver: Resolver | None,
    line_height_px: float | None,
    seed: int,
) -> tuple[float, float]:
    """By simulation with a layout, in closed form (lines alone) with a pitch, else NaN."""
    if math.isnan(sd_px[0] + sd_px[1]):
        return math.nan, math.nan
    if resolver is not None:
        return simulated_shares(resolver, sd_px, seed=seed)
    if line_height_px is not None:
        return line_share(sd_px[1], line_height_px), math.nan
    return math.nan, math.nan


def verdict(share: float, *, at_best: float = math.nan) -> str:
    """Yes from 80 % on, doubtful from 50 %, else no; ``unknown`` where the share is.

    Parameters
    ----------
    at_best
        The share at perfect accuracy: where even that is too small, the answer is no.

    Examples
    --------
    >>> verdict(0.79), verdict(math.nan), verdict(math.nan, at_best=0.4)
    ('doubtful', 'unknown', 'no')
    """
    if math.isnan(share):
        return "no" if at_best < DOUBTFUL else "unknown"
    if share >= YES:
        return "yes"
    return "doubtful" if share >= DOUBTFUL else "no"


def worded(found: Mapping[str, Any]) -> str:
    """The verdict as a sentence.

    >>> worded({"lines": "yes", "tokens": "no", "line_share": 0.9, "token_share": 0.31})
    'lines: yes (90 % of fixations on the right one); tokens: no (31 %)'
    """
    known = found.get("line_share")
    if known is not None:
        said = [f"lines: {found['lines']} ({100 * known:.0f} % of fixations on the right one)"]
        if found.get("token_share") is not None:
            said.append(f"tokens: {found['tokens']} ({100 * found['token_share']:.0f} %)")
        return "; ".join(said)
    rows = [row for row in found.get("table", ()) if row["line_share"] is not None]
    if not rows:
        return "lines: unknown; tokens: unknown (give the layout or the height of a line)"
    would = ", ".join(_at(row) for row in rows)
    return f"lines: {found['lines']}; tokens: {found['tokens']}; accuracy is unknown: {would}"


def _at(row: Mapping[str, float | None]) -> str:
    token = row["token_share"]
    beside = f"/{100 * token:.0f}" if token is not None else ""
    return f"{100 * (row['line_share'] or 0):.0f}{beside} % at {row['accuracy_deg']:g} deg"
