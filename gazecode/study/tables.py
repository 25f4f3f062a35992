"""The tables of a run: a row per fixation, per hit, and per token of a trial."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.measures import linearity, reading_measures
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray
from gazecode.model.fixated import fixation_counts, largest_shares
from gazecode.pipeline import TrialResult
from gazecode.study.settings import RecordingTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How a trial becomes rows, and the units that do not follow from a column's name."""

    frame_of: "Callable[[RecordingTable, TrialResult], pd.DataFrame]"
    units: Mapping[str, str] = field(default_factory=dict)


def _fixation_frame(entry: RecordingTable, result: TrialResult) -> "pd.DataFrame":
    """The same columns whatever found the fixations; what a method does not say is missing."""
    import pandas as pd

    frame = result.fixations.to_frame()
    n = len(frame)
    columns: dict[str, Any] = {**_who(entry, result), "fixation": range(n)}
    for name in ("onset_ms", "offset_ms", "duration_ms", "x_px", "y_px"):
        columns[name] = frame[name]
    for name in ("first", "last", "line"):
        known = frame[name] if name in frame else pd.Series([None] * n)
        columns[name] = known.astype("Int64")
    beside = {"recorded_x_px": frame["x_px"], "recorded_y_px": frame["y_px"], "line_share": np.nan}
    for name, otherwise in beside.items():
        columns[name] = frame.get(name, otherwise)
    for name, otherwise in (("eye", result.gaze.eye), ("activity", "unknown")):
        known = frame[name] if name in frame else pd.Series([otherwise] * n)
        columns[name] = known.astype(str)
    return pd.DataFrame({**columns, "status": result.hits.status.astype(str)}, index=range(n))


def _hit_frame(entry: RecordingTable, result: TrialResult) -> "pd.DataFrame":
    tokens, hits = result.shown.tokens, result.hits
    frame = hits.to_frame()
    texts = tokens.texts
    frame["token_start"] = tokens.span[hits.token, 0]
    frame["token_end"] = tokens.span[hits.token, 1]
    frame["token_text"] = [texts[i] for i in hits.token]
    frame["token_label"] = tokens.label[hits.token].astype(str)
    return _led_by(_who(entry, result), frame)


def _who(entry: RecordingTable, result: TrialResult) -> dict[str, str]:
    return {
        "file": entry.name,
        "participant": entry.participant,
        "trial": result.trial.name,
        "stimulus": result.shown.stimulus,
    }


def _token_frame(entry: RecordingTable, result: TrialResult) -> "pd.DataFrame":
    """Every token of the source, looked at or not, shown or not: what priors are counted from."""
    import pandas as pd

    tokens, hits = result.shown.tokens, result.counted
    texts = tokens.texts
    spent = hits.share * hits.duration_ms[hits.fixation]
    columns: dict[str, Any] = {
        "file": entry.name,
        "participant": entry.participant,
        "group": entry.group,
        "task": entry.task,
        "trial": result.trial.name,
        "stimulus": result.shown.stimulus,
        "language": tokens.language,
        "source_id": tokens.source_id,
        "source_sha256": hashlib.sha256(tokens.code).hexdigest(),
        "token": np.arange(len(tokens)),
        "token_start": tokens.span[:, 0],
        "token_end": tokens.span[:, 1],
        "token_text": texts,
        "token_label": tokens.label.astype(str),
        "characters": np.array([len(text) for text in texts], dtype=np.int64),
        "area_px2": _area_px2(result.shown.layout),
        "exposure_ms": hits.exposure_ms,
        "n_fixations": fixation_counts(hits),
        "dwell_ms": _summed(hits.token, spent, len(tokens)),
        "chance": np.full(len(tokens), np.nan) if hits.chance is None else hits.chance,
    }
    return pd.DataFrame(columns, index=range(len(tokens)))


def _measure_frame(entry: RecordingTable, result: TrialResult) -> "pd.DataFrame":
    """Reading measures of every token, then of every line; on code every first visit counts."""
    import pandas as pd

    frames = [
        reading_measures(
            result.counted,
            result.shown.tokens,
            unit=unit,
            first_run="visit",
            fixations=result.fixations,
            layout=result.shown.layout,
        ).to_frame()
        for unit in ("token", "line")
    ]
    return _led_by(_who(entry, result), pd.concat(frames, ignore_index=True))


def _linearity_frame(entry: RecordingTable, result: TrialResult) -> "pd.DataFrame":
    """How linear the scan path of a trial was, by every denominator in use."""
    tokens, hits = result.shown.tokens, result.counted
    token = np.full(hits.n_fixations, -1)
    rows = largest_shares(hits.fixation, hits.token, hits.share)
    token[hits.fixation[rows]] = hits.token[rows]
    found = linearity(
        np.where(token >= 0, np.append(tokens.row, -1)[token], -1),
        place=result.fixations.xy_px[:, 0],
        element=token,
        code_lines=np.unique(tokens.row).tolist(),
        n_elements=len(tokens),
    )
    return _led_by(_who(entry, result), found.to_frame())


def _led_by(who: Mapping[str, str], frame: "pd.DataFrame") -> "pd.DataFrame":
    for i, (name, value) in enumerate(who.items()):
        frame.insert(i, name, value)
    return frame


def _area_px2(layout: Layout) -> FloatArray:
    """Area of all boxes of each token, ``(m,)``; 0 for what was not shown."""
    size = layout.boxes[:, 2:] - layout.boxes[:, :2]
    return _summed(layout.token, size.prod(axis=1), layout.n_tokens)


def _summed(token: IntArray, part: FloatArray, n_tokens: int) -> FloatArray:
    # Without a single row bincount counts in whole numbers, and the column changes its type.
    return np.bincount(token, weights=part, minlength=n_tokens).astype(np.float64)


_SPAN = {"token_start": "byte", "token_end": "byte"}
TABLES: Mapping[str, Table] = {
    "fixations": Table(frame_of=_fixation_frame),
    "hits": Table(frame_of=_hit_frame, units=_SPAN),
    "tokens": Table(
        frame_of=_token_frame,
        units={**_SPAN, "area_px2": "px2", "characters": "count", "n_fixations": "count"},
    ),
    "measures": Table(
        frame_of=_measure_frame,
        units=dict.fromkeys(
            ("fixations", "visits", "revisits", "regressions_in", "regressions_out"), "count"
        )
        | {"landing_chars": "character"},
    ),
    "linearity": Table(frame_of=_linearity_frame, units={"count": "count", "total": "count"}),
}
"""Name of the file, without ``.parquet``, to what goes into it."""
