"""The recipe of docs/schema.md, written again in plain Python, against the package's own."""

import hashlib
import struct

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.export import COLUMNS, to_batch
from gazecode.export.digest import batch_digests


def _value(value, kind):
    if kind.startswith("list<"):
        inner = kind[len("list<") : -1]
        return struct.pack("<Q", len(value)) + b"".join(_value(v, inner) for v in value)
    if kind == "string":
        raw = value.encode("utf-8")
        return struct.pack("<Q", len(raw)) + raw
    return struct.pack({"int32": "<i", "float": "<f", "bool": "<?"}[kind], value)


def recomputed(row):
    parts = [_value(row[c.name], c.type) for c in COLUMNS if c.name != "row_digest"]
    return hashlib.sha256(b"gazecode row 2\n" + b"".join(parts)).hexdigest()


@settings(max_examples=40)
@given(data=st.data())
def test_equals_an_independent_implementation(data, some_examples):
    rows = to_batch(data.draw(some_examples)).to_pylist()
    assert [row["row_digest"] for row in rows] == [recomputed(row) for row in rows]


def test_every_column_counts(make_example):
    first = to_batch([make_example()])
    for i, column in enumerate(COLUMNS[:-1]):
        values = first.column(i).to_pylist()[0]
        other = {"string": "x", "int32": 9, "bool": True, "float": 0.625}[column.element]
        changed = [other, *values[1:]] if column.is_list else other
        array = pa.array([changed], first.schema.field(i).type)
        edited = first.set_column(i, first.schema.field(i), array)
        assert batch_digests(edited) != batch_digests(first), column.name


def test_what_stands_in_neighbouring_fields_is_told_apart(make_example):
    """Lengths are part of it: moving a letter from one text to the next changes the digest."""
    a, b = (
        to_batch([make_example("ab", source_id="c"), make_example("a", source_id="bc")])
        .column("row_digest")
        .to_pylist()
    )
    assert a != b


def test_a_slice_of_a_batch_has_the_digests_of_its_rows(make_example):
    batch = to_batch([make_example(str(i)) for i in range(5)])
    assert batch_digests(batch.slice(2, 2)) == batch_digests(batch)[2:4]
