"""The losses in PyTorch, with gradients: the numbers of `gazecode.adapters.arrays`.

The formulas are those of `gazecode.adapters.common.losses`. Any device and dtype: logits and
attention below float32 are brought up to it, as transformers does. Labels, weights and the path
come as the collator gives them, not shifted.
"""

from collections.abc import Sequence

from gazecode.adapters.common import losses
from gazecode.adapters.common.losses import IGNORED, AttentionAlignment, PathMargin

try:
    import torch
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.torch needs torch: pip install 'gazecode[torch]'"
    ) from error

from torch import Tensor
from torch.nn.functional import cross_entropy, pad

__all__ = [
    "TORCH",
    "attention_alignment_loss",
    "loss_denominator",
    "path_margin_loss",
    "weighted_causal_loss",
]


def _token_nll(logits: Tensor, labels: Tensor) -> Tensor:
    """``(B, T - 1)`` negative log likelihood of the tokens 1 to T - 1; 0 where there is no loss."""
    # Labels are shifted, not logits: slicing those would copy the largest tensor there is.
    shifted = pad(labels, (0, 1), value=IGNORED)[:, 1:]
    scores = _at_least_float32(logits).flatten(0, 1)
    nll = cross_entropy(scores, shifted.reshape(-1), ignore_index=IGNORED, reduction="none")
    return nll.view(labels.shape)[:, :-1]


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _itself(values: Tensor) -> Tensor:
    return values


TORCH = losses.Library(
    xp=torch,
    floats=_at_least_float32,
    token_nll=_token_nll,
    constant=Tensor.detach,
    scalar=_itself,
    count=int,
)


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
    return losses.loss_denominator(TORCH, labels, loss_weight, normalization, on_path)


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
    return losses.weighted_causal_loss(
        TORCH,
        logits,
        labels,
        loss_weight,
        normalization=normalization,
        on_path=on_path,
        denominator=denominator,
    )


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
    return losses.path_margin_loss(
        TORCH, logits, labels, on_path, reference_logits=reference_logits, beta=beta
    )


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
    return losses.attention_alignment_loss(TORCH, attentions, target, queries, keys, layers=layers)
