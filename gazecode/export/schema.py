"""The written schema of a weights file, version 2: columns, types, units. See ``docs/schema.md``.

All containers (Parquet, HDF5, JSONL, safetensors) hold the same columns under the same names; what
is different in each is said in its own module. A column says since which version it is there:
files of older versions are read without it, for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gazecode.errors import SchemaError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "BY_NAME",
    "COLUMNS",
    "COUNTED_BY",
    "PAIR_SIDES",
    "ROUTES",
    "SCHEMA_VERSION",
    "BrokenRow",
    "Column",
    "arrow_schema",
    "columns_of",
]

SCHEMA_VERSION = 2
"""Counted up when the columns, their types or meanings change; older versions stay readable."""

ROUTES = ("", "source_lm", "answer_prior", "copy", "attention")
"""How a weight comes to the loss; empty if nobody said."""
PAIR_SIDES = ("", "chosen", "rejected")


class BrokenRow(SchemaError):
    """A row that cannot be read; knows its number (0-based) and, where it is one, its column."""

    def __init__(self, message: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.row = row
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the schema.

    Attributes
    ----------
    name, type
        Arrow's name of the type: ``string``, ``int32``, ``list<float>``, ...
    along
        ``example`` for one value per row, else what the list counts: ``position`` (subwords),
        ``token`` (AST tokens), ``segment``, ``transition`` or ``source``.
    unit
        Unit of the values; ``1`` for what has none.
    meaning
        What it says, in a few words.
    since
        The version of the schema that brought it.
    """

    name: str
    type: str
    along: str = "example"
    unit: str = "1"
    meaning: str
    since: int = 1

    @property
    def element(self) -> str:
        """Type of one value: ``string``, ``int32``, ``bool`` or ``float``."""
        return self.type.removeprefix("list<").removesuffix(">")

    @property
    def is_list(self) -> bool:
        """Whether a row holds a list."""
        return self.type.startswith("list<")


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, type="string", meaning=meaning)


def _new(name: str, kind: str, meaning: str, *, along: str = "example", unit: str = "1") -> Column:
    return Column(name=name, type=kind, along=along, unit=unit, meaning=meaning, since=2)


def _each(along: str, name: str, element: str, meaning: str, *, unit: str = "1") -> Column:
    return Column(name=name, type=f"list<{element}>", along=along, unit=unit, meaning=meaning)


COLUMNS: tuple[Column, ...] = (
    _text("example_id", "name of the row, unique in the file"),
    _text("source_id", "name of the source text"),
    _text("participant", "who read; empty if pooled or nobody"),
    _text("trial", "which reading; empty if pooled or none"),
    _text("language", "language of the source"),
    _text("text", "the exact text that was tokenized"),
    _each("position", "input_ids", "int32", "subword ids"),
    _each("position", "loss_mask", "bool", "true where a trainer should count the subword"),
    _each("position", "weight", "float", "loss weight of the subword as a target; 1.0 is neutral"),
    _each("position", "attention", "float", "human attention mass; sums to 1 or is all 0"),
    _each("position", "on_path", "bool", "on the (pseudo) scan path"),
    _each("position", "token_index", "int32", "AST token of the subword; -1 for none"),
    _each("token", "token_start", "int32", "first byte of the AST token in text", unit="byte"),
    _each("token", "token_end", "int32", "end of the AST token in text, exclusive", unit="byte"),
    _each("token", "token_label", "string", "semantic label; empty for none"),
    _each("token", "token_value", "float", "value of the AST token before alignment"),
    _text("participant_group", "participants never to be split"),
    _text("source_group", "near-duplicate sources never to be split"),
    _each("source", "prior_sources", "string", "sources whose gaze went into a prior used here"),
    Column(name="n_people", type="int32", unit="count", meaning="people behind the values"),
    _text("source_sha256", "SHA-256 of the source's bytes, hexadecimal; empty if unknown"),
    _new("route", "string", "how the weight comes to the loss; empty if nobody said"),
    _new("pair_id", "string", "pair of answers to one prompt; empty for none"),
    _new("pair_side", "string", "chosen or rejected; empty for none"),
    _new("window", "int32", "which window of a long text, from 0"),
    _new("n_windows", "int32", "windows of the whole text", unit="count"),
    _new("attention_share", "float", "share of the whole text's attention in this window"),
    _new("inert_weight", "float", "weight withheld from positions without a loss"),
    _new("segment_name", "list<string>", "named part of the template", along="segment"),
    _new("segment_start", "list<int32>", "its first position", along="segment", unit="position"),
    _new("segment_end", "list<int32>", "its end, exclusive", along="segment", unit="position"),
    _new("transition_from", "list<int32>", "saccade from", along="transition", unit="position"),
    _new("transition_to", "list<int32>", "saccade to", along="transition", unit="position"),
    _new("transition_share", "list<float>", "share of the row's saccades", along="transition"),
    _new("transition_count", "list<float>", "saccades", along="transition", unit="count"),
    _text("row_digest", "SHA-256 of all other columns of the row, hexadecimal"),
)

BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}


COUNTED_BY: Mapping[str, str] = {
    "position": "input_ids",
    "token": "token_start",
    "source": "prior_sources",
    "segment": "segment_start",
    "transition": "transition_from",
}
"""What lists count → the column whose lengths the others along it must have."""


@cache
def columns_of(version: int) -> tuple[Column, ...]:
    """Return the columns that files of a version have, in their order.

    >>> len(columns_of(1)), len(columns_of(2))
    (22, 36)
    """
    return tuple(column for column in COLUMNS if column.since <= version)


def arrow_schema(metadata: str | None = None, *, version: int = SCHEMA_VERSION) -> "pa.Schema":
    """Return the columns as an Arrow schema, with `metadata` under the key ``gazecode``.

    >>> arrow_schema().field("weight").type
    ListType(list<element: float>)
    """
    bare = _bare_schema(version)
    return bare if metadata is None else bare.with_metadata({"gazecode": metadata})


@cache
def _bare_schema(version: int) -> "pa.Schema":
    import pyarrow as pa

    elements = {
        "string": pa.string(),
        "int32": pa.int32(),
        "bool": pa.bool_(),
        "float": pa.float32(),
    }
    fields = []
    for column in columns_of(version):
        value = elements[column.element]
        # "element" is the name the Parquet format prescribes, so a file gives back the same type.
        kind = pa.list_(pa.field("element", value)) if column.is_list else value
        fields.append(pa.field(column.name, kind))
    return pa.schema(fields)
