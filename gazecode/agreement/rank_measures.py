"""Correlations as sums over units: linear, of ranks, and of ranks with other things held fixed.

In a bootstrap of the pooled figure ranks stay those of the whole corpus: what is resampled is
which items they are taken from.
"""

import numpy as np

from gazecode.agreement.measures import Measure, Prepared, Sums, inverse
from gazecode.agreement.segments import centered, midranks, near_one, orthonormal, sums
from gazecode.agreement.stacks import Stack
from gazecode.agreement.terms import Linear
from gazecode.model.checks import Array, FloatArray, IntArray

__all__ = ["PARTIAL", "PEARSON", "SPEARMAN", "model_ranks"]

NOTHING_LEFT = 1e-16
"""Share of a map's squares below which the covariates explain all of it."""


def human_ranks(stack: Stack, start: IntArray) -> Array:
    """``(n,)`` centred mid-ranks of the targets."""
    return stack.once(
        lambda: centered(midranks(stack.human, start), start), "human ranks", len(start)
    )


def model_ranks(stack: Stack, start: IntArray) -> Array:
    """``(r, n)`` centred mid-ranks of the scores."""
    return stack.once(
        lambda: centered(midranks(stack.model, start), start), "model ranks", len(start)
    )


def _spearman(stack: Stack, start: IntArray) -> Prepared:
    return _correlation(human_ranks(stack, start), model_ranks(stack, start), stack)


def _pearson(stack: Stack, start: IntArray) -> Prepared:
    return _correlation(near_one(stack.human, start), near_one(stack.model, start), stack)


def _correlation(human: FloatArray, model: FloatArray, stack: Stack) -> Prepared:
    at = stack.start
    fixed = (
        np.diff(at).astype(np.float64)[:, None],
        sums(human, at)[:, None],
        sums(human * human, at)[:, None],
        sums(model, at).T,
        sums(model * model, at).T,
    )
    return Prepared(terms=(Linear(human, model),), fixed=fixed, figure=_correlated)


def _correlated(changing: Sums, fixed: Sums) -> FloatArray:
    n, h, hh, m, mm = fixed
    within = (n * hh - h * h) * (n * mm - m * m)
    scale = inverse(np.sqrt(np.maximum(within, 0.0)))
    value = changing[0] * (n * scale) - h * m * scale
    return np.clip(value, -1.0, 1.0, out=value)


def _partial(stack: Stack, start: IntArray) -> Prepared:
    at, human, model = stack.start, human_ranks(stack, start), model_ranks(stack, start)
    base = stack.once(
        lambda: orthonormal(_covariate_ranks(stack, start), start), "covariates", len(start)
    )
    # Less what the covariates say: then nothing is lost to cancellation where they say nearly all.
    along = np.stack([sums(model * direction, start) for direction in base])
    rest = model - sum(
        np.repeat(part, np.diff(start), axis=-1) * direction
        for part, direction in zip(along, base, strict=True)
    )
    rest = np.where(
        np.repeat(
            sums(rest * rest, start) > NOTHING_LEFT * sums(model * model, start),
            np.diff(start),
            axis=-1,
        ),
        rest,
        0.0,
    )
    fixed = (
        sums(human * human, at)[:, None],
        sums(rest * rest, at).T,
        np.moveaxis(sums(rest[:, None] * base, at), -1, 0),
        np.moveaxis(sums(base[:, None] * base, at), -1, 0),
    )
    return Prepared(
        terms=(Linear(human, rest), Linear(human, base)), fixed=fixed, figure=_partially_correlated
    )


def _covariate_ranks(stack: Stack, start: IntArray) -> FloatArray:
    ranks = midranks(np.nan_to_num(stack.covariates), start)
    return np.where(np.isnan(stack.covariates), np.nan, ranks)


def _partially_correlated(changing: Sums, fixed: Sums) -> FloatArray:
    """Correlation of what least squares on the covariates leaves of both."""
    (met, human_along), (hh, mm, model_along, inner) = changing, fixed
    if inner.ndim == 2:
        # One stretch, whole: its base is orthonormal, and scores keep nothing along it.
        solved, explained_model = human_along, np.zeros_like(mm)
    else:
        solver = np.linalg.pinv(inner, rcond=1e-9, hermitian=True)
        solved = np.einsum("...c,...cd->...d", human_along, solver)
        met = met - np.einsum("...c,...rc->...r", solved, model_along)
        explained_model = np.einsum("...rc,...cd,...rd->...r", model_along, solver, model_along)
    left = hh - np.sum(solved * human_along, axis=-1, keepdims=True)
    left = inverse(np.sqrt(np.where(left > 1e-10 * hh, left, 0.0)))
    value = met * left * inverse(np.sqrt(np.maximum(mm - explained_model, 0.0)))
    return np.clip(value, -1.0, 1.0, out=value)


SPEARMAN = Measure(
    name="spearman",
    prepare=_spearman,
    together=True,
    pooled="ranks over the units of all items together",
    rule="mid-ranks",
    null=0.0,
)
PEARSON = Measure(
    name="pearson", prepare=_pearson, together=True, pooled="units of all items together", null=0.0
)
PARTIAL = Measure(
    name="partial_spearman",
    prepare=_partial,
    together=True,
    pooled="ranks and covariates over the units of all items together",
    rule="mid-ranks, less least squares on the mid-ranks of length, position and frequency "
    "(those that are known and vary)",
    null=0.0,
)
