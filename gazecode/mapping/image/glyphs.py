"""Which character of a line is which cell of ink, where the text and the picture differ.

Nothing is recognised: every character of the lines that do fit shows what it looks like in this
picture, and a line that does not fit is laid beside its cells by those looks, characters left out
or put in as the best path has it (S. B. Needleman and C. D. Wunsch 1970,
doi:10.1016/0022-2836(70)90057-4).
"""

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["align", "look_at", "looks_of"]

_ROWS, _COLUMNS = 14, 9  # of a look
_UNKNOWN = 0.5  # likeness of a character never seen
_LEFT_OUT = 0.35  # what a character or a cell without partner costs
_BELOW = 0.45  # likeness under which two are rather no partners


def look_at(
    ink: FloatArray, left_px: FloatArray, middle_px: FloatArray, char_px: float, reach_px: float
) -> FloatArray:
    """The ink of cells, each as a unit vector of mean 0: ``(n, _ROWS * _COLUMNS)``."""
    from scipy import ndimage

    across = left_px[:, None] + char_px * (np.arange(_COLUMNS) + 0.5) / _COLUMNS
    down = middle_px[:, None] + reach_px * (2 * (np.arange(_ROWS) + 0.5) / _ROWS - 1)
    shape = (len(left_px), _ROWS, _COLUMNS)
    places = np.stack(
        [np.broadcast_to(down[:, :, None], shape), np.broadcast_to(across[:, None, :], shape)]
    )
    patches = ndimage.map_coordinates(ink, places - 0.5, order=1, prefilter=False)
    return _unit(patches.reshape(len(left_px), -1).astype(np.float64))


def looks_of(chars: list[str], patches: FloatArray) -> dict[str, FloatArray]:
    """What each character looks like: the median of its patches."""
    names, number = np.unique(np.array(chars, dtype=object), return_inverse=True)
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(number))[:-1])
    return {
        str(name): _unit(np.median(patches[group], axis=0)[None])[0]
        for name, group in zip(names.tolist(), groups, strict=True)
    }


def _unit(patches: FloatArray) -> FloatArray:
    patches = patches - patches.mean(axis=1, keepdims=True)
    unit: FloatArray = patches / np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-9)
    return unit


def likeness(chars: list[str], patches: FloatArray, looks: dict[str, FloatArray]) -> FloatArray:
    """Correlation of each character with each cell, ``(characters, cells)``."""
    alike = np.full((len(chars), len(patches)), _UNKNOWN)
    for i, char in enumerate(chars):
        if char in looks:
            alike[i] = patches @ looks[char]
    return alike


def align(chars: list[str], patches: FloatArray, looks: dict[str, FloatArray]) -> IntArray:
    """The cell of each character, or -1, in order, by the best path.

    Examples
    --------
    >>> one, two = np.eye(2)
    >>> align(["a", "b"], np.stack([one, one, two]), {"a": one, "b": two}).tolist()
    [1, 2]
    """
    gain = likeness(chars, patches, looks) - _BELOW
    n, m = gain.shape
    best = np.zeros((n + 1, m + 1))
    best[1:, 0] = -_LEFT_OUT * np.arange(1, n + 1)
    # Cells before the first and after the last character cost little: they may be no text.
    free = 0.1 * _LEFT_OUT
    best[0, 1:] = -free * np.arange(1, m + 1)
    for i in range(1, n + 1):
        skip = free if i == n else _LEFT_OUT
        for j in range(1, m + 1):
            best[i, j] = max(
                best[i - 1, j - 1] + gain[i - 1, j - 1],
                best[i - 1, j] - _LEFT_OUT,
                best[i, j - 1] - skip,
            )
    return _walk_back(best, gain)


def _walk_back(best: FloatArray, gain: FloatArray) -> IntArray:
    n, m = gain.shape
    cell = np.full(n, -1, dtype=np.int64)
    i, j = n, m
    while i and j:
        if np.isclose(best[i, j], best[i - 1, j - 1] + gain[i - 1, j - 1], rtol=0, atol=1e-9):
            i, j = i - 1, j - 1
            cell[i] = j
        elif np.isclose(best[i, j], best[i - 1, j] - _LEFT_OUT, rtol=0, atol=1e-9):
            i -= 1
        else:
            j -= 1
    return cell
