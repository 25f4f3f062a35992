"""The clock of an iTrace session: the tracker's own, its unit inferred from when samples arrived.

`event_id` is a Windows FILETIME of the arrival (18 digits: int64 only); samples arrive in bursts,
so durations come from `tracker_time`. Its unit differs by tracker (µs, 100 ns, ms ...) and is
fitted against `event_id` over the whole session.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError

__all__ = ["FILETIME_EPOCH", "TRACKER_UNITS_MS", "session_clock", "start_ns"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FILETIME_EPOCH = 116_444_736_000_000_000
"""1970 in 100 ns ticks since 1601."""
TRACKER_UNITS_MS = {"100 ns": 1e-4, "µs": 1e-3, "ms": 1.0, "ns": 1e-6, "s": 1e3}
_MAX_DAYS = 30
_MAX_MS = _MAX_DAYS * 86_400_000.0


def session_clock(
    event_id: IntArray, tracker_time: npt.NDArray[Any] | None, name: str
) -> tuple[FloatArray, str]:
    """Time of each row, ms from the first one, and how it was found.

    Parameters
    ----------
    event_id
        ``(n,)`` arrival, 100 ns ticks since 1601.
    tracker_time
        ``(n,)`` int64 or float, the tracker's own unit; None where there is none.
    name
        Of the file, for messages.

    Examples
    --------
    >>> arrival = 132_666_022_026_050_242 + np.arange(5) * 100_000
    >>> session_clock(arrival, 59_136_347_559 + np.arange(5) * 10_000, "core.xml")[0]
    array([ 0., 10., 20., 30., 40.])
    """
    first, last = int(event_id.min()), int(event_id.max())
    if (last - first) * 1e-4 > _MAX_MS:
        raise FormatError(
            f"{name}: event_id runs from {first} to {last}; expected arrivals of one session, in "
            f"100 ns, within {_MAX_DAYS} days. The file is damaged: copy or export it again"
        )
    arrival_ms: FloatArray = np.asarray(event_id - first, dtype=np.float64)
    arrival_ms *= 1e-4
    ticks = None if tracker_time is None else _ticks(tracker_time)
    if ticks is not None:
        fit = _ms_per_tick(ticks, arrival_ms)
        for unit, ms in TRACKER_UNITS_MS.items():
            if 0.8 < fit / ms < 1.25 and float(np.nanmax(ticks) - np.nanmin(ticks)) * ms < _MAX_MS:
                return (ticks - np.nanmin(ticks)) * ms, (
                    f"tracker_time in {unit} (fitted against event_id: {fit / ms:.4f} of it)"
                )
    return arrival_ms, "event_id (arrival, 100 ns): no tracker_time in a known unit"


def _ticks(tracker_time: npt.NDArray[Any]) -> FloatArray | None:
    """`tracker_time` from its first value on; integers are subtracted before they are floats."""
    if tracker_time.dtype == np.int64:
        if int(tracker_time.max()) - int(tracker_time.min()) > np.iinfo(np.int64).max:
            return None
        whole: FloatArray = np.asarray(tracker_time - tracker_time[0], dtype=np.float64)
        return whole
    known = tracker_time[np.isfinite(tracker_time)]
    return np.asarray(tracker_time - known[0], dtype=np.float64) if len(known) else None


def _ms_per_tick(ticks: FloatArray, arrival_ms: FloatArray) -> float:
    """Median of slopes over half the session: bursts of arrival cannot tip it."""
    half = len(ticks) // 2
    span = ticks[half:] - ticks[: len(ticks) - half]
    passed = arrival_ms[half:] - arrival_ms[: len(arrival_ms) - half]
    forward = span > 0
    return float(np.median(passed[forward] / span[forward])) if forward.any() else math.nan


def start_ns(event_id: IntArray, t_ms: FloatArray) -> int:
    """Wall clock of ms 0: when the first sample arrived."""
    return (int(event_id[int(np.nanargmin(t_ms))]) - FILETIME_EPOCH) * 100
