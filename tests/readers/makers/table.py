"""Tables as gazecode writes them, which open without a column map: text and Parquet."""

from pathlib import Path

import numpy as np
import pandas as pd

from .maker import Maker


def frame(rows: int) -> pd.DataFrame:
    i = np.arange(rows)
    lost = i % 40 > 37
    columns = {"t_ms": i * 4.0}
    for eye, shift in (("left", 0.0), ("right", 7.5)):
        columns[f"{eye}_x_px"] = np.where(lost, np.nan, 300 + shift + i % 900)
        columns[f"{eye}_y_px"] = np.where(lost, np.nan, 200 + shift + i // 900 % 50)
        columns[f"{eye}_pupil"] = 3.0 + i % 9 / 10
    return pd.DataFrame(columns)


def make_text(folder: Path, rows: int) -> Path:
    path = folder / "made1.csv"
    frame(rows).to_csv(path, index=False)
    return path


def make_parquet(folder: Path, rows: int) -> Path:
    path = folder / "made1.parquet"
    frame(rows).to_parquet(path)
    return path


MAKERS = {
    "table-text": Maker(reader="table", kind="text", make=make_text),
    "table-parquet": Maker(reader="table", kind="binary", make=make_parquet),
}
