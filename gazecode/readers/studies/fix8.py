"""fix8 JSON (Fix8 drift correction tool): ``{"fixations": [[x, y, duration_ms], ...]}``.

Al Madi et al., https://github.com/nalmadi/fix8. There are no times: fixations are laid end to end
by their durations, so durations and order are the recording's own and pauses between fixations are
not. Participant, trial and stimulus are in the file's name alone:
``trial_<t>_participant_<p>_<stimulus>.json`` (EMIP) or ``<p>_code_<stimulus>_<n>_....json`` (MET).
"""

import re
from array import array
from collections import Counter
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.fixations import FixationTable, FloatArray, recording_of_fixations
from gazecode.readers.tools.json_rows import json_rows

__all__ = ["READER", "read", "sniff"]

_BEGIN = re.compile(rb'\s*\{[^{}\[\]]{0,4000}"fixations"\s*:\s*\[\s*(?:\]|\[\s*[-+0-9.nN])')
_CELLS = 3
_NAMES = (
    re.compile(r"trial_(?P<trial>[^_]+)_participant_(?P<participant>[^_]+)_(?P<stimulus>.+)"),
    re.compile(r"(?P<participant>[^_]+)_code_(?P<stimulus>.+?)_(?P<trial>\d+)(?:_.*)?"),
)


def sniff(source: Source) -> bool:
    """Whether the document begins with a list of rows of numbers called fixations."""
    return _BEGIN.match(source.head) is not None


def read(source: Source) -> Recording:
    """Read one trial of one participant.

    Returns
    -------
    Recording
        No samples; `device_events` are the fixations in px, end to end from 0. One trial.
    """
    counts: Counter[str] = Counter()
    xyd = _rows(source, counts)
    duration = np.where(xyd[:, 2] > 0, xyd[:, 2], np.nan)
    end = np.nancumsum(duration)
    said = _said(source.name)
    stimulus = said.get("stimulus")
    table = FixationTable(
        trial=np.zeros(len(end), dtype=np.int8),
        names=[stimulus or source.name.removesuffix(".json")],
        stimuli=[stimulus],
        people=[said.get("participant", "")],
        onset_ms=end - duration,
        offset_ms=end,
        xy_px=xyd[:, :2].copy(),
    )
    del xyd, duration, end
    return recording_of_fixations(
        table,
        clock="no times in the file: fixations laid end to end by their durations, ms",
        counts=counts,
        provenance={
            "trial": said.get("trial", ""),
            "end_to_end": True,
        },
        notes=[
            "pauses between fixations are not in the file: onsets are sums of durations",
            "whether positions are corrected for drift is not in the file",
        ],
    )


def _rows(source: Source, counts: Counter[str]) -> FloatArray:
    """``(n, 3)`` x, y, duration."""
    values = array("d")

    def take(_number: int, rows: list[Any]) -> None:
        for row in rows:
            if isinstance(row, list) and len(row) >= _CELLS:
                values.extend(row[:_CELLS])
            else:
                counts["ragged_rows"] += 1

    try:
        json_rows(source.chunks(), key="fixations", opens=b"[", rows=take, name=source.name)
    except TypeError as error:
        raise FormatError(
            f"{source.name}: a fixation holds something other than numbers ({error}); "
            "expected [x, y, duration]"
        ) from error
    return np.frombuffer(values, dtype=np.float64).reshape(-1, _CELLS)


def _said(name: str) -> dict[str, str]:
    stem = name.removesuffix(".json")
    found = next((m for pattern in _NAMES if (m := pattern.fullmatch(stem))), None)
    return found.groupdict() if found else {}


READER = Reader(
    name="fix8",
    title='fix8 JSON ({"fixations": [[x, y, duration], ...]}): fixations without times',
    sniff=sniff,
    read=read,
    suffixes=(".json",),
    priority=10,
)
