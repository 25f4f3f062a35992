"""Files written when a version of the schema was made are read as they were, for ever."""

import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gazecode.export import convert, open_stored, read_examples, read_metadata, to_batch, validate
from gazecode.export.schema import COLUMNS, SCHEMA_VERSION

FROZEN = Path(__file__).parent / "frozen"
CONTAINERS = ("parquet", "h5", "jsonl", "safetensors")
NEW = {
    "route": "",
    "pair_id": "",
    "pair_side": "",
    "window": 0,
    "n_windows": 1,
    "attention_share": 1.0,
    "inert_weight": 0.0,
    "segment_name": [],
    "segment_start": [],
    "segment_end": [],
    "transition_from": [],
    "transition_to": [],
    "transition_share": [],
    "transition_count": [],
}
"""What a file of version 1 says of the columns that it does not have."""
FILES = [(1, name) for name in ("parquet", "h5.gz", "jsonl")] + [
    (2, name) for name in ("parquet", "h5.gz", "jsonl", "safetensors")
]


@pytest.fixture(params=FILES, ids=lambda param: f"{param[1]}, version {param[0]}")
def frozen(request, tmp_path):
    version, suffix = request.param
    path = FROZEN / f"version-{version}.{suffix}"
    if path.suffix != ".gz":
        return version, path
    unpacked = tmp_path / path.stem
    unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    return version, unpacked


def _expected(version):
    text = (FROZEN / f"version-{version}.expected.json").read_text(encoding="utf-8")
    return json.loads(text)


def _content(rows):
    """Everything but the digest, which another version computes in another way."""
    return [{name: row[name] for name in row if name != "row_digest"} for row in rows]


def _of_now(version):
    """The rows as the current version has them, without digests."""
    rows = _content(_expected(version)["rows"])
    return [row | NEW for row in rows] if version == 1 else rows


def test_rows_are_read_as_they_were_written(frozen):
    version, path = frozen
    assert _content(to_batch(read_examples(path)).to_pylist()) == _of_now(version)


def test_digests_are_read_as_they_were_written(frozen):
    version, path = frozen
    rows = [row for batch in open_stored(path).rows() for row in batch.to_pylist()]
    assert rows == _expected(version)["rows"]


def test_metadata_are_read_as_they_were_written(frozen):
    version, path = frozen
    said = read_metadata(path)
    assert said["schema_version"] == version
    for key in ("parameters", "tokenizer_sha256", "inputs_sha256"):
        assert said[key] == _expected(version)["provenance"][key]
    assert said["units"].items() >= {"token_value": "ms", "weight": "1"}.items()


def test_it_is_still_valid(frozen):
    version, path = frozen
    report = validate(path)
    assert report.problems == ()
    assert report.schema_version == version
    assert report.n_rows == len(_expected(version)["rows"])


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_it_can_still_be_converted(frozen, tmp_path, suffix):
    version, path = frozen
    new = tmp_path / f"new.{suffix}"
    convert(path, new)
    assert _content(to_batch(read_examples(new)).to_pylist()) == _of_now(version)
    report = validate(new)
    assert report.problems == ()
    assert report.schema_version == SCHEMA_VERSION


def test_metadata_are_converted_to_the_current_version(frozen, tmp_path):
    version, path = frozen
    convert(path, tmp_path / "new.parquet")
    before, after = read_metadata(path), read_metadata(tmp_path / "new.parquet")
    units = {column.name: column.unit for column in COLUMNS if column.since > version}
    assert after == before | {
        "schema_version": SCHEMA_VERSION,
        "units": before["units"] | units,
    }


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_an_edited_row_of_version_1_stays_detectable(tmp_path, suffix):
    path = tmp_path / "edited.jsonl"
    text = (FROZEN / "version-1.jsonl").read_text(encoding="utf-8")
    path.write_text(text.replace("Sum.java", "Subtract.java"), encoding="utf-8")
    assert [(p.row, p.column) for p in validate(path).problems] == [(0, "row_digest")]
    convert(path, tmp_path / f"new.{suffix}")
    problems = validate(tmp_path / f"new.{suffix}").problems
    assert [(p.row, p.column) for p in problems] == [(0, "row_digest")]


def test_a_digest_that_fits_by_another_version_only_fits_nothing(tmp_path):
    """An edited row whose digest was made by the newer recipe is still an edited row."""
    good = tmp_path / "good.jsonl"
    convert(FROZEN / "version-1.jsonl", good)
    newer = json.loads(good.read_text(encoding="utf-8").splitlines()[1])["row_digest"]
    lines = (FROZEN / "version-1.jsonl").read_text(encoding="utf-8").splitlines()
    older = json.loads(lines[1])["row_digest"]
    path = tmp_path / "edited.jsonl"
    path.write_text("\n".join(lines).replace(older, newer), encoding="utf-8")
    convert(path, tmp_path / "new.parquet")
    for file in (path, tmp_path / "new.parquet"):
        assert [(p.row, p.column) for p in validate(file).problems] == [(0, "row_digest")]


def test_a_file_of_version_1_has_no_column_of_version_2(tmp_path):
    table = pq.read_table(FROZEN / "version-1.parquet")
    path = tmp_path / "w.parquet"
    pq.write_table(table.append_column("route", [[1, 2, 3]]), path)
    assert [str(p) for p in validate(path).problems] == [
        "route: no column of the schema, no digest covers it"
    ]
    assert [example.route for example in read_examples(path)] == ["", "", ""]


def test_a_file_of_version_2_has_all_columns_of_version_2(tmp_path):
    table = pq.read_table(FROZEN / "version-2.parquet").drop_columns(["window"])
    pq.write_table(table, tmp_path / "w.parquet")
    assert [str(p) for p in validate(tmp_path / "w.parquet").problems] == [
        "window: no such column; expected int32"
    ]


def test_every_column_of_version_2_is_more_than_its_usual_value():
    rows = _expected(2)["rows"]
    for name, usual in NEW.items():
        assert any(row[name] != usual for row in rows), name


def test_they_are_small():
    assert max(path.stat().st_size for path in FROZEN.iterdir()) < 20_000
