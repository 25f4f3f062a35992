"""Is this gaze usable? Figures for every trial and the whole recording, judged by gates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

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
    trials = tuple(
        _judge(measured, trial, gates, heights.get(trial.name)) for trial in recording.trials
    )
    whole = measure(measured, recording.trials, line_height_px=_one(heights, line_height_px))
    reasons = _reasons(whole, trials, gates)
    return QualityReport(
        usable=not reasons, reasons=reasons, recording=whole, trials=trials, gates=gates
    )
