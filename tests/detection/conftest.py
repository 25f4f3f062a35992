"""Random recordings, a scene with known fixations, and slow oracles that share no code."""

import itertools
import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest

from gazecode.model import Samples, Screen

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
LOSSES = ("none", "some", "blinks", "all")


@pytest.fixture(scope="session")
def screen() -> Screen:
    return SCREEN


@pytest.fixture(scope="session")
def clip() -> Callable[..., Samples]:
    """Up to 150 samples of gaze that jumps, on the clock and with the losses asked for."""

    def make(seed: int, clock: str, losses: str, *, whole_px: bool = False) -> Samples:
        rng = np.random.default_rng(seed)
        n = int(rng.choice([0, 1, 2, int(rng.integers(3, 150))], p=[0.03, 0.03, 0.04, 0.9]))
        t = _stamps(rng, n, clock)
        n = len(t)
        jumps = rng.random(n) < rng.choice([0.02, 0.08, 0.3])
        steps = np.where(jumps[:, None], rng.normal(0, 120, (n, 2)), 0.0)
        noise = rng.normal(0, rng.choice([0.5, 3.0, 12.0]), (n, 2))
        xy = np.array([900.0, 500.0]) + np.cumsum(steps, axis=0) + noise
        xy = np.round(xy / 10) * 10 if whole_px else xy
        xy[_lost(rng, n, losses)] = np.nan
        breaks = rng.choice(t, size=min(n, 2)) if n and rng.random() < 0.3 else np.empty(0)
        return Samples(t_ms=t, xy_px=xy, breaks_ms=np.unique(breaks))

    return make


def _stamps(rng: np.random.Generator, n: int, clock: str) -> np.ndarray:
    step = 1000.0 / rng.choice([30, 53.5, 60, 120, 250, 300, 1000, 1200])
    t = rng.uniform(0, 1e5) + step * np.arange(n)
    if clock == "rounded":
        return np.unique(np.round(t))
    if clock == "jittered":
        return np.sort(t + rng.uniform(-0.45, 0.45, n) * step)
    if clock == "bursts":
        return np.floor(np.arange(n) / 3) * 3 * step + np.arange(n) % 3 * 0.1
    if clock == "gapped":
        holes = np.where(rng.random(n) < 0.05, rng.uniform(0, 300, n), 0.0)
        return t + np.cumsum(holes)
    return t


def _lost(rng: np.random.Generator, n: int, losses: str) -> np.ndarray:
    if losses == "all":
        return np.ones(n, dtype=bool)
    if losses == "some":
        return rng.random(n) < 0.08
    mask = np.zeros(n, dtype=bool)
    if losses == "blinks" and n > 3:
        for _ in range(2):
            a = int(rng.integers(0, n))
            mask[a : a + int(rng.integers(1, 25))] = True
    return mask


@pytest.fixture(scope="session")
def slow_runs() -> Callable[..., tuple[list[list[int]], list[float]]]:
    """Lists of sample indices without loss, gap or break; until when each sample holds."""

    def find(samples: Samples, breaks_ms: list[float], min_gap_ms: float = 75.0):
        t = samples.t_ms.tolist()
        steps = [b - a for a, b in itertools.pairwise(t)]
        usual = statistics.median(steps) if steps else math.nan
        breaks = sorted({*samples.breaks_ms.tolist(), *breaks_ms})
        runs: list[list[int]] = []
        ends: list[float] = []
        before = None
        for i, now in enumerate(t):
            end = now + 1.5 * usual if steps else now + 1.0
            if i + 1 < len(t):
                end = min(end, t[i + 1])
            ends.append(min([end, *(b for b in breaks if b > now)]))
            if math.isnan(samples.xy_px[i, 0]):
                before = None
                continue
            parted = before is None or (
                now - before > max(3 * usual, min_gap_ms) + 1e-6
                or any(before < b <= now for b in breaks)
            )
            if parted:
                runs.append([])
            runs[-1].append(i)
            before = now
        return runs, ends

    return find


@pytest.fixture(scope="session")
def slow_angles() -> Callable[..., list[tuple[float, float]]]:
    """Azimuth and elevation of every sample, one at a time, from the plane of the screen."""

    def angles(samples: Samples, screen: Screen | None) -> list[tuple[float, float]]:
        out = []
        for x, y in samples.xy_px.tolist():
            if screen is None:
                out.append((x / 40.0, y / 40.0))
                continue
            x_mm = (x / screen.width_px - 0.5) * screen.width_mm
            y_mm = (y / screen.height_px - 0.5) * screen.height_mm
            flat = math.hypot(x_mm, screen.distance_mm)
            out.append(
                (
                    math.degrees(math.atan2(x_mm, screen.distance_mm)),
                    math.degrees(math.atan2(y_mm, flat)),
                )
            )
        return out

    return angles


class Scene:
    """Fixations joined by main-sequence saccades (21 ms + 2.2 ms/deg), minimum jerk."""

    px_per_deg = 43.0

    def __init__(self, seed: int, count: int, *, small: float = 0.5) -> None:
        rng = np.random.default_rng(seed)
        duration = np.clip(rng.lognormal(math.log(230), 0.4, count), 100, 900)
        near = rng.random(count) < small
        size = np.where(near, rng.uniform(1.2, 2.0, count), rng.uniform(2.0, 10.0, count))
        turn = rng.uniform(0, 2 * math.pi, count)
        place = np.zeros((count, 2))
        for i in range(1, count):
            step = size[i] * np.array([math.cos(turn[i]), math.sin(turn[i])])
            place[i] = place[i - 1] + step
            # Towards the centre instead of off the screen.
            if abs(place[i, 0]) > 18 or abs(place[i, 1]) > 10:
                home = -place[i - 1] / np.hypot(*place[i - 1])
                place[i] = place[i - 1] + size[i] * home
        moved = np.append(np.hypot(*np.diff(place, axis=0).T), 0.0)
        travel = 21 + 2.2 * moved
        self.onset = np.concatenate(([0.0], np.cumsum(duration + travel)[:-1]))
        self.offset = self.onset + duration
        self.place = place

    def at(self, t: np.ndarray) -> np.ndarray:
        """Degrees from the centre at the times `t`."""
        k = np.searchsorted(self.onset, t, side="right") - 1
        after = np.minimum(k + 1, len(self.onset) - 1)
        travel = np.maximum(self.onset[after] - self.offset[k], 1e-9)
        s = np.clip((t - self.offset[k]) / travel, 0.0, 1.0)
        share = 10 * s**3 - 15 * s**4 + 6 * s**5
        return self.place[k] + (self.place[after] - self.place[k]) * share[:, None]

    def record(
        self, rate_hz: float, *, noise_deg: float = 0.05, jitter: float = 0.0, drop: float = 0.0
    ) -> Samples:
        rng = np.random.default_rng(int(rate_hz))
        step = 1000.0 / rate_hz
        t = np.arange(0.0, self.offset[-1], step)
        t = np.sort(t + rng.uniform(-jitter, jitter, len(t)) * step)
        t = t[(rng.random(len(t)) >= drop) & (t >= 0)]
        deg = self.at(t) + rng.normal(0, noise_deg, (len(t), 2))
        return Samples(t_ms=t, xy_px=deg * self.px_per_deg + [960, 540])


@pytest.fixture(scope="session")
def scene() -> Callable[..., Scene]:
    return Scene
