"""What a gain from gaze must beat: weights that keep everything about it but where it lies.

Each control is a scheme made from another one, named by `of`, and keeps in every example the
number of weighted tokens and the mean of the weights:

``control_permuted``            weights permuted within the example
``control_permuted_bins``       ... within bins of length × frequency of the token
``control_permuted_position``   ... within bins of position
``control_permuted_labels``     theta permuted over labels (one permutation per seed)
``control_other_people``        values from the priors of other people
``control_uniform``             every weighted token gets the mean

Weights of a pseudo scan path are permuted among tokens with a label (it lies on no others), and
uniform ones lie on as many of those, drawn at random. Where theta changes, the path must, too: a
corpus job draws it anew (`control_priors`, then ``like=`` of the path). On a path that is given
and stays, those two controls test the semantic term alone, a small part of the weight.

Permutations depend on `seed` and the source's bytes alone: two readings of one source are permuted
alike, so that readers still agree with each other, on the wrong tokens. A claim about gaze takes
at least five seeds, a paired interval, and reports all of them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Hits, LabelPriors, ScanPath, SourceTokens, TokenBatch
from gazecode.model import TokenWeights as Weights
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.draws import token_draws
from gazecode.registry import check_parameters
from gazecode.weighting.base import BASE_SCHEMES, GAZE, default_of
from gazecode.weighting.eyemulator import as_batch
from gazecode.weighting.other_priors import control_priors

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
    of: str | None = None,
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Permute the weights of scheme `of` among the tokens of each source that could have them.

    With gaze, those that were shown; with a path, those with a label, as it lies on no others.

    Parameters
    ----------
    hits, tokens, priors, of_params
        What scheme `of` takes; `of_params` are its other parameters by name.
    of
        Any scheme that is not a control; left out: ``duration`` for gaze, ``eyemulator`` for a
        path.
    seed
        The permutation depends on this and on the source's bytes.

    Returns
    -------
    TokenWeights
        The same values on other tokens, in the unit of `of`; tokens never shown, or never on a
        path, keep theirs.
    """
    base = _base(hits, tokens, default_of(hits, of), priors, of_params)
    batch = as_batch(tokens)
    return _permuted(hits, base, batch, _one_group(batch), seed, "control_permuted")


def control_permuted_bins(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str | None = None,
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
    base = _base(hits, tokens, default_of(hits, of), priors, of_params)
    batch = as_batch(tokens)
    count = _occurrences(batch, text_counts)
    # Exponents of two: frexp gives one more than the logarithm, for every number of 1 or more.
    length, often = (np.frexp(np.maximum(v, 1))[1] for v in (_characters(batch), count))
    return _permuted(hits, base, batch, length * 64 + often, seed, "control_permuted_bins")


def control_permuted_position(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str | None = None,
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
    n_bins: int = 10,
) -> Weights:
    """As `control_permuted`, among tokens of the same part of the source, of `n_bins`."""
    if n_bins < 1:
        raise ParameterError(f"n_bins is {n_bins}; expected 1 or more")
    base = _base(hits, tokens, default_of(hits, of), priors, of_params)
    batch = as_batch(tokens)
    size = np.diff(batch.token_start)
    at = np.arange(len(batch)) - np.repeat(batch.token_start[:-1], size)
    part = at * n_bins // np.maximum(np.repeat(size, size), 1)
    return _permuted(hits, base, batch, part, seed, "control_permuted_position")


def control_permuted_labels(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str | None = None,
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
    drawn: ScanPath | None = None,
) -> Weights:
    """Weigh with theta permuted over the labels that have one, then bring the mean back.

    One permutation per seed, the same for every source. Labels differ in how often they occur, so
    each source's weights on the path are scaled to the mean they had.

    Parameters
    ----------
    hits, tokens, of, seed, priors, of_params
        As for `control_permuted`.
    drawn
        A path drawn from the permuted theta (`control_priors`) with as many tokens per source
        as `hits`, which is weighed in its place; what `gazecode.corpus.draw_and_weigh` and corpus
        jobs do. Left out, the path stays, and with it most of what theta did: only the semantic
        term of the weight is tested.

    Raises
    ------
    ParameterError
        `of` does not weigh by theta, and the path stays.
    """
    of = default_of(hits, of)
    if of not in BY_THETA and (drawn is None or of in GAZE):
        raise ParameterError(
            f"scheme {of!r} holds no theta to permute over labels; "
            f"choose of= from: {', '.join(BY_THETA)}"
        )
    _must_keep_windows(of, of_params)
    base = _base(hits, tokens, of, priors, of_params)
    assert priors is not None  # noqa: S101 - the base would have refused
    batch = as_batch(tokens)
    other = control_priors("control_permuted_labels", priors, seed=seed)
    found = _weighed_by(other, base, hits, batch, of, of_params, drawn)
    return _with_mean_of(base, found, batch, "control_permuted_labels")


def control_other_people(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str | None = None,
    seed: int = 0,  # noqa: ARG001 - nothing is drawn here; every control takes a seed
    priors: LabelPriors | None = None,
    other_priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
    drawn: ScanPath | None = None,
) -> Weights:
    """Weigh with the priors of other people, then bring the mean back.

    A scheme on priors is computed with `other_priors` instead. For gaze, every token that was
    looked at gets their theta of its label. Labels they do not know get their pooled theta. Each
    source's weights are scaled to the mean they had.

    Parameters
    ----------
    hits, tokens, of, seed, priors, of_params
        As for `control_permuted`.
    other_priors
        Of people who are not behind `priors`.
    drawn
        A path drawn from their priors, as for `control_permuted_labels`. Left out, the weighted
        tokens stay.

    Raises
    ------
    ParameterError
        No `other_priors`, or they are known to share a participant with `priors`, or to be those.
    """
    of = default_of(hits, of)
    complete = control_priors("control_other_people", priors, other_priors=other_priors)
    _must_keep_windows(of, of_params)
    base = _base(hits, tokens, of, priors, of_params)
    batch = as_batch(tokens)
    if priors is None:
        value = np.where(base.on_path, complete.theta[batch.label], base.value)
        found = replace(base, value=value)
    else:
        found = _weighed_by(complete, base, hits, batch, of, of_params, drawn)
    sources = {*base.prior_sources, *complete.prior_sources}
    moved = _with_mean_of(base, found, batch, "control_other_people")
    return replace(moved, prior_sources=tuple(sorted(sources)))


def control_uniform(
    hits: Signal,
    tokens: Tokens,
    *,
    of: str | None = None,
    seed: int = 0,
    priors: LabelPriors | None = None,
    of_params: Mapping[str, Any] | None = None,
) -> Weights:
    """Give every weighted token of a source the mean of the weights on them.

    With gaze the weighted tokens stay. A path says by itself where people look, so that as many
    tokens are drawn in its place from all that have a label, whichever.
    """
    base = _base(hits, tokens, default_of(hits, of), priors, of_params)
    batch = as_batch(tokens)
    if not isinstance(hits, Hits):
        base = _permuted(hits, base, batch, _one_group(batch), seed, "control_uniform")
    value = np.where(base.on_path & (base.value > 0), 1.0, base.value)
    return _with_mean_of(base, replace(base, value=value), batch, "control_uniform")


def _base(
    hits: Signal,
    tokens: Tokens,
    of: str,
    priors: LabelPriors | None,
    of_params: Mapping[str, Any] | None,
) -> Weights:
    """The weights that a control is made from."""
    params = dict(of_params or {})
    if priors is not None:
        params["priors"] = priors
    check_parameters(BASE_SCHEMES[of], params, name=of)
    return BASE_SCHEMES[of](hits, tokens, **params)


def _weighed_by(  # noqa: PLR0917 - what makes a weight
    other: LabelPriors,
    base: Weights,
    hits: Signal,
    batch: TokenBatch,
    of: str,
    of_params: Mapping[str, Any] | None,
    drawn: ScanPath | None,
) -> Weights:
    """Weights by other priors: on the tokens of `base`, or on those of a path drawn for them."""
    if drawn is None or of == "salience":
        value = _base(hits, batch, of, other, of_params).value
        return replace(base, value=np.where(base.on_path, value, base.value))
    found = _base(drawn, batch, of, other, of_params)
    if isinstance(hits, ScanPath):
        length, wanted = (_per_source(batch, path.on_path) for path in (drawn, hits))
        bad = np.flatnonzero(length != wanted)
        if bad.size:
            raise ParameterError(
                f"drawn has {length[bad[0]]:.0f} tokens in source {bad[0]}, the path "
                f"{wanted[bad[0]]:.0f}; draw it with like=path"
            )
    return found


def _must_keep_windows(of: str, of_params: Mapping[str, Any] | None) -> None:
    """Windows that were never counted have no rarity, and other priors counted others."""
    if of == "rarity" and (of_params or {}).get("unseen") != "formula":
        raise ParameterError(
            "scheme 'rarity' gives 0 to windows that the priors never counted, so that other "
            "priors weigh another number of tokens; pass of_params={'unseen': 'formula'}"
        )


def _one_group(batch: TokenBatch) -> IntArray:
    return np.zeros(len(batch), dtype=np.int64)


def _per_source(batch: TokenBatch, values: FloatArray | BoolArray) -> FloatArray:
    """``(d,)`` sums; without a token, bincount forgets that weights are floats."""
    sums = np.bincount(batch.source, weights=values, minlength=batch.n_sources)
    return sums.astype(np.float64)


def _permuted(  # noqa: PLR0917 - a signal, what was made of it, and how to shuffle
    hits: Signal, base: Weights, batch: TokenBatch, group: IntArray, seed: int, name: str
) -> Weights:
    """Shuffle values within source and group; what could have none stays where it is."""
    token = np.flatnonzero(_eligible(hits, base, batch))
    source, group = batch.source[token], group[token]
    draw = token_draws(batch, seed, name)[token]
    to = token[np.lexsort((group, source))]
    # Ties of random numbers are broken by place, on every machine alike.
    taken_from = token[np.lexsort((draw, group, source))]
    value, on_path = base.value.copy(), base.on_path.copy()
    value[to], on_path[to] = base.value[taken_from], base.on_path[taken_from]
    return replace(base, value=value, on_path=on_path, scheme=name)


def _eligible(hits: Signal, base: Weights, batch: TokenBatch) -> BoolArray:
    """Tokens that can have a weight: those on the screen, or those a path can lie on."""
    if isinstance(hits, Hits):
        return np.ones(len(base), dtype=bool) if base.exposed is None else base.exposed
    return np.asarray((batch.label > 0) | base.on_path)


def _with_mean_of(base: Weights, found: Weights, batch: TokenBatch, name: str) -> Weights:
    """Scale `found` on its path so that each source's mean is that of `base` on its own."""
    on_path, source = found.on_path, batch.source
    wanted = _per_source(batch, base.value * base.on_path)
    total = _per_source(batch, found.value * on_path)
    # Where all is 0 there is nothing to scale: the mean for each.
    flat = wanted / np.maximum(_per_source(batch, on_path), 1.0)
    ratio = np.divide(wanted, total, out=np.zeros_like(wanted), where=total > 0)
    scaled = np.where((total > 0)[source], found.value * ratio[source], flat[source])
    value = np.where(on_path, scaled, found.value)
    made = replace(base, value=value, on_path=on_path, scheme=name)
    _must_be_as_many(base, made, batch, name)
    return made


def _must_be_as_many(base: Weights, made: Weights, batch: TokenBatch, name: str) -> None:
    """A weight of 0 on the path is none: their number is what a control keeps."""
    wanted, found = (_per_source(batch, w.on_path & (w.value > 0)) for w in (base, made))
    bad = np.flatnonzero(wanted != found)
    if bad.size:
        raise DataError(
            f"{name} weighs {found[bad[0]]:.0f} tokens of source {bad[0]}, {base.scheme} "
            f"{wanted[bad[0]]:.0f}; choose parameters of the scheme that leave none at 0"
        )


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
