"""From a reader's columns to samples that keep every rule, with everything left out counted."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gazecode.model import Samples
from gazecode.model.checks import sealed

__all__ = ["no_samples", "samples_of_eyes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def samples_of_eyes(
    t_ms: npt.ArrayLike,
    xy: Mapping[str, npt.ArrayLike],
    pupil: Mapping[str, npt.ArrayLike] | None = None,
    *,
    counts: Counter[str],
) -> dict[str, Samples]:
    """Sort by time, leave out rows without a stamp and repeated stamps, unify lost coordinates.

    Parameters
    ----------
    t_ms
        ``(n,)`` stamps on the recording's clock, any order.
    xy, pupil
        Eye → ``(n, 2)`` and ``(n,)``; lost may be NaN in one coordinate, infinite values are lost.
        Arrays that may be written to are the samples' own from here on.
    counts
        Added to: `no_time`, `unsorted`, `duplicate_time`, `half_lost`; only what occurs.

    Examples
    --------
    >>> counts = Counter()
    >>> eyes = samples_of_eyes(
    ...     [0, 2, 1, 1], {"left": [[0, 0], [2, 2], [1, 1], [9, 9]]}, counts=counts
    ... )
    >>> eyes["left"].xy_px[:, 0], dict(counts)
    (array([0., 1., 2.]), {'unsorted': 1, 'duplicate_time': 1})
    """
    t = np.asarray(t_ms, dtype=np.float64)
    order = _order(t, counts)
    # Nothing to sort or to leave out, as in most files: columns are taken as they are.
    kept: slice | IntArray = slice(None) if order is None else order
    clock = sealed(t[kept])
    return {
        eye: Samples(
            t_ms=clock,
            xy_px=sealed(_unify_lost(np.asarray(points, dtype=np.float64)[kept], counts)),
            pupil=None
            if pupil is None or eye not in pupil
            else sealed(np.asarray(pupil[eye], dtype=np.float64)[kept]),
            eye=eye,
        )
        for eye, points in xy.items()
    }


def no_samples(eye: str = "both") -> dict[str, Samples]:
    """For files that hold events alone: samples without rows.

    >>> len(no_samples()["both"])
    0
    """
    return {eye: Samples(t_ms=np.empty(0), xy_px=np.empty((0, 2)), eye=eye)}


def _order(t: FloatArray, counts: Counter[str]) -> IntArray | None:
    """Rows in order of time, each stamp once; None where that is all of them as they stand."""
    if len(t) and np.isfinite(t[0]) and np.isfinite(t[-1]) and (t[1:] > t[:-1]).all():
        return None
    order = np.arange(len(t))
    timed = np.isfinite(t)
    if not timed.all():
        counts["no_time"] += int((~timed).sum())
        order = order[timed]
    t = t[order]
    backward = int((t[1:] < t[:-1]).sum())
    if backward:
        counts["unsorted"] += backward
        by_time = np.argsort(t, kind="stable")
        order, t = order[by_time], t[by_time]
    fresh: npt.NDArray[np.bool_] = np.ones(len(order), dtype=bool)
    fresh[1:] = t[1:] > t[:-1]
    if not fresh.all():
        counts["duplicate_time"] += int((~fresh).sum())
        order = order[fresh]
    return order


def _unify_lost(xy: FloatArray, counts: Counter[str]) -> FloatArray:
    known = np.isfinite(xy)
    half = known[:, 0] != known[:, 1]
    if half.any():
        counts["half_lost"] += int(half.sum())
    whole = known[:, 0] & known[:, 1]
    if whole.all():
        return xy
    if not xy.flags.writeable:
        return np.where(whole[:, None], xy, np.nan)
    xy[~whole] = np.nan
    return xy
