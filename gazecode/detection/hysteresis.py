"""Velocity threshold with hysteresis: I-VT (Salvucci and Goldberg 2000) with two thresholds.

D. D. Salvucci and J. H. Goldberg 2000, doi:10.1145/355017.355028, part fast samples from slow ones
by one threshold, where noise splits an event each time it crosses it. Here a saccade must exceed
the upper threshold once and lasts as long as the speed stays at or above the lower one: two
thresholds with memory (O. H. Schmitt 1938, doi:10.1088/0950-7671/15/1/305), as detectors that look
for the peak of a saccade first and for its ends by a lower limit do (M. Nyström and K. Holmqvist
2010, doi:10.3758/BRM.42.1.188). Both are fixed here, not adapted to noise. Speed is the slope of a
line fitted to 14 ms of gaze (A. Savitzky and M. J. E. Golay 1964, doi:10.1021/ac60214a047:
seven samples at 500 Hz).

What is done where none of them says:

* What is fast for less than the shortest saccade is no saccade and interrupts no fixation.
* What is slow for less than the shortest fixation belongs to no event; after a saccade it is mostly
  part of the oscillation.
* A loss ends an event. Two slow stretches that only a short loss parts are one fixation where
  their places agree.
* On slow or holed clocks the speed is that of neighbours (`gazecode.detection.fitted_speed`).
"""

from collections.abc import Sequence

import numpy as np

from gazecode.detection.assembly import assemble, peaks
from gazecode.detection.fitted_speed import fitted_speed_deg_s
from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.merging import MAX_LOSS_MS, fixations_between
from gazecode.detection.segments import MIN_GAP_MS, covered, find_runs, lasting, stretches
from gazecode.detection.velocity import directions
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples, Screen
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_ivt_hysteresis"]


def detect_ivt_hysteresis(  # noqa: PLR0913 - two thresholds, two durations, two losses
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 14.0,
    peak_speed_deg_s: float = 45.0,
    edge_speed_deg_s: float = 25.0,
    min_saccade_ms: float = 10.0,
    min_duration_ms: float = 40.0,
    max_loss_ms: float = MAX_LOSS_MS,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Saccades from where speed passes one threshold to where it falls below a lower one.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    velocity_window_ms
        Speed is the slope of a line fitted to the samples of this window.
    peak_speed_deg_s, edge_speed_deg_s
        A saccade is a stretch at or above the second that reaches the first; the first is not
        below the second.
    min_saccade_ms
        What is fast for less belongs to the fixation around it.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded.
    max_loss_ms
        Pieces of a fixation at the same place (0.5 deg) that a loss of at most this parts are one;
        0 switches that off.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Fixations and saccades by onset, half-open, with `first`, `last` and `end_xy_px`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> x = np.repeat([100.0, 500.0], 100)
    >>> samples = Samples(t_ms=np.arange(200) * 2.0, xy_px=np.stack([x, x], axis=1))
    >>> events = detect_ivt_hysteresis(samples)
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "x_px", "first", "last"]]
           kind  onset_ms  offset_ms   x_px  first  last
    0  fixation       0.0      194.0  100.0      0    97
    1   saccade     194.0      206.0  100.0     97   103
    2  fixation     206.0      401.0  500.0    103   200
    """
    above_zero(
        px_per_deg=px_per_deg,
        velocity_window_ms=velocity_window_ms,
        peak_speed_deg_s=peak_speed_deg_s,
        edge_speed_deg_s=edge_speed_deg_s,
    )
    at_least_zero(
        min_saccade_ms=min_saccade_ms,
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
        min_gap_ms=min_gap_ms,
    )
    if peak_speed_deg_s < edge_speed_deg_s:
        raise ParameterError(
            f"peak_speed_deg_s is {peak_speed_deg_s} and edge_speed_deg_s {edge_speed_deg_s}; "
            "expected the threshold of the edges not to be above that of the peak"
        )
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    speed = fitted_speed_deg_s(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)

    fast = stretches(speed >= edge_speed_deg_s, runs)
    first, last = lasting(samples, runs, fast, min_ms=min_saccade_ms)
    reached = peaks(speed, first, last) >= peak_speed_deg_s
    saccades = (first[reached], last[reached])
    fixed = fixations_between(
        samples,
        gaze,
        runs,
        ~np.isnan(speed) & ~covered(len(samples), *saccades),
        apart=saccades[0],
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
    )
    return assemble(samples, runs, {"fixation": fixed, "saccade": saccades})
