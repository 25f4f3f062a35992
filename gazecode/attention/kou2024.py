"""The scores of Kou et al. (FSE 2024) as their code computes them, to regenerate old figures.

Attention: the paper says "the first, the last and all layers, summed over reading and generation
steps". The published wrapper takes ``attentions[0][0]``: layer 0 of batch item 0, whose entries
``[0]``, ``[-1]`` and sum are the first, the last and all **heads** of the first layer; and of the
rows it takes one: READING that of the token after the prompt (the first generated one), CODING that
of the last token of the code. Nothing is dropped and nothing renormalised.

SHAP: see `published_shap`. Their gradients and masking are parameters of
`gazecode.attention.gradients` and `gazecode.attention.substitution` (`METHODS` has them).
"""

from typing import Any, Literal

import numpy as np

from gazecode.attention.generation import Progress, answer_of
from gazecode.attention.prompt import Prompt, Scored, prompt_of
from gazecode.attention.self_attention import attention_of_rows
from gazecode.attention.substitution import laid_on_subwords, token_parts, unlike
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["published_attention", "published_shap"]


def published_attention(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    row: Literal["READING", "CODING"] = "READING",
    heads: Literal["first", "last", "all"] = "all",
    renormalise: bool = False,
) -> Scored:
    """Score the positions of a prompt by one row of the first layer.

    Parameters
    ----------
    model
        A causal model of transformers in evaluation mode.
    prompt
        ``n`` positions.
    answer_ids
        ``(g,)`` what the model generated.
    row
        "READING" is row ``n``, "CODING" row ``n + g - 1``; with one generated token they are one.
    heads
        What the paper calls layers.
    renormalise
        Whether the row has its whole mass again after positions were dropped (not published).

    Raises
    ------
    ParameterError
        No answer, or a model that reads in both directions.
    """
    if answer_ids is None or not len(answer_ids):
        raise ParameterError("kou2024 needs an answer of one token at least; give one")
    following = np.asarray(answer_ids[:1] if row == "READING" else answer_ids, dtype=np.int64)
    at = np.array([len(prompt) + len(following) - 1])
    return attention_of_rows(
        model,
        prompt,
        following=following,
        rows=at,
        layers=(0,),
        heads=heads,
        renormalise=renormalise,
        causal=True,
    )


def published_shap(
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    placeholder: str = "[MASK]",
    max_new_tokens: int | None = None,
    batch: int = 8,
    progress: Progress | None = None,
) -> Scored:
    """Score subwords as the published SHAP files do, in the limit of many samples.

    There one token at a time is replaced by the text ``[MASK]`` and the code is generated again;
    ``f_j`` is 1 - BLEU for token j. Kernel SHAP is then run over coalitions, but a coalition that
    is none of those texts is looked up as the *first* of them: its value is ``f_0``. With the texts
    as background too, the value of nobody is the mean of f, that of one player
    ``f_0 + w_j (f_j - f_0)`` (``w_j = (1 + r) / m``, r the number of repeated tokens; 0 for those,
    whose row is empty), and that of all larger coalitions ``f_0``.

    The Shapley values of this game have a closed form, which is what is computed, instead of the 50
    coalitions drawn there. Their absolute value is published: where no token repeats,
    ``|d_j - sum(d)| / (m (m - 1))`` with ``d = f - f_0``, which falls as the effect of the token
    rises where most texts score above the first.

    Parameters
    ----------
    model, prompt, batch, progress
        As for `shap`; here the AST tokens stand for the words of the study.
    answer_ids
        ``(a,)`` the original answer; by default the model's greedy one.
    placeholder
        What stands for a token.
    max_new_tokens
        Longest new answer; by default that of the original.

    Returns
    -------
    Scored
        ``token`` ``(m,)``, at least 0; ``value`` ``(n,)``: the same in parts on its subwords.
    """
    parts = token_parts(prompt, "kou2024:SHAP")
    answer = answer_of(model, prompt.ids, answer_ids)
    code, tokens = prompt.text.encode(), np.unique(parts.token)
    spans = [] if prompt.tokens is None else prompt.tokens.span[tokens].tolist()
    texts = [code[:a].decode() + placeholder + code[b:].decode() for a, b in spans]
    f = unlike(
        model,
        prompt,
        [prompt_of(text, prompt.tokenizer).ids for text in texts],
        answer,
        max_new_tokens=max_new_tokens,
        batch=batch,
        progress=progress,
        measure={"smoothing": "method0", "short": False},
    )
    spelled = [code[a:b] for a, b in spans]
    repeated = np.array([spelled.count(word) > 1 for word in spelled])
    worth = np.abs(_published_game(f, repeated))
    score = np.zeros(parts.n_tokens)
    score[tokens] = worth
    return Scored(
        value=laid_on_subwords(score, parts, len(prompt)),
        token=score,
        parameters={"placeholder": placeholder, "answer_length": len(answer), "tokens": len(f)},
    )


def _published_game(f: FloatArray, repeated: BoolArray) -> FloatArray:
    """``(m,)`` Shapley values of the published value function."""
    m, r = len(f), int(repeated.sum())
    if m < 2:
        return np.zeros(m)
    d = f - f[0]
    # A row without a mark is looked up as the first such row.
    empty = d[int(np.argmax(repeated))] if r else 0.0
    nobody = (d[~repeated].sum() + r * empty) / m
    alone = np.where(repeated, 0.0, d * (1 + r) / m)
    worth: FloatArray = alone / (m - 1) - nobody / m - alone.sum() / (m * (m - 1))
    return worth
