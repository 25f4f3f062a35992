"""Where gaze is unbroken: what no velocity, no window and no event may cross.

A run is a stretch of samples without loss, gap or break. A gap is a step between stamps longer
than three median steps and than `MIN_GAP_MS`; a break is a time given by the samples (an eye came
or went) or by the caller (a trial began): it parts samples before it from those at or after it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gazecode.detection.limits import TOLERANCE_MS
from gazecode.errors import ParameterError
from gazecode.model import Samples
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import sample_end_ms, step_ms

__all__ = [
    "GAP_STEPS",
    "MIN_GAP_MS",
    "Runs",
    "Stretches",
    "covered",
    "find_runs",
    "holes",
    "lasting",
    "mean_step_ms",
    "parts",
    "stretches",
    "stretches_within",
]

Stretches = tuple[IntArray, IntArray]
"""Samples ``[first, last)`` of each of some pieces of gaze, in order."""

GAP_STEPS = 3.0
MIN_GAP_MS = 75.0
"""The longest loss that the vendor's filter bridges (Olsen 2012): one limit for what is bridged
and what parts, the same at every rate above 40 Hz. Stamps that arrive in bursts stay together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """For every sample the run it belongs to, and until when it holds.

    Attributes
    ----------
    start, stop
        ``(n,)`` index of the first sample of the run and one past its last; a lost sample has
        an empty run.
    part
        ``(n,)`` number of gaps and breaks passed so far; no event has samples of two parts.
    end_ms
        ``(n,)`` until when the sample holds: the next sample, at most 1.5 median steps later
        and never beyond a break.
    """

    start: IntArray
    stop: IntArray
    part: IntArray
    end_ms: FloatArray


def find_runs(samples: Samples, *, breaks_ms: Sequence[float] = (), min_gap_ms: float) -> Runs:
    """Part samples at losses, gaps and breaks.

    Parameters
    ----------
    breaks_ms
        Beside the samples' own; a break at ``b`` parts ``t < b`` from ``t >= b``.
    min_gap_ms
        A step longer than this and than three median steps is a gap.

    Examples
    --------
    >>> samples = Samples(t_ms=[0, 10, 20, 30, 500, 510], xy_px=np.zeros((6, 2)))
    >>> runs = find_runs(samples, breaks_ms=[15], min_gap_ms=50)
    >>> runs.start.tolist(), runs.stop.tolist(), runs.end_ms.tolist()
    ([0, 0, 2, 2, 4, 4], [2, 2, 4, 4, 6, 6], [10.0, 15.0, 30.0, 45.0, 510.0, 525.0])
    """
    t = samples.t_ms
    n = len(t)
    breaks = _all_breaks(samples, breaks_ms)
    block = np.searchsorted(breaks, t, side="right")
    end = np.minimum(sample_end_ms(t), np.append(breaks, np.inf)[block])
    lost = samples.lost
    cut = np.ones(n, dtype=np.bool_)
    parted = np.zeros(n, dtype=np.bool_)
    if n > 1:
        longest = max(GAP_STEPS * step_ms(t), min_gap_ms)
        gap = np.diff(t) > longest + TOLERANCE_MS
        parted[1:] = gap | (block[1:] != block[:-1])
        cut[1:] = parted[1:] | lost[1:] | lost[:-1]
    borders = np.append(np.flatnonzero(cut), n)
    number = np.cumsum(cut) - 1
    start, stop = borders[number], borders[number + 1]
    stop = np.where(lost, start, stop)
    return Runs(start=start, stop=stop, part=np.cumsum(parted), end_ms=end)


def _all_breaks(samples: Samples, breaks_ms: Sequence[float]) -> FloatArray:
    try:
        given = np.asarray(breaks_ms, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.full((1, 1), np.nan)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise ParameterError(
            f"breaks_ms is {breaks_ms!r}; expected a list of times in ms on the samples' clock"
        )
    return np.unique(np.concatenate((samples.breaks_ms, given)))


def mean_step_ms(t_ms: FloatArray, runs: Runs) -> float:
    """Mean step between samples of one run, ms; NaN where no run has two.

    Where stamps come in bursts, or some were dropped, the median step says less about how many
    samples fill a window.

    >>> samples = Samples(t_ms=[0, 1, 30, 31, 60, 61, 900, 901], xy_px=np.zeros((8, 2)))
    >>> round(mean_step_ms(samples.t_ms, find_runs(samples, min_gap_ms=75)), 3)
    10.333
    """
    begins = np.flatnonzero(runs.start == np.arange(len(t_ms)))
    begins = begins[runs.stop[begins] > begins]
    last = runs.stop[begins] - 1
    steps = int((last - begins).sum())
    return float((t_ms[last] - t_ms[begins]).sum()) / steps if steps else math.nan


def holes(t_ms: FloatArray, *, brief_ms: float = 0.0) -> BoolArray:
    """Whether samples are absent before each one, ``(n,)``; for more than `brief_ms`.

    A step longer than three median ones, and than `brief_ms` and one of them.

    >>> holes(np.array([0.0, 2.0, 4.0, 20.0, 22.0])).tolist()
    [False, False, False, True, False]
    """
    absent = np.zeros(len(t_ms), dtype=np.bool_)
    if len(t_ms) > 1:
        step = step_ms(t_ms)
        absent[1:] = np.diff(t_ms) > max(GAP_STEPS * step, brief_ms + step) + TOLERANCE_MS
    return absent


def stretches(mask: BoolArray, runs: Runs) -> Stretches:
    """First index and one past the last of consecutive True samples within one run."""
    return stretches_within(mask, runs.start)


def stretches_within(mask: BoolArray, number: IntArray) -> Stretches:
    """First index and one past the last of consecutive True samples of the same number.

    >>> stretches_within(np.array([True, True, True, False]), np.array([0, 0, 1, 1]))
    (array([0, 2]), array([2, 3]))
    """
    if not len(mask):
        return np.flatnonzero(mask), np.flatnonzero(mask)
    joined = mask[1:] & mask[:-1] & (number[1:] == number[:-1])
    first = np.flatnonzero(mask & ~np.concatenate(([False], joined)))
    last = np.flatnonzero(mask & ~np.concatenate((joined, [False]))) + 1
    return first, last


def lasting(samples: Samples, runs: Runs, pieces: Stretches, *, min_ms: float) -> Stretches:
    """Those ``[first, last)`` that last at least `min_ms`, from onset to offset."""
    first, last = pieces
    kept = runs.end_ms[last - 1] - samples.t_ms[first] >= min_ms - TOLERANCE_MS
    return first[kept], last[kept]


def parts(runs: Runs) -> list[tuple[int, int]]:
    """Samples ``[first, last)`` between gaps and breaks, losses included."""
    edges = np.flatnonzero(np.diff(runs.part, prepend=-1, append=-1)).tolist()
    return list(pairwise(edges))


def covered(n: int, first: IntArray, last: IntArray) -> BoolArray:
    """Mark the samples inside any stretch ``[first, last)``, ``(n,)``.

    >>> covered(5, np.array([0, 3]), np.array([2, 4]))
    array([ True,  True, False,  True, False])
    """
    opened, closed = (np.bincount(edge, minlength=n + 1) for edge in (first, last))
    inside: BoolArray = np.cumsum(opened[:-1] - closed[:-1]) > 0
    return inside
