"""Attention rollout (Abnar & Zuidema, ACL 2020): where what a position holds came from.

Attention of a deep layer points at positions that are mixtures already. Rollout follows the mass
down: each layer's heads are averaged, the residual stream counts as attention to oneself with half
of the weight, ``A = (mean over heads + I) / 2`` with rows that sum to 1, and the layers are
multiplied, the last one first.
"""

from typing import Any, Literal

import numpy as np

from gazecode.attention.hooks import each_layer
from gazecode.attention.prompt import Prompt, Scored
from gazecode.attention.self_attention import (
    as_tensor,
    sees_ahead,
    summed_heads,
    uniform_rows,
)
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["rollout"]


def rollout(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,  # noqa: ARG001 - every method is asked alike
    rows: Literal["all", "last"] = "all",
    renormalise: bool = True,
    matrix: bool = False,
) -> Scored:
    """Score the positions of a prompt by how much of them reaches the top of the model.

    Parameters
    ----------
    model
        A model of transformers in evaluation mode.
    prompt
        ``n`` positions.
    rows
        All positions as they are at the top, or the last one alone.
    renormalise
        Whether a row has its whole mass again after positions were dropped. They are dropped from
        the product; inside of it the first position carries mass as any other.
    matrix
        Whether to give the product, too.

    Returns
    -------
    Scored
        `value` sums to the number of rows of which something is left.
    """
    n = len(prompt)
    product: Any = None
    masks: list[FloatArray] = []
    ahead = False

    def see(_: int, weights: Any, allowed: Any) -> None:
        nonlocal product, ahead
        ahead |= sees_ahead(allowed, np.arange(n))
        layer = _with_residual(weights)
        product = layer if product is None else layer @ product
        uniform = uniform_rows(allowed, slice(None), n_rows=n, n_keys=n)
        masks.append(next((m for m in masks if np.array_equal(m, uniform)), uniform))

    n_layers = each_layer(model, as_tensor(model, prompt.ids), see)
    chosen = np.flatnonzero(prompt.counted)
    chosen = chosen[-1:] if rows == "last" else chosen
    top = product.cpu().numpy().astype(np.float64)[chosen]
    kept = _kept(top, prompt, renormalise=renormalise)
    whole = np.zeros((n, n)) if matrix else None
    if whole is not None:
        whole[chosen] = kept
    return Scored(
        value=kept.sum(0),
        expected=_expected(masks, chosen, prompt, renormalise=renormalise),
        matrix=whole,
        removed_share=float(top[:, prompt.dropped].sum() / max(len(chosen), 1)),
        parameters={
            "rows": len(chosen),
            "from": rows,
            "n_layers": n_layers,
            "heads": "mean",
            "renormalised": renormalise,
            "causal": not ahead,
            "mass": float(len(chosen)),
            "skipped": float(np.count_nonzero(kept.sum(1) == 0)),
        },
    )


def _with_residual(weights: Any) -> Any:
    layer = summed_heads(weights) / (2 * len(weights))
    layer.diagonal().add_(0.5)
    return layer / layer.sum(1, keepdim=True)


def _expected(
    masks: list[FloatArray], chosen: IntArray, prompt: Prompt, *, renormalise: bool
) -> FloatArray:
    """What the rows receive from layers that attend uniformly."""
    top: FloatArray = np.zeros((len(chosen), len(prompt)))
    top[np.arange(len(chosen)), chosen] = 1
    for uniform in reversed(masks):
        top = (top @ uniform + top) / 2
    return _kept(top, prompt, renormalise=renormalise).sum(0)


def _kept(top: FloatArray, prompt: Prompt, *, renormalise: bool) -> FloatArray:
    kept: FloatArray = top * ~prompt.dropped
    if renormalise:
        left = kept.sum(1, keepdims=True)
        kept *= np.divide(1, left, out=np.zeros_like(left), where=left > 0)
    return kept
