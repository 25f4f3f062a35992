"""From one container to another, row by row, with the metadata as they stand."""

from pathlib import Path
from typing import TYPE_CHECKING

from gazecode.errors import ParameterError
from gazecode.export import eyemulator, hdf5, jsonl, parquet, safetensors
from gazecode.export.opening import open_stored

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SUFFIXES", "convert"]

SUFFIXES: "dict[str, Callable[..., int]]" = {
    ".parquet": parquet.write_batches,
    ".h5": hdf5.write_batches,
    ".hdf5": hdf5.write_batches,
    ".nc": hdf5.write_batches,
    ".jsonl": jsonl.write_batches,
    eyemulator.SUFFIX: eyemulator.write_batches,
    ".safetensors": safetensors.write_batches,
}


def convert(src: str | Path, dst: str | Path) -> int:
    """Write the rows of `src` into the container that the suffix of `dst` names, streaming.

    The metadata and every ``row_digest`` are taken over as they are: a row that was edited before
    is still found by `validate` afterwards. A file of an older version becomes one of the current
    version: rows whose digest fits get the digest of its recipe, others keep theirs.

    Parameters
    ----------
    src
        A weights file, told by content.
    dst
        ``.parquet``, ``.h5`` (``.hdf5``, ``.nc``), ``.jsonl`` or ``.safetensors``; may be `src` itself.
        ``.eyemulator.jsonl`` gives the rows that EyeMulator published (`to_eyemulator`): not all
        that a weights file holds, and not read back as one.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    SchemaError
        `src` cannot be read; `dst` is then as it was.
    ParameterError
        `dst` has another suffix, or its folder does not exist.

    Examples
    --------
    >>> convert("weights.parquet", "weights.txt")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: no '.txt' in suffixes of a weights file; choose from: .eyemulator.jsonl, .h5, .hdf5, .jsonl, .nc, .parquet, .safetensors
    """  # noqa: E501 - the message is one line
    dst = Path(dst)
    name = dst.name.lower()
    suffix = eyemulator.SUFFIX if name.endswith(eyemulator.SUFFIX) else dst.suffix.lower()
    write = SUFFIXES.get(suffix)
    if write is None:
        raise ParameterError.unknown("suffixes of a weights file", dst.suffix, SUFFIXES)
    stored = open_stored(src)
    stored.check()
    return write(stored.batches(), dst, said=stored.metadata)
