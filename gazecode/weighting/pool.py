"""Many readings of one source as one: trials of a person first, then each person counts once.

A slow reader spends more time on everything. Shares of a person's own total compare what people
looked at, not how long they sat there; the mean total brings the unit back.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import TokenWeights
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["pool"]

_SUMMED = ("fixations", "ms")
_MAXED = ("1",)
"""Units, so that a control of a scheme is pooled like the scheme."""


def pool(weights: Sequence[TokenWeights], people: Sequence[str]) -> TokenWeights:
    """Combine readings of the same source by one scheme.

    Trials of one person are combined first: summed, or the maximum for ``binary`` (and controls
    of it). Then each
    person counts once. ``count``, ``duration`` and ``first_pass``: every person's values are
    scaled to shares of their sum; the pooled value is the mean share, over the people to whom the
    token was shown, times the mean sum.
    ``binary``: the mean over the people to whom the token was shown, in 0..1. People without any
    signal do not count.

    Parameters
    ----------
    weights
        One per reading, equally long, of one scheme and unit.
    people
        Who read, one name per reading.

    Returns
    -------
    TokenWeights
        Exposed where any reading had the token on the screen; `n_people` counts people with any
        signal.

    Raises
    ------
    DataError
        Nothing to pool, or readings that differ in length, scheme or unit.
    ParameterError
        A scheme whose values cannot be pooled.

    Examples
    --------
    >>> def reading(*ms):
    ...     return TokenWeights(value=ms, on_path=np.array(ms) > 0, scheme="duration", unit="ms")
    >>> both = pool([reading(300, 100), reading(0, 200), reading(0, 200)], ["P1", "P2", "P2"])
    >>> both.value, both.n_people
    (array([150., 250.]), 2)
    """
    first = _checked(weights, people)
    names = sorted(set(people))
    of_person = [[w for w, who in zip(weights, people, strict=True) if who == n] for n in names]
    reduce = np.add if first.unit in _SUMMED else np.maximum
    value = np.array([reduce.reduce([w.value for w in mine]) for mine in of_person])
    shown: BoolArray = np.array(
        [np.logical_or.reduce([_exposed(w) for w in mine]) for mine in of_person]
    )
    signal = value.sum(axis=1) > 0
    mean = _mean_share if first.unit in _SUMMED else _mean_shown
    pooled = mean(value[signal], shown[signal])
    return TokenWeights(
        value=pooled,
        on_path=pooled > 0,
        scheme=first.scheme,
        unit=first.unit,
        exposed=np.logical_or.reduce(shown),
        n_people=int(signal.sum()),
        prior_sources=tuple(sorted({s for w in weights for s in w.prior_sources})),
    )


def _mean_share(value: FloatArray, shown: BoolArray) -> FloatArray:
    if not len(value):
        return np.zeros(value.shape[1])
    total = value.sum(axis=1, keepdims=True)
    return _mean_shown(value / total, shown) * float(total.mean())


def _mean_shown(value: FloatArray, shown: BoolArray) -> FloatArray:
    counted = np.where(shown, value, 0.0).sum(axis=0)
    pooled: FloatArray = counted / np.maximum(shown.sum(axis=0), 1)
    return pooled


def _exposed(weights: TokenWeights) -> BoolArray:
    if weights.exposed is None:
        return np.ones(len(weights), dtype=bool)
    return weights.exposed


def _checked(weights: Sequence[TokenWeights], people: Sequence[str]) -> TokenWeights:
    if not len(weights):
        raise DataError("no readings to pool; expected at least one")
    if len(weights) != len(people):
        raise DataError(
            f"{len(weights)} readings and {len(people)} names of people; expected one name each"
        )
    first = weights[0]
    if first.unit not in _SUMMED + _MAXED:
        raise ParameterError(
            f"values of scheme {first.scheme!r} cannot be pooled over people: their unit is "
            f"{first.unit!r}; choose a scheme whose unit is {', '.join(_SUMMED)} or 1"
        )
    for i, other in enumerate(weights):
        if len(other) != len(first):
            raise DataError(
                f"reading {i} has {len(other)} tokens, the first has {len(first)}; "
                "pool readings of one source only"
            )
        if (other.scheme, other.unit) != (first.scheme, first.unit):
            raise DataError(
                f"reading {i} is {other.scheme} in {other.unit}, the first is {first.scheme} in "
                f"{first.unit}; pool readings weighed by one scheme"
            )
    return first
