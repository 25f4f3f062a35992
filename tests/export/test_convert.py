import itertools

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazecode.errors import ParameterError, SchemaError
from gazecode.export import convert, read_metadata, to_parquet, validate

FEW = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(data=st.data())
def test_once_around_gives_identical_rows(data, tmp_path, some_examples):
    examples = data.draw(some_examples)
    start, end = tmp_path / "a.parquet", tmp_path / "d.parquet"
    to_parquet(examples, start, provenance={"parameters": {"é": 0.1}})
    between = [tmp_path / name for name in ("b.h5", "c.jsonl", "c.safetensors")]
    for a, b in itertools.pairwise([start, *between, end]):
        assert convert(a, b) == len(examples)
    assert pq.read_table(end).equals(pq.read_table(start), check_metadata=True)
    # So small that both have one row group: even the bytes are the same.
    assert end.read_bytes() == start.read_bytes()


@pytest.mark.parametrize("suffix", ["parquet", "h5", "hdf5", "nc", "jsonl", "JSONL", "safetensors"])
def test_every_pair(write, path, tmp_path, make_example, suffix):
    write([make_example("a"), make_example("b")], path, provenance={"seed": 3})
    other = tmp_path / f"other.{suffix}"
    assert convert(path, other) == 2
    assert read_metadata(other) == read_metadata(path)
    assert validate(other).ok


def test_many_batches(write, path, tmp_path, make_example):
    write((make_example(str(i)) for i in range(1100)), path)
    convert(path, tmp_path / "other.parquet")
    names = pq.read_table(tmp_path / "other.parquet")["example_id"].to_pylist()
    assert names == [str(i) for i in range(1100)]


def test_a_file_may_be_converted_onto_itself(tmp_path, make_example):
    path = tmp_path / "a.h5"
    to_parquet([make_example()], path)
    convert(path, path)
    assert validate(path).container == "HDF5"
    assert validate(path).ok


def test_an_edited_row_stays_detectable(tmp_path, make_example):
    to_parquet([make_example("a"), make_example("b")], tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    shuffled = table.set_column(5, "text", table["text"].take([1, 0]))
    other = table["participant"].take([1, 0])
    shuffled = shuffled.set_column(0, "example_id", table["example_id"].take([1, 0]))
    pq.write_table(shuffled.set_column(2, "participant", other), tmp_path / "b.parquet")
    convert(tmp_path / "b.parquet", tmp_path / "c.jsonl")
    problems = validate(tmp_path / "c.jsonl").problems
    assert [(p.row, p.column) for p in problems] == [(0, "row_digest"), (1, "row_digest")]


def test_an_unknown_suffix_and_a_broken_source(tmp_path, make_example):
    to_parquet([make_example()], tmp_path / "a.parquet")
    with pytest.raises(ParameterError, match=r"^no '.csv' in suffixes of a weights file; choose"):
        convert(tmp_path / "a.parquet", tmp_path / "b.csv")
    (tmp_path / "b.jsonl").write_text("{}")
    with pytest.raises(SchemaError, match="no metadata"):
        convert(tmp_path / "b.jsonl", tmp_path / "c.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "b.jsonl"]
