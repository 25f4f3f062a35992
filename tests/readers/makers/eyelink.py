"""EyeLink text of five recordings: the tracker's own checks, two blocks, blinks, remote targets."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .maker import Maker

HEAD = (
    "** CONVERTED FROM made1.edf using edfapi 4.2\n** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED\n"
    "** VERSION: EYELINK II 1\n** SOURCE: EYELINK CL\n** EYELINK II CL v5.04 Sep 25 2014\n**\n\n"
    "MSG\t700 !CAL Cal coeff:(X=a+bx+cy+dxx+eyy,Y=f+gx+goaly+ixx+jyy)\n"
    "   1.7693e-05, -6.235e-06 \n  212.24  13.72  154.96  0.18 -0.21\n"
    "MSG\t700 !CAL CALIBRATION HV9 {mode} {eye}  GOOD \n"
    "MSG\t800 !CAL VALIDATION HV9 {mode} {eye} GOOD ERROR 0.65 avg. 1.43 max  OFFSET 0.51 deg. "
    "-9.5,-14.9 pix.\n"
    "MSG\t800 VALIDATE {mode} 4POINT 0 {eye}  at 960,540  OFFSET 0.46 deg.  -13.1,-4.4 pix.\n"
    "MSG\t801 VALIDATE {mode} 4POINT 1 {eye}  at 115,540  OFFSET 1.43 deg.  -23.0,-45.5 pix.\n"
    "MSG\t900 DISPLAY_COORDS = 0 0 1919 1079\n"
)
CHUNK = 20_000


def make_text(
    rows: int, *, eyes: str = "RIGHT", rate: int = 1000, tail: str = "...", extra: str = ""
) -> Iterator[str]:
    """Pieces of the file: two blocks of one trial each."""
    words = "\t".join(eyes.split())
    mode = "".join(word[0] for word in eyes.split())
    yield HEAD.format(mode=mode, eye=words.partition("\t")[0])
    half = rows // 2
    for number, (a, b) in enumerate(((0, half), (half, rows)), start=1):
        stamp = 1000 + a * 1000 // rate + 700 * number
        kinds = "".join(
            f"{kind}\tGAZE\t{words}{extra}\tRATE\t{rate:7.2f}\tTRACKING\tCR\tFILTER\t2\n"
            for kind in ("EVENTS", "SAMPLES")
        )
        yield (
            f"MSG\t{stamp - 20} TRIALID {number}\nMSG\t{stamp - 19} RECCFG CR {rate} 2 1 {mode}\n"
            f"MSG\t{stamp - 18} GAZE_COORDS 0.00 0.00 1919.00 1079.00\n"
            f"MSG\t{stamp - 17} !V IMGLOAD FILL images/Vehicle{number}.png\n"
            f"START\t{stamp} \t{words}\tSAMPLES\tEVENTS\nPRESCALER\t1\nVPRESCALER\t1\nPUPIL\tAREA\n"
            f"{kinds}"
        )
        for begin in range(a, b, CHUNK):
            i = np.arange(begin, min(begin + CHUNK, b))
            yield samples(i, stamp + (i - a) * 1000 // rate, tail, mode)
        end = stamp + (b - a) * 1000 // rate
        yield f"END\t{end} \tSAMPLES\tEVENTS\tRES\t  35.00\t  35.00\nMSG\t{end} TRIAL_RESULT 0\n"


def samples(i: np.ndarray, t: np.ndarray, tail: str, mode: str) -> str:
    """Sample lines numbered `i`, stamped `t`; a fixation ends in every 250th, blinks between."""
    x = (400 + 3 * (i // 250 % 300) + np.sin(i / 7)).round(1)
    lines = []
    for stamp, row, at in zip(t.tolist(), i.tolist(), x.tolist(), strict=True):
        eye = f"\t{at:7.1f}\t  500.{row % 10}\t  {700 + row % 90}.0"
        if row % 900 > 880:
            eye = "\t   .\t   .\t    0.0"
        lines.append(f"{stamp}{eye * len(mode)}\t{tail}\n")
        if row % 250 == 249:
            rest = f"{stamp}\t101\t {at:7.1f}\t  500.2\t    701\n"
            lines.append(f"EFIX {mode[0]}   {stamp - 100}\t{rest}")
    return "".join(lines)


def write(folder: Path, name: str, pieces: Iterator[str], end: str = "\n") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        for piece in pieces:
            file.write(piece if end == "\n" else piece.replace("\n", end))
    return path


def make_mono(folder: Path, rows: int) -> Path:
    text = make_text(rows, tail="  127.0\t...", extra="\tINPUT")
    return write(folder, "made1.asc", text, end="\r\n")


def make_bino(folder: Path, rows: int) -> Path:
    return write(folder, "made2.asc", make_text(rows, eyes="LEFT RIGHT", rate=500, tail="....."))


def make_double(folder: Path, rows: int) -> Path:
    """2000 Hz in whole ms: each stamp stands twice."""
    return write(folder, "made3.asc", make_text(rows, rate=2000))


def make_remote(folder: Path, rows: int) -> Path:
    tail = "...\t 4717.0\t 2908.0\t  611.2 ............."
    text = make_text(rows, eyes="LEFT", rate=250, tail=tail, extra="\tHTARGET")
    return write(folder, "made4.asc", text)


def make_packed(folder: Path, rows: int) -> Path:
    raw = io.StringIO()
    raw.writelines(make_text(rows, eyes="LEFT"))
    path = folder / "made5.asc.gz"
    path.write_bytes(gzip.compress(raw.getvalue().encode(), compresslevel=1, mtime=0))
    return path


MAKERS = {
    f"eyelink-{name}": Maker(reader="eyelink", kind=kind, make=make)
    for name, kind, make in (
        ("mono", "text", make_mono),
        ("bino", "text", make_bino),
        ("2000hz", "text", make_double),
        ("remote", "text", make_remote),
        ("packed", "binary", make_packed),
    )
}
