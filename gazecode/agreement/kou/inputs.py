"""The published rows as `gazecode.agreement.compare` takes them: marks, and scores by row."""

from collections.abc import Mapping, Sequence

import numpy as np

from gazecode.agreement.item import Marks
from gazecode.agreement.kou.data import LabelledPrompt, PublishedScores
from gazecode.agreement.kou.units import LocatedRow, locate_row
from gazecode.errors import DataError
from gazecode.model.checks import FloatArray

__all__ = ["as_comparison_inputs", "rows_by_units"]

ComparisonInputs = tuple[dict[str, Marks], dict[str, dict[str, FloatArray]]]
"""Prompt to marks; row to prompt to scores."""


def as_comparison_inputs(
    human: Mapping[str, LabelledPrompt],
    scores: Sequence[PublishedScores],
    *,
    compat: str | None = None,
) -> ComparisonInputs:
    """What `compare` takes as `human` and `model`, for rows over the same tokens.

    Parameters
    ----------
    human
        Labelled prompts by their text.
    scores
        Rows of one model and tokenizer: their tokens lie at the same places. A row may lack
        prompts.
    compat
        None for whole key words and right places, or a published figure, as in `locate_row`.

    Returns
    -------
    human
        Prompt to `Marks`, over the located tokens.
    model
        Name of the row to prompt to ``(n,)`` scores of the same tokens.

    Raises
    ------
    DataError
        No row, two rows of one name, or two with other tokens in the same prompt
        (`rows_by_units` tells them apart).

    Examples
    --------
    >>> from gazecode.agreement.kou.data import ScoredTokens
    >>> text = "Write a function to sort."
    >>> human = {text: LabelledPrompt(text=text, source="mbpp", span=[[20, 24]])}
    >>> tokens = ScoredTokens(text=("sort", "."), score=[0.5, 0.2])
    >>> row = PublishedScores(model="m", method="a", prompts={text: tokens})
    >>> marks, model = as_comparison_inputs(human, [row])
    >>> marks[text].value, model["m a"][text]
    (array([1., 1.]), array([0.5, 0.2]))
    """
    if not scores:
        raise DataError("no row of scores; expected at least one")
    marks: dict[str, Marks] = {}
    model: dict[str, dict[str, FloatArray]] = {}
    for row in scores:
        if row.name in model:
            raise DataError(f"two rows are called {row.name!r}; expected one of each")
        located = locate_row(human, row, compat=compat)
        other = _first_other(marks, located)
        if other is not None:
            raise DataError(
                f"{row.name} has other tokens than {next(iter(model))} in {other[:40]!r}; expected "
                "rows over the same tokens: compare the groups of rows_by_units one by one"
            )
        marks |= located.marks
        model[row.name] = dict(located.score)
    return marks, model


def rows_by_units(
    human: Mapping[str, LabelledPrompt],
    scores: Sequence[PublishedScores],
    *,
    compat: str | None = None,
) -> list[list[PublishedScores]]:
    """Rows in groups that have the same tokens at the same places in the prompts they share.

    Parameters and errors as in `as_comparison_inputs`.

    Examples
    --------
    >>> from gazecode.agreement.kou.data import ScoredTokens
    >>> human = {"Sort it.": LabelledPrompt(text="Sort it.", source="mbpp", span=[[0, 3]])}
    >>> def row(method, *texts):
    ...     tokens = ScoredTokens(text=texts, score=[0.5] * len(texts))
    ...     return PublishedScores(model="m", method=method, prompts={"Sort it.": tokens})
    >>> rows = [row("a", "Sort", "it"), row("b", "Sort"), row("c", "Sort", "it")]
    >>> [[one.method for one in group] for group in rows_by_units(human, rows)]
    [['a', 'c'], ['b']]
    """
    groups: list[tuple[dict[str, Marks], list[PublishedScores]]] = []
    for row in scores:
        located = locate_row(human, row, compat=compat)
        fitting = (group for group in groups if _first_other(group[0], located) is None)
        group = next(fitting, None)
        if group is None:
            group = ({}, [])
            groups.append(group)
        group[0].update(located.marks)
        group[1].append(row)
    return [rows for _, rows in groups]


def _first_other(marks: Mapping[str, Marks], located: LocatedRow) -> str | None:
    """The first prompt in which a row's tokens lie elsewhere."""
    for text, mark in located.marks.items():
        if text in marks and not np.array_equal(marks[text].unit, mark.unit):
            return text
    return None
