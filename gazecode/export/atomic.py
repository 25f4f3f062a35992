"""A file appears under its final name whole, or not at all.

What is written goes to a hidden file in the same folder (the same file system, so that the last
step is one rename), is forced to disk, and then takes the final name with `os.replace`. Whatever
goes wrong before that leaves an older file of that name as it was.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gazecode.errors import ParameterError

__all__ = ["replacing"]

_NAME_CHARS = 100
"""How much of the final name the hidden one repeats: names have a limit (255 bytes mostly)."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a hidden path to write to; it takes the name `path` when the block ends well.

    Parameters
    ----------
    path
        The final name. Its folder must exist; a link is followed, so that its target is replaced.

    Yields
    ------
    Path
        A name in the same folder, not yet there, with the same suffix. The block must have closed
        its file when it ends.

    Raises
    ------
    ParameterError
        The folder does not exist, or `path` is something other than a plain file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "out.txt") as part:
    ...     _ = part.write_text("done")
    >>> [p.name for p in folder.iterdir()]
    ['out.txt']
    """
    final = Path(os.path.realpath(path))
    _check_destination(final)
    part = final.with_name(f".{final.stem[:_NAME_CHARS]}.{secrets.token_hex(6)}{final.suffix}")
    try:
        yield part
        _force_to_disk(part)
        part.replace(final)
    except BaseException:
        # An interrupt counts, too: the half-written file must not stay behind.
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        _force_folder_to_disk(final.parent)


def _check_destination(final: Path) -> None:
    if not final.parent.is_dir():
        raise ParameterError(
            f"{final}: no folder {final.parent} to write to; make it first or choose another path"
        )
    if final.exists() and not final.is_file():
        raise ParameterError(f"{final} is not a plain file; give the name of a file to write")


def _force_to_disk(part: Path) -> None:
    with part.open("r+b") as file:
        os.fsync(file.fileno())


def _force_folder_to_disk(folder: Path) -> None:
    # The rename itself is only durable once the folder is.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
