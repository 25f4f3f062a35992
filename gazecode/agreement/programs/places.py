"""Programs that go by where a token stands, whatever it says."""

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.lines import first_of_line, last_of_line, widths
from gazecode.agreement.seeding import text_generator
from gazecode.model import SourceTokens
from gazecode.model.checks import Array, FloatArray

__all__ = ["PLACES"]


def uniform(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Everywhere alike."""
    return np.ones(len(tokens))


def first_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The first token alone: an attention sink."""
    return np.asarray(np.arange(len(tokens)) == 0, dtype=np.float64)


def last_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The last token alone."""
    return np.asarray(np.arange(len(tokens)) == len(tokens) - 1, dtype=np.float64)


def random_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """One token drawn by the text of the file: the same whenever it is asked."""
    drawn = text_generator(tokens.code).integers(max(len(tokens), 1))
    return np.asarray(np.arange(len(tokens)) == drawn, dtype=np.float64)


def random_values(tokens: SourceTokens, _known: Known) -> FloatArray:
    """A number between 0 and 1 per token, drawn by the text of the file."""
    return text_generator(tokens.code).random(len(tokens))


def earlier(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The earlier in the text, the more: falls by the same step from token to token."""
    return np.arange(len(tokens), 0, -1, dtype=np.float64)


def later(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The later in the text, the more."""
    return np.arange(1, len(tokens) + 1, dtype=np.float64)


def line_start(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The first token of each line."""
    return first_of_line(tokens).astype(np.float64)


def line_end(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The last token of each line."""
    return last_of_line(tokens).astype(np.float64)


def centre_of_line(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The middle of each line: 1 where a token's middle is the line's, 0 at the line's ends."""
    middle = tokens.column + widths(tokens) / 2
    left, right = (
        _of_line(tokens, tokens.column),
        -_of_line(tokens, -tokens.column - widths(tokens)),
    )
    half = (right - left) / 2
    return np.asarray(1 - np.abs(middle - (left + right) / 2) / np.maximum(half, 0.5)).clip(0)


def centre_of_code(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The middle of the block of code: a Gaussian, its sd a quarter of the height and width.

    People look at the middle of any picture first (Tatler 2007, doi:10.1167/7.14.4).
    """
    away = np.zeros(len(tokens))
    for place in (tokens.row, tokens.column + widths(tokens) / 2):
        span = np.ptp(place) if len(place) else 0.0
        if span > 0:
            away += ((place - place.min() - span / 2) / (span / 4)) ** 2
    return np.asarray(np.exp(-away / 2))


def left(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The further left, the more: 1 / (1 + column)."""
    return np.asarray(1.0 / (1.0 + tokens.column))


def right(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The further right, the more: in proportion to 1 + column, in characters."""
    return np.asarray(1.0 + tokens.column)


def _of_line(tokens: SourceTokens, values: Array) -> FloatArray:
    """The least value of each token's line."""
    line = np.unique(tokens.row, return_inverse=True)[1]
    least = np.full(line.max(initial=-1) + 1, np.inf)
    np.minimum.at(least, line, values)
    return np.asarray(least[line])


PLACES = {
    program.__name__: program
    for program in (
        *(uniform, first_token, last_token, random_token, random_values, earlier, later),
        *(line_start, line_end, centre_of_line, centre_of_code, left, right),
    )
}
