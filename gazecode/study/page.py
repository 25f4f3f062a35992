"""The page of a run: every recording in its table, the first trials drawn."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.model import STATUSES
from gazecode.model.checks import FloatArray
from gazecode.pipeline import RecordingResult, TrialResult
from gazecode.report import (
    FailureView,
    Histogram,
    RecordingView,
    SaccadeView,
    StudyView,
    TrialView,
    main_sequence,
)
from gazecode.study.settings import RecordingTable, Study

__all__ = ["PageMaker", "quality_view"]

MAX_SACCADES = 4000


class PageMaker:
    """Collects what the page shows while parts go by; holds at most `report.max_trials` of them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.recordings: list[RecordingView] = []
        self.trials: list[TrialView] = []
        self.n_trials = 0
        self._saccades: list[SaccadeView] = []
        self._n_saccades = 0

    def add(self, entry: RecordingTable, result: RecordingResult) -> None:
        """One more recording."""
        self.recordings.append(_recording_view(entry, result))
        for trial in result.trials:
            self.n_trials += 1
            if len(self.trials) < self.study.report.max_trials:
                self.trials.append(_trial_view(entry, result, trial))
            if self._n_saccades < MAX_SACCADES:
                view = main_sequence(trial.events, result.screen)
                self._saccades.append(view)
                self._n_saccades += len(view.amplitude_deg)

    def view(self, failures: Sequence[Mapping[str, str]], provenance: dict[str, Any]) -> StudyView:
        """The finished page, as data."""
        return StudyView(
            title=self.study.study.name,
            intro=self.study.study.description,
            provenance={k: v for k, v in provenance.items() if k != "parameters"},
            parameters=provenance["parameters"],
            recordings=self.recordings,
            trials=self.trials,
            n_trials=self.n_trials,
            failures=[
                FailureView(
                    file=row["file"],
                    participant=row["participant"],
                    trial=row["trial"],
                    stage=row["stage"],
                    error=row["reason"],
                )
                for row in failures
            ],
            saccades=_joined(self._saccades),
        )


def _trial_view(entry: RecordingTable, result: RecordingResult, trial: TrialResult) -> TrialView:
    return TrialView(
        participant=entry.participant,
        trial=trial.trial.name,
        stimulus=trial.shown.stimulus,
        tokens=trial.shown.tokens,
        layout=trial.shown.layout,
        gaze=trial.gaze,
        gaze_counts=trial.gaze_counts,
        fixations=trial.fixations,
        hits=trial.hits,
        weights=trial.weights,
        screen=result.screen,
        image=trial.shown.image,
    )


def _recording_view(entry: RecordingTable, result: RecordingResult) -> RecordingView:
    counts: Counter[str] = Counter()
    for trial in result.trials:
        counts.update(trial.hits.status.tolist())
    view = quality_view(
        entry.name,
        provenance=result.provenance,
        quality=result.quality,
        steps_ms=result.steps_ms,
        loss=result.loss if result.loss is not None else np.empty(0),
    )
    return replace(
        view,
        participant=entry.participant,
        n_trials=len(result.trials),
        n_fixations=sum(counts.values()),
        n_status={status: counts.get(status, 0) for status in STATUSES},
    )


def quality_view(
    file: str,
    *,
    provenance: Mapping[str, Any],
    quality: Mapping[str, Any],
    steps_ms: Histogram | None,
    loss: FloatArray,
) -> RecordingView:
    """One recording in the quality table; `quality` is what `QualityReport.to_dict` gives."""
    whole: Mapping[str, Any] = quality.get("recording", {})
    start = "rms_s2s_"
    # The unit is that of the recording's plane where degrees do not exist.
    unit = next((name.removeprefix(start) for name in whole if name.startswith(start)), "px")
    return RecordingView(
        participant="",
        file=file,
        format=provenance.get("format", ""),
        eye=", ".join(provenance.get("eyes", ())),
        rate_hz=_number(whole.get("rate_hz")),
        duration_ms=_number(whole.get("duration_ms")),
        lost_share=_number(whole.get("loss")),
        rms_s2s=whole.get(f"rms_s2s_{unit}"),
        std=whole.get(f"std_{unit}"),
        precision_unit=unit,
        accuracy_deg=whole.get("accuracy_deg"),
        usable=quality.get("usable"),
        reasons=tuple(quality.get("reasons", ())),
        n_trials=len(quality.get("trials", ())),
        steps_ms=steps_ms,
        loss=loss,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _joined(parts: Sequence[SaccadeView]) -> SaccadeView | None:
    known = [p for p in parts if len(p.amplitude_deg)]
    if not known:
        return None
    durations = [p.duration_ms for p in known if p.duration_ms is not None]
    return SaccadeView(
        amplitude_deg=np.concatenate([p.amplitude_deg for p in known]),
        duration_ms=np.concatenate(durations),
        assumed_px_per_deg=known[0].assumed_px_per_deg,
    )
