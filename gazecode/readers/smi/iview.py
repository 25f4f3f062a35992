r"""SMI iView X raw samples as text (IDF Converter and BeGaze exports; EMIP).

``## key: value`` header, a line of column names, then ``SMP`` rows (samples) and ``MSG`` rows
(``# Message: vehicle_java2.jpg``). Time is µs, coordinates are px from the top left. A message
that names an image file opens a trial, which ends at the next such message.

Lost gaze is written as 0.00. Where the filter is bilateral both POR columns hold one binocular
mean; when an eye is lost they hold the other eye alone and jump, which only the validity columns
reveal: such rows are made NaN and counted. The header's sample rate is nominal and not used.

Bednarik et al. 2020, doi:10.1016/j.scico.2020.102520.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.label_events import events_of_labels, labels_of
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names
from gazecode.units import sample_end_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EVENT_KINDS", "READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_SAME_ROWS = 0.98
_EYES = {"left": "L", "right": "R"}
_IMAGE = re.compile(r"\.(?:jpe?g|png|bmp|gif|tiff?)$", re.IGNORECASE)
_COLUMN_LINE = re.compile(rb"^Time\tType\tTrial\t.*POR X \[px\]", re.MULTILINE)
_MESSAGE = re.compile(rb"^([^\t\n]*)\tMSG\t[^\t\n]*\t(.*)$", re.MULTILINE)
_HEADER = re.compile(rb"^##(?:([^:\n]*):)?(.*)$", re.MULTILINE)
EVENT_KINDS = {
    "Fixation": "fixation",
    "Visual Intake": "fixation",
    "Saccade": "saccade",
    "Blink": "blink",
}


def sniff(source: Source) -> bool:
    """Whether the file has iView's header or its line of column names."""
    head = source.head
    return head.startswith(b"## [iView]") or bool(
        _COLUMN_LINE.search(head.replace(b"\r", b"").replace(b"\x00", b""))
    )


def read(source: Source) -> Recording:
    """Read the samples of all stimuli in the file.

    Returns
    -------
    Recording
        ``samples["both"]`` where the device wrote one binocular mean, else ``left`` and
        ``right``; ms from the first sample; a trial per image message.
    """
    counts: Counter[str] = Counter()
    said = _Said()
    table = _table(source.blocks(1 << 20), said)
    first = next(table, b"")
    held = gather(
        chain([first], table),
        take=_take,
        name=source.name,
        columns={"Time": float},
        optional=_columns(first),
        counts=counts,
    )
    t_ms = held.array("t")
    n_rows = len(t_ms)
    notes = _notes(said.header, n_rows, validity="valid_left" in held or "valid_right" in held)
    zero_us = float(np.nanmin(t_ms)) if np.isfinite(t_ms).any() else 0.0
    t_ms -= zero_us
    t_ms /= 1000.0
    xy, pupil = _eyes(held, said.header, counts, source.name)
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    del xy, pupil
    clock = next(iter(samples.values())).t_ms
    same = len(clock) == n_rows and not counts["unsorted"]
    rows = slice(None) if same else kept_rows(t_ms, clock)
    messages = _messages(said.messages, zero_us, source.name)
    return Recording(
        samples=samples,
        trials=_trials(messages, clock, held, rows),
        messages=messages,
        device_events=_device_events(held, rows, samples),
        screen=_screen(said.header),
        provenance={
            "clock": "column Time, µs; 0 at the first sample",
            "header_rate_hz": _first_number(said.header, "Sample Rate"),
            "header_samples": _first_number(said.header, "Number of Samples"),
            "participant": said.header.get("Subject", ""),
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What stands between the samples; filled while the table streams by."""

    header: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[bytes, bytes]] = field(default_factory=list)


def _table(blocks: Iterable[bytes], said: _Said) -> Iterator[bytes]:
    """The line of column names and the samples alone; the rest goes into `said`."""
    began = False
    for block in blocks:
        rows = block
        if block.startswith(b"##") or b"\n##" in block:
            said.header.update(_header(rows))
            rows = _HEADER.sub(b"", rows)
        if b"\tMSG\t" in rows:
            said.messages.extend(_MESSAGE.findall(rows))
            rows = _without_messages(rows)
        rows = rows if began else rows.lstrip(b"\n")
        if rows:
            began = True
            yield rows


def _header(raw: bytes) -> dict[str, str]:
    """``## key: value`` lines; values lose the blanks they are padded with."""
    return {
        key.decode("utf-8", "replace").strip(): value.decode("utf-8", "replace").strip()
        for key, value in _HEADER.findall(raw)
        if key
    }


def _without_messages(rows: bytes) -> bytes:
    """The lines that are no message; messages are few and far between."""
    parts: list[bytes] = []
    start = 0
    for found in _MESSAGE.finditer(rows):
        parts.append(rows[start : found.start()])
        start = found.end() + 1
    return b"".join([*parts, rows[start:]])


def _numbers(header: dict[str, str], key: str) -> list[float]:
    return [float(n.replace(",", ".")) for n in re.findall(r"\d+(?:[.,]\d+)?", header.get(key, ""))]


def _first_number(header: dict[str, str], key: str) -> float | None:
    return next(iter(_numbers(header, key)), None)


def _screen(header: dict[str, str]) -> Screen | None:
    px = [n for n in _numbers(header, "Calibration Area") if n > 0]
    if len(px) != 2:
        return None
    mm = [n for n in _numbers(header, "Stimulus Dimension [mm]") if n > 0]
    return Screen(
        width_px=px[0],
        height_px=px[1],
        width_mm=mm[0] if len(mm) == 2 else None,
        height_mm=mm[1] if len(mm) == 2 else None,
        # A distance of 0 means that nobody entered one.
        distance_mm=_first_number(header, "Head Distance [mm]") or None,
    )


def _columns(table: bytes) -> dict[str, type]:
    """Columns of use in either dialect, out of those that this file names."""
    names = table[: table.find(b"\n")].decode("utf-8", "replace").split("\t")
    wanted: dict[str, type] = {"Stimulus": str}
    for eye in _EYES.values():
        wanted |= {f"{eye} POR {axis} [px]": float for axis in "XY"}
        # Labels take a byte a row where numbers take eight.
        wanted |= {f"{eye} Validity": str}
        wanted |= dict.fromkeys([c for c in _pupil_columns(eye) if c in names][:1], float)
    for eye in _EYES:
        wanted |= dict.fromkeys([c for c in _event_columns(eye) if c in names][:1], str)
    return {name: kind for name, kind in wanted.items() if name in names}


def _event_columns(eye: str) -> list[str]:
    return [f"{_EYES[eye]} Event Info", f"Category {eye.title()}"]


def _pupil_columns(eye: str) -> list[str]:
    return [f"{eye} Mapped Diameter [mm]", f"{eye} Pupil Diameter [mm]"]


def _take(frame: "pd.DataFrame") -> dict[str, Any]:
    """What is held of a block; lost pupils made NaN."""
    taken: dict[str, Any] = {"t": frame["Time"].to_numpy(dtype=np.float64)}
    for eye, letter in _EYES.items():
        point = [f"{letter} POR {axis} [px]" for axis in "XY"]
        if set(point) <= set(frame):
            taken[f"xy_{eye}"] = frame[point].to_numpy(dtype=np.float64)
        if f"{letter} Validity" in frame:
            taken[f"valid_{eye}"] = _is_one(frame[f"{letter} Validity"])
        for column in _pupil_columns(letter):
            if column in frame:
                pupil = frame[column].to_numpy(dtype=np.float64)
                # A diameter of 0.00 is a lost pupil, as 0.00 is lost gaze.
                taken[f"pupil_{eye}"] = np.where(pupil > 0, pupil, np.nan)
        taken |= {f"event_{eye}": frame[c] for c in _event_columns(eye) if c in frame}
    if "Stimulus" in frame:
        taken["stimulus"] = frame["Stimulus"]
    return taken


def _is_one(column: "pd.Series") -> BoolArray:
    codes, labels = labels_of(column, slice(None))
    # A label that is missing has the code -1 and takes the last entry.
    valid: BoolArray = np.array([*(_number(label) == 1 for label in labels), False])[codes]
    return valid


def _eyes(
    held: Gathered, header: dict[str, str], counts: Counter[str], name: str
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Coordinates and pupil per eye, lost gaze made NaN and counted by reason."""
    xy = {eye: held.array(f"xy_{eye}") for eye in _EYES if f"xy_{eye}" in held}
    if not xy:
        raise FormatError.missing_columns(
            name, ["L POR X [px]"], ["no point of regard"], "Export the points of regard (POR)"
        )
    n = len(next(iter(xy.values())))
    valid = {
        eye: held.array(f"valid_{eye}") if f"valid_{eye}" in held else np.ones(n, dtype=bool)
        for eye in _EYES
    }
    pupil = {eye: held.array(f"pupil_{eye}") for eye in _EYES if f"pupil_{eye}" in held}
    if len(xy) == 2 and header.get("Bilateral", "True").lower() == "true":
        left, right = xy["left"], xy["right"]
        same = ((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
        # One mean in both columns shows in nearly every row; a damaged cell does not change that.
        if n and same.mean() >= _SAME_ROWS:
            counts["unequal_points"] = int((~same).sum())
            left += right
            left /= 2
            return _one_mean(left, valid, pupil, counts)
    for eye, points in xy.items():
        lost = ~points.any(axis=1) | ~valid[eye]
        counts[f"lost_{eye}"] = int(lost.sum())
        points[lost] = np.nan
    return xy, pupil


def _one_mean(
    points: FloatArray,
    valid: dict[str, BoolArray],
    pupil: dict[str, FloatArray],
    counts: Counter[str],
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Both POR columns hold one mean, which is one only where both eyes are valid."""
    zero = ~points.any(axis=1)
    one_eye = valid["left"] != valid["right"]
    neither = ~valid["left"] & ~valid["right"]
    counts["one_eye"] = int(one_eye.sum())
    counts["lost"] = int((neither | (zero & ~one_eye)).sum())
    points[zero | one_eye | neither] = np.nan
    if len(pupil) < 2:
        return {"both": points}, {}
    pupil["left"] += pupil["right"]
    pupil["left"] /= 2
    return {"both": points}, {"both": pupil["left"]}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _messages(found: list[tuple[bytes, bytes]], zero_us: float, name: str) -> list[Message]:
    messages = []
    for stamp, text in found:
        t_ms = (_number(stamp.decode("latin-1")) - zero_us) / 1000.0
        if not math.isfinite(t_ms):
            raise FormatError(
                f"{name}: a message is stamped {stamp[:40]!r}; expected µs. Mend or remove the line"
            )
        label = text.decode("utf-8", "replace").strip().removeprefix("# Message:").strip()
        messages.append(Message(t_ms=t_ms, text=label))
    return sorted(messages, key=lambda m: m.t_ms)


def _trials(
    messages: list[Message], t_ms: FloatArray, held: Gathered, rows: IntArray | slice
) -> list[Trial]:
    """A trial per image message; without such messages, per run of the Stimulus column."""
    end = float(sample_end_ms(t_ms)[-1]) if len(t_ms) else 0.0
    images = [m for m in messages if _IMAGE.search(m.text) and m.t_ms < end]
    if not images and "stimulus" in held:
        codes, names = held.labels("stimulus", rows)
        shown = [
            (names[codes[first]], onset, offset)
            for first, onset, offset in label_runs(t_ms, codes.astype(object))
            if names[codes[first]] not in ("", "-")
        ]
        stems = [_stem(name) for name, _, _ in shown]
        spans = [(onset, offset) for _, onset, offset in shown]
    else:
        stems = [_stem(m.text) for m in images]
        spans = list(pairwise([*(m.t_ms for m in images), end]))
    return [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=stem)
        for name, stem, (onset, offset) in zip(unique_names(stems), stems, spans, strict=True)
        # Two image messages with one stamp: the first was never on the screen.
        if offset > onset
    ]


def _stem(image: str) -> str:
    return _IMAGE.sub("", re.split(r"[\\/]", image)[-1])


def _device_events(held: Gathered, rows: IntArray | slice, samples: dict[str, Samples]) -> Events:
    """Runs of the BeGaze columns ``L Event Info`` or ``Category Left``, and of the right eye."""
    labels = {eye: held.labels(f"event_{eye}", rows) for eye in _EYES if f"event_{eye}" in held}
    return events_of_labels(labels, samples, EVENT_KINDS)


def _notes(header: dict[str, str], n_rows: int, *, validity: bool) -> list[str]:
    notes = []
    if not validity:
        notes.append("no validity columns: samples of one eye alone cannot be told apart")
    stated = _first_number(header, "Number of Samples")
    if stated is not None and int(stated) != n_rows:
        notes.append(
            f"the header states {int(stated)} samples, the file holds {n_rows}: "
            "part of it may be missing"
        )
    return notes


READER = Reader(
    name="smi",
    title="SMI iView X raw samples, text (## [iView])",
    sniff=sniff,
    read=read,
    suffixes=(".tsv", ".txt"),
    priority=10,
)
