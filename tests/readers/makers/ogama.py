"""OGAMA fixation export: a TAB at the end of every line and CR LF; two trials, names in two cases."""

from pathlib import Path

import numpy as np

from .maker import Maker

HEADER = "ID\tSubjectName\tTrialID\tTrialSequence\tCountInTrial\tStartTime\tLength\tPosX\tPosY"


def make(folder: Path, rows: int) -> Path:
    return _write(folder, rows, tail="\t\r\n", name="made_1.txt")


def make_plain(folder: Path, rows: int) -> Path:
    return _write(folder, rows, tail="\n", name="made_2.txt")


def _write(folder: Path, rows: int, *, tail: str, name: str) -> Path:
    lines = [HEADER]
    for trial, part in enumerate(np.array_split(np.arange(rows), 2)):
        for n in range(len(part)):
            x, y = 300 + n * 29 % 800, 60 + n * 7 % 500
            lines.append(
                f"{15477 + part[n]}\tMA01\t{8 - trial}\t{trial + 1}\t{n + 1}\t{250 + 317 * n}\t"
                f"{150 + n % 90}\t{x}.0681762695313\t{y}"
            )
    path = folder / name
    path.write_text(tail.join(lines) + tail, encoding="utf-8", newline="")
    return path


MAKERS = {
    "ogama": Maker(reader="ogama", kind="text", make=make),
    "ogama-plain": Maker(reader="ogama", kind="text", make=make_plain),
}
