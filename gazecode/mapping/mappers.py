"""Points to boxes: the methods that `gazecode.mapping.hits` chooses from.

``nearest``   the token whose box is nearest, within a reach
``disc``      the token with the largest overlap with a disc around the fixation; the rule of the
              eyeCode data set (Hansen, Lumsdaine & Goldstone 2012, arXiv:1304.5257)
``gaussian``  shares by the mass of a Gaussian over each token's boxes, the idea of eyekit's
              ``duration_mass`` for words; its sd stands for the tracker's error

A method is a function ``(xy_px, field, *, params) -> Shares`` of finite points and the `Field` they
may hit; `MAPPERS` is open to the entry-point group ``gazecode.mappers``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.pairs import Bands
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import Registry

__all__ = [
    "MAPPERS",
    "MIN_REACH_PX",
    "MIN_SHARE",
    "Field",
    "Mapper",
    "Shares",
    "by_point_and_token",
    "disc_overlap",
    "map_nearest",
    "merged",
]

MIN_REACH_PX = 20.0
"""The least default reach: small fonts do not make trackers more exact."""
MIN_SHARE = 1e-6
"""Smaller shares of a Gaussian are cut: less than 1e-6 per box and fixation is lost."""
_GAUSS_REACH = 4.76
"""sd beyond which a box holds less than `MIN_SHARE`: P(z > 4.76) = 9.7e-7."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """What a group of points may hit.

    Attributes
    ----------
    boxes, token
        ``(k, 4)`` px and ``(k,)``; token numbers of the layout.
    bands
        The boxes, ready to be searched.
    line_height_px
        The layout's.
    """

    boxes: FloatArray
    token: IntArray
    bands: Bands
    line_height_px: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Sparse triples: `share` of point number `point` on `token`."""

    point: IntArray
    token: IntArray
    share: FloatArray


Mapper = Callable[..., Shares]


def map_nearest(
    xy_px: FloatArray,
    field: Field,
    *,
    reach_px: float | None = None,
) -> Shares:
    """Take the nearest box within `reach_px` (Euclidean, 0 inside; edges count as inside).

    A tie goes to the box whose centre is nearer, then to the lower token.
    """
    reach = max(field.line_height_px, MIN_REACH_PX) if reach_px is None else reach_px
    _check_positive("reach_px", reach, least=0.0)
    point, box = field.bands.near(xy_px, reach_x_px=reach, reach_y_px=reach)
    distance = _distance(xy_px[point], field.boxes[box])
    near = distance <= reach
    point, box, distance = point[near], box[near], distance[near]
    return _best(point, field.token[box], distance, _from_centre(xy_px[point], field.boxes[box]))


def map_disc(
    xy_px: FloatArray,
    field: Field,
    *,
    radius_px: float = 20.0,
) -> Shares:
    """Take the token with the largest exact overlap with a disc of `radius_px`.

    The boxes of one token count together. A tie goes to the nearer centre, then the lower token.
    """
    _check_positive("radius_px", radius_px)
    point, box = field.bands.near(xy_px, reach_x_px=radius_px, reach_y_px=radius_px)
    area = disc_overlap(xy_px[point], field.boxes[box], radius_px=radius_px)
    hit = area > 0
    point, box, area = point[hit], box[hit], area[hit]
    centre = _from_centre(xy_px[point], field.boxes[box])
    found = merged(point, field.token[box], area, centre)
    # Rounded, so that equal overlaps computed along different paths are the tie they are.
    rank = -np.round(found.share / radius_px**2, 9)
    return _best(found.point, found.token, rank, found.centre)


def map_gaussian(
    xy_px: FloatArray,
    field: Field,
    *,
    sd_px: float | tuple[float, float],
) -> Shares:
    """Share a fixation by the probability that its true point lies in each token's boxes.

    The shares of a fixation sum to at most 1; the rest lies on no token. Shares below
    `MIN_SHARE` are cut. Where boxes overlap and the sum exceeds 1, all are scaled down to 1.
    """
    sd = _both_axes(sd_px)
    reach = _GAUSS_REACH * sd
    point, box = field.bands.near(xy_px, reach_x_px=float(reach[0]), reach_y_px=float(reach[1]))
    x0, y0, x1, y1 = field.boxes.T
    mass = _mass(xy_px[:, 0], x0, x1, point, box, sd_px=float(sd[0]))
    # The boxes of a line come one after the other and mostly share their top and bottom.
    fresh = _changes(point, y0[box], y1[box])
    once = _mass(xy_px[:, 1], y0, y1, point[fresh], box[fresh], sd_px=float(sd[1]))
    mass *= once[np.cumsum(fresh) - 1]
    seen = np.flatnonzero(mass >= MIN_SHARE)
    point, token, mass = point[seen], field.token[box[seen]], mass[seen]
    found = merged(point, token, mass, mass)
    total = np.bincount(found.point, weights=found.share, minlength=len(xy_px))
    share = found.share / np.maximum(total, 1.0)[found.point]
    return Shares(point=found.point, token=found.token, share=share)


def _both_axes(sd_px: float | tuple[float, float]) -> FloatArray:
    sd = np.asarray(sd_px, dtype=np.float64)
    if sd.shape not in ((), (2,)):
        raise ParameterError(f"sd_px is {sd_px}; expected one number, or one for x and one for y")
    for value in sd.ravel().tolist():
        _check_positive("sd_px", value)
    both: FloatArray = np.broadcast_to(sd, 2)
    return both


def _mass(
    at: FloatArray,
    low: FloatArray,
    high: FloatArray,
    point: IntArray,
    box: IntArray,
    *,
    sd_px: float,
) -> FloatArray:
    """Probability that a normal variable around each point lies between a box's sides."""
    from scipy.special import ndtr

    # Scaled before they are paired: there are far fewer points and boxes than pairs.
    centre = (at / sd_px)[point]
    mass: FloatArray = ndtr((high / sd_px)[box] - centre)
    mass -= ndtr((low / sd_px)[box] - centre)
    return mass


MAPPERS: Registry[Mapper] = Registry(
    "mapping methods",
    {"nearest": map_nearest, "disc": map_disc, "gaussian": map_gaussian},
    group="gazecode.mappers",
)


def _check_positive(name: str, value: float, *, least: float = np.nextafter(0, 1)) -> None:
    if not (np.isfinite(value) and value >= least):
        wanted = "a number of at least 0" if least == 0 else "a positive number"
        raise ParameterError(f"{name} is {value}; expected {wanted} of pixels")


def _distance(xy: FloatArray, boxes: FloatArray) -> FloatArray:
    dx = np.maximum(np.maximum(boxes[:, 0] - xy[:, 0], xy[:, 0] - boxes[:, 2]), 0)
    dy = np.maximum(np.maximum(boxes[:, 1] - xy[:, 1], xy[:, 1] - boxes[:, 3]), 0)
    distance: FloatArray = np.hypot(dx, dy)
    return distance


def _from_centre(xy: FloatArray, boxes: FloatArray) -> FloatArray:
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 - xy
    distance: FloatArray = np.hypot(centre[:, 0], centre[:, 1])
    return distance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    point: IntArray
    token: IntArray
    share: FloatArray
    centre: FloatArray


def merged(point: IntArray, token: IntArray, share: FloatArray, centre: FloatArray) -> Merged:
    """One row per (point, token): summed share, least distance to a centre."""
    order = by_point_and_token(point, token)
    point, token, share, centre = point[order], token[order], share[order], centre[order]
    first = np.flatnonzero(_changes(point, token))
    if len(first) == len(point):
        return Merged(point=point, token=token, share=share, centre=centre)
    return Merged(
        point=point[first],
        token=token[first],
        share=np.add.reduceat(share, first),
        centre=np.minimum.reduceat(centre, first),
    )


def by_point_and_token(point: IntArray, token: IntArray) -> IntArray:
    """Sorting order; one key, because pairs come nearly sorted and then cost nothing."""
    n = int(token.max()) + 1 if len(token) else 1
    return np.argsort(point * n + token, kind="stable")


def _changes(*columns: "IntArray | FloatArray") -> BoolArray:
    """Rows that differ from the row before in any column; the first row does."""
    fresh: BoolArray = np.ones(len(columns[0]), dtype=bool)
    if len(fresh):
        fresh[1:] = False
        for column in columns:
            fresh[1:] |= column[1:] != column[:-1]
    return fresh


def _best(point: IntArray, token: IntArray, rank: FloatArray, centre: FloatArray) -> Shares:
    """Per point the token of least rank, then of least `centre`, then of least number."""
    order = np.lexsort((token, centre, rank, point))
    point, token = point[order], token[order]
    first = _changes(point)
    return Shares(point=point[first], token=token[first], share=np.ones(int(first.sum())))


def disc_overlap(xy_px: FloatArray, boxes: FloatArray, *, radius_px: float) -> FloatArray:
    """Exact area of a disc inside a box, row by row, px².

    Parameters
    ----------
    xy_px, boxes
        ``(n, 2)`` centres and ``(n, 4)`` boxes.

    Examples
    --------
    >>> box = np.array([[0.0, 0.0, 10.0, 10.0]])
    >>> disc_overlap(np.array([[5.0, 0.0]]), box, radius_px=2).round(4)  # half a disc
    array([6.2832])
    """
    x0, y0 = ((boxes[:, :2] - xy_px) / radius_px).clip(-1, 1).T
    x1, y1 = ((boxes[:, 2:] - xy_px) / radius_px).clip(-1, 1).T
    area = _quadrant(x1, y1) - _quadrant(x0, y1) - _quadrant(x1, y0) + _quadrant(x0, y0)
    # Four terms of size 1 cancel: what is left of them below 1e-12 is rounding.
    exact: FloatArray = np.where(area > 1e-12, area, 0.0) * radius_px**2
    return exact


def _quadrant(x: FloatArray, y: FloatArray) -> FloatArray:
    """Area of the unit disc left of x and above y (``u <= x, v <= y``), both within -1..1."""
    gx = (x * np.sqrt(1 - x * x) + np.arcsin(x)) / 2
    gy = (y * np.sqrt(1 - y * y) + np.arcsin(y)) / 2
    quarter = np.pi / 4
    # Corner outside the disc: the two sides cut it independently, or one of them alone.
    outside = np.where(
        x > 0,
        np.where(y > 0, 2 * (gx + gy), 2 * (quarter + gy)),
        np.where(y > 0, 2 * (quarter + gx), 0.0),
    )
    area: FloatArray = np.where(x * x + y * y < 1, x * y + gx + gy + quarter, outside)
    return area
