"""Programs that go by the kind of token: one class of words, or all but one."""

import numpy as np

from gazecode.agreement.programs import token_classes
from gazecode.agreement.programs.known import Known
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["KINDS"]


def identifiers_only(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Names alone, alike."""
    return _one(token_classes.identifiers(tokens))


def keywords(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Words of the language alone."""
    return _one(token_classes.keywords(tokens))


def literals(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Numbers, strings and constants alone."""
    return _one(token_classes.literals(tokens))


def operators(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Operators alone."""
    return _one(token_classes.operators(tokens))


def punctuation(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Brackets and separators alone."""
    return _one(token_classes.punctuation(tokens))


def comments(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Comments alone."""
    return _one(token_classes.comments(tokens))


def punctuation_off(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Everything but brackets and separators."""
    return _one(~token_classes.punctuation(tokens))


def code_only(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Everything but comments."""
    return _one(~token_classes.comments(tokens))


def _one(chosen: BoolArray) -> FloatArray:
    return chosen.astype(np.float64)


KINDS = {
    program.__name__: program
    for program in (
        *(identifiers_only, keywords, literals, operators, punctuation, comments),
        *(punctuation_off, code_only),
    )
}
