"""What is done with events after detection: merging, shortest durations, blinks; each by its name.

A rule takes what a detector gave and gives the same kind of `Events`: half-open, sorted, disjoint,
across no gap and no break. `RULES` holds them by name, `apply_rules` runs several in a given order.
Merging within 75 ms and 0.5 deg and a shortest fixation of 60 ms are the defaults of the widely
published vendor filter (A. Olsen 2012, "The Tobii I-VT Fixation Filter: algorithm description").
Order matters: what is dropped first cannot be merged any more.

A rule counts nothing away: the events it takes and gives are there to be compared. Places are
computed anew from the samples; columns that come after detection (`line`, `activity`) are not
carried along.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.detection.assembly import assemble, by_kind, columns_of
from gazecode.detection.blink_rule import lay_blinks
from gazecode.detection.limits import TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.merging import groups, merge_stretches
from gazecode.detection.segments import MIN_GAP_MS, Runs, Stretches, covered, find_runs
from gazecode.detection.velocity import directions
from gazecode.errors import ParameterError
from gazecode.model import KINDS, Events, Samples, Screen
from gazecode.model.checks import BoolArray, repeated
from gazecode.registry import Registry, check_parameters
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = [
    "RULES",
    "absorb_short",
    "apply_rules",
    "drop_short",
    "lay_blinks",
    "merge_fixations",
    "merge_saccades",
]


def merge_fixations(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    merge_gap_ms: float = 75.0,
    merge_angle_deg: float = 0.5,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Make one fixation of neighbours that are near in time and place.

    Each fixation takes in the next one as long as the mean place of what it holds so far is near;
    what lay between (saccades, oscillations) is then part of it. A blink between keeps two apart.

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    screen, px_per_deg, breaks_ms, min_gap_ms
        As the detector was given them.
    merge_gap_ms, merge_angle_deg
        From the end of one to the onset of the next, and between their mean places.

    Raises
    ------
    DataError
        The events lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> samples = Samples(t_ms=np.arange(12) * 10.0, xy_px=np.full((12, 2), 300.0))
    >>> events = Events(
    ...     kind=["fixation", "saccade", "fixation"],
    ...     onset_ms=[0, 50, 60],
    ...     offset_ms=[50, 60, 120],
    ...     xy_px=np.full((3, 2), 300.0),
    ...     first=[0, 5, 6],
    ...     last=[5, 6, 12],
    ... )
    >>> merge_fixations(events, samples).to_frame()[["kind", "onset_ms", "offset_ms"]]
           kind  onset_ms  offset_ms
    0  fixation       0.0      125.0
    """
    above_zero(px_per_deg=px_per_deg)
    at_least_zero(merge_gap_ms=merge_gap_ms, merge_angle_deg=merge_angle_deg, min_gap_ms=min_gap_ms)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    kind, first, last = columns_of(events, samples)
    fixed = np.flatnonzero(kind == "fixation")
    whole = merge_stretches(
        samples,
        directions(samples, screen, px_per_deg=px_per_deg),
        runs,
        (first[fixed], last[fixed]),
        max_gap_ms=merge_gap_ms,
        max_angle_deg=merge_angle_deg,
        apart=first[kind == "blink"],
    )
    return _replaced(events, samples, runs, whole, "fixation")


def merge_saccades(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all rules
    px_per_deg: float = DEFAULT_PX_PER_DEG,  # noqa: ARG001
    breaks_ms: Sequence[float] = (),
    merge_gap_ms: float = 20.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Make one saccade of neighbours that are near in time.

    Only where nothing but an oscillation or what is undefined lies between them. 20 ms is a
    convention against noise and the backward swing of an oscillation (saccades hardly follow each
    other within it).

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    screen, px_per_deg
        Without effect.
    breaks_ms, min_gap_ms
        As the detector was given them.
    merge_gap_ms
        From the end of one to the onset of the next.

    Raises
    ------
    DataError
        The events lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> samples = Samples(t_ms=np.arange(12) * 10.0, xy_px=np.full((12, 2), 300.0))
    >>> events = Events(
    ...     kind=["saccade", "saccade"],
    ...     onset_ms=[0, 60],
    ...     offset_ms=[50, 125],
    ...     xy_px=np.full((2, 2), 300.0),
    ...     first=[0, 6],
    ...     last=[5, 12],
    ... )
    >>> merge_saccades(events, samples).duration_ms
    array([125.])
    """
    at_least_zero(merge_gap_ms=merge_gap_ms, min_gap_ms=min_gap_ms)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    kind, first, last = columns_of(events, samples)
    rows = np.flatnonzero(kind == "saccade")
    between = np.cumsum(np.isin(kind, ("fixation", "pursuit", "blink")))
    part = runs.part[first[rows]] + between[rows]
    pause = samples.t_ms[first[rows[1:]]] - runs.end_ms[last[rows[:-1]] - 1]
    near = (pause <= merge_gap_ms + TOLERANCE_MS) & (part[1:] == part[:-1])
    return _replaced(events, samples, runs, _joined((first[rows], last[rows]), near), "saccade")


def drop_short(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all rules
    px_per_deg: float = DEFAULT_PX_PER_DEG,  # noqa: ARG001
    breaks_ms: Sequence[float] = (),  # noqa: ARG001
    kind: str = "fixation",
    min_duration_ms: float = 60.0,
) -> Events:
    """Leave out events of a kind that are shorter than a limit; their samples are of no event.

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    screen, px_per_deg, breaks_ms
        Without effect.
    kind
        One of `gazecode.model.KINDS`.
    min_duration_ms
        Shortest ``offset - onset`` that is kept.

    Raises
    ------
    DataError
        The events lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> samples = Samples(t_ms=np.arange(12) * 10.0, xy_px=np.full((12, 2), 300.0))
    >>> events = Events(
    ...     kind=["fixation", "fixation"],
    ...     onset_ms=[0, 60],
    ...     offset_ms=[50, 120],
    ...     xy_px=np.full((2, 2), 300.0),
    ...     first=[0, 6],
    ...     last=[5, 12],
    ... )
    >>> drop_short(events, samples, min_duration_ms=60).onset_ms
    array([60.])
    """
    _known_kind(kind)
    at_least_zero(min_duration_ms=min_duration_ms)
    kinds, _, _ = columns_of(events, samples)
    return events[(kinds != kind) | (events.duration_ms >= min_duration_ms - TOLERANCE_MS)]


def absorb_short(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,  # noqa: ARG001 - the signature of all rules
    px_per_deg: float = DEFAULT_PX_PER_DEG,  # noqa: ARG001
    breaks_ms: Sequence[float] = (),
    kind: str = "saccade",
    max_duration_ms: float = 10.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Let a short event become part of what it interrupts: the same kind just before and after it.

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    screen, px_per_deg
        Without effect.
    breaks_ms, min_gap_ms
        As the detector was given them.
    kind
        Of the short events; its neighbours are of one other kind, but no blinks, and touch it.
    max_duration_ms
        Longest ``offset - onset`` that is absorbed.

    Raises
    ------
    DataError
        The events lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> samples = Samples(t_ms=np.arange(12) * 10.0, xy_px=np.full((12, 2), 300.0))
    >>> events = Events(
    ...     kind=["fixation", "saccade", "fixation"],
    ...     onset_ms=[0, 50, 60],
    ...     offset_ms=[50, 60, 125],
    ...     xy_px=np.full((3, 2), 300.0),
    ...     first=[0, 5, 6],
    ...     last=[5, 6, 12],
    ... )
    >>> absorb_short(events, samples).last
    array([12])
    """
    _known_kind(kind)
    at_least_zero(max_duration_ms=max_duration_ms, min_gap_ms=min_gap_ms)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    kinds, first, last = columns_of(events, samples)
    if len(events) < 3:
        return events
    inner = slice(1, -1)
    touches = (first[1:] == last[:-1]) & (runs.part[first[1:]] == runs.part[last[:-1] - 1])
    short = events.duration_ms[inner] <= max_duration_ms + TOLERANCE_MS
    absorbed = (kinds[inner] == kind) & short & touches[:-1] & touches[1:]
    around = kinds[:-2]
    absorbed &= (around == kinds[2:]) & (around != kind) & (around != "blink")
    # Row i + 1 goes with the row before it, and the one after goes with it.
    near = np.zeros(len(events) - 1, dtype=np.bool_)
    near[:-1] |= absorbed
    near[1:] |= absorbed
    whole = _joined((first, last), near)
    kinds = kinds[np.searchsorted(first, whole[0])]
    return assemble(samples, runs, by_kind(kinds, *whole))


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ParameterError.unknown("kind", kind, KINDS)


def _joined(pieces: Stretches, near: BoolArray) -> Stretches:
    """Rows that `near` says go with the one before, made one."""
    first, last = pieces
    head, tail = groups(near, len(first))
    return first[head], last[tail]


def _replaced(events: Events, samples: Samples, runs: Runs, whole: Stretches, kind: str) -> Events:
    """All events of a kind as they are now; others that lie within these are part of them."""
    kinds, first, last = columns_of(events, samples)
    kept = (kinds != kind) & ~covered(len(samples), *whole)[first]
    kinds = np.concatenate((kinds[kept], repeated(kind, len(whole[0]))))
    first, last = np.concatenate((first[kept], whole[0])), np.concatenate((last[kept], whole[1]))
    return assemble(samples, runs, by_kind(kinds, first, last))


RULES: Registry[Callable[..., Events]] = Registry(
    "event rules",
    {
        "absorb_short": absorb_short,
        "drop_short": drop_short,
        "lay_blinks": lay_blinks,
        "merge_fixations": merge_fixations,
        "merge_saccades": merge_saccades,
    },
    group="gazecode.event_rules",
)


def apply_rules(
    events: Events,
    samples: Samples,
    rules: Sequence[str | tuple[str, Mapping[str, Any]]],
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
) -> Events:
    """Apply rules by name, one after the other.

    Parameters
    ----------
    events, samples
        As a detector gave them, with the samples it was given.
    rules
        Names in `RULES`, or names with parameters.
    screen, px_per_deg, breaks_ms
        As the detector was given them; every rule gets them.

    Raises
    ------
    DataError
        The events lack `first` and `last`, overlap, or are of other samples.
    ParameterError
        A rule or a parameter is unknown, or a value is outside its range.

    Examples
    --------
    >>> from gazecode.detection import detect
    >>> x = np.repeat([100.0, 180.0, 100.0], [100, 4, 100])
    >>> samples = Samples(t_ms=np.arange(204) * 2.0, xy_px=np.stack([x, x], axis=1))
    >>> events = detect(samples, "ivt", merge_gap_ms=0.0, min_duration_ms=0.0)
    >>> events.kind.tolist()
    ['fixation', 'saccade', 'fixation', 'saccade', 'fixation']
    >>> rules = [("drop_short", {"min_duration_ms": 60}), "merge_fixations"]
    >>> apply_rules(events, samples, rules).kind.tolist()
    ['fixation']
    """
    for name, params in _named(rules):
        function = RULES[name]
        given = ("screen", "px_per_deg", "breaks_ms")
        check_parameters(function, params, name=name, reserved=given)
        events = function(
            events, samples, screen=screen, px_per_deg=px_per_deg, breaks_ms=breaks_ms, **params
        )
    return events


def _named(rules: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Rules as pairs of a name and its parameters."""
    given = list(rules) if _is_list(rules) else [None]
    pairs: list[Any] = [(rule, {}) if isinstance(rule, str) else rule for rule in given]
    for pair in pairs:
        if not (_is_list(pair) and len(pair) == 2 and isinstance(pair[1], Mapping)):
            raise ParameterError(
                f"rules is {rules!r}; expected a list of names, or of pairs of a name and its "
                f"parameters; names: {', '.join(RULES)}"
            )
    return [(str(name), params) for name, params in pairs]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
