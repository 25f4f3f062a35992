"""Fixations as EMTK keeps them: the corrected EMIP tables, and the frame of events it exchanges.

*Corrected* (``timestamp, duration, x_cord, y_cord, aoi_x, ..., token, srcML, line, part``): one
row per pair of a fixation and a token it hits, so rows of one time stamp are one fixation with
several hits. *Events* (``eye_tracker, experiment_id, ..., timestamp, duration, x0, y0, x1, y1,
token, pupil, eye_event_type``): one row per event.

EMTK gives a fixation the stamp of the sample that ended it: in the corrected EMIP tables no
fixation overlaps the one before if stamps are ends, and one in four does if they are starts. Stamps
are us there; in a frame of events the unit and the end are found from the rows.

Al Madi et al. 2021, doi:10.1145/3448018.3457425; https://github.com/nalmadi/EMIP-Toolkit.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Stimulus
from gazecode.readers.delimited import read_delimited, split_line
from gazecode.readers.fixations import (
    FixationTable,
    FloatArray,
    IntArray,
    of_one_person,
    recording_of_fixations,
    trial_codes,
)
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

_BLOCK = 1 << 20
_UNITS_MS = {"ms": 1.0, "us": 1e-3, "ns": 1e-6, "s": 1e3}
_KINDS = ("fixation", "saccade", "blink")
_BOX = ("aoi_x", "aoi_y", "aoi_width", "aoi_height")
_HIT: dict[str, type] = dict.fromkeys(_BOX, float) | dict.fromkeys(
    ("token", "srcML", "srcML_tag", "line", "part", "aoi_name"), str
)


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """Which column says what."""

    x: str
    y: str
    trial: str
    participant: str
    stimulus: str
    extra: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, type]:
        numbers = ("timestamp", "duration", self.x, self.y)
        texts = (self.trial, self.participant, self.stimulus)
        return dict.fromkeys(numbers, float) | dict.fromkeys(texts, str)


_CORRECTED = _Dialect(
    x="x_cord", y="y_cord", trial="trial", participant="participant", stimulus="code_file"
)
_EVENTS = _Dialect(
    x="x0",
    y="y0",
    trial="trial_id",
    participant="participant_id",
    stimulus="stimuli_name",
    extra=("eye_event_type", "eye_tracker"),
)


def sniff(source: Source) -> bool:
    """Whether the first line names the columns of either table."""
    return _dialect(source) is not None


def _dialect(source: Source) -> _Dialect | None:
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    found = set(split_line(line, ","))
    if {*_CORRECTED.columns, *_BOX} <= found:
        return _CORRECTED
    return _EVENTS if {*_EVENTS.columns, "eye_event_type"} <= found else None


def read(source: Source, *, participant: str | None = None) -> Recording:
    """Read all trials, or those of one person.

    Parameters
    ----------
    source
        A corrected table or a frame of events, as CSV.
    participant
        Only this person's.

    Returns
    -------
    Recording
        No samples; `device_events` hold each fixation once, ms from the first one's start.
        ``stimuli`` hold the box of every token that was hit, in px, with its text (kind
        ``syntax``) and, in the column `fixations`, the indices of the events that hit it; tokens
        nobody looked at are not in the file.
    """
    dialect = _dialect(source)
    if dialect is None:
        raise FormatError(f"{source.name}: expected the columns of an EMTK table; found others")
    counts: Counter[str] = Counter()
    frame = _load(source, dialect, counts)
    frame = of_one_person(frame, dialect.participant, participant, name=source.name, counts=counts)
    event, first = _events(frame, dialect)
    rows = frame[[c for c in frame if c not in _HIT]]
    rows = rows if len(first) == len(frame) else rows.iloc[first]
    trial, names, stimuli, people = _trials(rows, dialect)
    unit, ends, notes = _clock(rows, trial, dialect, boxed=set(_BOX) <= set(frame.columns))
    onset, offset = _intervals(rows, unit, ends=ends)
    return recording_of_fixations(
        FixationTable(
            trial=trial,
            names=names,
            stimuli=stimuli,
            people=people,
            onset_ms=onset,
            offset_ms=offset,
            xy_px=rows[[dialect.x, dialect.y]].to_numpy(dtype=np.float64),
            kind=_kind(rows),
            end_xy_px=_end(rows),
        ),
        clock=f"timestamp, {unit}, of the {'end' if ends else 'start'} of an event",
        counts=counts,
        from_first=True,
        provenance=_said(frame, event, len(first)),
        notes=notes,
        boxes=lambda place: _boxes(frame, dialect, place[event]),
    )


def _load(source: Source, dialect: _Dialect, counts: Counter[str]) -> "pd.DataFrame":
    frame = read_delimited(
        source.blocks(_BLOCK),
        name=source.name,
        columns=dialect.columns,
        optional=_HIT | dict.fromkeys(dialect.extra, str) | {"x1": float, "y1": float},
        counts=counts,
        quoted=True,
    )
    if "eye_event_type" not in frame:
        return frame
    known = frame["eye_event_type"].isin(_KINDS).to_numpy(dtype=bool)
    if not known.all():
        counts["other_kinds"] += int((~known).sum())
        frame = frame[known].reset_index(drop=True)
    return frame


def _events(frame: "pd.DataFrame", dialect: _Dialect) -> tuple[IntArray, IntArray]:
    """Number of each row's event, and the first row of each event, in the order of the file."""
    keys = [dialect.participant, dialect.trial, dialect.stimulus, "timestamp"]
    return trial_codes(frame, [*keys, *[c for c in ("eye_event_type",) if c in frame]])


def _trials(
    rows: "pd.DataFrame", dialect: _Dialect
) -> tuple[IntArray, list[str], list[str | None], list[str]]:
    code, first = trial_codes(rows, [dialect.participant, dialect.trial, dialect.stimulus])
    stimuli = [_stem(str(rows[dialect.stimulus].iloc[i])) for i in first]
    names = [
        stimulus or f"trial {rows[dialect.trial].iloc[i]}"
        for i, stimulus in zip(first, stimuli, strict=True)
    ]
    people = [str(rows[dialect.participant].iloc[i]) for i in first]
    return code, names, [stimulus or None for stimulus in stimuli], people


def _stem(name: str) -> str:
    """The stimulus without folder and suffix, as the trials of the raw files name it."""
    return re.sub(r"\.(?:jpe?g|png|bmp|tiff?)$", "", re.split(r"[\\/]", name)[-1], flags=re.I)


def _clock(
    rows: "pd.DataFrame", trial: IntArray, dialect: _Dialect, *, boxed: bool
) -> tuple[str, bool, list[str]]:
    """Unit of the stamps, whether they are ends, and what was assumed."""
    box_note = "boxes are those of tokens that were hit, not all of the stimulus"
    if dialect is _CORRECTED:
        return "us", True, [box_note]
    stamp, length = _sorted_times(rows, trial)
    step = np.diff(stamp)
    step = step[step > 0]
    if not len(step):
        return "ms", False, ["too few events to find the unit of the stamps: taken as ms"]
    typical = np.median(length)
    ratio = {u: abs(np.log(np.median(step) * f / typical)) for u, f in _UNITS_MS.items()}
    unit = min(ratio, key=lambda u: ratio[u])
    stamp = stamp * _UNITS_MS[unit]
    as_start = int((stamp[:-1] + length[:-1] > stamp[1:] + 1).sum())
    as_end = int((stamp[1:] - length[1:] < stamp[:-1] - 1).sum())
    ends = as_end < as_start
    note = (
        f"the file does not say what a stamp is: taken as {unit} of the "
        f"{'end' if ends else 'start'} of an event ({min(as_start, as_end)} of {len(stamp)} "
        f"events overlap the one before, {max(as_start, as_end)} if it were the other)"
    )
    return unit, ends, [note, *([box_note] if boxed else [])]


def _sorted_times(rows: "pd.DataFrame", trial: IntArray) -> tuple[FloatArray, FloatArray]:
    stamp = rows["timestamp"].to_numpy(dtype=np.float64)
    length = rows["duration"].to_numpy(dtype=np.float64)
    whole = np.isfinite(stamp) & (length > 0)
    stamp, length, trial = stamp[whole], length[whole], trial[whole]
    order = np.lexsort((stamp, trial))
    return stamp[order], length[order]


def _intervals(rows: "pd.DataFrame", unit: str, *, ends: bool) -> tuple[FloatArray, FloatArray]:
    stamp = rows["timestamp"].to_numpy(dtype=np.float64)
    # The first stamp is subtracted in the file's own unit: stamps of us are exact as they are.
    origin = np.nanmin(stamp) if np.isfinite(stamp).any() else 0.0
    t_ms = (stamp - origin) * _UNITS_MS[unit]
    duration = rows["duration"].to_numpy(dtype=np.float64)
    return (t_ms - duration, t_ms) if ends else (t_ms, t_ms + duration)


def _kind(rows: "pd.DataFrame") -> npt.NDArray[np.object_] | None:
    if "eye_event_type" not in rows:
        return None
    return np.asarray(rows["eye_event_type"].astype(object), dtype=object)


def _end(rows: "pd.DataFrame") -> FloatArray | None:
    if not {"x1", "y1", "eye_event_type"} <= set(rows.columns):
        return None
    end = rows[["x1", "y1"]].to_numpy(dtype=np.float64)
    saccade = (rows["eye_event_type"] == "saccade").to_numpy(dtype=bool)
    end[~(saccade & np.isfinite(end).all(axis=1))] = np.nan
    return end


def _said(frame: "pd.DataFrame", event: IntArray, n: int) -> dict[str, Any]:
    if not set(_BOX) <= set(frame.columns):
        return {}
    per_event = np.bincount(event, minlength=n)
    return {"n_hits": len(event), "n_on_several_tokens": int((per_event > 1).sum())}


def _boxes(frame: "pd.DataFrame", dialect: _Dialect, place: IntArray) -> dict[str, Stimulus]:
    if not set(_BOX) <= set(frame.columns):
        return {}
    known = np.isfinite(frame[list(_BOX)].to_numpy(dtype=np.float64)).all(axis=1)
    stimuli = {}
    for file, rows in frame[known].groupby(dialect.stimulus, sort=False, observed=True):
        name = _stem(str(file))
        stimuli[name] = Stimulus(
            name=name, code="", language="", boxes=_table(rows, place[rows.index.to_numpy()])
        )
    return stimuli


def _table(rows: "pd.DataFrame", place: IntArray) -> Mapping[str, npt.NDArray[Any]]:
    """One box a row, in the order in which they were first looked at."""
    code = rows.groupby(list(_BOX), sort=False).ngroup().to_numpy()
    _, first = np.unique(code, return_index=True)
    order = np.argsort(code, kind="stable")
    borders = np.searchsorted(code[order], np.arange(len(first)))[1:]
    hit = [p[p >= 0] for p in np.split(place[order], borders)]
    one = rows.iloc[first]
    x, y, width, height = (one[c].to_numpy(dtype=np.float64) for c in _BOX)
    texts = {c: _texts(one, (c,)) for c in ("line", "part", "aoi_name") if c in one}
    return {
        "kind": np.full(len(first), "syntax", dtype=object),
        "text": _texts(one, ("token",)),
        "x0": x,
        "y0": y,
        "x1": x + width,
        "y1": y + height,
        "srcml": _texts(one, ("srcML", "srcML_tag")),
        **texts,
        "fixations": _ragged(hit),
    }


def _texts(rows: "pd.DataFrame", columns: Sequence[str]) -> npt.NDArray[np.object_]:
    found = next((c for c in columns if c in rows), None)
    values = [""] * len(rows) if found is None else [str(v) for v in rows[found]]
    return np.array(values, dtype=object)


def _ragged(parts: Sequence[IntArray]) -> npt.NDArray[np.object_]:
    out = np.empty(len(parts), dtype=object)
    out[:] = list(parts)
    return out


READER = Reader(
    name="emtk",
    title="EMTK tables (corrected EMIP fixations with the tokens hit; frames of events)",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
