"""Trials of an EyeLink recording, from its blocks and the messages around them.

Rules, in this order, for each block ``START`` .. ``END``:

1. A file's trial messages are its ``TRIALID``; where it has none, its ``start_trial`` (OpenSesame).
2. The last trial message between the previous block and this one names the block.
3. Without one, a single trial message inside names the whole block: experiments that write it
   right after ``START`` mean the block.
4. Every other trial message inside begins a trial there. A trial that shares its block ends at
   its ``TRIAL_RESULT``, ``stop_trial`` or ``end_trial``, at the next trial message, or with the
   block.
5. A block without any continues the last trial, as "name (2)"; before the first trial message
   blocks are called "block 1", "block 2", ...

The stimulus of a trial is the file of the last ``!V IMGLOAD`` between its message and its end.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gazecode.model import Trial
from gazecode.readers.tools.trials import unique_names

__all__ = ["Stretch", "cut_trials"]

_START = re.compile(r"(TRIALID|start_trial)\b[ :]*(.*)")
_END = re.compile(r"(?:TRIAL_RESULT|stop_trial|end_trial)\b")
_IMAGE = re.compile(r"!V IMGLOAD (?:FILL|CENTER|TOP_LEFT) (.+)")
_PLACE = re.compile(r"-?\d+(?:\.\d+)?")
_LONGEST = 2000
"""No command is longer; a longer message is no trial's, and not searched."""


class Stretch(NamedTuple):
    """A block of samples, ms on the recording's clock, half-open."""

    onset_ms: float
    offset_ms: float


class _Mark(NamedTuple):
    t_ms: float
    text: str


@dataclass(frozen=True)
class _Piece:
    name: str
    onset_ms: float
    offset_ms: float
    message_ms: float


def cut_trials(
    stretches: Sequence[Stretch], messages: Sequence[tuple[float, str]]
) -> tuple[Trial, ...]:
    """Name blocks and cut them where messages say so.

    >>> blocks = [Stretch(0.0, 100.0), Stretch(500.0, 600.0)]
    >>> trials = cut_trials(blocks, [(-5.0, "TRIALID 7"), (410.0, "TRIALID 8")])
    >>> [(trial.name, trial.onset_ms, trial.offset_ms) for trial in trials]
    [('7', 0.0, 100.0), ('8', 500.0, 600.0)]
    >>> trials = cut_trials(blocks[:1], [(20.0, "TRIALID a"), (60.0, "TRIALID b")])
    >>> [(trial.name, trial.onset_ms, trial.offset_ms) for trial in trials]
    [('a', 20.0, 60.0), ('b', 60.0, 100.0)]
    """
    messages = [(t, text) for t, text in messages if len(text) <= _LONGEST]
    marks = _trial_marks(messages)
    times = [mark.t_ms for mark in marks]
    ends = sorted(t for t, text in messages if _END.match(text))
    pieces: list[_Piece] = []
    previous_end, last = -float("inf"), ""
    for number, (onset, offset) in enumerate(sorted(stretches), start=1):
        # The messages after the block before, up to this block's first ms; then those within it.
        a, b = bisect_right(times, previous_end), bisect_right(times, onset)
        before, inside = marks[a:b], marks[b : bisect_left(times, offset)]
        cuts = _cuts(onset, before, inside, last or f"block {number}")
        pieces += _cut(cuts, offset, ends)
        previous_end = offset
        last = (*before, *inside)[-1].text if before or inside else last
    names = unique_names(piece.name for piece in pieces)
    images = sorted(
        _Mark(t, _file_name(found[1]))
        for t, text in messages
        if "!V IMGLOAD" in text and (found := _IMAGE.search(text))
    )
    return tuple(
        Trial(
            name=name,
            onset_ms=piece.onset_ms,
            offset_ms=piece.offset_ms,
            stimulus=_last_image(images, piece),
        )
        for name, piece in zip(names, pieces, strict=True)
    )


def _file_name(command: str) -> str:
    """Name of an image without its folders and without the numbers that say where it was put."""
    words = command.split()
    while len(words) > 1 and _PLACE.fullmatch(words[-1]):
        words.pop()
    return re.split(r"[/\\]", " ".join(words))[-1]


def _trial_marks(messages: Sequence[tuple[float, str]]) -> list[_Mark]:
    found = [(t, match) for t, text in messages if (match := _START.match(text))]
    kinds = {match[1] for _, match in found}
    kind = "TRIALID" if "TRIALID" in kinds else "start_trial"
    marks = [_Mark(t, match[2].strip() or kind) for t, match in found if match[1] == kind]
    return sorted(marks, key=lambda mark: mark.t_ms)


def _cuts(
    onset: float, before: list[_Mark], inside: list[_Mark], continued: str
) -> list[tuple[float, float, str]]:
    """Onset, stamp of the message and name of each trial in a block."""
    if before:
        first = [(onset, before[-1].t_ms, before[-1].text)]
        return first + [(mark.t_ms, mark.t_ms, mark.text) for mark in inside]
    if len(inside) == 1:
        return [(onset, inside[0].t_ms, inside[0].text)]
    if inside:
        return [(mark.t_ms, mark.t_ms, mark.text) for mark in inside]
    return [(onset, onset, continued)]


def _cut(cuts: list[tuple[float, float, str]], offset: float, ends: list[float]) -> list[_Piece]:
    pieces = []
    for i, (onset, message_ms, name) in enumerate(cuts):
        until = cuts[i + 1][0] if i + 1 < len(cuts) else offset
        if len(cuts) > 1:
            j = bisect_right(ends, onset)
            until = min(until, ends[j]) if j < len(ends) else until
        # Two trial messages in one millisecond: only the later one has a trial.
        if until > onset:
            pieces.append(_Piece(name, onset, until, message_ms))
    return pieces


def _last_image(images: list[_Mark], piece: _Piece) -> str | None:
    i = bisect_left(images, _Mark(piece.offset_ms, ""))
    found = images[i - 1] if i else None
    return found.text if found and found.t_ms >= piece.message_ms else None
