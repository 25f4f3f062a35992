"""Tobii research CSV without a header: points as text, one eye lost now and then, two functions."""

from pathlib import Path

from .maker import Maker


def row(i: int, rows: int) -> str:
    x = 0.2 + 0.05 * (i // 30 % 12)
    left = f'"({x:.9f}, {0.3 + i % 9 / 100:.9f})"'
    right, valid = f'"({x + 0.01:.9f}, 0.31)"', 1
    if i % 97 > 90:
        right, valid = '"(nan, nan)"', 0
    name = "sortList" if 2 * i < rows else "findFirst"
    return (
        f"968,{name},{40 + (2 * i >= rows)},{435067971035 + 8333 * i},{6798411771 + 8333 * i},"
        f"1,{valid},{left},{right},1,{valid},3.{i % 80 + 10},{3.2 if valid else 'nan'}\n"
    )


def make(folder: Path, rows: int) -> Path:
    path = folder / "968_gaze_reading_made.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        for begin in range(0, rows, 10_000):
            file.write("".join(row(i, rows) for i in range(begin, min(begin + 10_000, rows))))
    return path


MAKERS = {"tobii_research": Maker(reader="tobii_research", kind="text", make=make)}
