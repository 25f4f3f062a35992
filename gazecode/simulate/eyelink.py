"""A recording as EyeLink text, the way SR Research's edf2asc writes it.

Format: SR Research, EyeLink User Manual, "The ASC file format". Each trial is a block ``START`` ..
``END`` after its ``TRIALID`` and the name of its image. Lost gaze is a dot, times are whole ms, px
have one decimal; the last sample of an event is inclusive. Events come from the truth, cut where
gaze was lost; blinks lie inside saccades, as the tracker's parser has it.
"""

import gzip
import io
import math
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import NamedTuple

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Events, Recording, Samples, Screen, Trial, runs
from gazecode.model.checks import IntArray
from gazecode.units import step_ms

__all__ = ["write_eyelink_asc"]

START_MS = 1_000_000
"""What the tracker's clock shows at ms 0."""
_LETTER = {"left": "L", "right": "R"}
_WAIT_MS = 20
"""Messages of a trial stand this long before its block."""


def write_eyelink_asc(
    recording: Recording,
    path: str | FilePath,
    *,
    truth: Events | None = None,
    image_suffix: str = ".png",
) -> None:
    """Write a recording as EyeLink ``.asc``; ``.asc.gz`` is packed. The same input, the same bytes.

    Parameters
    ----------
    recording
        With a screen, and eyes left, right or both of them; one block per trial.
    truth
        Fixations and saccades to write as ``EFIX`` and ``ESACC``; None writes samples only.
    image_suffix
        Of the image that a trial's stimulus is said to have been.

    Raises
    ------
    ParameterError
        Stamps do not fall on different whole ms (1000, 500 and 250 Hz do).
    DataError
        The recording has no screen, or neither a left nor a right eye.

    Examples
    --------
    >>> import tempfile
    >>> samples = Samples(t_ms=[0, 2, 4], xy_px=[[1, 2], [3, 4], [np.nan, np.nan]], eye="left")
    >>> recording = Recording(
    ...     samples={"left": samples}, screen=Screen(width_px=1024, height_px=768)
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = FilePath(folder) / "P01.asc"
    ...     write_eyelink_asc(recording, file)
    ...     lines = file.read_text().splitlines()
    >>> for line in lines:
    ...     if line.startswith("100000"):
    ...         print(line.split())
    ['1000000', '1.0', '2.0', '0.0', '...']
    ['1000002', '3.0', '4.0', '0.0', '...']
    ['1000004', '.', '.', '0.0', '...']
    """
    out = io.StringIO()
    for line in _lines(recording, truth, image_suffix):
        out.write(line)
        out.write("\n")
    raw = out.getvalue().encode("utf-8")
    # A packed file would hold the time of writing: the same input must give the same bytes.
    FilePath(path).write_bytes(gzip.compress(raw, mtime=0) if str(path).endswith(".gz") else raw)


class _Line(NamedTuple):
    """A line of a block and where it stands: before or after the sample with its stamp."""

    t_ms: int
    rank: int
    text: str


def _lines(recording: Recording, truth: Events | None, image_suffix: str) -> Iterator[str]:
    screen = recording.screen
    eyes = [recording.samples[eye] for eye in _LETTER if eye in recording.samples]
    if screen is None or not eyes:
        raise DataError(
            f"a recording of {', '.join(recording.samples)} with screen {screen} cannot be written "
            "as EyeLink text; expected a screen and the eye left or right"
        )
    stamps = _stamps(eyes[0])
    rate = 1000 / step_ms(eyes[0].t_ms) if len(eyes[0]) > 1 else 1000.0
    yield from _header(screen)
    trials = recording.trials or (_whole(eyes[0]),)
    for number, trial in enumerate(trials, start=1):
        a, b = np.searchsorted(eyes[0].t_ms, [trial.onset_ms, trial.offset_ms])
        if b <= a:
            continue
        part = _Block(
            [s.between(trial.onset_ms, trial.offset_ms) for s in eyes], stamps[a:b], rate, screen
        )
        yield from part.opening(trial, number, image_suffix)
        yield from part.body(truth)
        yield from part.closing()


def _stamps(samples: Samples) -> IntArray:
    stamps: IntArray = START_MS + np.rint(samples.t_ms).astype(np.int64)
    if (np.diff(stamps) <= 0).any():
        raise ParameterError(
            f"samples every {step_ms(samples.t_ms):g} ms share a stamp in whole ms; "
            "simulate 1000, 500 or 250 Hz without jitter for EyeLink text"
        )
    return stamps


def _whole(samples: Samples) -> Trial:
    end = float(samples.t_ms[-1]) + 1 if len(samples) else 1.0
    return Trial(name="1", onset_ms=0.0, offset_ms=end)


def _header(screen: Screen) -> Iterator[str]:
    yield "** CONVERTED FROM synthetic.edf using gazecode.simulate"
    yield "** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED"
    yield "** VERSION: EYELINK II 1"
    yield "** SOURCE: EYELINK CL"
    yield "** SYNTHETIC GAZE: made by gazecode.simulate, no eye was recorded"
    yield "**"
    yield ""
    edges = f"{screen.width_px - 1:g} {screen.height_px - 1:g}"
    yield f"MSG\t{START_MS - 100} DISPLAY_COORDS 0 0 {edges}"


class _Block:
    """One trial: its samples on the tracker's clock."""

    def __init__(
        self, eyes: list[Samples], stamps: IntArray, rate_hz: float, screen: Screen
    ) -> None:
        self.eyes, self.stamps, self.rate_hz, self.screen = eyes, stamps, rate_hz, screen
        self.step = round(1000 / rate_hz)
        self.words = "\t".join(s.eye.upper() for s in eyes)

    def opening(self, trial: Trial, number: int, image_suffix: str) -> Iterator[str]:
        """Messages before the block, and its header."""
        start = int(self.stamps[0])
        before, letters = start - _WAIT_MS, "".join(_LETTER[s.eye] for s in self.eyes)
        width, height = self.screen.width_px - 1, self.screen.height_px - 1
        yield f"MSG\t{before} TRIALID {trial.name or number}"
        yield f"MSG\t{before} RECCFG CR {self.rate_hz:.0f} 2 1 {letters}"
        yield f"MSG\t{before} GAZE_COORDS 0.00 0.00 {width:.2f} {height:.2f}"
        if trial.stimulus:
            yield f"MSG\t{before} !V IMGLOAD FILL {trial.stimulus}{image_suffix}"
        yield f"START\t{start} \t{self.words}\tSAMPLES\tEVENTS"
        yield from ("PRESCALER\t1", "VPRESCALER\t1", "PUPIL\tAREA")
        for what in ("EVENTS", "SAMPLES"):
            yield f"{what}\tGAZE\t{self.words}\tRATE\t{self.rate_hz:7.2f}\tTRACKING\tCR\tFILTER\t2"

    def body(self, truth: Events | None) -> Iterator[str]:
        """Samples, and the events that begin before and end after them."""
        cells = [_cells(s) for s in self.eyes]
        flags = "...." + "." if len(self.eyes) == 2 else "..."
        lines = [
            _Line(t, 1, f"{t}\t" + "\t".join(parts) + f"\t{flags}")
            for t, *parts in zip(self.stamps.tolist(), *cells, strict=True)
        ]
        if truth is not None:
            for samples in self.eyes:
                lines += self._events(samples, truth)
        yield from (line.text for line in sorted(lines))

    def closing(self) -> Iterator[str]:
        """The end of the block and of the trial."""
        end = int(self.stamps[-1]) + self.step
        per_deg = self.screen.px_per_deg or math.nan
        resolution = f"\tRES\t{per_deg:7.2f}\t{per_deg:7.2f}" if per_deg > 0 else ""
        yield f"END\t{end} \tSAMPLES\tEVENTS{resolution}"
        yield f"MSG\t{end + 2} TRIAL_RESULT 0"

    def _events(self, samples: Samples, truth: Events) -> list[_Line]:
        """Fixations and saccades where gaze is there, a blink inside a saccade where it is lost."""
        lines: list[_Line] = []
        for a, b in runs(samples.lost).tolist():
            lines += self._blink(samples, a, b)
        edges = np.searchsorted(samples.t_ms, np.stack([truth.onset_ms, truth.offset_ms]))
        for kind, first, last in zip(truth.kind, *edges.tolist(), strict=True):
            seen = runs(~samples.lost[first:last]) + first
            for a, b in seen.tolist():
                lines += self._fixation(samples, a, b) if kind == "fixation" else []
                lines += self._saccade(samples, a, b) if kind == "saccade" else []
        return lines

    def _fixation(self, samples: Samples, a: int, b: int) -> list[_Line]:
        x, y = samples.xy_px[a:b].mean(axis=0)
        pupil = float(np.nan_to_num(np.asarray(samples.pupil)[a:b]).mean())
        return self._event("FIX", samples, (a, b), f"{x:7.1f}\t{y:7.1f}\t{pupil:7.0f}")

    def _saccade(self, samples: Samples, a: int, b: int) -> list[_Line]:
        (x0, y0), (x1, y1) = samples.xy_px[a], samples.xy_px[min(b, len(samples) - 1)]
        if math.isnan(x1):
            x1, y1 = samples.xy_px[b - 1]
        size = math.hypot(x1 - x0, y1 - y0) / (self.screen.px_per_deg or math.nan)
        peak = self._peak(samples, a, b)
        place = f"{x0:7.1f}\t{y0:7.1f}\t{x1:7.1f}\t{y1:7.1f}"
        return self._event("SACC", samples, (a, b), f"{place}\t{_or_dot(size, 2)}\t{_or_dot(peak)}")

    def _peak(self, samples: Samples, a: int, b: int) -> float:
        """Largest speed from sample to sample, deg/s."""
        around = samples.xy_px[max(a - 1, 0) : b + 1]
        steps = np.hypot(*np.diff(around, axis=0).T)
        steps = steps[~np.isnan(steps)]
        per_deg = self.screen.px_per_deg or math.nan
        return float(steps.max(initial=0.0)) * self.rate_hz / per_deg

    def _blink(self, samples: Samples, a: int, b: int) -> list[_Line]:
        start, end = int(self.stamps[a]), int(self.stamps[b - 1])
        before = samples.xy_px[a - 1] if a else np.full(2, np.nan)
        after = samples.xy_px[b] if b < len(samples) else np.full(2, np.nan)
        letter = _LETTER[samples.eye]
        place = "\t".join(_or_dot(value, 1) for value in (*before, *after))
        return [
            _Line(start, -1, f"SSACC {letter}  {start}"),
            _Line(start, 0, f"SBLINK {letter} {start}"),
            _Line(end, 2, f"EBLINK {letter} {start}\t{end}\t{end - start + self.step}"),
            _Line(end, 3, f"ESACC {letter}  {self._span(start, end)}\t{place}\t   .\t   ."),
        ]

    def _event(self, kind: str, samples: Samples, rows: tuple[int, int], rest: str) -> list[_Line]:
        start, end = int(self.stamps[rows[0]]), int(self.stamps[rows[1] - 1])
        letter, gap = _LETTER[samples.eye], " " * (6 - len(kind) - 1)
        return [
            _Line(start, 0, f"S{kind} {letter}{gap}{start}"),
            _Line(end, 2, f"E{kind} {letter}{gap}{self._span(start, end)}\t{rest}"),
        ]

    def _span(self, start: int, end: int) -> str:
        # The last sample is inclusive, so its own length is added.
        return f"{start}\t{end}\t{end - start + self.step}"


def _cells(samples: Samples) -> list[str]:
    """``x y pupil`` of every sample, with dots where gaze is lost."""
    pupil = np.nan_to_num(np.asarray(samples.pupil)).tolist()
    return [
        f"   .\t   .\t{0.0:7.1f}" if math.isnan(x) else f"{x:7.1f}\t{y:7.1f}\t{size:7.1f}"
        for (x, y), size in zip(samples.xy_px.tolist(), pupil, strict=True)
    ]


def _or_dot(value: float, digits: int = 0) -> str:
    return "   ." if math.isnan(value) else f"{value:7.{digits}f}"
