"""A run that may be given away: sources pooled over people, and nothing that is one person's.

A source is shared if at least `min_people` people read it with any signal. Of a shared source, a
token that fewer of them had on their screen is taken as not shown: its value would be a few
people's, however many read the rest.

Saccades between tokens are left out. Most pairs of tokens are one person's, and a person's count is
divided by that person's sum: equal cells would be one scan path, for everybody to read. Values of
tokens betray people in the same way, by ratios of small whole numbers, so that they are rounded.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import DataError, StudyError
from gazecode.model import Example, Hits, SourceTokens, TokenWeights
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.study.examples import ExampleMaker
from gazecode.study.outputs import (
    Ledger,
    RunSummary,
    names_in_sources,
    provenance_of,
    publish,
    quality_document,
    quality_row,
    run_summary,
    write_card,
    write_json,
    write_weights,
    written_beside,
)
from gazecode.study.parts import Parts
from gazecode.study.scrubbing import Scrubber
from gazecode.study.settings import RecordingTable, Study
from gazecode.study.summary import over_people

__all__ = ["check_pooled", "rounded", "shareable", "write_shared"]

SHARED = ("weights.parquet", "weights.h5", "quality.json", "card.md")
LEFT_OUT = (
    "fixations, hits and tokens of people, saccades between tokens, report.html, failures.csv, "
    "digests of inputs"
)
STEPS = 100
"""How many steps there are up to the largest value of a source."""

Key = tuple[str, str]


@dataclass
class Reader:
    """What one person gave to one source, over all readings."""

    value: FloatArray
    shown: BoolArray


@dataclass
class Readers:
    """Who read which source, and whose signal counts."""

    of_source: dict[Key, dict[str, Reader]] = field(default_factory=dict)

    def add(self, person: str, reading: TrialResult) -> None:
        """One more reading."""
        value, shown = reading.weights.value, reading.hits.exposed
        people = self.of_source.setdefault(_key(reading.shown.tokens), {})
        if person not in people:
            people[person] = Reader(np.zeros(len(value)), np.zeros(len(value), dtype=bool))
        people[person].value = people[person].value + value
        people[person].shown = people[person].shown | shown


def _key(tokens: SourceTokens) -> Key:
    return tokens.source_id, hashlib.sha256(tokens.code).hexdigest()


def shareable(readers: Sequence[Reader], least: int) -> BoolArray | None:
    """``(m,)`` tokens that enough people had on their screen; None if too few people have signal.

    People whose signal lies on other tokens alone do not count, which may leave too few for more
    tokens: repeated until nothing changes.

    Examples
    --------
    >>> def reader(*value):
    ...     return Reader(np.array(value, dtype=float), np.array(value) >= 0)
    >>> shareable([reader(1, 2), reader(3, 0)], 2)
    array([ True,  True])
    >>> shareable([reader(1, 2), reader(0, 0)], 2) is None
    True
    """
    counted = [reader for reader in readers if reader.value.sum() > 0]
    while len(counted) >= least:
        enough: BoolArray = np.sum([reader.shown for reader in counted], axis=0) >= least
        still = [reader for reader in counted if reader.value[enough].sum() > 0]
        if len(still) == len(counted):
            return enough
        counted = still
    return None


def rounded(weights: TokenWeights) -> TokenWeights:
    """The values in steps of a hundredth of the largest; what comes to 0 was not looked at.

    Where one person alone looked at some tokens, exact values are whole samples of that person's
    gaze by one number: their ratios would tell which tokens are of the same person.

    Examples
    --------
    >>> exact = np.array([3.0, 1.0, 0.01])
    >>> rounded(
    ...     TokenWeights(value=exact, on_path=exact > 0, scheme="duration", unit="ms")
    ... ).value.round(6)
    array([3.  , 0.99, 0.  ])
    """
    most = weights.value.max(initial=0.0)
    if most == 0:
        return weights
    value = np.round(weights.value / most * STEPS) / STEPS * most
    return replace(weights, value=value, on_path=value > 0)


def check_pooled(study: Study) -> None:
    """Refuse to share what is not pooled over people.

    Raises
    ------
    StudyError
        With the key in `loc`.
    """
    if study.weigh.per != "source":
        message = f'found "{study.weigh.per}"; --share pools over people: set per = "source"'
        raise StudyError.at("weigh", "per", message=message)


def write_shared(
    study: Study, folders: Sequence[Path], out: Path, *, scrub: Scrubber
) -> RunSummary:
    """Write the files of a run that may be given away; what lay there of another run goes.

    Raises
    ------
    StudyError
        If no source was read by enough people; nothing is written then.
    """
    study = _without_saccades(study)
    with written_beside(out) as beside:
        summary = _write(Parts(study=study, folders=folders, scrub=scrub), beside)
        publish(beside, out)
    return replace(summary, out=out)


def _without_saccades(study: Study) -> Study:
    return study.model_copy(update={"align": study.align.model_copy(update={"transitions": False})})


def _write(parts: Parts, out: Path) -> RunSummary:
    study, least = parts.study, parts.study.share.min_people
    ledger, readers = Ledger(), Readers()
    rows: list[dict[str, Any]] = []
    units: dict[str, str] = {}
    for entry, result in parts:
        rows.append(quality_row(study, entry, result))
        for failure in result.failures:
            ledger.add(entry, failure.trial, failure.stage, failure.reason)
        for reading in result.trials:
            readers.add(entry.participant, reading)
            units[reading.weights.scheme] = reading.weights.unit
    kept = _kept(readers, least)
    shared = _account(readers, kept, least)
    said = {k: v for k, v in provenance_of(parts, "").items() if k != "people"}
    unit = {"units": {"token_value": units[study.weigh.scheme]}}
    maker = ExampleMaker(study, ledger.add, told=rounded)
    examples = _checked(maker.examples(_pooled(parts, kept)), least)
    write_weights(examples, out, provenance=said | unit | {"shared": shared})
    if not maker.reports:
        raise StudyError(f"no source can be shared; first reason: {ledger.rows[-1]['reason']}")
    document = quality_document(parts) | {
        "shared": shared,
        "over_people": over_people(rows, min_people=least),
        "examples": maker.reports,
        "failures": ledger.by_stage(),
        "weight_reach": maker.reach(),
    }
    write_json(out / "quality.json", document)
    write_card(study, out, document)
    notes = _notes(shared) + names_in_sources(parts)
    return run_summary(out, parts, rows, ledger, maker, notes=notes, files=SHARED)


def _kept(readers: Readers, least: int) -> dict[Key, BoolArray]:
    """The sources that may be shared, with the tokens of theirs that may."""
    kept = {
        key: enough
        for key, people in readers.of_source.items()
        if (enough := shareable(list(people.values()), least)) is not None
    }
    if not kept:
        counts = {name: len(people) for (name, _), people in readers.of_source.items()}
        found = ", ".join(f"{name} {n}" for name, n in list(counts.items())[:8]) or "nothing"
        raise StudyError(
            f"nothing can be shared: expected sources that at least {least} people read with any "
            f"signal, found {found} (source, people)"
        )
    return kept


def _account(readers: Readers, kept: Mapping[Key, BoolArray], least: int) -> dict[str, int]:
    """What is withheld, in numbers."""
    hidden = 0
    for key, enough in kept.items():
        seen = np.logical_or.reduce([r.shown for r in readers.of_source[key].values()])
        hidden += int((seen & ~enough).sum())
    return {
        "min_people": least,
        "sources": len(readers.of_source),
        "sources_withheld": len(readers.of_source) - len(kept),
        "tokens_withheld": hidden,
        "value_steps": STEPS,
    }


def _notes(shared: Mapping[str, int]) -> tuple[str, ...]:
    withheld = (
        f"withheld, for fewer than {shared['min_people']} people: {shared['sources_withheld']} of "
        f"{shared['sources']} sources, {shared['tokens_withheld']} tokens of the others"
    )
    return (f"left out to be shared: {LEFT_OUT}", withheld)


def _pooled(
    parts: Parts, kept: Mapping[Key, BoolArray]
) -> Iterator[tuple[RecordingTable, RecordingResult]]:
    """The readings of shared sources, other tokens taken as not shown."""
    for entry, result in parts:
        trials = tuple(
            _limited(trial, kept[key])
            for trial in result.trials
            if (key := _key(trial.shown.tokens)) in kept
        )
        yield entry, replace(result, trials=trials)


def _limited(reading: TrialResult, enough: BoolArray) -> TrialResult:
    if enough.all():
        return reading
    weights = reading.weights
    exposed = np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed
    return replace(
        reading,
        weights=replace(
            weights,
            value=np.where(enough, weights.value, 0.0),
            on_path=weights.on_path & enough,
            exposed=exposed & enough,
        ),
        hits=_hits_on(reading.hits, enough),
    )


def _hits_on(hits: Hits, enough: BoolArray) -> Hits:
    """The hits on some tokens; a fixation that has none left was on no token that is told."""
    keep = enough[hits.token]
    left: BoolArray = np.zeros(hits.n_fixations, dtype=bool)
    left[hits.fixation[keep]] = True
    return replace(
        hits,
        fixation=hits.fixation[keep],
        token=hits.token[keep],
        share=hits.share[keep],
        status=np.where((hits.status == "token") & ~left, "between", hits.status).astype(object),
        exposure_ms=np.where(enough, hits.exposure_ms, 0.0),
        chance=None,
    )


def _checked(examples: Iterable[Example], least: int) -> Iterator[Example]:
    """The examples; one of too few people must never leave, whatever made it."""
    for example in examples:
        if example.n_people < least or example.participant or example.trial:
            raise DataError(
                f"example {example.example_id} is of {example.n_people} people; expected at least "
                f"{least} and no name; please report it"
            )
        yield example
