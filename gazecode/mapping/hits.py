"""Fixations to tokens, hard (one token) or soft (shares); methods: `gazecode.mapping.mappers`."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.line_points import line_points
from gazecode.mapping.mappers import (
    MAPPERS,
    MIN_REACH_PX,
    Field,
    Mapper,
    Shares,
    by_point_and_token,
    disc_overlap,
    map_nearest,
    merged,
)
from gazecode.mapping.pairs import Bands
from gazecode.mapping.view import Place, exposure_ms, fits, place, text_area
from gazecode.model import Events, Hits, Layout
from gazecode.model.checks import BoolArray, IntArray, StrArray, repeated
from gazecode.registry import check_parameters

__all__ = [
    "MAPPERS",
    "MIN_REACH_PX",
    "Field",
    "Shares",
    "disc_overlap",
    "map_nearest",
    "map_to_tokens",
]

_CHUNK = 2048
"""Points mapped at a time: their pairs stay in the processor's cache, and memory is bounded."""
_NO_SHARES = Shares(
    point=np.empty(0, dtype=np.int64), token=np.empty(0, dtype=np.int64), share=np.empty(0)
)


def map_to_tokens(
    fixations: Events, layout: Layout, method: str = "nearest", **params: Any
) -> Hits:
    """Say for every fixation which tokens it fell on.

    A fixation counts with the scroll in force at its onset. Its status is ``lost`` without a
    position; ``off`` when its onset is outside the layout's interval, its point outside the
    viewport, or the text's area (the box around all boxes, plus one line height, at least 20 px)
    does not hold it; ``token`` when it has a share on at least one token; else ``between``.
    Every fixation has exactly one status.

    Where fixations were assigned to lines (`Events.line_shares`), what is known of a fixation is
    how probable each line is, and that is what travels: the fixation is placed at the height of
    every line with a probability of at least 1e-6, x and scroll as they are, mapped there among the
    boxes of that line alone, and its shares are those times the probability. They sum to what the
    lines do that have a token within reach. A line that is certain gives what the corrected
    position gives on it; one whose method abstained keeps what it gave to the lines, and one
    without any line lies on no token.

    Parameters
    ----------
    fixations
        Fixations only (``events.of("fixation")``), assigned to lines or not.
    layout
        Where tokens stood.
    method
        A name in `MAPPERS`: ``nearest`` (`reach_px`: default one line height, at least 20 px),
        ``disc`` (`radius_px`, 20 by default), ``gaussian`` (`sd_px`: a number or one per axis).

    Returns
    -------
    Hits
        Sorted by fixation, then token. `exposure_ms` is how long a box of the token had its
        centre inside the viewport during the layout's interval; an open interval is taken from
        the first onset to the last offset of the fixations.

    Raises
    ------
    ParameterError
        Unknown method or parameter.
    DataError
        Events other than fixations, or fixations assigned to the lines of another layout.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 40, 20], [50, 0, 90, 20]],
    ...     token=[0, 1],
    ...     line=[0, 0],
    ...     n_tokens=2,
    ...     line_height_px=20,
    ... )
    >>> fixations = Events(
    ...     kind=["fixation"] * 3,
    ...     onset_ms=[0, 300, 600],
    ...     offset_ms=[250, 500, 900],
    ...     xy_px=[[20, 10], [48, 10], [500, 500]],
    ... )
    >>> hits = map_to_tokens(fixations, layout)
    >>> hits.token, hits.status
    (array([0, 1]), array(['token', 'token', 'off'], dtype=object))
    >>> map_to_tokens(fixations, layout, "gaussian", sd_px=20).share.round(2)
    array([0.26, 0.03, 0.13, 0.17])

    The same with a doubt about the line:

    >>> two = Layout(
    ...     boxes=[[0, 0, 40, 20], [0, 30, 40, 50]],
    ...     token=[0, 1],
    ...     line=[0, 1],
    ...     n_tokens=2,
    ...     line_height_px=30,
    ... )
    >>> unsure = Events(
    ...     kind=["fixation"],
    ...     onset_ms=[0],
    ...     offset_ms=[250],
    ...     xy_px=[[20, 24]],
    ...     line_shares=[[0.3, 0.6]],
    ... )
    >>> map_to_tokens(unsure, two).share
    array([0.3, 0.6])
    """
    mapper = MAPPERS[method]
    check_parameters(mapper, params, name=method)
    _check_required(mapper, params, name=method)
    other = set(fixations.kind) - {"fixation"}
    if other:
        raise DataError(
            f"events to map hold {', '.join(sorted(other))}; expected fixations only: "
            'pass events.of("fixation")'
        )
    where = place(fixations, layout)
    if fixations.line_shares is None:
        hits = _joined(_mapped(where, layout, mapper, params))
    else:
        hits = _on_lines(fixations, layout, mapper, params)
    order = by_point_and_token(hits.point, hits.token)
    return Hits(
        fixation=hits.point[order],
        token=hits.token[order],
        share=hits.share[order],
        onset_ms=fixations.onset_ms,
        duration_ms=fixations.duration_ms,
        status=_status(hits.point, where.lost, where.shown, text_area(where, layout, MIN_REACH_PX)),
        exposure_ms=exposure_ms(fixations, layout),
    )


def _check_required(mapper: Mapper, params: dict[str, Any], *, name: str) -> None:
    """Ask by name for a parameter that has no default because only the study can know it."""
    for p in inspect.signature(mapper).parameters.values():
        if p.kind is p.KEYWORD_ONLY and p.default is p.empty and p.name not in params:
            raise ParameterError(f"{name} needs {p.name}; give it: {p.name}=...")


def _mapped(
    where: Place, layout: Layout, mapper: Mapper, params: dict[str, Any]
) -> Iterator[Shares]:
    """Shares of all points that are shown."""
    for fit in fits(where, layout):
        field = Field(
            boxes=fit.boxes,
            token=layout.token[fit.box],
            bands=Bands(fit.boxes, layout.line[fit.box]),
            line_height_px=layout.line_height_px,
        )
        for start in range(0, len(fit.fixation), _CHUNK):
            part = slice(start, start + _CHUNK)
            shares = mapper(fit.xy_px[part], field, **params)
            number = fit.fixation[part][shares.point]
            yield Shares(point=number, token=shares.token, share=shares.share)


def _on_lines(fixations: Events, layout: Layout, mapper: Mapper, params: dict[str, Any]) -> Shares:
    """Shares by line, times how probable the line is."""
    points = line_points(fixations, layout)
    parts = []
    for rows, line in points.by_line(layout):
        on_line = _joined(_mapped(place(points.events[rows], line), line, mapper, params))
        row = rows[on_line.point]
        parts.append(
            Shares(
                point=points.fixation[row],
                token=on_line.token,
                share=on_line.share * points.share[row],
            )
        )
    found = _joined(parts)
    once = merged(found.point, found.token, found.share, found.share)
    return Shares(point=once.point, token=once.token, share=once.share)


def _joined(parts: Iterable[Shares]) -> Shares:
    held = [_NO_SHARES, *parts]
    return Shares(
        point=np.concatenate([part.point for part in held]),
        token=np.concatenate([part.token for part in held]),
        share=np.concatenate([part.share for part in held]),
    )


def _status(fixation: IntArray, lost: BoolArray, shown: BoolArray, inside: BoolArray) -> StrArray:
    status: StrArray = repeated("off", len(lost))
    status[shown & inside] = "between"
    hit = np.zeros(len(lost), dtype=bool)
    hit[fixation] = True
    status[hit] = "token"
    status[lost] = "lost"
    return status
