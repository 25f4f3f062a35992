"""What is particular to HDF5; what all containers share is in test_opening.py."""

import json

import h5py
import numpy as np
import pytest
import xarray as xr

from gazecode.errors import DataError, SchemaError
from gazecode.export import iter_examples, padding, read_examples, to_hdf5, validate

NOTHING = dict.fromkeys(
    (
        *("segment_name", "segment_start", "segment_end"),
        *("transition_from", "transition_to", "transition_share", "transition_count"),
    ),
    (),
)


@pytest.fixture
def two(tmp_path, make_example):
    short = make_example(
        "two",
        input_ids=[5],
        loss_mask=[True],
        weight=[1.0],
        attention=[1.0],
        on_path=[True],
        token_index=[-1],
        token_start=[],
        token_end=[],
        token_label=np.array([], dtype=object),
        token_value=[],
        prior_sources=(),
        **NOTHING,
    )
    path = tmp_path / "w.h5"
    to_hdf5([make_example(), short], path, provenance={"units": {"token_value": "ms"}})
    return path


def test_xarray_opens_it_with_units_types_and_padding(two):
    with xr.open_dataset(two) as data:
        assert dict(data.sizes) == {
            "example": 2,
            "position": 4,
            "token": 3,
            "segment": 2,
            "transition": 3,
        }
        assert all(data[name].attrs["units"] for name in data.variables)
        assert data["token_value"].attrs["units"] == "ms"
        assert data["length"].values.tolist() == [4, 1]
        assert data["token_length"].values.tolist() == [3, 0]
        assert data["segment_length"].values.tolist() == [2, 0]
        assert data["transition_length"].values.tolist() == [3, 0]
        assert data["segment_name"].values.tolist() == [["code", "answer"], ["", ""]]
        assert data["transition_to"].values.tolist() == [[2, 3, 1], [-1, -1, -1]]
        assert data["input_ids"].dtype == np.int32
        assert data["input_ids"].values.tolist() == [[1, 40, 7, 300], [5, -1, -1, -1]]
        # -1 is content here, no gap: it must not turn into NaN.
        assert data["token_index"].values.tolist() == [[-1, 0, 1, 2], [-1, -1, -1, -1]]
        assert data["loss_mask"].dtype == bool
        assert data["loss_mask"].values[1].tolist() == [True, False, False, False]
        assert data["weight"].dtype == np.float32
        assert np.isnan(data["weight"].values[1, 1:]).all()
        assert data["token_label"].values.tolist() == [["type", "variable", ""], ["", "", ""]]
        assert data["text"].values[0] == "int ß = 0;"
        assert [json.loads(s) for s in data["prior_sources"].values] == [["a"], []]
        assert data.coords["example_id"].values.tolist() == ["one", "two"]
        assert json.loads(data.attrs["gazecode"])["schema_version"] == 2


def test_h5py_opens_it_chunked_packed_and_growable(two):
    with h5py.File(two) as file:
        weight = file["weight"]
        assert weight.compression == "gzip"
        assert weight.chunks[0] > 1
        assert weight.maxshape == (None, None)
        assert weight.attrs["units"] == "1"
        assert np.isnan(weight.attrs["_FillValue"])
        assert file["input_ids"].fillvalue == -1
        assert file["text"].asstr()[0] == "int ß = 0;"
        assert [d[0].name for d in weight.dims] == ["/example", "/position"]
        assert all("units" in v.attrs for k, v in file.items() if k not in _DIMENSIONS)


_DIMENSIONS = {"example", "position", "token", "segment", "transition"}


def test_dimensions_grow_while_it_streams(tmp_path, make_example, monkeypatch, same_examples):
    """The longest row comes last, in another batch and another block than the first."""
    monkeypatch.setattr(padding, "MOST_CELLS", 500)
    monkeypatch.setattr("gazecode.export.rows.BATCH_ROWS", 64)
    rows = [make_example(str(i)) for i in range(200)]
    n = 600
    rows[190] = make_example(
        "long",
        input_ids=np.arange(n),
        loss_mask=np.ones(n, bool),
        weight=np.ones(n),
        attention=np.full(n, 1 / n),
        on_path=np.zeros(n, bool),
        token_index=np.full(n, -1),
    )
    to_hdf5(iter(rows), tmp_path / "w.h5")
    assert same_examples(list(iter_examples(tmp_path / "w.h5")), rows)
    with h5py.File(tmp_path / "w.h5") as file:
        assert file["weight"].shape == (200, n)
        assert np.isnan(file["weight"][0, 4:]).all()
        assert (file["input_ids"][0, 4:] == -1).all()


def test_metadata_may_be_large(tmp_path, make_example):
    """An attribute of HDF5 is limited to 64 KiB unless it is stored as a text of any length."""
    large = "x" * 200_000
    to_hdf5([make_example()], tmp_path / "w.h5", provenance={"parameters": {"note": large}})
    with h5py.File(tmp_path / "w.h5") as file:
        assert json.loads(file.attrs["gazecode"])["parameters"]["note"] == large


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        pytest.param({"text": "int ß\0= 0;"}, "text", id="text"),
        pytest.param(
            {"token_label": np.array(["a", "b\0", "c"], dtype=object)}, "token_label", id="list"
        ),
    ],
)
def test_a_text_hdf5_cannot_hold_is_refused(tmp_path, make_example, changed, column):
    rows = [make_example("fine"), make_example("bad", **changed)]
    with pytest.raises(DataError) as caught:
        to_hdf5(rows, tmp_path / "w.h5")
    assert str(caught.value) == (
        f"example 'bad': {column} holds U+0000, which ends a text in HDF5; "
        "write Parquet or JSONL, or leave the example out"
    )
    assert list(tmp_path.iterdir()) == []


def _edit(path, name, key, value):
    with h5py.File(path, "r+") as file:
        file[name][key] = value


@pytest.mark.parametrize(
    ("name", "key", "value", "said"),
    [
        pytest.param("length", 1, 9, "w.h5: row 1 has length 9; expected 0 to 4", id="too long"),
        pytest.param(
            "token_length", 0, -2, "w.h5: row 0 has token_length -2; expected 0 to 3", id="negative"
        ),
        pytest.param(
            "loss_mask", (1, 0), 7, "w.h5: row 1: loss_mask holds 7; expected 0 or 1", id="truth"
        ),
        pytest.param(
            "prior_sources",
            1,
            "[1",
            "w.h5: row 1: prior_sources is '[1'; expected a JSON list of texts",
            id="json",
        ),
    ],
)
def test_a_broken_row_is_named(two, name, key, value, said):
    _edit(two, name, key, value)
    with pytest.raises(SchemaError) as caught:
        read_examples(two)
    assert str(caught.value) == f"{said}, export the file again"
    problem = validate(two).problems[0]
    assert (problem.row, problem.column) == (int(said.split("row ")[1][0]), name)


def test_missing_and_mistyped_variables_are_named(two):
    with h5py.File(two, "r+") as file:
        del file["text"]
        del file["n_people"]
        file["n_people"] = np.zeros(2)
        file["extra"] = np.zeros(2)
    report = validate(two)
    assert [(p.column, p.message) for p in report.problems] == [
        ("text", "no such column; expected string"),
        ("n_people", "float64 along example; expected int32 along example"),
        ("extra", "no column of the schema, no digest covers it"),
    ]


def test_without_lengths_it_cannot_be_read(two):
    with h5py.File(two, "r+") as file:
        del file["length"]
    with pytest.raises(SchemaError) as caught:
        read_examples(two)
    assert str(caught.value) == (
        "w.h5: variable length is missing; expected int32 along example, export the file again"
    )


def test_a_variable_with_fewer_examples_is_named(two):
    with h5py.File(two, "r+") as file:
        file["weight"].resize(1, axis=0)
    with pytest.raises(SchemaError) as caught:
        read_examples(two)
    assert str(caught.value) == (
        "w.h5: variable weight has 1 examples; expected 2 as in length, export the file again"
    )


def test_nothing_is_read_from_another_file(two, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x07\x00\x00\x00" * 2)
    for make in (
        lambda file: file.create_dataset("n_people", (2,), "i4", external=[(secret, 0, 8)]),
        lambda file: file.__setitem__("n_people", h5py.ExternalLink(secret, "/x")),
        lambda file: file.__setitem__("n_people", h5py.SoftLink("/window")),
    ):
        with h5py.File(two, "r+") as file:
            del file["n_people"]
            make(file)
        with pytest.raises(SchemaError, match="'n_people' is a link or lies in another file"):
            read_examples(two)
        assert not validate(two).ok


def test_a_length_of_what_is_not_there_takes_no_memory(two):
    most = 2**31 - 1
    with h5py.File(two, "r+") as file:
        for name in ("input_ids", "loss_mask", "weight", "attention", "on_path", "token_index"):
            file[name].resize(most, axis=1)
        file["length"][0] = most
    with pytest.raises(SchemaError, match=f"length {most}; expected 0 to 16777216"):
        read_examples(two)
