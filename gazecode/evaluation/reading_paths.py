"""Readings of three published sets as paths of lines.

* ``busjahn2013-eyecode``: two programs in Java, lines checked by hand.
* ``busjahn2014-eyecode``: a natural text, positions corrected by hand (nt1: the files hold the
  lines of no other text).
* ``linearity-peitek2020``: programs in Java; fixations are found here (`ivt`) and belong to a line
  by the rule of the study's scripts: inside its height, from its indentation to 100 px beyond its
  end. Scrambled variants are left out, as the set's areas for them are not those shown, and so are
  recordings whose screen the set does not state: `left_out` counts both.

The files are other people's and are read where they lie.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.detection import detect
from gazecode.errors import FormatError
from gazecode.measures.linearity import Linearity, linearity
from gazecode.measures.order import OrderScore, order_score
from gazecode.model import Events, Recording
from gazecode.model.checks import FloatArray, IntArray
from gazecode.readers import read

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PathOfLines", "busjahn2013", "busjahn2014", "left_out", "peitek2020"]

PEITEK_REACH_PX = 100.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathOfLines:
    """One reading as its lines.

    Attributes
    ----------
    set, name, group
        Data set, reading, and who read what.
    line, xy_px, element
        Per fixation in the order of time: line (-1: none), position, and element (-1: none) where
        elements are known.
    code_lines, n_elements
        The lines that hold text, and how many elements there are (None: unknown).
    orders
        Reference orders of lines by name: "story", "execution".
    """

    set: str
    name: str
    group: str
    line: IntArray
    xy_px: FloatArray
    code_lines: Sequence[int]
    orders: Mapping[str, Sequence[int]]
    element: IntArray | None = None
    n_elements: int | None = None

    def measured(self, *, bridge: bool = False, collapse: bool = False) -> Linearity:
        """Its local measures; 40 px are a degree, as no set says how far the screen was."""
        return linearity(
            self.line,
            xy_px=self.xy_px,
            element=self.element,
            n_elements=self.n_elements,
            code_lines=self.code_lines,
            bridge=bridge,
            collapse=collapse,
        )

    def ordered(self) -> dict[str, OrderScore]:
        """Its alignment with every reference order."""
        return {name: order_score(self.line, order) for name, order in self.orders.items()}


def busjahn2013(folder: Path) -> Iterator[PathOfLines]:
    """Two readers of two programs; fixations that were put on no line by hand are on none."""
    home = folder / "busjahn2013-eyecode"
    raw = _csv(home / "raw_fixations.csv")
    lines = _csv(home / "line_fixations.csv")
    areas = _csv(home / "areas_of_interest.csv")
    held = raw.merge(
        lines[["trial_id", "start_ms", "line"]], on=["trial_id", "start_ms"], how="left"
    )
    held = held.sort_values("start_ms")
    for (trial, program), rows in held.groupby(["trial_id", "program"], sort=True):
        mine = areas[areas["program"] == program]
        line = rows["line"].fillna(-1).to_numpy(np.int64)
        element, n = _elements(mine, line, rows["fix_x"].to_numpy(float))
        yield PathOfLines(
            set=home.name,
            name=f"{program} {trial}",
            group="Java",
            line=line,
            xy_px=rows[["fix_x", "fix_y"]].to_numpy(float),
            element=element,
            n_elements=n,
            code_lines=_numbers(mine.loc[mine["kind"] == "line", "name"]),
            orders={
                "story": _order(home / "text_order.csv", str(program)),
                "execution": _order(home / "exec_order.csv", str(program)),
            },
        )


def busjahn2014(folder: Path) -> Iterator[PathOfLines]:
    """The readers of nt1, with corrected positions; a line reaches as far as its area."""
    home = folder / "busjahn2014-eyecode"
    areas = _csv(home / "areas_of_interest.csv")
    for path in sorted((home / "raw").glob("*_nt1.csv")):
        mine = areas[areas["program"] == "nt1"]
        rows = _csv(path).sort_values("start_ms")
        xy = rows[["fix_x_corrected", "fix_y_corrected"]].to_numpy(float)
        whole = mine[mine["kind"] == "line"]
        boxes = _boxes(whole)
        line = _first_inside(xy, boxes, np.array(_numbers(whole["name"])))
        element, n = _elements(mine, line, xy[:, 0])
        numbers = _numbers(whole["name"])
        yield PathOfLines(
            set=home.name,
            name=path.stem,
            group=f"natural text, {'novices' if path.stem.startswith('n') else 'experts'}",
            line=line,
            xy_px=xy,
            element=element,
            n_elements=n,
            code_lines=numbers,
            orders={"story": sorted(numbers)},
        )


def peitek2020(folder: Path) -> Iterator[PathOfLines]:
    """Every unscrambled program of every reader whose screen is known.

    The orders of the set count lines that hold code, from 1; so are lines numbered here.
    """
    home = folder / "linearity-peitek2020"
    paths = sorted((home / "raw_data").glob("*/*/GazeData_*.csv"))
    if not paths:
        raise FormatError(
            f"{home} holds no raw_data/*/*/GazeData_*.csv; expected the set's folders"
        )
    for path in paths:
        recording = read(path)
        if recording.screen is None:
            # Without the table of screens the factor of its coordinates is unknown.
            continue
        group = "Java, novices" if path.parts[-3] == "Novices" else "Java, experienced"
        reader = path.stem.removeprefix("GazeData_")[:8]
        yield from _programs(home, recording, group=group, reader=reader)


def left_out(folder: Path) -> dict[str, int]:
    """How much of ``linearity-peitek2020`` is not used, by reason."""
    held = [recording for _, recording in _peitek_recordings(folder / "linearity-peitek2020")]
    known = [recording for recording in held if recording.screen is not None]
    scrambled = [t for r in known for t in r.trials if (t.stimulus or "").endswith("_scrambled")]
    return {"recordings": len(held) - len(known), "scrambled": len(scrambled)}


def _peitek_recordings(home: Path) -> Iterator[tuple[Path, Recording]]:
    paths = sorted((home / "raw_data").glob("*/*/GazeData_*.csv"))
    if not paths:
        raise FormatError(
            f"{home} holds no raw_data/*/*/GazeData_*.csv; expected the set's folders"
        )
    for path in paths:
        yield path, read(path)


def _programs(
    home: Path, recording: Recording, *, group: str, reader: str
) -> Iterator[PathOfLines]:
    found = _fixations(recording)
    height = round(recording.screen.height_px) if recording.screen else 0
    for trial in recording.trials:
        area = home / "aoi" / f"{trial.stimulus}.json"
        if not area.is_file():
            continue
        held = json.loads(area.read_text(encoding="utf-8"))
        mine = found[(found.onset_ms >= trial.onset_ms) & (found.onset_ms < trial.offset_ms)]
        boxes = _peitek_boxes(held, str(height))
        reach = boxes + np.array([0.0, 0.0, PEITEK_REACH_PX, 0.0])
        numbers = np.arange(1, len(boxes) + 1)
        yield PathOfLines(
            set=home.name,
            name=f"{reader} {trial.name}",
            group=group,
            line=_first_inside(mine.xy_px, reach, numbers),
            xy_px=mine.xy_px,
            code_lines=numbers.tolist(),
            orders={"story": held["story_order"], "execution": held["execution_order"]},
        )


def _fixations(recording: Recording) -> Events:
    breaks = sorted({edge for t in recording.trials for edge in (t.onset_ms, t.offset_ms)})
    events = detect(recording.gaze, "ivt", screen=recording.screen, breaks_ms=breaks)
    return events.of("fixation")


def _peitek_boxes(held: Mapping[str, Any], height: str) -> FloatArray:
    """``(k, 4)`` px of the lines that hold code."""
    base = held[height]
    boxes = []
    for i, line in enumerate(held["lines"]):
        if not line:
            continue
        x0 = line.get("start_x", base["base_x"] + base["base_indent_x"] * line.get("indent_x", 0))
        x1 = x0 + line["width"] if "width" in line else line[f"{height}_end_x"]
        y0 = base["base_y"] + base["base_indent_y"] * i
        boxes.append((x0, y0, x1, y0 + base["base_indent_y"]))
    return np.array(boxes, dtype=np.float64)


def _first_inside(xy_px: FloatArray, boxes: FloatArray, numbers: IntArray) -> IntArray:
    """Number of the first box that holds each point, -1 for none; right and lower edge excluded."""
    x, y = xy_px[:, :1], xy_px[:, 1:]
    inside = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
    return np.where(inside.any(axis=1), numbers[inside.argmax(axis=1)], -1)


def _boxes(areas: "pd.DataFrame") -> FloatArray:
    held = areas[["x", "y", "width", "height"]].to_numpy(float)
    return np.concatenate([held[:, :2], held[:, :2] + held[:, 2:]], axis=1)


def _elements(areas: "pd.DataFrame", line: IntArray, x_px: FloatArray) -> tuple[IntArray, int]:
    """Part of its line that each fixation is on, -1 for none; how many parts there are."""
    parts = areas[areas["kind"] == "sub-line"]
    boxes, owner = _boxes(parts), np.array(_numbers(parts["name"]))
    x = x_px[:, None]
    inside = (owner == line[:, None]) & (boxes[:, 0] <= x) & (x < boxes[:, 2])
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1), len(parts)


def _numbers(names: "pd.Series[str]") -> list[int]:
    """``line 12 part 3`` is of line 12."""
    return [int(name.split()[1]) for name in names]


def _order(path: Path, program: str) -> list[int]:
    rows = _csv(path)
    return _numbers(rows.loc[(rows["program"] == program) & (rows["kind"] == "line"), "name"])


def _csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_csv(path)
    except OSError as error:
        raise FormatError(
            f"{path} cannot be read ({type(error).__name__}); expected the set as published"
        ) from error
