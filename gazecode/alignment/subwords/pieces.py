"""How a piece of a vocabulary splits characters: byte-level BPE and byte fallback.

Byte-level BPE spells bytes as 256 printable characters (Radford et al. 2019, the GPT-2 encoder):
printable Latin-1 stands for itself, the 68 others for U+0100 and up, in order. Byte fallback
(Kudo & Richardson 2018, doi:10.18653/v1/D18-2012, SentencePiece) writes a byte as ``<0xF0>``.
"""

import re

__all__ = ["byte_alphabet", "piece_bytes", "piece_edges"]

_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def byte_alphabet() -> dict[str, int]:
    """The byte each character of the byte-level alphabet stands for.

    >>> alphabet = byte_alphabet()
    >>> len(alphabet), alphabet["a"], alphabet["Ġ"], alphabet["Ċ"]
    (256, 97, 32, 10)
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(printable)]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


_BYTE = byte_alphabet()


def piece_edges(piece: str, *, byte_level: bool) -> tuple[int, int]:
    """Bytes of a character begun before the piece, and of one that goes on after it.

    Both are 0 for pieces of whole characters. A piece from the middle of a character has all its
    bytes in the first number.

    >>> piece_edges("ĠðŁĺ", byte_level=True)  # a blank, then three of the four bytes of an emoji
    (0, 3)
    >>> piece_edges("Ģ", byte_level=True), piece_edges("<0xF0>", byte_level=False)
    ((1, 0), (0, 1))
    """
    data = piece_bytes(piece, byte_level=byte_level)
    head = 0
    while head < len(data) and _continues(data[head]):
        head += 1
    if head == len(data):
        return head, 0
    last = len(data) - 1
    while _continues(data[last]):
        last -= 1
    begun = len(data) - last
    return head, begun if begun < _length(data[last]) else 0


def piece_bytes(piece: str, *, byte_level: bool) -> bytes:
    """Bytes a piece spells out; none if it is not made of bytes.

    >>> piece_bytes("Ġx", byte_level=True), piece_bytes("Ġx", byte_level=False)
    (b' x', b'')
    """
    fallback = _FALLBACK.fullmatch(piece)
    if fallback:
        return bytes([int(fallback[1], 16)])
    if not byte_level or any(c not in _BYTE for c in piece):
        return b""
    return bytes(_BYTE[c] for c in piece)


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80


def _length(first: int) -> int:
    """Bytes of the character that begins so in UTF-8."""
    return 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
