"""Titta HDF5: tables as pandas' fixed format lays them out through PyTables."""

import pickle
from pathlib import Path

import numpy as np

from .maker import Maker
from .tobii_sdk import TITTA, gaze

MESSAGES = ["onset_a.png", "offset_a.png", "fix on", "onset_a.png", "offset_a.png"]


def block(group, number: int, columns: dict[str, np.ndarray]) -> None:
    names = np.array([name.encode() for name in columns])
    group.create_dataset(f"block{number}_items", data=names, track_times=False)
    values = np.stack(list(columns.values()), axis=1)
    group.create_dataset(f"block{number}_values", data=values, track_times=False)


def make(folder: Path, rows: int) -> Path:
    import h5py

    path = folder / "made.h5"
    g = gaze(rows)
    columns: dict[str, np.ndarray] = {}
    for name in TITTA:
        eye, _, part = name.partition("_")
        if name.endswith("time_stamp"):
            columns[name] = g["device"] + (8_508_000_123 if name.startswith("system") else 0)
        elif part.endswith(("valid", "available")):
            flag = g[eye] if part.endswith("valid") else np.ones(rows, dtype=bool)
            columns[name] = flag.astype(np.uint8)
        elif part.endswith(("area_x", "area_y")):
            columns[name] = (g[name[-1]] + (eye == "right") * 0.02).astype(np.float32)
        else:
            columns[name] = np.full(rows, 3.125, dtype=np.float32)
    with h5py.File(path, "w", track_order=False) as file:
        kinds = sorted({str(column.dtype) for column in columns.values()})
        table = file.create_group("gaze")
        for number, kind in enumerate(kinds):
            block(table, number, {n: c for n, c in columns.items() if str(c.dtype) == kind})
        told = file.create_group("msg")
        stamps = 9_000_050_022 + np.arange(len(MESSAGES)) * 90_000
        block(told, 0, {"system_time_stamp": stamps})
        told.create_dataset("block1_items", data=np.array([b"msg"]), track_times=False)
        raw = pickle.dumps(np.array(MESSAGES, dtype=object), protocol=4)
        texts = told.create_dataset(
            "block1_values", (1,), dtype=h5py.vlen_dtype(np.uint8), track_times=False
        )
        texts[0] = np.frombuffer(raw, dtype=np.uint8)
        offsets = {"offset_left_eye (deg)": np.array([0.9, 0.5])}
        offsets |= {"offset_right_eye (deg)": np.array([0.8, 0.75])}
        block(file.create_group("calibration_history"), 0, offsets)
    return path


MAKERS = {"titta": Maker(reader="titta", kind="binary", make=make)}
