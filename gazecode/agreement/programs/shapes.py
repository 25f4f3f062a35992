"""Programs that go by how a token, or its line, looks: length and depth."""

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.token_classes import identifiers
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray

__all__ = ["SHAPES", "lengths"]


def lengths(tokens: SourceTokens) -> FloatArray:
    """``(m,)`` characters per token."""
    return np.fromiter(map(len, tokens.texts), dtype=np.float64, count=len(tokens))


def token_length(tokens: SourceTokens, _known: Known) -> FloatArray:
    """In proportion to the token's characters: what gaze at chance does."""
    return lengths(tokens)


def short_tokens(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The shorter, the more: 1 / characters."""
    return np.asarray(1.0 / lengths(tokens))


def long_identifiers(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Identifiers by their length beyond the shortest one of the file."""
    name, length = identifiers(tokens), lengths(tokens)
    shortest = length[name].min() if name.any() else 0.0
    return np.where(name, length - shortest, 0.0)


def long_lines(tokens: SourceTokens, _known: Known) -> FloatArray:
    """By the characters of the token's line, white space left out."""
    line = np.unique(tokens.row, return_inverse=True)[1]
    return np.asarray(np.bincount(line, weights=lengths(tokens), minlength=1)[line], dtype=float)


def deep_nesting(tokens: SourceTokens, _known: Known) -> FloatArray:
    """By depth in the syntax tree: in proportion to the number of ancestors."""
    return _depth(tokens)


def shallow(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The fewer ancestors, the more: 1 / (1 + ancestors)."""
    return np.asarray(1.0 / (1.0 + _depth(tokens)))


def _depth(tokens: SourceTokens) -> FloatArray:
    return np.fromiter(map(len, tokens.path), dtype=np.float64, count=len(tokens))


SHAPES = {
    program.__name__: program
    for program in (
        *(token_length, short_tokens, long_identifiers, long_lines),
        *(deep_nesting, shallow),
    )
}
