"""Scores by substitution: how much the answer changes when a token is replaced.

A masked language model fills the place of one AST token at a time with what it expects there, the
code model answers again, and the score is 1 - BLEU of the two answers (Kou et al., FSE 2024,
10.1145/3660807; after BERT-based attacks, Li et al. 2020, arXiv 2004.09984), or the loss of log
probability of the original answer, which needs no answer to flip before it moves.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from gazecode.attention.bleu_score import bleu
from gazecode.attention.filling import Filler, filler_of
from gazecode.attention.generation import (
    Progress,
    answer_log_prob,
    answer_of,
    generate_answers,
)
from gazecode.attention.prompt import Prompt, Scored, TokenParts, prompt_of
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["masked_lm", "published_shap", "token_parts"]

DIFFERENCES = ("bleu", "log_prob")


def masked_lm(  # noqa: PLR0913 - a method's parameters
    model: Any,
    prompt: Prompt,
    *,
    answer_ids: IntArray | None = None,
    filler: Any = None,
    filler_tokenizer: Any = None,
    fill: Literal["left_to_right", "parallel", "single"] = "left_to_right",
    difference: Literal["bleu", "log_prob"] = "bleu",
    smoothing: str = "method1",
    order: int = 4,
    short: bool = True,
    words_only: bool = False,
    max_new_tokens: int | None = None,
    batch: int = 8,
    progress: Progress | None = None,
) -> Scored:
    """Score subwords by what replacing their token does to the model's answer.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompt
        A whole text with its AST tokens.
    answer_ids
        ``(a,)`` the original answer; by default the model's greedy one.
    filler
        A masked language model of transformers, or the folder of one.
    filler_tokenizer
        Its tokenizer: a path, a `tokenizers.Tokenizer` or a fast tokenizer of transformers; by
        default that of the folder.
    fill
        Every subword of the token is masked, and the most likely one (special ones excluded) taken
        from left to right, each given those before it; or for all masks at once (``parallel``); or
        one mask stands for the whole token (``single``, as published).
    difference
        ``bleu``: 1 - BLEU of the original and the new greedy answer, in words.
        ``log_prob``: fall of the log probability (nats) of the original answer; nothing is
        generated, and it is negative where the substitute serves the answer better.
    smoothing, order, short
        Of `gazecode.attention.bleu_score.bleu`.
    words_only
        Leave tokens without a letter or digit alone, as published; they get NaN.
    max_new_tokens
        Longest new answer; by default the length of the original.
    batch
        Texts at once, in both models.
    progress
        Called with texts answered and their number; a substitute equal to the token is no text.

    Returns
    -------
    Scored
        ``value`` ``(n,)``: the token's score in parts on its subwords, so that merging by sum
        gives it back; 0 where the filler gives the token itself, NaN where it was not replaced.
        ``parameters`` holds how many tokens were ``replaced``, came back ``unchanged`` or were
        ``skipped``.

    Raises
    ------
    ParameterError
        No AST tokens, no filler, or a parameter is none of its choices.
    """
    parts = token_parts(prompt, "masked_lm")
    if difference not in DIFFERENCES:
        raise ParameterError.unknown("difference", difference, DIFFERENCES)
    bleu("", "", order=order, smoothing=smoothing)  # refuses both now, not an hour later
    source = filler_of(filler, filler_tokenizer)
    tokens = np.unique(parts.token)
    asked = tokens[_has_word(prompt, tokens)] if words_only else tokens
    texts = _filled(source, prompt, asked, fill=fill, batch=batch)
    changed = [k for k, text in enumerate(texts) if text is not None and text != prompt.text]
    answer = answer_of(model, prompt.ids, answer_ids)
    prompts = [prompt_of(str(texts[k]), prompt.tokenizer).ids for k in changed]
    found = np.array([np.nan if text is None else 0.0 for text in texts])
    if difference == "log_prob":
        found[changed] = _lost(model, prompt.ids, prompts, answer, batch=batch, progress=progress)
    else:
        found[changed] = _unlike(
            model,
            prompt,
            prompts,
            answer,
            max_new_tokens=max_new_tokens,
            batch=batch,
            progress=progress,
            measure={"order": order, "smoothing": smoothing, "short": short},
        )
    score = np.full(parts.n_tokens, np.nan)
    score[asked] = found
    missing = int(np.isnan(found).sum())
    return Scored(
        value=laid_on_subwords(score, parts, len(prompt)),
        parameters={
            "filler": source.name, "fill": fill, "difference": difference,
            "answer_length": len(answer),
            "replaced": len(changed), "unchanged": len(texts) - len(changed) - missing,
            "skipped": len(tokens) - len(asked) + missing,
            **({"smoothing": smoothing, "order": order} if difference == "bleu" else {}),
        },
    )  # fmt: skip


def _has_word(prompt: Prompt, tokens: IntArray) -> BoolArray:
    source = prompt.tokens
    texts = [] if source is None else source.texts
    return np.array([any(c.isalnum() for c in texts[t]) for t in tokens.tolist()], dtype=bool)


def _filled(
    source: Filler, prompt: Prompt, tokens: IntArray, *, fill: str, batch: int
) -> list[str | None]:
    """The prompt's text with each token replaced in turn; None where the filler cannot see it."""
    if prompt.tokens is None:
        return []
    return source.fill(prompt.text, prompt.tokens.span[tokens], how=fill, batch=batch)


def _lost(
    model: Any,
    ids: IntArray,
    prompts: list[IntArray],
    answer: IntArray,
    *,
    batch: int,
    progress: Progress | None,
) -> FloatArray:
    """``(p,)`` fall of the log probability of the answer from the original to each prompt."""
    before = answer_log_prob(model, [ids], answer).sum()
    after = answer_log_prob(model, prompts, answer, batch=batch, progress=progress).sum(axis=1)
    fall: FloatArray = before - after
    return fall


def _unlike(
    model: Any,
    prompt: Prompt,
    prompts: Sequence[IntArray],
    answer: IntArray,
    *,
    max_new_tokens: int | None,
    batch: int,
    progress: Progress | None,
    measure: dict[str, Any],
) -> FloatArray:
    """``(p,)`` 1 - BLEU of the answer and the new answer to each prompt."""
    made = generate_answers(
        model,
        prompts,
        max_new_tokens=max_new_tokens or len(answer),
        batch=batch,
        progress=progress,
    )
    decode = prompt.tokenizer.decode
    original = decode(answer.tolist())
    return np.array([1 - bleu(original, decode(ids.tolist()), **measure) for ids in made])


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
        ``value`` ``(n,)``, at least 0, in equal parts on the token's subwords.
    """
    parts = token_parts(prompt, "kou2024:SHAP")
    answer = answer_of(model, prompt.ids, answer_ids)
    code, tokens = prompt.text.encode(), np.unique(parts.token)
    spans = [] if prompt.tokens is None else prompt.tokens.span[tokens].tolist()
    texts = [code[:a].decode() + placeholder + code[b:].decode() for a, b in spans]
    f = _unlike(
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


def token_parts(prompt: Prompt, method: str) -> TokenParts:
    """The subwords of the AST tokens, or an error that says why there are none.

    Raises
    ------
    ParameterError
        The prompt is a text without AST tokens, or a window of one.
    """
    if prompt.token is None or prompt.tokens is None:
        raise ParameterError(
            f"{method} changes whole AST tokens, and this prompt has none (a bare text, or a window"
            " of a long one); parse the source, and give one that fits the model"
        )
    return prompt.token


def laid_on_subwords(score: FloatArray, parts: TokenParts, n: int) -> FloatArray:
    """``(n,)`` scores of tokens on their subwords, so that merging by sum gives them back.

    Exact for tokens that share no subword; others get a part of their neighbours' score.
    """
    total = np.bincount(parts.token, weights=parts.share, minlength=parts.n_tokens)
    part = score[parts.token] * parts.share / total[parts.token]
    value: FloatArray = np.bincount(parts.subword, weights=part, minlength=n).astype(np.float64)
    return value
