"""The methods a study names, their parameters, and a try-out before anything is read."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any

import numpy as np

from gazecode.detection import DETECTORS
from gazecode.detection.foreign import PREFIX
from gazecode.errors import GazecodeError, StudyError
from gazecode.finding import DEVICE, RESERVED, find_events
from gazecode.mapping import LINE_METHODS, MAPPERS, grid_layout
from gazecode.model import Events, Recording, Samples, Trial
from gazecode.pipeline import Shown, Steps, analyse_trial
from gazecode.placing import MEASURED, Placing
from gazecode.quality import Gates
from gazecode.registry import check_parameters
from gazecode.source import parse
from gazecode.study.settings import RecordingTable, Study
from gazecode.weighting import SCHEMES
from gazecode.weighting.base import GAZE, OF_GAZE, PATH

__all__ = ["check_methods", "settled", "steps_of"]

METHODS: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("detect", DETECTORS, "method"),
    ("lines", LINE_METHODS, "method"),
    ("map", MAPPERS, "method"),
    ("weigh", SCHEMES, "scheme"),
)
"""Table of the study file, what it chooses from, and the key that chooses."""
BY_PRIORS = ("control_permuted_labels", "control_other_people")
"""Controls whose parameters no study file can hold."""


def steps_of(study: Study, entry: RecordingTable) -> Steps:
    """The methods and parameters of a study for one recording."""
    return Steps(
        detect=study.detect.method,
        detect_params=study.detect.detected,
        placing=Placing(
            offset_px=entry.offset_px,
            drift=study.drift.model,
            drift_per=study.drift.per,
            lines=study.lines.method,
            lines_params=study.lines.assigned,
        ),
        map=study.map.method,
        map_params=study.map.params,
        scheme=study.weigh.scheme,
        scheme_params=study.weigh.params,
        gates=_gates(study),
        null_shifts=study.null.shifts,
        null_seed=study.null.seed,
        recording=entry.name,
        activities=study.weigh.activity,
    )


def check_methods(study: Study) -> None:
    """Refuse what is wrong for every recording: names, parameters, and values no method takes.

    Raises
    ------
    StudyError
        With the key in `loc`.
    """
    for table, registry, key in METHODS:
        _check_method(study, table, registry, key)
    if "per" in study.drift.model_fields_set and study.drift.model in ("", MEASURED):
        message = "goes with a model found on the text: offset or affine"
        raise StudyError.at("drift", "per", message=message)
    if study.drift.model == MEASURED and not study.targets:
        message = "targets measures drift where people were asked to look; add [[targets]]"
        raise StudyError.at("drift", "model", message=message)
    known = [f.name for f in fields(Gates)]
    for name in study.quality:
        if name not in known:
            message = f"unknown key; keys here: {', '.join(known)}"
            raise StudyError.at("quality", name, message=message)
    _guarded("quality", study.quality, lambda: _gates(study))
    _try_out(study)


def _check_method(study: Study, table: str, registry: Mapping[str, Any], key: str) -> None:
    """Refuse an unknown name, or a parameter the method does not have."""
    params = getattr(study, table).params
    name = getattr(getattr(study, table), key)
    if name == DEVICE and table == "detect":
        if params:
            raise StudyError.at(table, *params, message=f"{DEVICE} takes no parameters")
        return
    if not name and table == "lines":
        idle = [*params, *(["min_share"] if study.lines.min_share is not None else [])]
        if idle:
            raise StudyError.at(table, *idle[:1], message="expected method as well: which one?")
        return
    _guarded(table, {key: name}, partial(registry.__getitem__, name))
    if table == "weigh":
        _must_weigh_gaze("scheme", name)
    check = partial(check_parameters, registry[name], params, name=name, reserved=RESERVED)
    _guarded(table, params, check)
    if table == "weigh":
        _must_weigh_gaze("of", params.get("of"))


def _must_weigh_gaze(key: str, name: str | None) -> None:
    """A pseudo scan path needs priors, which no study has: they come of studies."""
    if name in PATH or name in BY_PRIORS:
        raise StudyError.at(
            "weigh",
            key,
            message=f"{name} needs priors, a study weighs gaze; choose {', '.join(GAZE)} or "
            "a control of them, or weigh a corpus with `gazecode weigh`",
        )


def settled(study: Study) -> dict[str, Any]:
    """Every setting that shapes the result, defaults included, as JSON: what provenance says."""
    said = study.parameters()
    for table, registry, key in METHODS:
        name = getattr(getattr(study, table), key)
        if name and name in registry:
            said[table] = {**_defaults(registry[name]), **said[table]}
    if study.weigh.scheme.startswith("control_"):
        said["weigh"]["of"] = study.weigh.params.get("of") or OF_GAZE
    return said | {"quality": asdict(_gates(study))}


def _gates(study: Study) -> Gates:
    """``false`` switches a gate off: TOML has no null."""
    given = {name: None if value is False else value for name, value in study.quality.items()}
    return Gates(**given)  # type: ignore[arg-type]


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    return {
        p.name: p.default
        for p in inspect.signature(function).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY
        and p.name not in RESERVED
        and isinstance(p.default, int | float | str | None)
    }


def _guarded(table: str, params: Mapping[str, Any], check: Callable[[], Any]) -> None:
    """Run a check; what it raises is the fault of the parameter it names, else of the table."""
    try:
        check()
    except (GazecodeError, TypeError, ValueError) as error:
        message = str(error)
        guilty = [name for name in params if name in message or repr(params[name]) in message]
        raise StudyError.at(table, *guilty[:1], message=message) from error


def _try_out(study: Study) -> None:
    """Take a tiny recording through the steps: a value no method takes shows before the run."""
    steps = steps_of(study, study.recordings[0])
    t = np.arange(0.0, 600.0, 5.0)
    xy = np.repeat([[10.0, 10.0], [410.0, 10.0]], 60, axis=0)
    trial = Trial(name="trial", onset_ms=0.0, offset_ms=600.0)
    recording = Recording(samples={"both": Samples(t_ms=t, xy_px=xy)}, trials=[trial])
    # What another package's detector makes of so small a recording says nothing of real ones.
    if steps.detect == DEVICE or steps.detect.startswith(PREFIX):
        steps = replace(steps, detect=Steps().detect, detect_params={})
    found: list[Any] = []
    _guarded("detect", steps.detect_params, lambda: found.append(_find(recording, steps)))
    plain = replace(steps, scheme=OF_GAZE, scheme_params={})
    for table, params, some in (
        ("lines", steps.placing.lines_params, replace(plain, map=Steps().map, map_params={})),
        ("map", steps.map_params, plain),
        ("weigh", {"scheme": steps.scheme, **steps.scheme_params}, steps),
    ):
        _guarded(table, params, partial(analyse_trial, recording, trial, _tiny(), found[0], some))


def _find(recording: Recording, steps: Steps) -> Events:
    return find_events(recording, steps.detect, steps.detect_params)


def _tiny() -> Shown:
    tokens = parse("x", "java")
    layout = grid_layout(tokens, origin_px=(0, 0), char_width_px=20, line_height_px=20)
    return Shown(stimulus="", tokens=tokens, layout=layout)
