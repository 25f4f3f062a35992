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

import numpy as np

from gazecode.adapters.files import weights_files
from gazecode.adapters.rows import CONTENT, example_of, of_rows
from gazecode.disk import replacing
from gazecode.errors import ParameterError, SchemaError
from gazecode.export import SCHEMA_VERSION, arrow_schema, from_batch, open_stored, to_batch
from gazecode.export.metadata import for_examples, upgrade
from gazecode.export.rows import batches
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
_ONE_FOR_ALL = ("schema_version", "units", "tokenizer_sha256")
"""What shards of one dataset must agree on: ids of two tokenizers, or ms and shares, do not mix."""
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
    files = list(weights_files(path))
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
    return _map(stream, info, fingerprint=key[:16])


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
    final = Path(path).absolute()
    _check_destination(final)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name[:100]}.") as beside:
        stream = Path(beside) / "rows.arrow"
        _write_stream((_typed(batch) for batch in batches(examples)), stream)
        with stream.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        data = _map(stream, _info(for_examples(provenance)), fingerprint=key[:16])
        # Left to itself, the library writes no file for no rows, and cannot open that again.
        data.save_to_disk(Path(beside) / "new", num_shards=None if data.num_rows else 1)
        written = int(data.num_rows)
        # Windows moves no file that is still mapped.
        del data
        _replace(final, new=Path(beside) / "new", old=Path(beside) / "old")
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
    >>> list(to_examples(one_row()))[0].weight
    array([1. , 1.5])
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
    >>> metadata_of(one_row())["units"]["token_start"]
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


def one_row() -> "hf.Dataset":
    """Return a dataset with one row of two subwords, for trying things out."""
    names = dict.fromkeys(("source_id", "participant", "trial", "language", "text"), "")
    tokens = {f"token_{name}": () for name in ("start", "end", "label", "value")}
    example = Example(
        **names,  # type: ignore[arg-type]
        **tokens,  # type: ignore[arg-type]
        example_id="one",
        input_ids=np.array([40, 7]),
        loss_mask=np.array([True, True]),
        weight=np.array([1.0, 1.5]),
        attention=np.array([0.25, 0.75]),
        on_path=np.array([True, True]),
        token_index=np.array([-1, -1]),
    )
    return hf.Dataset(_typed(to_batch([example])), info=_info(for_examples()))


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
    said: dict[str, dict[str, Any]] = {}
    for file in files:
        stored = open_stored(file)
        stored.check()
        said[file.name] = json.loads(upgrade(stored.metadata or "{}"))
    name, first = next(iter(said.items()))
    shared = {k: v for k, v in first.items() if all(o.get(k) == v for o in said.values())}
    for key in _ONE_FOR_ALL:
        other = next((o for o, fields in said.items() if fields.get(key) != first.get(key)), None)
        if other is not None:
            raise SchemaError(
                f"{name} and {other} differ in {key}; load them one by one, not as one dataset"
            )
    own = {
        name: {k: v for k, v in fields.items() if k not in shared} for name, fields in said.items()
    }
    whole = shared | ({"files": own} if any(own.values()) else {})
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


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


def _map(stream: Path, info: Any, *, fingerprint: str) -> Any:
    # Not Dataset.from_file: its fingerprint has the file's time in it, so that what the library
    # keeps of a `map` would never be found again.
    table = hf.table.MemoryMappedTable.from_file(str(stream))
    return hf.Dataset(table, info=info, fingerprint=fingerprint)


def _content_key(files: Sequence[Path]) -> str:
    """Names the content of files, and how it is laid out."""
    whole = hashlib.sha256(f"gazecode {SCHEMA_VERSION} {len(files)}".encode())
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


@cache
def _scratch() -> Path:
    """A folder that goes with the process; its files are mapped as long as a dataset lives."""
    folder = Path(tempfile.mkdtemp(prefix="gazecode-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check_destination(final: Path) -> None:
    if not final.parent.is_dir():
        raise ParameterError(f"{final}: no folder {final.parent} to write to; make it first")
    if final.exists() and not (final / _STATE).is_file():
        raise ParameterError(
            f"{final} is there and is no saved dataset; choose another name, or remove it"
        )


def _replace(final: Path, *, new: Path, old: Path) -> None:
    if final.exists():
        final.replace(old)
    try:
        new.replace(final)
    except BaseException:
        if old.exists():
            old.replace(final)
        raise
