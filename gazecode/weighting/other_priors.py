"""Priors that are wrong on purpose: what the controls of theta weigh by, and draw paths from."""

from dataclasses import fields

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import N_LABELS, LabelPriors, TokenBatch
from gazecode.model.checks import FloatArray
from gazecode.model.draws import token_draws

__all__ = ["control_priors"]


def control_priors(
    scheme: str,
    priors: LabelPriors | None,
    *,
    seed: int = 0,
    other_priors: LabelPriors | None = None,
) -> LabelPriors:
    """Priors that a control goes by: theta permuted over labels, other people's, else `priors`.

    A control of a pseudo scan path draws the path from them, too, as long as the true one: most
    of what theta does to ``eyemulator`` weights is to say which tokens are on the path.

    Parameters
    ----------
    scheme
        ``control_permuted_labels``, ``control_other_people``, or any other, which has `priors`.
    seed
        Of the permutation.
    other_priors
        Of other people; labels they do not know get their pooled theta.

    Raises
    ------
    ParameterError
        No `other_priors` where they are needed, or not those of other people.

    Examples
    --------
    >>> from gazecode.priors import Priors, pseudo_scan_path
    >>> from gazecode.source import parse
    >>> from gazecode.weighting import weigh
    >>> shown = np.where(np.arange(N_LABELS) > 0, 40.0, 0.0)
    >>> none = np.full(N_LABELS, np.nan)
    >>> hit = np.minimum(shown, np.arange(N_LABELS) * 2)
    >>> pri = LabelPriors(hit=hit, shown=shown, theta_null=none, ngrams={})
    >>> tokens = parse("int add(int a, int b) { return a + b; }", "java")
    >>> path = pseudo_scan_path(tokens, pri)
    >>> other = control_priors("control_permuted_labels", pri, seed=1)
    >>> drawn = pseudo_scan_path(tokens, other, seed=1, like=path)
    >>> len(drawn) == len(path)
    True
    >>> found = weigh(
    ...     path, tokens, scheme="control_permuted_labels", priors=pri, seed=1, drawn=drawn
    ... )
    >>> bool((found.on_path == drawn.on_path).all())
    True
    """
    if scheme != "control_other_people":
        if priors is None:
            raise ParameterError(f"{scheme} needs priors; pass priors=gazecode.Priors.load(...)")
        changes = scheme == "control_permuted_labels"
        return _with_labels_permuted(priors, seed) if changes else priors
    if not isinstance(other_priors, LabelPriors) or not other_priors.known[1:].any():
        raise ParameterError(
            "control_other_people needs other_priors with at least one known label; "
            "pass other_priors=gazecode.Priors.load(...), or --other-priors FILE"
        )
    _must_be_others(priors, other_priors)
    return _completed(other_priors)


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
    names = {f.name for f in fields(LabelPriors)} - {"details"}
    kept = {name: getattr(priors, name) for name in names}
    return LabelPriors(**{**kept, "hit": hit, "shown": shown})


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
