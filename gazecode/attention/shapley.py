"""SHAP: the Shapley values of a prompt's AST tokens for the log probability of an answer.

Tokens are players (Shapley 1953; Lundberg and Lee 2017, arXiv 1705.07874). The value of a
coalition is log p(answer) where the subwords of all other tokens are replaced by one id, the
baseline; the contributions add up to what the whole prompt is worth over the empty one. Up to ten
players are counted out, more are sampled over random orders (Castro et al. 2009) by captum.

What Kou et al. (FSE 2024, 10.1145/3660807) published is not that: see
`gazecode.attention.kou2024.published_shap`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gazecode.attention.generation import Progress, answer_log_prob, answer_of
from gazecode.attention.prompt import Prompt, Scored, TokenParts
from gazecode.attention.substitution import token_parts
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["MAX_EXACT", "players_of", "shap"]

MAX_EXACT = 10
"""Players whose coalitions are all asked for: 1,024 of them."""

_BASELINES = (
    ("[MASK]", "<mask>", "<|mask|>"),
    ("[PAD]", "<pad>", "<|pad|>", "<PAD>", "<|finetune_right_pad_id|>"),
    ("</s>", "<|endoftext|>", "<eos>", "<|end_of_text|>", "<|im_end|>", "[SEP]"),
    ("<unk>", "[UNK]", "<|unk|>"),
)

Value = Callable[[BoolArray], FloatArray]
"""``(c, m)`` who is there → ``(c,)`` what it is worth."""


def shap(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    exact: bool | None = None,
    n_samples: int = 25,
    seed: int = 0,
    baseline: int | None = None,
    batch: int = 8,
    progress: Progress | None = None,
) -> Scored:
    """Score subwords by the Shapley value of their token for log p(answer).

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompt
        A whole text with its AST tokens. Tokens that share a subword are one player; subwords of
        no token, special ones among them, always stay.
    answer_ids
        ``(a,)`` the answer; by default the model's greedy one.
    exact
        Ask for all ``2**m`` coalitions of ``m`` players; by default where `m` is at most 10.
    n_samples
        Random orders of the players else, ``m + 1`` coalitions each.
    seed
        Of the orders.
    baseline
        Id that stands for an absent subword. By default the first that the tokenizer has of its
        mask, padding, end and unknown marks; then the model's padding and end ids.
    batch
        Coalitions at once.
    progress
        Called with coalitions (or orders) done and their number.

    Returns
    -------
    Scored
        ``value`` ``(n,)``: the player's contribution (nats, signed) in equal parts on its subwords,
        so that merging by sum gives the token's; 0 for subwords that always stay.
        ``parameters`` holds ``all`` and ``none``, the values of the whole and the empty prompt
        (the contributions add up to their difference), and where sampled ``standard_error``, the
        largest of all players.

    Raises
    ------
    ParameterError
        No AST tokens, no baseline, or too many players for `exact`.
    """
    parts = token_parts(prompt, "shap")
    if n_samples < 1:
        raise ParameterError(f"n_samples is {n_samples}; expected 1 or more")
    player = players_of(prompt, parts)
    m = int(player.max(initial=-1)) + 1
    answer = answer_of(model, prompt.ids, answer_ids)
    chosen, rule = _baseline(model, prompt.tokenizer) if baseline is None else (baseline, "given")

    def value(present: BoolArray) -> FloatArray:
        there = np.append(present, np.ones((len(present), 1), dtype=bool), axis=1)[:, player]
        ids = np.where(there, prompt.ids, chosen)
        return answer_log_prob(model, list(ids), answer, batch=batch).sum(axis=1)

    ends = value(np.array([[False], [True]]).repeat(m, axis=1))
    parameters: dict[str, Any] = {
        "players": m, "baseline": int(chosen), "baseline_rule": rule,
        "none": float(ends[0]), "all": float(ends[1]), "answer_length": len(answer),
    }  # fmt: skip
    if m <= MAX_EXACT if exact is None else exact:
        worth = _exact(value, m, batch=batch, progress=progress)
        parameters["exact"] = True
    else:
        orders = _sampled(
            value, m, float(ends[0]), n_samples=n_samples, seed=seed, batch=batch, progress=progress
        )
        worth = orders.mean(axis=0)
        error = orders.std(axis=0, ddof=1) / math.sqrt(n_samples) if n_samples > 1 else [np.nan]
        parameters.update(
            exact=False, n_samples=n_samples, seed=seed, standard_error=float(np.max(error))
        )
    size = np.bincount(player[player >= 0], minlength=m)
    return Scored(value=np.append(worth / size, 0.0)[player], parameters=parameters)


def players_of(prompt: Prompt, parts: TokenParts) -> IntArray:
    """``(n,)`` number of the player each subword belongs to, in text order; -1 for none.

    AST tokens that share a subword cannot be taken apart and are one player.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(prompt)
    edges = np.ones(len(parts.subword))
    size = n + parts.n_tokens
    graph = coo_array((edges, (parts.subword, n + parts.token)), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    player = np.full(n, -1, dtype=np.int64)
    held = np.unique(parts.subword)
    _, first, inverse = np.unique(group[held], return_index=True, return_inverse=True)
    player[held] = np.argsort(np.argsort(first))[inverse]
    return player


def _baseline(model: Any, tokenizer: Any) -> tuple[int, str]:
    """The id that stands for what is absent, and which mark it is."""
    for names in _BASELINES:
        for name in names:
            found = tokenizer.token_to_id(name) if tokenizer is not None else None
            if found is not None:
                return int(found), name
    for name in ("pad_token_id", "eos_token_id"):
        found = getattr(getattr(model, "config", None), name, None)
        if found is not None:
            return int(np.atleast_1d(found)[0]), f"config.{name}"
    raise ParameterError(
        "shap needs an id for absent subwords and the tokenizer has no mask, padding, end or "
        "unknown mark: pass baseline=ID"
    )


def _exact(value: Value, m: int, *, batch: int, progress: Progress | None) -> FloatArray:
    """``(m,)`` Shapley values from all coalitions."""
    if m > 2 * MAX_EXACT:
        raise ParameterError(
            f"{m} players have 2**{m} coalitions; expected at most {2 * MAX_EXACT} players: "
            "leave exact=None to sample"
        )
    coalition = np.arange(2**m)
    present = (coalition[:, None] >> np.arange(m)) & 1 == 1
    worth = np.empty(2**m)
    for start in range(0, len(worth), batch):
        worth[start : start + batch] = value(present[start : start + batch])
        if progress is not None:
            progress(min(start + batch, len(worth)), len(worth))
    # |S|! (m - |S| - 1)! / m! for each coalition S that a player joins.
    weight = np.array([1 / (m * math.comb(m - 1, k)) for k in range(m)])
    out = np.empty(m)
    for i in range(m):
        without = coalition[~present[:, i]]
        gain = worth[without | (1 << i)] - worth[without]
        out[i] = weight[present[without].sum(axis=1)] @ gain
    return out


def _sampled(
    value: Value,
    m: int,
    none: float,
    *,
    n_samples: int,
    seed: int,
    batch: int,
    progress: Progress | None,
) -> FloatArray:
    """``(n_samples, m)`` what each player adds, in one random order after the other."""
    import torch
    from captum.attr import ShapleyValueSampling

    def worth(present: Any) -> Any:
        # Over the empty prompt: captum adds up in float32.
        return torch.as_tensor(value(present.cpu().numpy() > 0) - none)

    sampler = ShapleyValueSampling(worth)
    there, nobody = torch.ones(1, m), torch.zeros(1, m)
    out = np.empty((n_samples, m))
    # captum draws from torch's global stream, which is put back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for k in range(n_samples):
            found = sampler.attribute(
                there, baselines=nobody, n_samples=1, perturbations_per_eval=min(batch, m)
            )
            out[k] = found[0].double().numpy()
            if progress is not None:
                progress(k + 1, n_samples)
    return out
