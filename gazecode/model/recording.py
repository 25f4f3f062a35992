"""What a reader returns: gaze samples on one clock, trials, messages, the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import IntArray
from gazecode.model.events import Events
from gazecode.model.eyes import join_eyes, mean_of_eyes
from gazecode.model.planes import PLANES
from gazecode.model.samples import Samples
from gazecode.model.validation import Validation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Message", "Recording", "Screen", "Stimulus", "Trial"]

EYES = ("left", "right", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The screen: pixels always, millimetres and viewing distance when known.

    >>> Screen(width_px=1920, height_px=1080).px_per_deg is None
    True
    >>> screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    >>> round(screen.px_per_deg, 2)
    42.82
    """

    width_px: float
    height_px: float
    width_mm: float | None = None
    height_mm: float | None = None
    distance_mm: float | None = None

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            number = isinstance(value, Real) and 0 < float(value) < np.inf
            if not number and (value is not None or name in ("width_px", "height_px")):
                raise DataError(f"Screen.{name} is {value!r}; expected a positive number")

    @property
    def has_geometry(self) -> bool:
        """Whether degrees exist: millimetres and distance are all known."""
        return None not in (self.width_mm, self.height_mm, self.distance_mm)

    @property
    def px_per_deg(self) -> float | None:
        """Pixels per degree at the centre of the screen (mean of both axes), or None."""
        if self.width_mm is None or self.height_mm is None or self.distance_mm is None:
            return None
        mm_per_deg = self.distance_mm * np.tan(np.radians(1.0))
        px_per_mm = (self.width_px / self.width_mm + self.height_px / self.height_mm) / 2
        return float(mm_per_deg * px_per_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A stretch ``[onset_ms, offset_ms)`` in which one stimulus was on the screen."""

    name: str
    onset_ms: float
    offset_ms: float
    stimulus: str | None = None

    def __post_init__(self) -> None:
        if not self.offset_ms > self.onset_ms:
            raise DataError(
                f"trial {self.name!r} runs from {self.onset_ms} to {self.offset_ms} ms; "
                "expected an end later than the start"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text the experiment wrote into the recording."""

    t_ms: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stimulus:
    """What a recording itself says of its stimulus: the text shown, and where its parts were.

    Attributes
    ----------
    boxes
        Column name → array, with at least ``kind text x0 y0 x1 y1`` (px); empty if unknown.
    """

    name: str
    code: str
    language: str
    boxes: Mapping[str, Any] = field(default_factory=dict)
    image: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One recording on one clock: ms from its start, which is its first stamp if no other is said.

    Attributes
    ----------
    samples
        Eye → `Samples`; keys out of left, right, both (the device's own mean). All share `t_ms`.
        A file of fixations alone has samples without rows, and `device_events`.
    trials, messages, device_events, screen
        As the file has them; `device_events` are the vendor's own.
    plane
        What coordinates are: one of `PLANES`. Only ``screen_px`` can be mapped or put in degrees;
        ``scene_px`` and ``scene_fraction`` are of a head-mounted camera's picture.
    stimuli
        Stimulus name → `Stimulus`, where the file itself holds text or boxes.
    provenance
        JSON-able: format, file, clock, rate, counts of everything left out.
    start_ns
        Wall clock at ms 0, ns since 1970, if known. Kept in memory, never exported.
    validations
        What the file says of the tracker's accuracy: one `Validation` a check.
    joined
        Both eyes joined already: a window keeps the whole recording's disparity.
    """

    samples: Mapping[str, Samples]
    trials: Sequence[Trial] = ()
    messages: Sequence[Message] = ()
    device_events: Events = field(default_factory=Events.empty)
    screen: Screen | None = None
    plane: str = "screen_px"
    stimuli: Mapping[str, Stimulus] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    start_ns: int | None = None
    validations: Sequence[Validation] = ()
    joined: Samples | None = None

    def __post_init__(self) -> None:
        if not self.samples or set(self.samples) - set(EYES):
            raise DataError(
                f"a recording holds samples for {sorted(self.samples)}; "
                f"expected one or more of {EYES}"
            )
        if self.plane not in PLANES:
            raise DataError(f"unknown plane {self.plane!r}; expected one of {PLANES}")
        clocks = [s.t_ms for s in self.samples.values()]
        if any(not np.array_equal(clocks[0], t) for t in clocks[1:]):
            raise DataError("the eyes of a recording have different clocks; expected one t_ms")
        # Samples go on alone, to a detector for one: they must say what they are.
        samples = {
            eye: s if s.plane == self.plane else replace(s, plane=self.plane)
            for eye, s in self.samples.items()
        }
        object.__setattr__(self, "samples", MappingProxyType(samples))
        object.__setattr__(self, "trials", tuple(self.trials))
        object.__setattr__(self, "messages", tuple(self.messages))
        object.__setattr__(self, "validations", tuple(self.validations))

    def __len__(self) -> int:
        return len(next(iter(self.samples.values())))

    @property
    def duration_ms(self) -> float:
        """From the first to the last sample, ms."""
        t = next(iter(self.samples.values())).t_ms
        return float(t[-1] - t[0]) if len(t) else 0.0

    @property
    def gaze(self) -> Samples:
        """Both eyes joined: the mean where both are valid, never a jump where one is lost.

        In a one-eye stretch it takes that eye plus half the disparity measured around it; a
        stretch longer than 100 ms begins and ends with a break. See `gazecode.model.eyes`.
        """
        if self.joined is not None:
            return self.joined
        if {"left", "right"} <= self.samples.keys():
            return join_eyes(self.samples["left"], self.samples["right"])
        return next(iter(self.samples.values()))

    def eye(self, which: str) -> Samples:
        """Gaze of one eye: left, right, best (least lost), or mean (only where both are valid)."""
        if which == "best":
            return min(self.samples.values(), key=lambda s: int(s.lost.sum()))
        if which == "mean" and {"left", "right"} <= self.samples.keys():
            return mean_of_eyes(self.samples["left"], self.samples["right"])
        if which == "mean":
            return next(iter(self.samples.values()))
        if which not in self.samples:
            raise DataError(
                f"no eye {which!r} in this recording; it has {', '.join(self.samples)}, "
                "and best and mean can be asked for"
            )
        return self.samples[which]

    def window(self, part: "Trial | tuple[float, float]") -> "Recording":
        """Return the same recording cut to a trial or to ``(onset_ms, offset_ms)``.

        The clock stays the recording's. Trials are cut to the window; device events that begin
        inside are kept and end at the border at the latest.
        """
        onset, offset = (part.onset_ms, part.offset_ms) if isinstance(part, Trial) else part
        if not offset > onset:
            raise DataError(f"a window from {onset} to {offset} ms is empty")
        return replace(
            self,
            samples={eye: s.between(onset, offset) for eye, s in self.samples.items()},
            joined=self.gaze.between(onset, offset),
            trials=tuple(
                replace(t, onset_ms=max(t.onset_ms, onset), offset_ms=min(t.offset_ms, offset))
                for t in self.trials
                if t.onset_ms < offset and t.offset_ms > onset
            ),
            messages=tuple(m for m in self.messages if onset <= m.t_ms < offset),
            device_events=_cut(self.device_events, self.samples, onset, offset),
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row per time stamp: t_ms, then x, y and pupil of every eye."""
        import pandas as pd

        data: dict[str, Any] = {"t_ms": next(iter(self.samples.values())).t_ms}
        unit = self.plane.removeprefix("screen_")
        for eye, s in self.samples.items():
            data[f"{eye}_x_{unit}"] = s.xy_px[:, 0]
            data[f"{eye}_y_{unit}"] = s.xy_px[:, 1]
            data[f"{eye}_pupil"] = s.pupil
        return pd.DataFrame(data)


def _cut(events: Events, samples: Mapping[str, Samples], onset: float, offset: float) -> Events:
    kept = events[(events.onset_ms >= onset) & (events.onset_ms < offset)]
    kept = replace(kept, offset_ms=np.minimum(kept.offset_ms, offset))
    if kept.first is None or kept.last is None:
        return kept
    t = next(iter(samples.values())).t_ms
    a, b = (int(i) for i in np.searchsorted(t, [onset, offset]))
    first: IntArray = np.clip(kept.first, a, b) - a
    return replace(kept, first=first, last=np.clip(kept.last, a, b) - a)
