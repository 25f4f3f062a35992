"""Opens a weights file by what it holds, never by its name."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from gazecode.errors import DataError, SchemaError
from gazecode.export import hdf5, parquet
from gazecode.export.hdf5_reader import open_hdf5
from gazecode.export.jsonl import open_jsonl
from gazecode.export.parquet import open_parquet
from gazecode.export.rows import from_batch
from gazecode.export.safetensors_reader import is_safetensors, open_safetensors
from gazecode.export.schema import BrokenRow
from gazecode.export.stored import Stored
from gazecode.model import Example

__all__ = ["iter_examples", "open_stored", "read_examples"]


def open_stored(path: str | Path) -> Stored:
    """Open a file by its first bytes: Parquet, HDF5, safetensors or JSON lines.

    Raises
    ------
    SchemaError
        No such file, a folder, or something else.
    """
    path = Path(path)
    if not path.is_file():
        said = "is a folder; name a file in it" if path.is_dir() else "no such file; check the path"
        raise SchemaError(f"{path}: {said}")
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(parquet.MAGIC):
        return open_parquet(path)
    if head.startswith(hdf5.MAGIC):
        return open_hdf5(path)
    if is_safetensors(head, path.stat().st_size):
        return open_safetensors(path)
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return open_jsonl(path)
    if head[8:9] == b"{":
        # Of a length that no file has: the library says what is wrong with it.
        return open_safetensors(path)
    raise SchemaError(
        f"{path.name} begins with {head[:8]!r}; expected a Parquet, HDF5, JSONL or "
        "safetensors file of gazecode" + (", this one is empty" if not head else "")
    )


def iter_examples(path: str | Path) -> Iterator[Example]:
    """Give the examples of a file one by one; memory stays flat whatever its size.

    Parameters
    ----------
    path
        A file written by `to_parquet`, `to_hdf5`, `to_jsonl` or `to_safetensors`.

    Raises
    ------
    SchemaError
        Not such a file, cut short, a newer version of the schema, or a row that breaks it.
        Row digests are not recomputed here: `validate` does that.
    """
    stored = open_stored(path)
    stored.check()
    first = 0
    for batch in stored.rows():
        try:
            yield from from_batch(batch)
        except DataError as error:
            raise BrokenRow(
                f"{stored.path.name}: a row from {first} on: {error}; run gazecode validate on it"
            ) from error
        first += batch.num_rows


def read_examples(path: str | Path) -> list[Example]:
    """Read all examples of a file; `iter_examples` gives them one by one.

    Parameters
    ----------
    path
        A file written by `to_parquet`, `to_hdf5`, `to_jsonl` or `to_safetensors`, told apart by
        content.

    Returns
    -------
    list of Example
        Floats at float32 precision; `report` is empty, it is no part of the schema.

    Raises
    ------
    SchemaError
        As `iter_examples`.

    Examples
    --------
    >>> read_examples("nowhere.parquet")
    Traceback (most recent call last):
    gazecode.errors.SchemaError: nowhere.parquet: no such file; check the path
    """
    return list(iter_examples(path))
