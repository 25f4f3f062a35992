"""ioHub HDF5: sessions whose time starts again, on displays of two sizes, lost gaze converted."""

from pathlib import Path

import h5py
import numpy as np

from .maker import Maker

BASE = [
    ("experiment_id", "<u4"),
    ("session_id", "<u4"),
    ("event_id", "<u4"),
    ("type", "u1"),
    ("device_time", "<f4"),
    ("logged_time", "<f4"),
    ("time", "<f8"),
]
EYE = [("gaze_x", "<f4"), ("gaze_y", "<f4"), ("raw_x", "<f4"), ("pupil_measure1", "<f4")]
BINOCULAR = [*BASE, *((f"{e}_{n}", k) for e in ("left", "right") for n, k in EYE), ("status", "u1")]
MONOCULAR = [*BASE, ("eye", "u1"), *EYE, ("status", "u1")]
ENDS = [
    *BASE,
    ("eye", "u1"),
    ("duration", "<f4"),
    *((f"{p}_gaze_{a}", "<f4") for p in ("start", "end", "average") for a in "xy"),
]
MESSAGES = [*BASE, ("text", "S128")]
SIZES = {1: (1920, 1080), 2: (1280, 1024)}
START_S = {1: 95.5, 2: 12.25}


def write(path: Path, tables: dict[str, np.ndarray], **options) -> Path:
    """A file of ioHub's groups; `tables` by name under ``data_collection/events``."""
    with h5py.File(path, "w") as file:
        file.attrs["TITLE"] = np.bytes_("ioHub Experiment Data File")
        events = file.create_group("data_collection/events")
        for name, rows in tables.items():
            chunk = max(65_536 // rows.dtype.itemsize, 1)
            events.create_dataset(name, data=rows, maxshape=(None,), chunks=(chunk,), **options)
        people = np.array([(1, b"P01"), (2, b"P02")], [("session_id", "<u4"), ("code", "S24")])
        file["data_collection"].create_dataset("session_meta_data", data=people)
    return path


def messages(sizes: dict[int, tuple[int, int]], units: str = "pix") -> np.ndarray:
    rows = np.zeros(2 * len(sizes), MESSAGES)
    for i, (session, (w, h)) in enumerate(sizes.items()):
        at = rows[2 * i : 2 * i + 2]
        at["session_id"] = session
        at["time"] = [START_S[session] - 3.0, START_S[session] + 0.1]
        text = f"Stimulus Screen ID: 0, Size (pixels): [{w}, {h}], CoordType: {units}"
        at["text"] = [text.encode(), b"TRIAL_START page 1"]
    return rows


def binocular(rows: int) -> np.ndarray:
    """Half of the rows each session; lost as (-w/2, +h/2), by status, and by -1."""
    table = np.zeros(rows, BINOCULAR)
    half = rows // 2
    for session, part in ((1, slice(0, half)), (2, slice(half, rows))):
        at = table[part]
        i = np.arange(len(at))
        at["session_id"] = session
        at["time"] = START_S[session] + i / 60
        for eye, shift in (("left", 0), ("right", 6)):
            at[f"{eye}_gaze_x"] = -400 + i * 3 % 800 + shift
            at[f"{eye}_gaze_y"] = 200 - i // 40 % 10 * 28
            at[f"{eye}_pupil_measure1"] = 3.5
        w, h = SIZES[session]
        if session == 1:
            for name, value in (("gaze_x", -w / 2), ("gaze_y", h / 2), ("pupil_measure1", 0)):
                for eye in ("left", "right"):
                    at[f"{eye}_{name}"][i % 20 == 3] = value
        else:
            at["status"] = np.select([i % 20 == 3, i % 20 == 4, i % 20 == 5], [44, 40, 31], 0)
            for eye in ("left", "right"):
                for name in ("gaze_x", "gaze_y", "pupil_measure1"):
                    at[f"{eye}_{name}"][at["status"] == 44] = -1
        table[part] = at
    return table


def fixation_ends(rows: int) -> np.ndarray:
    """One fixation each 40 samples of session 1, and an end without stamps before each."""
    count = max(rows // 80, 1)
    table = np.zeros(2 * count, ENDS)
    table["session_id"], table["eye"] = 1, 22
    table["time"][::2] = -103_989.11
    table["time"][1::2] = START_S[1] + 0.6 + np.arange(count) * 40 / 60
    table["duration"][1::2] = 0.25
    table["average_gaze_x"], table["average_gaze_y"] = -2.5, 45.5
    return table


def make(folder: Path, rows: int) -> Path:
    """Rows of session 1 on a 1920 x 1080 and session 2 on a 1280 x 1024 display."""
    return write(
        folder / "events.hdf5",
        {
            "eyetracker/BinocularEyeSampleEvent": binocular(rows),
            "eyetracker/MonocularEyeSampleEvent": np.zeros(0, MONOCULAR),
            "eyetracker/FixationEndEvent": fixation_ends(rows),
            "experiment/MessageEvent": messages(SIZES),
        },
    )


def make_packed(folder: Path, rows: int) -> Path:
    """One eye, one session, packed chunks, positions in fractions of the window's height."""
    table = np.zeros(rows, MONOCULAR)
    i = np.arange(rows)
    table["session_id"], table["eye"] = 1, 21
    table["time"] = START_S[1] + i / 60
    table["gaze_x"], table["gaze_y"] = -0.4 + i % 80 / 100, 0.3 - i // 40 % 10 / 50
    table["pupil_measure1"] = 3.5
    table["status"] = np.where(i % 20 == 3, 2, 0)
    return write(
        folder / "mono.hdf5",
        {
            "eyetracker/MonocularEyeSampleEvent": table,
            "experiment/MessageEvent": messages({1: SIZES[1]}, "height"),
        },
        compression="gzip",
        shuffle=True,
    )


MAKERS = {
    "psychopy_iohub": Maker(reader="psychopy_iohub", kind="binary", make=make),
    "psychopy_iohub_packed": Maker(reader="psychopy_iohub", kind="binary", make=make_packed),
}
