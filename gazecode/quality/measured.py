"""A recording with everything that all its stretches share, computed once when first asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gazecode.model import Events, Recording, Samples, Validation
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.quality.accuracy import Target, measured_on
from gazecode.quality.binocular import TwoEyes
from gazecode.quality.checks import Check, checks_of
from gazecode.quality.clock import off_grid
from gazecode.quality.fixations import precision_within, rows_of
from gazecode.quality.timing import sample_interval_ms
from gazecode.quality.windows import Precision, Windows
from gazecode.units import px_to_deg, seen_angle_deg, step_ms

__all__ = ["WINDOW_MS", "Measured", "Options", "Span"]

WINDOW_MS = 100.0
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """What is measured beside the samples, and how.

    Attributes
    ----------
    fixations
        During which precision is measured; None if nobody looked for them.
    source
        Where they come from: ``device``, or a detector with its parameters.
    targets
        Places a study asked people to look at.
    bcea_p
        Share of the gaze inside the ellipse of the BCEA.
    centre
        ``mean`` or ``median``: which middle of gaze is compared with a target.
    """

    fixations: Events | None = None
    source: str = ""
    targets: Sequence[Target] = ()
    bcea_p: float = 0.68
    centre: str = "mean"


class Measured:
    """A recording with everything that all its stretches share, computed once."""

    def __init__(self, recording: Recording, options: Options | None = None) -> None:
        self.recording = recording
        self.options = options or Options()
        self.gaze = recording.gaze
        self.lost = self.gaze.lost
        self.interval_ms = sample_interval_ms(self.gaze.t_ms)
        self.has_lost_rows = any(bool(s.lost.any()) for s in recording.samples.values())
        step = step_ms(self.gaze.t_ms)
        self.window_ms = max(WINDOW_MS, 4 * step) if step > 0 else WINDOW_MS
        self.binocular = {"left", "right"} <= recording.samples.keys()
        fixations = self.options.fixations
        self.fixations = None if fixations is None else fixations.of("fixation")
        self.events_only = not len(self.gaze) and bool(self.fixations and len(self.fixations))

    @cached_property
    def plane_unit(self) -> str:
        """What positions are written in: px, fraction, scene_fraction or href."""
        plane = self.recording.plane
        return "px" if plane.endswith("px") else plane.removeprefix("screen_")

    @cached_property
    def unit(self) -> str:
        """What figures are given in: deg if possible, else the plane's unit."""
        screen = self.recording.screen
        known = screen is not None and screen.has_geometry
        return "deg" if known and self.recording.plane == "screen_px" else self.plane_unit

    @cached_property
    def eyes(self) -> dict[str, FloatArray]:
        """Positions of every eye in `unit`."""
        return {eye: self._in_unit(s) for eye, s in self.recording.samples.items()}

    def _in_unit(self, samples: Samples) -> FloatArray:
        if self.unit != "deg":
            return samples.xy_px
        return px_to_deg(samples.xy_px, self.recording.screen)

    @cached_property
    def xy(self) -> FloatArray:
        """Positions of the gaze that is assessed, in `unit`."""
        alone = next(iter(self.recording.samples))
        if self.gaze is self.recording.samples[alone]:
            return self.eyes[alone]
        return self._in_unit(self.gaze)

    @cached_property
    def windows(self) -> Windows:
        """The moving windows, shared by all eyes."""
        return Windows(self.gaze.t_ms, window_ms=WINDOW_MS)

    @cached_property
    def precision(self) -> Precision:
        """Precision of the window that begins at each sample."""
        return self.windows.precision(self.xy[:, 0], self.xy[:, 1], p=self.options.bcea_p)

    @cached_property
    def in_fixations(self) -> Precision | None:
        """Precision inside each fixation; None without samples or fixations."""
        return self._inside(self.xy, self.fixations)

    def _inside(self, xy: FloatArray, fixations: Events | None) -> Precision | None:
        if fixations is None or not len(self.gaze):
            return None
        first, last = rows_of(self.gaze, fixations)
        return precision_within(xy[:, 0], xy[:, 1], first, last, p=self.options.bcea_p)

    @cached_property
    def off_screen(self) -> FloatArray | None:
        """1 beyond the screen, 0 on it, NaN where lost; None if the screen is not known."""
        return self.outside(self.gaze.xy_px)

    def outside(self, xy: FloatArray) -> FloatArray | None:
        """The same of any points."""
        edges = _edges(self.recording)
        if edges is None:
            return None
        x, y = xy[:, 0], xy[:, 1]
        beyond = (x < 0) | (x > edges[0]) | (y < 0) | (y > edges[1])
        return np.where(np.isnan(x), np.nan, beyond)

    @cached_property
    def two_eyes(self) -> TwoEyes | None:
        """Both eyes beside each other; None for one eye."""
        return TwoEyes(self.recording) if self.binocular else None

    @cached_property
    def disparity_deg(self) -> FloatArray | None:
        """``(n,)`` angle between the eyes' points of regard, where degrees exist."""
        screen, eyes = self.recording.screen, self.recording.samples
        if not self.binocular or self.unit != "deg" or screen is None:
            return None
        return seen_angle_deg(eyes["left"].xy_px, eyes["right"].xy_px, screen)

    @cached_property
    def steps_ms(self) -> FloatArray:
        """``(n - 1,)`` between stamps."""
        return np.diff(self.gaze.t_ms)

    @cached_property
    def moved(self) -> BoolArray | None:
        """``(n - 1,)`` steps that move the grid of the clock; None if that cannot be told."""
        return off_grid(self.steps_ms, self.interval_ms)

    @cached_property
    def validations(self) -> Sequence[Validation]:
        """What the file says, then what was measured on the study's targets."""
        measured = measured_on(self.recording, self.options.targets, centre=self.options.centre)
        return [*self.recording.validations, *measured]

    @cached_property
    def checks(self) -> Sequence[Check]:
        """Checks of the tracker."""
        return checks_of(self.validations, self.recording.screen)

    def whole(self) -> list[Span]:
        """The recording as one stretch; none without samples or fixations."""
        t = self.gaze.t_ms
        if len(t) > 1:
            return [(float(t[0]), float(t[-1]) + step_ms(t))]
        if len(t):
            return [(float(t[0]), float(t[0]) + 1.0)]
        found = self.fixations
        if found is None or not len(found):
            return []
        return [(float(found.onset_ms[0]), float(found.offset_ms.max()))]

    def rows(self, spans: Sequence[Span]) -> list[slice]:
        """Samples of each stretch."""
        return [slice(*np.searchsorted(self.gaze.t_ms, span)) for span in spans]

    def fixated(self, spans: Sequence[Span]) -> IntArray:
        """Fixations that begin in the stretches."""
        if self.fixations is None:
            return np.empty(0, dtype=np.int64)
        onset = self.fixations.onset_ms
        parts = [np.arange(*np.searchsorted(onset, span)) for span in spans]
        return np.concatenate([np.empty(0, dtype=np.int64), *parts])

    def per_eye(self) -> dict[str, Any]:
        """Loss and precision of each eye over the whole recording, for binocular recordings."""
        if not self.binocular:
            return {}
        return {eye: self._of_eye(eye, s) for eye, s in self.recording.samples.items()}

    def _of_eye(self, eye: str, samples: Samples) -> dict[str, Any]:
        xy, unit = self.eyes[eye], self.unit
        moving = self.windows.precision(xy[:, 0], xy[:, 1], p=self.options.bcea_p)
        said: dict[str, Any] = {
            "lost_rows": float(samples.lost.mean()) if len(samples) else math.nan,
            f"rms_s2s_{unit}": median(moving.rms),
            f"std_{unit}": median(moving.std),
            f"bcea_{unit}2": median(moving.bcea),
        }
        inside = self._inside(xy, self.fixations)
        if inside is not None:
            said[f"fixation_rms_s2s_{unit}"] = median(inside.rms)
            said[f"fixation_std_{unit}"] = median(inside.std)
            said[f"fixation_bcea_{unit}2"] = median(inside.bcea)
        return said


def median(values: FloatArray) -> float:
    """Median of what is known; NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(np.median(known, overwrite_input=True)) if len(known) else math.nan


def _edges(recording: Recording) -> FloatArray | None:
    if recording.plane == "screen_fraction":
        return np.ones(2)
    if recording.plane != "screen_px" or recording.screen is None:
        return None
    return np.array([recording.screen.width_px, recording.screen.height_px], dtype=np.float64)
