"""Neon native streams: rows and stamps in files of their own, in two parts, fixations mixed."""

import json
from pathlib import Path

import numpy as np

from .maker import Maker

ORIGIN_NS = 1_760_676_790_465_965_534
STEP_NS = 5_000_000
FIXATION = np.dtype(
    [
        ("kind", "<i4"),
        ("start", "<i8"),
        ("end", "<i8"),
        ("place", "<f4", (6,)),
        ("other", "<f4", (4,)),
    ]
)
BLINK = np.dtype([("kind", "<i4"), ("start", "<i8"), ("end", "<i8")])


def stamps(rows: int) -> np.ndarray:
    return ORIGIN_NS + np.arange(rows, dtype=np.int64) * STEP_NS


def write(folder: Path, name: str, rows: np.ndarray, ns: np.ndarray) -> None:
    (folder / f"{name}.raw").write_bytes(rows.tobytes())
    (folder / f"{name}.time").write_bytes(ns.astype("<u8").tobytes())


def make(folder: Path, rows: int) -> Path:
    t = stamps(rows)
    xy = np.stack([800 + np.arange(rows) % 311, 600 + np.arange(rows) % 97], axis=1) + 0.125
    half = rows - rows // 3
    write(folder, "gaze ps1", xy[:half].astype("<f4"), t[:half])
    write(folder, "gaze ps2", xy[half:].astype("<f4"), t[half:])
    worn = np.where(np.arange(rows) % 50 == 49, 0, 255).astype(np.uint8)
    (folder / "worn ps1.raw").write_bytes(worn[:half].tobytes())
    (folder / "worn ps2.raw").write_bytes(worn[half:].tobytes())
    events = np.zeros(max(rows // 10, 2), dtype=FIXATION)
    events["kind"] = 1 - np.arange(len(events)) % 2
    events["start"] = ORIGIN_NS + np.arange(len(events)) * 10 * STEP_NS
    events["end"] = events["start"] + 10 * STEP_NS
    events["place"] = np.arange(len(events))[:, None] + np.arange(6) * 100
    write(folder, "fixations ps1", events, events["start"])
    blinks = np.array([(4, ORIGIN_NS + STEP_NS, ORIGIN_NS + 40 * STEP_NS)], dtype=BLINK)
    write(folder, "blinks ps1", blinks, blinks["start"])
    (folder / "event.txt").write_text("recording.begin\npage 1\n")
    begin = np.array([ORIGIN_NS - 2 * 10**9, ORIGIN_NS + STEP_NS], dtype="<u8")
    (folder / "event.time").write_bytes(begin.tobytes())
    info = {
        "recording_id": "made",
        "android_device_id": "made",
        "data_format_version": "2.5",
        "wearer_id": "made1",
        "gaze_offset": [27.25, 6.5],
        "gaze_frequency": 200,
        "gaze_mode": "binocular",
        "start_time": ORIGIN_NS - 2 * 10**9,
    }
    (folder / "info.json").write_text(json.dumps(info))
    return folder / "gaze ps1.raw"


MAKERS = {"neon_native": Maker(reader="neon_native", kind="binary", make=make)}
