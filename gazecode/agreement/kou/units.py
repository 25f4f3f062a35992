"""The located tokens of one row of the table, and the marks they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.item import Marks
from gazecode.agreement.kou.data import LabelledPrompt, PublishedScores
from gazecode.agreement.kou.locate import locate
from gazecode.errors import DataError, ParameterError, TooLarge
from gazecode.model.checks import FloatArray

__all__ = ["COMPAT", "LocatedRow", "locate_row"]

COMPAT: Mapping[str, tuple[str, ...]] = {
    "kou2024": ("inputxgradient_",),
    "kou2024-table3": ("inputxgradient_", "saliency_"),
}
"""The published figures by name: methods whose places are shifted for `SHIFTED_MODEL`. Tables 2 and
3 of the paper disagree about the same rows."""
SHIFTED_MODEL = "incoder"
MAX_WORK = 100_000_000
"""Tokens times characters (or spans) of one prompt; the longest of the study has 500,000."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocatedRow:
    """One row of the table, located.

    Attributes
    ----------
    marks
        By prompt: places of the tokens that were found, and the spans people marked.
    score
        By prompt: ``(n,)`` of those tokens.
    tokens_total
        How many tokens the row has in these prompts, found or not.
    unlabelled
        Prompts of the row that nobody labelled, and that are left out.
    """

    marks: Mapping[str, Marks]
    score: Mapping[str, FloatArray]
    tokens_total: int
    unlabelled: tuple[str, ...]


def locate_row(
    human: Mapping[str, LabelledPrompt], row: PublishedScores, *, compat: str | None = None
) -> LocatedRow:
    """Locate the tokens of a row in the labelled prompts.

    Parameters
    ----------
    human
        Labelled prompts by their text.
    row
        Scores of the tokens of prompts.
    compat
        None: whole key words, every token at its place. ``kou2024``: spans as published, all read
        as half-open, and the places of the two rows of `SHIFTED_MODEL` that are wrong in Table 2;
        ``kou2024-table3``: the four rows that are wrong in Table 3.

    Raises
    ------
    ParameterError
        `compat` is not known.
    DataError
        No prompt of the row is labelled.
    TooLarge
        A prompt, its tokens and its spans are so long that searching them would not end.

    Examples
    --------
    >>> from gazecode.agreement.kou.data import ScoredTokens
    >>> text = "Write a function to sort."
    >>> human = {text: LabelledPrompt(text=text, source="mbpp", span=[[20, 24]])}
    >>> tokens = ScoredTokens(text=("function", "to", "sort", "."), score=[0.1, 0.2, 0.5, 0.2])
    >>> row = PublishedScores(model="m", method="a", prompts={text: tokens})
    >>> locate_row(human, row).marks[text].value
    array([0., 0., 1., 1.])
    >>> locate_row(human, row, compat="kou2024").marks[text].value
    array([0., 0., 1., 0.])
    """
    if compat is not None and compat not in COMPAT:
        raise ParameterError.unknown("published figures", compat, COMPAT)
    shifted = row.model == SHIFTED_MODEL and row.method.startswith(COMPAT.get(compat or "", ()))
    labelled = {text: tokens for text, tokens in row.prompts.items() if text in human}
    if not labelled:
        raise DataError(
            f"{row.name}: none of its {len(row.prompts)} prompts is among the {len(human)} that "
            "people labelled; expected prompts of the same texts"
        )
    marks, score = {}, {}
    for text, tokens in labelled.items():
        if len(tokens) * max(len(text), len(human[text].span)) > MAX_WORK:
            raise TooLarge(
                f"{row.name}: {len(tokens):,} tokens in a prompt of {len(text):,} characters with "
                f"{len(human[text].span):,} spans; expected hundreds: split it"
            )
        span, found = locate(text, tokens.text, shifted=shifted)
        labels = human[text].word_span if compat is None else human[text].span
        marks[text] = Marks(unit=span, marked=labels)
        score[text] = np.asarray(tokens.score[found])
    return LocatedRow(
        marks=marks,
        score=score,
        tokens_total=sum(map(len, labelled.values())),
        unlabelled=tuple(text for text in row.prompts if text not in human),
    )
