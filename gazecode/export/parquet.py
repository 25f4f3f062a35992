"""Weights as Apache Parquet: one row group per batch, written as the examples come.

Format: https://parquet.apache.org/docs/file-format/. Nothing in the file depends on the clock, the
machine or the number of cores, so that a rerun with the same library versions is byte-identical.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazecode.disk import replacing
from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.rows import BATCH_ROWS, batches, check_nulls
from gazecode.export.schema import BY_NAME, COLUMNS, BrokenRow, arrow_schema, columns_of
from gazecode.export.stored import Stored, file_error
from gazecode.model import Example

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "MAGIC",
    "SETTINGS",
    "check_row_groups",
    "open_parquet",
    "parquet_bytes",
    "to_parquet",
    "write_batches",
]

MAGIC = b"PAR1"

SETTINGS: Mapping[str, Any] = {"version": "2.6", "compression": "zstd", "compression_level": 3}
"""Said in full: a library's defaults may change, the bytes of a rerun must not."""
MOST_VALUES = 2**24
MOST_BYTES = 2**28
"""Longest list, and bytes, of a row that is read, on the average of a row group."""
_REPEATING = (
    *("participant", "trial", "language", "participant_group", "source_group", "source_id"),
    *("route", "pair_side", "token_label.list.element", "segment_name.list.element"),
)
_SORTED = ("token_start", "token_end", "segment_start", "segment_end", "transition_from")


def to_parquet(
    examples: Iterable[Example], path: str | Path, *, provenance: Mapping[str, object] | None = None
) -> int:
    """Write examples as a Parquet file of the schema, streaming.

    Parameters
    ----------
    examples
        Any iterable, a generator included; held in memory are at most 1024 of them.
    path
        The file; it appears whole or not at all.
    provenance
        For the file's metadata: `parameters`, `tokenizer_sha256`, `inputs_sha256`, `units` of
        single columns, ...

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    DataError
        A value the schema cannot hold (not finite, beyond 32 bits).
    ParameterError
        The folder does not exist, or the provenance does not fit into JSON.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.parquet"
    >>> to_parquet([], path)
    0
    >>> import pyarrow.parquet as pq
    >>> pq.read_schema(path).names[:3]
    ['example_id', 'source_id', 'participant']
    """
    return write_batches(batches(examples), Path(path), said=metadata.for_examples(provenance))


def parquet_bytes(
    rows: "Iterable[pa.RecordBatch]", *, provenance: Mapping[str, object] | None = None
) -> bytes:
    """Make a whole Parquet file in memory: the bytes that `to_parquet` would write.

    Parameters
    ----------
    rows
        Record batches of the schema (`to_batch`, `flat_batch`); each becomes a row group.
    provenance
        As for `to_parquet`.

    Examples
    --------
    >>> parquet_bytes([])[:4]
    b'PAR1'
    """
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write(rows, sink, said=metadata.for_examples(provenance))
    return bytes(sink.getvalue())


def write_batches(rows: "Iterable[pa.RecordBatch]", path: Path, *, said: str) -> int:
    """Write record batches of the schema with the metadata `said`; return the number of rows."""
    with replacing(path) as part:
        return _write(rows, part, said=metadata.upgrade(said))


def _write(rows: "Iterable[pa.RecordBatch]", sink: Any, *, said: str) -> int:
    import pyarrow.parquet as pq

    written = 0
    with pq.ParquetWriter(sink, arrow_schema(said), **SETTINGS, **_by_column()) as file:
        for batch in rows:
            file.write_batch(batch, row_group_size=max(1, batch.num_rows))
            written += batch.num_rows
    return written


def _by_column() -> dict[str, Any]:
    return {
        # Lists are never searched by value; their statistics would only make the footer grow.
        "write_statistics": [c.name for c in COLUMNS if not c.is_list and c.name != "text"],
        # What repeats. A dictionary of numbers that do not is made only to be thrown away.
        "use_dictionary": list(_REPEATING),
        # Sorted numbers are small differences: a quarter of their size.
        "column_encoding": {f"{name}.list.element": "DELTA_BINARY_PACKED" for name in _SORTED},
    }


def open_parquet(path: Path) -> Stored:
    """Open a Parquet file of the schema; the rows are read when they are asked for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise file_error(path, "Parquet", error) from error
    check_row_groups(footer, path)
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise SchemaError(
            f"{path.name}: the column {', '.join(twice)!a:.60} is there twice; expected each once, "
            "export the file again"
        )
    raw = (schema.metadata or {}).get(b"gazecode")
    said = None if raw is None else raw.decode("utf-8", "replace")
    version = metadata.version_of(said, schema.names)
    return Stored(
        path=path,
        container="Parquet",
        metadata=said,
        version=version,
        columns={field.name: _type_problem(field) for field in schema},
        rows=lambda: _rows(path, version),
    )


def check_row_groups(footer: Any, path: Path) -> None:
    """Refuse rows that would unpack to more than anybody reads: zeros pack to next to nothing."""
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        rows = max(1, group.num_rows)
        values = max((group.column(i).num_values for i in range(group.num_columns)), default=0)
        sizes = (
            (values, MOST_VALUES, "values of a column"),
            (group.total_byte_size, MOST_BYTES, "bytes"),
        )
        for size, most, what in sizes:
            if size > rows * most:
                raise SchemaError(
                    f"{path.name}: row group {number} unpacks to {size} {what} in {rows} rows; "
                    f"expected at most {most} a row, export the file again"
                )


def _type_problem(field: Any) -> str:
    if field.name not in BY_NAME or field.type == arrow_schema().field(field.name).type:
        return ""
    return f"{field.type}; expected {BY_NAME[field.name].type}"


def _rows(path: Path, version: int) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = 0
    try:
        with pq.ParquetFile(path) as file:
            names = [column.name for column in columns_of(version)]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
                batch.validate(full=True)
                ordered = batch.select(names)
                check_nulls(ordered, name=path.name, first_row=row)
                yield ordered
                row += batch.num_rows
    except MemoryError:
        # Arrow's own is both: the file may be whole, and only too large for here.
        raise
    except (pa.ArrowException, OSError) as error:
        broken = file_error(path, "Parquet", error)
        raise BrokenRow(str(broken), row=row) from error
