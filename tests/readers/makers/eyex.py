"""Tobii EyeX recorder CSV: decimal comma, arbitrary origin, two snippets and a fixation cross."""

from pathlib import Path

import numpy as np

from .maker import Maker

HEADER = "Time;Gaze.X;GazeY;SubjectID;Snippet;Indentation;TrialNumber\n"


def make(folder: Path, rows: int) -> Path:
    t = 5000.25 + np.arange(rows) * 16.5
    x = 900 + 300 * np.sin(np.arange(rows) / 9)
    path = folder / "GazeData_made1.csv"
    with path.open("w", newline="") as file:
        file.write(HEADER)
        for i in range(rows):
            part = 3 * i // max(rows, 1)
            snippet = ("SumArray", "FixationCross_1", "Vehicle")[part]
            line = f"{t[i]:.3f};{x[i]:.5f};{400 + i % 50}.5;made1;{snippet};2;{part + 1}\n"
            file.write(line.replace(".", ","))
    return path


MAKERS = {"eyex": Maker(reader="eyex", kind="text", make=make)}
