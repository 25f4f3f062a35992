"""Batches as plain numpy arrays, for any trainer, and the losses in float64 beside them.

`collate` says what a batch holds; every other adapter hands over these arrays and must agree with
these losses to 1e-6. What they have in common is in `gazecode.adapters.common`; nothing here
imports a trainer.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.adapters.common import losses
from gazecode.adapters.common.grouping import (
    SIDES,
    Pair,
    batches,
    collate_pairs,
    pair_batches,
    pairs,
)
from gazecode.adapters.common.losses import (
    IGNORED,
    NORMALIZATIONS,
    AttentionAlignment,
    PathMargin,
)
from gazecode.adapters.common.padding import TARGETS, Batch, CollateOptions, collate
from gazecode.model.checks import Array, FloatArray

__all__ = [
    "IGNORED",
    "NORMALIZATIONS",
    "SIDES",
    "TARGETS",
    "AttentionAlignment",
    "Batch",
    "CollateOptions",
    "Pair",
    "PathMargin",
    "attention_alignment_loss",
    "batches",
    "collate",
    "collate_pairs",
    "loss_denominator",
    "loss_terms",
    "megatron",
    "pair_batches",
    "pairs",
    "path_margin_loss",
    "token_nll",
    "weighted_causal_loss",
]


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
    scores = _floats(logits)[:, :-1]
    top = scores.max(axis=-1, keepdims=True)
    log_total = np.log(np.exp(scores - top).sum(axis=-1)) + top[..., 0]
    chosen = np.take_along_axis(scores, np.where(active, target, 0)[..., None], axis=-1)[..., 0]
    return np.where(active, log_total - chosen, 0.0)


def _floats(values: Array) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _itself(values: Array) -> Array:
    """Nothing here has gradients."""
    return values


_NUMPY = losses.Library(
    xp=np, floats=_floats, token_nll=token_nll, constant=_itself, scalar=float, count=int
)


def loss_denominator(
    labels: Array, loss_weight: Array, normalization: str = "active", on_path: Array | None = None
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
    found: float = losses.loss_denominator(_NUMPY, labels, loss_weight, normalization, on_path)
    return found


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
    total = float(losses.weighted_sum(_NUMPY, nll, labels, loss_weight))
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
    found: float = losses.weighted_causal_loss(
        _NUMPY,
        logits,
        labels,
        loss_weight,
        normalization=normalization,
        on_path=on_path,
        denominator=denominator,
    )
    return found


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
    return losses.path_margin_loss(
        _NUMPY, logits, labels, on_path, reference_logits=reference_logits, beta=beta
    )


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
    return losses.attention_alignment_loss(_NUMPY, attentions, target, queries, keys, layers=layers)


def megatron(batch: Batch, *, create_attention_mask: bool = True) -> Batch:
    """Bring a batch into the form of Megatron-LM: one shorter, labels shifted, a float loss mask.

    Megatron-LM multiplies the loss at position ``i``, that of predicting token ``i + 1``, by
    ``loss_mask[i]``, and divides by the sum of the mask: the normalization ``sum_weights``. For
    another one divide by `loss_denominator` of the batch.

    Parameters
    ----------
    batch
        As `collate` makes it.
    create_attention_mask
        Named as its setting: ``(B, 1, T - 1, T - 1)`` takes memory, and kernels with a causal mask
        of their own do without. Padding is on the right, where no token looks.

    Returns
    -------
    dict of str to array
        `tokens`, `labels`, `position_ids` ``(B, T - 1)`` int64; `loss_mask` ``(B, T - 1)``
        float32, weight of the label as a target and 0 without a loss; `attention_mask` bool, True
        where one must not look.

    Examples
    --------
    >>> ids, labels = np.array([[5, 6, 7]]), np.array([[IGNORED, IGNORED, 7]])
    >>> weight = np.array([[1.0, 1.0, 2.5]], dtype=np.float32)
    >>> made = megatron({"input_ids": ids, "labels": labels, "loss_weight": weight})
    >>> made["tokens"], made["labels"], made["loss_mask"]
    (array([[5, 6]]), array([[6, 7]]), array([[0. , 2.5]], dtype=float32))
    """
    ids, active = batch["input_ids"], batch["labels"][:, 1:] != IGNORED
    rows, width = active.shape
    made = {
        "tokens": ids[:, :-1].copy(),
        "labels": ids[:, 1:].copy(),
        "loss_mask": np.where(active, batch["loss_weight"][:, 1:], np.float32(0)),
        "position_ids": np.tile(np.arange(width), (rows, 1)),
    }
    if create_attention_mask:
        ahead = ~np.tril(np.ones((width, width), dtype=bool))
        made["attention_mask"] = np.tile(ahead, (rows, 1, 1, 1))
    return made
