"""Scores by gradients: how much a subword of the prompt moves the log probability of a prediction.

Saliency (Simonyan et al. 2014, arXiv 1312.6034): the size of the gradient of log p(target) with
respect to the subword's embedding. Input x gradient (Shrikumar et al. 2016, arXiv 1605.01713): the
embedding times that gradient, summed over its axis. As Kou et al. (FSE 2024, 10.1145/3660807)
describe them, scores are summed over the *reading steps*, in which the model predicts the prompt's
own next subwords, or over the *generation steps*, in which it predicts its answer.

What they published is another thing: the first generated subword ("reading") or the last one
("coding") alone, the l2 norm over the embedding axis in both methods, divided by its sum (there
over the answer so far, too, and of the probability: both are factors of all scores alike).

A sum of scores is not the score of a sum: gradients of different steps cancel. Each step therefore
gets a backward pass of its own, which costs about as many passes as there are steps. captum's
``Saliency`` and ``InputXGradient`` run the model anew, on the whole text, for every target; here
`chunk` steps share a pass as rows of a batch, each cut where its chunk ends, which a causal model
does not notice: half the work, and memory bounded by `chunk` texts. The tests hold both against
each other.
"""

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np

from gazecode.attention.causal import check_causal
from gazecode.attention.generation import (
    Progress,
    answer_of,
    log_prob,
    logits_of,
)
from gazecode.attention.model import at_rest, check_length, device_of
from gazecode.attention.prompt import Prompt, Scored
from gazecode.errors import ParameterError
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["input_x_gradient", "saliency"]

Steps = Literal["reading", "generation"]
Only = Literal["all", "first", "last"]


def saliency(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    steps: Steps = "reading",
    norm: Literal["l2", "l1", "abs_max"] = "l2",
    only: Only = "all",
    fast: bool = False,
    normalise: bool = False,
    chunk: int = 8,
    progress: Progress | None = None,
) -> Scored:
    """Score subwords by the size of the gradient of log p(target).

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompt
        The text, ``n`` subwords.
    answer_ids
        ``(a,)`` the answer of the generation steps; by default the model's greedy one.
    steps
        ``reading``: targets are the prompt's subwords 2 to n, each given those before it.
        ``generation``: targets are the answer's, given the prompt and the answer so far; only the
        prompt is scored.
    norm
        Over the embedding axis.
    only
        Take the first or the last step alone.
    fast
        One backward pass of the sum over steps. Never more than the sum of the scores, and less
        where steps disagree.
    normalise
        Divide by the sum.
    chunk
        Steps per backward pass; memory grows with it.
    progress
        Called with steps done and their number.

    Returns
    -------
    Scored
        ``value`` ``(n,)``, at least 0: nats per unit of embedding, summed over steps.

    Raises
    ------
    ParameterError
        The prompt is too short or too long, the model no causal one, or a parameter none of its
        choices.
    DataError
        The answer is empty.
    """
    sizes: dict[str, Callable[[Any], Any]] = {
        "l2": lambda g: g.norm(dim=-1),
        "l1": lambda g: g.abs().sum(dim=-1),
        "abs_max": lambda g: g.abs().amax(dim=-1),
    }
    _check(norm, sizes, "norm")
    value, parameters = _scored(
        model,
        prompt,
        lambda _, gradient: sizes[norm](gradient),
        answer_ids=answer_ids,
        steps=steps,
        only=only,
        fast=fast,
        chunk=chunk,
        progress=progress,
    )
    return _result(value, {"norm": norm, **parameters}, normalise=normalise)


def input_x_gradient(  # noqa: PLR0913 - a method's parameters
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    steps: Steps = "reading",
    collapse: Literal["sum", "l2", "l1", "abs_max"] = "sum",
    signed: bool = False,
    only: Only = "all",
    fast: bool = False,
    normalise: bool = False,
    chunk: int = 8,
    progress: Progress | None = None,
) -> Scored:
    """Score subwords by their embedding times the gradient of log p(target).

    Parameters
    ----------
    model, prompt, answer_ids, steps, only, normalise, chunk, progress
        As for `saliency`.
    collapse
        Over the embedding axis of the product: its sum (the method), or the size of it.
    signed
        Keep the sign of the sum; by default its absolute value counts at each step.
    fast
        One backward pass of the sum over steps. Exact for signed sums, which are linear (they take
        it in any case); otherwise never more than the sum of the scores.

    Returns
    -------
    Scored
        ``value`` ``(n,)``: nats, summed over steps.

    Raises
    ------
    ParameterError
        As for `saliency`, and for a sign where `collapse` has none.
    DataError
        The answer is empty.
    """
    sizes: dict[str, Callable[[Any], Any]] = {
        "sum": lambda p: p.sum(dim=-1) if signed else p.sum(dim=-1).abs(),
        "l2": lambda p: p.norm(dim=-1),
        "l1": lambda p: p.abs().sum(dim=-1),
        "abs_max": lambda p: p.abs().amax(dim=-1),
    }
    _check(collapse, sizes, "collapse")
    if signed and (collapse != "sum" or normalise):
        raise ParameterError(
            "signed scores are sums and do not add up to 1: leave collapse='sum', normalise=False"
        )
    value, parameters = _scored(
        model,
        prompt,
        lambda embedding, gradient: sizes[collapse](embedding * gradient),
        answer_ids=answer_ids,
        steps=steps,
        only=only,
        fast=fast or signed,
        chunk=chunk,
        progress=progress,
    )
    return _result(
        value, {"collapse": collapse, "signed": signed, **parameters}, normalise=normalise
    )


def _result(value: FloatArray, parameters: dict[str, Any], *, normalise: bool) -> Scored:
    total = float(np.abs(value).sum())
    if normalise and total > 0:
        value = value / total
    return Scored(value=value, parameters={**parameters, "normalise": normalise})


def _check(name: str, choices: Any, kind: str) -> None:
    if name not in choices:
        raise ParameterError.unknown(kind, name, choices)


def _scored(
    model: Any,
    prompt: Prompt,
    score: Callable[[Any, Any], Any],
    *,
    answer_ids: IntArray | None,
    steps: str,
    only: str,
    fast: bool,
    chunk: int,
    progress: Progress | None,
) -> tuple[FloatArray, dict[str, Any]]:
    """``(n,)`` scores of the prompt, summed over the steps asked for; and what they were."""
    _check(steps, ("reading", "generation"), "steps")
    _check(only, ("all", "first", "last"), "only")
    if chunk < 1:
        raise ParameterError(f"chunk is {chunk}; expected 1 or more")
    ids, n = np.asarray(prompt.ids, dtype=np.int64), len(prompt)
    if steps == "generation":
        ids = np.concatenate([ids, answer_of(model, ids, answer_ids)])
        target = np.arange(n, len(ids))
    else:
        target = np.arange(1, n)
    if not len(target):
        raise ParameterError("a prompt of one subword has no reading step; give a longer text")
    check_length(model, len(ids))
    n_targets = len(target)
    target = {"all": target, "first": target[:1], "last": target[-1:]}[only]
    size = len(target) if fast else chunk
    value = np.zeros(n)
    with at_rest(model):
        check_causal(model)
        for start in range(0, len(target), size):
            part = target[start : start + size]
            found = _steps(model, ids[: part[-1] + 1], len(part), score, together=fast)
            seen = min(n, len(found))
            value[:seen] += found[:seen]
            if progress is not None:
                progress(start + len(part), len(target))
    return value, {"steps": steps, "only": only, "n_steps": n_targets, "fast": fast}


def _steps(
    model: Any, ids: IntArray, k: int, score: Callable[[Any, Any], Any], *, together: bool
) -> FloatArray:
    """``(t,)`` scores of the ``t`` positions before the last, summed over the last `k` targets.

    `together` takes the score of the summed gradient, else one row per target is summed after.
    """
    import torch

    tensor = torch.as_tensor(ids, device=device_of(model))
    target = tensor[-k:]
    rows = 1 if together else k
    asked = tensor[None, :-1].expand(rows, -1)
    with torch.enable_grad(), _Embedded(model, asked) as embedded:
        logits = logits_of(model, asked, keep=k)
        step = torch.arange(k, device=logits.device)
        # Row r asks for target r alone: what it says at the other kept positions is not used.
        kept = logits[0] if together else logits[step, step]
        total = log_prob(kept, target).sum()
        (gradient,) = torch.autograd.grad(total, embedded.leaf)
    found = score(embedded.leaf.detach().double(), gradient.double())
    values: FloatArray = found.sum(dim=0).cpu().numpy()
    return values


class _Embedded:
    """Makes what the embedding layer gives for some ids a leaf that gradients are taken of.

    By a hook, not by ``inputs_embeds``: every model has an embedding layer, and some need the ids
    beside it. Positions that a model adds to embeddings are not part of them.
    """

    def __init__(self, model: Any, ids: Any) -> None:
        layer = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
        if layer is None:
            raise ParameterError(
                f"a {type(model).__name__} names no embedding layer (get_input_embeddings); "
                "gradients need one: give a model of transformers"
            )
        self.layer = layer
        self.leaf = layer(ids).detach().requires_grad_(True)  # noqa: FBT003
        self.hook: Any = None

    def __enter__(self) -> Self:
        self.hook = self.layer.register_forward_hook(lambda *_: self.leaf)
        return self

    def __exit__(self, *_: object) -> None:
        self.hook.remove()
