"""Pupil Core: what Pupil Player exports of a head-mounted recording, and of surfaces in it.

``gaze_positions.csv``, ``fixations.csv``, ``blinks.csv``, ``pupil_positions.csv`` and, from the
surface tracker, ``gaze_positions_on_surface_<name>.csv`` and ``fixations_on_surface_<name>.csv``.
Stamps are seconds of Pupil Time, whose origin is arbitrary. ``norm_pos`` is a fraction of the
scene camera's picture, ``x_norm y_norm`` one of the surface, both from the bottom left: they are
brought to the top left here. Eye 0 is the right one. (Pupil Core
documentation: Terminology, Pupil Player.)

Kassner, Patera & Bulling 2014, doi:10.1145/2638728.2641695.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Message, Recording
from gazecode.readers.pupil_labs.core_events import (
    load_annotations,
    load_events,
    sample_ends,
    to_ms,
    top_left,
)
from gazecode.readers.pupil_labs.core_sizes import read_pupil
from gazecode.readers.pupil_labs.shared import (
    EventColumns,
    Findings,
    columns_of,
    device_events,
    file_beside,
    said_true,
)
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples, samples_of_eyes
from gazecode.readers.tools.gather import gather

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

# Older Players call stamps timestamp, frames index, and the eye id.
_COLUMNS: dict[str, tuple[set[str], ...]] = {
    "gaze": (
        {"gaze_timestamp", "confidence", "norm_pos_x", "norm_pos_y"},
        {"timestamp", "index", "confidence", "norm_pos_x", "norm_pos_y", "base_data"},
    ),
    "pupil": (
        {"pupil_timestamp", "eye_id", "confidence", "diameter", "method"},
        {"timestamp", "index", "id", "confidence", "norm_pos_x", "diameter", "method"},
    ),
    "surface_gaze": ({"gaze_timestamp", "x_norm", "y_norm", "on_surf", "confidence"},),
    "surface_fixations": (
        {"fixation_id", "start_timestamp", "duration", "norm_pos_x", "norm_pos_y", "on_surf"},
    ),
    "fixations": ({"id", "start_timestamp", "duration", "norm_pos_x", "norm_pos_y", "dispersion"},),
    "blinks": ({"id", "start_timestamp", "duration", "end_timestamp", "confidence"},),
    "annotations": ({"index", "timestamp", "label", "duration"},),
    "world_timestamps": ({"# timestamps [seconds]", "pts"},),
    "surface_events": ({"world_index", "world_timestamp", "surface_name", "event_type"},),
    "surf_positions": ({"world_index", "world_timestamp", "img_to_surf_trans"},),
}
_HEADS = {
    "export_info": re.compile(rb"key,value\s+Player Software Version,"),
    "fixation_report": re.compile(rb"fixation classifier,"),
    "info": re.compile(rb"\s*pupil_positions\.csv\s+keys:"),
}
_NAMES = {"gaze": "gaze_positions", "pupil": "pupil_positions"}
"""What a file of a kind is called where not like the kind itself."""

_SURFACE = re.compile(r"_on_surface_(.*)\.csv$")


def sniff(source: Source) -> bool:
    """Whether the first lines are those of one of Player's exports."""
    return _kind(source) is not None


def read(source: Source, *, min_confidence: float = 0.6, merge_gap_ms: float = 6.0) -> Recording:
    """Read gaze, or what another file of an export holds.

    Parameters
    ----------
    source
        Gaze (of the scene or on a surface): with the fixations, blinks and annotations beside it
        that share its name's prefix. Fixations or blinks: a recording of events alone. Pupil
        positions: pupil sizes without gaze. Any other file of the export opens the gaze it lies
        beside.
    min_confidence
        Gaze (and pupils) below it are lost, and counted.
    merge_gap_ms
        Fixations found by the same method whose gap is shorter are pieces of one; 0 keeps them
        apart. The default is less than two steps of gaze at 240 Hz.

    Returns
    -------
    Recording
        ``both``, or ``left`` or ``right`` where one eye was recorded. Plane ``scene_fraction``;
        of a surface ``screen_fraction``, which is one of that surface. ms from the first stamp.
    """
    if not 0 <= min_confidence <= 1:
        raise ParameterError(f"min_confidence is {min_confidence}; expected 0 to 1, as in 0.6")
    if not merge_gap_ms >= 0:
        raise ParameterError(f"merge_gap_ms is {merge_gap_ms}; expected 0 or more")
    kind = _kind(source)
    if kind == "pupil":
        return read_pupil(source, min_confidence)
    if kind in ("fixations", "surface_fixations", "blinks"):
        return _read_events(source, kind, merge_gap_ms)
    if kind in ("gaze", "surface_gaze"):
        return _read_gaze(source, kind, min_confidence, merge_gap_ms)
    gaze = _gaze_of(source, str(kind))
    recording = _read_gaze(gaze, "gaze", min_confidence, merge_gap_ms)
    note = f"{source.name} holds no gaze: {gaze.name} beside it was opened"
    notes = [*recording.provenance["notes"], note]
    return replace(recording, provenance={**recording.provenance, "notes": notes})


def _kind(source: Source) -> str | None:
    if source.path.is_dir():
        return None
    found = columns_of(source)
    for kind, dialects in _COLUMNS.items():
        if any(dialect <= found for dialect in dialects):
            return kind
    return next((kind for kind, head in _HEADS.items() if head.match(source.head)), None)


_PLAYER_NAMES = (
    *("gaze_positions", "fixations", "fixation_report", "blinks", "pupil_positions"),
    *("world_timestamps", "export_info", "info", "surface", "marker"),
)
"""What Player's own files are called."""


def _gaze_of(source: Source, kind: str) -> Source:
    """The gaze a file without gaze belongs to: named alike, or the only one there."""
    alike = file_beside(source, kind, "gaze_positions")
    # Files of two exports may lie side by side, told apart by what their names begin with.
    prefixed = not source.name.startswith(_PLAYER_NAMES)
    others = [] if prefixed else source.siblings("*gaze_positions*.csv*")
    candidates = [alike] if alike is not None else others
    found = [gaze for gaze in map(Source, candidates) if _kind(gaze) == "gaze"]
    if len(found) != 1:
        raise FormatError(
            f"{source.name} is the {kind.replace('_', ' ')} of a Pupil Player export and holds no "
            f"gaze; {len(found)} files of gaze lie beside it. Open its gaze_positions.csv"
        )
    return found[0]


def _read_gaze(source: Source, kind: str, min_confidence: float, merge_gap_ms: float) -> Recording:
    said = Findings(notes=["y counts from the bottom left in the file, from the top left here"])
    said.extra |= {"min_confidence": min_confidence, "outside": 0}
    seen = _EyesSeen()
    stamp, x_name, y_name = _gaze_columns(source, kind)
    columns: dict[str, type] = dict.fromkeys((stamp, "confidence", x_name, y_name), float)
    if kind == "surface_gaze":
        columns["on_surf"] = str
        said.extra["off_surface"] = 0
        said.notes.append(_surface_note(source))

    def take(frame: "pd.DataFrame") -> dict[str, FloatArray]:
        xy = top_left(frame[x_name], frame[y_name])
        low = ~(frame["confidence"].to_numpy() >= min_confidence)
        said.extra["outside"] += int(((xy < 0) | (xy > 1)).any(axis=1).sum())
        said.counts["low_confidence"] += int((low & np.isfinite(xy).all(axis=1)).sum())
        if "on_surf" in frame:
            said.extra["off_surface"] += int((~said_true(frame["on_surf"])).sum())
        xy[low] = np.nan
        return {"t": frame[stamp].to_numpy(), "xy": xy}

    blocks = source.blocks()
    blocks = seen.watch(blocks) if kind == "gaze" else blocks
    gathered = gather(blocks, take=take, name=source.name, columns=columns, counts=said.counts)
    rows = gathered.arrays()
    first_s = to_ms(rows["t"], stamp, source)
    if kind == "gaze":
        said.extra["mapped_from"] = seen.counts()
    eye = seen.eye()
    samples = samples_of_eyes(rows.pop("t"), {eye: rows.pop("xy")}, counts=said.counts)
    parts = _parts_beside(source, kind, first_s=first_s, merge_gap_ms=merge_gap_ms, said=said)
    events = device_events(_of_this_time(parts, samples[eye].t_ms, said), said.counts)
    return Recording(
        samples=samples,
        messages=_messages_beside(source, kind, first_s, said.counts),
        device_events=events,
        plane="screen_fraction" if kind == "surface_gaze" else "scene_fraction",
        provenance=said.provenance(f"column {stamp}, s of Pupil Time; 0 at the first stamp"),
    )


def _gaze_columns(source: Source, kind: str) -> tuple[str, str, str]:
    stamp = "gaze_timestamp" if "gaze_timestamp" in columns_of(source) else "timestamp"
    return (
        (stamp, "x_norm", "y_norm")
        if kind == "surface_gaze"
        else (
            stamp,
            "norm_pos_x",
            "norm_pos_y",
        )
    )


def _surface_note(source: Source) -> str:
    named = _SURFACE.search(source.name)
    surface = f"the surface {named.group(1)!r}" if named else "a surface"
    return (
        f"coordinates are fractions of {surface}; they are those of a screen where the surface was "
        "drawn around one: name its pixels with read(path, screen=...)"
    )


class _EyesSeen:
    """Counts, while blocks of gaze go by, the rows that each eye's pupil took part in.

    ``base_data`` lists them as ``<stamp>-<eye>``, parted by spaces. It is scanned and never kept:
    as a column it would be larger than all others.
    """

    def __init__(self) -> None:
        self._rows = Counter[str]()

    def watch(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._scan(np.frombuffer(block, dtype=np.uint8))
            yield block

    def _scan(self, text: npt.NDArray[np.uint8]) -> None:
        dash = np.flatnonzero(text == ord("-"))
        dash = dash[(dash > 0) & (dash < len(text) - 2)]
        before, eye, after = text[dash - 1], text[dash + 1], text[dash + 2]
        # A stamp ends in a digit; no cell after it holds a whole number below zero.
        named = (
            (before >= ord("0")) & (before <= ord("9")) & ((eye == ord("0")) | (eye == ord("1")))
        )
        named &= np.isin(after, np.frombuffer(b' ,;\t\n"', dtype=np.uint8))
        row = np.searchsorted(np.flatnonzero(text == ord("\n")), dash[named])
        right, left = (np.unique(row[eye[named] == ord(name)]) for name in "01")
        both = len(np.intersect1d(right, left, assume_unique=True))
        self._rows.update(both=both, right=len(right) - both, left=len(left) - both)

    def eye(self) -> str:
        """The one eye of the recording; both where there are two, or none is named."""
        alone = [eye for eye in ("right", "left") if self._rows[eye] == self._rows.total() > 0]
        return alone[0] if alone else "both"

    def counts(self) -> dict[str, int]:
        return {eye: self._rows[eye] for eye in ("both", "right", "left") if self._rows[eye]}


def _parts_beside(
    source: Source, kind: str, *, first_s: float, merge_gap_ms: float, said: Findings
) -> Iterator[tuple[str, EventColumns]]:
    """Fixations and blinks of the files named alike."""
    others = ("fixations", "blinks") if kind == "gaze" else ("surface_fixations",)
    for other in others:
        path = file_beside(source, "gaze_positions", other.removeprefix("surface_"))
        if path is not None and _kind(Source(path)) == other:
            yield (
                path.name,
                load_events(
                    Source(path), other, first_s=first_s, merge_gap_ms=merge_gap_ms, said=said
                ),
            )


def _of_this_time(
    parts: Iterable[tuple[str, EventColumns]], t_ms: FloatArray, said: Findings
) -> Iterator[EventColumns]:
    """Events with their ends where their last sample's is; files of another time left out."""
    for name, part in parts:
        if len(part.onset_ms) and not _overlaps(part, t_ms):
            said.notes.append(f"{name} covers another time than the gaze: it was left out")
            said.counts["events_of_another_time"] += len(part.onset_ms)
            continue
        yield replace(part, offset_ms=sample_ends(part.offset_ms, t_ms))


def _overlaps(part: EventColumns, t_ms: FloatArray) -> bool:
    return bool(((part.offset_ms > t_ms[0]) & (part.onset_ms <= t_ms[-1])).any())


def _messages_beside(
    source: Source, kind: str, first_s: float, counts: Counter[str]
) -> list[Message]:
    path = file_beside(source, "gaze_positions", "annotations") if kind == "gaze" else None
    if path is None or _kind(Source(path)) != "annotations":
        return []
    return load_annotations(Source(path), first_s, counts)


def _read_events(source: Source, kind: str, merge_gap_ms: float) -> Recording:
    said = Findings()
    part = load_events(source, kind, first_s=None, merge_gap_ms=merge_gap_ms, said=said)
    surface = kind == "surface_fixations"
    said.notes.append("the file holds events alone; each ends at the stamp of its last sample")
    if surface:
        said.notes.append(_surface_note(source))
    clock = "column start_timestamp, s of Pupil Time; 0 at the first event"
    return Recording(
        samples=no_samples(),
        device_events=device_events([part], said.counts),
        plane="screen_fraction" if surface else "scene_fraction",
        provenance=said.provenance(clock),
    )


READER = Reader(
    name="pupil_core",
    title="Pupil Core: Pupil Player exports (gaze_positions, fixations, blinks, surfaces, ...)",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
