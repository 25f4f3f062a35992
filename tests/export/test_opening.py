"""What all containers share: round trips, reruns, atomicity, and files that are not right."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError, SchemaError
from gazecode.export import (
    iter_examples,
    read_examples,
    to_jsonl,
    to_parquet,
    to_safetensors,
    validate,
)

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(data=st.data())
def test_what_was_written_is_read(data, write, path, some_examples, same_examples):
    examples = data.draw(some_examples)
    assert write(examples, path) == len(examples)
    assert same_examples(read_examples(path), examples)
    assert validate(path).problems == ()


def test_a_rerun_is_byte_identical(write, path, make_example):
    provenance = {"parameters": {"b": 1, "a": [1.5]}, "inputs_sha256": "ab"}
    rows = [make_example(str(i)) for i in range(130)]
    write(rows, path, provenance=provenance)
    first = path.read_bytes()
    write(iter(rows), path, provenance=dict(reversed(provenance.items())))
    assert path.read_bytes() == first


def test_no_rows_are_a_valid_file(write, path):
    assert write([], path) == 0
    assert read_examples(path) == []
    assert validate(path).ok


def test_floats_are_exact_float32(write, path, make_example):
    """The digest would find a float that came back by one bit off."""
    bits = np.random.default_rng(1).integers(0, 2**31, 3000, dtype=np.int64).astype(np.int32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)].astype(np.float64)
    n = len(values)
    example = make_example(
        input_ids=np.zeros(n),
        loss_mask=np.ones(n, bool),
        weight=values,
        attention=np.zeros(n),
        on_path=np.zeros(n, bool),
        token_index=np.full(n, -1),
    )
    write([example], path)
    assert np.array_equal(read_examples(path)[0].weight, values)
    assert validate(path).ok


def test_negative_zero_is_zero(write, path, make_example):
    write([make_example(attention=[-0.0, 0.0, 0.0, -0.0])], path)
    assert not np.signbit(read_examples(path)[0].attention).any()


def test_an_exception_of_the_generator_leaves_the_old_file(write, path, make_example):
    write([make_example("old")], path)
    before = path.read_bytes()

    def fails():
        for i in range(1500):
            yield make_example(str(i))
        raise RuntimeError("the tracker caught fire")

    with pytest.raises(RuntimeError, match="caught fire"):
        write(fails(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_content_decides_not_the_name(write, path, make_example, same_examples):
    write([make_example()], path)
    other = path.rename(path.with_suffix(".dat"))
    assert same_examples(read_examples(other), [make_example()])


def test_reading_one_by_one_does_not_read_the_rest(write, path, make_example):
    write((make_example(str(i)) for i in range(3)), path)
    assert next(iter_examples(path)).example_id == "0"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(
            {"weight": [1, np.nan, 1, 1]}, "weight holds nan; expected a finite number", id="NaN"
        ),
        pytest.param(
            {"token_value": [1, 1e39, 1]},
            "token_value holds 1e+39; expected a finite number",
            id="beyond float32",
        ),
        pytest.param(
            {"input_ids": [1, 2, 3, 2**31]},
            "input_ids holds 2147483648; expected a number of 32 bits",
            id="beyond int32",
        ),
        pytest.param(
            {"text": "a\ud800"},
            r"text is no Unicode text ('a\ud800'); give text without half surrogate pairs",
            id="surrogate",
        ),
        pytest.param(
            {"prior_sources": ("a", 3)},
            "prior_sources is no Unicode text (3); give text without half surrogate pairs",
            id="no text",
        ),
    ],
)
def test_values_the_schema_cannot_hold(write, path, make_example, changed, said):
    with pytest.raises(DataError) as caught:
        write([make_example("fine"), make_example("bad", **changed)], path)
    assert str(caught.value) == f"example 'bad': {said}"
    assert list(path.parent.iterdir()) == []


def test_provenance_that_is_no_json(write, path):
    with pytest.raises(ParameterError, match="the provenance does not fit into JSON"):
        write([], path, provenance={"parameters": {"x": float("nan")}})
    assert not path.exists()


def _said(path: Path) -> str:
    with pytest.raises(SchemaError) as caught:
        read_examples(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(
            b"",
            "w begins with b''; expected a Parquet, HDF5, JSONL or safetensors file of gazecode, "
            "this one is empty",
            id="empty",
        ),
        pytest.param(
            b"a,b\n1,2\n",
            r"w begins with b'a,b\n1,2\n'; expected a Parquet, HDF5, JSONL or safetensors file of gazecode",
            id="csv",
        ),
        pytest.param(
            b"{}\n",
            "w: no metadata under the key gazecode; expected a file written by gazecode, "
            "export it again",
            id="no metadata",
        ),
        pytest.param(
            b'{"gazecode": 3}\n',
            "w: the metadata under the key gazecode is no JSON object; export the file again",
            id="metadata no object",
        ),
        pytest.param(
            b'{"gazecode": {"schema_version": 3}}\n',
            "w: schema version 3; this package reads up to 2, update gazecode",
            id="newer",
        ),
        pytest.param(
            b'{"gazecode": {"schema_version": "1"}}\n',
            "w: schema_version is '1'; expected a whole number from 1 to 2, export the file again",
            id="version no number",
        ),
    ],
)
def test_files_that_are_something_else(tmp_path, raw, said):
    (tmp_path / "w").write_bytes(raw)
    assert _said(tmp_path / "w") == said
    report = validate(tmp_path / "w")
    assert not report.ok


def test_no_file_and_a_folder(tmp_path):
    assert _said(tmp_path / "no") == f"{tmp_path / 'no'}: no such file; check the path"
    assert _said(tmp_path) == f"{tmp_path}: is a folder; name a file in it"
    with pytest.raises(SchemaError, match="no such file"):
        validate(tmp_path / "no")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_file_cut_short(write, path, make_example, part):
    write((make_example(str(i)) for i in range(200)), path)
    raw = path.read_bytes()
    # Within a row: JSON lines cut between two rows are a shorter, valid file.
    path.write_bytes(raw[: int(len(raw) * part) // 10 * 10 - 7])
    said = _said(path)
    assert said.startswith(path.name)
    assert "cut short or broken" in said
    report = validate(path)
    assert not report.ok
    assert "cut short or broken" in report.problems[-1].message


@pytest.mark.parametrize("place", range(5))
def test_damage_anywhere_is_found_or_harmless(write, path, make_example, place, same_examples):
    """Ten bytes overwritten: either the package says so, or the rows are as they were."""
    rows = [make_example(str(i)) for i in range(100)]
    write(rows, path)
    raw = bytearray(path.read_bytes())
    at = int(np.random.default_rng(place).integers(8, len(raw) - 10))
    raw[at : at + 10] = b"\x07" * 10
    path.write_bytes(raw)
    try:
        read = read_examples(path)
    except SchemaError:
        assert not validate(path).ok
        return
    assert same_examples(read, rows) or not validate(path).ok


def _rewritten(path: Path, change) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def test_parquet_without_a_column(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)
    _rewritten(path, lambda table: table.drop_columns(["weight", "text"]))
    said = _said(path)
    assert said.startswith("w.parquet: no column text, weight; found example_id, source_id,")
    assert said.endswith(". Export the file again")
    assert [(p.column, p.message) for p in validate(path).problems] == [
        ("text", "no such column; expected string"),
        ("weight", "no such column; expected list<float>"),
    ]


def test_parquet_of_another_type(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)

    def widen(table):
        wide = table["weight"].cast(pa.list_(pa.float64()))
        return table.set_column(table.schema.get_field_index("weight"), "weight", wide)

    _rewritten(path, widen)
    said = "list<element: double>; expected list<float>"
    assert _said(path).startswith("w.parquet: column weight is list<")
    assert [(p.column, p.message.replace("item", "element")) for p in validate(path).problems] == [
        ("weight", said)
    ]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        pytest.param("text", ["a", None], id="text"),
        pytest.param("weight", [[1.0] * 4, None], id="list"),
        pytest.param("weight", [[1.0] * 4, [1.0, None, 1.0, 1.0]], id="in a list"),
    ],
)
def test_parquet_with_a_missing_value(tmp_path, make_example, column, values):
    path = tmp_path / "w.parquet"
    to_parquet([make_example("a"), make_example("b")], path)

    def blank(table):
        i = table.schema.get_field_index(column)
        return table.set_column(i, column, pa.array(values, table.schema.field(i).type))

    _rewritten(path, blank)
    assert _said(path) == (
        f"w.parquet: row 1 has no value in {column}; expected one, export the file again"
    )
    problem = validate(path).problems[0]
    assert (problem.row, problem.column) == (1, column)


def test_rows_of_unequal_lists_are_refused(tmp_path, make_example):
    path = tmp_path / "w.jsonl"
    to_jsonl([make_example()], path)
    head, row = path.read_text(encoding="utf-8").splitlines()
    fields = json.loads(row) | {"weight": [1.0]}
    path.write_text(f"{head}\n{json.dumps(fields)}\n", encoding="utf-8")
    said = _said(path)
    assert said.startswith("w.jsonl: a row from 0 on: Example columns differ in length: ")
    assert said.endswith("; run gazecode validate on it")


@pytest.mark.parametrize("column", ["weight", "attention", "inert_weight", "transition_count"])
def test_a_number_that_is_not_finite_never_becomes_an_example(tmp_path, make_example, column):
    path = tmp_path / "w.safetensors"
    to_safetensors([make_example("good"), make_example("bad")], path)
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[:8], "little") + 8
    last = json.loads(raw[8:size])[column]["data_offsets"][1] + size
    raw[last - 4 : last] = np.float32(np.inf).tobytes()
    path.write_bytes(raw)
    with pytest.raises(SchemaError, match=f"example 'bad': {column} holds inf; expected a finite"):
        read_examples(path)
