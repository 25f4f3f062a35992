"""From where the eye is to what the recording holds."""

import math
from collections.abc import Sequence

import numpy as np

from gazecode.model import Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.simulate.eye import Path
from gazecode.simulate.tracker import EYES, Tracker, losses, offset_deg, spells, within

__all__ = ["Camera"]


class Camera:
    """From where the eye is to what the file holds."""

    def __init__(
        self,
        tracker: Tracker,
        screen: Screen,
        px_per_deg: float,
        streams: Sequence["np.random.Generator"],
    ) -> None:
        self.tracker, self.screen, self.px_per_deg = tracker, screen, px_per_deg
        clock, *noise, offset, loss, one_eye, which, pupil = streams
        self.clock, self.noise, self.offset = clock, noise, offset
        self.loss, self.one_eye, self.which, self.pupil = loss, one_eye, which, pupil

    def see(self, path: Path, recorded_ms: FloatArray, closed_ms: FloatArray) -> dict[str, Samples]:
        """Samples of each eye.

        Parameters
        ----------
        path
            Where the eye was.
        recorded_ms, closed_ms
            ``(k, 2)`` onset and offset of trials and of blinks.
        """
        end = float(recorded_ms[-1, 1])
        t = self.tracker.clock_ms(end, self.clock)
        t = t[within(t, recorded_ms)]
        gaze = self._place(path.at(t), t)
        lost = within(t, closed_ms) | losses(self.tracker, t, end, self.loss)
        pupil = self._pupil(t)
        names = EYES[self.tracker.eyes]
        points, missing = {}, {}
        for i, eye in enumerate(names):
            side = {"left": -0.5, "right": 0.5}.get(eye, 0.0) if len(names) == 2 else 0.0
            shift = side * np.array(self.tracker.disparity_deg) * self.px_per_deg
            noise = self.tracker.noise_px(len(t), self.px_per_deg, self.noise[i])
            points[eye], missing[eye] = gaze + shift + noise, lost.copy()
        self._lose_one_eye(t, end, missing)
        return self._samples(t, points, missing, pupil)

    def _place(self, gaze: FloatArray, t: FloatArray) -> FloatArray:
        """Add the offset at each place and the drift at each time, px."""
        tracker, px = self.tracker, self.px_per_deg
        size = np.array([self.screen.width_px, self.screen.height_px])
        # Both are always drawn: one must not change what the other is.
        offset = offset_deg(gaze, size, tracker.offset_deg, self.offset)
        angle = self.offset.uniform(0, 2 * math.pi)
        direction = np.array([math.cos(angle), math.sin(angle)])
        drift = (t / 60000 * tracker.drift_deg_min)[:, None] * direction
        moved: FloatArray = gaze + (offset + drift) * px
        return moved

    def _lose_one_eye(self, t: FloatArray, end: float, missing: dict[str, BoolArray]) -> None:
        if len(missing) < 2 or not self.tracker.one_eye_per_min:
            return
        alone = spells(self.tracker.one_eye_per_min, self.tracker.one_eye_ms, end, self.one_eye)
        eye_of = self.which.integers(0, 2, len(alone))
        for i, eye in enumerate(missing):
            missing[eye] |= within(t, alone[eye_of == i])

    def _pupil(self, t: FloatArray) -> FloatArray:
        """A pupil that changes slowly, arbitrary units."""
        phase = self.pupil.uniform(0, 2 * math.pi, 2)
        pupil: FloatArray = (
            1000 + 60 * np.sin(t / 3100 + phase[0]) + 25 * np.sin(t / 700 + phase[1])
        )
        return pupil

    def _samples(
        self,
        t: FloatArray,
        points: dict[str, FloatArray],
        missing: dict[str, BoolArray],
        pupil: FloatArray,
    ) -> dict[str, Samples]:
        kept = np.ones(len(t), dtype=bool)
        if self.tracker.lost_rows == "absent":
            kept = ~np.all(list(missing.values()), axis=0)
        return {
            eye: Samples(
                t_ms=t[kept],
                xy_px=np.where(missing[eye][:, None], np.nan, points[eye])[kept],
                pupil=np.where(missing[eye], np.nan, pupil)[kept],
                eye=eye,
            )
            for eye in points
        }
