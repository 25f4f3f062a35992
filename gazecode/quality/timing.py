"""Loss, gaps, rate and jitter of one stretch of samples, absent samples included.

Trackers lose gaze in two ways: a row without coordinates, or no row at all (Tobii EyeX, eyeCode).
Both count as lost here. How many rows there should have been follows from the clock: the length
of the stretch over the sample interval.

A file that has rows for lost gaze has no reason to leave some out, so a long absence in it is a
pause of the recording and not lost gaze; it is told apart and counted. In a file without such rows
every absence is loss.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.model import Samples
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.units import step_ms

__all__ = ["MIN_PAUSE_MS", "pool", "sample_interval_ms", "timing"]

MIN_PAUSE_MS = 1000.0
"""Rows absent for at least this long are a pause, in files that have rows for lost gaze."""
TOLERANCE_MS = 1e-6


def sample_interval_ms(t_ms: npt.ArrayLike) -> float:
    """Interval of the tracker's clock: the mean of the steps within half of the median step.

    The median alone would turn stamps in whole ms (3, 3, 4 at 300 Hz) into a rate of 333 Hz, the
    mean alone would count losses and pauses.

    >>> sample_interval_ms([0, 3, 6, 10, 13, 16, 20, 500])
    3.3333333333333335
    """
    steps = np.diff(np.asarray(t_ms, dtype=np.float64))
    middle = step_ms(t_ms)
    near = steps[np.abs(steps - middle) <= middle / 2]
    return float(near.mean()) if len(near) else middle


def timing(
    samples: Samples,
    onset_ms: float,
    offset_ms: float,
    *,
    interval_ms: float,
    has_lost_rows: bool,
) -> dict[str, Any]:
    """Counts and lengths of one stretch ``[onset_ms, offset_ms)``; `pool` makes figures of them.

    Parameters
    ----------
    samples
        Those of the stretch, lost ones included.
    interval_ms
        From `sample_interval_ms` of the recording; NaN if it cannot be known.
    has_lost_rows
        Whether the recording has rows for lost gaze.
    """
    t, lost = samples.t_ms, samples.lost
    duration = offset_ms - onset_ms
    # The sample before the first one and the one after the last: what is missing at the edges.
    steps = np.diff(np.concatenate(([onset_ms - interval_ms], t, [offset_ms])))
    pauses = _pauses_ms(steps, interval_ms) if has_lost_rows else np.zeros(len(steps))
    active = duration - float(pauses.sum())
    n_absent = max(round(active / interval_ms) - len(t), 0) if interval_ms > 0 else 0
    return {
        "duration_ms": duration,
        "paused_ms": float(pauses.sum()),
        "observed_ms": float(t[-1] - t[0]) + step_ms(t) if len(t) > 1 else 0.0,
        "n_samples": len(t),
        "n_valid": int((~lost).sum()),
        "n_absent": n_absent,
        "gaps_ms": _gaps_ms(steps - pauses, lost, interval_ms),
        "steps_ms": np.diff(t),
    }


def pool(parts: Sequence[Mapping[str, Any]], *, interval_ms: float) -> dict[str, Any]:
    """Figures of several stretches together.

    Returns
    -------
    dict
        Counts ``n_samples``, ``n_valid``, ``n_invalid`` (rows without gaze), ``n_absent``; shares
        ``loss`` (invalid and absent), ``loss_invalid`` (of the rows) and ``loss_from_expected``
        (one minus valid over duration times rate); ``duration_ms``, ``paused_ms``;
        ``effective_hz`` (valid samples over last minus first stamp plus the median step);
        ``gap_count``, ``gap_longest_ms``;
        ``step_median_ms``, ``step_sd_ms`` (of the steps below 1.5 intervals).

    Examples
    --------
    >>> samples = Samples(t_ms=[0, 10, 20, 60], xy_px=[[1, 1]] * 4)
    >>> part = timing(samples, 0, 100, interval_ms=10.0, has_lost_rows=False)
    >>> figures = pool([part], interval_ms=10.0)
    >>> figures["n_absent"], figures["loss"], figures["gap_count"], figures["gap_longest_ms"]
    (6, 0.6, 2, 30.0)
    """
    total = {
        name: sum(part[name] for part in parts)
        for name in ("duration_ms", "paused_ms", "observed_ms", "n_samples", "n_valid", "n_absent")
    }
    n, n_valid, n_absent = total["n_samples"], total["n_valid"], total["n_absent"]
    gaps = np.concatenate([np.empty(0), *(part["gaps_ms"] for part in parts)])
    steps = np.concatenate([np.empty(0), *(part["steps_ms"] for part in parts)])
    near = steps[steps < 1.5 * interval_ms]
    return {
        "duration_ms": float(total["duration_ms"]),
        "paused_ms": float(total["paused_ms"]),
        "n_samples": n,
        "n_valid": n_valid,
        "n_invalid": n - n_valid,
        "n_absent": n_absent,
        # Without one sample everything is lost, whatever the clock would have been.
        "loss": 1 - n_valid / (n + n_absent) if n else 1.0,
        "loss_invalid": 1 - _ratio(n_valid, n),
        "loss_from_expected": _share_missing(n_valid * interval_ms, total["duration_ms"]),
        "effective_hz": _ratio(1000.0 * n_valid, total["observed_ms"]),
        "gap_count": len(gaps),
        "gap_longest_ms": float(gaps.max(initial=0.0)),
        "step_median_ms": float(np.median(steps)) if len(steps) else math.nan,
        "step_sd_ms": float(near.std()) if len(near) else math.nan,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _share_missing(part: float, whole: float) -> float:
    return 1 - _ratio(part, whole)


def _pauses_ms(steps: FloatArray, interval_ms: float) -> FloatArray:
    return np.where(steps >= MIN_PAUSE_MS, steps - interval_ms, 0.0)


def _gaps_ms(steps: FloatArray, lost: BoolArray, interval_ms: float) -> FloatArray:
    """Length of each stretch without valid gaze; `steps` has one more value than there are rows."""
    if not interval_ms > 0:
        return np.empty(0)
    clock = np.concatenate(([0.0], np.cumsum(steps)))
    seen = np.concatenate(([True], ~lost, [True]))
    between = np.diff(clock[seen])
    gaps: FloatArray = between[between > 1.5 * interval_ms + TOLERANCE_MS] - interval_ms
    return gaps
