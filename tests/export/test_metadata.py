import json
from pathlib import Path

import numpy as np
import pytest

from gazecode.errors import ParameterError, SchemaError
from gazecode.export import inputs_digest
from gazecode.export.metadata import for_examples, load


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


def test_inputs_digest_does_not_depend_on_the_order():
    assert inputs_digest({"a": "1", "b": "2"}) == inputs_digest({"b": "2", "a": "1"})
    assert inputs_digest({"a": "1", "b": "2"}) != inputs_digest({"a": "2", "b": "1"})
