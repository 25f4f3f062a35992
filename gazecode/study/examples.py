"""From token values to examples: per trial, per participant and source, or per source.

A text longer than `align.max_length` gives several, one per window.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.alignment import align, align_windows, load_tokenizer
from gazecode.errors import DataError, GazecodeError
from gazecode.measures import pool_transitions, transition_account, transitions
from gazecode.model import Example, Hits, SourceTokens, TokenWeights, Transitions
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.study.settings import RecordingTable, Study
from gazecode.weighting import pool

__all__ = ["ROUTE", "ExampleMaker"]

OnFailure = Callable[[RecordingTable, str, str, str], None]
ToldOf = Callable[[TokenWeights], TokenWeights]

ROUTE = "source_lm"
"""A study's gaze lies on the code that was read, and so does the loss."""
_SAID = (
    *("no_signal", "clipped_share", "tokens_lost", "mass_lost"),
    *("unowned_bytes", "special_in_code", "saccades_lost"),
)
"""What the alignment reports of a text that goes into ``quality.json``."""
_SAID_OF_WINDOWS = ("windows_dropped", "attention_dropped", "transitions_dropped")
"""What cutting reports at the first window of a text."""
_QUARTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}


@dataclass
class Group:
    """All readings that become one example (or the windows of one text)."""

    entry: RecordingTable
    trial: str
    tokens: SourceTokens
    weights: list[TokenWeights] = field(default_factory=list)
    hits: list[Hits] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def add(self, reading: TrialResult, person: str) -> None:
        """One more reading of the same tokens."""
        self.weights.append(reading.weights)
        self.hits.append(reading.counted)
        self.people.append(person)


class ExampleMaker:
    """Makes the examples of a study, one after another.

    Parameters
    ----------
    on_failure
        Told of every example that cannot be made: recording, trial, stage, reason.
    told
        What may be told of the values of a text; everything in an example follows from the result.

    Attributes
    ----------
    reports
        What there is to say of every example made: signal, clipping, losses, reach, transitions.
    """

    def __init__(
        self, study: Study, on_failure: OnFailure, *, told: ToldOf = lambda weights: weights
    ) -> None:
        self.study = study
        self.on_failure = on_failure
        self.told = told
        self.reports: list[dict[str, Any]] = []
        self._seen: set[str] = set()
        self._tokenizer = load_tokenizer(study.align.tokenizer)

    def examples(
        self, parts: Iterable[tuple[RecordingTable, RecordingResult]]
    ) -> Iterator[Example]:
        """Examples in the order of the study file; per trial they stream."""
        readings = ((entry, trial) for entry, result in parts for trial in result.trials)
        if self.study.weigh.per == "trial":
            groups: Iterable[Group] = (self._alone(*reading) for reading in readings)
        else:
            groups = self._grouped(readings)
        for group in groups:
            try:
                made = self._align(group)
            except GazecodeError as error:
                self.on_failure(group.entry, group.trial, "align", str(error))
                continue
            fresh = [example for example in made if example.example_id not in self._seen]
            if len(fresh) < len(made):
                reason = "the same example as one before: is the recording there twice?"
                self.on_failure(group.entry, group.trial, "align", reason)
            self._seen.update(example.example_id for example in fresh)
            account = transition_account(group.hits) if self.study.align.transitions else None
            for example in fresh:
                self.reports.append(_report(example, account))
                yield example

    def reach(self) -> dict[str, float | int]:
        """How much of the weight reaches the loss, over the examples made so far.

        ``n`` examples; ``n_neutral`` of them have no weight but 1, so that there is nothing to
        reach; ``n_inert`` have a reach of 0. Of those with a reach: ``min``, ``q25``, ``median``,
        ``q75``, ``max``, left out where there is none.
        """
        every = [report["weight_reach"] for report in self.reports]
        known = np.array([reach for reach in every if reach is not None])
        counts: dict[str, float | int] = {
            "n": len(every),
            "n_neutral": len(every) - len(known),
            "n_inert": int((known == 0).sum()),
        }
        if not len(known):
            return counts
        points = np.quantile(known, list(_QUARTILES.values())).tolist()
        return counts | dict(zip(_QUARTILES, points, strict=True))

    def _alone(self, entry: RecordingTable, reading: TrialResult) -> Group:
        group = Group(entry, reading.trial.name, reading.shown.tokens)
        group.add(reading, entry.participant)
        return group

    def _grouped(self, readings: Iterable[tuple[RecordingTable, TrialResult]]) -> list[Group]:
        groups: dict[tuple[str, ...], Group] = {}
        for entry, reading in readings:
            tokens = reading.shown.tokens
            # The same name over different text is another source: values would not fit.
            key: tuple[str, ...] = (tokens.source_id, hashlib.sha256(tokens.code).hexdigest())
            if self.study.weigh.per == "participant":
                key = (entry.participant, *key)
            groups.setdefault(key, Group(entry, "", tokens)).add(reading, entry.participant)
        return list(groups.values())

    def _align(self, group: Group) -> Sequence[Example]:
        """One example, or one per window."""
        settings, tokens = self.study.align, group.tokens
        if b"\x00" in tokens.code:
            raise DataError("the source holds U+0000, which HDF5 cannot; take it out of the source")
        one_person = self.study.weigh.per != "source"
        weights = group.weights[0]
        if self.study.weigh.per != "trial":
            weights = pool(group.weights, group.people)
        weights = self.told(weights)
        how: dict[str, Any] = {
            "template": settings.template,
            "policy": settings.policy,
            "strength": settings.strength,
            "per": settings.per,
            "max_ratio": settings.max_ratio,
            "allow_inert": settings.allow_inert,
            "transitions": _saccades(group) if settings.transitions else None,
            "route": ROUTE,
            "participant": group.entry.participant if one_person else "",
            "trial": group.trial,
        }
        if settings.max_length is None:
            made = [align(weights, tokens, self._tokenizer, **how)]
        else:
            length, overlap = settings.max_length, settings.overlap
            made = align_windows(
                weights, tokens, self._tokenizer, max_length=length, overlap=overlap, **how
            )
        # A pooled example belongs to no single person: only its source can be held out.
        person = group.entry.participant if one_person else ""
        return [replace(example, participant_group=person) for example in made]


def _saccades(group: Group) -> Transitions:
    """The saccades of all readings of a group; each person counts once."""
    each = [transitions(hits) for hits in group.hits]
    if len(each) == 1:
        return each[0]
    return pool_transitions(each, group.people, exposed=[hits.exposed for hits in group.hits])


def _report(example: Example, account: dict[str, Any] | None) -> dict[str, Any]:
    """What is known of an example beside its columns; goes into ``quality.json``.

    `account` is of the whole text; what of it lies in a window is ``transitions_in_example``.
    """
    reach = example.weight_reach
    said = example.report
    return {
        "example_id": example.example_id,
        "participant": example.participant,
        "trial": example.trial,
        "source_id": example.source_id,
        "n_people": example.n_people,
        "route": example.route,
        "window": example.window,
        "n_windows": example.n_windows,
        "attention_share": example.attention_share,
        "weight_reach": None if math.isnan(reach) else reach,
        "transitions": account,
        "transitions_in_example": float(example.transition_count.sum()),
        **{name: said[name] for name in (*_SAID, *_SAID_OF_WINDOWS) if name in said},
    }
