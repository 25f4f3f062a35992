"""Gaze that experts labelled by hand, sample by sample (Andersson et al. 2017).

R. Andersson, L. Larsson, K. Holmqvist, M. Stridh and M. Nyström 2017,
doi:10.3758/s13428-016-0738-9: images, moving dots and videos at 500 Hz, two coders. The files are
theirs and are read where they lie. One file of the coder MN was labelled anew by Zemblys et al.
2018 and is taken in its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import Samples, Screen
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["CLASSES", "CODERS", "STIMULI", "Labelled", "decimated", "read_coders", "recordings"]

CLASSES = {"fixation": 1, "saccade": 2, "pso": 3, "pursuit": 4, "blink": 5, "undefined": 6}
"""Numbers of the labels in the files; 0 is what no event claims."""
CODERS = ("MN", "RA")
STIMULI = ("img", "dots", "video")
_BETTER = "fix_by_Zemblys2018"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """A recording with what each coder called every sample.

    Attributes
    ----------
    name, person, stimulus
        As the file is called; `stimulus` is one of `STIMULI`.
    labels
        By coder, ``(n,)`` each: a number of `CLASSES`.
    """

    name: str
    person: str
    stimulus: str
    samples: Samples
    screen: Screen
    labels: Mapping[str, IntArray]


def recordings(folder: Path, stimuli: Sequence[str] = STIMULI) -> Iterator[Labelled]:
    """All recordings that both coders labelled, in the order of their names."""
    found = False
    for stimulus in stimuli:
        for path in sorted((folder / stimulus).glob(f"*_labelled_{CODERS[0]}.mat")):
            found = True
            yield read_coders(path)
    if not found:
        raise FormatError(
            f"{folder} holds no hand-labelled recordings; expected folders {', '.join(stimuli)} "
            f"with files *_labelled_{CODERS[0]}.mat beside *_labelled_{CODERS[1]}.mat"
        )


def read_coders(path: Path) -> Labelled:
    """One recording: the file of the first coder and, beside it, that of the second.

    The files of the two may differ by a few samples at the end, which are left out.
    """
    name = path.name.removesuffix(f"_labelled_{CODERS[0]}.mat")
    better = path.parent.parent / _BETTER / f"{name}_labelled_FIX_{CODERS[0]}.mat"
    other = path.with_name(f"{name}_labelled_{CODERS[1]}.mat")
    held = [_read(better if better.is_file() else path), _read(other)]
    n = min(len(rows) for rows, _, _ in held)
    rows, screen, rate = held[0]
    labels = {
        coder: rows[:n, 5].astype(np.int64)
        for coder, (rows, _, _) in zip(CODERS, held, strict=True)
    }
    xy = np.where((rows[:n, 3:5] == 0).all(axis=1, keepdims=True), np.nan, rows[:n, 3:5])
    pupil = rows[:n, 1:3].mean(axis=1)
    return Labelled(
        name=name,
        person=name.split("_")[0],
        stimulus=path.parent.name,
        samples=Samples(
            t_ms=_stamps_ms(rows[:n, 0], rate),
            xy_px=xy,
            pupil=np.where(pupil > 0, pupil, np.nan),
        ),
        screen=screen,
        labels=labels,
    )


def decimated(recording: Labelled, rate_hz: float, *, noise_deg: float, seed: int) -> Labelled:
    """The recording with the samples a slower tracker would have taken, and with more noise.

    From every step of ``1000 / rate_hz`` ms the first sample is kept, with its labels; white noise
    of `noise_deg` per axis is added (1 deg is the screen's mean), as slower trackers are noisier.
    """
    samples = recording.samples
    step = 1000.0 / rate_hz
    slot = np.floor((samples.t_ms - samples.t_ms[0]) / step + 1e-6)
    kept = np.flatnonzero(np.diff(slot, prepend=-1.0) > 0)
    rng = np.random.default_rng([seed, *recording.name.encode()])
    noise_px = rng.normal(0.0, noise_deg * (recording.screen.px_per_deg or 1.0), (len(kept), 2))
    return replace(
        recording,
        samples=replace(
            samples,
            t_ms=samples.t_ms[kept],
            xy_px=samples.xy_px[kept] + noise_px,
            pupil=None if samples.pupil is None else samples.pupil[kept],
        ),
        labels={coder: labels[kept] for coder, labels in recording.labels.items()},
    )


def _read(path: Path) -> tuple[FloatArray, Screen, float]:
    """Rows of time (µs), pupil x and y, gaze x and y (px) and label; the screen; the rate, Hz."""
    from scipy.io import loadmat

    try:
        data = loadmat(path, squeeze_me=True)["ETdata"]
        rows = np.asarray(data["pos"].item(), dtype=np.float64)
        size_m, size_px = data["screenDim"].item(), data["screenRes"].item()
        distance_m, rate = float(data["viewDist"].item()), float(data["sampFreq"].item())
    except Exception as error:  # a MATLAB file can be broken in any way
        raise FormatError(
            f"{path.name} is no hand-labelled recording ({type(error).__name__}); expected a "
            "MATLAB file with a struct ETdata of pos, screenDim, screenRes, viewDist and sampFreq"
        ) from error
    screen = Screen(
        width_px=int(size_px[0]),
        height_px=int(size_px[1]),
        width_mm=1000 * float(size_m[0]),
        height_mm=1000 * float(size_m[1]),
        distance_mm=1000 * distance_m,
    )
    return rows, screen, rate


def _stamps_ms(stamps_us: FloatArray, rate_hz: float) -> FloatArray:
    """The file's own stamps from 0; regular ones where they are missing or run backwards.

    The rate a file states is not always the rate of its stamps (one of them says 500 and has 200).
    """
    step = np.diff(stamps_us)
    good = step > 0
    if good.mean() < 0.9:
        return np.asarray(np.arange(len(stamps_us)) * 1000.0 / rate_hz)
    step = np.where(good & (step < 1e6), step, np.median(step[good]))
    return np.asarray(np.concatenate(([0.0], np.cumsum(step))) / 1000.0)
