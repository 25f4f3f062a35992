"""Gazepoint CSV: all_gaze with both kinds of point, a report of fixations, six columns, two eyes."""

from pathlib import Path

import numpy as np

from .maker import Maker

HEADER = (
    "MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/05/06 07:08:09.250),TIMETICK(f=10000000),FPOGX,FPOGY,FPOGS,"
    "FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,USER,LPCX,LPD,LPV,RPCX,RPD,RPV,BKID,BKDUR,"
    "LPMM,LPMMV,RPMM,RPMMV,AOI,\n"
)
PER_FIXATION = 20
STEP_S = 0.0164


def columns(rows: int) -> dict[str, np.ndarray]:
    """A fixation every 20 rows, its first two a saccade; a blink and one-eye stretches."""
    i = np.arange(rows)
    within, number = i % PER_FIXATION, i // PER_FIXATION
    time = np.round(i * STEP_S, 5)
    start = np.round((number * PER_FIXATION + 2) * STEP_S, 5)
    valid = within >= 2
    lost = (number % 5 == 3) & (within < 2)
    one_eye = (number % 5 == 4) & (within > 15)
    return {
        "media": i * 2 // max(rows, 1),
        "time": time,
        "number": number + valid,
        "start": np.where(valid, start, 0.0),
        "duration": np.where(valid, time - start, 0.3),
        "valid": valid,
        "x": 0.1 + (number % 9) / 10 + within / 1000,
        "y": 0.2 + (number // 9 % 7) / 10,
        "gaze_valid": ~lost,
        "right_valid": ~lost & ~one_eye,
        "blink_s": np.where((number % 5 == 3) & (within == 2), 2 * STEP_S, 0.0),
    }


def write(path: Path, head: str, line: str, rows: list[tuple]) -> Path:
    with path.open("w", newline="") as file:
        file.write(head)
        for at in range(0, len(rows), 10_000):
            file.write("".join([line % row for row in rows[at : at + 10_000]]))
    return path


LINE = (
    "%d,NewMedia%d,%d,%.5f,%d,%.5f,%.5f,%.5f,%.5f,%d,%d,%.5f,%.5f,%d,%s,0.33,13.5,%d,0.71,14.1,%d"
    ",0,%.5f,3.62,%d,3.66,%d,,\n"
)


def table(rows: int) -> list[tuple]:
    c = columns(rows)
    i = np.arange(rows)
    user = np.where((i > rows // 3) & (i < rows // 2), "EXP1", "")
    left, right = c["gaze_valid"].astype(int), c["right_valid"].astype(int)
    cells = (
        *(c["media"], c["media"], i, c["time"], 35_043_126 + i * 164_000, c["x"], c["y"]),
        *(c["start"], c["duration"], c["number"], c["valid"].astype(int), c["x"] + 0.01),
        *(c["y"] + 0.01, left, user, left, right, c["blink_s"], left, right),
    )
    return list(zip(*(cell.tolist() for cell in cells), strict=True))


def all_gaze(folder: Path, rows: int) -> Path:
    return write(folder / "User 7_all_gaze.csv", HEADER, LINE, table(rows))


def fixations(folder: Path, rows: int) -> Path:
    """The last row of each fixation alone."""
    last = table(rows * PER_FIXATION)[PER_FIXATION - 1 :: PER_FIXATION]
    return write(folder / "User 7_fixations.csv", HEADER, LINE, last)


def six_columns(folder: Path, rows: int) -> Path:
    """No numbers of fixations, no start in the header."""
    c = columns(rows)
    cells = (c["time"], 381_660 + np.arange(rows) * 35, c["x"], c["y"], c["duration"], c["valid"])
    return write(
        folder / "short_all_gaze.csv",
        "TIME,TIMETICK,FPOGX,FPOGY,FPOGD,FPOGV,\n",
        "%.5f,%d,%.5f,%.5f,%.5f,%d,\n",
        list(zip(*(cell.tolist() for cell in cells), strict=True)),
    )


def two_eyes(folder: Path, rows: int) -> Path:
    """Points of each eye; TIME starts anew with the second medium."""
    c = columns(rows)
    again = np.flatnonzero(np.diff(c["media"]))[:1]
    zero = c["time"][again[0] + 1] if len(again) else 0.0
    time = np.where(c["media"] > 0, c["time"] - zero, c["time"])
    x, y = c["x"], c["y"]
    flags = c["gaze_valid"].astype(int), c["right_valid"].astype(int)
    cells = (
        *(c["media"], c["media"], time, 1000 + np.arange(rows) * 164_000, x, y, c["valid"]),
        *(x - 0.01, y, flags[0], x + 0.01, y + 0.02, flags[1]),
    )
    return write(
        folder / "eyes_all_gaze.csv",
        "MEDIA_ID,MEDIA_NAME,TIME,TIMETICK(f=10000000),FPOGX,FPOGY,FPOGV,LPOGX,LPOGY,LPOGV,RPOGX,"
        "RPOGY,RPOGV,\n",
        "%d,page%d,%.5f,%d,%.5f,%.5f,%d,%.5f,%.5f,%d,%.5f,%.5f,%d,\n",
        list(zip(*(cell.tolist() for cell in cells), strict=True)),
    )


MAKERS = {
    "gazepoint": Maker(reader="gazepoint", kind="text", make=all_gaze),
    "gazepoint_fixations": Maker(reader="gazepoint", kind="text", make=fixations),
    "gazepoint_six": Maker(reader="gazepoint", kind="text", make=six_columns),
    "gazepoint_eyes": Maker(reader="gazepoint", kind="text", make=two_eyes),
}
