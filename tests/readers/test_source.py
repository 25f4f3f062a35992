"""A file as a reader meets it: bounded, unpacked, without a byte-order mark."""

import gzip
import hashlib
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.source import HEAD_BYTES, Source, normalise_lines


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"no such file; check the path$"):
        Source(tmp_path / "absent.asc")


def test_head_is_bounded_and_without_mark(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xef\xbb\xbf" + b"x" * (HEAD_BYTES + 9))
    assert Source(file).head == b"x" * (HEAD_BYTES - 3)


def test_gzip_is_unpacked_in_head_and_whole(tmp_path):
    file = tmp_path / "a.asc.gz"
    text = b"\xef\xbb\xbf" + b"line\n" * 50_000
    file.write_bytes(gzip.compress(text))
    source = Source(file)
    assert source.name == "a.asc"
    assert source.head == text[3:HEAD_BYTES]
    assert source.read_bytes() == text[3:]


def test_cut_gzip_still_has_a_head_and_says_that_it_is_broken(tmp_path):
    packed = gzip.compress(bytes(range(256)) * 400, mtime=0)
    file = tmp_path / "a.asc.gz"
    file.write_bytes(packed[: len(packed) - 12])
    assert Source(file).head[:256] == bytes(range(256))
    with pytest.raises(FormatError, match=r"a\.asc\.gz: the gzip archive is broken after .* bytes"):
        Source(file).read_bytes()


def test_broken_gzip_has_no_head(tmp_path):
    file = tmp_path / "a.gz"
    file.write_bytes(b"\x1f\x8bnot an archive")
    assert Source(file).head == b""


def test_decompression_bomb_is_refused(tmp_path):
    file = tmp_path / "bomb.asc.gz"
    file.write_bytes(gzip.compress(b"\0" * (180 * 1024**2), compresslevel=9))
    with pytest.raises(TooLarge, match="refused as a decompression bomb"):
        Source(file).read_bytes()


def test_folder_has_no_head_no_digest_and_no_bytes(tmp_path):
    source = Source(tmp_path)
    assert (source.head, source.sha256()) == (b"", "")
    with pytest.raises(FormatError, match="is a folder; name a file in it"):
        source.read_bytes()


def test_digest_is_of_the_file_on_the_disk(tmp_path):
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress(b"abc"))
    assert Source(file).sha256() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_start_is_one_printable_line(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"\r\n\x1b[31mred\xff\tx\nsecond")
    assert Source(file).start == "'\\x1b[31mred\ufffd\\tx'"


def test_text_falls_back_to_the_code_page(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes("Größe".encode("cp1252"))
    assert Source(file).read_text() == "Größe"
    file.write_text("Größe", encoding="utf-8-sig")
    assert Source(file).read_text() == "Größe"


def test_siblings_leave_the_file_out(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("x")
    assert [p.name for p in Source(tmp_path / "a.csv").siblings("*.csv")] == ["b.csv"]


@given(
    text=st.lists(
        st.sampled_from([b"ab", b"\r", b"\n", b"\r\n", b"\r\r\n", b"x" * 9]), max_size=40
    ),
    size=st.integers(1, 30),
)
def test_blocks_are_the_text_in_whole_lines(text, size, tmp_path_factory):
    raw = b"".join(text)
    path = tmp_path_factory.mktemp("blocks") / "a.txt"
    path.write_bytes(raw)
    with mock.patch("gazecode.readers.source._CHUNK", 7):
        got = list(Source(path).blocks(size=size))
    assert b"".join(got) == normalise_lines(raw)
    assert all(block.endswith(b"\n") for block in got[:-1])
    assert all(got)
