"""Fixations on code whose lines are known: four data sets of other people, read where they lie.

* ``busjahn2013-eyecode`` (Busjahn et al. 2013, as distributed with eyeCode): Java, three trials.
  The line of a fixation was checked by hand, but lies in all but five of 631 where a circle of
  20 px around the recorded place overlaps a line most: no drift was undone.
* ``busjahn2014-eyecode`` (Busjahn et al. 2014): fixations moved by hand to the line that was read.
  This is *prose*. Boxes exist for one text only, and the experts' gaze belongs to another screen
  than these boxes: what can be scored is that text as the novices read it.
* ``emip-bednarik2020`` (Bednarik et al. 2020; corrected by Al Madi et al.): positions corrected by
  hand, each with the line of the token hit. The recorded partner is not published, so that drift
  is put in (`gazecode.evaluation.drifted`).
* ``eyecode-hansen2012`` (Hansen et al. 2012): Python, recorded places beside a vertical offset
  that was set by hand for each participant, and the line hit after it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.evaluation.drifted import drifted
from gazecode.evaluation.line_trials import LineTrial
from gazecode.model import Events, Layout, Screen
from gazecode.model.checks import Array, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONDITIONS",
    "EMIP_SCREEN",
    "SEEDS",
    "busjahn2013",
    "busjahn2014",
    "code_trials",
    "emip_corrected",
    "emip_others",
    "hansen2012",
]

EMIP_SCREEN = Screen(width_px=1920, height_px=1080, width_mm=344, height_mm=194, distance_mm=700)
HIT_PX = 12.5
"""How far outside a box the corrected EMIP set still counts a hit (measured, its SOURCE)."""


CONDITIONS = (
    ("none", 0.0, 0.1),
    ("none", 0.0, 0.3),
    *((kind, size, 0.15) for kind in ("offset", "slope", "warp") for size in (0.3, 0.5, 0.8)),
)
"""Drift put into the corrected EMIP trials: its kind, its size and the noise beside it, deg."""
SEEDS = (11, 12)


def code_trials(folder: Path, *, seeds: Sequence[int] = SEEDS) -> Iterator[LineTrial]:
    """All that is reported: three sets as recorded, and EMIP's trials under every condition.

    Sets that do not lie in the folder are passed over. `emip_others` is not among them: parameters
    were chosen on those participants.
    """
    if (folder / "busjahn2013-eyecode").is_dir():
        yield from busjahn2013(folder)
    for trial in emip_corrected(folder) if (folder / "emip-bednarik2020").is_dir() else ():
        yield trial
        for kind, size, noise in CONDITIONS:
            for seed in seeds:
                yield drifted(
                    trial, kind, size_deg=size, noise_deg=noise, seed=seed, screen=EMIP_SCREEN
                )
    if (folder / "eyecode-hansen2012").is_dir():
        yield from hansen2012(folder)
    if (folder / "busjahn2014-eyecode").is_dir():
        yield from busjahn2014(folder)


def busjahn2013(folder: Path) -> Iterator[LineTrial]:
    """Three trials of two people, 631 fixations; 67 more have no line and are not in the file."""
    import pandas as pd

    folder = _found(folder, "busjahn2013-eyecode", "line_fixations.csv")
    areas = pd.read_csv(folder / "areas_of_interest.csv")
    gaze = pd.read_csv(folder / "line_fixations.csv")
    for (program, person), rows in gaze.groupby(["program", "exp_id"]):
        yield LineTrial(
            name=f"{program}-{person}",
            set="busjahn2013",
            fixations=_fixations(rows, "fix_x", "fix_y"),
            layout=_eyecode_layout(areas[areas["program"] == program]),
            gold_line=rows["line"].to_numpy() - 1,
            kept=np.ones(len(rows), dtype=bool),
            group=str(person),
        )


def busjahn2014(folder: Path) -> Iterator[LineTrial]:
    """The text nt1 as novices read it; scored is what was moved to, or left on, a line's box."""
    import pandas as pd

    folder = _found(folder, "busjahn2014-eyecode", "areas_of_interest.csv")
    areas = pd.read_csv(folder / "areas_of_interest.csv")
    for path in sorted((folder / "raw").glob("n*_nt1.csv")):
        rows = pd.read_csv(path)
        layout = _eyecode_layout(areas[areas["program"] == "nt1"])
        place = rows[["fix_x_corrected", "fix_y_corrected"]].to_numpy(float)
        gold = _line_hit(place, layout, reach_px=layout.line_height_px / 2)
        yield LineTrial(
            name=path.stem,
            set="busjahn2014",
            fixations=_fixations(rows, "fix_x", "fix_y"),
            layout=layout,
            gold_line=gold,
            kept=gold >= 0,
            group=path.stem.split("_")[0],
        )


def emip_corrected(folder: Path) -> Iterator[LineTrial]:
    """Corrected trials over Java, with the line of the token that the set says was hit.

    A fixation within reach of two tokens has two rows: that of the nearer line counts.
    """
    import pandas as pd

    folder = _found(folder, "emip-bednarik2020", "corrected")
    for path in sorted((folder / "corrected").glob("*/*.csv")):
        rows = pd.read_csv(path, keep_default_na=False)
        stimulus = str(rows["code_file"].iloc[0]).removesuffix(".jpg")
        middle = rows["aoi_y"] + rows["aoi_height"] / 2
        rows = rows.assign(
            start_ms=rows["timestamp"] / 1000,
            duration_ms=rows["duration"],
            apart=(rows["y_cord"] - middle).abs(),
        )
        rows = rows.sort_values(["timestamp", "apart"], kind="stable").drop_duplicates("timestamp")
        yield LineTrial(
            name=path.stem,
            set="emip-corrected",
            fixations=_fixations(rows, "x_cord", "y_cord"),
            layout=_emip_layout(folder, stimulus),
            gold_line=rows["line"].to_numpy() - 1,
            kept=np.ones(len(rows), dtype=bool),
            group=f"P{rows['participant'].iloc[0]}",
        )


def emip_others(folder: Path) -> Iterator[LineTrial]:
    """Corrected trials of the participants who are not in `emip_corrected`, Python included.

    The files hold places and durations only: onsets follow one another without gaps, and the line
    is that of the nearest token within 12.5 px, the rule of the other part.
    """
    folder = _found(folder, "emip-bednarik2020", "fix8")
    known = {path.name.removeprefix("participant") for path in (folder / "corrected").glob("*")}
    for path in sorted((folder / "fix8").glob("*/*/trial_*.json")):
        found = re.fullmatch(r"trial_(\d+)_participant_(\d+)_(\w+)", path.stem)
        if found is None or found[2] in known:
            continue
        rows = np.asarray(json.loads(path.read_text(encoding="utf-8"))["fixations"], dtype=float)
        layout = _emip_layout(folder, found[3])
        gold = _line_hit(rows[:, :2], layout, reach_px=HIT_PX)
        offset = np.cumsum(rows[:, 2])
        yield LineTrial(
            name=f"participant{found[2]}_trial{found[1]}_{found[3]}",
            set="emip-others",
            fixations=Events(
                kind=np.full(len(rows), "fixation", dtype=object),
                onset_ms=offset - rows[:, 2],
                offset_ms=offset,
                xy_px=rows[:, :2],
            ),
            layout=layout,
            gold_line=gold,
            kept=gold >= 0,
            group=f"P{found[2]}",
        )


def hansen2012(folder: Path) -> Iterator[LineTrial]:
    """Python, as recorded: the offset set by hand is in the line, not in the place."""
    import pandas as pd

    folder = _found(folder, "eyecode-hansen2012", "csv")
    areas = pd.read_csv(folder / "csv" / "aois.csv.gz", keep_default_na=False)
    areas = areas[(areas["kind"] == "syntax") & (areas["name"] != "whitespace")]
    gaze = pd.read_csv(folder / "csv" / "line_fixations.csv.gz")
    for (person, trial), rows in gaze.groupby(["exp_id", "trial_id"]):
        shown = areas[areas["trial_id"] == trial]
        line = (shown["local_id"].str.split(",").str[1].astype(int) + 2) // 30
        raw = rows.assign(
            raw_x=rows["fix_x"] - rows["offset_x"], raw_y=rows["fix_y"] - rows["offset_y"]
        )
        yield LineTrial(
            name=f"{person}-{trial}",
            set=f"hansen2012 ({rows['offset_y'].iloc[0]:+d} px)",
            fixations=_fixations(raw, "raw_x", "raw_y"),
            layout=_layout(shown, line.to_numpy(), line_height_px=30.0),
            gold_line=rows["line"].to_numpy() - 1,
            kept=np.ones(len(rows), dtype=bool),
            group=str(person),
        )


def _found(folder: Path, name: str, part: str) -> Path:
    """The folder of a set, given itself or the folder of all sets."""
    for place in (folder, folder / name):
        if (place / part).exists():
            return place
    raise FormatError(f"{folder} holds no {name}; expected {part} in it or in {name}/")


def _fixations(rows: "pd.DataFrame", x: str, y: str) -> Events:
    onset = rows["start_ms"].to_numpy(float)
    return Events(
        kind=np.full(len(rows), "fixation", dtype=object),
        onset_ms=onset,
        offset_ms=onset + rows["duration_ms"].to_numpy(float),
        xy_px=rows[[x, y]].to_numpy(float),
    )


def _eyecode_layout(areas: "pd.DataFrame") -> Layout:
    """Boxes of words from eyeCode's table; "line 3 part 2" stands on visual line 2."""
    words = areas[areas["kind"] == "sub-line"]
    line = words["name"].str.extract(r"line (\d+)")[0].astype(int).to_numpy() - 1
    middle = (words["y"] + words["height"] / 2).to_numpy(float)
    number, index = np.unique(line, return_inverse=True)
    y = np.bincount(index, weights=middle) / np.bincount(index)
    pitch = float(np.median(np.diff(y) / np.diff(number)))
    return _layout(words, line, line_height_px=pitch)


def _emip_layout(folder: Path, stimulus: str) -> Layout:
    """Boxes of words; the word of a line is the one whose middle that line's box holds."""
    import pandas as pd

    areas = pd.read_csv(folder / "stimuli" / f"{stimulus}.csv")
    lines, words = (areas[areas["level"] == level] for level in ("line", "element"))
    y = (lines["y1"] + lines["y2"]).to_numpy(float) / 2
    middle = (words["y1"] + words["y2"]).to_numpy(float) / 2
    boxes = words[["x1", "y1", "x2", "y2"]].rename(columns={"x1": "x", "y1": "y"})
    boxes = boxes.assign(width=words["x2"] - words["x1"], height=words["y2"] - words["y1"])
    line = np.abs(middle[:, None] - y).argmin(axis=1)
    return _layout(boxes, line, line_height_px=float(np.median(np.diff(y))))


def _layout(areas: Any, line: Array, *, line_height_px: float) -> Layout:
    low = areas[["x", "y"]].to_numpy(float)
    return Layout(
        boxes=np.hstack([low, low + areas[["width", "height"]].to_numpy(float)]),
        token=np.arange(len(areas)),
        line=line,
        n_tokens=len(areas),
        line_height_px=line_height_px,
    )


def _line_hit(place: FloatArray, layout: Layout, *, reach_px: float) -> IntArray:
    """The line of the nearest box within reach on either axis, -1 without one."""
    low, high = layout.boxes[:, :2], layout.boxes[:, 2:]
    apart = np.maximum(np.maximum(low - place[:, None], place[:, None] - high), 0.0)
    far = apart.max(axis=2)
    # Inside several, or as far from several: the one whose middle is nearest in y.
    middle = np.abs(place[:, None, 1] - (low[:, 1] + high[:, 1]) / 2)
    best = (far + 1e-6 * middle).argmin(axis=1)
    rows = np.arange(len(place))
    return np.asarray(np.where(far[rows, best] <= reach_px, layout.line[best], -1), dtype=np.int64)
