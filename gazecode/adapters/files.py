"""Which weights files a path stands for: the file itself, or those of the folder of a job."""

import re
from pathlib import Path

from gazecode.errors import SchemaError

__all__ = ["weights_files"]

WHOLE = "weights.parquet"
_SHARD = re.compile(r"weights-([0-9]{5,})\.parquet")


def weights_files(path: str | Path) -> tuple[Path, ...]:
    """Return the weights files of a path, in order.

    Parameters
    ----------
    path
        A weights file, whatever its name; or a folder: that of a corpus, with shards
        ``weights-00000.parquet`` and so on, or that of a study, with ``weights.parquet``, whose
        HDF5 twin and other tables are passed over.

    Raises
    ------
    SchemaError
        There is no such path, no weights in the folder, or both kinds: they belong to two jobs.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("weights-00001.parquet", "weights-00000.parquet", "corpus.json"):
    ...     (folder / name).touch()
    >>> [file.name for file in weights_files(folder)]
    ['weights-00000.parquet', 'weights-00001.parquet']
    """
    path = Path(path)
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise SchemaError(f"{path}: no such file or folder; check the path")
    found = {int(m[1]): file for file in path.iterdir() if (m := _SHARD.fullmatch(file.name))}
    shards = tuple(found[number] for number in sorted(found))
    whole = path / WHOLE
    if whole.is_file() and shards:
        raise SchemaError(
            f"{path}: has {WHOLE} and {len(shards)} shards like {shards[0].name}, of two jobs; "
            "name the file, or move one of them away"
        )
    if not (whole.is_file() or shards):
        raise SchemaError(
            f"{path}: neither {WHOLE} nor weights-00000.parquet is in this folder; name a file"
        )
    return shards or (whole,)
