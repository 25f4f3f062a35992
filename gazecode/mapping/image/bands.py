"""Lines of a picture as bands of ink, and which line of a text is which band."""

from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Paired", "bands_of_rows", "cut_bands", "match_in_order"]

_LEAST_HEIGHT = 4  # px; what is flatter is no line of letters by itself
_NEAR = 0.3  # of a band's height: dots of i and rows of = or _ belong to what is so near
_SKIPPED_BAND = 0.15  # of its size: what a band that is no line of the text costs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paired:
    """Rows of a text and bands of a picture.

    Attributes
    ----------
    row
        ``(k,)`` rows of the text that are not blank.
    band
        ``(k,)`` the band each is on, -1 for none.
    edges
        ``(b, 2)`` top and bottom of the bands, px.
    """

    row: IntArray
    band: IntArray
    edges: IntArray


def cut_bands(ink: FloatArray) -> IntArray:
    """Top and bottom row of pixels (exclusive) of each band of ink, ``(b, 2)``."""
    inked = np.flatnonzero(ink.sum(axis=1) > 1.0)
    if not len(inked):
        return np.empty((0, 2), dtype=np.int64)
    cuts = np.flatnonzero(np.diff(inked) > 1)
    top = inked[np.concatenate(([0], cuts + 1))]
    bottom = inked[np.concatenate((cuts, [len(inked) - 1]))] + 1
    tall = (bottom - top)[bottom - top >= _LEAST_HEIGHT]
    near = _NEAR * float(np.median(tall)) if len(tall) else 1.0
    apart = np.flatnonzero(top[1:] - bottom[:-1] > near)
    first, last = np.concatenate(([0], apart + 1)), np.concatenate((apart, [len(top) - 1]))
    return np.stack([top[first], bottom[last]], axis=1)


def match_in_order(cost: FloatArray, row_size: FloatArray, band_size: FloatArray) -> FloatArray:
    """Cost of the cheapest way to pair rows and bands in order, for every row and band.

    Parameters
    ----------
    cost
        ``(r, b, ...)`` of a row on a band; more axes are more problems at once.
    row_size, band_size
        ``(r,)`` and ``(b, ...)``: a row without band costs its size, a band without row a share.

    Returns
    -------
    ``(r + 1, b + 1, ...)``: the last row and band hold the whole.
    """
    n, m = cost.shape[:2]
    total = np.zeros((n + 1, m + 1, *cost.shape[2:]))
    skip = _SKIPPED_BAND * band_size
    total[0, 1:] = np.cumsum(skip, axis=0)
    for i in range(1, n + 1):
        total[i, 0] = total[i - 1, 0] + row_size[i - 1]
        either = np.minimum(total[i - 1, :-1] + cost[i - 1], total[i - 1, 1:] + row_size[i - 1])
        for j in range(1, m + 1):
            total[i, j] = np.minimum(either[j - 1], total[i, j - 1] + skip[j - 1])
    return total


def bands_of_rows(cost: FloatArray, row_size: FloatArray, band_size: FloatArray) -> IntArray:
    """The band of each row, -1 for none, ``(r,)``.

    Examples
    --------
    >>> sizes = np.array([9.0, 4.0]), np.array([3.0, 9.0, 4.0])
    >>> cost = np.abs(sizes[0][:, None] - sizes[1])
    >>> bands_of_rows(cost, *sizes).tolist()
    [1, 2]
    """
    total = match_in_order(cost, row_size, band_size)
    i, j = cost.shape
    band = np.full(i, -1, dtype=np.int64)
    while i and j:
        if np.isclose(total[i, j], total[i - 1, j - 1] + cost[i - 1, j - 1], rtol=0, atol=1e-9):
            i, j = i - 1, j - 1
            band[i] = j
        elif np.isclose(total[i, j], total[i - 1, j] + row_size[i - 1], rtol=0, atol=1e-9):
            i -= 1
        else:
            j -= 1
    return band
