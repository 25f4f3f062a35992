"""Neon native recordings: the folder of binary streams that the Companion phone writes.

Little-endian. ``X.time`` holds one uint64 stamp (UTC ns) a row of ``X.raw``; a stream that was
interrupted goes on in ``X ps2``. Gaze is float32 x, y in px of the scene camera, from the top
left, with the wearer's offset correction applied already. ``gaze_200hz`` is gaze estimated again
from every eye image, after the recording: it is taken where it lies beside the phone's own.
``fixations`` holds saccades, too. ``event.txt`` has one name a line, ``event.time`` their stamps.

Rows of fixations and blinks begin with the kind of event since streams of 60 and 20 bytes a row
(data format 2.5); without it they are 56 and 16 bytes. Layouts as documented by
pupil-labs/pl-neon-recording (MIT); meaning of ``info.json`` from Neon's page "Recording Format".
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, TooLarge
from gazecode.model import Message, Recording
from gazecode.readers.pupil_labs.shared import (
    EventColumns,
    Findings,
    device_events,
    eye_of_mode,
    pupil_of,
    said_of_info,
    values_at,
)
from gazecode.readers.reader import Reader
from gazecode.readers.source import MAX_BYTES, Source, normalise_lines
from gazecode.readers.tools.build import samples_of_eyes

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Pairs = Sequence[tuple[Path, Path]]
"""Files of rows, each with its file of stamps."""

_SPAN = [("start", "<i8"), ("end", "<i8")]
_FIXATION = [
    *_SPAN,
    *((f"{place}_{axis}", "<f4") for place in ("on", "off", "mean") for axis in "xy"),
]
_FIXATION += [
    (name, "<f4") for name in ("amplitude_px", "amplitude_deg", "mean_speed", "max_speed")
]
_KIND = [("kind", "<i4")]
_ROWS = {
    "fixations": {60: np.dtype(_KIND + _FIXATION), 56: np.dtype(_FIXATION)},
    "blinks": {20: np.dtype(_KIND + _SPAN), 16: np.dtype(_SPAN)},
}
_SACCADE, _FIXATION_KIND, _BLINK = 0, 1, 4
_STATE_FLOATS = (14, 20)
"""Per row of ``eye_state``: without and with eyelids. Left pupil first, right one after 7."""
_FAR_NS = 1 << 62
_SUFFIXES = (".raw", ".time", ".dtype", ".txt", ".json", ".bin", ".mp4")
_PARTS = re.compile(r" ps(\d+)\.raw$")
_STREAM = re.compile(
    r"(gaze|fixations|blinks|worn|eye_state).* ps\d+\.(raw|time)|gaze_200hz\.(raw|time)"
)
"""What a stream is called: alone, too, it is known and answered."""


def sniff(source: Source) -> bool:
    """Whether it is a folder with a stream of gaze and its stamps, or a file of such a folder."""
    if source.path.is_dir():
        return bool(_streams(source.path, "gaze"))
    if _STREAM.fullmatch(source.path.name):
        return True
    return source.path.suffix in _SUFFIXES and bool(_streams(source.path.parent, "gaze"))


def read(source: Source) -> Recording:
    """Read the recording a folder holds; naming any file in it names the folder.

    Returns
    -------
    Recording
        ``both`` (``left`` or ``right`` where gaze was estimated from one eye), plane
        ``scene_px``; fixations, saccades, blinks as device events and ``event.txt`` as messages;
        ms from the first stamp of gaze. Gaze while the glasses were not worn is lost.
    """
    folder = source.path if source.path.is_dir() else source.path.parent
    said = Findings()
    info = _info(folder, said)
    stream = _streams(folder, "gaze")
    if not stream:
        raise FormatError(
            f"{source.path.name}: no gaze and its stamps beside it; expected 'gaze ps1.raw' and "
            "'gaze ps1.time'. Copy the whole folder of the recording"
        )
    ns, rows = _load(stream, 8, said)
    xy = rows.view("<f4").astype(np.float64)
    first = _first(ns, source)
    t_ms = _ms(ns, first)
    said.counts["not_worn"] += _lose_not_worn(folder, stream, ns, xy)
    eye = eye_of_mode(info.get("gaze_mode"))
    said.extra |= {"streams": [raw.name for raw, _ in stream], **said_of_info(info)}
    pupil = {eye: _pupil(folder, ns, eye, said)}
    samples = samples_of_eyes(t_ms, {eye: xy}, pupil, counts=said.counts)
    parts = [*_fixations(folder, first, said), *_blinks(folder, first, said)]
    return Recording(
        samples=samples,
        messages=_messages(folder, first, said),
        device_events=device_events(parts, said.counts),
        plane="scene_px",
        start_ns=first,
        provenance=said.provenance(f"{stream[0][1].name}, ns; 0 at the first stamp"),
    )


def _streams(folder: Path, name: str) -> Pairs:
    """Files of rows with their files of stamps, in order; the offline estimate comes alone."""
    offline = folder / f"{name}_200hz.raw"
    if offline.is_file() and offline.with_suffix(".time").is_file():
        return [(offline, offline.with_suffix(".time"))]
    numbered = [
        (int(found.group(1)), path)
        for path in folder.glob(f"{name} ps*.raw")
        if (found := _PARTS.search(path.name))
    ]
    pairs = [(path, path.with_suffix(".time")) for _, path in sorted(numbered)]
    # A pipe has a name, too, and no end.
    return [(raw, time) for raw, time in pairs if raw.is_file() and time.is_file()]


def _bytes(path: Path, most: int = -1) -> bytes:
    """Everything, or the first `most` bytes: rows without a stamp are counted, not held."""
    if path.stat().st_size > MAX_BYTES:
        raise TooLarge(f"{path.name} holds over {MAX_BYTES} bytes; expected a stream of gaze")
    with path.open("rb") as file:
        return file.read(most)


def _load(pairs: Pairs, width: int, said: Findings) -> tuple[IntArray, npt.NDArray[np.uint8]]:
    """Stamps ``(n,)`` and rows ``(n, width)``; what has no counterpart is counted."""
    stamps, rows = [], []
    for raw_path, time_path in pairs:
        in_rows, in_stamps = raw_path.stat().st_size, time_path.stat().st_size
        n_rows, n_stamps = in_rows // width, in_stamps // 8
        n = min(n_rows, n_stamps)
        raw, time = _bytes(raw_path, n * width), _bytes(time_path, n * 8)
        # A file may have been cut since its size was asked for.
        n = min(len(raw) // width, len(time) // 8)
        said.counts["rows_without_stamp"] += n_rows - n
        said.counts["stamps_without_row"] += n_stamps - n
        said.counts["cut_rows"] += int(in_rows % width > 0) + int(in_stamps % 8 > 0)
        stamps.append(np.frombuffer(time, dtype="<i8", count=n))
        rows.append(np.frombuffer(raw, dtype=np.uint8, count=n * width).reshape(n, width))
    return np.concatenate(stamps).astype(np.int64), np.concatenate(rows)


def _first(ns: IntArray, source: Source) -> int:
    timed = ns[(ns > 0) & (ns < _FAR_NS)]
    if not len(timed):
        raise FormatError(
            f"{source.path.name}: no row of gaze has a time stamp; expected ns since 1970. "
            "Copy the recording again"
        )
    return int(timed.min())


def _ms(ns: IntArray, first: int) -> FloatArray:
    """Ms from `first`; NaN where a stamp is none."""
    timed = (ns > 0) & (ns < _FAR_NS)
    return np.where(timed, (np.where(timed, ns, first) - first) / 1e6, np.nan)


def _width(pairs: Pairs, widths: Iterable[int]) -> int | None:
    """Bytes a row, out of those known, by the number of stamps."""
    n_bytes = sum(raw.stat().st_size for raw, _ in pairs)
    n_stamps = sum(time.stat().st_size // 8 for _, time in pairs)
    return next((width for width in widths if n_bytes == width * n_stamps), None)


def _lose_not_worn(folder: Path, stream: Pairs, ns: IntArray, xy: FloatArray) -> int:
    """Make gaze lost where the glasses lay on the table; how many rows that were.

    The flag (255 worn, 0 not) has the stamps of the gaze it came with, if none of its own.
    """
    offline = folder / "worn_200hz.raw"
    if stream[0][0].name.startswith("gaze_200hz") and offline.is_file():
        pairs = [(offline, stream[0][1])]
    else:
        pairs = []
        for raw in sorted(folder.glob("worn ps*.raw")):
            times = (raw.with_suffix(".time"), raw.with_name(f"gaze{raw.stem[4:]}.time"))
            pairs += [(raw, time) for time in times if raw.is_file() and time.is_file()][:1]
    if not pairs:
        return 0
    stamps, rows = _load(pairs, 1, Findings())
    if not len(stamps):
        return 0
    order = np.argsort(stamps, kind="stable")
    at = np.searchsorted(stamps[order], ns, side="right") - 1
    off = (rows[order[np.maximum(at, 0)], 0] == 0) & np.isfinite(xy).all(axis=1)
    xy[off] = np.nan
    return int(off.sum())


def _pupil(folder: Path, ns: IntArray, eye: str, said: Findings) -> FloatArray:
    """``(n,)`` diameter, mm, at the stamps of gaze: of the eye, or the mean of the two."""
    pairs = _streams(folder, "eye_state")
    width = _width(pairs, (4 * n for n in _STATE_FLOATS)) if pairs else None
    if width is None:
        return np.full(len(ns), np.nan)
    stamps, rows = _load(pairs, width, said)
    said.extra["pupil_unit"] = "mm"
    sizes = np.ascontiguousarray(rows).view("<f4")[:, [0, 7]]
    return values_at(ns, stamps, pupil_of(sizes, eye))


def _rows_of(folder: Path, name: str, said: Findings) -> npt.NDArray[np.void] | None:
    """Rows of an event stream, by the layout that its stamps fit."""
    pairs = _streams(folder, name)
    if not pairs:
        return None
    width = _width(pairs, _ROWS[name])
    if width is None:
        said.notes.append(
            f"{name}: rows of {' or '.join(map(str, _ROWS[name]))} bytes were expected; "
            "this stream's do not fit its stamps and were left out"
        )
        said.counts[f"{name}_of_unknown_layout"] += sum(t.stat().st_size // 8 for _, t in pairs)
        return None
    _, rows = _load(pairs, width, said)
    return np.ascontiguousarray(rows).view(_ROWS[name][width])[:, 0]


def _fixations(folder: Path, first: int, said: Findings) -> Iterator[EventColumns]:
    rows = _rows_of(folder, "fixations", said)
    if rows is None:
        return
    kind = (
        rows["kind"] if "kind" in (rows.dtype.names or ()) else np.full(len(rows), _FIXATION_KIND)
    )
    said.counts["events_of_unknown_kind"] += int((~np.isin(kind, [_SACCADE, _FIXATION_KIND])).sum())
    for name, number, place in (("fixation", _FIXATION_KIND, "mean"), ("saccade", _SACCADE, "on")):
        part = rows[kind == number]
        yield EventColumns(
            kind=name,
            onset_ms=_ms(part["start"], first),
            offset_ms=_ms(part["end"], first),
            xy=_place(part, place),
            end_xy=_place(part, "off") if name == "saccade" else None,
        )


def _blinks(folder: Path, first: int, said: Findings) -> Iterator[EventColumns]:
    rows = _rows_of(folder, "blinks", said)
    if rows is None:
        return
    if "kind" in (rows.dtype.names or ()):
        said.counts["events_of_unknown_kind"] += int((rows["kind"] != _BLINK).sum())
        rows = rows[rows["kind"] == _BLINK]
    yield EventColumns(
        kind="blink", onset_ms=_ms(rows["start"], first), offset_ms=_ms(rows["end"], first)
    )


def _place(rows: npt.NDArray[np.void], place: str) -> FloatArray:
    return np.stack([rows[f"{place}_x"], rows[f"{place}_y"]], axis=1).astype(np.float64)


def _messages(folder: Path, first: int, said: Findings) -> list[Message]:
    """Names of ``event.txt`` at the stamps of ``event.time``."""
    text, time = folder / "event.txt", folder / "event.time"
    if not (text.is_file() and time.is_file()):
        return []
    names = normalise_lines(_bytes(text)).decode("utf-8", "replace").rstrip("\n").split("\n")
    raw = _bytes(time)
    ns = np.frombuffer(raw, dtype="<i8", count=len(raw) // 8).astype(np.int64)
    said.counts["messages_without_stamp"] += max(len(names) - len(ns), 0)
    t_ms = _ms(ns[: len(names)], first)
    order = np.argsort(t_ms, kind="stable")
    return [Message(t_ms=float(t_ms[i]), text=names[i]) for i in order if np.isfinite(t_ms[i])]


def _info(folder: Path, said: Findings) -> dict[str, Any]:
    """What ``info.json`` says; nothing where it is missing or broken."""
    path = folder / "info.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(Source(path).head)
    except (ValueError, RecursionError):
        said.notes.append("info.json cannot be read; what it says is not known")
        return {}
    return found if isinstance(found, dict) else {}


READER = Reader(
    name="neon_native",
    title="Neon native recording: folder of binary streams (gaze ps1.raw, gaze ps1.time, ...)",
    sniff=sniff,
    read=read,
    suffixes=(".raw", ".time"),
    priority=10,
)
