"""Which readings are counted, and what is known of each."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import repeat
from typing import Any, TypeAlias

from gazecode.errors import DataError, ParameterError
from gazecode.model import Hits, SourceTokens
from gazecode.model.groups import source_group
from gazecode.model.priors import MIN_SHIFTS
from gazecode.priors.cells import participant_id
from gazecode.priors.content import CHANCE, WITHOUT, Content
from gazecode.priors.fit import Rules, cells_of
from gazecode.priors.reading import Reading

__all__ = ["Found", "Trial", "counted", "paired", "selected"]

Trial: TypeAlias = Reading | tuple[SourceTokens, Hits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A reading, and what is known of where it came from.

    Attributes
    ----------
    source_group
        Digest of the tokens of its source (`gazecode.model.groups`); "" where nobody says.
    trial
        What its run calls the trial; "" for one in memory.
    few_shifts
        Circular shifts behind its chance if they were too few, so that it is taken as unknown.
    """

    reading: Reading
    source_group: str = ""
    trial: str = ""
    few_shifts: int = 0


@dataclass
class Said:
    """What is gathered of readings while they pass."""

    studies: set[str] = field(default_factory=set)
    group_of: set[tuple[str, str]] = field(default_factory=set)
    few_shifts: Counter[int] = field(default_factory=Counter)

    @property
    def notes(self) -> list[str]:
        """Chance that is none, in words."""
        return [
            f"{CHANCE} of {n} readings was computed from {shifts} shifts: it is taken as unknown, "
            f"for at least {MIN_SHIFTS} are needed"
            for shifts, n in sorted(self.few_shifts.items())
        ]


def paired(
    trials: Iterable[Trial],
    *,
    study: str = "",
    participants: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> Iterator[Found]:
    """Readings of tokens and hits, with what parallel lists say of each.

    Raises
    ------
    ParameterError
        A list of another length than there are trials.
    """
    about = {"participant": participants, "source": sources, "task": tasks, "group": groups}
    known = {name: list(values) for name, values in about.items() if values is not None}
    trials = list(trials) if known else trials
    for name, values in known.items():
        if len(values) != len(list(trials)):
            raise ParameterError(
                f"{name}s has {len(values)} entries for {len(list(trials))} readings; give one each"
            )
    rows = zip(*known.values(), strict=True) if known else repeat(())
    for trial, row in zip(trials, rows, strict=False):
        said: dict[str, Any] = {"study": study, **dict(zip(known, map(str, row), strict=True))}
        if isinstance(trial, Reading):
            yield Found(reading=replace(trial, **{k: value for k, value in said.items() if value}))
        else:
            tokens, hits = _checked(trial)
            yield Found(reading=Reading.of(tokens, hits, **said), source_group=source_group(tokens))


def _checked(trial: object) -> tuple[SourceTokens, Hits]:
    if isinstance(trial, tuple) and len(trial) == 2:
        tokens, hits = trial
        if isinstance(tokens, SourceTokens) and isinstance(hits, Hits):
            return tokens, hits
    raise DataError(
        f"found a {type(trial).__name__} to fit on; expected pairs (tokens, hits) or Readings"
    )


def counted(
    readings: Iterable[Found],
    *,
    rules: Rules,
    name: str,
    task: str | None = None,
    group: str | None = None,
    leave_out: str | Iterable[str] | None = None,
) -> Content:
    """Count readings of one task or group, without some people; say what was chosen.

    Raises
    ------
    DataError
        No reading is left.
    ParameterError
        No reading is of that task, group or person.
    """
    without = _listed(leave_out)
    said = Said()
    kept = selected(readings, task=task, group=group, leave_out=without, said=said)
    cells = cells_of(kept, rules)
    if not len(cells):
        raise DataError("there is no reading to fit on; give at least one (tokens, hits)")
    chosen = (("task", task), ("group", group))
    notes = [f"only {key} {value}" for key, value in chosen if value is not None] + said.notes
    # A name must not get into the file, not even of somebody who was left out.
    ids = sorted({participant_id(person, study) for person in without for study in said.studies})
    return Content(
        cells=cells,
        name=name,
        studies=tuple(sorted(said.studies)),
        group_of=frozenset(said.group_of),
        details={
            "parts": [name],
            "rules": [json.loads(json.dumps(asdict(rules)))],
            "notes": [*notes, *(WITHOUT + person for person in ids)],
            "set_aside": {},
        },
    )


def selected(
    readings: Iterable[Found],
    *,
    task: str | None = None,
    group: str | None = None,
    leave_out: Sequence[str] = (),
    said: Said,
) -> Iterator[Reading]:
    """Readings of one task or group, without some people; fills `said` on the way.

    Raises
    ------
    ParameterError
        At the end, if no reading was of that task, group or person: a name misspelt must not
        give priors of everybody, or of nobody.
    """
    tasks: set[str] = set()
    groups: set[str] = set()
    people: set[str] = set()
    for found in readings:
        reading = found.reading
        tasks.add(reading.task)
        groups.add(reading.group)
        people.add(reading.participant)
        said.studies.add(reading.study)
        if task is not None and reading.task != task:
            continue
        if group is not None and reading.group != group:
            continue
        if reading.participant in leave_out:
            continue
        if found.source_group:
            said.group_of.add((reading.source, found.source_group))
        if found.few_shifts:
            said.few_shifts[found.few_shifts] += 1
        yield reading
    wanted = (("tasks", [task], tasks), ("groups", [group], groups), ("people", leave_out, people))
    for kind, names, there in wanted:
        for name in names:
            if name is not None and name not in there:
                raise ParameterError.unknown(f"the {kind} of the readings", name, there)


def _listed(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """One name, many, or none.

    >>> _listed("P1"), _listed(None)
    (('P1',), ())
    """
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)
