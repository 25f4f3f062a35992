"""Pupil Cloud exports of Neon and Invisible: the raw time series, and the Marker Mapper's.

Raw: ``gaze.csv`` in px of the scene camera, with ``fixations.csv``, ``saccades.csv``,
``blinks.csv``, ``events.csv``, ``3d_eye_states.csv`` and ``info.json`` of one recording beside it.
Marker Mapper (version 2): ``gaze.csv`` in fractions of a surface, ``fixations.csv`` and
``sections.csv`` of all recordings of a project. (0, 0) is the surface's top left corner, (1, 1)
its bottom right one, and values outside are gaze that was not on it (Neon documentation: Marker
Mapper, "Surface Coordinates"): they are kept, and counted.

Stamps are UTC ns of 19 digits, which no float holds. An event ends where its next sample begins.
Ids of fixations start again in every recording: the key is (recording id, fixation id).

Several recordings in a file are put on one clock, with a trial for every section, where they do
not overlap and `sections.csv` does not say that they are of different people. Otherwise the first
one is opened, and the others are counted as left out: `recording` names one of them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Recording
from gazecode.readers.pupil_labs.neon_columns import (
    EVENTS,
    ON_SURFACE,
    SPAN,
    STAMP,
    event_columns,
    gaze_rows,
    load_events,
    stamps,
)
from gazecode.readers.pupil_labs.neon_parts import Choice, choose, section_trials, sections_beside
from gazecode.readers.pupil_labs.shared import (
    EventColumns,
    Findings,
    columns_of,
    device_events,
    eye_of_mode,
    file_beside,
    pupil_of,
    said_of_info,
    values_at,
)
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples, samples_of_eyes
from gazecode.readers.tools.delimited import read_delimited
from gazecode.readers.tools.gather import gather

if TYPE_CHECKING:
    pass

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_COLUMNS: dict[str, set[str]] = {
    "surface gaze": {STAMP, ON_SURFACE.format("x"), ON_SURFACE.format("y")},
    "gaze": {STAMP, "gaze x [px]", "gaze y [px]"},
    "surface fixations": {*SPAN, "fixation x [normalized]", "fixation y [normalized]"},
    "image gaze": {STAMP, "gaze position in reference image x [px]"},
    "image fixations": {*SPAN, "fixation detected in reference image"},
    "fixations": {*SPAN, "fixation id", "fixation x [px]", "fixation y [px]"},
    "saccades": {*SPAN, "saccade id"},
    "blinks": {*SPAN, "blink id"},
    "events": {STAMP, "name", "type"},
    "sections": {"section id", "recording id", "section start time [ns]"},
    "aoi_fixations": {"aoi id", "fixation id"},
    "aoi_metrics": {"aoi id", "recording id", "total fixations"},
    "surface_positions": {"section id", STAMP, "tl x [px]"},
    "3d_eye_states": {STAMP, "pupil diameter left [mm]"},
    "imu": {STAMP, "gyro x [deg/s]"},
    "world_timestamps": {"section id", "recording id", STAMP},
}
"""In this order: the last ones are part of others."""
_GAZE = ("gaze", "surface gaze")
_ENRICHMENT = re.compile(rb"[\w -]+ export\s+[^\n]*docs\.pupil-labs\.com/")
_CORNERS = [f"{corner} {axis} [px]" for corner in ("tl", "tr", "br", "bl") for axis in "xy"]
_NATIVE = ("gaze ps*.raw", "gaze_200hz.raw")


def sniff(source: Source) -> bool:
    """Whether the first line, or what JSON there is, is that of one of the Cloud's exports."""
    return _kind(source) is not None


def read(source: Source, *, recording: str | None = None) -> Recording:
    """Read gaze, or the events of a file that holds events alone.

    Parameters
    ----------
    source
        ``gaze.csv``; ``fixations.csv``, ``saccades.csv`` or ``blinks.csv``: a recording of events
        alone. Any other file of an export opens the gaze it lies beside.
    recording
        Which recording, where a file holds several: its id, the beginning of it, or its name in
        ``sections.csv``.

    Returns
    -------
    Recording
        Plane ``scene_px``, of a surface ``screen_fraction``, which is one of that surface. Gaze
        while the glasses were not worn is lost; so is gaze while the surface was not found.
    """
    kind = _kind(source)
    if kind in ("image gaze", "image fixations"):
        raise FormatError(
            f"{source.name} holds gaze in px of a reference image (Reference Image Mapper), which "
            "is no screen; expected the raw export's or the Marker Mapper's. Open those, or name "
            "its columns with format='table'"
        )
    if kind in EVENTS:
        return _read_events(source, str(kind), recording)
    if kind in _GAZE:
        return _read_gaze(source, str(kind), recording)
    gaze = _gaze_of(source, str(kind))
    found = _read_gaze(gaze, str(_kind(gaze)), recording)
    note = f"{source.name} holds no gaze: {gaze.name} beside it was opened"
    notes = [*found.provenance["notes"], note]
    return replace(found, provenance={**found.provenance, "notes": notes})


def _kind(source: Source) -> str | None:
    if source.path.is_dir():
        return None
    if source.head.lstrip().startswith(b"{"):
        return _kind_of_json(source)
    found = columns_of(source)
    for kind, columns in _COLUMNS.items():
        if columns <= found:
            return kind
    return "enrichment_info" if _ENRICHMENT.match(source.head) else None


def _kind_of_json(source: Source) -> str | None:
    """``info.json`` and the camera's, unless they lie in the folder of a native recording."""
    found = _json(source)
    if {"recording_id", "android_device_id"} <= found.keys():
        kind = "info"
    elif {"camera_matrix", "serial_number"} <= found.keys():
        kind = "scene_camera"
    else:
        return None
    return None if any(source.siblings(name) for name in _NATIVE) else kind


def _json(source: Source) -> dict[str, Any]:
    try:
        found = json.loads(source.head)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _gaze_of(source: Source, kind: str) -> Source:
    alike = file_beside(source, kind, "gaze")
    candidates = [alike] if alike is not None else source.siblings("*gaze*.csv*")
    found = [gaze for gaze in map(Source, candidates) if _kind(gaze) in _GAZE]
    if len(found) != 1:
        raise FormatError(
            f"{source.name} is the {kind.replace('_', ' ')} of a Pupil Cloud export and holds no "
            f"gaze; {len(found)} files of gaze lie beside it. Open its gaze.csv"
        )
    return found[0]


def _read_gaze(source: Source, kind: str, recording: str | None) -> Recording:
    said = Findings()
    rows = gaze_rows(source, kind, said)
    beside = sections_beside(source, "gaze", said)
    chosen = choose(
        rows.values["ns"],
        rows.values.get("recording"),
        rows.recordings,
        beside,
        recording=recording,
        file=source.name,
        said=said,
    )
    kept = chosen.holds(rows.values.get("recording"), rows.recordings)
    if kept is not None:
        said.counts["rows_of_other_recordings"] += int((~kept).sum())
        rows = replace(rows, values={name: v[kept] for name, v in rows.values.items()})
    rows.values.pop("recording", None)
    said.counts["not_worn"] += int(rows.values.pop("not_worn", np.zeros(0)).sum())
    t_ms = chosen.ms(rows.values["ns"])
    trials = []
    # The Marker Mapper's sections are cut by events of the study; those of raw data are not.
    if "section" in rows.values and (kind == "surface gaze" or len(chosen.ids) > 1):
        owner, names = rows.values["section"], rows.sections
        trials = section_trials(t_ms, owner, names, beside, ids=chosen.ids, said=said)
    rows.values.pop("section", None)
    if kind == "surface gaze":
        _say_surface(source, rows.values.pop("off_surface", None), said)
    info = _info_beside(source)
    said.extra |= said_of_info(info)
    eye = eye_of_mode(info.get("gaze_mode"))
    ns = rows.values.pop("ns")
    pupil = {} if kind != "gaze" else _pupil_beside(source, ns, eye, said)
    del ns
    samples = samples_of_eyes(t_ms, {eye: rows.values.pop("xy")}, pupil, counts=said.counts)
    del t_ms, pupil
    parts = list(_events_beside(source, kind, chosen, said))
    return Recording(
        samples=samples,
        trials=trials,
        messages=_messages_beside(source, chosen, said),
        device_events=device_events(parts, said.counts),
        plane="screen_fraction" if kind == "surface gaze" else "scene_px",
        start_ns=chosen.first,
        provenance=said.provenance(f"column {STAMP}, UTC; 0 at the first stamp"),
    )


def _say_surface(source: Source, off: BoolArray | None, said: Findings) -> None:
    said.notes.append(
        "coordinates are fractions of a surface, from its top left; they are those of a screen "
        "where the surface was drawn around one: name its pixels with read(path, screen=...)"
    )
    if off is not None:
        said.extra["off_surface"] = int(off.sum())
    path = file_beside(source, "gaze", "surface_positions")
    if path is None or _kind(Source(path)) != "surface_positions":
        return
    corners = gather(
        Source(path).blocks(),
        take=lambda frame: {"located": np.isfinite(frame.to_numpy()).all(axis=1)},
        name=path.name,
        columns=dict.fromkeys(_CORNERS, float),
        counts=Counter(),
        # The list of markers comes in three quotes on each side.
        quoted=True,
        cut_row="count",
    )
    located = corners.array("located")
    said.extra["surface_frames"] = {"n": len(located), "located": int(located.sum())}


def _info_beside(source: Source) -> dict[str, Any]:
    path = source.path.with_name("info.json")
    return _json(Source(path)) if path.is_file() else {}


def _pupil_beside(source: Source, ns: IntArray, eye: str, said: Findings) -> dict[str, FloatArray]:
    """Diameters, mm, of ``3d_eye_states.csv`` at the same stamps."""
    path = file_beside(source, "gaze", "3d_eye_states")
    if path is None or _kind(Source(path)) != "3d_eye_states":
        return {}
    sizes = ["pupil diameter left [mm]", "pupil diameter right [mm]"]
    found = gather(
        Source(path).blocks(),
        take=lambda frame: {
            "ns": stamps(frame[STAMP]),
            "mm": pupil_of(frame[sizes].to_numpy(dtype=np.float64), eye),
        },
        name=path.name,
        columns={STAMP: int, **dict.fromkeys(sizes, float)},
        counts=said.counts,
        cut_row="count",
    )
    said.extra["pupil_unit"] = "mm"
    return {eye: values_at(ns, found.array("ns"), found.array("mm"))}


def _events_beside(
    source: Source, kind: str, chosen: Choice, said: Findings
) -> Iterator[EventColumns]:
    others = ["surface fixations"] if kind == "surface gaze" else ["fixations", "saccades"]
    for other in (*others, "blinks"):
        path = file_beside(source, "gaze", other.removeprefix("surface "))
        if path is not None and _kind(Source(path)) == other:
            values, names = load_events(Source(path), other, said)
            yield event_columns(values, names, other, chosen, said)


def _messages_beside(source: Source, chosen: Choice, said: Findings) -> list[Message]:
    path = file_beside(source, "gaze", "events")
    if path is None or _kind(Source(path)) != "events":
        return []
    frame = read_delimited(
        Source(path).blocks(),
        name=path.name,
        columns={STAMP: int, "name": str},
        optional={"recording id": str},
        counts=said.counts,
        quoted=True,
        cut_row="count",
    )
    if "recording id" in frame and chosen.ids:
        frame = frame[frame["recording id"].isin(chosen.ids)]
    t_ms = chosen.ms(stamps(frame[STAMP]))
    names = frame["name"].to_numpy(dtype=object)
    order = np.argsort(t_ms, kind="stable")
    return [Message(t_ms=float(t_ms[i]), text=str(names[i])) for i in order if t_ms[i] == t_ms[i]]


def _read_events(source: Source, kind: str, recording: str | None) -> Recording:
    said = Findings(notes=["the file holds events alone"])
    values, names = load_events(source, kind, said, companion=False)
    beside = sections_beside(source, kind.removeprefix("surface "), said)
    parts, first = [], None
    if len(values["onset"]):
        chosen = choose(
            values["onset"],
            values.get("recording"),
            names,
            beside,
            recording=recording,
            file=source.name,
            said=said,
        )
        first = chosen.first
        parts = [event_columns(values, names, kind, chosen, said)]
    return Recording(
        samples=no_samples(),
        device_events=device_events(parts, said.counts),
        plane="screen_fraction" if kind == "surface fixations" else "scene_px",
        start_ns=first,
        provenance=said.provenance(f"column {SPAN[0]}, UTC; 0 at the first event"),
    )


READER = Reader(
    name="neon_cloud",
    title="Pupil Cloud exports of Neon and Invisible: raw gaze.csv, and the Marker Mapper's",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
