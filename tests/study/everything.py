"""Every byte and every text of what a run leaves, however a container packs it."""

from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq


def texts_of(folder: Path) -> dict[str, bytes]:
    """File name → its bytes, followed by its columns, attributes and metadata as text."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() + unpacked(p) for p in files}


def unpacked(path: Path) -> bytes:
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix == ".h5":
        return _hdf5(path)
    return b""


def _parquet(path: Path) -> bytes:
    table = pq.read_table(path)
    parts = [str(table.schema.metadata).encode(), str(table.schema).encode()]
    parts += [repr(column.to_pylist()).encode() for column in table.columns]
    return b"\n".join(parts)


def _hdf5(path: Path) -> bytes:
    parts: list[bytes] = []

    def visit(name, item):
        parts.append(name.encode())
        parts.extend(f"{k}={v}".encode() for k, v in item.attrs.items())
        if isinstance(item, h5py.Dataset):
            values = item[()]
            kind = getattr(values, "dtype", np.dtype(object))
            if kind.kind in "OSU":
                flat = np.ravel(values)
                parts.extend(v if isinstance(v, bytes) else str(v).encode() for v in flat)
            else:
                parts.append(repr(np.ravel(values).tolist()).encode())

    with h5py.File(path) as file:
        parts.extend(f"{k}={v}".encode() for k, v in file.attrs.items())
        file.visititems(visit)
    return b"\n".join(parts)
