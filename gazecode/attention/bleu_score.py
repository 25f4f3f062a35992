"""BLEU of a regenerated answer, computed by nltk with its edges made safe.

Papineni et al. 2002 (ACL, P02-1040) for the score, Chen and Cherry 2014 (WMT, W14-3346) for the
smoothing, whose methods nltk numbers. Words are what white space separates, as in Kou et al. 2024
(FSE, 10.1145/3660807).
"""

import warnings

from gazecode.errors import ParameterError

__all__ = ["SMOOTHINGS", "bleu"]

SMOOTHINGS = ("method0", "method1", "method2", "method3")
"""Of nltk's ``SmoothingFunction``; ``method0`` is none. The others fail on short texts."""


def bleu(
    original: str, answer: str, *, order: int = 4, smoothing: str = "method1", short: bool = True
) -> float:
    """Return how much of the original text a new one repeats, from 0 to 1.

    Parameters
    ----------
    original
        The reference.
    answer
        The text that is judged.
    order
        Longest n-gram; all lengths up to it count alike.
    smoothing
        One of `SMOOTHINGS`: what an n-gram length without a hit counts.
    short
        Count no n-gram longer than the original is: otherwise a text of fewer than `order` words
        is never like itself.

    Returns
    -------
    float
        1 where both texts have the same words, or none; 0 where only one has any.

    Raises
    ------
    ParameterError
        An unknown smoothing, or an order below 1.

    Examples
    --------
    >>> bleu("return a", "return a")
    1.0
    >>> bleu("return a + b", "raise x")
    0.0
    >>> round(bleu("if a : return b", "if a : return c"), 4)
    0.6687
    """
    if smoothing not in SMOOTHINGS:
        raise ParameterError.unknown("smoothing", smoothing, SMOOTHINGS)
    if order < 1:
        raise ParameterError(f"order is {order}; expected 1 or more")
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    reference, candidate = original.split(), answer.split()
    if not reference or not candidate:
        return float(reference == candidate)
    length = min(order, len(reference)) if short else order
    if short and reference == candidate:
        return 1.0
    with warnings.catch_warnings():
        # nltk says that a length without a hit makes the score 0: that is the definition.
        warnings.simplefilter("ignore")
        score = sentence_bleu(
            [reference],
            candidate,
            weights=(1 / length,) * length,
            smoothing_function=getattr(SmoothingFunction(), smoothing),
        )
    # Without smoothing nltk puts the smallest float in place of a zero.
    return min(max(float(score), 0.0), 1.0) if score > 1e-12 else 0.0
