"""Programs that go by a token's text: how rare it is, whether it is new, what it is linked to."""

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.token_classes import identifiers, text_numbers
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["WORDS"]


def inverse_frequency(tokens: SourceTokens, known: Known) -> FloatArray:
    """The rarer the text in other files, the more: 1 / (1 + occurrences there)."""
    return np.asarray(1.0 / (1.0 + _occurrences(tokens, known)))


def surprisal(tokens: SourceTokens, known: Known) -> FloatArray:
    """``-ln p`` of the text in other files, add-one, one place kept for all it has never met."""
    total = known.n_tokens + len(known.frequency) + 1
    return np.asarray(np.log(total) - np.log1p(_occurrences(tokens, known)))


def rare_here(tokens: SourceTokens, _known: Known) -> FloatArray:
    """The rarer the text in this file, the more: 1 / occurrences in it."""
    return np.asarray(1.0 / _here(tokens))


def surprisal_here(tokens: SourceTokens, _known: Known) -> FloatArray:
    """``-ln p`` of the text in this file, p its share of the tokens."""
    return np.asarray(np.log(max(len(tokens), 1)) - np.log(_here(tokens)))


def first_occurrence(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Identifiers where the file names them for the first time."""
    first = np.zeros(len(tokens))
    first[np.unique(text_numbers(tokens), return_index=True)[1]] = 1.0
    return first * identifiers(tokens)


def repeated_identifiers(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Identifiers by how often the file names them again: occurrences - 1."""
    return np.asarray((_here(tokens) - 1.0) * identifiers(tokens))


def definitions(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Names where they are defined."""
    return np.asarray(tokens.definition == np.arange(len(tokens)), dtype=np.float64)


def uses(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Names of this file where they are used."""
    defined = tokens.definition
    return np.asarray((defined >= 0) & (defined != np.arange(len(tokens))), dtype=np.float64)


def often_used(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Definitions by how often the file uses them."""
    return np.bincount(tokens.links[:, 0], minlength=len(tokens)).astype(np.float64)


def _occurrences(tokens: SourceTokens, known: Known) -> FloatArray:
    found = (known.frequency.get(text, 0) for text in tokens.texts)
    return np.fromiter(found, dtype=np.float64, count=len(tokens))


def _here(tokens: SourceTokens) -> IntArray:
    """``(m,)`` tokens of the same text, itself included."""
    number = text_numbers(tokens)
    return np.asarray(np.bincount(number, minlength=1)[number])


WORDS = {
    program.__name__: program
    for program in (
        *(inverse_frequency, surprisal, rare_here, surprisal_here),
        *(first_occurrence, repeated_identifiers, definitions, uses, often_used),
    )
}
