import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazecode.errors import DataError, ParameterError
from gazecode.export import read_metadata, write_table


def _frame(n=2, start=0.0):
    frame = pd.DataFrame({"onset_ms": [start + i for i in range(n)], "x_px": [1.5] * n})
    frame.insert(0, "trial", "t1")
    return frame


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(_frame(), id="pandas"),
        pytest.param(
            pa.table({"trial": ["t1", "t1"], "onset_ms": [0.0, 1.0], "x_px": [1.5, 1.5]}),
            id="arrow",
        ),
        pytest.param(
            {"trial": ["t1", "t1"], "onset_ms": [0.0, 1.0], "x_px": [1.5, 1.5]}, id="mapping"
        ),
        pytest.param((_frame(1, i) for i in (0.0, 1.0)), id="stream"),
        pytest.param([_frame(0), _frame(2), _frame(0)], id="with empty ones"),
    ],
)
def test_every_kind_of_table(tmp_path, table):
    path = tmp_path / "fixations.parquet"
    assert write_table(table, path, {"parameters": {"method": "ivt"}}) == 2
    read = pq.read_table(path)
    assert read.to_pydict() == {"trial": ["t1", "t1"], "onset_ms": [0.0, 1.0], "x_px": [1.5, 1.5]}
    assert read.schema.field("trial").type == pa.string()
    said = read_metadata(path)
    assert said["units"] == {"onset_ms": "ms", "trial": "1", "x_px": "px"}
    assert said["parameters"] == {"method": "ivt"}
    assert set(read.schema.metadata) == {b"gazecode"}


def test_units_can_be_named(tmp_path):
    write_table({"share": [1.0]}, tmp_path / "h.parquet", provenance={"units": {"share": "%"}})
    assert read_metadata(tmp_path / "h.parquet")["units"] == {"share": "%"}
    with pytest.raises(ParameterError, match="no 'shar' in the columns that have a unit"):
        write_table({"share": [1.0]}, tmp_path / "h.parquet", {"units": {"shar": "%"}})


def test_a_rerun_is_byte_identical(tmp_path):
    write_table(_frame(), tmp_path / "a.parquet", {"b": 1, "a": 2})
    write_table(_frame(), tmp_path / "b.parquet", {"a": 2, "b": 1})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_only_empty_tables_keep_their_columns(tmp_path):
    assert write_table([_frame(0), _frame(0)], tmp_path / "f.parquet") == 0
    assert pq.read_schema(tmp_path / "f.parquet").names == ["trial", "onset_ms", "x_px"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        pytest.param([], "there is no table to write; give at least one, with columns", id="none"),
        pytest.param(
            [{"a": [1]}, {"b": [1]}],
            "a later table has the columns b (int64); expected those of the first one, a (int64)",
            id="other names",
        ),
        pytest.param(
            [{"a": [1]}, {"a": ["x"]}],
            "a later table has the columns a (string); expected those of the first one, a (int64)",
            id="other types",
        ),
    ],
)
def test_tables_that_do_not_fit(tmp_path, table, said):
    with pytest.raises(DataError) as caught:
        write_table(table, tmp_path / "f.parquet")
    assert str(caught.value) == said
    assert list(tmp_path.iterdir()) == []


def test_columns_of_unequal_length(tmp_path):
    with pytest.raises(DataError, match="the table does not fit into Parquet"):
        write_table({"a": [1], "b": [1, 2]}, tmp_path / "f.parquet")
