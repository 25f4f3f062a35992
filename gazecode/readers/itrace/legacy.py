"""iTrace before version 0.1: gaze with the editor's answer in each row; fixation files beside it.

Three writers. Eclipse (``<itrace-records>``, as in Saddler et al. 2020, SANER): `tracker_time` and
`system_time` in Unix ms, `session_time` and `nano_time` in ns. iTrace-Archive: the same as JSON, or
as XML with hyphens in its names. Version 0.0.x (``<plugin>``): `event_time` in ns. `x y` is the
mean of the eyes in px; a validity is 1 - code / 4 of the old Tobii codes: above 0.5 is good.

Samples off any text or page are not written: they show as gaps. The fixations that the suite's own
filter makes of them bridge the gaps and last up to several seconds: the provenance says so.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Recording
from gazecode.model.checks import repeated, sealed
from gazecode.readers.itrace.eyes import both_or_neither
from gazecode.readers.itrace.ide import Positions, positions
from gazecode.readers.itrace.legacy_rows import (
    CLOCKS,
    LegacyTable,
    Rows,
    clock_of,
    first_row,
    kind_of,
    legacy_table,
    wanted_rows,
    whole_number,
)
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples, samples_of_eyes
from gazecode.readers.tools.xml import Columns, number, root_name

__all__ = ["READER", "ide_positions", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_GOOD = 0.5
_LONG_MS = 2000.0
_MAX_MS = 30 * 86_400_000.0
_COMPANIONS = (
    ("gazes", "fixations"),
    ("gaze-responses", "processed-gazes"),
    ("gaze-responses", "processed-fixations"),
)


def sniff(source: Source) -> bool:
    """Whether the file is of one of the old writers."""
    head = source.head
    if head.lstrip()[:1] == b"{":
        start = head[:2000]
        return b'"screen_size"' in start and (b'"gazes"' in start or b'"fixations"' in start)
    root = root_name(head)
    return root == "itrace-records" or (
        root == "plugin" and b"<screen-size" in head and b"event_time=" in head
    )


def read(source: Source, *, fixations: str | Path | None = None) -> Recording:
    """Read samples, or the fixations of a fixation file.

    Parameters
    ----------
    source
        Gaze or fixation file, XML or JSON.
    fixations
        Fixation file of these samples; by default the one beside them (or in a folder
        ``fixations`` beside theirs) of the same name and with the same stamps.

    Returns
    -------
    Recording
        ``samples["both"]``, px; ms from the first row. A fixation file gives no samples, and
        `device_events`.
    """
    table = legacy_table(source, wanted_rows(source))
    if "duration" in table.rows and "fix_x" not in table.rows:
        return _fixations_alone(table, source)
    counts: Counter[str] = Counter()
    rows = table.rows
    first, t_ms = _since_first(rows, table.clock, source.name)
    xy, pupil = _mean_eyes(rows, counts)
    events, said, notes = _vendor_fixations(
        source, table, first, t_ms, named=fixations, counts=counts
    )
    samples = samples_of_eyes(t_ms, {"both": xy}, pupil, counts=counts)
    return Recording(
        samples=samples,
        device_events=events,
        screen=table.screen,
        provenance={
            "clock": _clock_text(table.clock),
            "left_out": dict(+counts),
            **said,
            "notes": [
                "samples off text and pages are not in the file; they show as gaps only",
                *notes,
            ],
        },
        start_ns=_start_ns(table.first_row, t_ms),
    )


def ide_positions(path: str | Path | Source) -> Positions:
    """Where in the text or page each sample fell, on the recording's clock.

    Returns
    -------
    dict of arrays, one row per sample, in time order
        As `gazecode.readers.itrace.ide_positions` (without ``event_id``); ``path`` is the URL of a
        page, ``element`` the part of the page, or the source code entities.
    """
    source = path if isinstance(path, Source) else Source(Path(path))
    clock = clock_of(first_row(source), source.name)
    texts = ("name", "type", "path", "url", "line_height")
    wanted: Rows = {clock: kind_of(clock), "line": "float", "col": "float"}
    table = legacy_table(source, wanted | dict.fromkeys(texts, "text"), elements=True)
    rows = table.rows
    _, t_ms = _since_first(rows, clock, source.name)
    found = positions(
        rows["line"],
        rows["col"],
        table.application,
        {
            "target": rows["name"],
            "type": rows["type"],
            "path": np.where(rows["path"] == "", rows["url"], rows["path"]),
            "element": table.elements,
            "line_height_px": np.array([number(v, "line_height") for v in rows["line_height"]]),
        },
    )
    order = np.argsort(t_ms, kind="stable")
    return {"t_ms": t_ms[order], **{name: values[order] for name, values in found.items()}}


def _stamps(rows: Columns, clock: str, name: str) -> IntArray:
    """The column that holds the time, let go: whole numbers, ISO 8601 brought to Unix ms."""
    stamps = rows.pop(clock)
    if not len(stamps):
        raise FormatError(f"{name}: no <response> in the document; expected gaze. Record again")
    if stamps.dtype == object:
        return np.array([_iso_ms(text, name) for text in stamps], dtype=np.int64)
    whole: IntArray = stamps
    return whole


def _since_first(rows: Columns, clock: str, name: str) -> tuple[int, FloatArray]:
    """Stamp of the first row by time, and every row's ms since it."""
    stamps = _stamps(rows, clock, name)
    first, last = int(stamps.min()), int(stamps.max())
    if (last - first) * CLOCKS[clock] > _MAX_MS:
        raise FormatError(
            f"{name}: {clock} runs from {first} to {last}; expected times of one session, within "
            "30 days. The file is damaged: copy or export it again"
        )
    return first, np.asarray((stamps - first) * CLOCKS[clock], dtype=np.float64)


def _iso_ms(text: str, name: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(
            f"{name}: timestamp is {text[:40]!r}; expected Unix ms or ISO 8601"
        ) from error
    return round(moment.timestamp() * 1000)


def _clock_text(clock: str) -> str:
    unit = "ISO 8601 or ms" if clock == "timestamp" else ("ms" if CLOCKS[clock] == 1 else "ns")
    return f"{clock}, {unit}; 0 at the first row"


def _start_ns(row: dict[str, str], t_ms: FloatArray) -> int | None:
    """Wall clock of ms 0, from the first row of the file."""
    system = whole_number(row.get("system_time", "")) or whole_number(row.get("tracker_time", ""))
    return system * 1_000_000 - round(float(t_ms[0]) * 1e6) if system > 1e11 else None


def _mean_eyes(rows: Columns, counts: Counter[str]) -> tuple[FloatArray, dict[str, FloatArray]]:
    xy: FloatArray = rows.pop("mean")
    if "left_validation" in rows and "right_validation" in rows:
        good = [rows.pop(f"{eye}_validation") > _GOOD for eye in ("left", "right")]
        xy[~both_or_neither(good[0], good[1], counts)] = np.nan
    if "left_pupil_diameter" not in rows or "right_pupil_diameter" not in rows:
        return xy, {}
    pupil: FloatArray = rows.pop("left_pupil_diameter")
    pupil += rows.pop("right_pupil_diameter")
    pupil /= 2
    pupil[~(pupil > 0) | np.isnan(xy[:, 0])] = np.nan
    return xy, {"both": pupil}


def _events(
    onset_ms: FloatArray, rows: Columns, counts: Counter[str]
) -> tuple[Events, dict[str, Any], list[str]]:
    """Fixations of a fixation file, and what must be known of them."""
    duration, onset, xy = rows.pop("duration"), onset_ms, rows.pop("mean")
    whole = (duration > 0) & np.isfinite(onset)
    if not (whole.all() and (np.diff(onset) >= 0).all()):
        counts["empty_device_events"] += int((~whole).sum())
        order = np.flatnonzero(whole)
        order = order[np.argsort(onset[order], kind="stable")]
        duration, onset, xy = duration[order], onset[order], xy[order]
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    longest = float(duration.max()) if len(duration) else 0.0
    long = int((duration > _LONG_MS).sum())
    said = {"vendor_fixations": {"n": len(onset), "longest_ms": longest, "over_2000_ms": long}}
    duration += onset
    events = Events(
        kind=sealed(repeated("fixation", len(onset))),
        onset_ms=sealed(onset),
        offset_ms=sealed(duration),
        xy_px=sealed(xy),
    )
    note = (
        f"{long} vendor fixations last over 2 s, the longest {longest:g} ms: the filter bridges "
        "the gaps of samples that were not written"
    )
    return events, said, [note] if long else []


def _vendor_fixations(
    source: Source,
    table: LegacyTable,
    first: int,
    t_ms: FloatArray,
    *,
    named: str | Path | None,
    counts: Counter[str],
) -> tuple[Events, dict[str, Any], list[str]]:
    if "fix_x" in table.rows and "duration" in table.rows and "fix_index" in table.rows:
        return _fixations_in_rows(table.rows, t_ms, counts)
    found = [Source(Path(named))] if named is not None else _companions(source)
    if len(found) != 1:
        return Events.empty(), {}, []
    beside = legacy_table(found[0], wanted_rows(found[0]))
    if "duration" not in beside.rows or beside.clock != table.clock:
        return _no_fit(found[0], named)
    stamps = _stamps(beside.rows, beside.clock, found[0].name)
    onset = np.asarray((stamps - first) * CLOCKS[table.clock], dtype=np.float64)
    sampled = np.unique(t_ms)
    at = np.clip(np.searchsorted(sampled, onset), 0, len(sampled) - 1)
    # A fixation is stamped with its first sample.
    if (sampled[at] != onset).any():
        return _no_fit(found[0], named)
    events, said, notes = _events(onset, beside.rows, counts)
    events = replace(
        events,
        first=np.searchsorted(sampled, events.onset_ms),
        last=np.searchsorted(sampled, events.offset_ms),
    )
    return events, said, [f"fixations of {found[0].name}", *notes]


def _no_fit(found: Source, named: object) -> tuple[Events, dict[str, Any], list[str]]:
    if named is not None:
        raise FormatError(
            f"{found.name} holds no fixations of these samples; expected a fixation file whose "
            "stamps are theirs"
        )
    return Events.empty(), {}, [f"{found.name} lies beside and does not fit: its stamps differ"]


def _fixations_in_rows(
    rows: Columns, t_ms: FloatArray, counts: Counter[str]
) -> tuple[Events, dict[str, Any], list[str]]:
    """JSON of processed gazes: each sample names its fixation."""
    index, duration = rows.pop("fix_index"), rows.pop("duration")
    xy = np.stack([rows.pop("fix_x"), rows.pop("fix_y")], axis=1)
    inside = np.flatnonzero((index >= 0) & (duration > 0))
    _, first = np.unique(index[inside], return_index=True)
    at = inside[first]
    return _events(t_ms[at], {"duration": duration[at], "mean": xy[at]}, counts)


def _companions(source: Source) -> list[Source]:
    """Fixation files of the same name, beside this one or in a folder of their own."""
    folder = source.path.parent
    found: list[Source] = []
    for mine, theirs in _COMPANIONS:
        if mine not in source.path.name:
            continue
        other = source.path.name.replace(mine, theirs)
        places = (folder, folder.parent / theirs)
        found += [Source(p / other) for p in places if (p / other).is_file()]
    return [other for other in found if sniff(other)]


def _fixations_alone(table: LegacyTable, source: Source) -> Recording:
    counts: Counter[str] = Counter()
    _, onset = _since_first(table.rows, table.clock, source.name)
    events, said, notes = _events(onset, table.rows, counts)
    return Recording(
        samples=no_samples(),
        device_events=events,
        screen=table.screen,
        provenance={
            "clock": _clock_text(table.clock),
            "left_out": dict(+counts),
            **said,
            "notes": [
                "fixations of iTrace's filter alone; the samples are in the gaze file",
                *notes,
            ],
        },
        start_ns=_start_ns(table.first_row, onset),
    )


READER = Reader(
    name="itrace_legacy",
    title="iTrace before 0.1 (Eclipse XML, iTrace-Archive XML and JSON): samples or fixations",
    sniff=sniff,
    read=read,
    suffixes=(".xml", ".json"),
    priority=10,
)
