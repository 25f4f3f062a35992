"""Medians of few values, and what they say of a spread."""

import numpy as np

from gazecode.model.checks import FloatArray

__all__ = ["MAD_TO_SD", "median"]

MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


def median(values: FloatArray) -> float:
    """Median of at least one value, none NaN; for few values at a tenth of `np.median`'s price.

    >>> median(np.array([4.0, 1.0, 2.0, 9.0]))
    3.0
    """
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    low, high = np.partition(values, (half - 1, half))[half - 1 : half + 1].tolist()
    return float(low + high) / 2
