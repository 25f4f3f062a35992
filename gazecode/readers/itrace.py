"""iTrace: gaze of iTrace Core, and what an editor plug-in says lay under it, joined on `event_id`.

Core (``<itrace_core>``) holds each eye's position and validity; a plug-in (``<itrace_plugin>``)
holds path, line and column for part of the same events. `read` finds one beside the other by
session; `ide_positions` gives the joined editor positions on the recording's clock.

`event_id` is a Windows FILETIME of the arrival (18 digits: int64 only). Durations come from
`tracker_time`, whose unit differs by tracker and is inferred by fitting it against `event_id` over
the whole session. Rows that neither eye supports still hold stale positions and are lost.

Guarnera et al. 2018, doi:10.1145/3204493.3208343.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Screen
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.xml import Columns, Group, number, read_xml, root_name

__all__ = ["READER", "ide_positions", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FILETIME_EPOCH = 116_444_736_000_000_000
"""1970 in 100 ns ticks since 1601."""

TRACKER_UNITS_MS = {"100 ns": 1e-4, "µs": 1e-3, "ms": 1.0, "ns": 1e-6, "s": 1e3}

EDITORS: dict[str, tuple[int, int, str]] = {
    "eclipse": (1, 1, "utf16"),
    "msvs": (1, 1, "utf16"),
    "atom": (1, 0, "visual"),
    "vscode": (1, 1, "visual"),
    "jetbrains": (1, 1, "logical"),
    "sublime": (1, 1, "visual"),
    "notepad++": (0, 0, "byte"),
}
"""Plug-in type → number of its first line, of its first column, and what a column counts."""

_CORE_ROWS = {
    "response": {"event_id": "int", "tracker_time": "text", "x": "float", "y": "float"}
    | {
        f"{eye}_{what}": "float"
        for eye in ("left", "right")
        for what in ("x", "y", "pupil_diameter", "validation")
    }
}
_PLUGIN_ROWS = {
    "response": {"event_id": "int", "x": "float", "y": "float"}
    | {f"source_file_{what}": "float" for what in ("line", "col")}
    | dict.fromkeys(("gaze_target", "gaze_target_type", "source_file_path"), "text")
}
_SESSION = re.compile(rb'session_(?:id|date_time)="([^"]*)"')
_NEAR_PX = 5.0


def sniff(source: Source) -> bool:
    """Whether the root is ``itrace_core`` or ``itrace_plugin``."""
    return _root(source) is not None


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
    session = _open(source, plugin)
    counts: Counter[str] = Counter()
    t_ms, clock = _clock(session.core)
    xy, pupil, notes = _eyes(session.core, counts)
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    return Recording(
        samples=samples,
        screen=_screen(session.environment, source.name),
        provenance={
            "clock": clock,
            "tracker": session.environment.get("tracker_type", ""),
            "session": session.attrib.get("session_id", ""),
            "left_out": dict(+counts),
            "editor": _join_counts(session),
            "notes": [*session.notes, *notes],
        },
        start_ns=_start_ns(session.core["event_id"], t_ms),
    )


def ide_positions(
    path: str | Path | Source, *, plugin: str | Path | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Where in the text each sample fell, as the editor's plug-in saw it.

    Parameters
    ----------
    path
        Core or plug-in file, as for `read`; `plugin` as there.

    Returns
    -------
    dict of arrays, one row per plug-in record of a sample, in time order
        ``t_ms`` (the recording's clock), ``event_id``, ``line`` and ``column`` (0-based; -1 off
        text), ``unit`` (what a column counts: utf16, visual, logical, byte, unknown), ``target``,
        ``type``, ``path``, ``editor``.
    """
    source = path if isinstance(path, Source) else Source(Path(path))
    session = _open(source, plugin)
    t_ms, _ = _clock(session.core)
    row = _rows_of_core(session)
    found = np.flatnonzero(row >= 0)
    found = found[np.argsort(t_ms[row[found]], kind="stable")]
    columns = {name: values[found] for name, values in session.editor.items()}
    return {"t_ms": t_ms[row[found]], **columns}


@dataclass(frozen=True)
class _Session:
    """Core and the plug-ins that belong to it."""

    attrib: dict[str, str]
    environment: dict[str, str]
    core: Columns
    editor: Columns
    notes: tuple[str, ...]


def _root(source: Source) -> str | None:
    name = root_name(source.head)
    return name if name in ("itrace_core", "itrace_plugin") else None


def _open(source: Source, plugin: str | Path | None) -> _Session:
    core, plugins = source, [] if plugin is None else [Source(Path(plugin))]
    notes: list[str] = []
    if _root(source) == "itrace_plugin":
        cores = _partners(source, "itrace_core")
        if len(cores) != 1:
            return _plugin_alone(source, len(cores))
        core, plugins = cores[0], [source]
        notes.append(f"core found beside the plug-in's file: {core.name}")
    elif plugin is None:
        plugins = _partners(source, "itrace_plugin")
        notes += [f"plug-in found beside the core: {p.name}" for p in plugins]
    document = _document(core, _CORE_ROWS, notes)
    editor = _editor([_document(p, _PLUGIN_ROWS, notes) for p in plugins])
    if not plugins:
        notes.append("no plug-in's file of this session found; name it with read(core, plugin=...)")
    return _Session(
        attrib=document.attrib,
        environment=document.heads.get("environment", {}),
        core=_some_rows(document, core.name),
        editor=editor,
        notes=tuple(notes),
    )


def _plugin_alone(source: Source, n_cores: int) -> _Session:
    notes: list[str] = []
    document = _document(source, _PLUGIN_ROWS, notes)
    gaze = _some_rows(document, source.name)
    found = "no core" if not n_cores else f"{n_cores} cores"
    return _Session(
        attrib=document.attrib,
        environment=document.heads.get("environment", {}),
        core={name: gaze[name] for name in ("event_id", "x", "y")},
        editor=_editor([document]),
        notes=(
            *notes,
            f"{found} of this session beside the plug-in's file",
            "gaze is the plug-in's, without validity and without samples off the editor",
        ),
    )


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


def _document(source: Source, rows: dict[str, dict[str, str]], notes: list[str]) -> Group:
    raw = source.read_bytes()
    try:
        return read_xml(raw, name=source.name, rows=rows, heads=("environment",))[0]
    except FormatError:
        mended = _mend(raw)
        if mended == raw:
            raise
    notes.append(
        f"{source.name} is not well-formed XML as its plug-in writes it; read all the same"
    )
    return read_xml(mended, name=source.name, rows=rows, heads=("environment",))[0]


def _mend(raw: bytes) -> bytes:
    """Undo what the Sublime, Notepad++ and JetBrains writers get wrong; nothing else is touched.

    They close lists with ``<gazes/><itrace_plugin/>``, leave no blank between attributes, and do
    not escape attribute text.
    """
    closing = re.compile(rb"<gazes\s*/>\s*<itrace_plugin\s*/>\s*\Z")
    mended = closing.sub(b"</gazes></itrace_plugin>\n", raw)
    return re.sub(rb'="([^"]*)"(?=(\w?))', _mend_value, mended)


def _mend_value(match: re.Match[bytes]) -> bytes:
    value = re.sub(rb"&(?!\w+;|#\w+;)", b"&amp;", match[1]).replace(b"<", b"&lt;")
    return b'="' + value + (b'" ' if match[2] else b'"')


def _clock(core: Columns) -> tuple[FloatArray, str]:
    """Time of each row, ms from the first one, and how it was found."""
    arrival_ms = (core["event_id"] - core["event_id"].min()) * 1e-4
    ticks = _ticks(core)
    if ticks is not None:
        # The median of slopes over half the session: bursts of arrival cannot tip it.
        half = len(ticks) // 2
        span, passed = ticks[half:] - ticks[: len(ticks) - half], arrival_ms[half:]
        passed = passed - arrival_ms[: len(arrival_ms) - half]
        fit = float(np.median(passed[span > 0] / span[span > 0])) if (span > 0).any() else math.nan
        for unit, ms in TRACKER_UNITS_MS.items():
            if 0.8 < fit / ms < 1.25:
                return (ticks - np.nanmin(ticks)) * ms, (
                    f"tracker_time in {unit} (fitted against event_id: {fit / ms:.4f} of it)"
                )
    return arrival_ms, "event_id (arrival, 100 ns): no tracker_time in a known unit"


def _ticks(core: Columns) -> FloatArray | None:
    """`tracker_time` from its first value on; integers are subtracted before they are floats."""
    texts = core.get("tracker_time")
    if texts is None:
        return None
    try:
        whole = np.array([int(t) for t in texts], dtype=np.int64)
    except ValueError:
        values: FloatArray = np.array([number(t, "tracker_time") for t in texts])
        return np.asarray(values - values[0], dtype=np.float64)
    return np.asarray(whole - whole[0], dtype=np.float64)


def _eyes(
    core: Columns, counts: Counter[str]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], list[str]]:
    """Coordinates and pupil per eye; both eyes' mean where the file has no more."""
    mean = np.stack([core["x"], core["y"]], axis=1)
    if "left_x" not in core:
        return {"both": mean}, {}, []
    valid = {eye: core[f"{eye}_validation"] == 1 for eye in ("left", "right")}
    xy = {eye: np.stack([core[f"{eye}_x"], core[f"{eye}_y"]], axis=1) for eye in valid}
    pupil = {eye: core[f"{eye}_pupil_diameter"] for eye in valid}
    counts["neither_eye_valid"] = int((~valid["left"] & ~valid["right"]).sum())
    if not _in_pixels(mean, xy, valid):
        mean[~valid["left"] & ~valid["right"]] = np.nan
        both = {"both": (pupil["left"] + pupil["right"]) / 2}
        return {"both": mean}, both, ["the eyes' own positions are no px of x, y; their mean is"]
    for eye, points in xy.items():
        counts[f"invalid_{eye}"] = int((~valid[eye]).sum())
        points[~valid[eye]] = np.nan
    known = {eye: np.where(valid[eye] & (pupil[eye] > 0), pupil[eye], np.nan) for eye in valid}
    return xy, known, []


def _in_pixels(mean: FloatArray, xy: dict[str, FloatArray], valid: dict[str, BoolArray]) -> bool:
    """Whether the middle of the eyes is the px that core itself gives."""
    both = valid["left"] & valid["right"]
    if not both.any():
        return bool(np.isfinite(xy["left"]).any())
    off = np.abs((xy["left"] + xy["right"]) / 2 - mean)[both]
    return bool(np.nanmedian(off) <= _NEAR_PX) if np.isfinite(off).any() else False


def _screen(environment: dict[str, str], name: str) -> Screen | None:
    width, height = (
        number(environment.get(f"screen_{side}"), f"{name}: screen_{side}")
        for side in ("width", "height")
    )
    return Screen(width_px=width, height_px=height) if width > 0 and height > 0 else None


def _start_ns(event_id: IntArray, t_ms: FloatArray) -> int:
    """Wall clock of ms 0: when the first sample arrived."""
    return (int(event_id[int(np.nanargmin(t_ms))]) - FILETIME_EPOCH) * 100


def _editor(documents: list[Group]) -> Columns:
    """Rows of all plug-ins of a session, lines and columns 0-based."""
    parts = [_editor_rows(d) for d in documents]
    if not parts:
        return {"event_id": np.empty(0, np.int64), "line": np.empty(0, np.int64)}
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _editor_rows(document: Group) -> Columns:
    rows = document.tables["response"]
    editor = document.heads.get("environment", {}).get("plugin_type", "")
    line0, column0, unit = EDITORS.get(editor.lower(), (1, 1, "unknown"))
    line, column = rows["source_file_line"], rows["source_file_col"]
    # Empty is NaN here, and a comparison with NaN is false: off text, as -1 is.
    on_text = (line >= line0) & (column >= column0)
    n = len(line)
    return {
        "event_id": rows["event_id"],
        "line": np.where(on_text, line - line0, -1).astype(np.int64),
        "column": np.where(on_text, column - column0, -1).astype(np.int64),
        "unit": np.full(n, unit, dtype=object),
        "target": rows["gaze_target"],
        "type": rows["gaze_target_type"],
        "path": rows["source_file_path"],
        "editor": np.full(n, editor, dtype=object),
    }


def _rows_of_core(session: _Session) -> IntArray:
    """For each row of the editor the row of core with its `event_id`, or -1."""
    ids, wanted = session.core["event_id"], session.editor["event_id"]
    order = np.argsort(ids, kind="stable")
    at = np.clip(np.searchsorted(ids[order], wanted), 0, len(ids) - 1)
    rows: IntArray = np.where(ids[order[at]] == wanted, order[at], -1)
    return rows


def _join_counts(session: _Session) -> dict[str, int]:
    row = _rows_of_core(session)
    joined = row >= 0
    return {
        "rows": len(row),
        "joined": int(joined.sum()),
        "without_core": int((~joined).sum()),
        "core_without_editor": len(session.core["event_id"]) - len(np.unique(row[joined])),
        "off_text": int((session.editor["line"] < 0).sum()),
    }


READER = Reader(
    name="itrace",
    title="iTrace core XML with the editor plug-in's XML",
    sniff=sniff,
    read=read,
    suffixes=(".xml",),
    priority=10,
)
