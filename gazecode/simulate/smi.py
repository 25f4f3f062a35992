"""A recording as SMI iView X raw text, the way SMI's IDF Converter writes it.

``## key: value`` header, one line of column names, ``SMP`` rows with times in µs, ``MSG`` rows that
name an image and so begin a trial. As with the bilateral filter of real recordings (Bednarik et
al. 2020, doi:10.1016/j.scico.2020.102520) both POR columns hold one mean of the two eyes; lost gaze
is 0.00, and where one eye is lost the mean is taken with that zero, which only the validity columns
reveal. The columns are a subset of the converter's.
"""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Recording, Screen
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.units import step_ms

__all__ = ["write_smi_text"]

START_US = 100_000_000
"""What the tracker's clock shows at ms 0."""
COLUMNS = (
    *("Time", "Type", "Trial", "L Mapped Diameter [mm]", "R Mapped Diameter [mm]"),
    *("L POR X [px]", "L POR Y [px]", "R POR X [px]", "R POR Y [px]"),
    *("Timing", "L Validity", "R Validity", "Pupil Confidence"),
)
_MM_PER_UNIT = 0.004
"""Simulated pupils have arbitrary units around 1000; a diameter is about 4 mm."""


def write_smi_text(
    recording: Recording, path: str | Path, *, subject: str = "", image_suffix: str = ".jpg"
) -> None:
    """Write a recording as SMI raw text; ``.gz`` is packed. The same input, the same bytes.

    Parameters
    ----------
    recording
        With a screen; one eye alone, or joined gaze, is written to both eyes' columns.
    subject
        Of the header.
    image_suffix
        Of the image that a trial's stimulus is said to have been.

    Raises
    ------
    DataError
        The recording has no screen.

    Examples
    --------
    >>> import tempfile
    >>> from gazecode.model import Samples
    >>> samples = Samples(t_ms=[0.0, 16.7], xy_px=[[1, 2], [np.nan, np.nan]], eye="both")
    >>> recording = Recording(
    ...     samples={"both": samples}, screen=Screen(width_px=1024, height_px=768)
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "P01.txt"
    ...     write_smi_text(recording, file)
    ...     file.read_text().splitlines()[-1].split()
    ['100016700', 'SMP', '1', '0.00', '0.00', '0.00', '0.00', '0.00', '0.00', '0', '0', '0', '0']
    """
    if recording.screen is None:
        raise DataError(
            "a recording without a screen cannot be written as SMI text; "
            "expected its calibration area in px"
        )
    out = io.StringIO()
    for line in _header(recording, recording.screen, subject):
        out.write(line + "\n")
    out.write("\t".join(COLUMNS) + "\n")
    rows = [*_messages(recording, image_suffix), *_samples(recording)]
    # A message stands before the sample with its stamp.
    for _, _, text in sorted(rows):
        out.write(text + "\n")
    raw = out.getvalue().encode("utf-8")
    Path(path).write_bytes(gzip.compress(raw, mtime=0) if str(path).endswith(".gz") else raw)


def _header(recording: Recording, screen: Screen, subject: str) -> Iterator[str]:
    step = step_ms(next(iter(recording.samples.values())).t_ms)
    yield "## [iView]"
    yield "## Converted from:\tsynthetic gaze, made by gazecode.simulate"
    yield "## Version:\tIDF Converter 3.0.20"
    yield "## IDF Version:\t9"
    yield f"## Sample Rate:\t{1000 / step:.0f}" if step > 0 else "## Sample Rate:\t0"
    yield "## Separator Type:\tUnknown"
    yield "## Trial Count:\t1"
    yield f"## Number of Samples:\t{len(recording)}"
    yield "## Reversed:\tnone"
    yield "## [Run]"
    yield f"## Subject:\t{subject}"
    yield "## [Calibration]"
    yield f"## Calibration Area:\t{screen.width_px:g}\t{screen.height_px:g}"
    yield "## [Geometry]"
    if screen.width_mm is not None and screen.height_mm is not None:
        yield f"## Stimulus Dimension [mm]:\t{screen.width_mm:g}\t{screen.height_mm:g}"
    yield f"## Head Distance [mm]:\t{screen.distance_mm or 0:g}"
    yield "## [Filter Settings]"
    yield "## Bilateral:\tTrue"
    yield "## Format:\tLEFT, RIGHT, DIAMETER, POR, QUALITY, MSG"
    yield "##"


def _messages(recording: Recording, image_suffix: str) -> Iterator[tuple[int, int, str]]:
    for trial in recording.trials:
        if trial.stimulus:
            t = START_US + round(trial.onset_ms * 1000)
            yield t, 0, f"{t}\tMSG\t1\t# Message: {trial.stimulus}{image_suffix}"


def _samples(recording: Recording) -> Iterator[tuple[int, int, str]]:
    por, valid, pupil = _eyes(recording)
    clock = next(iter(recording.samples.values())).t_ms
    stamps = START_US + np.rint(clock * 1000).astype(np.int64)
    for t, (x, y), (left, right), (dl, dr) in zip(
        stamps.tolist(), por.tolist(), valid.tolist(), pupil.tolist(), strict=True
    ):
        place = f"{x:.2f}\t{y:.2f}"
        quality = f"{left:d}\t{right:d}\t{left + right:d}"
        yield t, 1, f"{t}\tSMP\t1\t{dl:.2f}\t{dr:.2f}\t{place}\t{place}\t0\t{quality}"


def _eyes(recording: Recording) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Mean place with zeros for what is lost, validity and diameter of both eyes."""
    one = next(iter(recording.samples.values()))
    left, right = (recording.samples.get(eye, one) for eye in ("left", "right"))
    valid = np.stack([~left.lost, ~right.lost], axis=1)
    por = (np.nan_to_num(left.xy_px) + np.nan_to_num(right.xy_px)) / 2
    pupil = np.stack([np.nan_to_num(np.asarray(s.pupil)) for s in (left, right)], axis=1)
    return por, valid, pupil * _MM_PER_UNIT
