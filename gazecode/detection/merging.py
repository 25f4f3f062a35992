"""Joining stretches of samples that are near in time and place: one fixation seen in pieces."""

import numpy as np

from gazecode.detection.limits import TOLERANCE_DEG, TOLERANCE_MS
from gazecode.detection.segments import Runs, Stretches, lasting, stretches
from gazecode.detection.velocity import Directions
from gazecode.model import Samples
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["BRIDGE_DEG", "MAX_LOSS_MS", "fixations_between", "groups", "merge_stretches"]

BRIDGE_DEG = 0.5
"""How far the mean places before and after a loss may be apart in one fixation (Olsen 2012)."""
MAX_LOSS_MS = 75.0
"""The longest loss that is bridged (Olsen 2012)."""


def merge_stretches(
    samples: Samples,
    gaze: Directions,
    runs: Runs,
    pieces: Stretches,
    *,
    max_gap_ms: float,
    max_angle_deg: float,
    apart: IntArray | None = None,
    outlier_ms: float = 0.0,
) -> Stretches:
    """Join every stretch with the next ones that are near in time and place.

    A loop over stretches, not over samples: each decision depends on the mean so far. Never across
    a gap or a break.

    Parameters
    ----------
    pieces
        ``(k,)`` samples ``[first, last)`` of each stretch, in order.
    max_gap_ms, max_angle_deg
        How far they may be apart: from end to onset, and between mean places.
    apart
        ``(m,)`` samples, in order, between which nothing is joined, such as those where saccades
        begin.
    outlier_ms
        Stretches shorter than this and too far away may be passed over.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> x = np.array([0.0, 0.0, np.nan, 0.0, 0.0])
    >>> samples = Samples(t_ms=np.arange(5) * 10.0, xy_px=np.stack([x, x], axis=1))
    >>> gaze = Directions(deg=samples.xy_px / 40, spherical=False)
    >>> runs = find_runs(samples, min_gap_ms=75)
    >>> pieces = np.array([0, 3]), np.array([2, 5])
    >>> merge_stretches(samples, gaze, runs, pieces, max_gap_ms=75, max_angle_deg=0.5)
    (array([0]), array([5]))
    """
    first, last = pieces
    part = runs.part[first]
    if apart is not None:
        # Neither number ever falls, so their sum is the same only where both are.
        part = part + np.searchsorted(apart, first)
    part = part.tolist()
    onset, end = samples.t_ms[first].tolist(), runs.end_ms[last - 1].tolist()
    max_gap_ms, max_angle_deg = max_gap_ms + TOLERANCE_MS, max_angle_deg + TOLERANCE_DEG
    angle = gaze.measure()
    before, until = _sums(gaze.deg, first, last)
    group_first: list[int] = []
    group_last: list[int] = []
    i, n = 0, len(onset)
    while i < n:
        x, y = _mean(before[i], until[i])
        end_of, j = i, i + 1
        while j < n and onset[j] - end[end_of] <= max_gap_ms and part[j] == part[i]:
            if angle(x, y, *_mean(before[j], until[j])) <= max_angle_deg:
                x, y = _mean(before[i], until[j])
                end_of = j
            elif end[j] - onset[j] >= outlier_ms - TOLERANCE_MS:
                break
            j += 1
        group_first.append(i)
        group_last.append(end_of)
        i = end_of + 1
    return first[group_first], last[group_last]


def fixations_between(
    samples: Samples,
    gaze: Directions,
    runs: Runs,
    still: BoolArray,
    *,
    apart: IntArray,
    min_duration_ms: float,
    max_loss_ms: float,
) -> Stretches:
    """Fixations ``[first, last)`` of what is still, in pieces joined over short losses.

    Two pieces are one where only a loss of at most `max_loss_ms` parts them and their mean places
    are within `BRIDGE_DEG`; 0 ms switches that off.

    Parameters
    ----------
    still
        ``(n,)`` what is known and neither saccade nor anything else.
    apart
        ``(m,)`` first samples of saccades and of whatever else ends a fixation, in order.
    min_duration_ms
        Shorter ones are left out.
    """
    pieces = stretches(still, runs)
    if max_loss_ms > 0:
        pieces = merge_stretches(
            samples,
            gaze,
            runs,
            pieces,
            max_gap_ms=max_loss_ms,
            max_angle_deg=BRIDGE_DEG,
            apart=apart,
        )
    return lasting(samples, runs, pieces, min_ms=min_duration_ms)


def groups(near: BoolArray, n: int) -> tuple[IntArray, IntArray]:
    """First and last row of each group; `near` ``(n - 1,)`` says which go with the one before.

    >>> groups(np.array([True, False]), 3)
    (array([0, 2]), array([1, 2]))
    """
    begins = np.flatnonzero(np.concatenate(([True], ~near))[:n])
    return begins, np.append(begins[1:], n)[: len(begins)] - 1


def _sums(
    deg: FloatArray, first: IntArray, last: IntArray
) -> tuple[list[list[float]], list[list[float]]]:
    """Azimuth, elevation and count of valid samples, summed before each `first` and `last`."""
    sums = np.zeros((3, len(deg) + 1))
    valid = ~np.isnan(deg[:, 0])
    for axis in (0, 1):
        np.cumsum(np.where(valid, deg[:, axis], 0.0), out=sums[axis, 1:])
    np.cumsum(valid, out=sums[2, 1:])
    return sums[:, first].T.tolist(), sums[:, last].T.tolist()


def _mean(before: list[float], until: list[float]) -> tuple[float, float]:
    count = until[2] - before[2]
    return (until[0] - before[0]) / count, (until[1] - before[1]) / count
