"""Jumps of the clock, and how even it runs.

A tracker's stamps lie on a grid of whole intervals, with jitter. A row that is late makes one step
too long and the next too short, and the grid goes on; a *jump* moves the grid: a gap that is no
multiple of the interval (the clock was set, or two recordings were joined), a forward step of a
second and more, or a step backward, which only the reader sees and counts as ``unsorted``.

Where jitter is as wide as the grid itself (a consumer tracker), or more than 5 % of the steps miss
it (two cameras in turns), there is no grid to move, and the number is not known. In files without
rows for lost gaze a long step is lost gaze.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.model.checks import Array, BoolArray, FloatArray, IntArray
from gazecode.quality.timing import MIN_PAUSE_MS

__all__ = ["backward_steps", "clock_figures", "off_grid", "rates"]

OFF_GRID = 0.25
"""Share of the interval by which a step must miss the grid."""
JITTERS = 4.0
"""... and how many robust standard deviations of the jitter."""
MAX_OFF_GRID = 0.05
"""Share of steps off the grid above which there is none."""
_FEW = 10
_BINS = 25


def off_grid(steps_ms: FloatArray, interval_ms: float) -> BoolArray | None:
    """Which steps move the grid of the clock; None where jitter hides it.

    >>> steps = np.array([4.0, 4, 4, 14, 4, 5.5, 2.5, 8, 4])
    >>> np.flatnonzero(off_grid(steps, 4.0))  # 5.5 and 2.5 are one late row
    array([3])
    """
    if not interval_ms > 0:
        return None
    near = steps_ms[steps_ms < 1.5 * interval_ms]
    spread = 1.4826 * float(np.median(np.abs(near - np.median(near)))) if len(near) else 0.0
    limit = max(OFF_GRID * interval_ms, JITTERS * spread)
    if limit >= 0.5 * interval_ms:
        return None
    off = _misses(steps_ms, interval_ms) > limit
    if off.mean() > MAX_OFF_GRID and off.sum() > _FEW:
        return None
    # With its neighbour a displaced row makes whole intervals again.
    pair = _misses(steps_ms[:-1] + steps_ms[1:], interval_ms) <= limit
    restored = off[:-1] & off[1:] & pair
    moved: BoolArray = off.copy()
    moved[:-1] &= ~restored
    moved[1:] &= ~restored
    return moved


def _misses(steps_ms: FloatArray, interval_ms: float) -> FloatArray:
    """How far a step is from the next whole number of intervals, at least one."""
    whole = np.maximum(np.round(steps_ms / interval_ms), 1.0)
    missed: FloatArray = np.abs(steps_ms - whole * interval_ms)
    return missed


def clock_figures(
    steps: Sequence[FloatArray],
    moved: Sequence[BoolArray] | None,
    *,
    has_lost_rows: bool,
    backward: int = 0,
) -> dict[str, Any]:
    """Jumps within some stretches.

    Parameters
    ----------
    steps
        Steps between the stamps of each stretch, ms.
    moved
        The same of `off_grid`; None if it is not known.
    backward
        Steps backward that the reader found, for a whole recording.
    """
    all_steps = np.concatenate([*steps, np.empty(0)])
    forward = all_steps >= MIN_PAUSE_MS if has_lost_rows else np.zeros(len(all_steps), dtype=bool)
    off = None if moved is None else np.concatenate([*moved, np.empty(0, dtype=bool)])
    jumps = forward if off is None else forward | off
    return {
        "clock_jumps": int(jumps.sum()) + backward,
        "clock_off_grid": None if off is None else int((off & ~forward).sum()),
        "clock_forward": int(forward.sum()),
        "clock_forward_longest_ms": float(all_steps[forward].max(initial=0.0)),
        "clock_backward": backward,
    }


def backward_steps(provenance: Mapping[str, Any]) -> int:
    """Rows whose stamp was earlier than the one before, as the reader counted them."""
    left_out = provenance.get("left_out", {})
    found = left_out.get("unsorted", 0) if isinstance(left_out, Mapping) else 0
    return int(found)


def rates(t_ms: FloatArray, valid: BoolArray, rate_hz: float) -> dict[str, Any]:
    """Histogram of the rows, and of the valid ones, in each full second of a recording.

    Returns
    -------
    dict
        ``edges_hz`` (b + 1), ``rows`` (b) and ``valid`` (b): how many seconds held so many.

    Examples
    --------
    >>> t = np.arange(3000) * 1.0
    >>> found = rates(t, t < 1500, 1000.0)
    >>> sum(found["rows"]), found["rows"][20], found["valid"][0], found["valid"][10]
    (3, 3, 1, 1)
    """
    if not len(t_ms) or not math.isfinite(rate_hz):
        return {"edges_hz": [], "rows": [], "valid": []}
    second = ((t_ms - t_ms[0] + 1e-6) // 1000).astype(np.int64)
    # The last second is not full unless it ends with the recording.
    full = int((t_ms[-1] - t_ms[0] + 1000 / rate_hz + 1e-6) // 1000)
    width = rate_hz / 20
    edges = width * (np.arange(_BINS + 1) - 0.5)
    counts = []
    for weights in (None, valid):
        n = np.bincount(second, weights=weights, minlength=full)[:full]
        counts.append(np.bincount(_bin(n, width), minlength=_BINS).tolist())
    return {"edges_hz": edges.round(6).tolist(), "rows": counts[0], "valid": counts[1]}


def _bin(n: Array, width: float) -> IntArray:
    return np.clip(np.round(n / width).astype(np.int64), 0, _BINS - 1)
