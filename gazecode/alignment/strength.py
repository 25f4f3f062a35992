"""From values to loss weights with mean 1, so that a learning rate keeps its meaning."""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.subwords.offsets import summed
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["LossWeights", "check_strength", "loss_weights", "mean_one"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossWeights:
    """``(n,)`` weights of ``d`` examples, and what there is to say of each.

    Attributes
    ----------
    clipped_share
        ``(d,)`` share of the weighable positions that was cut at the ratio.
    no_signal
        ``(d,)`` examples without any value on a weighable position: all their weights are 1.0.
    """

    weight: FloatArray
    clipped_share: FloatArray
    no_signal: BoolArray


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
    value: FloatArray,
    weighable: BoolArray,
    *,
    strength: float,
    max_ratio: float = 5.0,
    example: IntArray | None = None,
    n_examples: int = 1,
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
    example
        ``(n,)`` number of the example of each position, 0 to ``n_examples - 1``; by default all
        belong to one. Means are taken within an example.

    Examples
    --------
    >>> value, weighable = np.array([3.0, 1.0, 0.0, 9.0]), np.array([True, True, True, False])
    >>> loss_weights(value, weighable, strength=0.5).weight
    array([1.625, 0.875, 0.5  , 1.   ])
    """
    at = np.flatnonzero(weighable)
    group = np.zeros(len(at), dtype=np.int64) if example is None else example[at]
    mean = _means(value[at], group, n_examples)
    signal = mean > 0
    at, group = at[signal[group]], group[signal[group]]
    raw = (1.0 - strength) + strength * (value[at] / mean[group])
    clipped = np.minimum(raw, max_ratio)
    weight: FloatArray = np.ones(len(value))
    weight[at] = clipped / _means(clipped, group, n_examples)[group]
    cut = (raw > max_ratio).astype(np.float64)
    return LossWeights(
        weight=weight, clipped_share=_means(cut, group, n_examples), no_signal=~signal
    )


def mean_one(
    weight: FloatArray, weighable: BoolArray, *, example: IntArray, n_examples: int
) -> LossWeights:
    """Rescale weights to mean 1 over the weighable positions of each example.

    Nothing is clipped. An example whose weighable positions are all 0 keeps 1.0 everywhere.

    >>> position = np.array([0, 0, 1, 1])
    >>> mean_one(
    ...     np.array([1.0, 3.0, 2.0, 7.0]), position < 9, example=position, n_examples=2
    ... ).weight
    array([0.5       , 1.5       , 0.44444444, 1.55555556])
    """
    return loss_weights(
        weight, weighable, strength=1.0, max_ratio=np.inf, example=example, n_examples=n_examples
    )


def _means(value: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """``(n_groups,)`` means; 0 for a group without a value."""
    count = np.bincount(group, minlength=n_groups)
    mean: FloatArray = summed(group, value, n_groups) / np.maximum(count, 1)
    return mean
