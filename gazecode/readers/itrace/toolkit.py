"""iTrace Toolkit: the SQLite database of a study's sessions, their editor records and fixations.

Known by its set of tables; others beside them are tolerated. A database holds many sessions: all
are read, one after another on one clock, each a trial; `session=` picks one. Within a session the
clock is the tracker's, as in core XML. Fixations are those of the latest fixation run of each
session; their duration is the Toolkit's, by arrival. Texts that SQLite kept in numeric columns
("NaN", a decimal comma) are understood.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Events, Recording, Screen, Trial
from gazecode.model.checks import repeated
from gazecode.readers.itrace.database import MAGIC, Database, as_float, as_int, open_database
from gazecode.readers.itrace.eyes import eyes_of_core
from gazecode.readers.itrace.ide import Positions, join_positions, positions
from gazecode.readers.itrace.toolkit_sessions import GAP_MS, TABLES, Session, lay_out
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.trials import unique_names
from gazecode.readers.tools.xml import Columns
from gazecode.units import sample_end_ms

__all__ = ["READER", "ide_positions", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CONTEXT = (
    *("event_time", "source_file_line", "source_file_col", "ide_type", "gaze_target"),
    *("gaze_target_type", "source_file_path", "source_token", "source_token_type"),
    *("source_token_xpath", "source_token_syntactic_context", "editor_line_height"),
    "editor_font_height",
)


def sniff(source: Source) -> bool:
    """Whether the file is a SQLite database with the Toolkit's tables."""
    if not source.head.startswith(MAGIC) or source.path.suffix == ".gz":
        return False
    if all(name.encode() in source.head for name in TABLES):
        return True
    try:
        with open_database(source.path) as database:
            return set(TABLES) <= set(database.columns)
    except FormatError:
        return False


def read(
    source: Source, *, session: int | None = None, fixation_run: int | None = None
) -> Recording:
    """Read the sessions of a database.

    Parameters
    ----------
    source
        The database.
    session
        `session_id` of the one to read; by default all, laid out one after another.
    fixation_run
        `fixation_run_id` of the run whose fixations are the device's events; by default the latest
        one of each session.

    Returns
    -------
    Recording
        ``left`` and ``right`` (or ``both``), px of the virtual desktop; a trial per session.
    """
    with open_database(source.path) as database:
        parts = lay_out(database, session, source.name)
        runs = _runs(database, parts, fixation_run, source.name)
        counts: Counter[str] = Counter()
        events = _fixations(database, parts, runs, counts, source.name)
        context = _context_counts(database, parts)
        calibrations = len(database.ids("calibration", "calibration_id"))
    return _recording(parts, events, runs, counts, context | {"calibrations": calibrations})


def _runs(
    database: Database, parts: Sequence[Session], asked: int | None, name: str
) -> dict[Any, dict[str, Any]]:
    """Fixation run of each session: the one asked for, else the latest; all are listed."""
    wanted = ("fixation_run_id", "session_id", "filter")
    rows = [row for batch in database.columns_of("fixation_run", wanted) for row in batch]
    mine = {part.key for part in parts}
    runs: dict[Any, dict[str, Any]] = {}
    for run, session, rule in sorted(rows, key=lambda row: (row[0] is not None, row[0])):
        if session in mine and (asked is None or run == asked):
            n = runs.get(session, {}).get("n_runs", 0) + 1
            runs[session] = {"run": run, "filter": str(rule or ""), "n_runs": n}
    if asked is not None and not runs:
        known = sorted(str(row[0]) for row in rows)[:10]
        raise ParameterError(
            f"{name} has no fixation run {asked} of these sessions; it has {known}"
        )
    return runs


def _fixations(
    database: Database,
    parts: Sequence[Session],
    runs: dict[Any, dict[str, Any]],
    counts: Counter[str],
    name: str,
) -> Events:
    wanted = ("fixation_start_event_time", "x", "y", "duration")
    onset, offset, xy = [], [], []
    for part in parts:
        run = runs.get(part.key)
        if run is None:
            continue
        found = database.columns_of("fixation", wanted, where="fixation_run_id", equals=run["run"])
        rows = [row for batch in found for row in batch]
        run["n_fixations"] = len(rows)
        if not rows:
            continue
        start, x, y, duration = zip(*rows, strict=True)
        at, known = _find(part.event_time, as_int(start, f"{name}: fixation start"))
        lasts = as_float(duration, f"{name}: fixation duration")
        whole = known & (lasts > 0)
        counts["fixations_without_gaze"] += int((~known).sum())
        counts["empty_device_events"] += int((known & ~whole).sum())
        onset.append(part.t_ms[at[whole]])
        offset.append(onset[-1] + lasts[whole])
        where = np.stack([as_float(x, f"{name}: x"), as_float(y, f"{name}: y")], axis=1)[whole]
        where[~np.isfinite(where).all(axis=1)] = np.nan
        xy.append(where)
    if not onset:
        return Events.empty()
    begins = np.concatenate(onset)
    order = np.argsort(begins, kind="stable")
    return Events(
        kind=repeated("fixation", len(order)),
        onset_ms=begins[order],
        offset_ms=np.concatenate(offset)[order],
        xy_px=np.concatenate(xy)[order],
    )


def _find(ids: IntArray, wanted: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Where ids (sorted: they are the table's key) hold the wanted ones, and whether they do."""
    at: IntArray = np.clip(np.searchsorted(ids, wanted), 0, len(ids) - 1)
    return at, ids[at] == wanted


def _context_counts(database: Database, parts: Sequence[Session]) -> dict[str, Any]:
    ids = np.sort(np.concatenate([part.event_time for part in parts]))
    rows = joined = off = 0
    for batch in database.columns_of("ide_context", _CONTEXT[:2]):
        stamps = as_int([row[0] for row in batch], "ide_context event_time")
        _, known = _find(ids, stamps)
        line = as_float([row[1] for row in batch], "ide_context source_file_line")
        rows, joined = rows + len(batch), joined + int(known.sum())
        off += int((~(line[known] >= 0)).sum())
    return {"editor": {"rows": rows, "joined": joined, "off_text": off}}


def _recording(
    parts: Sequence[Session],
    events: Events,
    runs: dict[Any, dict[str, Any]],
    counts: Counter[str],
    said: dict[str, Any],
) -> Recording:
    notes: list[str] = []
    trials = _trials(parts)
    people = sorted({str(part.said.get("participant_id") or "") for part in parts})
    sizes = {(part.said.get("screen_width"), part.said.get("screen_height")) for part in parts}
    core = _one_after_another([part.columns for part in parts])
    xy, pupil, remarks = eyes_of_core(core, counts)
    t_ms = parts[0].t_ms if len(parts) == 1 else np.concatenate([part.t_ms for part in parts])
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    if len(parts) > 1:
        notes.append(
            f"{len(parts)} sessions, each with a clock of its own, follow one another with "
            f"{GAP_MS:g} ms between; session= reads one"
        )
    if len(people) > 1:
        notes.append(f"sessions of {len(people)} participants; read one at a time to compare them")
    if len(sizes) > 1:
        notes.append(f"sessions on {len(sizes)} sizes of screen: no single screen is stated")
    if any(run["n_runs"] > 1 for run in runs.values()):
        notes.append(
            "a session has several fixation runs; the latest is given, fixation_run= picks"
        )
    return Recording(
        samples=samples,
        trials=trials,
        device_events=events,
        screen=_screen(parts[0].said) if len(sizes) == 1 else None,
        provenance={
            "clock": parts[0].clock if len(parts) == 1 else "each session's own, one after another",
            "participant": people[0] if len(people) == 1 else "",
            "sessions": [
                _summary(part, trial, runs) for part, trial in zip(parts, trials, strict=True)
            ],
            "left_out": dict(+counts),
            **said,
            "notes": [*notes, *remarks],
        },
        start_ns=parts[0].start_ns if len(parts) == 1 else None,
    )


def _one_after_another(columns: Sequence[Columns]) -> Columns:
    """Columns of all sessions, each session's let go as it is joined."""
    if len(columns) == 1:
        return columns[0]
    return {key: np.concatenate([c.pop(key) for c in columns]) for key in list(columns[0])}


def _trials(parts: Sequence[Session]) -> list[Trial]:
    stems = [
        " ".join(
            str(part.said[key]) for key in ("participant_id", "task_name") if part.said.get(key)
        )
        or "session"
        for part in parts
    ]
    return [
        Trial(
            name=name,
            onset_ms=float(part.t_ms.min()),
            offset_ms=float(sample_end_ms(np.unique(part.t_ms))[-1]),
            stimulus=str(part.said.get("task_name") or "") or None,
        )
        for name, part in zip(unique_names(stems), parts, strict=True)
    ]


def _summary(part: Session, trial: Trial, runs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    run = runs.get(part.key, {})
    return {
        "trial": trial.name,
        "tracker": str(part.said.get("tracker_type") or ""),
        "n_samples": len(part.t_ms),
        "clock": part.clock,
        "filter": run.get("filter", ""),
        "n_fixations": run.get("n_fixations", 0),
        "n_fixation_runs": run.get("n_runs", 0),
    }


def _screen(said: dict[str, Any]) -> Screen | None:
    size = as_float([said.get("screen_width"), said.get("screen_height")], "session screen")
    return Screen(width_px=float(size[0]), height_px=float(size[1])) if (size > 0).all() else None


def ide_positions(path: str | Path | Source, *, session: int | None = None) -> Positions:
    """Where in the text each sample fell, on the recording's clock.

    Returns
    -------
    dict of arrays, one row per record of a sample, in time order
        As `gazecode.readers.itrace.core.ide_positions` (without ``answered_ms``); ``token``,
        ``token_type``, ``xpath`` and ``syntax`` are the Toolkit's own, whose tokens are not
        lexical; empty where it mapped none.
    """
    source = path if isinstance(path, Source) else Source(Path(path))
    with open_database(source.path) as database:
        parts = lay_out(database, session, source.name)
        batches = list(database.columns_of("ide_context", _CONTEXT))
    rows = [row for batch in batches for row in batch]
    stamps = as_int([row[0] for row in rows], "ide_context event_time")
    ids = np.concatenate([part.event_time for part in parts])
    t_ms = np.concatenate([part.t_ms for part in parts])
    order = np.argsort(ids, kind="stable")
    at, known = _find(ids[order], stamps)
    found = _positions([row for row, kept in zip(rows, known, strict=True) if kept])
    when = t_ms[order][at[known]]
    sort = np.argsort(when, kind="stable")
    columns = {"event_id": stamps[known], **found}
    return {"t_ms": when[sort], **{name: values[sort] for name, values in columns.items()}}


def _positions(rows: list[tuple[Any, ...]]) -> Positions:
    """Records editor by editor, brought back to the rows' order."""
    if not rows:
        return join_positions([])
    cells = dict(zip(_CONTEXT, zip(*rows, strict=True), strict=True))
    editors = np.array([str(v or "") for v in cells["ide_type"]], dtype=object)
    parts, places = [], []
    for editor in sorted(set(editors.tolist())):
        mine = np.flatnonzero(editors == editor)
        places.append(mine)
        parts.append(_of_editor({k: [v[i] for i in mine] for k, v in cells.items()}, editor))
    back = np.argsort(np.concatenate(places), kind="stable")
    return {name: values[back] for name, values in join_positions(parts).items()}


def _of_editor(cells: dict[str, list[Any]], editor: str) -> Positions:
    def text(name: str) -> npt.NDArray[np.object_]:
        return np.array([str(v) if v is not None else "" for v in cells[name]], dtype=object)

    height = "editor_font_height" if editor.lower() == "atom" else "editor_line_height"
    heights = as_float(cells[height], f"ide_context {height}")
    return positions(
        as_float(cells["source_file_line"], "ide_context source_file_line"),
        as_float(cells["source_file_col"], "ide_context source_file_col"),
        editor,
        {
            "target": text("gaze_target"),
            "type": text("gaze_target_type"),
            "path": text("source_file_path"),
            "line_height_px": np.where(heights > 0, heights, np.nan),
            "token": text("source_token"),
            "token_type": text("source_token_type"),
            "xpath": text("source_token_xpath"),
            "syntax": text("source_token_syntactic_context"),
        },
    )


READER = Reader(
    name="itrace_toolkit",
    title="iTrace Toolkit SQLite database: sessions, editor records, fixation runs",
    sniff=sniff,
    read=read,
    suffixes=(".db", ".db3", ".sqlite"),
    priority=10,
)
