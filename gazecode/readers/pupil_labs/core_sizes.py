"""Pupil sizes of Pupil Core's ``pupil_positions.csv``, which holds no gaze.

Every image of an eye has two rows: one of the 2d detector (diameter in px of that image) and one
of the 3d one (in mm). Positions are those of the pupil in the eye camera's picture.
"""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording
from gazecode.readers.pupil_labs.core_events import to_ms
from gazecode.readers.pupil_labs.shared import Findings, columns_of
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.gather import gather

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_pupil"]

FloatArray = npt.NDArray[np.float64]

_EYES = ("right", "left")
"""Of eye 0 and of eye 1."""
_MODEL_ROW = re.compile(rb",[^,\n]*3d[^,\n]*,")


def read_pupil(source: Source, min_confidence: float) -> Recording:
    """Pupil sizes of each eye on one clock; NaN where the other eye alone has an image."""
    said = Findings(notes=["the file holds pupils and no gaze: every sample counts as lost"])
    stamp, rows = _rows(source, min_confidence, said)
    t_ms, eye, size = rows.pop("t"), rows.pop("eye"), rows.pop("size")
    to_ms(t_ms, stamp, source)
    timed = np.isfinite(t_ms)
    said.counts["no_time"] += int((~timed).sum())
    known = (eye == 0) | (eye == 1)
    said.counts["no_eye"] += int((timed & ~known).sum())
    clock = np.unique(t_ms[timed & known])
    pupil: dict[str, FloatArray] = {}
    for number, name in enumerate(_EYES):
        of_eye = np.flatnonzero(timed & (eye == number))
        times, first = np.unique(t_ms[of_eye], return_index=True)
        said.counts["duplicate_time"] += len(of_eye) - len(times)
        if len(times):
            pupil[name] = np.full(len(clock), np.nan)
            pupil[name][np.searchsorted(clock, times)] = size[of_eye[first]]
    if not pupil:
        raise FormatError(
            f"{source.name} names no eye 0 or 1; expected the rows of one pupil each. "
            "Export it again"
        )
    del t_ms, eye, size, timed, known
    nowhere = np.full((len(clock), 2), np.nan)
    return Recording(
        samples=samples_of_eyes(
            clock, dict.fromkeys(sorted(pupil), nowhere), pupil, counts=said.counts
        ),
        plane="scene_fraction",
        provenance=said.provenance(f"column {stamp}, s of Pupil Time; 0 at the first stamp"),
    )


def _rows(
    source: Source, min_confidence: float, said: Findings
) -> tuple[str, dict[str, npt.NDArray[Any]]]:
    """Stamps, eyes and sizes of one detector's rows: the 3d one's, where it ran."""
    found = columns_of(source)
    stamp, eye_id = next(
        pair for pair in (("pupil_timestamp", "eye_id"), ("timestamp", "id")) if set(pair) <= found
    )
    # It runs on every image: where it ran, the file's top has rows of it.
    top = source.head.partition(b"\n")[2]
    in_mm = "diameter_3d" in found and _MODEL_ROW.search(top) is not None
    said.extra |= {"min_confidence": min_confidence, "pupil_unit": "mm" if in_mm else "px"}
    measure = "diameter_3d" if in_mm else "diameter"

    def take(frame: "pd.DataFrame") -> dict[str, npt.NDArray[Any]]:
        is_3d = frame["method"].astype("str").str.contains("3d", regex=False)
        kept = is_3d.to_numpy(dtype=bool) == in_mm
        said.counts["rows_of_other_method"] += int((~kept).sum())
        frame = frame[kept]
        size = frame[measure].to_numpy(copy=True)
        low = ~(frame["confidence"].to_numpy() >= min_confidence)
        said.counts["low_confidence"] += int(low.sum())
        size[low] = np.nan
        eye = frame[eye_id].to_numpy()
        number = np.where(np.isin(eye, (0, 1)), eye, -1).astype(np.int8)
        return {"t": frame[stamp].to_numpy(), "eye": number, "size": size}

    gathered = gather(
        source.blocks(),
        take=take,
        name=source.name,
        columns=dict.fromkeys((stamp, eye_id, "confidence", measure), float) | {"method": str},
        counts=said.counts,
    )
    return stamp, gathered.arrays()
