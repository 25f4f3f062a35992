"""The longest run is a line, and lines above and below grow from it.

D. Glandorf & S. Schroeder 2021, doi:10.1016/j.procs.2021.09.069. Fixations are cut into runs. The
longest one is the first proto-line; a run joins it when it lies at the same height, and begins
the proto-line above or below when it is one line off. "Height" is measured against the fixation
of the proto-line that is nearest in x, so that drift may bend as it likes. Outwards, proto-line
by proto-line, until all runs have joined; proto-lines then go to lines of text in positional
order. Assumes runs long enough to tell where a line lies.

Deviates: lengths are in line pitches and equal the published pixels on a text of 64 px lines.
A run between two proto-lines that neither takes, which would go round for ever, joins the nearer
one. Fewer proto-lines than lines of text go to the lines they are nearest to, in order.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.sequences import close_runs, in_order, length_px, means, nearest
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["slice_runs"]

_LOOSE = np.iinfo(np.int64).min
"""Number of the proto-line of a run that has none yet."""


def slice_runs(
    xy_px: FloatArray,
    lines: Lines,
    *,
    x_px: float | None = None,
    y_px: float | None = None,
    within_px: float | None = None,
    next_px: float | None = None,
) -> IntArray:
    """Grow proto-lines from the longest run, upwards and downwards.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text.
    x_px, y_px
        A run ends where the next fixation is further away than this: by default 3 and 0.5 line
        pitches (192 and 32 px at lines of 64 px).
    within_px
        A run less far off than this belongs to the proto-line: by default 0.5 pitches (32 px).
    next_px
        One further off, but by less than this, begins the next one: by default 1.4 pitches (90 px).

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Raises
    ------
    ParameterError
        A length that is not positive.

    Examples
    --------
    The longest run is straight, so the line below it begins one pitch further down:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 90, 20], [0, 30, 90, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=[0, 1], line=[0, 1], n_tokens=2, line_height_px=30)
    ... )
    >>> slice_runs(np.array([[10.0, 22], [50, 24], [90, 23], [10, 52], [40, 53]]), lines)
    array([0, 0, 0, 1, 1])
    """
    pitch = lines.pitch_px
    runs = _Runs(
        xy_px=xy_px,
        run=close_runs(
            xy_px,
            x_px=length_px("x_px", x_px, pitch, paper_px=192),
            y_px=length_px("y_px", y_px, pitch, paper_px=32),
        ),
        pitch_px=pitch,
        within_px=length_px("within_px", within_px, pitch, paper_px=32),
        next_px=length_px("next_px", next_px, pitch, paper_px=90),
    )
    proto = _fitted(_grown(runs), len(lines))
    size = np.bincount(proto)
    height = np.bincount(proto, weights=xy_px[:, 1]) / np.maximum(size, 1)
    return in_order(height, size, lines.y_px)[proto]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Runs:
    """Fixations, the run of each, and how far proto-lines reach."""

    xy_px: FloatArray
    run: IntArray
    pitch_px: float
    within_px: float
    next_px: float


def _grown(runs: _Runs) -> IntArray:
    """``(n,)`` proto-line of each fixation: 0 where the longest run is, less above, more below."""
    xy, run = runs.xy_px, runs.run
    first = np.flatnonzero(np.diff(run, prepend=-1))
    last = np.append(first[1:], len(run)) - 1
    proto = np.full(len(first), _LOOSE)
    proto[np.argmax(xy[last, 0] - xy[first, 0])] = 0
    end = {-1: 0, 1: 0}
    ghost: dict[int, FloatArray] = {}
    idle = 0
    while idle < len(end):
        idle = 0
        for way in (-1, 1):
            here = xy[(proto == end[way])[run]]
            points = here if len(here) else ghost[way]
            loose = np.flatnonzero(proto == _LOOSE)
            off = way * _off_px(runs, loose, points)
            if (off <= -runs.within_px).all():
                idle += 1  # what is left lies on the other side
                continue
            proto[loose[np.abs(off) < runs.within_px]] = end[way]
            end[way] += way
            proto[loose[(off >= runs.within_px) & (off < runs.next_px)]] = end[way]
            # Where no run is one line off, the next line is taken to be there all the same.
            ghost[way] = points.mean(axis=0, keepdims=True) + np.array([0, way * runs.pitch_px])
    return _with_rest(runs, proto)[run]


def _off_px(runs: _Runs, which: IntArray, points: FloatArray) -> FloatArray:
    """How far each run lies below the points, on average; each fixation below the nearest in x."""
    place = np.full(runs.run[-1] + 1, -1)
    place[which] = np.arange(len(which))
    number = place[runs.run]
    member = np.flatnonzero(number >= 0)
    points = points[np.argsort(points[:, 0], kind="stable")]
    below = runs.xy_px[member, 1] - points[nearest(runs.xy_px[member, 0], points[:, 0]), 1]
    return means(below, number[member]) if len(which) else np.empty(0)


def _with_rest(runs: _Runs, proto: IntArray) -> IntArray:
    """Runs that lie between two proto-lines, too far from either: to the nearer one."""
    loose = np.flatnonzero(proto == _LOOSE)
    numbers = np.unique(proto[proto != _LOOSE])
    if not len(loose):
        return proto
    off = [_off_px(runs, loose, runs.xy_px[(proto == i)[runs.run]]) for i in numbers.tolist()]
    whole = proto.copy()
    whole[loose] = numbers[np.abs(off).argmin(axis=0)]
    return whole


def _fitted(proto: IntArray, n_lines: int) -> IntArray:
    """Number proto-lines from 0; too many are joined from the outside, the smaller end first."""
    proto = proto - proto.min()
    size = np.bincount(proto).tolist()
    top, bottom = 0, len(size) - 1
    while bottom - top >= n_lines:
        if size[top] < size[bottom]:
            size[top + 1] += size[top]
            top += 1
        else:
            size[bottom - 1] += size[bottom]
            bottom -= 1
    return proto.clip(top, bottom) - top
