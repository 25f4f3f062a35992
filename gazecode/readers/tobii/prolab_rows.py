"""What is gathered of each block of rows of a Pro Lab export."""

import re
from collections import Counter

import numpy as np
import numpy.typing as npt

from gazecode.readers.source import Source
from gazecode.readers.tobii.prolab_columns import ProLabColumns
from gazecode.readers.tobii.prolab_runs import Runs
from gazecode.readers.tobii.rows import (
    MessageLog,
    Millimetres,
    People,
    joined_cells,
    mean_of_known,
)
from gazecode.readers.tools.arrow import Block, Text
from gazecode.readers.tools.growing import Gathered

__all__ = ["EYE_TRACKER", "ProLabRows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

EYE_TRACKER = "Eye Tracker"
MAX_VALID_CODE = 1.0
"""Files of the first versions hold Studio's codes, where 2 and more are uncertain or lost."""
_CODE = re.compile(r"\d+(?:\.\d*)?")


class ProLabRows:
    """What is gathered of each block."""

    def __init__(self, columns: ProLabColumns, source: Source, recording: str | None) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors: Counter[str] = Counter()
        self.areas: Counter[str] = Counter()
        self.checks: dict[str, float] = {}
        self.sizes: dict[str, tuple[float, float]] = {}
        self.gathered = Gathered()
        self.log = MessageLog()
        self.millimetres = Millimetres()
        self.n = 0
        self._is = columns
        self.time = columns.time or ""
        self.name = source.name
        self.people = People(source.name, [columns.participant, columns.recording], recording)
        self.stimuli = Runs([columns.stimulus]) if columns.stimulus else None
        keys = [c for c in (columns.kind, columns.index) if c]
        place = columns.fixation or ()
        self.events = Runs(keys, place) if columns.kind else None

    def wanted(self) -> dict[str, type]:
        """Columns to read, with their kinds."""
        c = self._is
        texts = (c.sensor, c.participant, c.recording, c.event, c.event_value, c.stimulus, c.kind)
        pairs = (c.fixation, c.gaze_mm, c.resolution, c.scene_resolution, *c.gaze.values())
        numbers = (c.time, c.tracker_us, c.index, c.distance_mm, *c.pupil.values())
        wanted: dict[str, type] = {name: str for name in (*texts, *c.validity.values()) if name}
        wanted |= {name: float for name in (*numbers, *c.checks.values()) if name}
        wanted |= {name: float for pair in pairs if pair for name in pair}
        return wanted | dict.fromkeys(c.areas.values(), float)

    def take(self, block: Block) -> None:
        """Take the block's samples and messages."""
        block = self.people.only(block, self.counts)
        rows = block.where(self._split(block))
        c = self._is
        self.gathered.add({"t": rows.numbers[self.time]})
        if c.tracker_us:
            self.gathered.add({"tracker": rows.numbers[c.tracker_us]})
        self._take_eyes(rows)
        for runs in (self.stimuli, self.events):
            if runs is not None:
                runs.add(rows, self.n)
        self.n += rows.n
        for area, name in c.areas.items():
            self.areas[area] += int((rows.numbers[name] == 1).sum())
        self._take_once(block)

    def _split(self, block: Block) -> BoolArray:
        """Count rows by sensor, log events; which rows are samples of the eye tracker."""
        c = self._is
        is_event = np.zeros(block.n, dtype=bool)
        if c.event:
            is_event = ~block.texts[c.event].says("")
            cells = [block.texts[x].at(is_event) for x in (c.event, c.event_value) if x]
            texts = joined_cells(zip(*cells, strict=True))
            self.log.add(block.numbers[self.time][is_event], texts)
        if c.sensor:
            self.sensors.update(block.texts[c.sensor].counted())
            is_sample = block.texts[c.sensor].says(EYE_TRACKER)
        elif c.tracker_us:
            is_sample = np.isfinite(block.numbers[c.tracker_us])
        else:
            is_sample = ~is_event
        self.counts["rows_of_other_sensors"] += int((~is_sample & ~is_event).sum())
        return is_sample

    def _take_eyes(self, rows: Block) -> None:
        c = self._is
        usable = {eye: _valid(rows.texts[name], self.counts) for eye, name in c.validity.items()}
        if "both" in c.gaze and len(usable) == 2:
            usable["both"] = usable["left"] | usable["right"]
        everyone = np.ones(rows.n, dtype=bool)
        pupil = {}
        for eye, name in c.pupil.items():
            values = rows.numbers[name]
            pupil[eye] = np.where((values > 0) & usable.get(eye, everyone), values, np.nan)
        for eye, pair in c.gaze.items():
            xy = rows.pair(pair)
            stale = np.isfinite(xy[:, 0] + xy[:, 1]) & ~usable.get(eye, everyone)
            self.counts[f"invalid_{eye}"] += int(stale.sum())
            xy[~usable.get(eye, everyone)] = np.nan
            self.gathered.add({f"xy {eye}": xy})
            if eye == "left" and c.gaze_mm and c.distance_mm:
                self.millimetres.add(xy, rows.pair(c.gaze_mm), rows.numbers[c.distance_mm])
        if "both" in c.gaze or not c.gaze:
            pupil["both"] = mean_of_known(list(pupil.values()), rows.n)
        for eye in (c.gaze.keys() or {"both"}) & pupil.keys():
            self.gathered.add({f"pupil {eye}": pupil[eye]})

    def _take_once(self, block: Block) -> None:
        """What is the same on every row."""
        c = self._is
        for what, pair in (("screen", c.resolution), ("scene", c.scene_resolution)):
            if pair and what not in self.sizes:
                size = block.pair(pair)
                size = size[(size > 0).all(axis=1)]
                if len(size):
                    self.sizes[what] = float(size[0, 0]), float(size[0, 1])
        for key, column in c.checks.items():
            known = block.numbers[column][np.isfinite(block.numbers[column])]
            if key not in self.checks and len(known):
                self.checks[key] = float(known[0])


def _valid(texts: Text, counts: Counter[str]) -> BoolArray:
    """Rows whose eye was found: ``Valid``, or a code of 0 or 1. An empty cell is lost, too."""
    verdicts = {"Valid": True, "Invalid": False, "": False, "Not Recorded": False}
    usable = []
    for label in texts.labels:
        word = label.strip().replace(",", ".")
        is_code = bool(_CODE.fullmatch(word))
        usable.append(verdicts.get(word, is_code and float(word) <= MAX_VALID_CODE))
        if word not in verdicts and not is_code:
            counts["unknown_validity"] += int(texts.says(label).sum())
    return texts.among(usable)
