"""Figures of marked units, and of the k units a model puts first, as sums over units."""

from collections.abc import Callable
from functools import partial

import numpy as np

from gazecode.agreement.measures import Measure, Prepared, Sums, inverse, ratio
from gazecode.agreement.rank_measures import model_ranks
from gazecode.agreement.segments import near_one, spread, sums, top
from gazecode.agreement.stacks import Stack
from gazecode.agreement.terms import Chosen, Linear
from gazecode.errors import ParameterError
from gazecode.model.checks import Array, FloatArray, IntArray

__all__ = ["AT_K", "AUC", "NSS", "at_k"]

Combine = Callable[[Sums, Sums], FloatArray]
MOST_DIGITS = 9
TIES = "the earlier of equal units first"


def _auc(stack: Stack, start: IntArray) -> Prepared:
    at = stack.start
    ranks = model_ranks(stack, start) / spread(np.diff(start).astype(np.float64), start)
    fixed = (*_marked_and_not(stack), sums(ranks, at).T)
    return Prepared(terms=(Linear(stack.marked, ranks),), fixed=fixed, figure=_area)


def _marked_and_not(stack: Stack) -> tuple[FloatArray, FloatArray]:
    marked = sums(stack.marked, stack.start)[:, None]
    return marked, np.diff(stack.start)[:, None] - marked


def _area(changing: Sums, fixed: Sums) -> FloatArray:
    """Mean rank (in parts of all) of the marked above that of the rest, from ½."""
    marked, rest, ranks = fixed
    per_marked, per_rest = inverse(marked), inverse(rest)
    return changing[0] * (per_marked + per_rest) + (0.5 - ranks * per_rest)


def _nss(stack: Stack, start: IntArray) -> Prepared:
    less = near_one(stack.model, start)
    scale = np.sqrt(sums(less * less, start) / np.diff(start))
    varies = scale > 0
    z = less * spread(np.divide(1.0, scale, out=np.zeros_like(scale), where=varies), start)
    marked = sums(stack.marked, start)[:, None] * varies.T
    return Prepared(terms=(Linear(stack.marked, z),), fixed=(marked,), figure=_per_marked)


def _per_marked(changing: Sums, fixed: Sums) -> FloatArray:
    return ratio(changing[0], fixed[0])


def _first(stack: Stack, start: IntArray, k: int) -> Array:
    return stack.once(lambda: top(stack.model, start, k).astype(np.float64), "first", k)


def _iou(stack: Stack, start: IntArray, *, k: int) -> Prepared:
    size = np.minimum(np.diff(start), k).astype(np.float64)[:, None]
    chosen = top(stack.human, start, k).astype(np.float64)
    term = Chosen(stack.human, _first(stack, start, k), k, chosen)
    return Prepared(terms=(term,), fixed=(2 * size,), figure=_both_over_either)


def _both_over_either(changing: Sums, fixed: Sums) -> FloatArray:
    return ratio(changing[0], fixed[0] - changing[0])


def _credit(stack: Stack, start: IntArray, *, k: int, figure: Combine) -> Prepared:
    first = _first(stack, start, k)
    size = np.minimum(np.diff(start), k).astype(np.float64)[:, None]
    credit = stack.once(stack.credit[0].copy, "precision credit")
    recalled = stack.once(stack.credit[1].copy, "recall credit")
    terms = (Linear(credit, first), Linear(recalled, first))
    return Prepared(terms=terms, fixed=(size, stack.spans[:, None]), figure=figure)


def _precision(changing: Sums, fixed: Sums) -> FloatArray:
    size, spans = fixed
    return np.where(spans > 0, ratio(changing[0], size), np.nan)


def _recall(changing: Sums, fixed: Sums) -> FloatArray:
    return ratio(changing[1], fixed[1])


def _f1(changing: Sums, fixed: Sums) -> FloatArray:
    precision, recall = _precision(changing, fixed), _recall(changing, fixed)
    both = precision + recall
    return np.where(both == 0, 0.0, ratio(2 * precision * recall, both))


def _codes(stack: Stack, start: IntArray, *, k: int, figure: Combine) -> Prepared:
    # A chosen unit without characters overlaps nothing, not even itself: code 0.
    first = stack.once(lambda: _first(stack, start, k) * stack.wide, "code", k)
    n = np.diff(start).astype(np.float64)[:, None]
    fixed = (n, sums(stack.marked, start)[:, None], sums(first, start).T)
    return Prepared(terms=(Linear(stack.marked, first),), fixed=fixed, figure=figure)


def _alpha(changing: Sums, fixed: Sums) -> FloatArray:
    n, human, model = fixed
    ones = human + model
    # Observed over expected: (ones - 2 both) / n over 2 ones (2n - ones) / (2n (2n - 1)).
    scale = (2 * n - 1) * inverse(ones * (2 * n - ones))
    return changing[0] * (2 * scale) + (1.0 - ones * scale)


def _kappa(changing: Sums, fixed: Sums) -> FloatArray:
    n, human, model = fixed
    scale = n * inverse(human * (n - model) + model * (n - human))
    return changing[0] * (2 * scale) + (1.0 - (human + model) * scale)


AT_K: dict[str, tuple[Callable[..., Prepared], float | None, str]] = {
    "iou": (_iou, None, "units both choose over units either chooses"),
    "precision": (partial(_credit, figure=_precision), None, "partial credit by characters"),
    "recall": (partial(_credit, figure=_recall), None, "partial credit by characters"),
    "f1": (partial(_credit, figure=_f1), None, "partial credit by characters"),
    "alpha": (partial(_codes, figure=_alpha), 0.0, "nominal, marked beside chosen"),
    "kappa": (partial(_codes, figure=_kappa), 0.0, "nominal, marked beside chosen"),
}
"""Name before the @ → how it is prepared, what an item's figure is at chance, its rule."""


def at_k(name: str) -> Measure:
    """The measure of a name such as ``iou@5``: `k` units chosen, all where there are fewer.

    Raises
    ------
    ParameterError
        Where k is not a whole number above 0.
    """
    base, _, text = name.partition("@")
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS or int(text) < 1:
        raise ParameterError(f"metric {name!r}: expected a whole number above 0 after @: {base}@10")
    k = int(text)
    prepare, null, rule = AT_K[base]
    return Measure(
        name=f"{base}@{k}",
        prepare=partial(prepare, k=k),
        together=False,
        pooled="counts of all items added",
        rule=f"{rule}; {TIES}",
        null=null,
        k=k,
    )


AUC = Measure(
    name="auc",
    prepare=_auc,
    together=True,
    pooled="ranks over the units of all items together",
    rule="marked: above 0; ties counted half",
    null=0.5,
)
NSS = Measure(
    name="nss",
    prepare=_nss,
    together=False,
    pooled="all marked units, scores standardised in their item",
    rule="marked: above 0; population standard deviation",
    null=0.0,
)
