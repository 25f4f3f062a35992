"""What the lines of an EyeLink ``.asc`` say besides samples: blocks, messages, events, checks."""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from gazecode.model import Events
from gazecode.readers.eyelink.asc_checks import Checks

__all__ = ["KNOWN", "Block", "Header", "Log", "device_events", "read_log"]

KNOWN = frozenset(
    {
        *("MSG", "START", "END", "SAMPLES", "EVENTS", "PRESCALER", "VPRESCALER", "PUPIL"),
        *("SFIX", "EFIX", "SSACC", "ESACC", "SBLINK", "EBLINK", "INPUT", "BUTTON"),
    }
)
_KINDS = {"EFIX": "fixation", "ESACC": "saccade", "EBLINK": "blink"}
_N_POSITIONS = {"EFIX": 2, "ESACC": 4, "EBLINK": 0}
"""A fixation has x y pupil; a saccade x y at its start, x y at its end, size and speed."""
_STARTS = {"SFIX": "EFIX", "SSACC": "ESACC", "SBLINK": "EBLINK"}
_EYES = {"L": "left", "R": "right"}
_MESSAGE = re.compile(r"MSG\s+(\d+(?:\.\d*)?)\s?(.*)", re.DOTALL)
_RECCFG = re.compile(r"(?:RECCFG|!MODE RECORD) \S+ (\d+(?:\.\d+)?)\b")
_EVENT_COLUMNS = 9
_LONGEST_NOTE = 1 << 16
"""More text than this after one message is no calibration's, and is counted, not kept."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a block says of the sample lines that follow, from the sample `row` on."""

    row: int
    eyes: tuple[str, ...]
    plane: str = "GAZE"
    rate_hz: float = math.nan


@dataclass(kw_only=True)
class Block:
    """``START`` .. ``END``, in the tracker's ms and in sample rows; a cut file has no end."""

    row: int
    start: float
    end: float = math.nan
    rate_hz: float = math.nan
    end_row: int | None = None


@dataclass
class Log:
    """Everything but the samples, on the tracker's clock.

    Messages and events are many: their numbers are kept in flat arrays.
    """

    message_t: "array[float]" = field(default_factory=lambda: array("d"))
    message_text: list[str] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    events: "array[float]" = field(default_factory=lambda: array("d"))
    event_plane: str = "GAZE"
    pupil: str = ""
    tracker: str = ""
    checks: Checks = field(default_factory=Checks)
    line_counts: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    in_block: bool = False
    _rate_hz: float = math.nan
    _follows: int = 0

    def add(self, row: int, line: str) -> None:
        """Take in one line, before which `row` samples stand."""
        words = line.split(None, 1)
        kind = words[0] if words else ""
        if kind not in KNOWN:
            self._add_unknown(line)
            return
        self.line_counts[kind] += 1
        try:
            if kind == "MSG":
                self._add_message(line)
            else:
                self._add_known(kind, row, line.split())
        except (ValueError, LookupError):
            self.malformed[f"malformed_{kind}"] += 1

    def _add_known(self, kind: str, row: int, words: list[str]) -> None:
        if kind in _KINDS:
            self._add_event(kind, words)
        elif kind == "START":
            self.in_block = True
            self.blocks.append(Block(row=row, start=float(words[1]), rate_hz=self._rate_hz))
            # A file may lack the SAMPLES line; START names the eyes too.
            self._add_header(Header(row=row, eyes=_eyes(words), rate_hz=self._rate_hz))
        elif kind == "END":
            self.in_block = False
            if self.blocks:
                self.blocks[-1].end, self.blocks[-1].end_row = float(words[1]), row
        elif kind == "SAMPLES":
            rate = _rate(words)
            header = Header(
                row=row,
                eyes=_eyes(words),
                plane=words[1],
                rate_hz=self._rate_hz if math.isnan(rate) else rate,
            )
            self._add_header(header)
            if self.blocks:
                self.blocks[-1].rate_hz = header.rate_hz
        elif kind == "EVENTS":
            self.event_plane = words[1]
        elif kind == "PUPIL":
            self.pupil = words[1].lower()

    def _add_header(self, header: Header) -> None:
        # START and SAMPLES of one block: the later line says more.
        if self.headers and self.headers[-1].row == header.row:
            self.headers.pop()
        self.headers.append(header)

    def _add_message(self, line: str) -> None:
        found = _MESSAGE.fullmatch(line)
        if not found:
            raise ValueError(line)
        t, text = float(found[1]), found[2].strip()
        self.message_t.append(t)
        self.message_text.append(text)
        self._follows = 0
        self.checks.add(t, text)
        if configured := _RECCFG.match(text):
            self._rate_hz = float(configured[1])

    def _add_event(self, kind: str, words: list[str]) -> None:
        # A dot stands for an unknown value; the stamps have to be known.
        eye, start, end = "LR".index(words[1]), float(words[2]), float(words[3])
        if not (end >= start and math.isfinite(end)):
            raise ValueError(words)
        n = _N_POSITIONS[kind]
        place = [math.nan if word == "." else float(word) for word in words[5 : 5 + n]]
        place += [math.nan] * (4 - len(place))
        rate = self.headers[-1].rate_hz if self.headers else math.nan
        self.events.extend((list(_KINDS).index(kind), eye, start, end, rate, *place))

    def _add_unknown(self, line: str) -> None:
        if line.startswith("**"):
            version = re.match(r"\*\* (EYELINK [^*]*v\d\S*(?: \w+ +\d+ \d{4})?)", line)
            self.tracker = version[1] if version else self.tracker
            self.line_counts["**"] += 1
            return
        # The numbers that follow a !CAL message belong to it; after any other they are strays.
        text = self.message_text[-1] if self.message_text else ""
        if not text.startswith("!CAL") or self._follows + len(line) > _LONGEST_NOTE:
            self.malformed["unknown_lines"] += 1
            return
        self.line_counts["continuation"] += 1
        self._follows += len(line)
        self.message_text[-1] = f"{text}\n{line}"

    def counts(self) -> dict[str, int]:
        """Lines that could not be used: malformed ones, events without their end."""
        open_events = {
            f"unfinished_{_KINDS[end]}": self.line_counts[start] - self.line_counts[end]
            for start, end in _STARTS.items()
        }
        return {key: n for key, n in {**self.malformed, **open_events}.items() if n > 0}

    def rates_hz(self) -> list[float]:
        """Stated rates, each once."""
        return sorted({h.rate_hz for h in self.headers if h.rate_hz > 0})


def read_log(others: Iterable[tuple[int, str]]) -> Log:
    r"""Read the lines that are not samples, in order.

    >>> log = read_log([(0, "MSG\t7 TRIALID 3"), (0, "START\t8 \tLEFT\tSAMPLES\tEVENTS")])
    >>> list(log.message_t), log.message_text, log.blocks[0].start, log.headers[0].eyes
    ([7.0], ['TRIALID 3'], 8.0, ('left',))
    """
    log = Log()
    for row, line in others:
        log.add(row, line)
    return log


def _eyes(words: list[str]) -> tuple[str, ...]:
    eyes = tuple(eye for eye in ("left", "right") if eye.upper() in words)
    if not eyes:
        raise ValueError(words)
    return eyes


def _rate(words: list[str]) -> float:
    return float(words[words.index("RATE") + 1]) if "RATE" in words else math.nan


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
    if not log.events:
        return Events.empty()
    rows = np.frombuffer(log.events, dtype=np.float64).reshape(-1, _EVENT_COLUMNS)
    kind, eye, start, last, rate = rows[:, :5].T
    offset = last - origin + 1000 / np.where(rate > 0, rate, 1000 / step_ms)
    order = np.lexsort((offset, start))
    kinds, eyes = np.array(list(_KINDS.values()), object), np.array(list(_EYES.values()), object)
    return Events(
        kind=kinds[kind[order].astype(np.int64)],
        eye=eyes[eye[order].astype(np.int64)],
        onset_ms=start[order] - origin,
        offset_ms=offset[order],
        xy_px=rows[order, 5:7],
        end_xy_px=rows[order, 7:9],
    )
