"""Any other table of the package as Parquet: fixations, hits. Atomic, deterministic, with units."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gazecode.disk import replacing
from gazecode.errors import DataError
from gazecode.export import metadata as describe
from gazecode.export.parquet import SETTINGS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pa.Table | Mapping[str, Any]

__all__ = ["read_metadata", "write_table"]

_GROUP_ROWS = 2**16


def write_table(
    table: "Table | Iterable[Table]",
    path: str | Path,
    provenance: Mapping[str, object] | None = None,
) -> int:
    """Write a table, or many of the same columns one after another, as one Parquet file.

    Parameters
    ----------
    table
        A pandas frame (its index is not written), an Arrow table, or a mapping of column name to
        values of equal length; or an iterable of these, streamed: a row group for each that has
        rows. The first with rows decides the types.
    path
        The file; it appears whole or not at all.
    provenance
        What the file should say about itself, under the key ``gazecode``. ``units`` may name the
        unit of single columns; those of names that end in ``_ms``, ``_px``, ``_deg``, ... are
        known, all others are ``1``.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    DataError
        No table at all, columns of unequal length or of another name or type than before.
    ParameterError
        The folder does not exist, or the provenance does not fit into JSON.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "fixations.parquet"
    >>> write_table({"onset_ms": [0.0, 250.0]}, path, {"parameters": {"method": "ivt"}})
    2
    >>> read_metadata(path)["units"]
    {'onset_ms': 'ms'}
    """
    import pyarrow.parquet as pq

    stream = _with_rows_first(_as_arrow(part) for part in _parts(table))
    first = next(stream)
    said = describe.for_table(first.column_names, provenance or {})
    schema = first.schema.with_metadata({"gazecode": said})
    written = 0
    with replacing(path) as hidden, pq.ParquetWriter(hidden, schema, **SETTINGS) as file:
        for part in chain([first], stream):
            file.write_table(_like(part, schema), row_group_size=_GROUP_ROWS)
            written += int(part.num_rows)
    return written


def _parts(table: Any) -> Iterator[Any]:
    """Give the parts of a stream, or the one table as its only part."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(table, pd.DataFrame | pa.Table | Mapping):
        yield table
    else:
        yield from table


def _with_rows_first(parts: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
    """Pass over empty parts, whose columns often have no type; if all are empty, give one."""
    empty = None
    seen = False
    for part in parts:
        if part.num_rows:
            seen = True
            yield part
        elif empty is None:
            empty = part
    if not seen:
        if empty is None:
            raise DataError("there is no table to write; give at least one, with columns")
        yield empty


def _like(part: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    try:
        return part.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            f"a later table has the columns {_described(part.schema)}; expected those of the first "
            f"one, {_described(schema)}"
        ) from error


def _described(schema: "pa.Schema") -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


def _as_arrow(table: Any) -> "pa.Table":
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(table, pd.DataFrame):
            arrow = pa.Table.from_pandas(table, preserve_index=False)
        else:
            arrow = table if isinstance(table, pa.Table) else pa.table(dict(table))
    except (pa.ArrowException, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(
            f"the table does not fit into Parquet ({said}); give columns of equal length, each of "
            "one type"
        ) from error
    # Pandas' own texts are large ones; every reader knows plain ones. Its metadata goes, too.
    fields = [
        field.with_type(pa.string()) if field.type == pa.large_string() else field
        for field in arrow.schema
    ]
    return arrow.cast(pa.schema(fields))


def read_metadata(path: str | Path) -> dict[str, object]:
    """Return what a file written by this package says about itself.

    Parameters
    ----------
    path
        Any Parquet file of the package, or a weights file in HDF5 or JSONL.

    Raises
    ------
    SchemaError
        No such file, not one of these, or no metadata in it.
    """
    from gazecode.export.opening import open_stored

    stored = open_stored(path)
    return describe.load(stored.metadata, name=stored.path.name)
