"""Examples as Arrow record batches, and back: what every container is written from and read into.

A batch holds as many rows as fit a bound on rows and on values, so that memory stays flat however
many examples come and however long single ones are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import DataError
from gazecode.export.digest import batch_digests
from gazecode.export.lists import flat_values, row_of
from gazecode.export.schema import BY_NAME, COLUMNS, COUNTED_BY, BrokenRow, Column, arrow_schema
from gazecode.model import Example
from gazecode.model.checks import IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "BLOCK_ROWS",
    "batches",
    "check_nulls",
    "from_batch",
    "is_text",
    "record_batch",
    "refuse_uneven",
    "to_batch",
]

BLOCK_ROWS = 64
"""Batches end at a multiple of it where they can: HDF5 chunks are this high."""
BATCH_ROWS = 1024
BATCH_VALUES = 2**18
"""Subwords, AST tokens and transitions after which a batch ends at the next full block."""
MOST_VALUES = 2**21
"""Subwords, AST tokens and transitions after which a batch ends at once."""

Flat = tuple[Any, IntArray]
"""The values of a column end to end, and ``(d + 1,)`` where those of each row begin."""

_INT32 = np.iinfo(np.int32)


def batches(examples: Iterable[Example]) -> Iterator["pa.RecordBatch"]:
    """Cut a stream of examples into record batches; nothing of it is kept.

    Parameters
    ----------
    examples
        Any iterable, a generator included; it is run through once.

    Yields
    ------
    pyarrow.RecordBatch
        At most 1024 rows with the columns of the schema, ``row_digest`` computed.
    """
    held: list[Example] = []
    values = 0
    for example in examples:
        held.append(example)
        values += len(example.input_ids) + len(example.token_start) + len(example.transition_to)
        full = len(held) % BLOCK_ROWS == 0 and (len(held) >= BATCH_ROWS or values >= BATCH_VALUES)
        if full or values >= MOST_VALUES:
            yield to_batch(held)
            held, values = [], 0
    if held:
        yield to_batch(held)


def to_batch(examples: Sequence[Example]) -> "pa.RecordBatch":
    """Turn examples into one record batch; floats become float32, ``row_digest`` is computed.

    Raises
    ------
    DataError
        A value the schema cannot hold: not finite, beyond 32 bits, or a text that is not Unicode.
    """
    names = [example.example_id for example in examples]
    return record_batch(names, lambda column: _column(examples, column))


def record_batch(names: Sequence[str], values: Callable[[Column], Flat]) -> "pa.RecordBatch":
    """Arrow columns from flat values, ``row_digest`` computed.

    Parameters
    ----------
    names
        ``(d,)`` example ids, for errors.
    values
        What a column holds: one flat sequence, and ``(d + 1,)`` borders of the rows in it.
    """
    import pyarrow as pa

    schema = arrow_schema()
    arrays = [
        _array(values(column), names, column, schema.field(column.name).type)
        for column in COLUMNS[:-1]
    ]
    arrays.append(pa.array([""] * len(names), pa.string()))
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    digests = pa.array(batch_digests(batch), pa.string())
    return batch.set_column(len(COLUMNS) - 1, batch.schema.field("row_digest"), digests)


def _column(examples: Sequence[Example], column: Column) -> Flat:
    values = [getattr(example, column.name) for example in examples]
    if not column.is_list:
        return values, np.arange(len(examples) + 1)
    first = np.concatenate([[0], np.cumsum([len(value) for value in values], dtype=np.int64)])
    if column.element == "string":
        return list(chain.from_iterable(values)), first
    return np.concatenate([np.empty(0, dtype=bool), *values]), first


def _array(values: Flat, names: Sequence[str], column: Column, kind: Any) -> Any:
    """One column of the batch as an Arrow array."""
    import pyarrow as pa

    flat, first = values
    element = kind.value_type if column.is_list else kind
    inner = _elements(flat, column, element, lambda i: names[row_of(first, i)])
    if not column.is_list:
        return inner
    return pa.ListArray.from_arrays(pa.array(first.astype(np.int32)), inner, type=kind)


def _elements(values: Any, column: Column, kind: Any, owner: Callable[[int], str]) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.Array):
        return values
    if column.element != "string":
        return pa.array(_narrow(np.asarray(values), column, owner), kind)
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, UnicodeEncodeError, TypeError) as error:
        bad = next(i for i, value in enumerate(values) if not is_text(value))
        raise DataError(
            f"example {owner(bad)!a}: {column.name} is no Unicode text "
            f"({values[bad]!a:.60}); give text without half surrogate pairs"
        ) from error


def is_text(value: object) -> bool:
    """Whether it is a text that UTF-8 can hold."""
    try:
        str.encode(value)  # type: ignore[arg-type]
    except (UnicodeEncodeError, TypeError):
        return False
    return True


def _narrow(
    values: "np.ndarray[Any, Any]", column: Column, owner: Callable[[int], str]
) -> "np.ndarray[Any, Any]":
    """Bring values to the type in the file, refusing what would change by more than rounding."""
    if column.element == "bool":
        return values.astype(bool)
    if column.element == "int32":
        bad = np.flatnonzero((values < _INT32.min) | (values > _INT32.max))
        narrow: np.ndarray[Any, Any] = values.astype(np.int32)
    else:
        with np.errstate(over="ignore"):
            # Adding 0 turns -0.0 into 0.0: one number, one digest.
            narrow = values.astype(np.float32) + np.float32(0)
        bad = np.flatnonzero(~np.isfinite(narrow))
    if bad.size:
        i = int(bad[0])
        raise DataError(
            f"example {owner(i)!r}: {column.name} holds {values[i]}; expected "
            + ("a finite number" if column.element == "float" else "a number of 32 bits")
        )
    return narrow


def check_nulls(batch: "pa.RecordBatch", *, name: str, first_row: int) -> None:
    """Refuse a batch with a missing value: the schema knows none."""
    for field in batch.schema:
        column = BY_NAME[field.name]
        array = batch.column(column.name)
        inner = array.flatten() if column.is_list else array
        if not (array.null_count or inner.null_count):
            continue
        row = first_row + _first_null(array, column)
        raise BrokenRow(
            f"{name}: row {row} has no value in {column.name}; expected one, export the file again",
            row=row,
            column=column.name,
        )


def refuse_uneven(batch: "pa.RecordBatch") -> None:
    """Refuse rows whose lists differ in length, for containers that say a length only once."""
    for column in COLUMNS:
        if not column.is_list or COUNTED_BY[column.along] == column.name:
            continue
        first = COUNTED_BY[column.along]
        found, expected = (
            batch.column(name).value_lengths().to_numpy() for name in (column.name, first)
        )
        bad = np.flatnonzero(found != expected)
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"example {batch.column('example_id')[row].as_py()!a}: {column.name} has "
                f"{found[row]} values, {first} {expected[row]}; expected as many, run gazecode "
                "validate on where it is from"
            )


def _first_null(array: Any, column: Column) -> int:
    missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False))
    if column.is_list and not missing.any():
        flat, borders = flat_values(array)
        return row_of(borders, int(np.flatnonzero(flat.is_null())[0]))
    return int(np.flatnonzero(missing)[0])


def from_batch(batch: "pa.RecordBatch") -> Iterator[Example]:
    """Turn a batch of any version without nulls into examples; ``row_digest`` is not kept.

    Raises
    ------
    DataError
        Columns of one row differ in length, or a number is not finite.
    """
    _refuse_infinite(batch)
    # Columns that an older version does not have are left to the defaults of `Example`.
    names = [name for name in batch.schema.names if name != "row_digest"]
    columns = {name: _values(batch.column(name), BY_NAME[name]) for name in names}
    for row in range(batch.num_rows):
        fields = {name: value(row) for name, value in columns.items()}
        yield Example(**fields | {"prior_sources": tuple(fields["prior_sources"])})


def _values(array: Any, column: Column) -> Callable[[int], Any]:
    if not column.is_list:
        return array.to_pylist().__getitem__  # type: ignore[no-any-return]
    inner, borders = flat_values(array)
    flat, ends = _widened(inner, column), borders.tolist()
    return lambda row: flat[ends[row] : ends[row + 1]]


def _refuse_infinite(batch: "pa.RecordBatch") -> None:
    for name in batch.schema.names:
        column = BY_NAME[name]
        if column.element != "float":
            continue
        every, rows = batch.column(name), np.arange(batch.num_rows + 1)
        flat, borders = flat_values(every) if column.is_list else (every, rows)
        values = flat.to_numpy(zero_copy_only=False)
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            example = batch.column("example_id")[row_of(borders, int(bad[0]))].as_py()
            raise DataError(
                f"example {example!a}: {name} holds {values[bad[0]]}; expected a finite number"
            )


def _widened(flat: Any, column: Column) -> "np.ndarray[Any, Any]":
    # Once for the whole batch: every example then takes a view instead of a copy.
    wide = {"int32": np.int64, "float": np.float64, "bool": np.bool_, "string": object}
    if column.element == "string":
        texts = np.empty(len(flat), dtype=object)
        texts[:] = flat.to_pylist()
        return texts
    return np.asarray(flat.to_numpy(zero_copy_only=False)).astype(wide[column.element])
