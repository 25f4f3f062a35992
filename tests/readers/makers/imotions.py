"""iMotions: gaze rows between rows of other sensors, which repeat the last gaze or leave it out."""

from pathlib import Path

from .maker import Maker

NAMES = [
    "StudyName",
    "ExportDate",
    "Name",
    "Age",
    "Gender",
    "StimuliBlock",
    "StimulusName",
    "SlideType",
    "EventSource",
    "UTCTimestamp",
    "Timestamp",
    "MediaTime",
    "TimeSignal",
    "GazeLeftx",
    "GazeLefty",
    "GazeRightx",
    "GazeRighty",
    "PupilLeft",
    "PupilRight",
    "ValidityLeft",
    "ValidityRight",
    "GazeX",
    "GazeY",
    "GazeEventType",
    "LiveMarker",
]
SOURCES = (
    "ET",
    "EmotivEEG",
    "Shimmer Sensor",
    "ET|Shimmer Sensor",
    "Emotient FACET",
    "ET|EmotivEEG",
)


def text(folder: Path, rows: int) -> Path:
    """The export of all sensors; about half of its `rows` rows are gaze."""
    path = folder / "made1.txt"
    others = [f"Sensor {i}" for i in range(40)]
    tail = "\t" * len(others)
    gaze = "\t" * 12
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write("\t".join([*NAMES, *others]) + "\r\n")
        for i in range(rows):
            source = SOURCES[i % 6]
            slide = "BlackInterslide" if i < rows // 10 else "TestImage"
            signal = ""
            if "ET" in source.split("|") or i:
                t = 688_767 + 50 * (i // 6) + (0, 0, 0, 17, 17, 33)[i % 6]
                signal, n = str(t), t // 16
                left = f"{300 + n % 900}\t{200 + n % 500}"
                right = f"{306 + n % 900}\t{195 + n % 500}"
                pupils, codes = "3.7\t3.6", "0\t0"
                if n % 20 == 3:
                    left, pupils, codes = "-1\t-1", "-1\t3.6", "4\t0"
                gaze = f"{left}\t{right}\t{pupils}\t{codes}\t\t\t"
            marker = "key pressed, once" if rows // 2 <= i < rows // 2 + 4 else ""
            clock = (
                f"20200101_{i // 360_000:02d}{i // 6000 % 60:02d}{i // 100 % 60:02d}{i % 100:02d}0"
            )
            head = f"Study\t20200101\tmade1\t30\tFEMALE\tBlock\tpage {5 * i // rows}\t{slide}\t{source}"
            stamps = f"{clock}\t{clock}\t\t{signal}"
            file.write(f"{head}\t{stamps}\t{gaze}\t{marker}{tail}\r\n")
    return path


CSV_NAMES = (
    "Row,Timestamp,EventSource,SlideEvent,StimType,Duration,CollectionPhase,SourceStimuliName,"
    "EventSource,SampleNumber,ET_GazeLeftx,ET_GazeLefty,ET_GazeRightx,ET_GazeRighty,ET_PupilLeft,"
    "ET_PupilRight,ET_TimeSignal,ET_ValidityLeft,ET_ValidityRight,Fixation Start,Fixation End,"
    "Fixation X,Fixation Y"
)


def comma(folder: Path, rows: int) -> Path:
    """The CSV of newer versions, with preamble, commas in a stimulus' name, and fixations."""
    path = folder / "001_made1.csv"
    pad = "," * (CSV_NAMES.count(",") - 1)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        file.write(f"#INFO,{pad}\r\n#Respondent Name,made1{pad[1:]}\r\n#METADATA,{pad}\r\n")
        file.write(f"#DATA,{pad}\r\n{CSV_NAMES}\r\n")
        for i in range(rows):
            t = 1000 + i * 16.667
            slide = "StartMedia" if i in (0, rows // 2) else ""
            page = '"one, first"' if i < rows // 2 else "two"
            head = f"{i + 1},{t:.4f},1,{slide},TestImage,,,{page}"
            if i % 4 == 2:
                file.write(f"{head}{',' * 15}\r\n")
                continue
            left = "-1,-1" if i % 20 == 5 else f"{300 + i % 900},{200 + i % 500}"
            eyes = f"{left},{306 + i % 900},{195 + i % 500},3.7,3.6,{t:.1f},0,0"
            start = 1000 + (i // 15) * 15 * 16.667
            fixation = (
                f"{start:.2f},{start + 200:.2f},{300 + i // 15 % 900},210" if i % 15 < 12 else ",,,"
            )
            file.write(f"{head},2,{i},{eyes},{fixation}\r\n")
    return path


MAKERS = {
    "imotions": Maker(reader="imotions", kind="text", make=text),
    "imotions_csv": Maker(reader="imotions", kind="text", make=comma),
}
