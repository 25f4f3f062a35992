"""Velocity threshold (I-VT): D. D. Salvucci and J. H. Goldberg 2000, doi:10.1145/355017.355028.

The steps and defaults are those of the widely published vendor filter (A. Olsen 2012, "The Tobii
I-VT Fixation Filter: algorithm description", Tobii Technology): speed over 20 ms, fixations below
30 deg/s, neighbours within 75 ms and 0.5 deg merged, fixations under 60 ms discarded.

What the paper leaves open, and what is done here:

* Merging compares the mean place of the fixation so far with that of the next slow stretch. A
  stretch that is too far away ends the fixation, unless it is shorter than the velocity window:
  one outlying sample makes such a stretch, and it is merged over. A fixation's place is the mean
  of all its valid samples, what was merged over included.
* A loss is not filled in. It ends a stretch; merging alone may bridge it, by its limits, and
  never where stamps are further apart than a gap.
* Smoothing (off by default there too) is left to a step of its own.
* The oscillation after a saccade is as fast as the threshold says: its fast part counts as
  saccade, the rest as fixation.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gazecode.detection.limits import (
    TOLERANCE_DEG,
    TOLERANCE_MS,
    above_zero,
    at_least_zero,
)
from gazecode.detection.segments import MIN_GAP_MS, Runs, find_runs, fixations, stretches
from gazecode.detection.velocity import Directions, directions, speed_deg_s
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import repeated
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_ivt"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def detect_ivt(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 20.0,
    max_speed_deg_s: float = 30.0,
    merge_gap_ms: float = 75.0,
    merge_angle_deg: float = 0.5,
    min_duration_ms: float = 60.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Fixations where gaze is slow, saccades where it is fast.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms
        Speed is taken from the first to the last sample of this window around a sample; it holds
        at least the neighbours.
    max_speed_deg_s
        A sample slower than this belongs to a fixation.
    merge_gap_ms, merge_angle_deg
        Stretches at most this far apart in time (end to begin) and in mean place are one fixation,
        a loss between them included; 0 ms switches merging off.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded, after merging.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap; no speed is
        taken across it.

    Returns
    -------
    Events
        Fixations and saccades by onset, half-open, with `first`, `last` and `end_xy_px`. Samples
        of unknown speed and of discarded fixations belong to no event. A saccade's `end_xy_px` is
        the sample at its offset, or its last one where gaze was lost then.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> x = np.repeat([100.0, 500.0], 30)
    >>> samples = Samples(t_ms=np.arange(60) * 5.0, xy_px=np.stack([x, x], axis=1))
    >>> detect_ivt(samples).to_frame()[["kind", "onset_ms", "offset_ms", "x_px", "first", "last"]]
           kind  onset_ms  offset_ms   x_px  first  last
    0  fixation       0.0      140.0  100.0      0    28
    1   saccade     140.0      160.0  100.0     28    32
    2  fixation     160.0      302.5  500.0     32    60
    """
    above_zero(
        px_per_deg=px_per_deg,
        velocity_window_ms=velocity_window_ms,
        max_speed_deg_s=max_speed_deg_s,
    )
    at_least_zero(
        merge_gap_ms=merge_gap_ms,
        merge_angle_deg=merge_angle_deg,
        min_duration_ms=min_duration_ms,
        min_gap_ms=min_gap_ms,
    )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    speed = speed_deg_s(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)

    first, last = stretches(speed < max_speed_deg_s, runs)
    if merge_gap_ms > 0:
        times = (samples.t_ms[first], runs.end_ms[last - 1], runs.part[first])
        near = (merge_gap_ms + TOLERANCE_MS, merge_angle_deg + TOLERANCE_DEG)
        outlier_ms = velocity_window_ms - TOLERANCE_MS
        first, last = _merge(first, last, gaze, times=times, near=near, outlier_ms=outlier_ms)
    duration = runs.end_ms[last - 1] - samples.t_ms[first]
    kept = duration >= min_duration_ms - TOLERANCE_MS
    first, last = first[kept], last[kept]

    fast = (speed >= max_speed_deg_s) & ~_covered(len(samples), first, last)
    found = fixations(samples, runs, first, last)
    return _by_onset(found, _saccades(samples, runs, *stretches(fast, runs)))


def _merge(
    first: IntArray,
    last: IntArray,
    gaze: Directions,
    *,
    times: tuple[FloatArray, FloatArray, IntArray],
    near: tuple[float, float],
    outlier_ms: float,
) -> tuple[IntArray, IntArray]:
    """Join every stretch with the next ones that are near in time and place.

    `times` holds onset, end and part of every stretch, `near` the two limits; stretches shorter
    than `outlier_ms` may be passed over. A loop over stretches, not over samples: each decision
    depends on the mean so far.
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


def _covered(n: int, first: IntArray, last: IntArray) -> BoolArray:
    """Mark the samples inside events ``[first, last)`` that do not overlap."""
    edges = np.zeros(n + 1, dtype=np.int64)
    edges[first] += 1
    edges[last] -= 1
    inside: BoolArray = np.cumsum(edges[:-1]) > 0
    return inside


def _saccades(samples: Samples, runs: Runs, first: IntArray, last: IntArray) -> Events:
    # The sample at the offset is where the saccade has led, if gaze was not lost by then.
    landing = np.minimum(last, runs.stop[first] - 1)
    return Events(
        kind=repeated("saccade", len(first)),
        onset_ms=samples.t_ms[first],
        offset_ms=runs.end_ms[last - 1],
        xy_px=samples.xy_px[first],
        end_xy_px=samples.xy_px[landing],
        first=first,
        last=last,
    )


def _by_onset(a: Events, b: Events) -> Events:
    names = ("kind", "onset_ms", "offset_ms", "xy_px", "end_xy_px", "first", "last")
    order = np.argsort(np.concatenate((a.onset_ms, b.onset_ms)), kind="stable")
    return Events(**{n: np.concatenate((getattr(a, n), getattr(b, n)))[order] for n in names})
