"""A file as a reader meets it: first bytes, text, neighbours. Bounded, gunzipped, decoded once."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gazecode.errors import FormatError, TooLarge

__all__ = ["HEAD_BYTES", "MAX_BYTES", "Source"]

HEAD_BYTES = 64 * 1024
MAX_BYTES = 4 * 1024**3
"""The most a file may unpack to; a bomb is refused long before memory is gone."""
MAX_RATIO = 200
"""The most a gzip file may expand by beyond its first 64 MiB."""

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_START_BYTES = 400
_START_CHARACTERS = 60


def _gunzip_head(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(raw, HEAD_BYTES)
    except zlib.error:
        # A broken archive: reading it whole will say so.
        return b""


@dataclass(frozen=True)
class Source:
    """A file or folder to be sniffed and read.

    `head` is what `sniff(source) -> bool` decides on: the first decompressed bytes, without a
    byte-order mark. A folder has an empty head.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not self.path.exists():
            raise FormatError(f"{self.path}: no such file; check the path")

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
        return raw.removeprefix(b"\xef\xbb\xbf")

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
        return sorted(p for p in self.path.parent.glob(pattern) if p != self.path)

    def read_bytes(self) -> bytes:
        """Everything, decompressed, without byte-order mark; refuses bombs and broken archives."""
        if self.path.is_dir():
            raise FormatError(f"{self.path} is a folder; name a file in it")
        packed = self.path.stat().st_size
        if packed > MAX_BYTES:
            raise TooLarge(f"{self.path.name} holds {packed} bytes; at most {MAX_BYTES} are read")
        with self.path.open("rb") as file:
            start = file.read(2)
        raw = self._gunzip(packed) if start == _GZIP else self.path.read_bytes()
        return raw.removeprefix(b"\xef\xbb\xbf")

    def _gunzip(self, packed: int) -> bytes:
        limit = min(MAX_BYTES, 64 * 1024**2 + packed * MAX_RATIO)
        parts: list[bytes] = []
        size = 0
        try:
            with gzip.open(self.path) as file:
                while part := file.read(_CHUNK):
                    size += len(part)
                    if size > limit:
                        raise TooLarge(
                            f"{self.path.name} ({packed} bytes) unpacks to over {limit} bytes; "
                            "refused as a decompression bomb. Unpack it yourself if you trust it"
                        )
                    parts.append(part)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(
                f"{self.path.name}: the gzip archive is broken after {size} bytes ({error}); "
                "copy the file again"
            ) from error
        return b"".join(parts)

    def read_text(self, *, fallback: str = "cp1252") -> str:
        """Everything as text: UTF-8 first, then the format's known code page."""
        raw = self.read_bytes()
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode(fallback, "replace")
