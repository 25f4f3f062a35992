"""Gaze laid over the lines as one sheet over another, whatever the order of reading.

Of a trial's fixations only where they fell counts: a common offset, scale and shear is found under
which they lie around centres of lines and within their extents (indentation to end, none on blank
lines), by EM from many starts (`gazecode.mapping.lines.surface`). Then each fixation has its
probability for every line by its own place alone. Jumps of any kind do no harm, as order is not
used; neither does it help where noise is large, which is what `jumps` is for.
"""

import numpy as np

from gazecode.errors import ParameterError
from gazecode.mapping.lines.candidates import candidates
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.jumps import LINE_COST
from gazecode.mapping.lines.surface import MODELS, fit
from gazecode.model.checks import FloatArray

__all__ = ["register"]


def register(
    xy_px: FloatArray,
    lines: Lines,
    *,
    drift: str = "affine",
    noise_lines: float = 0.3,
    edge_lines: float = 0.25,
    line_cost: float = LINE_COST,
) -> FloatArray:
    """Assign fixations to lines by place alone, after the drift that fits them best.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations.
    drift, noise_lines, edge_lines, line_cost
        As for `gazecode.mapping.lines.jumps.jumps`.

    Returns
    -------
    ``(n, L)``; every row sums to 1.

    Raises
    ------
    ParameterError
        An unknown drift; a spread that is not positive; a negative cost.

    Examples
    --------
    >>> lines = Lines(
    ...     number=np.arange(2),
    ...     y_px=np.array([10.0, 40.0]),
    ...     left_px=np.array([0.0, 300.0]),
    ...     right_px=np.array([200.0, 500.0]),
    ...     pitch_px=30.0,
    ...     word_xy_px=np.empty((0, 2)),
    ...     word_line=np.empty(0, dtype=int),
    ... )
    >>> register(np.array([[30.0, 27.0], [400.0, 24.0]]), lines).argmax(axis=1)
    array([0, 1])
    """
    if drift not in MODELS:
        raise ParameterError.unknown("drift", drift, MODELS)
    if not (noise_lines > 0 and edge_lines > 0 and line_cost >= 0):
        raise ParameterError(
            f"register has noise_lines {noise_lines}, edge_lines {edge_lines} and line_cost "
            f"{line_cost}; expected two above 0 and one of 0 or more"
        )
    shares = np.zeros((len(xy_px), len(lines)))
    if not len(xy_px):
        return shares
    seen = candidates(xy_px, lines, edge_lines=edge_lines)
    modes = fit(seen, model=drift, noise_lines=noise_lines, line_cost=line_cost)
    np.put_along_axis(shares, seen.line, modes.mixed, axis=1)
    return shares
