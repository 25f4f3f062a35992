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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Stimulus
from gazecode.model.checks import repeated
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import delimited_frames, join_frames, split_line
from gazecode.readers.tools.fixations import (
    FixationTable,
    FloatArray,
    IntArray,
    of_one_person,
    point_columns,
    recording_of_fixations,
    trial_codes,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

_UNITS_MS = {"ms": 1.0, "us": 1e-3, "ns": 1e-6, "s": 1e3}
_KINDS = ("fixation", "saccade", "blink")
_BOX_NOTE = "boxes are those of tokens that were hit, not all of the stimulus"
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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Boxes:
    """Boxes that were hit, one row each; and the number of each hit's box."""

    rows: "pd.DataFrame"
    code: npt.NDArray[np.int32]


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
    said = _said(frame, event, len(first))
    boxes = _boxes(frame, dialect)
    table, unit, ends, notes = _table(frame, first, dialect)
    del frame
    return recording_of_fixations(
        table,
        clock=f"timestamp, {unit}, of the {'end' if ends else 'start'} of an event",
        counts=counts,
        from_first=True,
        provenance=said,
        notes=[*notes, *([_BOX_NOTE] if boxes is not None else [])],
        boxes=None if boxes is None else lambda place: _stimuli(boxes, dialect, place[event]),
    )


def _load(source: Source, dialect: _Dialect, counts: Counter[str]) -> "pd.DataFrame":
    frames = delimited_frames(
        # Rows are wide and their texts repeat: blocks half as large again cost less than they take.
        source.blocks(size=384 << 10),
        name=source.name,
        columns=dialect.columns,
        optional=_HIT | dict.fromkeys(dialect.extra, str) | {"x1": float, "y1": float},
        counts=counts,
        quoted=True,
    )
    # Boxes repeat: as categories they take an eighth, and nothing has to be sorted to tell them.
    frame = join_frames(
        frame.astype({c: "category" for c in _BOX if c in frame}) for frame in frames
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


def _table(
    frame: "pd.DataFrame", first: IntArray, dialect: _Dialect
) -> tuple[FixationTable, str, bool, list[str]]:
    """Events without their hits; the frame loses the columns. Then what the stamps are."""
    labels = [c for c in frame if c not in _HIT and frame[c].dtype == "category"]
    rows = frame[labels].iloc[first]
    trial, names, stimuli, people = _trials(rows, dialect)
    kind = None
    if "eye_event_type" in rows:
        kind = np.asarray(rows["eye_event_type"].astype(object), dtype=object)
    stamp, length = (frame.pop(c).to_numpy()[first] for c in ("timestamp", "duration"))
    unit, ends, notes = _clock(stamp, length, trial, dialect)
    onset, offset = _intervals(stamp, length, unit, ends=ends)
    del stamp, length
    xy = point_columns(frame, dialect.x, dialect.y)[first]
    end = None
    if kind is not None and {"x1", "y1"} <= set(frame.columns):
        end = point_columns(frame, "x1", "y1")[first]
        end[~((kind == "saccade") & np.isfinite(end).all(axis=1))] = np.nan
    return (
        FixationTable(
            trial=trial,
            names=names,
            stimuli=stimuli,
            people=people,
            onset_ms=onset,
            offset_ms=offset,
            xy_px=xy,
            kind=kind,
            end_xy_px=end,
        ),
        unit,
        ends,
        notes,
    )


def _clock(
    stamp: FloatArray, length: FloatArray, trial: IntArray, dialect: _Dialect
) -> tuple[str, bool, list[str]]:
    """Unit of the stamps, whether they are ends, and what was assumed."""
    if dialect is _CORRECTED:
        return "us", True, []
    whole = np.isfinite(stamp) & (length > 0)
    stamp, length, trial = stamp[whole], length[whole], trial[whole]
    order = np.lexsort((stamp, trial))
    stamp, length = stamp[order], length[order]
    step = np.diff(stamp)
    step = step[step > 0]
    if not len(step):
        return "ms", False, ["too few events to find the unit of the stamps: taken as ms"]
    ratio = np.median(step) / np.median(length)
    unit = min(_UNITS_MS, key=lambda u: float(abs(np.log(ratio * _UNITS_MS[u]))))
    stamp = stamp * _UNITS_MS[unit]
    as_start = int((stamp[:-1] + length[:-1] > stamp[1:] + 1).sum())
    as_end = int((stamp[1:] - length[1:] < stamp[:-1] - 1).sum())
    ends = as_end < as_start
    note = (
        f"the file does not say what a stamp is: taken as {unit} of the "
        f"{'end' if ends else 'start'} of an event ({min(as_start, as_end)} of {len(stamp)} "
        f"events overlap the one before, {max(as_start, as_end)} if it were the other)"
    )
    return unit, ends, [note]


def _intervals(
    stamp: FloatArray, length: FloatArray, unit: str, *, ends: bool
) -> tuple[FloatArray, FloatArray]:
    # The first stamp is subtracted in the file's own unit: stamps of us are exact as they are.
    origin = np.nanmin(stamp) if np.isfinite(stamp).any() else 0.0
    t_ms = (stamp - origin) * _UNITS_MS[unit]
    return (t_ms - length, t_ms) if ends else (t_ms, t_ms + length)


def _said(frame: "pd.DataFrame", event: IntArray, n: int) -> dict[str, Any]:
    if not set(_BOX) <= set(frame.columns):
        return {}
    per_event = np.bincount(event, minlength=n)
    return {"n_hits": len(event), "n_on_several_tokens": int((per_event > 1).sum())}


def _boxes(frame: "pd.DataFrame", dialect: _Dialect) -> _Boxes | None:
    """Each box once; the frame loses the columns that say what it holds."""
    if not set(_BOX) <= set(frame.columns):
        return None
    code, first = trial_codes(frame, [dialect.stimulus, *_BOX])
    rows = frame[[c for c in frame if c in _HIT or c == dialect.stimulus]].iloc[first]
    rows = rows.astype(dict.fromkeys(_BOX, float))
    for column in set(_HIT) & set(frame.columns):
        frame.pop(column)
    return _Boxes(rows=rows.reset_index(drop=True), code=code.astype(np.int32))


def _stimuli(boxes: _Boxes, dialect: _Dialect, place: IntArray) -> dict[str, Stimulus]:
    order = np.argsort(boxes.code, kind="stable")
    borders = np.searchsorted(boxes.code[order], np.arange(len(boxes.rows)))[1:]
    hit = [p[p >= 0] for p in np.split(place[order], borders)]
    rows = boxes.rows
    known = np.isfinite(rows[list(_BOX)].to_numpy(dtype=np.float64)).all(axis=1)
    stimuli = {}
    for file, one in rows[known].groupby(dialect.stimulus, sort=False, observed=True):
        name = _stem(str(file))
        columns = _columns(one) | {"fixations": _ragged([hit[i] for i in one.index])}
        stimuli[name] = Stimulus(name=name, code="", language="", boxes=columns)
    return stimuli


def _columns(rows: "pd.DataFrame") -> dict[str, npt.NDArray[Any]]:
    """One box a row, in the order in which they were first looked at."""
    x, y, width, height = (rows[c].to_numpy(dtype=np.float64) for c in _BOX)
    return {
        "kind": repeated("syntax", len(rows)),
        "text": _texts(rows, ("token",)),
        "x0": x,
        "y0": y,
        "x1": x + width,
        "y1": y + height,
        "srcml": _texts(rows, ("srcML", "srcML_tag")),
        **{c: _texts(rows, (c,)) for c in ("line", "part", "aoi_name") if c in rows},
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
