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
* Speed on irregular and slow clocks: a window that spans too little time reaches for further
  samples, and where it spans much more than 20 ms (at 60 Hz every window does) the faster of its
  two sides counts (`gazecode.detection.velocity.speed_deg_s`).
* Smoothing (off by default there too) is left to a step of its own.
* The oscillation after a saccade is as fast as the threshold says: its fast part counts as
  saccade, the rest as fixation.
"""

from collections.abc import Sequence

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.merging import merge_stretches
from gazecode.detection.segments import MIN_GAP_MS, covered, find_runs, lasting, stretches
from gazecode.detection.velocity import directions, speed_deg_s
from gazecode.model import Events, Samples, Screen
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_ivt"]


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
    >>> import numpy as np
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

    pieces = stretches(speed < max_speed_deg_s, runs)
    if merge_gap_ms > 0:
        pieces = merge_stretches(
            samples,
            gaze,
            runs,
            pieces,
            max_gap_ms=merge_gap_ms,
            max_angle_deg=merge_angle_deg,
            outlier_ms=velocity_window_ms,
        )
    fixed = lasting(samples, runs, pieces, min_ms=min_duration_ms)
    fast = (speed >= max_speed_deg_s) & ~covered(len(samples), *fixed)
    return assemble(samples, runs, {"fixation": fixed, "saccade": stretches(fast, runs)})
