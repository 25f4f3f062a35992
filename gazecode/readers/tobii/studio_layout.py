"""Which of Studio's text files this is: its preamble, its header line, its columns by meaning.

Three generations: 1.x and 2.x with ``GazePointXLeft`` and a `Timestamp` in ms, with or without a
preamble of ``Key:`` lines before the header, where an export falls into All-Data, Fixation-Data and
Event-Data files; and 3.x with ``GazePointLeftX (ADCSpx)`` and a `RecordingTimestamp`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gazecode.readers.tools.delimited import split_line

__all__ = ["Layout", "StudioColumns", "find_columns", "find_layout"]

Kind = Literal["gaze", "fixations", "events"]
Pair = tuple[str, str]

_MAX_PREAMBLE_LINES = 400
_PREAMBLE_START = ("System Properties:", "Data properties:", "Recording name:", "Recording date:")
_KEY = re.compile(r"^([^:\t]+):\s*(.*)$")
_SIZE = re.compile(r"(\d+)\s*[xX×]\s*(\d+)")
_GAZE_3 = ("StudioVersionRec", "GazeEventType", "GazePointIndex", "EyeTrackerTimestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Kind of file, its names of columns, where the header line starts, what stands before it."""

    kind: Kind
    names: list[str]
    header_at: int
    said: dict[str, str]

    def first_of(self, *keys: str) -> str:
        """Value of the first key the preamble has; empty if it has none."""
        return next((self.said[key] for key in keys if self.said.get(key)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioColumns:
    """Names of a gaze file's columns by what they mean; None where it has none."""

    time: str
    tracker_us: str | None
    gaze: dict[str, Pair]
    point: Pair | None
    media_point: Pair | None
    fixation: Pair | None
    media_at: Pair | None
    media: str | None
    media_size: Pair | None
    pupil: dict[str, str]
    validity: dict[str, str]
    kind: str | None
    fixation_index: str | None
    saccade_index: str | None
    duration: str | None
    participant: str | None
    recording: str | None
    resolution: str | None
    filter: str | None
    gaze_mm: Pair | None
    distance_mm: str | None
    events: tuple[tuple[str, tuple[str, ...]], ...]


def find_layout(head: bytes) -> Layout | None:
    r"""What the first bytes of a file say; None if it is none of Studio's.

    >>> layout = find_layout(
    ...     b"Data properties:\n\nSubject: P1\n\nTimestamp\tEvent\tEventKey\tData1\n"
    ... )
    >>> layout.kind, layout.said["Subject"], layout.header_at
    ('events', 'P1', 31)
    """
    said: dict[str, str] = {}
    at = 0
    for number, raw in enumerate(head.split(b"\n")[:_MAX_PREAMBLE_LINES]):
        line = raw.decode("utf-8", "replace").rstrip("\r")
        if not number:
            # A byte-order mark of another code page, or none: the words count.
            line = line.lstrip("\ufeff")
        names = split_line(line, "\t")
        kind = _kind(set(names))
        if kind is not None:
            return Layout(kind=kind, names=names, header_at=at, said=said)
        if not number and not line.strip().startswith(_PREAMBLE_START):
            return None
        match = _KEY.match(line.strip())
        if match:
            said.setdefault(match[1].strip(), match[2].strip())
        at += len(raw) + 1
    return None


def _kind(names: set[str]) -> Kind | None:
    if "RecordingTimestamp" in names:
        return "gaze" if names & set(_GAZE_3) or _has(names, "ADCSpx") else None
    if "Timestamp" not in names:
        return None
    if {"GazePointXLeft", "GazePointYLeft"} <= names or {"GazePointX", "StimuliName"} <= names:
        return "gaze"
    if {"FixationIndex", "FixationDuration", "MappedFixationPointX"} <= names:
        return "fixations"
    return "events" if {"Event", "EventKey", "Data1"} <= names else None


def _has(names: set[str], unit: str) -> bool:
    return any(name.endswith(f"({unit})") for name in names)


def screen_size(text: str) -> tuple[float, float] | None:
    """Width and height out of ``1280 x 1024``.

    >>> screen_size("1280 x 1024"), screen_size("")
    ((1280.0, 1024.0), None)
    """
    match = _SIZE.search(text)
    size = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    return size if min(size) > 0 else None


def find_columns(names: Sequence[str]) -> StudioColumns:
    """Sort a gaze file's names by meaning.

    >>> columns = find_columns(["Timestamp", "GazePointXLeft", "GazePointYLeft", "ValidityLeft"])
    >>> columns.gaze, columns.validity
    ({'left': ('GazePointXLeft', 'GazePointYLeft')}, {'left': 'ValidityLeft'})
    """
    known = set(names)

    def one(*candidates: str) -> str | None:
        return next((name for name in candidates if name in known), None)

    def pair(*patterns: str) -> Pair | None:
        for pattern in patterns:
            x, y = (pattern.replace("?", axis) for axis in "XY")
            if {x, y} <= known:
                return x, y
        return None

    point = pair("GazePoint? (ADCSpx)", "GazePoint?")
    eyes = {
        eye.lower(): pair(f"GazePoint{eye}? (ADCSpx)", f"GazePoint?{eye}")
        for eye in ("Left", "Right")
    }
    gaze = {eye: found for eye, found in eyes.items() if found is not None}
    if not gaze and point is not None:
        gaze = {"both": point}
    sides = {eye.lower(): eye for eye in ("Left", "Right")}
    size = ("MediaWidth", "MediaHeight")
    return StudioColumns(
        time="RecordingTimestamp" if "RecordingTimestamp" in known else "Timestamp",
        tracker_us=one("EyeTrackerTimestamp", "MicroSecondTimestamp"),
        gaze=gaze,
        point=point,
        media_point=pair("GazePoint? (MCSpx)", "MappedGazeDataPoint?"),
        fixation=pair("FixationPoint? (MCSpx)", "MappedFixationPoint?"),
        media_at=pair("MediaPos? (ADCSpx)", "MediaPos?"),
        media=one("MediaName", "StimuliName"),
        media_size=size if set(size) <= known else None,
        pupil={eye: f"Pupil{side}" for eye, side in sides.items() if f"Pupil{side}" in known},
        validity={
            eye: f"Validity{side}" for eye, side in sides.items() if f"Validity{side}" in known
        },
        kind=one("GazeEventType"),
        fixation_index=one("FixationIndex"),
        saccade_index=one("SaccadeIndex"),
        duration=one("FixationDuration"),
        participant=one("ParticipantName"),
        recording=one("RecordingName"),
        resolution=one("RecordingResolution"),
        filter=one("FixationFilter"),
        gaze_mm=pair("GazePointLeft? (ADCSmm)"),
        distance_mm=one("EyePosLeftZ (ADCSmm)"),
        events=_event_columns(known),
    )


def _event_columns(known: set[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The word a message begins with, and the columns that make it, the first one filled."""
    wanted = (
        ("", ("StudioEvent", "StudioEventData")),
        ("KeyPress", ("KeyPressEvent",)),
        ("Mouse", ("MouseEvent", "MouseEventX (ADCSpx)", "MouseEventY (ADCSpx)")),
        ("", ("ExternalEvent", "ExternalEventValue")),
        ("", ("Event", "Data1", "Data2", "Descriptor")),
    )
    return tuple(
        (word, tuple(name for name in columns if name in known))
        for word, columns in wanted
        if columns[0] in known
    )
