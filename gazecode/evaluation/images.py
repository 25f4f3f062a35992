"""Text found on pictures against grids and boxes that others measured or drew.

Peitek et al. 2020 (Java, monospaced, one grid; grids measured by hand stand in the folder's
SOURCE.md), EMIP (Bednarik et al. 2020: a word processor's lines, boxes of lines and words), eyeCode
(Hansen et al. 2012: screenshots inside the recordings, boxes of syntax), Busjahn et al. 2013 (a
proportional font, boxes of words). The files are theirs and are read where they lie; the
height of a line's middle over its baseline and the thresholds of scores were chosen with these
pictures in view, so those figures are in-sample. Distances are px of the picture.
"""

import base64
import csv
import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.mapping.image import TextGrid, find_text
from gazecode.model.checks import FloatArray

__all__ = ["busjahn_table", "emip_table", "hansen_table", "image_table"]

Row = dict[str, Any]

_EMIP_SOURCES = {"java": ".java", "java2": ".java", "python": ".py", "scala": ".scala"}


def image_table(folder: Path) -> list[Row]:
    """Pictures of Peitek et al. against the measured grids, one row per picture.

    Columns: ``image``, ``kind``, ``pitch_px``, ``expected_pitch_px``, ``pitch_error_percent``,
    ``line_px``, ``y_error_px`` (largest distance of a line's middle from where the measured grid
    has it), ``residual_px``, ``score``, ``likeness``, ``differing`` (rows of the source that
    differ from the picture, 0-based), ``seconds``. What nobody measured is None.
    """
    expected = _measured_grids(folder / "SOURCE.md")
    rows = []
    for path in _pictures(folder / "images", "*/*.png"):
        name = f"{path.parent.name}/{path.stem}"
        source = folder / "1_stimuli" / "Snippets" / f"{path.stem}.java"
        if not source.is_file():
            source = source.with_name(f"{path.stem}_edited.java")
        found, seconds = _timed(path, source.read_text(encoding="utf-8"))
        rows.append(_against_grid(name, found, expected.get(name)) | {"seconds": seconds})
    return rows


def _pictures(folder: Path, pattern: str) -> list[Path]:
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise FormatError(
            f"{folder} holds no pictures {pattern}; expected the data set's own folder"
        )
    return paths


def _timed(image: Path | bytes, text: str, **options: Any) -> tuple[TextGrid, float]:
    start = time.perf_counter()
    found = find_text(image, text, **options)
    return found, round(time.perf_counter() - start, 2)


def _measured_grids(path: Path) -> dict[str, tuple[float, ...]]:
    """Rows ``| 1080/Name | pitch | x | line pitch | y | residual |`` of a table in Markdown."""
    grids = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 6 and "/" in cells[0] and cells[0][0].isdigit():
            grids[cells[0]] = tuple(map(float, cells[1:]))
    return grids


def _against_grid(name: str, found: TextGrid, expected: tuple[float, ...] | None) -> Row:
    row: Row = {
        "image": name,
        "kind": found.kind,
        "pitch_px": round(found.char_width_px, 3),
        "expected_pitch_px": None,
        "pitch_error_percent": None,
        "line_px": round(found.line_height_px, 3),
        "y_error_px": None,
        "residual_px": round(found.residual_px, 2),
        "score": round(found.score, 3),
        "likeness": round(found.likeness, 3),
        "differing": list(found.unmatched),
    }
    if expected is not None:
        pitch, _, line_px, y, _ = expected
        off = np.abs(found.middle_px - y - line_px * found.row).max()
        error = 100 * (found.char_width_px / pitch - 1)
        row |= {
            "expected_pitch_px": pitch,
            "pitch_error_percent": round(error, 2),
            "y_error_px": round(float(off), 2),
        }
    return row


def emip_table(folder: Path) -> list[Row]:
    """Pictures of EMIP against its boxes of lines and words, one row per picture.

    Columns: ``image``, ``kind``, ``lines`` (found of drawn), ``words``, ``pitch_px``,
    ``line_y_px`` and ``line_y_max_px`` (distance of the middles of lines, median and largest),
    ``word_px`` and ``word_p95_px`` (distance of the centres of words along the line, median and
    95th percentile), ``word_iou`` (median overlap along the line; the boxes drawn hold a blank
    besides the word), ``inside`` (share of the words found whose centre lies in their box),
    ``differing``, ``seconds``. Words of lines whose number of words differs are left out and
    counted as ``words_left_out``.
    """
    rows = []
    for path in _pictures(folder / "stimuli", "*.jpg"):
        program, language = path.stem.split("_")
        name = program if language == "python" else program.capitalize()
        source = folder / "emip_stimulus_programs" / f"{name}{_EMIP_SOURCES[language]}"
        found, seconds = _timed(path, source.read_text(encoding="utf-8"))
        lines, words = _drawn(path.with_suffix(".csv"))
        compared = _against_boxes(found, lines, words)
        rows.append({"image": path.stem, **compared, "seconds": seconds})
    return rows


def _drawn(path: Path) -> tuple[FloatArray, FloatArray]:
    with path.open(newline="", encoding="utf-8") as file:
        held = list(csv.DictReader(file))
    boxes = {
        level: np.array(
            [[float(r[k]) for k in ("x1", "y1", "x2", "y2")] for r in held if r["level"] == level]
        )
        for level in ("line", "element")
    }
    return boxes["line"], boxes["element"]


def _words(found: TextGrid) -> Iterator[tuple[int, float, float]]:
    """Row (number among the rows with text), left and right of every word on the picture."""
    starts = np.flatnonzero(
        (np.diff(found.place, prepend=-2) > 1) | (np.diff(found.place_row, prepend=-1) != 0)
    )
    number = np.searchsorted(found.row, found.place_row[starts])
    for i, spans in zip(number.tolist(), np.split(found.span_px, starts[1:]), strict=True):
        known = spans[np.isfinite(spans[:, 0])]
        if len(known):
            yield i, float(known[0, 0]), float(known[-1, 1])


def _against_boxes(found: TextGrid, lines: FloatArray, words: FloatArray) -> Row:
    ours = np.array(list(_words(found)))
    middle = lines[:, [1, 3]].mean(axis=1)
    shown = np.flatnonzero(np.isfinite(found.middle_px))
    nearest = np.abs(found.middle_px[shown, None] - middle)
    off = nearest.min(axis=1)
    line_of_row = dict(zip(shown.tolist(), nearest.argmin(axis=1).tolist(), strict=True))
    line_of_word = np.abs(words[:, [1, 3]].mean(axis=1)[:, None] - middle).argmin(axis=1)
    pairs, left_out = [], 0
    for i, line in line_of_row.items():
        here, there = ours[ours[:, 0] == i], words[line_of_word == line]
        if len(here) == len(there):
            pairs.append(np.column_stack([here[:, 1:], there[:, [0, 2]]]))
        else:
            left_out += len(here)
    pair = np.concatenate(pairs)
    distance = np.abs(pair[:, :2].mean(axis=1) - pair[:, 2:].mean(axis=1))
    both = np.minimum(pair[:, 1], pair[:, 3]) - np.maximum(pair[:, 0], pair[:, 2])
    either = np.maximum(pair[:, 1], pair[:, 3]) - np.minimum(pair[:, 0], pair[:, 2])
    centre = pair[:, :2].mean(axis=1)
    return {
        "kind": found.kind,
        "lines": f"{len(shown)} of {len(lines)}",
        "words": len(pair),
        "words_left_out": left_out,
        "pitch_px": None if np.isnan(found.char_width_px) else round(found.char_width_px, 3),
        "line_y_px": round(float(np.median(off)), 2),
        "line_y_max_px": round(float(off.max()), 2),
        "word_px": round(float(np.median(distance)), 2),
        "word_p95_px": round(float(np.percentile(distance, 95)), 2),
        "word_iou": round(float(np.median(both / either)), 3),
        "inside": round(float(((centre > pair[:, 2]) & (centre < pair[:, 3])).mean()), 4),
        "differing": list(found.unmatched),
    }


def busjahn_table(folder: Path) -> list[Row]:
    """Pictures of Busjahn et al. 2013 (Arial) against its boxes of lines and words.

    Columns as for `emip_table`.
    """
    with (folder / "areas_of_interest.csv").open(newline="", encoding="utf-8") as file:
        areas = list(csv.DictReader(file))
    rows = []
    for program in ("basketball", "rectangle"):
        text = (folder / "programs" / f"{program}.java").read_text(encoding="utf-8")
        path = folder / "images" / f"{program}.png"
        found, seconds = _timed(path, text, monospace=False)
        lines, words = (
            _areas([a for a in areas if a["program"] == program and a["kind"] == kind])
            for kind in ("line", "sub-line")
        )
        rows.append({"image": program, **_against_boxes(found, lines, words), "seconds": seconds})
    return rows


def _areas(held: list[dict[str, str]]) -> FloatArray:
    corner = np.array([[float(a["x"]), float(a["y"])] for a in held])
    return np.hstack([corner, corner + [[float(a["width"]), float(a["height"])] for a in held]])


def hansen_table(folder: Path) -> list[Row]:
    """Screenshots of Hansen et al. 2012 against the font and the boxes of their trials.

    Columns: ``image`` (participant and program), ``kind``, ``pitch_px``, ``expected_pitch_px``,
    ``pitch_error_percent``, ``x_error_px`` (left edge of the first line), ``y_error_px`` (largest
    distance of the middles of lines), ``residual_px``, ``score``, ``differing``, ``seconds``.
    """
    rows = []
    for path in _pictures(folder / "xml", "*.xml.gz"):
        for trial in _trials(path):
            image, text = base64.b64decode(trial.findtext("screenshot")), trial.findtext("code")
            found, seconds = _timed(image, text)
            name = f"{path.name[:2]}/{trial.get('base')}_{trial.get('version')}"
            rows.append(_against_trial(name, found, trial) | {"seconds": seconds})
    return rows


def _trials(path: Path) -> Iterator[Any]:
    from defusedxml.ElementTree import iterparse

    with gzip.open(path) as file:
        for _, element in iterparse(file):
            if element.tag == "trial":
                yield element
                element.clear()


def _against_trial(name: str, found: TextGrid, trial: Any) -> Row:
    drawn = [a for a in trial.iter("aoi") if a.get("kind") == "line"]
    middle = np.array([float(a.get("y")) + float(a.get("height")) / 2 for a in drawn])
    off = np.abs(found.middle_px[:, None] - middle).min(axis=1)
    width = float(trial.get("font-width"))
    return {
        "image": name,
        "kind": found.kind,
        "pitch_px": round(found.char_width_px, 3),
        "expected_pitch_px": width,
        "pitch_error_percent": round(100 * (found.char_width_px / width - 1), 3),
        "x_error_px": round(found.origin_px[0] - float(drawn[0].get("x")), 2),
        "y_error_px": round(float(off.max()), 2),
        "residual_px": round(found.residual_px, 2),
        "score": round(found.score, 3),
        "differing": list(found.unmatched),
    }
