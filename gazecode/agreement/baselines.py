"""Rows that know nothing of the text's meaning: what a model has to beat.

Reference: every figure of overlap is high for uniform rows and for sinks, and long tokens and
early ones draw both people and models.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gazecode.agreement.inputs import Inputs
from gazecode.agreement.item import Item
from gazecode.agreement.seeding import generator
from gazecode.errors import DataError
from gazecode.model.checks import FloatArray

__all__ = ["BASELINES", "RANDOM", "with_baselines"]

RANDOM = "random"
"""The row whose figures are those of chance."""
BASELINES = (
    "uniform",
    "first token",
    "length",
    "position",
    "position, reversed",
    "column",
    RANDOM,
)
"""Names of the rows: all units alike; all mass on the first; in proportion to characters; to the
place in the text, from the start and from the end; the first row's scores of another item of the
same length; and scores drawn at random."""


def with_baselines(inputs: Inputs, *, seed: int) -> Inputs:
    """Both sides with the baseline rows that can be made below the model's rows.

    Raises
    ------
    DataError
        Where a row has the name of a baseline.
    """
    if taken := [row for row in inputs.rows if row in BASELINES]:
        raise DataError(
            f"a row is called {taken[0]!r}, as a baseline is; rename it, or say baselines=False"
        )
    columns = _columns(inputs.items)
    made = [
        _rows(item, column, seed=seed) for item, column in zip(inputs.items, columns, strict=True)
    ]
    kept = [i for i in range(len(BASELINES)) if any(not np.isnan(rows[i]).all() for rows in made)]
    items = [
        replace(item, model=np.vstack([item.model, rows[kept]]))
        for item, rows in zip(inputs.items, made, strict=True)
    ]
    rows = (*inputs.rows, *(BASELINES[i] for i in kept))
    return replace(inputs, items=tuple(items), rows=rows)


def _rows(item: Item, column: FloatArray, *, seed: int) -> FloatArray:
    n = len(item)
    place = np.arange(1.0, n + 1)
    drawn = generator(seed, "random row", item.name).random(n)
    rows = [np.ones(n), np.where(place == 1, 1.0, 0.0), item.length, place, place[::-1], column]
    return np.stack([*rows, drawn])


def _columns(items: Sequence[Item]) -> list[FloatArray]:
    """The first row's scores of the next item (by name, around) with as many units."""
    alike: dict[int, list[int]] = defaultdict(list)
    for i in sorted(range(len(items)), key=lambda i: items[i].name):
        alike[len(items[i])].append(i)
    columns = [np.full(len(item), np.nan) for item in items]
    for group in alike.values():
        if len(group) > 1:
            for i, other in zip(group, [*group[1:], group[0]], strict=True):
                columns[i] = items[other].model[0]
    return columns
