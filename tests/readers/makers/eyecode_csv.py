"""eyeCode's fixation CSV: one trial with places moved by hand (2014), and a study's table (2013)."""

from pathlib import Path

from .maker import Maker

MOVED = (
    '"trial_id","start_ms","duration_ms","fix_x","fix_y","exp_id","end_ms","program",'
    '"fix_x_corrected","fix_y_corrected","fix_x_diff","fix_y_diff"'
)
STUDY = "trial_id,start_ms,duration_ms,fix_x,fix_y,exp_id,end_ms,program"


def make_moved(folder: Path, rows: int) -> Path:
    lines = [MOVED]
    for i in range(rows):
        x, y, start, length = 300 + i * 29 % 900, 200 + i * 11 % 600, 267 * i, 120 + i % 90
        dy = 14 if i % 7 == 3 else 0
        lines.append(f'10,{start},{length},{x},{y},4,{start + length},"nt1",{x},{y + dy},0,{dy}')
    path = folder / "n4_nt1.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


def make_study(folder: Path, rows: int) -> Path:
    lines = [STUDY]
    for i in range(rows):
        trial, n = divmod(i, max(rows // 3, 1))
        start, length = 250 + 317 * n, 150 + n % 80
        program = ("rectangle", "basketball")[trial % 2]
        lines.append(
            f"{8 + trial},{start},{length},{300 + n * 29 % 800}.4375,{60 + n % 500},"
            f"{trial // 2},{start + length},{program}"
        )
    path = folder / "raw_fixations.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


MAKERS = {
    "eyecode_csv": Maker(reader="eyecode_csv", kind="text", make=make_moved),
    "eyecode_csv-study": Maker(reader="eyecode_csv", kind="text", make=make_study),
}
