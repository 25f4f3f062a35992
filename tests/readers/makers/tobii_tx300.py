"""TX300 text of one trial: 28 columns, µs stamps, codes 0 to 4, -1 for lost."""

from pathlib import Path

import numpy as np

from .maker import Maker

EYE = (
    *(f"{part}{axis}" for part in ("EyePos3d", "EyePos3dRel") for axis in "xyz"),
    *("GazePos2dx", "GazePos2dy", "GazePos3dx", "GazePos3dy", "GazePos3dz"),
    *("PupilDm", "Validity"),
)
NAMES = ["Time", *(f"L{n}" for n in EYE), *(f"R{n}" for n in EYE), "RelTimestamp"]
SEEN = "%.4f\t3.4425\t595.0995\t0.5427\t0.4831\t0.4837\t%.4f\t%.4f\t-0.9102\t171.5\t55.9\t4.3067\t0"
LOST = (
    "0.0000\t0.0000\t0.0000\t-1.0000\t-1.0000\t0.0000\t-1.0000\t-1.0000\t0.0\t0.0\t0.0\t-1.0000\t4"
)
UNSURE = SEEN[:-1] + "2"


def make(folder: Path, rows: int) -> Path:
    path = folder / "trial.tsv"
    i = np.arange(rows)
    relative = np.where(i % 3 == 1, 3335, 3352).cumsum() - 3352
    x = 0.1 + (i % 240) / 300
    y = 0.2 + (i // 240 % 20) / 40
    with path.open("w", newline="") as file:
        file.write("\t".join(NAMES) + "\n")
        for at in range(0, rows, 10_000):
            lines = []
            for k in range(at, min(at + 10_000, rows)):
                left = LOST if k % 50 == 7 else SEEN % (k % 9, x[k], y[k])
                right = (LOST, UNSURE % (1, 0.9, 0.9))[k % 2] if k % 50 in (7, 8) else None
                right = right or SEEN % (k % 9 + 60, x[k] + 0.01, y[k])
                lines.append(
                    f"{2_619_771_723 + relative[k]}\t{left}\t{right}\t{relative[k] / 1000:.4f}\n"
                )
            file.write("".join(lines))
    return path


MAKERS = {"tobii_tx300": Maker(reader="tobii_tx300", kind="text", make=make)}
