"""What is gathered of each block of rows of a Studio gaze file."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from gazecode.readers.source import Source
from gazecode.readers.tobii.prolab_runs import Runs
from gazecode.readers.tobii.rows import (
    MessageLog,
    Millimetres,
    People,
    mean_of_known,
)
from gazecode.readers.tobii.studio_layout import Layout, find_columns, screen_size
from gazecode.readers.tobii.studio_reports import event_texts
from gazecode.readers.tools.arrow import Block
from gazecode.readers.tools.growing import Gathered

__all__ = ["StudioRows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class StudioRows:
    """What is gathered of each block of a gaze file."""

    def __init__(
        self, layout: Layout, source: Source, recording: str | None, max_validity: int
    ) -> None:
        self.layout = layout
        self.name = source.name
        self.columns = find_columns(layout.names)
        self.counts: Counter[str] = Counter()
        self.gathered = Gathered()
        self.log = MessageLog()
        self.millimetres = Millimetres()
        self.said: dict[str, str] = {}
        self.lost_codes: Counter[tuple[float, float]] = Counter()
        self.n = 0
        self._max_validity = max_validity
        c = self.columns
        self.people = People(source.name, [c.participant, c.recording], recording)
        self.media = Runs([c.media], c.media_size or ()) if c.media else None
        keys = [name for name in (c.kind, c.fixation_index, c.saccade_index) if name]
        place = (c.fixation, c.media_at, c.point, c.media_point)
        carried = [name for pair in place if pair for name in pair]
        carried += [c.duration] if c.duration else []
        self.events = Runs(keys, carried) if c.kind or c.fixation_index else None

    def wanted(self) -> dict[str, type]:
        """Columns to read, with their kinds."""
        c = self.columns
        texts = (c.participant, c.recording, c.media, c.kind, c.resolution, c.filter)
        pairs = (c.point, c.media_point, c.fixation, c.media_at, c.media_size, c.gaze_mm)
        numbers = (c.time, c.tracker_us, c.fixation_index, c.saccade_index, c.duration)
        wanted: dict[str, type] = {name: str for name in texts if name}
        wanted |= {name: str for _, cells in c.events for name in cells}
        wanted |= {name: float for pair in (*pairs, *c.gaze.values()) if pair for name in pair}
        singles = (*numbers, c.distance_mm, *c.pupil.values(), *c.validity.values())
        return wanted | {name: float for name in singles if name}

    def take(self, block: Block) -> None:
        """Take the block's samples and messages."""
        block = self.people.only(block, self.counts)
        rows = block.where(self._split(block))
        self.gathered.add({"t": rows.numbers[self.columns.time]})
        if self.columns.tracker_us:
            self.gathered.add({"tracker": rows.numbers[self.columns.tracker_us]})
        self._take_eyes(rows)
        for runs in (self.media, self.events):
            if runs is not None:
                runs.add(rows, self.n)
        self.n += rows.n
        for column in (self.columns.resolution, self.columns.filter):
            if column and column not in self.said and block.n:
                self.said[column] = block.texts[column].at(np.arange(1))[0]

    def _split(self, block: Block) -> BoolArray:
        """Log events; which rows are samples: those the tracker stamped, or says an eye of."""
        c = self.columns
        is_event = np.zeros(block.n, dtype=bool)
        for word, cells in c.events:
            here = ~block.texts[cells[0]].says("")
            texts = zip(*(block.texts[cell].at(here) for cell in cells), strict=True)
            self.log.add(block.numbers[c.time][here], event_texts(texts, word))
            is_event |= here
        proof = [c.tracker_us] if c.tracker_us else list(c.validity.values())
        if not proof:
            return ~is_event
        is_sample = np.zeros(block.n, dtype=bool)
        for column in proof:
            is_sample |= np.isfinite(block.numbers[column])
        self.counts["empty_rows"] += int((~is_sample & ~is_event).sum())
        return is_sample

    def _take_eyes(self, rows: Block) -> None:
        c = self.columns
        usable = {eye: rows.numbers[name] <= self._max_validity for eye, name in c.validity.items()}
        if "both" in c.gaze and len(usable) == 2:
            usable["both"] = usable["left"] | usable["right"]
        everyone = np.ones(rows.n, dtype=bool)
        for eye, pair in c.gaze.items():
            xy = rows.pair(pair)
            known = np.isfinite(xy[:, 0] + xy[:, 1])
            seen = usable.get(eye, everyone)
            self.counts[f"invalid_{eye}"] += int((known & ~seen).sum())
            self._note_codes(xy[known & ~seen])
            coded = known & seen & self._is_code(xy)
            self.counts[f"lost_code_{eye}"] += int(coded.sum())
            xy[~seen | coded] = np.nan
            self.gathered.add({f"xy {eye}": xy})
            if eye == "left" and c.gaze_mm and c.distance_mm:
                self.millimetres.add(xy, rows.pair(c.gaze_mm), rows.numbers[c.distance_mm])
        pupil = {}
        for eye, name in c.pupil.items():
            values = rows.numbers[name]
            pupil[eye] = np.where((values > 0) & usable.get(eye, everyone), values, np.nan)
        if "both" in c.gaze:
            pupil["both"] = mean_of_known(list(pupil.values()), rows.n)
        for eye in pupil.keys() & c.gaze.keys():
            self.gathered.add({f"pupil {eye}": pupil[eye]})

    def _note_codes(self, xy: FloatArray) -> None:
        """What is written where an eye was not found: minus the size of the screen."""
        if len(xy):
            places, n = np.unique(xy, axis=0, return_counts=True)
            top = int(n.argmax())
            self.lost_codes[(float(-places[top, 0]), float(-places[top, 1]))] += int(n[top])

    def _is_code(self, xy: FloatArray) -> BoolArray:
        """Places that mean "lost" whatever the validity says, or where it was not exported."""
        size = screen_size(self.layout.first_of("Recording resolution", "Screen resolution"))
        coded: BoolArray = (xy == -1).all(axis=1)
        return coded if size is None else coded | (xy == [-size[0], -size[1]]).all(axis=1)
