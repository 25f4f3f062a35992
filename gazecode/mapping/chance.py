"""How often chance would put a fixation on a token: the null that salience is measured against.

Gaze on code favours wherever text is dense and tokens are long. The null keeps the trial's own
gaze, its number and its clusters, and breaks only its bond to the text: all fixations on the code
are moved together by one random step and wrap around at the borders of the code, the toroidal shift
of Lotwick & Silverman 1982, doi:10.1111/j.2517-6161.1982.tb01221.x. The share of such shifts in
which a token is fixated is what chance gives it.
"""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.hits import MAPPERS, MIN_REACH_PX, Field, Shares, map_nearest, map_to_tokens
from gazecode.mapping.pairs import Bands
from gazecode.mapping.view import fits, place
from gazecode.model import Events, Layout
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.model.fixated import largest_shares

__all__ = ["chance_hits"]

_CHUNK = 4096
"""Points mapped at a time, whatever shift they belong to: memory is bounded."""
_RINGS = (0.0, 0.25, 1.0)
"""Reaches tried one after the other, as shares of the whole."""
_ON_CODE = ("token", "between")


def chance_hits(
    fixations: Events,
    layout: Layout,
    *,
    method: str = "nearest",
    n_shifts: int = 200,
    seed: int = 0,
    **params: Any,
) -> FloatArray:
    """Share of circular shifts of a trial's gaze in which each token is fixated at least once.

    A shift moves all fixations that are on the code (status ``token`` or ``between``) by one
    ``(dx, dy)``, uniform over the code area, and wraps around it. The area is the box around all
    boxes shown; where the text scrolls it is the viewport, on the screen, and every fixation keeps
    the scroll in force at its onset. A fixation that is on the code but a little outside the area
    enters at its edge. Fixations off the code stay off. A fixation counts for the token with its
    largest share, as in `gazecode.model.fixated`.

    Parameters
    ----------
    fixations
        One trial's, as for `map_to_tokens`.
    layout
        Where tokens stood.
    method, **params
        The mapper and its parameters: those of the real hits.
    n_shifts
        Shifts; at least 200 for a null that is reported.
    seed
        Of the shifts: the same seed gives the same numbers.

    Returns
    -------
    FloatArray
        ``(m,)`` shares in 0..1; NaN for tokens that were never on the screen.

    Raises
    ------
    ParameterError
        Unknown method or parameter, or a number of shifts below 1.
    DataError
        Events other than fixations.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 30, 20], [30, 0, 40, 20]],
    ...     token=[0, 1],
    ...     line=[0, 0],
    ...     n_tokens=3,
    ...     line_height_px=20,
    ... )
    >>> one = Events(kind=["fixation"], onset_ms=[0], offset_ms=[250], xy_px=[[35, 10]])
    >>> chance_hits(one, layout, n_shifts=1000).round(1)
    array([0.7, 0.3, nan])
    """
    _check_shifts(n_shifts)
    hits = map_to_tokens(fixations, layout, method, **params)
    chance: FloatArray = np.where(hits.exposed, 0.0, np.nan)
    on_code = fixations[np.isin(hits.status.astype(str), _ON_CODE)]
    if not len(on_code):
        return chance
    area = _area(layout)
    size = area[2:] - area[:2]
    steps = np.random.default_rng(seed).random((n_shifts, 2)) * size
    hit: BoolArray = np.zeros((n_shifts, layout.n_tokens), dtype=bool)
    where = place(on_code, layout)
    for fit in fits(where, layout):
        scroll = where.scroll_px[fit.fixation]
        # A window stands still and the text moves under it; without one the text is the frame.
        moved = scroll if layout.viewport_px is not None else np.zeros_like(scroll)
        start = np.clip(fit.xy_px - moved, area[:2], area[2:]) - area[:2]
        field = Field(
            boxes=fit.boxes,
            token=layout.token[fit.box],
            bands=Bands(fit.boxes, layout.line[fit.box]),
            line_height_px=layout.line_height_px,
        )
        n, origin = len(start), area[:2] + moved
        for first in range(0, n * n_shifts, _CHUNK):
            # All shifts lie end to end, as one long row of points.
            row = np.arange(first, min(first + _CHUNK, n * n_shifts))
            shift, point = np.divmod(row, n)
            xy = (start[point] + steps[shift]) % size + origin[point]
            for part in _mapped(xy, field, method, params):
                kept = largest_shares(part.point, part.token, part.share)
                hit[shift[part.point[kept]], part.token[kept]] = True
    chance[hits.exposed] = hit.mean(axis=0)[hits.exposed]
    return chance


def _check_shifts(n_shifts: object) -> None:
    if not (isinstance(n_shifts, Integral) and int(n_shifts) >= 1):
        raise ParameterError(f"n_shifts is {n_shifts!r}; expected a whole number of at least 1")


def _area(layout: Layout) -> FloatArray:
    """``x0 y0 x1 y1`` of what gaze is shifted over."""
    window = layout.viewport_px
    if window is not None and len(layout.scroll_t_ms):
        return np.asarray(window, dtype=np.float64)
    low, high = layout.boxes[:, :2], layout.boxes[:, 2:]
    if window is not None:
        low, high = np.maximum(low, window[:2]), np.minimum(high, window[2:])
        seen = (low < high).all(axis=1)
        if not seen.any():
            return np.asarray(window, dtype=np.float64)
        low, high = low[seen], high[seen]
    return np.concatenate([low.min(axis=0), high.max(axis=0)])


def _mapped(xy: FloatArray, field: Field, method: str, params: dict[str, Any]) -> Iterator[Shares]:
    """Shares of many points, every point in one part.

    What is nearest within a short reach is nearest within a longer one. Most points lie on a box:
    they are done before the many boxes within the whole reach are looked at.
    """
    mapper = MAPPERS[method]
    if mapper is not map_nearest:
        yield mapper(xy, field, **params)
        return
    reach = params.get("reach_px")
    reach = max(field.line_height_px, MIN_REACH_PX) if reach is None else reach
    left = np.arange(len(xy))
    for share in _RINGS:
        found = mapper(xy[left], field, reach_px=reach * share)
        yield Shares(point=left[found.point], token=found.token, share=found.share)
        open_: BoolArray = np.ones(len(left), dtype=bool)
        open_[found.point] = False
        left = left[open_]
