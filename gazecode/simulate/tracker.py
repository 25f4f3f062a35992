"""A tracker that sees an eye: rate, jitter, noise, offset, drift, blinks, loss, two eyes.

Whatever happens in time (blinks, losses, one-eye stretches) is drawn in ms and from streams of its
own, so that the same seed gives the same blinks at every rate. Noise is stated as STD and RMS-S2S
per axis with its colour: white noise is not a tracker's noise, which is smoother than it (D. C.
Niehorster et al. 2020, doi:10.3758/s13428-020-01400-9). Pixels per degree are taken as one number
for the whole screen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["EYES", "Tracker", "blinks", "losses", "offset_deg", "spells", "within"]

EYES = {"binocular": ("left", "right"), "left": ("left",), "right": ("right",), "both": ("both",)}
MIN_BLINK_MS, MAX_BLINK_MS = 80.0, 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """How gaze is recorded. The default is a clean one of 250 Hz without blinks and losses.

    Attributes
    ----------
    rate_hz, jitter_ms
        Samples per second; sd of the stamps around the clock, cut at 0.45 intervals.
    eyes
        binocular, left, right, or both (one column for the two).
    noise_deg
        STD of the noise per axis, deg: one number, or x and y. Each eye has its own noise, so
        that the mean of two has less.
    noise_colour, noise_time_ms
        white, or coloured: first-order autoregressive with that time constant.
    offset_deg
        Root mean square length over the screen of an offset that varies smoothly over it (a
        quadratic in x and y, as calibrations fit).
    drift_deg_min
        A steady shift in one direction that is drawn, deg per minute.
    disparity_deg
        Right eye minus left eye, x and y.
    blinks_per_min, blink_ms
        Mean rate (random intervals) and mean duration.
    loss, loss_burst_ms
        Share of the time in which gaze is lost at random, in bursts of that mean length; at 0 ms
        each sample is lost by itself.
    one_eye_per_min, one_eye_ms
        How often one of two eyes is lost, and for how long on average.
    lost_rows
        "nan": lost samples have a row; "absent": rows without any gaze are not there.
    """

    rate_hz: float = 250.0
    jitter_ms: float = 0.0
    eyes: str = "both"
    noise_deg: float | tuple[float, float] = 0.05
    noise_colour: str = "white"
    noise_time_ms: float = 10.0
    offset_deg: float = 0.0
    drift_deg_min: float = 0.0
    disparity_deg: tuple[float, float] = (0.0, 0.0)
    blinks_per_min: float = 0.0
    blink_ms: float = 150.0
    loss: float = 0.0
    loss_burst_ms: float = 0.0
    one_eye_per_min: float = 0.0
    one_eye_ms: float = 300.0
    lost_rows: str = "nan"

    def __post_init__(self) -> None:
        _choice("eyes", self.eyes, EYES)
        _choice("noise_colour", self.noise_colour, ("white", "coloured"))
        _choice("lost_rows", self.lost_rows, ("nan", "absent"))
        for name in ("rate_hz", "noise_time_ms", "blink_ms", "one_eye_ms"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ParameterError(f"Tracker.{name} is {getattr(self, name)}; expected above 0")
        for name in (
            *("jitter_ms", "offset_deg", "blinks_per_min", "loss_burst_ms", "one_eye_per_min"),
            *("drift_deg_min", "loss"),
        ):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ParameterError(f"Tracker.{name} is {getattr(self, name)}; expected 0 or more")
        if not self.loss < 1 or not min(self.noise_xy_deg) >= 0:
            raise ParameterError(
                f"Tracker has loss {self.loss} and noise_deg {self.noise_deg}; "
                "expected a loss below 1 and a noise of 0 or more"
            )

    @property
    def noise_xy_deg(self) -> tuple[float, float]:
        """STD of the noise in x and y, deg."""
        if isinstance(self.noise_deg, tuple):
            return self.noise_deg
        return (self.noise_deg, self.noise_deg)

    @property
    def noise_correlation(self) -> float:
        """Correlation of the noise of successive samples."""
        if self.noise_colour == "white":
            return 0.0
        return math.exp(-1000 / self.rate_hz / self.noise_time_ms)

    def noise_statement(self, px_per_deg: float) -> Mapping[str, Any]:
        """STD and RMS-S2S per axis of each eye, colour and scale: what any result must say.

        >>> Tracker(noise_deg=0.1).noise_statement(40.0)["rms_s2s_deg"]
        (0.141421, 0.141421)
        """
        growth = math.sqrt(2 * (1 - self.noise_correlation))
        x, y = self.noise_xy_deg
        return {
            "std_deg": (x, y),
            "rms_s2s_deg": (round(x * growth, 6), round(y * growth, 6)),
            "colour": self.noise_colour,
            "rate_hz": self.rate_hz,
            "px_per_deg": round(px_per_deg, 6),
        }

    def clock_ms(self, duration_ms: float, rng: "np.random.Generator") -> FloatArray:
        """Stamps from 0 to before `duration_ms`."""
        step = 1000 / self.rate_hz
        ticks: FloatArray = np.arange(math.ceil(duration_ms / step - 1e-9), dtype=np.float64) * step
        if not self.jitter_ms:
            return ticks
        shift = np.clip(rng.normal(0, self.jitter_ms, len(ticks)), -0.45 * step, 0.45 * step)
        shift[:1] = 0.0
        jittered: FloatArray = ticks + shift
        return jittered

    def noise_px(self, n: int, px_per_deg: float, rng: "np.random.Generator") -> FloatArray:
        """``(n, 2)`` noise of one eye, px."""
        drawn = rng.standard_normal((n, 2))
        keep = self.noise_correlation
        if keep:
            from scipy.signal import lfilter

            # The first value has the full variance, so that noise is as large from the start.
            drawn[1:] *= math.sqrt(1 - keep**2)
            drawn = lfilter([1.0], [1.0, -keep], drawn, axis=0)
        noise: FloatArray = drawn * self.noise_xy_deg * px_per_deg
        return noise


def offset_deg(
    xy: FloatArray, size: FloatArray, rms_deg: float, rng: "np.random.Generator"
) -> FloatArray:
    """``(n, 2)`` offset at points on a screen, deg: a random quadratic field."""
    weights = rng.standard_normal((6, 2)) * np.array([1.0, 0.6, 0.6, 0.3, 0.3, 0.3])[:, None]
    side = np.linspace(0, 1, 21)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    scale = math.sqrt(float(((_quadratic(grid) @ weights) ** 2).sum(axis=1).mean()))
    field: FloatArray = _quadratic(xy / size) @ weights * (rms_deg / scale)
    return field


def _quadratic(share: FloatArray) -> FloatArray:
    """Terms of a quadratic in places given as shares of the screen, from its middle."""
    u, v = 2 * share.T - 1
    return np.stack([np.ones_like(u), u, v, u * v, u**2, v**2], axis=-1)


def spells(
    per_min: float, mean_ms: float, duration_ms: float, rng: "np.random.Generator"
) -> FloatArray:
    """``(k, 2)`` onset and offset of events at random times, of exponential length."""
    n = int(rng.poisson(per_min * duration_ms / 60000))
    onset = np.sort(rng.uniform(0, duration_ms, n))
    return np.stack([onset, onset + rng.exponential(mean_ms, n)], axis=1)


def blinks(tracker: Tracker, duration_ms: float, rng: "np.random.Generator") -> FloatArray:
    """``(k, 2)`` onset and offset of blinks; those that would touch are left out."""
    n = int(rng.poisson(tracker.blinks_per_min * duration_ms / 60000))
    onset = np.sort(rng.uniform(0, duration_ms, n))
    lasting = np.clip(
        rng.normal(tracker.blink_ms, tracker.blink_ms / 3, n), MIN_BLINK_MS, MAX_BLINK_MS
    )
    apart = np.ones(n, dtype=bool)
    apart[1:] = np.diff(onset) > 2 * MAX_BLINK_MS
    return np.stack([onset, onset + lasting], axis=1)[apart]


def losses(
    tracker: Tracker, t_ms: FloatArray, duration_ms: float, rng: "np.random.Generator"
) -> BoolArray:
    """Which samples are lost at random."""
    if not tracker.loss:
        return np.zeros(len(t_ms), dtype=bool)
    if not tracker.loss_burst_ms:
        return rng.random(len(t_ms)) < tracker.loss
    good_ms = tracker.loss_burst_ms * (1 - tracker.loss) / tracker.loss
    cycles = math.ceil(3 * duration_ms / (good_ms + tracker.loss_burst_ms)) + 20
    lengths = rng.exponential([good_ms, tracker.loss_burst_ms], (cycles, 2)).ravel()
    lost: BoolArray = np.searchsorted(np.cumsum(lengths), t_ms, side="right") % 2 == 1
    return lost


def within(t_ms: FloatArray, intervals: FloatArray) -> BoolArray:
    """Which times lie in one of some half-open intervals, sorted by onset."""
    if not len(intervals):
        return np.zeros(len(t_ms), dtype=bool)
    # Intervals may overlap: what counts is the latest end so far.
    latest = np.maximum.accumulate(intervals[:, 1])
    before = np.searchsorted(intervals[:, 0], t_ms, side="right") - 1
    inside: BoolArray = (before >= 0) & (t_ms < latest[np.maximum(before, 0)])
    return inside


def _choice(name: str, value: object, choices: Any) -> None:
    if value not in choices:
        raise ParameterError.unknown(f"Tracker.{name}", value, choices)
