"""The attention of Kou et al. (FSE 2024) as their code computes it, to regenerate old figures.

The paper says "the first, the last and all layers, summed over reading and generation steps". The
published wrapper takes ``attentions[0][0]``: layer 0 of batch item 0, whose entries ``[0]``,
``[-1]`` and sum are the first, the last and all **heads** of the first layer; and of the rows it
takes one: READING that of the token after the prompt (the first generated one), CODING that of
the last token of the code. Nothing is dropped and nothing renormalised.
"""

from typing import Any, Literal

import numpy as np

from gazecode.attention.prompt import Prompt, Scored
from gazecode.attention.self_attention import attention_of_rows
from gazecode.errors import ParameterError
from gazecode.model.checks import IntArray

__all__ = ["kou2024"]


def kou2024(
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
