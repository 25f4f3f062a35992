"""Recordings opened and assessed, one at a time: of files, or of a study as its run would do it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from gazecode.errors import DataError, GazecodeError, ParameterError, StudyError
from gazecode.finding import events_to_assess, find_events
from gazecode.model import Events, Recording, Screen
from gazecode.pipeline import assess_shown, what_was_shown
from gazecode.quality import Gates, QualityReport, Target
from gazecode.quality import assess as assess_quality
from gazecode.readers import read
from gazecode.report import QualityView
from gazecode.report.words import plural
from gazecode.study.methods import check_methods
from gazecode.study.process import open_recording, steps_in
from gazecode.study.settings import RecordingTable, Study, load_study, located
from gazecode.study.stimuli import StimulusFinder
from gazecode.study.targets import without_trial
from gazecode.verdict.drawn import MAX_MAPS
from gazecode.verdict.view import view_of

__all__ = [
    "Assessed",
    "Job",
    "Wanted",
    "gates_of",
    "jobs_of_files",
    "jobs_of_study",
    "notes_of_study",
    "target_of",
]

MAPS_A_PAGE = 60
"""Maps on a page of several recordings: each has fewer the more there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of every recording.

    Attributes
    ----------
    gates
        Limits that are set anew: gate → number, or None to switch it off.
    targets
        Beside those of a study.
    drawn
        Whether views for a page are made.
    """

    gates: Mapping[str, Any] = field(default_factory=dict)
    targets: Sequence[Target] = ()
    line_height_px: float | None = None
    drawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assessed:
    """One recording, assessed; `notes` are what its report cannot know.

    Attributes
    ----------
    name
        A path as it was given, or the study's name of it.
    short
        The same without folders, where that is unique: what tables and the page call it.
    """

    name: str
    short: str
    report: QualityReport
    notes: Sequence[str] = ()
    view: QualityView | None = None

    @property
    def warnings(self) -> list[str]:
        """What must be known before the figures are believed."""
        return [*self.report.warnings, *self.notes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A recording that is still to be assessed."""

    name: str
    run: Callable[[], Assessed]


def gates_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Gates set anew; ``false`` and ``null`` switch one off.

    >>> gates_of([("max_loss", 0.2), ("max_std_deg", False)])
    {'max_loss': 0.2, 'max_std_deg': None}
    """
    known = [f.name for f in fields(Gates)]
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            raise ParameterError.unknown("gates", name, known)
        found[name] = None if value is False else value
    # A wrong value is refused before a file is read.
    Gates(**found)
    return found


def target_of(text: str) -> Target:
    """``X,Y,ONSET_MS,OFFSET_MS`` as a target.

    >>> target_of("960,540,500,1500").offset_ms
    1500.0
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ParameterError(
            f"--target {text}: expected X,Y in px of the screen and ONSET_MS,OFFSET_MS, "
            "e.g. 960,540,500,1500"
        )
    x, y, onset, offset = numbers
    try:
        return Target(x_px=x, y_px=y, onset_ms=onset, offset_ms=offset)
    except DataError as error:
        raise ParameterError(f"--target {text}: {error}") from error


def jobs_of_files(
    files: Sequence[Path],
    wanted: Wanted,
    *,
    format: str | None = None,  # noqa: A002 - as `read` calls it
    screen: Screen | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Job]:
    """One job per file, in their order."""
    most = _maps_each(len(files))
    short = _short(files)

    def of(file: Path) -> Assessed:
        recording = read(file, format=format, screen=screen, **(options or {}))
        return _of_file(file, recording, wanted, short=short[file], max_maps=most)

    return [Job(name=str(file), run=partial(of, file)) for file in files]


def _short(files: Sequence[Path]) -> dict[Path, str]:
    """Names for a page, which may leave this machine: no folder but the last, where it is needed.

    >>> list(_short([Path("a/P1.asc"), Path("b/P1.asc"), Path("b/P2.asc")]).values())
    ['a/P1.asc', 'b/P1.asc', 'P2.asc']
    """
    names = [file.name for file in dict.fromkeys(files)]
    return {f: f.name if names.count(f.name) == 1 else "/".join(f.parts[-2:]) for f in files}


def _of_file(
    file: Path, recording: Recording, wanted: Wanted, *, short: str, max_maps: int
) -> Assessed:
    """What `gc.assess` finds; the events it needs are drawn as well."""
    recording = replace(recording, joined=recording.gaze)
    events, source = events_to_assess(recording)
    report = assess_quality(
        recording,
        gates=Gates(**wanted.gates),
        line_height_px=wanted.line_height_px,
        fixations=events,
        fixations_source=source,
        targets=wanted.targets,
    )
    view = None
    if wanted.drawn:
        view = view_of(short, recording, report, events=events, max_maps=max_maps)
    return Assessed(name=str(file), short=short, report=report, view=view)


def jobs_of_study(path: Path, wanted: Wanted) -> tuple[Study, list[Job]]:
    """The study, and one job per recording of it, in its order.

    Raises
    ------
    StudyError
        If the study file is wrong.
    """
    study = load_study(path)
    try:
        check_methods(study)
    except StudyError as error:
        raise located(error, path) from error
    finder = StimulusFinder(study)
    most = _maps_each(len(study.recordings))

    def of(entry: RecordingTable) -> Assessed:
        return _of_study(study, entry, finder, wanted, max_maps=most)

    return study, [Job(name=entry.name, run=partial(of, entry)) for entry in study.recordings]


def _of_study(
    study: Study, entry: RecordingTable, finder: StimulusFinder, wanted: Wanted, *, max_maps: int
) -> Assessed:
    """What a run of the study finds: its events, its layouts, its targets, its gates."""
    recording, steps = steps_in(study, entry, open_recording(study, entry))
    steps = replace(
        steps,
        gates=replace(steps.gates, **wanted.gates),
        targets=[*steps.targets, *wanted.targets],
    )
    recording = replace(recording, joined=recording.gaze)
    shown, failures, _ = what_was_shown(recording, finder)
    notes = [f"trial {failure.trial}: {failure.reason}" for failure in failures]
    notes += _short_targets(recording)
    events: Events | None = None
    try:
        events = find_events(recording, steps.detect, steps.detect_params)
    except GazecodeError as error:
        notes.append(f"no fixations: {error}")
    report = assess_shown(recording, shown, events, steps, line_height_px=wanted.line_height_px)
    report = replace(report, participant=entry.participant)
    view = None
    if wanted.drawn:
        images = {trial.name: what.image for trial, what in shown}
        view = view_of(
            entry.name,
            recording,
            report,
            events=events,
            images=images,
            notes=notes,
            max_maps=max_maps,
        )
    return Assessed(name=entry.name, short=entry.name, report=report, notes=notes, view=view)


def _short_targets(recording: Recording) -> list[str]:
    n = recording.provenance.get("left_out", {}).get("targets_too_short", 0)
    return [f"{plural(n, 'target')} left out: the trial ends before skip_ms are over"] if n else []


def notes_of_study(study: Study, found: Sequence[Assessed]) -> list[str]:
    """What holds for the study: targets whose trial no recording has."""
    trials = {trial.name for one in found for trial in one.report.trials}
    nowhere = without_trial(study.targets, trials) if found else []
    return [f"no trial is called {', '.join(nowhere)}, which [[targets]] names"] if nowhere else []


def _maps_each(n: int) -> int:
    return min(MAX_MAPS, MAPS_A_PAGE // n) if n else MAX_MAPS
