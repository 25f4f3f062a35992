"""Quality per person: several recordings of one participant taken together.

Counts are summed and shares follow from the summed counts, so that every sample weighs the same;
medians of recordings are averaged with their number of valid samples (inside fixations: of
fixations; accuracy: of targets) as weight. A figure is pooled over the recordings that know it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.quality.checks import UNKNOWN
from gazecode.quality.figures import as_json
from gazecode.quality.report import QualityReport

__all__ = ["ParticipantQuality", "assess_participants", "pooled"]

_SUMMED = (
    *("duration_ms", "paused_ms", "n_samples", "n_valid", "n_invalid", "n_absent", "gap_count"),
    *("clock_jumps", "clock_off_grid", "clock_forward", "clock_backward", "n_fixations"),
    *("one_eye_count", "one_eye_ms", "accuracy_targets", "accuracy_checks"),
)
_LONGEST = ("gap_longest_ms", "one_eye_longest_ms", "clock_forward_longest_ms")
_AVERAGED = (
    *("rate_hz", "effective_hz", "loss_from_expected", "off_screen", "one_eye", "step_sd_ms"),
    *("rms_s2s_", "std_", "bcea_", "rms_std_ratio", "disparity_", "line_share", "token_share"),
    *("fixation_", "accuracy_", "drift_"),
)
"""Names, or beginnings of names, whose values are averaged."""
_NOT_POOLED = ("accuracy_after", "bcea_p", "drift_checks", "drift_source", "fixations_source")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantQuality:
    """Figures of one person over all recordings, and what the gates say of them.

    Attributes
    ----------
    figures
        As in `QualityReport.recording`, pooled.
    n_recordings, n_usable, n_trials, n_passed
        How many there are, and how many pass their own gates.
    reasons
        Gates that the pooled figures fail, in words; empty if the person can be used.
    """

    participant: str
    figures: Mapping[str, Any]
    n_recordings: int
    n_usable: int
    n_trials: int
    n_passed: int
    reasons: list[str]

    @property
    def usable(self) -> bool:
        """Whether the pooled figures pass and at least one recording is usable."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON has it."""
        return {
            "participant": self.participant,
            "usable": self.usable,
            "reasons": list(self.reasons),
            "n_recordings": self.n_recordings,
            "n_usable": self.n_usable,
            "n_trials": self.n_trials,
            "n_passed": self.n_passed,
            **self.figures,
        }


def assess_participants(
    reports: Sequence[QualityReport], participants: Sequence[str] | None = None
) -> list[ParticipantQuality]:
    """Pool the reports of each participant, in order of their names.

    Parameters
    ----------
    reports
        Of any number of people.
    participants
        Whose each report is; what the recordings say by default. Reports without a name are one
        person each, called ``recording 1`` and so on.

    Examples
    --------
    >>> import numpy as np
    >>> from gazecode.model import Recording, Samples
    >>> from gazecode.quality import assess
    >>> def lost(n, of):
    ...     xy = np.full((of, 2), 100.0)
    ...     xy[:n] = np.nan
    ...     t_ms = np.arange(of) * 4.0
    ...     return assess(Recording(samples={"left": Samples(t_ms=t_ms, xy_px=xy, eye="left")}))
    >>> found = assess_participants([lost(100, 1000), lost(0, 3000)], ["P1", "P1"])
    >>> found[0].figures["loss"], found[0].figures["n_samples"], found[0].n_recordings
    (0.025, 4000, 2)
    """
    names = list(participants) if participants is not None else [r.participant for r in reports]
    of_person: dict[str, list[QualityReport]] = {}
    for number, (name, report) in enumerate(zip(names, reports, strict=True), 1):
        of_person.setdefault(name or f"recording {number}", []).append(report)
    return [_person(name, of_person[name]) for name in sorted(of_person)]


def _person(name: str, reports: Sequence[QualityReport]) -> ParticipantQuality:
    figures = pooled([report.recording for report in reports])
    trials = [trial for report in reports for trial in report.trials]
    n_usable = sum(report.usable for report in reports)
    reasons = list(reports[0].gates.failures(figures).values())
    if not n_usable:
        reasons.insert(0, f"none of {len(reports)} recordings is usable")
    return ParticipantQuality(
        participant=name,
        figures=figures,
        n_recordings=len(reports),
        n_usable=n_usable,
        n_trials=len(trials),
        n_passed=sum(trial.passed for trial in trials),
        reasons=reasons,
    )


def pooled(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of several recordings together, by samples."""
    figures: dict[str, Any] = {name: _sum(rows, name) for name in _SUMMED}
    figures |= {name: max(_known(rows, name), default=None) for name in _LONGEST}
    n, n_valid = figures["n_samples"], figures["n_valid"]
    if n and n_valid is not None:
        figures["loss"] = 1 - n_valid / (n + (figures["n_absent"] or 0))
        figures["loss_invalid"] = 1 - n_valid / n
    said = sorted({str(row["accuracy"]) for row in rows} - {UNKNOWN})
    figures["accuracy"] = ", ".join(said) or UNKNOWN
    names = dict.fromkeys(name for row in rows for name in row if _is_averaged(name))
    for name in names:
        if name not in figures:
            figures[name] = _average(rows, name)
    for name in [name for name in names if name.startswith("accuracy_max_")]:
        figures[name] = max(_known(rows, name), default=None)
    return {name: as_json(value, name) for name, value in figures.items()}


def _is_averaged(name: str) -> bool:
    return name.startswith(_AVERAGED) and name not in _NOT_POOLED


def _known(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    values = [row.get(name) for row in rows]
    return [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]


def _sum(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = _known(rows, name)
    return sum(known) if known else None


def _average(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = [(row[name], _weight(row, name)) for row in rows if _known([row], name)]
    if not known:
        return None
    values, weights = np.array(known, dtype=np.float64).T
    if not weights.sum() > 0:
        return float(values.mean())
    mean = float(np.average(values, weights=weights))
    return mean if math.isfinite(mean) else None


def _weight(row: Mapping[str, Any], name: str) -> float:
    if name.startswith("accuracy_"):
        return float(row.get("accuracy_targets") or 0)
    if name.startswith("fixation_"):
        return float(row.get("n_fixations") or 0)
    return float(row.get("n_valid") or 0)
