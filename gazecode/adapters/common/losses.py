"""The three losses, written once for numpy, PyTorch and JAX, and the rules that they keep.

A weight belongs to the token that is predicted: ``weight[i]`` multiplies ``-log p(x_i | x_<i)``,
which a causal model computes from the logits at ``i - 1``. Labels come unshifted, as transformers
wants them, and are shifted here, once. The first token of a row is never predicted, so that it
counts in no numerator and in no denominator.

The formulas are written with what the three libraries spell alike; `Library` holds the rest. What
stands where nothing counts is replaced before a logarithm or a quotient is taken, not after: 0
times the infinite gradient of such a position would be NaN.

`path_margin_loss` is the preference term of EyeMulator (https://arxiv.org/abs/2508.16771) made per
sequence; no released code implements the paper's form.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gazecode.errors import DataError, ParameterError

__all__ = [
    "IGNORED",
    "NORMALIZATIONS",
    "AttentionAlignment",
    "Library",
    "PathMargin",
    "attention_alignment_loss",
    "check_normalization",
    "empty_denominator",
    "human_rows",
    "loss_denominator",
    "path_margin_loss",
    "two_sided",
    "weighted_causal_loss",
    "weighted_sum",
]

IGNORED = -100
"""Label of a position without a loss, as in torch and transformers."""

NORMALIZATIONS = ("active", "sum_weights", "sum", "path")
"""What the sum of weight times negative log likelihood is divided by.

``active``: the number of targets with a loss, so that all weights 1 is the usual mean;
``sum_weights``: the sum of their weights; ``sum``: nothing; ``path``: the number of targets with
a loss that lie on the scan path.
"""


class PathMargin(NamedTuple):
    """What `path_margin_loss` gives.

    Attributes
    ----------
    loss
        Mean over the sequences used; 0 (with gradients of 0) if there is none.
    n_used, n_skipped
        Sequences with, and without, output tokens on both sides of the path.
    off_path_nll
        Mean over the sequences used of the mean negative log likelihood of their off-path tokens:
        log it, for the loss can fall by pushing it up. NaN if no sequence was used.
    """

    loss: Any
    n_used: int
    n_skipped: int
    off_path_nll: Any


class AttentionAlignment(NamedTuple):
    """What `attention_alignment_loss` gives.

    Attributes
    ----------
    loss
        Mean over the rows used; 0 (with gradients of 0) if there is none.
    n_rows, n_skipped
        Query rows used, and those without human or without model mass on their keys.
    sink_share
        Share of the model's attention in the query rows that lies outside the keys (special
        tokens, sinks, the answer itself). NaN if there is no query row.
    """

    loss: Any
    n_rows: int
    n_skipped: int
    sink_share: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library of arrays: its namespace, and what the three spell differently.

    Attributes
    ----------
    xp
        ``numpy``, ``torch`` or ``jax.numpy``.
    floats
        Brings an array to the type that is computed in.
    token_nll
        ``(B, T, V)`` logits and ``(B, T)`` labels to ``(B, T - 1)`` nats, 0 without a loss.
    constant
        Takes an array out of the gradient.
    scalar, count
        Hand over a number, and a whole number.
    can_refuse
        Whether a value can be looked at: inside a function that JAX compiles none can.
    """

    xp: Any
    floats: Callable[[Any], Any]
    token_nll: Callable[[Any, Any], Any]
    constant: Callable[[Any], Any]
    scalar: Callable[[Any], Any]
    count: Callable[[Any], Any]
    can_refuse: bool = True


def check_normalization(name: str, *, has_path: bool = True, has_denominator: bool = False) -> None:
    """Refuse a name that is not in `NORMALIZATIONS`, and what does not go with it."""
    if name not in NORMALIZATIONS:
        raise ParameterError.unknown("normalizations", name, NORMALIZATIONS)
    if name == "path" and not has_path:
        raise ParameterError("normalization 'path' without on_path; give on_path of the batch")
    if name == "sum" and has_denominator:
        raise ParameterError("normalization 'sum' divides by nothing; leave the denominator out")


def empty_denominator(normalization: str, found: float = 0.0) -> DataError:
    """Make the error for a loss that would be divided by 0: it is never silently 0."""
    what = {
        "sum_weights": "the weights of the targets with a loss do not sum to more than 0",
        "path": "no target with a loss lies on the scan path; use normalization 'active' for "
        "examples without a path",
    }.get(normalization, "no target has a loss; leave such examples out, as collate does")
    return DataError(f"loss denominator is {found:g}, expected more than 0: {what}")


def loss_denominator(
    lib: Library, labels: Any, loss_weight: Any, normalization: str, on_path: Any
) -> Any:
    """What the weighted loss of these rows is divided by; 0 where nothing counts."""
    check_normalization(normalization, has_path=on_path is not None)
    xp, counted = lib.xp, _active(lib, labels)
    weight = lib.floats(loss_weight)[:, 1:]
    if normalization == "sum":
        return lib.scalar(xp.ones_like(weight.sum()))
    if normalization == "path":
        counted = counted & _true(lib, on_path)[:, 1:]
    each = weight if normalization == "sum_weights" else xp.ones_like(weight)
    return lib.scalar(xp.where(counted, each, 0).sum())


def weighted_sum(lib: Library, nll: Any, labels: Any, loss_weight: Any) -> Any:
    """Sum of weight times negative log likelihood over the targets with a loss."""
    weight = lib.floats(loss_weight)[:, 1:]
    return (lib.xp.where(_active(lib, labels), weight, 0) * nll).sum()


def weighted_causal_loss(
    lib: Library,
    logits: Any,
    labels: Any,
    loss_weight: Any,
    *,
    normalization: str,
    on_path: Any,
    denominator: Any,
) -> Any:
    """Next-token cross-entropy with a weight per target."""
    own = loss_denominator(lib, labels, loss_weight, normalization, on_path)
    if normalization == "sum":
        check_normalization("sum", has_denominator=denominator is not None)
        # Nothing is divided, and a batch where nothing counts is still no loss of 0.
        own = lib.xp.minimum(own, loss_denominator(lib, labels, loss_weight, "active", None))
    divisor = own if denominator is None else denominator
    if lib.can_refuse and not divisor > 0:
        raise empty_denominator(normalization, float(divisor))
    total = weighted_sum(lib, lib.token_nll(logits, labels), labels, loss_weight)
    return lib.scalar(_quotient(lib, total, divisor))


def path_margin_loss(
    lib: Library, logits: Any, labels: Any, on_path: Any, *, reference_logits: Any, beta: float
) -> PathMargin:
    """``-log sigmoid(beta ((P - R) - (P_ref - R_ref)))``, the mean over sequences with both."""
    xp = lib.xp
    on, off = _side_means(lib, logits, labels, on_path)
    margin = on - off
    if reference_logits is not None:
        fixed = lib.constant(reference_logits)
        reference_on, reference_off = _side_means(lib, fixed, labels, on_path)
        margin = margin - (reference_on - reference_off)
    used = two_sided(lib, labels, on_path)
    # log(1 + exp(-x)) is -log sigmoid(x), and does not overflow.
    terms = xp.logaddexp(xp.zeros_like(margin), -beta * margin)
    n, off_total = used.sum(), xp.where(used, lib.constant(off), 0).sum()
    return PathMargin(
        loss=lib.scalar(_mean(lib, terms, used)),
        n_used=lib.count(n),
        n_skipped=lib.count(len(used) - n),
        off_path_nll=lib.scalar(_quotient(lib, -off_total, n)),
    )


def two_sided(lib: Library, labels: Any, on_path: Any) -> Any:
    """``(B,)`` which sequences have targets on the path and targets off it."""
    on, off = _sides(lib, labels, on_path)
    return (on.sum(1) > 0) & (off.sum(1) > 0)


def _sides(lib: Library, labels: Any, on_path: Any) -> tuple[Any, Any]:
    active, on = _active(lib, labels), _true(lib, on_path)[:, 1:]
    return active & on, active & ~on


def _side_means(lib: Library, logits: Any, labels: Any, on_path: Any) -> list[Any]:
    """``(B,)`` mean log probability on the path, and off it; 0 where a side is empty."""
    xp, log_p = lib.xp, -lib.token_nll(logits, labels)
    sides = ((side, side.sum(1)) for side in _sides(lib, labels, on_path))
    return [xp.where(side, log_p, 0).sum(1) / xp.where(n > 0, n, 1) for side, n in sides]


def attention_alignment_loss(
    lib: Library,
    attentions: Any,
    target: Any,
    queries: Any,
    keys: Any,
    *,
    layers: Sequence[int] | None,
) -> AttentionAlignment:
    """KL(human ‖ model) of the query rows, both renormalised over the keys a causal model has."""
    xp, model = lib.xp, _mean_attention(lib, attentions, layers)
    human, allowed = human_rows(lib, xp.asarray(target, dtype=model.dtype), queries, keys)
    inside = xp.where(allowed, model, 0)
    held, mass = inside.sum(-1), human.sum(-1)
    used = (held > 0) & (mass > 0)

    # A model that gives a cell with human mass nothing pays for the smallest number there is.
    tiny = xp.finfo(model.dtype).tiny
    counted = used[..., None] & (human > 0)
    share = xp.where(counted, human / xp.where(used, mass, 1)[..., None], 1)
    told = xp.where(counted, xp.where(inside > tiny, inside, tiny), 1)
    rows = (share * (xp.log(share) - xp.log(told))).sum(-1) + xp.log(xp.where(used, held, 1))

    query = _true(lib, queries)
    whole = xp.where(query[..., None], xp.tril(model), 0).sum()
    n = used.sum()
    return AttentionAlignment(
        loss=lib.scalar(_mean(lib, rows, used)),
        n_rows=lib.count(n),
        n_skipped=lib.count(query.sum() - n),
        sink_share=lib.scalar(1 - _quotient(lib, *map(lib.constant, (held.sum(), whole)))),
    )


def human_rows(lib: Library, target: Any, queries: Any, keys: Any) -> tuple[Any, Any]:
    """``(B, T, T)`` human attention of the query rows on the keys that count, and which do."""
    allowed = lib.xp.tril(_true(lib, queries)[:, :, None] & _true(lib, keys)[:, None, :])
    return lib.xp.where(allowed, target if target.ndim == 3 else target[:, None, :], 0), allowed


def _mean_attention(lib: Library, attentions: Any, layers: Sequence[int] | None) -> Any:
    """``(B, T, T)`` mean over heads, then over the layers chosen."""
    every = (attentions,) if hasattr(attentions, "ndim") else tuple(attentions or ())
    numbers = range(len(every)) if layers is None else layers
    wrong = [number for number in numbers if not -len(every) <= number < len(every)]
    if wrong:
        raise ParameterError(f"no layer {wrong[0]}; expected one of {len(every)}, from 0")
    chosen = [every[number] for number in numbers]
    if not chosen or any(layer is None for layer in chosen):
        raise DataError(
            "the model gave no attention weights; expected (B, H, T, T) for each layer: ask for "
            "them (in transformers output_attentions=True), and load the model so that it makes "
            'them (attn_implementation="eager")'
        )
    return lib.xp.stack([lib.floats(layer).mean(1) for layer in chosen]).mean(0)


def _active(lib: Library, labels: Any) -> Any:
    """``(B, T - 1)`` which of the tokens 1 to T - 1 have a loss."""
    return lib.xp.asarray(labels)[:, 1:] != IGNORED


def _true(lib: Library, mask: Any) -> Any:
    return lib.xp.asarray(mask) != 0


def _mean(lib: Library, values: Any, used: Any) -> Any:
    """Mean of the values used; 0, with gradients of 0, if there is none."""
    n = used.sum()
    return lib.xp.where(used, values, 0).sum() / lib.xp.where(n > 0, n, 1)


def _quotient(lib: Library, total: Any, by: Any) -> Any:
    """The quotient; NaN, with gradients of 0, where there is nothing to divide by."""
    by = lib.xp.zeros_like(total) + by
    return lib.xp.where(by > 0, total / lib.xp.where(by > 0, by, 1), math.nan)
