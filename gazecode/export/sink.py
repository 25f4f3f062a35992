"""A file for HDF5 to write to: a full disk is an error in one line, not the end of the process.

HDF5 keeps changed blocks in memory and writes them when a file is closed. Where that fails, it
cannot close the file at all, and the process dies by a segmentation fault when it ends. So the
first error is kept, whatever is written after it is dropped, and the error is raised once HDF5 has
let go of the file, which then goes as every half-written one (`gazecode.disk.replacing`).
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Sink", "full_disk_is_told"]


class Sink(io.FileIO):
    """A file that never fails to write; `failed` says what would have been raised."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of it, or nothing more once a write has failed."""
        view = memoryview(data).cast("B")
        done = len(view) if self.failed else 0
        try:
            while done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self.failed = error
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Bring the file to a length; HDF5 does so when it closes it."""
        try:
            return self.tell() if self.failed else super().truncate(size)
        except OSError as error:
            self.failed = error
            return self.tell()


@contextmanager
def full_disk_is_told(path: Path) -> Iterator[Sink]:
    """Give a file to write to; a write that failed is raised when the block ends, however it ends.

    Raises
    ------
    OSError
        The first that the file met.
    """
    with Sink(path, "w+b") as sink:
        try:
            yield sink
        except Exception as error:
            # What was dropped cannot be read back: HDF5 may stumble over that, too.
            if sink.failed:
                raise sink.failed from error
            raise
        if sink.failed:
            raise sink.failed
