"""Speed of gaze in degrees per second, on any clock.

The speed of a sample is the angle between the first and the last gaze direction in a window
centred on it, divided by the time that really lies between them (A. Olsen 2012, "The Tobii I-VT
Fixation Filter: algorithm description"; she leaves out samples near a loss, here the window is cut
at the ends of the run, so that every sample with a neighbour has a speed).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gazecode.detection.limits import TOLERANCE_MS
from gazecode.detection.segments import Runs
from gazecode.model import Samples, Screen
from gazecode.model.checks import FloatArray, IntArray
from gazecode.units import angle_deg, px_to_deg, step_ms

__all__ = ["Directions", "directions", "reach_out", "speed_deg_s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """Gaze as directions, and how to measure between them.

    Attributes
    ----------
    deg
        ``(n, 2)`` azimuth and elevation, degrees; NaN where lost.
    spherical
        True where the screen's geometry is known; otherwise degrees are pixels over a constant,
        and the angle between two of them is their distance in the plane.
    """

    deg: FloatArray
    spherical: bool

    def between(self, a: IntArray, b: IntArray) -> FloatArray:
        """Angle between the directions at the indices `a` and `b`, degrees."""
        if self.spherical:
            return angle_deg(self.deg[a], self.deg[b])
        step = self.deg[b] - self.deg[a]
        distance: FloatArray = np.hypot(step[:, 0], step[:, 1])
        return distance

    def measure(self) -> Callable[[float, float, float, float], float]:
        """Return the same measure for two single directions (azimuth, elevation, ... in degrees).

        Plain floats: called in a loop, numpy would cost ten times as much.
        """
        return _great_circle_deg if self.spherical else _plane_deg


def _great_circle_deg(ax: float, ay: float, bx: float, by: float) -> float:
    ax, ay, bx, by = (math.radians(v) for v in (ax, ay, bx, by))
    h = math.sin((by - ay) / 2) ** 2 + math.cos(ay) * math.cos(by) * math.sin((bx - ax) / 2) ** 2
    return math.degrees(2 * math.asin(math.sqrt(min(h, 1.0))))


def _plane_deg(ax: float, ay: float, bx: float, by: float) -> float:
    return math.hypot(bx - ax, by - ay)


def directions(samples: Samples, screen: Screen | None, *, px_per_deg: float) -> Directions:
    """Directions of gaze: exact with the screen's millimetres and distance, flat without.

    >>> samples = Samples(t_ms=[0], xy_px=[[80, 40]])
    >>> directions(samples, None, px_per_deg=40).deg.tolist()
    [[2.0, 1.0]]
    """
    return Directions(
        deg=px_to_deg(samples.xy_px, screen, px_per_deg=px_per_deg),
        spherical=screen is not None and screen.has_geometry,
    )


def speed_deg_s(t_ms: FloatArray, gaze: Directions, runs: Runs, *, window_ms: float) -> FloatArray:
    """Speed of every sample, ``(n,)`` deg/s; NaN where lost or alone in its run.

    The window holds the samples at most ``window_ms / 2`` away and at least the neighbours (at
    60 Hz a window of 20 ms would hold none), and never leaves the run. Two exceptions keep the
    speed comparable where stamps are irregular:

    * A window that spans less than half of `window_ms` (stamps in bursts, the end of a run)
      reaches for the nearest samples at least ``window_ms / 2`` away: over a very short time noise
      would look like speed.
    * In a window that spans much more than `window_ms` each side is taken alone and the faster one
      counts: over a long time a saccade would look like drift. Much more is twice (samples were
      dropped), or 4/3 where the clock itself is so slow that one step is nearer to the window
      than two are (below 75 Hz for 20 ms: a saccade of a degree would read 30 deg/s at 60 Hz).

    Examples
    --------
    >>> from gazecode.detection.segments import find_runs
    >>> samples = Samples(t_ms=[0, 10, 20, 30], xy_px=[[0, 0], [0, 0], [40, 0], [40, 0]])
    >>> runs = find_runs(samples, min_gap_ms=50)
    >>> gaze = directions(samples, None, px_per_deg=40)
    >>> speed_deg_s(samples.t_ms, gaze, runs, window_ms=20).tolist()
    [0.0, 50.0, 50.0, 0.0]
    """
    half = window_ms / 2
    index = np.arange(len(t_ms))
    reach = half + TOLERANCE_MS
    left = np.minimum(np.searchsorted(t_ms, t_ms - reach), index - 1)
    right = np.maximum(np.searchsorted(t_ms, t_ms + reach, side="right") - 1, index + 1)
    left, right = _within(runs, index, left, right)
    short = np.flatnonzero(t_ms[right] - t_ms[left] < half - TOLERANCE_MS)
    left[short], right[short] = reach_out(t_ms, runs, short, half_ms=half)

    speed, span = _speed(t_ms, gaze, left, right)
    slow_clock = step_ms(t_ms) > window_ms * 2 / 3 + TOLERANCE_MS
    longest = window_ms * (4 / 3 if slow_clock else 2)
    long = np.flatnonzero(span > longest + TOLERANCE_MS)
    before, _ = _speed(t_ms, gaze, left[long], long)
    after, _ = _speed(t_ms, gaze, long, right[long])
    speed[long] = np.fmax(before, after)
    return speed


def _speed(
    t_ms: FloatArray, gaze: Directions, left: IntArray, right: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Speed from `left` to `right`, NaN where they are one, and the time between them."""
    span = t_ms[right] - t_ms[left]
    speed = np.full(len(span), np.nan)
    np.divide(1000.0 * gaze.between(left, right), span, out=speed, where=span > 0)
    return speed, span


def reach_out(
    t_ms: FloatArray, runs: Runs, index: IntArray, *, half_ms: float
) -> tuple[IntArray, IntArray]:
    """The nearest samples at least `half_ms` before and after, or where the run begins and ends."""
    t = t_ms[index]
    reach = half_ms - TOLERANCE_MS
    left = np.searchsorted(t_ms, t - reach, side="right") - 1
    right = np.searchsorted(t_ms, t + reach)
    return _within(runs, index, left, right)


def _within(
    runs: Runs, index: IntArray, left: IntArray, right: IntArray
) -> tuple[IntArray, IntArray]:
    # A lost sample has an empty run: its window closes on itself, and its speed is unknown.
    start, stop = runs.start[index], runs.stop[index]
    return np.maximum(left, start), np.maximum(np.minimum(right, stop - 1), start)
