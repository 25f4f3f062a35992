"""Agreement of key words and the tokens a model scores highest, as Kou et al. 2024 define it.

doi:10.1145/3660807. Over all prompts at once: precision and recall with partial credit of the
top-k tokens and the key words (`token_overlap`), Krippendorff's alpha over all located tokens, and
Cohen's kappa beside it. The mean over prompts of alpha stands beside the pooled one, which is not
0 at chance: long prompts have few key words and few tokens chosen, short ones many of both, and
pooling them makes agreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.item import Marks
from gazecode.agreement.kou.data import LabelledPrompt, PublishedScores
from gazecode.agreement.kou.units import locate_row
from gazecode.agreement.metrics import (
    binary_alpha,
    cohen_kappa,
    krippendorff_alpha,
    token_overlap,
    top_k,
)
from gazecode.errors import ParameterError
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["KouFigures", "kou_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KouFigures:
    """Agreement of one row with people, over all prompts.

    Attributes
    ----------
    row
        Model and method.
    k
        Tokens chosen in a prompt: those with the highest scores, of equal ones the earlier.
    compat
        Which published figures these are, or None for corrected ones.
    precision, recall, f1
        Of the chosen tokens against the key words, with partial credit, pooled over prompts.
    alpha, cohen_kappa
        Of two codes of every located token (touches a key word; touches a chosen token), all
        prompts in one sequence.
    alpha_mean
        Mean over prompts of alpha.
    n_prompts, n_spans
        Prompts with both labels and scores, and spans marked in them.
    alpha_undefined
        Prompts left out of `alpha_mean`: all of their tokens have one code.
    tokens_located, tokens_total
        Tokens found in their prompts, and tokens published for them.
    human_selected, model_selected
        Located tokens that touch a key word; tokens chosen.
    unlabelled, unscored, short
        Prompts nobody labelled; prompts without scores; prompts with no more than k tokens, in
        which all are chosen.
    """

    row: str
    k: int
    compat: str | None
    precision: float
    recall: float
    f1: float
    alpha: float
    cohen_kappa: float
    alpha_mean: float
    n_prompts: int
    n_spans: int
    alpha_undefined: int
    tokens_located: int
    tokens_total: int
    human_selected: int
    model_selected: int
    unlabelled: int
    unscored: int
    short: int


def kou_figures(
    human: Mapping[str, LabelledPrompt],
    scores: PublishedScores,
    *,
    k: int,
    compat: str | None = None,
) -> KouFigures:
    """Agreement of one row of the table with the labels.

    Parameters
    ----------
    human
        Labelled prompts by their text.
    scores
        The row.
    k
        Tokens chosen in every prompt.
    compat
        None for whole key words and right places; ``kou2024`` for the figures of the paper's
        Table 2, ``kou2024-table3`` for those of Table 3 (see `locate_row`).

    Raises
    ------
    ParameterError
        `k` is below 1, or `compat` is not known.
    DataError
        No prompt is both labelled and scored.

    Examples
    --------
    >>> from gazecode.agreement.kou.data import ScoredTokens
    >>> text = "Write a function to sort."
    >>> human = {text: LabelledPrompt(text=text, source="mbpp", span=[[20, 24]])}
    >>> tokens = ScoredTokens(text=("function", "to", "sort", "."), score=[0.1, 0.2, 0.5, 0.2])
    >>> row = PublishedScores(model="m", method="a", prompts={text: tokens})
    >>> found = kou_figures(human, row, k=1)
    >>> found.precision, found.recall
    (1.0, 0.8)
    """
    if k < 1:
        raise ParameterError(f"k is {k}; expected 1 or more tokens")
    located = locate_row(human, scores, compat=compat)
    marks = [located.marks[text] for text in located.marks]
    chosen = [mark.unit[top_k(located.score[text], k)] for text, mark in located.marks.items()]
    people = [mark.value for mark in marks]
    model = [_touched(mark, span) for mark, span in zip(marks, chosen, strict=True)]
    alphas = _alphas(people, model)
    overlap = token_overlap([mark.marked for mark in marks], chosen)
    both = np.concatenate(people), np.concatenate(model)
    return KouFigures(
        row=scores.name,
        k=k,
        compat=compat,
        precision=overlap.precision,
        recall=overlap.recall,
        f1=overlap.f1,
        alpha=float(krippendorff_alpha(*both)),
        cohen_kappa=float(cohen_kappa(*both)),
        alpha_mean=_mean(alphas),
        n_prompts=len(marks),
        n_spans=sum(len(mark.marked) for mark in marks),
        alpha_undefined=int(np.isnan(alphas).sum()),
        tokens_located=len(both[0]),
        tokens_total=located.tokens_total,
        human_selected=int(both[0].sum()),
        model_selected=sum(map(len, chosen)),
        unlabelled=len(located.unlabelled),
        unscored=sum(text not in located.marks for text in human),
        short=sum(len(mark.unit) <= k for mark in marks),
    )


def _touched(mark: Marks, chosen: IntArray) -> FloatArray:
    """``(n,)`` 1 where a token touches a chosen one; shifted places do so like any others."""
    return Marks(unit=mark.unit, marked=chosen).value


def _alphas(people: list[FloatArray], model: list[FloatArray]) -> FloatArray:
    """Alpha of every prompt."""
    n = np.array([len(codes) for codes in people])
    marked = np.array([codes.sum() for codes in people])
    chosen = np.array([codes.sum() for codes in model])
    both = np.array([a @ b for a, b in zip(people, model, strict=True)])
    return np.atleast_1d(
        binary_alpha(both, marked - both, chosen - both, n - marked - chosen + both)
    )


def _mean(values: FloatArray) -> float:
    held = values[~np.isnan(values)]
    return float(held.mean()) if len(held) else float("nan")
