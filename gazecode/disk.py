"""Writing so that nothing is half there: files that appear whole, folders with one writer.

What is written goes to a hidden file in the same folder (the same file system, so that the last
step is one rename), is forced to disk, and then takes the final name with `os.replace`. Whatever
goes wrong before that leaves an older file of that name as it was.
"""

import hashlib
import os
import secrets
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gazecode.errors import FormatError, ParameterError, TooLarge

__all__ = [
    "LOCK",
    "alone_in",
    "check_plain",
    "printable",
    "read_limited",
    "replacing",
    "replacing_folder",
    "sha256_of",
]

LOCK = ".gazecode-lock"

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


@contextmanager
def replacing_folder(path: str | os.PathLike[str], *, known_by: str) -> Iterator[Path]:
    """Give a hidden folder to write to; its ``new`` takes the name `path` when the block ends well.

    Parameters
    ----------
    path
        The final name. The folder that is there before is replaced as a whole.
    known_by
        Name of a file that is in every folder of this kind: no other is ever replaced.

    Yields
    ------
    Path
        An empty folder beside the final one, for ``new`` and for what goes with the block.

    Raises
    ------
    ParameterError
        There is something else at `path`, or no folder to put it into.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing_folder(folder / "data", known_by="state.json") as beside:
    ...     (beside / "new").mkdir()
    >>> [p.name for p in folder.iterdir()]
    ['data']
    """
    final = Path(path).absolute()
    if not final.parent.is_dir():
        raise ParameterError(f"{final}: no folder {final.parent} to write to; make it first")
    if final.exists() and not (final / known_by).is_file():
        raise ParameterError(
            f"{final} is there and is no saved dataset; choose another name, or remove it"
        )
    prefix = f".{final.name[:_NAME_CHARS]}."
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=prefix) as name:
        beside = Path(name)
        yield beside
        if final.exists():
            final.replace(beside / "old")
        try:
            (beside / "new").replace(final)
        except BaseException:
            if (beside / "old").exists():
                (beside / "old").replace(final)
            raise


def check_plain(path: Path, *, name: Path | None = None) -> None:
    """Refuse what is neither file nor folder: a device never ends, a pipe never begins.

    Parameters
    ----------
    name
        What to call it, where messages must not show the folder.

    Raises
    ------
    FormatError
        For a device, a pipe, a socket, a name that no file system can hold, a loop of links.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FormatError(f"{_short(name or path)}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{_short(name or path)}: cannot be opened ({_why(error)})") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FormatError(f"{_short(name or path)} is a device or a pipe; name a file")


def read_limited(path: Path, limit_bytes: int) -> bytes:
    """Bytes of a file of reasonable size; a larger one is refused before it is read.

    Raises
    ------
    TooLarge
        It holds more than `limit_bytes`.
    FormatError
        It is no plain file, or cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.java"
    >>> _ = file.write_text("int x;")
    >>> read_limited(file, 100)
    b'int x;'
    """
    check_plain(path)
    try:
        with path.open("rb") as file:
            # A file that grows, or one that says it is empty (/proc), is bounded as it is read.
            known = os.fstat(file.fileno()).st_size
            raw = b"" if known > limit_bytes else file.read(limit_bytes + 1)
    except OSError as error:
        raise FormatError(f"{_short(path)}: cannot be read ({_why(error)})") from error
    if max(known, len(raw)) > limit_bytes:
        raise TooLarge(
            f"{_short(path)} holds {max(known, len(raw))} bytes; expected at most {limit_bytes}. "
            "Is this the right file?"
        )
    return raw


def printable(text: str, most: int | None = None) -> str:
    r"""Text as it may go to a terminal and stays on one line; at most `most` characters.

    What files and their names hold may be made to be shown: escape sequences that recolour or
    rewrite the screen, line ends that forge a line, marks that turn the direction of writing.
    They come escaped. Letters of every script, spaces, and the joiners that some scripts need,
    stay.

    >>> printable("P01 \x1b[31mred\nP02"), printable("größe 名"), printable("x" * 9, 5)
    ('P01 \\x1b[31mred\\nP02', 'größe 名', 'xxxxx...')
    """
    if most is not None and len(text) > most:
        text = f"{text[:most]}..."
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else _escaped(c) for c in text)


def _is_harmless(c: str) -> bool:
    return c.isprintable() or c in "\u200c\u200d" or unicodedata.category(c) == "Zs"


def _escaped(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")


def _short(path: Path) -> str:
    """A path for messages: long ones cut, control characters escaped."""
    return printable(str(path), _NAME_CHARS * 3)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


if sys.platform == "win32":

    def _lock(file: TextIO) -> None:
        """No such locks there: two runs into one folder are the user's care."""

else:
    import fcntl

    def _lock(file: TextIO) -> None:
        """Take the lock or raise; it goes with the process."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second run out of the folder; a run that was killed leaves no lock behind.

    Raises
    ------
    ParameterError
        Another run holds it.
    """
    path = folder / LOCK
    with path.open("w", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError:
            raise ParameterError(
                f"another run is writing into {folder}; wait for it, or name another folder"
            ) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
