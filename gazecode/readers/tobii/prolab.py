"""Tobii Pro Lab data export as tab-separated text, of a screen or of glasses.

Rows of all sensors share one file: only those whose `Sensor` is ``Eye Tracker`` are gaze;
gyroscope, accelerometer, magnetometer and mouse rows repeat the columns of the last fixation. Rows
that hold an `Event` are messages. Stamps are µs, or ms where the column says so; beside stamps of
whole ms the tracker's own µs are taken, laid on the recording's clock.

On a screen gaze is px of the display (DACS); with glasses it is px of the scene camera's video
(MCS), which never poses as a screen: name a snapshot to take what Pro Lab mapped onto it.

Tobii AB, Tobii Pro Lab User's Manual, data export; the columns of each version as files have them.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial, Validation
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tobii.prolab_columns import ProLabColumns, find_columns, snapshots
from gazecode.readers.tobii.prolab_intervals import intervals
from gazecode.readers.tobii.prolab_ragged import mend_ragged_rows
from gazecode.readers.tobii.prolab_rows import EYE_TRACKER, ProLabRows
from gazecode.readers.tobii.prolab_runs import (
    events_of_spans,
    rows_of_samples,
    trials_of_spans,
)
from gazecode.readers.tobii.rows import fine_clock, spread_repeats
from gazecode.readers.tools.arrow import is_quoted, read_table
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import find_separator, split_line
from gazecode.units import sample_end_ms, step_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

KINDS = {"Fixation": "fixation", "Saccade": "saccade", "Unclassified": "undefined"}
"""``EyesNotFound`` is loss and no event."""
SENSORS = (EYE_TRACKER, "Gyroscope", "Accelerometer", "Magnetometer", "Mouse")
CALIBRATION = "Eyetracker Calibration"

_COMPANY = ("Sensor", "Participant name", "Recording name", "Eye movement type", "Event")
_TIME = re.compile(r"^Recording timestamp(?: [\[(].{1,2}s[\])])?$")
_MAX_US_STEP = 200.0
"""Stamps without a unit step by less than this in ms (at least 5 Hz) and by more in µs (5 kHz)."""


def sniff(source: Source) -> bool:
    """Whether the first line names Pro Lab's stamps and at least two columns that go with them."""
    names = _names(source.head.partition(b"\n")[0])
    return any(_TIME.match(name) for name in names) and len(set(_COMPANY) & set(names)) > 1


def read(source: Source, *, recording: str | None = None, snapshot: str | None = None) -> Recording:
    """Read one recording.

    Parameters
    ----------
    source
        ``... Data Export.tsv``.
    recording
        Its name (or its participant's), in an export that holds several in one file.
    snapshot
        For glasses: take gaze and events as Pro Lab mapped them onto this picture, in its px.

    Returns
    -------
    Recording
        ``left`` and ``right``, or ``both`` where the file has one gaze point; px of the screen, or
        ``scene_px`` for glasses; ms from the first sample.

    Raises
    ------
    FormatError
        The export holds several recordings and none is named, or no row of the eye tracker.
    ParameterError
        There is no such snapshot in the file.
    """
    blocks = source.blocks()
    first = next(blocks, b"")
    names = _names(first.partition(b"\n")[0])
    columns = find_columns(names, _checked_snapshot(names, snapshot, source.name))
    if columns.time is None:
        raise FormatError.missing_columns(
            source.name, ["Recording timestamp [μs]"], names, "Tick it in the export"
        )
    visit = ProLabRows(columns, source, recording)
    whole: Iterator[bytes] = chain([first], blocks)
    if columns.sensor and not is_quoted(first):
        leading = names.index(columns.time), names.index(columns.sensor)
        whole = mend_ragged_rows(whole, leading, SENSORS, visit.counts)
    wanted = visit.wanted()
    for block in read_table(whole, name=source.name, columns=wanted, counts=visit.counts):
        visit.take(block)
    return _recording(visit, columns, names, snapshot)


def _names(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return split_line(text, find_separator(text))


def _checked_snapshot(names: list[str], snapshot: str | None, name: str) -> str | None:
    known = snapshots(names)
    if snapshot is not None and snapshot not in known:
        listed = ", ".join(known) or "none"
        raise ParameterError(
            f"{name} has no gaze mapped onto a snapshot {snapshot!r}; it has {listed}"
        )
    return snapshot


def _recording(
    visit: ProLabRows, columns: ProLabColumns, names: list[str], snapshot: str | None
) -> Recording:
    if not visit.n:
        raise FormatError(
            f"{visit.name} holds no row of the sensor {EYE_TRACKER!r} "
            f"({dict(visit.sensors) or 'no rows'}); expected gaze. Tick gaze in the export"
        )
    notes: list[str] = []
    t_ms, zero, per_ms, clock = _clock(visit, columns, notes)
    xy = {eye: visit.gathered.array(f"xy {eye}") for eye in columns.gaze}
    pupil = {eye: visit.gathered.array(f"pupil {eye}") for eye in columns.gaze or ("both",)}
    if not xy:
        xy = {"both": np.full((len(t_ms), 2), np.nan)}
        notes.append(
            "the export holds no gaze points (only the filter's fixations, which are the device "
            "events): samples say when the tracker measured, not where. Tick 'Gaze point' to "
            "have gaze"
        )
    pupil = {eye: values for eye, values in pupil.items() if len(values) == len(t_ms)}
    samples = samples_of_eyes(t_ms, xy, pupil, counts=visit.counts)
    del xy, pupil
    clock_ms = next(iter(samples.values())).t_ms
    rows = rows_of_samples(t_ms, clock_ms)
    messages = visit.log.messages(zero, per_ms, visit.counts)
    head_mounted = columns.head_mounted or bool(
        visit.sensors.keys() & {"Gyroscope", "Accelerometer", "Magnetometer"}
    )
    screen = _screen(visit, notes) if not head_mounted else None
    return Recording(
        samples=samples,
        trials=_trials(visit, columns, rows, clock_ms, messages),
        messages=messages,
        device_events=_events(visit, columns, rows, samples),
        screen=screen,
        plane="scene_px" if head_mounted and snapshot is None else "screen_px",
        validations=_validations(visit),
        provenance=_provenance(visit, columns, names, clock)
        | {"notes": [*notes, *_notes(columns, snapshot, head_mounted=head_mounted)]},
    )


def _clock(
    visit: ProLabRows, columns: ProLabColumns, notes: list[str]
) -> tuple[FloatArray, float, float, str]:
    """Stamps in ms from the first sample; and zero and unit of the file's own stamps."""
    raw = visit.gathered.array("t")
    tracker = visit.gathered.array("tracker")
    unit = columns.time_unit
    if not unit:
        unit = "ms" if step_ms(np.unique(raw[np.isfinite(raw)])) < _MAX_US_STEP else "us"
        notes.append(f"'Recording timestamp' states no unit; its steps read as {unit}")
    per_ms = 1000.0 if unit == "us" else 1.0
    clock = f"column {columns.time}, {'µs' if unit == 'us' else 'ms'}; 0 at the first sample"
    timed = raw[np.isfinite(raw)]
    if not len(timed):
        raise FormatError(
            f"{visit.name} holds no sample with a time stamp in {columns.time}; export it again"
        )
    if unit == "ms":
        found = fine_clock(raw, tracker)
        if found is not None:
            t_ms, zero, residual = found
            clock = (
                f"column {columns.tracker_us}, µs, laid on {columns.time} (at most "
                f"{residual:.2f} ms apart); 0 at the first sample"
            )
            return t_ms, zero, per_ms, clock
        raw, n = spread_repeats(raw)
        if n:
            notes.append(f"{n} samples share a whole ms with another: laid out evenly inside it")
    zero = float(timed.min())
    return (raw - zero) / per_ms, zero, per_ms, clock


def _screen(visit: ProLabRows, notes: list[str]) -> Screen | None:
    size = visit.sizes.get("screen")
    return None if size is None else visit.millimetres.screen(*size, notes)


def _events(
    visit: ProLabRows, columns: ProLabColumns, rows: IntArray | None, samples: dict[str, Samples]
) -> Events:
    if visit.events is None or columns.kind is None:
        return Events.empty()
    t_ms = next(iter(samples.values())).t_ms
    spans = visit.events.spans(t_ms, rows)
    kind = [KINDS.get(name, "") for name in visit.events.texts(columns.kind, spans.row)]
    place = np.full((len(kind), 2), np.nan)
    if columns.fixation and kind:
        place = visit.events.values(columns.fixation, spans.row)
    return events_of_spans(spans, kind, place, samples)


def _trials(
    visit: ProLabRows,
    columns: ProLabColumns,
    rows: IntArray | None,
    t_ms: FloatArray,
    messages: list[Message],
) -> list[Trial]:
    """Runs of the stimulus shown; where none is named, intervals that events open and close."""
    if visit.stimuli is not None and columns.stimulus:
        spans = visit.stimuli.spans(t_ms, rows)
        labels = visit.stimuli.texts(columns.stimulus, spans.row)
        if any(labels):
            return trials_of_spans(spans, labels, no_stimulus=[CALIBRATION])
    return intervals(messages, float(sample_end_ms(t_ms)[-1]) if len(t_ms) else 0.0)


def _validations(visit: ProLabRows) -> list[Validation]:
    """The file's own average over the targets, which it does not name."""
    accuracy = visit.checks.get("validation_accuracy_deg")
    if accuracy is None:
        return []
    none = np.empty((0, 2))
    return [
        Validation(
            t_ms=0.0,
            eye="mean",
            target_xy_px=none,
            offset_xy_px=none,
            offset_deg=np.empty(0),
            mean_deg=accuracy,
        )
    ]


def _provenance(
    visit: ProLabRows, columns: ProLabColumns, names: list[str], clock: str
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "clock": clock,
        "participant": visit.people.name(columns.participant),
        "recording": visit.people.name(columns.recording),
        "sensors": dict(sorted(visit.sensors.items())),
        "left_out": dict(+visit.counts),
    }
    said |= {"aoi_hits": dict(visit.areas)} if columns.areas else {}
    said |= {"snapshots": snapshots(names)} if snapshots(names) else {}
    said |= {"calibration": visit.checks} if visit.checks else {}
    if "scene" in visit.sizes:
        said["scene_px"] = list(visit.sizes["scene"])
    return said


def _notes(columns: ProLabColumns, snapshot: str | None, *, head_mounted: bool) -> list[str]:
    notes = []
    if snapshot is not None:
        notes.append(f"px of the picture {snapshot!r}, onto which Pro Lab mapped the gaze")
    elif head_mounted:
        notes.append("px of the scene camera's video; snapshot=... takes what was mapped")
    if not columns.validity and columns.gaze:
        notes.append("no validity columns: gaze is taken as it stands")
    return notes


READER = Reader(
    name="tobii_prolab",
    title="Tobii Pro Lab data export (Recording timestamp, Sensor, ...), TSV",
    sniff=sniff,
    read=read,
    suffixes=(".tsv",),
    priority=10,
)
