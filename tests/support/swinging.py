"""Gaze whose pupil swings in the eye after every saccade, with what is true of it.

The eye makes minimum-jerk saccades; what the tracker sees follows it as a damped oscillator does:
``x'' = w² (e - x) + 2 d w (e' - x')``, whose answer to a unit step of velocity is known.
"""

import math

import numpy as np

from gazecode.model import Samples

GRID_MS = 0.05
"""Truth is computed on this clock."""
FADED_MS = 200.0


class Swinging:
    """Fixations joined by saccades of 2 to 8 deg and the oscillations after them.

    Attributes
    ----------
    onset_ms
        When noise-free gaze first moves faster than `edge_deg_s` (20).
    turn_ms
        When it turns round; without an oscillation, when it is slower than that again.
    still_ms
        When the last half-wave of at least `swing_deg_s` (15) is over.
    """

    px_per_deg = 40.0

    def __init__(
        self, seed: int, count: int, *, frequency_hz: float = 35.0, damping: float | None = 0.25
    ) -> None:
        rng = np.random.default_rng(seed)
        size = rng.uniform(2, 8, count)
        begin = 300 + np.cumsum(rng.uniform(250, 450, count))
        lasting = 21 + 2.2 * size
        turn = np.where(np.arange(count) % 2, math.pi, 0.0) + rng.uniform(-0.5, 0.5, count)
        way = np.stack([np.cos(turn), np.sin(turn)])
        t = np.arange(0.0, begin[-1] + 500, GRID_MS)
        k = np.maximum(np.searchsorted(begin, t, side="right") - 1, 0)
        s = np.clip((t - begin[k]) / lasting[k], 0, 1)
        speed = 30 * s**2 * (1 - s) ** 2 * size[k] / lasting[k] * 1000
        velocity = speed * way[:, k]
        if damping is not None:
            answer = _answer(frequency_hz, damping)
            velocity = np.stack([np.convolve(v, answer)[: len(t)] * GRID_MS for v in velocity])
        self.t_ms = t
        self.deg = np.cumsum(velocity, axis=1) * GRID_MS / 1000
        along = [velocity[:, a:b].T @ way[:, i] for i, (a, b) in enumerate(self._spans(begin))]
        starts = [a for a, _ in self._spans(begin)]
        truth = [_truth(v, damping is not None) for v in along]
        self.onset_ms, self.turn_ms, self.still_ms = (
            (np.array(starts)[:, None] + np.array(truth)) * GRID_MS
        ).T

    def _spans(self, begin: np.ndarray) -> list[tuple[int, int]]:
        return [(round(b / GRID_MS), round((b + FADED_MS) / GRID_MS)) for b in begin]

    def record(self, rate_hz: float, *, noise_deg: float = 0.0, jitter: float = 0.0) -> Samples:
        rng = np.random.default_rng(int(rate_hz))
        step = 1000.0 / rate_hz
        t = np.arange(step, self.t_ms[-1] - step, step)
        t = t + rng.uniform(-jitter, jitter, len(t)) * step
        deg = np.stack([np.interp(t, self.t_ms, x) for x in self.deg], axis=1)
        deg = deg + rng.normal(0, noise_deg, (len(t), 2))
        return Samples(t_ms=t, xy_px=deg * self.px_per_deg + [900, 500])


def _answer(frequency_hz: float, damping: float) -> np.ndarray:
    """Change per ms of what is seen after an impulse of the eye."""
    w = 2 * math.pi * frequency_hz / 1000
    wd = w * math.sqrt(1 - damping**2)
    t = np.arange(0.0, FADED_MS, GRID_MS)
    swing = 2 * damping * w * np.cos(wd * t) + (1 - 2 * damping**2) * w**2 / wd * np.sin(wd * t)
    return np.exp(-damping * w * t) * swing


def _truth(along: np.ndarray, swings: bool) -> tuple[int, int, int]:
    onset = int((along > 20).argmax())
    peak = int(along.argmax())
    if not swings:
        end = peak + int((along[peak:] < 20).argmax())
        return onset, end, end
    turn = peak + int((along[peak:] < 0).argmax())
    strong = np.flatnonzero(np.abs(along[turn:]) >= 15)
    if not strong.size:
        return onset, turn, turn
    last = turn + int(strong[-1])
    sign = np.sign(along[last])
    return onset, turn, last + int((np.sign(along[last:]) != sign).argmax())
