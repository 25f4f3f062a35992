"""A weights file opened for reading, whatever its container."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.schema import SCHEMA_VERSION, Column, columns_of
from gazecode.export.upgrade import upgrade_batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Stored", "file_error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a container tells before its rows are read.

    Attributes
    ----------
    path, container
        The file, and ``Parquet``, ``HDF5``, ``JSONL`` or ``safetensors``.
    metadata
        The JSON text under the key ``gazecode``; None if there is none.
    version
        Of the schema by which the rows are read (`metadata.version_of`).
    columns
        Name → what is wrong with the column's type ("" if nothing). JSONL has no types of its own:
        each of its rows is checked as it is read.
    rows
        Makes an iterator over the rows as Arrow record batches with the columns of `version`.
    """

    path: Path
    container: str
    metadata: str | None
    version: int
    columns: Mapping[str, str]
    rows: Callable[[], "Iterator[pa.RecordBatch]"]

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """Give the rows with the columns of the current version, whatever version they are of."""
        if self.version == SCHEMA_VERSION:
            return self.rows()
        return (upgrade_batch(batch, self.version) for batch in self.rows())

    @property
    def expected(self) -> Mapping[str, Column]:
        """Columns by name that a file of this version has."""
        return {column.name: column for column in columns_of(self.version)}

    @property
    def missing(self) -> list[str]:
        """Columns of the schema that the file does not have."""
        return [name for name in self.expected if name not in self.columns]

    @property
    def mistyped(self) -> dict[str, str]:
        """Columns of the schema whose type is another, with what was found and expected."""
        return {n: said for n, said in self.columns.items() if said and n in self.expected}

    def check(self) -> None:
        """Refuse a file that cannot be read as the schema says."""
        self.check_kind()
        fields = metadata.load(self.metadata, name=self.path.name)
        metadata.check_version(fields, name=self.path.name)
        self.check_columns()

    def check_kind(self) -> None:
        """Refuse a table of the package that holds no weights: fixations, hits, tokens, events."""
        if "example_id" in self.columns or not metadata.is_table(self.metadata):
            return
        found = ", ".join(list(self.columns)[:6])
        raise SchemaError(
            f"{self.path.name} is another table of gazecode (its columns: {found}, ...), no "
            "weights; give weights.parquet, which a run leaves beside it"
        )

    def check_columns(self) -> None:
        """Refuse a file whose rows cannot be read at all."""
        if self.missing:
            found = ", ".join(self.columns) or "none"
            raise SchemaError(
                f"{self.path.name}: no column {', '.join(self.missing)}; found {found}. "
                "Export the file again"
            )
        for name, said in self.mistyped.items():
            raise SchemaError(f"{self.path.name}: column {name} is {said}; export the file again")


def file_error(path: Path, container: str, error: BaseException) -> SchemaError:
    """One line for whatever a container's library says about a broken file."""
    said = " ".join(str(error).split())[:200]
    return SchemaError(
        f"{path.name}: this {container} file is cut short or broken ({said}); "
        "copy it again or export it again"
    )
