"""Eyekit JSON (Carr): fixation sequences of many trials and people in one document.

``{trial: {participant_id, passage_id, ..., "fixations": {"__FixationSequence__": [{x, y, start,
end, discarded?}, ...]}}}``, ms and px; a document of one sequence alone is read, too. Each trial
has its own clock. What Eyekit calls discarded was taken out by hand or by its cleaning: it is left
out here and counted, unless it is asked for.

Carr et al. 2022, doi:10.3758/s13428-021-01554-0. Files of Eyekit's TextBlocks hold no gaze.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.fixations import (
    FixationTable,
    FloatArray,
    IntArray,
    recording_of_fixations,
)
from gazecode.readers.tools.json_rows import json_rows

__all__ = ["READER", "read", "sniff"]

_KEY = "__FixationSequence__"
_TEXT = b'"__TextBlock__"'
_FIELDS = ("start", "end", "x", "y")
_MAX_DEPTH = 8


def sniff(source: Source) -> bool:
    """Whether it is JSON in which Eyekit marks a sequence of fixations or a text."""
    head = source.head
    return head.lstrip()[:1] == b"{" and (f'"{_KEY}"'.encode() in head or _TEXT in head)


def read(
    source: Source, *, participant: str | None = None, keep_discarded: bool = False
) -> Recording:
    """Read all trials of a document, or those of one person.

    Parameters
    ----------
    source
        Eyekit JSON.
    participant
        Only the trials of this ``participant_id``.
    keep_discarded
        Whether fixations marked as discarded stay.

    Returns
    -------
    Recording
        No samples; `device_events` are the fixations, trials one after another. ``provenance``
        says `participants`, trial → person.
    """
    counts: Counter[str] = Counter()
    columns, numbers, document = _columns(source, counts, keep_discarded=keep_discarded)
    trials = list(_sequences(document, ()))
    if not trials:
        what = "a text" if _TEXT in source.head else "no sequence of fixations"
        raise FormatError(
            f"{source.name} holds {what} of Eyekit and no gaze; open the file with the fixations "
            f"({_KEY}) of the same study"
        )
    kept = [i for i, t in enumerate(trials) if participant in (None, t["participant"])]
    if not kept:
        people = sorted({t["participant"] for t in trials})
        raise ParameterError.unknown(f"participants of {source.name}", participant, people)
    place = np.full(1 + max(t["number"] for t in trials), -1, dtype=np.int32)
    place[[trials[i]["number"] for i in kept]] = np.arange(len(kept))
    trial = place[numbers]
    rows: slice | IntArray = slice(None) if (trial >= 0).all() else np.flatnonzero(trial >= 0)
    counts["other_participant"] += int((trial < 0).sum())
    table = FixationTable(
        trial=trial[rows],
        names=[trials[i]["name"] for i in kept],
        stimuli=[trials[i]["stimulus"] for i in kept],
        people=[trials[i]["participant"] for i in kept],
        onset_ms=columns[rows, 0].copy(),
        offset_ms=columns[rows, 1].copy(),
        xy_px=columns[rows, 2:].copy(),
    )
    del columns, numbers, trial
    return recording_of_fixations(
        table,
        clock="start and end, ms",
        counts=counts,
        provenance={"keep_discarded": keep_discarded},
        notes=["whether positions are corrected for drift is not in the file"],
    )


def _columns(
    source: Source, counts: Counter[str], *, keep_discarded: bool
) -> tuple[FloatArray, npt.NDArray[np.int32], Any]:
    """``(n, 4)`` start, end, x, y; the number of each row's sequence; the document."""
    values = array("d")
    sizes: Counter[int] = Counter()

    def take(number: int, rows: list[Any]) -> None:
        kept = [r for r in rows if keep_discarded or not r.get("discarded")]
        counts["discarded"] += len(rows) - len(kept)
        # Without both times a row can be no fixation; millions of empty ones would fill the memory.
        timed = [r for r in kept if "start" in r and "end" in r]
        counts["no_interval"] += len(kept) - len(timed)
        for row in timed:
            values.extend(_number(row.get(field)) for field in _FIELDS)
        sizes[number] += len(timed)

    document = json_rows(source.chunks(), key=_KEY, opens=b"{", rows=take, name=source.name)
    columns = np.frombuffer(values, dtype=np.float64).reshape(-1, len(_FIELDS))
    numbers = np.fromiter(sizes.keys(), dtype=np.int32, count=len(sizes))
    return columns, np.repeat(numbers, list(sizes.values())), document


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _sequences(node: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every sequence in the document: its number, and what stands beside it."""
    if not isinstance(node, dict) or len(path) > _MAX_DEPTH:
        return
    for key, value in node.items():
        inner = value.get(_KEY) if isinstance(value, dict) else None
        if key == _KEY and isinstance(value, int):
            yield _trial(value, "trial", {})
        elif isinstance(inner, int):
            name = path[-1] if path else key
            yield _trial(inner, name, node if path else {})
        else:
            yield from _sequences(value, (*path, str(key)))


def _trial(number: int, name: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    passage = beside.get("passage_id")
    return {
        "number": number,
        "name": name,
        "participant": str(beside.get("participant_id", "")),
        "stimulus": None if passage is None else str(passage),
    }


READER = Reader(
    name="eyekit",
    title="Eyekit JSON (fixation sequences, several trials and people)",
    sniff=sniff,
    read=read,
    suffixes=(".json",),
    priority=10,
)
