"""A recording as BIDS eye tracking (BEP020, in BIDS since 1.11), for whoever reads BIDS.

``sub-<subject>[/ses-<session>]/beh/`` gets, per eye, ``*_recording-eye<n>_physio.tsv.gz`` without a
header and the JSON file that names its columns, ``*_physioevents.tsv.gz`` with the tracker's events
and messages, and ``*_events.tsv`` with the trials; the screen is in ``*_events.json``. Times are ms
of the recording's clock: no date, no time of day. The same recording gives the same bytes.

Specification: Physiological recordings, Eye-tracking, https://bids-specification.readthedocs.io.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import partial
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, GeometryError, ParameterError
from gazecode.export.bids_files import adding, write_gzip, write_json, write_text
from gazecode.model import Events, Message, Recording, Samples, Screen
from gazecode.model.checks import repeated
from gazecode.units import rate_hz

__all__ = ["to_bids"]

FloatArray = npt.NDArray[np.float64]

_LABEL = re.compile(r"[0-9A-Za-z]+")
_FILES = {"left": "eye1", "right": "eye2", "both": "eye3"}
_RECORDED = {"left": "left", "right": "right", "both": "cyclopean"}
_SYSTEMS = {
    "screen_px": ("gaze-on-screen", "pixel"),
    "screen_fraction": ("gaze-on-screen", "1"),
    "scene_px": ("gaze-in-world", "pixel"),
    "scene_fraction": ("gaze-in-world", "1"),
    "href": ("eye-in-head", "arbitrary"),
}
_MISSING = "n/a"
_ROWS = 20_000
_MAX_RUN = 9999
_MAX_DIGITS = 20


def to_bids(
    recording: Recording,
    folder: str | os.PathLike[str],
    *,
    subject: str,
    task: str,
    session: str | None = None,
    run: int | None = None,
    screen: Screen | None = None,
    messages: bool = True,
    allow_incomplete: bool = False,
) -> Path:
    r"""Add a recording to a BIDS dataset; `gazecode.read` reads the same recording back.

    Parameters
    ----------
    recording
        With samples: BIDS has no files of fixations alone.
    folder
        The dataset: a new or empty folder, or one with a ``dataset_description.json``. Files of
        the same subject, session, task and run are replaced, others stay as they are.
    subject, task, session, run
        Labels (letters and digits) and number in the files' names. The subject is written as it is
        given: give a pseudonym.
    screen
        What the recording does not know of its screen.
    messages
        Whether the texts that the experiment wrote into the recording go along.
    allow_incomplete
        Write gaze on a screen whose size or distance is not known, though BIDS demands them.

    Returns
    -------
    Path
        The first eye's file of samples. All files appear, or none.

    Raises
    ------
    DataError
        Fewer than two samples.
    GeometryError
        What BIDS demands of the screen is not known; the message names it.
    ParameterError
        A label with other characters than letters and digits, or a folder of something else.

    Examples
    --------
    >>> from gazecode.model import Samples
    >>> gaze = Samples(t_ms=[0, 4, 8], xy_px=[[1, 2], [3, 4], [np.nan, np.nan]], eye="left")
    >>> screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    >>> recording = Recording(samples={"left": gaze}, screen=screen)
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = to_bids(recording, folder, subject="01", task="reading")
    ...     print(path.relative_to(folder).as_posix())
    ...     gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    sub-01/beh/sub-01_task-reading_recording-eye1_physio.tsv.gz
    ['4.0\t3.0\t4.0', '8.0\tn/a\tn/a']
    """
    if len(recording) < 2:
        raise DataError(
            f"the recording has {len(recording)} samples; expected two or more, for BIDS holds a "
            "rate and no events alone"
        )
    shown = _merged(recording.screen, screen)
    if recording.plane.startswith("screen") and not allow_incomplete:
        _check_screen(shown)
    stem = _stem(subject=subject, session=session, task=task, run=run)
    place = Path(f"sub-{subject}", *([f"ses-{session}"] if session else []), "beh")
    eyes = [eye for eye in _FILES if eye in recording.samples]
    first = f"{stem}_recording-{_FILES[eyes[0]]}_physio.tsv.gz"
    with adding(Path(folder), place, replaces=partial(_is_of, stem)) as part:
        write_json(part / f"{stem}_events.json", _events_json(recording, shown, task))
        _write_trials(part / f"{stem}_events.tsv", recording)
        for eye in reversed(eyes):
            base = f"{stem}_recording-{_FILES[eye]}"
            said = messages and eye == eyes[0]
            _write_events(part, base, _events_of(recording, eye, eyes), recording, messages=said)
            write_json(part / f"{base}_physio.json", _samples_json(recording, eye))
            _write_samples(part / f"{base}_physio.tsv.gz", recording.samples[eye])
    return Path(folder) / place / first


def _is_of(stem: str, name: str) -> bool:
    """Whether a file is of the same run: an eye or an event file that may not be written again."""
    rest = name.removeprefix(f"{stem}_")
    return (
        rest != name
        and re.fullmatch(r"(recording-eye\d_physio|events|physioevents).*", rest) is not None
    )


def _stem(*, subject: str, session: str | None, task: str, run: int | None) -> str:
    labels = {"sub": subject, "ses": session, "task": task}
    for key, label in labels.items():
        if label is not None and not _LABEL.fullmatch(str(label)):
            raise ParameterError(
                f"{key}-{label!r}: labels of BIDS are letters and digits alone; give another name"
            )
    if run is not None and not 0 < run <= _MAX_RUN:
        raise ParameterError(f"run is {run!r}; expected a number from 1 to {_MAX_RUN}")
    parts = [f"{key}-{label}" for key, label in labels.items() if label is not None]
    return "_".join([*parts, *([] if run is None else [f"run-{run:02d}"])])


def _merged(found: Screen | None, given: Screen | None) -> Screen | None:
    if found is None or given is None:
        return found or given
    own = {f.name: getattr(found, f.name) for f in fields(found)}
    return Screen(**{k: getattr(given, k) if v is None else v for k, v in own.items()})


def _check_screen(screen: Screen | None) -> None:
    needed = ("width_px", "height_px", "width_mm", "height_mm", "distance_mm")
    missing = [name for name in needed if getattr(screen, name, None) is None]
    if missing:
        raise GeometryError(
            f"BIDS demands the screen's {', '.join(missing)} for gaze on a screen; give them with "
            "screen=Screen(...), or allow_incomplete=True to write n/a"
        )


def _events_json(recording: Recording, screen: Screen | None, task: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "TaskName": task,
        "onset": {"Description": "Start of the trial, from the start of the task", "Units": "s"},
        "duration": {"Description": "Length of the trial", "Units": "s"},
        "trial_type": {"Description": "Name of the trial"},
        "stimulus": {"Description": "What was shown, by name"},
    }
    if recording.plane.startswith("screen"):
        said["StimulusPresentation"] = {
            "ScreenDistance": _metres(screen, "distance_mm")[0],
            "ScreenOrigin": ["top", "left"],
            "ScreenResolution": _pixels(screen),
            "ScreenSize": _metres(screen, "width_mm", "height_mm"),
        }
    return said


def _metres(screen: Screen | None, *names: str) -> list[float | str]:
    values = [getattr(screen, name, None) for name in names]
    # Moving the decimal point loses no digit, dividing by 1000 may.
    return [_MISSING if v is None else float(Decimal(repr(float(v))).scaleb(-3)) for v in values]


def _pixels(screen: Screen | None) -> list[float] | str:
    if screen is None:
        return _MISSING
    size = (float(screen.width_px), float(screen.height_px))
    return [int(side) if side.is_integer() else side for side in size]


def _samples_json(recording: Recording, eye: str) -> dict[str, Any]:
    samples = recording.samples[eye]
    system, unit = _SYSTEMS[recording.plane]
    where = {
        "1": "as a fraction of the picture, from the top left",
        "pixel": "from the top left",
    }.get(unit, "in the tracker's own head-referenced unit")
    said: dict[str, Any] = {
        "PhysioType": "eyetrack",
        "RecordedEye": _RECORDED[eye],
        "SampleCoordinateSystem": system,
        "SamplingFrequency": round(rate_hz(samples.t_ms), 6),
        "StartTime": _seconds(samples.t_ms[0]),
        "Columns": _columns(samples),
        "timestamp": {
            "Description": "Time of the sample from the start of the task",
            "Units": "ms",
        },
        "x_coordinate": {"Description": f"Gaze, horizontal, {where}", "Units": unit},
        "y_coordinate": {"Description": f"Gaze, vertical, {where}", "Units": unit},
    }
    if _has_pupil(samples):
        said["pupil_size"] = {"Description": "Size of the pupil, in the tracker's own unit"}
    return said | _calibration(recording, eye)


def _calibration(recording: Recording, eye: str) -> dict[str, float]:
    """The tracker's own error at its last validation of this eye, degrees."""
    own = [v for v in recording.validations if v.eye == eye and v.source == "device"]
    if not own:
        return {}
    stated = {
        "AverageCalibrationError": own[-1].mean_deg,
        "MaximalCalibrationError": own[-1].max_deg,
    }
    return {key: float(value) for key, value in stated.items() if value is not None}


def _seconds(t_ms: float) -> float:
    return float(Decimal(repr(float(t_ms))).scaleb(-3))


def _has_pupil(samples: Samples) -> bool:
    return samples.pupil is not None and bool(np.isfinite(samples.pupil).any())


def _columns(samples: Samples) -> list[str]:
    columns = ["timestamp", "x_coordinate", "y_coordinate"]
    return [*columns, "pupil_size"] if _has_pupil(samples) else columns


def _write_samples(path: Path, samples: Samples) -> None:
    columns = [samples.t_ms, samples.xy_px[:, 0], samples.xy_px[:, 1]]
    if _has_pupil(samples):
        columns.append(np.asarray(samples.pupil))
    write_gzip(path, _rows(columns))


def _rows(columns: Sequence[FloatArray]) -> Iterator[str]:
    """Lines of cells with every digit that tells a number from its neighbours."""
    for start in range(0, len(columns[0]), _ROWS):
        cells = [_cells(column[start : start + _ROWS]) for column in columns]
        yield "".join("\t".join(row) + "\n" for row in zip(*cells, strict=True))


def _cells(values: FloatArray) -> list[str]:
    cells = list(map(repr, values.tolist()))
    for i in np.flatnonzero(~np.isfinite(values)):
        cells[i] = _MISSING
    return cells


def _events_of(recording: Recording, eye: str, eyes: Sequence[str]) -> Events:
    """The tracker's events of one eye; what is of no single eye goes with the first."""
    events = recording.device_events
    named = repeated("", len(events)) if events.eye is None else events.eye
    mine = named == eye
    if eye == eyes[0]:
        mine = mine | ~np.isin(named.astype(str), list(eyes))
    return events[np.asarray(mine, dtype=bool)]


@dataclass(frozen=True)
class _Row:
    onset: float
    cells: tuple[str, ...]


def _write_events(
    folder: Path, base: str, events: Events, recording: Recording, *, messages: bool
) -> None:
    heard = recording.messages if messages else ()
    if not len(events) and not heard:
        return
    columns = {name: text for name, text in _EVENT_COLUMNS.items() if _is_used(name, events)}
    rows = sorted([*_event_rows(events), *map(_message_row, heard)], key=lambda row: row.onset)
    lines = ("\t".join(_only(row.cells, columns)) + "\n" for row in rows)
    said = {
        "Columns": list(columns),
        "Description": "Events found and messages logged by the measurement device",
        "OnsetSource": "timestamp",
        **{name: text for name, text in columns.items() if name != "onset"},
    }
    write_json(folder / f"{base}_physioevents.json", said)
    write_gzip(folder / f"{base}_physioevents.tsv.gz", lines)


_EVENT_COLUMNS: dict[str, dict[str, str]] = {
    "onset": {},
    "duration": {"Description": "From the onset to the end of the event", "Units": "s"},
    "trial_type": {"Description": "Kind of event, as the tracker's software found it"},
    "message": {"Description": "Text that the experiment sent"},
    "offset": {
        "Description": "End of the event: the first time that is not part of it",
        "Units": "ms",
    },
    "x_coordinate": {"Description": "Mean place of a fixation, or where a saccade began"},
    "y_coordinate": {"Description": "Mean place of a fixation, or where a saccade began"},
    "end_x_coordinate": {"Description": "Where a saccade ended"},
    "end_y_coordinate": {"Description": "Where a saccade ended"},
    "eye": {"Description": "Which eye the event was found in, if it is known"},
    "activity": {"Description": "What the person was doing"},
}


def _is_used(name: str, events: Events) -> bool:
    if name.startswith("end_"):
        return events.end_xy_px is not None
    return name != "activity" or events.activity is not None


def _only(cells: Sequence[str], columns: Mapping[str, Any]) -> list[str]:
    return [cell for cell, name in zip(cells, _EVENT_COLUMNS, strict=True) if name in columns]


def _event_rows(events: Events) -> Iterator[_Row]:
    n = len(events)
    blank = [_MISSING] * n
    end = (blank, blank) if events.end_xy_px is None else tuple(map(_cells, events.end_xy_px.T))
    eye = blank if events.eye is None else [_text(e) for e in events.eye]
    doing = blank if events.activity is None else [_text(a) for a in events.activity]
    cells = (
        _cells(events.onset_ms),
        [_as_seconds(a, b) for a, b in zip(events.onset_ms, events.offset_ms, strict=True)],
        [str(kind) for kind in events.kind],
        blank,
        _cells(events.offset_ms),
        *map(_cells, events.xy_px.T),
        *end,
        eye,
        doing,
    )
    for onset, row in zip(events.onset_ms.tolist(), zip(*cells, strict=True), strict=True):
        yield _Row(onset, row)


def _message_row(message: Message) -> _Row:
    blank = [_MISSING] * (len(_EVENT_COLUMNS) - 4)
    onset = repr(float(message.t_ms))
    return _Row(message.t_ms, (onset, _MISSING, _MISSING, _text(message.text), *blank))


def _as_seconds(onset_ms: float, offset_ms: float) -> str:
    """Offset minus onset, in s, in digits that add up to the offset again."""
    length = Decimal(repr(float(offset_ms))) - Decimal(repr(float(onset_ms)))
    return _digits(length.scaleb(-3))


def _digits(value: Decimal) -> str:
    return f"{value:f}" if abs(value.adjusted()) < _MAX_DIGITS else str(value)


def _text(text: str) -> str:
    """A cell: in quotes, escaped as in JSON, where it would not stand for itself."""
    plain = str(text)
    if not plain:
        return _MISSING
    awkward = plain != plain.strip() or plain[0] == '"' or plain.lower() in ("n/a", "nan")
    if awkward or any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" for c in plain):
        return dumps(plain, ensure_ascii=False)
    return plain


def _write_trials(path: Path, recording: Recording) -> None:
    lines = ["onset\tduration\ttrial_type\tstimulus\n"]
    for trial in sorted(recording.trials, key=lambda trial: trial.onset_ms):
        onset = _digits(Decimal(repr(float(trial.onset_ms))).scaleb(-3))
        length = _as_seconds(trial.onset_ms, trial.offset_ms)
        shown = _MISSING if trial.stimulus is None else _text(trial.stimulus)
        lines.append(f"{onset}\t{length}\t{_text(trial.name)}\t{shown}\n")
    write_text(path, lines)
