"""Damage as files meet it: bits flipped, cells swapped, ends cut, other formats spliced in.

`mutated(data, rng, others)` gives one damaged copy; the same generator gives the same damage.
"""

import numpy as np

HOSTILE = (
    *(b"\x00", b"\x00" * 300, b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\r\n", b"\n\n\n", b"\x1a"),
    *(
        b"nan",
        b"NaN",
        b"inf",
        b"-inf",
        b"1e309",
        b"1e20",
        b"-1e20",
        b"1e-320",
        b"99999999999999999999",
    ),
    *(b"9223372036854775808", b"-9223372036854775809", b"1,5", b"1.5.2", b"--1", b"0x1F", b"1_000"),
    *(b'"', b'""', b"'", b";", b"\t", b",", b"|", b"<", b">", b"&", b"]]>", b"<!--", b"-->"),
    *(b'<!DOCTYPE a [<!ENTITY b "c">]>', b"&b;", b"<?xml version='1.0'?>", b"<response/>", b"</"),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"true",
        b'"x":',
        b"(",
        b")",
        b"(nan, nan)",
        b"MSG",
        b"START",
    ),
    *(
        b"\xc3\x28",
        b"\xed\xa0\x80",
        "é漢😀\u202e".encode(),
        b"../../../etc/passwd",
        b"%s%n",
        b"=1+1",
    ),
    *(b"a" * 5000, b"1" * 5000, b"\t" * 500, b"-", b".", b"-1", b"0", b"2147483648", b"NA", b"n/a"),
)


def mutated(data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """One to four kinds of damage, one after the other."""
    raw = data
    for _ in range(int(rng.integers(1, 5))):
        raw = KINDS[int(rng.integers(len(KINDS)))](raw, rng, others)
    return raw[: 4 * len(data) + 20_000]


def _at(raw: bytes, rng: np.random.Generator) -> int:
    return int(rng.integers(len(raw) + 1))


def flip(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    out = bytearray(raw)
    for _ in range(int(rng.integers(1, 12))):
        if out:
            out[int(rng.integers(len(out)))] = int(rng.integers(256))
    return bytes(out)


def cut(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    return raw[: _at(raw, rng)]


def drop(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    a = _at(raw, rng)
    return raw[:a] + raw[a + int(rng.integers(1, 200)) :]


def repeat(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    a = _at(raw, rng)
    part = raw[a : a + int(rng.integers(1, 300))]
    return raw[:a] + part * int(rng.integers(2, 5)) + raw[a:]


def insert(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    a = _at(raw, rng)
    return raw[:a] + HOSTILE[int(rng.integers(len(HOSTILE)))] + raw[a:]


def splice(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    other = others[int(rng.integers(len(others)))]
    a, b = _at(raw, rng), _at(other, rng)
    return raw[:a] + other[b : b + 400] + raw[a + int(rng.integers(400)) :]


def lines(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """Lines swapped, dropped or said twice."""
    rows = raw.split(b"\n")
    a, b = (int(rng.integers(len(rows))) for _ in "ab")
    kind = int(rng.integers(3))
    if kind == 0:
        rows[a], rows[b] = rows[b], rows[a]
    elif kind == 1:
        del rows[min(a, b) : max(a, b) // 2 + 1]
    else:
        rows.insert(b, rows[a])
    return b"\n".join(rows)


def cells(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """Some cells, attributes or words of some lines replaced by something hostile."""
    rows = raw.split(b"\n")
    for _ in range(int(rng.integers(1, 6))):
        i = int(rng.integers(len(rows)))
        separator = next((s for s in (b"\t", b";", b",", b'"', b" ") if s in rows[i]), b" ")
        parts = rows[i].split(separator)
        parts[int(rng.integers(len(parts)))] = HOSTILE[int(rng.integers(len(HOSTILE)))]
        rows[i] = separator.join(parts)
    return b"\n".join(rows)


def column(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """One column replaced in every line: all stamps equal, all cells missing."""
    rows = raw.split(b"\n")
    middle = rows[len(rows) // 2]
    separator = next((s for s in (b"\t", b";", b",", b'"', b" ") if s in middle), b" ")
    k = int(rng.integers(middle.count(separator) + 1))
    value = HOSTILE[int(rng.integers(len(HOSTILE)))][:40]
    for i in range(int(rng.integers(3)), len(rows)):
        parts = rows[i].split(separator)
        if k < len(parts):
            parts[k] = value
            rows[i] = separator.join(parts)
    return b"\n".join(rows)


KINDS = (flip, flip, cut, drop, repeat, insert, insert, splice, lines, cells, cells, column)
