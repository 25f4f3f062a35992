"""Tobii Pro Lab exports: a screen with square-bracket units, an older one, and glasses."""

from pathlib import Path

import numpy as np

from .maker import Maker

WHO = ["Participant name", "Recording name"]
SCREEN = [
    *("Recording timestamp [ms]", "Eyetracker timestamp [μs]", "Sensor", *WHO),
    *("Recording resolution height", "Recording resolution width"),
    *("Average validation accuracy [degrees]", "Average validation precision SD [degrees]"),
    *("Event", "Event value", "Gaze point X [DACS px]", "Gaze point Y [DACS px]"),
    *("Gaze point left X [DACS px]", "Gaze point left Y [DACS px]"),
    *("Gaze point right X [DACS px]", "Gaze point right Y [DACS px]"),
    *("Gaze point left X [DACS mm]", "Gaze point left Y [DACS mm]"),
    *("Eye position left Z [DACS mm]", "Pupil diameter left [mm]", "Pupil diameter right [mm]"),
    *("Validity left", "Validity right", "Presented Stimulus name", "Eye movement type"),
    *("Gaze event duration [ms]", "Eye movement type index", "Fixation point X [DACS px]"),
    *("Fixation point Y [DACS px]", "AOI hit [Vehicle.png - main]", "Mouse position X [DACS px]"),
]
OLDER = [
    *("Recording timestamp", "Sensor", *WHO, "Event", "Event value", "Gaze point X"),
    *("Gaze point Y", "Gaze point left X", "Gaze point left Y", "Gaze point right X"),
    *("Gaze point right Y", "Pupil diameter left", "Pupil diameter right", "Validity left"),
    *("Validity right", "Gaze point X (MCSnorm)", "Gaze point Y (MCSnorm)"),
    *("Presented Media name", "Recording resolution height", "Recording resolution width"),
    *("Eye movement type", "Eye movement type index", "Fixation point X", "Fixation point Y"),
]
GLASSES = [
    *("Recording timestamp [μs]", "Sensor", *WHO, "Event", "Gaze point X [MCS px]"),
    *("Gaze point Y [MCS px]", "Gaze point 3D X [HUCS mm]", "Pupil diameter left [mm]"),
    *("Pupil diameter right [mm]", "Recording media width", "Recording media height"),
    *("Eye movement type", "Eye movement type index", "Fixation point X [MCS px]"),
    *("Fixation point Y [MCS px]", "Mapped gaze X [page]", "Mapped gaze Y [page]"),
    *("Mapped eye movement type [page]", "Mapped eye movement type index [page]"),
    *("Mapped fixation X [page]", "Mapped fixation Y [page]", "AOI hit [page - loop]"),
]
STIMULI = ("Eyetracker Calibration", "Vehicle.png", "", "Rectangle.png")
STEP_US = 8333


def gaze_of(rows: int):
    """Places of fixations of 24 samples and saccades of 3; what is lost; what each sample is."""
    i = np.arange(rows)
    number, within = i // 27 + 1, i % 27
    x = 300 + (number * 137) % 900 + (within > 23) * (within - 23) * 30.0
    y = 200 + (number * 91) % 500 + 0.25 * (i % 3)
    lost = (i % 113 > 105) & (i > 20)
    kind = np.where(lost, "EyesNotFound", np.where(within > 23, "Saccade", "Fixation"))
    return x.tolist(), y.tolist(), lost.tolist(), kind.tolist(), number.tolist()


def stimulus_of(i: int, rows: int) -> str:
    return STIMULI[min(4 * i // max(rows, 1), 3)]


def line(names: list[str], cells: dict[str, object], end: str) -> str:
    return "\t".join([str(cells.get(name, "")) for name in names]) + end


def make_screen(folder: Path, rows: int) -> Path:
    """Stamps of whole ms beside the tracker's µs, stale gaze while lost, mouse rows between."""
    path = folder / "made Data Export.tsv"
    who = dict(zip(SCREEN[3:9], ("P1", "Recording7", 1080, 1920, 0.41, 0.22), strict=True))
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(SCREEN) + "\r\n")
        shown = ""
        for i, (x, y, lost, kind, number) in enumerate(zip(*gaze_of(rows), strict=True)):
            stimulus, t_us = stimulus_of(i, rows), 2_000_123 + i * STEP_US
            if stimulus != shown:
                word = "ImageStimulusStart" if stimulus else "ImageStimulusEnd"
                cells = {SCREEN[0]: round(t_us / 1000) - 1, "Event": word, **who}
                file.write(line(SCREEN, {**cells, "Event value": stimulus or shown}, "\r\n"))
                shown = stimulus
            stamp = {SCREEN[0]: round(t_us / 1000), **who}
            if i % 10 == 9:
                file.write(line(SCREEN, {**stamp, "Sensor": "Mouse", SCREEN[-1]: 512}, "\r\n"))
            gaze = [x, y, x - 8, y + 3, x + 8, y - 3]
            gaze += [(x - 8) * 0.265, (1080 - y - 3) * 0.265, 643.1, 3.12, 3.31]
            if lost:
                # What was seen last stands there still: only the validity says that it is stale.
                gaze = ["", "", 400, 300, 400, 300, "", "", "", "", ""]
            cells = {SCREEN[1]: t_us + 7_000_000, "Sensor": "Eye Tracker", **stamp}
            cells |= zip(SCREEN[11:22], gaze, strict=True)
            word = "Invalid" if lost else "Valid"
            cells |= {"Validity left": word, "Validity right": word}
            cells |= {"Presented Stimulus name": stimulus, "Eye movement type": kind}
            cells |= {SCREEN[26]: 200, SCREEN[27]: number, SCREEN[30]: int(not lost)}
            if kind == "Fixation":
                cells |= {SCREEN[28]: round(x), SCREEN[29]: round(y)}
            file.write(line(SCREEN, cells, "\r\n"))
    return path


def make_older(folder: Path, rows: int) -> Path:
    """Stamps without a unit (µs), decimal comma, UTF-16, one eye lost at times."""
    path = folder / "made older.tsv"
    who = {"Participant name": "P2", "Recording name": "Rec 2"}
    with path.open("w", encoding="utf-16", newline="") as file:
        file.write("\t".join(OLDER) + "\r\n")
        for i, (x, y, lost, kind, number) in enumerate(zip(*gaze_of(rows), strict=True)):
            t = 55 + i * STEP_US
            if i == rows // 3:
                event = {"Event": "Keyboard", "Event value": "Space", OLDER[0]: t - 9}
                file.write(line(OLDER, event | who, "\r\n"))
            cells = {OLDER[0]: t, "Sensor": "Eye Tracker", **who}
            gaze = [round(v) for v in (x, y, x - 8, y, x + 8, y)]
            gaze += ["3,12", "3,31", "Valid", "Valid", "0,4213", "0,5102"]
            if lost:
                gaze[2:4], gaze[6], gaze[8] = ["", ""], "", "Invalid"
            cells |= zip(OLDER[6:18], gaze, strict=True)
            cells |= zip(
                OLDER[18:23], (stimulus_of(i, rows), 1080, 1920, kind, number), strict=True
            )
            if kind == "Fixation":
                cells |= {OLDER[23]: round(x), OLDER[24]: round(y)}
            file.write(line(OLDER, cells, "\r\n"))
    return path


def make_glasses(folder: Path, rows: int) -> Path:
    """Three sensors in one file, the first row one cell short, gaze mapped onto a snapshot."""
    path = folder / "made glasses.tsv"
    who = {"Participant name": "P3", "Recording name": "Recording3"}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(GLASSES) + "\n")
        short = line(GLASSES, {GLASSES[0]: 5000, "Sensor": "Gyroscope", GLASSES[13]: 1}, "\n")
        file.write(short.replace("Gyroscope\t\t", "Gyroscope\t", 1))
        for i, (x, y, lost, kind, number) in enumerate(zip(*gaze_of(rows), strict=True)):
            t = 6000 + i * 20_000
            event = {**who, GLASSES[10]: 1920, GLASSES[11]: 1080, GLASSES[12]: kind}
            event |= {GLASSES[13]: number, GLASSES[18]: kind, GLASSES[19]: number}
            event |= {GLASSES[22]: int(kind == "Fixation")}
            if kind == "Fixation":
                event |= {GLASSES[14]: round(x), GLASSES[15]: round(y)}
                event |= {GLASSES[20]: round(x / 2), GLASSES[21]: round(y / 2)}
            if i in (rows // 4, 3 * rows // 4):
                edge = "Start" if i == rows // 4 else "End"
                cells = {GLASSES[0]: t - 100, "Event": f"page Interval{edge}"}
                file.write(line(GLASSES, cells | who, "\n"))
            cells = {GLASSES[0]: t, "Sensor": "Eye Tracker", **event}
            if not lost:
                cells |= zip(GLASSES[5:10], (x, y, 12.5, 2.91, 2.95), strict=True)
                cells |= {GLASSES[16]: x / 2, GLASSES[17]: y / 2}
            file.write(line(GLASSES, cells, "\n"))
            for sensor in ("Gyroscope", "Accelerometer"):
                cells = {**event, GLASSES[0]: t + 8171, "Sensor": sensor}
                file.write(line(GLASSES, cells, "\n"))
    return path


MAKERS = {
    "tobii_prolab": Maker(reader="tobii_prolab", kind="text", make=make_screen),
    "tobii_prolab older": Maker(reader="tobii_prolab", kind="text", make=make_older),
    "tobii_prolab glasses": Maker(reader="tobii_prolab", kind="text", make=make_glasses),
}
