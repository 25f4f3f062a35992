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

__all__ = ["laid_on_subwords", "masked_lm", "token_parts", "unlike"]

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
        ``token`` ``(m,)``: 0 where the filler gives the token itself, NaN where it was not
        replaced; ``value`` ``(n,)``: the same in parts on the token's subwords.
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
        found[changed] = unlike(
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
        token=score,
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


def unlike(
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

    Exact for tokens that share no subword. NaN is a subword whose tokens all have no score.
    """
    total = np.bincount(parts.token, weights=parts.share, minlength=parts.n_tokens)
    part = score[parts.token] * parts.share / total[parts.token]
    known = ~np.isnan(part)
    value: FloatArray = np.bincount(
        parts.subword, weights=np.where(known, part, 0.0), minlength=n
    ).astype(np.float64)
    held = np.bincount(parts.subword, minlength=n)
    value[(held > 0) & (np.bincount(parts.subword, weights=known, minlength=n) == 0)] = np.nan
    return value
