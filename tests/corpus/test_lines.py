import gzip
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.corpus.lines import bounded_lines, opened


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_lines_are_those_of_the_file(parts, limit):
    raw = b"\n".join(parts)
    lines = list(bounded_lines(io.BytesIO(raw), limit))
    expected = io.BytesIO(raw).readlines()
    assert [line.n_bytes for line in lines] == [len(line) for line in expected]
    assert [line.number for line in lines] == list(range(1, len(expected) + 1))
    for line, whole in zip(lines, expected, strict=True):
        assert line.raw in (None, whole)
        assert (line.raw is None) == (len(whole.rstrip(b"\n")) > limit)


def test_a_line_of_any_length_takes_little_memory(tmp_path):
    path = tmp_path / "long.jsonl"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(64):
            file.write(b"x" * 2**20)
        file.write(b"\nshort\n")
    tracemalloc.start()
    with opened(path) as file:
        found = list(bounded_lines(file, 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.n_bytes for line in found] == [64 * 2**20 + 1, 6]
    assert found[1].raw == b"short\n"
    assert peak < 8 * 2**20


@pytest.mark.parametrize("packed", [False, True])
def test_packed_files_are_told_by_content(tmp_path, packed):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(gzip.compress(b"one\ntwo") if packed else b"one\ntwo")
    with opened(path) as file:
        assert [line.raw for line in bounded_lines(file, 100)] == [b"one\n", b"two"]
