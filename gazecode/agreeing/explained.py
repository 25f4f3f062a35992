"""The same small programs scored against people and against a model: what explains whom."""

from collections.abc import Callable

from gazecode.agreeing.compared import Draws
from gazecode.agreeing.programs import readings_of, sources_of
from gazecode.agreeing.rows import ModelRows
from gazecode.agreeing.texts import Humans
from gazecode.agreement.inputs import UNIFORM
from gazecode.agreement.programs import (
    ExplanationTable,
    explain,
    explanation_table,
    score_programs,
)

__all__ = ["PEOPLE", "what_explains"]

PEOPLE = "people"
METRIC = "spearman"
"""What is ranked by unless told otherwise."""


def what_explains(
    humans: Humans,
    rows: ModelRows,
    draws: Draws,
    *,
    progress: Callable[[int, int, str], object] | None = None,
) -> ExplanationTable:
    """Rank all programs against people, and against each row of a model on the same texts.

    Parameters
    ----------
    draws
        The first of its metrics is what is ranked by.
    progress
        Called with the number of rows done, of all, and the name of the next.

    Raises
    ------
    DataError
        As `gazecode.agreeing.sources_of`.
    """
    metric = (draws.metrics or (METRIC,))[0]
    said = draws.said((metric,)) | {"metrics": (metric,)}
    tokens = {source.source_id: source for source in sources_of(humans)}
    observed = readings_of(humans, tokens)
    found = {PEOPLE: score_programs(observed, **said)}
    for done, (name, scores) in enumerate(rows.rows.items()):
        if progress is not None:
            progress(done, len(rows.rows), name)
        received = any(one.expected is not None for one in scores.values())
        reader = f"{name}{UNIFORM}" if received else name
        found[reader] = explain(scores, tokens, observed=observed, **said)
    return explanation_table(found, metric=metric)
