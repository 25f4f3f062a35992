"""Checks a weights file against the written schema, whatever its container."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.checks import check_batch
from gazecode.export.opening import open_stored
from gazecode.export.schema import SCHEMA_VERSION, BrokenRow
from gazecode.export.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Problem", "ValidationReport", "validate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    message
        What was found and what was expected.
    row
        Number of the row, 0-based; None for the whole file.
    column
        Name of the column; None where it is not one column.
    """

    message: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = [] if self.row is None else [f"row {self.row}"]
        where += [] if self.column is None else [self.column]
        return ": ".join([*where, self.message])


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """What `validate` found.

    Attributes
    ----------
    path, container
        The file, and ``Parquet``, ``HDF5``, ``JSONL``, ``safetensors`` or ``unknown``.
    schema_version
        As the file says; None if it does not.
    n_rows
        Rows that could be read.
    problems
        The first of them, at most `max_problems`.
    n_problems
        How many there are.
    """

    path: Path
    container: str
    schema_version: int | None
    n_rows: int
    problems: tuple[Problem, ...]
    n_problems: int

    @property
    def ok(self) -> bool:
        """Whether the file follows the schema."""
        return self.n_problems == 0

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON; the path is left to its name."""
        return {
            "file": self.path.name,
            "container": self.container,
            "schema_version": self.schema_version,
            "ok": self.ok,
            "n_rows": self.n_rows,
            "n_problems": self.n_problems,
            "problems": [
                {"row": p.row, "column": p.column, "message": p.message} for p in self.problems
            ],
        }


def validate(path: str | Path, *, max_problems: int = 100) -> ValidationReport:
    """Check a weights file: metadata, version, columns, types, every row, every digest.

    A file of an older version is checked by the rules of its own.

    Parameters
    ----------
    path
        A Parquet, HDF5, JSONL or safetensors file, told by content. Read in batches, memory stays
        flat (8 bytes a row are kept, to find repeated ids).
    max_problems
        How many problems are kept in words; all are counted.

    Returns
    -------
    ValidationReport
        A file that is broken is reported, too.

    Raises
    ------
    SchemaError
        No such file, or a folder.

    Examples
    --------
    >>> import tempfile
    >>> from gazecode.export import to_parquet
    >>> path = Path(tempfile.mkdtemp()) / "weights.parquet"
    >>> _ = to_parquet([], path)
    >>> validate(path).ok
    True
    """
    path = Path(path)
    tally = _Tally(max_problems)
    stored = _open(path, tally)
    version = None
    if stored is not None:
        version = _check_metadata(stored, tally)
        for problem in _column_problems(stored):
            tally.add(problem)
        if _rows_are_readable(stored, version):
            _check_rows(stored, tally)
    return ValidationReport(
        path=path,
        container="unknown" if stored is None else stored.container,
        schema_version=version,
        n_rows=tally.rows,
        problems=tuple(tally.problems),
        n_problems=tally.count,
    )


class _Tally:
    """Counts all problems, keeps the first in words."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.rows = 0
        self.count = 0
        self.problems: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Count one problem."""
        self.count += 1
        if len(self.problems) < self.most:
            self.problems.append(problem)


def _open(path: Path, tally: _Tally) -> Stored | None:
    if not path.is_file():
        open_stored(path)
    try:
        stored = open_stored(path)
        stored.check_kind()
    except SchemaError as error:
        tally.add(Problem(message=str(error)))
        return None
    return stored


def _check_metadata(stored: Stored, tally: _Tally) -> int | None:
    name = stored.path.name
    try:
        fields = metadata.load(stored.metadata, name=name)
    except SchemaError as error:
        tally.add(Problem(message=str(error)))
        return None
    units = fields.get("units")
    for column in stored.expected:
        if not isinstance(units, dict) or not isinstance(units.get(column), str):
            tally.add(Problem(message="no unit in the metadata; expected one", column=column))
    try:
        return metadata.check_version(fields, name=name)
    except SchemaError as error:
        tally.add(Problem(message=str(error)))
        version = fields.get("schema_version")
        return version if isinstance(version, int) else None


def _column_problems(stored: Stored) -> Iterator[Problem]:
    for name in stored.missing:
        yield Problem(message=f"no such column; expected {stored.expected[name].type}", column=name)
    for name, said in stored.mistyped.items():
        yield Problem(message=said, column=name)
    for name in stored.columns:
        if name not in stored.expected:
            yield Problem(message="no column of the schema, no digest covers it", column=name)


def _rows_are_readable(stored: Stored, version: int | None) -> bool:
    newer = version is not None and version > SCHEMA_VERSION
    return not (newer or stored.missing or stored.mistyped)


def _check_rows(stored: Stored, tally: _Tally) -> None:
    names: list[np.ndarray[Any, Any]] = []
    try:
        for batch in stored.rows():
            found = sorted(check_batch(batch, stored.version), key=lambda finding: finding[0])
            for row, column, said in found:
                tally.add(Problem(message=said, row=tally.rows + row, column=column))
            names.append(_hashes(batch))
            tally.rows += batch.num_rows
    except SchemaError as error:
        where = error if isinstance(error, BrokenRow) else BrokenRow("")
        tally.add(Problem(message=str(error), row=where.row, column=where.column))
    for row, first in _repeated(names):
        said = f"the same as in row {first}; expected a name of its own"
        tally.add(Problem(message=said, row=row, column="example_id"))


def _hashes(batch: "pa.RecordBatch") -> "np.ndarray[Any, Any]":
    ids = batch.column("example_id").to_pylist()
    raw = b"".join([hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids])
    return np.frombuffer(raw, dtype="<u8")


def _repeated(names: "list[np.ndarray[Any, Any]]") -> Iterator[tuple[int, int]]:
    """Rows whose id came before, with the row it came in first."""
    if not names:
        return
    every = np.concatenate(names)
    _, first, which = np.unique(every, return_index=True, return_inverse=True)
    for row in np.flatnonzero(first[which] != np.arange(len(every))).tolist():
        yield row, int(first[which[row]])
