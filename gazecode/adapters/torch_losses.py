"""The losses in PyTorch, with gradients: the numbers of `gazecode.adapters.reference`.

`weighted_causal_loss` shifts by one, and nothing else does. Any device and dtype: logits and
attention below float32 are brought up to it, as transformers does. Labels, weights and the path
come as the collator gives them, not shifted.

`path_margin_loss` is the preference term of EyeMulator (https://arxiv.org/abs/2508.16771) made per
sequence.
"""

from collections.abc import Sequence

from gazecode.adapters.reference import (
    IGNORED,
    AttentionAlignment,
    PathMargin,
    check_normalization,
    empty_denominator,
)
from gazecode.errors import DataError, ParameterError

try:
    import torch
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.torch needs torch: pip install 'gazecode[torch]'"
    ) from error

from torch import Tensor
from torch.nn.functional import cross_entropy, pad, softplus

__all__ = [
    "attention_alignment_loss",
    "loss_denominator",
    "path_margin_loss",
    "weighted_causal_loss",
]


def loss_denominator(
    labels: Tensor,
    loss_weight: Tensor,
    normalization: str = "active",
    on_path: Tensor | None = None,
) -> Tensor:
    """Return what the loss of these rows is divided by; add it up over the parts of a batch.

    With gradient accumulation or several devices a mean of means is wrong: add the denominators of
    all parts of the batch, and give the total to each `weighted_causal_loss` as ``denominator``.

    Parameters
    ----------
    labels, loss_weight, on_path
        ``(B, T)`` of the batch, not shifted; `on_path` is asked for by ``path`` alone.
    normalization
        One of `NORMALIZATIONS`; ``sum`` gives 1, which is not to be added up.

    Returns
    -------
    Tensor
        A float of no dimensions; 0 where nothing counts.

    Raises
    ------
    ParameterError
        An unknown normalization, or ``path`` without `on_path`.

    Examples
    --------
    >>> labels, weight = torch.tensor([[7, 8, -100, 9]]), torch.tensor([[9.0, 2.0, 1.0, 0.5]])
    >>> loss_denominator(labels, weight), loss_denominator(labels, weight, "sum_weights")
    (tensor(2.), tensor(2.5000))
    """
    check_normalization(normalization, has_path=on_path is not None)
    active = labels[:, 1:] != IGNORED
    weight = _at_least_float32(loss_weight)[:, 1:]
    if normalization == "sum":
        return weight.new_ones(())
    if normalization == "sum_weights":
        return torch.where(active, weight, 0.0).sum()
    if on_path is not None and normalization == "path":
        active = active & on_path[:, 1:].bool()
    return active.sum().to(weight.dtype)


def weighted_causal_loss(
    logits: Tensor,
    labels: Tensor,
    loss_weight: Tensor,
    *,
    normalization: str = "active",
    on_path: Tensor | None = None,
    denominator: Tensor | float | None = None,
) -> Tensor:
    """Next-token cross-entropy with a weight per target; the shift by one happens here.

    Parameters
    ----------
    logits
        ``(B, T, V)``; those at position ``i`` predict token ``i + 1``.
    labels, loss_weight, on_path
        ``(B, T)`` of the batch, not shifted.
    normalization
        One of `NORMALIZATIONS`; all weights 1 under ``active`` is the usual mean.
    denominator
        Replaces the one of these rows: the sum of `loss_denominator` over the whole accumulated
        or global batch. (Trainers that average gradients over devices want it divided by their
        number.)

    Returns
    -------
    Tensor
        Nats, of no dimensions.

    Raises
    ------
    DataError
        The denominator is 0: nothing counts. The check waits for the device.
    ParameterError
        An unknown normalization, ``path`` without `on_path`, a denominator for ``sum``.

    Examples
    --------
    >>> labels, weight = torch.tensor([[0, 2, -100]]), torch.full((1, 3), 2.0)
    >>> weighted_causal_loss(torch.zeros(1, 3, 4), labels, weight)
    tensor(2.7726)
    """
    own = loss_denominator(labels, loss_weight, normalization, on_path)
    if normalization == "sum":
        check_normalization("sum", has_denominator=denominator is not None)
        # Nothing is divided, and a batch where nothing counts is still no loss of 0.
        own = own.minimum(loss_denominator(labels, loss_weight))
    divisor = own if denominator is None else denominator
    if not divisor > 0:
        raise empty_denominator(normalization, float(divisor))
    weight = _at_least_float32(loss_weight)[:, 1:]
    weight = torch.where(labels[:, 1:] != IGNORED, weight, 0.0)
    return (weight * _token_nll(logits, labels)).sum() / divisor


def _token_nll(logits: Tensor, labels: Tensor) -> Tensor:
    """``(B, T - 1)`` negative log likelihood of the tokens 1 to T - 1; 0 where there is no loss."""
    # Labels are shifted, not logits: slicing those would copy the largest tensor there is.
    shifted = pad(labels, (0, 1), value=IGNORED)[:, 1:]
    scores = _at_least_float32(logits).flatten(0, 1)
    nll = cross_entropy(scores, shifted.reshape(-1), ignore_index=IGNORED, reduction="none")
    return nll.view(labels.shape)[:, :-1]


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def path_margin_loss(
    logits: Tensor,
    labels: Tensor,
    on_path: Tensor,
    *,
    reference_logits: Tensor | None,
    beta: float = 0.1,
) -> PathMargin:
    """Preference for output tokens on the scan path over those off it. UNVERIFIED.

    Per sequence, P is the mean log probability of the output tokens on the path, R that of the
    output tokens off it; the loss is the mean over sequences of
    ``-log sigmoid(beta * ((P - R) - (P_ref - R_ref)))``. This is the preference term of EyeMulator
    made per sequence, never pooled over the batch; no released code implements the paper's form,
    so that nothing stands beside these numbers.

    It has no rejected answer: it raises a margin between tokens of one answer, and can do so by
    pushing correct tokens off the path down. Log `off_path_nll` beside it. At equal margins it is
    ln 2; its infimum is 0 and is never reached. The paper adds 0.1 times it to the loss.

    Parameters
    ----------
    logits
        ``(B, T, V)`` of the model.
    labels, on_path
        ``(B, T)`` of the batch, not shifted. Output tokens are those with a label; set more labels
        to `IGNORED` to leave tokens (white space, say) out of both sides.
    reference_logits
        ``(B, T, V)`` of a frozen reference model, made without gradients; None leaves the
        reference out, which has to be said.
    beta
        Scale of the margin.

    Returns
    -------
    PathMargin
        Sequences with no token on one side are skipped and counted. If all are, the loss is 0 with
        gradients of 0, `n_used` is 0 and `off_path_nll` NaN.

    Examples
    --------
    >>> labels, on_path = torch.tensor([[0, 1, 2]]), torch.tensor([[False, True, False]])
    >>> path_margin_loss(torch.zeros(1, 3, 4), labels, on_path, reference_logits=None).loss
    tensor(0.6931)
    """
    on, off, used = _sides(logits, labels, on_path)
    margin = on - off
    if reference_logits is not None:
        reference_on, reference_off, _ = _sides(reference_logits.detach(), labels, on_path)
        margin = margin - (reference_on - reference_off)
    n = int(used.sum())
    # softplus(-x) is -log sigmoid(x), without overflow.
    terms = torch.where(used, softplus(-beta * margin), 0.0)
    return PathMargin(
        loss=terms.sum() / max(n, 1),
        n_used=n,
        n_skipped=len(used) - n,
        off_path_nll=-off.detach()[used].mean() if n else off.new_tensor(torch.nan),
    )


def _sides(logits: Tensor, labels: Tensor, on_path: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean log probability on and off the path per row, and which rows have both."""
    log_p = -_token_nll(logits, labels)
    active, on = labels[:, 1:] != IGNORED, on_path[:, 1:].bool()
    sides = (active & on, active & ~on)
    counts = [side.sum(dim=1) for side in sides]
    means = [
        (log_p * side).sum(dim=1) / n.clamp(min=1) for side, n in zip(sides, counts, strict=True)
    ]
    return means[0], means[1], (counts[0] > 0) & (counts[1] > 0)


def attention_alignment_loss(
    attentions: Tensor | Sequence[Tensor],
    target: Tensor,
    queries: Tensor,
    keys: Tensor,
    *,
    layers: Sequence[int] | None = None,
) -> AttentionAlignment:
    """KL(human ‖ model) of attention rows, over the keys that a causal model has.

    The model's attention is the mean over heads and over the layers chosen. In row ``i`` both it
    and the human target are restricted to the keys ``j <= i`` and renormalised there: what the
    model gives to sinks and special tokens does not count, and is reported. 0 at equality.

    Parameters
    ----------
    attentions
        ``(B, H, T, T)`` of one layer, or such a tensor per layer, as transformers gives them with
        ``output_attentions=True`` and ``attn_implementation="eager"``.
    target
        `attention_target` of the batch: ``(B, T)``, the same row for all queries, or
        ``(B, T, T)``. Rows need not sum to 1.
    queries, keys
        ``(B, T)`` bool: `attention_queries` and `attention_keys` of the batch.
    layers
        Numbers of the layers to take, from 0, negative ones from the last; None for all.

    Returns
    -------
    AttentionAlignment
        Rows without human or without model mass on their keys are skipped and counted. If all
        are, the loss is 0 with gradients of 0 and `n_rows` is 0.

    Raises
    ------
    DataError
        No attention was given, or a layer gives none.
    ParameterError
        A layer that is not there.

    Examples
    --------
    >>> even = torch.tril(torch.ones(2, 2)) / torch.tensor([[1.0], [2.0]])
    >>> yes = torch.ones(1, 2, dtype=torch.bool)
    >>> attention_alignment_loss(even[None, None], torch.tensor([[3.0, 1.0]]), yes, yes).loss
    tensor(0.0654)
    """
    model = _mean_attention(attentions, layers)
    reach = torch.ones(model.shape[-2:], dtype=torch.bool, device=model.device).tril()
    reach = reach & queries.bool()[:, :, None]
    allowed = reach & keys.bool()[:, None, :]
    rows = target if target.ndim == 3 else target[:, None, :]
    human = torch.where(allowed, rows.to(model.dtype), 0.0)
    inside = torch.where(allowed, model, 0.0)
    held, mass = inside.sum(dim=-1), human.sum(dim=-1)
    used = (held > 0) & (mass > 0)

    # Every logarithm is of a number above 0, and no gradient meets a division by 0: where the
    # human share is 0 its term is 0, whatever the model gives there.
    tiny = torch.finfo(model.dtype).tiny
    share = human / mass.clamp(min=tiny)[..., None]
    log_model = inside.clamp(min=tiny).log()
    divergence = (torch.xlogy(share, share) - share * log_model).sum(dim=-1)
    divergence = divergence + held.clamp(min=tiny).log()
    n, n_queries = int(used.sum()), int(queries.sum())
    whole = torch.where(reach, model.detach(), 0.0).sum()
    return AttentionAlignment(
        loss=torch.where(used, divergence, 0.0).sum() / max(n, 1),
        n_rows=n,
        n_skipped=n_queries - n,
        # Without a query row: 0 / 0, which is NaN.
        sink_share=1 - held.detach().sum() / whole,
    )


def _mean_attention(attentions: Tensor | Sequence[Tensor], layers: Sequence[int] | None) -> Tensor:
    """``(B, T, T)`` mean over heads, then over the layers chosen."""
    every = (attentions,) if isinstance(attentions, Tensor) else tuple(attentions or ())
    numbers = range(len(every)) if layers is None else layers
    wrong = [number for number in numbers if not -len(every) <= number < len(every)]
    if wrong:
        raise ParameterError(f"no layer {wrong[0]}; expected one of {len(every)}, from 0")
    chosen = [every[number] for number in numbers]
    if not chosen or any(layer is None for layer in chosen):
        raise DataError(
            "the model gave no attention; expected (B, H, T, T) for each layer: ask for it with "
            'output_attentions=True, and load the model with attn_implementation="eager"'
        )
    return torch.stack([_at_least_float32(layer).mean(dim=1) for layer in chosen]).mean(dim=0)
