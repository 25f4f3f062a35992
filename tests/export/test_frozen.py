"""Files written when version 1 of the schema was made are read as they were, for ever."""

import gzip
import json
from pathlib import Path

import pytest

from gazecode.export import convert, read_examples, read_metadata, to_batch, validate

FROZEN = Path(__file__).parent / "frozen"
EXPECTED = json.loads((FROZEN / "version-1.expected.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["version-1.parquet", "version-1.h5.gz", "version-1.jsonl"])
def frozen(request, tmp_path):
    path = FROZEN / request.param
    if path.suffix != ".gz":
        return path
    unpacked = tmp_path / path.stem
    unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    return unpacked


def test_rows_are_read_as_they_were_written(frozen):
    assert to_batch(read_examples(frozen)).to_pylist() == EXPECTED["rows"]


def test_metadata_are_read_as_they_were_written(frozen):
    said = read_metadata(frozen)
    assert said["schema_version"] == 1
    for key in ("parameters", "tokenizer_sha256", "inputs_sha256"):
        assert said[key] == EXPECTED["provenance"][key]
    assert said["units"].items() >= {"token_value": "ms", "weight": "1"}.items()


def test_it_is_still_valid(frozen):
    report = validate(frozen)
    assert report.problems == ()
    assert report.n_rows == len(EXPECTED["rows"])


@pytest.mark.parametrize("suffix", ["parquet", "h5", "jsonl"])
def test_it_can_still_be_converted(frozen, tmp_path, suffix):
    convert(frozen, tmp_path / f"new.{suffix}")
    assert to_batch(read_examples(tmp_path / f"new.{suffix}")).to_pylist() == EXPECTED["rows"]


def test_they_are_small():
    assert max(path.stat().st_size for path in FROZEN.iterdir()) < 20_000
