"""Columns of Tobii gaze records under the names of several writers, brought to one.

The SDK for Python gives `gaze_data` as a dictionary (``left_gaze_point_on_display_area``, a pair;
``left_gaze_point_validity``, 0 or 1); Titta and TittaPy split the pairs
(``left_gaze_point_on_display_area_x``; ``left_gaze_point_valid``, True or False); scripts on the
SDK for MATLAB keep its capitals (``left_gazePoint_onDisplayArea_x``). Letters and digits alone
tell them apart.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError
from gazecode.model import Message, Recording, Samples, Trial
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.trials import unique_names

__all__ = [
    "EYES",
    "UNIX_US",
    "Columns",
    "find_columns",
    "recording",
    "trials_of_messages",
    "validity",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

EYES = ("left", "right")
_POINTS = ("gazepointondisplayarea", "gazeondisplayarea")
"""The second is TittaPy's of before 2021."""
UNIX_US = 1e15
"""A stamp above it counts from 1970: no computer has been running for thirty years."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file are called; None where it lacks one.

    `point` holds the names of x and y by eye; `validity` the flag of the point.
    """

    device: str | None
    system: str | None
    point: Mapping[str, tuple[str, str]]
    validity: Mapping[str, str]
    pupil: Mapping[str, str]
    pupil_validity: Mapping[str, str]

    @property
    def is_gaze(self) -> bool:
        """Whether there is a time and a point."""
        return bool(self.point) and (self.device or self.system) is not None


def find_columns(names: Iterable[str]) -> Columns:
    """Find the columns of use among names; pairs stand there as ``_x`` and ``_y``.

    >>> find_columns(
    ...     [
    ...         "system_time_stamp",
    ...         "left_gazePoint_onDisplayArea_x",
    ...         "left_gazePoint_onDisplayArea_y",
    ...     ]
    ... ).point
    {'left': ('left_gazePoint_onDisplayArea_x', 'left_gazePoint_onDisplayArea_y')}
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub(r"[^a-z0-9]", "", name.lower()), name)

    def first(*keys: str) -> str | None:
        return next((plain[key] for key in keys if key in plain), None)

    def by_eye(*keys: str) -> dict[str, str]:
        found = {eye: first(*(eye + key for key in keys)) for eye in EYES}
        return {eye: name for eye, name in found.items() if name is not None}

    x, y = (by_eye(*(point + axis for point in _POINTS)) for axis in "xy")
    return Columns(
        device=first("devicetimestamp"),
        system=first("systemtimestamp"),
        point={eye: (x[eye], y[eye]) for eye in EYES if eye in x and eye in y},
        validity=by_eye("gazepointvalidity", "gazepointvalid"),
        pupil=by_eye("pupildiameter"),
        pupil_validity=by_eye("pupilvalidity", "pupilvalid"),
    )


def validity(text: Iterable[object]) -> list[bool]:
    """Flags as writers print them, or what a parser made of the print.

    >>> validity(["1", "0", "1.0", "True", "False", "nan", ""])
    [True, False, True, True, False, False, False]
    """
    return [str(t).strip().lower() in ("1", "1.0", "true", "valid") for t in text]


Column = Callable[[str], FloatArray]
Flag = Callable[[str], BoolArray]


def recording(
    columns: Columns,
    column: Column,
    flag: Flag,
    *,
    counts: Counter[str],
    messages: Iterable[tuple[float, str]] = (),
    notes: Iterable[str] = (),
    more: Mapping[str, object] | None = None,
) -> "tuple[Recording, float]":
    """Make the recording, and say what system time less the recording's time is, µs.

    Parameters
    ----------
    columns
        Names of what there is.
    column, flag
        Give a column's values ``(n,)`` by name, float or bool, each one once, and let go of it.
    messages
        System time in µs and text.
    notes, more
        For the provenance.
    """
    notes = list(notes)
    system_us = column(columns.system) if columns.system else None
    device_us = column(columns.device) if columns.device else None
    if device_us is None or not np.isfinite(device_us).any():
        clock_us, clock = system_us, columns.system
    else:
        clock_us, clock = device_us, columns.device
    if clock_us is None or not np.isfinite(clock_us).any():
        raise DataError(
            "no row holds a time stamp; expected µs in device_time_stamp or system_time_stamp. "
            "Export the file again"
        )
    zero_us = float(np.nanmin(clock_us))
    # Both clocks run in µs: what lies between them is one number, but for rounding and drift.
    system_zero_us = np.nan if system_us is None else _offset(system_us, clock_us) + zero_us
    said = {"clock": f"column {clock}, µs; 0 at the first stamp"}
    if system_us is not None:
        notes += _quantum_note(system_us, taken=clock_us is system_us)
    t_ms = (clock_us - zero_us) / 1000.0
    del system_us, device_us, clock_us
    xy, pupil = {}, {}
    for eye, names in columns.point.items():
        xy[eye] = np.stack([column(name) for name in names], axis=1)
        if eye in columns.validity:
            valid = flag(columns.validity[eye])
            counts[f"invalid_{eye}"] += int((~valid & np.isfinite(xy[eye]).all(axis=1)).sum())
            xy[eye][~valid] = np.nan
        if eye in columns.pupil:
            pupil[eye] = column(columns.pupil[eye]).copy()
            if eye in columns.pupil_validity:
                pupil[eye][~flag(columns.pupil_validity[eye])] = np.nan
            pupil[eye][~(pupil[eye] > 0)] = np.nan
    if not columns.validity:
        notes.append("no validity columns: only what is no number is lost")
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    told = _messages(messages, system_zero_us, notes)
    trials = _trials_with_gaze(trials_of_messages(told), samples, counts)
    known = np.isfinite(system_zero_us) and system_zero_us > UNIX_US
    made = Recording(
        samples=samples,
        trials=trials,
        messages=told,
        plane="screen_fraction",
        start_ns=round(system_zero_us) * 1000 if known else None,
        provenance={
            **said,
            **(more or {}),
            "pupil_unit": "mm",
            "left_out": dict(+counts),
            "notes": [
                "the file does not say the size of the screen; read(path, screen=...) gives px",
                *notes,
            ],
        },
    )
    return made, float(system_zero_us)


def _offset(system_us: FloatArray, clock_us: FloatArray) -> float:
    apart = system_us - clock_us
    apart = apart[np.isfinite(apart)]
    return float(np.median(apart)) if len(apart) else float("nan")


def _quantum_note(system_us: FloatArray, *, taken: bool) -> list[str]:
    """Whether system_time_stamp was rounded: scripts that print it as a float lose digits."""
    stamps = system_us[np.isfinite(system_us)]
    if len(stamps) < 3:
        return []
    quantum = next((q for q in (10**6, 10**5, 10**4, 10**3) if not (stamps % q).any()), None)
    if quantum is None:
        return []
    use = "time steps are those of the rounding" if taken else "it is not used for time"
    return [f"system_time_stamp is rounded to {quantum / 1000:g} ms; {use}"]


def _messages(
    messages: Iterable[tuple[float, str]], zero_us: float, notes: list[str]
) -> list[Message]:
    rows = list(messages)
    if rows and not np.isfinite(zero_us):
        notes.append(f"{len(rows)} messages have system times and the gaze has none: left out")
        return []
    told = [Message(t_ms=(ts - zero_us) / 1000.0, text=text) for ts, text in rows]
    return sorted(told, key=lambda message: message.t_ms)


def _trials_with_gaze(
    trials: list[Trial], samples: Mapping[str, Samples], counts: Counter[str]
) -> list[Trial]:
    t_ms = next(iter(samples.values())).t_ms
    kept = [t for t in trials if len(t_ms) and t.onset_ms <= t_ms[-1] and t.offset_ms > t_ms[0]]
    counts["trials_without_gaze"] += len(trials) - len(kept)
    return kept


def trials_of_messages(messages: Iterable[Message]) -> list[Trial]:
    """Titta's convention: ``onset_<stimulus>`` begins, the next ``offset_<stimulus>`` ends.

    >>> told = [Message(t_ms=5.0, text="onset_a.png"), Message(t_ms=9.0, text="offset_a.png")]
    >>> trials_of_messages(told)[0].stimulus
    'a.png'
    """
    begun: dict[str, float] = {}
    spans: list[tuple[float, float, str]] = []
    for message in messages:
        kind, _, stimulus = message.text.partition("_")
        if kind == "onset" and stimulus:
            begun[stimulus] = message.t_ms
        elif kind == "offset" and stimulus in begun:
            spans.append((begun.pop(stimulus), message.t_ms, stimulus))
    spans = sorted(span for span in spans if span[1] > span[0])
    names = unique_names(stimulus for _, _, stimulus in spans)
    return [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=stimulus)
        for name, (onset, offset, stimulus) in zip(names, spans, strict=True)
    ]
