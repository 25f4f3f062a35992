"""Self-attention that positions receive: heads summed, layers summed, rows summed.

Reading steps are the positions of the prompt, each as the query of one row. Generation steps are
the rows that predict the generated tokens: with ``n`` positions of prompt and ``g`` generated ones,
the rows ``n - 1`` to ``n + g - 2`` (row ``n - 1``, the last of the prompt, predicts the first of
them). Columns are the positions of the prompt. This is the description of Kou et al. (FSE 2024,
doi 10.1145/3660807); what their code does instead is in `gazecode.attention.kou2024`.

A row of a layer is the sum over its heads. Positions that are dropped leave the row, and the rest
is brought back to the mass the row had (one per head): per layer and not per head, so that a head
that is parked on the first position does not have its rest blown up to a full vote.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from gazecode.attention.hooks import ROW_TOLERANCE, each_layer
from gazecode.attention.model import device_of
from gazecode.attention.prompt import Prompt, Scored
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = [
    "Which",
    "as_tensor",
    "attention_of_rows",
    "sees_ahead",
    "self_attention",
    "summed_heads",
    "uniform_rows",
]

Which = Literal["first", "last", "all"] | tuple[int, ...]
"""Layers or heads: by place, or by 0-based number."""


def self_attention(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    layers: Which = "all",
    heads: Which = "all",
    steps: Literal["reading", "generation"] = "reading",
    renormalise: bool = True,
    matrix: bool = False,
) -> Scored:
    """Score the positions of a prompt by the attention they receive.

    Parameters
    ----------
    model
        A model of transformers in evaluation mode.
    prompt
        ``n`` positions.
    answer_ids
        ``(g,)`` what the model generated; of use with generation steps alone.
    layers, heads
        Which of them are summed.
    steps
        Which rows are summed.
    renormalise
        Whether a row has its whole mass again after positions were dropped; False leaves it out.
    matrix
        Whether to give the rows, too, summed over layers and heads; reading steps only.

    Returns
    -------
    Scored
        `value` sums to ``mass - skipped`` of its parameters: one unit of mass per row, head and
        layer, less the rows of which nothing is left (the first, where the first is dropped).
        Without `renormalise`, the dropped share is missing, too.

    Raises
    ------
    ParameterError
        No such layer or head; generation steps without an answer, or of a model that reads in both
        directions.
    """
    n = len(prompt)
    if steps == "reading":
        following = np.empty(0, dtype=np.int64)
        rows = np.flatnonzero(prompt.counted)
    else:
        if answer_ids is None or not len(answer_ids):
            raise ParameterError("generation steps need an answer of one token at least; give one")
        following = np.asarray(answer_ids[:-1], dtype=np.int64)
        rows = n - 1 + np.arange(len(answer_ids))
    return attention_of_rows(
        model,
        prompt,
        following=following,
        rows=rows,
        layers=layers,
        heads=heads,
        renormalise=renormalise,
        matrix=matrix,
        causal=steps == "generation",
    )


def attention_of_rows(
    model: Any,
    prompt: Prompt,
    *,
    following: IntArray,
    rows: IntArray,
    layers: Which = "all",
    heads: Which = "all",
    renormalise: bool = True,
    matrix: bool = False,
    causal: bool = False,
) -> Scored:
    """Sum chosen rows over chosen layers and heads; columns are the prompt.

    Parameters
    ----------
    following
        ``(f,)`` ids after the prompt.
    rows
        ``(r,)`` positions in prompt and following.
    causal
        Whether to refuse a model whose rows see what comes after them.
    """
    if matrix and rows.max(initial=-1) >= len(prompt):
        raise ParameterError("the rows are generated tokens; a matrix is of reading steps only")
    tally = _Tally(prompt, rows, heads, renormalise=renormalise, matrix=matrix, causal=causal)
    chosen = _chosen(layers, "layers")

    def see(layer: int, weights: Any, allowed: Any) -> None:
        if layers == "last":
            tally.clear()
        if chosen is None or layer in chosen:
            tally.add(weights, allowed)

    n_layers = each_layer(model, as_tensor(model, np.concatenate([prompt.ids, following])), see)
    if chosen is not None and max(chosen) >= n_layers:
        raise ParameterError(f"layer {max(chosen)} of {n_layers}; layers count from 0")
    return tally.scored(
        {
            "layers": layers if isinstance(layers, str) else list(layers),
            "heads": heads if isinstance(heads, str) else list(heads),
            "n_layers": n_layers,
            "renormalised": renormalise,
        }
    )


class _Tally:
    """Sums over rows, heads and layers, one layer at a time."""

    def __init__(
        self,
        prompt: Prompt,
        rows: IntArray,
        heads: Which,
        *,
        renormalise: bool,
        matrix: bool,
        causal: bool,
    ) -> None:
        self.prompt, self.rows, self.heads = prompt, rows, heads
        self.renormalise, self.with_matrix, self.causal = renormalise, matrix, causal
        self.kept = ~prompt.dropped
        self.clear()

    def clear(self) -> None:
        """Forget the layers so far."""
        n = len(self.prompt)
        self.value: FloatArray = np.zeros(n)
        self.expected: FloatArray = np.zeros(n)
        self.matrix = np.zeros((n, n)) if self.with_matrix else None
        self.mass = self.skipped = self.removed = self.answered = 0.0
        self.ahead = False
        self._mask: Any = None
        self._uniform: FloatArray | None = None

    def add(self, weights: Any, allowed: Any) -> None:
        """One layer: weights ``(heads, q, q)``, keys that rows may see."""
        n, rows = len(self.prompt), _sliced(self.rows)
        ahead = sees_ahead(allowed, self.rows)
        self.ahead |= ahead
        if self.causal and ahead:
            raise ParameterError(
                "the rows of this model see what comes after them: it reads in both directions "
                "and generates nothing; take reading steps"
            )
        heads = _heads(self.heads, len(weights))
        part = weights[heads] if heads is not None else weights
        level = len(part)
        mass = summed_heads(part[:, rows]).cpu().numpy().astype(np.float64, copy=False)
        kept = self._columns(mass, level)
        self.value += kept.sum(0)
        if self.matrix is not None:
            self.matrix[self.rows] += kept
        self.mass += level * len(self.rows)
        self.removed += float(mass[:, :n][:, ~self.kept].sum())
        # Some models park attention on a learned sink that is no position (gpt-oss).
        parked = 1 - float(mass.sum()) / (level * len(self.rows))
        if parked > ROW_TOLERANCE[weights.element_size()]:
            self.removed += parked * level * len(self.rows)
        self.answered += float(mass[:, n:].sum())
        self.skipped += level * float(np.count_nonzero(kept.sum(1) == 0))
        self.expected += level * self._expected(allowed, rows, heads)

    def _columns(self, mass: FloatArray, level: float) -> FloatArray:
        """``(r, n)`` rows over what is kept of the prompt."""
        kept: FloatArray = mass[:, : len(self.prompt)] * self.kept
        if self.renormalise:
            left = kept.sum(1, keepdims=True)
            kept *= np.divide(level, left, out=np.zeros_like(left), where=left > 0)
        return kept

    def _expected(self, allowed: Any, rows: Any, heads: Any) -> FloatArray:
        """``(n,)`` what uniform rows of mass 1 give; layers mostly have one mask."""
        if self._uniform is not None and _same(self._mask, allowed):
            return self._uniform
        width = max(int(self.rows.max()) + 1, len(self.prompt))
        if allowed is not None:
            width = allowed.shape[-1]
            if heads is not None and len(allowed) > 1:
                allowed = allowed[heads]
        uniform = uniform_rows(allowed, rows, n_rows=len(self.rows), n_keys=width)
        self._mask = allowed
        self._uniform = self._columns(uniform, 1.0).sum(0)
        return self._uniform

    def scored(self, parameters: dict[str, Any]) -> Scored:
        """The sums, and what the mass was."""
        whole = max(self.mass, 1e-300)
        return Scored(
            value=self.value,
            expected=self.expected,
            matrix=self.matrix,
            removed_share=self.removed / whole,
            parameters=parameters
            | {
                "rows": len(self.rows),
                "mass": self.mass,
                "skipped": self.skipped,
                "answer_share": self.answered / whole,
                "causal": not self.ahead,
            },
        )


def uniform_rows(allowed: Any, rows: Any, *, n_rows: int, n_keys: int) -> FloatArray:
    """``(r, k)`` rows that spread a mass of 1 evenly over the keys they may see."""
    if allowed is None:
        return np.full((n_rows, n_keys), 1 / n_keys)
    seen: BoolArray = allowed[:, rows].cpu().numpy()
    each = seen / np.maximum(seen.sum(-1, keepdims=True), 1)
    uniform: FloatArray = each.mean(0)
    return uniform


def as_tensor(model: Any, ids: IntArray) -> Any:
    """Ids on the model's device."""
    import torch

    return torch.as_tensor(np.ascontiguousarray(ids), dtype=torch.long, device=device_of(model))


def summed_heads(weights: Any) -> Any:
    """``(q, k)`` sum over heads, in double precision where the device has it.

    Head by head: torch's own sum into another precision is five times slower.
    """
    import torch

    exact = torch.float32 if weights.device.type == "mps" else torch.float64
    total = torch.zeros(weights.shape[1:], dtype=exact, device=weights.device)
    for head in weights:
        total += head
    return total


def _sliced(rows: IntArray) -> Any:
    """A range of rows as a slice, which copies nothing."""
    import torch

    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and np.all(np.diff(rows) == 1):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return torch.as_tensor(rows)


def _heads(heads: Which, n_heads: int) -> Any:
    """Numbers of heads as a list; None for all."""
    if heads == "last":
        return [n_heads - 1]
    chosen = _chosen(heads, "heads")
    if chosen is None:
        return None
    if max(chosen) >= n_heads:
        raise ParameterError(f"head {max(chosen)} of {n_heads}; heads count from 0")
    return list(chosen)


def _chosen(which: Which, kind: str) -> Sequence[int] | None:
    """Numbers; None for all, and for the last, of which one learns when it is over."""
    if which in {"all", "last"}:
        return None
    if which == "first":
        return [0]
    if isinstance(which, str) or not which or min(which) < 0:
        raise ParameterError(
            f"{kind} is {which!r}; expected 'first', 'last', 'all' or numbers from 0 on"
        )
    return which


def sees_ahead(allowed: Any, rows: IntArray) -> bool:
    """Whether a row may see the position after its own; `allowed` as `each_layer` gives it."""
    import torch

    if allowed is None:
        return True
    at = torch.as_tensor(rows[rows + 1 < allowed.shape[-1]], device=allowed.device)
    return bool(allowed[:, at, at + 1].any())


def _same(before: Any, now: Any) -> bool:
    if before is None or now is None:
        return before is now
    return before.shape == now.shape and bool((before == now).all())
