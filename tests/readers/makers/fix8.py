"""fix8 JSON: fixations without times, the trial in the file's name."""

from pathlib import Path

import numpy as np

from .maker import Maker


def make(folder: Path, rows: int) -> Path:
    i = np.arange(rows)
    x, y, d = 600 + (i * 37 % 700) + 0.25, 200 + (i // 12 % 20) * 28.5, 60 + i * 13 % 400
    cells = zip(x.tolist(), y.tolist(), d.tolist(), strict=True)
    body = ",\n".join(
        f"        [\n            {a},\n            {b},\n            {c}.0\n        ]"
        for a, b, c in cells
    )
    path = folder / "trial_2_participant_9_made_java.json"
    path.write_text('{\n    "fixations": [\n' + body + "\n    ]\n}", encoding="utf-8", newline="")
    return path


MAKERS = {"fix8": Maker(reader="fix8", kind="json", make=make)}
