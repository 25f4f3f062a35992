"""Lines of a file that may be anything: a line of any length takes a bounded amount of memory."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

__all__ = ["GZIP_MAGIC", "Line", "bounded_lines", "opened"]

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its bytes (None where it is too long), and how many."""

    number: int
    raw: bytes | None
    n_bytes: int


def bounded_lines(file: IO[bytes], limit: int) -> Iterator[Line]:
    r"""Lines of a binary file; of one longer than `limit` bytes only the length is kept.

    >>> import io
    >>> for line in bounded_lines(io.BytesIO(b"one\nmuch too long\n"), 8):
    ...     print(line)
    Line(number=1, raw=b'one\n', n_bytes=4)
    Line(number=2, raw=None, n_bytes=14)
    """
    number = 0
    while True:
        raw = file.readline(limit + 1)
        if not raw:
            return
        number += 1
        if len(raw) <= limit or raw.endswith(b"\n"):
            yield Line(number, raw, len(raw))
            continue
        size = len(raw)
        del raw
        yield Line(number, None, size + _skip_line(file))


def _skip_line(file: IO[bytes]) -> int:
    """Pass over the rest of a line; return its length."""
    size = 0
    while True:
        part = file.readline(_CHUNK)
        size += len(part)
        if not part or part.endswith(b"\n"):
            return size


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked if its first bytes say gzip."""
    with path.open("rb") as plain:
        if plain.peek(2)[:2] != GZIP_MAGIC:
            yield plain
            return
        with gzip.open(plain) as packed:
            # Not through a buffer of our own: filling it at the end of a file that was cut short
            # raises before what came until there is handed out.
            yield cast("IO[bytes]", packed)
