"""BeGaze events: L and R near copies, rows of all kinds mixed, commas in free text."""

from pathlib import Path

from .maker import Maker

HEADER = """[BeGaze]
Converted from:\tmade1.idf
Version:\tBeGaze 3.5.90
Sample Rate:\t120
Subject:\tmade1
Description:\tRun1
Stimulus:\tmade1-scrrec.avi

Table Header for Fixations:
Event Type,Trial,Number,Start,End,Duration,Location X,Location Y,Dispersion X,Dispersion Y,\
AOI hit,Image,Plane,Avg. Pupil Size X,Avg. Pupil Size Y

Table Header for Saccades:
Event Type,Trial,Number,Start,End,Duration,Start Loc.X,Start Loc.Y,End Loc.X,End Loc.Y,\
Amplitude,Peak Speed,Peak Speed At,Average Speed,Peak Accel.,Peak Decel.,Average Accel.

Table Header for Blinks:
Event Type,Trial,Number,Start,End,Duration

Table Header for User Events:
Event Type,Trial,Number,Start,Description

"""


def make(folder: Path, rows: int, *, separator: str = ",", decimal: str = ".") -> Path:
    """About `rows` rows, five a step: saccade and fixation of each eye, and a blink or a message.

    `separator` and `decimal` as older versions and other machines write them.
    """
    path = folder / "made1_Events.txt"
    header = HEADER.replace(",", separator)
    with path.open("w", newline="") as file:
        file.write(header)
        for i in range(max(rows // 5, 1)):
            t = 167_531_284_088 + 300_000 * i
            x, y = 300 + i * 11 % 1200 + 0.25, 150 + i // 110 % 25 * 28.79
            lines = []
            for letter, shift in (("L", 0.0), ("R", 0.5)):
                moved = f"{x:.2f},{y:.2f},{x + 11:.2f},{y:.2f},3.70,149.36,0.91,40.35,1.0,-1.0,1.0"
                lines.append(f"Saccade {letter},1,{i + 1},{t},{t + 40_000},40000,{moved}")
                at = f"{x + shift:.2f},{y:.2f},47,48,-,-,-1,16.42,16.42"
                lines.append(f"Fixation {letter},1,{i + 1},{t + 40_000},{t + 240_000},200000,{at}")
            if i % 9 == 0:
                lines.append(f"UserEvent,1,{i // 9 + 1},{t},# Message: key Space, held; twice")
            else:
                lines.append(f"Blink L,1,{i + 1},{t + 240_000},{t + 300_000},60000")
            text = "\n".join(line.replace(",", separator) for line in lines) + "\n"
            file.write(text.replace(".", decimal) if decimal != "." else text)
    return path


def make_tab(folder: Path, rows: int) -> Path:
    return make(folder, rows, separator="\t", decimal=",")


MAKERS = {
    "smi_begaze": Maker(reader="smi_begaze", kind="text", make=make),
    "smi_begaze_tab": Maker(reader="smi_begaze", kind="text", make=make_tab),
}
