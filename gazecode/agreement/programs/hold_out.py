"""Who teaches and who is predicted: no program sees the file it predicts, or those who read it.

A program gives one map per file, and that map meets everybody who read the file. So what it knows
may come from other files only, read by people who read neither the file nor a near-duplicate of it
(`Observed.group`; one text under two names is one group in any case). Where everybody read
everything nobody is left: then, for all files, one half of the people teaches and the other half
alone is scored. Nothing is mixed: one rule holds for a whole table, and the table says which.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from gazecode.agreement.programs.known import Known, Tally
from gazecode.agreement.programs.observed import Observed
from gazecode.errors import DataError, ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray

__all__ = ["HoldOut", "Plan", "plan", "plan_for_model"]

HoldOut = Literal["both", "people", "files"]

_FEWEST = 2
"""People who teach a file, at least: one is an idiosyncrasy, not what people do."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Who is scored, and what programs know of each file.

    Attributes
    ----------
    scored
        Readings that programs are scored on; of each file and person one.
    known
        Per file of these.
    rule
        What was held out, in words.
    n_teachers_only
        Readings that taught and are not scored.
    """

    scored: tuple[Observed, ...]
    known: Mapping[str, Known]
    rule: str
    n_teachers_only: int = 0


def plan(readings: Sequence[Observed], hold_out: HoldOut, seed: int) -> Plan:
    """Decide who teaches what.

    Raises
    ------
    ParameterError
        Another word than "both", "people", "files".
    DataError
        No reading.
    """
    if hold_out not in get_args(HoldOut):
        raise ParameterError.unknown("ways to hold out", hold_out, get_args(HoldOut))
    if not readings:
        raise DataError("no readings; expected at least one person on one file")
    readings = _one_group_per_text(readings)
    tally = Tally.of(readings)
    group = np.array([reading.group for reading in readings])
    person = np.array([reading.person for reading in readings])
    if hold_out == "files":
        return _planned(tally, {g: group != g for g in set(group)}, _ALL_PEOPLE)
    if hold_out == "both":
        others = {g: (group != g) & ~np.isin(person, person[group == g]) for g in set(group)}
        if min(len(set(person[rows])) for rows in others.values()) >= _FEWEST:
            return _planned(tally, others, _NON_READERS)
    teaches = np.isin(person, list(_teachers(person, seed)))
    held = {g: teaches & ((group != g) | (hold_out == "people")) for g in set(group)}
    return _planned(tally, held, _RULES[hold_out], scored=~teaches)


def _one_group_per_text(readings: Sequence[Observed]) -> list[Observed]:
    """The same readings; groups that have a text in common, token by token, are one group."""
    head = {reading.group: reading.group for reading in readings}

    def first(group: str) -> str:
        while head[group] != group:
            group = head[group]
        return group

    of_text: dict[tuple[str, ...], str] = {}
    text = {reading.source: tuple(reading.tokens.texts) for reading in readings}
    for reading in readings:
        group = first(reading.group)
        head[group] = first(of_text.setdefault(text[reading.source], group))
    return [replace(reading, group=first(reading.group)) for reading in readings]


_OF_PEOPLE = "files: learnt from what people looked at in other files"
_OF_TEXTS = "files: learnt from the texts of other files; nothing of people"
_ALL_PEOPLE = "files: learnt from other files, read by anybody"
_NON_READERS = "both: learnt from other files, read by people who did not read this one"
_RULES = {
    "both": "both: everybody read everything, so one half of the people taught on other files "
    "and the other half was scored",
    "people": "people: one half of the people taught, on any file, and the other half was scored",
}


def _planned(
    tally: Tally, taught: Mapping[str, BoolArray], rule: str, *, scored: BoolArray | None = None
) -> Plan:
    kept = [r for i, r in enumerate(tally.readings) if scored is None or scored[i]]
    of_group = {group: tally.known(rows) for group, rows in taught.items()}
    return Plan(
        scored=tuple(kept),
        known={reading.source: of_group[reading.group] for reading in kept},
        rule=rule,
        n_teachers_only=len(tally.readings) - len(kept),
    )


def _teachers(person: Sequence[str] | np.ndarray, seed: int) -> set[str]:
    """Half of the people, the smaller one, by a hash of seed and name: no order plays a part."""
    names = sorted(
        {str(name) for name in person},
        key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest(),
    )
    return set(names[: len(names) // 2])


def plan_for_model(tokens: Mapping[str, SourceTokens], readings: Sequence[Observed]) -> Plan:
    """What programs know of each file where a model is explained: people on other files.

    The files' texts are known beside, other files' alone, whether people read them or not. The
    model is scored as one reader, who was shown every token.
    """
    group = {reading.source: reading.group for reading in readings}
    blank = [
        Observed(
            person="",
            source=file,
            tokens=of_file,
            value=np.full(len(of_file), np.nan),
            group=group.get(file, ""),
        )
        for file, of_file in sorted(tokens.items())
    ]
    tally = Tally.of(
        _one_group_per_text([*readings, *(one for one in blank if one.source not in group)])
    )
    groups = np.array([reading.group for reading in tally.readings])
    own = {reading.source: reading.group for reading in tally.readings}
    return Plan(
        scored=tuple(replace(one, value=np.zeros(len(one.value))) for one in blank),
        known={one.source: tally.known(groups != own[one.source]) for one in blank},
        rule=_OF_PEOPLE if readings else _OF_TEXTS,
    )
