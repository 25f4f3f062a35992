"""Where gaze is unbroken: what no velocity, no window and no event may cross.

A run is a stretch of samples without loss, gap or break. A gap is a step between stamps longer
than three median steps and than `MIN_GAP_MS`; a break is a time given by the samples (an eye came
or went) or by the caller (a trial began): it parts samples before it from those at or after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.model import Events, Samples
from gazecode.model.checks import repeated
from gazecode.units import sample_end_ms, step_ms

__all__ = ["GAP_STEPS", "MIN_GAP_MS", "Runs", "find_runs", "fixations", "stretches"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

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
        gap = np.diff(t) > longest + 1e-6
        parted[1:] = gap | (block[1:] != block[:-1])
        cut[1:] = parted[1:] | lost[1:] | lost[:-1]
    borders = np.append(np.flatnonzero(cut), n)
    number = np.cumsum(cut) - 1
    start, stop = borders[number], borders[number + 1]
    stop = np.where(lost, start, stop)
    return Runs(start=start, stop=stop, part=np.cumsum(parted), end_ms=end)


def _all_breaks(samples: Samples, breaks_ms: Sequence[float]) -> FloatArray:
    given = np.asarray(breaks_ms, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise ParameterError(
            f"breaks_ms is {breaks_ms!r}; expected a list of times in ms on the samples' clock"
        )
    return np.unique(np.concatenate((samples.breaks_ms, given)))


def stretches(mask: BoolArray, runs: Runs) -> tuple[IntArray, IntArray]:
    """First index and one past the last of consecutive True samples within one run."""
    index = np.arange(len(mask))
    before = np.concatenate(([False], mask[:-1]))
    after = np.concatenate((mask[1:], [False]))
    first = np.flatnonzero(mask & (~before | (runs.start == index)))
    last = np.flatnonzero(mask & (~after | (runs.stop == index + 1))) + 1
    return first, last


def fixations(samples: Samples, runs: Runs, first: IntArray, last: IntArray) -> Events:
    """Fixations ``[first, last)`` with the mean of their valid samples as place."""
    return Events(
        kind=repeated("fixation", len(first)),
        onset_ms=samples.t_ms[first],
        offset_ms=runs.end_ms[last - 1],
        xy_px=mean_place(samples, first, last),
        end_xy_px=np.full((len(first), 2), np.nan),
        first=first,
        last=last,
    )


def mean_place(samples: Samples, first: IntArray, last: IntArray) -> FloatArray:
    """Mean of the valid samples of every ``[first, last)``, px ``(k, 2)``."""
    if not len(first):
        return np.empty((0, 2))
    valid = ~samples.lost
    # One column more, so that an event may end with the last sample.
    columns = np.zeros((3, len(samples) + 1))
    for axis in (0, 1):
        columns[axis, :-1] = np.where(valid, samples.xy_px[:, axis], 0.0)
    columns[2, :-1] = valid
    edges = np.stack([first, last], axis=1).ravel()
    sums = np.add.reduceat(columns, edges, axis=1)[:, ::2]
    place: FloatArray = (sums[:2] / sums[2]).T
    return place
