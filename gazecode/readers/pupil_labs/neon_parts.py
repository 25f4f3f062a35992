"""Which recordings of a Pupil Cloud file are read, on which clock, and their sections as trials.

A file may hold many recordings, of one person or of several, made one after the other or at the
same time. Gaze of two people must never lie interleaved on one clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Trial
from gazecode.readers.pupil_labs.shared import Findings, file_beside
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import read_delimited
from gazecode.readers.tools.trials import unique_names
from gazecode.units import step_ms

__all__ = ["Choice", "Section", "choose", "is_stamp", "section_trials", "sections_beside"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.signedinteger[Any]]
BoolArray = npt.NDArray[np.bool_]

RECORDING, SECTION = "recording id", "section id"
_FAR_NS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A row of ``sections.csv``: a stretch of one recording between two events."""

    recording: str
    recording_name: str = ""
    wearer: str = ""
    wearer_name: str = ""
    start_event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The recordings that are read: their ids in order of time, none if the file names none."""

    first: int
    ids: tuple[str, ...] = ()

    def ms(self, ns: IntArray) -> FloatArray:
        """``(n,)`` ms from the first stamp of gaze, NaN where there is no stamp."""
        timed = is_stamp(ns)
        if timed.all():
            return (ns - self.first) / 1e6
        return np.where(timed, (np.where(timed, ns, self.first) - self.first) / 1e6, np.nan)

    def holds(self, owner: IntArray | None, names: Sequence[str]) -> BoolArray | None:
        """``(n,)`` which rows are of these recordings; None where that is all of them."""
        if not self.ids or owner is None or set(names) <= set(self.ids):
            return None
        return np.array([name in self.ids for name in names], dtype=np.bool_)[owner]


def is_stamp(ns: IntArray) -> BoolArray:
    """``(n,)`` whether a number may be ns since 1970."""
    return (ns > 0) & (ns < _FAR_NS)


def sections_beside(source: Source, word: str, said: Findings) -> dict[str, Section]:
    """Section id → what ``sections.csv`` says of it; empty where it does not lie beside."""
    path = file_beside(source, word, "sections")
    if path is None:
        return {}
    optional = ("recording name", "wearer id", "wearer name", "start event name")
    frame = read_delimited(
        Source(path).blocks(),
        name=path.name,
        columns={SECTION: str, RECORDING: str},
        optional=dict.fromkeys(optional, str),
        counts=said.counts,
        quoted=True,
        cut_row="count",
    )
    cells = {
        name: frame[name].astype(str) if name in frame else [""] * len(frame) for name in optional
    }
    rows = zip(frame[SECTION], frame[RECORDING], *cells.values(), strict=True)
    return {
        str(section): Section(
            recording=str(recording),
            recording_name=name,
            wearer=wearer,
            wearer_name=wearer_name,
            start_event=event,
        )
        for section, recording, name, wearer, wearer_name, event in rows
    }


def choose(
    ns: IntArray,
    owner: IntArray | None,
    names: Sequence[str],
    sections: Mapping[str, Section],
    *,
    recording: str | None,
    file: str,
    said: Findings,
) -> Choice:
    """One recording, or all where that is honest; says what it did.

    Parameters
    ----------
    ns
        ``(n,)`` stamps of the file's rows.
    owner, names
        ``(n,)`` number of each row's recording, and the id of each number; None if not said.
    sections
        Of `sections_beside`.
    recording, file
        What was asked for, and the file's name.
    """
    timed = is_stamp(ns)
    if not timed.any():
        raise FormatError(
            f"{file} holds no row with a time stamp; expected ns since 1970. Export it again"
        )
    if owner is None:
        return Choice(first=int(ns[timed].min()))
    spans = _spans(ns, np.where(timed, owner, -1), names)
    taken = _taken(spans, sections, recording, file, said)
    _say_wearers(taken, sections, said)
    return Choice(first=spans[taken[0]][0], ids=taken)


def _spans(ns: IntArray, owner: IntArray, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Recording → first and last stamp, in order of the first."""
    spans = {}
    for number, name in enumerate(names):
        own = ns[owner == number]
        if len(own):
            spans[name] = (int(own.min()), int(own.max()))
    return dict(sorted(spans.items(), key=lambda item: item[1]))


def _taken(
    spans: Mapping[str, tuple[int, int]],
    sections: Mapping[str, Section],
    recording: str | None,
    file: str,
    said: Findings,
) -> tuple[str, ...]:
    ids = tuple(spans)
    if recording is not None:
        return (_named(recording, ids, sections, file),)
    if len(ids) == 1:
        return ids
    wearers = {s.wearer or s.wearer_name for s in sections.values() if s.recording in spans}
    ends = np.array([end for _, end in spans.values()])
    starts = np.array([start for start, _ in spans.values()])
    overlap = bool((starts[1:] <= np.maximum.accumulate(ends)[:-1]).any())
    if overlap or len(wearers) > 1:
        why = "overlap in time" if overlap else f"are of {len(wearers)} wearers"
        said.notes.append(
            f"{file} holds {len(ids)} recordings that {why}: the first, {ids[0]}, was opened; "
            "read(path, recording=...) names another: " + ", ".join(ids[1:])
        )
        return ids[:1]
    who = "of one wearer" if wearers else "(nothing says whether of one wearer)"
    said.notes.append(
        f"{file} holds {len(ids)} recordings {who}, which do not overlap: they are on one clock, "
        "with a trial for every section; read(path, recording=...) opens one of them"
    )
    return ids


def _named(recording: str, ids: tuple[str, ...], sections: Mapping[str, Section], name: str) -> str:
    named = {s.recording for s in sections.values() if s.recording_name == recording}
    found = [i for i in ids if i == recording or i in named] or [
        i for i in ids if recording and i.startswith(recording)
    ]
    if len(found) != 1:
        raise ParameterError(
            f"{name}: {len(found)} recordings are called {recording!r}; it holds {', '.join(ids)}"
        )
    return found[0]


def _say_wearers(taken: tuple[str, ...], sections: Mapping[str, Section], said: Findings) -> None:
    names = {s.wearer_name or s.wearer for s in sections.values() if s.recording in taken} - {""}
    if len(names) == 1:
        said.extra["participant"] = names.pop()


def section_trials(
    t_ms: FloatArray,
    owner: IntArray,
    names: Sequence[str],
    sections: Mapping[str, Section],
    *,
    ids: Sequence[str],
    said: Findings,
) -> list[Trial]:
    """A trial for every section, by the rows that name it; called like its start event.

    A row belongs to the section it names: the first gaze of one may come before its event. The
    name of a recording is a date and names nothing here.

    Parameters
    ----------
    t_ms
        ``(n,)`` ms, NaN where a row has no stamp.
    owner, names
        ``(n,)`` number of each row's section, and the id of each number.
    ids
        The recordings read.
    """
    timed = np.isfinite(t_ms)
    step = step_ms(t_ms if timed.all() else t_ms[timed])
    stretches = []
    for number, section in enumerate(names):
        t = t_ms[timed & (owner == number)]
        if len(t):
            stretches.append((float(t.min()), float(t.max()), section, len(t)))
    stretches.sort()
    called = unique_names(_trial_name(sections, section) for _, _, section, _ in stretches)
    onsets = np.array([onset for onset, *_ in stretches])
    trials = []
    for name, (onset, last, _, _) in zip(called, stretches, strict=True):
        later = onsets[onsets > last]
        end = last + (1.5 * step if step > 0 else 1.0)
        trials.append(Trial(name=name, onset_ms=onset, offset_ms=min([end, *later[:1].tolist()])))
    said.extra["sections"] = [
        {"trial": name, "section": section, "n_samples": n}
        for name, (_, _, section, n) in zip(called, stretches, strict=True)
    ]
    empty = {i for i, s in sections.items() if s.recording in ids}
    empty -= {section for _, _, section, _ in stretches}
    if empty:
        said.notes.append(f"{len(empty)} sections of sections.csv have no gaze")
    return trials


def _trial_name(sections: Mapping[str, Section], section_id: str) -> str:
    event = sections[section_id].start_event if section_id in sections else ""
    return event if event not in ("", "recording.begin") else f"section {section_id[:8]}"
