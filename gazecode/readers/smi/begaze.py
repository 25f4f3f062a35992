"""SMI BeGaze event export: fixations, saccades, blinks and user events, no samples.

``[BeGaze]`` and ``Key:`` lines, then a labelled line of column names for each kind of row, then
rows of all kinds mixed (``Fixation L``, ``Saccade R``, ``Blink L``, ``UserEvent``). Times are µs;
an event's end is the next one's start, so intervals are half-open as they stand. Each eye is
reported on its own and the two are near copies: `Events.eye` keeps them apart, so that nobody
counts a fixation twice. The text of a user event is free and may hold separators.

SensoMotoric Instruments, BeGaze manual 3.4 (2014), "Event export".
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PureWindowsPath

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Trial
from gazecode.model.checks import sealed
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples
from gazecode.readers.tools.delimited import find_decimal
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.trials import unique_names

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
Cells = list[list[bytes]]

_START = b"[BeGaze]"
_TABLE = b"Table Header for "
_COLUMNS = b"Event Type"
_KINDS = {
    b"Fixation": "fixation",
    b"Visual Intake": "fixation",
    b"Saccade": "saccade",
    b"Blink": "blink",
}
_EYES = {b"L": "left", b"R": "right", b"B": "both", b"": "both"}
# Wanted of a row, by kind: columns up to the last coordinate. What follows may hold free text.
_CELLS = {"fixation": 8, "saccade": 10, "blink": 6, "message": 5}
_SHOWN = re.compile(r"\.(?:jpe?g|png|bmp|gif|tiff?|avi|mp4|wmv|mpe?g)$", re.IGNORECASE)
_HEADER_BYTES = 1 << 20


def sniff(source: Source) -> bool:
    """Whether the file opens as BeGaze's exports do and states a table of events."""
    return source.head.startswith(_START) and _TABLE in source.head


def read(source: Source) -> Recording:
    """Read the events of one participant.

    Returns
    -------
    Recording
        Samples without rows; ``device_events`` of each eye (``eye`` left or right); ms from the
        first stamp of the file. User events are messages; a trial per ``Trial`` number, or per
        message that names a picture or a film.
    """
    counts: Counter[str] = Counter()
    parts = _Parts(source.name, counts)
    block = b""
    for block in parts.after_header(source.blocks()):
        parts.add(block)
    parts.refuse_cut(block)
    return parts.recording()


class _Parts:
    """Rows gathered block by block."""

    def __init__(self, name: str, counts: Counter[str]) -> None:
        self.name = name
        self.counts = counts
        self.header: dict[str, str] = {}
        self.separator = b","
        self.decimal = "."
        self.held = Gathered()
        self.sorts: list[tuple[str, str]] = []
        self.texts: list[bytes] = []
        self.stamps: list[FloatArray] = []
        self.widths: dict[str, int] = {}

    def after_header(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Blocks of rows alone; what stands before them is read here."""
        first = next(blocks, b"")
        end = first.rfind(b"\n" + _COLUMNS, 0, _HEADER_BYTES)
        if end < 0:
            raise FormatError(
                f"{self.name}: no line of column names (Event Type ...) after [BeGaze]; "
                "export the events again"
            )
        end = (first.find(b"\n", end + 1) + 1) or len(first)
        lines = first[:end].decode("utf-8", "replace").split("\n")
        self.header = {
            key.strip(): value.strip()
            for key, mark, value in (line.partition(":") for line in lines)
            if mark
        }
        names = next(line for line in lines if line.startswith(_COLUMNS.decode()))
        self._check_columns(lines)
        self.separator = b"\t" if "\t" in names else b";" if ";" in names else b","
        rows = first[end:]
        if self.separator != b",":
            cells = rows[: 1 << 16].decode("utf-8", "replace").replace("\n", "\t")
            self.decimal = find_decimal(cells.replace(";", "\t").split("\t"))
        yield rows
        yield from blocks

    def _check_columns(self, lines: list[str]) -> None:
        expected = ["Event Type", "Trial", "Number", "Start"]
        table = ""
        for line in lines:
            found = re.split(r"[\t;,]", line)
            if found[0] == "Event Type" and found[:4] != expected:
                raise FormatError.missing_columns(self.name, expected, found[:6], "Export again")
            if found[0] == "Event Type":
                self.widths[table] = len(found)
            table = line.removeprefix(_TABLE.decode()).rstrip(":").rstrip("s").replace(" ", "")

    def refuse_cut(self, block: bytes) -> None:
        """Refuse a file whose last row breaks off: nobody knows what else is missing."""
        row = block[block.rfind(b"\n") + 1 :].split(self.separator)
        kind = row[0].decode("latin-1").removesuffix(" L").removesuffix(" R")
        if len(row) < self.widths.get(kind, 0):
            raise FormatError(
                f"{self.name} breaks off in its last row ({len(row)} of {self.widths[kind]} "
                "cells); copy or export the file again, or remove that row"
            )

    def add(self, block: bytes) -> None:
        """Sort the rows of a block by kind and eye."""
        kinds: dict[bytes, list[bytes]] = {}
        for line in block.split(b"\n"):
            kinds.setdefault(line[: line.find(self.separator)], []).append(line)
        for label, lines in kinds.items():
            self._add_kind(label.strip(), lines)

    def _add_kind(self, label: bytes, lines: list[bytes]) -> None:
        if label == b"UserEvent":
            cells = self._cells(lines, _CELLS["message"], text=True)
            self.stamps.append(self._numbers(cells, [1, 3]))
            self.texts.extend(row[4] for row in cells)
            return
        name, _, letter = label.rpartition(b" ") if label[-2:-1] == b" " else (label, b"", b"")
        kind, eye = _KINDS.get(name), _EYES.get(letter)
        if kind is None or eye is None:
            lines = [line for line in lines if line.strip()]
            self.counts["unknown_rows"] += len(lines)
            return
        cells = self._cells(lines, _CELLS[kind], text=False)
        columns = {"fixation": [6, 7], "saccade": [6, 7, 8, 9], "blink": []}[kind]
        table = np.full((len(cells), 7), np.nan)
        table[:, : 3 + len(columns)] = self._numbers(cells, [1, 3, 4, *columns])
        if (kind, eye) not in self.sorts:
            self.sorts.append((kind, eye))
        sort = np.full(len(cells), self.sorts.index((kind, eye)), dtype=np.int8)
        trial, start, end, xy, end_xy = np.split(table, [1, 2, 3, 5], axis=1)
        self.held.add({"trial": trial[:, 0], "start": start[:, 0], "end": end[:, 0], "xy": xy})
        self.held.add({"end_xy": end_xy, "sort": sort})

    def _cells(self, lines: list[bytes], n: int, *, text: bool) -> Cells:
        """The first `n` cells of each row; rows with fewer are ragged."""
        rows = [line.split(self.separator, n - 1 if text else n) for line in lines]
        whole = [row for row in rows if len(row) >= n]
        self.counts["ragged_rows"] += len(rows) - len(whole)
        return whole

    def _numbers(self, cells: Cells, columns: list[int]) -> FloatArray:
        """Some cells as numbers ``(n, k)``; what is none is NaN, and counted."""
        if not cells:
            return np.empty((0, len(columns)))
        by_column = list(zip(*(row[: max(columns) + 1] for row in cells), strict=True))
        return np.stack([self._column(by_column[c]) for c in columns], axis=1)

    def _column(self, cells: tuple[bytes, ...]) -> FloatArray:
        text = np.array(cells)
        if self.decimal == ",":
            text = np.char.replace(text, b",", b".")
        try:
            return text.astype(np.float64)
        except ValueError:
            values = np.array([_number(cell) for cell in text])
        said = ~np.isin(text, [b"", b"-"])
        self.counts["unreadable_cells"] += int((np.isnan(values) & said).sum())
        return values

    def recording(self) -> Recording:
        """Everything on one clock."""
        stamps = np.concatenate([np.empty((0, 2)), *self.stamps])
        start = self.held.array("start")
        firsts = [x[np.isfinite(x)].min(initial=np.inf) for x in (stamps[:, 1], start)]
        zero_us = float(min(firsts))
        if zero_us == np.inf:
            raise FormatError(
                f"{self.name} holds no event with a time stamp; expected rows of Fixation, "
                "Saccade, Blink or UserEvent. Export the events again"
            )
        messages, message_trial = self._messages(stamps, zero_us)
        device, trial_of_event = self._device_events(start, zero_us)
        del start
        spans = _Spans(messages, message_trial, device, trial_of_event)
        eyes = sorted({eye for _, eye in self.sorts})
        return Recording(
            samples=no_samples(),
            trials=spans.trials(_stem(self.header.get("Stimulus", ""))),
            messages=messages,
            device_events=device,
            provenance={
                "clock": "columns Start and End, µs; 0 at the first stamp of the file",
                "participant": self.header.get("Subject", ""),
                "vendor_rate_hz": _positive(self.header.get("Sample Rate", "")),
                "event_eyes": eyes,
                "left_out": dict(+self.counts),
                "notes": _notes(eyes),
            },
        )

    def _messages(self, stamps: FloatArray, zero_us: float) -> tuple[list[Message], FloatArray]:
        timed = np.isfinite(stamps[:, 1])
        self.counts["no_time"] += int((~timed).sum())
        order = np.argsort(stamps[:, 1], kind="stable")[: int(timed.sum())]
        messages = [
            Message(t_ms=float(stamps[i, 1] - zero_us) / 1000.0, text=_text(self.texts[i]))
            for i in order
        ]
        return messages, stamps[order, 0]

    def _device_events(self, start: FloatArray, zero_us: float) -> tuple[Events, FloatArray]:
        if not len(start):
            return Events.empty(), np.empty(0)
        end = self.held.array("end")
        timed = np.isfinite(start) & np.isfinite(end)
        lasting = end > start
        self.counts["no_time"] += int((~timed).sum())
        self.counts["no_duration"] += int((timed & ~lasting).sum())
        order = np.argsort(start, kind="stable")
        order = order[(timed & lasting)[order]]
        sort = self.held.array("sort")[order]
        kinds, eyes = (np.array(names, dtype=object) for names in zip(*self.sorts, strict=True))
        device = Events(
            kind=sealed(kinds[sort]),
            onset_ms=sealed((start[order] - zero_us) / 1000.0),
            offset_ms=sealed((end[order] - zero_us) / 1000.0),
            xy_px=sealed(_known(self.held.array("xy")[order])),
            end_xy_px=sealed(_known(self.held.array("end_xy")[order])),
            eye=sealed(eyes[sort]),
        )
        return device, self.held.array("trial")[order]


class _Spans:
    """When which trial was, from events and messages."""

    def __init__(
        self,
        messages: list[Message],
        message_trial: FloatArray,
        device: Events,
        event_trial: FloatArray,
    ) -> None:
        self.messages = messages
        self.trial = np.concatenate([message_trial, event_trial])
        self.onset = np.concatenate([[m.t_ms for m in messages], device.onset_ms])
        self.offset = np.concatenate([[m.t_ms for m in messages], device.offset_ms])

    def trials(self, stimulus: str) -> list[Trial]:
        """One per Trial number if there are several, else one per picture or film shown."""
        shown = [m for m in self.messages if _SHOWN.search(m.text)]
        end = float(self.offset.max(initial=0.0))
        numbers, which = np.unique(self.trial, return_inverse=True)
        if len(numbers) > 1:
            starts = np.full(len(numbers), math.inf)
            np.minimum.at(starts, which, self.onset)
            order = np.argsort(starts, kind="stable")
            starts = starts[order]
            first = np.searchsorted([m.t_ms for m in shown], starts)
            last = np.append(starts[1:], math.inf)
            texts = [
                _stem(shown[i].text) if i < len(shown) and shown[i].t_ms < until else ""
                for i, until in zip(first, last, strict=True)
            ]
            names = [f"trial {n:g}" for n in numbers[order]]
            named = list(zip(starts.tolist(), names, texts, strict=True))
        elif shown:
            named = [(m.t_ms, _stem(m.text), _stem(m.text)) for m in shown]
        else:
            named = [(0.0, stimulus or "recording", stimulus)]
        ends = [*(t for t, _, _ in named[1:]), end]
        unique = unique_names(name for _, name, _ in named)
        return [
            Trial(name=name, onset_ms=t, offset_ms=u, stimulus=what or None)
            for name, (t, _, what), u in zip(unique, named, ends, strict=True)
            if u > t
        ]


def _known(xy: FloatArray) -> FloatArray:
    """Positions, NaN where the device wrote 0, 0 for lost gaze."""
    known = np.isfinite(xy).all(axis=1) & xy.any(axis=1)
    return np.where(np.asarray(known)[:, None], xy, np.nan)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip().removeprefix("# Message:").strip()


def _stem(shown: str) -> str:
    return _SHOWN.sub("", PureWindowsPath(shown).name)


def _number(cell: bytes) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _positive(text: str) -> float | None:
    value = _number(text.encode())
    return value if 0 < value < math.inf else None


def _notes(eyes: list[str]) -> list[str]:
    notes = ["this export holds events and no samples: rate, loss and precision are unknown"]
    if len(eyes) > 1:
        notes.append(f"events are reported for each of {', '.join(eyes)}: count one eye only")
    return notes


READER = Reader(
    name="smi_begaze",
    title="SMI BeGaze event export ([BeGaze]; fixations, saccades, blinks, user events)",
    sniff=sniff,
    read=read,
    suffixes=(".txt",),
    priority=10,
)
