"""Tables of scores: what was written comes back, a rerun gives the same bytes, damage is told."""

import json
import tracemalloc

import hypothesis.strategies as st
import mutate
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from gazecode.errors import DataError, ParameterError, SchemaError
from gazecode.export import open_stored, read_metadata
from gazecode.export.scores import ScoredText, is_scores, iter_scores, read_scores, to_scores
from gazecode.model.scores import MERGES, ModelScores

TEXT = "int größe = 1;"


def scores(text=TEXT, *, method="rollout", seed=0, **change):
    rng = np.random.default_rng(seed)
    words, at = [], 0
    for word in text.split(" "):
        size = len(word.encode())
        words.append([at, at + size])
        at += size + 1
    fields = {
        "model": "tiny",
        "method": method,
        "span": words,
        "value": rng.normal(size=len(words)),
        "removed_share": 0.25,
        "parameters": {"layers": [0, 1], "heads": "sum", "seed": np.int64(seed)},
    }
    return ModelScores(**fields | change)


def rows(n=3):
    for i in range(n):
        yield ScoredText(f"s{i}", f"{TEXT} // {i}", scores(f"{TEXT} // {i}", seed=i), "java")


def same(a: ScoredText, b: ScoredText) -> bool:
    x, y = a.scores, b.scores
    known = (x.expected is None) == (y.expected is None)
    return (
        (a.source_id, a.text, a.language) == (b.source_id, b.text, b.language)
        and (x.model, x.method, x.merge, x.removed_share)
        == (y.model, y.method, y.merge, y.removed_share)
        and np.array_equal(x.span, y.span)
        and np.array_equal(x.value, y.value, equal_nan=True)
        and known
        and (x.expected is None or np.array_equal(x.expected, y.expected, equal_nan=True))
        and dict(x.parameters) == dict(y.parameters)
    )


FLOATS = st.floats(allow_infinity=False, width=64)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@st.composite
def scored(draw):
    words = draw(st.lists(st.text("aé漢😀\x00", min_size=1, max_size=3), max_size=6))
    text, span = "", []
    for word in words:
        a = len(text.encode())
        text += word
        span.append([a, len(text.encode())])
        text += draw(st.sampled_from(["", " ", "\r\n"]))
    n = len(span)
    value = draw(st.lists(FLOATS, min_size=n, max_size=n))
    expected = draw(st.none() | st.lists(FLOATS, min_size=n, max_size=n))
    return ScoredText(
        draw(NAMES),
        text,
        ModelScores(
            model=draw(NAMES),
            method=draw(NAMES),
            span=np.array(span, dtype=np.int64).reshape(n, 2),
            value=value,
            expected=expected,
            removed_share=draw(st.floats(0, 1)),
            merge=draw(st.sampled_from(MERGES)),
            parameters=draw(st.dictionaries(NAMES, st.none() | st.integers() | NAMES, max_size=3)),
        ),
        draw(NAMES),
    )


@given(st.lists(scored(), max_size=5))
def test_what_was_written_comes_back(tmp_path_factory, given_rows):
    path = tmp_path_factory.mktemp("s") / "scores.parquet"
    assert to_scores(given_rows, path) == len(given_rows)
    back = read_scores(path)
    assert len(back) == len(given_rows)
    assert all(map(same, given_rows, back))


def test_a_rerun_is_byte_identical(tmp_path):
    for name in ("a", "b"):
        to_scores(rows(), tmp_path / f"{name}.parquet", provenance={"model": "tiny"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / "scores.parquet"
    to_scores(rows(), path, provenance={"seed": 7})
    schema = pq.read_schema(path)
    said = json.loads(schema.metadata[b"gazecode"])
    assert (said["package"], said["table"], said["table_version"], said["seed"]) == (
        "gazecode",
        "scores",
        1,
        7,
    )
    assert set(said["units"]) == set(schema.names)
    assert {name for name, unit in said["units"].items() if unit == "byte"} == {
        "token_start",
        "token_end",
    }
    assert read_metadata(path) == said
    assert is_scores(path)
    # Whoever takes it for weights is told what it is.
    with pytest.raises(SchemaError, match="another table of gazecode"):
        open_stored(path).check()


def test_plain_tuples_do(tmp_path):
    path = tmp_path / "scores.parquet"
    to_scores([("a", TEXT, scores())], path)
    assert read_scores(path)[0].language == ""


def test_unknown_values_stay_unknown(tmp_path):
    path = tmp_path / "scores.parquet"
    given_scores = scores(value=[np.nan, 0.0, -0.0, 2.0], expected=[1.0, np.nan, 0.0, 2.0])
    to_scores([("a", TEXT, given_scores), ("b", TEXT, scores())], path)
    first, second = (row.scores for row in iter_scores(path))
    assert np.isnan(first.value).tolist() == [True, False, False, False]
    assert not np.signbit(first.value[2])
    assert np.isnan(first.expected[1])
    assert second.expected is None


def test_memory_is_flat(tmp_path):
    """Ten times the rows need no more memory: few are held at a time."""
    text = " ".join(f"token{i}" for i in range(400))
    row = ScoredText("s", text, scores(text))

    def peak(n):
        tracemalloc.start()
        to_scores((row for _ in range(n)), tmp_path / "big.parquet")
        for _ in iter_scores(tmp_path / "big.parquet"):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(1600) < 1.5 * peak(400)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("a", "x", scores()), "bytes of the text, 0 to 1"),
        (("a", TEXT, scores(span=[[0, 3], [2, 9], [10, 11], [12, 14]])), "overlap"),
        (("\ud800", TEXT, scores()), "source_id is no Unicode"),
        (("a", "\ud800" + TEXT, scores()), "text is no Unicode"),
        (("a", TEXT, scores(parameters={"x": {1, 2}})), "set is no JSON value"),
        (("a", TEXT, scores(parameters={"x": float("nan")})), "do not fit into JSON"),
        (("a", TEXT, scores(removed_share=1.5)), "removed_share is 1.5"),
        (("a", TEXT, scores(removed_share=float("nan"))), "removed_share is nan"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(tmp_path, row, said):
    path = tmp_path / "scores.parquet"
    with pytest.raises(DataError, match=said) as told:
        to_scores([row], path)
    assert "\n" not in str(told.value)
    assert not path.exists()


def test_provenance_cannot_say_what_the_package_says(tmp_path):
    with pytest.raises(ParameterError, match="schema_version"):
        to_scores(rows(), tmp_path / "s.parquet", provenance={"schema_version": 9})


def rewritten(path, tmp_path, change):
    """The file with its table changed by hand."""
    table = change(pq.read_table(path))
    out = tmp_path / "changed.parquet"
    pq.write_table(table, out)
    return out


def column(name, values):
    def change(table):
        i = table.schema.get_field_index(name)
        kind = table.schema.field(name)
        return table.set_column(i, kind.with_nullable(True), pa.array(values, kind.type))

    return change


def metadata(**fields):
    def change(table):
        said = json.loads(table.schema.metadata[b"gazecode"]) | fields
        return table.replace_schema_metadata({"gazecode": json.dumps(said)})

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (column("source_sha256", ["0" * 64]), "row 0: source_sha256 is not the digest"),
        (column("token_end", [[3, 4]]), "lists differ in length"),
        (column("token_end", [[3, 10, 12, 999]]), "expected bytes of the text"),
        (column("token_start", [[3, 2, 1, 0]]), "overlap or run backward"),
        (column("value", [[1.0, np.inf, 0.0, 0.0]]), "has score inf"),
        (column("value", [[1.0, None, 0.0, 0.0]]), "no value in value"),
        (column("value", [None]), "no value in value"),
        (column("expected", [[1.0]]), "differ in length"),
        (column("merge", ["median"]), "merge is 'median'"),
        (column("parameters", ["[1]"]), "no JSON object"),
        (column("parameters", ["[" * 100_000]), "row 0"),
        (column("removed_share", [7.0]), "removed_share is 7.0"),
        (column("model", [None]), "no value in model"),
        (lambda t: t.drop_columns(["value"]), "column value is missing"),
        (lambda t: t.append_column("value", t["value"]), "column value is list"),
        (
            lambda t: t.set_column(t.schema.get_field_index("merge"), "merge", pa.array([1])),
            "column merge is int64; expected string",
        ),
        (lambda t: t.replace_schema_metadata(None), "no metadata under the key gazecode"),
        (metadata(table="hits"), "holds no scores"),
        (metadata(table_version=2), "version 2; this package reads up to 1"),
        (metadata(table_version=True), "table_version is True"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, change, said):
    path = tmp_path / "scores.parquet"
    to_scores([("a", TEXT, scores())], path)
    with pytest.raises(SchemaError, match=said) as told:
        read_scores(rewritten(path, tmp_path, change))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1PAR1", b"\x89HDF\r\n\x1a\n", b"{}"])
def test_no_such_file_is_told(tmp_path, raw):
    path = tmp_path / "scores.parquet"
    path.write_bytes(raw)
    assert not is_scores(path)
    with pytest.raises(SchemaError):
        read_scores(path)
    with pytest.raises(SchemaError, match="is a folder"):
        read_scores(tmp_path)


def test_a_bomb_is_refused(tmp_path):
    """Four hundred million zeros in a few kB."""
    path = tmp_path / "bomb.parquet"
    to_scores([("a", TEXT, scores())], tmp_path / "s.parquet")
    schema = pq.read_schema(tmp_path / "s.parquet")
    good = pq.read_table(tmp_path / "s.parquet")
    zeros = pa.ListArray.from_arrays(
        pa.array([0, 2**24 + 1], pa.int32()),
        pa.array(np.zeros(2**24 + 1)),
        type=schema.field("value").type,
    )
    table = good.set_column(schema.get_field_index("value"), schema.field("value"), zeros)
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 2**20
    with pytest.raises(SchemaError, match="unpacks to"):
        read_scores(path)


def test_damage_never_ends_in_a_traceback(tmp_path):
    """A flipped bit is a row that still holds or a line that says what broke."""
    path, damaged = tmp_path / "scores.parquet", tmp_path / "damaged.parquet"
    to_scores(rows(), path)
    raw = path.read_bytes()
    rng = np.random.default_rng(5)
    told = []
    for _ in range(150):
        damaged.write_bytes(mutate.mutated(raw, rng, [b"PAR1" * 9]))
        try:
            read_scores(damaged)
        except SchemaError as error:
            told.append(str(error))
    assert told
    assert not any("\n" in line for line in told)
