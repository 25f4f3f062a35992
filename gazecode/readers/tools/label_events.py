"""Device events from a label per sample: a run of ``Fixation`` is a fixation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.model import Events, Samples
from gazecode.model.checks import repeated
from gazecode.units import sample_end_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Labels", "events_of_labels", "is_label", "labels_of"]

IntArray = npt.NDArray[np.int64]
Labels = tuple[npt.NDArray[np.integer], list[str]]
"""``(n,)`` number of each sample's label, and the labels."""


def labels_of(column: "pd.Series", rows: "IntArray | slice") -> Labels:
    """Labels of some rows of a categorical column.

    >>> import pandas as pd
    >>> labels_of(pd.Series(["b", "a", "b"], dtype="category"), slice(1, None))
    (array([0, 1], dtype=int8), ['a', 'b'])
    """
    codes = np.asarray(column.cat.codes)[rows]
    return codes, [str(c) for c in column.cat.categories]


def is_label(column: "pd.Series", *labels: str) -> npt.NDArray[np.bool_]:
    """Which rows of a categorical column hold one of some labels.

    >>> import pandas as pd
    >>> is_label(pd.Series([299, 300], dtype="category"), "300", "301")
    array([False,  True])
    """
    codes, names = labels_of(column, slice(None))
    # A code of -1 is a missing label and takes the last entry.
    mask: npt.NDArray[np.bool_] = np.array([*(name in labels for name in names), False])[codes]
    return mask


def events_of_labels(
    labels: Mapping[str, Labels], samples: Mapping[str, Samples], kinds: Mapping[str, str]
) -> Events:
    """Runs of equal labels as events, per eye.

    Parameters
    ----------
    labels
        Eye (left, right or both) → its label per sample.
    samples
        Eye → samples; an eye that has none of its own takes those of both.
    kinds
        Label → kind of event; other labels are no event.

    Examples
    --------
    >>> gaze = Samples(t_ms=[0, 4, 8], xy_px=[[1, 1], [3, 1], [9, 9]], eye="left")
    >>> labels = {"left": (np.array([0, 0, 1]), ["Fixation", "-"])}
    >>> events = events_of_labels(labels, {"left": gaze}, {"Fixation": "fixation"})
    >>> events.to_frame()[["kind", "onset_ms", "offset_ms", "x_px", "eye"]].to_numpy().tolist()
    [['fixation', 0.0, 8.0, 2.0, 'left']]
    """
    parts = [
        _of_eye(codes, names, samples[eye if eye in samples else "both"], eye, kinds)
        for eye, (codes, names) in labels.items()
        if eye in samples or "both" in samples
    ]
    parts = [part for part in parts if len(part)]
    if not parts:
        return Events.empty()
    onset = np.concatenate([p.onset_ms for p in parts])
    order = np.argsort(onset, kind="stable")
    return Events(
        kind=np.concatenate([p.kind for p in parts])[order],
        onset_ms=onset[order],
        offset_ms=np.concatenate([p.offset_ms for p in parts])[order],
        xy_px=np.concatenate([p.xy_px for p in parts])[order],
        first=np.concatenate([_index(p.first) for p in parts])[order],
        last=np.concatenate([_index(p.last) for p in parts])[order],
        eye=np.repeat(
            np.array([str(p.eye[0]) for p in parts if p.eye is not None], dtype=object),
            [len(p) for p in parts],
        )[order],
    )


def _index(column: IntArray | None) -> IntArray:
    return np.empty(0, np.int64) if column is None else column


def _of_eye(
    codes: npt.NDArray[np.integer],
    names: list[str],
    s: Samples,
    eye: str,
    kinds: Mapping[str, str],
) -> Events:
    if not len(s):
        return Events.empty()
    starts = np.concatenate(([0], 1 + np.flatnonzero(codes[1:] != codes[:-1])))
    ends = np.append(starts[1:], len(codes))
    # A code of -1 is a missing label and takes the last entry.
    kind = np.array([*(kinds.get(name, "") for name in names), ""], dtype=object)[codes[starts]]
    chosen = np.flatnonzero(kind != "")
    if not len(chosen):
        return Events.empty()
    kind = kind[chosen]
    xy = _mean(s, starts)[chosen]
    # Only a fixation has a mean position; anything else is where it starts.
    begins = kind != "fixation"
    xy[begins] = _first_seen(s, starts)[chosen][begins]
    first, last = starts[chosen], ends[chosen]
    return Events(
        kind=kind,
        onset_ms=s.t_ms[first],
        offset_ms=sample_end_ms(s.t_ms)[last - 1],
        xy_px=xy,
        first=first,
        last=last,
        eye=repeated(eye, len(first)),
    )


def _mean(s: Samples, starts: IntArray) -> npt.NDArray[np.float64]:
    seen = np.add.reduceat(~s.lost, starts, dtype=np.int64)
    total = np.add.reduceat(np.nan_to_num(s.xy_px), starts, axis=0)
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[np.float64] = total / np.where(seen, seen, np.nan)[:, None]
    return mean


def _first_seen(s: Samples, starts: IntArray) -> npt.NDArray[np.float64]:
    n = len(s)
    row = np.minimum.reduceat(np.where(s.lost, n, np.arange(n)), starts)
    found: npt.NDArray[np.float64] = s.xy_px[np.minimum(row, n - 1)].copy()
    found[row == n] = np.nan
    return found
