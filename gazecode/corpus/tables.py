"""Rows of JSONL and Parquet files as sources."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gazecode.corpus.fields import IDS, LANGUAGE_FIELDS, PATHS, record_of, row_format
from gazecode.corpus.lines import Line, bounded_lines, opened
from gazecode.corpus.records import ReadOptions, Record, problem

__all__ = ["holds_weights", "read_jsonl", "read_parquet"]

_ROWS = 64
"""Rows of a Parquet file held at a time: a row may be as long as it likes."""
_BOM = b"\xef\xbb\xbf"
_OURS = b"gazecode"
"""Key of the metadata of every file of weights."""


def read_jsonl(path: Path, name: str, options: ReadOptions) -> Iterator[Record]:
    """One source per line of a JSONL file, packed with gzip or not; blank lines are none.

    A file that ends early or is damaged gives what comes before, and a line that says so.
    """
    number = 0
    try:
        with opened(path) as file:
            for line in bounded_lines(file, options.max_row_bytes):
                number = line.number
                record = _of_line(line, f"{name}:{number}", options)
                if record is not None:
                    yield record
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        yield problem(
            name, name, f"the file cannot be read beyond line {number}: {said}", stage="file"
        )


def _of_line(line: Line, where: str, options: ReadOptions) -> Record | None:
    if line.raw is None:
        return problem(
            "",
            where,
            f"the line has {line.n_bytes} bytes; at most {options.max_row_bytes} are read",
        )
    raw = line.raw.removeprefix(_BOM) if line.number == 1 else line.raw
    if raw.isspace() or not raw:
        return None
    row = _fast(raw)
    if row is not None:
        return record_of(row, where, options)
    try:
        row = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return problem("", where, f"the line is not UTF-8 (byte {error.start}); decode it first")
    except RecursionError:
        return problem("", where, "the line nests too deeply to be read as JSON")
    except ValueError as error:
        return problem("", where, f"the line is not JSON: {error}")
    if not isinstance(row, dict):
        return problem(
            "", where, f"the line holds a JSON {type(row).__name__}; expected an object per line"
        )
    return record_of(row, where, options)


def _fast(raw: bytes) -> dict[str, Any] | None:
    """An object read by the faster library; None where the other one has more to say."""
    import orjson

    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(row, dict):
        return None
    # Whole numbers beyond 64 bits come as floats; an id must keep its digits.
    for value in row.values():
        if isinstance(value, float) and abs(value) >= 2**63:
            return None
    return row


def holds_weights(path: Path) -> bool:
    """Whether a file is Parquet that this package wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _OURS in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def read_parquet(path: Path, name: str, options: ReadOptions) -> Iterator[Record]:
    """One source per row of a Parquet file, read a few rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = 0
    try:
        # Streamed, not read ahead: a row group may be larger than memory.
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            if _OURS in (file.schema_arrow.metadata or {}):
                yield problem(
                    name,
                    name,
                    "a file of weights that gazecode wrote; expected code: write weights to "
                    "another folder than that of the corpus",
                    stage="file",
                )
                return
            columns = _columns(tuple(file.schema_arrow.names), options)
            for batch in file.iter_batches(_ROWS, columns=columns, use_threads=False):
                values = {field.name: _values(batch.column(field.name)) for field in batch.schema}
                for i in range(batch.num_rows):
                    cells = {column: value[i] for column, value in values.items()}
                    yield record_of(cells, f"{name}:{row}", options)
                    row += 1
    except (pa.ArrowException, OSError) as error:
        yield problem(
            name, name, f"the file cannot be read beyond row {row}: {error}", stage="file"
        )


def _columns(names: tuple[str, ...], options: ReadOptions) -> list[str]:
    """The columns that matter: the rest of a corpus is not worth its memory."""
    form = row_format(names, options.field)
    wanted = {
        *LANGUAGE_FIELDS,
        *PATHS,
        *IDS,
        *((*form.needs, form.code, *form.ids) if form else ()),
    }
    wanted |= {options.id_field or "", options.field or "", options.answer or ""}
    # Without a format every row is reported; the names of its columns are part of the reason.
    return [name for name in names if name in wanted or form is None]


def _values(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # As bytes: text of a broken file may not be UTF-8, which is then one row's fault.
        wide = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
        return [_text(raw) for raw in column.cast(wide).to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _text(raw: bytes | None) -> str | bytes | None:
    try:
        return None if raw is None else raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
