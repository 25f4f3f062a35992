"""All numbers of a comparison: every reading's figures, their chance, their draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.agreement.bootstrap import Resamples
from gazecode.agreement.chance import Levels, permute
from gazecode.agreement.item import Item
from gazecode.agreement.measures import Measure, Prepared
from gazecode.agreement.segments import lowest, sums
from gazecode.agreement.stacks import Reading, Stack, stacks_of
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["REASONS", "Progress", "Scored", "Task", "per_item", "score", "weights_of"]

Progress = Callable[[int, int], object]
"""Called with what is done and how much there is."""

REASONS = (
    "no unit in common",
    "one unit",
    "people marked or looked at nothing",
    "people's map is constant",
    "scores are constant",
    "values below 0",
    "not defined",
)
"""Why a figure of a reading is undefined; the first that holds is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """How much to draw, and who is told of every item (file) that is done."""

    permutations: int
    bootstrap: int
    seed: int
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """One measure, over ``g`` readings and ``r + 1`` rows, the last of them the ceiling.

    Attributes
    ----------
    value
        ``(g, r + 1)`` of every reading; NaN where undefined.
    pooled
        ``(r + 1,)``.
    chance, chance_pooled
        ``(p, r + 1)`` mean over items, and pooled figure, of every permutation.
    draws, draws_pooled
        ``(b, r + 1)`` the same of every resample.
    """

    value: FloatArray
    pooled: FloatArray
    chance: FloatArray
    chance_pooled: FloatArray
    draws: FloatArray
    draws_pooled: FloatArray


def weights_of(value: FloatArray, item: IntArray) -> FloatArray:
    """``(g, r)`` part of each reading in its item's figure: readings of an item count alike.

    >>> weights_of(np.array([[0.2], [0.4], [np.nan]]), np.array([0, 0, 1]))
    array([[0.5],
           [0.5],
           [0. ]])
    """
    there = (~np.isnan(value)).astype(np.float64)
    count = np.zeros((int(item.max(initial=-1)) + 1, value.shape[1]))
    np.add.at(count, item, there)
    return there / np.maximum(count[item], 1.0)


def per_item(value: FloatArray, item: IntArray, n_items: int) -> FloatArray:
    """``(i, r)`` mean over the readings of each item; NaN where none is defined."""
    weight = weights_of(value, item)
    found, there = np.zeros((2, n_items, value.shape[1]))
    np.add.at(found, item, np.where(weight > 0, value, 0.0) * weight)
    np.add.at(there, item, weight)
    return np.where(there > 0, found, np.nan)


def score(
    items: Sequence[Item],
    readings: Sequence[Reading],
    measures: Sequence[Measure],
    *,
    n_rows: int,
    task: Task,
) -> tuple[list[Scored], IntArray]:
    """Everything, per measure, and why readings are undefined: ``(g, r + 1)`` into `REASONS`."""
    item = np.array([reading.item for reading in readings], dtype=np.int64)
    person = np.array([reading.person for reading in readings], dtype=np.int64)
    stacks = stacks_of(items, readings, n_rows)
    prepared = [[_levels(stack, measure) for measure in measures] for stack in stacks]
    values = [
        _placed(
            [one[m][0].values(stack.start) for stack, one in zip(stacks, prepared, strict=True)],
            stacks,
            np.full((len(readings), n_rows + 1), np.nan),
        )
        for m in range(len(measures))
    ]
    weights = [weights_of(value, item) for value in values]
    work = [
        (
            stack,
            [
                Levels(item=a, whole=b, weight=weight[np.ix_(stack.reading, stack.rows)])
                for (a, b), weight in zip(one, weights, strict=True)
            ],
        )
        for stack, one in zip(stacks, prepared, strict=True)
    ]
    chances = permute(
        work,
        [item.name for item in items],
        [len(item) for item in items],
        permutations=task.permutations,
        seed=task.seed,
        told=_telling(task, len(items)),
    )
    resamples = Resamples(item, person, draws=task.bootstrap, seed=task.seed)
    scored = []
    for m, (value, weight) in enumerate(zip(values, weights, strict=True)):
        rows = _Rows(stacks, n_rows + 1)
        pairs = list(zip(stacks, [one[m][1] for one in prepared], strict=True))
        scored.append(
            Scored(
                value=value,
                pooled=rows.placed(1, [_pooled(stack, whole)[None] for stack, whole in pairs])[0],
                chance=rows.placed(task.permutations, [one[m].mean() for one in chances]),
                chance_pooled=rows.placed(task.permutations, [one[m].pooled() for one in chances]),
                draws=resamples.means(value, weight),
                draws_pooled=rows.placed(
                    task.bootstrap,
                    [resamples.pooled(whole, stack.start, stack.reading) for stack, whole in pairs],
                ),
            )
        )
    return scored, _reasons(stacks, (len(readings), n_rows + 1))


def _levels(stack: Stack, measure: Measure) -> tuple[Prepared, Prepared]:
    item = measure.prepare(stack, stack.start)
    return item, measure.prepare(stack, stack.whole) if measure.together else item


def _pooled(stack: Stack, whole: Prepared) -> FloatArray:
    changing = tuple(array.sum(axis=0) for array in whole.observed(stack.start))
    return whole.figure(changing, whole.total())


class _Rows:
    """Puts what stacks say of their rows beside each other."""

    def __init__(self, stacks: Sequence[Stack], n: int) -> None:
        self.stacks, self.n = stacks, n

    def placed(self, draws: int, parts: Sequence[FloatArray]) -> FloatArray:
        """``(draws, r + 1)`` from each stack's ``(draws, rows)``; there may be no stack at all."""
        found = np.full((draws, self.n), np.nan)
        for stack, part in zip(self.stacks, parts, strict=True):
            found[:, stack.rows] = part
        return found


def _placed(parts: Sequence[FloatArray], stacks: Sequence[Stack], blank: FloatArray) -> FloatArray:
    for stack, part in zip(stacks, parts, strict=True):
        blank[np.ix_(stack.reading, stack.rows)] = part
    return blank


def _telling(task: Task, total: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        if task.progress is not None:
            task.progress(done, total)

    return told


def _reasons(stacks: Sequence[Stack], shape: tuple[int, int]) -> IntArray:
    found = np.zeros(shape, dtype=np.int64)
    for stack in stacks:
        at, human, model = stack.start, stack.human, stack.model
        low, model_low = lowest(human, at), lowest(model, at)
        faults = [
            np.diff(at) < 2,
            sums(np.abs(human), at) == 0,
            low == -lowest(-human, at),
            model_low == -lowest(-model, at),
            (low < 0) | (model_low < 0),
        ]
        shaped = [np.broadcast_to(fault, model_low.shape) for fault in faults]
        codes = np.select(shaped, range(1, len(faults) + 1), default=len(faults) + 1)
        found[np.ix_(stack.reading, stack.rows)] = codes.T
    return found
