"""Saccades by the direction of gaze, and the oscillations after them, as `larsson` says.

L. Larsson, M. Nyström and M. Stridh 2013, doi:10.1109/TBME.2013.2258918; what is done otherwise
stands in the head of `gazecode.detection.larsson`.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.detection.limits import TOLERANCE_MS
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Rules", "Signals", "all_moves"]

NOISE = {"acceleration": 4.0, "peak": 6.0, "edge": 4.0, "pso": 4.0}
"""Thresholds as multiples of the noise."""
FLOOR = {"acceleration": 2000.0, "peak": 30.0, "edge": 20.0, "pso": 15.0}
"""What they never fall below, deg/s² and deg/s."""
SHARE_OF_PEAK = 0.5
"""A further saccade within one candidate is at least this fast, relative to the fastest."""
REACH_MS = 100.0
"""A saccade begins and ends at most this far from its candidate."""
PURSUIT_MS = 60.0
PURSUIT_APART_MS = 10.0
"""The pursuit before a saccade: how long, and how far from the candidate."""
PURSUIT_AFTER_MS = (20.0, 80.0)
"""The pursuit after a saccade: from when to when."""
MAX_PURSUIT_DEG_S = 40.0
"""What is faster is no pursuit's; where most of a span is, its median is not used."""
MIN_PURSUIT_SAMPLES = 5
MAX_PAUSE_MS = 6.0
"""An oscillation begins at most this late, and ends where it is weaker for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the search sees of the gaze.

    Attributes
    ----------
    t_ms, end_ms
        ``(n,)`` stamps, and until when each sample holds.
    velocity, speed
        ``(n, 2)`` across and up, and its length ``(n,)``, deg/s; NaN where unknown.
    acceleration
        ``(n,)`` magnitude, deg/s².
    velocity_noise, acceleration_noise
        Robust standard deviation per axis.
    """

    t_ms: FloatArray
    end_ms: FloatArray
    velocity: FloatArray
    speed: FloatArray
    acceleration: FloatArray
    velocity_noise: float
    acceleration_noise: float

    def threshold(self, name: str) -> float:
        """Threshold of acceleration, peak, edge or pso, in the unit of its signal."""
        noise = self.acceleration_noise if name == "acceleration" else self.velocity_noise
        return max(NOISE[name] * noise, FLOOR[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a saccade and an oscillation must be: a direction's least cosine, and durations."""

    cosine: float
    min_saccade_ms: float
    max_pso_ms: float


def all_moves(
    signals: Signals, candidates: list[tuple[int, int]], runs: list[tuple[int, int]], rules: Rules
) -> IntArray:
    """Saccades and their oscillations, ``(k, 3)``: first sample, where it turns, one past the end.

    Parameters
    ----------
    candidates
        Samples ``[first, last)`` of each, in order. The loop is over them, not over samples.
    runs
        Samples ``[start, stop)`` that each may reach.
    """
    found: list[tuple[int, int, int]] = []
    free = 0
    for candidate, (start, stop) in zip(candidates, runs, strict=True):
        moves = _moves(signals, (max(start, free), stop), candidate, rules)
        found += moves
        free = max([free, *(end for _, _, end in moves)])
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 3)


def _moves(
    signals: Signals, bounds: tuple[int, int], candidate: tuple[int, int], rules: Rules
) -> list[tuple[int, int, int]]:
    """What one candidate holds: its fastest saccade first, then what is left on either side."""
    t = signals.t_ms
    near_ms = t[candidate[0]] - PURSUIT_APART_MS
    drift = _pursuit(signals, bounds, (near_ms - PURSUIT_MS, near_ms), otherwise=np.zeros(2))
    reach = np.searchsorted(t, [t[candidate[0]] - REACH_MS, t[candidate[1] - 1] + REACH_MS])
    found: list[tuple[int, int, int]] = []
    least = signals.threshold("peak")
    todo = [(max(bounds[0], int(reach[0])), min(bounds[1], int(reach[1])), least)]
    while todo:
        low, high, least = todo.pop()
        begin, end = max(candidate[0], low), min(candidate[1], high)
        if end <= begin:
            continue
        velocity = signals.velocity[low:high] - drift
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        fastest = begin - low + int(speed[begin - low : end - low].argmax())
        peak = float(speed[fastest])
        if peak < least:
            continue
        edge = signals.threshold("edge")
        a, b, direction = _extent(velocity, speed, fastest, edge=edge, cosine=rules.cosine)
        a, b = a + low, b + low
        free = b
        if signals.end_ms[b - 1] - t[a] >= rules.min_saccade_ms:
            after = (t[b - 1] + PURSUIT_AFTER_MS[0], t[b - 1] + PURSUIT_AFTER_MS[1])
            later = _pursuit(signals, (b, bounds[1]), after, otherwise=drift)
            along = (signals.velocity[b:high] - later) @ direction
            free += _swing(signals, along, b, peak, rules)
            found.append((a, b, free))
            least = max(least, SHARE_OF_PEAK * peak)
        todo += [(free, high, least), (low, a, least)]
    return found


def _pursuit(
    signals: Signals,
    bounds: tuple[int, int],
    span_ms: tuple[float, float],
    *,
    otherwise: FloatArray,
) -> FloatArray:
    """Median of the slow velocities in a span, deg/s; `otherwise` where they are too few."""
    span = np.searchsorted(signals.t_ms, span_ms)
    a, b = max(int(span[0]), bounds[0]), min(int(span[1]), bounds[1])
    slow = np.flatnonzero(signals.speed[a:b] <= MAX_PURSUIT_DEG_S) + a
    if len(slow) < max(MIN_PURSUIT_SAMPLES, (b - a) / 2):
        return otherwise
    drift: FloatArray = np.median(signals.velocity[slow], axis=0)
    return drift


def _extent(
    velocity: FloatArray, speed: FloatArray, fastest: int, *, edge: float, cosine: float
) -> tuple[int, int, FloatArray]:
    """First and one past the last sample around the fastest in its direction; that direction.

    The direction is that of the three fastest samples first, then of the displacement they give.
    """
    a, b = max(fastest - 1, 0), fastest + 2
    direction = velocity[fastest]
    for _ in range(2):
        direction = velocity[a:b].sum(axis=0)
        direction = direction / max(float(np.hypot(*direction)), 1e-9)
        leaves = (velocity @ direction <= cosine * speed) | (speed < edge)
        leaves[fastest] = False
        before, after = np.flatnonzero(leaves[:fastest]), np.flatnonzero(leaves[fastest:])
        a = int(before[-1]) + 1 if before.size else 0
        b = fastest + int(after[0]) if after.size else len(speed)
    return a, b, direction


def _swing(signals: Signals, along: FloatArray, start: int, peak: float, rules: Rules) -> int:
    """Samples of the oscillation that begins at `start`: half-waves that are strong enough.

    `along` is the velocity along the saccade's direction from there on.
    """
    t = signals.t_ms[start : start + len(along)]
    along = along[: np.searchsorted(t, t[:1].sum() + rules.max_pso_ms)]
    if not along.size:
        return 0
    turns = np.flatnonzero(np.diff(along > 0)) + 1
    begin, end = np.append(0, turns), np.append(turns, len(along))
    strength = np.maximum.reduceat(np.abs(along), begin)
    strong = np.flatnonzero((strength >= signals.threshold("pso")) & (strength < peak))
    begins, ends = t[begin[strong]], signals.end_ms[start + end[strong] - 1]
    pause = begins - np.append(t[0], ends)[:-1]
    over = np.flatnonzero(pause > MAX_PAUSE_MS + TOLERANCE_MS)
    swings = strong[: over[0]] if over.size else strong
    # The slow rest of a saccade goes its way: only what turns round swings.
    turned = (along[begin[swings]] < 0).any()
    return int(end[swings[-1]]) if turned else 0
