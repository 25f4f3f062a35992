"""Rows of a Data Viewer report, gathered by name: one participant's, each with its trial."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.readers.source import Source
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.trials import unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EYE", "NONE", "SIDES", "Request", "Rows", "load"]

PERSON, TRIAL, TRIAL_LABEL = "RECORDING_SESSION_LABEL", "TRIAL_INDEX", "TRIAL_LABEL"
EYE = "EYE_USED"
SIDES = {"left": "LEFT", "right": "RIGHT"}
NONE = ("", ".")
"""How a text cell says that there is nothing."""
_NAME = re.compile(r"(?:fix|sac|sample)[a-z]*_?-?report[s]?[_-](.+)", re.IGNORECASE)
_LISTED = 20
_MAX_WHOLE = 1 << 31


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted of which report; `shown` is the column with what was shown in a trial."""

    source: Source
    columns: list[str]
    shown: str | None = None
    participant: str | None = None


@dataclass(eq=False)
class Rows:
    """What was gathered: columns of numbers, ``trial`` and ``side``, and what these stand for.

    Attributes
    ----------
    gathered
        The columns asked for; ``trial`` ``(n,)`` number of each row's trial, in the order of the
        file; where the eye is said, ``side`` ``(n,)``: 1 left, 2 right, 0 neither alone.
    trials
        Of each trial: what the report calls it, and what was shown (None if it does not say).
    said
        Who it is, and which session, as far as the report says it.
    """

    gathered: Gathered
    trials: list[tuple[str, str | None]]
    said: dict[str, Any]

    def names(self, trials: npt.NDArray[np.int64]) -> tuple[list[str], list[str | None]]:
        """Names, each once, and stimuli of some trials."""
        some = [self.trials[i] for i in trials.tolist()]
        return unique_names(name for name, _ in some), [shown for _, shown in some]


@dataclass
class _Taker:
    """Takes out of each block what is wanted, and remembers the texts."""

    asked: Request
    numbers: list[str]
    whole: list[str]
    texts: list[str]
    people: dict[str, None] = field(default_factory=dict)
    trials: dict[tuple[str, ...], int] = field(default_factory=dict)

    def take(self, frame: "pd.DataFrame") -> Mapping[str, Any]:
        """The columns of one block."""
        if PERSON in frame:
            labels = frame[PERSON].cat.remove_unused_categories()
            self.people |= dict.fromkeys(str(person) for person in labels.cat.categories)
            if self.asked.participant is not None:
                frame = frame[(labels == self.asked.participant).to_numpy()]
        taken: dict[str, Any] = {n: frame[n].to_numpy() for n in self.numbers if n in frame}
        taken |= {n: frame[n] for n in self.texts if n in frame}
        taken |= {n: _whole(frame[n].to_numpy()) for n in self.whole if n in frame}
        if EYE in frame:
            taken["side"] = _sides(frame[EYE])
        return {**taken, "trial": self._trials(frame)}

    def _trials(self, frame: "pd.DataFrame") -> npt.NDArray[np.int32]:
        by = [c for c in (TRIAL, TRIAL_LABEL, self.asked.shown) if c and c in frame]
        if not by or not len(frame):
            self.trials.setdefault((), 0)
            return np.zeros(len(frame), dtype=np.int32)
        number = np.zeros(len(frame), dtype=np.int64)
        for column in by:
            number = number * len(frame[column].cat.categories) + frame[column].cat.codes.to_numpy()
        # Rows of one trial mostly follow one another: the texts of each run are looked at once.
        first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
        keys = zip(*(frame[column].iloc[first].astype(str) for column in by), strict=True)
        known = [self.trials.setdefault(key, len(self.trials)) for key in keys]
        lengths = np.diff(np.append(first, len(number)))
        return np.repeat(np.array(known, dtype=np.int32), lengths)

    def named(self) -> list[tuple[str, str | None]]:
        """Name and stimulus of each trial."""
        by = [c for c in (TRIAL, TRIAL_LABEL, self.asked.shown) if c in self.asked.columns]
        found = []
        for key in self.trials:
            cells = dict(zip(by, key, strict=False))
            shown = cells.get(self.asked.shown or "")
            found.append((key[0] if key else "1", None if shown in NONE else shown))
        return found


def load(
    asked: Request,
    needed: Mapping[str, type],
    optional: Mapping[str, type],
    counts: Counter[str],
) -> Rows:
    """Gather columns by name; a column that is there twice is nobody's.

    ``int`` stands for small whole numbers, -1 where there is none.
    """
    source = asked.source
    own = (PERSON, TRIAL, TRIAL_LABEL, EYE, *([asked.shown] if asked.shown else []))
    wanted = {**dict.fromkeys(own, str), **optional}
    kinds = {**needed, **optional}
    taker = _Taker(
        asked=asked,
        numbers=[name for name, kind in kinds.items() if kind is float],
        whole=[name for name, kind in kinds.items() if kind is int],
        texts=[name for name, kind in kinds.items() if kind is str],
    )
    # Whole numbers are small here, and a study's tools may have written them as 3.0.
    needed = {name: float if kind is int else kind for name, kind in needed.items()}
    wanted = {name: float if kind is int else kind for name, kind in wanted.items()}
    gathered = gather(
        source.blocks(),
        take=taker.take,
        name=source.name,
        columns=needed,
        optional={name: k for name, k in wanted.items() if asked.columns.count(name) == 1},
        counts=counts,
        quoted=b'"' in source.head,
    )
    return Rows(gathered, taker.named(), _whose(asked, list(taker.people)))


def _whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Numbers of areas and the like; -1 where there is none, or none that can be."""
    valid = (values >= 0) & (values < _MAX_WHOLE)
    return np.where(valid, values, -1).astype(np.int32)


def _sides(column: "pd.Series") -> npt.NDArray[np.int8]:
    words = {"LEFT": 1, "L": 1, "RIGHT": 2, "R": 2}
    numbers = [words.get(str(c).strip().upper(), 0) for c in column.cat.categories]
    return np.array([*numbers, 0], dtype=np.int8)[column.cat.codes.to_numpy()]


def _whose(asked: Request, people: list[str]) -> dict[str, Any]:
    name = asked.source.path.name
    if asked.participant is None and len(people) > 1:
        raise FormatError(
            f"{name} holds {len(people)} recordings ({', '.join(people[:3])}, ...); say which with "
            f"read(path, participant={people[0]!r})"
        )
    if asked.participant is not None and asked.participant not in people:
        raise ParameterError(
            f"no participant {asked.participant!r} in {name}; it holds "
            f"{', '.join(people[:_LISTED]) or 'no labels'}"
        )
    found = _NAME.search(asked.source.path.stem)
    of_file, _, session = (found[1] if found else "").partition(" ")
    who = asked.participant or (people[0] if people else of_file)
    return {"participant": who, **({"session": session} if session else {})}
