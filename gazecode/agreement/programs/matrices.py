"""Figures of programs against row-stochastic matrices, cell by cell, and the table they fill.

With h a person's and q a program's share of a cell, the weighted IoU and the mean Jensen–Shannon
divergence of the rows are sums over the person's few cells alone: with R rows of the person, of
which the program has R' with mass, and ``S = Σ min(h, q)``,

    IoU = S / (R + R' - S)
    JS  = ln 2 + (1 / 2R) Σ_{q>0} (h ln h + q ln q - (h + q) ln(h + q))

so a row the program says nothing of is as wrong as one it puts elsewhere, and no program gains by
silence. Equal to `gazecode.agreement.iou` and `js` on the dense matrices, which tests check.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.bootstrap import Resamples, interval
from gazecode.agreement.programs.answers import ask
from gazecode.agreement.programs.cells import Cells, Saccades, blocks
from gazecode.agreement.programs.hold_out import Plan
from gazecode.agreement.programs.registry import Program
from gazecode.agreement.programs.result import ProgramScores, Row, sorted_rows
from gazecode.agreement.scoring import Task
from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["rank_matrices"]

MATRIX_METRICS = ("iou", "js")


def rank_matrices(
    planned: Plan, programs: Mapping[str, Program], task: Task, *, chance: str
) -> ProgramScores:
    """Rank programs on the transitions of readings; `chance` says in words how it was drawn.

    Raises
    ------
    DataError
        No reading has a transition, or a program gives no matrix.
    """
    scored = [r for r in map(Saccades.of, planned.scored) if r is not None]
    if not scored:
        raise DataError("no reading has a saccade between tokens; expected Observed.transitions")
    table = _Table.of(scored, programs, task.permutations)
    files = _of_files(scored)
    for done, rows in enumerate(files.values()):
        _score_file(table, rows, programs, planned, task.seed)
        if task.progress is not None:
            task.progress(done + 1, len(files))
    return _ranked(table, planned, task, chance)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """Sums that grow file by file.

    `figure` is ``(metric, program, reading)``, the last program being the other people (the
    ceiling); `drawn` ``(metric, program, 1 + draws)`` sums of file means; `pooled`
    ``(part, program, 1 + draws)`` of the parts of the pooled figures: intersection, union, sum of
    JS; `silent` ``(program,)`` human rows of which the program says nothing.
    """

    readings: Sequence[Saccades]
    names: tuple[str, ...]
    figure: FloatArray
    drawn: FloatArray
    pooled: FloatArray
    silent: IntArray

    @classmethod
    def of(cls, readings: Sequence[Saccades], names: Iterable[str], permutations: int) -> "_Table":
        names = tuple(names)
        n = len(names)
        return cls(
            readings=readings,
            names=names,
            figure=np.full((2, n + 1, len(readings)), np.nan),
            drawn=np.zeros((2, n, permutations + 1)),
            pooled=np.zeros((3, n + 1, permutations + 1)),
            silent=np.zeros(n + 1, dtype=np.int64),
        )

    @property
    def permutations(self) -> int:
        """Draws of chance; one more is the observation."""
        return int(self.drawn.shape[2]) - 1

    @property
    def n_rows(self) -> IntArray:
        """``(readings,)`` tokens left at least once."""
        return np.array([len(reading.rows) for reading in self.readings])


def _of_files(readings: Sequence[Saccades]) -> dict[str, list[int]]:
    files: dict[str, list[int]] = {}
    for number, reading in enumerate(readings):
        files.setdefault(reading.observed.source, []).append(number)
    return files


def _score_file(
    table: _Table,
    numbers: Sequence[int],
    functions: Mapping[str, Program],
    planned: Plan,
    seed: int,
) -> None:
    readings = [table.readings[number] for number in numbers]
    shown = np.array([reading.shown for reading in readings])
    tokens = readings[0].observed.tokens
    known = planned.known[readings[0].observed.source]
    left = _left(readings)
    for part in blocks(readings, permutations=table.permutations, seed=seed):
        slots = _Slots.of(part, left)
        for p, (name, program) in enumerate(functions.items()):
            matrix = ask(name, program, tokens, known, axes=2)
            mass = matrix @ shown.T
            total = mass[part.origin, part.reading]
            q = np.zeros(len(total))
            np.divide(matrix[part.origin, part.target], total, out=q, where=total > 0)
            said = ((mass > 0).T & left).sum(axis=1)
            _add(table, p, numbers, slots, q=q, said=said)
    _add_ceiling(table, numbers, readings, left)


def _left(readings: Sequence[Saccades]) -> BoolArray:
    """``(readings, m)`` tokens that each person left at least once."""
    left = np.zeros((len(readings), readings[0].size), dtype=bool)
    for row, reading in zip(left, readings, strict=True):
        row[reading.rows] = True
    return left


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Slots:
    """Cells in runs, one per reading and draw: where each begins, and what it belongs to."""

    cells: Cells
    first: IntArray
    reading: IntArray
    draw: IntArray
    rows: IntArray
    entropy: FloatArray

    @classmethod
    def of(cls, cells: Cells, left: BoolArray) -> "_Slots":
        reading, draw = cells.reading, cells.draw
        new = (reading[1:] != reading[:-1]) | (draw[1:] != draw[:-1])
        first = np.flatnonzero(np.concatenate([[True], new]))
        return cls(
            cells=cells,
            first=first,
            reading=reading[first],
            draw=draw[first],
            rows=left.sum(axis=1)[reading[first]],
            entropy=cells.share * np.log(cells.share),
        )

    def parts(self, q: FloatArray, said: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Intersection, union and mean JS of each run.

        `said` ``(readings,)`` are the rows of which the program says something.
        """
        h = self.cells.share
        intersection = np.add.reduceat(np.minimum(h, q), self.first)
        there = np.flatnonzero(q > 0)
        gain = np.zeros(len(q))
        a, b = h[there], q[there]
        gain[there] = self.entropy[there] + b * np.log(b) - (a + b) * np.log(a + b)
        js = np.log(2.0) + np.add.reduceat(gain, self.first) / (2 * self.rows)
        # Rounding must not make the divergence of equal rows negative.
        union = np.asarray(self.rows + said[self.reading] - intersection, dtype=np.float64)
        return np.asarray(intersection), union, np.asarray(np.maximum(js, 0.0))


def _add(
    table: _Table,
    program: int,
    numbers: Sequence[int],
    slots: _Slots,
    *,
    q: FloatArray,
    said: IntArray,
) -> None:
    """Bring one program's figures of some runs into the table."""
    intersection, union, js = slots.parts(q, said)
    own = slots.draw == 0
    place = np.asarray(numbers)[slots.reading[own]]
    for metric, figure in enumerate((intersection / union, js)):
        table.figure[metric, program, place] = figure[own]
        if program < len(table.names):
            table.drawn[metric, program] += _per_draw(table, slots, figure) / len(numbers)
    for part, figure in enumerate((intersection, union, js * slots.rows)):
        table.pooled[part, program] += _per_draw(table, slots, figure)
    table.silent[program] += (slots.rows - said[slots.reading])[own].sum()


def _per_draw(table: _Table, slots: _Slots, figure: FloatArray) -> FloatArray:
    sums = np.bincount(slots.draw, weights=figure, minlength=table.permutations + 1)
    return sums.astype(np.float64)


def _add_ceiling(
    table: _Table, numbers: Sequence[int], readings: Sequence[Saccades], left: BoolArray
) -> None:
    """Each person's matrix against the mean of the others' rows; none where nobody else read."""
    if len(readings) < 2:
        return
    m = readings[0].size
    total = np.zeros((m, m))
    parts = list(blocks(readings, permutations=0, seed=0))
    for part in parts:
        np.add.at(total, (part.origin, part.target), part.share)
    others = left.sum(axis=0) - left
    for part in parts:
        n = others[part.reading, part.origin]
        rest = np.maximum(total[part.origin, part.target] - part.share, 0.0)
        rest[rest < 1e-12] = 0.0
        q = np.divide(rest, n, out=np.zeros(len(n)), where=n > 0)
        said = ((others > 0) & left).sum(axis=1)
        _add(table, len(table.names), numbers, _Slots.of(part, left), q=q, said=said)


def _ranked(table: _Table, planned: Plan, task: Task, chance: str) -> ProgramScores:
    people, person = _numbered(r.observed.person for r in table.readings)
    files, file = _numbered(r.observed.source for r in table.readings)
    weight = _weights(table.figure, file)
    resamples = Resamples(file, person, draws=task.bootstrap, seed=task.seed)
    means, low, high = _intervals(table.figure, weight, resamples)
    n_rows = int(table.n_rows.sum())
    rows = []
    for p, name in enumerate(table.names):
        row: Row = {"program": name}
        for m, metric in enumerate(MATRIX_METRICS):
            row |= _figures(metric, table.drawn[m, p] / len(files), table.pooled[:, p], n_rows)
            row |= {f"{metric}_low": float(low[m, p]), f"{metric}_high": float(high[m, p])}
            row[f"{metric}_undefined"] = 0
        row["silent"] = float(table.silent[p] / n_rows)
        rows.append(row | {"n_items": len(files), "n_people": len(people)})
    ceiling: dict[str, float] = {}
    for m, metric in enumerate(MATRIX_METRICS):
        ends = {f"{metric}_low": float(low[m, -1]), f"{metric}_high": float(high[m, -1])}
        ceiling |= {metric: float(means[m, -1]), **ends}
    return ProgramScores(
        kind="transitions",
        metrics=MATRIX_METRICS,
        rows=sorted_rows(rows, "iou"),
        ceiling=ceiling,
        hold_out=planned.rule,
        known=planned.known,
        counts=_counts(table, planned, people, files),
        chance=chance,
        parameters={
            "permutations": task.permutations,
            "bootstrap": task.bootstrap,
            "seed": task.seed,
        },
    )


def _numbered(names: Iterable[str]) -> tuple[list[str], IntArray]:
    listed = list(names)
    known = sorted(set(listed))
    place = {name: i for i, name in enumerate(known)}
    return known, np.array([place[name] for name in listed], dtype=np.int64)


def _weights(figure: FloatArray, file: IntArray) -> FloatArray:
    """``(metric, program, reading)`` weights that give the mean over files of that over people."""
    there = ~np.isnan(figure)
    n = np.stack([there[..., file == f].sum(axis=-1) for f in range(file.max() + 1)], axis=-1)
    return np.asarray(there / np.maximum(n, 1)[..., file])


def _intervals(
    figure: FloatArray, weight: FloatArray, resamples: Resamples
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean and both ends of its interval, ``(metric, program)`` each; NaN where unknown."""
    total = weight.sum(axis=-1)
    above = np.where(weight > 0, figure, 0.0) * weight
    mean = np.divide(above.sum(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)
    ends = [interval(resamples.means(f.T, w.T)) for f, w in zip(figure, weight, strict=True)]
    return mean, np.stack([low for low, _ in ends]), np.stack([high for _, high in ends])


def _figures(metric: str, drawn: FloatArray, pooled: FloatArray, n_rows: int) -> Row:
    """The observed figure, which is draw 0, beside the draws of chance."""
    chance = drawn[1:]
    low, high = np.quantile(chance, [0.025, 0.975]) if chance.size else (np.nan, np.nan)
    mean = float(chance.mean()) if chance.size else np.nan
    over_all = pooled[0, 0] / pooled[1, 0] if metric == "iou" else pooled[2, 0] / n_rows
    return {
        metric: float(drawn[0]),
        f"{metric}_pooled": float(over_all),
        f"{metric}_chance": mean,
        f"{metric}_chance_low": float(low),
        f"{metric}_chance_high": float(high),
        f"{metric}_above_chance": float(drawn[0]) - mean,
    }


def _counts(
    table: _Table, planned: Plan, people: Sequence[str], files: Sequence[str]
) -> dict[str, int]:
    shown = sum(int(reading.shown.sum()) for reading in table.readings)
    rows = int(table.n_rows.sum())
    return {
        "people": len(people),
        "files": len(files),
        "readings": len(table.readings),
        "saccades": round(sum(float(r.weight.sum()) for r in table.readings)),
        "rows": rows,
        "rows_never_left": shown - rows,
        "readings_without_saccades": len(planned.scored) - len(table.readings),
        "readings_that_only_taught": planned.n_teachers_only,
    }
