"""What every reader keeps to."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import GazecodeError
from gazecode.model import Recording
from gazecode.readers import Reader, Source, read

__all__ = ["check_reader"]

PROVENANCE = (
    *("format", "file", "sha256", "plane", "clock", "rate_hz", "eyes", "n_samples", "n_lost"),
    *("left_out", "notes"),
)
"""Keys that the provenance of every recording has."""
_NOISE = (b"", b"\n", b"\x00\xff\xfe\xfd" * 40, b"a;b;c\n1;2;3\n", b"<x", b"PAR1", b"[1, 2]")


def check_reader(
    reader: Reader,
    path: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    cuts: Sequence[float] = (0.1, 0.5, 0.97),
) -> Recording:
    r"""Check that a reader keeps the rules every recording relies on; return what it read.

    The reader recognises its own file and stumbles over nothing else; reading twice gives equal
    recordings; all eyes share one strictly increasing clock from 0 on; lost gaze is NaN in
    both coordinates; trials and events lie where they can; the provenance is complete, fits into
    JSON and names no folder; a cut or an empty copy gives a recording or a `GazecodeError`.

    Parameters
    ----------
    reader
        Registered under its name in `gazecode.readers.READERS`.
    path
        A sample file of its format.
    options
        Passed to the reader.
    cuts
        Shares of the file to which copies are cut.

    Raises
    ------
    AssertionError
        A rule is broken; the message says which.

    Examples
    --------
    >>> from gazecode.readers import READERS
    >>> text = "t_ms,both_x_px,both_y_px\n0,1,2\n10,3,4\n20,,\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "P01.csv"
    ...     _ = file.write_text(text)
    ...     recording = check_reader(READERS["table"], file)
    >>> len(recording)
    3
    """
    path = Path(path)
    settings = dict(options or {})
    _check_sniff(reader, path, by_name=reader.any_file and bool(settings))
    recording = read(path, format=reader.name, **settings)
    _check_equal(recording, read(path, format=reader.name, **settings))
    _check_samples(recording)
    _check_times(recording)
    _check_provenance(recording, reader, path)
    if path.is_file():
        _check_cut_copies(reader, path, settings, cuts)
    return recording


def _expect(condition: object, broken: str) -> None:
    if not condition:
        raise AssertionError(broken)


def _check_sniff(reader: Reader, path: Path, *, by_name: bool) -> None:
    _expect(by_name or reader.sniff(Source(path)), f"{reader.name} does not recognise {path.name}")
    with tempfile.TemporaryDirectory() as folder:
        for number, noise in enumerate(_NOISE):
            file = Path(folder) / f"noise{number}.dat"
            file.write_bytes(noise)
            try:
                found = reader.sniff(Source(file))
            except Exception as error:
                raise AssertionError(f"sniff of {reader.name} raises on {noise[:20]!r}") from error
            _expect(not found, f"{reader.name} claims to recognise {noise[:20]!r}")


def _check_equal(one: Recording, other: Recording) -> None:
    _expect(one.to_frame().equals(other.to_frame()), "samples differ when read twice")
    _expect(
        one.device_events.to_frame().equals(other.device_events.to_frame()),
        "device events differ when read twice",
    )
    for name in ("trials", "messages", "screen", "plane", "start_ns"):
        _expect(getattr(one, name) == getattr(other, name), f"{name} differ when read twice")
    _expect(dict(one.provenance) == dict(other.provenance), "provenance differs when read twice")


def _check_samples(recording: Recording) -> None:
    for eye, s in recording.samples.items():
        _expect(s.eye == eye, f"samples of {eye} call themselves {s.eye}")
        _expect(np.isfinite(s.t_ms).all(), f"{eye}: a stamp is not finite")
        _expect((np.diff(s.t_ms) > 0).all(), f"{eye}: the clock does not strictly increase")
        _expect(not len(s) or s.t_ms[0] >= 0, f"{eye}: samples before the recording's start")
        known = np.isfinite(s.xy_px)
        _expect((known[:, 0] == known[:, 1]).all(), f"{eye}: one coordinate alone is lost")


def _check_times(recording: Recording) -> None:
    t = next(iter(recording.samples.values())).t_ms
    last = t[-1] if len(t) else np.inf
    names = [trial.name for trial in recording.trials]
    _expect(len(set(names)) == len(names), f"two trials share a name: {names}")
    onsets = [trial.onset_ms for trial in recording.trials]
    _expect(onsets == sorted(onsets), "trials are not in order")
    for trial in recording.trials:
        # The message that opens a trial may come just before its first sample.
        held = trial.onset_ms <= last and trial.offset_ms > 0
        _expect(held, f"trial {trial.name} lies outside the recording")
    durations = recording.device_events.duration_ms
    _expect(np.isfinite(durations).all(), "a device event has no end")


def _check_provenance(recording: Recording, reader: Reader, path: Path) -> None:
    said = recording.provenance
    missing = [key for key in PROVENANCE if key not in said]
    _expect(not missing, f"provenance lacks {missing}")
    _expect(said["format"] == reader.name, f"provenance names the format {said['format']}")
    _expect(said["file"] == path.name, f"provenance names the file {said['file']}")
    text = json.dumps(dict(said), allow_nan=False)
    folder = str(path.resolve().parent)
    _expect(folder not in text, "provenance names a folder of this machine")


def _check_cut_copies(
    reader: Reader, path: Path, options: dict[str, Any], cuts: Sequence[float]
) -> None:
    raw = path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for companion in path.parent.glob(path.name.split(".")[0] + ".*"):
            if companion.is_file() and companion != path:
                shutil.copy(companion, folder)
        copy = Path(folder) / path.name
        for share in (0.0, *cuts):
            copy.write_bytes(raw[: int(len(raw) * share)])
            try:
                read(copy, format=reader.name, **options)
            except GazecodeError as error:
                _expect("\n" not in str(error), f"an error has several lines: {error}")
                _expect(str(error).strip(), "an error says nothing")
            else:
                _expect(share > 0, "an empty file was read as a recording")
