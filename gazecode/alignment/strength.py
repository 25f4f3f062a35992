"""From values to loss weights with mean 1, so that a learning rate keeps its meaning."""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["LossWeights", "check_strength", "loss_weights"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossWeights:
    """``(n,)`` weights; `clipped_share` of the weighable positions were cut at the ratio."""

    weight: FloatArray
    clipped_share: float
    no_signal: bool


def check_strength(strength: float | None, max_ratio: float) -> None:
    """Refuse a strength outside 0..1 and a ratio that leaves no room.

    >>> check_strength(1.5, 5.0)
    Traceback (most recent call last):
    gazecode.errors.ParameterError: strength is 1.5; expected 0 (plain training) to 1, or None
    """
    if strength is not None and not 0.0 <= strength <= 1.0:
        raise ParameterError(f"strength is {strength}; expected 0 (plain training) to 1, or None")
    if not max_ratio > 1.0:
        raise ParameterError(f"max_ratio is {max_ratio}; expected a number above 1")


def loss_weights(
    value: FloatArray, weighable: BoolArray, *, strength: float, max_ratio: float = 5.0
) -> LossWeights:
    """Mix plain training with gaze: ``(1 - strength) + strength * value / mean``.

    The weights are clipped at `max_ratio` and then rescaled to mean 1 over the weighable
    positions; every other position gets exactly 1.0. The mean is exact and comes last, so after
    rescaling the largest weight may lie above `max_ratio`: what was clipped is given to all.

    Parameters
    ----------
    value
        ``(n,)`` at least 0; only weighable positions count.
    weighable
        ``(n,)`` positions whose loss counts and whose token was on the screen.

    Examples
    --------
    >>> value, weighable = np.array([3.0, 1.0, 0.0, 9.0]), np.array([True, True, True, False])
    >>> loss_weights(value, weighable, strength=0.5).weight
    array([1.625, 0.875, 0.5  , 1.   ])
    """
    weight: FloatArray = np.ones(len(value))
    mean = float(value[weighable].mean()) if weighable.any() else 0.0
    if mean == 0:
        return LossWeights(weight=weight, clipped_share=0.0, no_signal=True)
    raw = (1.0 - strength) + strength * (value[weighable] / mean)
    clipped = np.minimum(raw, max_ratio)
    weight[weighable] = clipped / clipped.mean()
    return LossWeights(
        weight=weight, clipped_share=float((raw > max_ratio).mean()), no_signal=False
    )
