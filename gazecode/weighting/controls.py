"""What a gain from gaze must beat: weights that keep everything about it but where it lies.

Each control is a scheme made from another one, named by `of`, and keeps in every example the
number of weighted tokens (those on the path) and the mean of the weights:

``control_permuted``            weights permuted within the example
``control_permuted_bins``       ... within bins of length × frequency of the token
``control_permuted_position``   ... within bins of position
``control_permuted_labels``     theta permuted over labels (one permutation per seed)
``control_other_people``        values from the priors of other people
``control_uniform``             every weighted token gets the mean

Permutations depend on `seed` and the source's bytes alone: two readings of one source are permuted
alike, so that readers still agree with each other, on the wrong tokens. A claim about gaze takes
at least five seeds, a paired interval, and reports all of them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import N_LABELS, Hits, LabelPriors, ScanPath, SourceTokens, TokenBatch
from gazecode.model import TokenWeights as Weights
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.draws import token_draws
from gazecode.registry import check_parameters
from gazecode.weighting.eyemulator import as_batch

__all__ = [
    "control_other_people",
    "control_permuted",
    "control_permuted_bins",
    "control_permuted_labels",
    "control_permuted_position",
    "control_uniform",
]

Signal = Hits | ScanPath
Tokens = SourceTokens | TokenBatch

BY_THETA = ("eyemulator", "salience")
"""Schemes whose values hold theta."""


def control_permuted(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "duration",
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Permute the weights of scheme `of` among the tokens of each source that were shown.

    Parameters
    ----------
    hits, tokens, priors, of_params
        What scheme `of` takes; `of_params` are its other parameters by name.
    of
        Any scheme that is not a control.
    seed
        The permutation depends on this and on the source's bytes.

    Returns
    -------
    TokenWeights
        The same values on other tokens, in the unit of `of`; tokens never shown keep theirs.
    """
    base = _base(hits, tokens, of, priors, of_params)
    batch = as_batch(tokens)
    return _permuted(base, batch, np.zeros(len(batch), dtype=np.int64), seed, "control_permuted")


def control_permuted_bins(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "duration",
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
    text_counts: Mapping[str, int] | None = None,
) -> Weights:
    """As `control_permuted`, among tokens alike in length and frequency.

    Bins are powers of two: 1, 2-3, 4-7, ... characters, by 1, 2-3, 4-7, ... occurrences.
    `text_counts` says how often each text occurs (in a corpus); left out, occurrences are counted
    within the source, so that the result does not depend on what it is weighed together with.
    """
    base = _base(hits, tokens, of, priors, of_params)
    batch = as_batch(tokens)
    count = _occurrences(batch, text_counts)
    # Exponents of two: frexp gives one more than the logarithm, for every number of 1 or more.
    length, often = (np.frexp(np.maximum(v, 1))[1] for v in (_characters(batch), count))
    return _permuted(base, batch, length * 64 + often, seed, "control_permuted_bins")


def control_permuted_position(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "duration",
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
    n_bins: int = 10,
) -> Weights:
    """As `control_permuted`, among tokens of the same part of the source, of `n_bins`."""
    if n_bins < 1:
        raise ParameterError(f"n_bins is {n_bins}; expected 1 or more")
    base = _base(hits, tokens, of, priors, of_params)
    batch = as_batch(tokens)
    size = np.diff(batch.token_start)
    at = np.arange(len(batch)) - np.repeat(batch.token_start[:-1], size)
    part = at * n_bins // np.maximum(np.repeat(size, size), 1)
    return _permuted(base, batch, part, seed, "control_permuted_position")


def control_permuted_labels(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "eyemulator",
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Weigh with theta permuted over the labels that have one, then bring the mean back.

    One permutation per seed, the same for every source. The path stays. Labels differ in how
    often they occur, so each source's weights on the path are scaled to the mean they had.

    Raises
    ------
    ParameterError
        `of` does not weigh by theta.
    """
    if of not in BY_THETA:
        raise ParameterError(
            f"scheme {of!r} holds no theta to permute over labels; "
            f"choose of= from: {', '.join(BY_THETA)}"
        )
    base = _base(hits, tokens, of, priors, of_params)
    assert priors is not None  # noqa: S101 - the base would have refused
    other = _with_labels_permuted(priors, seed)
    batch = as_batch(tokens)
    value = _base(hits, batch, of, other, of_params).value
    return _with_mean_of(base, value, batch, "control_permuted_labels")


def control_other_people(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "duration",
    seed: int = 0,  # noqa: ARG001 - nothing is drawn; every control takes a seed
    priors: LabelPriors | None = None,
    other_priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Weigh with the priors of other people, then bring the mean back.

    A scheme on priors is computed with `other_priors` instead. For gaze, every token that was
    looked at gets their theta of its label. Labels they do not know get their pooled theta. The
    weighted tokens stay, and each source's weights on them are scaled to the mean they had.

    Raises
    ------
    ParameterError
        No `other_priors`, or they are known to share a participant with `priors`, or to be those.
    """
    if not isinstance(other_priors, LabelPriors) or not other_priors.known[1:].any():
        raise ParameterError(
            "control_other_people needs other_priors with at least one known label; "
            "pass other_priors=gazecode.Priors.load(...)"
        )
    _must_be_others(priors, other_priors)
    base = _base(hits, tokens, of, priors, of_params)
    batch = as_batch(tokens)
    complete = _completed(other_priors)
    if priors is None:
        value = np.where(base.on_path, complete.theta[batch.label], base.value)
    else:
        value = _base(hits, batch, of, complete, of_params).value
    sources = {*base.prior_sources, *other_priors.sources}
    moved = _with_mean_of(base, value, batch, "control_other_people")
    return replace(moved, prior_sources=tuple(sorted(sources)))


def control_uniform(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str = "duration",
    seed: int = 0,  # noqa: ARG001 - nothing is drawn; every control takes a seed
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Give every weighted token of a source the mean of the weights on them."""
    base = _base(hits, tokens, of, priors, of_params)
    value = np.where(base.on_path, 1.0, base.value)
    return _with_mean_of(base, value, as_batch(tokens), "control_uniform")


def _base(
    hits: Signal,
    tokens: Tokens,
    of: str,
    priors: LabelPriors | None,
    of_params: Mapping[str, Any] | None,
) -> Weights:
    """The weights that a control is made from."""
    # Imported here: the table of schemes lists the controls, too.
    from gazecode.weighting.schemes import SCHEMES

    if of.startswith("control_"):
        raise ParameterError(f"of is {of!r}, itself a control; expected the scheme to be tested")
    params = dict(of_params or {})
    if priors is not None:
        params["priors"] = priors
    check_parameters(SCHEMES[of], params, name=of)
    return SCHEMES[of](hits, tokens, **params)


def _permuted(base: Weights, batch: TokenBatch, group: IntArray, seed: int, name: str) -> Weights:
    """Shuffle values within source and group; what was never shown stays where it is."""
    token = np.flatnonzero(_exposed(base))
    source, group = batch.source[token], group[token]
    draw = token_draws(batch, seed, name)[token]
    to = token[np.lexsort((group, source))]
    # Ties of random numbers are broken by place, on every machine alike.
    taken_from = token[np.lexsort((draw, group, source))]
    value, on_path = base.value.copy(), base.on_path.copy()
    value[to], on_path[to] = base.value[taken_from], base.on_path[taken_from]
    return replace(base, value=value, on_path=on_path, scheme=name)


def _with_mean_of(base: Weights, value: FloatArray, batch: TokenBatch, name: str) -> Weights:
    """Scale values on the path so that each source's mean is that of `base`."""
    on_path, source = base.on_path, batch.source
    wanted, found, count = (
        # Without a token, bincount forgets that weights are floats.
        np.bincount(source, weights=v * on_path, minlength=batch.n_sources).astype(np.float64)
        for v in (base.value, value, np.ones(len(batch)))
    )
    # Where all is 0 there is nothing to scale: the mean for each.
    flat = wanted / np.maximum(count, 1.0)
    ratio = np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)
    scaled = np.where((found > 0)[source], value * ratio[source], flat[source])
    return replace(base, value=np.where(on_path, scaled, base.value), scheme=name)


def _with_labels_permuted(priors: LabelPriors, seed: int) -> LabelPriors:
    labels = np.flatnonzero(priors.known & (np.arange(N_LABELS) > 0))
    # A batch of one empty source with a token per label: its numbers depend on the seed alone.
    one = TokenBatch(
        code=b"",
        code_start=np.array([0, 0]),
        token_start=np.array([0, len(labels)]),
        span=np.zeros((len(labels), 2), dtype=np.int64),
        row=np.zeros(len(labels), dtype=np.int64),
        label=np.zeros(len(labels), dtype=np.int8),
    )
    order = np.argsort(token_draws(one, seed, "labels"), kind="stable")
    hit, shown = priors.hit.copy(), priors.shown.copy()
    hit[labels], shown[labels] = hit[labels[order]], shown[labels[order]]
    return _with_counts(priors, hit, shown)


def _completed(priors: LabelPriors) -> LabelPriors:
    """Every label that the priors do not know gets all their trials: the pooled theta."""
    known = priors.known & (np.arange(N_LABELS) > 0)
    hit = np.where(known, priors.hit, priors.hit[known].sum())
    shown = np.where(known, priors.shown, priors.shown[known].sum())
    return _with_counts(priors, hit, shown)


def _with_counts(priors: LabelPriors, hit: FloatArray, shown: FloatArray) -> LabelPriors:
    """The same n-grams with other posteriors: a plain record, whatever made the first one."""
    return LabelPriors(
        hit=hit,
        shown=shown,
        theta_null=priors.theta_null,
        ngrams=priors.ngrams,
        vocabulary=priors.vocabulary,
        sources=priors.sources,
        n_people=priors.n_people,
        name=priors.name,
    )


def _must_be_others(priors: LabelPriors | None, other: LabelPriors) -> None:
    if priors is None:
        return
    same = np.array_equal(priors.hit, other.hit) and np.array_equal(priors.shown, other.shown)
    if same:
        raise ParameterError(
            "other_priors holds the same counts as priors; expected those of other participants"
        )
    shared = sorted(_people(priors) & _people(other))
    if shared:
        raise ParameterError(
            f"other_priors shares {len(shared)} participants with priors ({shared[0]!r} is one); "
            "fit them on other participants"
        )


def _people(priors: LabelPriors) -> frozenset[str]:
    """Who was counted, where the priors say so; most files only say how many."""
    named = getattr(priors, "participants", None) or priors.details.get("participants")
    return (
        frozenset(map(str, named))
        if isinstance(named, list | tuple | set | frozenset)
        else frozenset()
    )


def _exposed(weights: Weights) -> BoolArray:
    return np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed


def _characters(batch: TokenBatch) -> IntArray:
    """``(m,)`` length of each token in characters."""
    byte = np.frombuffer(batch.code, dtype=np.uint8)
    # UTF-8: every byte that does not go on with a character begins one.
    begun = np.concatenate([[0], np.cumsum((byte & 0xC0) != 0x80)])
    return np.asarray(begun[batch.span[:, 1]] - begun[batch.span[:, 0]])


def _occurrences(batch: TokenBatch, text_counts: Mapping[str, int] | None) -> IntArray:
    """``(m,)`` how often each token's text occurs: as given, or in its source."""
    texts = [batch.code[a:b] for a, b in batch.span.tolist()]
    if text_counts is not None:
        found = (text_counts.get(text.decode("utf-8", "replace"), 0) for text in texts)
        return np.fromiter(found, dtype=np.int64, count=len(texts))
    owned = list(zip(batch.source.tolist(), texts, strict=True))
    counts = Counter(owned)
    return np.fromiter((counts[key] for key in owned), dtype=np.int64, count=len(owned))
