"""From one container to another, row by row, with the metadata as they stand."""

from pathlib import Path
from typing import TYPE_CHECKING

from gazecode.errors import ParameterError
from gazecode.export import hdf5, jsonl, parquet
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
}


def convert(src: str | Path, dst: str | Path) -> int:
    """Write the rows of `src` into the container that the suffix of `dst` names, streaming.

    The metadata and every ``row_digest`` are taken over as they are: a row that was edited before
    is still found by `validate` afterwards.

    Parameters
    ----------
    src
        A weights file, told by content.
    dst
        ``.parquet``, ``.h5`` (``.hdf5``, ``.nc``) or ``.jsonl``; may be `src` itself.

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
    gazecode.errors.ParameterError: no '.txt' in suffixes of a weights file; choose from: .h5, .hdf5, .jsonl, .nc, .parquet
    """  # noqa: E501 - the message is one line
    dst = Path(dst)
    write = SUFFIXES.get(dst.suffix.lower())
    if write is None:
        raise ParameterError.unknown("suffixes of a weights file", dst.suffix, SUFFIXES)
    stored = open_stored(src)
    stored.check()
    return write(stored.batches(), dst, said=stored.metadata)
