"""From token values to examples: one per trial, per participant and source, or per source."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gazecode.alignment import align, load_tokenizer
from gazecode.errors import DataError, GazecodeError
from gazecode.model import Example, SourceTokens, TokenWeights
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.study.settings import RecordingTable, Study
from gazecode.weighting import pool

__all__ = ["ExampleMaker"]

OnFailure = Callable[[RecordingTable, str, str, str], None]


@dataclass
class Group:
    """All readings that become one example."""

    entry: RecordingTable
    trial: str
    tokens: SourceTokens
    weights: list[TokenWeights] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


class ExampleMaker:
    """Makes the examples of a study, one after another.

    Parameters
    ----------
    on_failure
        Told of every example that cannot be made: recording, trial, stage, reason.

    Attributes
    ----------
    reports
        What the alignment said of every example made: signal, clipping, losses, reach.
    """

    def __init__(self, study: Study, on_failure: OnFailure) -> None:
        self.study = study
        self.on_failure = on_failure
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
                example = self._align(group)
            except GazecodeError as error:
                self.on_failure(group.entry, group.trial, "align", str(error))
                continue
            if example.example_id in self._seen:
                reason = "the same example as one before: is the recording there twice?"
                self.on_failure(group.entry, group.trial, "align", reason)
                continue
            self._seen.add(example.example_id)
            self.reports.append(_report(example))
            yield example

    def _alone(self, entry: RecordingTable, reading: TrialResult) -> Group:
        group = Group(entry, reading.trial.name, reading.shown.tokens)
        group.weights.append(reading.weights)
        group.people.append(entry.participant)
        return group

    def _grouped(self, readings: Iterable[tuple[RecordingTable, TrialResult]]) -> list[Group]:
        groups: dict[tuple[str, ...], Group] = {}
        for entry, reading in readings:
            tokens = reading.shown.tokens
            # The same name over different text is another source: values would not fit.
            key: tuple[str, ...] = (tokens.source_id, hashlib.sha256(tokens.code).hexdigest())
            if self.study.weigh.per == "participant":
                key = (entry.participant, *key)
            group = groups.setdefault(key, Group(entry, "", tokens))
            group.weights.append(reading.weights)
            group.people.append(entry.participant)
        return list(groups.values())

    def _align(self, group: Group) -> Example:
        settings, tokens = self.study.align, group.tokens
        if b"\x00" in tokens.code:
            raise DataError("the source holds U+0000, which HDF5 cannot; take it out of the source")
        one_person = self.study.weigh.per != "source"
        weights = group.weights[0]
        if self.study.weigh.per != "trial":
            weights = pool(group.weights, group.people)
        example = align(
            weights,
            tokens,
            self._tokenizer,
            template=settings.template,
            policy=settings.policy,
            strength=settings.strength,
            per=settings.per,
            max_ratio=settings.max_ratio,
            participant=group.entry.participant if one_person else "",
            trial=group.trial,
        )
        return replace(
            example,
            # A pooled example belongs to no single person: only its source can be held out.
            participant_group=group.entry.participant if one_person else "",
        )


def _report(example: Example) -> dict[str, Any]:
    """What is known of an example beside its columns; goes into ``quality.json``."""
    said = {
        name: example.report[name]
        for name in (
            *("no_signal", "clipped_share", "tokens_lost", "mass_lost"),
            *("unowned_bytes", "special_in_code"),
        )
    }
    reach = example.weight_reach
    return {
        "example_id": example.example_id,
        "participant": example.participant,
        "trial": example.trial,
        "source_id": example.source_id,
        "n_people": example.n_people,
        "weight_reach": None if math.isnan(reach) else reach,
        **said,
    }
