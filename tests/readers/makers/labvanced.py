"""Labvanced: gaze among rows of another variable, empty rows, a later task first in the file."""

from pathlib import Path

from .maker import Maker

NAMES = (
    "Block_Name,Block_Nr,exp_subject_id,rec_session_id,session_nr,Task_Name,Task_Nr,times,"
    "Trial_Id,Trial_Nr,variable_name,x,y,t,c,"
)


def make(folder: Path, rows: int) -> Path:
    path = folder / "timeseries_data.csv"
    start = 1_600_000_000_000
    with path.open("w", newline="") as file:
        file.write(NAMES + "\r\n")
        for i in range(rows):
            # The second task stands first.
            task, number, at = ("pages", 5, i + rows) if i < rows // 2 else ("dots", 3, i)
            t = start + at * 33 + at % 3
            trial = 6 * i // rows % 3 + 1
            head = f"block_1,1,276,299,1,{task},{number},{t + 30},{9 - trial},{trial}"
            if i % 3 == 2:
                row = f"XYVA,0.37{i % 10},0.001,225,400.25"
            elif i % 20 == 4:
                row = "XYTC,,,,"
            else:
                x, y = i * 7 % 800, i * 3 % 450
                row = f"XYTC,{x}.9277134,{y}.4029922754,{t},0.7957{i % 100:02d}117"
            # Only the line of names ends in a comma.
            file.write(f"{head},{row}\r\n")
    return path


MAKERS = {"labvanced": Maker(reader="labvanced", kind="text", make=make)}
