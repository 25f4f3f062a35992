"""A file as a reader meets it: first bytes, text, neighbours. Bounded, gunzipped, decoded once."""

import codecs
import fnmatch
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from gazecode.disk import check_plain
from gazecode.errors import FormatError, TooLarge

__all__ = ["HEAD_BYTES", "MAX_BYTES", "Source", "normalise_lines"]

HEAD_BYTES = 64 * 1024
MAX_BYTES = 4 * 1024**3
"""The most a file may unpack to; a bomb is refused long before memory is gone."""
MAX_RATIO = 200
"""The most that what is packed inside a file (HDF5) may expand by."""
FREE_BYTES = 16 * 1024**2
GZIP_RATIO = 100
"""The most a gzip file may expand by beyond `FREE_BYTES`; wide tables of lost gaze reach 60."""
MANY_MEMBERS = 10_000
MIN_MEMBER_BYTES = 256
"""What members of a gzip file hold on average if they are many; empty ones only cost time."""

BLOCK_BYTES = 256 << 10
"""What `Source.blocks` gives at a time: small beside a recording, large beside a call."""
MAX_LINE_BYTES = 4 << 20
"""Of a line; the longest of a real export has some thousand bytes."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_CHUNK = 128 << 10
_PACKED_CHUNK = 16 << 10
_START_BYTES = 400
_START_CHARACTERS = 60


def normalise_lines(raw: bytes) -> bytes:
    r"""Return the text with LF line ends, from LF, CRLF, CR CR LF or CR.

    >>> normalise_lines(b"a\r\r\nb\r\nc\rd")
    b'a\nb\nc\nd'
    """
    if b"\r" not in raw:
        return raw
    return raw.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _gunzip_head(raw: bytes) -> bytes:
    head = b""
    try:
        for part in _unpack(iter([raw])):
            head += part
            if len(head) >= HEAD_BYTES:
                break
    except EOFError:
        # There is more of the file than its first bytes.
        pass
    except (zlib.error, FormatError):
        # A broken archive: reading it whole will say so.
        return b""
    return head[:HEAD_BYTES]


def _unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What the members of a gzip file hold, at most `_CHUNK` at a time; zeros pad between them.

    Raises
    ------
    zlib.error, EOFError
        It is damaged, or breaks off.
    TooLarge
        Nearly empty members without end.
    """
    member = zlib.decompressobj(wbits=31)
    size = n_members = 0
    begun = False
    for piece in pieces:
        raw = piece
        while raw := raw if begun else raw.lstrip(b"\0"):
            part = member.decompress(raw, _CHUNK)
            size += len(part)
            if part:
                yield part
            begun = not member.eof
            raw = member.unconsumed_tail if begun else member.unused_data
            if not begun:
                member = zlib.decompressobj(wbits=31)
                n_members += 1
                if n_members > MANY_MEMBERS and size < n_members * MIN_MEMBER_BYTES:
                    raise TooLarge(
                        f"a gzip file of over {MANY_MEMBERS} members that hold {size} bytes in "
                        "all; refused, because it costs time for nothing. Unpack it and pack it "
                        "again"
                    )
    # What was unpacked and did not fit into the last part.
    while begun and (part := member.decompress(b"", _CHUNK)):
        yield part
        begun = not member.eof
    if begun and not member.eof:
        raise EOFError("it ends before its end-of-stream marker")


@dataclass(frozen=True)
class Source:
    """A file or folder to be sniffed and read.

    `head` is what `sniff(source) -> bool` decides on: the first decompressed bytes, without a
    byte-order mark. A folder has an empty head.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        check_plain(self.path)

    @property
    def name(self) -> str:
        """Name without a ``.gz`` suffix."""
        return self.path.name.removesuffix(".gz")

    @cached_property
    def head(self) -> bytes:
        """First decompressed bytes (at most `HEAD_BYTES`), byte-order mark removed."""
        if self.path.is_dir():
            return b""
        with self.path.open("rb") as file:
            raw = file.read(HEAD_BYTES)
        if raw.startswith(_GZIP):
            raw = _gunzip_head(raw)
        if encoding := _UTF16.get(raw[:2]):
            raw = raw[2:].decode(encoding, "ignore").encode()
        return raw.removeprefix(_BOM)

    @property
    def start(self) -> str:
        """The first characters of the file, printable, for messages.

        Control characters come escaped: what a file holds never reaches a terminal as it is.
        """
        line = self.head[:_START_BYTES].decode("utf-8", "replace").lstrip("\r\n")
        line = line.splitlines()[0] if line else ""
        return repr(line[:_START_CHARACTERS])

    def sha256(self) -> str:
        """Digest of the file as it lies on the disk; the empty string for a folder."""
        if self.path.is_dir():
            return ""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def siblings(self, pattern: str) -> list[Path]:
        """Files beside this one that match a glob, sorted."""
        # Names first, paths for those that match: a folder may hold a hundred thousand files.
        folder = self.path.parent
        try:
            with os.scandir(folder) as entries:
                names = fnmatch.filter((entry.name for entry in entries), pattern)
        except OSError:
            return []
        return [folder / name for name in sorted(names) if name != self.path.name]

    def read_bytes(self) -> bytes:
        """Everything, decompressed, without byte-order mark; refuses bombs and broken archives."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Everything as `read_bytes` gives it, some 100 kB at a time; for readers that stream.

        Unpacked where it is gzipped, brought to UTF-8 where a byte-order mark says UTF-16.
        """
        if self.path.is_dir():
            raise FormatError(f"{self.path} is a folder; name a file in it")
        parts = self._unpacked()
        first = next(parts, b"")
        if encoding := _UTF16.get(first[:2]):
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            yield decoder.decode(first[2:]).encode()
            for part in parts:
                yield decoder.decode(part).encode()
            yield decoder.decode(b"", final=True).encode()
            return
        yield first.removeprefix(_BOM)
        yield from parts

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        r"""Whole lines of about `size` bytes at a time, line ends LF, the last one as it is.

        What a reader of text streams: the file is never in memory whole.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "a.txt"
        ...     _ = file.write_bytes(b"t\tx\r\n1\t2\r\n3\t4")
        ...     list(Source(file).blocks())
        [b't\tx\n1\t2\n3\t4']
        """
        held: list[bytes] = []
        n_held, has_end = 0, False
        for chunk in self.chunks():
            held.append(chunk)
            n_held += len(chunk)
            has_end = has_end or b"\n" in chunk or b"\r" in chunk
            if n_held > MAX_LINE_BYTES and not has_end:
                raise TooLarge(
                    f"{self.path.name} holds a line of over {MAX_LINE_BYTES} bytes; expected rows "
                    "of text. Is this the right file?"
                )
            if n_held < size or not has_end:
                continue
            raw = b"".join(held)
            end = _last_line_end(raw)
            held, n_held, has_end = [raw[end:]], len(raw) - end, False
            yield from _split_blocks(normalise_lines(raw[:end]), size)
        if n_held:
            yield from _split_blocks(normalise_lines(b"".join(held)), size)

    def _unpacked(self) -> Iterator[bytes]:
        packed = self.path.stat().st_size
        if packed > MAX_BYTES:
            raise TooLarge(f"{self.path.name} holds {packed} bytes; at most {MAX_BYTES} are read")
        with self.path.open("rb") as file:
            first = file.read(_CHUNK)
            if not first.startswith(_GZIP):
                while first:
                    yield first
                    first = file.read(_CHUNK)
                return
        yield from self._gunzip(packed)

    def _gunzip(self, packed: int) -> Iterator[bytes]:
        limit = min(MAX_BYTES, FREE_BYTES + packed * GZIP_RATIO)
        size = 0
        try:
            with self.path.open("rb") as file:
                # Little at a time: what follows the end of a member is copied.
                for part in _unpack(iter(partial(file.read, _PACKED_CHUNK), b"")):
                    size += len(part)
                    if size > limit:
                        raise TooLarge(
                            f"{self.path.name} ({packed} bytes) unpacks to over {limit} bytes; "
                            "refused as a decompression bomb. Unpack it yourself if you trust it"
                        )
                    yield part
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(
                f"{self.path.name}: the gzip archive is broken after {size} bytes ({error}); "
                "copy the file again"
            ) from error

    def read_text(self, *, fallback: str = "cp1252") -> str:
        """Everything as text: UTF-8 first, then the format's known code page."""
        raw = self.read_bytes()
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode(fallback, "replace")


def _last_line_end(raw: bytes) -> int:
    """Where the last whole line ends; 0 if there is none.

    A CR at the very end may be the first half of a CRLF, so it ends nothing yet.
    """
    end = raw.rfind(b"\n") + 1
    return end or raw.rstrip(b"\r").rfind(b"\r") + 1


def _split_blocks(raw: bytes, size: int) -> Iterator[bytes]:
    """Pieces of whole lines, about `size` bytes each."""
    start = 0
    while len(raw) - start > 2 * size:
        end = raw.find(b"\n", start + size) + 1
        if not end:
            break
        yield raw[start:end]
        start = end
    if start < len(raw):
        yield raw[start:]
