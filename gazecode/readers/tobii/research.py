"""Tobii research CSV of code-summarization studies (EyeTrans; Karas, Bansal et al.): no header.

Thirteen columns as the Tobii Pro SDK for Python gives gaze: participant, function name, function
id, system and device time stamp (us), validity of the left and the right point, the two points as
``"(x, y)"`` in fractions of the active display area, validity and diameter (mm) of both pupils.
The device's clock is taken, the tracker's own stamps of exposure; the system's is that of the
computer when the data came in. One recording is one reading of one function: its trial.

EyeTrans: Zhang et al. 2024, doi:10.1145/3643732.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Samples, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source, normalise_lines
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.trials import kept_rows, unique_names
from gazecode.units import sample_end_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

EYES = ("left", "right")
_COLUMNS: dict[str, type] = {
    "participant_id": str,
    "function_name": str,
    "function_id": str,
    "system_timestamp": float,
    "device_timestamp": float,
    "valid_gaze_left": float,
    "valid_gaze_right": float,
    "left_x": float,
    "left_y": float,
    "right_x": float,
    "right_y": float,
    "valid_pd_left": float,
    "valid_pd_right": float,
    "pd_left": float,
    "pd_right": float,
}
"""Columns once the brackets of the points are gone, which makes two cells of each."""

_NUMBER = rb"[ ]?(?:[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|nan)"
_POINT = rb'"\(' + _NUMBER + rb"," + _NUMBER + rb'\)"'
_ROW = re.compile(
    rb"[^,;\t]*,[^,;\t]*,[^,;\t]*,[0-9]+,[0-9]+,[01],[01],"
    + (_POINT + rb",") * 2
    + rb"[01],[01],"
    + _NUMBER
    + rb","
    + _NUMBER
)
_PROBE_ROWS = 20
_MAX_STRANGERS = 0.01
"""A larger share of rows of another participant is no damage: the file holds two people."""


def sniff(source: Source) -> bool:
    """Whether at least half of the first rows have the thirteen cells, in their kinds."""
    rows = normalise_lines(source.head).split(b"\n")
    # The head may end in the middle of a row.
    rows = [row for row in (rows[:-1] or rows)[:_PROBE_ROWS] if row]
    return bool(rows) and 2 * sum(bool(_ROW.fullmatch(row)) for row in rows) >= len(rows)


def read(source: Source) -> Recording:
    """Read one reading of one function.

    Returns
    -------
    Recording
        ``left`` and ``right``, plane ``screen_fraction`` (the file holds no screen size), pupil
        diameter in mm; ms from the first device stamp. Rows with too few or too many cells are
        left out and cells that are no numbers are lost, both counted.
    """
    counts: Counter[str] = Counter()
    gathered = _load(source, counts)
    t_ms = gathered.array("t")
    notes, participant = _one_participant(gathered, t_ms, source.name, counts)
    if not np.isfinite(t_ms).any():
        raise FormatError(
            f"{source.name} holds no whole row with a device time stamp ({dict(+counts)}); "
            "expected 13 cells a row, us in the fifth. Export the file again"
        )
    t_ms -= np.nanmin(t_ms)
    t_ms /= 1000.0
    samples = samples_of_eyes(
        t_ms,
        {eye: gathered.array(eye) for eye in EYES},
        {eye: gathered.array(f"pupil_{eye}") for eye in EYES},
        counts=counts,
    )
    # Those of another participant were counted already, as what they are.
    counts["no_time"] -= counts["other_participant"]
    trials, functions = _trials(gathered, t_ms, samples["left"].t_ms)
    return Recording(
        samples=samples,
        trials=trials,
        plane="screen_fraction",
        provenance={
            "clock": "column 5, device_timestamp, us; 0 at the first stamp "
            "(column 4, system_timestamp, is when the data reached the computer)",
            "participant": participant,
            "functions": functions,
            "off_screen": {eye: _off_screen(s) for eye, s in samples.items()},
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


def _load(source: Source, counts: Counter[str]) -> Gathered:
    """All whole rows, block by block."""

    def take(frame: "pd.DataFrame") -> dict[str, Any]:
        taken: dict[str, Any] = {
            "t": frame["device_timestamp"].to_numpy(),
            "participant": frame["participant_id"],
            "function": frame["function_name"],
            "id": frame["function_id"],
        }
        for eye in EYES:
            taken |= {eye: _points(frame, eye, counts), f"pupil_{eye}": _pupil(frame, eye)}
        return taken

    return gather(
        _plain_cells(source),
        take=take,
        name=source.name,
        columns=_COLUMNS,
        counts=counts,
        # A row that breaks off at the end of the file is one more ragged row, as the others.
        cut_row="count",
    )


def _plain_cells(source: Source) -> Iterator[bytes]:
    """A header, and rows in which a point is two cells like any others: no quotes, no brackets."""
    header = ",".join(_COLUMNS).encode() + b"\n"
    for block in source.blocks():
        yield header + block.translate(None, b'"()').replace(b", ", b",")
        header = b""


def _one_participant(
    gathered: Gathered, t_ms: FloatArray, name: str, counts: Counter[str]
) -> tuple[list[str], str]:
    """Rows of the one participant; a damaged name is left out, a second person is refused."""
    codes, people = gathered.labels("participant", slice(None))
    of_each = np.bincount(codes[codes >= 0], minlength=len(people))
    order = np.argsort(-of_each, kind="stable")
    others = int(of_each.sum() - of_each.max(initial=0))
    if not others:
        return [], people[int(order[0])] if people else ""
    if others > _MAX_STRANGERS * len(codes):
        listed = ", ".join(people[i] for i in order[:3].tolist())
        raise FormatError(
            f"{name} holds gaze of {int((of_each > 0).sum())} participants ({listed}, ...); "
            "expected one. Split the file by its first column"
        )
    stranger = (codes != order[0]) & np.isfinite(t_ms)
    counts["other_participant"] += int(stranger.sum())
    t_ms[stranger] = np.nan
    return [f"{others} rows name another participant and were left out"], people[int(order[0])]


def _points(frame: "pd.DataFrame", eye: str, counts: Counter[str]) -> FloatArray:
    """``(n, 2)`` fractions of the display; NaN where the tracker calls the point invalid."""
    xy = frame[[f"{eye}_x", f"{eye}_y"]].to_numpy(dtype=np.float64)
    valid = frame[f"valid_gaze_{eye}"].to_numpy(dtype=np.float64) == 1
    counts[f"invalid_{eye}"] += int((~valid & np.isfinite(xy).all(axis=1)).sum())
    return np.where(valid[:, None], xy, np.nan)


def _pupil(frame: "pd.DataFrame", eye: str) -> FloatArray:
    valid = frame[f"valid_pd_{eye}"].to_numpy(dtype=np.float64) == 1
    return np.where(valid, frame[f"pd_{eye}"].to_numpy(dtype=np.float64), np.nan)


def _trials(
    gathered: Gathered, t_ms: FloatArray, kept_ms: FloatArray
) -> tuple[list[Trial], dict[str, str]]:
    """Runs of one function, and the id each function has in the study."""
    rows: IntArray | slice = slice(None)
    if len(kept_ms) < len(t_ms) or not np.array_equal(kept_ms, t_ms):
        rows = kept_rows(t_ms, kept_ms)
    codes, functions = gathered.labels("function", rows)
    numbers, ids = gathered.labels("id", rows)
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    last = np.append(first[1:], len(codes)) - 1
    ends = sample_end_ms(kept_ms)[last]
    shown = [functions[i] for i in codes[first].tolist()]
    names = unique_names(shown)
    trials = [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=function)
        for name, function, onset, offset in zip(
            names, shown, kept_ms[first].tolist(), ends.tolist(), strict=True
        )
    ]
    return trials, dict(zip(names, (ids[i] for i in numbers[first].tolist()), strict=True))


def _off_screen(samples: Samples) -> int:
    """Points outside the display: they are kept, and said."""
    known = samples.xy_px[~samples.lost]
    return int(((known < 0) | (known > 1)).any(axis=1).sum())


READER = Reader(
    name="tobii_research",
    title='Tobii research CSV without a header (participant, function, stamps, "(x, y)" points)',
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
