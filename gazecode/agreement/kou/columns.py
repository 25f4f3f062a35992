"""Columns of a Parquet file as Python's values, bounded and of the kinds that are expected.

Parquet keeps repeated values once: a small file may announce more than memory holds. What it
announces is checked before anything is read, and texts that it shares stay shared.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazecode.agreement.kou.inert_pickle import MAX_BYTES, MAX_STEPS
from gazecode.errors import FormatError, TooLarge

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["parquet_columns"]


def parquet_columns(path: Path, kinds: Mapping[str, str]) -> dict[str, list[Any]]:
    """Columns of a Parquet file as lists, nothing missing in them.

    Parameters
    ----------
    path
        Of the file.
    kinds
        Names of the columns, each with ``"whole"``, ``"number"``, ``"text"`` or ``"spans"``.

    Raises
    ------
    TooLarge
        More than `MAX_BYTES` once unpacked, or than `MAX_STEPS` rows.
    FormatError
        No Parquet, or broken; a column is missing, of another kind or has a gap.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.stat()  # what cannot be opened is no broken file
    try:
        with pq.ParquetFile(path) as file:
            _check(path.name, file, kinds)
        texts = [name for name, kind in kinds.items() if kind == "text"]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=list(kinds))
        table.validate(full=True)
        return {name: _values(path.name, name, table[name]) for name in kinds}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise FormatError(
            f"{path.name}: no Parquet file, or cut off or broken ({type(error).__name__}); fetch "
            "or write it again"
        ) from error


def _check(name: str, file: "pq.ParquetFile", kinds: Mapping[str, str]) -> None:
    # Of a broken file pyarrow may end the process where it is asked for more than this.
    said = file.metadata
    size = sum(said.row_group(i).total_byte_size for i in range(said.num_row_groups))
    if size > MAX_BYTES or said.num_rows > MAX_STEPS:
        raise TooLarge(
            f"{name}: {said.num_rows:,} rows of {size:,} bytes; at most {MAX_STEPS:,} rows and "
            f"{MAX_BYTES:,} bytes are read, many times what this study has: split it"
        )
    schema = file.schema_arrow
    if missing := [column for column in kinds if column not in schema.names]:
        raise FormatError.missing_columns(name, missing, schema.names)
    for column, kind in kinds.items():
        held = schema.field(column).type
        if not _fits()[kind](held):
            raise FormatError(f"{name}: column {column} holds {held}; expected {kind}")


def _values(name: str, column: str, found: "pa.ChunkedArray") -> list[Any]:
    if found.null_count:
        raise FormatError(f"{name}: column {column} has {found.null_count} gaps; expected none")
    if found.nbytes > MAX_BYTES:
        raise TooLarge(f"{name}: column {column} unpacks to {found.nbytes:,} bytes; split it")
    values: list[Any] = []
    for chunk in found.chunks:
        if hasattr(chunk, "dictionary"):
            texts = chunk.dictionary.to_pylist()
            values += [texts[i] for i in chunk.indices.to_pylist()]
        else:
            values += chunk.to_pylist()
    return values


def _fits() -> dict[str, Callable[[Any], bool]]:
    """Whether an Arrow type is of each kind."""
    from pyarrow import types

    def is_text(kind: Any) -> bool:
        held = kind.value_type if types.is_dictionary(kind) else kind
        return bool(types.is_string(held) or types.is_large_string(held))

    def is_number(kind: Any) -> bool:
        return bool(types.is_floating(kind) or types.is_integer(kind))

    def is_spans(kind: Any) -> bool:
        for _ in range(2):
            if not (types.is_list(kind) or types.is_large_list(kind)):
                return False
            kind = kind.value_type
        return bool(types.is_integer(kind))

    return {
        "whole": types.is_integer,
        "number": is_number,
        "text": is_text,
        "spans": is_spans,
    }
