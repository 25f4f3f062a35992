"""How a weight comes to the loss: gaze lies on the code that was read, the loss often elsewhere.

``source_lm``     the loss lies on the code that was read; its own weights apply
``answer_prior``  the answer is code and has weights of its own, by human-attention priors
``copy``          a token of the answer takes the mean value of the tokens of the code with its text
``attention``     all weights are 1.0: gaze supervises attention heads, not the loss
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.alignment.routes.matching import WORD, Known, matched
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import TokenBatch, TokenWeights
from gazecode.model.checks import IntArray
from gazecode.registry import Registry

__all__ = ["LOSS_WEIGHT", "ROUTES", "Reading", "Routed", "exposed_of", "route_of", "words"]

LOSS_WEIGHT = "loss weight"
"""Unit of values that are weights already: off the path they are neutral, not gaze."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """``d`` sources with their values, and their answers.

    Attributes
    ----------
    source, weights
        Tokens of the code that was read, and their values.
    answer
        Tokens of the answers; None where they have none.
    answer_weights
        Values of these; None if nobody gave any.
    prose
        Whether the tokens of the answers are words of prose.
    """

    source: TokenBatch
    weights: TokenWeights
    answer: TokenBatch | None = None
    answer_weights: TokenWeights | None = None
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routed:
    """Which tokens carry weight.

    Attributes
    ----------
    weighs_source
        Whether those of the code do.
    answer
        Values of the tokens of the answers; those not exposed carry none.
    said
        ``(d,)`` counts for the report.
    """

    weighs_source: bool = True
    answer: TokenWeights | None = None
    said: dict[str, IntArray] = field(default_factory=dict)


Route = Callable[[Reading], Routed]


def source_lm(reading: Reading) -> Routed:
    """Let the code that was read carry its own weights."""
    return Routed(answer=_silent(reading))


def attention(reading: Reading) -> Routed:
    """Let nothing carry weight."""
    return Routed(weighs_source=False, answer=_silent(reading))


def answer_prior(reading: Reading) -> Routed:
    """Let the answer carry its own weights, and the code none.

    Raises
    ------
    ParameterError
        There are no weights of the answer.
    AlignmentError
        They are those of other tokens.
    """
    given, tokens = reading.answer_weights, reading.answer
    if given is None or tokens is None:
        raise ParameterError(
            "route 'answer_prior' needs the tokens of the answer and their weights; give "
            "answer=parse(...) and answer_weights=weigh(...)"
        )
    if len(given) != len(tokens):
        raise AlignmentError(
            f"there are {len(given)} values and {len(tokens)} tokens of the answer; "
            "pass the tokens that the values were made for"
        )
    return Routed(weighs_source=False, answer=given)


def copy(reading: Reading) -> Routed:
    """Give each token of the answer the mean value of the code's tokens with the same text.

    The mean is taken over tokens that were on the screen. A word of prose that is no token of the
    code is looked up once more, without case, among the identifiers and their parts
    (``getUserName``: get, user, name); a part has its share of the identifier's value by
    characters, or all of it if the values are loss weights. Words of one character match nothing in
    prose: most are articles. What is not found is not exposed, and so stays at 1.0.

    Raises
    ------
    ParameterError
        There is no answer.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> code = TokenBatch.of([parse("getUserName()", "python")])
    >>> gaze = TokenWeights(value=[110, 5, 0], on_path=[True] * 3, scheme="duration", unit="ms")
    >>> answer = words(["Returns the name of the user"])
    >>> copied = copy(Reading(source=code, weights=gaze, answer=answer, prose=True))
    >>> copied.answer.value, copied.said
    (array([ 0.,  0., 40.,  0.,  0., 40.]), {'copied': array([2]), 'unmatched': array([4])})
    """
    if reading.answer is None:
        raise ParameterError("route 'copy' needs an answer; give it with answer=...")
    answer, weights = reading.answer, reading.weights
    known = Known(
        tokens=reading.source,
        value=weights.value,
        exposed=exposed_of(weights),
        on_path=weights.on_path,
        divides=weights.unit != LOSS_WEIGHT,
    )
    taken = matched(known, answer, prose=reading.prose)
    nothing = 1.0 if weights.unit == LOSS_WEIGHT else 0.0
    own, n = answer.source, answer.n_sources
    return Routed(
        answer=TokenWeights(
            value=np.where(taken.found, taken.value, nothing),
            on_path=taken.found & taken.on_path,
            exposed=taken.found,
            scheme=weights.scheme,
            unit=weights.unit,
            n_people=weights.n_people,
            prior_sources=weights.prior_sources,
        ),
        said={
            "copied": np.bincount(own[taken.found], minlength=n),
            "unmatched": np.bincount(own[~taken.found], minlength=n),
        },
    )


ROUTES: Registry[Route] = Registry(
    "routes",
    {
        "source_lm": source_lm,
        "answer_prior": answer_prior,
        "copy": copy,
        "attention": attention,
    },
)


def route_of(route: str | None, answer_weights: TokenWeights | None) -> str:
    """Name of the route: that asked for, or what fits what was given.

    >>> route_of(None, None)
    'source_lm'
    """
    if route is None:
        return "source_lm" if answer_weights is None else "answer_prior"
    if route not in ROUTES:
        raise ParameterError.unknown("routes", route, ROUTES)
    if answer_weights is not None and route != "answer_prior":
        raise ParameterError(
            f"answer_weights are given and route is {route!r}; only 'answer_prior' uses them"
        )
    return route


def words(texts: Sequence[str]) -> TokenBatch:
    """Words of prose as tokens: the longest runs of characters of an identifier.

    >>> batch = words(["Adds x to userName."])
    >>> [batch.code[a:b].decode() for a, b in batch.span]
    ['Adds', 'x', 'to', 'userName']
    """
    raw = [text.encode() for text in texts]
    code_start = np.cumsum([0, *map(len, raw)])
    spans, count = [], []
    for text, first in zip(texts, code_start.tolist(), strict=False):
        found = [match.span() for match in WORD.finditer(text)]
        count.append(len(found))
        if not text.isascii():
            found = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in found]
        spans += [(first + a, first + b) for a, b in found]
    return TokenBatch(
        code=b"".join(raw),
        code_start=code_start,
        token_start=np.cumsum([0, *count]),
        span=np.array(spans, dtype=np.int64).reshape(-1, 2),
        row=np.zeros(len(spans), dtype=np.int64),
        label=np.zeros(len(spans), dtype=np.int8),
    )


def exposed_of(weights: TokenWeights) -> Any:
    """``(m,)`` tokens that were on the screen."""
    return np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed


def _silent(reading: Reading) -> TokenWeights | None:
    """Tokens of an answer of which nothing is known."""
    if reading.answer is None:
        return None
    m, weights = len(reading.answer), reading.weights
    return TokenWeights(
        value=np.full(m, 1.0 if weights.unit == LOSS_WEIGHT else 0.0),
        on_path=np.zeros(m, dtype=bool),
        exposed=np.zeros(m, dtype=bool),
        scheme=weights.scheme,
        unit=weights.unit,
    )
