"""Weights as safetensors: flat tensors end to end, and where each row of them ends.

Format: https://github.com/huggingface/safetensors#format: eight bytes of length, a JSON header with
type, shape and place of every tensor, then their bytes. The header comes first and must know all
sizes, so that every tensor grows in a file of its own, without a name, until all are joined.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.disk import replacing
from gazecode.export import metadata
from gazecode.export.lists import flat_values
from gazecode.export.rows import batches, refuse_uneven
from gazecode.export.schema import COLUMNS, COUNTED_BY, SCHEMA_VERSION, Column, columns_of
from gazecode.model import Example

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NAMES", "Tensor", "ends_of", "tensors_of", "to_safetensors", "write_batches"]

_DTYPES = {"int32": "int32", "float": "float32", "bool": "bool", "string": "uint8"}
NAMES = {"int64": "I64", "int32": "I32", "float32": "F32", "bool": "BOOL", "uint8": "U8"}
"""What the format calls the types."""
_ALIGNED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of the file, ``(n,)``; numpy's name of its type."""

    name: str
    dtype: str


def ends_of(what: str) -> str:
    """Name the tensor that says where each row, or each text, ends."""
    return f"{what}.ends"


def tensors_of(version: int) -> tuple[Tensor, ...]:
    """Tensors of a file in the order in which they lie: the widest numbers first, as aligned.

    >>> [tensor.name for tensor in tensors_of(2)][:3]
    ['position.ends', 'token.ends', 'source.ends']
    """
    columns = columns_of(version)
    along = dict.fromkeys(column.along for column in columns if column.is_list)
    texts = [column.name for column in columns if column.element == "string"]
    tensors = [Tensor(name=ends_of(what), dtype="int64") for what in (*along, *texts)]
    tensors += [Tensor(name=c.name, dtype=_DTYPES[c.element]) for c in columns]
    return tuple(sorted(tensors, key=lambda tensor: -np.dtype(tensor.dtype).itemsize))


def to_safetensors(
    examples: Iterable[Example], path: str | Path, *, provenance: Mapping[str, object] | None = None
) -> int:
    """Write examples as a safetensors file of the schema, streaming.

    Numbers of all rows lie end to end in one flat tensor per column, texts as UTF-8 in ``uint8``;
    ``position.ends``, ``token.ends``, ... ``(d,)`` say where the lists of each row end, and
    ``text.ends``, ... where each text does (``int64``). Parameters, result and errors are those
    of `to_parquet`.

    Examples
    --------
    >>> path = Path(tempfile.mkdtemp()) / "weights.safetensors"
    >>> to_safetensors([], path)
    0
    >>> from safetensors.numpy import load_file
    >>> load_file(path)["weight"].dtype
    dtype('float32')
    """
    return write_batches(batches(examples), Path(path), said=metadata.for_examples(provenance))


def write_batches(rows: "Iterable[pa.RecordBatch]", path: Path, *, said: str) -> int:
    """Write record batches of the schema with the metadata `said`; return the number of rows."""
    tensors = tensors_of(SCHEMA_VERSION)
    written = 0
    with replacing(path) as part, ExitStack() as stack:
        # Beside the target, where there must be room; without a name, so that none stays behind.
        spools = {
            tensor.name: stack.enter_context(tempfile.TemporaryFile(dir=part.parent))
            for tensor in tensors
        }
        ends = {tensor.name: 0 for tensor in tensors}
        for batch in rows:
            _append(batch, spools, ends)
            written += batch.num_rows
        _join(tensors, spools, part, metadata.upgrade(said))
    return written


def _append(batch: "pa.RecordBatch", spools: Mapping[str, IO[bytes]], ends: dict[str, int]) -> None:
    refuse_uneven(batch)
    for column in COLUMNS:
        values = batch.column(column.name)
        if column.is_list:
            values, borders = flat_values(values)
            if COUNTED_BY[column.along] == column.name:
                _append_ends(ends_of(column.along), borders, spools, ends)
        if column.element == "string":
            raw, borders = _utf8(values)
            _append_ends(ends_of(column.name), borders, spools, ends)
        else:
            raw = _numbers(values, column).view(np.uint8).data
        spools[column.name].write(raw)


def _append_ends(
    name: str,
    borders: npt.NDArray[np.int64],
    spools: Mapping[str, IO[bytes]],
    ends: dict[str, int],
) -> None:
    """Borders within a batch as ends in the whole tensor."""
    spools[name].write((borders[1:] + ends[name]).astype("<i8").data)
    ends[name] += int(borders[-1])


def _numbers(values: Any, column: Column) -> "np.ndarray[Any, Any]":
    numbers = values.to_numpy(zero_copy_only=False)
    little = np.dtype(_DTYPES[column.element]).newbyteorder("<")
    return np.ascontiguousarray(numbers, dtype=little)


def _utf8(texts: Any) -> tuple[Any, npt.NDArray[np.int64]]:
    """Bytes of texts end to end, and ``(n + 1,)`` borders of the texts in them."""
    if not len(texts):
        return b"", np.zeros(1, dtype=np.int64)
    _, offsets, data = texts.buffers()
    borders = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset).astype(np.int64)
    raw = memoryview(b"" if data is None else data)[borders[0] : borders[-1]]
    return raw, borders - borders[0]


def _join(
    tensors: tuple[Tensor, ...], spools: Mapping[str, IO[bytes]], path: Path, said: str
) -> None:
    """Write the header, whose sizes are now known, and all tensors behind it."""
    header: dict[str, Any] = {"__metadata__": {"gazecode": said}}
    start = 0
    for tensor in tensors:
        size = spools[tensor.name].seek(0, os.SEEK_END)
        header[tensor.name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": [size // np.dtype(tensor.dtype).itemsize],
            "data_offsets": [start, start + size],
        }
        start += size
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % _ALIGNED)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for tensor in tensors:
            spools[tensor.name].seek(0)
            shutil.copyfileobj(spools[tensor.name], file, 2**20)
