"""SMI BeGaze 3.6 raw data table: one row per sample, columns named in words.

``RecordingTime [ms]``, ``Point of Regard Right X [px]``, ``Category Right``, ``Pupil Diameter Right
[mm]``, ``Stimulus``, ``Participant``, separated by comma, TAB or semicolon. ``-`` and 0, 0 are
lost. Rows of category ``Separator`` lie between stimuli and rows of ``User Event`` carry a text:
neither is gaze. Glasses (ETG) write only a binocular point, in px of the scene camera's picture.

SensoMotoric Instruments, BeGaze manual 3.6 (2016), "Metrics export: raw data".
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Recording, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.smi.iview import EVENT_KINDS
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import find_separator
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.label_events import events_of_labels, is_label
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_TIME = "RecordingTime [ms]"
_EYES = {"left": "Left", "right": "Right", "both": "Binocular"}
_TEXTS = ("Stimulus", "Trial", "Participant", "Content", "Annotation Name")
_NOT_GAZE = {"Separator", "User Event", "UserEvent"}


def sniff(source: Source) -> bool:
    """Whether the first line names the clock and a point of regard."""
    line = source.head.partition(b"\n")[0]
    return _TIME.encode() in line and b"Point of Regard " in line


def read(source: Source, *, participant: str | None = None) -> Recording:
    """Read the samples of one participant.

    Parameters
    ----------
    source
        The table.
    participant
        Whom to read, where the table holds several.

    Returns
    -------
    Recording
        ``samples["left"]`` and ``["right"]``, or ``["both"]`` of glasses (plane ``scene_px``); ms
        from the first sample; a trial per run of one stimulus.
    """
    counts: Counter[str] = Counter()
    taker = _Taker(counts, participant)
    names = source.head.partition(b"\n")[0].decode("utf-8", "replace")
    held = gather(
        source.blocks(),
        take=taker,
        name=source.name,
        columns={_TIME: float},
        optional=_optional(names),
        counts=counts,
        quoted=find_separator(names) != "\t",
    )
    who = _participant(held, source.name)
    xy = {eye: held.array(f"xy_{eye}") for eye in _EYES if f"xy_{eye}" in held}
    if not xy:
        raise FormatError.missing_columns(
            source.name, ["Point of Regard Right X [px]"], ["no point of regard"], "Export it"
        )
    if len(xy) > 1:
        # The binocular point is made of the other two.
        xy.pop("both", None)
    t_ms = held.array("t")
    zero = float(np.nanmin(t_ms)) if np.isfinite(t_ms).any() else 0.0
    t_ms -= zero
    pupil = {eye: held.array(f"pupil_{eye}") for eye in xy if f"pupil_{eye}" in held}
    for eye, points in xy.items():
        counts[f"lost_{eye}"] = int(np.isnan(points).any(axis=1).sum())
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    del pupil
    clock = next(iter(samples.values())).t_ms
    same = len(clock) == len(t_ms) and not counts["unsorted"]
    rows = slice(None) if same else kept_rows(t_ms, clock)
    labels = {e: held.labels(f"event_{e}", rows) for e in _EYES if f"event_{e}" in held}
    glasses = set(xy) == {"both"}
    return Recording(
        samples=samples,
        trials=_trials(held, clock, rows),
        messages=[
            Message(t_ms=t - zero, text=text)
            for t, text in sorted(taker.messages)
            if np.isfinite(t)
        ],
        device_events=events_of_labels(
            {eye: found for eye, found in labels.items() if eye in samples}, samples, EVENT_KINDS
        ),
        plane="scene_px" if glasses else "screen_px",
        provenance={
            "clock": f"column {_TIME}; 0 at the first sample",
            "participant": who,
            "left_out": dict(+counts),
            "notes": _notes(glasses=glasses),
        },
    )


def _optional(header: str) -> dict[str, type]:
    """Columns of use; the binocular point only where there is no other."""
    wanted: dict[str, type] = dict.fromkeys(_TEXTS, str)
    eyes = [e for e in ("Left", "Right") if f"Point of Regard {e} X [px]" in header]
    for eye in eyes or ["Binocular"]:
        wanted |= {f"Point of Regard {eye} {axis} [px]": float for axis in "XY"}
        wanted |= {f"Category {eye}": str, f"Pupil Diameter {eye} [mm]": float}
    return wanted | {"Category Binocular": str}


class _Taker:
    """Takes samples out of a block, and the texts of user events."""

    def __init__(self, counts: Counter[str], participant: str | None) -> None:
        self.counts = counts
        self.participant = participant
        self.messages: list[tuple[float, str]] = []

    def __call__(self, frame: "pd.DataFrame") -> dict[str, Any]:
        """Columns of the block's samples."""
        if self.participant is not None and "Participant" in frame:
            mine = is_label(frame["Participant"], self.participant)
            self.counts["rows_of_other_participants"] += int((~mine).sum())
            frame = frame[mine]
        other = np.zeros(len(frame), dtype=bool)
        for column in (f"Category {name}" for name in _EYES.values()):
            if column in frame:
                other |= is_label(frame[column], *_NOT_GAZE)
        self._keep_texts(frame[other])
        self.counts["rows_without_gaze"] += int(other.sum())
        frame = frame[~other]
        taken: dict[str, Any] = {"t": frame[_TIME].to_numpy(dtype=np.float64)}
        for eye, name in _EYES.items():
            taken |= _eye(frame, eye, name)
        texts = {"stimulus": "Stimulus", "trial": "Trial", "participant": "Participant"}
        return taken | {key: frame[column] for key, column in texts.items() if column in frame}

    def _keep_texts(self, rows: "pd.DataFrame") -> None:
        column = next((c for c in ("Content", "Annotation Name") if c in rows), None)
        if column is None or rows.empty:
            return
        for t, text in zip(rows[_TIME], rows[column].astype(str), strict=True):
            label = text.strip().removeprefix("# Message:").strip()
            if label not in ("", "-"):
                self.messages.append((float(t), label))


def _eye(frame: "pd.DataFrame", eye: str, name: str) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    point = [f"Point of Regard {name} {axis} [px]" for axis in "XY"]
    if set(point) <= set(frame):
        xy = frame[point].to_numpy(dtype=np.float64)
        xy[~xy.any(axis=1)] = np.nan
        taken[f"xy_{eye}"] = xy
    if f"Pupil Diameter {name} [mm]" in frame:
        pupil = frame[f"Pupil Diameter {name} [mm]"].to_numpy(dtype=np.float64)
        taken[f"pupil_{eye}"] = np.where(pupil > 0, pupil, np.nan)
    if f"Category {name}" in frame:
        taken[f"event_{eye}"] = frame[f"Category {name}"]
    return taken


def _participant(held: Gathered, name: str) -> str:
    if "participant" not in held:
        return ""
    codes, names = held.labels("participant", slice(None))
    found = [names[code] for code in np.unique(codes) if code >= 0]
    if len(found) > 1:
        raise FormatError(
            f"{name} holds gaze of {len(found)} participants ({', '.join(found[:3])}, ...); "
            f"expected one. Choose: read(path, participant={found[0]!r})"
        )
    return found[0] if found else ""


def _trials(held: Gathered, t_ms: FloatArray, rows: IntArray | slice) -> list[Trial]:
    """Runs of one stimulus in one trial."""
    if "stimulus" not in held or not len(t_ms):
        return []
    codes, stimuli = held.labels("stimulus", rows)
    trial = held.labels("trial", rows)[0] if "trial" in held else np.zeros(len(codes), np.int8)
    changes = np.zeros(len(codes), dtype=bool)
    changes[1:] = (codes[1:] != codes[:-1]) | (trial[1:] != trial[:-1])
    runs = label_runs(t_ms, np.cumsum(changes, dtype=np.int32))
    shown = [run for run in runs if stimuli[codes[run[0]]].strip() not in ("", "-")]
    stems = [
        stimuli[codes[first]].strip().rpartition(".")[0] or stimuli[codes[first]].strip()
        for first, _, _ in shown
    ]
    return [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=stem)
        for name, stem, (_, onset, offset) in zip(unique_names(stems), stems, shown, strict=True)
    ]


def _notes(*, glasses: bool) -> list[str]:
    if glasses:
        return [
            "only a binocular point, as glasses write it: px of the scene camera, not of a screen"
        ]
    return ["no validity columns: samples of one eye alone show only where the other is lost"]


READER = Reader(
    name="smi_raw_table",
    title="SMI BeGaze 3.6 raw data table (RecordingTime [ms], Point of Regard ...)",
    sniff=sniff,
    read=read,
    suffixes=(".txt", ".csv"),
    priority=10,
)
