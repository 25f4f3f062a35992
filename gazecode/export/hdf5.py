"""Weights as HDF5 that is netCDF-4, written by h5netcdf as the examples come.

Dimensions ``example``, ``position``, ``token``, ``segment`` and ``transition`` are unlimited and
grow with what arrives. Lists are padded to rectangles; ``length``, ``token_length``,
``segment_length`` and ``transition_length`` say how much of each row is content.
Conventions: https://cfconventions.org (units, auxiliary coordinate) and xarray's ``dtype = bool``.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.disk import replacing
from gazecode.errors import DataError
from gazecode.export import metadata
from gazecode.export.lists import flat_values, row_of
from gazecode.export.padding import DTYPES, PADDING, blocks, pad
from gazecode.export.rows import BLOCK_ROWS, batches, refuse_uneven
from gazecode.export.schema import COLUMNS, COUNTED_BY, Column
from gazecode.export.sink import full_disk_is_told
from gazecode.model import Example

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "CACHE_BYTES",
    "LENGTHS",
    "MAGIC",
    "dimensions",
    "file_attributes",
    "one_per_row",
    "to_hdf5",
    "variable_attributes",
]

MAGIC = b"\x89HDF\r\n\x1a\n"

LENGTHS: Mapping[str, Column] = {
    "position": Column(
        name="length", type="int32", unit="count", meaning="positions of the row that are content"
    ),
    "token": Column(
        name="token_length", type="int32", unit="count", meaning="tokens of the row, not padded"
    ),
    "segment": Column(
        name="segment_length", type="int32", unit="count", meaning="segments of the row", since=2
    ),
    "transition": Column(
        name="transition_length",
        type="int32",
        unit="count",
        meaning="transitions of the row, not padded",
        since=2,
    ),
}
"""The variable that says how many cells along a padded dimension are content."""

_CHUNK_CELLS = 256
CACHE_BYTES = 2**20
"""Chunks a variable keeps unpacked. HDF5 2 takes 8 MiB for each, which adds up over 40 of them."""
_COMPRESSION: Mapping[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def to_hdf5(
    examples: Iterable[Example], path: str | Path, *, provenance: Mapping[str, object] | None = None
) -> int:
    """Write examples as a netCDF-4 file of the schema, streaming.

    Parameters, result and errors are those of `to_parquet`; besides, a text that holds U+0000 is
    refused, which ends a text in HDF5.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.h5"
    >>> to_hdf5([], path)
    0
    >>> import xarray
    >>> dict(xarray.open_dataset(path).sizes)
    {'example': 0, 'position': 0, 'token': 0, 'segment': 0, 'transition': 0}
    """
    return write_batches(batches(examples), Path(path), said=metadata.for_examples(provenance))


def write_batches(rows: "Iterable[pa.RecordBatch]", path: Path, *, said: str) -> int:
    """Write record batches of the schema with the metadata `said`; return the number of rows."""
    import h5netcdf
    import h5py

    written = 0
    with (
        replacing(path) as part,
        full_disk_is_told(part) as sink,
        h5py.File(sink, "w", track_order=True, rdcc_nbytes=CACHE_BYTES) as raw,
        h5netcdf.File(raw, "w") as file,
    ):
        _lay_out(file, metadata.upgrade(said))
        # Held open: HDF5 packs and writes the unfinished chunks of whatever is closed.
        datasets = {column.name: raw[column.name] for column in (*COLUMNS, *LENGTHS.values())}
        for batch in rows:
            _append(file, datasets, batch, written)
            written += batch.num_rows
            if sink.failed:
                break
    return written


def dimensions(column: Column) -> tuple[str, ...]:
    """Dimensions of a column's variable; a list of sources is one text, JSON.

    >>> dimensions(COLUMNS[0]), dimensions(COLUMNS[6])
    (('example',), ('example', 'position'))
    """
    return ("example", column.along) if column.along in LENGTHS else ("example",)


def file_attributes(said: str) -> dict[str, str]:
    """Return the global attributes."""
    return {
        "Conventions": "CF-1.8",
        "title": "Attention weights of subwords, from gaze on source code",
        "gazecode": said,
    }


def variable_attributes(column: Column, units: Mapping[str, Any]) -> dict[str, Any]:
    """Return unit, meaning, and how to read the values of one variable."""
    attributes: dict[str, Any] = {
        "units": str(units.get(column.name, column.unit)),
        "long_name": column.meaning,
    }
    if column.name != "example_id":
        attributes["coordinates"] = "example_id"
    if column.element == "bool":
        attributes["dtype"] = "bool"
    if column.along in LENGTHS and column.element == "int32":
        # Not _FillValue: readers would turn whole numbers into floats to mark what is missing,
        # and -1 in token_index is content ("no AST token"), not a gap.
        attributes["padding_value"] = np.int32(PADDING["int32"])
    return attributes


def _lay_out(file: Any, said: str) -> None:
    file.dimensions = dict.fromkeys(("example", *LENGTHS))
    units = metadata.load(said, name="metadata").get("units", {})
    for column in (*COLUMNS, *LENGTHS.values()):
        variable = _create(file, column)
        for name, value in variable_attributes(column, units).items():  # type: ignore[arg-type]
            variable.attrs[name] = value
    for name, value in file_attributes(said).items():
        file.attrs[name] = value


def _create(file: Any, column: Column) -> Any:
    import h5py

    along = dimensions(column)
    text = column.element == "string"
    dtype = h5py.string_dtype() if text else np.dtype(DTYPES[column.element])
    fill = None if text or len(along) == 1 else dtype.type(PADDING[column.element])
    chunks = (BLOCK_ROWS, _CHUNK_CELLS)[: len(along)]
    variable = file.create_variable(
        column.name, along, dtype=dtype, chunks=chunks, fillvalue=fill, **_COMPRESSION
    )
    if fill is not None and column.element != "float":
        # HDF5 keeps filling with it; only the attribute that would hide -1 and 0 goes.
        del variable.attrs["_FillValue"]
    return variable


def _append(
    file: Any, datasets: Mapping[str, Any], batch: "pa.RecordBatch", first_row: int
) -> None:
    refuse_uneven(batch)
    _refuse_nul(batch)
    lengths = {
        along: batch.column(COUNTED_BY[along]).value_lengths().to_numpy() for along in LENGTHS
    }
    last_row = first_row + batch.num_rows
    file.resize_dimension("example", last_row)
    for along, length in lengths.items():
        longest = int(length.max(initial=0))
        file.resize_dimension(along, max(file.dimensions[along].size, longest))
        datasets[LENGTHS[along].name][first_row:last_row] = length.astype(np.int32)
    for column in COLUMNS:
        values = batch.column(column.name)
        variable = datasets[column.name]
        if column.along not in LENGTHS:
            variable[first_row:last_row] = one_per_row(values, column)
        elif column.element == "string":
            _append_texts(variable, values, first_row)
        else:
            _append_numbers(variable, values, column, lengths[column.along], first_row)


def one_per_row(values: Any, column: Column) -> Any:
    """Values of a column that has one per row; a list of sources becomes JSON text."""
    if column.element != "string":
        return values.to_numpy()
    texts = np.empty(len(values), dtype=object)
    rows = values.to_pylist()
    texts[:] = [_as_json(row) for row in rows] if column.is_list else rows
    return texts


def _as_json(sources: list[str]) -> str:
    return json.dumps(sources, ensure_ascii=False, separators=(",", ":"))


def _append_texts(variable: Any, values: Any, first_row: int) -> None:
    """Write each row's own texts only: HDF5 stores even an empty one, and pads come for free."""
    for row, texts in enumerate(values.to_pylist(), start=first_row):
        if texts:
            variable[row, : len(texts)] = np.array(texts, dtype=object)


def _append_numbers(
    variable: Any, values: Any, column: Column, lengths: "np.ndarray[Any, Any]", first_row: int
) -> None:
    inner, ends = flat_values(values)
    flat = inner.to_numpy(zero_copy_only=False)
    for start, stop in blocks(lengths):
        rectangle = pad(flat[ends[start] : ends[stop]], lengths[start:stop], column)
        if rectangle.size:
            rows = slice(first_row + start, first_row + stop)
            variable[rows, : rectangle.shape[1]] = rectangle


def _refuse_nul(batch: "pa.RecordBatch") -> None:
    import pyarrow.compute as pc

    for column in COLUMNS:
        # Sources are written as JSON, which escapes it.
        if column.element != "string" or column.along == "source":
            continue
        values = batch.column(column.name)
        flat, borders = (
            flat_values(values) if column.is_list else (values, np.arange(len(values) + 1))
        )
        found = pc.match_substring(flat, "\0")
        first = pc.index(found, True).as_py()
        if first >= 0:
            row = row_of(borders, first)
            raise DataError(
                f"example {batch.column('example_id')[row].as_py()!a}: {column.name} holds U+0000, "
                "which ends a text in HDF5; write Parquet or JSONL, or leave the example out"
            )
