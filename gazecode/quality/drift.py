"""Drift: how the offset of gaze changes over time.

Between checks of the tracker the offset itself is known: three or more give a slope with its
standard error, two give a change. Checks that no gaze lies between are attempts of one calibration:
the last of them counts. Between two checks of the device a calibration may lie, which takes the
drift out: theirs is a lower bound, and only a study's own targets measure all of it.

The disparity of the two eyes needs no target: where it changes over time, one eye drifts against
the other. It is fitted to medians over parts of the recording, so that single losses and vergence
after a saccade do not steer it.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gazecode.model.checks import FloatArray
from gazecode.quality.checks import Check

__all__ = ["PARTS", "disparity_drift", "drift", "slope"]

PARTS = 30
"""Parts of a recording whose median disparities are fitted; each lasts at least `MIN_PART_MS`."""
MIN_PART_MS = 2000.0
MIN_PART_SAMPLES = 10
MIN_DURATION_MS = 30_000.0
"""Shorter recordings say nothing about a change per minute."""
_MINUTE_MS = 60_000.0


def slope(t_min: FloatArray, values: FloatArray) -> tuple[float, float]:
    """Least-squares slope per minute and its standard error; NaN below two, or three, points.

    >>> slope(np.array([0.0, 1, 2]), np.array([0.0, 1, 4]))
    (2.0, 0.5773502691896257)
    """
    known = ~(np.isnan(t_min) | np.isnan(values))
    t, y = t_min[known], values[known]
    if len(t) < 2 or np.ptp(t) == 0:
        return math.nan, math.nan
    centred = t - t.mean()
    spread = float(centred @ centred)
    rise = float(centred @ (y - y.mean())) / spread
    if len(t) < 3:
        return rise, math.nan
    rest = y - y.mean() - rise * centred
    return rise, math.sqrt(float(rest @ rest) / (len(t) - 2) / spread)


def drift(checks: Sequence[Check], t_ms: FloatArray, *, unit: str) -> dict[str, Any]:
    """Drift of the offset between checks of one source, the study's if it has two.

    Parameters
    ----------
    checks
        All of a recording.
    t_ms
        ``(n,)`` stamps of valid gaze.
    unit
        Of the plane: px, fraction or href.

    Returns
    -------
    dict
        ``drift_checks drift_source drift_minutes``; with three checks or more the slope
        ``drift_deg_min`` (length of the vector), its standard error ``drift_se_deg_min`` and its
        parts in x and y; with two or more ``drift_change_deg``, first to last. The same in the
        plane's unit. NaN where unknown.
    """
    source, kept = _series(checks, t_ms)
    minutes = np.array([check.t_ms for check in kept]) / _MINUTE_MS
    found: dict[str, Any] = {
        "drift_source": source,
        "drift_checks": len(kept),
        "drift_minutes": float(minutes[-1] - minutes[0]) if len(kept) > 1 else math.nan,
    }
    for name, rows in (
        ("deg", [check.vector_deg for check in kept]),
        (unit, [check.vector_px for check in kept]),
    ):
        found |= _vector(minutes, np.array(rows, dtype=np.float64).reshape(-1, 2), name)
    return found


def _series(checks: Sequence[Check], t_ms: FloatArray) -> tuple[str | None, Sequence[Check]]:
    """Checks whose offsets can be compared, of the source that has two of them."""
    for source in ("study", "device"):
        own = [c for c in checks if c.source == source and not np.isnan(c.vector_px).any()]
        seen = np.searchsorted(t_ms, [check.t_ms for check in own])
        # Gaze must lie between a check and the next one; after the last nothing supersedes it.
        kept = [check for check, rows in zip(own, np.diff(seen), strict=False) if rows] + own[-1:]
        if len(kept) > 1:
            return source, kept
    return None, []


def _vector(minutes: FloatArray, xy: FloatArray, unit: str) -> dict[str, float]:
    """Slope and change of the offset, a vector, in one unit."""
    nothing = math.nan
    known = ~np.isnan(xy).any(axis=1)
    minutes, xy = minutes[known], xy[known]
    change = float(np.hypot(*(xy[-1] - xy[0]))) if len(xy) > 1 else nothing
    x, y = (slope(minutes, xy[:, axis]) if len(xy) > 2 else (nothing, nothing) for axis in (0, 1))
    length = math.hypot(x[0], y[0])
    # Errors of x and y are taken as independent; where there is no slope neither has a direction.
    error = math.hypot(x[0] * x[1], y[0] * y[1]) / length if length > 0 else math.hypot(x[1], y[1])
    return {
        f"drift_{unit}_min": length,
        f"drift_se_{unit}_min": error,
        f"drift_x_{unit}_min": x[0],
        f"drift_y_{unit}_min": y[0],
        f"drift_change_{unit}": change,
    }


def disparity_drift(t_ms: FloatArray, apart: FloatArray, *, unit: str) -> dict[str, float]:
    """Slope of right minus left eye over the recording, per minute, with standard errors.

    Parameters
    ----------
    t_ms, apart
        ``(n,)`` and ``(n, 2)``; NaN where an eye is lost.

    Examples
    --------
    >>> t = np.arange(60_000) * 2.0
    >>> apart = np.stack([np.full(60_000, 5.0), 10 + 3 * t / 60_000], axis=1)
    >>> found = disparity_drift(t, apart, unit="px")
    >>> round(found["disparity_drift_y_px_min"], 6), round(found["disparity_drift_x_px_min"], 6)
    (3.0, 0.0)
    """
    minutes, medians = _medians(t_ms, apart)
    found: dict[str, float] = {}
    for axis, name in ((0, "x"), (1, "y")):
        few = len(minutes) < 3
        rise, error = (math.nan, math.nan) if few else slope(minutes, medians[:, axis])
        found[f"disparity_drift_{name}_{unit}_min"] = rise
        found[f"disparity_drift_{name}_se_{unit}_min"] = error
    return found


def _medians(t_ms: FloatArray, apart: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean time and median disparity of each part that holds enough of both eyes."""
    known = np.flatnonzero(~np.isnan(apart[:, 0]))
    if not len(known):
        return np.empty(0), np.empty((0, 2))
    t, xy = t_ms[known], apart[known]
    if t[-1] - t[0] < MIN_DURATION_MS:
        return np.empty(0), np.empty((0, 2))
    parts = int(min(PARTS, max((t[-1] - t[0]) // MIN_PART_MS, 1)))
    edges = np.searchsorted(t, np.linspace(t[0], t[-1], parts + 1)[1:-1])
    cut = [0, *edges.tolist(), len(t)]
    rows = [slice(a, b) for a, b in pairwise(cut) if b - a >= MIN_PART_SAMPLES]
    minutes = np.array([t[part].mean() for part in rows]) / _MINUTE_MS
    return minutes, np.array([np.median(xy[part], axis=0) for part in rows]).reshape(-1, 2)
