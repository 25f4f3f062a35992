"""Eyekit JSON: three trials of two people, one fixation in twenty discarded."""

from pathlib import Path

import numpy as np

from .maker import Maker


def make(folder: Path, rows: int) -> Path:
    trials = []
    for k, part in enumerate(np.array_split(np.arange(rows), 3)):
        i = part - (part[0] if len(part) else 0)
        cells = zip(
            (360 + i * 31 % 900).tolist(), (155 + i // 9 * 64).tolist(), i.tolist(), strict=True
        )
        sequence = ",".join(
            f'{{"x":{x},"y":{y},"start":{6 + 300 * n},"end":{206 + 300 * n}'
            + (',"discarded":true}' if n % 20 == 7 else "}")
            for x, y, n in cells
        )
        trials.append(
            f'"trial_{2 * k}":{{"participant_id":"{k // 2 + 1}","passage_id":"{k + 1}A",'
            f'"fixations":{{"__FixationSequence__":[{sequence}]}}}}'
        )
    path = folder / "made.json"
    path.write_text("{" + ",".join(trials) + "}", encoding="utf-8", newline="")
    return path


MAKERS = {"eyekit": Maker(reader="eyekit", kind="json", make=make)}
