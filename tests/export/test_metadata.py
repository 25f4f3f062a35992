import json
from pathlib import Path

import numpy as np
import pytest

from gazecode.errors import ParameterError, SchemaError
from gazecode.export import (
    hdf5,
    inputs_digest,
    jsonl,
    parquet,
    read_metadata,
    safetensors,
    to_batch,
)
from gazecode.export.metadata import for_examples, load, upgrade


def test_numpy_values_are_written_as_numbers():
    fields = json.loads(for_examples({"parameters": {"n": np.int64(3), "x": np.array([1.5])}}))
    assert fields["parameters"] == {"n": 3, "x": [1.5]}


def test_unknown_inputs_are_said_to_be_unknown():
    fields = json.loads(for_examples())
    assert (fields["tokenizer_sha256"], fields["inputs_sha256"]) == ("", "")
    assert fields["parameters"] == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {"schema_version": 2},
            "provenance names schema_version, which the package writes itself; leave it out",
            id="reserved",
        ),
        pytest.param(
            {"units": "ms"},
            "units in the provenance is 'ms'; expected a mapping of column to unit",
            id="units",
        ),
        pytest.param({"file": Path("x")}, "Path is no JSON value", id="path"),
        pytest.param({"a": {1: 2, "b": 3}}, "not supported between instances", id="keys"),
        pytest.param({"a": float("inf")}, "Out of range float", id="infinite"),
        pytest.param({"a": "\ud800"}, "surrogates not allowed", id="surrogate"),
    ],
)
def test_provenance_that_cannot_be_written(given, said):
    with pytest.raises(ParameterError) as caught:
        for_examples(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_metadata_that_are_broken():
    with pytest.raises(SchemaError) as caught:
        load("{", name="w.h5")
    assert str(caught.value) == (
        "w.h5: the metadata under the key gazecode is not JSON; export the file again"
    )


def test_rows_of_now_are_never_said_to_be_of_an_older_version(tmp_path, make_example):
    """Whoever hands on the metadata of an old file with its rows need not know of versions."""
    old = json.dumps({"schema_version": 1, "units": {"weight": "1"}, "split": {"part": "train"}})
    for write, name in (
        (parquet.write_batches, "w.parquet"),
        (hdf5.write_batches, "w.h5"),
        (jsonl.write_batches, "w.jsonl"),
        (safetensors.write_batches, "w.safetensors"),
    ):
        write([to_batch([make_example()])], tmp_path / name, said=old)
        said = read_metadata(tmp_path / name)
        assert said["schema_version"] == 2
        assert said["split"] == {"part": "train"}
        assert said["units"]["weight"] == "1"
        assert said["units"]["transition_from"] == "position"


def test_current_metadata_are_left_as_they_are():
    text = '{"schema_version": 2,  "b": 1, "a": 2}'
    assert upgrade(text) == text


def test_inputs_digest_does_not_depend_on_the_order():
    assert inputs_digest({"a": "1", "b": "2"}) == inputs_digest({"b": "2", "a": "1"})
    assert inputs_digest({"a": "1", "b": "2"}) != inputs_digest({"a": "2", "b": "1"})
