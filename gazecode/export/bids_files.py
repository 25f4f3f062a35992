"""Adding files to a BIDS dataset so that all of a recording appear, or none.

They are written to a hidden folder in the dataset, forced to disk, and then take their names one by
one, samples last: until those are there, nobody finds a recording. If one fails, what was there
before is put back.
"""

import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gazecode.errors import ParameterError
from gazecode.version import __version__

__all__ = ["adding", "write_gzip", "write_json", "write_text"]

BIDS_VERSION = "1.11.1"
_DESCRIPTION = "dataset_description.json"


@contextmanager
def adding(root: Path, place: Path, *, replaces: Callable[[str], bool]) -> Iterator[Path]:
    """Give a hidden folder to write to; its files go to `place` in the dataset, all or none.

    Parameters
    ----------
    root
        The dataset: new, empty, or with a description.
    place
        Folder in it, made where it is missing.
    replaces
        Told the name of a file that is there: whether it belongs to what is written now, and goes.

    Raises
    ------
    ParameterError
        The folder holds something else, or there is none to put it into.
    """
    described = _check(root)
    # In the dataset itself where there is one: a rename needs the same file system.
    where = root if root.is_dir() else root.parent
    with tempfile.TemporaryDirectory(dir=where, prefix=".gazecode-") as name:
        beside = Path(name)
        (beside / "new").mkdir()
        yield beside / "new"
        moves = [(file, root / place / file.name) for file in _in_order(beside / "new")]
        if not described:
            write_json(beside / _DESCRIPTION, _description())
            moves.insert(0, (beside / _DESCRIPTION, root / _DESCRIPTION))
        made = _make_folders(root / place)
        stale = [file for file in sorted((root / place).iterdir()) if replaces(file.name)]
        try:
            _replace_all(moves, stale, beside / "old")
        except BaseException:
            for folder in made:
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
            raise


def _check(root: Path) -> bool:
    """Whether the dataset has a description; refuses a folder of something else."""
    if not root.exists():
        if not root.parent.is_dir():
            raise ParameterError(f"{root}: no folder {root.parent} to write to; make it first")
        return False
    described = (root / _DESCRIPTION).is_file()
    if not root.is_dir() or (any(root.iterdir()) and not described):
        raise ParameterError(
            f"{root} is no BIDS dataset (no {_DESCRIPTION}) and not empty; name another folder"
        )
    return described


def _in_order(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda file: (file.name.endswith("physio.tsv.gz"), file))


def _make_folders(folder: Path) -> list[Path]:
    """Make what is missing of a path; return what was made, innermost first."""
    made = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _replace_all(moves: Sequence[tuple[Path, Path]], stale: Sequence[Path], old: Path) -> None:
    """Put away what goes, give every file its final name; if one fails, all are as they were."""
    old.mkdir()
    kept: list[tuple[Path, Path]] = []
    new: list[Path] = []
    try:
        for number, file in enumerate(stale):
            file.replace(old / str(number))
            kept.append((old / str(number), file))
        for file, final in moves:
            file.replace(final)
            new.append(final)
    except BaseException:
        for final in new:
            final.unlink(missing_ok=True)
        for file, final in kept:
            file.replace(final)
        raise


def _description() -> dict[str, Any]:
    return {
        "Name": "Eye tracking",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "gazecode", "Version": __version__}],
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a sidecar, in the order of its keys."""
    write_text(path, [json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False), "\n"])


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write UTF-8 with LF line ends, through to the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def write_gzip(path: Path, pieces: Iterable[str]) -> None:
    """Write gzipped text; no name and no time in the header: the same rows are the same bytes."""
    with path.open("wb") as raw:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as file:
            for piece in pieces:
                file.write(piece.encode())
        raw.flush()
        os.fsync(raw.fileno())
