"""Tobii Pro Glasses 2: ``livedata.json(.gz)`` of one segment, as it lies on the SD card.

One JSON record a line, each with its device time `ts` (µs) and status `s` (0 is good). Records of
one moment share `gidx`: the point of gaze `gp` in fractions of the scene video (from its top left),
and for each eye the pupil's diameter `pd` (mm). The point is one for both eyes. Records of the two
kinds of camera time (`vts`, `evts`), of the synchronisation port (`sig`) and of the recorder's
API (`type`, `tag`) tie other clocks to it. The scene is a moving picture, no screen.

Niehorster, Hessels & Benjamins 2020, doi:10.3758/s13428-019-01314-1 (what the records mean, and
that they must be joined by `gidx`).
"""

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

SCENE_PX = (1920.0, 1080.0)
"""Size of the scene video: the glasses record in no other (Full HD)."""
_SCENE = (
    "points are px of the scene video, which moves with the head; a surface must be found in it "
    "before they mean a place on a screen"
)
_PROBE_LINES = 20
_RECORD = re.compile(rb'\{\s*"ts"\s*:\s*\d+\s*,\s*"s"\s*:\s*\d+\s*,')
_WANTED = re.compile(rb'"(?:gp|pd|vts|evts|sig|type)"\s*:')
_COMPANION = re.compile(r"(?:seg|ca|rec|pa|pr)_id")
"""The one key that each of the small JSON files of an SD card begins with."""
_OPEN_GROUPS = 64
"""Moments that still wait for records; the device writes those of one moment close together."""
_MAX_COMPANION_BYTES = 1 << 20


def sniff(source: Source) -> bool:
    """Whether the first lines are records, or the file is one of the recorder's own JSON files."""
    lines = source.head.split(b"\n")[:_PROBE_LINES]
    if _RECORD.match(lines[0]):
        return True
    return source.head.lstrip()[:1] == b"{" and bool(_companion(source))


def read(source: Source) -> Recording:
    """Read the gaze of one segment; a companion opens the segment beside it.

    Returns
    -------
    Recording
        ``both``, plane ``scene_px`` (1920 x 1080), mean pupil diameter in mm where both eyes have
        one; ms from the first moment. Messages are the synchronisation port's and the API's.
    """
    notes = []
    livedata = source
    if not _RECORD.match(source.head):
        livedata = Source(_livedata_near(source))
        notes.append(f"gaze from {livedata.path.name} near it")
    counts: Counter[str] = Counter()
    found = _Records(counts)
    for block in livedata.blocks():
        for record in _records(block, counts):
            found.add(record)
    found.close()
    if not found.ts_us:
        raise FormatError(
            f"{livedata.name} holds no record of gaze (gp) or pupil (pd) among "
            f"{counts['records']}; expected a segment that was recorded with the head unit on"
        )
    n_records = counts.pop("records")
    raw_us = np.frombuffer(found.ts_us, dtype=np.int64)
    zero_us = int(raw_us.min())
    t_ms = (raw_us - zero_us) / 1000.0
    xy = np.frombuffer(found.xy, dtype=np.float64).reshape(-1, 2)
    pupil = np.frombuffer(found.pupil, dtype=np.float64)
    messages = [Message(t_ms=(ts - zero_us) / 1000.0, text=text) for ts, text in found.messages]
    return Recording(
        samples=samples_of_eyes(t_ms, {"both": xy}, {"both": pupil}, counts=counts),
        messages=sorted(messages, key=lambda message: message.t_ms),
        plane="scene_px",
        provenance={
            "clock": "ts, µs; 0 at the first moment",
            "scene_size_px": list(SCENE_PX),
            "pupil_unit": "mm",
            "records": n_records,
            "camera_start_ms": {
                name: (start - zero_us) / 1000.0 for name, start in found.camera_start_us.items()
            },
            **_said_beside(livedata),
            "left_out": dict(+counts),
            "notes": [
                _SCENE,
                *notes,
            ],
        },
    )


@dataclass(slots=True)
class _Moment:
    """What records of one `gidx` said so far."""

    ts_us: int
    point: tuple[float, float] | None = None
    n_points: int = 0
    pupil: dict[str, float] = field(default_factory=dict)
    n_pupils: int = 0


@dataclass(slots=True)
class _Records:
    """Moments in the order in which they began, and the other records of use."""

    counts: Counter[str]
    ts_us: "array[int]" = field(default_factory=lambda: array("q"))
    xy: "array[float]" = field(default_factory=lambda: array("d"))
    pupil: "array[float]" = field(default_factory=lambda: array("d"))
    messages: list[tuple[int, str]] = field(default_factory=list)
    camera_start_us: dict[str, int] = field(default_factory=dict)
    waiting: dict[int, _Moment] = field(default_factory=dict)

    def add(self, record: dict[str, Any]) -> None:
        """Take one record."""
        ts, status = record["ts"], record["s"]
        if "gp" in record or "pd" in record:
            self._add_gaze(record, ts, good=status == 0)
        elif "vts" in record or "evts" in record:
            name = "vts" if "vts" in record else "evts"
            camera = "scene" if name == "vts" else "eyes"
            self.camera_start_us.setdefault(camera, ts - int(record[name]))
        elif "sig" in record:
            self.messages.append((ts, f"sync {record.get('dir', '')} {record['sig']}"))
        else:
            self.messages.append((ts, f"{record['type']} {record.get('tag', '')}".strip()))

    def _add_gaze(self, record: dict[str, Any], ts: int, *, good: bool) -> None:
        # Old firmware writes no gidx: its records of one moment share the time alone.
        key = record.get("gidx", ts)
        moment = self.waiting.get(key)
        if moment is None:
            moment = self.waiting[key] = _Moment(ts)
            if len(self.waiting) > _OPEN_GROUPS:
                self._write(self.waiting.pop(next(iter(self.waiting))))
        if "pd" in record:
            moment.n_pupils += 1
            if good and record["pd"] > 0:
                moment.pupil[record["eye"]] = float(record["pd"])
            return
        moment.n_points += 1
        if good:
            x, y = record["gp"]
            moment.point = (float(x) * SCENE_PX[0], float(y) * SCENE_PX[1])
        else:
            self.counts["bad_status"] += 1

    def close(self) -> None:
        """Write the moments that still wait."""
        for moment in self.waiting.values():
            self._write(moment)
        self.waiting = {}

    def _write(self, moment: _Moment) -> None:
        point = moment.point
        if moment.n_points != 1:
            # Two points of one moment: the device does not say which of them is right.
            self.counts["several_points" if moment.n_points else "no_point"] += 1
            point = None
        self.ts_us.append(moment.ts_us)
        self.xy.extend(point or (np.nan, np.nan))
        both = len(moment.pupil) == 2
        self.counts["one_pupil"] += len(moment.pupil) == 1
        self.pupil.append(sum(moment.pupil.values()) / 2 if both else np.nan)


def _records(block: bytes, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Records of use of a block of whole lines; lines that are no record are counted."""
    lines = [line for line in block.split(b"\n") if line.strip()]
    counts["records"] += len(lines)
    whole = [line for line in lines if _RECORD.match(line) and line.rstrip().endswith(b"}")]
    counts["unreadable_records"] += len(lines) - len(whole)
    wanted = [line for line in whole if _WANTED.search(line)]
    try:
        # One call for a block takes a third of the time of one for each line.
        found = json.loads(b"[" + b",".join(wanted) + b"]")
    except (ValueError, RecursionError):
        found = [record for line in wanted if (record := _record(line)) is not None]
        counts["unreadable_records"] += len(wanted) - len(found)
    for record in found:
        if _is_sound(record):
            yield record
        else:
            counts["unreadable_records"] += 1


def _record(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_sound(record: Any) -> bool:
    """Whether the values are of the kind that their keys promise."""
    if not isinstance(record, dict) or not _is_stamp(record.get("ts")):
        return False
    if not isinstance(record.get("s"), int) or not _is_stamp(record.get("gidx", 0)):
        return False
    if "gp" in record:
        point = record["gp"]
        return isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))
    if "pd" in record:
        return _is_number(record["pd"]) and record.get("eye") in ("left", "right")
    return all(_is_stamp(record[name]) for name in ("vts", "evts") if name in record) and any(
        name in record for name in ("vts", "evts", "sig", "type")
    )


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _is_stamp(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62


def _companion(source: Source) -> dict[str, Any] | None:
    """One of the recorder's small JSON files, by its keys; None for anything else."""
    if source.path.stat().st_size > _MAX_COMPANION_BYTES:
        return None
    try:
        found = json.loads(source.head)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    prefixes = {key[: -len("_id")] for key in found if _COMPANION.fullmatch(key)}
    own = [p for p in prefixes if sum(key.startswith(f"{p}_") for key in found) >= len(found) / 2]
    return found if own and len(found) > 1 else None


def _livedata_near(source: Source) -> Path:
    """The one segment beside a companion, or below it in ``segments``."""
    folder = source.path.resolve().parent
    near = sorted(folder.glob("livedata.json*")) or sorted(folder.glob("segments/*/livedata.json*"))
    if len(near) != 1:
        raise FormatError(
            f"{source.path.name} describes a recording of Tobii Pro Glasses 2 and holds no gaze; "
            f"{len(near)} livedata.json found beside it or in segments/*/. "
            "Open the livedata.json.gz of a segment"
        )
    return near[0]


def _said_beside(livedata: Source) -> dict[str, Any]:
    """What segment.json and calibration.json say, where they lie beside the gaze."""
    said: dict[str, Any] = {}
    for name in ("segment.json", "calibration.json"):
        path = livedata.path.with_name(name)
        found = (_companion(Source(path)) if path.is_file() else None) or {}
        if _is_number(found.get("seg_length_us")):
            said["segment_length_ms"] = found["seg_length_us"] / 1000.0
        if "ca_state" in found:
            said["calibrated"] = found["ca_state"] == "calibrated"
            said["participant"] = str(found.get("ca_participant", ""))
    return said


READER = Reader(
    name="tobii_glasses2",
    title="Tobii Pro Glasses 2 livedata.json of a segment (scene camera)",
    sniff=sniff,
    read=read,
    suffixes=(".json", ".json.gz"),
    priority=10,
)
