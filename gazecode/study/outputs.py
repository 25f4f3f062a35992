"""The files of a run, written from its parts: tables, weights, quality, page, failures.

Parts are read one at a time, in the order of the study file, so that memory does not grow with
the number of recordings and the bytes do not depend on who finished first.
"""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gazecode.alignment import tokenizer_sha256
from gazecode.errors import StudyError
from gazecode.export import convert, replacing, to_parquet, write_table
from gazecode.model import STATUSES, Screen
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.report import write_report
from gazecode.study.examples import ExampleMaker
from gazecode.study.methods import settled
from gazecode.study.page import PageMaker
from gazecode.study.parts import load_part
from gazecode.study.settings import RecordingTable, Study
from gazecode.study.tables import TABLES
from gazecode.units import DEFAULT_PX_PER_DEG
from gazecode.version import __version__

__all__ = ["RunSummary", "write_outputs"]

OUTPUTS = (
    *("fixations.parquet", "hits.parquet", "tokens.parquet", "weights.parquet", "weights.h5"),
    *("quality.json", "report.html", "failures.csv"),
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

    def write(self, path: Path) -> None:
        """Write ``failures.csv``; without failures it holds its header alone."""
        with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FAILURE_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def write_outputs(
    study: Study, folders: Sequence[Path], out: Path, *, inputs_sha256: str
) -> RunSummary:
    """Write all files of a run from its parts, first beside, then together under their names.

    Raises
    ------
    StudyError
        If not one trial could be used; ``failures.csv`` and ``quality.json`` are left alone then.
    """
    beside = out / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        summary = _write(study, folders, beside, inputs_sha256=inputs_sha256)
        _publish(beside, out)
    except StudyError:
        _publish(beside, out)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return replace(summary, out=out)


def _publish(beside: Path, out: Path) -> None:
    """Move what was written to its place; what an earlier run left and this one did not make goes.

    So a folder never holds the files of two runs.
    """
    for name in OUTPUTS:
        if (beside / name).exists():
            (beside / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _write(study: Study, folders: Sequence[Path], out: Path, *, inputs_sha256: str) -> RunSummary:
    ledger = Ledger()
    page = PageMaker(study)
    quality: list[dict[str, Any]] = []
    units: dict[str, str] = {}
    for entry, result in _parts(study, folders):
        for failure in result.failures:
            ledger.add(entry, failure.trial, failure.stage, failure.reason)
        quality.append(_quality_row(study, entry, result))
        page.add(entry, result)
        units |= {trial.weights.scheme: trial.weights.unit for trial in result.trials}
    maker = ExampleMaker(study, ledger.add)
    n_trials = sum(len(row["trials"]) for row in quality)
    provenance = _provenance(study, inputs_sha256)
    if n_trials:
        for name, table in TABLES.items():
            frames = (
                table.frame_of(entry, trial)
                for entry, result in _parts(study, folders)
                for trial in result.trials
            )
            write_table(
                frames, out / f"{name}.parquet", provenance=provenance | {"units": table.units}
            )
        to_parquet(
            maker.examples(_parts(study, folders)),
            out / "weights.parquet",
            provenance=provenance | {"units": {"token_value": units[study.weigh.scheme]}},
        )
        convert(out / "weights.parquet", out / "weights.h5")
    ledger.write(out / "failures.csv")
    _write_json(out / "quality.json", _quality_document(study, quality, maker.reports))
    if not maker.reports:
        for name in ("weights.parquet", "weights.h5"):
            (out / name).unlink(missing_ok=True)
        raise StudyError(
            f"none of the {len(folders)} recordings gave an example; first reason: "
            f"{ledger.rows[0]['reason']} (failures.csv has them all)"
        )
    write_report(page.view(ledger.rows, provenance), out / "report.html")
    return RunSummary(
        out=out,
        n_recordings=len(folders),
        n_failed_recordings=sum(1 for row in ledger.rows if not row["trial"]),
        n_failed_trials=sum(1 for row in ledger.rows if row["trial"]),
        n_trials=n_trials,
        n_fixations=sum(t["fixations"] for row in quality for t in row["trials"]),
        n_examples=len(maker.reports),
        n_no_signal=sum(bool(report["no_signal"]) for report in maker.reports),
        notes=_notes(study, quality),
    )


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
    return tuple(notes)


def _listed(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _parts(
    study: Study, folders: Sequence[Path]
) -> Iterator[tuple[RecordingTable, RecordingResult]]:
    for entry, folder in zip(study.recordings, folders, strict=True):
        yield entry, load_part(folder)


def _provenance(study: Study, inputs_sha256: str) -> dict[str, Any]:
    return {
        "study": study.study.name,
        "parameters": settled(study),
        "tokenizer_sha256": tokenizer_sha256(study.align.tokenizer),
        "inputs_sha256": inputs_sha256,
    }


def _quality_document(
    study: Study, rows: list[dict[str, Any]], examples: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "study": study.study.name,
        "package_version": __version__,
        "parameters": settled(study),
        "recordings": rows,
        "examples": examples,
    }


def _quality_row(study: Study, entry: RecordingTable, result: RecordingResult) -> dict[str, Any]:
    return {
        "file": entry.name,
        "participant": entry.participant,
        "group": entry.group,
        "task": entry.task,
        "quality": result.quality,
        "provenance": result.provenance,
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
    }


def _write_json(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
