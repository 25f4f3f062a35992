"""Names and sidecars of BIDS: entities of a file name, and the metadata a file inherits.

The inheritance principle: a JSON file applies to every data file of its suffix in its folder or
below whose entities include all of its own; of two that state the same field, the one nearer to the
data file wins, then the one with more entities. https://bids-specification.readthedocs.io, Common
principles.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazecode.errors import TooLarge
from gazecode.readers.source import Source
from gazecode.readers.tools.json_rows import load_json

__all__ = [
    "DESCRIPTION",
    "EYE_SUFFIXES",
    "BidsName",
    "applicable",
    "dataset_root",
    "eye_files",
    "inherited",
    "is_eye_file",
    "json_object",
    "parse_name",
]

DESCRIPTION = "dataset_description.json"
EYE_SUFFIXES = ("physio", "eyetrack")
"""The suffix of eye tracking since BIDS 1.11, and that of the drafts before."""

_NAME = re.compile(
    r"(?P<entities>(?:[a-z]+-[0-9A-Za-z+]+_)*)(?P<suffix>[A-Za-z0-9]+)\.(?P<ext>tsv\.gz|tsv|json)"
)
_SUFFIXES = (*EYE_SUFFIXES, "physioevents", "events")
_DATATYPES = (
    *("anat", "beh", "dwi", "eeg", "emg", "eyetrack", "fmap", "func", "ieeg", "meg"),
    *("motion", "mrs", "nirs", "perf", "pet", "physio"),
)
_MAX_JSON = 8 << 20
_MAX_FILES = 20_000
_MAX_DEPTH = 4


@dataclass(frozen=True)
class BidsName:
    """What the name of a file says.

    >>> name = parse_name("sub-01_task-read_recording-eye1_physio.tsv.gz")
    >>> name.entities["sub"], name.suffix, name.extension
    ('01', 'physio', 'tsv.gz')
    """

    entities: Mapping[str, str]
    suffix: str
    extension: str

    @property
    def run_of(self) -> tuple[tuple[str, str], ...]:
        """Everything but the recording: equal for the eyes and events of one run."""
        return tuple((k, v) for k, v in self.entities.items() if k != "recording")

    def within(self, other: "BidsName") -> bool:
        """Whether all entities here are those of `other`."""
        return self.entities.items() <= other.entities.items()


def parse_name(name: str) -> BidsName | None:
    """Entities, suffix and extension; None for names that are no data or sidecar of these kinds."""
    found = _NAME.fullmatch(name)
    if found is None or found["suffix"] not in _SUFFIXES:
        return None
    pairs = [tuple(part.split("-", 1)) for part in found["entities"].split("_") if part]
    return BidsName(dict(pairs), found["suffix"], found["ext"])


def json_object(path: Path) -> dict[str, Any]:
    """A sidecar; empty if it holds something other than an object.

    Raises
    ------
    TooLarge
        It is larger than a sidecar can be.
    FormatError
        It is no JSON.
    """
    if path.stat().st_size > _MAX_JSON:
        raise TooLarge(f"{path.name} is over {_MAX_JSON} bytes; expected a sidecar of metadata")
    found = load_json(Source(path).read_bytes(), name=path.name)
    return found if isinstance(found, dict) else {}


def dataset_root(path: Path) -> Path:
    """The dataset a file lies in; its own folder where that is no dataset."""
    folder = path.parent
    while not (folder / DESCRIPTION).is_file():
        parent = folder.parent
        within = folder.name.startswith(("sub-", "ses-")) or (
            folder.name in _DATATYPES and parent.name.startswith(("sub-", "ses-"))
        )
        if not within or parent == folder:
            return folder
        folder = parent
    return folder


def applicable(path: Path, suffix: str, extension: str) -> list[Path]:
    """Files of a suffix that apply to a data file, the most specific last."""
    own = parse_name(path.name)
    if own is None:
        return []
    found: list[Path] = []
    for folder in _levels(path):
        here = [
            (len(name.entities), other)
            for other in sorted(folder.glob(f"*{suffix}.{extension}"))
            if (name := parse_name(other.name)) is not None
            and name.suffix == suffix
            and name.within(own)
        ]
        found += [other for _, other in sorted(here)]
    return found


def inherited(path: Path, suffix: str) -> tuple[dict[str, Any], list[str]]:
    """Metadata of a data file, and the names of the sidecars it comes from."""
    sidecars = applicable(path, suffix, "json")
    merged: dict[str, Any] = {}
    for sidecar in sidecars:
        merged |= json_object(sidecar)
    return merged, [sidecar.name for sidecar in sidecars]


def _levels(path: Path) -> list[Path]:
    """Folders from the dataset's root to the file's own."""
    path = path.absolute()
    root = dataset_root(path)
    inner = [folder for folder in path.parents if folder == root or root in folder.parents]
    return inner[::-1]


def is_eye_file(path: Path) -> bool:
    """Whether a file of samples is one of eye tracking, by its metadata."""
    name = parse_name(path.name)
    if name is None or name.suffix not in EYE_SUFFIXES or not name.extension.startswith("tsv"):
        return False
    said, _ = inherited(path, name.suffix)
    columns = said.get("Columns")
    named = isinstance(columns, list) and any("x_coordinate" in str(c) for c in columns)
    kind = said.get("PhysioType")
    return kind == "eyetrack" or (kind is None and ("RecordedEye" in said or named))


def eye_files(folder: Path, within: Mapping[str, str]) -> Iterator[Path]:
    """Files of eye tracking in a folder and below whose names have these entities, in order."""
    for path in _walk(folder, _MAX_DEPTH):
        name = parse_name(path.name)
        if name is None or not within.items() <= name.entities.items():
            continue
        if name.suffix in EYE_SUFFIXES and is_eye_file(path):
            yield path


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    if len(entries) > _MAX_FILES:
        raise TooLarge(f"{folder.name} holds {len(entries)} entries; name the recording's own file")
    for entry in entries:
        if entry.is_file() and entry.name.endswith((".tsv.gz", ".tsv")):
            yield entry
        elif depth and entry.is_dir() and not entry.is_symlink() and _is_part(entry.name):
            yield from _walk(entry, depth - 1)


def _is_part(name: str) -> bool:
    return name.startswith(("sub-", "ses-")) or name in _DATATYPES
