"""EyeLink text (``.asc``) as SR Research's edf2asc writes it.

Format: SR Research, EyeLink User Manual, "The ASC file format"; what real files do beyond it was
measured. A sample line is a number followed by a TAB; every other line is a message, an event or
a header, and the continuation lines of ``!CAL`` messages are neither, though they hold numbers.

**Clock.** ms of the tracker, from the first sample. At 2000 Hz some files write each millisecond
twice: the second sample is put half a millisecond later, and the provenance says so.

**Coordinates.** ``GAZE`` is px, from the top left corner that ``GAZE_COORDS`` (or
``DISPLAY_COORDS``) states; ``HREF`` stays what it is, angles-like units of another plane.

**Device events.** ``EFIX``, ``ESACC``, ``EBLINK`` of each eye; their last sample is inclusive in
the file and intervals are half-open here, so one sample interval is added.

**Trials** are cut from blocks and messages: see `gazecode.readers.eyelink_trials`.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Screen
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.eyelink_log import KNOWN, Header, Log, device_events, read_log
from gazecode.readers.eyelink_text import Lines, parse_samples, split_lines
from gazecode.readers.eyelink_trials import Stretch, cut_trials
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.units import step_ms

__all__ = ["READER", "read", "sniff"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Corners = tuple[float, float, float, float]

_BINARY = b"SR_RESEARCH"
_SIGNS = re.compile(
    rb"^(?:\*\* (?:CONVERTED FROM .*edf|TYPE: EDF_FILE)"
    rb"|SAMPLES\t(?:GAZE|HREF|PUPIL)\s"
    rb"|START\s+\d+(?:\.\d+)?\s+(?:LEFT|RIGHT)\s"
    rb"|MSG\s+\d+(?:\.\d+)? (?:!CAL|!MODE|RECCFG|GAZE_COORDS|DISPLAY_COORDS) ?)",
    re.MULTILINE,
)
_PLANES = {"GAZE": "screen_px", "HREF": "href"}
_COORDS = re.compile(
    r"(?:-?\d+ )?(GAZE_COORDS|DISPLAY_COORDS)\s*=?\s*"
    r"(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]+(-?[\d.]+)"
)


def sniff(source: Source) -> bool:
    """Whether the first lines are EyeLink text, or the file is a binary EyeLink ``.edf``."""
    return source.head.startswith(_BINARY) or bool(_SIGNS.search(source.head))


def read(source: Source) -> Recording:
    """Read an EyeLink ``.asc``, plain or gzipped; see the module for what is done to it."""
    if source.head.startswith(_BINARY):
        raise FormatError(
            f"{source.path.name} is a binary EyeLink recording, text is expected; convert it with "
            "SR Research's edf2asc and read the .asc"
        )
    lines = split_lines(source.read_bytes())
    _refuse_cut(source.path.name, lines)
    log = read_log(lines.others)
    table = _read_table(source.path.name, lines, log)
    origin = _origin(source.path.name, table, log)
    screen, corners = _screen(log, table.notes)
    events = device_events(log, origin=origin, step_ms=_step(np.sort(table.t)))
    if table.plane == "GAZE":
        table.xy = {eye: _from_top_left(xy, corners) for eye, xy in table.xy.items()}
    if log.event_plane == "GAZE":
        events = _events_from_top_left(events, corners)
    samples = samples_of_eyes(table.t - origin, table.xy, table.pupil, counts=table.counts)
    return Recording(
        samples=samples,
        trials=cut_trials(
            _stretches(log, table, origin),
            [(t - origin, text) for t, text in log.messages],
        ),
        messages=[Message(t_ms=t - origin, text=text) for t, text in log.messages],
        device_events=events,
        screen=screen,
        plane=_PLANES[table.plane],
        provenance=_provenance(log, table, origin),
    )


@dataclass(kw_only=True)
class _Table:
    """Sample lines as columns on the tracker's clock; `number` is the line of each row."""

    t: FloatArray
    xy: dict[str, FloatArray]
    pupil: dict[str, FloatArray]
    number: IntArray
    plane: str
    rates_hz: list[float]
    counts: Counter[str]
    notes: list[str]


def _refuse_cut(name: str, lines: Lines) -> None:
    """A last line that breaks off means that nobody knows what else is missing."""
    if lines.complete:
        return
    last_sample = int(lines.number[-1]) if len(lines.number) else -1
    last_other, text = lines.others[-1] if lines.others else (-1, "")
    word = text.split(None, 1)[0] if text.strip() else ""
    sample_cut = (
        last_sample > last_other
        and len(lines.number) > 1
        and lines.n_fields[-1] < lines.n_fields[-2]
    )
    words = [line.split(None, 1)[0] for _, line in lines.others if line.strip()]
    blocks = [word for word in words if word in ("START", "END")]
    in_block = bool(blocks) and blocks[-1] == "START"
    unknown = word not in KNOWN and not word.startswith("**")
    other_cut = last_other > last_sample and (in_block or unknown)
    if sample_cut or other_cut:
        raise FormatError(
            f"{name} breaks off in its last line after {max(len(lines.number) - sample_cut, 0)} "
            "whole samples; copy or convert the file again, or remove that line to read what is "
            "there"
        )


def _read_table(name: str, lines: Lines, log: Log) -> _Table:
    if not log.headers:
        raise FormatError(
            f"{name}: no START or SAMPLES line says which eye was recorded; expected a file "
            "written by edf2asc with its events (without -ne)"
        )
    header_of = np.searchsorted([h.line for h in log.headers], lines.number, side="right") - 1
    # Samples before the first header can only be of the recording it opens.
    slices = _slices(np.maximum(header_of, 0), log.headers)
    plane = _main_plane(name, slices, log.headers)
    n = len(lines.number)
    eyes = [eye for eye in ("left", "right") if any(eye in h.eyes for h, _, _ in slices)]
    table = _Table(
        t=np.full(n, np.nan),
        xy={eye: np.full((n, 2), np.nan) for eye in eyes or log.headers[-1].eyes},
        pupil={eye: np.full(n, np.nan) for eye in eyes or log.headers[-1].eyes},
        number=lines.number,
        plane=plane,
        rates_hz=sorted({h.rate_hz for h in log.headers if h.rate_hz > 0}),
        counts=Counter(log.counts()),
        notes=[],
    )
    _fill(table, lines, _groups(name, lines, slices, table))
    _spread_pairs(table, slices)
    return _only_rows(table, np.isfinite(table.t))


def _slices(header_of: IntArray, headers: list[Header]) -> list[tuple[Header, int, int]]:
    """Header and sample rows ``[a, b)`` of each stretch that holds samples."""
    edges = np.searchsorted(header_of, np.arange(len(headers) + 1))
    return [
        (header, int(a), int(b))
        for header, a, b in zip(headers, edges[:-1], edges[1:], strict=True)
        if b > a
    ]


def _main_plane(name: str, slices: list[tuple[Header, int, int]], headers: list[Header]) -> str:
    rows = Counter[str]()
    for header, a, b in slices:
        rows[header.plane] += b - a
    plane = rows.most_common(1)[0][0] if rows else headers[-1].plane
    if plane not in _PLANES:
        raise FormatError(
            f"{name} holds samples of the kind {plane}, expected GAZE (or HREF); "
            "convert the .edf again with edf2asc -sg"
        )
    return plane


def _groups(
    name: str, lines: Lines, slices: list[tuple[Header, int, int]], table: _Table
) -> dict[tuple[tuple[str, ...], int], list[IntArray]]:
    """Rows of equal eyes and equal number of fields; others are left out and counted."""
    groups: dict[tuple[tuple[str, ...], int], list[IntArray]] = {}
    for header, a, b in slices:
        rows = np.arange(a, b)
        if header.plane != table.plane:
            table.counts[f"samples_in_{header.plane}"] += b - a
            continue
        fields = lines.n_fields[a:b]
        # The header may announce a remote target the lines do not have: the lines decide.
        usual = int(np.bincount(fields).argmax())
        needed = 1 + 3 * len(header.eyes)
        if usual < needed:
            raise FormatError(
                f"{name}: sample lines have {usual} fields, expected {needed} or more for "
                f"{' and '.join(header.eyes)}; convert the .edf again"
            )
        whole = fields == usual
        if not whole.all():
            table.counts["ragged_rows"] += int((~whole).sum())
            rows = rows[whole]
        groups.setdefault((header.eyes, usual), []).append(rows)
    return groups


def _fill(
    table: _Table, lines: Lines, groups: dict[tuple[tuple[str, ...], int], list[IntArray]]
) -> None:
    for (eyes, n_fields), parts in groups.items():
        rows = np.concatenate(parts)
        values = parse_samples(lines, rows, n_fields=n_fields, n_columns=1 + 3 * len(eyes))
        table.t[rows] = values[0]
        table.counts["no_time"] += int((~np.isfinite(values[0])).sum())
        for i, eye in enumerate(eyes):
            x, y, pupil = values[1 + 3 * i : 4 + 3 * i]
            table.xy[eye][rows] = np.stack([x, y], axis=1)
            # A lost pupil is written as 0.0.
            table.pupil[eye][rows] = np.where(pupil == 0, np.nan, pupil)


def _spread_pairs(table: _Table, slices: list[tuple[Header, int, int]]) -> None:
    """Above 1000 Hz a stamp in whole ms can stand twice; put the second one a sample later."""
    spread = 0
    for header, a, b in slices:
        if not header.rate_hz > 1000:
            continue
        second = np.zeros(b - a, dtype=bool)
        second[1:] = np.diff(table.t[a:b]) == 0
        second[1:] &= ~second[:-1]
        table.t[a:b] += np.where(second, 1000 / header.rate_hz, 0.0)
        spread += int(second.sum())
    if spread:
        table.notes.append(
            f"{spread} samples repeat the millisecond of the one before; "
            "they were put one sample interval later, none is lost"
        )


def _only_rows(table: _Table, kept: BoolArray) -> _Table:
    if kept.all():
        return table
    table.t, table.number = table.t[kept], table.number[kept]
    table.xy = {eye: xy[kept] for eye, xy in table.xy.items()}
    table.pupil = {eye: pupil[kept] for eye, pupil in table.pupil.items()}
    return table


def _origin(name: str, table: _Table, log: Log) -> float:
    """Tracker stamp of ms 0: the first sample, or the first block of a file of events only."""
    if len(table.t):
        return float(table.t.min())
    if not log.events:
        raise FormatError(
            f"{name} holds no samples and no events; expected lines of numbers after START. "
            "Convert the .edf again with edf2asc -s"
        )
    table.notes.append("the file holds events and no samples")
    return min([block.start for block in log.blocks] + [event.start for event in log.events])


def _screen(log: Log, notes: list[str]) -> tuple[Screen | None, Corners]:
    """Screen and its stated corners; what the tracker maps gaze to wins over the display's."""
    stated: dict[str, list[Corners]] = {"GAZE_COORDS": [], "DISPLAY_COORDS": []}
    for _, text in log.messages:
        if found := _COORDS.match(text):
            left, top, right, bottom = (float(value) for value in found.groups()[1:])
            stated[found[1]].append((left, top, right, bottom))
    corners = stated["GAZE_COORDS"] or stated["DISPLAY_COORDS"]
    if not corners:
        return None, (0.0, 0.0, 0.0, 0.0)
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


def _from_top_left(xy: FloatArray, corners: Corners) -> FloatArray:
    left, top, right, bottom = corners
    if (left, top) == (0, 0) and right >= 0 and bottom >= 0:
        return xy
    moved: FloatArray = (xy - [left, top]) * np.where([right < left, bottom < top], -1.0, 1.0)
    return moved


def _events_from_top_left(events: Events, corners: Corners) -> Events:
    if events.end_xy_px is not None:
        events = replace(events, end_xy_px=_from_top_left(events.end_xy_px, corners))
    return replace(events, xy_px=_from_top_left(events.xy_px, corners))


def _step(t_ms: FloatArray) -> float:
    step = step_ms(t_ms)
    return step if step > 0 else 1.0


def _stretches(log: Log, table: _Table, origin: float) -> list[Stretch]:
    """Blocks as half-open intervals on the recording's clock that hold their samples."""
    ends = [block.line for block in log.blocks[1:]] + [int(1e18)]
    stretches = []
    for block, end in zip(log.blocks, ends, strict=True):
        rows = slice(*np.searchsorted(table.number, [block.line, block.end_line or end]))
        inside = table.t[rows]
        if not len(inside):
            if len(table.t) or not block.end > block.start:
                table.counts["blocks_without_samples"] += 1
                continue
            stretches.append(Stretch(block.start - origin, block.end - origin))
            continue
        onset = max(min(block.start, inside.min()), origin)
        step = 1000 / block.rate_hz if block.rate_hz > 0 else _step(np.sort(inside))
        offset = np.nanmax([block.end, inside.max() + step])
        stretches.append(Stretch(float(onset - origin), float(offset - origin)))
    return stretches


def _provenance(log: Log, table: _Table, origin: float) -> dict[str, Any]:
    notes = list(table.notes)
    if log.events and log.event_plane != table.plane:
        notes.append(
            f"positions of the device's events are {log.event_plane}, those of samples are "
            f"{table.plane}"
        )
    unfinished = sum(block.end_line is None for block in log.blocks)
    if unfinished:
        notes.append(f"blocks with START and no END, ended with their last sample: {unfinished}")
    return {
        "clock": f"tracker time in ms; ms 0 is the first stamp, {origin:.12g}",
        "left_out": table.counts,
        "notes": notes,
        "tracker": log.tracker,
        "stated_rates_hz": table.rates_hz,
        "pupil": log.pupil,
        "calibrations": _checks(log.calibrations, origin),
        "validations": _checks(log.validations, origin),
        "line_counts": dict(sorted(log.line_counts.items())),
    }


def _checks(rows: list[dict[str, Any]], origin: float) -> list[dict[str, Any]]:
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
