"""EyeLink text (``.asc``) as SR Research's edf2asc writes it.

Format: SR Research, EyeLink User Manual, "The ASC file format"; what real files do beyond it was
measured. A sample line is a number followed by a TAB; every other line is a message, an event or
a header, and the continuation lines of ``!CAL`` messages are neither, though they hold numbers.
The file is read a block of lines at a time: what is held beside the samples is small.

**Clock.** ms of the tracker, from the first sample. At 2000 Hz some files write each millisecond
twice: the second sample is put half a millisecond later, and the provenance says so.

**Coordinates.** ``GAZE`` is px, from the top left corner that ``GAZE_COORDS`` (or
``DISPLAY_COORDS``) states; ``HREF`` stays what it is, angles-like units of another plane.

**Device events.** ``EFIX``, ``ESACC``, ``EBLINK`` of each eye; their last sample is inclusive in
the file and intervals are half-open here, so one sample interval is added.

**Trials** are cut from blocks and messages: see `gazecode.readers.eyelink.asc_trials`.
**Validations** of the tracker: see `gazecode.readers.eyelink.asc_checks`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Screen
from gazecode.readers.eyelink.asc_log import KNOWN, Header, Log, device_events
from gazecode.readers.eyelink.asc_samples import PLANES, SampleColumns
from gazecode.readers.eyelink.asc_text import Lines, split_lines, without_nul
from gazecode.readers.eyelink.asc_trials import Stretch, cut_trials
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.units import step_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
Corners = tuple[float, float, float, float]

_BINARY = b"SR_RESEARCH"
_SIGNS = re.compile(
    rb"^(?:\*\* (?:CONVERTED FROM .*edf|TYPE: EDF_FILE)"
    rb"|SAMPLES\t(?:GAZE|HREF|PUPIL)\s"
    rb"|START\s+\d+(?:\.\d+)?\s+(?:LEFT|RIGHT)\s"
    rb"|MSG\s+\d+(?:\.\d+)? (?:!CAL|!MODE|RECCFG|GAZE_COORDS|DISPLAY_COORDS) ?)",
    re.MULTILINE,
)
_COORDS = re.compile(
    r"(?:-?\d+ )?(GAZE_COORDS|DISPLAY_COORDS)\s*=?\s*"
    r"(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]+(-?[\d.]+)"
)
_NO_CORNERS = (0.0, 0.0, 0.0, 0.0)


def sniff(source: Source) -> bool:
    """Whether the first lines are EyeLink text, or the file is a binary EyeLink ``.edf``."""
    return source.head.startswith(_BINARY) or bool(_SIGNS.search(source.head))


def read(source: Source) -> Recording:
    """Read an EyeLink ``.asc``, plain or gzipped; see the module for what is done to it."""
    name = source.path.name
    if source.head.startswith(_BINARY):
        raise FormatError(
            f"{name} is a binary EyeLink recording, text is expected; convert it with "
            "SR Research's edf2asc and read the .asc"
        )
    log, table = _read_blocks(source)
    table.close(name, log.headers)
    table.counts.update(log.counts())
    origin = _origin(name, table, log)
    stretches = _stretches(log, table, origin)
    table.drop_left_out()
    screen, corners = _screen(log, table.notes)
    events = device_events(log, origin=origin, step_ms=_step(table.t))
    if table.plane == "GAZE":
        _to_top_left(table.xy, corners)
    if log.event_plane == "GAZE":
        events = _events_from_top_left(events, corners)
    said = _provenance(log, table, origin)
    validations = log.checks.validations(origin, corners if table.plane == "GAZE" else None)
    t_message = np.frombuffer(log.message_t) - origin
    trials = cut_trials(stretches, list(zip(t_message.tolist(), log.message_text, strict=True)))
    messages = [
        Message(t_ms=t, text=text)
        for t, text in zip(t_message.tolist(), log.message_text, strict=True)
    ]
    table.t -= origin
    samples = samples_of_eyes(table.t, table.xy, table.pupil, counts=table.counts)
    return Recording(
        samples=samples,
        trials=trials,
        messages=messages,
        device_events=events,
        screen=screen,
        plane=PLANES[table.plane],
        validations=validations,
        provenance=said | {"left_out": table.counts},
    )


def _read_blocks(source: Source) -> tuple[Log, SampleColumns]:
    """Everything in the file, each line once."""
    log, table = Log(), SampleColumns()
    last = _Last()
    in_force = 0
    for block in source.blocks():
        text, n_nul = without_nul(block)
        table.counts["lines_with_nul"] += n_nul
        lines = split_lines(text)
        for row, line in lines.others:
            log.add(len(table) + row, line)
        if len(lines):
            if not log.headers:
                log.headers.append(_first_header(source))
            table.add(lines, log.headers[in_force:])
        in_force = max(len(log.headers) - 1, 0)
        last = last.then(text, lines)
    _refuse_cut(source.path.name, last, log, len(table))
    if not log.headers:
        raise FormatError(_no_header(source))
    return log, table


def _first_header(source: Source) -> Header:
    """The header that opens the file, where samples stand before it: it must be theirs, too."""
    log = Log()
    for block in source.blocks():
        for _, line in split_lines(block).others:
            log.add(0, line)
        if log.headers:
            return replace(log.headers[-1], row=0)
        log = Log()
    raise FormatError(_no_header(source))


def _no_header(source: Source) -> str:
    return (
        f"{source.path.name}: no START or SAMPLES line says which eye was recorded; expected a "
        "file written by edf2asc with its events (without -ne)"
    )


@dataclass(frozen=True)
class _Last:
    """What the last line read was; `before` are the fields of the sample line before it."""

    tail: bytes = b""
    n_fields: int = 0
    before: int = 0

    def then(self, text: bytes, lines: Lines) -> "_Last":
        """The same after some more lines; a tail is what no line end closes."""
        tail = text[text.rfind(b"\n") + 1 :]
        fields = [self.before, *lines.n_fields[-2:].tolist()]
        if tail and len(lines) and lines.last[-1] == len(text):
            return _Last(tail, fields[-1], fields[-2])
        return _Last(tail, 0, fields[-1])


def _refuse_cut(name: str, last: _Last, log: Log, n: int) -> None:
    """A last line that breaks off means that nobody knows what else is missing."""
    if not last.tail.strip():
        return
    sample_cut = 0 < last.n_fields < last.before
    words = last.tail.split(None, 1)
    unknown = words[0].decode("ascii", "replace") not in KNOWN and not last.tail.startswith(b"**")
    if sample_cut or (not last.n_fields and (log.in_block or unknown)):
        raise FormatError(
            f"{name} breaks off in its last line after {n - sample_cut} whole samples; copy or "
            "convert the file again, or remove that line to read what is there"
        )


def _origin(name: str, table: SampleColumns, log: Log) -> float:
    """Tracker stamp of ms 0: the first sample, or the first block of a file of events only."""
    if np.isfinite(table.t).any():
        return float(np.nanmin(table.t))
    starts = [*log.events[2::9]]
    if not starts:
        raise FormatError(
            f"{name} holds no samples and no events; expected lines of numbers after START. "
            "Convert the .edf again with edf2asc -s"
        )
    table.notes.append("the file holds events and no samples")
    return min([block.start for block in log.blocks] + starts)


def _screen(log: Log, notes: list[str]) -> tuple[Screen | None, Corners]:
    """Screen and its stated corners; what the tracker maps gaze to wins over the display's."""
    stated: dict[str, list[Corners]] = {"GAZE_COORDS": [], "DISPLAY_COORDS": []}
    for text in log.message_text:
        if "_COORDS" in text and (found := _COORDS.match(text)):
            left, top, right, bottom = (float(value) for value in found.groups()[1:])
            stated[found[1]].append((left, top, right, bottom))
    corners = stated["GAZE_COORDS"] or stated["DISPLAY_COORDS"]
    if not corners:
        return None, _NO_CORNERS
    left, top, right, bottom = corners[-1]
    if len(set(corners)) > 1:
        notes.append("the file states several sizes of the screen; the last one is used")
    if (left, top) != (0, 0):
        notes.append(f"coordinates were moved to the top left corner, stated as {left:g} {top:g}")
    screen = Screen(width_px=_pixels(abs(right - left)), height_px=_pixels(abs(bottom - top)))
    return screen, corners[-1]


def _pixels(span: float) -> float:
    """1023 and 1024 both mean 1024: some files name the last pixel, some the edge."""
    return span + 1 if span % 2 else span


def _to_top_left(xy: dict[str, FloatArray], corners: Corners) -> None:
    """Move gaze in place, so that no second copy of it is held."""
    (left, top), sign = corners[:2], _signs(corners)
    if (left, top) == (0, 0) and (sign > 0).all():
        return
    for points in xy.values():
        np.subtract(points, [left, top], out=points)
        np.multiply(points, sign, out=points)


def _signs(corners: Corners) -> FloatArray:
    left, top, right, bottom = corners
    return np.where([right < left, bottom < top], -1.0, 1.0)


def _events_from_top_left(events: Events, corners: Corners) -> Events:
    xy = {"xy": events.xy_px.copy()}
    if events.end_xy_px is not None:
        xy["end"] = events.end_xy_px.copy()
    _to_top_left(xy, corners)
    return replace(events, xy_px=xy["xy"], end_xy_px=xy.get("end"))


def _step(t_ms: FloatArray) -> float:
    in_order = len(t_ms) < 2 or bool((np.diff(t_ms) >= 0).all())
    step = step_ms(t_ms if in_order else np.sort(t_ms))
    return step if step > 0 else 1.0


def _stretches(log: Log, table: SampleColumns, origin: float) -> list[Stretch]:
    """Blocks as half-open intervals on the recording's clock that hold their samples."""
    ends = [block.row for block in log.blocks[1:]] + [len(table)]
    stretches = []
    for block, end in zip(log.blocks, ends, strict=True):
        inside = table.t[block.row : end if block.end_row is None else block.end_row]
        inside = inside[np.isfinite(inside)]
        if not len(inside):
            if len(table) or not block.end > block.start:
                table.counts["blocks_without_samples"] += 1
                continue
            stretches.append(Stretch(block.start - origin, block.end - origin))
            continue
        onset = max(min(block.start, inside.min()), origin)
        step = 1000 / block.rate_hz if block.rate_hz > 0 else _step(inside)
        offset = np.nanmax([block.end, inside.max() + step])
        stretches.append(Stretch(float(onset - origin), float(offset - origin)))
    return stretches


def _provenance(log: Log, table: SampleColumns, origin: float) -> dict[str, Any]:
    notes = list(table.notes)
    if log.events and log.event_plane != table.plane:
        notes.append(
            f"positions of the device's events are {log.event_plane}, those of samples are "
            f"{table.plane}"
        )
    unfinished = sum(block.end_row is None for block in log.blocks)
    if unfinished:
        notes.append(f"blocks with START and no END, ended with their last sample: {unfinished}")
    rates = Counter(block.rate_hz for block in log.blocks if block.rate_hz > 0)
    if len(rates) > 1:
        listed = ", ".join(f"{rate:g} Hz in {n}" for rate, n in sorted(rates.items()))
        notes.append(f"the rate changes between blocks: {listed}")
    return {
        "clock": f"tracker time in ms; ms 0 is the first stamp, {origin:.12g}",
        "notes": notes,
        "tracker": log.tracker,
        "stated_rates_hz": log.rates_hz(),
        "pupil": log.pupil,
        "calibrations": _on_clock(log.checks.calibrations, origin),
        "validations": _on_clock(log.checks.summaries(), origin),
        "drift_checks": _on_clock(log.checks.drift_checks, origin),
        "line_counts": dict(sorted(log.line_counts.items())),
    }


def _on_clock(rows: Sequence[dict[str, Any]], origin: float) -> list[dict[str, Any]]:
    return [
        {"t_ms": row["t"] - origin} | {k: v for k, v in row.items() if k != "t"} for row in rows
    ]


READER = Reader(
    name="eyelink",
    title="EyeLink text from edf2asc (SR Research)",
    sniff=sniff,
    read=read,
    suffixes=(".asc", ".asc.gz"),
)
