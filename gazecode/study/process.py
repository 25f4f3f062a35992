"""One recording of a study: read it, take it through the stages, leave a part on disk."""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gazecode.detection import DETECTORS
from gazecode.errors import GazecodeError, ParameterError, StudyError
from gazecode.mapping import MAPPERS
from gazecode.model import Recording, Screen
from gazecode.pipeline import Failure, RecordingResult, Steps, analyse
from gazecode.quality import Gates
from gazecode.readers import read
from gazecode.registry import check_parameters
from gazecode.study.parts import save_part
from gazecode.study.settings import RecordingTable, ScreenTable, Study
from gazecode.study.stimuli import StimulusFinder
from gazecode.weighting import SCHEMES

__all__ = ["process", "steps_of"]


def steps_of(study: Study, entry: RecordingTable) -> Steps:
    """The methods and parameters of a study; unknown ones are refused with the table they are in.

    Raises
    ------
    StudyError
        Naming the table, the key and what could stand there.
    """
    _check("detect", DETECTORS, study.detect.method, study.detect.params, also=("device",))
    _check("map", MAPPERS, study.map.method, study.map.params)
    _check("weigh", SCHEMES, study.weigh.scheme, study.weigh.params)
    known = [f.name for f in fields(Gates)]
    unknown = [key for key in study.quality if key not in known]
    if unknown:
        raise StudyError(f"[quality] has no key {', '.join(unknown)}; it has: {', '.join(known)}")
    return Steps(
        detect=study.detect.method,
        detect_params=study.detect.params,
        map=study.map.method,
        map_params=study.map.params,
        scheme=study.weigh.scheme,
        scheme_params=study.weigh.params,
        gates=Gates(**study.quality),
        offset_px=entry.offset_px,
    )


def process(study: Study, index: int, folder: Path) -> None:
    """Take recording number `index` through all stages and write its part.

    Whatever goes wrong with one recording is a line in its part: the others must not suffer.
    """
    entry = study.recordings[index]
    try:
        recording = _open(study, entry)
    except GazecodeError as error:
        # The line goes into files that leave this machine: names may, folders may not.
        result = _failed("read", str(error).replace(str(entry.file), entry.file.name))
    else:
        try:
            result = analyse(recording, StimulusFinder(study), steps_of(study, entry))
        except GazecodeError as error:
            result = _failed("detect", str(error))
        except Exception as error:
            if os.environ.get("GAZECODE_DEBUG"):
                raise
            reason = f"unexpected {type(error).__name__}: {error}; please report it (--debug)"
            result = _failed("internal", reason)
    save_part(result, folder)


def _open(study: Study, entry: RecordingTable) -> Recording:
    recording = read(entry.file, format=entry.format, **entry.options)
    screen = completed(recording.screen, study.screen)
    if recording.plane == "screen_fraction" and screen is not None:
        return read(entry.file, format=entry.format, screen=screen, **entry.options)
    return replace(recording, screen=screen)


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


def _check(
    table: str, registry: Any, name: str, params: dict[str, Any], *, also: tuple[str, ...] = ()
) -> None:
    if name in also:
        if params:
            raise StudyError(f"[{table}] {name} takes no parameters; found {', '.join(params)}")
        return
    try:
        check_parameters(registry[name], params, name=name)
    except ParameterError as error:
        raise StudyError(f"[{table}]: {error}") from error


def _failed(stage: str, reason: str) -> RecordingResult:
    failure = Failure(trial="", stage=stage, reason=reason)
    return RecordingResult(quality={}, provenance={}, screen=None, failures=(failure,))
