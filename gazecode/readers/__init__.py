"""Recordings from the files of trackers and experiments: a room per vendor, one format a module.

`read` recognises a file by its first bytes, hands it to the reader that knows it, and fills in
what every recording's provenance says. The table `READERS` is open: another package adds a
`Reader` through an entry point of the group ``gazecode.readers``.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.disk import printable
from gazecode.errors import DataError, FormatError, GazecodeError, ParameterError, UnknownFormat
from gazecode.model import Recording, Screen
from gazecode.readers import imotions, labvanced
from gazecode.readers.bids import physio
from gazecode.readers.codegrits import export as codegrits
from gazecode.readers.eyelink import asc, dataviewer
from gazecode.readers.gazepoint import export as gazepoint
from gazecode.readers.itrace import core as itrace
from gazecode.readers.itrace import legacy as itrace_legacy
from gazecode.readers.itrace import toolkit as itrace_toolkit
from gazecode.readers.psychopy import iohub
from gazecode.readers.pupil_labs import core as pupil_core
from gazecode.readers.pupil_labs import neon_cloud, neon_native
from gazecode.readers.reader import Reader
from gazecode.readers.smi import begaze, iview, raw_table
from gazecode.readers.source import Source
from gazecode.readers.studies import emtk, eyecode, eyecode_csv, eyekit, fix8, ogama
from gazecode.readers.table import declared
from gazecode.readers.tobii import (
    eyex,
    glasses2,
    prolab,
    research,
    sdk,
    studio,
    titta,
    tx300,
)
from gazecode.registry import Registry, check_parameters
from gazecode.units import rate_hz

__all__ = ["READERS", "Reader", "Source", "formats", "read", "sniff_format"]

READERS: Registry[Reader] = Registry(
    "readers",
    {
        module.READER.name: module.READER
        for module in (
            *(asc, dataviewer),
            *(prolab, studio, sdk, titta, tx300, glasses2, eyex, research),
            *(gazepoint, iview, raw_table, begaze),
            *(pupil_core, neon_cloud, neon_native),
            *(physio, iohub, imotions, labvanced),
            *(itrace, itrace_legacy, itrace_toolkit, codegrits),
            *(eyecode, fix8, emtk, ogama, eyekit, eyecode_csv),
            declared,
        )
    },
    group="gazecode.readers",
)
"""Name → `Reader`, plug-ins included."""

_MAX_MESSAGE = 2000
"""Characters: a file of thousands of columns is not told in whole."""
_ZIP = b"PK\x03\x04"


def read(
    path: str | Path,
    format: str | None = None,  # noqa: A002 - the name users know from every other library
    *,
    screen: Screen | None = None,
    **options: Any,
) -> Recording:
    r"""Read a recording; the format is recognised by content unless it is named.

    Parameters
    ----------
    path
        File (or folder, for formats that are one); ``.gz`` is unpacked.
    format
        Name of a reader out of `READERS`; None recognises the file.
    screen
        The screen, where the file does not say it or says it wrongly: its pixels replace the
        file's, millimetres it leaves open stay the file's. Coordinates in fractions of the screen
        become pixels.
    **options
        The reader's own keyword parameters; any other name is refused.

    Returns
    -------
    Recording
        Its `provenance` says format, file name and SHA-256, plane, clock, measured rate, eyes,
        samples, lost samples per eye, and whatever was left out, with counts.

    Raises
    ------
    UnknownFormat
        No reader knows the file.
    FormatError
        It cannot be read: named with the reader and the reason.
    ParameterError
        An unknown format or option.

    Examples
    --------
    >>> import tempfile
    >>> text = "t_ms,left_x_px,left_y_px\n0,10,20\n4,11,20\n8,,\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "P01.csv"
    ...     _ = file.write_text(text)
    ...     recording = read(file)
    >>> recording.provenance["format"], recording.provenance["rate_hz"]
    ('table', 250.0)
    >>> recording.provenance["n_lost"]
    {'left': 1}
    """
    with _in_one_line():
        source = Source(Path(path))
        _refuse_empty(source)
        name = _sniffed(source) if format is None else format
        reader = _reader(name)
        if format is not None and not reader.any_file and not _recognises(reader, source):
            raise FormatError(_not_that_format(source, reader))
        check_parameters(reader.read, options, name=f"reader {name}")
        if "screen" in inspect.signature(reader.read).parameters:
            options["screen"] = screen
        recording = _guarded(reader, source, options)
        if screen is not None:
            recording = _on_screen(recording, screen)
        return replace(recording, provenance=_provenance(recording, source, name))


def sniff_format(path: str | Path) -> str:
    """Name of the reader that recognises a file; the highest priority wins, a tie is an error."""
    with _in_one_line():
        source = Source(Path(path))
        _refuse_empty(source)
        return _sniffed(source)


def _sniffed(source: Source) -> str:
    found = {name: READERS[name] for name in READERS if _recognises(READERS[name], source)}
    if not found:
        raise UnknownFormat(_unknown(source))
    top = max(reader.priority for reader in found.values())
    best = sorted(name for name, reader in found.items() if reader.priority == top)
    if len(best) > 1:
        raise UnknownFormat(
            f"{source.path.name} is recognised by several readers: {', '.join(best)}; "
            f"name the right one, as in format={best[0]!r}"
        )
    return best[0]


def formats() -> list[dict[str, str]]:
    """What can be read: name, title and usual suffixes of every reader.

    >>> next(row for row in formats() if row["name"] == "eyelink")["suffixes"]
    '.asc .asc.gz'
    """
    readers = {name: _reader(name) for name in READERS}
    return [
        {"name": name, "title": reader.title, "suffixes": " ".join(reader.suffixes)}
        for name, reader in readers.items()
    ]


@contextmanager
def _in_one_line() -> Iterator[None]:
    """What a file holds may be in a message; it neither fills a terminal nor commands it."""
    try:
        yield
    except GazecodeError as error:
        said = printable(str(error), _MAX_MESSAGE)
        if said == str(error):
            raise
        raise type(error)(said) from error


def _reader(name: str) -> Reader:
    reader = READERS[name]
    if not isinstance(reader, Reader):
        raise ParameterError(
            f"{name!r} in readers is a {type(reader).__name__} from a plug-in; "
            "expected a gazecode.readers.Reader; reinstall or remove that package"
        )
    return reader


def _recognises(reader: object, source: Source) -> bool:
    if not isinstance(reader, Reader):
        return False
    try:
        return bool(reader.sniff(source))
    except Exception:  # noqa: BLE001 - bytes that make one reader stumble may be another's format
        return False


def _refuse_empty(source: Source) -> None:
    if source.path.is_dir() or source.head:
        return
    # A broken archive has no head either; unpacking it whole says what is wrong with it.
    if not source.read_bytes():
        raise FormatError(
            f"{source.path.name} is empty; expected a recording. Copy or export it again"
        )


def _not_that_format(source: Source, reader: Reader) -> str:
    others = [name for name in READERS if _recognises(READERS[name], source)]
    advice = f"it looks like {' or '.join(others)}" if others else "no other reader knows it either"
    return (
        f"{source.path.name} is not {reader.name} ({reader.title}): "
        f"it begins {source.start}; {advice}"
    )


def _unknown(source: Source) -> str:
    if source.path.is_dir():
        return f"{source.path.name} is a folder and no reader knows it as one; name a file in it"
    if source.head.startswith(_ZIP):
        return (
            f"{source.path.name} is a zip archive (or a spreadsheet, which is one), whatever its "
            "name says; unpack it, or export it as text, and open the recording in it"
        )
    return (
        f"{source.path.name}: no reader knows this file, it begins {source.start}; gazecode "
        f"formats lists the {len(READERS)} known. For columns of your own use "
        "read(path, format='table', columns={'t': ('Time', 'ms'), ...})"
    )


def _guarded(reader: Reader, source: Source, options: Mapping[str, Any]) -> Recording:
    """Run a reader; whatever bad data make it stumble over becomes one clear error."""
    try:
        return reader.read(source, **options)
    except DataError as error:
        raise FormatError(f"{source.path.name} (reader {reader.name}): {error}") from error
    except (GazecodeError, MemoryError):
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise FormatError(
            f"{source.path.name} (reader {reader.name}): cannot be opened ({reason}); "
            "check the file and its permissions"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise FormatError(
            f"{source.path.name} (reader {reader.name}): the data cannot be read "
            f"({type(error).__name__}: {reason}); the file may be cut or edited, export it again"
        ) from error


def _on_screen(recording: Recording, screen: Screen) -> Recording:
    """Merge the screen asked for with the file's; fractions of it become pixels."""
    if recording.plane not in ("screen_px", "screen_fraction"):
        # A camera's picture, or angles of the eye: no size of a screen makes px of them.
        note = f"the screen asked for was not used: gaze lies in the plane {recording.plane}"
        said = [*recording.provenance.get("notes", ()), note]
        return replace(recording, provenance={**recording.provenance, "notes": said})
    found = recording.screen
    merged = screen if found is None else replace(found, **_given(screen))
    notes = list(recording.provenance.get("notes", ()))
    if found is not None and (found.width_px, found.height_px) != (
        screen.width_px,
        screen.height_px,
    ):
        notes.append(
            f"screen {screen.width_px:g} x {screen.height_px:g} px as asked for; "
            f"the file says {found.width_px:g} x {found.height_px:g}"
        )
    recording = replace(recording, screen=merged)
    if recording.plane == "screen_fraction":
        notes.append(
            "fractions of the screen became px on the "
            f"{screen.width_px:g} x {screen.height_px:g} px asked for"
        )
        recording = _to_pixels(recording, screen)
    return replace(recording, provenance={**recording.provenance, "notes": notes})


def _given(screen: Screen) -> dict[str, float]:
    values = {f.name: getattr(screen, f.name) for f in fields(screen)}
    return {name: value for name, value in values.items() if value is not None}


def _to_pixels(recording: Recording, screen: Screen) -> Recording:
    size = np.array([screen.width_px, screen.height_px])
    events = recording.device_events
    if events.end_xy_px is not None:
        events = replace(events, end_xy_px=events.end_xy_px * size)
    return replace(
        recording,
        plane="screen_px",
        samples={eye: replace(s, xy_px=s.xy_px * size) for eye, s in recording.samples.items()},
        device_events=replace(events, xy_px=events.xy_px * size),
        validations=[validation.scaled(size) for validation in recording.validations],
    )


def _provenance(recording: Recording, source: Source, name: str) -> dict[str, Any]:
    """What every recording says of its origin, then what its reader adds."""
    first = next(iter(recording.samples.values()))
    rate = rate_hz(first.t_ms)
    said = dict(recording.provenance)
    common: dict[str, Any] = {
        "format": name,
        "file": source.path.name,
        "sha256": source.sha256(),
        "plane": recording.plane,
        "clock": said.get("clock", "ms from the first sample"),
        "rate_hz": round(rate, 3) if np.isfinite(rate) else None,
        "eyes": list(recording.samples),
        "n_samples": len(first),
        "n_lost": {eye: int(s.lost.sum()) for eye, s in recording.samples.items()},
        "left_out": {key: int(n) for key, n in said.get("left_out", {}).items() if n},
        "notes": list(said.get("notes", ())),
    }
    return common | {key: value for key, value in said.items() if key not in common}
