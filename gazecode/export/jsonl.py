"""Weights as JSON lines: a line of metadata, then one JSON object per row. UTF-8, no NaN.

Floats are written with the fewest digits that give back the same float32.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gazecode.disk import replacing
from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.lists import flat_values
from gazecode.export.rows import BATCH_ROWS, BATCH_VALUES, batches
from gazecode.export.schema import COLUMNS, BrokenRow, Column, arrow_schema, columns_of
from gazecode.export.stored import Stored
from gazecode.model import Example

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["open_jsonl", "to_jsonl", "write_batches"]

_LITERALS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int32": (int,),
    "bool": (bool,),
    "float": (float, int),
}


def to_jsonl(
    examples: Iterable[Example], path: str | Path, *, provenance: Mapping[str, object] | None = None
) -> int:
    """Write examples as JSON lines of the schema, streaming.

    The first line is ``{"gazecode": {...}}``, the metadata; every other line is a row. Parameters,
    result and errors are those of `to_parquet`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.jsonl"
    >>> to_jsonl([], path)
    0
    >>> list(json.loads(path.read_text(encoding="utf-8")))
    ['gazecode']
    """
    return write_batches(batches(examples), Path(path), said=metadata.for_examples(provenance))


def write_batches(rows: "Iterable[pa.RecordBatch]", path: Path, *, said: str) -> int:
    """Write record batches of the schema with the metadata `said`; return the number of rows."""
    written = 0
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{"gazecode":{metadata.upgrade(said)}}}\n')
        for batch in rows:
            _write_batch(batch, file)
            written += batch.num_rows
    return written


def _write_batch(batch: "pa.RecordBatch", file: IO[str]) -> None:
    texts = [_literals(batch.column(column.name), column) for column in COLUMNS]
    names = [f'"{column.name}":' for column in COLUMNS]
    for row in zip(*texts, strict=True):
        fields = ",".join([name + text for name, text in zip(names, row, strict=True)])
        file.write(f"{{{fields}}}\n")


def _literals(values: Any, column: Column) -> list[str]:
    """JSON text of each row's value in one column."""
    if not column.is_list:
        return _flat_literals(values, column.element)
    flat, borders = flat_values(values)
    texts = _flat_literals(flat, column.element)
    return [f"[{','.join(texts[a:b])}]" for a, b in pairwise(borders.tolist())]


def _flat_literals(values: Any, element: str) -> list[str]:
    if element == "float":
        # Most weights are 1 and most masses 0: each distinct number is put into digits once.
        distinct, which = np.unique(values.to_numpy(), return_inverse=True)
        digits = distinct.astype(np.float32).astype(str).tolist()
        return [digits[i] for i in which.tolist()]
    if element == "int32":
        return list(map(str, values.to_pylist()))
    if element == "bool":
        return ["true" if value else "false" for value in values.to_pylist()]
    coded = values.dictionary_encode()
    texts = [json.dumps(text, ensure_ascii=False) for text in coded.dictionary.to_pylist()]
    return [texts[i] for i in coded.indices.to_pylist()]


def open_jsonl(path: Path) -> Stored:
    """Open a file of JSON lines; the rows are read and checked when they are asked for."""
    with path.open("rb") as file:
        first = _parse(file.readline(), path, 1)
    if "code_tokens" in first and "mask" in first:
        raise SchemaError(
            f"{path.name} holds rows in the form that EyeMulator published, no weights file; read "
            "them with gazecode.eyemulator_weights or repair"
        )
    fields = first.get("gazecode")
    said = None if fields is None else json.dumps(fields, **_CANONICAL)
    row = next(_parsed(path), None)
    version = metadata.version_of(said, row or ())
    # Without a row there is nothing to be wrong about.
    columns = [column.name for column in columns_of(version)] if row is None else row
    return Stored(
        path=path,
        container="JSONL",
        metadata=said,
        version=version,
        columns=dict.fromkeys(columns, ""),
        rows=lambda: _rows(path, version),
    )


_CANONICAL: dict[str, Any] = {
    "sort_keys": True,
    "ensure_ascii": False,
    "separators": (",", ":"),
}


def _rows(path: Path, version: int) -> "Iterator[pa.RecordBatch]":
    held: list[dict[str, Any]] = []
    values = 0
    first: Mapping[str, Any] = {}
    for row, fields in enumerate(_parsed(path)):
        first = first or fields
        _check_row(fields, columns_of(version), row, path)
        _check_columns(fields, first, row, path)
        held.append(fields)
        values += len(fields["input_ids"]) + len(fields["token_start"])
        values += len(fields["transition_from"]) if version > 1 else 0
        if len(held) >= BATCH_ROWS or values >= BATCH_VALUES:
            yield _batch(held, version, path, row + 1 - len(held))
            held, values = [], 0
    if held:
        yield _batch(held, version, path, row + 1 - len(held))


def _parsed(path: Path) -> Iterator[dict[str, Any]]:
    """Every row's object; the line of metadata and empty lines are passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            fields = _parse(line, path, number)
            if number > 1 or "gazecode" not in fields:
                yield fields


def _parse(line: bytes, path: Path, number: int) -> dict[str, Any]:
    # Editors on Windows put a mark before the first line, which is no part of the text.
    line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
    try:
        fields = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:120]
        raise SchemaError(
            f"{path.name}, line {number}: no JSON object ({said}); the line is cut short or "
            "broken, export the file again"
        ) from error
    if not isinstance(fields, dict):
        raise SchemaError(
            f"{path.name}, line {number}: a JSON {type(fields).__name__}; expected an object, "
            "export the file again"
        )
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_row(
    fields: Mapping[str, Any], columns: tuple[Column, ...], row: int, path: Path
) -> None:
    missing = [column.name for column in columns if column.name not in fields]
    if missing:
        raise BrokenRow(
            f"{path.name}: row {row} has no {', '.join(missing)}; found "
            f"{', '.join(fields) or 'nothing'}. Export the file again",
            row=row,
            column=missing[0],
        )
    for column in columns:
        if not _fits(fields[column.name], column):
            raise BrokenRow(
                f"{path.name}: row {row}: {column.name} is {fields[column.name]!a:.60}; "
                f"expected {column.type}, export the file again",
                row=row,
                column=column.name,
            )


def _check_columns(
    fields: Mapping[str, Any], first: Mapping[str, Any], row: int, path: Path
) -> None:
    """Refuse what would be lost without a word: a column that the first row does not have."""
    more = [name for name in fields if name not in first]
    if more:
        raise BrokenRow(
            f"{path.name}: row {row} has {', '.join(more)!a:.200}, which row 0 has not; expected "
            "the same columns in every row, export the file again",
            row=row,
            column=more[0],
        )


def _fits(value: object, column: Column) -> bool:
    # Exact types: for Python True is an int, and 1.5 would be cut to 1.
    if column.is_list and not isinstance(value, list):
        return False
    values = value if isinstance(value, list) and column.is_list else [value]
    if not set(map(type, values)) <= set(_LITERALS[column.element]):
        return False
    return column.element != "int32" or not values or _is_int32(min(values), max(values))


def _is_int32(low: int, high: int) -> bool:
    return low >= -(2**31) and high < 2**31


def _batch(
    held: list[dict[str, Any]], version: int, path: Path, first_row: int
) -> "pa.RecordBatch":
    import pyarrow as pa

    arrays = []
    schema = arrow_schema(version=version)
    for field in schema:
        try:
            arrays.append(pa.array([fields[field.name] for fields in held], field.type))
        except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
            last_row = first_row + len(held) - 1
            said = " ".join(str(error).split())[:120]
            raise BrokenRow(
                f"{path.name}: rows {first_row} to {last_row}: {field.name} does not fit "
                f"{field.type} ({said}); export the file again",
                row=first_row,
                column=field.name,
            ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
