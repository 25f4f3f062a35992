"""iMotions sensor exports: gaze among the rows of other sensors.

Text export (TAB, 100 and more columns): rows of all sensors interleaved. A row is gaze only if
``EventSource``, split at ``|``, holds ``ET``: every other row repeats the last gaze, and
``EmotivEEG`` or ``Emotient FACET`` hold the letters too. ``TimeSignal`` is the tracker's clock, ms.

CSV export (iMotions 8 and later): lines of ``#METADATA`` up to ``#DATA``, then columns named
``ET_GazeLeftx``; other sensors' rows leave them empty. ``Timestamp`` is ms of the recording.

Positions are px of the stimulus screen, whose size no export states; -1 is lost.
"""

import csv
import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Trial
from gazecode.model.checks import repeated
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import find_separator, split_line
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.label_events import events_of_labels
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_TEXT_NAMES = {"StudyName", "EventSource", "StimulusName", "GazeLeftx"}
_CSV_NAMES = {"Timestamp", "ET_GazeLeftx", "ET_GazeLefty"}
_FIXATION = ("Fixation Start", "Fixation End", "Fixation X", "Fixation Y")
_PREAMBLE_LINES = 400
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STAMP = re.compile(r"(\d{8}_\d{6})(\d{3})")
_EYES = {"left": "Left", "right": "Right"}
_KINDS = {"Fixation": "fixation", "Saccade": "saccade", "Blink": "blink"}
# Written by a person or a program while the recording ran; SlideEvent only in the CSV export.
_MARKERS = ("LiveMarker", "MarkerText", "Annotation", "PostMarker", "KeyStroke", "SlideEvent")
# A black slide between two stimuli carries the name of the one that follows.
_NO_STIMULUS = {"BlackInterslide"}


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How an export names its columns."""

    prefix: str
    time: str
    stimulus: str
    participant: str

    @property
    def is_csv(self) -> bool:
        """Whether it is the newer one."""
        return bool(self.prefix)


def sniff(source: Source) -> bool:
    """Whether the column names are those of one of the two exports."""
    try:
        lines = source.head.decode("utf-8", "replace").splitlines()
        return _dialect(lines) is not None
    except csv.Error:
        return False


def read(source: Source) -> Recording:
    """Read the gaze of one respondent.

    Returns
    -------
    Recording
        ``samples["left"]`` and ``samples["right"]``, px; ms from the first gaze row; a trial per
        run of one stimulus.
    """
    counts: Counter[str] = Counter()
    blocks = source.blocks()
    first = next(blocks, b"")
    lines = first[: 1 << 17].decode("utf-8", "replace").split("\n")
    found = _dialect(lines)
    if found is None:
        raise FormatError.missing_columns(
            source.name, ["GazeLeftx or ET_GazeLeftx"], lines[0].split("\t")[:12], "Export gaze"
        )
    dialect, start = found
    body = first.split(b"\n", start)[start]
    taker = _Taker(dialect, counts)
    held = gather(
        chain([body], blocks),
        take=taker,
        name=source.name,
        columns={dialect.time: float},
        optional=_optional(dialect),
        counts=counts,
        quoted=dialect.is_csv,
    )
    taker.participant = _said_respondent(lines[:start])
    return _recording(held, taker, source.name, _first_gaze(lines))


def _dialect(lines: list[str]) -> tuple[_Dialect, int] | None:
    """The dialect, and which line holds the column names."""
    for number, line in enumerate(lines[:_PREAMBLE_LINES]):
        names = [name.strip('" ') for name in split_line(line, find_separator(line))]
        if set(names) >= _TEXT_NAMES and number == 0:
            clock = "TimeSignal" if "TimeSignal" in names else "MediaTime"
            return _Dialect("", clock, "StimulusName", "Name"), number
        if set(names) >= _CSV_NAMES:
            return _Dialect("ET_", "Timestamp", "SourceStimuliName", "Respondent"), number
        if number == 0 and not line.startswith(("#", '"#')):
            return None
    return None


def _optional(dialect: _Dialect) -> dict[str, type]:
    wanted: dict[str, type] = {}
    for name in _EYES.values():
        wanted |= dict.fromkeys(
            (f"{dialect.prefix}{what}" for what in (f"Gaze{name}x", f"Gaze{name}y")), float
        )
        wanted |= {f"{dialect.prefix}Pupil{name}": float, f"{dialect.prefix}Validity{name}": float}
    texts = (dialect.stimulus, dialect.participant, *_MARKERS)
    wanted |= dict.fromkeys(texts, str)
    if dialect.is_csv:
        return wanted | dict.fromkeys(_FIXATION, float)
    return wanted | dict.fromkeys(("EventSource", "SlideType", "GazeEventType"), str)


class _Taker:
    """Takes gaze rows out of a block, and what was written between them."""

    def __init__(self, dialect: _Dialect, counts: Counter[str]) -> None:
        self.dialect = dialect
        self.counts = counts
        self.messages: list[tuple[float, str]] = []
        self.participant = ""
        self._said: dict[str, str] = {}

    def __call__(self, frame: "pd.DataFrame") -> dict[str, Any]:
        """Columns of the block's gaze rows."""
        gaze = self._is_gaze(frame)
        self.counts["rows_of_other_sensors"] += int((~gaze).sum())
        for marker in _MARKERS:
            if marker in frame:
                self._mark(marker, frame[marker], frame[self.dialect.time])
        taken: dict[str, Any] = {}
        if _FIXATION[0] in frame:
            taken["fixations"] = _distinct(frame[[c for c in _FIXATION if c in frame]].to_numpy())
        frame = frame[gaze]
        taken["t"] = frame[self.dialect.time].to_numpy(dtype=np.float64)
        for eye, name in _EYES.items():
            taken |= self._eye(frame, eye, name)
        texts = {
            "stimulus": self.dialect.stimulus,
            "participant": self.dialect.participant,
            "slide": "SlideType",
            "event": "GazeEventType",
        }
        return taken | {key: frame[column] for key, column in texts.items() if column in frame}

    def _is_gaze(self, frame: "pd.DataFrame") -> BoolArray:
        if self.dialect.is_csv:
            columns = [c for c in frame if str(c).startswith("ET_Gaze")]
            said = frame[columns].notna().to_numpy().any(axis=1)
            return np.asarray(said, dtype=bool)
        source = frame["EventSource"].cat
        is_gaze = [("ET" in [p.strip() for p in str(c).split("|")]) for c in source.categories]
        mask: BoolArray = np.array([*is_gaze, False])[source.codes.to_numpy()]
        return mask

    def _mark(self, marker: str, column: "pd.Series", times: "pd.Series") -> None:
        """A text that stands in many rows in turn was written once."""
        codes = column.cat.codes.to_numpy()
        if not len(codes):
            return
        texts = [str(c).strip() for c in column.cat.categories]
        for row in np.concatenate(([0], 1 + np.flatnonzero(np.diff(codes)))):
            text = texts[codes[row]] if codes[row] >= 0 else ""
            if text and text != self._said.get(marker):
                self.messages.append((float(times.iloc[row]), text))
            self._said[marker] = text

    def _eye(self, frame: "pd.DataFrame", eye: str, name: str) -> dict[str, Any]:
        prefix = self.dialect.prefix
        columns = [f"{prefix}Gaze{name}{axis}" for axis in "xy"]
        if not set(columns) <= set(frame):
            return {}
        xy = frame[columns].to_numpy(dtype=np.float64)
        lost: BoolArray = np.asarray((xy == -1).all(axis=1))
        if f"{prefix}Validity{name}" in frame:
            # Tobii's codes: from 2 on the eye is not certain; 4 is not found.
            code = frame[f"{prefix}Validity{name}"].to_numpy(dtype=np.float64)
            lost |= code >= 2
        self.counts[f"lost_{eye}"] += int(lost.sum())
        xy[lost] = np.nan
        taken: dict[str, Any] = {f"xy_{eye}": xy}
        if f"{prefix}Pupil{name}" in frame:
            pupil = frame[f"{prefix}Pupil{name}"].to_numpy(dtype=np.float64)
            taken[f"pupil_{eye}"] = np.where(pupil > 0, pupil, np.nan)
        return taken


def _distinct(rows: FloatArray) -> FloatArray:
    rows = rows[np.isfinite(rows).all(axis=1)]
    found: FloatArray = np.unique(rows, axis=0)
    return found


def _recording(
    held: Gathered, taker: _Taker, name: str, first: tuple[float, int] | None
) -> Recording:
    counts, dialect = taker.counts, taker.dialect
    t_ms = held.array("t")
    zero = float(np.nanmin(t_ms)) if np.isfinite(t_ms).any() else 0.0
    t_ms -= zero
    n_rows = len(t_ms)
    xy = {eye: held.array(f"xy_{eye}") for eye in _EYES if f"xy_{eye}" in held}
    pupil = {eye: held.array(f"pupil_{eye}") for eye in _EYES if f"pupil_{eye}" in held}
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    del xy, pupil
    clock = next(iter(samples.values())).t_ms
    same = len(clock) == n_rows and not counts["unsorted"]
    rows = slice(None) if same else kept_rows(t_ms, clock)
    timed = [(t - zero, text) for t, text in taker.messages if np.isfinite(t)]
    counts["messages_without_time"] += len(taker.messages) - len(timed)
    recording = Recording(
        samples=samples,
        trials=_trials(held, clock, rows),
        messages=[Message(t_ms=t, text=text) for t, text in sorted(timed)],
        start_ns=first[1] if first is not None and first[0] == zero else None,
        provenance={
            "clock": f"column {dialect.time}, ms; 0 at the first gaze row",
            "participant": _participant(held, rows, name) or taker.participant,
            "left_out": dict(+counts),
            "notes": [
                "the screen's size is not in the file: positions are px of the stimulus screen"
            ],
        },
    )
    events = _device_events(held, rows, recording, zero)
    return replace(recording, device_events=events)


def _participant(held: Gathered, rows: IntArray | slice, name: str) -> str:
    if "participant" not in held:
        return ""
    codes, names = held.labels("participant", rows)
    found = [names[code] for code in np.unique(codes)]
    if len(found) > 1:
        raise FormatError(
            f"{name} holds gaze of {len(found)} respondents ({', '.join(found[:3])}, ...); "
            "expected one. Export one file a respondent"
        )
    return found[0] if found else ""


def _trials(held: Gathered, t_ms: FloatArray, rows: IntArray | slice) -> list[Trial]:
    """Runs of one stimulus on one kind of slide."""
    if "stimulus" not in held or not len(t_ms):
        return []
    codes, stimuli = held.labels("stimulus", rows)
    slide_codes, slides = (
        held.labels("slide", rows) if "slide" in held else (np.zeros(len(codes), np.int8), [""])
    )
    both = codes.astype(np.int32) * len(slides) + slide_codes
    runs = [run for run in label_runs(t_ms, both) if stimuli[codes[run[0]]].strip()]
    labels = [(stimuli[codes[i]], slides[slide_codes[i]]) for i, _, _ in runs]
    shown = [stimulus if slide not in _NO_STIMULUS else None for stimulus, slide in labels]
    names = unique_names(
        stimulus if slide not in _NO_STIMULUS else f"{stimulus} [{slide}]"
        for stimulus, slide in labels
    )
    return [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=stimulus)
        for name, stimulus, (_, onset, offset) in zip(names, shown, runs, strict=True)
    ]


def _device_events(
    held: Gathered, rows: IntArray | slice, recording: Recording, zero: float
) -> Events:
    """Fixations of the vendor: runs of GazeEventType, or rows of Fixation Start and End."""
    if "event" in held:
        labels = {"both": held.labels("event", rows)}
        return events_of_labels(labels, {"both": recording.gaze}, _KINDS)
    found = _distinct(held.array("fixations")) if "fixations" in held else np.empty((0, 4))
    found = found[found[:, 1] > found[:, 0]] if found.shape[1] == len(_FIXATION) else found[:0]
    if not len(found):
        return Events.empty()
    return Events(
        kind=repeated("fixation", len(found)),
        onset_ms=found[:, 0] - zero,
        offset_ms=found[:, 1] - zero,
        xy_px=found[:, 2:4],
        eye=repeated("both", len(found)),
    )


def _said_respondent(preamble: list[str]) -> str:
    """What the preamble of a CSV export calls the respondent."""
    for line in preamble:
        cells = split_line(line, ",")
        if cells[0].strip('"# ').lower() == "respondent name" and len(cells) > 1:
            return cells[1].strip('" ')
    return ""


def _first_gaze(lines: list[str]) -> tuple[float, int] | None:
    """TimeSignal and wall clock (ns since 1970) of the first gaze row of a text export."""
    names = lines[0].split("\t")
    if not {"UTCTimestamp", "TimeSignal", "EventSource"} <= set(names):
        return None
    source, stamp, signal = (names.index(n) for n in ("EventSource", "UTCTimestamp", "TimeSignal"))
    for line in lines[1:-1]:
        cells = line.split("\t")
        if len(cells) == len(names) and "ET" in cells[source].split("|"):
            when = _STAMP.fullmatch(cells[stamp].strip())
            try:
                t_ms = float(cells[signal])
                text = f"{when[1] if when else ''}+0000"
                since = dt.datetime.strptime(text, "%Y%m%d_%H%M%S%z") - _EPOCH
            except ValueError:
                return None
            ms = int(when[2]) if when else 0
            return t_ms, (since // dt.timedelta(seconds=1)) * 10**9 + ms * 10**6
    return None


READER = Reader(
    name="imotions",
    title="iMotions sensor export (text with EventSource, or CSV with ET_ columns)",
    sniff=sniff,
    read=read,
    suffixes=(".txt", ".csv"),
    priority=10,
)
