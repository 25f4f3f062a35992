"""Loss, gaps, rate and jitter of one stretch of samples, absent samples included.

Trackers lose gaze in two ways: a row without coordinates, or no row at all (Tobii EyeX, eyeCode).
Both count as lost here. How many rows there should have been follows from the clock: the length
of the stretch over the sample interval.

A file that has rows for lost gaze has no reason to leave some out, so a long absence in it is a
pause of the recording and not lost gaze; it is told apart and counted. In a file without such rows
every absence is loss.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.model import Samples
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.units import step_ms

__all__ = ["MIN_PAUSE_MS", "sample_interval_ms", "timing"]

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
    """Loss, gaps and rate of the samples in ``[onset_ms, offset_ms)``.

    Parameters
    ----------
    samples
        Those of the stretch, lost ones included.
    interval_ms
        From `sample_interval_ms` of the recording; NaN if it cannot be known.
    has_lost_rows
        Whether the recording has rows for lost gaze.

    Returns
    -------
    dict
        Counts ``n_samples``, ``n_valid``, ``n_invalid`` (rows without gaze), ``n_absent``; shares
        ``loss`` (invalid and absent) and ``loss_from_expected`` (one minus valid over duration
        times rate); ``duration_ms``, ``paused_ms``; ``effective_hz`` (valid over time);
        ``gap_count``, ``gap_longest_ms`` (stretches without valid gaze, pauses left out);
        ``step_median_ms``, ``step_sd_ms`` (of steps that hold no gap).
    """
    t, lost = samples.t_ms, samples.lost
    n, n_valid = len(t), int((~lost).sum())
    duration = offset_ms - onset_ms
    # The sample before the first one and the one after the last: what is missing at the edges.
    steps = np.diff(np.concatenate(([onset_ms - interval_ms], t, [offset_ms])))
    pauses = _pauses_ms(steps, interval_ms) if has_lost_rows else np.zeros(len(steps))
    active = duration - float(pauses.sum())
    n_absent = max(round(active / interval_ms) - n, 0) if interval_ms > 0 else 0
    gaps = _gaps_ms(steps - pauses, lost, interval_ms)
    near = np.diff(t)
    near = near[near < 1.5 * interval_ms]
    return {
        "duration_ms": duration,
        "paused_ms": float(pauses.sum()),
        "n_samples": n,
        "n_valid": n_valid,
        "n_invalid": n - n_valid,
        "n_absent": n_absent,
        "loss": 1 - n_valid / (n + n_absent) if n + n_absent else math.nan,
        "loss_from_expected": 1 - n_valid * interval_ms / duration,
        "effective_hz": _effective_hz(t, n_valid),
        "gap_count": len(gaps),
        "gap_longest_ms": float(gaps.max(initial=0.0)),
        "step_median_ms": step_ms(t),
        "step_sd_ms": float(near.std()) if len(near) else math.nan,
    }


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


def _effective_hz(t: FloatArray, n_valid: int) -> float:
    """Valid samples over last minus first stamp plus the median step."""
    duration = t[-1] - t[0] + step_ms(t) if len(t) > 1 else math.nan
    return 1000 * n_valid / duration
