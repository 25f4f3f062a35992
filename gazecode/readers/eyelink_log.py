"""What the lines of an EyeLink ``.asc`` say besides samples: blocks, messages, events, checks."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gazecode.model import Events

__all__ = ["KNOWN", "Block", "Header", "Log", "device_events", "read_log"]

KNOWN = (
    *("MSG", "START", "END", "SAMPLES", "EVENTS", "PRESCALER", "VPRESCALER", "PUPIL"),
    *("SFIX", "EFIX", "SSACC", "ESACC", "SBLINK", "EBLINK", "INPUT", "BUTTON"),
)
_KINDS = {"EFIX": "fixation", "ESACC": "saccade", "EBLINK": "blink"}
_STARTS = {"SFIX": "EFIX", "SSACC": "ESACC", "SBLINK": "EBLINK"}
_EYES = {"L": "left", "R": "right"}
_MESSAGE = re.compile(r"MSG\s+(\d+(?:\.\d*)?)\s?(.*)", re.DOTALL)
_CALIBRATION = re.compile(r"!CAL CALIBRATION (\S+)\s+(\S+)\s+(LEFT|RIGHT)\s+(\S+)")
_VALIDATION = re.compile(r"!CAL VALIDATION (\S+)\s+(\S+)\s+(LEFT|RIGHT)\s+(\S+)")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_ERROR = re.compile(
    rf"ERROR {_NUMBER} avg\. {_NUMBER} max\s+OFFSET {_NUMBER} deg\.\s+{_NUMBER},{_NUMBER} pix"
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a block says of the sample lines that follow."""

    line: int
    eyes: tuple[str, ...]
    plane: str = "GAZE"
    rate_hz: float = math.nan


@dataclass(kw_only=True)
class Block:
    """``START`` .. ``END``, in the tracker's ms and in lines; a cut file has no end."""

    line: int
    start: float
    end: float = math.nan
    rate_hz: float = math.nan
    end_line: int | None = None


class DeviceEvent(NamedTuple):
    """One event line: stamps as in the file, the last sample inclusive."""

    kind: str
    eye: str
    start: float
    end: float
    values: list[float]
    rate_hz: float


@dataclass
class Log:
    """Everything but the samples, on the tracker's clock."""

    messages: list[tuple[float, str]] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    events: list[DeviceEvent] = field(default_factory=list)
    event_plane: str = "GAZE"
    pupil: str = ""
    tracker: str = ""
    calibrations: list[dict[str, Any]] = field(default_factory=list)
    validations: list[dict[str, Any]] = field(default_factory=list)
    line_counts: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)

    def add(self, number: int, line: str) -> None:
        """Take in one line."""
        kind = line.split(None, 1)[0] if line.strip() else ""
        if kind not in KNOWN:
            self._add_unknown(line)
            return
        self.line_counts[kind] += 1
        words = line.split()
        try:
            self._add_known(kind, number, line, words)
        except (ValueError, LookupError):
            self.malformed[f"malformed_{kind}"] += 1

    def _add_known(self, kind: str, number: int, line: str, words: list[str]) -> None:
        if kind == "MSG":
            self._add_message(line)
        elif kind == "START":
            self.blocks.append(Block(line=number, start=float(words[1])))
            # A file may lack the SAMPLES line; START names the eyes too.
            self.headers.append(Header(line=number, eyes=_eyes(words)))
        elif kind == "END" and self.blocks:
            self.blocks[-1].end, self.blocks[-1].end_line = float(words[1]), number
        elif kind == "SAMPLES":
            header = Header(line=number, eyes=_eyes(words), plane=words[1], rate_hz=_rate(words))
            self.headers.append(header)
            if self.blocks:
                self.blocks[-1].rate_hz = header.rate_hz
        elif kind == "EVENTS":
            self.event_plane = words[1]
        elif kind == "PUPIL":
            self.pupil = words[1].lower()
        elif kind in _KINDS:
            self._add_event(_KINDS[kind], words)

    def _add_message(self, line: str) -> None:
        found = _MESSAGE.fullmatch(line)
        if not found:
            raise ValueError(line)
        t, text = float(found[1]), found[2].strip()
        self.messages.append((t, text))
        if text.startswith("!CAL CALIBRATION"):
            self.calibrations += _check(t, _CALIBRATION, text)
        if text.startswith("!CAL VALIDATION"):
            self.validations += _check(t, _VALIDATION, text)

    def _add_event(self, kind: str, words: list[str]) -> None:
        # A dot stands for an unknown value; the stamps have to be known.
        event = DeviceEvent(
            kind=kind,
            eye=_EYES[words[1]],
            start=float(words[2]),
            end=float(words[3]),
            values=[math.nan if word == "." else float(word) for word in words[5:]],
            rate_hz=self.headers[-1].rate_hz if self.headers else math.nan,
        )
        if not event.end >= event.start:
            raise ValueError(words)
        self.events.append(event)

    def _add_unknown(self, line: str) -> None:
        if line.startswith("**"):
            version = re.match(r"\*\* (EYELINK [^*]*v\d\S*(?: \w+ +\d+ \d{4})?)", line)
            self.tracker = version[1] if version else self.tracker
            self.line_counts["**"] += 1
            return
        # The numbers that follow a !CAL message belong to it.
        self.line_counts["continuation"] += 1
        if self.messages:
            t, text = self.messages[-1]
            self.messages[-1] = (t, f"{text}\n{line}")

    def counts(self) -> dict[str, int]:
        """Lines that could not be used: malformed ones, events without their end."""
        open_events = {
            f"unfinished_{_KINDS[end]}": self.line_counts[start] - self.line_counts[end]
            for start, end in _STARTS.items()
        }
        return {key: n for key, n in {**self.malformed, **open_events}.items() if n > 0}


def read_log(others: Iterable[tuple[int, str]]) -> Log:
    r"""Read the lines that are not samples, in order.

    >>> log = read_log([(0, "MSG\t7 TRIALID 3"), (1, "START\t8 \tLEFT\tSAMPLES\tEVENTS")])
    >>> log.messages, log.blocks[0].start, log.headers[0].eyes
    ([(7.0, 'TRIALID 3')], 8.0, ('left',))
    """
    log = Log()
    for number, line in others:
        log.add(number, line)
    return log


def _eyes(words: list[str]) -> tuple[str, ...]:
    eyes = tuple(eye for eye in ("left", "right") if eye.upper() in words)
    if not eyes:
        raise ValueError(words)
    return eyes


def _rate(words: list[str]) -> float:
    return float(words[words.index("RATE") + 1]) if "RATE" in words else math.nan


def _check(t: float, pattern: re.Pattern[str], text: str) -> list[dict[str, Any]]:
    found = pattern.match(text)
    if not found:
        return []
    row: dict[str, Any] = {
        "t": t,
        "type": found[1],
        "eye": found[3].lower(),
        "result": found[4],
    }
    if error := _ERROR.search(text):
        average, largest, offset, dx, dy = (float(value) for value in error.groups())
        row |= {
            "error_avg_deg": average,
            "error_max_deg": largest,
            "offset_deg": offset,
            "offset_px": [dx, dy],
        }
    return [row]


def device_events(log: Log, *, origin: float, step_ms: float) -> Events:
    """The vendor's events as half-open intervals, sorted by onset.

    Parameters
    ----------
    origin
        Tracker stamp of ms 0.
    step_ms
        Sample interval where the file does not state a rate; the last sample of an event is
        inclusive in the file.
    """
    rows = log.events
    if not rows:
        return Events.empty()
    points = np.full((len(rows), 4), np.nan)
    for i, row in enumerate(rows):
        # A fixation has x y pupil; a saccade x y at its start, x y at its end, size and speed.
        known = row.values[: {"fixation": 2, "saccade": 4}.get(row.kind, 0)]
        points[i, : len(known)] = known
    rate = np.array([row.rate_hz for row in rows])
    onset = np.array([row.start for row in rows]) - origin
    last = np.array([row.end for row in rows]) - origin
    offset = last + np.where(rate > 0, 1000 / rate, step_ms)
    order = np.lexsort((offset, onset))
    return Events(
        kind=np.array([row.kind for row in rows], dtype=object)[order],
        eye=np.array([row.eye for row in rows], dtype=object)[order],
        onset_ms=onset[order],
        offset_ms=offset[order],
        xy_px=points[order, :2],
        end_xy_px=points[order, 2:],
    )
