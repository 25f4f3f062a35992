"""Asking a causal language model: its greedy answer, and how likely it finds a given one.

Nothing is drawn at random and nothing of the model is left changed. Answers are ids without the
mark that ends them.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gazecode.attention.causal import check_causal
from gazecode.attention.model import at_rest, check_length, device_of
from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import FloatArray, IntArray

__all__ = [
    "MAX_NEW_TOKENS",
    "Progress",
    "answer_log_prob",
    "answer_of",
    "generate_answer",
    "generate_answers",
    "log_prob",
    "logits_of",
]

MAX_NEW_TOKENS = 64

Progress = Callable[[int, int], None]
"""Called with what is done and how much there is."""


def logits_of(model: Any, ids: Any, *, keep: int = 0) -> Any:
    """``(b, keep or t, v)`` scores of the next subword, of the last `keep` positions.

    Parameters
    ----------
    ids
        ``(b, t)`` tensor, no padding.
    keep
        0 for all; a vocabulary is wide, and a model that can leaves the rest uncomputed.

    Raises
    ------
    ParameterError
        A model without a head for language.
    """
    import torch

    known = _parameters(model)
    wanted = {
        "attention_mask": torch.ones_like(ids),
        "use_cache": False,
        **({"logits_to_keep": keep} if keep else {}),
    }
    given = {name: value for name, value in wanted.items() if name in known}
    logits = getattr(model(input_ids=ids, **given), "logits", None)
    if logits is None:
        raise ParameterError(
            f"a {type(model).__name__} says nothing of the next subword; load the model with "
            "AutoModelForCausalLM"
        )
    return logits[:, -keep:] if keep else logits


def _parameters(model: Any) -> set[str]:
    """What the forward pass of a model takes; of an adapter, that of the model inside."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return set(inspect.signature(inner.forward).parameters)


def answer_log_prob(
    model: Any,
    prompts: Sequence[IntArray],
    answer_ids: IntArray,
    *,
    batch: int = 8,
    progress: Progress | None = None,
) -> FloatArray:
    """``(p, a)`` log probability (nats) of every subword of an answer, after each prompt.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompts
        ``(n,)`` ids each; lengths may differ. Those of one length are asked together.
    answer_ids
        ``(a,)`` the same answer after each.
    batch
        How many prompts at once.
    progress
        Called with prompts done and their number.

    Returns
    -------
    numpy.ndarray
        float64; the softmax is taken in float32 at least.
    """
    import torch

    answer = np.asarray(answer_ids, dtype=np.int64)
    out = np.empty((len(prompts), len(answer)))
    device, done = device_of(model), 0
    target = torch.as_tensor(answer, device=device)
    with at_rest(model), torch.no_grad():
        for rows, ids in _batches(prompts, batch):
            check_length(model, ids.shape[1] + len(answer))
            full = np.concatenate([ids, np.broadcast_to(answer, (len(ids), len(answer)))], axis=1)
            asked = torch.as_tensor(full[:, :-1], device=device)
            logits = logits_of(model, asked, keep=len(answer))
            out[rows] = log_prob(logits, target.expand(len(ids), -1)).double().cpu().numpy()
            done += len(rows)
            if progress is not None:
                progress(done, len(prompts))
    return out


def log_prob(logits: Any, target: Any) -> Any:
    """Log probability of `target` ``(...)`` under `logits` ``(..., v)``, in float32 at least."""
    import torch

    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    found = logits.gather(-1, target.to(logits.device)[..., None])[..., 0]
    return found - logits.logsumexp(-1)


def answer_of(model: Any, ids: IntArray, answer_ids: IntArray | None) -> IntArray:
    """``(a,)`` the answer that is asked about: as given, or the model's own.

    Raises
    ------
    DataError
        The answer is empty.
    ParameterError
        The model is no causal one.
    """
    if answer_ids is None:
        answer_ids = generate_answer(model, ids)
    else:
        with at_rest(model):
            check_causal(model)
    answer = np.asarray(answer_ids, dtype=np.int64)
    if answer.ndim != 1 or not len(answer):
        raise DataError(
            f"the answer has shape {answer.shape}; expected (a,) ids, at least one: "
            "the model ends at once, or pass answer_ids"
        )
    return answer


def generate_answer(model: Any, ids: IntArray, max_new_tokens: int = MAX_NEW_TOKENS) -> IntArray:
    """Return the model's greedy continuation of one prompt.

    Parameters
    ----------
    model
        A causal language model of transformers.
    ids
        ``(n,)`` the prompt.
    max_new_tokens
        Longest answer, in subwords.

    Returns
    -------
    numpy.ndarray
        ``(a,)`` ids, without the end-of-text mark and what is behind it; may be empty.
    """
    return generate_answers(model, [ids], max_new_tokens=max_new_tokens)[0]


def generate_answers(
    model: Any,
    prompts: Sequence[IntArray],
    *,
    max_new_tokens: int = MAX_NEW_TOKENS,
    batch: int = 8,
    progress: Progress | None = None,
) -> list[IntArray]:
    """Return the greedy continuation of several prompts; those of one length are asked together.

    The model's own settings for sampling, penalties and beams are set aside, except for the ids
    that end a text. No prompt is padded, so that no answer depends on its neighbours but for the
    rounding of the processor.

    Parameters
    ----------
    model, max_new_tokens
        As for `generate_answer`.
    prompts
        ``(n,)`` ids each.
    batch
        How many prompts at once.
    progress
        Called with prompts done and their number.

    Raises
    ------
    ParameterError
        The model cannot generate, `max_new_tokens` is below 1, or the prompt leaves no room.
    """
    import torch

    if max_new_tokens < 1:
        raise ParameterError(f"max_new_tokens is {max_new_tokens}; expected 1 or more")
    if not hasattr(model, "generate"):
        raise ParameterError(
            f"a {type(model).__name__} cannot generate; load the model with AutoModelForCausalLM"
        )
    with at_rest(model):
        check_causal(model)
    answers: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(prompts)
    device, done = device_of(model), 0
    with at_rest(model), _plain_settings(model) as (ends, settings), torch.no_grad():
        for rows, ids in _batches(prompts, batch):
            check_length(model, ids.shape[1] + max_new_tokens)
            asked = torch.as_tensor(ids, device=device)
            made = model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                max_new_tokens=max_new_tokens,
                **settings,
            )
            for row, answer in zip(rows, made[:, ids.shape[1] :].cpu().numpy(), strict=True):
                end = np.flatnonzero(np.isin(answer, ends))
                answers[row] = answer[: end[0]] if end.size else answer
            done += len(rows)
            if progress is not None:
                progress(done, len(prompts))
    return answers


@contextmanager
def _plain_settings(model: Any) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Greedy settings in place of the model's own, which transformers mixes into what it is given.

    Yields the ids that end a text, and what to hand to ``generate``.
    """
    own = getattr(model, "generation_config", None)
    found = getattr(own, "eos_token_id", None)
    ends = [int(i) for i in np.atleast_1d(found)] if found is not None else []
    pad = getattr(own, "pad_token_id", None)
    pad = pad if pad is not None else (ends or [0])[0]
    settings = {"do_sample": False, "num_beams": 1, "pad_token_id": pad}
    use_cache = getattr(own, "use_cache", None)
    holders = [m for m in model.modules() if "generation_config" in vars(m)]
    if not holders:
        yield ends, settings
        return
    from transformers import GenerationConfig

    plain = GenerationConfig(
        eos_token_id=ends or None,
        bos_token_id=getattr(own, "bos_token_id", None),
        use_cache=True if use_cache is None else use_cache,
        **settings,
    )
    before = [(m, m.generation_config) for m in holders]
    try:
        for module in holders:
            module.generation_config = plain
        yield ends, {}
    finally:
        for module, config in before:
            module.generation_config = config


def _batches(prompts: Sequence[IntArray], batch: int) -> Iterator[tuple[list[int], IntArray]]:
    """Numbers of the prompts asked together, and their ids ``(b, n)``: one length each."""
    if batch < 1:
        raise ParameterError(f"batch is {batch}; expected 1 or more")
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, ids in enumerate(prompts):
        if not len(ids):
            raise DataError(f"prompt {i} has no subword; expected at least one")
        by_length[len(ids)].append(i)
    for rows in by_length.values():
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            yield part, np.stack([np.asarray(prompts[i], dtype=np.int64) for i in part])
