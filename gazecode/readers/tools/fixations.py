"""Recordings of files that hold fixations alone: rows checked, ordered, trials on one clock.

Such files give each trial its own clock. Where the trials' own stretches follow one another as they
stand, the file's clock is kept; where they overlap, trials are laid one after another.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.model import Events, Recording, Screen, Stimulus, Trial
from gazecode.model.checks import repeated, sealed
from gazecode.readers.tools.build import no_samples
from gazecode.readers.tools.trials import unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "GAP_MS",
    "FixationTable",
    "of_one_person",
    "point_columns",
    "recording_of_fixations",
    "texts_of",
    "trial_codes",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GAP_MS = 1000.0
"""Between trials that have to be laid one after another."""
_MAX_CODES = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class FixationTable:
    """Fixations of one file, one row each, in any order.

    Attributes
    ----------
    trial
        ``(n,)`` number of each row's trial, 0 to k - 1 in the order of the file.
    names, stimuli, people
        ``(k,)`` what the file calls its trials, what was shown in them (None if it is not said),
        and whose they are.
    onset_ms, offset_ms
        ``(n,)`` half-open, on the trial's own clock.
    xy_px
        ``(n, 2)`` positions; NaN where unknown.
    kind
        ``(n,)`` kinds of event; None for fixations alone.
    end_xy_px
        ``(n, 2)`` where a saccade ended; None if the format has no saccades.
    """

    trial: npt.NDArray[Any]
    names: Sequence[str]
    stimuli: Sequence[str | None]
    people: Sequence[str]
    onset_ms: FloatArray
    offset_ms: FloatArray
    xy_px: FloatArray
    kind: npt.NDArray[np.object_] | None = None
    end_xy_px: FloatArray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Clock:
    """Where each trial lies: ``(k,)`` shift added to its own times, own start and end, in words."""

    shift_ms: FloatArray
    start_ms: FloatArray
    end_ms: FloatArray
    words: str = ""


def recording_of_fixations(
    table: FixationTable,
    *,
    clock: str,
    counts: Counter[str],
    from_first: bool = False,
    provenance: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    screen: Screen | None = None,
    boxes: Callable[[IntArray], Mapping[str, Stimulus]] | None = None,
) -> Recording:
    """Make a recording without samples of a table of fixations.

    Parameters
    ----------
    table
        What the file holds; no column of it is changed.
    clock
        Which columns the times come from, in words.
    counts
        Added to: `no_interval` (rows without a time or without an extent, left out), `unsorted`,
        `half_lost`, `empty_trials`; only what occurs.
    from_first
        Whether a trial begins with its first fixation; otherwise at 0 of its own clock.
    provenance, notes, screen
        Added to the recording.
    boxes
        Makes the recording's `stimuli`, given for each row of the table the index of its event
        (-1 where it was left out).

    Examples
    --------
    >>> table = FixationTable(
    ...     trial=np.array([0, 0, 1]),
    ...     names=["Vehicle", "Vehicle"],
    ...     stimuli=["Vehicle", "Vehicle"],
    ...     people=["P1", "P2"],
    ...     onset_ms=np.array([100.0, 400.0, 50.0]),
    ...     offset_ms=np.array([300.0, 600.0, 80.0]),
    ...     xy_px=np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]),
    ... )
    >>> recording = recording_of_fixations(table, clock="StartTime", counts=Counter())
    >>> recording.device_events.onset_ms
    array([ 100.,  400., 1650.])
    >>> [(t.name, t.onset_ms, t.offset_ms) for t in recording.trials]
    [('Vehicle', 0.0, 600.0), ('Vehicle (2)', 1600.0, 1680.0)]
    >>> recording.provenance["participants"]
    {'Vehicle': 'P1', 'Vehicle (2)': 'P2'}
    """
    rows = _whole_rows(table, counts)
    onset, offset, trial = table.onset_ms[rows], table.offset_ms[rows], table.trial[rows]
    laid = _lay_out(onset, offset, trial, len(table.names), from_first=from_first)
    if laid.shift_ms.any():
        shift = laid.shift_ms[trial]
        onset, offset = onset + shift, offset + shift
        del shift
    order = _order(onset, counts)
    xy = _points(table, rows, order, counts)
    kind = None if table.kind is None else table.kind[rows][order]
    end = None if table.end_xy_px is None else sealed(table.end_xy_px[rows][order])
    trials, people = _trials(table, laid, counts)
    return Recording(
        samples=no_samples(),
        trials=trials,
        device_events=Events(
            kind=sealed(repeated("fixation", len(onset)) if kind is None else kind),
            onset_ms=sealed(onset[order]),
            offset_ms=sealed(offset[order]),
            xy_px=sealed(xy),
            end_xy_px=end,
        ),
        screen=screen,
        stimuli={} if boxes is None else boxes(_place(len(table.onset_ms), rows, order)),
        provenance={
            "clock": f"{clock}{laid.words}",
            **_whose(people),
            **(provenance or {}),
            "left_out": dict(+counts),
            "notes": ["the file holds events alone, no samples", *notes],
        },
    )


def _whole_rows(table: FixationTable, counts: Counter[str]) -> slice | IntArray:
    # A comparison with NaN is false: a row without a time is not whole either.
    whole = (table.offset_ms > table.onset_ms) & np.isfinite(table.offset_ms)
    whole &= np.isfinite(table.onset_ms)
    if whole.all():
        return slice(None)
    counts["no_interval"] += int((~whole).sum())
    return np.flatnonzero(whole)


def _lay_out(
    onset: FloatArray, offset: FloatArray, trial: IntArray, k: int, *, from_first: bool
) -> _Clock:
    start = np.full(k, np.inf)
    end = np.full(k, -np.inf)
    np.minimum.at(start, trial, onset)
    np.maximum.at(end, trial, offset)
    seen = end > start
    if not from_first:
        # A trial's own clock begins at 0; whatever is stamped before that still belongs to it.
        start = np.where(seen, np.minimum(start, 0.0), start)
    a, b = start[seen], end[seen]
    follow = bool((a[1:] >= b[:-1]).all())
    zero = float(a[0]) if len(a) and (from_first or a[0] < 0) else 0.0
    shift = np.full(k, -zero)
    words = "; 0 at the first" if from_first else ""
    if not follow:
        laid = np.concatenate(([0.0], np.cumsum(b - a + GAP_MS)[:-1])) - a
        shift[seen] = laid
        words = (
            f"; each trial has its own clock, so trials follow one another with {GAP_MS:g} ms "
            "between"
        )
    return _Clock(shift_ms=shift, start_ms=start, end_ms=end, words=words)


def _order(onset: FloatArray, counts: Counter[str]) -> slice | IntArray:
    backward = int((np.diff(onset) < 0).sum())
    if not backward:
        return slice(None)
    counts["unsorted"] += backward
    return np.argsort(onset, kind="stable")


def _place(n: int, rows: slice | IntArray, order: slice | IntArray) -> IntArray:
    kept = np.arange(n)[rows][order]
    place = np.full(n, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return place


def _points(
    table: FixationTable, rows: slice | IntArray, order: slice | IntArray, counts: Counter[str]
) -> FloatArray:
    xy = table.xy_px[rows]
    known = np.isfinite(xy)
    half = known[:, 0] != known[:, 1]
    if half.any():
        counts["half_lost"] += int(half.sum())
    if not known.all():
        xy = np.where((known[:, 0] & known[:, 1])[:, None], xy, np.nan)
    points: FloatArray = xy[order]
    return points


def _trials(
    table: FixationTable, laid: _Clock, counts: Counter[str]
) -> tuple[list[Trial], dict[str, str]]:
    """Trials in order of time, and whose each is."""
    seen = np.flatnonzero(laid.end_ms > laid.start_ms)
    if len(seen) < len(table.names):
        counts["empty_trials"] += len(table.names) - len(seen)
    begin, end = laid.start_ms + laid.shift_ms, laid.end_ms + laid.shift_ms
    order = seen[np.argsort(begin[seen], kind="stable")].tolist()
    names = unique_names(table.names[i] for i in order)
    trials = [
        Trial(
            name=name,
            onset_ms=float(begin[i]),
            offset_ms=float(end[i]),
            stimulus=table.stimuli[i],
        )
        for name, i in zip(names, order, strict=True)
    ]
    return trials, {name: table.people[i] for name, i in zip(names, order, strict=True)}


def _whose(people: Mapping[str, str]) -> dict[str, Any]:
    distinct = sorted(set(people.values()))
    if len(distinct) > 1:
        return {"participants": dict(people)}
    return {"participant": distinct[0] if distinct else ""}


def of_one_person(
    frame: "pd.DataFrame", column: str, participant: str | None, *, name: str, counts: Counter[str]
) -> "pd.DataFrame":
    """Keep the rows of one person, if one is asked for; the others are counted.

    Raises
    ------
    ParameterError
        The file does not know that person; the message lists whom it does.
    """
    if participant is None or column not in frame:
        return frame
    text = texts_of(frame[column])
    people = sorted(set(text.tolist()))
    if participant not in people:
        raise ParameterError.unknown(f"participants of {name}", participant, people)
    mine = text == participant
    counts["other_participant"] += int((~mine).sum())
    return frame if mine.all() else frame[mine].reset_index(drop=True)


def point_columns(frame: "pd.DataFrame", x: str, y: str) -> FloatArray:
    """``(n, 2)`` of two columns, which the frame loses."""
    points = np.empty((len(frame), 2))
    points[:, 0] = frame.pop(x)
    points[:, 1] = frame.pop(y)
    return points


def trial_codes(frame: "pd.DataFrame", keys: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Number of each row's trial in the order of the file, and the first row of each trial.

    Parameters
    ----------
    frame
        With categorical columns, as `read_delimited` gives texts, or numbers.
    keys
        Columns that are equal throughout a trial.
    """
    import pandas as pd

    code = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for key in keys:
        labels, n = _labels(frame[key])
        code = code * n + labels
        size *= n
        # Numbers stay small, so that a table of them does: only combinations that occur count.
        if size > _MAX_CODES:
            code, occurring = pd.factorize(code)
            size = len(occurring)
    first = np.full(size, -1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)
    seen = np.flatnonzero(first >= 0)
    seen = seen[np.argsort(first[seen])]
    rank = np.empty(size, dtype=np.int64)
    rank[seen] = np.arange(len(seen))
    return rank[code], first[seen]


def _labels(column: "pd.Series") -> tuple[IntArray, int]:
    """A number for each distinct value, and how many there are; no two missing ones are equal."""
    if column.dtype == "category":
        # A missing label has the code -1.
        codes = column.cat.codes.to_numpy().astype(np.int64)
        return codes + 1, len(column.cat.categories) + 1
    # Told apart by hashes: sorting would take several times the memory.
    codes, values = column.factorize()
    missing = np.flatnonzero(codes < 0)
    codes[missing] = len(values) + np.arange(len(missing))
    return codes, len(values) + len(missing)


def texts_of(column: "pd.Series") -> npt.NDArray[np.object_]:
    """A column of labels as texts, also where the parser took them for numbers."""
    category = column.astype("category").cat
    names = np.array([str(name) for name in category.categories], dtype=object)
    return names[category.codes.to_numpy()] if len(names) else np.empty(0, dtype=object)
