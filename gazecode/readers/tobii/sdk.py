r"""Tables of Tobii Pro SDK records: dumps of `gaze_data` (4C and others), Titta, TittaPy.

Columns bear the names of the SDK's dictionary; TAB, ``;`` or ``,``; sometimes an unnamed index
column first and line ends ``\r\r\n``. Points are fractions of the display area from its top left,
in two columns or in one as a tuple's text, ``(0.14, 0.64)``. Time is the tracker's own
(device_time_stamp); system_time_stamp often lost its digits in print. Beside ``X.csv`` may lie
``X_fixation.csv`` (``label,x,y,start,end,duration``; EMDAT's Tobii 4C data): fixations at the
mean of both eyes and saccades at their last sample, in percent of the display; and ``X_msg.tsv``
with Titta's messages. Both are in system time.

Titta: Niehorster, Andersson & Nyström 2020, doi:10.3758/s13428-020-01358-8.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from glob import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tobii.sdk_columns import (
    UNIX_US,
    Columns,
    find_columns,
    recording,
    validity,
)
from gazecode.readers.tools.build import no_samples
from gazecode.readers.tools.delimited import find_separator, read_delimited, split_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_FIXATION_COLUMNS = ("label", "x", "y", "start", "end", "duration")
_MESSAGE_COLUMNS = ("system_time_stamp", "msg")
_TUPLE = re.compile(rb'"?[(\[]([^()\[\]\n"]*)[)\]]"?')
_PROBE_ROWS = 20
_PERCENT = "positions of events are percent of the display in the file, fractions here"
_LAST_SAMPLE = "an event ends at the stamp of its last sample, as the file states it"


def sniff(source: Source) -> bool:
    """Whether the first line names a point of the SDK, fixations of a 4C, or Titta's messages."""
    header, rows = _head(source)
    if _is_fixations(header):
        return any(row.startswith((b"fixation,", b"saccade,")) for row in rows)
    return _is_messages(header) or find_columns(_names(header, rows)[0]).is_gaze


def read(source: Source, *, fixations: str | Path | None = None) -> Recording:
    """Read the samples, with fixations and messages that lie beside them, or these alone.

    Parameters
    ----------
    source
        Table of gaze, or of fixations, or of messages (which opens the gaze beside it).
    fixations
        Table of fixations; by default ``<name>_fixation.csv`` beside the file.

    Returns
    -------
    Recording
        ``left`` and ``right``, plane ``screen_fraction``, pupil diameter in mm; ms from the first
        stamp. A table of fixations has no samples.
    """
    header, rows = _head(source)
    if _is_fixations(header):
        return _report(source)
    if _is_messages(header):
        return read(_gaze_beside(source), fixations=fixations)
    counts: Counter[str] = Counter()
    names, widths = _names(header, rows)
    columns = find_columns(names)
    held = _load(source, names, widths, columns, counts)
    if not any(held.values()):
        raise FormatError(
            f"{source.name} holds no whole row ({dict(+counts)}); expected rows of "
            f"{len(names)} cells. Export the file again"
        )
    messages = _beside(source, "_msg")
    made, system_zero_us = recording(
        columns,
        lambda name: np.frombuffer(held.pop(name), dtype=np.float64),
        lambda name: np.frombuffer(held.pop(name), dtype=np.bool_),
        counts=counts,
        messages=[] if messages is None else _messages(Source(messages)),
    )
    table = Path(fixations) if fixations is not None else _beside(source, "_fixation")
    if table is None:
        return made
    return _with_fixations(made, Source(table), system_zero_us)


def _head(source: Source) -> tuple[str, list[bytes]]:
    lines = source.head.replace(b"\r", b"").split(b"\n")
    return lines[0].decode("utf-8", "replace"), lines[1 : _PROBE_ROWS + 1]


def _is_fixations(header: str) -> bool:
    return tuple(header.split(",")) == _FIXATION_COLUMNS


def _is_messages(header: str) -> bool:
    return [name for name in header.split("\t") if name] == list(_MESSAGE_COLUMNS)


def _names(header: str, rows: list[bytes]) -> tuple[list[str], list[int]]:
    """Names of the cells once tuples are taken apart, and how many cells each column becomes."""
    separator = find_separator(header)
    found = split_line(header, separator)
    widths = [1] * len(found)
    for row in rows:
        cells = split_line(row.decode("utf-8", "replace"), separator)
        if len(cells) != len(found):
            continue
        for i, cell in enumerate(cells):
            if _TUPLE.fullmatch(cell.strip().encode()):
                widths[i] = max(widths[i], cell.count(",") + 1)
    axes = [["_x", "_y", "_z", *(f"_{i}" for i in range(3, n))][:n] for n in widths]
    parts = [axis if n > 1 else [""] for axis, n in zip(axes, widths, strict=True)]
    return [name + axis for name, part in zip(found, parts, strict=True) for axis in part], widths


def _load(
    source: Source, names: list[str], widths: list[int], columns: Columns, counts: Counter[str]
) -> dict[str, bytearray]:
    """Columns of use, numbers as float64 and flags as a byte each.

    A row that breaks off at the end is counted: such dumps are often cut.
    """
    first, *_ = _head(source)
    separator = find_separator(first)
    stamps = [name for name in (columns.device, columns.system) if name]
    points = [name for pair in columns.point.values() for name in pair]
    wanted: dict[str, type] = dict.fromkeys([*stamps, *points, *columns.pupil.values()], float)
    flags = [*columns.validity.values(), *columns.pupil_validity.values()]
    wanted |= dict.fromkeys(flags, str)
    # One growing buffer a column: many small arrays would leave the memory in pieces.
    held = {name: bytearray() for name in wanted}

    def keep(frame: "pd.DataFrame") -> BoolArray:
        for name in wanted:
            column = frame.pop(name)
            values = _flags(column) if name in flags else column.to_numpy(dtype=np.float64)
            held[name].extend(values.tobytes())
        return np.zeros(len(frame), dtype=bool)

    read_delimited(
        _plain_blocks(source, names, separator, split=max(widths) > 1),
        name=source.name,
        columns=wanted,
        counts=counts,
        quoted=True,
        cut_row="count",
        keep=keep,
    )
    return held


def _plain_blocks(
    source: Source, names: list[str], separator: str, *, split: bool
) -> Iterator[bytes]:
    """The text with each tuple taken apart into cells."""
    blocks = source.blocks()
    _, _, begin = next(blocks, b"").partition(b"\n")
    # A name may have been quoted; none of the ones that matter holds a separator.
    header = separator.join(name.replace(separator, " ") for name in names)
    sep = separator.encode()
    to_separator = bytes.maketrans(b",", sep)
    head = header.encode() + b"\n"
    for block in chain([begin], blocks):
        if not split:
            yield head + block
        elif _is_regular(block, sep, len(names)):
            yield head + block.translate(to_separator, b'()[]" ')
        else:
            yield head + _TUPLE.sub(lambda m: m[1].translate(to_separator, b" "), block)
        head = b""


def _is_regular(block: bytes, separator: bytes, n_cells: int) -> bool:
    """Whether every comma separates cells or the parts of a tuple: then none needs a look."""
    rows = block.count(b"\n") + (not block.endswith(b"\n"))
    commas = 0 if separator == b"," else block.count(b",")
    return block.count(separator) + commas == rows * (n_cells - 1)


def _flags(column: "pd.Series") -> BoolArray:
    known = np.array([*validity(column.cat.categories), False])
    return np.asarray(known[column.cat.codes.to_numpy()])


def _beside(source: Source, ending: str) -> Path | None:
    """``X_fixation.csv`` or ``X_msg.tsv`` for ``X.csv``; Titta's plug-in writes ``X_gaze.tsv``."""
    stem = source.path.name.partition(".")[0].removesuffix("_gaze")
    found = [
        p for suffix in (".csv", ".tsv") for p in source.siblings(escape(f"{stem}{ending}{suffix}"))
    ]
    return found[0] if len(found) == 1 else None


def _gaze_beside(source: Source) -> Source:
    stem = source.path.name.partition(".")[0].removesuffix("_msg")
    names = [f"{stem}{part}.{suffix}" for part in ("", "_gaze") for suffix in ("tsv", "csv")]
    found = [path for name in names for path in source.siblings(escape(name))]
    if len(found) != 1:
        raise FormatError(
            f"{source.path.name} holds messages of Titta and no gaze; expected one of "
            f"{', '.join(names)} beside it, found {len(found)}. Open the table of gaze"
        )
    return Source(found[0])


def _messages(source: Source) -> list[tuple[float, str]]:
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns={"system_time_stamp": float, "msg": str},
        counts=Counter(),
        quoted=True,
    )
    rows = zip(frame["system_time_stamp"], frame["msg"], strict=True)
    return [(float(ts), str(text)) for ts, text in rows if np.isfinite(ts)]


def _report(source: Source) -> Recording:
    counts: Counter[str] = Counter()
    frame = _fixation_table(source, counts)
    zero_us = float(frame["start"].min())
    events = _events(frame, zero_us)
    return Recording(
        samples=no_samples(),
        device_events=events,
        plane="screen_fraction",
        start_ns=round(zero_us) * 1000 if zero_us > UNIX_US else None,
        provenance={
            "clock": "columns start and end, system time, µs; 0 at the first start",
            "left_out": dict(+counts),
            "notes": [_PERCENT, _LAST_SAMPLE],
        },
    )


def _with_fixations(made: Recording, source: Source, system_zero_us: float) -> Recording:
    said = made.provenance
    if not np.isfinite(system_zero_us):
        note = f"{source.name} is in system time, of which the gaze has none: not read"
        return replace(made, provenance={**said, "notes": [*said["notes"], note]})
    counts = Counter(said["left_out"])
    events = _events(_fixation_table(source, counts), system_zero_us)
    note = (
        f"events from {source.name}: system time, brought to the gaze's clock by the median "
        "difference of the two"
    )
    return replace(
        made,
        device_events=events,
        provenance={
            **said,
            "left_out": dict(+counts),
            "notes": [*said["notes"], note, _PERCENT, _LAST_SAMPLE],
        },
    )


def _fixation_table(source: Source, counts: Counter[str]) -> "pd.DataFrame":
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns={"label": str, "x": float, "y": float, "start": float, "end": float},
        counts=counts,
    )
    start, end = (frame[name].to_numpy(dtype=np.float64) for name in ("start", "end"))
    timed = np.isfinite(start) & np.isfinite(end)
    longer = end > start
    known = frame["label"].isin(["fixation", "saccade"]).to_numpy(dtype=bool)
    counts["events_without_time"] += int((known & ~timed).sum())
    counts["events_without_duration"] += int((known & timed & ~longer).sum())
    counts["unknown_events"] += int((~known).sum())
    kept = frame[timed & longer & known]
    if not len(kept):
        raise FormatError(
            f"{source.name} holds no fixation or saccade that lasts; expected rows of label, x, y, "
            "start, end, duration. Export the file again"
        )
    ordered: pd.DataFrame = kept.sort_values("start", kind="stable")
    return ordered


def _events(frame: "pd.DataFrame", zero_us: float) -> Events:
    """Fixations at their mean, saccades where they land; percent become fractions."""
    xy = frame[["x", "y"]].to_numpy(dtype=np.float64) / 100.0
    kind = frame["label"].astype(object).to_numpy()
    lands = (kind == "saccade")[:, None]
    return Events(
        kind=kind,
        onset_ms=(frame["start"].to_numpy(dtype=np.float64) - zero_us) / 1000.0,
        offset_ms=(frame["end"].to_numpy(dtype=np.float64) - zero_us) / 1000.0,
        xy_px=np.where(lands, np.nan, xy),
        end_xy_px=np.where(lands, xy, np.nan),
    )


READER = Reader(
    name="tobii_sdk",
    title="Tobii Pro SDK tables: gaze_data dumps (4C), Titta, TittaPy; fixations beside them",
    sniff=sniff,
    read=read,
    suffixes=(".csv", ".tsv", ".txt"),
    priority=10,
)
