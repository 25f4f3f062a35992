"""EyeX recorder CSV of program-comprehension studies (Tobii EyeX; Peitek et al., Bauer et al.).

``Time;Gaze.X;GazeY;SubjectID;Snippet;Indentation;TrialNumber``, decimal comma, ms and px. Lost
samples are absent rows. Each run of equal `Snippet` is a trial; fixation crosses are trials too,
without a stimulus, so that no sample is lost.

Under Windows display scaling EyeX reports pixels of a virtual screen (2880x1620 for 1920x1080).
The study's ``GeneralInfo*.csv`` holds both sizes; gaze is multiplied by actual / EyeX. Without
that table the factor cannot be known: coordinates stay as they are and the provenance says so.

Peitek, Siegmund & Apel 2020, doi:10.1145/3387904.3389279.
"""

import csv
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Screen, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import (
    find_separator,
    normalise_lines,
    read_delimited,
)
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_COLUMNS = {"Time": float, "Gaze.X": float, "GazeY": float, "SubjectID": str, "Snippet": str}
_OPTIONAL = {"Indentation": str, "TrialNumber": str}
_CROSS = "FixationCross"


def sniff(source: Source) -> bool:
    """Whether the first line names the recorder's columns."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return set(_COLUMNS) <= set(line.split(find_separator(line)))


def read(
    source: Source,
    *,
    general_info: str | Path | None = None,
) -> Recording:
    """Read one participant's gaze.

    Parameters
    ----------
    source
        ``GazeData_<id>.csv``.
    general_info
        Table with the screen sizes; by default ``GeneralInfo*.csv`` beside the file or one folder
        up.

    Returns
    -------
    Recording
        ``samples["both"]``, px of the actual screen; ms from the first row.
    """
    counts: Counter[str] = Counter()
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns=_COLUMNS,
        optional=_OPTIONAL,
        counts=counts,
    )
    participant = _participant(frame, source.name)
    display = _display(source, participant, general_info)
    t_ms = frame.pop("Time").to_numpy(dtype=np.float64, copy=True)
    t_ms -= np.nanmin(t_ms) if np.isfinite(t_ms).any() else 0.0
    xy = np.column_stack([frame.pop("Gaze.X"), frame.pop("GazeY")])
    xy *= display["scale"]
    samples = samples_of_eyes(t_ms, {"both": xy}, counts=counts)
    kept = frame.iloc[kept_rows(t_ms, samples["both"].t_ms)]
    trials, indentation = _trials(samples["both"].t_ms, kept)
    return Recording(
        samples=samples,
        trials=trials,
        screen=display["screen"],
        provenance={
            "clock": "column Time, ms; 0 at the first row",
            "participant": participant,
            "display_scaling": display["note"],
            "scale": display["scale"].tolist(),
            "indentation": indentation,
            "left_out": dict(+counts),
            "notes": ["lost samples are absent rows; they show as gaps only"],
        },
    )


def _participant(frame: "pd.DataFrame", name: str) -> str:
    found = [str(p) for p in frame["SubjectID"].unique()]
    if len(found) > 1:
        raise FormatError(
            f"{name} holds gaze of {len(found)} participants ({', '.join(found[:3])}, ...); "
            "expected one. Split the file by SubjectID"
        )
    return found[0] if found else ""


def _trials(t_ms: FloatArray, rows: "pd.DataFrame") -> tuple[list[Trial], dict[str, str]]:
    """Runs of one snippet in one trial; and the indentation each was shown with."""
    present = ["Snippet", *(c for c in _OPTIONAL if c in rows)]
    code = rows.groupby(present, sort=False, observed=True).ngroup().to_numpy()
    runs = label_runs(t_ms, code)
    snippets = [str(rows["Snippet"].iloc[first]) for first, _, _ in runs]
    names = unique_names(snippets)
    trials = [
        Trial(
            name=name,
            onset_ms=onset,
            offset_ms=offset,
            stimulus=None if snippet.startswith(_CROSS) else snippet,
        )
        for name, snippet, (_, onset, offset) in zip(names, snippets, runs, strict=True)
    ]
    if "Indentation" not in rows:
        return trials, {}
    shown = {n: str(rows["Indentation"].iloc[run[0]]) for n, run in zip(names, runs, strict=True)}
    return trials, {t.name: shown[t.name] for t in trials if t.stimulus is not None}


def _display(source: Source, participant: str, general_info: str | Path | None) -> dict[str, Any]:
    """Scale and screen of a participant, with a note on where they come from."""
    tables = [Path(general_info)] if general_info is not None else _tables_near(source)
    for table in tables:
        sizes = _sizes(Source(table), participant)
        if sizes is None:
            continue
        actual, eyex = sizes
        return {
            "scale": actual / eyex,
            "screen": Screen(width_px=float(actual[0]), height_px=float(actual[1])),
            "note": f"actual {actual[0]:g}x{actual[1]:g} / EyeX {eyex[0]:g}x{eyex[1]:g} "
            f"from {table.name}",
        }
    where = ", ".join(t.name for t in tables) or "no GeneralInfo*.csv found"
    if general_info is not None:
        raise FormatError(
            f"{where} holds no screen sizes of participant {participant}; expected a row with "
            "that SubjectID and ActualScreenWidth ... EyeXScreenHeight. Leave general_info out to "
            "read the gaze unscaled"
        )
    return {
        "scale": np.ones(2),
        "screen": None,
        "note": f"display scaling unknown (no screen sizes of participant {participant}: {where}); "
        "gaze is left as EyeX reported it. Name the table with read(path, general_info=...); "
        "screen=... names the screen and rescales nothing",
    }


def _tables_near(source: Source) -> list[Path]:
    folder = source.path.resolve().parent
    return [
        path for place in (folder, folder.parent) for path in sorted(place.glob("GeneralInfo*.csv"))
    ]


def _sizes(table: Source, participant: str) -> tuple[FloatArray, FloatArray] | None:
    """Actual and EyeX screen size ``(2,)`` px, or None where the table does not know them."""
    lines = normalise_lines(table.read_bytes()).decode("utf-8", "replace").split("\n")
    for row in csv.DictReader(lines, delimiter=find_separator(lines[0])):
        if (row.get("SubjectID") or "").strip() != participant:
            continue
        sizes = [
            np.array([_positive(row.get(f"{kind}Screen{side}")) for side in ("Width", "Height")])
            for kind in ("Actual", "EyeX")
        ]
        if all(np.isfinite(size).all() for size in sizes):
            return sizes[0], sizes[1]
    return None


def _positive(text: str | None) -> float:
    try:
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        return math.nan
    return value if value > 0 else math.nan


READER = Reader(
    name="eyex",
    title="Tobii EyeX recorder CSV (Time;Gaze.X;GazeY;...;Snippet)",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
