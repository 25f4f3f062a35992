"""Checks of the numbers a detector is given, tolerances of comparisons, the least rate for PSO."""

import math
from numbers import Real

from gazecode.errors import ParameterError
from gazecode.model.checks import FloatArray
from gazecode.units import rate_hz

__all__ = ["TOLERANCE_DEG", "TOLERANCE_MS", "above_zero", "at_least_zero", "shows_oscillations"]

TOLERANCE_MS = 1e-6
"""Times this close count as equal: 12 steps of 1/1.2 ms are 10 ms, whatever floats make of it."""
TOLERANCE_DEG = 1e-9
"""Angles this close count as equal: 40 px at 40 px/deg are 1 deg wherever on the screen."""
PSO_RATE_HZ = 250.0
SLOW_CLOCK = 0.98
"""A clock may run slow by 2 %."""


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ParameterError(f"{name} is {value!r}; expected a finite number")
    return float(value)


def above_zero(**values: object) -> None:
    """Refuse what is not a finite number above zero.

    >>> above_zero(max_speed_deg_s=0)
    Traceback (most recent call last):
    gazecode.errors.ParameterError: max_speed_deg_s is 0; expected a number above 0
    """
    for name, value in values.items():
        if not _number(name, value) > 0:
            raise ParameterError(f"{name} is {value}; expected a number above 0")


def at_least_zero(**values: object) -> None:
    """Refuse what is not a finite number of zero or more; zero switches a step off.

    >>> at_least_zero(merge_gap_ms=-1)
    Traceback (most recent call last):
    gazecode.errors.ParameterError: merge_gap_ms is -1; expected 0 or more
    """
    for name, value in values.items():
        if not _number(name, value) >= 0:
            raise ParameterError(f"{name} is {value}; expected 0 or more")


def shows_oscillations(t_ms: FloatArray) -> bool:
    """Whether stamps are dense enough (250 Hz) to claim oscillations after saccades."""
    return rate_hz(t_ms) >= SLOW_CLOCK * PSO_RATE_HZ
