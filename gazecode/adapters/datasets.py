"""Weights as a Hugging Face dataset: rows typed as the written schema, mapped from disk.

None of that library's builders run: they leave copies in the user's cache and may ask the hub. A
file is read (and checked) by `gazecode.export`; its rows are written once as an Arrow stream, named
by content, into a folder of your choice or one that goes with the process, and are mapped from
there. What the files say about themselves is the dataset's ``info.description``, as JSON.
Library: https://huggingface.co/docs/datasets.
"""

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazecode.adapters.common.rows import CONTENT, example_of, of_rows
from gazecode.disk import replacing, replacing_folder, sha256_of
from gazecode.errors import SchemaError
from gazecode.export import SCHEMA_VERSION, arrow_schema, from_batch, open_stored
from gazecode.export.metadata import for_examples
from gazecode.export.places import one_dataset
from gazecode.export.rows import batches
from gazecode.export.several import canonical, check_alike, said_by, said_together
from gazecode.model import Example

try:
    import datasets as hf
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.datasets needs datasets: pip install 'gazecode[datasets]'"
    ) from error

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["example_of", "load", "metadata_of", "of_rows", "save_to_disk", "to_examples"]

_STATE = "state.json"
_ROWS = 1024


def load(
    path: str | Path, *, streaming: bool = False, cache_dir: str | Path | None = None
) -> "hf.Dataset | hf.IterableDataset":
    """Open weights as a dataset; no network, nothing in the library's own cache.

    Parameters
    ----------
    path
        A weights file (Parquet, HDF5 or JSON lines, told by content), a folder with
        ``weights.parquet`` or with shards ``weights-00000.parquet`` ..., or a folder written by
        `save_to_disk`.
    streaming
        Read rows as they are asked for, and write nothing: an ``IterableDataset``, whose shards
        are the files, so that the workers of a loader share them out.
    cache_dir
        Where the Arrow copy goes, to be mapped again the next time as long as the content of the
        files stays; what ``map`` and the like keep goes there too. Without it, a temporary folder
        that is removed when the process ends.

    Returns
    -------
    datasets.Dataset or datasets.IterableDataset
        Columns and types of the schema; ``info.description`` is the metadata (`metadata_of`).

    Raises
    ------
    SchemaError
        No weights there, a file that breaks the schema, or files of one folder that differ in
        tokenizer, units or version.

    Examples
    --------
    >>> from gazecode.export import to_parquet
    >>> folder = Path(tempfile.mkdtemp())
    >>> to_parquet([], folder / "weights.parquet", provenance={"units": {"token_value": "ms"}})
    0
    >>> data = load(folder)
    >>> data.num_rows, metadata_of(data)["units"]["token_value"], data.features["text"].dtype
    (0, 'ms', 'string')
    """
    path = Path(path)
    if (path / _STATE).is_file():
        return _saved(path, streaming=streaming)
    files = list(one_dataset(path))
    info = _info(_described(files))
    if streaming:
        # What `Dataset.to_iterable_dataset` is made of; `from_generator` would touch the cache.
        rows = hf.iterable_dataset.ArrowExamplesIterable(_tables, {"paths": files})
        return hf.IterableDataset(rows, info=info)
    folder = _scratch() if cache_dir is None else Path(cache_dir)
    folder.mkdir(parents=True, exist_ok=True)
    key = _content_key(files)
    stream = folder / f"gazecode-{key}.arrow"
    if not stream.is_file():
        _write_stream((table for _, table in _tables(files)), stream)
    return _map(stream, info, key=key)


def save_to_disk(
    examples: Iterable[Example], path: str | Path, *, provenance: Mapping[str, object] | None = None
) -> int:
    """Write examples as a folder that ``datasets.load_from_disk`` opens, streaming.

    Parameters
    ----------
    examples
        Any iterable, a generator included.
    path
        The folder; it appears whole or not at all, in place of an earlier dataset of that name.
    provenance
        As for `gazecode.export.to_parquet`; ends up in ``info.description``.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    DataError
        A value the schema cannot hold.
    ParameterError
        There is something else at `path`, or no folder to put it into.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> save_to_disk([], folder / "data")
    0
    >>> load(folder / "data").column_names[:3]
    ['example_id', 'source_id', 'participant']
    """
    with replacing_folder(path, known_by=_STATE) as beside:
        stream = beside / "rows.arrow"
        _write_stream((_typed(batch) for batch in batches(examples)), stream)
        data = _map(stream, _info(for_examples(provenance)), key=sha256_of(stream))
        # Left to itself, the library writes no file for no rows, and cannot open that again.
        data.save_to_disk(beside / "new", num_shards=None if data.num_rows else 1)
        written = int(data.num_rows)
        # Windows moves no file that is still mapped.
        del data
    return written


def to_examples(dataset: "hf.Dataset | hf.IterableDataset") -> Iterator[Example]:
    """Give the rows of a dataset as examples, in its order, with whatever was selected or shuffled.

    Parameters
    ----------
    dataset
        With the columns of the schema; others are passed over, ``row_digest`` may be missing.

    Raises
    ------
    SchemaError
        A column is missing or has a type that is not the schema's.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> save_to_disk([], folder / "data")
    0
    >>> list(to_examples(load(folder / "data")))
    []
    """
    import pyarrow as pa

    names = [column.name for column in CONTENT]
    schema = pa.schema([arrow_schema().field(name) for name in names])
    for table in dataset.with_format("arrow").iter(batch_size=_ROWS):
        missing = [name for name in names if name not in table.column_names]
        if missing:
            raise SchemaError(
                f"the dataset has no column {', '.join(missing)}; found "
                f"{', '.join(table.column_names)}. Keep the columns that load gives"
            )
        try:
            typed = table.select(names).cast(schema)
        except (pa.ArrowException, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise SchemaError(
                f"the dataset's columns are not those of the schema ({said}); "
                "keep the types that load gives"
            ) from error
        for batch in typed.combine_chunks().to_batches():
            yield from from_batch(batch)


def metadata_of(dataset: "hf.Dataset | hf.IterableDataset") -> dict[str, Any]:
    """Return what the files of a dataset say about themselves: units, parameters, tokenizer, ...

    Where the files of a folder differ, ``files`` has what is each one's own.

    Raises
    ------
    SchemaError
        The dataset is not one that `load` or `save_to_disk` made.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> save_to_disk([], folder / "data")
    0
    >>> metadata_of(load(folder / "data"))["units"]["token_start"]
    'byte'
    """
    try:
        said = json.loads(dataset.info.description)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "schema_version" not in said:
        raise SchemaError(
            "the dataset's info.description is not the metadata of gazecode; open it with load"
        )
    return said


def _saved(path: Path, *, streaming: bool) -> Any:
    data = hf.load_from_disk(str(path))
    if not streaming:
        return data
    stream = data.to_iterable_dataset()
    # The library forgets it on the way.
    stream.info.description = data.info.description
    return stream


def _described(files: Sequence[Path]) -> str:
    """One metadata for all files: what they share, and by file what they do not."""
    for file in files:
        open_stored(file).check()
    said = {file.name: said_by(file) for file in files}
    check_alike(said.items(), then="load them one by one, not as one dataset")
    return canonical(said_together(said))


def _info(description: str) -> Any:
    return hf.DatasetInfo(description=description, features=_features())


@cache
def _features() -> Any:
    return hf.Features.from_arrow_schema(arrow_schema())


def _tables(paths: Sequence[Path]) -> "Iterator[tuple[str, pa.Table]]":
    """The rows of files as tables of the dataset's types, each with a key of its own."""
    for path in paths:
        stored = open_stored(path)
        stored.check()
        for i, batch in enumerate(stored.batches()):
            yield f"{path.name}-{i}", _typed(batch)


def _typed(batch: "pa.RecordBatch") -> "pa.Table":
    import pyarrow as pa

    # The library names the elements of its lists "item", Parquet's rule is "element".
    return pa.Table.from_batches([batch]).cast(_features().arrow_schema)


def _write_stream(tables: "Iterable[pa.Table]", path: Path) -> None:
    import pyarrow as pa

    with (
        replacing(path) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_stream(sink, _features().arrow_schema) as stream,
    ):
        for table in tables:
            stream.write_table(table)


def _map(stream: Path, info: Any, *, key: str) -> Any:
    # Not Dataset.from_file: its fingerprint has the file's time in it, so that what the library
    # keeps of a `map` would never be found again.
    table = hf.table.MemoryMappedTable.from_file(str(stream))
    return hf.Dataset(table, info=info, fingerprint=key[:16])


def _content_key(files: Sequence[Path]) -> str:
    """Names the content of files, and how it is laid out."""
    parts = [f"gazecode {SCHEMA_VERSION}", *map(sha256_of, files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _scratch() -> Path:
    """A folder that goes with the process; its files are mapped as long as a dataset lives."""
    folder = Path(tempfile.mkdtemp(prefix="gazecode-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
