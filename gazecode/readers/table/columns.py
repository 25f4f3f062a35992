"""Columns of a table, gathered from Arrow's record batches as these come.

Each column grows in one piece; a batch is let go of before the next is read. Texts become numbers
of labels: a trial's name is held once and not in every row.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.readers.table.map import TIMES_PER_MS, ColumnMap
from gazecode.readers.tools.growing import Gathered

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Labels", "TableColumns"]

FloatArray = npt.NDArray[np.float64]
Labels = tuple[npt.NDArray[np.int32], list[str]]
"""``(n,)`` number of each row's text, and the texts; the first one is empty."""


class TableColumns:
    """The mapped columns of the batches of a table.

    Parameters
    ----------
    batches
        Those rows, in order.

    Attributes
    ----------
    n_rows
        How many there were.
    """

    def __init__(self, mapped: ColumnMap, batches: Iterable["pa.RecordBatch"]) -> None:
        self._mapped = mapped
        self._gathered = Gathered()
        self._uses = Counter(mapped.numbers)
        self._labels: dict[str, dict[str, int]] = {name: {"": 0} for name in mapped.strings}
        self.n_rows = 0
        for batch in batches:
            self._add(batch)
            self.n_rows += len(batch)

    def _add(self, batch: "pa.RecordBatch") -> None:
        ticks, known = _ticks(batch[self._mapped.time], self._mapped)
        taken: dict[str, Any] = {"ticks": ticks, "known": known}
        for name in self._uses:
            taken[f"number {name}"] = _floats(batch[name])
        for name, labels in self._labels.items():
            taken[f"label {name}"] = _codes(batch[name], labels)
        self._gathered.add(taken)

    def numbers(self, name: str, lost: Sequence[float] = ()) -> FloatArray:
        """``(n,)`` numbers, NaN where lost; let go of with the column's last use."""
        key = f"number {name}"
        self._uses[name] -= 1
        values: FloatArray = self._gathered.array(key)
        if self._uses[name]:
            self._gathered.add({key: values})
        if lost:
            values[np.isin(values, lost)] = np.nan
        return values

    def labels(self, name: str) -> Labels:
        """Texts of a column."""
        key = f"label {name}"
        codes = self._gathered.array(key)
        self._gathered.add({key: codes})
        return codes, list(self._labels[name])

    def times_ms(self) -> FloatArray:
        """Stamps in ms from the first one; integers are subtracted before they become floats."""
        ticks, known = self._gathered.array("ticks"), self._gathered.array("known")
        ticks -= ticks[known].min() if known.any() else ticks.dtype.type(0)
        elapsed: FloatArray = ticks.astype(np.float64, copy=False)
        elapsed[~known] = np.nan
        elapsed /= TIMES_PER_MS[self._mapped.time_unit]
        return elapsed


def _floats(column: "pa.Array") -> FloatArray:
    import pyarrow as pa

    values: FloatArray = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _ticks(column: "pa.Array", mapped: ColumnMap) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Stamps as they stand, and which rows have one."""
    import pyarrow as pa

    if pa.types.is_integer(column.type):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        return column.cast(pa.int64()).fill_null(0).to_numpy(), known
    if pa.types.is_floating(column.type):
        ticks = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return ticks, np.isfinite(ticks)
    raise FormatError(
        f"column {mapped.time} holds {column.type}, expected numbers in {mapped.time_unit}; "
        "convert dates to a number of seconds first"
    )


def _codes(column: "pa.Array", labels: dict[str, int]) -> npt.NDArray[np.int32]:
    import pyarrow as pa

    encoded = column
    if not pa.types.is_dictionary(column.type):
        encoded = column.cast(pa.string()).dictionary_encode()
    texts = encoded.dictionary.cast(pa.string()).fill_null("").to_pylist()
    known = np.array([labels.setdefault(text, len(labels)) for text in texts] + [0], np.int32)
    codes: npt.NDArray[np.int32] = known[encoded.indices.fill_null(-1).to_numpy()]
    return codes
