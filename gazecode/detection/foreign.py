"""The detectors of pymovements, by name: ``pymovements:idt``, ``pymovements:ivt`` and the others.

D. G. Krakowczyk et al. 2023, doi:10.1145/3588015.3590134. They stay what they are; what they are
given and what comes back is brought to the conventions here:

* Each run without loss, gap or break is given by itself, since they would join what lies on both
  sides of a gap; a run of fewer than `FEWEST` samples holds no event. What a detector derives from
  its data it derives from a run; the threshold of ``microsaccades`` alone is that of all runs.
* Angles are degrees. Velocities are those of a local polynomial on the real stamps, along the
  sphere (`gazecode.detection.smoothing`).
* Durations are in ms, under pymovements' own names.
* ``idt`` demands regular time and counts samples: its durations are rounded to whole steps, and
  where a stamp is further than half a step from an even clock, the run is interpolated to one of
  as many samples. The others take the stamps as they are.
* ``blink`` needs pupil sizes, and is given whole stretches between gaps and breaks: a loss is what
  it looks for. ``out_of_screen`` takes its limits from the screen. ``fill`` fills what the
  `events` given to it (fixations, saccades, ...) leave.
* Their offset is the last sample of an event; here events end when that sample ends. An event that
  is neither fixation, saccade nor blink is ``undefined``.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.segments import MIN_GAP_MS, Runs, Stretches, find_runs, parts
from gazecode.detection.smoothing import smooth
from gazecode.detection.velocity import Directions, directions
from gazecode.errors import ParameterError
from gazecode.model import KINDS, Events, Samples, Screen
from gazecode.model.checks import FloatArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["PREFIX", "foreign_detector", "foreign_names"]

PREFIX = "pymovements:"
FEWEST = 5
"""Samples a run needs: their velocities and models mean nothing for fewer."""
DURATIONS = ("minimum_duration", "maximum_duration", "minimum_gap")
"""Their parameters in units of the stamps: given in ms, handed on in whole µs."""
OURS = ("positions", "velocities", "pixels", "pupil", "timesteps", "name")
"""Their parameters that are set here."""
SCREEN_LIMITS = {"x_min": 0.0, "y_min": 0.0}
_SIMPLE = {"int": int, "float": float, "bool": bool}


def foreign_names() -> tuple[str, ...]:
    """Names of pymovements' detectors, with the prefix; imports pymovements, which takes seconds.

    Raises
    ------
    ParameterError
        pymovements is not installed.

    Examples
    --------
    >>> foreign_names()  # doctest: +SKIP
    ('pymovements:blink', 'pymovements:fill', 'pymovements:idt', ...)
    """
    return tuple(PREFIX + name for name in sorted(_library()))


def foreign_detector(name: str) -> Callable[..., Events]:
    """A detector of pymovements as one of this package.

    Parameters
    ----------
    name
        With or without the prefix ``pymovements:``.

    Returns
    -------
    Callable
        ``(samples, *, screen, px_per_deg, breaks_ms, min_gap_ms, velocity_window_ms, ...) ->
        Events``, followed by pymovements' own parameters; ``inspect.signature`` lists them.
        `velocity_window_ms` is the window of the polynomial that velocities are taken from.

    Raises
    ------
    ParameterError
        pymovements is not installed, or has no detector of that name. The detector itself raises
        it for parameters that pymovements refuses.

    Examples
    --------
    >>> samples = Samples(t_ms=np.arange(100) * 2.0, xy_px=np.full((100, 2), 400.0))
    >>> foreign_detector("pymovements:idt")(samples).duration_ms  # doctest: +SKIP
    array([201.])
    """
    short = name.removeprefix(PREFIX)
    library = _library()
    if short not in library:
        raise ParameterError.unknown("pymovements' detectors", name, foreign_names())
    function = library[short]

    def detector(
        samples: Samples,
        *,
        screen: Screen | None = None,
        px_per_deg: float = DEFAULT_PX_PER_DEG,
        breaks_ms: Sequence[float] = (),
        min_gap_ms: float = MIN_GAP_MS,
        velocity_window_ms: float = 20.0,
        **params: Any,
    ) -> Events:
        above_zero(px_per_deg=px_per_deg, velocity_window_ms=velocity_window_ms)
        at_least_zero(min_gap_ms=min_gap_ms)
        _refuse_unknown(function, params, short)
        runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
        gaze = directions(samples, screen, px_per_deg=px_per_deg)
        if len(samples) < FEWEST:
            found = _by_kind([])
        elif short == "fill":
            found = _filled(function, samples, runs, params)
        elif short == "blink":
            found = _in_stretches(
                function, samples, _long(parts(runs)), {"pupil": _pupil(samples)}, params
            )
        else:
            signals = _signals(function, samples, gaze, runs, velocity_window_ms)
            params = _completed(short, params, signals, screen)
            found = _in_stretches(function, samples, _long(_whole(runs)), signals, params)
        return assemble(samples, runs, found)

    detector.__name__ = detector.__qualname__ = PREFIX + short
    detector.__doc__ = inspect.getdoc(function)
    detector.__signature__ = _signature(detector, function)  # type: ignore[attr-defined]
    return detector


def _library() -> Mapping[str, Callable[..., Any]]:
    try:
        events = import_module("pymovements").events
    except ImportError as error:
        raise ParameterError(
            "detectors named pymovements:NAME need pymovements, which is not installed: "
            "pip install pymovements (the extra gazecode[bench] has it)"
        ) from error
    methods: Mapping[str, Callable[..., Any]] = events.EventDetectionLibrary.methods
    return methods


def _theirs(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if name not in OURS}


def _signature(detector: Callable[..., Events], function: Callable[..., Any]) -> inspect.Signature:
    """Ours without ``**params``, then theirs; kinds of values where they are plain."""
    own = inspect.signature(detector)
    kept = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    taken = {one.name for one in kept}
    added = [
        one.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            default=None if one.default is one.empty else one.default,
            annotation=Any if name in DURATIONS else _SIMPLE.get(str(one.annotation), Any),
        )
        for name, one in _theirs(function).items()
        if name not in taken
    ]
    return own.replace(parameters=[*kept, *added])


def _refuse_unknown(function: Callable[..., Any], params: Mapping[str, Any], short: str) -> None:
    known = _theirs(function)
    unknown = [name for name in params if name not in known]
    if unknown:
        raise ParameterError(
            f"{PREFIX}{short} has no parameter {', '.join(unknown)}; it has: "
            f"{', '.join(known) or 'none'}"
        )


def _whole(runs: Runs) -> Iterable[tuple[int, int]]:
    heads = np.flatnonzero(runs.start == np.arange(len(runs.start)))
    return zip(heads.tolist(), runs.stop[heads].tolist(), strict=True)


def _long(pieces: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those of at least `FEWEST` samples."""
    return ((a, b) for a, b in pieces if b - a >= FEWEST)


def _pupil(samples: Samples) -> FloatArray:
    pupil = samples.pupil
    if pupil is None or not np.isfinite(pupil).any():
        raise ParameterError(
            "pymovements:blink needs pupil sizes and these samples have none; "
            "choose a detector that needs gaze alone"
        )
    return pupil


def _signals(
    function: Callable[..., Any], samples: Samples, gaze: Directions, runs: Runs, window_ms: float
) -> dict[str, FloatArray]:
    """What the detector asks for first, by its name, for all samples."""
    asked = next(iter(inspect.signature(function).parameters))
    if asked == "positions":
        return {asked: gaze.deg}
    if asked == "pixels":
        return {asked: samples.xy_px}
    return {asked: smooth(samples.t_ms, gaze, runs, window_ms=window_ms).velocity_deg_s}


def _completed(
    short: str, params: Mapping[str, Any], signals: Mapping[str, FloatArray], screen: Screen | None
) -> dict[str, Any]:
    """The parameters given, and what the whole recording or the screen says."""
    full = dict(params)
    if short == "out_of_screen":
        if screen is not None:
            full = {"x_max": float(screen.width_px), "y_max": float(screen.height_px), **full}
        missing = [name for name in ("x_max", "y_max") if name not in full]
        if missing:
            raise ParameterError(
                f"pymovements:out_of_screen needs the screen or {' and '.join(missing)}"
            )
    if short == "microsaccades" and isinstance(full.get("threshold", "engbert2015"), str):
        velocity = signals["velocities"]
        known = velocity[~np.isnan(velocity).any(axis=1)]
        module = import_module("pymovements.events.detection.microsaccades")
        if len(known):
            threshold = _called(
                module.compute_threshold, known, method=full.get("threshold", "engbert2015")
            )
            # A tuple of two numbers: what is known of noise is known from all of the gaze.
            full["threshold"] = tuple(np.asarray(threshold, dtype=np.float64).tolist())
    return full


def _in_stretches(
    function: Callable[..., Any],
    samples: Samples,
    within: Iterator[tuple[int, int]],
    signals: Mapping[str, FloatArray],
    params: Mapping[str, Any],
) -> dict[str, Stretches]:
    """Samples ``[first, last)`` of the events of every kind."""
    scaled = _in_microseconds(function, params)
    ((asked, signal),) = signals.items()
    rows: list[tuple[str, int, int]] = []
    for a, b in within:
        t_us = (samples.t_ms[a:b] - samples.t_ms[a]) * 1000.0
        stamps = np.round(t_us).astype(np.int64)
        if asked == "positions":
            found = _on_even_clock(function, signal[a:b], t_us, scaled)
        else:
            events = _called(function, **{asked: signal[a:b]}, timesteps=stamps, **scaled)
            found = [
                (kind, *np.searchsorted(stamps, [onset, offset]).tolist())
                for kind, onset, offset, *_ in events.frame.rows()
            ]
        rows += [(kind, a + i, a + j + 1) for kind, i, j in found if j >= i]
    return _by_kind(rows)


def _on_even_clock(
    function: Callable[..., Any], values: FloatArray, t_us: FloatArray, params: Mapping[str, Any]
) -> list[tuple[str, int, int]]:
    """Kind, first and last sample of the events of a detector that counts samples."""
    n = len(t_us)
    clock, step = np.linspace(0.0, t_us[-1], n), t_us[-1] / (n - 1)
    if np.abs(t_us - clock).max() > step / 2:
        values = np.stack([np.interp(clock, t_us, column) for column in values.T], axis=1)
    counted = {
        name: max(round(value / step), 1) if name in DURATIONS else value
        for name, value in params.items()
    }
    events = _called(function, values, timesteps=np.arange(n), **counted)
    # Back to the real stamps: those whose half step around them holds the even clock's.
    return [
        (
            kind,
            int(np.searchsorted(t_us, (first - 0.5) * step)),
            int(np.searchsorted(t_us, (last + 0.5) * step)) - 1,
        )
        for kind, first, last, *_ in events.frame.rows()
    ]


def _in_microseconds(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    full = dict(params)
    for name, one in _theirs(function).items():
        if name in DURATIONS:
            value = full.get(name, one.default)
            if value is not None:
                at_least_zero(**{name: value})
                full[name] = round(value * 1000)
    return full


def _filled(
    function: Callable[..., Any], samples: Samples, runs: Runs, params: Mapping[str, Any]
) -> dict[str, Stretches]:
    """What the events given leave of every run; ``fill`` takes half-open events, as samples."""
    params = dict(params)
    given = params.pop("events", None)
    shortest = params.pop("minimum_duration", 0)
    at_least_zero(minimum_duration=shortest)
    given = Events.empty() if given is None else given
    first, last = (
        np.searchsorted(samples.t_ms, edge - 1e-6) for edge in (given.onset_ms, given.offset_ms)
    )
    theirs = import_module("pymovements").events.Events
    rows = []
    for a, b in _long(_whole(runs)):
        inside = (first < b) & (last > a)
        held = theirs(
            name=["event"] * int(inside.sum()),
            onsets=(np.maximum(first[inside], a) - a).tolist(),
            offsets=(np.minimum(last[inside], b) - a).tolist(),
        )
        events = _called(function, held, np.arange(b - a), **params)
        rows += [(kind, a + i, a + j + 1) for kind, i, j, *_ in events.frame.rows()]
    lasting = [
        row for row in rows if runs.end_ms[row[2] - 1] - samples.t_ms[row[1]] >= shortest - 1e-6
    ]
    return _by_kind(lasting)


def _by_kind(rows: Sequence[tuple[str, int, int]]) -> dict[str, Stretches]:
    kinds = sorted({kind if kind in KINDS else "undefined" for kind, _, _ in rows}) or ["undefined"]
    found = {}
    for kind in kinds:
        held = [
            (first, last)
            for name, first, last in rows
            if (name if name in KINDS else "undefined") == kind
        ]
        columns = np.array(held, dtype=np.int64).reshape(-1, 2)
        found[kind] = (columns[:, 0], columns[:, 1])
    return found


def _called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"pymovements refuses ({function.__name__}): {' '.join(str(error).split())}"
        ) from error
