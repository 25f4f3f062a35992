"""iTrace Toolkit's database: two sessions of two people, editor records, fixation runs."""

import sqlite3
from contextlib import closing
from pathlib import Path

from .itrace import FIRST_ID, clock, place, points, validity
from .maker import Maker

SCHEMA = {
    "participant": "participant_id TEXT PRIMARY KEY, session_length INTEGER",
    "fixation_run": "fixation_run_id INTEGER PRIMARY KEY, session_id INTEGER, date_time INTEGER, "
    "filter TEXT",
    "session": "session_id INTEGER PRIMARY KEY, participant_id TEXT, screen_width INTEGER, "
    "screen_height INTEGER, tracker_type TEXT, tracker_serial_number TEXT, session_date INTEGER, "
    "session_time INTEGER, screen_recording_start INTEGER, task_name TEXT",
    "fixation": "fixation_id TEXT PRIMARY KEY, fixation_run_id INTEGER, "
    "fixation_start_event_time INTEGER, fixation_order_number INTEGER, x INTEGER, y INTEGER, "
    "fixation_target TEXT, source_file_line INTEGER, source_file_col INTEGER, token TEXT, "
    "syntactic_category TEXT, xpath TEXT, left_pupil_diameter REAL, right_pupil_diameter REAL, "
    "duration INTEGER",
    "calibration": "calibration_id INTEGER PRIMARY KEY",
    "calibration_point": "calibration_point_id TEXT, calibration_id INTEGER, calibration_x REAL, "
    "calibration_y REAL",
    "calibration_sample": "calibration_point_id TEXT, left_x REAL, left_y REAL, "
    "left_validation REAL, right_x REAL, right_y REAL, right_validation REAL",
    "gaze": "event_time INTEGER PRIMARY KEY, session_id INTEGER, calibration_id INTEGER, "
    "participant_id TEXT, tracker_time INTEGER, system_time INTEGER, x REAL, y REAL, left_x REAL, "
    "left_y REAL, left_pupil_diameter REAL, left_validation INTEGER, right_x REAL, right_y REAL, "
    "right_pupil_diameter REAL, right_validation INTEGER, user_left_x REAL, user_left_y REAL, "
    "user_left_z REAL, user_right_x REAL, user_right_y REAL, user_right_z REAL",
    "ide_context": "event_time INTEGER, session_id INTEGER, time_stamp TEXT, ide_type TEXT, "
    "gaze_target TEXT, gaze_target_type TEXT, source_file_path TEXT, source_file_line INTEGER, "
    "source_file_col INTEGER, editor_line_height REAL, editor_font_height REAL, "
    "editor_line_base_x REAL, editor_line_base_y REAL, source_token TEXT, source_token_type TEXT, "
    "source_token_xpath TEXT, source_token_syntactic_context TEXT, x REAL, y REAL",
    "web_context": "event_time INTEGER, browser_type TEXT, site_name TEXT, url TEXT, tag TEXT",
    "fixation_gaze": "fixation_id INTEGER, event_time INTEGER",
    "files": "file_hash TEXT PRIMARY KEY, session_id INTEGER, file_full_path TEXT, file_type TEXT",
}
SESSIONS = ((637_577_254_025_712_529, "P1", "first"), (637_577_999_000_000_000, "P2", "second"))
APART = 86_400 * 10**7
"""The second session is a day later, in 100 ns."""


def insert(connection: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608


def write_session(connection: sqlite3.Connection, number: int, rows: int) -> None:
    session, person, task = SESSIONS[number]
    add = connection.executemany
    later = number * APART
    add("INSERT INTO participant VALUES (?, NULL)", [(person,)])
    add(
        "INSERT INTO session VALUES (?, ?, 1920, 1080, 'Tobii', '1', 0, 0, 0, ?)",
        [(session, person, task)],
    )
    events, ticks, unix = clock(rows)
    x, y = points(rows)
    gaze = []
    for i in range(rows):
        left, right = validity(i)
        # With no eye valid the importer pastes core's "NaN", which stays a text.
        px, py = (x[i], y[i]) if left or right else ("NaN", "NaN")
        eyes = (x[i] - 6.25, y[i] + 3.5, 3.1, left, x[i] + 6.25, y[i] - 3.5, 3.2, right)
        head = (events[i] + later, session, -1, person, ticks[i], unix[i], px, py)
        gaze.append(head + eyes + (0.0,) * 6)
    insert(connection, "gaze", gaze)
    context = []
    for i in range(rows):
        line, column = place(i, "ATOM")
        token = ("run", "name", "//src:unit", "unit->name") if i % 2 else (None,) * 4
        head = (events[i] + later, 1622128602571, str(unix[i]), "atom", "Made.java", "java")
        context.append(
            (*head, "Made.java", line, column, 28.0, 42.0, None, None, *token, x[i], y[i])
        )
    insert(connection, "ide_context", context)
    for run in range(2 if number == 0 else 1):
        key = 1_700_000_000_000 + 10 * number + run
        add(
            "INSERT INTO fixation_run VALUES (?, ?, ?, ?)",
            [(key, session, key, "IDT,125,100,1000")],
        )
        step = 12 - 2 * run
        fixations = [
            (
                *(f"{key}-{i}", key, events[i] + later, i // step + 1, x[i], y[i]),
                *("Made.java", 1, 2, "WHITESPACE", None, None, 3.1, 3.2, 120),
            )
            for i in range(0, rows - 8, step)
        ]
        insert(connection, "fixation", fixations)
        add(
            "INSERT INTO fixation_gaze VALUES (?, ?)",
            [(f[0], f[2] + k) for f in fixations for k in (0,)],
        )


def make(folder: Path, rows: int) -> Path:
    path = folder / "study.db3"
    with closing(sqlite3.connect(path)) as connection:
        for name, columns in SCHEMA.items():
            connection.execute(f"CREATE TABLE {name}({columns})")
        connection.execute("CREATE TABLE saccade(saccade_id TEXT)")
        write_session(connection, 0, rows - rows // 2)
        write_session(connection, 1, rows // 2)
        connection.commit()
    return path


MAKERS = {"itrace_toolkit": Maker(reader="itrace_toolkit", kind="binary", make=make)}
__all__ = ["APART", "FIRST_ID", "MAKERS", "SCHEMA", "SESSIONS", "make"]
