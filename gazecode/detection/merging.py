"""Joining stretches of samples that are near in time and place: one fixation seen in pieces."""

import numpy as np
import numpy.typing as npt

from gazecode.detection.limits import TOLERANCE_DEG, TOLERANCE_MS
from gazecode.detection.segments import Runs
from gazecode.detection.velocity import Directions

__all__ = ["BRIDGE_DEG", "bridge_losses", "merge_stretches"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BRIDGE_DEG = 0.5
"""How far the mean places before and after a loss may be apart in one fixation (Olsen 2012)."""


def merge_stretches(
    first: IntArray,
    last: IntArray,
    gaze: Directions,
    *,
    times: tuple[FloatArray, FloatArray, IntArray],
    near: tuple[float, float],
    outlier_ms: float,
) -> tuple[IntArray, IntArray]:
    """Join every stretch with the next ones that are near in time and place.

    A loop over stretches, not over samples: each decision depends on the mean so far.

    Parameters
    ----------
    first, last
        ``(k,)`` samples ``[first, last)`` of each stretch, in order.
    times
        Onset, end and part of every stretch, ``(k,)`` each; those of two parts stay apart.
    near
        How far they may be apart: ms from end to onset, degrees between mean places.
    outlier_ms
        Stretches shorter than this and too far away may be passed over.

    Returns
    -------
    tuple of numpy.ndarray
        `first` and `last` of what is left.
    """
    onset, end, part = (column.tolist() for column in times)
    max_gap, max_angle = near
    angle = gaze.measure()
    before, until = _sums(gaze.deg, first, last)
    group_first: list[int] = []
    group_last: list[int] = []
    i, n = 0, len(onset)
    while i < n:
        x, y = _mean(before[i], until[i])
        end_of, j = i, i + 1
        while j < n and onset[j] - end[end_of] <= max_gap and part[j] == part[i]:
            if angle(x, y, *_mean(before[j], until[j])) <= max_angle:
                x, y = _mean(before[i], until[j])
                end_of = j
            elif end[j] - onset[j] >= outlier_ms:
                break
            j += 1
        group_first.append(i)
        group_last.append(end_of)
        i = end_of + 1
    return first[group_first], last[group_last]


def bridge_losses(
    t_ms: FloatArray,
    gaze: Directions,
    runs: Runs,
    pieces: tuple[IntArray, IntArray],
    *,
    apart: IntArray,
    max_loss_ms: float,
) -> tuple[IntArray, IntArray]:
    """Join stretches that only a short loss parts, within `BRIDGE_DEG`.

    Never across a gap or a break, nor across `apart`.

    Parameters
    ----------
    pieces
        Samples ``[first, last)`` of each stretch, ``(k,)`` both, in order.
    apart
        ``(m,)`` first samples of what may not be bridged, such as saccades, in order.
    max_loss_ms
        The longest loss; 0 ms switches bridging off.

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> from gazecode.model import Samples
    >>> x = np.array([0.0, 0.0, np.nan, 0.0, 0.0])
    >>> samples = Samples(t_ms=np.arange(5) * 10.0, xy_px=np.stack([x, x], axis=1))
    >>> gaze = Directions(deg=samples.xy_px / 40, spherical=False)
    >>> runs = find_runs(samples, min_gap_ms=75)
    >>> pieces = np.array([0, 3]), np.array([2, 5])
    >>> nothing = np.array([], dtype=int)
    >>> bridge_losses(samples.t_ms, gaze, runs, pieces, apart=nothing, max_loss_ms=75)
    (array([0]), array([5]))
    """
    first, last = pieces
    if not max_loss_ms > 0:
        return first, last
    # Both numbers never fall, so their sum is the same only where both are.
    part = runs.part[first] + np.searchsorted(apart, first)
    times = (t_ms[first], runs.end_ms[last - 1], part)
    near = (max_loss_ms + TOLERANCE_MS, BRIDGE_DEG + TOLERANCE_DEG)
    return merge_stretches(first, last, gaze, times=times, near=near, outlier_ms=0.0)


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
