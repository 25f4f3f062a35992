"""The losses in plain numpy, float64: what every other adapter must agree with to 1e-6.

A weight belongs to the token that is predicted: ``weight[i]`` multiplies ``-log p(x_i | x_<i)``,
which a causal model computes from the logits at ``i - 1``. Labels come unshifted, as transformers
wants them; they are shifted here, once. The first token of a row is never predicted, so that it
counts in no numerator and in no denominator.

`path_margin_loss` is the preference term of EyeMulator (https://arxiv.org/abs/2508.16771) made per
sequence; no released code implements the paper's form.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import Array, FloatArray

__all__ = [
    "IGNORED",
    "NORMALIZATIONS",
    "AttentionAlignment",
    "PathMargin",
    "attention_alignment_loss",
    "check_normalization",
    "empty_denominator",
    "loss_denominator",
    "loss_terms",
    "path_margin_loss",
    "token_nll",
    "weighted_causal_loss",
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


def token_nll(logits: Array, labels: Array) -> FloatArray:
    """Negative log likelihood of each target: the tokens 1 to T - 1.

    Parameters
    ----------
    logits
        ``(B, T, V)``, of any size: the largest of a row is subtracted first.
    labels
        ``(B, T)`` ids, not shifted; `IGNORED` where there is no loss.

    Returns
    -------
    FloatArray
        ``(B, T - 1)`` nats; 0 where there is no loss.

    Examples
    --------
    >>> token_nll(np.zeros((1, 3, 4)), np.array([[0, 2, IGNORED]])).round(4)
    array([[1.3863, 0.    ]])
    """
    target = np.asarray(labels)[:, 1:]
    active = target != IGNORED
    scores = np.asarray(logits, dtype=np.float64)[:, :-1]
    top = scores.max(axis=-1, keepdims=True)
    log_total = np.log(np.exp(scores - top).sum(axis=-1)) + top[..., 0]
    chosen = np.take_along_axis(scores, np.where(active, target, 0)[..., None], axis=-1)[..., 0]
    return np.where(active, log_total - chosen, 0.0)


def loss_denominator(
    labels: Array,
    loss_weight: Array,
    normalization: str = "active",
    on_path: Array | None = None,
) -> float:
    """Return what the loss of these rows is divided by; add it up over the parts of a batch.

    Gradient accumulation and several devices need the sums of the whole batch: add the
    denominators of all parts and give the total to each as ``denominator``.

    Parameters
    ----------
    labels, loss_weight, on_path
        ``(B, T)`` as `collate` makes them; `on_path` is asked for by ``path`` alone.
    normalization
        One of `NORMALIZATIONS`; ``sum`` gives 1, which is not to be added up.

    Returns
    -------
    float
        0 where nothing counts: a part of a batch may be so, the loss refuses a whole one.

    Raises
    ------
    ParameterError
        An unknown normalization, or ``path`` without `on_path`.

    Examples
    --------
    >>> labels, weight = np.array([[7, 8, IGNORED, 9]]), np.array([[9.0, 2.0, 1.0, 0.5]])
    >>> [loss_denominator(labels, weight, name) for name in ("active", "sum_weights", "sum")]
    [2.0, 2.5, 1.0]
    """
    check_normalization(normalization, has_path=on_path is not None)
    active = np.asarray(labels)[:, 1:] != IGNORED
    if normalization == "sum":
        return 1.0
    if normalization == "sum_weights":
        return float(np.asarray(loss_weight, dtype=np.float64)[:, 1:][active].sum())
    if on_path is not None and normalization == "path":
        active &= np.asarray(on_path, dtype=bool)[:, 1:]
    return float(active.sum())


def loss_terms(
    nll: Array,
    labels: Array,
    loss_weight: Array,
    *,
    normalization: str = "active",
    on_path: Array | None = None,
) -> tuple[float, float]:
    """Numerator and denominator of the weighted loss, to be added up before they are divided.

    Parameters
    ----------
    nll
        ``(B, T - 1)`` as `token_nll` gives it.
    labels, loss_weight, on_path, normalization
        As for `loss_denominator`.

    Examples
    --------
    >>> labels, weight = np.array([[7, 8, IGNORED, 9]]), np.array([[9.0, 2.0, 1.0, 0.5]])
    >>> loss_terms(np.array([[1.0, 0.0, 4.0]]), labels, weight)
    (4.0, 2.0)
    """
    weight = np.asarray(loss_weight, dtype=np.float64)[:, 1:]
    active = np.asarray(labels)[:, 1:] != IGNORED
    total = float((weight * nll)[active].sum())
    return total, loss_denominator(labels, loss_weight, normalization, on_path)


def weighted_causal_loss(
    logits: Array,
    labels: Array,
    loss_weight: Array,
    *,
    normalization: str = "active",
    on_path: Array | None = None,
    denominator: float | None = None,
) -> float:
    """Next-token cross-entropy with a weight per target.

    Parameters
    ----------
    logits
        ``(B, T, V)``; those at position ``i`` predict token ``i + 1``.
    labels, loss_weight, on_path
        ``(B, T)`` as `collate` makes them, not shifted.
    normalization
        One of `NORMALIZATIONS`.
    denominator
        Replaces the one of these rows: the sum over the whole accumulated or global batch.

    Returns
    -------
    float
        Nats.

    Raises
    ------
    DataError
        The denominator is 0: nothing counts.
    ParameterError
        An unknown normalization, ``path`` without `on_path`, a denominator for ``sum``.

    Examples
    --------
    >>> labels = np.array([[0, 2, IGNORED]])
    >>> round(weighted_causal_loss(np.zeros((1, 3, 4)), labels, np.full((1, 3), 2.0)), 4)
    2.7726
    """
    nll = token_nll(logits, labels)
    total, own = loss_terms(nll, labels, loss_weight, normalization=normalization, on_path=on_path)
    if normalization == "sum":
        check_normalization("sum", has_denominator=denominator is not None)
        # Nothing is divided, and a batch where nothing counts is still no loss of 0.
        own = min(own, loss_denominator(labels, loss_weight))
    divisor = own if denominator is None else denominator
    if not divisor > 0:
        raise empty_denominator(normalization, divisor)
    return total / divisor


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


def path_margin_loss(
    logits: Array,
    labels: Array,
    on_path: Array,
    *,
    reference_logits: Array | None,
    beta: float = 0.1,
) -> PathMargin:
    """Preference for output tokens on the path; see the one in `gazecode.adapters.torch`.

    Parameters
    ----------
    logits, reference_logits
        ``(B, T, V)`` of the model, and of a frozen reference model or None.
    labels, on_path
        ``(B, T)`` as `collate` makes them.
    beta
        Scale of the margin.

    Examples
    --------
    >>> labels, on_path = np.array([[0, 1, 2]]), np.array([[False, True, False]])
    >>> path_margin_loss(np.zeros((1, 3, 4)), labels, on_path, reference_logits=None).loss
    0.6931471805599453
    """
    on, off, used = _sides(logits, labels, on_path)
    margin = on - off
    if reference_logits is not None:
        reference_on, reference_off, _ = _sides(reference_logits, labels, on_path)
        margin -= reference_on - reference_off
    terms = np.logaddexp(0.0, -beta * margin[used])
    n = int(used.sum())
    return PathMargin(
        loss=float(terms.mean()) if n else 0.0,
        n_used=n,
        n_skipped=len(used) - n,
        off_path_nll=float(-off[used].mean()) if n else float("nan"),
    )


def _sides(logits: Array, labels: Array, on_path: Array) -> tuple[FloatArray, FloatArray, Array]:
    """Mean log probability on and off the path per row, and which rows have both."""
    log_p = -token_nll(logits, labels)
    active = np.asarray(labels)[:, 1:] != IGNORED
    on = np.asarray(on_path, dtype=bool)[:, 1:]
    means, counts = [], []
    for side in (active & on, active & ~on):
        counts.append(side.sum(axis=1))
        means.append((log_p * side).sum(axis=1) / np.maximum(counts[-1], 1))
    return means[0], means[1], (counts[0] > 0) & (counts[1] > 0)


def attention_alignment_loss(
    attentions: Array | Sequence[Array],
    target: Array,
    queries: Array,
    keys: Array,
    *,
    layers: Sequence[int] | None = None,
) -> AttentionAlignment:
    """KL(human ‖ model) over attention rows; see the one in `gazecode.adapters.torch`.

    Parameters
    ----------
    attentions
        ``(B, H, T, T)`` of one layer, or a sequence of such over layers.
    target
        ``(B, T)``, the same row for all queries, or ``(B, T, T)``.
    queries, keys
        ``(B, T)`` bool.
    layers
        Which layers to average; all by default.

    Examples
    --------
    >>> even = np.tril(np.ones((2, 2))) / [[1], [2]]
    >>> yes = np.ones((1, 2), dtype=bool)
    >>> attention_alignment_loss(even[None, None], np.array([[3.0, 1.0]]), yes, yes).n_rows
    2
    """
    every = [attentions] if isinstance(attentions, np.ndarray) else list(attentions)
    chosen = every if layers is None else [every[i] for i in layers]
    model = np.mean([np.asarray(a, dtype=np.float64).mean(axis=1) for a in chosen], axis=0)
    t = model.shape[-1]
    query, key = np.asarray(queries, dtype=bool), np.asarray(keys, dtype=bool)
    reach = np.tril(np.ones((t, t), dtype=bool)) & query[:, :, None]
    allowed = reach & key[:, None, :]
    rows = np.asarray(target, dtype=np.float64)
    human = np.where(allowed, rows if rows.ndim == 3 else rows[:, None, :], 0.0)
    held, mass = np.where(allowed, model, 0.0).sum(axis=-1), human.sum(axis=-1)
    used = query & (held > 0) & (mass > 0)

    tiny = np.finfo(np.float64).tiny
    share = human / np.maximum(mass, tiny)[..., None]
    log_ratio = np.log(np.maximum(share, tiny)) - np.log(np.maximum(model, tiny))
    divergence = (share * log_ratio).sum(axis=-1) + np.log(np.maximum(held, tiny))
    n, whole = int(used.sum()), float(np.where(reach, model, 0.0).sum())
    return AttentionAlignment(
        loss=float(divergence[used].mean()) if n else 0.0,
        n_rows=n,
        n_skipped=int(query.sum()) - n,
        sink_share=1.0 - float(held.sum()) / whole if whole else float("nan"),
    )
