"""Is this gaze usable? Figures for every trial and the whole recording, judged by gates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from gazecode.errors import ParameterError
from gazecode.model import Events, Recording, Trial
from gazecode.quality.accuracy import Target
from gazecode.quality.caveats import caveats
from gazecode.quality.facts import facts
from gazecode.quality.figures import measure, of_recording
from gazecode.quality.gates import RECORDING_GATES, Gates
from gazecode.quality.measured import Measured, Options
from gazecode.quality.resolvability import Resolver
from gazecode.quality.resolved import of_trial, of_whole, resolvers_by_trial

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
    warnings
        What must be known before the figures are believed, in words: an unknown accuracy, a gate
        that could not be judged, pixels per degree that were assumed.
    about
        Tracker, eyes, screen, calibrations, detector: what a methods section names.
    participant
        Whose recording, as the file says; kept in memory, not in `to_dict`.
    """

    usable: bool
    reasons: list[str]
    recording: Mapping[str, Any]
    trials: Sequence[TrialQuality]
    gates: Gates
    warnings: list[str] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)
    participant: str = ""

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
            "warnings": list(self.warnings),
            # The tracker's own words may name a session or a time: provenance has them, cleaned.
            "about": {key: said for key, said in self.about.items() if key != "tracker"},
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
    fixations: Events | None = None,
    fixations_source: str = "",
    resolvers: Resolver | Mapping[str, Resolver] | None = None,
    targets: Sequence[Target] = (),
    bcea_p: float = 0.68,
    centre: str = "mean",
    seed: int = 0,
) -> QualityReport:
    """Measure accuracy, precision, loss, clock, eyes and drift, and say whether gaze is usable.

    `gazecode.pipeline.assess` (``gc.assess``) finds the fixations and makes the resolvers; here
    both are given.

    Parameters
    ----------
    recording
        Any, an empty one too. One that holds fixations of the device and no samples is assessed
        by those: what only samples can say is None.
    gates
        Limits; those of `Gates` by default.
    line_height_px
        Height of a line of code: one number, or by trial name. Disparity is then given in lines
        as well and judged. Taken from `resolvers` where it is not given.
    fixations, fixations_source
        During which precision is measured as well; where they come from, in words.
    resolvers
        Layouts with the mapping that resolves them, one or by trial name: what share of fixations
        would fall on the right line and token.
    targets
        Places people were asked to look at: accuracy is measured there.
    bcea_p
        Share of the gaze inside the ellipse of the BCEA.
    centre
        ``mean`` or ``median`` of gaze is compared with a target.
    seed
        Of the simulation behind the shares.

    Returns
    -------
    QualityReport
        `usable`, `reasons`, `warnings`, `to_dict()`; figures in degrees only where the screen's
        millimetres and distance are known, else in the unit of the recording's plane.

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
    found = fixations
    if found is None and not len(recording):
        found = recording.device_events
        fixations_source = fixations_source or "device"
    options = Options(
        fixations=found,
        source=fixations_source,
        targets=targets,
        bcea_p=bcea_p,
        centre=centre,
    )
    measured = Measured(recording, options)
    by_trial = resolvers_by_trial(recording, resolvers)
    heights = _heights(recording.trials, line_height_px)
    heights = {name: one.layout.line_height_px for name, one in by_trial.items()} | dict(heights)
    trials = tuple(
        _judge(measured, t, gates, heights.get(t.name), by_trial.get(t.name), seed)
        for t in recording.trials
    )
    shown = [(t.onset_ms, t.offset_ms) for t in _shown(recording.trials)]
    spans = shown or measured.whole()
    # Of several heights the least: there the disparity weighs most.
    least = min(heights.values(), default=None)
    whole = measure(measured, spans, line_height_px=least, whole=True)
    whole |= of_recording(measured, spans)
    resolved = of_whole(
        whole,
        [trial.figures for trial in _shown(trials)],
        recording,
        resolvers=by_trial,
        line_height_px=least,
        seed=seed,
    )
    whole |= {name: resolved.get(name) for name in ("lines", "tokens", "line_share", "token_share")}
    whole["resolvability"] = resolved
    reasons = _reasons(whole, trials, gates, events_only=measured.events_only)
    return QualityReport(
        usable=not reasons,
        reasons=reasons,
        recording=whole,
        trials=trials,
        gates=gates,
        warnings=caveats(measured, whole, gates, [trial.figures for trial in trials]),
        about=facts(measured),
        participant=str(recording.provenance.get("participant") or ""),
    )


def _judge(  # noqa: PLR0917 - all of them are what a trial is judged by
    measured: Measured,
    trial: Trial,
    gates: Gates,
    line_height_px: float | None,
    resolver: Resolver | None,
    seed: int,
) -> TrialQuality:
    figures = measure(measured, [(trial.onset_ms, trial.offset_ms)], line_height_px=line_height_px)
    figures |= of_trial(
        figures,
        measured.recording,
        resolver=resolver,
        line_height_px=line_height_px,
        seed=seed,
    )
    failures = gates.failures(figures)
    if measured.events_only and not figures["n_fixations"]:
        failures |= {"no_fixations": "the device reports no fixation"}
    return TrialQuality(
        name=trial.name, stimulus=trial.stimulus, figures=figures, failures=failures
    )


def _reasons(
    whole: Mapping[str, Any], trials: Sequence[TrialQuality], gates: Gates, *, events_only: bool
) -> list[str]:
    """Why a recording is not usable; one line a gate, however many trials fail it."""
    if not whole["n_samples"] and not events_only:
        return ["the recording holds no samples"]
    judged = _shown(trials)
    if not judged:
        return list(gates.failures(whole).values())
    failed = gates.failures(whole)
    of_whole = [f"whole recording: {failed[gate]}" for gate in RECORDING_GATES if gate in failed]
    passed = sum(trial.passed for trial in judged)
    needed = min(math.ceil(gates.min_passed_trials), len(judged))
    if passed >= needed:
        return of_whole
    reasons = [f"{passed} of {len(judged)} trials pass (needed: at least {needed})"]
    for gate in dict.fromkeys(gate for trial in judged for gate in trial.failures):
        failing = [trial for trial in judged if gate in trial.failures]
        first = failing[0]
        reasons.append(
            f"{gate} fails in {len(failing)} of {len(judged)} trials, "
            f"as in {first.name}: {first.failures[gate]}"
        )
    return reasons + of_whole


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
