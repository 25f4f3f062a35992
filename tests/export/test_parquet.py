"""What is particular to Parquet; what all containers share is in test_opening.py."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazecode.errors import SchemaError
from gazecode.export import parquet, read_examples, to_parquet, validate


def test_pandas_reads_lists_and_numbers(tmp_path, make_example):
    to_parquet([make_example()], tmp_path / "w.parquet")
    row = pd.read_parquet(tmp_path / "w.parquet").iloc[0]
    assert row["weight"].tolist() == [1.0, 0.5, 1.5, 1.100000023841858]
    assert row["token_label"].tolist() == ["type", "variable", ""]
    assert row["n_people"] == 1


def test_metadata_say_version_units_and_provenance(tmp_path, make_example):
    provenance = {
        "parameters": {"method": "ivt"},
        "tokenizer_sha256": "ab",
        "inputs_sha256": "cd",
        "units": {"token_value": "ms"},
    }
    to_parquet([make_example()], tmp_path / "w.parquet", provenance=provenance)
    said = pq.read_schema(tmp_path / "w.parquet").metadata[b"gazecode"].decode()
    fields = json.loads(said)
    assert fields["schema_version"] == 2
    assert fields["package_version"]
    assert {k: fields[k] for k in provenance if k != "units"} == {
        k: v for k, v in provenance.items() if k != "units"
    }
    assert fields["units"].items() >= {"token_value": "ms", "token_start": "byte"}.items()
    assert list(fields["units"]) == sorted(pq.read_schema(tmp_path / "w.parquet").names)
    assert list(fields) == sorted(fields)


def test_one_row_group_per_batch(tmp_path, make_example):
    to_parquet((make_example(str(i)) for i in range(1500)), tmp_path / "w.parquet")
    file = pq.ParquetFile(tmp_path / "w.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(2)] == [1024, 476]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_column_that_is_there_twice_is_refused(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)
    table = pq.read_table(path)
    pq.write_table(table.append_column("weight", table.column("weight")), path)
    with pytest.raises(SchemaError, match="'weight' is there twice"):
        read_examples(path)
    assert not validate(path).ok


def bomb(path, example, name, values):
    """A file of a few kB whose one row holds `values` in a column."""
    to_parquet([example], path)
    table = pq.read_table(path)
    number = table.schema.get_field_index(name)
    field = table.schema.field(name)
    table = table.set_column(number, field, pa.array([values], field.type))
    pq.write_table(table, path, compression="zstd")
    return path.stat().st_size


LONG_LIST = np.ones(2**16 + 1, dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("weight", LONG_LIST, "unpacks to 65537 values of a column in 1 rows; expected at most"),
        (
            "text",
            "x" * 2**20,
            r"unpacks to 10\d{5} bytes in 1 rows; expected at most 1048576 a row",
        ),
    ],
)
def test_rows_that_unpack_to_far_more_are_refused(small, make_example, name, values, message):
    assert bomb(small, make_example(), name, values) < 50_000
    with pytest.raises(SchemaError, match=message):
        read_examples(small)
    assert not validate(small).ok


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Where a file lies of which less is read than elsewhere."""
    monkeypatch.setattr(parquet, "MOST_VALUES", 2**16)
    monkeypatch.setattr(parquet, "MOST_BYTES", 2**20)
    return tmp_path / "w.parquet"


def test_too_little_memory_is_not_called_a_broken_file(monkeypatch, tmp_path, make_example):
    to_parquet([make_example()], tmp_path / "w.parquet")

    def fail(*_, **__):
        raise pa.ArrowMemoryError("malloc of size 8 failed")

    monkeypatch.setattr(parquet, "check_nulls", fail)
    with pytest.raises(MemoryError):
        validate(tmp_path / "w.parquet")
