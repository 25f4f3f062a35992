"""What else a CodeGRITS session holds: the files it archived, visible areas, when text was typed.

An archive is a whole file, named by its time: what a file was is the archive with the largest stamp
at or before then. Times are on the recording's clock (ms from the first gaze), in order of arrival;
jumps of the wall clock are undone for the gaze alone.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.readers.codegrits.export import _clock, _eye_file, _stamps
from gazecode.readers.codegrits.log import ide_log
from gazecode.readers.source import Source
from gazecode.readers.tools.xml import Columns, Kind, read_xml

__all__ = ["Archive", "Areas", "archives", "typing_ms", "visible_areas"]

MAX_ARCHIVE_BYTES = 64 << 20
_FILE = "fileArchive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A whole file as it was from `t_ms` on.

    Attributes
    ----------
    path
        As the IDE calls it; one that begins with a slash is relative to the project.
    code
        The file, UTF-8 where it is text at all.
    remark
        Why it was kept: fileOpened, contentChanged ...
    """

    t_ms: float
    path: str
    code: bytes
    remark: str = ""


Areas = dict[str, npt.NDArray[np.float64] | npt.NDArray[np.object_]]


def archives(
    path: str | Path | Source, *, left_out: Counter[str] | None = None
) -> dict[str, list[Archive]]:
    """Archived files by path, each in time order.

    Parameters
    ----------
    path
        The session's folder, or a file in it.
    left_out
        Added to: ``missing`` (logged, and no file of that time in ``archives``), ``console``.

    Raises
    ------
    FormatError
        The session has no ``ide_tracking.xml``, or no gaze that tells its clock.
    """
    folder, first, table = _open(path, "archive", ("id", "path", "remark"))
    counts = Counter[str]() if left_out is None else left_out
    found: dict[str, list[Archive]] = {}
    for stamp, kind, name, remark in zip(
        table["timestamp"].tolist(), table["id"], table["path"], table["remark"], strict=True
    ):
        if kind != _FILE:
            counts["console"] += 1
            continue
        # A number alone makes the name: no path of the log is ever opened.
        file = folder / "archives" / f"{stamp}.archive"
        if not file.is_file():
            counts["missing"] += 1
            continue
        code = _whole(file)
        found.setdefault(str(name), []).append(
            Archive(t_ms=float(stamp - first), path=str(name), code=code, remark=str(remark))
        )
    for kept in found.values():
        kept.sort(key=lambda archive: archive.t_ms)
    return found


def _whole(file: Path) -> bytes:
    if file.stat().st_size > MAX_ARCHIVE_BYTES:
        raise FormatError(
            f"{file.name} holds over {MAX_ARCHIVE_BYTES} bytes; expected a source file"
        )
    return Source(file).read_bytes()


def visible_areas(path: str | Path | Source) -> Areas:
    """Scroll and size of what the editor showed, one row per change.

    Returns
    -------
    dict of arrays, ``(s,)``
        ``t_ms``; ``top``, ``left`` (scroll), ``height`` and ``width``, px of the recording's
        screen (the log's logical px times its scaling); ``path``. Rows without numbers are left
        out.
    """
    folder, first, table = _open(path, "visible_area", ("path",), ("x", "y", "width", "height"))
    scale = ide_log(_log_file(folder)).said.get("scale", [1.0, 1.0])
    across, down = scale if isinstance(scale, list) else (1.0, 1.0)
    t = np.asarray(table["timestamp"] - first, dtype=np.float64)
    known = np.isfinite(np.stack([table[n] for n in ("x", "y", "width", "height")])).all(axis=0)
    order = np.flatnonzero(known)[np.argsort(t[known], kind="stable")]
    return {
        "t_ms": t[order],
        "top": table["y"][order] * down,
        "left": table["x"][order] * across,
        "height": table["height"][order] * down,
        "width": table["width"][order] * across,
        "path": table["path"][order],
    }


def typing_ms(path: str | Path | Source) -> npt.NDArray[np.float64]:
    """When characters were typed, ``(k,)`` ms in order; deletions are no typings."""
    _, first, table = _open(path, "typing", ())
    return np.sort(np.asarray(table["timestamp"] - first, dtype=np.float64))


def _open(
    path: str | Path | Source, tag: str, texts: tuple[str, ...], numbers: tuple[str, ...] = ()
) -> tuple[Path, int, Columns]:
    """The session's folder, the stamp of its first gaze, and one table of the IDE's log."""
    source = path if isinstance(path, Source) else Source(Path(path))
    eyes = _eye_file(source)
    gaze = read_xml(eyes.chunks(), name=eyes.name, rows={"gaze": {"timestamp": "int"}})[0].tables
    first, _, _ = _clock(_stamps(gaze["gaze"], eyes.name), eyes.name)
    log = _log_file(eyes.path.parent)
    kinds: dict[str, Kind] = {"timestamp": "int"}
    kinds |= dict.fromkeys(texts, "text")
    kinds |= dict.fromkeys(numbers, "float")
    table = read_xml(log.chunks(), name=log.name, rows={tag: kinds})[0].tables[tag]
    return eyes.path.parent, first, table


def _log_file(folder: Path) -> Source:
    for name in ("ide_tracking.xml", "ide_tracking.xml.gz"):
        if (folder / name).is_file():
            return Source(folder / name)
    raise FormatError(
        f"no ide_tracking.xml in {folder.name}; expected the IDE's log beside the gaze. Copy the "
        "whole session's folder"
    )
