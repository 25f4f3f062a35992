"""Is this gaze usable? Figures for every trial and the whole recording, judged by gates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from gazecode.errors import ParameterError
from gazecode.model import Recording, Trial
from gazecode.quality.figures import Measured, measure
from gazecode.quality.gates import Gates

__all__ = ["QualityReport", "TrialQuality", "assess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialQuality:
    """Figures of one trial and the gates it fails, with the reasons in words."""

    name: str
    stimulus: str | None
    figures: Mapping[str, Any]
    failures: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether it fails no gate."""
        return not self.failures

    @property
    def reasons(self) -> list[str]:
        """Why it fails, in words; empty if it passes."""
        return list(self.failures.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What `assess` found.

    Attributes
    ----------
    usable
        Whether enough trials pass.
    reasons
        Why not, in words; empty if usable. Trials that fail in a usable recording are in
        `trials` and `trial_reasons`.
    recording
        Figures of all trials together; of the whole recording where it has no trial. The keys
        name their units: see `gazecode.quality.figures`.
    trials
        One `TrialQuality` a trial, in order.
    """

    usable: bool
    reasons: list[str]
    recording: Mapping[str, Any]
    trials: Sequence[TrialQuality]
    gates: Gates

    def trial_reasons(self, name: str) -> list[str]:
        """Why a trial fails, in words; empty if it passes."""
        found = [trial for trial in self.trials if trial.name == name]
        if not found:
            raise ParameterError.unknown("trials", name, [trial.name for trial in self.trials])
        return [reason for trial in found for reason in trial.reasons]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON has it: numbers that cannot be known are None."""
        return {
            "usable": self.usable,
            "reasons": list(self.reasons),
            "recording": dict(self.recording),
            "trials": {
                trial.name: {
                    "stimulus": trial.stimulus,
                    "passed": trial.passed,
                    "reasons": trial.reasons,
                    **trial.figures,
                }
                for trial in self.trials
            },
            "gates": asdict(self.gates),
        }


def assess(
    recording: Recording,
    *,
    gates: Gates | None = None,
    line_height_px: float | Mapping[str, float] | None = None,
) -> QualityReport:
    """Measure loss, rate, jitter, gaps, precision and disparity, and say whether gaze is usable.

    Parameters
    ----------
    recording
        Any, an empty one too.
    gates
        Limits; those of `Gates` by default.
    line_height_px
        Height of a line of code: one number, or by trial name. Disparity is then given in lines
        as well and judged.

    Returns
    -------
    QualityReport
        `usable`, `reasons`, `to_dict()`; figures in degrees only where the screen's millimetres
        and distance are known, else in the unit of the recording's plane.

    Examples
    --------
    >>> import numpy as np
    >>> from gazecode.model import Samples
    >>> xy = np.tile([[100.0, 200.0], [101.0, 200.0]], (500, 1))
    >>> xy[300:900] = np.nan
    >>> samples = Samples(t_ms=np.arange(1000) * 4.0, xy_px=xy, eye="left")
    >>> report = assess(Recording(samples={"left": samples}))
    >>> report.usable, report.reasons
    (False, ['loss is 60 % (allowed: at most 40 %)'])
    >>> report.recording["rms_s2s_px"], report.recording["effective_hz"]
    (1.0, 100.0)
    """
    gates = gates or Gates()
    measured = Measured(recording)
    heights = _heights(recording.trials, line_height_px)
    trials = tuple(_judge(measured, t, gates, heights.get(t.name)) for t in recording.trials)
    spans = [(t.onset_ms, t.offset_ms) for t in _shown(recording.trials)]
    known = sorted(heights.values())
    whole = measure(
        measured,
        spans or measured.whole(),
        # Of several heights the least: there the disparity weighs most.
        line_height_px=known[0] if known else None,
        histogram=True,
    )
    whole |= measured.per_eye() | _accuracy(recording)
    reasons = _reasons(whole, trials, gates)
    return QualityReport(
        usable=not reasons, reasons=reasons, recording=whole, trials=trials, gates=gates
    )


def _accuracy(recording: Recording) -> dict[str, Any]:
    """Unknown, however precise gaze is; what the device said of its own validation beside it."""
    said = recording.provenance.get("validations", ())
    return {"accuracy": "unknown", "device_validations": list(said)}


def _judge(
    measured: Measured, trial: Trial, gates: Gates, line_height_px: float | None
) -> TrialQuality:
    figures = measure(measured, [(trial.onset_ms, trial.offset_ms)], line_height_px=line_height_px)
    return TrialQuality(
        name=trial.name,
        stimulus=trial.stimulus,
        figures=figures,
        failures=gates.failures(figures),
    )


def _reasons(whole: Mapping[str, Any], trials: Sequence[TrialQuality], gates: Gates) -> list[str]:
    """Why a recording is not usable; one line a gate, however many trials fail it."""
    if not whole["n_samples"]:
        return ["the recording holds no samples"]
    judged = _shown(trials)
    if not judged:
        return list(gates.failures(whole).values())
    passed = sum(trial.passed for trial in judged)
    needed = min(math.ceil(gates.min_passed_trials), len(judged))
    if passed >= needed:
        return []
    reasons = [f"{passed} of {len(judged)} trials pass (needed: at least {needed})"]
    for gate in dict.fromkeys(gate for trial in judged for gate in trial.failures):
        failing = [trial for trial in judged if gate in trial.failures]
        first = failing[0]
        reasons.append(
            f"{gate} fails in {len(failing)} of {len(judged)} trials, "
            f"as in {first.name}: {first.failures[gate]}"
        )
    return reasons


T = TypeVar("T", Trial, TrialQuality)


def _shown(trials: Sequence[T]) -> list[T]:
    """Trials that count: those with a stimulus, or all where none has one."""
    return [trial for trial in trials if trial.stimulus is not None] or list(trials)


def _heights(
    trials: Sequence[Trial], line_height_px: float | Mapping[str, float] | None
) -> Mapping[str, float]:
    if line_height_px is None:
        return {}
    given = (
        line_height_px
        if isinstance(line_height_px, Mapping)
        else {trial.name: line_height_px for trial in trials} or {"": line_height_px}
    )
    for name, height in given.items():
        if not (math.isfinite(height) and height > 0):
            raise ParameterError(
                f"line_height_px of {name} is {height}; expected the distance of lines in px"
            )
    return given
