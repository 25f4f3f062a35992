"""Scales: from numbers to steps of colour, and to ticks people like to read."""

import math
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import FloatArray, IntArray
from gazecode.report.colour import LEVELS

__all__ = ["WeightScale", "log_ticks", "nice_step", "ticks"]


def nice_step(least: float) -> float:
    """Smallest of 1, 2, 2.5, 5 times a power of ten that is at least `least`.

    >>> nice_step(0.3), nice_step(7.0), nice_step(21.0)
    (0.5, 10.0, 25.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= least * (1 - 1e-9))


def ticks(low: float, high: float, *, at_most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`.

    >>> ticks(0.0, 23.0)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    if not high > low:
        return [low]
    step = nice_step((high - low) / at_most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within ``[low, high]``.

    >>> log_ticks(0.5, 20.0)
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{m}e{p}") for p in powers for m in (1, 2, 5)]
    return [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightScale:
    """Equal steps of a value: 0 is no colour, the last step is open to the top.

    The step is chosen so that 95 % of the positive values lie below the last one: one long stare
    must not bleach everything else.
    """

    step: float
    open_ended: bool

    @classmethod
    def of(cls, value: FloatArray) -> "WeightScale":
        """Scale for these values.

        >>> scale = WeightScale.of(np.array([0.0, 100.0, 250.0, 790.0]))
        >>> scale.step, scale.levels(np.array([0.0, 1.0, 100.0, 101.0, 9000.0])).tolist()
        (100.0, [0, 1, 1, 2, 8])
        """
        positive = value[value > 0]
        if not positive.size:
            return cls(step=1.0, open_ended=False)
        # The floor is for denormal numbers only: an eighth of one is 0.
        step = nice_step(max(float(np.quantile(positive, 0.95)) / LEVELS, 1e-300))
        return cls(step=step, open_ended=bool(positive.max() > step * LEVELS))

    def levels(self, value: FloatArray) -> IntArray:
        """``(n,)`` 0 (none) to `LEVELS`."""
        # A hair below the edge belongs to the step below: 0.3 / 0.1 is not 3 in floats.
        raw = np.ceil(value / self.step - 1e-9)
        raised = np.where(value > 0, np.maximum(raw, 1), 0)
        levels: IntArray = np.clip(raised, 0, LEVELS).astype(np.int64)
        return levels

    @property
    def edges(self) -> list[float]:
        """Upper edge of each step."""
        return [round(self.step * i, 12) for i in range(1, LEVELS + 1)]
