"""BIDS eye tracking (BEP020, in BIDS since 1.11): ``*_physio.tsv.gz`` with its sidecars and events.

A file of samples has no header: names, units and the eye come from JSON files that it inherits
(`bids_names`). Each eye is a file of its own (``recording-eye1``, ``recording-eye2``), told apart
by `RecordedEye`. Whatever file of a recording is opened, a sidecar or its events included, leads to
the whole recording where there is one, and is told which file to open where there are several.

Specification: Physiological recordings, Eye-tracking; Szinte et al. 2025, Eye-Tracking-BIDS.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Screen, Trial, Validation
from gazecode.readers.bids.events import (
    Clock,
    device_events,
    join_events,
    trials_and_messages,
)
from gazecode.readers.bids.names import (
    DESCRIPTION,
    EYE_SUFFIXES,
    BidsName,
    applicable,
    eye_files,
    inherited,
    is_eye_file,
    json_object,
    parse_name,
)
from gazecode.readers.bids.samples import EyeFile, eyes_on_one_clock, find_columns, load_eye
from gazecode.readers.bids.screen import in_plane, number, presentation, screen_of
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.units import step_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_SIDECAR_KEYS = (
    *("PhysioType", "RecordedEye", "SampleCoordinateSystem", "OnsetSource"),
    *("StimulusPresentation", "Columns", "StartTime", "onset"),
)
_MAX_LISTED = 3


def sniff(source: Source) -> bool:
    """Whether it is a dataset, or a file of eye tracking or its events by name and content."""
    if source.path.is_dir():
        return (source.path / DESCRIPTION).is_file()
    if _is_draft(source):
        return True
    if source.path.name == DESCRIPTION:
        return b'"BIDSVersion"' in source.head
    name = parse_name(source.path.name)
    if name is None or not name.entities:
        return False
    if name.extension == "json":
        said = json_object(source.path)
        return any(key in said for key in _SIDECAR_KEYS)
    if name.suffix == "events":
        return source.head.startswith((b"onset\t", b"onset\r", b"onset\n"))
    if name.suffix == "physioevents":
        said, _ = inherited(source.path, name.suffix)
        return "Columns" in said
    return is_eye_file(source.path) or (
        # Without any description nobody can say; reading it says which file is missing.
        name.suffix == "physio" and not inherited(source.path, name.suffix)[0]
    )


def _is_draft(source: Source) -> bool:
    """Whether the first line names the columns, as in drafts; such files may have any name."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    columns = find_columns(line.split("\t"))
    return columns is not None and columns.time is not None


def read(source: Source, *, screen: Screen | None = None) -> Recording:
    """Read the recording a file belongs to: all its eyes, events and trials.

    Parameters
    ----------
    source
        A file of samples or events, a sidecar, or a dataset that holds one recording.
    screen
        For coordinates that need the screen's size; by default `StimulusPresentation` says it.

    Returns
    -------
    Recording
        ``left``, ``right`` and ``both`` (cyclopean) as recorded. Where `StartTime` is the first
        stamp, ms are those of the stamps, else ms from the first stamp. `physioevents` give
        `device_events` and messages; rows of `events` with a duration are trials.

    Raises
    ------
    FormatError
        The file belongs to no recording or to several (the message names them), a file is empty,
        or its metadata do not say what its columns are.
    """
    if not source.path.is_dir() and parse_name(source.path.name) is None and _is_draft(source):
        return _recording([source.path], screen)
    files = _files(source)
    if not files:
        return _events_alone(source)
    return _recording(files, screen)


def _files(source: Source) -> list[Path]:
    """The files of samples of the one recording that a file belongs to."""
    path = source.path
    name = None if path.is_dir() else parse_name(path.name)
    if name is not None and name.suffix in EYE_SUFFIXES and name.extension != "json":
        return _eyes_beside(path, name)
    runs: dict[tuple[Any, ...], list[Path]] = {}
    for file in _belonging(path, name):
        own = parse_name(file.name)
        runs.setdefault((file.parent, own and own.run_of), []).append(file)
        if len(runs) > _MAX_LISTED:
            break
    if len(runs) == 1:
        return next(iter(runs.values()))
    if name is not None and name.suffix == "physioevents" and name.extension != "json":
        return []
    what = f"{path.name} is of a BIDS dataset and holds no gaze itself"
    if not runs:
        raise FormatError(
            f"{what}; expected a file *_physio.tsv.gz of eye tracking that it belongs to, found "
            "none. Copy the whole dataset, and open that file"
        )
    raise FormatError(
        f"{what}; it belongs to several recordings. Open one of them: "
        f"{', '.join(files[0].name for files in list(runs.values())[:_MAX_LISTED])}, ..."
    )


def _belonging(path: Path, name: BidsName | None) -> Iterator[Path]:
    if name is None:
        yield from eye_files(path if path.is_dir() else path.parent, {})
        return
    wanted = dict(name.entities)
    if name.suffix not in EYE_SUFFIXES:
        # Events of one eye lead to both.
        wanted.pop("recording", None)
    for file in eye_files(path.parent, wanted):
        if name.extension == "json" or file.parent == path.parent:
            yield file


def _eyes_beside(path: Path, name: BidsName) -> list[Path]:
    """The file and the other eyes of its run."""
    others = [
        other
        for other in sorted(path.parent.glob(f"*{name.suffix}.tsv*"))
        if other != path
        and (found := parse_name(other.name)) is not None
        and (found.run_of, found.suffix) == (name.run_of, name.suffix)
        and is_eye_file(other)
    ]
    return sorted([path, *others]) if "recording" in name.entities else [path]


def _recording(paths: Sequence[Path], screen: Screen | None) -> Recording:
    counts: Counter[str] = Counter()
    notes: list[str] = []
    said, sidecars = _metadata(paths[0])
    files = _load(paths, counts, notes)
    start_ms = number(said.get("StartTime"), 0.0) * 1000.0
    samples, zero, task_ms = eyes_on_one_clock(files, start_ms, counts, notes)
    stamps = files[0].stamps
    opened = [file.path for file in files]
    del files
    t = next(iter(samples.values())).t_ms
    shown = presentation(opened[0], said)
    found = screen_of(shown, notes)
    samples, plane = in_plane(samples, said, shown, screen or found, notes)
    clock = Clock(
        unit_ms=stamps.unit_ms,
        origin=float(zero),
        start_ms=task_ms,
        step_ms=step_ms(t) if len(t) > 1 else np.nan,
        last_ms=float(t[-1]),
    )
    events, messages, trials, beside = _events(opened, clock, counts, notes)
    return Recording(
        samples=samples,
        trials=trials,
        messages=messages,
        device_events=_indexed(events, t),
        screen=found,
        plane=plane,
        validations=_validations(opened),
        provenance={
            "clock": _clock_words(zero, named=stamps.named),
            "participant": _entity(opened[0], "sub"),
            "task": _entity(opened[0], "task"),
            "files": [path.name for path in (*opened, *beside)],
            "sidecars": sidecars,
            "vendor_rate_hz": number(said.get("SamplingFrequency"), None),
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


def _metadata(path: Path) -> tuple[dict[str, Any], list[str]]:
    name = parse_name(path.name)
    return inherited(path, name.suffix) if name is not None else ({}, [])


def _load(paths: Sequence[Path], counts: Counter[str], notes: list[str]) -> list[EyeFile]:
    files: list[EyeFile] = []
    taken: set[str] = set()
    for path in paths:
        said, _ = _metadata(path)
        if files and not Source(path).head:
            notes.append(f"{path.name} is empty: only the other eye is read")
            continue
        file = load_eye(path, said, counts, notes)
        if taken & set(file.xy):
            raise FormatError(
                f"{path.name} says it holds the {' and '.join(file.xy)} eye, as the file before it "
                "does; expected RecordedEye to tell them apart. Correct the sidecar"
            )
        taken |= set(file.xy)
        files.append(file)
    return files


def _clock_words(zero: float, *, named: bool) -> str:
    if not named:
        return "rows at SamplingFrequency; 0 at the first"
    return "column timestamp; " + ("as it stands" if zero == 0 else "0 at the first stamp")


def _entity(path: Path, key: str) -> str:
    name = parse_name(path.name)
    return "" if name is None else name.entities.get(key, "")


def _events(
    paths: Sequence[Path], clock: Clock, counts: Counter[str], notes: list[str]
) -> tuple[Events, list[Message], list[Trial], list[Path]]:
    parts: list[Events] = []
    messages: list[Message] = []
    beside: list[Path] = []
    for path in paths:
        name = parse_name(path.name)
        if name is None:
            continue
        own = path.with_name(path.name.replace(f"_{name.suffix}.", "_physioevents."))
        if own.is_file():
            beside.append(own)
            said, _ = inherited(own, "physioevents")
            eye = _eye_of(path)
            part, heard = device_events(own, said, eye, clock=clock, counts=counts, notes=notes)
            parts.append(part)
            messages += _unheard(heard, messages)
    trials: list[Trial] = []
    tables = [table for table in applicable(paths[0], "events", "tsv") if Source(table).head]
    if tables:
        beside.append(tables[-1])
        trials, marks = trials_and_messages(tables[-1], clock, counts, notes)
        messages += marks
    messages.sort(key=lambda message: message.t_ms)
    return join_events(parts), messages, trials, beside


def _unheard(messages: Sequence[Message], known: Sequence[Message]) -> list[Message]:
    """Messages that the other eye's file does not have: converters write them to both."""
    left = Counter((m.t_ms, m.text) for m in known)
    new = []
    for message in messages:
        key = (message.t_ms, message.text)
        if left[key]:
            left[key] -= 1
        else:
            new.append(message)
    return new


def _eye_of(path: Path) -> str:
    said, _ = _metadata(path)
    eye = str(said.get("RecordedEye", "")).lower()
    return eye if eye in ("left", "right") else "both"


def _indexed(events: Events, t_ms: FloatArray) -> Events:
    """Events with the samples they hold, so far as there are samples."""
    if not len(events):
        return events
    return Events(
        **{
            name: getattr(events, name)
            for name in events.__dataclass_fields__
            if name not in ("first", "last")
        },
        first=np.searchsorted(t_ms, events.onset_ms),
        last=np.searchsorted(t_ms, events.offset_ms),
    )


def _validations(paths: Sequence[Path]) -> list[Validation]:
    """The tracker's own error after its calibration; BIDS keeps no time of it."""
    found = []
    for path in paths:
        said, _ = _metadata(path)
        mean, largest = (
            number(value[-1] if isinstance(value, list) and value else value, None)
            for value in (said.get("AverageCalibrationError"), said.get("MaximalCalibrationError"))
        )
        if mean is not None or largest is not None:
            found.append(
                Validation(
                    t_ms=0.0,
                    eye=_eye_of(path),
                    target_xy_px=np.empty((0, 2)),
                    offset_xy_px=np.empty((0, 2)),
                    offset_deg=np.empty(0),
                    mean_deg=mean,
                    max_deg=largest,
                )
            )
    return found


def _events_alone(source: Source) -> Recording:
    raise FormatError(
        f"{source.path.name} holds events of a recording whose samples are not beside it; expected "
        f"a file {source.path.name.replace('_physioevents.', '_physio.')}. Copy the whole dataset"
    )


READER = Reader(
    name="bids",
    title="BIDS eye tracking (*_physio.tsv.gz, its sidecars and events; drafts with a header)",
    sniff=sniff,
    read=read,
    suffixes=(".tsv.gz", ".json", ".tsv"),
    priority=10,
)
