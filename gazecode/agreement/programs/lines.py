"""Lines of a source as programs ask for them."""

import numpy as np

from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["first_of_line", "last_of_line", "widths"]


def first_of_line(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` tokens that are the first of their line; tokens are in text order."""
    row = tokens.row
    return np.concatenate([np.ones(min(len(row), 1), dtype=bool), row[1:] != row[:-1]])


def last_of_line(tokens: SourceTokens) -> BoolArray:
    """``(m,)`` tokens that are the last of their line."""
    row = tokens.row
    return np.concatenate([row[1:] != row[:-1], np.ones(min(len(row), 1), dtype=bool)])


def widths(tokens: SourceTokens) -> FloatArray:
    """``(m,)`` characters of each token's longest line."""
    longest = (max(map(len, text.split("\n"))) for text in tokens.texts)
    return np.fromiter(longest, dtype=np.float64, count=len(tokens))
