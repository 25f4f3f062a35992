"""The order of the stages. Read this to see how gaze becomes weights.

export file → `read` → `detect` → `assess` → (`parse`, layout) → `map_to_tokens` (and `chance_hits`)
→ `weigh` → `align`

`assess` stands here because it needs fixations and the mapping, which are other stages' work.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.detection import with_activity
from gazecode.errors import DataError, GazecodeError
from gazecode.finding import events_to_assess, find_events, said_of_detector
from gazecode.mapping import chance_hits, map_to_tokens
from gazecode.mapping.lines import Drift
from gazecode.model import (
    Events,
    Hits,
    Layout,
    Recording,
    Samples,
    Screen,
    SourceTokens,
    TokenWeights,
    Trial,
)
from gazecode.model.checks import FloatArray
from gazecode.placing import Placing, find_drift, placed, shifted, told_of_drift
from gazecode.quality import Gates, QualityReport, Target
from gazecode.quality import assess as assess_quality
from gazecode.report import Histogram, loss_timeline, step_histogram
from gazecode.resolver import resolvers_of
from gazecode.weighting import weigh

__all__ = [
    "Failure",
    "RecordingResult",
    "Shown",
    "Steps",
    "TrialResult",
    "analyse",
    "assess",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Which method does each step, with its parameters. The defaults are the documented ones.

    Attributes
    ----------
    placing
        How fixations are corrected before they are mapped.
    null_shifts
        Circular shifts of each trial's gaze that say what chance hits; 0 leaves it unknown.
    null_seed
        Of the shifts, together with the names of the recording and the trial.
    recording
        What outputs call the recording.
    edits_ms, scrolls_ms
        When text was edited and when it was scrolled, on the recording's clock; None: no such log.
        They say what each fixation's activity was.
    activities
        Of the fixations that count for weights and tokens.
    targets
        Where people were asked to look, on the recording's clock: accuracy is measured there.
    """

    detect: str = "ivt"
    detect_params: Mapping[str, Any] = field(default_factory=dict)
    map: str = "nearest"
    map_params: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = "duration"
    scheme_params: Mapping[str, Any] = field(default_factory=dict)
    gates: Gates = field(default_factory=Gates)
    placing: Placing = field(default_factory=Placing)
    null_shifts: int = 200
    null_seed: int = 0
    recording: str = ""
    edits_ms: Sequence[float] | None = None
    scrolls_ms: Sequence[float] | None = None
    activities: Sequence[str] = ("reading", "unknown")
    targets: Sequence[Target] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was on the screen in a trial: the code as tokens, and where they stood."""

    stimulus: str
    tokens: SourceTokens
    layout: Layout
    image: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that could not be used: a recording (`trial` is "") or one trial, and why."""

    trial: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """Everything one trial gave; `gaze_counts` are its samples and how many of them were lost.

    `hits` are of all fixations, `counted` those that weights, priors and transitions are made of.
    """

    trial: Trial
    shown: Shown
    gaze: Samples
    gaze_counts: tuple[int, int]
    events: Events
    fixations: Events
    hits: Hits
    weights: TokenWeights
    activities: tuple[str, ...] = ()
    drift: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counted(self) -> Hits:
        """Hits of the fixations whose activity counts; of all where nobody asks."""
        return counted_hits(self.hits, self.fixations, self.activities)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResult:
    """Everything one recording gave: results, failures, and the trials nobody asked for."""

    quality: Mapping[str, Any]
    provenance: Mapping[str, Any]
    screen: Screen | None
    steps_ms: Histogram | None = None
    loss: FloatArray | None = None
    trials: Sequence[TrialResult] = ()
    failures: Sequence[Failure] = ()
    without_stimulus: Sequence[str] = ()


def assess(
    recording: Recording,
    *,
    gates: Gates | None = None,
    line_height_px: float | Mapping[str, float] | None = None,
    layouts: Layout | Mapping[str, Layout] | None = None,
    targets: Sequence[Target] = (),
    detect: str = "ivt",
    detect_params: Mapping[str, Any] | None = None,
    bcea_p: float = 0.68,
    centre: str = "mean",
    seed: int = 0,
) -> QualityReport:
    """Say whether gaze is usable: accuracy, precision, loss, clock, eyes, drift, lines, tokens.

    Precision is measured inside fixations as well: the device's own where the file holds some,
    else those of a detector, where gaze lies on a screen.

    Parameters
    ----------
    recording, gates, line_height_px, targets, bcea_p, centre, seed
        As in `gazecode.quality.assess`.
    layouts
        Where tokens stood, for all trials or by trial name: what share of fixations would fall on
        the right line and token (nearest token, as `map_to_tokens`).
    detect, detect_params
        Detector where the device reports no fixations, and its parameters.

    Examples
    --------
    >>> x = np.repeat([100.0, 500.0, 900.0], 100) + np.tile([0.0, 0.5], 150)
    >>> samples = Samples(t_ms=np.arange(300) * 4.0, xy_px=np.stack([x, x], axis=1), eye="left")
    >>> report = assess(Recording(samples={"left": samples}))
    >>> report.usable, report.recording["n_fixations"], report.recording["fixation_rms_s2s_px"]
    (True, 3, 0.707107)
    """
    recording = replace(recording, joined=recording.gaze)
    events, source = events_to_assess(recording, detect, detect_params)
    return assess_quality(
        recording,
        gates=gates,
        line_height_px=line_height_px,
        fixations=events,
        fixations_source=source,
        resolvers=resolvers_of(layouts),
        targets=targets,
        bcea_p=bcea_p,
        centre=centre,
        seed=seed,
    )


def analyse(
    recording: Recording, shown_in: Callable[[Recording, Trial], Shown | None], steps: Steps
) -> RecordingResult:
    """Take one recording through all stages, trial by trial.

    Parameters
    ----------
    shown_in
        Gives what a trial showed, or None for a trial without a stimulus (a fixation cross).

    Nothing is lost in silence: a trial that fails a gate or a stage is a `Failure`, a trial
    without a stimulus is named.
    """
    recording = replace(recording, joined=recording.gaze)
    shown, failures, unknown = what_was_shown(recording, shown_in)
    events, trouble = None, ""
    try:
        events = find_events(recording, steps.detect, steps.detect_params)
    except GazecodeError as error:
        trouble = str(error)
    report = assess_shown(recording, shown, events, steps)
    result = RecordingResult(
        quality=report.to_dict(),
        provenance=recording.provenance,
        screen=recording.screen,
        steps_ms=step_histogram(recording.gaze),
        loss=loss_timeline(recording.gaze),
        without_stimulus=tuple(unknown),
    )
    if not report.usable:
        reason = "; ".join(report.reasons)
        return replace(result, failures=(Failure(trial="", stage="quality", reason=reason),))
    if events is None and shown:
        return replace(result, failures=(Failure(trial="", stage="detect", reason=trouble),))
    events = events or Events.empty()
    good = [(trial, what) for trial, what in shown if not report.trial_reasons(trial.name)]
    drift, trouble = _drift_of(good, events, steps)
    trials: list[TrialResult] = []
    for trial, what in shown:
        if reasons := report.trial_reasons(trial.name):
            failures.append(_failed(trial, "quality", "; ".join(reasons)))
            continue
        try:
            if trouble:
                raise DataError(trouble)
            trials.append(analyse_trial(recording, trial, what, events, steps, drift=drift))
        except GazecodeError as error:
            failures.append(_failed(trial, "mapping", str(error)))
    if not trials and not failures:
        failures.append(_no_trial(recording))
    return replace(result, trials=tuple(trials), failures=tuple(failures))


def assess_shown(
    recording: Recording,
    shown: Sequence[tuple[Trial, Shown]],
    events: Events | None,
    steps: Steps,
    *,
    line_height_px: float | None = None,
) -> QualityReport:
    """Assess with the events that go on to be mapped, and with the layouts of what was shown."""
    said = said_of_detector(recording, steps.detect, steps.detect_params)
    return assess_quality(
        recording,
        gates=steps.gates,
        line_height_px=line_height_px,
        fixations=events,
        fixations_source="" if events is None else said,
        resolvers=resolvers_of({trial.name: what.layout for trial, what in shown}),
        targets=steps.targets,
    )


def what_was_shown(
    recording: Recording, shown_in: Callable[[Recording, Trial], Shown | None]
) -> tuple[list[tuple[Trial, Shown]], list[Failure], list[str]]:
    """Trials with what they showed; those that fail to say so; those without a stimulus."""
    shown: list[tuple[Trial, Shown]] = []
    failures: list[Failure] = []
    unknown: list[str] = []
    for trial in recording.trials:
        try:
            what = shown_in(recording, trial)
        except GazecodeError as error:
            failures.append(_failed(trial, "stimulus", str(error)))
            continue
        if what is None:
            unknown.append(trial.name)
        else:
            shown.append((trial, what))
    return shown, failures, unknown


def analyse_trial(
    recording: Recording,
    trial: Trial,
    shown: Shown,
    events: Events,
    steps: Steps,
    *,
    drift: Drift | None = None,
) -> TrialResult:
    """Map and weigh the fixations of one trial; `drift` is that of the recording."""
    inside = _inside(events, trial)
    layout = replace(shown.layout, onset_ms=trial.onset_ms, offset_ms=trial.offset_ms)
    fixations = shifted(inside.of("fixation"), steps.placing.offset_px)
    fixations, drift = placed(fixations, layout, steps.placing, drift)
    if steps.edits_ms is not None or steps.scrolls_ms is not None:
        fixations = with_activity(fixations, edits_ms=steps.edits_ms, scrolls_ms=steps.scrolls_ms)
    gaze = recording.gaze.between(trial.onset_ms, trial.offset_ms)
    hits = map_to_tokens(fixations, layout, method=steps.map, **steps.map_params)
    hits = replace(hits, chance=_chance(fixations, layout, trial, steps))
    return TrialResult(
        trial=trial,
        shown=replace(shown, layout=layout),
        gaze=gaze,
        gaze_counts=(len(gaze), int(gaze.lost.sum())),
        events=inside,
        fixations=fixations,
        hits=hits,
        weights=weigh(
            counted_hits(hits, fixations, steps.activities),
            shown.tokens,
            scheme=steps.scheme,
            **steps.scheme_params,
        ),
        activities=tuple(steps.activities),
        drift=told_of_drift(drift),
    )


def _inside(events: Events, trial: Trial) -> Events:
    return events[(events.onset_ms >= trial.onset_ms) & (events.onset_ms < trial.offset_ms)]


def _drift_of(
    shown: Sequence[tuple[Trial, Shown]], events: Events, steps: Steps
) -> tuple[Drift | None, str]:
    """The recording's drift, or why it was not found: then no trial can be placed."""
    trials = [
        (shifted(_inside(events, trial).of("fixation"), steps.placing.offset_px), what.layout)
        for trial, what in shown
        if len(what.layout)
    ]
    try:
        return find_drift(trials, steps.placing, events=events, targets=steps.targets), ""
    except GazecodeError as error:
        return None, f"no drift: {error}"


def counted_hits(hits: Hits, fixations: Events, activities: Sequence[str]) -> Hits:
    """Hits of the fixations with one of these activities; where no log says it, it is unknown."""
    if not activities:
        return hits
    said = fixations.activity
    known = np.full(len(fixations), "unknown") if said is None else said.astype(str)
    return hits.only(np.isin(known, list(activities)))


def _chance(fixations: Events, layout: Layout, trial: Trial, steps: Steps) -> FloatArray | None:
    """What chance hits, with shifts of the trial's own: no order of trials or processes matters."""
    if not steps.null_shifts:
        return None
    name = f"{steps.null_seed}\n{steps.recording}\n{trial.name}"
    return chance_hits(
        fixations,
        layout,
        method=steps.map,
        n_shifts=steps.null_shifts,
        seed=int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"),
        **steps.map_params,
    )


def _failed(trial: Trial, stage: str, reason: str) -> Failure:
    return Failure(trial=trial.name, stage=stage, reason=reason)


def _no_trial(recording: Recording) -> Failure:
    names = ", ".join(dict.fromkeys(t.stimulus or t.name for t in recording.trials))
    reason = (
        f"no trial shows a stimulus of the study; the recording's trials are: {names or 'none'}. "
        "Name them under [stimuli], or rename them under [trials]"
    )
    return Failure(trial="", stage="trials", reason=reason)
