"""Studio's Fixation-Data and Event-Data files: what an export holds beside its gaze.

``P61-Fixation-Data.tsv`` is a recording without samples, whose fixations are the device's events;
``P61-Event-Data.tsv`` adds the messages to it. Their clock counts from the start of the recording.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Screen
from gazecode.model.checks import repeated, sealed
from gazecode.readers.source import Source
from gazecode.readers.tobii.prolab_intervals import intervals
from gazecode.readers.tobii.rows import (
    MessageLog,
    joined_cells,
)
from gazecode.readers.tobii.studio_layout import Layout, find_layout, screen_size
from gazecode.readers.tools.arrow import Block, read_table
from gazecode.readers.tools.build import no_samples
from gazecode.readers.tools.growing import Gathered

__all__ = ["event_texts", "gaze_file_of", "layout_of", "read_fixations", "refuse_units"]

FloatArray = npt.NDArray[np.float64]

_FIXATIONS: dict[str, type] = {
    "Timestamp": float,
    "FixationDuration": float,
    "MappedFixationPointX": float,
    "MappedFixationPointY": float,
}
_CELLS = ("Event", "Data1", "Data2", "Descriptor")
_MEDIA_NOTE = (
    "fixations are px of the media; without its place on the screen in the file it is taken to "
    "begin at the top left, as a recording of the screen does"
)
_PART = re.compile(r"^(?P<stem>.*?)(?P<part>All|Fixation|Event)[-_ ]?Data", re.IGNORECASE)


def layout_of(source: Source) -> tuple[Layout, Iterator[bytes]]:
    """Layout of a file, and its blocks from the header line on."""
    blocks = source.blocks()
    first = next(blocks, b"")
    layout = find_layout(first)
    if layout is None:
        raise FormatError(
            f"{source.name} begins {source.start}; expected a Tobii Studio export: a line that "
            "names RecordingTimestamp or Timestamp. Export it again with its header"
        )
    table = first[layout.header_at :]

    def whole() -> Iterator[bytes]:
        yield table
        yield from blocks

    return layout, whole()


def refuse_units(layout: Layout, name: str) -> None:
    """A preamble may say that coordinates are no pixels."""
    unit = layout.first_of("Coordinate unit")
    if unit and unit.lower() not in ("pixels", "pixel", "px"):
        raise FormatError(
            f"{name} states the coordinate unit {unit!r}; expected Pixels. Export it in pixels"
        )


def event_texts(rows: Iterable[tuple[str, ...]], word: str = "") -> list[str]:
    """One text per event row; the two zeros of an event without data are left out.

    >>> event_texts(iter([("ImageStart", "0", "0", "A.jpg"), ("LeftMouseClick", "7", "0", "")]))
    ['ImageStart A.jpg', 'LeftMouseClick 7 0']
    """
    shown = (
        (word, row[0], *row[3:]) if len(row) > 2 and row[1] == row[2] == "0" else (word, *row)
        for row in rows
    )
    return joined_cells(shown)


def read_fixations(source: Source) -> Recording:
    """A recording of fixations alone, with the messages of the Event-Data file beside it."""
    layout, blocks = layout_of(source)
    refuse_units(layout, source.name)
    counts: Counter[str] = Counter()
    gathered = Gathered()
    for block in read_table(blocks, name=source.name, columns=_FIXATIONS, counts=counts):
        _gather_fixations(block, gathered, counts)
    onset, offset = gathered.array("onset"), gathered.array("offset")
    xy = gathered.array("xy").reshape(-1, 2)
    if (np.diff(onset) < 0).any():
        counts["unsorted"] += int((np.diff(onset) < 0).sum())
        order = np.argsort(onset, kind="stable")
        onset, offset, xy = onset[order], offset[order], xy[order]
    events = Events(
        kind=sealed(repeated("fixation", len(onset))),
        onset_ms=sealed(onset),
        offset_ms=sealed(offset),
        xy_px=sealed(xy),
    )
    messages, companions = _messages_beside(source, layout, counts)
    size = screen_size(layout.first_of("Recording resolution", "Screen resolution"))
    end = float(events.offset_ms.max()) if len(events) else 0.0
    return Recording(
        samples=no_samples(),
        trials=intervals(messages, end),
        messages=messages,
        device_events=events,
        screen=None if size is None else Screen(width_px=size[0], height_px=size[1]),
        provenance={
            "clock": "column Timestamp, ms; 0 at the start of the recording",
            "participant": layout.first_of("Participant", "Subject"),
            "recording": layout.first_of("Recording name", "Recording"),
            "filter": layout.first_of("Fixation filter"),
            "companions": companions,
            "left_out": dict(+counts),
            "notes": [
                "a file of fixations: no gaze samples",
                _MEDIA_NOTE,
            ],
        },
    )


def _gather_fixations(block: Block, gathered: Gathered, counts: Counter[str]) -> None:
    onset, duration = block.numbers["Timestamp"], block.numbers["FixationDuration"]
    known = np.isfinite(onset) & np.isfinite(duration) & (duration > 0)
    counts["fixations_without_time"] += int((~known).sum())
    xy = block.pair(("MappedFixationPointX", "MappedFixationPointY"))[known]
    # -1 alone is a point just off the screen, as -3 and -20 are; -1 twice is Studio's "none".
    lost = (xy == -1).all(axis=1) | ~np.isfinite(xy).all(axis=1)
    counts["fixations_without_place"] += int(lost.sum())
    xy[lost] = np.nan
    gathered.add({"onset": onset[known]})
    gathered.add({"offset": onset[known] + duration[known]})
    gathered.add({"xy": xy})


def read_events(source: Source, counts: Counter[str]) -> list[Message]:
    """Messages of an Event-Data file, ms from the start of the recording."""
    layout, blocks = layout_of(source)
    cells = [name for name in _CELLS if name in layout.names]
    columns: dict[str, type] = {"Timestamp": float, **dict.fromkeys(cells, str)}
    log = MessageLog()
    for block in read_table(blocks, name=source.name, columns=columns, counts=counts):
        every = np.ones(block.n, dtype=bool)
        texts = zip(*(block.texts[name].at(every) for name in cells), strict=True)
        log.add(block.numbers["Timestamp"], event_texts(texts))
    return log.messages(0.0, 1.0, counts)


def gaze_file_of(source: Source, layout: Layout) -> Path:
    """The file of the recording that a file of events belongs to; an error names what to open."""
    for part in ("All", "Fixation"):
        found = _beside(source, layout, part)
        if len(found) == 1:
            return found[0]
    raise FormatError(
        f"{source.name} holds the events of a recording and no gaze; open the All-Data or the "
        "Fixation-Data file of the same export, and keep this one beside it"
    )


def _messages_beside(
    source: Source, layout: Layout, counts: Counter[str]
) -> tuple[list[Message], list[str]]:
    found = _beside(source, layout, "Event")
    if len(found) != 1:
        return [], []
    return read_events(Source(found[0]), counts), [found[0].name]


def _beside(source: Source, layout: Layout, part: str) -> list[Path]:
    """Files beside this one that hold another part of the same export: by name and by recording."""
    match = _PART.match(source.name)
    if match is None:
        return []
    wanted = {"All": "gaze", "Fixation": "fixations", "Event": "events"}[part]
    name = layout.first_of("Recording name", "Recording")
    found = []
    for path in source.siblings(f"{escape(match['stem'])}*"):
        other = _PART.match(path.name)
        if other is None or other["stem"] != match["stem"] or not path.is_file():
            continue
        if other["part"].lower() != part.lower():
            continue
        said = find_layout(Source(path).head.replace(b"\r\n", b"\n"))
        if said is None or said.kind != wanted:
            continue
        theirs = said.first_of("Recording name", "Recording")
        if not name or not theirs or name == theirs:
            found.append(path)
    return found
