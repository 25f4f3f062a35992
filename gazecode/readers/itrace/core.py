"""iTrace: gaze of iTrace Core, and what an editor plug-in says lay under it, joined on `event_id`.

Core (``<itrace_core>``) holds each eye's position and validity; a plug-in (``<itrace_plugin>``)
holds path, line and column for part of the same events. `read` finds one beside the other by
session; `ide_positions` gives the joined editor positions on the recording's clock. Rows that
neither eye supports still hold stale positions and are lost. The calibration that core may hold is
the fit to the points it was made on, no validation: it is summed up in the provenance.

Guarnera et al. 2018, doi:10.1145/3204493.3208343.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Screen
from gazecode.readers.itrace.calibration import CALIBRATION_ROWS, calibration
from gazecode.readers.itrace.clock import (
    FILETIME_EPOCH,
    TRACKER_UNITS_MS,
    session_clock,
    start_ns,
)
from gazecode.readers.itrace.eyes import eyes_of_core
from gazecode.readers.itrace.ide import (
    EDITORS,
    Positions,
    base_of,
    join_positions,
    positions,
    unix_ms,
    unix_unit,
)
from gazecode.readers.itrace.mend import read_tolerantly
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.xml import Columns, Group, Kind, number, root_name

__all__ = [
    "EDITORS",
    "FILETIME_EPOCH",
    "READER",
    "TRACKER_UNITS_MS",
    "Positions",
    "ide_positions",
    "read",
    "sniff",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Rows = dict[str, dict[str, Kind]]

_CORE_COLUMNS: dict[str, Kind] = {
    "event_id": "int",
    "tracker_time": "ticks",
    "mean": ("x", "y"),
    "left": ("left_x", "left_y"),
    "right": ("right_x", "right_y"),
    "left_pupil_diameter": "float",
    "right_pupil_diameter": "float",
    "left_validation": "flag",
    "right_validation": "flag",
}
_PLUGIN_COLUMNS: dict[str, Kind] = {
    "event_id": "int",
    "source_file_line": "float",
    "source_file_col": "float",
}
_PLUGIN_TEXTS: dict[str, Kind] = {
    "gaze_target": "text",
    "gaze_target_type": "text",
    "source_file_path": "text",
    "plugin_time": "ticks",
    "editor_line_height": "text",
    "editor_font_height": "text",
}
_HEADS = ("environment", "calibration")
_SESSION = re.compile(rb'session_(?:id|date_time)="([^"]*)"')
_PLUGIN_TIME = re.compile(rb'plugin_time="(\d+)"')


def sniff(source: Source) -> bool:
    """Whether the root is ``itrace_core`` or ``itrace_plugin``, or it is the Chrome plug-in's."""
    return _root(source) is not None or _is_chrome(source)


def read(source: Source, *, plugin: str | Path | None = None) -> Recording:
    """Read a session from its core file, or from a plug-in file.

    Parameters
    ----------
    source
        Core or plug-in XML. From a plug-in file the core beside it is read; without one, the
        plug-in's own positions.
    plugin
        Plug-in file of this core; by default the one beside it with the same session.

    Returns
    -------
    Recording
        ``left`` and ``right`` (or ``both``), px of the virtual desktop; ms from the first sample.
    """
    session = _open(source, plugin, texts=False)
    core = session.core
    joined = _join_counts(session)
    t_ms, clock = session_clock(core["event_id"], core.pop("tracker_time", None), source.name)
    began = start_ns(core.pop("event_id"), t_ms)
    counts: Counter[str] = Counter()
    said = _intersections(core)
    xy, pupil, notes = eyes_of_core(core, counts)
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    return Recording(
        samples=samples,
        screen=_screen(session.environment, source.name),
        provenance={
            "clock": clock,
            "tracker": session.environment.get("tracker_type", ""),
            "participant": session.attrib.get("participant_id", ""),
            "task": session.attrib.get("task_name", ""),
            "left_out": dict(+counts),
            "editor": joined,
            "plugins": list(session.plugins),
            **session.calibration,
            **said,
            "notes": [*session.notes, *notes],
        },
        start_ns=began,
    )


def ide_positions(path: str | Path | Source, *, plugin: str | Path | None = None) -> Positions:
    """Where in the text each sample fell, as the editor's plug-in saw it.

    Parameters
    ----------
    path
        Core or plug-in file, as for `read`; `plugin` as there.

    Returns
    -------
    dict of arrays, one row per plug-in record of a sample, in time order
        ``t_ms`` (the recording's clock), ``event_id``, ``answered_ms`` (when the plug-in answered,
        by the wall clock), ``line`` and ``column`` (0-based; -1 off text), ``unit`` (what a column
        counts: utf16, visual, logical, byte, unknown), ``target``, ``type``, ``path``,
        ``line_height_px`` (NaN if unknown), ``editor``.
    """
    source = path if isinstance(path, Source) else Source(Path(path))
    session = _open(source, plugin, texts=True)
    ids = session.core["event_id"]
    t_ms, _ = session_clock(ids, session.core.get("tracker_time"), source.name)
    row = _rows_of_core(session)
    found = np.flatnonzero(row >= 0)
    found = found[np.argsort(t_ms[row[found]], kind="stable")]
    columns = {name: values[found] for name, values in session.editor.items()}
    if "answered_ms" in columns:
        columns["answered_ms"] = columns["answered_ms"] - start_ns(ids, t_ms) / 1e6
    return {"t_ms": t_ms[row[found]], **columns}


@dataclass(frozen=True)
class _Session:
    """Core and the plug-ins that belong to it."""

    attrib: dict[str, str]
    environment: dict[str, str]
    core: Columns
    editor: Positions
    plugins: tuple[dict[str, Any], ...]
    calibration: dict[str, Any]
    notes: tuple[str, ...]


def _root(source: Source) -> str | None:
    name = root_name(source.head)
    return name if name in ("itrace_core", "itrace_plugin") else None


def _is_chrome(source: Source) -> bool:
    # Its writer turns an array into elements called <0>, <1>, ...: no XML parser takes that.
    head = source.head[:4096].lstrip()
    return head.startswith(b"<0>") and b"<tagname>" in head and b"<timestamp>" in head


def _open(source: Source, plugin: str | Path | None, *, texts: bool) -> _Session:
    if _is_chrome(source):
        raise FormatError(
            f"{source.name} lists web page elements as iTrace's Chrome plug-in writes them, in "
            "coordinates of the page, and holds no gaze on the screen; open the itrace_core file "
            "of the session"
        )
    core, plugins = source, [] if plugin is None else [Source(Path(plugin))]
    notes: list[str] = []
    if _root(source) == "itrace_plugin":
        cores = _partners(source, "itrace_core")
        if len(cores) != 1:
            return _plugin_alone(source, len(cores), texts=texts)
        core, plugins = cores[0], [source]
        notes.append(f"core found beside the plug-in's file: {core.name}")
    elif plugin is None:
        plugins = _partners(source, "itrace_plugin")
        notes += [f"plug-in found beside the core: {p.name}" for p in plugins]
    if not plugins:
        notes.append("no plug-in's file of this session found; name it with read(core, plugin=...)")
    rows: Rows = {"response": dict(_CORE_COLUMNS), **CALIBRATION_ROWS}
    if b"intersection_name=" in core.head:
        rows["response"]["intersection_name"] = "text"
    edited = [_editor(_plugin(p, notes, texts=texts), p, texts=texts) for p in plugins]
    document = read_tolerantly(core, rows, _HEADS, notes)
    environment = document.heads.get("environment", {})
    return _Session(
        attrib=document.attrib,
        environment=environment,
        core=_some_rows(document, core.name),
        editor=_joined([columns for columns, _ in edited], texts=texts),
        plugins=tuple(said for _, said in edited),
        calibration=calibration(document, _screen(environment, core.name)),
        notes=tuple(notes),
    )


def _plugin_alone(source: Source, n_cores: int, *, texts: bool) -> _Session:
    notes: list[str] = []
    rows = _plugin_rows(texts=texts)
    rows["response"]["mean"] = ("x", "y")
    document = read_tolerantly(source, rows, _HEADS, notes)
    gaze = _some_rows(document, source.name)
    core = {"event_id": gaze["event_id"], "mean": gaze.pop("mean")}
    columns, said = _editor(document, source, texts=texts)
    found = "no core" if not n_cores else f"{n_cores} cores"
    return _Session(
        attrib=document.attrib,
        environment=document.heads.get("environment", {}),
        core=core,
        editor=columns,
        plugins=(said,),
        calibration={},
        notes=(
            *notes,
            f"{found} of this session beside the plug-in's file",
            "gaze is the plug-in's, without validity and without samples off the editor",
        ),
    )


def _plugin_rows(*, texts: bool) -> Rows:
    return {"response": _PLUGIN_COLUMNS | (_PLUGIN_TEXTS if texts else {})}


def _plugin(source: Source, notes: list[str], *, texts: bool) -> Group:
    return read_tolerantly(source, _plugin_rows(texts=texts), _HEADS, notes)


def _some_rows(document: Group, name: str) -> Columns:
    rows = document.tables["response"]
    if not len(rows["event_id"]):
        raise FormatError(f"{name}: no <response> in the document; expected gaze. Record again")
    return rows


def _partners(source: Source, root: str) -> list[Source]:
    """Files beside this one with the other root and the same session."""
    mine = _sessions(source)
    beside = [Source(p) for p in source.siblings("*.xml") + source.siblings("*.xml.gz")]
    return [p for p in beside if _root(p) == root and mine & _sessions(p)]


def _sessions(source: Source) -> set[bytes]:
    # Either key may pair the two: a plug-in's session_id is the core's session_date_time.
    return set(_SESSION.findall(source.head[:4096])) - {b""}


def _screen(environment: dict[str, str], name: str) -> Screen | None:
    width, height = (
        number(environment.get(f"screen_{side}"), f"{name}: screen_{side}")
        for side in ("width", "height")
    )
    return Screen(width_px=width, height_px=height) if width > 0 and height > 0 else None


def _intersections(core: Columns) -> dict[str, Any]:
    """Which screen or object of its world model Smart Eye saw the gaze meet, with counts."""
    names = core.pop("intersection_name", None)
    if names is None:
        return {}
    return {"intersections": dict(Counter(names.tolist()).most_common(20))}


def _editor(document: Group, source: Source, *, texts: bool) -> tuple[Positions, dict[str, Any]]:
    """Records of one plug-in, and what to say of it; for counting alone, without their texts."""
    rows = document.tables["response"]
    editor = document.heads.get("environment", {}).get("plugin_type", "")
    line, column = rows.pop("source_file_line"), rows.pop("source_file_col")
    first_line, first_column, unit = base_of(editor, line, column)
    stamps = [int(stamp) for stamp in _PLUGIN_TIME.findall(source.head)]
    said = {
        "type": editor,
        "first_line": first_line,
        "first_column": first_column,
        "column_unit": unit,
        "plugin_time_unit": unix_unit(stamps)[0] if stamps else "unknown",
    }
    if not texts:
        on_text = (line >= first_line) & (column >= first_column)
        return {"event_id": rows["event_id"], "on_text": on_text}, said
    found = positions(line, column, editor, _texts(rows, editor))
    return {"event_id": rows["event_id"], **found}, said


def _texts(rows: Columns, editor: str) -> dict[str, npt.NDArray[Any]]:
    # Atom's plug-in writes the two heights under each other's name.
    swapped = editor.lower() == "atom"
    heights = rows["editor_font_height" if swapped else "editor_line_height"]
    return {
        "answered_ms": unix_ms(rows["plugin_time"]),
        "target": rows["gaze_target"],
        "type": rows["gaze_target_type"],
        "path": rows["source_file_path"],
        "line_height_px": np.array([_height(text) for text in heights], dtype=np.float64),
    }


def _height(text: str) -> float:
    try:
        value = float(text.replace(",", ".", 1))
    except ValueError:
        return float("nan")
    return value if value > 0 else float("nan")


def _joined(parts: list[Positions], *, texts: bool) -> Positions:
    if len(parts) == 1:
        return parts[0]
    none = {"event_id": np.empty(0, np.int64), "on_text": np.empty(0, bool)}
    if parts or texts:
        return {"event_id": none["event_id"]} | join_positions(parts)
    return none


def _rows_of_core(session: _Session) -> IntArray:
    """For each row of the editor the row of core with its `event_id`, or -1."""
    ids, wanted = session.core["event_id"], session.editor["event_id"]
    if (ids[1:] >= ids[:-1]).all():
        at = np.searchsorted(ids, wanted)
    else:
        order = np.argsort(ids, kind="stable")
        at = order[np.clip(np.searchsorted(ids[order], wanted), 0, len(ids) - 1)]
    at = np.clip(at, 0, len(ids) - 1)
    at[ids[at] != wanted] = -1
    rows: IntArray = at
    return rows


def _join_counts(session: _Session) -> dict[str, int]:
    off_text = int((~session.editor["on_text"]).sum())
    n = len(session.core["event_id"])
    alone = session.editor["event_id"] is session.core["event_id"]
    row = np.empty(0, np.int64) if alone else _rows_of_core(session)
    # Not needed any more, and as long as the session.
    session.editor.clear()
    if alone:
        counts = {"rows": n, "joined": n, "without_core": 0, "core_without_editor": 0}
        return {**counts, "off_text": off_text}
    joined = row >= 0
    answered = np.zeros(n, dtype=bool)
    answered[row[joined]] = True
    return {
        "rows": len(row),
        "joined": int(joined.sum()),
        "without_core": int((~joined).sum()),
        "core_without_editor": n - int(answered.sum()),
        "off_text": off_text,
    }


READER = Reader(
    name="itrace",
    title="iTrace core XML with the editor plug-in's XML",
    sniff=sniff,
    read=read,
    suffixes=(".xml",),
    priority=10,
)
