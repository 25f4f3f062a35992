"""Token weights of a pseudo scan path, after Zhang et al. (EyeMulator).

``w_j = w_base + 1 / ln(freq(g_j) + 2) + E[theta of j's label]`` for tokens j on the path, 1.0 for
all others; g_j is the window that covers j. The write-up, the documentation and the code of the
release differ; each difference is a parameter here, the default is what the documentation says.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from gazecode.errors import DataError, GazecodeWarning, ParameterError
from gazecode.model import (
    LABELS,
    N_LABELS,
    Hits,
    LabelPriors,
    ScanPath,
    SourceTokens,
    TokenBatch,
    TokenWeights,
)
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.labels import CodeArray

__all__ = [
    "Lookups",
    "Preset",
    "Repeats",
    "Unseen",
    "count_lookups",
    "rarity_of",
    "salience_of",
    "weigh_eyemulator",
    "weigh_rarity",
    "weigh_salience",
]

Preset = Literal["docs", "paper"]
Unseen = Literal["zero", "formula"]
Repeats = Literal["keep", "collapse"]

W_BASE = {"docs": 3.0, "paper": 1.0}


def weigh_eyemulator(
    hits: ScanPath,
    tokens: SourceTokens | TokenBatch,
    *,
    priors: LabelPriors | None = None,
    preset: Preset = "docs",
    w_base: float | None = None,
    unseen: Unseen = "zero",
    smoothing: bool = True,
    repeats: Repeats = "keep",
    path_only: bool = False,
) -> TokenWeights:
    """Loss weights of a pseudo scan path.

    Parameters
    ----------
    hits
        The path, from `gazecode.pseudo_scan_path`.
    tokens
        The tokens it was made for, or a batch of sources with a path over all of them.
    priors
        Posteriors and n-gram counts; required.
    preset
        Sets `w_base`: ``"docs"`` 3.0 (documentation, example and code), ``"paper"`` 1.0 (Table 7).
    w_base
        Overrides the preset.
    unseen
        Rarity of a window that was never counted: ``"zero"``, or what the ``"formula"`` gives,
        1 / ln 2.
    smoothing
        Posterior means; False: successes / trials, as the code of the release does.
    repeats
        A sorted table never counts a label that follows itself, so a window such as (loop, loop)
        is unseen there (``"keep"``); ``"collapse"`` looks up its distinct labels instead.
    path_only
        Weight 0.0 instead of 1.0 off the path: the sum of Algorithm 1 runs over the path alone.

    Returns
    -------
    TokenWeights
        ``(m,)`` loss weights. A label without a prior adds 0; `count_lookups` counts such tokens,
        unseen windows, and repeats in sorted tables.

    Warns
    -----
    GazecodeWarning
        Once, for one source (never for a batch), where a window repeats a label and the table is
        sorted.

    Raises
    ------
    ParameterError
        No priors, gaze instead of a path, an unknown choice, or a negative `w_base`.
    DataError
        The path was made for other tokens.
    """
    priors = _needed(priors, "eyemulator")
    path, batch = _checked(hits, tokens, "eyemulator")
    if preset not in W_BASE:
        raise ParameterError.unknown("presets", preset, W_BASE)
    base = W_BASE[preset] if w_base is None else w_base
    if not (np.isfinite(base) and base >= 0):
        raise ParameterError(f"w_base is {base}; expected a finite number of 0 or more")
    token, codes = path_windows(path, batch)
    rarity = rarity_of(codes, priors, unseen=unseen, repeats=repeats)
    _warn_of_repeats(tokens, codes, priors, repeats)
    value = np.full(len(batch), 0.0 if path_only else 1.0)
    value[token] = base + rarity + salience_of(priors, smoothing=smoothing)[batch.label[token]]
    return _weights(value, path.on_path, "eyemulator", "loss weight", priors, path)


def weigh_salience(
    hits: Hits | ScanPath | None,
    tokens: SourceTokens | TokenBatch,
    *,
    priors: LabelPriors | None = None,
    smoothing: bool = True,
) -> TokenWeights:
    """E[theta] of every token's label, on the path or not; 0 for a label without a prior.

    Gaze favours dense text and long tokens whatever the label: for what a label adds to that, see
    `LabelPriors.enrichment`.
    """
    priors = _needed(priors, "salience")
    batch = as_batch(tokens)
    path = hits if isinstance(hits, ScanPath) else None
    if path is not None:
        _checked(path, batch, "salience")
    value = salience_of(priors, smoothing=smoothing)[batch.label]
    return _weights(value, value > 0, "salience", "1", priors, path)


def weigh_rarity(
    hits: ScanPath,
    tokens: SourceTokens | TokenBatch,
    *,
    priors: LabelPriors | None = None,
    unseen: Unseen = "zero",
    repeats: Repeats = "keep",
) -> TokenWeights:
    """The rarity term alone, ``1 / ln(freq(g_j) + 2)`` on the path and 0 elsewhere.

    Parameters and warning as for `weigh_eyemulator`.
    """
    priors = _needed(priors, "rarity")
    path, batch = _checked(hits, tokens, "rarity")
    token, codes = path_windows(path, batch)
    value = np.zeros(len(batch))
    value[token] = rarity_of(codes, priors, unseen=unseen, repeats=repeats)
    _warn_of_repeats(tokens, codes, priors, repeats)
    return _weights(value, path.on_path, "rarity", "1", priors, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What the priors could not answer, counted in tokens on the path.

    Attributes
    ----------
    tokens
        Tokens on the path.
    unseen
        Of these, those in a window that was never counted.
    repeated
        Of these, those in a window that repeats a label while the table is sorted: such a table
        cannot have counted it.
    without_prior
        Tokens whose label has no prior, by label.
    """

    tokens: int
    unseen: int
    repeated: int
    without_prior: dict[str, int]


def count_lookups(
    path: ScanPath,
    tokens: SourceTokens | TokenBatch,
    priors: LabelPriors,
    *,
    repeats: Repeats = "keep",
) -> Lookups:
    """Count what the priors cannot answer for a path: the weights hold 0 there."""
    path, batch = _checked(path, tokens, "eyemulator")
    token, codes = path_windows(path, batch)
    label = batch.label[token]
    absent = np.bincount(label[~priors.known[label]], minlength=N_LABELS)
    return Lookups(
        tokens=len(token),
        unseen=int((frequency_of(codes, priors, repeats=repeats) == 0).sum()),
        repeated=int(_repeated(codes, priors).sum()),
        without_prior={LABELS[code]: int(absent[code]) for code in np.flatnonzero(absent)},
    )


def path_windows(path: ScanPath, batch: TokenBatch) -> tuple[IntArray, CodeArray]:
    """``(k,)`` tokens on the path, and ``(k, 3)`` label codes of their windows, filled with 0.

    Raises
    ------
    DataError
        A window of more than three tokens.
    """
    token = path.token
    if path.window is not None:
        return token, path.window[token]
    source, number = batch.source[token], path.ngram[token]
    # Windows are mostly runs already, which a stable sort is quick with.
    order = np.argsort(source * (int(number.max(initial=0)) + 1) + number, kind="stable")
    source, number = source[order], number[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (source[1:] != source[:-1]) | (number[1:] != number[:-1])
    first = np.flatnonzero(fresh)
    size = np.diff(np.append(first, len(order)))
    if len(size) and size.max() > 3:
        at = int(np.argmax(size))
        raise DataError(
            f"window {number[first[at]]} has {size[at]} tokens; a window has one to three"
        )
    codes = np.zeros((len(first), 3), dtype=np.int8)
    which = np.repeat(np.arange(len(first)), size)
    codes[which, np.arange(len(order)) - first[which]] = batch.label[token[order]]
    of_token = np.empty((len(order), 3), dtype=np.int8)
    of_token[order] = codes[which]
    return token, of_token


def rarity_of(
    codes: CodeArray, priors: LabelPriors, *, unseen: Unseen = "zero", repeats: Repeats = "keep"
) -> FloatArray:
    """``(k,)`` 1 / ln(freq + 2) of ``(k, 3)`` windows.

    Raises
    ------
    ParameterError
        An unknown choice of `unseen` or `repeats`.
    """
    if unseen not in get_args(Unseen):
        raise ParameterError.unknown("ways with unseen n-grams", unseen, get_args(Unseen))
    count = frequency_of(codes, priors, repeats=repeats)
    rarity = 1.0 / np.log(count + 2.0)
    return rarity if unseen == "formula" else np.where(count > 0, rarity, 0.0)


def frequency_of(codes: CodeArray, priors: LabelPriors, *, repeats: Repeats = "keep") -> IntArray:
    """``(k,)`` counts of ``(k, 3)`` windows, filled with code 0 behind their labels."""
    if repeats not in get_args(Repeats):
        raise ParameterError.unknown("ways with repeated labels", repeats, get_args(Repeats))
    if repeats == "collapse":
        codes = np.where(_repeated(codes, priors)[:, None], _distinct(codes), codes)
    return np.asarray(_table(priors)[tuple(codes.T)])


def salience_of(priors: LabelPriors, *, smoothing: bool = True) -> FloatArray:
    """``(N_LABELS,)`` posterior means, or successes / trials; 0 without a trial or a label."""
    raw = np.divide(
        priors.hit, priors.shown, out=np.zeros(N_LABELS), where=np.asarray(priors.known)
    )
    mean = np.where(priors.known, priors.theta if smoothing else raw, 0.0)
    mean[0] = 0.0
    return mean


def as_batch(tokens: SourceTokens | TokenBatch) -> TokenBatch:
    """One source is a batch of one."""
    return tokens if isinstance(tokens, TokenBatch) else TokenBatch.of([tokens])


@lru_cache(maxsize=8)
def _table(priors: LabelPriors) -> IntArray:
    """``(N_LABELS,) * 3`` counts of windows of all orders: code 0 stands behind shorter ones."""
    table = np.zeros((N_LABELS,) * 3, dtype=np.int64)
    for order in (3, 2, 1):
        if order in priors.ngrams:
            table[(slice(None),) * order + (0,) * (3 - order)] = priors.ngrams[order].dense()
    # No key holds "no label", and so no window that does was ever counted.
    table[0] = 0
    return table


def _repeated(codes: CodeArray, priors: LabelPriors) -> BoolArray:
    """``(k,)`` windows with a label twice whose table is sorted."""
    is_sorted = np.zeros(4, dtype=bool)
    for order, ngrams in priors.ngrams.items():
        if order in (2, 3):
            is_sorted[order] = ngrams.is_sorted
    a, b, c = codes.T
    twice = ((a == b) | (a == c) | (b == c)) & (b > 0)
    # (x, y, 0) repeats nothing: the two zeros of a single token are ruled out by b > 0.
    return np.asarray(twice & is_sorted[np.count_nonzero(codes, axis=1)])


def _distinct(codes: CodeArray) -> CodeArray:
    """The distinct labels of each window, filled up with 0."""
    kept = np.sort(codes, axis=1)[:, ::-1].copy()
    kept[:, 1:][kept[:, 1:] == kept[:, :-1]] = 0
    # Descending, a repeat in the middle leaves a hole: close it.
    hole = (kept[:, 1] == 0) & (kept[:, 2] > 0)
    kept[hole, 1], kept[hole, 2] = kept[hole, 2], 0
    return np.asarray(kept)


def _warn_of_repeats(
    tokens: SourceTokens | TokenBatch, codes: CodeArray, priors: LabelPriors, repeats: Repeats
) -> None:
    if isinstance(tokens, TokenBatch) or repeats != "keep":
        return
    count = int(_repeated(codes, priors).sum())
    if count:
        warnings.warn(
            f"{count} of {len(codes)} tokens on the path lie in a window that repeats a label; the "
            "sorted n-gram table never counted those (repeats='collapse' asks for distinct labels)",
            GazecodeWarning,
            stacklevel=5,
        )


def _needed(priors: LabelPriors | None, scheme: str) -> LabelPriors:
    if not isinstance(priors, LabelPriors):
        raise ParameterError(
            f"scheme {scheme!r} needs priors, found {type(priors).__name__}; "
            "pass priors=gazecode.Priors.load(...)"
        )
    return priors


def _checked(
    hits: object, tokens: SourceTokens | TokenBatch, scheme: str
) -> tuple[ScanPath, TokenBatch]:
    if not isinstance(hits, ScanPath):
        raise ParameterError(
            f"scheme {scheme!r} weighs a pseudo scan path, found {type(hits).__name__}; "
            "make one with gazecode.pseudo_scan_path(tokens, priors)"
        )
    batch = as_batch(tokens)
    if len(hits.ngram) != len(batch):
        raise DataError(
            f"the path was made for {len(hits.ngram)} tokens, found {len(batch)}; "
            "pass the tokens it was made for"
        )
    return hits, batch


def _weights(  # noqa: PLR0917 - the columns of one record
    value: FloatArray,
    on_path: BoolArray,
    scheme: str,
    unit: str,
    priors: LabelPriors,
    path: ScanPath | None,
) -> TokenWeights:
    sources = {*priors.prior_sources, *(path.prior_sources if path else ())}
    return TokenWeights(
        value=value,
        on_path=on_path,
        scheme=scheme,
        unit=unit,
        # Whether two priors share people is not known: the larger is certain.
        n_people=max(priors.n_people, path.n_people if path else 0),
        prior_sources=tuple(sorted(sources)),
    )
