"""`simulate` and `simulate_session`: gaze with known truth."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import Events, Layout, Recording, Screen, Trial
from gazecode.model.checks import FloatArray, IntArray, repeated
from gazecode.simulate.camera import Camera
from gazecode.simulate.eye import Path, saccade_duration_ms
from gazecode.simulate.reading import Reader, ReadingModel
from gazecode.simulate.tracker import Tracker, blinks
from gazecode.units import DEFAULT_PX_PER_DEG

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Simulation", "simulate", "simulate_session"]

_GRID_MS = 100.0
"""Trials begin on multiples of this, where the clocks of most trackers have a sample."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """A recording and the truth about it.

    Attributes
    ----------
    recording
        As a reader would return it; `provenance` says that it is synthetic.
    truth
        The fixations and saccades that took place, seen or not, half-open. Their edges are exact,
        not those of samples.
    token, line, box
        ``(f,)`` of each fixation (``truth.of("fixation")``): token, visual line, row of the layout.
    trial
        ``(f,)`` index of the trial of each fixation.
    blinks
        When the eyes were closed; fixations go on behind them.
    noise
        STD and RMS-S2S per axis in deg, colour, rate, px per degree.
    """

    recording: Recording
    truth: Events
    token: IntArray
    line: IntArray
    box: IntArray
    trial: IntArray
    blinks: Events
    noise: Mapping[str, Any]

    @property
    def fixations(self) -> Events:
        """The true fixations."""
        return self.truth.of("fixation")

    def to_frame(self) -> "pd.DataFrame":
        """One row per true fixation: trial, onset, offset, duration, place, token, line."""
        frame = self.fixations.to_frame().drop(columns=["kind", "end_x_px", "end_y_px"])
        names = np.array([trial.name for trial in self.recording.trials], dtype=object)
        frame.insert(0, "trial", names[self.trial])
        return frame.assign(token=self.token, line=self.line)


def simulate(
    layout: Layout,
    *,
    seed: int,
    screen: Screen,
    n_fixations: int | None = None,
    duration_ms: float | None = None,
    reading: ReadingModel | None = None,
    tracker: Tracker | None = None,
    name: str = "trial",
) -> Simulation:
    """Gaze of somebody who reads one text.

    The same seed gives the same fixations, saccades and blinks whatever the tracker does.

    Parameters
    ----------
    layout
        Where tokens stood; scrolling is not simulated.
    screen
        Gives pixels per degree; 40 where its millimetres are not known.
    n_fixations, duration_ms
        How long: one of the two. At `duration_ms` the last fixation is cut.
    reading, tracker
        How somebody reads and how gaze is recorded.
    name
        Of the trial and its stimulus.

    Raises
    ------
    ParameterError
        Both or neither of `n_fixations` and `duration_ms` are given, or one is not above 0.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 80, 30], [100, 0, 200, 30], [0, 30, 160, 60]],
    ...     token=[0, 1, 2],
    ...     line=[0, 0, 1],
    ...     n_tokens=3,
    ...     line_height_px=30,
    ... )
    >>> screen = Screen(width_px=800, height_px=600)
    >>> seen = simulate(layout, seed=1, screen=screen, n_fixations=20)
    >>> len(seen.fixations), len(seen.truth.of("saccade")), seen.token.max().item()
    (20, 19, 2)
    """
    return simulate_session(
        [(name, layout)],
        seed=seed,
        screen=screen,
        n_fixations=n_fixations,
        duration_ms=duration_ms,
        reading=reading,
        tracker=tracker,
    )


def simulate_session(
    texts: Sequence[tuple[str, Layout]],
    *,
    seed: int,
    screen: Screen,
    n_fixations: int | None = None,
    duration_ms: float | None = None,
    pause_ms: float = 500.0,
    reading: ReadingModel | None = None,
    tracker: Tracker | None = None,
) -> Simulation:
    """Gaze of one person who reads several texts in one recording, one trial each.

    Offset, drift and disparity are the person's: the same field in all trials. Between trials
    nothing is recorded for at least `pause_ms`. The other parameters are those of `simulate`, the
    length is that of each trial.

    Parameters
    ----------
    texts
        Name (of trial and stimulus) and layout of each trial.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 80, 30], [100, 0, 200, 30]],
    ...     token=[0, 1],
    ...     line=[0, 0],
    ...     n_tokens=2,
    ...     line_height_px=30,
    ... )
    >>> session = simulate_session(
    ...     [("A", layout), ("B", layout)],
    ...     seed=3,
    ...     screen=Screen(width_px=800, height_px=600),
    ...     duration_ms=2000,
    ... )
    >>> [(trial.name, trial.onset_ms, trial.offset_ms) for trial in session.recording.trials]
    [('A', 0.0, 2000.0), ('B', 2500.0, 4500.0)]
    """
    _check_length(texts, n_fixations, duration_ms, pause_ms)
    reading, tracker = reading or ReadingModel(), tracker or Tracker()
    px_per_deg = screen.px_per_deg or DEFAULT_PX_PER_DEG
    # Streams are numbered for good: a new one is added at the end, or old seeds tell other tales.
    person, *per_trial = np.random.SeedSequence(seed).spawn(1 + len(texts))
    parts: list[_Part] = []
    start = 0.0
    for (name, layout), stream in zip(texts, per_trial, strict=True):
        path, landing, lasting = (np.random.default_rng(s) for s in stream.spawn(3))
        reader = Reader(layout, reading, px_per_deg=px_per_deg, streams=(path, landing, lasting))
        parts.append(
            _read(
                reader,
                name,
                layout,
                start_ms=start,
                n_fixations=n_fixations,
                duration_ms=duration_ms,
            )
        )
        start = math.ceil((parts[-1].trial.offset_ms + pause_ms) / _GRID_MS - 1e-9) * _GRID_MS
    return _record(parts, tracker=tracker, reading=reading, screen=screen, seed=seed, person=person)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One trial as it took place."""

    trial: Trial
    path: Path
    token: IntArray
    line: IntArray
    box: IntArray


def _check_length(
    texts: Sequence[tuple[str, Layout]],
    n_fixations: int | None,
    duration_ms: float | None,
    pause_ms: float,
) -> None:
    if not texts:
        raise ParameterError("simulate_session got no text; expected at least one (name, layout)")
    if (n_fixations is None) == (duration_ms is None):
        raise ParameterError(
            f"simulate got n_fixations={n_fixations} and duration_ms={duration_ms}; "
            "expected exactly one of the two"
        )
    length = duration_ms if n_fixations is None else n_fixations
    if length is None or not length > 0 or not pause_ms >= 0:
        raise ParameterError(
            f"simulate got a length of {length} and pause_ms={pause_ms}; "
            "expected a length above 0 and a pause of 0 or more"
        )


def _read(
    reader: Reader,
    name: str,
    layout: Layout,
    *,
    start_ms: float,
    n_fixations: int | None,
    duration_ms: float | None,
) -> _Part:
    """Read until there are enough fixations, or enough for the time."""
    if n_fixations is None:
        fixated = reader.read_for(duration_ms or 0.0)
    else:
        fixated = reader.read(n_fixations)
    lasting = fixated.duration_ms
    amplitude = np.hypot(*np.diff(fixated.xy_px, axis=0).T) / reader.px_per_deg
    onset = start_ms + np.concatenate(
        ([0.0], np.cumsum(lasting[:-1] + saccade_duration_ms(amplitude)))
    )
    offset = onset + lasting
    end = float(offset[-1]) if duration_ms is None else start_ms + duration_ms
    # What the end of the trial leaves of its last fixation may be too short to be one.
    kept = np.minimum(offset, end) - onset >= min(reader.model.min_fixation_ms, end - start_ms)
    box = fixated.box[kept]
    return _Part(
        trial=Trial(name=name, onset_ms=start_ms, offset_ms=end, stimulus=name),
        path=Path(
            onset_ms=onset[kept],
            offset_ms=np.minimum(offset, end)[kept],
            xy_px=fixated.xy_px[kept],
        ),
        token=layout.token[box],
        line=layout.line[box],
        box=box,
    )


def _record(
    parts: Sequence[_Part],
    *,
    tracker: Tracker,
    reading: ReadingModel,
    screen: Screen,
    seed: int,
    person: np.random.SeedSequence,
) -> Simulation:
    """Everything the tracker does, on the whole session at once."""
    px_per_deg = screen.px_per_deg or DEFAULT_PX_PER_DEG
    blinking, *others = (np.random.default_rng(stream) for stream in person.spawn(9))
    end = parts[-1].trial.offset_ms
    closed = blinks(tracker, end, blinking)
    camera = Camera(tracker, screen, px_per_deg, others)
    trials = [part.trial for part in parts]
    recorded = np.array([[trial.onset_ms, trial.offset_ms] for trial in trials])
    samples = camera.see(_joined([part.path for part in parts]), recorded, closed)
    events = [part.path.events() for part in parts]
    return Simulation(
        recording=Recording(
            samples=samples,
            trials=trials,
            screen=screen,
            provenance={
                "format": "simulated",
                "synthetic": True,
                "seed": seed,
                "clock": "ms from the first trial",
                "tracker": asdict(tracker),
                "reading": asdict(reading),
            },
        ),
        truth=_concatenated(events),
        token=np.concatenate([part.token for part in parts]),
        line=np.concatenate([part.line for part in parts]),
        box=np.concatenate([part.box for part in parts]),
        trial=np.repeat(np.arange(len(parts)), [len(part.box) for part in parts]),
        blinks=_blink_events(closed),
        noise=tracker.noise_statement(px_per_deg),
    )


def _joined(paths: Sequence[Path]) -> Path:
    return Path(
        onset_ms=np.concatenate([path.onset_ms for path in paths]),
        offset_ms=np.concatenate([path.offset_ms for path in paths]),
        xy_px=np.concatenate([path.xy_px for path in paths]),
    )


def _concatenated(events: Sequence[Events]) -> Events:
    names = ("kind", "onset_ms", "offset_ms", "xy_px", "end_xy_px")
    return Events(**{name: np.concatenate([getattr(e, name) for e in events]) for name in names})


def _blink_events(closed: FloatArray) -> Events:
    return Events(
        kind=repeated("blink", len(closed)),
        onset_ms=closed[:, 0],
        offset_ms=closed[:, 1],
        xy_px=np.full((len(closed), 2), np.nan),
    )
