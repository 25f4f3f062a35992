"""What a job has finished: one line per block, so that a killed one can be taken up.

A JSONL file beside the shards. Its first line says the settings; every further line is a finished
block: the digest of its sources, its shard and that shard's digest, its counts and failures. It is
written in the order of the blocks; a line cut short by a kill is as good as none.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gazecode.errors import ParameterError

__all__ = ["MANIFEST", "Finished", "Manifest", "digest_of", "read_manifest", "sha256_of"]

MANIFEST = ".gazecode-weigh.jsonl"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A block that is done.

    Attributes
    ----------
    input_sha256
        Of its sources.
    shard
        Name of its file; "" if no source of it could be weighed.
    failures
        ``(id, where, stage, reason)`` of every source that could not be weighed.
    """

    input_sha256: str
    shard: str
    shard_sha256: str
    n_rows: int
    counts: dict[str, Any]
    failures: tuple[tuple[str, str, str, str], ...] = ()

    def line(self) -> str:
        """As a line of the manifest."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(said, sort_keys=True, ensure_ascii=False) + "\n"


class Manifest:
    """The manifest of a job that is running; lines are on disk before the next block counts."""

    def __init__(self, folder: Path, settings_sha256: str, *, keep_bytes: int = 0) -> None:
        self.path = folder / MANIFEST
        self._file: IO[bytes] = self.path.open("r+b" if keep_bytes else "wb")
        if keep_bytes:
            self._file.truncate(keep_bytes)
            self._file.seek(keep_bytes)
        else:
            head = {"manifest": VERSION, "settings_sha256": settings_sha256}
            self._write(json.dumps(head, sort_keys=True) + "\n")

    def add(self, finished: Finished) -> None:
        """Note a finished block; its shard must be in place."""
        self._write(finished.line())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()
        os.fsync(self._file.fileno())


def read_manifest(
    folder: Path, settings_sha256: str | None = None
) -> Iterator[tuple[Finished, int]]:
    """Finished blocks of a folder, each with the bytes of the manifest up to its end.

    Raises
    ------
    ParameterError
        The folder was made with other settings than `settings_sha256`.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = _parsed(file.readline())
        if head is None or head.get("manifest") != VERSION:
            return
        if settings_sha256 not in (None, head["settings_sha256"]):
            raise ParameterError(
                f"{folder} was begun with other settings (priors, tokenizer, scheme, seed, limits "
                "or version); resume with the same ones, or leave --resume out to replace it"
            )
        while (said := _parsed(file.readline())) is not None:
            failures = tuple(tuple(failure) for failure in said.pop("failures"))
            yield Finished(**said, failures=failures), file.tell()


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def digest_of(value: object) -> str:
    """SHA-256 of bytes, or of a JSON value with sorted keys."""
    raw = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(raw).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; "" if there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
