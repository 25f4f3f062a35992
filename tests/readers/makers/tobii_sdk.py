"""SDK tables: tuples as text with CR CR LF (4C), TAB and an index column, quotes, Titta's flags."""

from pathlib import Path

import numpy as np

from .maker import Maker

NAMES_4C = (
    "right_pupil_validity;right_gaze_point_on_display_area;left_gaze_origin_validity;"
    "system_time_stamp;right_gaze_origin_in_user_coordinate_system;left_pupil_validity;"
    "right_pupil_diameter;left_pupil_diameter;left_gaze_point_validity;right_gaze_point_validity;"
    "left_gaze_point_on_display_area;device_time_stamp"
)


def gaze(rows: int) -> dict[str, np.ndarray]:
    i = np.arange(rows)
    return {
        "device": 491_999_899 + i * 11_103,
        "x": 0.1 + (i % 80) / 100,
        "y": 0.3 + (i // 80 % 30) / 60,
        "left": i % 40 != 7,
        "right": (i % 40 != 7) & (i % 40 != 8),
    }


def tuples(rows: int, line: str) -> str:
    """Rows of the 4C's columns; an invalid point is nan, or an old one that must not count."""
    g = gaze(rows)
    stale = np.arange(rows) % 80 == 8
    pieces = []
    for k in range(rows):
        left = f"({g['x'][k]:.16f}, {g['y'][k]:.16f})" if g["left"][k] else "(nan, nan)"
        right = f"({g['x'][k] + 0.02:.16f}, {g['y'][k] + 0.01:.16f})"
        right = right if g["right"][k] or stale[k] else "(nan, nan)"
        # As str(float) prints it: the last digits are gone.
        system = f"{1_564_666_170_337_000 + g['device'][k] - 491_999_899:.11e}"
        ok_left, ok_right = int(g["left"][k]), int(g["right"][k])
        pieces.append(
            line.format(
                *(ok_right, right, ok_left, system, "(-17.85, 97.64, 634.58)", ok_left),
                *("2.97882080078", "3.37985229492", ok_left, ok_right, left, g["device"][k]),
            )
        )
    return "".join(pieces)


def four_c(folder: Path, rows: int) -> Path:
    path = folder / "P4.csv"
    line = ";".join(["{}"] * 12) + "\r\r\n"
    path.write_bytes((NAMES_4C + "\r\r\n" + tuples(rows, line)).encode())
    fixation_report(folder, rows)
    return path


def fixation_report(folder: Path, rows: int) -> Path:
    """A fixation and the saccade that ends it, every 20 samples; percent, system time."""
    path = folder / "P4_fixation.csv"
    zero, step = 1_564_666_170_337_000, 11_103
    lines = ["label,x,y,start,end,duration\r\r\n"]
    for k in range(max(rows // 20, 1)):
        onset = zero + k * 20 * step
        middle, end = onset + 17 * step, onset + 19 * step
        lines.append(
            f"fixation,{10.5 + k % 80},44.25,{onset}.0,{middle}.0,{17 * step / 1000}\r\r\n"
            f"saccade,{12.5 + k % 80},46.5,{middle}.0,{end}.0,{2 * step / 1000}\r\r\n"
        )
    path.write_bytes("".join(lines).encode())
    return path


def indexed(folder: Path, rows: int) -> Path:
    """TAB and an unnamed column of row numbers, as pandas writes."""
    path = folder / "dump.txt"
    text = tuples(rows, "\t".join(["{}"] * 12) + "\n").splitlines(keepends=True)
    lines = [f"{k}\t{line}" for k, line in enumerate(text)]
    path.write_text("\t" + NAMES_4C.replace(";", "\t") + "\n" + "".join(lines))
    return path


def quoted(folder: Path, rows: int) -> Path:
    """Commas between cells and within tuples."""
    path = folder / "dump.csv"
    cells = [('"{}"' if k in (1, 4, 10) else "{}") for k in range(12)]
    text = tuples(rows, ",".join(cells) + "\n")
    path.write_text(NAMES_4C.replace(";", ",") + "\n" + text)
    return path


TITTA = (
    *("device_time_stamp", "system_time_stamp"),
    *(
        f"{eye}_{name}"
        for eye in ("left", "right")
        for name in (
            *("gaze_point_on_display_area_x", "gaze_point_on_display_area_y"),
            *("gaze_point_in_user_coordinates_x", "gaze_point_valid", "gaze_point_available"),
            *("pupil_diameter", "pupil_valid", "pupil_available"),
        )
    ),
)


def titta(folder: Path, rows: int) -> Path:
    """TittaPy's names and flags, messages beside."""
    path = folder / "made_gaze.tsv"
    g = gaze(rows)
    system = g["device"] + 8_508_000_123
    lines = ["\t".join(["", *TITTA]) + "\n"]
    for k in range(rows):
        eyes = [
            f"{g['x'][k] + shift:.7f}\t{g['y'][k]:.7f}\t12.25\t{g[eye][k]}\tTrue\t3.125\t{g[eye][k]}\tTrue"
            for eye, shift in (("left", 0.0), ("right", 0.02))
        ]
        lines.append(f"{k}\t{g['device'][k]}\t{system[k]}\t{eyes[0]}\t{eyes[1]}\n")
    path.write_text("".join(lines))
    told = ["onset_a.png", "offset_a.png", "onset_b <i>.png", "fix, on", "offset_b <i>.png"]
    stamps = [9_000_050_022 + k * 90_000 for k in range(len(told))]
    quoted_told = [f'"{text}"' if "," in text else text for text in told]
    rows_told = [
        f"{k}\t{t}\t{m}\n" for k, (t, m) in enumerate(zip(stamps, quoted_told, strict=True))
    ]
    (folder / "made_msg.tsv").write_text("\tsystem_time_stamp\tmsg\n" + "".join(rows_told))
    return path


MAKERS = {
    "tobii_sdk_4c": Maker(reader="tobii_sdk", kind="text", make=four_c),
    "tobii_sdk_fixations": Maker(reader="tobii_sdk", kind="text", make=fixation_report),
    "tobii_sdk_indexed": Maker(reader="tobii_sdk", kind="text", make=indexed),
    "tobii_sdk_quoted": Maker(reader="tobii_sdk", kind="text", make=quoted),
    "tobii_sdk_titta": Maker(reader="tobii_sdk", kind="text", make=titta),
}
