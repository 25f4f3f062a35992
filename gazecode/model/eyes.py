"""Two eyes made one.

The points of regard of the two eyes differ by tens of pixels, so the plain mean of "the valid
eyes" jumps whenever one eye is lost, and a velocity detector takes the jump for a saccade. Here a
one-eye stretch is that eye plus half the disparity measured around it; a stretch longer than
`LONG_STRETCH_MS` begins and ends with a break that no detector crosses.
"""

import numpy as np

from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.samples import Samples
from gazecode.units import sample_end_ms

__all__ = ["LONG_STRETCH_MS", "join_eyes", "mean_of_eyes"]

LONG_STRETCH_MS = 100.0
DISPARITY_WINDOW_MS = 200.0


def mean_of_eyes(left: Samples, right: Samples) -> Samples:
    """Average where both eyes are valid; lost elsewhere."""
    return Samples(
        t_ms=left.t_ms,
        xy_px=(left.xy_px + right.xy_px) / 2,
        pupil=_mean_pupil(left, right),
        eye="mean",
        plane=left.plane,
    )


def join_eyes(left: Samples, right: Samples) -> Samples:
    """Average where both eyes are valid, one eye plus half the disparity where one is lost.

    >>> from gazecode.model import Samples
    >>> t = np.arange(6) * 10.0
    >>> left = Samples(t_ms=t, xy_px=np.full((6, 2), 100.0), eye="left")
    >>> x = np.array([140.0, 140.0, 140.0, np.nan, 140.0, 140.0])
    >>> right = Samples(t_ms=t, xy_px=np.stack([x, x], axis=1), eye="right")
    >>> join_eyes(left, right).xy_px[:, 0]
    array([120., 120., 120., 120., 120., 120.])
    """
    t = left.t_ms
    both = ~left.lost & ~right.lost
    xy = (left.xy_px + right.xy_px) / 2
    disparity = right.xy_px - left.xy_px
    end = sample_end_ms(t)
    breaks: list[float] = []
    # Half the disparity leads from the eye that is there to the middle of the two.
    for eye, sign in ((left, 0.5), (right, -0.5)):
        for a, b in runs(~eye.lost & ~both):
            around = _disparity_around(t, disparity, both, a, b)
            xy[a:b] = eye.xy_px[a:b] + sign * around
            if end[b - 1] - t[a] > LONG_STRETCH_MS or not both.any():
                breaks += [float(t[a]), float(t[b] if b < len(t) else end[b - 1])]
    return Samples(
        t_ms=t,
        xy_px=xy,
        pupil=_mean_pupil(left, right),
        eye="mean",
        plane=left.plane,
        breaks_ms=np.unique(np.array(breaks, dtype=np.float64)),
    )


def runs(mask: BoolArray) -> IntArray:
    """Start and end (exclusive) of each run of True, ``(k, 2)``.

    >>> runs(np.array([True, True, False, True])).tolist()
    [[0, 2], [3, 4]]
    """
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)


def _disparity_around(
    t: FloatArray, disparity: FloatArray, both: BoolArray, a: int, b: int
) -> FloatArray:
    """Median disparity of the binocular samples within a window on either side of ``[a, b)``."""
    near = slice(
        int(np.searchsorted(t, t[a] - DISPARITY_WINDOW_MS)),
        int(np.searchsorted(t, t[b - 1] + DISPARITY_WINDOW_MS, side="right")),
    )
    chosen = disparity[near][both[near]]
    if not len(chosen):
        chosen = disparity[both]
    # Without one binocular sample in the whole recording the disparity cannot be known.
    return np.median(chosen, axis=0) if len(chosen) else np.zeros(2)


def _mean_pupil(left: Samples, right: Samples) -> FloatArray:
    stacked = np.stack([np.asarray(left.pupil), np.asarray(right.pupil)])
    known = ~np.isnan(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
