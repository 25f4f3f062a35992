"""Gazepoint CSV (GP3, GP3 HD; Gazepoint Analysis): ``all_gaze`` and ``fixations`` of one user.

`TIME` in s, its header cell may carry the start of the recording; points are fractions of the
screen, whose size the file does not hold. A sample's gaze is the best point of gaze, BPOG: the
mean of both eyes while both are valid, one eye alone otherwise, so that it jumps where an eye comes
or goes; rows of the rarer kind are made lost and counted. Files with points of each eye (LPOG,
RPOG) give both; files with nothing but the fixation filter's point (FPOG) give that, with a note.
Rows whose validity is 0 repeat old values. FPOGD grows with every row of a fixation: the last
valid row of an FPOGID is the fixation.

Gazepoint, Open Gaze API, version 2.0 (the columns are its fields).
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, FormatError
from gazecode.model import Events, Message, Recording, Samples, Trial
from gazecode.model.checks import repeated, sealed
from gazecode.readers.gazepoint.rows import OPTIONAL, REQUIRED, Rows
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples, samples_of_eyes
from gazecode.readers.tools.delimited import delimited_frames
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_HEADER_CELL = re.compile(r"(TIME|TIMETICK)\((.*)\)")
_NAME = re.compile(r"(.+)_(?:all_gaze|fixations)\b.*", re.IGNORECASE)
_STATES = {1: "left", 2: "right", 3: "both"}


def sniff(source: Source) -> bool:
    """Whether the first line names the time and the fixation point."""
    return set(REQUIRED) <= set(_header(source.head.partition(b"\n")[0])[0])


def read(source: Source) -> Recording:
    """Read the gaze of one user, or the report of the fixations alone.

    Returns
    -------
    Recording
        Plane ``screen_fraction``; ``both`` (the best point of gaze) or, where the file has them,
        ``left`` and ``right``; the tracker's fixations and blinks; a trial per stretch of one
        medium; a message wherever USER changes. A report of fixations has no samples.
    """
    blocks = source.blocks()
    first = next(blocks, b"")
    line, _, begin = first.partition(b"\n")
    names, carried = _header(line)
    names = _with_trailing_comma(names, begin.partition(b"\n")[0])
    counts: Counter[str] = Counter()
    points = _points(names)
    rows = Rows(points=points, counts=counts)
    header = ",".join(names).encode() + b"\n"
    for frame in delimited_frames(
        chain([header + begin], blocks),
        name=source.name,
        columns=dict.fromkeys(REQUIRED, float),
        optional=OPTIONAL,
        counts=counts,
    ):
        rows.add(frame)
    if not rows.n:
        raise FormatError(
            f"{source.name} holds no whole row ({dict(+counts)}); expected rows of "
            f"{len(names)} cells. Export the file again"
        )
    t_ms, clock = _clock(rows, carried)
    report = rows.every_row_ends_a_fixation
    zero_ms = 0.0 if report else float(np.nanmin(t_ms))
    t_ms -= zero_ms
    if report:
        rows.drop_samples()
    fixations = _fixations(rows, t_ms)
    events = _device_events(fixations, rows, t_ms)
    messages = [Message(t_ms=float(t_ms[row]), text=text) for row, text in rows.messages]
    media = rows.take("media")
    if report:
        samples, trials = no_samples(), _trials_of_report(rows, fixations)
    else:
        samples = _samples(rows, t_ms)
        trials = _trials(rows, t_ms, media, next(iter(samples.values())).t_ms)
    start_ns = _start_ns(carried.get("TIME", ""))
    return Recording(
        samples=samples,
        trials=trials,
        messages=sorted((m for m in messages if np.isfinite(m.t_ms)), key=lambda m: m.t_ms),
        device_events=events,
        plane="screen_fraction",
        start_ns=None if start_ns is None else start_ns + round(zero_ms * 1e6),
        provenance={
            "clock": f"{clock}; 0 at " + ("the recording's start" if report else "the first row"),
            "participant": _participant(source.name),
            "gaze": "none: a report of fixations" if report else _gaze_said(points, samples),
            "pupil_unit": _pupil_unit(names),
            "left_out": dict(+counts),
            "notes": _notes(names, points, report=report, start_ns=start_ns),
        },
    )


def _header(line: bytes) -> tuple[list[str], dict[str, str]]:
    """Plain names of the columns, and what TIME and TIMETICK carry in brackets."""
    names, carried = [], {}
    for cell in line.decode("utf-8", "replace").strip("\r\n").split(","):
        found = _HEADER_CELL.fullmatch(cell.strip())
        if found:
            carried[found[1]] = found[2]
        names.append(found[1] if found else cell.strip())
    return names, carried


def _with_trailing_comma(names: list[str], row: bytes) -> list[str]:
    """Rows end in a comma; a header that was edited may have lost its own."""
    if row.endswith(b",") and row.count(b",") == len(names):
        return [*names, ""]
    return names


def _points(names: list[str]) -> dict[str, str]:
    """Eye → letter of the points that are the samples' gaze."""
    has = {p: {f"{p}POG{c}" for c in "XYV"} <= set(names) for p in "LRB"}
    if has["L"] and has["R"]:
        return {"left": "L", "right": "R"}
    return {"both": "B"} if has["B"] else {"both": "F"}


def _clock(rows: Rows, carried: dict[str, str]) -> tuple[FloatArray, str]:
    """Time of each row, ms: TIME, unless it starts anew with each medium."""
    t_ms: FloatArray = rows.take("time_s")
    if not np.isfinite(t_ms).any():
        raise DataError("no row holds a time; expected s in column TIME. Export the file again")
    t_ms *= 1000.0
    again = [(row, tick) for row, _, tick in rows.restarts[1:] if t_ms[row] < t_ms[row - 1]]
    if not again:
        return t_ms, "column TIME, s"
    ticks_s = re.fullmatch(r"f=(\d+)", carried.get("TIMETICK", "").strip())
    first_tick = rows.restarts[0][2]
    known = ticks_s is not None and int(ticks_s[1]) > 0
    step_ms = float(np.nanmedian(np.diff(t_ms)))
    for row, tick in again:
        # Where each medium begins: what the computer's counter says, else right after the last.
        begins = t_ms[row - 1] + step_ms
        if known and ticks_s is not None and np.isfinite(tick - first_tick):
            begins = t_ms[0] + (tick - first_tick) / int(ticks_s[1]) * 1000.0
        t_ms[row:] += begins - t_ms[row]
    said = "TIMETICK between them" if known else "laid one after the other"
    return t_ms, f"column TIME, s, which starts anew with each medium; {said}"


def _samples(rows: Rows, t_ms: FloatArray) -> dict[str, Samples]:
    xy: dict[str, FloatArray] = {eye: rows.take(eye) for eye in rows.points}
    pupil: dict[str, FloatArray] = {eye: rows.take(f"pupil_{eye}") for eye in rows.points}
    if rows.points != {"both": "B"}:
        return samples_of_eyes(t_ms, xy, pupil, counts=rows.counts)
    state = rows.take("state")
    seen = np.bincount(state, minlength=4)
    usual = int(np.argmax(seen[1:])) + 1
    if not seen[1:].any():
        # Without the columns of the two eyes nobody knows which of them a point is made of.
        return samples_of_eyes(t_ms, xy, pupil, counts=rows.counts)
    other = (state != usual) & np.isfinite(xy["both"][:, 0])
    rows.counts["one_eye" if usual == 3 else "other_eyes"] += int(other.sum())
    xy["both"][other] = np.nan
    pupil["both"][state != usual] = np.nan
    eye = _STATES[usual]
    return samples_of_eyes(t_ms, {eye: xy["both"]}, {eye: pupil["both"]}, counts=rows.counts)


@dataclass(frozen=True, slots=True)
class _Fixations:
    """``(k,)`` times and media and ``(k, 2)`` places, in the order of the file."""

    onset_ms: FloatArray
    offset_ms: FloatArray
    xy: FloatArray
    media: npt.NDArray[np.int32]


def _fixations(rows: Rows, t_ms: FloatArray) -> _Fixations:
    onset = t_ms[rows.take("fixation_row")]
    onset -= rows.take("fixation_age_s") * 1000.0
    offset = rows.take("fixation_duration_s") * 1000.0
    offset += onset
    columns = [onset, offset, rows.take("fixation_xy"), rows.take("fixation_media")]
    lasts = offset > onset
    if not lasts.all():
        rows.counts["fixations_without_duration"] += int((~lasts).sum())
        columns = [column[lasts] for column in columns]
    return _Fixations(*columns)


def _device_events(fixations: _Fixations, rows: Rows, t_ms: FloatArray) -> Events:
    """Fixations and blinks on the recording's clock, in order."""
    blinks = np.array(rows.blinks, dtype=np.float64).reshape(-1, 2)
    end = t_ms[blinks[:, 0].astype(np.int64)]
    start = end - blinks[:, 1] * 1000.0
    inside = (end > 0) & (end > start)
    rows.counts["blinks_before_start"] += int((~inside).sum())
    onset, offset, xy = fixations.onset_ms, fixations.offset_ms, fixations.xy
    kind = repeated("fixation", len(onset) + int(inside.sum()))
    kind[len(onset) :] = "blink"
    if inside.any():
        onset, offset = (np.append(a, b[inside]) for a, b in ((onset, start), (offset, end)))
        xy = np.append(xy, np.full((int(inside.sum()), 2), np.nan), axis=0)
    if (np.diff(onset) < 0).any():
        order = np.argsort(onset, kind="stable")
        kind, onset, offset, xy = kind[order], onset[order], offset[order], xy[order]
    return Events(
        kind=sealed(kind), onset_ms=sealed(onset), offset_ms=sealed(offset), xy_px=sealed(xy)
    )


def _trials(
    rows: Rows, t_ms: FloatArray, media: npt.NDArray[np.generic], kept_ms: FloatArray
) -> list[Trial]:
    """A trial per stretch of one medium."""
    if not any(map(any, rows.media)):
        return []
    shown = media if len(kept_ms) == len(t_ms) else media[kept_rows(t_ms, kept_ms)]
    runs = label_runs(kept_ms, shown.astype(object))
    return _named(rows, [(int(shown[first]), onset, offset) for first, onset, offset in runs])


def _trials_of_report(rows: Rows, fixations: _Fixations) -> list[Trial]:
    """From the first to the last fixation on one medium."""
    media = fixations.media
    if not len(media):
        return []
    first = np.append(0, 1 + np.flatnonzero(np.diff(media)))
    last = np.append(first[1:], len(media)) - 1
    spans = zip(media[first], fixations.onset_ms[first], fixations.offset_ms[last], strict=True)
    return _named(rows, [(int(m), float(a), float(b)) for m, a, b in spans])


def _named(rows: Rows, spans: list[tuple[int, float, float]]) -> list[Trial]:
    labels = list(rows.media)
    shown = sorted(
        (onset, offset, labels[number][1] or labels[number][0])
        for number, onset, offset in spans
        if offset > onset and any(labels[number])
    )
    names = unique_names(stimulus for _, _, stimulus in shown)
    return [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=stimulus)
        for name, (onset, offset, stimulus) in zip(names, shown, strict=True)
    ]


def _start_ns(text: str) -> int | None:
    """``2022/09/19 13:34:49.156``, taken for UTC, as ns since 1970."""
    for form in ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S"):
        try:
            start = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        since = start - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return None


def _participant(name: str) -> str:
    found = _NAME.fullmatch(name.rpartition(".")[0])
    return found[1] if found else ""


def _gaze_said(points: dict[str, str], samples: dict[str, Samples]) -> str:
    letter = next(iter(points.values()))
    if letter == "F":
        return "FPOG, the fixation filter's point"
    if letter == "B":
        return f"BPOG, the best point of gaze, where it is of {next(iter(samples))}"
    return "LPOG and RPOG, the points of each eye"


def _pupil_unit(names: list[str]) -> str | None:
    if {"LPMM", "RPMM"} & set(names):
        return "mm"
    return "px of the camera" if {"LPD", "RPD"} & set(names) else None


def _notes(
    names: list[str],
    points: dict[str, str],
    *,
    report: bool,
    start_ns: int | None,
) -> list[str]:
    notes = ["the file does not say the size of the screen; read(path, screen=...) gives px"]
    if points == {"both": "F"} and not report:
        notes.append(
            "only the fixation filter's point (FPOG) is in the file: gaze between fixations is "
            "lost, and precision taken from it is too good"
        )
    if points == {"both": "B"} and not {"LPV", "RPV"} <= set(names):
        notes.append("no LPV and RPV: samples of one eye alone cannot be told apart")
    if "FPOGID" not in names and "FPOGD" in names:
        notes.append("no FPOGID: a fixation is a stretch of valid rows that say the same start")
    if start_ns is not None:
        notes.append("the header's start names no time zone; start_ns takes it for UTC")
    return notes


READER = Reader(
    name="gazepoint",
    title="Gazepoint CSV: all_gaze and fixations (TIME, FPOGX, ..., BPOGX, ...)",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
