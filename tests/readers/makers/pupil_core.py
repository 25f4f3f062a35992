"""Pupil Player exports: two eyes of which one may be missing, doubt, pieces of fixations, CRLF."""

from pathlib import Path

import numpy as np

from .maker import Maker

GAZE_HEADER = (
    "gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data,gaze_point_3d_x,"
    "gaze_point_3d_y,gaze_point_3d_z,eye_center0_3d_x,eye_center0_3d_y,eye_center0_3d_z,"
    "gaze_normal0_x,gaze_normal0_y,gaze_normal0_z,eye_center1_3d_x,eye_center1_3d_y,"
    "eye_center1_3d_z,gaze_normal1_x,gaze_normal1_y,gaze_normal1_z"
)
FIXATION_HEADER = (
    "id,start_timestamp,duration,start_frame_index,end_frame_index,norm_pos_x,norm_pos_y,"
    "dispersion,confidence,method,gaze_point_3d_x,gaze_point_3d_y,gaze_point_3d_z,base_data"
)
BLINK_HEADER = (
    "id,start_timestamp,duration,end_timestamp,start_frame_index,index,end_frame_index,"
    "confidence,filter_response,base_data"
)
PUPIL_HEADER = (
    "pupil_timestamp,world_index,eye_id,confidence,norm_pos_x,norm_pos_y,diameter,method,"
    "ellipse_center_x,ellipse_center_y,ellipse_axis_a,ellipse_axis_b,ellipse_angle,diameter_3d,"
    "model_confidence,model_id"
)
SURFACE_HEADER = (
    "world_timestamp,world_index,gaze_timestamp,x_norm,y_norm,x_scaled,y_scaled,on_surf,confidence"
)
SURFACE_FIXATION_HEADER = (
    "world_timestamp,world_index,fixation_id,start_timestamp,duration,dispersion,norm_pos_x,"
    "norm_pos_y,x_scaled,y_scaled,on_surf"
)
ORIGIN_S = 329_367.897894
STEP_S = 0.004
EYES = 4
"""Every fourth row has the right eye alone, and the row after it the left one."""


def write(path: Path, header: str, rows: list[str]) -> Path:
    """As Python's csv module writes it: CRLF."""
    path.write_text("\r\n".join([header, *rows, ""]), newline="")
    return path


def gaze_rows(rows: int) -> list[str]:
    t = (ORIGIN_S + np.arange(rows) * STEP_S).tolist()
    x = (0.5 + 0.52 * np.sin(np.arange(rows) / 40)).tolist()
    y = (0.4 + 0.2 * np.cos(np.arange(rows) / 90)).tolist()
    right = "17.960614184529,14.888388594524,-24.288193628464,-0.131371304110,-0.12518037,0.9833979"
    left = "-39.357211062754,15.085789361983,-21.648784901339,0.2275140998841,-0.07371620,0.9709805"
    lines = []
    for i in range(rows):
        eyes = (i % EYES != 1, i % EYES != 0)
        base = " ".join(f"{t[i] - 0.001 * k!r}-{k}" for k in (0, 1) if eyes[k])
        confidence = 0.31 if i % 10 == 7 else 0.98005814
        lines.append(
            f"{t[i]!r},{417 + i // 8},{confidence},{x[i]!r},{y[i]!r},{base},-2.994811338754,"
            f"-0.912115079140,133.257287839,{right if eyes[0] else ',,,,,'},"
            f"{left if eyes[1] else ',,,,,'}"
        )
    return lines


def fixation_rows(rows: int) -> list[str]:
    """Pairs of pieces 2.5 ms apart, the second of 100 ms after one of 200 ms; then a pause."""
    lines = []
    for i in range(max(rows // 100, 1) * 2):
        start = ORIGIN_S + (i // 2) * 0.4 + (i % 2) * 0.2025
        x, y = 0.2 + (i // 2) % 6 * 0.1, 0.3 + i % 2 * 0.03
        stamps = " ".join(f"{start + k * 0.004!r}" for k in range(20))
        lines.append(
            f"{65 + i},{start!r},{200.0 - i % 2 * 100},417,423,{x!r},{y!r},1.325061,0.99674258,"
            f"3d gaze,-3.08,-0.89,133.389,{stamps}"
        )
    return lines


def blink_rows(rows: int) -> list[str]:
    return [
        f"{i},{ORIGIN_S + i * 2 + 0.31!r},0.125,{ORIGIN_S + i * 2 + 0.435!r},437,442,448,0.4168,"
        "0.51 0.53 0.56,0.1 0.2 0.3"
        for i in range(max(rows // 500, 1))
    ]


def gaze(folder: Path, rows: int) -> Path:
    write(folder / "made_fixations.csv", FIXATION_HEADER, fixation_rows(rows))
    write(folder / "made_blinks.csv", BLINK_HEADER, blink_rows(rows))
    notes = [f"{417 + i},{ORIGIN_S + i!r},page {i},0.0,True" for i in range(2)]
    write(folder / "made_annotations.csv", "index,timestamp,label,duration,added_in_capture", notes)
    world = [f"{ORIGIN_S + i / 30!r},{i * 2108}" for i in range(5)]
    write(folder / "made_world_timestamps.csv", "# timestamps [seconds],pts", world)
    info = ["Player Software Version,3.5.1", "Data Format Version,2.0"]
    write(folder / "made_export_info.csv", "key,value", info)
    return write(folder / "made_gaze_positions.csv", GAZE_HEADER, gaze_rows(rows))


def fixations(folder: Path, rows: int) -> Path:
    return write(folder / "fixations.csv", FIXATION_HEADER, fixation_rows(rows))


def blinks(folder: Path, rows: int) -> Path:
    return write(folder / "blinks.csv", BLINK_HEADER, blink_rows(rows * 50))


def pupil(folder: Path, rows: int) -> Path:
    """Two eyes at stamps of their own; each stamp once by the 2d and once by the 3d detector."""
    lines = []
    for i in range(rows):
        t, eye, size = ORIGIN_S + (i // 2) * STEP_S, i // 2 % 2, 30.0 + i % 7
        head = f"{t!r},{i // 16},{eye},{0.2 if i % 20 > 17 else 0.99},0.4792,0.2355,{size}"
        ellipse = "153.36451721191406,183.47686767578125,22.15,30.28,167.54"
        model = "pye3d 0.3.0 real-time" if i % 2 else "2d c++"
        lines.append(f"{head},{model},{ellipse},{f'{size / 10},1.0,' if i % 2 else ',,'}")
    return write(folder / "pupil_positions.csv", PUPIL_HEADER, lines)


def surface(folder: Path, rows: int) -> Path:
    """Gaze on a surface; each fixation once per frame of the scene video that shows it."""
    fixations = []
    for i in range(max(rows // 100, 1)):
        start = ORIGIN_S + i * 0.4
        fixations += [
            f"{start + k / 30!r},{k},{i},{start!r},200.0,1.2,{0.25 + k / 100},0.75,1,1,{k < 2}"
            for k in range(3)
        ]
    path = folder / "fixations_on_surface_Monitor 1.csv"
    write(path, SURFACE_FIXATION_HEADER, fixations)
    lines = []
    for i in range(rows):
        t, x = ORIGIN_S + i * STEP_S, 0.1 + i % 11 * 0.1
        lines.append(
            f"{t - 0.001!r},{i // 8},{t!r},{x!r},0.875,{x * 509!r},250.25,{x <= 1},"
            f"{0.1 if i % 10 == 3 else 0.9}"
        )
    return write(folder / "gaze_positions_on_surface_Monitor 1.csv", SURFACE_HEADER, lines)


MAKERS = {
    "pupil_core": Maker(reader="pupil_core", kind="text", make=gaze),
    "pupil_core_fixations": Maker(reader="pupil_core", kind="text", make=fixations),
    "pupil_core_blinks": Maker(reader="pupil_core", kind="text", make=blinks),
    "pupil_core_pupil": Maker(reader="pupil_core", kind="text", make=pupil),
    "pupil_core_surface": Maker(reader="pupil_core", kind="text", make=surface),
}
