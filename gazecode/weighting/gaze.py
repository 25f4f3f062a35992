"""Weights from gaze: how often, how long, how long the first time, or whether at all.

``count``       fixations (soft ones by their share)
``duration``    total time, ms
``first_pass``  first-pass time, ms: from entering a token until leaving it for the first time;
                gaze duration of Rayner 1998, doi:10.1037/0033-2909.124.3.372
``binary``      1 where there was a fixation
"""

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Hits, SourceTokens, TokenWeights
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["weigh_binary", "weigh_count", "weigh_duration", "weigh_first_pass"]


def weigh_count(hits: Hits, tokens: SourceTokens) -> TokenWeights:
    """Fixations on each token; shares are summed."""
    _must_be_hits(hits, "count")
    return _weights(hits, tokens, hits.share, scheme="count", unit="fixations")


def weigh_duration(hits: Hits, tokens: SourceTokens) -> TokenWeights:
    """Total time on each token, ms: share times duration."""
    _must_be_hits(hits, "duration")
    spent = hits.share * hits.duration_ms[hits.fixation]
    return _weights(hits, tokens, spent, scheme="duration", unit="ms")


def weigh_first_pass(hits: Hits, tokens: SourceTokens) -> TokenWeights:
    """Time of the first visit of each token, ms.

    A visit is a run of consecutive fixations that all have a share on the token; it counts share
    times duration. Any fixation without a share on the token ends it, between tokens or off the
    code included, but not a fixation whose position was lost, which tells of no leaving.

    Prose adds "only if nothing later in the text was fixated before". Code has no one reading
    order, so that condition is not made here: the first visit counts whenever it happens.
    """
    _must_be_hits(hits, "first_pass")
    spent = hits.share * hits.duration_ms[hits.fixation]
    spent = np.where(_in_first_visit(hits), spent, 0.0)
    return _weights(hits, tokens, spent, scheme="first_pass", unit="ms")


def weigh_binary(hits: Hits, tokens: SourceTokens) -> TokenWeights:
    """1 for tokens with any fixation, however small its share."""
    _must_be_hits(hits, "binary")
    counted = _weights(hits, tokens, hits.share, scheme="binary", unit="1")
    return TokenWeights(
        value=counted.on_path.astype(np.float64),
        on_path=counted.on_path,
        scheme="binary",
        unit="1",
        exposed=counted.exposed,
    )


def _must_be_hits(hits: object, scheme: str) -> None:
    if not isinstance(hits, Hits):
        raise ParameterError(
            f"scheme {scheme!r} weighs gaze (Hits), found {type(hits).__name__}; "
            "for a pseudo scan path use scheme='eyemulator' with priors"
        )


def _weights(
    hits: Hits, tokens: SourceTokens, part: FloatArray, *, scheme: str, unit: str
) -> TokenWeights:
    """Sum what each hit adds to its token."""
    if hits.n_tokens != len(tokens):
        raise DataError(
            f"hits count {hits.n_tokens} tokens, the source has {len(tokens)}; "
            "pass the tokens of the layout that the hits were mapped with"
        )
    value = np.bincount(hits.token, weights=part, minlength=len(tokens)).astype(np.float64)
    return TokenWeights(
        value=value, on_path=value > 0, scheme=scheme, unit=unit, exposed=hits.exposed
    )


def _in_first_visit(hits: Hits) -> BoolArray:
    """``(h,)`` whether a hit belongs to the first run of fixations on its token."""
    # Number fixations without the lost ones: what is left is consecutive as gaze saw it.
    seen = np.cumsum(hits.status != "lost")
    at: IntArray = seen[hits.fixation]
    order = np.lexsort((at, hits.token))
    token, at = hits.token[order], at[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = token[1:] != token[:-1]
    entered = fresh.copy()
    entered[1:] |= at[1:] > at[:-1] + 1
    visit = np.cumsum(entered)
    first_visit = visit[fresh][np.cumsum(fresh) - 1] if len(order) else visit
    inside: BoolArray = np.empty(len(order), dtype=bool)
    inside[order] = visit == first_visit
    return inside
