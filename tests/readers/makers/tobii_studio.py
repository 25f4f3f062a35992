"""Tobii Studio exports: 3.x, 1.x/2.x with decimal comma or quotes, and the V2 files with preamble."""

from pathlib import Path

import numpy as np

from .maker import Maker
from .tobii_prolab import gaze_of, line

STUDIO_3 = [
    *("ExportDate", "StudioVersionRec", "StudioProjectName", "ParticipantName", "RecordingName"),
    *("RecordingDate", "RecordingDuration", "RecordingResolution", "FixationFilter", "MediaName"),
    *("MediaPosX (ADCSpx)", "MediaPosY (ADCSpx)", "MediaWidth", "MediaHeight"),
    *("RecordingTimestamp", "LocalTimeStamp", "EyeTrackerTimestamp", "MouseEventIndex"),
    *("MouseEvent", "MouseEventX (ADCSpx)", "MouseEventY (ADCSpx)", "KeyPressEventIndex"),
    *("KeyPressEvent", "StudioEventIndex", "StudioEvent", "StudioEventData", "ExternalEvent"),
    *("FixationIndex", "SaccadeIndex", "GazeEventType", "GazeEventDuration"),
    *("FixationPointX (MCSpx)", "FixationPointY (MCSpx)", "GazePointIndex"),
    *("GazePointLeftX (ADCSpx)", "GazePointLeftY (ADCSpx)", "GazePointRightX (ADCSpx)"),
    *("GazePointRightY (ADCSpx)", "GazePointX (ADCSpx)", "GazePointY (ADCSpx)"),
    *("GazePointX (MCSpx)", "GazePointY (MCSpx)", "GazePointLeftX (ADCSmm)"),
    *("GazePointLeftY (ADCSmm)", "EyePosLeftZ (ADCSmm)", "DistanceLeft", "PupilLeft"),
    *("PupilRight", "ValidityLeft", "ValidityRight", ""),
]
STUDIO_2 = [
    *("Timestamp", "DateTimeStamp", "DateTimeStampStartOffset", "Number", "GazePointXLeft"),
    *("GazePointYLeft", "CamXLeft", "CamYLeft", "DistanceLeft", "PupilLeft", "ValidityLeft"),
    *("GazePointXRight", "GazePointYRight", "CamXRight", "CamYRight", "DistanceRight"),
    *("PupilRight", "ValidityRight", "FixationIndex", "GazePointX", "GazePointY", "Event"),
    *("EventKey", "Data1", "Data2", "Descriptor", "StimuliName", "StimuliID", "MediaWidth"),
    *("MediaHeight", "MediaPosX", "MediaPosY", "MappedFixationPointX", "MappedFixationPointY"),
    *("FixationDuration", "AoiIds", "AoiNames", "WebGroupImage", "MappedGazeDataPointX"),
    *("MappedGazeDataPointY", "MicroSecondTimestamp", "AbsoluteMicroSecondTimestamp"),
]
PREAMBLE = (
    "System Properties:\nOperating System:\t Made up\n\nData properties:\n\n"
    "Recording name:\t Rec 9\nRecording date:\t 01/02/2003\nRecording resolution:\t 1280 x 1024\n\n"
    "Participant:\t P9\nParticipant properties:\n\nGlasses:\t none\n322:\t Not Taken\n\n"
    "Filter settings:\n\nFixation filter: Made filter\nFixation radius: 35\n\n"
)
STEP_US = 8333


def make_studio_3(folder: Path, rows: int) -> Path:
    """BOM, CRLF, an unnamed last column, empty cells for lost, events between the samples."""
    path = folder / "made_studio3.tsv"
    who = dict(zip(STUDIO_3[3:5], ("P1", "Rec 01"), strict=True))
    who |= {"RecordingResolution": "1920 x 1080", "FixationFilter": "I-VT filter"}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("\t".join(STUDIO_3) + "\r\n")
        for i, (x, y, lost, kind, number) in enumerate(zip(*gaze_of(rows), strict=True)):
            t_us = 5100 + i * STEP_US
            media = {"MediaName": "Vehicle.png", STUDIO_3[10]: 30, STUDIO_3[11]: 77}
            media = media | {"MediaWidth": 1864, "MediaHeight": 937} if i > rows // 4 else {}
            head = {"RecordingTimestamp": round(t_us / 1000), **who, **media}
            if i % 5000 == 9:
                event = {"StudioEvent": "URLStart", "StudioEventData": "made.html", **head}
                file.write(line(STUDIO_3, event, "\r\n"))
                press = {"KeyPressEvent": "Space", **head, "RecordingTimestamp": t_us // 1000 + 3}
                file.write(line(STUDIO_3, press, "\r\n"))
            cells = {"EyeTrackerTimestamp": t_us + 123_000_000, "GazePointIndex": i + 1, **head}
            cells |= {"ValidityLeft": 4 if lost else 0, "ValidityRight": 4 if lost else 0}
            cells |= {"GazeEventType": "Unclassified" if lost else kind, "GazeEventDuration": 200}
            if not lost:
                cells["FixationIndex" if kind == "Fixation" else "SaccadeIndex"] = number
                gaze = [round(v) for v in (x - 8, y, x + 8, y, x, y)]
                cells |= zip(STUDIO_3[34:40], gaze, strict=True)
                cells |= zip(STUDIO_3[42:45], (0.27 * (x - 8), -0.27 * y, 610.5), strict=True)
                cells |= {"PupilLeft": 3.21, "PupilRight": "-1.00"}
            if media and not lost:
                cells |= zip(STUDIO_3[40:42], (round(x) - 30, round(y) - 77), strict=True)
                if kind == "Fixation":
                    cells |= zip(STUDIO_3[31:33], (round(x) - 30, round(y) - 77), strict=True)
            file.write(line(STUDIO_3, cells, "\r\n"))
    return path


def _studio_2_rows(rows: int):
    """Cells of All-Data: samples at 50 Hz, events without gaze, minus the screen where lost."""
    start = {"Timestamp": 18, "Event": "ImageStart", "EventKey": 8, "Data1": 0, "Data2": 0}
    yield start | {"Descriptor": "Vehicle.jpg"}
    for i, (x, y, lost, kind, number) in enumerate(zip(*gaze_of(rows), strict=True)):
        t_us = 20_137 + i * 19_990
        shown = i > rows // 5
        at = (40, 0) if shown else (0, 0)
        cells = {"Timestamp": round(t_us / 1000), "Number": i, "MicroSecondTimestamp": t_us}
        cells |= {"DateTimeStamp": "15:00:14.438", "StimuliID": 0, "AoiNames": "Content"}
        cells |= {"StimuliName": "Vehicle.jpg" if shown else "No media"}
        cells |= {"MediaWidth": 1200 if shown else 1280, "MediaHeight": 1024}
        cells |= {"MediaPosX": at[0], "MediaPosY": at[1]}
        if lost:
            cells |= {"GazePointXLeft": -1280, "GazePointYLeft": -1024, "PupilLeft": -1}
            cells |= {"GazePointXRight": -1280, "GazePointYRight": -1024, "PupilRight": -1}
            cells |= {"ValidityLeft": 4, "ValidityRight": 4, "GazePointX": 0, "GazePointY": 0}
            cells |= {"MappedGazeDataPointX": -at[0], "MappedGazeDataPointY": -at[1]}
        else:
            cells |= {"GazePointXLeft": f"{x - 8:.4f}", "GazePointYLeft": f"{y + 2:.4f}"}
            cells |= {"GazePointXRight": f"{x + 8:.4f}", "GazePointYRight": f"{y - 2:.4f}"}
            cells |= {"PupilLeft": "3.712476", "PupilRight": "3.785286"}
            cells |= {"ValidityLeft": 0, "ValidityRight": 0}
            cells |= {"GazePointX": round(x), "GazePointY": round(y)}
            cells |= {"MappedGazeDataPointX": round(x) - at[0], "MappedGazeDataPointY": round(y)}
        if kind == "Fixation":
            cells |= {"FixationIndex": number - 1, "FixationDuration": 480}
            cells |= {"MappedFixationPointX": round(x) - at[0], "MappedFixationPointY": round(y)}
        yield cells
        if i % 4000 == 11:
            click = {"Event": "LeftMouseClick", "EventKey": 1, "Data1": 776, "Data2": 750}
            yield click | {"Timestamp": round(t_us / 1000) + 3}


def make_studio_2(folder: Path, rows: int) -> Path:
    """Decimal comma, trailing TAB, CRLF, no preamble."""
    path = folder / "made_Rec_01.tsv"
    names = [*STUDIO_2, ""]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("\t".join(names) + "\r\n")
        for cells in _studio_2_rows(rows):
            file.write(line(names, cells, "\r\n").replace(".", ",").replace("e,jpg", "e.jpg"))
    return path


def make_quoted(folder: Path, rows: int) -> Path:
    """Named .csv, separated by TABs, texts in quotes, decimal comma."""
    path = folder / "made_J07.csv"
    texts = ("DateTimeStamp", "StimuliName", "AoiNames")
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(f'"{name}"' for name in STUDIO_2) + "\n")
        for cells in _studio_2_rows(rows):
            quoted = {k: f'"{v}"' if k in texts else v for k, v in cells.items()}
            file.write(line(STUDIO_2, quoted, "\n").replace(".", ",").replace("e,jpg", "e.jpg"))
    return path


def make_all_data(folder: Path, rows: int) -> Path:
    """All-Data with its preamble."""
    path = folder / "P9-All-Data.tsv"
    names = [*STUDIO_2, ""]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(PREAMBLE + "\t".join(names) + "\n")
        file.writelines(line(names, cells, "\n") for cells in _studio_2_rows(rows))
    return path


def make_fixations(folder: Path, rows: int) -> Path:
    """Fixation-Data, and the Event-Data beside it."""
    path = folder / "P8-Fixation-Data.tsv"
    names = "FixationIndex\tTimestamp\tFixationDuration\tMappedFixationPointX\tMappedFixationPointY"
    preamble = "Data properties:\n\nSubject: P8\nRecording: Rec 8\nScreen resolution: 1280 x 1024\n"
    preamble += "Coordinate unit: Pixels\n\nFilter settings:\n\nFixation filter: Made filter\n\n"
    i = np.arange(rows)
    x = np.where(i % 50 == 7, -1, 100 + (i * 37) % 900)
    y = np.where(i % 100 == 7, -1, 90 + (i * 53) % 800)
    table = np.stack([i + 12, 26 + i * 320, 180 + i % 90, x, y], axis=1)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(preamble + names + "\t\n")
        file.writelines(f"{a}\t{b}\t{c}\t{d}\t{e}\t\n" for a, b, c, d, e in table.tolist())
    events = folder / "P8-Event-Data.tsv"
    head = (
        PREAMBLE.replace("Rec 9", "Rec 8")
        + "Timestamp\tEvent\tEventKey\tData1\tData2\tDescriptor\t\n"
    )
    end = 26 + rows * 320
    events.write_text(
        f"{head}0\tScreenRecStarted\t8192\t0\t0\t\t\n20\tImageStart\t8\t0\t0\tVehicle.jpg\t\n"
        f"21\tLogData\t0\tmade up\t\t\t\n{end}\tImageEnd\t16\t0\t0\tVehicle.jpg\t\n",
        encoding="utf-8",
    )
    return path


def make_events(folder: Path, rows: int) -> Path:
    """Event-Data, which opens the fixations beside it."""
    make_fixations(folder, rows)
    return folder / "P8-Event-Data.tsv"


MAKERS = {
    "tobii_studio 3": Maker(reader="tobii_studio", kind="text", make=make_studio_3),
    "tobii_studio 2": Maker(reader="tobii_studio", kind="text", make=make_studio_2),
    "tobii_studio quoted": Maker(reader="tobii_studio", kind="text", make=make_quoted),
    "tobii_studio all": Maker(reader="tobii_studio", kind="text", make=make_all_data),
    "tobii_studio fixations": Maker(reader="tobii_studio", kind="text", make=make_fixations),
    "tobii_studio events": Maker(reader="tobii_studio", kind="text", make=make_events),
}
