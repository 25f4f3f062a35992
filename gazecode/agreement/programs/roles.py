"""Programs that go by the semantic label of a token (Zhang et al., doi:10.1145/3643732)."""

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray

__all__ = ["ROLES"]


def label_theta(tokens: SourceTokens, known: Known) -> FloatArray:
    """``E[theta]`` of the label, learnt from other people and files; the mean of all if unmet."""
    theta = (known.theta.get(label, known.mean_theta) for label in tokens.label)
    return np.fromiter(theta, dtype=np.float64, count=len(tokens))


def calls(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Function calls alone."""
    return _labelled(tokens, "function call")


def control_flow(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Loops, conditions and what they decide."""
    return _labelled(tokens, "loop", "conditional statement", "conditional block")


def conditions(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Conditions alone."""
    return _labelled(tokens, "conditional statement")


def loops(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Loops alone."""
    return _labelled(tokens, "loop")


def signatures(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Heads of functions with their parameters."""
    return _labelled(tokens, "function declaration", "parameter")


def declarations(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Declarations of variables."""
    return _labelled(tokens, "variable declaration")


def returns(tokens: SourceTokens, _known: Known) -> FloatArray:
    """What is returned."""
    return _labelled(tokens, "return")


def unlabelled(tokens: SourceTokens, _known: Known) -> FloatArray:
    """What no label fits, most of it punctuation."""
    return _labelled(tokens, "")


def _labelled(tokens: SourceTokens, *labels: str) -> FloatArray:
    return np.isin(tokens.label.astype(str), labels).astype(np.float64)


ROLES = {
    program.__name__: program
    for program in (
        *(label_theta, calls, control_flow, conditions, loops, signatures, declarations),
        *(returns, unlabelled),
    )
}
