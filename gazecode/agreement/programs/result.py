"""The ranking of programs, and one table of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.agreement.comparison import Comparison, json_value
from gazecode.agreement.measures import best_first
from gazecode.agreement.programs.known import Known
from gazecode.agreement.table import aligned
from gazecode.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExplanationTable", "ProgramScores", "explanation_table", "sorted_rows"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProgramScores:
    """Programs ranked by how well they say where people look, or where a model attends.

    Attributes
    ----------
    kind
        "maps" or "transitions".
    metrics
        Names of the figures; the first one ranks.
    rows
        Best first, a dict per program: ``program``; per metric ``M`` the mean over files ``M``,
        over all units at once ``M_pooled``, at chance ``M_chance`` with its 95 % range
        ``M_chance_low`` and ``M_chance_high``, ``M_above_chance``, its interval ``M_low`` and
        ``M_high``, and ``M_undefined``, how many figures do not exist and are left out;
        ``silent``, the share of files (of human rows, for transitions) of which the program says
        nothing; ``n_items``, ``n_people``. What is unknown is NaN.
    ceiling
        Human–human, leave one out: per metric the figure and ``M_low``, ``M_high``; NaN where no
        file was read by two people. What one person says of the others; a program that knows what
        all people share may say more.
    hold_out
        What was held out, in words.
    known
        Per file what programs knew of it: from how many people and files (`Known`).
    counts
        People, files, readings, and what was left out, by name.
    chance
        How chance was drawn, in words.
    parameters
        Permutations, bootstrap, seed and what else decides the numbers.
    comparison
        What `gazecode.agreement.compare` gave, for maps.
    """

    kind: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    ceiling: Mapping[str, float]
    hold_out: str
    known: Mapping[str, Known]
    counts: Mapping[str, int]
    chance: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, program: str) -> Row:
        """The row of one program."""
        found = [row for row in self.rows if row["program"] == program]
        if not found:
            names = [row["program"] for row in self.rows]
            raise ParameterError.unknown("ranked programs", program, names)
        return found[0]

    def __str__(self) -> str:
        said = [f"{n} {name.replace('_', ' ')}" for name, n in self.counts.items()]
        return "\n".join(
            [
                f"programs of {self.kind} on {', '.join(said)}",
                f"held out {self.hold_out}; chance: {self.chance}",
                *_table(_shown(self)),
                *(f"- {warning}" for warning in self.warnings),
            ]
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that the figures are misread without."""
        return self.comparison.warnings if self.comparison is not None else ()

    def to_frame(self) -> "pd.DataFrame":
        """One row per program, best first."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON; what is NaN is None."""
        return {
            "kind": self.kind,
            "metrics": list(self.metrics),
            "rows": json_value(self.rows),
            "ceiling": json_value(self.ceiling),
            "hold_out": self.hold_out,
            "known": {
                file: {"n_people": k.n_people, "n_files": k.n_files, "n_readings": k.n_readings}
                for file, k in self.known.items()
            },
            "counts": dict(self.counts),
            "chance": self.chance,
            "warnings": list(self.warnings),
            "parameters": json_value(self.parameters),
        }


def sorted_rows(rows: Sequence[Row], metric: str) -> tuple[Row, ...]:
    """Best first by a metric, what is undefined last; equal ones in their order."""
    return tuple(sorted(rows, key=lambda row: best_first(metric, row[metric])))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplanationTable:
    """What explains whom: a row per program, a column per reader, human or not.

    Attributes
    ----------
    metric
        Whose figures stand here.
    readers
        Names of the columns, in the order given.
    rows
        A dict per program: ``program``, each reader's figure, and ``READER (above chance)``; then
        one of ``ceiling`` with what is known of it. NaN where a reader was not scored on it.
        Sorted by the first reader.
    """

    metric: str
    readers: tuple[str, ...]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        head = ["program", *(name for r in self.readers for name in (r, _above(r)))]
        return "\n".join(
            [f"{self.metric}", *_table([head, *([r[h] for h in head] for r in self.rows)])]
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row per program."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            "metric": self.metric,
            "readers": list(self.readers),
            "rows": json_value(self.rows),
        }


def explanation_table(
    scores: Mapping[str, ProgramScores], *, metric: str | None = None
) -> ExplanationTable:
    """Put rankings beside each other, so that one table says what explains whom.

    Parameters
    ----------
    scores
        Name of the reader (people, a model's method) to its ranking; all of maps, or all of
        transitions.
    metric
        Which figure; the first of the first ranking if left out.

    Returns
    -------
    ExplanationTable

    Raises
    ------
    ParameterError
        Nothing, rankings of two kinds, or a metric that one of them does not have.
    """
    if not scores:
        raise ParameterError("no rankings; expected at least one, by the name of the reader")
    first = next(iter(scores.values()))
    metric = metric or first.metrics[0]
    for name, ranking in scores.items():
        if metric not in ranking.metrics:
            raise ParameterError.unknown(f"metrics of {name}", metric, ranking.metrics)
        if ranking.kind != first.kind:
            raise ParameterError(
                f"{name} ranks programs of {ranking.kind}, the first one of {first.kind}; "
                "expected one kind in a table"
            )
    by_name = {name: {row["program"]: row for row in s.rows} for name, s in scores.items()}
    programs = dict.fromkeys(program for rows in by_name.values() for program in rows)
    rows = []
    for program in programs:
        row: Row = {"program": program}
        for name, known in by_name.items():
            row[name] = known.get(program, {}).get(metric, np.nan)
            row[_above(name)] = known.get(program, {}).get(f"{metric}_above_chance", np.nan)
        rows.append(row)
    ceiling: Row = {"program": "ceiling"}
    for name, ranking in scores.items():
        ceiling |= {name: ranking.ceiling.get(metric, np.nan), _above(name): np.nan}
    return ExplanationTable(metric=metric, readers=tuple(scores), rows=(*rows, ceiling))


def _above(reader: str) -> str:
    return f"{reader} (above chance)"


def _shown(scores: ProgramScores) -> list[list[Any]]:
    head = ["program"]
    for metric in scores.metrics:
        head += [metric, "95 %", "chance", "undefined"]
    lines: list[list[Any]] = [head]
    for row in scores.rows:
        line: list[Any] = [row["program"]]
        for m in scores.metrics:
            line += [row[m], _range(row[f"{m}_low"], row[f"{m}_high"])]
            line += [row[f"{m}_chance"], row[f"{m}_undefined"]]
        lines.append(line)
    last: list[Any] = ["human–human ceiling"]
    for m in scores.metrics:
        low, high = (scores.ceiling.get(f"{m}_{end}", np.nan) for end in ("low", "high"))
        last += [scores.ceiling.get(m, np.nan), _range(low, high), "", ""]
    return [*lines, last]


def _range(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{low:.3f} to {high:.3f}"


def _table(lines: Sequence[Sequence[Any]]) -> list[str]:
    return aligned([[_text(cell) for cell in line] for line in lines])


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return "–" if np.isnan(cell) else f"{cell:.3f}"
    return str(cell)
