"""Trials from pairs of events: ``ImageStart`` ... ``ImageEnd``, ``<name> IntervalStart``."""

import re
from collections.abc import Sequence

from gazecode.model import Message, Trial
from gazecode.readers.tools.trials import unique_names

__all__ = ["intervals"]

_OPENING = re.compile(
    r"^(?P<what>(?:Image|Video|Text|Web|Timeline)?Stimulus|Image|Movie|Video|PDF|URL)"
    r"(?P<end>Start|End) (?P<name>.+)$"
)
_NAMED = re.compile(r"^(?P<name>.+?)\s*Interval(?P<end>Start|End)$")


def intervals(messages: Sequence[Message], end_ms: float) -> list[Trial]:
    """Trials between events that name what began and what ended.

    One that never ends does so at `end_ms`. Intervals without a sample after 0 are none.

    >>> def at(t, text):
    ...     return Message(t_ms=t, text=text)
    >>> found = intervals([at(5, "page IntervalStart"), at(9, "ImageStimulusStart A.png")], 20.0)
    >>> [(trial.name, trial.onset_ms, trial.offset_ms) for trial in found]
    [('page', 5.0, 20.0), ('A.png', 9.0, 20.0)]
    """
    opened: dict[str, list[float]] = {}
    found: list[tuple[float, float, str]] = []
    for message in messages:
        match = _OPENING.match(message.text) or _NAMED.match(message.text)
        if match is None:
            continue
        name = match["name"].strip()
        if match["end"] == "Start":
            opened.setdefault(name, []).append(message.t_ms)
        elif opened.get(name):
            found.append((opened[name].pop(), message.t_ms, name))
    found += [(onset, end_ms, name) for name, onsets in opened.items() for onset in onsets]
    found = sorted(x for x in found if x[0] < x[1] and x[1] > 0 and x[0] < end_ms)
    names = unique_names(name for _, _, name in found)
    return [
        Trial(name=unique, onset_ms=float(onset), offset_ms=float(offset), stimulus=name)
        for unique, (onset, offset, name) in zip(names, found, strict=True)
    ]
