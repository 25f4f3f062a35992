"""Which detector suits a recording: by its rate, its noise and its losses, with the reason.

The rules are the shortest that lose little against the best detector on simulated reading of code
(`gazecode.simulate`: 30 to 1000 Hz, noise of .02 to .5 deg a side, white and coloured, saccades
from .5 and from 1 deg on, losses up to 30 %); where simulated gaze tells two detectors not apart,
people's labels of moving dots and of videos (R. Andersson et al. 2017,
doi:10.3758/s13428-016-0738-9) do. Labelled images had no part in them.

* A velocity threshold (``ivt``) suits most recordings: its merging forgives noise up to half a
  degree in 20 ms, and it bridges short losses.
* Beyond that its threshold is crossed all the time, and two-means clustering (``i2mc``) is best at
  every rate; below 100 Hz, where 20 ms hold one step or two, from two fifths of a degree on.
* Below 45 Hz a saccade is one step between two samples, and no fixed threshold of speed fits it:
  dispersion (``idt``) is best while gaze is quiet and seldom lost, since it ends at every loss;
  otherwise speeds learnt from the recording (``ihmm``); from half a degree on ``ivt`` again, which
  gives way to ``i2mc`` at four fifths.
* From 400 Hz on, in quiet gaze, two thresholds (``ivt_hysteresis``) find the ends of saccades as
  people see them.

Noise is what noise does to speed: the root mean square way in 20 ms (one step at least), over the
samples that rest. Coloured noise has a small RMS-S2S at high rates and moves as far in 20 ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.detection.limits import above_zero
from gazecode.detection.segments import MIN_GAP_MS, Runs, find_runs, mean_step_ms
from gazecode.detection.velocity import directions
from gazecode.model import Samples, Screen
from gazecode.units import DEFAULT_PX_PER_DEG, step_ms

__all__ = ["Choice", "choose_detector"]

SPAN_MS = 20.0
SLOW_HZ, FEW_HZ, FAST_HZ = 45.0, 100.0, 400.0
QUIET_DEG, SLOW_QUIET_DEG = 0.2, 0.35
NOISY_DEG, NOISY_FEW_DEG, NOISY_SLOW_DEG = 0.55, 0.4, 0.8
"""Noise above which thresholds of speed fail: in general, below `FEW_HZ`, below `SLOW_HZ`."""
SELDOM = 0.02
"""Share of lost samples up to which ``idt`` may be chosen."""
FARTHEST = 3.0
"""A step of so many times the root mean square is a movement: noise makes one in 8000 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A detector, and why.

    Attributes
    ----------
    method, params
        As `gazecode.detect` takes them; `params` holds what differs from the defaults.
    why
        A sentence: rate, noise and loss, the method, and its reason.
    rate_hz, rms_s2s_deg, noise_deg, lost
        What was measured: samples per second, RMS of steps between successive samples, RMS way in
        20 ms (both over samples that rest; NaN if there are none), and the share of samples lost.
    """

    method: str
    why: str
    rate_hz: float
    rms_s2s_deg: float
    noise_deg: float
    lost: float
    params: Mapping[str, Any] = field(default_factory=dict)


def choose_detector(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
) -> Choice:
    """Choose a detector for these samples.

    Parameters
    ----------
    samples
        Gaze of one eye or of both joined, on any clock.
    screen, px_per_deg
        With millimetres and distance degrees are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms
        Times that no step crosses, such as the borders of trials.

    Returns
    -------
    Choice
        Depends on the samples alone. ``ivt`` where there is too little gaze to measure.

    Raises
    ------
    ParameterError
        `px_per_deg` is not above zero, or `breaks_ms` holds no times.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> xy = 400 + rng.normal(0, 2, (600, 2))
    >>> print(choose_detector(Samples(t_ms=np.arange(600) * 8.0, xy_px=xy)).why)
    125 Hz, RMS-S2S .10 deg (.10 deg in 20 ms), 0 % lost: ivt, since gaze is quiet enough for ...
    """
    above_zero(px_per_deg=px_per_deg)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=MIN_GAP_MS)
    rate = 1000.0 / mean_step_ms(samples.t_ms, runs)
    lost = _lost(samples, runs)
    s2s, noise = _noise(samples, runs, screen, px_per_deg)
    method, reason = _rule(rate, noise, lost)
    if np.isnan(noise):
        measured = "too little gaze to measure noise"
    else:
        measured = (
            f"{rate:.0f} Hz, RMS-S2S {_deg(s2s)} deg ({_deg(noise)} deg in {SPAN_MS:.0f} ms), "
            f"{100 * lost:.0f} % lost"
        )
    return Choice(
        method=method,
        why=f"{measured}: {method}, since {reason}",
        rate_hz=rate,
        rms_s2s_deg=s2s,
        noise_deg=noise,
        lost=lost,
    )


def _rule(rate_hz: float, noise_deg: float, lost: float) -> tuple[str, str]:
    """Method and reason."""
    if np.isnan(noise_deg):
        return "ivt", "it suits most recordings"
    slow, few = rate_hz < SLOW_HZ, rate_hz < FEW_HZ
    noisy = NOISY_SLOW_DEG if slow else NOISY_FEW_DEG if few else NOISY_DEG
    if noise_deg > noisy:
        return "i2mc", (
            f"noise above {_deg(noisy)} deg looks like movement to any threshold of speed or "
            "dispersion, and two-means clustering looks for two places"
        )
    if slow and noise_deg <= SLOW_QUIET_DEG and lost <= SELDOM:
        return "idt", (
            f"below {SLOW_HZ:.0f} Hz a saccade is one step between samples, and in quiet gaze "
            "without losses places tell fixations apart"
        )
    if slow and noise_deg > NOISY_DEG:
        return "ivt", (
            f"below {SLOW_HZ:.0f} Hz in such noise neither places nor learnt speeds tell movement "
            "from rest, and its merging forgives what a threshold gets wrong"
        )
    if slow:
        return "ihmm", (
            f"below {SLOW_HZ:.0f} Hz a saccade is one step between samples: what is fast is learnt "
            "from the recording"
        )
    if rate_hz >= FAST_HZ and noise_deg <= QUIET_DEG:
        return "ivt_hysteresis", (
            "so fast and quiet a recording shows where saccades begin and end, which two "
            "thresholds follow as people do"
        )
    return "ivt", "gaze is quiet enough for a threshold of speed, and its merging bridges losses"


def _lost(samples: Samples, runs: Runs) -> float:
    """Share of samples without gaze; rows that are missing between gaps count by the clock."""
    n = len(samples)
    if n < 2:
        return float(samples.lost.mean()) if n else 0.0
    step, inside = step_ms(samples.t_ms), runs.part[1:] == runs.part[:-1]
    absent = np.maximum(np.round(np.diff(samples.t_ms)[inside] / step) - 1, 0).sum()
    # Stamps in bursts have no step to count by.
    absent = absent if absent < n else 0
    return float((samples.lost.sum() + absent) / (n + absent))


def _noise(
    samples: Samples, runs: Runs, screen: Screen | None, px_per_deg: float
) -> tuple[float, float]:
    """RMS of steps between successive samples, and of ways in `SPAN_MS`, deg; where gaze rests."""
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    t = samples.t_ms
    known = np.flatnonzero(runs.stop > runs.start)
    after = np.maximum(np.searchsorted(t, t[known] + SPAN_MS * (1 - 1e-9)), known + 1)
    inside = after < runs.stop[known]
    a, b = known[inside], after[inside]
    if not len(a):
        return float("nan"), float("nan")
    way = gaze.between(a, b)
    # Half of a two-dimensional normal noise lies within sqrt(ln 2) of its root mean square.
    rms = float(np.median(way)) / np.sqrt(np.log(2.0))
    rest = way <= FARTHEST * rms
    for _ in range(5):
        rms = float(np.sqrt(np.mean(way[rest] ** 2)))
        rest = way <= FARTHEST * rms
    step = gaze.between(a[rest], a[rest] + 1)
    return float(np.sqrt(np.mean(step**2))), rms


def _deg(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
