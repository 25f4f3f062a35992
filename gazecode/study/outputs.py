"""The files of a run, written from its parts: tables, weights, quality, page, failures.

Parts are read one at a time, in the order of the study file, so that memory does not grow with
the number of recordings and the bytes do not depend on who finished first.
"""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gazecode.alignment import tokenizer_sha256
from gazecode.errors import StudyError
from gazecode.export import convert, replacing, to_parquet, write_table
from gazecode.model import STATUSES, Example, Screen
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.report import write_report
from gazecode.study.card import CardSource, make_card
from gazecode.study.examples import ExampleMaker
from gazecode.study.facts import count_weights
from gazecode.study.methods import settled
from gazecode.study.page import PageMaker
from gazecode.study.parts import Parts
from gazecode.study.scrubbing import Scrubber
from gazecode.study.settings import RecordingTable, Study
from gazecode.study.summary import summarised
from gazecode.study.tables import TABLES
from gazecode.study.targets import without_trial
from gazecode.units import DEFAULT_PX_PER_DEG
from gazecode.version import __version__

__all__ = [
    "RunSummary",
    "names_in_sources",
    "provenance_of",
    "publish",
    "quality_document",
    "quality_row",
    "run_summary",
    "write_card",
    "write_json",
    "write_outputs",
    "write_weights",
    "written_beside",
]

OUTPUTS = (
    *("fixations.parquet", "hits.parquet", "tokens.parquet", "measures.parquet"),
    *("linearity.parquet", "weights.parquet", "weights.h5"),
    *("quality.json", "report.html", "failures.csv", "card.md"),
)
BESIDE = ".gazecode-writing"
FAILURE_COLUMNS = ("file", "participant", "trial", "stage", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did: counts for the last line, and where its files are."""

    out: Path
    n_recordings: int
    n_failed_recordings: int
    n_failed_trials: int
    n_trials: int
    n_fixations: int
    n_examples: int
    n_no_signal: int = 0
    n_resumed: int = 0
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = OUTPUTS
    reach: Mapping[str, float | int] = field(default_factory=dict)


@dataclass
class Ledger:
    """Everything that did not work, in the order of the study file."""

    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, entry: RecordingTable, trial: str, stage: str, reason: str) -> None:
        """One more line for ``failures.csv``."""
        self.rows.append(
            {
                "file": entry.name,
                "participant": entry.participant,
                "trial": trial,
                "stage": stage,
                "reason": reason,
            }
        )

    def by_stage(self) -> dict[str, int]:
        """How many lines each stage has."""
        return dict(sorted(Counter(row["stage"] for row in self.rows).items()))

    def write(self, path: Path) -> None:
        """Write ``failures.csv``; without failures it holds its header alone."""
        with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FAILURE_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def write_outputs(
    study: Study,
    folders: Sequence[Path],
    out: Path,
    *,
    inputs_sha256: str,
    scrub: Scrubber | None = None,
) -> RunSummary:
    """Write all files of a run from its parts, first beside, then together under their names.

    Parameters
    ----------
    scrub
        Takes the names of people out of every text; the study has pseudonyms already.

    Raises
    ------
    StudyError
        If not one trial could be used; ``failures.csv`` and ``quality.json`` are left alone then.
    """
    parts = Parts(study=study, folders=folders, scrub=scrub)
    with written_beside(out) as beside:
        try:
            summary = _write(parts, beside, inputs_sha256=inputs_sha256)
        except StudyError:
            publish(beside, out)
            raise
        publish(beside, out)
    return replace(summary, out=out)


@contextmanager
def written_beside(out: Path) -> Iterator[Path]:
    """An empty folder in the folder of the outputs, which goes when the block ends."""
    beside = out / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def publish(beside: Path, out: Path) -> None:
    """Move what was written to its place; what an earlier run left and this one did not make goes.

    So a folder never holds the files of two runs.
    """
    for name in OUTPUTS:
        if (beside / name).exists():
            (beside / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _write(parts: Parts, out: Path, *, inputs_sha256: str) -> RunSummary:
    study = parts.study
    ledger = Ledger()
    page = PageMaker(study)
    quality: list[dict[str, Any]] = []
    units: dict[str, str] = {}
    for entry, result in parts:
        for failure in result.failures:
            ledger.add(entry, failure.trial, failure.stage, failure.reason)
        quality.append(quality_row(study, entry, result))
        page.add(entry, result)
        units |= {trial.weights.scheme: trial.weights.unit for trial in result.trials}
    maker = ExampleMaker(study, ledger.add)
    provenance = provenance_of(parts, inputs_sha256)
    if any(row["trials"] for row in quality):
        _write_tables(parts, out, provenance)
        unit = {"units": {"token_value": units[study.weigh.scheme]}}
        write_weights(maker.examples(parts), out, provenance=provenance | unit)
    ledger.write(out / "failures.csv")
    document = quality_document(parts) | {
        "recordings": quality,
        "examples": maker.reports,
        "failures": ledger.by_stage(),
        "weight_reach": maker.reach(),
    }
    write_json(out / "quality.json", document)
    if not maker.reports:
        for name in ("weights.parquet", "weights.h5"):
            (out / name).unlink(missing_ok=True)
        raise StudyError(
            f"none of the {len(parts)} recordings gave an example; first reason: "
            f"{ledger.rows[0]['reason']} (failures.csv has them all)"
        )
    write_report(page.view(ledger.rows, provenance), out / "report.html")
    write_card(study, out, document)
    notes = _notes(study, quality) + names_in_sources(parts)
    return run_summary(out, parts, quality, ledger, maker, notes=notes)


def run_summary(
    out: Path,
    parts: Parts,
    rows: Sequence[Mapping[str, Any]],
    ledger: Ledger,
    maker: ExampleMaker,
    *,
    notes: tuple[str, ...],
    files: tuple[str, ...] = OUTPUTS,
) -> RunSummary:
    """Count what a run did, from its rows of quality, its failures and its examples."""
    return RunSummary(
        out=out,
        n_recordings=len(parts),
        n_failed_recordings=sum(1 for row in ledger.rows if not row["trial"]),
        n_failed_trials=sum(1 for row in ledger.rows if row["trial"]),
        n_trials=sum(len(row["trials"]) for row in rows),
        n_fixations=sum(t["fixations"] for row in rows for t in row["trials"]),
        n_examples=len(maker.reports),
        n_no_signal=sum(bool(report["no_signal"]) for report in maker.reports),
        notes=notes,
        files=files,
        reach=maker.reach(),
    )


def _write_tables(parts: Parts, out: Path, provenance: dict[str, Any]) -> None:
    for name, table in TABLES.items():
        frames = (
            table.frame_of(entry, trial) for entry, result in parts for trial in result.trials
        )
        write_table(frames, out / f"{name}.parquet", provenance=provenance | {"units": table.units})


def write_weights(examples: Iterable[Example], out: Path, *, provenance: dict[str, Any]) -> None:
    """Write the weights of a run in both containers."""
    to_parquet(examples, out / "weights.parquet", provenance=provenance)
    convert(out / "weights.parquet", out / "weights.h5")


def write_card(study: Study, out: Path, quality: dict[str, Any]) -> None:
    """Write the dataset card of the weights in a folder."""
    source = CardSource(
        facts=count_weights([out / "weights.parquet", out / "weights.h5"]),
        card=study.card,
        quality=summarised(quality),
        name=study.study.name,
        description=study.study.description,
    )
    with replacing(out / "card.md") as beside:
        beside.write_text(make_card(source), encoding="utf-8", newline="\n")


def names_in_sources(parts: Parts) -> tuple[str, ...]:
    """A note if a source holds somebody's name: sources are what was read and stay so."""
    if parts.scrub is None:
        return ()
    codes = {t.shown.tokens.source_id: t.shown.tokens.code for _, r in parts for t in r.trials}
    held = [
        name for name, code in codes.items() if parts.scrub.finds(code.decode("utf-8", "replace"))
    ]
    if not held:
        return ()
    return (f"the text of {_listed(held)} holds a participant's name; sources are never changed",)


def _notes(study: Study, quality: list[dict[str, Any]]) -> tuple[str, ...]:
    """What nobody asked for and nobody found: a misspelt name would show here."""
    notes = []
    unknown = Counter(name for row in quality for name in row["without_stimulus"])
    if unknown:
        notes.append(f"{unknown.total()} trials show no stimulus of the study: {_listed(unknown)}")
    shown = {trial["stimulus"] for row in quality for trial in row["trials"]}
    failed = {f["trial"] for row in quality for f in row["failures"]}
    unseen = [s for s in study.stimuli if s != "*" and s not in shown | failed]
    if unseen:
        notes.append(f"no usable trial shows {_listed(unseen)}, which the study names")
    trials = {name for row in quality for name in row["quality"].get("trials", ())}
    trials |= {
        str(trial["stimulus"])
        for row in quality
        for trial in row["quality"].get("trials", {}).values()
    }
    missed = [name for name in study.trials if name not in trials]
    if missed:
        notes.append(f"no trial is called {_listed(missed)}, which [trials] renames")
    if nowhere := without_trial(study.targets, trials):
        notes.append(f"no trial is called {_listed(nowhere)}, which [[targets]] names")
    return tuple(notes)


def _listed(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def told_parameters(parts: Parts) -> dict[str, Any]:
    """All settings in force; a name that people gave a trial may hold theirs."""
    said = settled(parts.study)
    if parts.scrub is None:
        return said
    change = parts.scrub.text
    told = said | {"trials": {change(k): change(v) for k, v in said["trials"].items()}}
    if "targets" in said:
        told["targets"] = [_told_target(target, change) for target in said["targets"]]
    return told


def _told_target(target: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Where a target stood, not in whose recording nor when somebody looked at it."""
    kept = {k: v for k, v in target.items() if k not in ("file", "onset_ms", "offset_ms")}
    return {k: change(v) if isinstance(v, str) else v for k, v in kept.items()}


def provenance_of(parts: Parts, inputs_sha256: str) -> dict[str, Any]:
    """What every file of a run says of itself."""
    said: dict[str, Any] = {
        "study": parts.study.study.name,
        "parameters": told_parameters(parts),
        "tokenizer_sha256": tokenizer_sha256(parts.study.align.tokenizer),
        "inputs_sha256": inputs_sha256,
    }
    return said if parts.scrub is None else said | {"people": "pseudonyms"}


def quality_document(parts: Parts) -> dict[str, Any]:
    """The head of a ``quality.json``."""
    return {
        "study": parts.study.study.name,
        "package_version": __version__,
        "parameters": told_parameters(parts),
    }


def quality_row(study: Study, entry: RecordingTable, result: RecordingResult) -> dict[str, Any]:
    """What ``quality.json`` says of one recording."""
    return {
        "file": entry.name,
        "participant": entry.participant,
        "group": entry.group,
        "task": entry.task,
        "quality": result.quality,
        "provenance": result.provenance,
        "screen": asdict(result.screen) if result.screen else None,
        "degrees": _degrees(study, result.screen),
        "trials": [_accounting(t) for t in result.trials],
        "without_stimulus": list(result.without_stimulus),
        "failures": [asdict(f) for f in result.failures],
    }


def _degrees(study: Study, screen: Screen | None) -> dict[str, Any]:
    """What a degree was taken to be; an assumption is called one."""
    known = screen.px_per_deg if screen else None
    assumed = float(study.detect.params.get("px_per_deg", DEFAULT_PX_PER_DEG))
    return {"px_per_deg": round(known or assumed, 3), "assumed": known is None}


def _accounting(result: TrialResult) -> dict[str, Any]:
    """Where every fixation of a trial went; the four counts add up to all of them."""
    counts = Counter(result.hits.status.tolist())
    return {
        "trial": result.trial.name,
        "stimulus": result.shown.stimulus,
        "fixations": result.hits.n_fixations,
        **{status: counts.get(status, 0) for status in STATUSES},
        "tokens": result.hits.n_tokens,
        "tokens_looked_at": int(result.weights.on_path.sum()),
        "layout_unmatched": dict(result.shown.layout.unmatched),
        "drift": dict(result.drift),
    }


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON document, keys sorted."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
