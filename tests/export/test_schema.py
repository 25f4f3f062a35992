import re
from pathlib import Path

import pyarrow as pa

from gazecode.export.schema import COLUMNS, SCHEMA_VERSION, arrow_schema

WRITTEN = Path(__file__).resolve().parents[2] / "docs" / "schema.md"

VERSION_1 = {
    "example_id": pa.string(),
    "source_id": pa.string(),
    "participant": pa.string(),
    "trial": pa.string(),
    "language": pa.string(),
    "text": pa.string(),
    "input_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.bool_()),
    "weight": pa.list_(pa.float32()),
    "attention": pa.list_(pa.float32()),
    "on_path": pa.list_(pa.bool_()),
    "token_index": pa.list_(pa.int32()),
    "token_start": pa.list_(pa.int32()),
    "token_end": pa.list_(pa.int32()),
    "token_label": pa.list_(pa.string()),
    "token_value": pa.list_(pa.float32()),
    "participant_group": pa.string(),
    "source_group": pa.string(),
    "prior_sources": pa.list_(pa.string()),
    "n_people": pa.int32(),
    "source_sha256": pa.string(),
    "row_digest": pa.string(),
}


def test_columns_types_and_order_of_version_1_never_change():
    schema = arrow_schema()
    assert SCHEMA_VERSION == 1
    assert list(zip(schema.names, schema.types, strict=True)) == list(VERSION_1.items())


def test_the_written_schema_names_every_column_with_type_and_unit():
    text = WRITTEN.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `([\w<>]+)` \| ([^|]*?) \|", text, flags=re.MULTILINE)
    assert rows == [(c.name, c.type, c.unit) for c in COLUMNS]
    assert f"version {SCHEMA_VERSION}" in text
