"""The scan path is laid along the words in the order of the text by dynamic time warping.

Carr et al. 2022, doi:10.3758/s13428-021-01554-0, their own. Every fixation is matched to one or
more words and every word to one or more fixations, both in order, so that the summed distance is
least; a fixation is on the line of its words. Assumes that the order of reading is the order of the
text: right on prose whatever the drift, unsafe on code.

Deviates: a fixation matched to as many words of two lines is on the upper one.

Cost: fixations x words, in time and in memory (one byte each): 5,000 fixations on 300 lines of 10
words take 0.3 s and 15 MB, ten times as many of both a hundred times that.
"""

import numpy as np

from gazecode.mapping.lines.geometry import Lines
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["warp"]

_BOTH, _FIXATION, _WORD = 0, 1, 2
"""What the last step of a path went on to: the next fixation and word, or one of them."""


def warp(xy_px: FloatArray, lines: Lines) -> IntArray:
    """Match fixations to words in the order of the text and take the line of the words.

    Parameters
    ----------
    xy_px
        ``(n, 2)`` fixations in the text's coordinates, in the order of time.
    lines
        The lines of the text, with their words.

    Returns
    -------
    ndarray
        ``(n,)`` index of a line.

    Examples
    --------
    Half a line too high, and still told apart by the return sweep:

    >>> from gazecode.model import Layout
    >>> boxes = [[0, 0, 30, 20], [90, 0, 130, 20], [0, 30, 40, 50], [90, 30, 130, 50]]
    >>> lines = Lines.of(
    ...     Layout(boxes=boxes, token=range(4), line=[0, 0, 1, 1], n_tokens=4, line_height_px=30)
    ... )
    >>> warp(np.array([[15.0, -5], [110, -6], [20, 20], [110, 24]]), lines)
    array([0, 0, 1, 1])
    """
    fixation, word = _path(xy_px, lines.word_xy_px)
    votes = np.zeros((len(xy_px), len(lines)), dtype=np.int64)
    np.add.at(votes, (fixation, lines.word_line[word]), 1)
    line: IntArray = votes.argmax(axis=1)
    return line


def _path(xy_px: FloatArray, words: FloatArray) -> tuple[IntArray, IntArray]:
    """Pairs (fixation, word) of the cheapest path, last first."""
    n, w = len(xy_px), len(words)
    moves = _moves(xy_px, words)
    i, j = n - 1, w - 1
    pairs = [(i, j)]
    while i or j:
        move = moves[i, j]
        i -= int(move != _WORD)
        j -= int(move != _FIXATION)
        pairs.append((i, j))
    fixation, word = np.array(pairs).T
    return fixation, word


def _moves(
    xy_px: FloatArray, words: FloatArray
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int8]]":
    """``(n, w)`` last step of the cheapest path to each pair; equals prefer the diagonal.

    Pairs whose indices have the same sum do not depend on each other: one diagonal at a time.
    """
    n, w = len(xy_px), len(words)
    moves = np.empty((n, w), dtype=np.int8)
    flat = moves.reshape(-1)
    x, y = np.ascontiguousarray(xy_px.T)
    word_x, word_y = np.ascontiguousarray(words[::-1].T)
    # Cost by fixation, shifted by one: the first place stands for "before all", never reached.
    last, before = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    before[0] = 0.0
    for total in range(n + w - 1):
        low, high = max(0, total - w + 1), min(n, total + 1)
        along = slice(w - 1 - total + low, w - 1 - total + high)
        gap = np.hypot(x[low:high] - word_x[along], y[low:high] - word_y[along])
        both, fixation, word = before[low:high], last[low:high], last[low + 1 : high + 1]
        cheaper = fixation < both
        least = np.minimum(both, fixation)
        move = np.where(word < least, np.int8(_WORD), cheaper.view(np.int8))
        np.minimum(least, word, out=least)
        before[low + 1 : high + 1] = least + gap
        before[low] = np.inf
        begin = low * w + total - low
        flat[begin : begin + (high - low - 1) * (w - 1) + 1 : max(w - 1, 1)] = move
        last, before = before, last
    return moves
