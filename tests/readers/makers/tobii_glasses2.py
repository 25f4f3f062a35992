"""Glasses 2: eight records a moment and the other sensors between, with segment and calibration."""

import gzip
import json
from pathlib import Path

import numpy as np

from .maker import Maker

SIDES = (("left", 27.7), ("right", -29.3))


def moment(ts: int, gidx: int, x: float, y: float) -> list[str]:
    """Records of one moment; lost ones have a status and zeros."""
    lost = gidx % 40 == 11
    head = f'{{"ts":{ts},"s":{1 if lost else 0},"gidx":{gidx},'
    lines = []
    for side, at in SIDES:
        seen = not lost and not (gidx % 40 == 13 and side == "right")
        own = head if seen or lost else f'{{"ts":{ts},"s":16,"gidx":{gidx},'
        tail = f',"eye":"{side}"}}\n'
        lines.append(f'{own}"pc":[{at if seen else 0.0},-22.74,-34.50]{tail}')
        lines.append(f'{own}"pd":{3.25 + gidx % 8 / 100 if seen else 0.0:.2f}{tail}')
        lines.append(f'{own}"gd":[-0.0983,0.1388,0.9854]{tail}')
    point = "0.0000,0.0000" if lost else f"{x:.4f},{y:.4f}"
    lines.append(f'{head}"l":94013,"gp":[{point}]}}\n')
    lines.append(f'{head}"gp3":[-42.68,74.56,669.47]}}\n')
    return lines[3:] + lines[:3] if gidx % 5 == 2 else lines


def records(rows: int) -> str:
    i = np.arange(rows)
    ts = 484_678_568 + i * 19_986
    x, y = 0.1 + (i % 170) / 200, 0.3 + (i // 170 % 10) / 20
    lines = []
    for k in range(rows):
        lines += moment(int(ts[k]), 2765 + k, float(x[k]), float(y[k]))
        lines.append(f'{{"ts":{ts[k] + 4000},"s":0,"ac":[-0.039,-10.146,0.840]}}\n')
        lines.append(f'{{"ts":{ts[k] + 5000},"s":0,"gy":[-1.260,-1.334,-1.301]}}\n')
        if k % 32 == 5:
            lines.append(f'{{"ts":{ts[k]},"s":0,"vts":{(k - 5) * 19_986}}}\n')
            lines.append(f'{{"ts":{ts[k]},"s":0,"pts":{622_438 + k * 1798},"pv":4}}\n')
        if k % 25 == 7:
            lines.append(f'{{"ts":{ts[k]},"s":0,"dir":"out","sig":{k % 2}}}\n')
    if rows:
        lines.append(
            f'{{"ts":{ts[-1]},"s":0,"ets":1,"type":"trial","tag":"end \\u003cb\\u003e"}}\n'
        )
    return "".join(lines)


def beside(folder: Path) -> None:
    segment = {"seg_id": 1, "seg_length": 28, "seg_length_us": 28_494_205, "seg_calibrated": True}
    (folder / "segment.json").write_text(json.dumps(segment))
    calibration = {"ca_id": "abc", "ca_participant": "made1", "ca_state": "calibrated"}
    (folder / "calibration.json").write_text(json.dumps(calibration, indent=4))


def packed(folder: Path, rows: int) -> Path:
    beside(folder)
    path = folder / "livedata.json.gz"
    # No time in the header: the same rows give the same bytes.
    path.write_bytes(gzip.compress(records(rows).encode(), compresslevel=1, mtime=0))
    return path


def plain(folder: Path, rows: int) -> Path:
    path = folder / "livedata.json"
    path.write_text(records(rows))
    return path


def companion(folder: Path, rows: int) -> Path:
    packed(folder, rows)
    return folder / "segment.json"


MAKERS = {
    "tobii_glasses2": Maker(reader="tobii_glasses2", kind="json", make=packed),
    "tobii_glasses2_plain": Maker(reader="tobii_glasses2", kind="json", make=plain),
    "tobii_glasses2_segment": Maker(reader="tobii_glasses2", kind="json", make=companion),
}
