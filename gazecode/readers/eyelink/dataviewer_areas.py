r"""Interest areas of EyeLink Data Viewer: ``.ias`` files, one area a line, px from the top left.

``RECTANGLE id left top right bottom label``, ``ELLIPSE`` alike, ``FREEHAND id x,y x,y ... label``;
in a dynamic set a start and an end time stand before the shape. Lines that begin with ``#`` are
comments. SR Research, EyeLink Data Viewer User's Manual, "Format of interest areas".
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import Stimulus
from gazecode.readers.source import Source

__all__ = ["areas_of", "is_area_file", "read_areas", "refuse_area_file"]

_SHAPES = {"RECTANGLE": "rectangle", "ELLIPSE": "ellipse", "FREEHAND": "freehand"}
_LINE = re.compile(rb"(?:-?\d+\s+-?\d+\s+)?(?:RECTANGLE|ELLIPSE|FREEHAND)\s+\d+\s+-?\d", re.ASCII)
_FOLDERS = ("", "IAs", "ias", "IA", "ia", "interest_areas", "aoi")
_PREFIXES = ("IA-", "IA_", "")
_MAX_BYTES = 16 << 20
_MAX_NUMBER = 1 << 31
_N_COLUMNS = 7


def is_area_file(head: bytes) -> bool:
    r"""Whether a file begins as a set of interest areas does.

    >>> is_area_file(b"# made by hand\nRECTANGLE\t1\t590\t0\t668\t44\tclass\n")
    True
    """
    lines = (line.strip() for line in head[:4096].splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return head.startswith(b"# EyeLink Interest Area Set") or bool(_LINE.match(first))


def refuse_area_file(source: Source) -> FormatError:
    """What is said where somebody opens the areas and not the gaze."""
    n = len(read_areas(source.path)["text"])
    return FormatError(
        f"{source.path.name} holds {n} interest areas of EyeLink Data Viewer and no gaze; open the "
        "fixation report instead, and name the areas with read(report, areas=...) where they do "
        "not lie beside it"
    )


def read_areas(path: str | Path, counts: Counter[str] | None = None) -> dict[str, Any]:
    r"""Areas of one ``.ias`` file.

    Parameters
    ----------
    counts
        Added to: `malformed_areas`, lines that hold no area.

    Returns
    -------
    dict
        ``kind text x0 y0 x1 y1`` (px) and ``area``, the number a report names it by; arrays of
        equal length, in the order of the file. Of an ellipse or a drawn shape the box around it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "IA-Vehicle.ias"
    ...     _ = file.write_text(
    ...         "RECTANGLE\t1\t590\t0\t668\t44\tclass\nFREEHAND 2 1,5 9,2 4,8 x y\n"
    ...     )
    ...     areas = read_areas(file)
    >>> areas["text"].tolist(), areas["x0"], areas["y1"], areas["area"]
    (['class', 'x y'], array([590.,   1.]), array([44.,  8.]), array([1, 2]))
    """
    counts = Counter() if counts is None else counts
    rows = [row for line in _lines(Source(Path(path))) if (row := _area(line, counts))]
    columns = list(zip(*rows, strict=True)) or [()] * _N_COLUMNS
    boxes = np.array(columns[3:], dtype=np.float64).reshape(4, -1)
    return {
        "kind": np.array(columns[0], dtype=object),
        "text": np.array(columns[1], dtype=object),
        **dict(zip(("x0", "y0", "x1", "y1"), boxes, strict=True)),
        "area": np.array(columns[2], dtype=np.int64),
    }


def _lines(source: Source) -> Iterator[str]:
    size = 0
    for block in source.blocks(1 << 20):
        size += len(block)
        if size > _MAX_BYTES:
            raise FormatError(
                f"{source.path.name} holds over {_MAX_BYTES} bytes; expected some hundred interest "
                "areas"
            )
        yield from block.decode("utf-8", "replace").split("\n")


def _area(line: str, counts: Counter[str]) -> tuple[Any, ...] | None:
    """Kind, text, number, x0, y0, x1, y1; None for a line that holds no area."""
    if not line.strip() or line.startswith("#"):
        return None
    words = [word.strip() for word in (line.split("\t") if "\t" in line else line.split())]
    at = next((i for i in (0, 2) if i < len(words) and words[i] in _SHAPES), len(words))
    shape, rest = words[at : at + 1], words[at + 2 :]
    n = _n_corners(rest) if shape == ["FREEHAND"] else 4
    try:
        number, box = int(words[at + 1]), _box(rest[:n])
    except (ValueError, IndexError):
        number, box = -1, (np.nan, np.nan, np.nan, np.nan)
    x0, y0, x1, y1 = box
    if not (np.isfinite(box).all() and x0 < x1 and y0 < y1 and 0 <= number < _MAX_NUMBER):
        counts["malformed_areas"] += 1
        return None
    return _SHAPES[shape[0]], " ".join(rest[n:]), number, *box


def _box(words: list[str]) -> tuple[float, float, float, float]:
    """The box around ``left top right bottom`` or around ``x,y x,y ...``."""
    corners = np.array(",".join(words).split(","), dtype=np.float64).reshape(-1, 2)
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _n_corners(words: list[str]) -> int:
    return next((i for i, word in enumerate(words) if not _is_corner(word)), len(words))


def _is_corner(word: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?", word))


def areas_of(
    names: list[str],
    source: Source,
    areas: str | Path | Mapping[str, str | Path] | None,
    counts: Counter[str],
) -> dict[str, Stimulus]:
    """Stimulus → its areas, for those that have a file.

    Parameters
    ----------
    names
        Stimuli of a report.
    areas
        A folder, one file (for a report of one stimulus), or stimulus → file; None looks beside
        the report and one folder up, in folders called ``IAs``.
    """
    if areas is None or (not isinstance(areas, Mapping) and Path(areas).is_dir()):
        files = _files_near(source) if areas is None else _files_in(Path(areas))
        found = {
            name: files[prefix + name]
            for name in names
            for prefix in reversed(_PREFIXES)
            if prefix + name in files
        }
    elif isinstance(areas, Mapping):
        found = {name: Path(path) for name, path in areas.items()}
    else:
        found = _one_file(Path(areas), names)
    return {
        name: Stimulus(name=name, code="", language="", boxes=read_areas(path, counts))
        for name, path in found.items()
    }


def _files_in(folder: Path) -> dict[str, Path]:
    # Names are looked up, never joined to a path: what a report calls its stimulus is not trusted.
    return {path.stem: path for path in sorted(folder.glob("*.ias")) if path.is_file()}


def _files_near(source: Source) -> dict[str, Path]:
    here = source.path.resolve().parent
    places = [place / name for place in (here.parent, here) for name in reversed(_FOLDERS)]
    files: dict[str, Path] = {}
    for place in places:
        files |= _files_in(place) if place.is_dir() else {}
    return files


def _one_file(path: Path, names: list[str]) -> dict[str, Path]:
    stem = path.name.removesuffix(".ias")
    of = [name for name in names if stem in {prefix + name for prefix in _PREFIXES}]
    if not of and len(names) == 1:
        of = names
    if not of:
        raise FormatError(
            f"areas={path.name} fits none of the {len(names)} stimuli of the report; name a folder "
            "of such files, or say which is whose with areas={stimulus: file}"
        )
    return {of[0]: path}
