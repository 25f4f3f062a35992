"""Samples of a Data Viewer sample report."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Recording, Trial
from gazecode.readers.eyelink.dataviewer_rows import NONE, SIDES, Request, load
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.trials import kept_rows
from gazecode.units import sample_end_ms

__all__ = ["read_samples"]

FloatArray = npt.NDArray[np.float64]


def read_samples(asked: Request, counts: Counter[str]) -> Recording:
    """Samples of each eye that was recorded, trials, and the messages between them."""
    sides = {eye: side for eye, side in SIDES.items() if f"{side}_GAZE_X" in asked.columns}
    sides = sides or {"both": "AVERAGE"}
    gaze = {f"{side}_{what}": float for side in sides.values() for what in ("GAZE_X", "GAZE_Y")}
    more: dict[str, type] = {
        f"{side}_{what}": float for side in sides.values() for what in ("PUPIL_SIZE", "IN_BLINK")
    }
    rows = load(asked, {"TIMESTAMP": float, **gaze}, more | {"SAMPLE_MESSAGE": str}, counts)
    gathered = rows.gathered
    t_ms, trial = gathered.array("TIMESTAMP"), gathered.array("trial")
    if not np.isfinite(t_ms).any():
        raise FormatError(
            f"{asked.source.path.name} holds no sample with a TIMESTAMP; expected ms of the "
            "tracker. Export the report again"
        )
    t_ms -= np.nanmin(t_ms)
    messages = _messages(gathered, t_ms)
    xy, pupil = {}, {}
    for eye, side in sides.items():
        xy[eye] = _points(gathered, side, counts)
        if f"{side}_PUPIL_SIZE" in gathered:
            pupil[eye] = gathered.array(f"{side}_PUPIL_SIZE")
            pupil[eye][~(pupil[eye] > 0)] = np.nan
    # An eye that was not recorded is a column of dots.
    seen = {eye: points for eye, points in xy.items() if np.isfinite(points[:, 0]).any()} or xy
    del xy
    samples = samples_of_eyes(t_ms, seen, pupil, counts=counts)
    del seen, pupil
    clock = next(iter(samples.values())).t_ms
    if len(clock) < len(t_ms):
        trial = trial[kept_rows(t_ms, clock)]
    runs = _runs(clock, trial)
    names, stimuli = rows.names(trial[[first for first, _, _ in runs]])
    return Recording(
        samples=samples,
        trials=[
            Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=shown)
            for name, shown, (_, onset, offset) in zip(names, stimuli, runs, strict=True)
        ],
        messages=messages,
        provenance={
            **rows.said,
            "report": "sample",
            "clock": "TIMESTAMP, ms of the tracker; 0 at the first sample",
            "notes": [],
        },
    )


def _points(gathered: Gathered, side: str, counts: Counter[str]) -> FloatArray:
    """What Data Viewer calls a blink is no gaze, whatever the coordinates say."""
    x = gathered.array(f"{side}_GAZE_X")
    points = np.empty((len(x), 2))
    points[:, 0] = x
    del x
    points[:, 1] = gathered.array(f"{side}_GAZE_Y")
    if f"{side}_IN_BLINK" in gathered:
        blink = gathered.array(f"{side}_IN_BLINK") == 1
        blink &= np.isfinite(points[:, 0]) | np.isfinite(points[:, 1])
        counts[f"in_blink_{side.lower()}"] += int(blink.sum())
        points[blink] = np.nan
    return points


def _runs(t_ms: FloatArray, trial: npt.NDArray[np.int32]) -> list[tuple[int, float, float]]:
    """As `label_runs` has them, given only what lies around a change of trial."""
    if not len(t_ms):
        return []
    first = np.flatnonzero(np.diff(trial, prepend=-1))
    last = np.append(first[1:], len(trial)) - 1
    end = sample_end_ms(t_ms)[last]
    return list(zip(first.tolist(), t_ms[first].tolist(), end.tolist(), strict=True))


def _messages(gathered: Gathered, t_ms: FloatArray) -> list[Message]:
    if "SAMPLE_MESSAGE" not in gathered:
        return []
    codes, texts = gathered.labels("SAMPLE_MESSAGE", slice(None))
    wanted = [i for i, text in enumerate(texts) if text.strip() not in NONE]
    rows = np.flatnonzero(np.isin(codes, wanted) & np.isfinite(t_ms))
    rows = rows[np.argsort(t_ms[rows], kind="stable")]
    return [Message(t_ms=float(t_ms[i]), text=texts[codes[i]].strip()) for i in rows]
