"""Tables in an HDF5 file, a slice at a time; nothing the file says of its size is believed.

A small file may declare a table of any size, chunks of any size, or chunks that unpack to any
size, and may link to other files. What is read lies in this file, has one of HDF5's own filters,
and is not larger than what the file could hold.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, GazecodeError, TooLarge
from gazecode.readers.source import MAX_BYTES, MAX_RATIO, Source

__all__ = ["SIGNATURE", "Table", "is_hdf5", "open_tables"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SLICE_BYTES = 1 << 20
_MOST_CHUNK_BYTES = 16 << 20
# deflate, shuffle, fletcher32: what HDF5 itself reads everywhere and never with a plug-in.
_FILTERS = {1, 2, 3}
_DEFLATE = 1
_BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError, OverflowError)


def is_hdf5(head: bytes) -> bool:
    """Whether a file begins as HDF5 files do."""
    return head.startswith(SIGNATURE)


@contextmanager
def open_tables(source: Source) -> Iterator["Tables"]:
    """Open the file; whatever HDF5 stumbles over becomes one clear error."""
    import h5py

    gzipped = source.path.suffix == ".gz"
    size = 0
    try:
        if gzipped:
            raw = source.read_bytes()
            size = len(raw)
            with h5py.File(io.BytesIO(raw), "r") as file:
                yield Tables(file, source.name, size)
            return
        size = source.path.stat().st_size
        if size > MAX_BYTES:
            raise TooLarge(f"{source.name} holds {size} bytes; at most {MAX_BYTES} are read")
        with h5py.File(source.path, "r") as file:
            yield Tables(file, source.name, size)
    except GazecodeError:
        raise
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(
            f"{source.name}: the HDF5 file is damaged ({reason}); copy or export it again"
        ) from error


class Tables:
    """The tables of an open file."""

    def __init__(self, file: Any, name: str, size: int) -> None:
        self._file = file
        self._name = name
        self._size = size

    def table(self, path: str) -> "Table | None":
        """The table at a path, or None if there is none there."""
        import h5py

        found: Any = self._file
        for part in path.strip("/").split("/"):
            if not isinstance(found, h5py.Group) or part not in found:
                return None
            # A link may lead into any other file of this machine.
            if not isinstance(found.get(part, getlink=True), h5py.HardLink):
                raise FormatError(
                    f"{self._name}: {path[:80]!a} is a link; expected a table in this file"
                )
            found = found[part]
        if not isinstance(found, h5py.Dataset) or found.dtype.names is None:
            return None
        self._check(found, path)
        return Table(found)

    def _check(self, dataset: Any, path: str) -> None:
        where = f"{self._name}: table {path[-60:]!a}"
        if dataset.external or dataset.is_virtual:
            raise FormatError(f"{where} lies in another file; expected it in this one")
        if dataset.ndim != 1:
            raise FormatError(f"{where} has {dataset.ndim} dimensions; expected rows")
        declared = int(dataset.shape[0]) * int(dataset.dtype.itemsize)
        stored = int(dataset.id.get_storage_size())
        filters = _filters(dataset)
        if set(filters) - _FILTERS:
            raise FormatError(
                f"{where} is packed with HDF5 filter {max(set(filters) - _FILTERS)}, which needs "
                "a plug-in; rewrite the file with h5repack -f GZIP=4"
            )
        most = min(stored, self._size)
        most = min(64 * 1024**2 + most * MAX_RATIO, MAX_BYTES) if _DEFLATE in filters else most
        if declared > min(most, MAX_BYTES) or (declared and not stored):
            raise TooLarge(
                f"{where} declares {declared} bytes in a file of {self._size}; refused, because "
                "the file cannot hold them. Copy or export it again"
            )
        if dataset.chunks is not None:
            self._check_chunks(dataset, where, packed=_DEFLATE in filters)

    def _check_chunks(self, dataset: Any, where: str, *, packed: bool) -> None:
        chunk = int(dataset.chunks[0]) * int(dataset.dtype.itemsize)
        if chunk > _MOST_CHUNK_BYTES:
            raise TooLarge(f"{where} has chunks of {chunk} bytes; at most {_MOST_CHUNK_BYTES}")
        if not packed:
            return
        # Unpacking stops at the end of the stream, not at the size of a chunk: a large stream in
        # a small chunk is a bomb.
        largest = 0
        for number in range(dataset.id.get_num_chunks()):
            largest = max(largest, int(dataset.id.get_chunk_info(number).size))
        if largest > 2 * chunk + 4096:
            raise TooLarge(
                f"{where} holds {largest} packed bytes in a chunk of {chunk}; refused as a "
                "decompression bomb"
            )


def _filters(dataset: Any) -> list[int]:
    plist = dataset.id.get_create_plist()
    return [int(plist.get_filter(i)[0]) for i in range(plist.get_nfilters())]


class Table:
    """A table: named columns of numbers or of short texts."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.names = frozenset(dataset.dtype.names)

    def __len__(self) -> int:
        return int(self._dataset.shape[0])

    def columns(self, wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Some columns whole, those that the table has; only a slice of rows is unpacked at once.

        Numbers keep their type, texts are bytes.
        """
        dtype = self._dataset.dtype
        names = [n for n in wanted if n in self.names and dtype[n].kind in "iufSb"]
        names = [n for n in names if not dtype[n].shape]
        out = {n: np.empty(len(self), dtype=dtype[n].newbyteorder("=")) for n in names}
        if not names:
            return out
        step = max(_SLICE_BYTES // max(int(dtype.itemsize), 1), 1)
        for start in range(0, len(self), step):
            part = self._dataset.fields(names)[start : start + step]
            for name, column in out.items():
                column[start : start + step] = part[name]
        return out
