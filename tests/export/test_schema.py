import re
from dataclasses import MISSING, fields
from pathlib import Path

import pyarrow as pa
import pytest

from gazecode import alignment
from gazecode.export.schema import COLUMNS, ROUTES, SCHEMA_VERSION, arrow_schema
from gazecode.export.scores_table import scores_schema
from gazecode.export.upgrade import USUAL
from gazecode.model import Example

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


VERSION_2 = {
    **{name: kind for name, kind in VERSION_1.items() if name != "row_digest"},
    "route": pa.string(),
    "pair_id": pa.string(),
    "pair_side": pa.string(),
    "window": pa.int32(),
    "n_windows": pa.int32(),
    "attention_share": pa.float32(),
    "inert_weight": pa.float32(),
    "segment_name": pa.list_(pa.string()),
    "segment_start": pa.list_(pa.int32()),
    "segment_end": pa.list_(pa.int32()),
    "transition_from": pa.list_(pa.int32()),
    "transition_to": pa.list_(pa.int32()),
    "transition_share": pa.list_(pa.float32()),
    "transition_count": pa.list_(pa.float32()),
    "row_digest": pa.string(),
}


@pytest.mark.parametrize(("version", "columns"), [(1, VERSION_1), (2, VERSION_2)])
def test_columns_types_and_order_of_a_version_never_change(version, columns):
    schema = arrow_schema(version=version)
    assert version <= SCHEMA_VERSION
    assert list(zip(schema.names, schema.types, strict=True)) == list(columns.items())


def test_what_is_new_gets_the_value_an_example_has_by_default():
    """Read as examples or converted: what version 1 does not say comes out the same."""
    usual = {f.name: f.default for f in fields(Example) if f.default is not MISSING}
    for column in COLUMNS:
        if column.since > 1 and not column.is_list:
            value = USUAL.get(column.name, "" if column.element == "string" else 0)
            assert value == usual[column.name]


def test_the_written_schema_names_every_column_with_type_and_unit():
    text = WRITTEN.read_text(encoding="utf-8")
    weights, scores = text.split("\n## The table of scores\n")
    rows = re.findall(r"^\| `(\w+)` \| `([\w<>]+)` \| ([^|]*?) \|", weights, flags=re.MULTILINE)
    assert rows == [(c.name, c.type, c.unit) for c in COLUMNS]
    assert f"version {SCHEMA_VERSION}" in text
    named = re.findall(r"^\| ((?:`\w+` )+)\| `([\w<>]+)`", scores, flags=re.MULTILINE)
    written = {name: kind for names, kind in named for name in re.findall(r"\w+", names)}
    spelled = {f.name: str(f.type).replace("list<element: ", "list<") for f in scores_schema()}
    assert written == spelled


def test_routes_are_those_that_alignment_knows():
    """The schema writes them down: a route of its own is no route that a reader can know."""
    assert set(ROUTES) == {"", *alignment.ROUTES}
