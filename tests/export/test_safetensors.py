"""What is particular to safetensors; what all containers share is in test_opening.py."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from gazecode.errors import DataError, SchemaError
from gazecode.export import (
    convert,
    iter_examples,
    open_stored,
    read_examples,
    read_metadata,
    to_batch,
    to_parquet,
    to_safetensors,
    validate,
)
from gazecode.export import safetensors_reader as reader
from gazecode.export.safetensors import tensors_of


@pytest.fixture
def two(tmp_path, make_example):
    path = tmp_path / "w.safetensors"
    to_safetensors([make_example("a"), make_example("zwei ß")], path, provenance={"seed": 3})
    return path


def test_the_library_opens_it(two):
    tensors = load_file(two)
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {
        tensor.name: np.dtype(tensor.dtype) for tensor in tensors_of(2)
    }
    assert tensors["position.ends"].tolist() == [4, 8]
    assert tensors["weight"].tolist()[:4] == [1.0, 0.5, 1.5, np.float32(1.1)]
    first, second = np.split(tensors["input_ids"], tensors["position.ends"][:-1])
    assert first.tolist() == second.tolist() == [1, 40, 7, 300]
    names = np.split(tensors["example_id"], tensors["example_id.ends"][:-1])
    assert [name.tobytes().decode() for name in names] == ["a", "zwei ß"]
    labels = np.split(tensors["token_label"], tensors["token_label.ends"][:-1])
    assert [label.tobytes().decode() for label in labels[:3]] == ["type", "variable", ""]
    assert tensors["token.ends"].tolist() == [3, 6]


def test_the_metadata_are_under_their_key(two):
    raw = two.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert list(header["__metadata__"]) == ["gazecode"]
    assert json.loads(header["__metadata__"]["gazecode"]) == read_metadata(two)
    assert read_metadata(two)["seed"] == 3


def test_every_tensor_lies_where_its_numbers_are_aligned(two):
    raw = two.read_bytes()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    assert (8 + n) % 8 == 0
    for tensor in tensors_of(2):
        assert header[tensor.name]["data_offsets"][0] % np.dtype(tensor.dtype).itemsize == 0


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_digests_are_those_of_the_other_containers(data, tmp_path, some_examples):
    examples = data.draw(some_examples)
    path = tmp_path / "w.safetensors"
    to_safetensors(examples, path)
    rows = [row for batch in open_stored(path).batches() for row in batch.to_pylist()]
    assert rows == to_batch(examples).to_pylist()


def test_batches_are_cut_between_long_rows(tmp_path, make_example, monkeypatch, same_examples):
    monkeypatch.setattr(reader, "BATCH_VALUES", 25)
    monkeypatch.setattr(reader, "BATCH_ROWS", 7)
    rows = [make_example(str(i)) for i in range(20)]
    to_safetensors(rows, tmp_path / "w.safetensors")
    sizes = [batch.num_rows for batch in open_stored(tmp_path / "w.safetensors").batches()]
    assert sum(sizes) == 20
    assert max(sizes) <= 3
    assert same_examples(list(iter_examples(tmp_path / "w.safetensors")), rows)


def test_json_lines_are_told_from_it(tmp_path, make_example):
    """Both begin with an object; only one of them with a length before it."""
    to_safetensors([make_example()], tmp_path / "a")
    convert(tmp_path / "a", tmp_path / "b.jsonl")
    assert open_stored(tmp_path / "a").container == "safetensors"
    assert open_stored(tmp_path / "b.jsonl").container == "JSONL"
    text = (tmp_path / "b.jsonl").read_text(encoding="utf-8")
    (tmp_path / "c").write_text(" " * 8 + text, encoding="utf-8")
    assert open_stored(tmp_path / "c").container == "JSONL"


def _said(path):
    with pytest.raises(SchemaError) as caught:
        read_examples(path)
    assert "\n" not in str(caught.value)
    assert not validate(path).ok
    return str(caught.value)


@pytest.mark.parametrize(
    "length", [2**63 - 1, 2**40, 10**8 + 1], ids=["int64", "tebibyte", "above the limit"]
)
def test_a_header_of_a_length_no_file_has(tmp_path, two, length):
    raw = two.read_bytes()
    two.write_bytes(length.to_bytes(8, "little") + raw[8:])
    said = _said(two)
    assert said.startswith("w.safetensors: this safetensors file is cut short or broken (")


def _with_header(path, change):
    raw = path.read_bytes()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + n :])


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        pytest.param("weight", "data_offsets", [0, 32], id="overlap"),
        pytest.param("weight", "data_offsets", [32, 0], id="backward"),
        pytest.param("weight", "data_offsets", [2**62, 2**62 + 32], id="far away"),
        pytest.param("weight", "shape", [2**62], id="shape"),
        pytest.param("weight", "shape", [-8], id="negative"),
        pytest.param("weight", "dtype", "F33", id="no type"),
    ],
)
def test_a_hostile_header(two, name, key, value):
    _with_header(two, lambda header: header[name].update({key: value}))
    said = _said(two)
    assert "cut short or broken" in said


def _resaved(path, **changed):
    tensors = load_file(path) | changed
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    save_file(kept, path, metadata={"gazecode": json.dumps(read_metadata(path))})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(
            {"weight": np.ones(8)},
            "column weight is stored as weight, F64 with 1 dimensions; expected F32 with 1 "
            "dimensions; export the file again",
            id="type",
        ),
        pytest.param(
            {"weight": np.ones((2, 4), dtype=np.float32)},
            "column weight is stored as weight, F32 with 2 dimensions; expected F32 with 1 "
            "dimensions; export the file again",
            id="rectangle",
        ),
        pytest.param(
            {"position.ends": None},
            "column input_ids is stored as position.ends, missing; expected I64 with 1 dimensions;"
            " export the file again",
            id="no ends",
        ),
        pytest.param(
            {"weight": np.ones(7, dtype=np.float32)},
            "tensor weight has 7 values; expected 8, export the file again",
            id="fewer values",
        ),
        pytest.param(
            {"n_people": np.ones(1, dtype=np.int32)},
            "tensor example_id.ends has 2 values; expected 1, export the file again",
            id="fewer rows",
        ),
        pytest.param(
            {"position.ends": np.array([9, 8])},
            "position.ends holds 9 at 0; expected ends that never decrease, the last of them 8; "
            "export the file again",
            id="beyond",
        ),
        pytest.param(
            {"position.ends": np.array([5, 4])},
            "position.ends holds 4 at 1; expected ends that never decrease, the last of them 8; "
            "export the file again",
            id="decreasing",
        ),
        pytest.param(
            {"position.ends": np.array([-1, 8])},
            "position.ends holds -1 at 0; expected ends that never decrease, the last of them 8; "
            "export the file again",
            id="negative",
        ),
        pytest.param(
            {"position.ends": np.array([4, 7])},
            "position.ends holds 7 at 1; expected ends that never decrease, the last of them 8; "
            "export the file again",
            id="left over",
        ),
        pytest.param(
            {"text.ends": np.array([2**62, 22])},
            "text.ends holds 4611686018427387904 at 0; expected ends that never decrease, the last "
            "of them 22; export the file again",
            id="text far away",
        ),
    ],
)
def test_tensors_that_do_not_fit(two, changed, said):
    _resaved(two, **changed)
    assert _said(two) == f"w.safetensors: {said}"


def test_text_that_is_not_utf8_is_named(two):
    text = load_file(two)["text"].copy()
    text[15] = 0xFF
    _resaved(two, text=text)
    assert _said(two).startswith("w.safetensors: row 1: text is b'int ")
    problem = validate(two).problems[0]
    assert (problem.row, problem.column) == (1, "text")


def test_truth_values_are_0_or_1(two):
    raw = bytearray(two.read_bytes())
    n = int.from_bytes(raw[:8], "little")
    at = json.loads(raw[8 : 8 + n])["loss_mask"]["data_offsets"][0]
    raw[8 + n + at + 6] = 7
    two.write_bytes(raw)
    assert _said(two) == (
        "w.safetensors: row 1: loss_mask holds 7; expected 0 or 1, export the file again"
    )


def test_missing_and_unknown_tensors_are_named(two):
    _resaved(two, weight=None, text=None, **{"text.ends": None}, mine=np.zeros(2))
    assert [str(p) for p in validate(two).problems] == [
        "text: no such column; expected string",
        "weight: no such column; expected list<float>",
        "mine: no column of the schema, no digest covers it",
    ]


def test_a_file_of_something_else(tmp_path):
    save_file({"model.weight": np.zeros(3)}, tmp_path / "model.safetensors")
    assert _said(tmp_path / "model.safetensors") == (
        "model.safetensors: no metadata under the key gazecode; expected a file written by "
        "gazecode, export it again"
    )


@pytest.mark.parametrize("suffix", ["h5", "safetensors"])
def test_lists_of_unequal_length_are_not_written(tmp_path, make_example, suffix):
    """A length that is said once for all lists cannot be right for two that differ."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "w.parquet"
    to_parquet([make_example("a"), make_example("b")], path)
    table = pq.read_table(path)
    i = table.schema.get_field_index("weight")
    short = pa.array([[1.0] * 4, [1.0]], table.schema.field(i).type)
    pq.write_table(table.set_column(i, "weight", short), path)
    with pytest.raises(DataError) as caught:
        convert(path, tmp_path / f"w.{suffix}")
    assert str(caught.value) == (
        "example 'b': weight has 1 values, input_ids 4; expected as many, run gazecode validate "
        "on where it is from"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["w.parquet"]
