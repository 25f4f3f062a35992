"""iTrace before 0.1: Eclipse XML with its fixations, the archive's XML and JSON, version 0.0.x."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .maker import Maker

FIRST_MS = 1_517_865_289_649
FIRST_NS = 1_566_057_651_667_835
SCREEN = '<screen-size width="1920" height="1080"/>'


def clock(rows: int) -> np.ndarray:
    """Ms since the first row: 60 Hz as 16, 17, 17; a gap where gaze was off any text."""
    t = np.concatenate(([0], np.cumsum(np.resize([16, 17, 17], max(rows - 1, 0)))))[:rows]
    return t + 2500 * (np.arange(rows) > rows // 2)


def samples(rows: int) -> Iterator[dict[str, object]]:
    t = clock(rows).tolist()
    for i in range(rows):
        eye = {4: ("0.0", "1.0"), 9: ("0.25", "0.0")}.get(i % 30, ("1.0", "1.0"))
        moment = datetime.fromtimestamp((FIRST_MS + 1162 + t[i]) / 1000, UTC)
        yield {
            "name": "Made.java" if i % 3 else "a question - made",
            "type": "java" if i % 3 else "browser",
            "x": 500 + i % 300,
            "y": 400 + i % 90,
            "left_validation": eye[0],
            "right_validation": eye[1],
            "left_pupil_diameter": 2.5,
            "right_pupil_diameter": 3.5,
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "session_time": 4_026_539_402 + t[i] * 1_000_000,
            "tracker_time": FIRST_MS + t[i],
            "system_time": FIRST_MS + 1162 + t[i],
            "nano_time": FIRST_NS + t[i] * 1_000_000,
        }


def text_part(i: int) -> dict[str, object]:
    return {
        "path": "C:\\made\\Made.java",
        "line_height": 15,
        "font_height": 10,
        "line": 1 + i % 20,
        "col": 1 + i % 33,
        "line_base_x": 414,
        "line_base_y": 700,
    }


PAGE = {"url": "https://example.org/q/1", "Id": "1"}
ENTITY = {
    "name": "Made.run()",
    "type": "METHOD",
    "how": "DECLARE",
    "total_length": 10,
    "start_line": 1,
    "end_line": 9,
    "start_col": 0,
    "end_col": 1,
}
PART = {"part": "QUESTION", "part_number": "1", "type": "CODE", "type_number": "2"}


def attributes(values: dict[str, object]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in values.items())


def document(root: str, lines: Iterator[str] | list[str], head: str = SCREEN) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<{root}>\n<environment>\n{head}\n</environment>\n<gazes>\n"
    yield from lines
    yield f"</gazes>\n</{root}>\n"


def eclipse_rows(rows: int) -> Iterator[str]:
    for i, sample in enumerate(samples(rows)):
        if sample["type"] == "browser":
            inner = f"<soe {attributes(PART)}></soe>"
            yield f"<response {attributes(sample | PAGE)}>{inner}</response>\n"
        else:
            inner = f"<sces><sce {attributes(ENTITY)}></sce></sces>" if i % 2 else "<sces></sces>"
            yield f"<response {attributes(sample | text_part(i))}>{inner}</response>\n"


def fixation_rows(rows: int) -> Iterator[str]:
    """Every tenth sample begins a fixation that lasts until the next: gaps are bridged."""
    every = [s for i, s in enumerate(samples(rows)) if i % 10 == 0]
    stamps = [s["tracker_time"] for s in every]
    for i, sample in enumerate(every):
        later = stamps[i + 1] if i + 1 < len(every) else stamps[i] + 150
        extra = {"gazeId": 10 * i, "duration": later - stamps[i]}
        yield f"        <response {attributes(sample | extra | text_part(i))}/>\n"


def write(path: Path, parts: Iterator[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)
    return path


def make_eclipse(folder: Path, rows: int) -> Path:
    write(folder / "P1SO_fixations.xml", document("itrace-records", fixation_rows(rows)))
    return write(folder / "P1SO_gazes.xml", document("itrace-records", eclipse_rows(rows)))


def make_fixations(folder: Path, rows: int) -> Path:
    lines = fixation_rows(10 * rows)
    return write(folder / "P2SO_fixations.xml", document("itrace-records", lines))


def make_archive_xml(folder: Path, rows: int) -> Path:
    """Hyphens in its names, `file` for the name."""
    names = {"name": "file"} | {
        key: key.replace("_", "-")
        for key in (
            *("left_validation", "right_validation", "left_pupil_diameter"),
            *("right_pupil_diameter", "tracker_time", "system_time", "nano_time"),
        )
    }
    lines = (
        "<response "
        + attributes({names.get(k, k): v for k, v in s.items() if k in (*names, "type", "x", "y")})
        + f' line_base_x="414" line="{1 + i % 20}" col="{i % 33}" line_base_y="700"/>\n'
        for i, s in enumerate(samples(rows))
    )
    return write(folder / "gaze-responses-U-1.xml", document("itrace-records", lines))


def make_json(folder: Path, rows: int) -> Path:
    path = folder / "gaze-responses-U-180205.json"
    numbers = ("left_validation", "right_validation")
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write('{\n  "environment": {"screen_size": {"width": 1920, "height": 1080}},\n')
        file.write('  "gazes": [')
        for i, sample in enumerate(samples(rows)):
            row = sample | {key: float(sample[key]) for key in numbers}
            row |= PAGE | {"soe": PART} if row["type"] == "browser" else text_part(i)
            if row["type"] == "java":
                row["sces"] = [ENTITY] if i % 2 else []
            file.write((",\n    " if i else "\n    ") + json.dumps(row, indent=1))
        file.write("\n  ]\n}\n")
    return path


def make_v0(folder: Path, rows: int) -> Path:
    """Version 0.0.x: names of its own, nanoseconds, no validity."""
    lines = (
        "<response "
        + attributes(
            {"object_name": s["name"], "type": s["type"], "x": s["x"], "y": s["y"]}
            | {"timestamp": s["timestamp"], "event_time": s["nano_time"]}
            | text_part(i)
        )
        + "/>\n"
        for i, s in enumerate(samples(rows))
    )
    head = SCREEN + '\n<application type="eclipse"/>'
    return write(folder / "pluginData.xml", document("plugin", lines, head))


MAKERS = {
    name: Maker(reader="itrace_legacy", kind="json" if "json" in name else "xml", make=make)
    for name, make in {
        "itrace_eclipse": make_eclipse,
        "itrace_fixations": make_fixations,
        "itrace_archive_xml": make_archive_xml,
        "itrace_archive_json": make_json,
        "itrace_v0": make_v0,
    }.items()
}
