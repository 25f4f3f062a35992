"""Which files a path stands for where weights are meant: the file itself, or those of a folder.

The folder of a study has ``weights.parquet`` and its HDF5 twin, that of a corpus has shards
``weights-00000.parquet`` and so on, that of a split ``train.parquet``, ``valid.parquet`` and
``test.parquet``. Files of one name in one folder are twins: the same rows in two containers.

A job numbers its shards from 0 without a gap, and ``corpus.json`` says how many there are: a folder
that lost one on the way is refused, for it would be short without a word.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from gazecode.errors import SchemaError
from gazecode.export import eyemulator
from gazecode.export.convert import SUFFIXES

__all__ = ["one_dataset", "weights_files"]

CONTAINERS = tuple(suffix for suffix in SUFFIXES if suffix != eyemulator.SUFFIX)
"""Of twins, the first of these is read. Rows in the published form hold no subwords."""

WHOLE = "weights"
_SHARD = re.compile(rf"{WHOLE}-([0-9]{{5,}})")
_PARTS = (WHOLE, "train", "valid", "test")


def weights_files(paths: Iterable[Path], *, once: bool = False) -> list[Path]:
    """List the weights files that are named; a folder stands for all that are in it, sorted.

    Parameters
    ----------
    paths
        Files, taken as they are, and folders.
    once
        Take one of each pair of twins in a folder, so that no row is read twice.

    Raises
    ------
    SchemaError
        A folder without weights, or without one of its shards.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("weights.parquet", "weights.h5", "test.parquet", "hits.parquet"):
    ...     (folder / name).touch()
    >>> [file.name for file in weights_files([folder], once=True)]
    ['test.parquet', 'weights.parquet']
    """
    files: list[Path] = []
    for path in paths:
        inside = _inside(path, once=once) if path.is_dir() else [path]
        if not inside:
            raise SchemaError(
                f"{path} holds no weights; expected weights-00000.parquet, train.parquet or so"
            )
        files += inside
    return files


def one_dataset(path: str | Path) -> tuple[Path, ...]:
    """List the files that are read as one data set, in order.

    Parameters
    ----------
    path
        A weights file, whatever its name; or a folder: that of a corpus, with its shards, or that
        of a study. The parts of a split are no one data set: name the part.

    Raises
    ------
    SchemaError
        There is no such path, no weights in the folder, a shard is missing, or there are both
        kinds: they belong to two jobs.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("weights-00001.parquet", "weights-00000.parquet", "corpus.json"):
    ...     (folder / name).touch()
    >>> [file.name for file in one_dataset(folder)]
    ['weights-00000.parquet', 'weights-00001.parquet']
    """
    path = Path(path)
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise SchemaError(f"{path}: no such file or folder; check the path")
    inside = _inside(path, once=True)
    shards = tuple(file for file in inside if _SHARD.fullmatch(file.stem))
    whole = tuple(file for file in inside if file.stem == WHOLE)
    if whole and shards:
        raise SchemaError(
            f"{path}: has {whole[0].name} and {len(shards)} shards like {shards[0].name}, of two "
            "jobs; name the file, or move one of them away"
        )
    if not (whole or shards):
        raise SchemaError(
            f"{path}: neither {WHOLE}.parquet nor {WHOLE}-00000.parquet is in this folder; "
            "name a file"
        )
    return shards or whole


def _inside(folder: Path, *, once: bool) -> list[Path]:
    """The weights files of a run, a corpus or a split, told by their names."""
    files = sorted(filter(_holds_weights, folder.iterdir()), key=_order)
    _check_whole(folder, files)
    # The last one to come stays: the first container.
    return list({file.stem: file for file in reversed(files)}.values())[::-1] if once else files


def _check_whole(folder: Path, files: Iterable[Path]) -> None:
    """Refuse a folder in which a shard is missing."""
    there = {int(shard[1]) for file in files if (shard := _SHARD.fullmatch(file.stem))}
    if not there:
        return
    expected = max(max(there) + 1, _said_shards(folder))
    missing = next((number for number in range(expected) if number not in there), None)
    if missing is not None:
        raise SchemaError(
            f"{folder}: {WHOLE}-{missing:05d} is missing, found {len(there)} of {expected} shards; "
            "copy the folder again, or name the files that are wanted"
        )


def _said_shards(folder: Path) -> int:
    """How many shards ``corpus.json`` says there are; 0 if it does not."""
    try:
        said = json.loads((folder / "corpus.json").read_bytes())["shards"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return said if isinstance(said, int) else 0


def _holds_weights(path: Path) -> bool:
    ours = path.suffix in CONTAINERS and not path.name.endswith(eyemulator.SUFFIX)
    return ours and path.stem.startswith(_PARTS)


def _order(path: Path) -> tuple[str, int, int]:
    """Shards by number, beyond five digits, too; twins by container."""
    shard = _SHARD.fullmatch(path.stem)
    name, number = (WHOLE, int(shard[1])) if shard else (path.stem, -1)
    return name, number, CONTAINERS.index(path.suffix)
