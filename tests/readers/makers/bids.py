"""BIDS eye tracking: one eye in s with events; two eyes in ms, sidecar at the root; a draft."""

import gzip
import io
import json
from pathlib import Path

import numpy as np

from .maker import Maker

COLUMNS = ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
SCREEN = {
    "StimulusPresentation": {
        "ScreenDistance": 0.65,
        "ScreenOrigin": ["top", "left"],
        "ScreenResolution": [1920, 1080],
        "ScreenSize": [0.509, 0.286],
    }
}


def sidecar(unit: str, **more: object) -> dict[str, object]:
    return {
        "PhysioType": "eyetrack",
        "SampleCoordinateSystem": "gaze-on-screen",
        "Columns": COLUMNS,
        "timestamp": {"Units": unit},
        "x_coordinate": {"Units": "pixel"},
        "y_coordinate": {"Units": "pixel"},
        **more,
    }


def table(rows: int, step: float, start: float, digits: int, shift: float = 0.0) -> str:
    i = np.arange(rows)
    values = np.stack(
        [start + i * step, 960 + shift + 300 * np.sin(i / 9), 500 + i % 40, 800 + i % 300], axis=1
    )
    text = io.StringIO()
    np.savetxt(text, values, fmt=[f"%.{digits}f", "%.4f", "%.2f", "%.1f"], delimiter="\t")
    lines = text.getvalue().splitlines(keepends=True)
    for lost in range(17, rows, 40):
        lines[lost] = lines[lost].split("\t")[0] + "\tn/a\tn/a\tn/a\n"
    return "".join(lines)


def write_gz(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode("utf-8-sig"), mtime=0))
    return path


def make_one_eye(folder: Path, rows: int) -> Path:
    stem = "sub-M1_ses-01_task-read_run-01"
    eye = f"{stem}_recording-eye1"
    said = sidecar("s", RecordedEye="left", SamplingFrequency=250.0, StartTime=0.0)
    (folder / f"{eye}_physio.json").write_text(json.dumps(said))
    (folder / f"{stem}_events.json").write_text(json.dumps(SCREEN))
    end = rows * 0.004
    (folder / f"{stem}_events.tsv").write_text(
        "onset\tduration\ttrial_type\tstim_file\n"
        f"0.0\t{end / 2}\tread\timages/Vehicle.png\n{end / 2}\t{end / 4}\tread\tn/a\n"
        "0.004\t0\tkey\tn/a\n"
    )
    (folder / f"{eye}_physioevents.json").write_text(
        json.dumps({"Columns": ["onset", "duration", "trial_type"], "OnsetSource": "timestamp"})
    )
    write_gz(folder / f"{eye}_physioevents.tsv.gz", "0.004\t0.032\tfixation\n0.036\tn/a\tsync\n")
    return write_gz(folder / f"{eye}_physio.tsv.gz", table(rows, 0.004, 0.0, 3))


def make_two_eyes(folder: Path, rows: int) -> Path:
    (folder / "dataset_description.json").write_text('{"Name": "made", "BIDSVersion": "1.11.1"}')
    said = sidecar("ms", SamplingFrequency=1000)
    (folder / "task-look_physio.json").write_text(json.dumps(said))
    (folder / "task-look_events.json").write_text(json.dumps(SCREEN))
    beh = folder / "sub-02" / "beh"
    beh.mkdir(parents=True)
    for number, eye in enumerate(("right", "left")):
        stem = f"sub-02_task-look_recording-eye{number + 1}_physio"
        own = {"RecordedEye": eye, "StartTime": 0}
        (beh / f"{stem}.json").write_text(json.dumps(own))
        write_gz(beh / f"{stem}.tsv.gz", table(rows, 1.0, 7_186_799.0, 0, 30.0 * number))
    return beh / "sub-02_task-look_recording-eye1_physio.tsv.gz"


def make_draft(folder: Path, rows: int) -> Path:
    lines = "".join(f"{9764662 + i}.0\t{950 + i % 30}.7\t{560 + i % 9}.3\n" for i in range(rows))
    return write_gz(
        folder / "draft.tsv.gz", "eye_timestamp\teye1_x_coordinate\teye1_y_coordinate\n" + lines
    )


MAKERS = {
    "bids": Maker(reader="bids", kind="text", make=make_one_eye),
    "bids-two-eyes": Maker(reader="bids", kind="text", make=make_two_eyes),
    "bids-draft": Maker(reader="bids", kind="text", make=make_draft),
}
