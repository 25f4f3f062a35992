"""One recording of a study: read it, take it through the stages, leave a part on disk."""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gazecode.errors import DataError, GazecodeError
from gazecode.model import Recording, Screen
from gazecode.pipeline import Failure, RecordingResult, Steps, analyse
from gazecode.readers import read
from gazecode.readers.source import Source
from gazecode.source.edits import clock_ms, read_changelog
from gazecode.study.methods import steps_of
from gazecode.study.parts import save_part
from gazecode.study.settings import RecordingTable, ScreenTable, Study
from gazecode.study.stimuli import StimulusFinder
from gazecode.study.targets import targets_in

__all__ = ["open_recording", "process", "steps_in"]


def process(study: Study, index: int, folder: Path) -> None:
    """Take recording number `index` through all stages and write its part.

    Whatever goes wrong with one recording is a line in its part: the others must not suffer.
    """
    entry = study.recordings[index]
    stage = "read"
    try:
        recording = open_recording(study, entry)
        stage = "detect"
        recording, steps = steps_in(study, entry, recording)
        result = analyse(recording, StimulusFinder(study), steps)
    except GazecodeError as error:
        # The line goes into files that leave this machine: names may, folders may not.
        reason = str(error)
        for file, name in zip(entry.files, (entry.name, "changelog"), strict=False):
            reason = reason.replace(str(file), name)
        result = _failed(stage, reason)
    except Exception as error:
        if os.environ.get("GAZECODE_DEBUG"):
            raise
        reason = f"unexpected {type(error).__name__}: {error}; please report it (--debug)"
        result = _failed("internal", reason)
    save_part(result, folder)


def steps_in(study: Study, entry: RecordingTable, recording: Recording) -> tuple[Recording, Steps]:
    """The steps of a study with its targets on the recording's clock.

    Of the recording its provenance alone changes: it counts the targets left out.
    """
    targets, n_short = targets_in(study.targets, entry, recording)
    if n_short:
        left_out = {**recording.provenance.get("left_out", {}), "targets_too_short": n_short}
        recording = replace(recording, provenance={**recording.provenance, "left_out": left_out})
    steps = replace(steps_of(study, entry), targets=targets, edits_ms=_edits_ms(entry, recording))
    return recording, steps


def _edits_ms(entry: RecordingTable, recording: Recording) -> list[float] | None:
    """When text was edited, on the recording's clock; None where nothing says so."""
    if entry.changelog is None:
        return None
    edits = read_changelog(entry.changelog)
    if recording.start_ns is None:
        raise DataError(
            f"{entry.name} has a changelog, whose times are of the wall clock, and does not say "
            "when it began; leave changelog out"
        )
    stamps = [edit.unix_ms for edit in edits]
    return [float(ms) for ms in clock_ms(stamps, recording.start_ns)]


def open_recording(study: Study, entry: RecordingTable) -> Recording:
    """Read a recording of a study; the study's screen fills in what the file does not say."""
    recording = read(entry.file, format=entry.format, **entry.options)
    screen = completed(recording.screen, study.screen)
    if recording.plane == "screen_fraction" and screen is not None:
        return read(entry.file, format=entry.format, screen=screen, **entry.options)
    said = {**recording.provenance, **_ignored(recording.screen, study.screen)}
    if _is_simulated(entry.file):
        said["synthetic"] = True
    return replace(recording, screen=screen, provenance=said)


def _is_simulated(path: Path) -> bool:
    """Whether the package's own simulator wrote the file: its exports say so at their head."""
    return path.is_file() and b"gazecode.simulate" in Source(path).head


def _ignored(screen: Screen | None, table: ScreenTable) -> dict[str, Any]:
    """What the study says of the screen against the recording, which is believed."""
    if screen is None:
        return {}
    against = {
        name: wanted
        for name, wanted in table.model_dump(exclude_none=True).items()
        if getattr(screen, name) not in (None, wanted)
    }
    return {"study_screen_ignored": against} if against else {}


def completed(screen: Screen | None, table: ScreenTable) -> Screen | None:
    """What the recording says of the screen; the study fills in what it does not say.

    >>> completed(Screen(width_px=1920, height_px=1200), ScreenTable(width_px=1, width_mm=509))
    Screen(width_px=1920, height_px=1200, width_mm=509.0, height_mm=None, distance_mm=None)
    """
    said: dict[str, Any] = {
        f.name: (getattr(screen, f.name) if screen is not None else None) or getattr(table, f.name)
        for f in fields(Screen)
    }
    if said["width_px"] is None or said["height_px"] is None:
        return None
    return Screen(**said)


def _failed(stage: str, reason: str) -> RecordingResult:
    failure = Failure(trial="", stage=stage, reason=reason)
    return RecordingResult(quality={}, provenance={}, screen=None, failures=(failure,))
