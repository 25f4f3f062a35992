"""Which readings are counted, and what is known of each."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import repeat
from typing import Any, TypeAlias

from gazecode.errors import DataError, ParameterError
from gazecode.model import Hits, SourceTokens
from gazecode.priors.cells import participant_id
from gazecode.priors.content import WITHOUT, Content
from gazecode.priors.fit import Rules, cells_of
from gazecode.priors.reading import Reading

__all__ = ["Trial", "counted", "paired", "selected"]

Trial: TypeAlias = Reading | tuple[SourceTokens, Hits]


def paired(
    trials: Iterable[Trial],
    *,
    study: str = "",
    participants: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> Iterator[Reading]:
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
            yield replace(trial, **{name: value for name, value in said.items() if value})
        else:
            tokens, hits = _checked(trial)
            yield Reading.of(tokens, hits, **said)


def _checked(trial: object) -> tuple[SourceTokens, Hits]:
    if isinstance(trial, tuple) and len(trial) == 2:
        tokens, hits = trial
        if isinstance(tokens, SourceTokens) and isinstance(hits, Hits):
            return tokens, hits
    raise DataError(
        f"found a {type(trial).__name__} to fit on; expected pairs (tokens, hits) or Readings"
    )


def counted(
    readings: Iterable[Reading],
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
    studies: set[str] = set()
    kept = selected(readings, task=task, group=group, leave_out=without, studies=studies)
    cells = cells_of(kept, rules)
    if not len(cells):
        raise DataError("there is no reading to fit on; give at least one (tokens, hits)")
    chosen = (("task", task), ("group", group))
    notes = [f"only {key} {value}" for key, value in chosen if value is not None]
    # A name must not get into the file, not even of somebody who was left out.
    ids = sorted({participant_id(person, study) for person in without for study in studies})
    return Content(
        cells=cells,
        name=name,
        studies=tuple(sorted(studies)),
        details={
            "parts": [name],
            "rules": [json.loads(json.dumps(asdict(rules)))],
            "notes": [*notes, *(WITHOUT + person for person in ids)],
            "set_aside": {},
        },
    )


def selected(
    readings: Iterable[Reading],
    *,
    task: str | None = None,
    group: str | None = None,
    leave_out: Sequence[str] = (),
    studies: set[str],
) -> Iterator[Reading]:
    """Readings of one task or group, without some people; fills `studies` on the way.

    Raises
    ------
    ParameterError
        At the end, if no reading was of that task, group or person: a name misspelt must not
        give priors of everybody, or of nobody.
    """
    tasks: set[str] = set()
    groups: set[str] = set()
    people: set[str] = set()
    for reading in readings:
        tasks.add(reading.task)
        groups.add(reading.group)
        people.add(reading.participant)
        studies.add(reading.study)
        if task is not None and reading.task != task:
            continue
        if group is not None and reading.group != group:
            continue
        if reading.participant not in leave_out:
            yield reading
    wanted = (("tasks", [task], tasks), ("groups", [group], groups), ("people", leave_out, people))
    for kind, names, found in wanted:
        for name in names:
            if name is not None and name not in found:
                raise ParameterError.unknown(f"the {kind} of the readings", name, found)


def _listed(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """One name, many, or none.

    >>> _listed("P1"), _listed(None)
    (('P1',), ())
    """
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)
