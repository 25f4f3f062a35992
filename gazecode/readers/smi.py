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
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial, runs
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.delimited import normalise_lines, read_delimited
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.trials import kept_rows, label_runs, unique_names
from gazecode.units import sample_end_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_SAME_ROWS = 0.98
_EYES = {"left": "L", "right": "R"}
_IMAGE = re.compile(r"\.(?:jpe?g|png|bmp|gif|tiff?)$", re.IGNORECASE)
_COLUMN_LINE = re.compile(rb"^Time\tType\tTrial\t.*POR X \[px\]", re.MULTILINE)
_MESSAGE = re.compile(rb"^([^\t\n]*)\tMSG\t[^\t\n]*\t(.*)$", re.MULTILINE)
_NOT_SAMPLES = re.compile(rb"^(?:##.*|[^\t\n]*\tMSG\t.*)?(?:\n|\Z)", re.MULTILINE)
_EVENTS = {
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
    raw = normalise_lines(source.read_bytes())
    header = _header(raw)
    counts: Counter[str] = Counter()
    table = _NOT_SAMPLES.sub(b"", raw)
    frame = read_delimited(
        table, name=source.name, columns={"Time": float}, optional=_columns(table), counts=counts
    )
    raw_us = frame["Time"].to_numpy(dtype=np.float64)
    zero_us = float(np.nanmin(raw_us)) if np.isfinite(raw_us).any() else 0.0
    t_ms = (raw_us - zero_us) / 1000.0
    xy, pupil = _eyes(frame, header, counts, source.name)
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    clock = next(iter(samples.values())).t_ms
    messages = _messages(raw, zero_us, source.name)
    kept = frame.iloc[kept_rows(t_ms, clock)]
    return Recording(
        samples=samples,
        trials=_trials(messages, clock, kept),
        messages=messages,
        device_events=_device_events(kept, samples),
        screen=_screen(header),
        provenance={
            "clock": "column Time, µs; 0 at the first sample",
            "header_rate_hz": _first_number(header, "Sample Rate"),
            "header_samples": _first_number(header, "Number of Samples"),
            "participant": header.get("Subject", ""),
            "left_out": dict(+counts),
            "notes": _notes(header, frame),
        },
    )


def _header(raw: bytes) -> dict[str, str]:
    """``## key: value`` lines; values lose the blanks they are padded with."""
    lines = re.findall(rb"^##([^:\n]*):(.*)$", raw[: 1 << 20], re.MULTILINE)
    return {
        key.decode("utf-8", "replace").strip(): value.decode("utf-8", "replace").strip()
        for key, value in lines
    }


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
    """Columns of use in either dialect; which of them a file has is seen when it is read."""
    wanted: dict[str, type] = {"Stimulus": str}
    for eye in _EYES.values():
        wanted |= {f"{eye} POR {axis} [px]": float for axis in "XY"}
        wanted |= {f"{eye} Validity": float, f"{eye} Event Info": str}
        wanted |= dict.fromkeys(_pupil_columns(eye), float)
    names = table[: table.find(b"\n")].decode("utf-8", "replace").split("\t")
    return {name: kind for name, kind in wanted.items() if name in names}


def _pupil_columns(eye: str) -> list[str]:
    return [f"{eye} Mapped Diameter [mm]", f"{eye} Pupil Diameter [mm]"]


def _eyes(
    frame: "pd.DataFrame", header: dict[str, str], counts: Counter[str], name: str
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Coordinates and pupil per eye, lost gaze made NaN and counted by reason."""
    xy = {
        eye: frame[[f"{letter} POR {axis} [px]" for axis in "XY"]].to_numpy(dtype=np.float64)
        for eye, letter in _EYES.items()
        if f"{letter} POR X [px]" in frame and f"{letter} POR Y [px]" in frame
    }
    if not xy:
        raise FormatError.missing_columns(
            name, ["L POR X [px]"], map(str, frame.columns), "Export the points of regard (POR)"
        )
    valid = {eye: _valid(frame, _EYES[eye], len(frame)) for eye in xy}
    pupil = {eye: _pupil(frame, _EYES[eye]) for eye in xy}
    bilateral = len(xy) == 2 and header.get("Bilateral", "True").lower() == "true"
    if bilateral:
        left, right = xy["left"], xy["right"]
        same = ((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
        # One mean in both columns shows in nearly every row; a damaged cell does not change that.
        if same.mean() >= _SAME_ROWS:
            counts["unequal_points"] = int((~same).sum())
            return _one_mean((left + right) / 2, valid, pupil, counts)
    for eye, points in xy.items():
        zero = ~points.any(axis=1)
        counts[f"lost_{eye}"] = int((zero | ~valid[eye]).sum())
        points[zero | ~valid[eye]] = np.nan
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
    return {"both": points}, {"both": (pupil["left"] + pupil["right"]) / 2}


def _valid(frame: "pd.DataFrame", letter: str, n: int) -> BoolArray:
    column = f"{letter} Validity"
    if column not in frame:
        return np.ones(n, dtype=bool)
    valid: BoolArray = frame[column].to_numpy(dtype=np.float64) == 1
    return valid


def _pupil(frame: "pd.DataFrame", letter: str) -> FloatArray:
    column = next((c for c in _pupil_columns(letter) if c in frame), None)
    if column is None:
        return np.full(len(frame), np.nan)
    pupil = frame[column].to_numpy(dtype=np.float64)
    # A diameter of 0.00 is a lost pupil, as 0.00 is lost gaze.
    return np.where(pupil > 0, pupil, np.nan)


def _messages(raw: bytes, zero_us: float, name: str) -> list[Message]:
    messages = []
    for stamp, text in _MESSAGE.findall(raw):
        try:
            t_ms = (float(stamp) - zero_us) / 1000.0
        except ValueError as error:
            raise FormatError(
                f"{name}: a message is stamped {stamp[:40]!r}; expected µs. Mend or remove the line"
            ) from error
        label = text.decode("utf-8", "replace").strip().removeprefix("# Message:").strip()
        messages.append(Message(t_ms=t_ms, text=label))
    return sorted(messages, key=lambda m: m.t_ms)


def _trials(messages: list[Message], t_ms: FloatArray, rows: "pd.DataFrame") -> list[Trial]:
    """A trial per image message; without such messages, per run of the Stimulus column."""
    end = float(sample_end_ms(t_ms)[-1]) if len(t_ms) else 0.0
    images = [m for m in messages if _IMAGE.search(m.text) and m.t_ms < end]
    if not images and "Stimulus" in rows:
        labels = rows["Stimulus"].to_numpy(dtype=object)
        shown = [run for run in label_runs(t_ms, labels) if labels[run[0]] not in ("", "-")]
        stems = [_stem(str(labels[first])) for first, _, _ in shown]
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


def _device_events(rows: "pd.DataFrame", samples: dict[str, Samples]) -> Events:
    """Runs of the BeGaze columns ``L Event Info`` and ``R Event Info``."""
    parts = [
        _events_of_eye(rows[f"{_EYES[eye]} Event Info"].to_numpy(dtype=object), s, eye)
        for eye, s in _event_eyes(samples).items()
        if f"{_EYES[eye]} Event Info" in rows
    ]
    found = [row for part in parts for row in part]
    if not found:
        return Events.empty()
    found.sort(key=lambda row: (row[1], row[3]))
    kind, onset, offset, eye, first, last, x, y = zip(*found, strict=True)
    return Events(
        kind=np.array(kind, dtype=object),
        onset_ms=np.array(onset),
        offset_ms=np.array(offset),
        xy_px=np.stack([x, y], axis=1),
        first=np.array(first),
        last=np.array(last),
        eye=np.array(eye, dtype=object),
    )


def _event_eyes(samples: dict[str, Samples]) -> dict[str, Samples]:
    both = samples.get("both")
    return samples if both is None else dict.fromkeys(_EYES, both)


EventRow = tuple[str, float, float, str, int, int, float, float]


def _events_of_eye(info: npt.NDArray[np.object_], s: Samples, eye: str) -> list[EventRow]:
    end = sample_end_ms(s.t_ms)
    rows: list[EventRow] = []
    for label, kind in _EVENTS.items():
        for a, b in runs(info == label):
            seen = s.xy_px[a:b][~s.lost[a:b]]
            # Only a fixation has a mean position; a saccade is where it starts.
            x, y = (
                (seen.mean(axis=0) if kind == "fixation" else seen[0])
                if len(seen)
                else (
                    math.nan,
                    math.nan,
                )
            )
            onset, offset = float(s.t_ms[a]), float(end[b - 1])
            rows.append((kind, onset, offset, eye, int(a), int(b), float(x), float(y)))
    return rows


def _notes(header: dict[str, str], frame: "pd.DataFrame") -> list[str]:
    notes = []
    if "L Validity" not in frame and "R Validity" not in frame:
        notes.append("no validity columns: samples of one eye alone cannot be told apart")
    stated = _first_number(header, "Number of Samples")
    if stated is not None and int(stated) != len(frame):
        notes.append(
            f"the header states {int(stated)} samples, the file holds {len(frame)}: "
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
