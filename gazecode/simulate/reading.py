"""A reader of code: which token is fixated, for how long, and where in it.

Not a theory of comprehension, but its marginals are those of measured reading:

* Words are skipped by length: of words of 2-3 letters about a quarter are fixated, of 8 and more
  almost all (K. Rayner 1998, doi:10.1037/0033-2909.124.3.372). A logistic curve in the number of
  characters stands for that; ``(`` and ``;`` are therefore fixated far less than identifiers.
* Over code eyes move back as often as forth: 45 % forward, 46 % backward, 10 % within the same
  token (2,128 saccades of programmers reading code). Backward moves lead to earlier
  tokens of the line or to lines above, forward ones go on, return to where reading had got to, or
  jump lines ahead.
* Fixations last 240 ms on average, lognormal, at least 80 ms.
* Eyes land a little left of the middle of a word (K. Rayner 1979, doi:10.1068/p080021).
* Movements below 1 deg are by convention microsaccades, which belong to the fixation
  (S. Martinez-Conde et al. 2013, doi:10.1038/nrn3405): the next place is at least that far away.
  This makes detection easier than real gaze does: a quarter of the movements that a vendor's
  filter reports over code is shorter (`min_saccade_deg=0.5` has them too).
* Quartiles of the length of saccades are about 4, 7 and 12 characters; Rayner gives 7 to 9 for
  reading, a vendor's filter 3, 5 and 8 over Python code.
"""

import math
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Fixated", "Reader", "ReadingModel"]

_TRIES = 20
"""How often a landing place is drawn again before another token is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingModel:
    """How somebody reads code. The defaults' sources stand in the module's head.

    Attributes
    ----------
    forward, backward, refixation
        Weights of the three kinds of moves.
    midpoint_characters, slope_characters
        Logistic curve of the probability to be fixated: half at the midpoint.
    line_jump
        Share of forward moves that skip lines.
    return_to_front
        Share of forward moves from an earlier place that return to where reading had got to.
    within_line
        Share of backward moves that stay on the line.
    mean_lines
        Mean length of moves to other lines (geometric), lines.
    locality_characters
        Sideways distance over which regressions and jumps between lines become e times rarer.
    mean_fixation_ms, sd_fixation_ms, min_fixation_ms
        Lognormal durations; shorter ones are drawn again.
    landing, landing_sd
        Preferred place within a token and spread along the line, shares of the token's width.
    landing_sd_y
        Spread across the line around its middle, share of its height.
    min_saccade_deg
        Least distance from one fixation to the next.
    """

    forward: float = 45.0
    backward: float = 46.0
    refixation: float = 10.0
    midpoint_characters: float = 4.3
    slope_characters: float = 1.6
    line_jump: float = 0.08
    return_to_front: float = 0.3
    within_line: float = 0.5
    mean_lines: float = 2.0
    locality_characters: float = 5.0
    mean_fixation_ms: float = 240.0
    sd_fixation_ms: float = 100.0
    min_fixation_ms: float = 80.0
    landing: float = 0.42
    landing_sd: float = 0.22
    landing_sd_y: float = 0.18
    min_saccade_deg: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"ReadingModel.{name} is {value}; expected 0 or more")
        for name in ("line_jump", "return_to_front", "within_line", "landing"):
            if getattr(self, name) > 1:
                raise ParameterError(
                    f"ReadingModel.{name} is {getattr(self, name)}; expected a share from 0 to 1"
                )
        if not self.forward + self.backward + self.refixation > 0:
            raise ParameterError("ReadingModel has no move: forward, backward, refixation are 0")
        if not self.min_fixation_ms < self.mean_fixation_ms:
            raise ParameterError(
                f"ReadingModel.min_fixation_ms is {self.min_fixation_ms}; "
                f"expected less than mean_fixation_ms, {self.mean_fixation_ms}"
            )

    def fixation_probability(self, characters: FloatArray) -> FloatArray:
        """Probability that a token of so many characters is fixated when reading passes it.

        >>> ReadingModel().fixation_probability(np.array([1.0, 3.0, 8.0])).round(2)
        array([0.11, 0.31, 0.91])
        """
        slope = max(self.slope_characters, 1e-9)
        curve: FloatArray = 1 / (1 + np.exp(-(characters - self.midpoint_characters) / slope))
        return curve

    def durations_ms(self, n: int, rng: "np.random.Generator") -> FloatArray:
        """Draw `n` durations of fixations, ms."""
        spread = math.log1p((self.sd_fixation_ms / self.mean_fixation_ms) ** 2)
        centre = math.log(self.mean_fixation_ms) - spread / 2
        drawn = rng.lognormal(centre, math.sqrt(spread), n)
        while (short := drawn < self.min_fixation_ms).any():
            drawn[short] = rng.lognormal(centre, math.sqrt(spread), int(short.sum()))
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixated:
    """Fixations in order: where, for how long, on which box of the layout."""

    xy_px: FloatArray
    duration_ms: FloatArray
    box: IntArray


class _Text:
    """A layout in reading order, with what the reader needs of it."""

    def __init__(self, layout: Layout, model: ReadingModel) -> None:
        boxes = layout.boxes
        self.order = np.lexsort((boxes[:, 0], layout.line))
        self.boxes = boxes[self.order]
        self.line = layout.line[self.order]
        width = self.boxes[:, 2] - self.boxes[:, 0]
        # Code always has tokens of one character, and the least box is one of them.
        self.character_px = float(width.min())
        self.probability = model.fixation_probability(np.round(width / self.character_px))
        self.lines = np.unique(self.line)

    def on_lines(self, low: float, high: float) -> IntArray:
        """Boxes on lines ``low <= line < high``."""
        return np.arange(*np.searchsorted(self.line, [low, high]))


class Reader:
    """Reads a layout from its first line on: where it is (`at`), how far it has got (`front`).

    Parameters
    ----------
    streams
        Independent randomness for path, landing places and durations.
    """

    def __init__(
        self,
        layout: Layout,
        model: ReadingModel,
        *,
        px_per_deg: float,
        streams: "tuple[np.random.Generator, np.random.Generator, np.random.Generator]",
    ) -> None:
        if not len(layout):
            raise DataError("the layout has no boxes; expected something to read")
        self.text, self.model, self.px_per_deg = _Text(layout, model), model, px_per_deg
        self.path, self.landing, self.lasting = streams
        self.min_px = model.min_saccade_deg * px_per_deg
        self.at, self.front = -1, -1
        self.place: FloatArray | None = None
        weights = np.array([model.forward, model.backward, model.refixation])
        self.weights = weights / weights.sum()

    def read(self, n_fixations: int) -> Fixated:
        """The next fixations."""
        boxes = np.empty(n_fixations, dtype=np.int64)
        places = np.empty((n_fixations, 2))
        for i in range(n_fixations):
            boxes[i], places[i] = self._next()
        return Fixated(
            xy_px=places,
            duration_ms=self.model.durations_ms(n_fixations, self.lasting),
            box=self.text.order[boxes],
        )

    def read_for(self, duration_ms: float) -> Fixated:
        """Enough fixations to fill some time, even without the time that saccades take."""
        parts: list[Fixated] = []
        filled = 0.0
        while filled < duration_ms:
            parts.append(self.read(1 + math.ceil(duration_ms / self.model.mean_fixation_ms)))
            filled += float(parts[-1].duration_ms.sum())
        return Fixated(
            xy_px=np.concatenate([part.xy_px for part in parts]),
            duration_ms=np.concatenate([part.duration_ms for part in parts]),
            box=np.concatenate([part.box for part in parts]),
        )

    def _next(self) -> tuple[int, FloatArray]:
        box, place = self._move()
        for _ in range(_TRIES):
            if place is not None:
                break
            box, place = self._move()
        if place is None:
            # A text smaller than the least saccade: nothing is far enough away.
            place = self._draw(box)
        self.at, self.place = box, place
        self.front = max(self.front, box)
        if self.front >= len(self.text.boxes) - 1:
            # The end is reached: what comes next is another reading from the top.
            self.front = -1
        return box, place

    def _move(self) -> tuple[int, FloatArray | None]:
        """A box and a place in it, by one kind of move; None if all places are too near."""
        if self.at < 0:
            box = self._ahead(0)
            return box, self._land(box)
        kind = self.path.choice(3, p=self.weights)
        if kind == 2:
            return self.at, self._land(self.at)
        box = self.at
        # Another box by the same kind of move, or short moves would turn into other kinds.
        for _ in range(_TRIES):
            box = self._forward() if kind == 0 else self._backward()
            place = self._land(box)
            if place is not None:
                return box, place
        return box, None

    def _forward(self) -> int:
        line = self.text.line[self.at]
        if self.path.random() < self.model.line_jump:
            later = self.text.lines[self.text.lines > line]
            if len(later):
                steps = min(self.path.geometric(1 / max(self.model.mean_lines, 1)), len(later))
                return self._weighted(self.text.on_lines(later[steps - 1], later[steps - 1] + 1))
        if self.at < self.front and self.path.random() < self.model.return_to_front:
            return self._ahead(self.front + 1)
        return self._ahead(self.at + 1)

    def _ahead(self, start: int) -> int:
        """The next box that is not skipped; past the end the reading begins again."""
        n = len(self.text.boxes)
        for i in range(start, start + 100 * n):
            if self.path.random() < self.text.probability[i % n]:
                return i % n
        return start % n

    def _backward(self) -> int:
        line = self.text.line[self.at]
        before = np.arange(np.searchsorted(self.text.line, line), self.at)
        earlier = self.text.lines[self.text.lines < line]
        if len(before) and (not len(earlier) or self.path.random() < self.model.within_line):
            return self._weighted(before)
        if not len(earlier):
            return self._forward()
        steps = min(self.path.geometric(1 / max(self.model.mean_lines, 1)), len(earlier))
        return self._weighted(self.text.on_lines(earlier[-steps], earlier[-steps] + 1))

    def _weighted(self, boxes: IntArray) -> int:
        """One of some boxes: likely ones are long and near."""
        edges = self.text.boxes[boxes]
        x = edges[:, 0] if self.place is None else self.place[0]
        apart = np.maximum(np.maximum(edges[:, 0] - x, x - edges[:, 2]), 0.0)
        scale = max(self.model.locality_characters * self.text.character_px, 1e-9)
        # Relative to the nearest one: far away all weights would be zero.
        weights = self.text.probability[boxes] * np.exp((apart.min() - apart) / scale)
        return int(self.path.choice(boxes, p=weights / weights.sum()))

    def _land(self, box: int) -> FloatArray | None:
        """A place in a box, far enough from the present one; None if none was found."""
        for _ in range(_TRIES):
            place = self._draw(box)
            if self.place is None or np.hypot(*(place - self.place)) >= self.min_px:
                return place
        return None

    def _draw(self, box: int) -> FloatArray:
        x0, y0, x1, y1 = self.text.boxes[box]
        width, height = x1 - x0, y1 - y0
        return np.array(
            [
                self._inside(
                    x0 + self.model.landing * width, self.model.landing_sd * width, x0, x1
                ),
                self._inside((y0 + y1) / 2, self.model.landing_sd_y * height, y0, y1),
            ]
        )

    def _inside(self, centre: float, sd: float, low: float, high: float) -> float:
        """A normal draw that lies in ``[low, high)``; the middle if none does."""
        for value in self.landing.normal(centre, sd, _TRIES):
            if low <= value < high:
                return float(value)
        return (low + high) / 2
