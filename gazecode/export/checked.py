"""A batch of rows taken apart for checks, and how a check names what it finds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.lists import flat_values
from gazecode.export.schema import columns_of
from gazecode.model.checks import BoolArray, IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Finding", "Rows", "first_values", "take_apart"]

Finding = tuple[int, str, str]
"""Row within the batch, column, what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A batch taken apart: flat values, borders, and the row of every flat value."""

    scalars: Mapping[str, Any]
    flat: Mapping[str, Any]
    borders: Mapping[str, IntArray]
    owner: Mapping[str, IntArray]

    def lengths(self, column: str) -> IntArray:
        """Return how many values each row has."""
        return np.diff(self.borders[column])


def take_apart(batch: "pa.RecordBatch", version: int) -> Rows:
    """Take apart a batch with the columns of `version`, without nulls."""
    scalars: dict[str, Any] = {}
    flat: dict[str, Any] = {}
    borders: dict[str, IntArray] = {}
    for column in columns_of(version):
        values = batch.column(column.name)
        if not column.is_list:
            scalars[column.name] = values.to_pylist()
            continue
        inner, borders[column.name] = flat_values(values)
        flat[column.name] = (
            inner if column.element == "string" else inner.to_numpy(zero_copy_only=False)
        )
    owner = {name: np.repeat(np.arange(len(b) - 1), np.diff(b)) for name, b in borders.items()}
    return Rows(scalars=scalars, flat=flat, borders=borders, owner=owner)


def first_values(rows: Rows, column: str, bad: BoolArray, expected: str) -> Iterator[Finding]:
    """Name the first bad value of each row: one line a row is enough."""
    where = np.flatnonzero(bad)
    _, first = np.unique(rows.owner[column][where], return_index=True)
    for i in where[first].tolist():
        row = int(rows.owner[column][i])
        at = i - int(rows.borders[column][row])
        yield row, column, f"{rows.flat[column][i]} at {at}; expected {expected}"
