import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazecode.export import convert, to_batch, to_parquet, validate
from gazecode.export.digest import batch_digests
from gazecode.export.metadata import for_examples
from gazecode.export.parquet import write_batches
from gazecode.export.schema import COLUMNS


def _edited(make_example, row, changed, *, redigest=True):
    """Three rows, one of them with other content, the digest made to fit it."""
    batch = to_batch([make_example(name) for name in "abc"])
    for name, value in changed.items():
        i = batch.schema.get_field_index(name)
        values = batch.column(i).to_pylist()
        values[row] = value
        field = batch.schema.field(i)
        batch = batch.set_column(i, field, pa.array(values, field.type))
    if redigest:
        last = len(COLUMNS) - 1
        batch = batch.set_column(last, batch.schema.field(last), pa.array(batch_digests(batch)))
    return batch


@pytest.fixture(params=["parquet", "h5", "jsonl", "safetensors"])
def validated(request, tmp_path, make_example):
    """Problems of a file in which one row was edited, in each container."""

    def run(row, changed, *, redigest=True):
        first = tmp_path / "edited.parquet"
        batch = _edited(make_example, row, changed, redigest=redigest)
        write_batches([batch], first, said=for_examples())
        path = tmp_path / f"w.{request.param}"
        if request.param != "parquet":
            convert(first, path)
        else:
            first.rename(path)
        return [(p.row, p.column, p.message) for p in validate(path).problems]

    return run


@pytest.mark.parametrize(
    ("changed", "column", "said"),
    [
        pytest.param(
            {"input_ids": [1, -5, 7, 300]}, "input_ids", "-5 at 1; expected an id >= 0", id="id"
        ),
        pytest.param(
            {"attention": [0.0, 0.5, 0.25, 0.0]},
            "attention",
            "sums to 0.75; expected 1, or all 0",
            id="sum",
        ),
        pytest.param(
            {"attention": [-0.5, 0.5, 0.5, 0.5]},
            "attention",
            "-0.5 at 0; expected a mass >= 0",
            id="negative mass",
        ),
        pytest.param(
            {"token_start": [4, 0, 7]},
            "token_start",
            "0 at 1; expected spans sorted and disjoint",
            id="order",
        ),
        pytest.param(
            {"token_end": [5, 6, 8]},
            "token_start",
            "4 at 1; expected spans sorted and disjoint",
            id="overlap",
        ),
        pytest.param(
            {"token_end": [3, 6, 12]},
            "token_end",
            "12 at 2; expected spans inside text",
            id="outside",
        ),
        pytest.param(
            {"token_start": [-1, 4, 7]},
            "token_end",
            "3 at 0; expected spans inside text",
            id="negative",
        ),
        pytest.param(
            {"token_end": [3, 6, 6]},
            "token_end",
            "6 at 2; expected an end at or after its start",
            id="backward",
        ),
        pytest.param(
            {"token_index": [-1, 0, 1, 3]},
            "token_index",
            "3 at 3; expected -1 or the number of an AST token of the row",
            id="token",
        ),
        pytest.param(
            {"token_index": [-2, 0, 1, 2]},
            "token_index",
            "-2 at 0; expected -1 or the number of an AST token of the row",
            id="token below",
        ),
        pytest.param({"n_people": -1}, "n_people", "-1; expected a number >= 0", id="people"),
        pytest.param({"example_id": ""}, "example_id", "empty; expected a name", id="no name"),
        pytest.param(
            {"example_id": "a"},
            "example_id",
            "the same as in row 0; expected a name of its own",
            id="repeated",
        ),
        pytest.param(
            {"source_sha256": "0C"},
            "source_sha256",
            "'0C'; expected 64 hexadecimal digits, or nothing",
            id="sha",
        ),
        pytest.param(
            {"route": "by air"},
            "route",
            "'by air'; expected source_lm, answer_prior, copy, attention, or nothing",
            id="route",
        ),
        pytest.param(
            {"pair_side": "left"},
            "pair_side",
            "'left'; expected chosen, rejected, or nothing",
            id="side",
        ),
        pytest.param(
            {"pair_side": ""},
            "pair_id",
            "'pair-1', and pair_side is ''; expected both or neither",
            id="pair without a side",
        ),
        pytest.param(
            {"pair_id": ""},
            "pair_id",
            "'', and pair_side is 'rejected'; expected both or neither",
            id="side without a pair",
        ),
        pytest.param(
            {"window": 3},
            "window",
            "3 of 3; expected a number from 0, below n_windows",
            id="window",
        ),
        pytest.param(
            {"window": -1},
            "window",
            "-1 of 3; expected a number from 0, below n_windows",
            id="window below",
        ),
        pytest.param(
            {"attention_share": 1.5},
            "attention_share",
            "1.5; expected a share from 0 to 1",
            id="share above",
        ),
        pytest.param(
            {"attention_share": -0.5},
            "attention_share",
            "-0.5; expected a share from 0 to 1",
            id="share below",
        ),
        pytest.param(
            {"inert_weight": -0.5},
            "inert_weight",
            "-0.5; expected a finite number >= 0",
            id="inert",
        ),
        pytest.param(
            {"segment_end": [3, 5]},
            "segment_end",
            "5 at 1; expected segments inside the positions",
            id="segment outside",
        ),
        pytest.param(
            {"segment_start": [-1, 3]},
            "segment_end",
            "3 at 0; expected segments inside the positions",
            id="segment before",
        ),
        pytest.param(
            {"segment_end": [0, 4]},
            "segment_end",
            "0 at 0; expected an end at or after its start",
            id="segment backward",
        ),
        pytest.param(
            {"segment_start": [1, 2]},
            "segment_start",
            "2 at 1; expected segments sorted and disjoint",
            id="segments overlap",
        ),
        pytest.param(
            {"transition_from": [1, 1, 4]},
            "transition_from",
            "4 at 2; expected a position of the row",
            id="from outside",
        ),
        pytest.param(
            {"transition_to": [-1, 3, 1]},
            "transition_to",
            "-1 at 0; expected a position of the row",
            id="to outside",
        ),
        pytest.param(
            {"transition_to": [3, 2, 1]},
            "transition_from",
            "1 at 1; expected transitions sorted by from and to, each pair once",
            id="unsorted",
        ),
        pytest.param(
            {"transition_to": [3, 3, 1]},
            "transition_from",
            "1 at 1; expected transitions sorted by from and to, each pair once",
            id="twice",
        ),
        pytest.param(
            {"transition_share": [0.75, 0.5, 1.0]},
            "transition_share",
            "shares from 1 sum to 1.25; expected 1",
            id="shares",
        ),
        pytest.param(
            {"transition_share": [1.5, -0.5, 1.0]},
            "transition_share",
            "-0.5 at 1; expected a finite number >= 0",
            id="negative share",
        ),
        pytest.param(
            {"transition_count": [1.0, 1.0, -2.0]},
            "transition_count",
            "-2.0 at 2; expected a finite number >= 0",
            id="negative count",
        ),
    ],
)
def test_one_thing_wrong_in_one_row(validated, changed, column, said):
    row = 1
    if "token_start" in changed and changed["token_start"][0] == 4:
        changed = changed | {"token_end": [6, 3, 8]}
    assert validated(row, changed) == [(row, column, said)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("column", ["transition_share", "transition_count"])
def test_transitions_not_finite(tmp_path, make_example, column, value):
    batch = _edited(make_example, 2, {column: [0.75, value, 1.0]})
    write_batches([batch], tmp_path / "w.parquet", said=for_examples())
    problems = validate(tmp_path / "w.parquet").problems
    assert [(p.row, p.column, p.message) for p in problems] == [
        (2, column, f"{value} at 1; expected a finite number >= 0")
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_sums_not_finite(tmp_path, make_example, value):
    batch = _edited(make_example, 2, {"attention_share": value, "inert_weight": value})
    write_batches([batch], tmp_path / "w.parquet", said=for_examples())
    assert [str(p) for p in validate(tmp_path / "w.parquet").problems] == [
        f"row 2: attention_share: {value}; expected a share from 0 to 1",
        f"row 2: inert_weight: {value}; expected a finite number >= 0",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("column", ["weight", "attention"])
def test_not_finite(tmp_path, make_example, column, value):
    batch = _edited(make_example, 2, {column: [0.5, value, 0.5, 0.0]})
    write_batches([batch], tmp_path / "w.parquet", said=for_examples())
    problems = validate(tmp_path / "w.parquet").problems
    assert [(p.row, p.column, p.message) for p in problems] == [
        (2, column, f"{value} at 1; expected a finite number")
    ]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        pytest.param("weight", [1.0, 1.0], "2 values; expected 4 as in input_ids", id="position"),
        pytest.param("token_label", ["a"], "1 values; expected 3 as in token_start", id="token"),
        pytest.param("token_end", [3, 6], "2 values; expected 3 as in token_start", id="spans"),
        pytest.param(
            "segment_name", ["code"], "1 values; expected 2 as in segment_start", id="names"
        ),
        pytest.param("segment_end", [3], "1 values; expected 2 as in segment_start", id="segments"),
        pytest.param("transition_to", [2], "1 values; expected 3 as in transition_from", id="to"),
        pytest.param(
            "transition_share", [], "0 values; expected 3 as in transition_from", id="shares"
        ),
    ],
)
def test_lists_of_unequal_length(tmp_path, make_example, column, value, said):
    batch = _edited(make_example, 0, {column: value})
    write_batches([batch], tmp_path / "w.parquet", said=for_examples())
    problems = validate(tmp_path / "w.parquet").problems
    assert [(p.row, p.column, p.message) for p in problems] == [(0, column, said)]


@pytest.mark.parametrize("name", [c.name for c in COLUMNS if c.name != "row_digest"])
def test_any_edited_column_is_found_by_its_digest(make_example, tmp_path, name):
    before = to_batch([make_example("a")]).column(name).to_pylist()[0]
    other = {"str": "0d" * 32, "int": 2}.get(type(before).__name__)
    edits = {
        "loss_mask": [True] * 4,
        "on_path": [True] * 4,
        "weight": [1.0] * 4,
        "attention": [0.25] * 4,
        "input_ids": [1] * 4,
        "token_index": [0] * 4,
        "token_start": [1, 4, 7],
        "token_end": [2, 6, 8],
        "token_label": ["type", "loop", ""],
        "token_value": [0.0] * 3,
        "prior_sources": ["a", "b"],
        "route": "source_lm",
        "pair_id": "another",
        "pair_side": "chosen",
        "attention_share": 0.5,
        "inert_weight": 0.5,
        "segment_name": ["code", "middle"],
        "segment_start": [0, 3],
        "segment_end": [2, 4],
        "transition_from": [0, 0, 3],
        "transition_to": [0, 3, 1],
        "transition_share": [0.5, 0.5, 1.0],
        "transition_count": [1.0, 1.0, 1.0],
    }
    batch = _edited(make_example, 1, {name: edits.get(name, other)}, redigest=False)
    write_batches([batch], tmp_path / "w.parquet", said=for_examples())
    problems = validate(tmp_path / "w.parquet").problems
    assert [(p.row, p.column) for p in problems] == [(1, "row_digest")]
    assert "a column was edited, shuffled or damaged" in problems[0].message


def test_a_shuffled_column_is_found_in_every_row(tmp_path, make_example):
    batch = to_batch([make_example(str(i), weight=[i, 1, 1, 1]) for i in range(300)])
    i = batch.schema.get_field_index("weight")
    turned = batch.column(i).take(pa.array([*range(1, 300), 0]))
    path = tmp_path / "w.parquet"
    write_batches([batch.set_column(i, batch.schema.field(i), turned)], path, said=for_examples())
    report = validate(path)
    assert report.n_problems == 300
    assert len(report.problems) == 100
    assert len(validate(path, max_problems=5).problems) == 5
    assert not report.ok


def test_problems_come_by_row_and_read_as_one_line(tmp_path, make_example):
    batch = _edited(make_example, 2, {"n_people": -1, "input_ids": [-1, 1, 1, 1]})
    path = tmp_path / "w.parquet"
    write_batches([batch, batch], path, said=for_examples())
    report = validate(path)
    assert [str(p) for p in report.problems] == [
        "row 2: input_ids: -1 at 0; expected an id >= 0",
        "row 2: n_people: -1; expected a number >= 0",
        "row 5: input_ids: -1 at 0; expected an id >= 0",
        "row 5: n_people: -1; expected a number >= 0",
        "row 3: example_id: the same as in row 0; expected a name of its own",
        "row 4: example_id: the same as in row 1; expected a name of its own",
        "row 5: example_id: the same as in row 2; expected a name of its own",
    ]
    assert json.loads(json.dumps(report.to_dict()))["n_problems"] == 7


def test_a_file_without_metadata_is_checked_all_the_same(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    report = validate(path)
    (problem,) = report.problems
    assert problem.message == (
        "w.parquet: no metadata under the key gazecode; expected a file written by gazecode, "
        "export it again"
    )
    assert (report.schema_version, report.n_rows) == (None, 1)


def test_a_newer_version_is_left_alone(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[b"gazecode"]) | {"schema_version": 3}
    pq.write_table(table.replace_schema_metadata({"gazecode": json.dumps(said)}), path)
    report = validate(path)
    assert [p.message for p in report.problems] == [
        "w.parquet: schema version 3; this package reads up to 2, update gazecode"
    ]
    assert (report.schema_version, report.n_rows) == (3, 0)


def test_missing_units_and_unknown_columns(tmp_path, make_example):
    path = tmp_path / "w.parquet"
    to_parquet([make_example()], path)
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[b"gazecode"])
    del said["units"]["weight"]
    table = table.append_column("mine", pa.array([1]))
    pq.write_table(table.replace_schema_metadata({"gazecode": json.dumps(said)}), path)
    assert [str(p) for p in validate(path).problems] == [
        "weight: no unit in the metadata; expected one",
        "mine: no column of the schema, no digest covers it",
    ]
