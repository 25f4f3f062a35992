"""Small programs as hypotheses of where people look, on three published sets.

Which sets, and what is left out of them: `gazecode.evaluation.gaze_sets`. What a program is, and
how it is scored: `gazecode.agreement.programs`. Per set a table of programs over the time spent on
each token and one over the saccades between tokens; then the sets side by side, and what is left of
the programs that learn when nobody they are scored on has taught them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.agreement.metrics import partial_spearman, spearman
from gazecode.agreement.programs import (
    PROGRAMS,
    Known,
    ProgramScores,
    explanation_table,
    score_programs,
    score_transitions,
)
from gazecode.agreement.programs.hold_out import HoldOut
from gazecode.errors import FormatError
from gazecode.evaluation.gaze_sets import SETS, GazeOnFile, observed_in, readings_of
from gazecode.evaluation.tables import Table
from gazecode.model.checks import FloatArray

__all__ = ["explanation", "hypothesis_tables", "map_rows", "move_rows", "null_row"]

Rows = list[dict[str, Any]]

METRICS = ("spearman", "partial_spearman", "iou")
LEARNERS = ("label_theta", "inverse_frequency", "surprisal")
"""Programs that know something of other people or files; all the others learn nothing."""
FEW_PEOPLE = 6
"""With fewer, a half of them is too few to teach, and the other half too few to be scored."""


def hypothesis_tables(
    folder: Path,
    *,
    readers: Mapping[str, ProgramScores] | None = None,
    permutations: int = 1000,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Iterator[Table]:
    """All tables of the sets that lie in the folder.

    Parameters
    ----------
    folder
        The folder of all data sets.
    readers
        Other readers for the table of all: what `gazecode.agreement.programs.explain` gives for the
        scores of a model, by the model's name.
    permutations, bootstrap, seed
        As for `gazecode.agreement.programs.score_programs`.

    Raises
    ------
    FormatError
        None of the sets is there.
    """
    present = [name for name in SETS if (folder / name).is_dir()]
    if not present:
        raise FormatError(f"{folder} holds none of {', '.join(SETS)}; expected one folder a set")
    on_maps = partial(
        score_programs, metrics=METRICS, permutations=permutations, bootstrap=bootstrap, seed=seed
    )
    ranked: dict[str, ProgramScores] = {}
    nulls: Rows = []
    learnt: Rows = []
    for name in present:
        readings, left_out = _of_set(folder, name)
        observed = [observed_in(reading) for reading in readings]
        few = len({reading.person for reading in readings}) < FEW_PEOPLE
        rule: HoldOut = "files" if few else "both"
        ranked[name] = on_maps(observed, hold_out=rule)
        said = _said(ranked[name], left_out)
        yield Table(
            title=f"Programs on {name}: time on each token",
            said=f"{said} {_READ_MAPS}",
            rows=map_rows(ranked[name]),
        )
        moves = score_transitions(
            observed, hold_out=rule, permutations=permutations, bootstrap=bootstrap, seed=seed
        )
        yield Table(
            title=f"Programs on {name}: saccades from token to token",
            said=f"{said} {_READ_MOVES}",
            rows=move_rows(moves),
        )
        nulls.append({"set": name, **null_row(readings)})
        other: HoldOut = "both" if few else "files"
        again = on_maps(observed, programs=LEARNERS, hold_out=other)
        learnt += _learnt(name, {rule: ranked[name], other: again})
    yield explanation(ranked | dict(readers or {}))
    yield Table(title="Programs beside gaze shifted at random", said=_READ_NULLS, rows=nulls)
    yield Table(title="Programs that learn, by what was held out", said=_READ_LEARNT, rows=learnt)


_READ_MAPS = (
    "spearman: mean over files of the mean over people, each against the mean of the others (or "
    "their own map where nobody else read it), with a 95 % interval from a crossed bootstrap over "
    "people and files; pooled: all tokens at once. chance: people's maps permuted within the file, "
    "mean and 95 % range. ceiling: one person against the mean of the others, where there are any; "
    "a program may exceed it. partial: given length, position and frequency of the token. "
    "undefined: readings without a spearman, because the program is constant there; a program with "
    "any has no rank. people, files: those that have one."
)
_READ_MOVES = (
    "iou: of the rows a person left at least once, mean over files of the mean over people; "
    "pooled: all rows at once. js: mean over the same rows, nats, 0 is best. chance: targets of a "
    "reading's saccades permuted. ceiling: one person against the mean of the others. silent: "
    "share of rows that a program says nothing of, which count as wrong."
)
_READ_NULLS = (
    "Spearman per reading, people's own maps, mean over files. shifted: share of 200 circular "
    "shifts of the reading's gaze over its code in which a token is fixated. What shifted gaze "
    "explains as well as token_length does is no preference for long tokens. given shifted: "
    "people and token_length, with shifted gaze held fixed."
)
_READ_ALL = (
    "Mean over files of the mean over people. A rank is among the programs that are defined for "
    "every reading of the set."
)
_READ_LEARNT = (
    "files: learnt from other programs, by people who may be scored too. both: learnt from other "
    "programs, read by others; where everybody read everything, by one half of the people, and the "
    "other half is scored. token_length learns nothing: it shows what the change of readings does."
)


def explanation(scores: Mapping[str, ProgramScores]) -> Table:
    """Programs as rows, readers as columns, people or models: what explains whom.

    Parameters
    ----------
    scores
        Name of the reader to its ranking of maps, each with Spearman's correlation.
    """
    ranks = {name: _ranks(one, "spearman") for name, one in scores.items()}
    rows: Rows = []
    for found in explanation_table(scores, metric="spearman").rows:
        if found["program"] == "ceiling":
            continue
        row: dict[str, Any] = {"program": found["program"]}
        for name, one in scores.items():
            row |= {
                name: found[name],
                f"rank, {name}": ranks[name].get(found["program"]),
                f"above chance, {name}": found[f"{name} (above chance)"],
                f"ceiling, {name}": one.ceiling["spearman"],
            }
        rows.append(row)
    return Table(title="What explains whom: Spearman by set", said=_READ_ALL, rows=rows)


def map_rows(scores: ProgramScores) -> Rows:
    """One row per program: those with a rank first, the best on top."""
    return [
        {
            **head,
            **_figures(scores, row, "spearman"),
            "pooled": row["spearman_pooled"],
            "partial": row["partial_spearman"],
            "partial ceiling": scores.ceiling["partial_spearman"],
            "iou": row["iou"],
            **{f"iou {name}": v for name, v in _beside(scores, row, "iou").items()},
            **_counted(scores, row),
        }
        for head, row in _in_order(scores, "spearman")
    ]


def move_rows(scores: ProgramScores) -> Rows:
    """One row per program of saccades, the best on top."""
    return [
        {
            **head,
            **_figures(scores, row, "iou"),
            "pooled": row["iou_pooled"],
            "js": row["js"],
            "js chance": row["js_chance"],
            "js ceiling": scores.ceiling["js"],
            "silent": row["silent"],
            **_counted(scores, row),
        }
        for head, row in _in_order(scores, "iou")
    ]


def null_row(readings: Sequence[GazeOnFile]) -> dict[str, Any]:
    """How far length, and gaze that saw no token, explain each reading: means over files."""
    found: dict[str, list[FloatArray]] = {}
    for reading in readings:
        value = observed_in(reading).value
        shifted = reading.hits.chance
        if shifted is None:
            continue
        length = PROGRAMS["token_length"](reading.tokens, Known())
        pairs = [(value, shifted), (value, length), (length, shifted)]
        figures = [spearman(p, q) for p, q in pairs]
        figures.append(partial_spearman(value, length, shifted[:, None]))
        found.setdefault(reading.source, []).append(np.array(figures, dtype=np.float64))
    mean = np.mean([np.mean(rows, axis=0) for rows in found.values()], axis=0).tolist()
    names = ("people, shifted", "people, token_length", "token_length, shifted", "given shifted")
    return {**dict(zip(names, mean, strict=True)), "files": len(found), "readings": len(readings)}


def _of_set(folder: Path, name: str) -> tuple[list[GazeOnFile], str]:
    """The readings of a set that are used, and what is not among them in words."""
    readings, left_out = readings_of(folder, name)
    used = [reading for reading in readings if reading.placed]
    if len(used) < len(readings):
        left_out["trials: gaze lies beside the lines"] = len(readings) - len(used)
    return used, "; ".join(f"{reason} ({n})" for reason, n in left_out.items()) or "nothing"


def _said(scores: ProgramScores, left_out: str) -> str:
    counts = scores.counts
    several = 0
    if scores.comparison is not None:
        several = int((np.bincount(scores.comparison.reading_item) > 1).sum())
    return (
        f"{counts['people']} people, {counts['files']} files, {counts['readings']} readings; "
        f"{several} files read by two or more. Held out {scores.hold_out}. Left out: {left_out}."
    )


def _ranks(scores: ProgramScores, metric: str) -> dict[str, int]:
    """Rank of each program that has a figure for every reading: the others saw other readings."""
    whole = [row["program"] for row in scores.rows if not row[f"{metric}_undefined"]]
    # Rows are sorted by the first metric of the ranking.
    order = sorted(whole, key=lambda program: -float(scores[program][metric]))
    return {program: place + 1 for place, program in enumerate(order)}


def _in_order(scores: ProgramScores, metric: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    ranks = _ranks(scores, metric)
    rows = sorted(scores.rows, key=lambda row: ranks.get(row["program"], len(scores) + 1))
    return [({"rank": ranks.get(r["program"]), "program": r["program"]}, dict(r)) for r in rows]


def _figures(scores: ProgramScores, row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    return {metric: row[metric], **_beside(scores, row, metric)}


def _beside(scores: ProgramScores, row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """What no figure stands without: its interval, chance and the ceiling."""
    low, high = row[f"{metric}_chance_low"], row[f"{metric}_chance_high"]
    return {
        "95 %": _range(row[f"{metric}_low"], row[f"{metric}_high"]),
        "chance": row[f"{metric}_chance"],
        "chance 95 %": _range(low, high),
        "above chance": row[f"{metric}_above_chance"],
        "ceiling": scores.ceiling[metric],
    }


def _range(low: float, high: float) -> str | None:
    return None if np.isnan(low) else f"{low:.2f} to {high:.2f}"


def _counted(scores: ProgramScores, row: Mapping[str, Any]) -> dict[str, int]:
    """People and files behind the figure that ranks, and readings that have none."""
    people, files = row["n_people"], row["n_items"]
    metric = scores.metrics[0]
    if scores.comparison is not None:
        figure = scores.comparison.figure(row["program"], metric)
        people, files = figure.n_people, figure.n_items
    return {"people": people, "files": files, "undefined": row[f"{metric}_undefined"]}


def _learnt(name: str, rankings: Mapping[str, ProgramScores]) -> Rows:
    """The programs that learn, and one that does not, under each way to hold out."""
    return [
        {
            "set": name,
            "held out": rule,
            "program": program,
            **_figures(rankings[rule], rankings[rule][program], "spearman"),
            "partial": rankings[rule][program]["partial_spearman"],
            **_counted(rankings[rule], rankings[rule][program]),
        }
        for rule in ("files", "both")
        for program in (*LEARNERS, "token_length")
    ]
