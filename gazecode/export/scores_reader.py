"""Reads the tables of scores that `scores` writes; trusts nothing that a file says about itself."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import DataError, SchemaError
from gazecode.export import metadata
from gazecode.export.lists import flat_values
from gazecode.export.parquet import MAGIC, check_row_groups
from gazecode.export.schema import BrokenRow
from gazecode.export.scores_table import (
    SCORES_VERSION,
    ScoredText,
    scores_schema,
    span_problem,
)
from gazecode.export.stored import file_error
from gazecode.model.scores import ModelScores

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_scores", "iter_scores", "read_scores"]

BATCH_ROWS = 256


def is_scores(path: str | Path) -> bool:
    """Whether a file says that it holds scores; false for anything else, broken files included.

    >>> is_scores("nowhere.parquet")
    False
    """
    try:
        fields, _ = _opened(Path(path))
    except (SchemaError, OSError):
        return False
    return fields.get("table") == "scores"


def read_scores(path: str | Path) -> list[ScoredText]:
    """Read all scores of a file; `iter_scores` gives them one by one.

    Raises
    ------
    SchemaError
        As `iter_scores`.

    Examples
    --------
    >>> read_scores("nowhere.parquet")
    Traceback (most recent call last):
    gazecode.errors.SchemaError: nowhere.parquet: no such file; check the path
    """
    return list(iter_scores(path))


def iter_scores(path: str | Path) -> Iterator[ScoredText]:
    """Give the scores of a file one by one; memory stays flat whatever its size.

    Parameters
    ----------
    path
        A file that `to_scores` wrote.

    Raises
    ------
    SchemaError
        Not such a file, cut short, a newer version, or a row that breaks the schema: spans outside
        the text, a digest that is not the text's, lists of unequal length.
    """
    path = Path(path)
    fields, schema = _opened(path)
    _check_kind(path, fields, schema)
    row = 0
    for batch in _read(path):
        for scored in _rows(batch):
            try:
                yield scored()
            except (DataError, ValueError, RecursionError) as error:
                said = " ".join(str(error).split())
                raise BrokenRow(
                    f"{path.name}: row {row}: {said}; export the file again", row=row
                ) from error
            row += 1


def _opened(path: Path) -> "tuple[dict[str, object], pa.Schema]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        said = "is a folder; name a file in it" if path.is_dir() else "no such file; check the path"
        raise SchemaError(f"{path}: {said}")
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if head != MAGIC:
        raise SchemaError(
            f"{path.name} begins with {head!r}; expected a Parquet file of scores, as to_scores "
            "writes it"
        )
    try:
        footer = pq.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise file_error(path, "Parquet", error) from error
    check_row_groups(footer, path)
    raw = (schema.metadata or {}).get(b"gazecode")
    return metadata.load(
        None if raw is None else raw.decode("utf-8", "replace"), name=path.name
    ), schema


def _check_kind(path: Path, fields: Mapping[str, object], schema: "pa.Schema") -> None:
    """Refuse another table, a newer version, and columns that are not those of the schema."""
    if fields.get("table") != "scores":
        found = ", ".join(schema.names[:6])
        raise SchemaError(
            f"{path.name} holds no scores (its columns: {found!a:.120}); give a file that "
            "to_scores or gazecode agree wrote"
        )
    version = fields.get("table_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SchemaError(
            f"{path.name}: table_version is {version!a:.40}; expected a whole number from 1 to "
            f"{SCORES_VERSION}, export the file again"
        )
    if version > SCORES_VERSION:
        raise SchemaError(
            f"{path.name}: scores of version {version}; this package reads up to {SCORES_VERSION}, "
            "update gazecode"
        )
    for field in scores_schema():
        kinds = [schema.field(i).type for i in schema.get_all_field_indices(field.name)]
        if kinds != [field.type]:
            there = " and ".join(map(str, kinds)) or "missing"
            raise SchemaError(
                f"{path.name}: column {field.name} is {there}; expected {field.type}, export the "
                "file again"
            )


def _read(path: Path) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = scores_schema().names
    row = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
                batch.validate(full=True)
                ordered = batch.select(names)
                _check_nulls(ordered, path, row)
                yield ordered
                row += batch.num_rows
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise BrokenRow(str(file_error(path, "Parquet", error)), row=row) from error


def _check_nulls(batch: "pa.RecordBatch", path: Path, first: int) -> None:
    """No value is missing but `expected`, which is there as a whole or not at all."""
    for name in batch.schema.names:
        column = batch.column(name)
        inner = flat_values(column)[0].null_count if _is_list(column) else 0
        if inner or (column.null_count and name != "expected"):
            raise BrokenRow(
                f"{path.name}: a row from {first} on has no value in {name}; expected one, export "
                "the file again",
                row=first,
                column=name,
            )


def _is_list(column: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(column.type))


def _rows(batch: "pa.RecordBatch") -> Iterator[Any]:
    """Makers of the rows, so that whoever calls them knows which one failed."""
    columns = {
        name: _lists(batch.column(name))
        if _is_list(batch.column(name))
        else batch.column(name).to_pylist()
        for name in batch.schema.names
    }
    for i in range(batch.num_rows):
        said = {name: column[i] for name, column in columns.items()}
        yield lambda said=said: _scored(said)


def _lists(column: Any) -> list[Any]:
    flat, borders = flat_values(column)
    values = flat.to_numpy(zero_copy_only=False)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    return [
        values[a:b] if there else None
        for a, b, there in zip(borders[:-1], borders[1:], known, strict=True)
    ]


def _scored(said: Mapping[str, Any]) -> ScoredText:
    """One row as what was written; all that it says about itself is checked."""
    text, share = said["text"], said["removed_share"]
    raw = text.encode()
    lengths = {name: len(said[name]) for name in ("token_start", "token_end", "value")}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise DataError(f"lists differ in length: {listed}")
    span = np.stack([said["token_start"], said["token_end"]], axis=1).astype(np.int64)
    if problem := span_problem(span, len(raw)):
        raise DataError(problem)
    if said["source_sha256"] != hashlib.sha256(raw).hexdigest():
        raise DataError("source_sha256 is not the digest of text")
    if not 0 <= share <= 1:
        raise DataError(f"removed_share is {share}; expected 0 to 1")
    parameters = json.loads(said["parameters"])
    if not isinstance(parameters, dict):
        raise DataError("parameters is no JSON object")
    scores = ModelScores(
        span=span,
        value=said["value"],
        expected=said["expected"],
        removed_share=share,
        parameters=parameters,
        **{name: said[name] for name in ("model", "method", "merge")},
    )
    return ScoredText(said["source_id"], text, scores, said["language"])
