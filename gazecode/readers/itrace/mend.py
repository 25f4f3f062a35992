"""The not well-formed XML of some iTrace plug-ins, mended as it streams.

Sublime and Notepad++ close their lists with ``<gazes/><itrace_plugin/>``; Notepad++ leaves no
blank between attributes; JetBrains, Sublime and Notepad++ do not escape attribute text and write
it in the code page of the machine. Nothing else is touched, so that a file which broke off still
says so.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.source import Source
from gazecode.readers.tools.xml import Group, Kind, read_xml

__all__ = ["Mender", "read_tolerantly"]

_BAD_WRITERS = (b'plugin_type="SUBLIME"', b'plugin_type="NOTEPAD++"')
_CLOSING = re.compile(rb"<gazes\s*/>\s*<itrace_plugin\s*/>\s*\Z")
_VALUE = re.compile(rb'="([^"]*)"(?=(\w?))')
_LONE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_SAYS_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-?8)", re.IGNORECASE)
_TAIL_BYTES = 4096


def read_tolerantly(
    source: Source,
    rows: Mapping[str, Mapping[str, Kind]],
    heads: Collection[str],
    notes: list[str],
) -> Group:
    """Read a document as XML; if it is none, as its plug-in's writer means it, with a note."""
    strict: FormatError | None = None
    # These never close their lists: the first reading would fail at the very end.
    if not any(writer in source.head for writer in _BAD_WRITERS):
        try:
            return read_xml(source.chunks(), name=source.name, rows=rows, heads=heads)[0]
        except TooLarge:
            raise
        except FormatError as error:
            strict = error
    mender = Mender()
    try:
        document = read_xml(mender.blocks(source), name=source.name, rows=rows, heads=heads)[0]
    except FormatError as error:
        raise (error if strict is None or mender.changed else strict) from None
    if mender.changed:
        notes.append(
            f"{source.name} is not well-formed XML as its plug-in writes it; read all the same"
        )
    return document


class Mender:
    """Mends a document block by block; `changed` says whether there was anything to mend."""

    def __init__(self) -> None:
        self.changed = False

    def blocks(self, source: Source) -> Iterator[bytes]:
        """The document, mended."""
        decode = not _SAYS_ENCODING.search(source.head[:200])
        last = b""
        for block in source.blocks():
            if last and len(block) >= _TAIL_BYTES:
                yield last
                last = b""
            # A short block is the file's end: the closing tags may lie in the one before.
            last += self._mend(block, decode=decode)
        closed = _CLOSING.sub(b"</gazes></itrace_plugin>\n", last)
        self.changed |= closed != last
        yield closed

    def _mend(self, block: bytes, *, decode: bool) -> bytes:
        mended = _VALUE.sub(_mend_value, _as_utf8(block) if decode else block)
        self.changed |= mended != block
        return mended


def _mend_value(match: re.Match[bytes]) -> bytes:
    value: bytes = match[1]
    if b"&" in value:
        value = _LONE_AMPERSAND.sub(b"&amp;", value)
    return b'="' + value.replace(b"<", b"&lt;") + (b'" ' if match[2] else b'"')


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("cp1252", "replace").encode()
    return block
