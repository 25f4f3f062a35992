"""What models say of the texts that people read: rows of a comparison, by text.

Scores belong to a text where both cut the same code into the same tokens. What one side has and the
other does not is counted; what both have under one name, but not alike, is said.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.agreeing.texts import Humans, HumanText, code_of, token_problem
from gazecode.errors import DataError, ParameterError
from gazecode.export.scores import ScoredText, iter_scores
from gazecode.model.scores import ModelScores

__all__ = ["ModelRows", "chosen_rows", "read_rows", "rows_of"]

NAMED = 4
"""So many names stand in an error; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelRows:
    """Name of a row → name of a text → its scores; what there is to say of them, and counts."""

    rows: Mapping[str, Mapping[str, ModelScores]]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_rows(path: Path, humans: Humans, *, methods: Sequence[str] = ()) -> ModelRows:
    """Read a table of scores and bring its rows to the texts that people read.

    Parameters
    ----------
    methods
        Only these; all if empty.

    Raises
    ------
    SchemaError
        No table of scores, or a broken one.
    DataError
        Nothing in common with the people's texts, or another cut of the same text into tokens.
    ParameterError
        No row of a method that was asked for.
    """
    return rows_of(iter_scores(path), humans, name=path.name, methods=methods)


def rows_of(
    scored: Iterable[ScoredText], humans: Humans, *, name: str, methods: Sequence[str] = ()
) -> ModelRows:
    """Bring scores to the texts that people read; `name` is of the file, as errors call it.

    Raises
    ------
    DataError, ParameterError
        As `read_rows`.
    """
    index = _Index(humans)
    found: dict[tuple[str, str], dict[str, ModelScores]] = {}
    elsewhere: dict[str, str] = {}
    seen: set[str] = set()
    for one in scored:
        seen.add(one.scores.method)
        if methods and one.scores.method not in methods:
            continue
        text, other = index.find(one)
        if text is None:
            elsewhere[one.source_id] = other
            continue
        row = found.setdefault((one.scores.model, one.scores.method), {})
        if text.name in row:
            raise DataError(
                f"{name}: {one.scores.method} scores {text.name} twice; expected one row of scores "
                "for each text and method"
            )
        row[text.name] = one.scores
    missing = [method for method in methods if method not in seen]
    if missing:
        raise ParameterError.unknown(f"the methods of {name}", missing[0], seen)
    if not found:
        raise DataError(_nothing_common(humans, elsewhere, name))
    return ModelRows(
        rows=_named(found),
        notes=tuple(_notes(found, humans, elsewhere)),
        facts={"texts_nobody_read": len(elsewhere)},
    )


def chosen_rows(rows: ModelRows, names: Sequence[str]) -> ModelRows:
    """Only the rows of these names, in their order; all if there are none.

    Raises
    ------
    ParameterError
        No such row; the message lists them.
    """
    for name in names:
        if name not in rows.rows:
            raise ParameterError.unknown("the rows", name, rows.rows)
    kept = {name: rows.rows[name] for name in names} if names else rows.rows
    return ModelRows(rows=kept, notes=rows.notes, facts=rows.facts)


class _Index:
    """Finds the people's text that scores are of."""

    def __init__(self, humans: Humans) -> None:
        self._by_code = {text.code: text for text in humans.texts.values()}
        self._by_digest = {t.source_sha256: t for t in humans.texts.values() if t.source_sha256}
        self._names = set(humans.texts)

    def find(self, one: ScoredText) -> tuple[HumanText | None, str]:
        """The text, or None and what else there is under its name."""
        span = one.scores.span
        code, own = code_of(one.text, span[:, 0], span[:, 1])
        same = self._by_code.get(code)
        if same is None:
            same = self._by_digest.get(hashlib.sha256(one.text.encode()).hexdigest())
        if same is None:
            return None, "another text" if one.source_id in self._names else ""
        problem = token_problem(same.span, own)
        if problem:
            raise DataError(
                f"{same.name}: people and {one.scores.method} cut the same text into {problem}; "
                "make both with the same version of the grammar"
            )
        return same, ""


def _named(
    found: Mapping[tuple[str, str], dict[str, ModelScores]],
) -> dict[str, Mapping[str, ModelScores]]:
    """The method is the name where there is one model only."""
    several = len({model for model, _ in found}) > 1
    return {
        f"{model} {method}" if several else method: row for (model, method), row in found.items()
    }


def _nothing_common(humans: Humans, elsewhere: Mapping[str, str], name: str) -> str:
    both = sorted(source for source, other in elsewhere.items() if other)
    hint = (
        f"{_listed(both)} is in both with another text, as of two versions of a file; "
        if both
        else ""
    )
    return (
        f"nothing in common: people read {_listed(humans.texts)}, {name} scores "
        f"{_listed(elsewhere)}; {hint}give scores of the sources that people read"
    )


def _listed(names: Iterable[str]) -> str:
    every = sorted(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return (", ".join(every[:NAMED]) + more) or "nothing"


def _notes(
    found: Mapping[tuple[str, str], Mapping[str, ModelScores]],
    humans: Humans,
    elsewhere: Mapping[str, str],
) -> Iterable[str]:
    for (_, method), texts in found.items():
        yield from _partly_seen(method, list(texts.values()))
    if elsewhere:
        yield f"Scores of {len(elsewhere)} texts that nobody read are left out."
    scored = {name for row in found.values() for name in row}
    if len(scored) < len(humans.texts):
        rest = [name for name in humans.texts if name not in scored]
        yield f"{len(rest)} texts have no scores and are left out: {_listed(rest)}."


def _partly_seen(method: str, scores: Sequence[ModelScores]) -> Iterable[str]:
    """What of the texts a model did not see, or not at once."""
    cut = [one for one in scores if one.parameters.get("unseen", 0)]
    if cut:
        n = sum(int(np.isnan(one.value).sum()) for one in cut)
        yield (
            f"'{method}': {len(cut)} texts are longer than what the model sees at once, and {n} of "
            f"their {sum(map(len, cut))} tokens have no score: figures are of the others alone."
        )
    windows = sum(one.parameters.get("windows", 1) > 1 for one in scores)
    if windows:
        yield (
            f"'{method}': {windows} texts were read in windows; no row reaches further back than "
            "its window."
        )
