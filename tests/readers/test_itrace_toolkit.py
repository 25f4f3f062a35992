"""iTrace Toolkit: several sessions on one clock, fixation runs, and databases that mean harm."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from makers import itrace as core_makers
from makers import itrace_toolkit as makers

from gazecode.errors import FormatError, ParameterError, TooLarge
from gazecode.readers import read, sniff_format
from gazecode.readers.itrace import database as itrace_database
from gazecode.readers.itrace import toolkit as itrace_toolkit
from gazecode.readers.itrace.database import open_database
from gazecode.readers.itrace.toolkit import ide_positions
from gazecode.readers.source import Source

N = 200
FIRST, SECOND = (session for session, _, _ in makers.SESSIONS)


@pytest.fixture
def path(tmp_path):
    return makers.make(tmp_path, N)


def run(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_all_sessions_open_without_hints(path):
    rec = read(path)
    half = N // 2
    assert rec.provenance["format"] == "itrace_toolkit"
    assert len(rec) == N
    assert [t.name for t in rec.trials] == ["P1 first", "P2 second"]
    assert [t.stimulus for t in rec.trials] == ["first", "second"]
    assert [len(rec.window(t)) for t in rec.trials] == [half, half]
    np.testing.assert_allclose(rec.gaze.t_ms[:half], np.arange(half) * 16.667)
    begin = (half - 1) * 16.667 + 1000
    np.testing.assert_allclose(rec.gaze.t_ms[half:], begin + np.arange(half) * 16.667)
    assert rec.start_ns is None
    assert "sessions of 2 participants" in " ".join(rec.provenance["notes"])
    said = rec.provenance["sessions"]
    assert [(s["trial"], s["n_samples"], s["n_fixation_runs"]) for s in said] == [
        ("P1 first", half, 2),
        ("P2 second", half, 1),
    ]
    assert said[0]["filter"] == "IDT,125,100,1000"


def test_eyes_are_those_of_core(path):
    rec = read(path, session=FIRST)
    half = N // 2
    valid = [core_makers.validity(i) for i in range(half)]
    x, y = core_makers.points(half)
    for eye, side, dx, dy in (("left", 0, -6.25, 3.5), ("right", 1, 6.25, -3.5)):
        assert rec.samples[eye].lost.tolist() == [not v[side] for v in valid]
        seen = [i for i in range(half) if valid[i][side]]
        assert rec.samples[eye].xy_px[seen].tolist() == [[x[i] + dx, y[i] + dy] for i in seen]
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1080)
    assert rec.provenance["participant"] == "P1"
    assert rec.provenance["clock"].startswith("tracker_time in µs")
    assert rec.start_ns == (makers.FIRST_ID - 116_444_736_000_000_000) * 100


def test_the_latest_fixation_run_is_given_and_others_can_be_named(path):
    half = N // 2
    latest = read(path, session=FIRST)
    starts = list(range(0, half - 8, 10))
    np.testing.assert_allclose(latest.device_events.onset_ms, np.array(starts) * 16.667)
    assert set(latest.device_events.duration_ms.round(6)) == {120.0}
    x, y = core_makers.points(half)
    assert latest.device_events.xy_px.tolist() == [[x[i], y[i]] for i in starts]
    assert any("several fixation runs" in note for note in latest.provenance["notes"])
    first = read(path, session=FIRST, fixation_run=1_700_000_000_000)
    assert len(first.device_events) == len(range(0, half - 8, 12))
    both = read(path)
    assert len(both.device_events) == len(starts) + len(range(0, half - 8, 12))
    with pytest.raises(ParameterError, match="no fixation run 7"):
        read(path, fixation_run=7)
    with pytest.raises(ParameterError, match="no gaze of session 7"):
        read(path, session=7)


def test_editor_records_join_by_event_not_by_session(path):
    """The plug-in's session id in the table is another than core's."""
    rec = read(path)
    assert rec.provenance["editor"]["rows"] == rec.provenance["editor"]["joined"] == N
    at = ide_positions(path, session=SECOND)
    half = N // 2
    places = [core_makers.place(i, "ATOM") for i in range(half)]
    assert at["line"].tolist() == [line - 1 if line > 0 else -1 for line, _ in places]
    assert at["column"].tolist() == [c if line > 0 else -1 for line, c in places]
    assert set(at["unit"]) == {"visual"}
    assert set(at["line_height_px"]) == {42.0}
    assert at["token"][:2].tolist() == ["", "run"]
    assert at["syntax"][1] == "unit->name"
    np.testing.assert_allclose(at["t_ms"], np.arange(half) * 16.667)
    assert at["event_id"][0] == makers.FIRST_ID + makers.APART
    assert len(ide_positions(path)["t_ms"]) == N


def test_numbers_that_sqlite_kept_as_text(path):
    run(path, "UPDATE gaze SET left_x = '100,5' WHERE rowid IN (SELECT rowid FROM gaze LIMIT 1)")
    assert read(path, session=FIRST).samples["left"].xy_px[0, 0] == 100.5
    run(path, "UPDATE gaze SET left_x = 'two' WHERE rowid IN (SELECT rowid FROM gaze LIMIT 1)")
    with pytest.raises(FormatError, match="gaze left_x is 'two'; expected a number"):
        read(path)


def test_tables_and_columns_may_be_more_or_fewer(path):
    run(path, "CREATE TABLE notes(text TEXT)", "DROP TABLE web_context", "DROP TABLE calibration")
    run(path, "ALTER TABLE gaze ADD COLUMN extra REAL", "ALTER TABLE ide_context DROP COLUMN x")
    assert len(read(path)) == N
    run(path, "DELETE FROM session")
    rec = read(path)
    assert [t.name for t in rec.trials] == ["session", "session (2)"]
    assert rec.screen is None
    run(path, "DELETE FROM gaze")
    with pytest.raises(FormatError, match="no gaze in the database"):
        read(path)


def test_fixations_without_their_gaze_or_without_extent_are_counted(path):
    run(
        path,
        "UPDATE fixation SET duration = 0 WHERE fixation_order_number = 1",
        "UPDATE fixation SET fixation_start_event_time = 5 WHERE fixation_order_number = 2",
    )
    left_out = read(path, session=SECOND).provenance["left_out"]
    assert (left_out["empty_device_events"], left_out["fixations_without_gaze"]) == (1, 1)


def test_nothing_is_written_beside_or_into_the_file(path):
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    read(path)
    ide_positions(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    run(path, "PRAGMA journal_mode = WAL")
    read(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_waiting_journal_is_read_too(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM gaze WHERE session_id = ?", (SECOND,))
        connection.commit()
        assert len(read(path)) == N // 2


HOSTILE = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TABLE gaze", f"CREATE VIEW gaze AS {HOSTILE}"],
        ["DROP TABLE session", "CREATE VIRTUAL TABLE session USING fts5(session_id)"],
    ],
    ids=["endless view", "virtual table"],
)
def test_what_is_no_table_is_not_read(path, statements):
    try:
        run(path, *statements)
    except sqlite3.OperationalError as error:
        pytest.skip(f"this SQLite has no such module: {error}")
    with pytest.raises(FormatError, match="no table"):
        read(path, "itrace_toolkit")


def test_computed_columns_are_no_data(path):
    run(
        path,
        "ALTER TABLE gaze DROP COLUMN left_x",
        "ALTER TABLE gaze ADD COLUMN left_x REAL AS (length(zeroblob(1000000000))) VIRTUAL",
    )
    rec = read(path, session=FIRST)
    # Without the left eye's x, both eyes' mean is what is left.
    assert list(rec.samples) == ["both"]


def test_only_columns_can_be_asked_for(path):
    with open_database(path) as database:
        connection = database._connection
        for statement in (
            "SELECT load_extension('x')",
            "SELECT randomblob(10)",
            HOSTILE,
            "ATTACH ':memory:' AS other",
            "CREATE TABLE a(b)",
            "DELETE FROM gaze",
            "PRAGMA query_only = OFF",
        ):
            with pytest.raises(sqlite3.DatabaseError):
                connection.execute(statement)


def test_a_cell_and_a_table_are_bounded(path, monkeypatch):
    run(path, "UPDATE ide_context SET gaze_target = hex(zeroblob(2000000))")
    with pytest.raises(FormatError, match="cannot be read after 0 rows"):
        ide_positions(path)
    monkeypatch.setattr(itrace_database, "_ROW_BYTES", 10**9)
    with pytest.raises(TooLarge, match="more rows than its bytes can hold"):
        read(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_cut_or_damaged_database_is_one_clear_line(path, share):
    raw = path.read_bytes()
    cut = int(len(raw) * share)
    for changed in (raw[:cut], raw[:cut] + b"\xff" * 5000 + raw[cut + 5000 :]):
        path.write_bytes(changed)
        said = ""
        try:
            read(path, "itrace_toolkit")
        except FormatError as error:
            said = str(error)
        assert "\n" not in said


def test_sniff(path, tmp_path):
    assert sniff_format(path) == "itrace_toolkit"
    other = run(tmp_path / "other.db", "CREATE TABLE gaze(x)", "CREATE TABLE session(x)")
    assert not itrace_toolkit.sniff(Source(other))
    (tmp_path / "text.db").write_bytes(b"SQLite format 3 is what this text is about")
    assert not itrace_toolkit.sniff(Source(tmp_path / "text.db"))


def test_sniff_finds_a_schema_beyond_the_first_bytes(tmp_path):
    filler = [f"CREATE TABLE t{i}(a TEXT DEFAULT '{'x' * 900}')" for i in range(120)]
    path = run(tmp_path / "late.db", *filler)
    run(path, *(f"CREATE TABLE {name}({columns})" for name, columns in makers.SCHEMA.items()))
    assert itrace_toolkit.sniff(Source(path))
