"""Labels that a Tobii export repeats on every row, kept once per run: events, media, recordings.

Pro Lab and Studio write the number and the place of a fixation, the name of the stimulus and the
name of the recording on each row. Held as columns they outweigh the gaze; here each block of the
file leaves only the rows at which something changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.model import Events, Samples, Trial
from gazecode.readers.tobii.rows import mean_of_known
from gazecode.readers.tools.arrow import Block
from gazecode.readers.tools.trials import kept_rows, unique_names
from gazecode.units import sample_end_ms

__all__ = ["Runs", "Spans", "events_of_spans", "rows_of_samples", "trials_of_spans"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_STRETCHES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Stretches of samples with one label: sample indices ``[first, last)`` and ms.

    `row` is the row of the table of runs that says what the label was.
    """

    first: IntArray
    last: IntArray
    onset_ms: FloatArray
    offset_ms: FloatArray
    row: IntArray

    def __getitem__(self, chosen: BoolArray) -> "Spans":
        return Spans(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


class Runs:
    """Rows at which one of the columns `keys` changes, with what `carried` says there.

    Examples
    --------
    >>> from gazecode.readers.tools.arrow import Block, Text
    >>> runs = Runs(["media"])
    >>> runs.add(Block(3, {}, {"media": Text(np.array([0, 0, 1]), ["a", "b"])}), before=0)
    >>> runs.add(Block(2, {}, {"media": Text(np.array([0, 1]), ["b", "c"])}), before=3)
    >>> spans = runs.spans(np.array([0.0, 10.0, 20.0, 30.0, 40.0]))
    >>> runs.texts("media", spans.row), spans.first.tolist(), spans.last.tolist()
    (['a', 'b', 'c'], [0, 2, 4], [2, 4, 5])
    """

    def __init__(self, keys: Sequence[str], carried: Sequence[str] = ()) -> None:
        self._keys = list(keys)
        self._starts: list[IntArray] = []
        self._labels: dict[str, list[str]] = {}
        self._values: dict[str, list[FloatArray]] = {}
        self._columns = [*keys, *carried]

    def add(self, block: Block, before: int) -> None:
        """Take the rows of a block; `before` rows came in the blocks before it."""
        if not block.n:
            return
        changed = np.zeros(block.n, dtype=bool)
        # The block before may have ended with another label: `spans` joins equal neighbours.
        changed[0] = True
        for key in self._keys:
            text = block.texts.get(key)
            code = text.codes if text is not None else _codes(block.numbers[key])
            changed[1:] |= code[1:] != code[:-1]
        rows = np.flatnonzero(changed)
        self._starts.append(rows + before)
        for name in self._columns:
            if name in block.texts:
                self._labels.setdefault(name, []).extend(block.texts[name].at(rows))
            else:
                self._values.setdefault(name, []).append(block.numbers[name][rows])

    def texts(self, column: str, rows: IntArray | None = None) -> list[str]:
        """What a text column says at the start of each run, or of some."""
        labels = self._labels.get(column, [])
        return labels if rows is None else [labels[row] for row in rows.tolist()]

    def values(self, columns: Sequence[str], rows: IntArray | None = None) -> FloatArray:
        """``(k, columns)`` numbers at the start of each run, or of some."""
        found = [np.concatenate(self._values.get(name, [np.empty(0)])) for name in columns]
        table: FloatArray = np.stack(found, axis=1)
        return table if rows is None else table[rows]

    def spans(self, t_ms: FloatArray, rows: IntArray | None = None) -> Spans:
        """Stretches of samples of one label.

        Parameters
        ----------
        t_ms
            ``(n,)`` the samples' stamps.
        rows
            ``(n,)`` row of the file that each sample comes from; None if each is its own.
        """
        none = np.empty(0, dtype=np.int64)
        if not len(t_ms) or not self._starts:
            return Spans(first=none, last=none, onset_ms=t_ms[:0], offset_ms=t_ms[:0], row=none)
        keys = np.stack([self._key(name) for name in self._keys], axis=1)
        label = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        first, run = np.concatenate(self._starts), np.arange(len(label))
        if rows is not None:
            run = np.searchsorted(first, rows, side="right") - 1
            first = np.arange(len(rows))
        changes = np.concatenate(([0], 1 + np.flatnonzero(np.diff(label[run]))))
        first = first[changes]
        last = np.concatenate((first[1:], [len(t_ms)]))
        return Spans(
            first=first,
            last=last,
            onset_ms=t_ms[first],
            offset_ms=sample_end_ms(t_ms)[last - 1],
            row=run[changes],
        )

    def _key(self, name: str) -> FloatArray:
        """A number per run, equal where the labels are."""
        if name in self._values:
            return _codes(np.concatenate(self._values[name]))
        seen: dict[str, int] = {}
        return np.array([seen.setdefault(x, len(seen)) for x in self._labels[name]], dtype=float)


def _codes(values: FloatArray) -> FloatArray:
    """A missing number is a label of its own."""
    return np.where(np.isnan(values), -np.inf, values)


def rows_of_samples(t_ms: FloatArray, clock_ms: FloatArray) -> IntArray | None:
    """Row of each sample, `kept_rows`; None where all rows became samples in their order."""
    return None if np.array_equal(t_ms, clock_ms) else kept_rows(t_ms, clock_ms)


def gaze_at(samples: Mapping[str, Samples], rows: "IntArray | slice") -> FloatArray:
    """``(k, 2)`` mean of the eyes that were seen in some samples, NaN where none was."""
    points = [eye.xy_px[rows] for eye in samples.values()]
    if len(points) == 1:
        return points[0]
    x, y = (mean_of_known([p[:, axis] for p in points], len(points[0])) for axis in range(2))
    return np.stack([x, y], axis=1)


def events_of_spans(
    spans: Spans, kind: Sequence[str], vendor_xy: FloatArray, samples: Mapping[str, Samples]
) -> Events:
    """Vendor's events: a fixation lies where the vendor says, else at the mean of its gaze.

    Parameters
    ----------
    kind
        Of each span; an empty one is no event.
    vendor_xy
        ``(k, 2)`` place of each span in the plane of the gaze; NaN if not said.
    """
    is_event: BoolArray = np.array([bool(one) for one in kind], dtype=bool)
    if not is_event.any():
        return Events.empty()
    kinds = np.asarray(kind, dtype=object)[is_event]
    spans, xy = spans[is_event], vendor_xy[is_event].copy()
    fixation = np.asarray(kinds == "fixation", dtype=bool)
    unsaid = fixation & ~(np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1]))
    xy[unsaid] = _means(samples, spans.first[unsaid], spans.last[unsaid])
    xy[~fixation] = gaze_at(samples, spans.first[~fixation])
    saccade = np.asarray(kinds == "saccade", dtype=bool)
    end = None
    if saccade.any():
        end = np.full_like(xy, np.nan)
        end[saccade] = gaze_at(samples, spans.last[saccade] - 1)
    return Events(
        kind=kinds,
        onset_ms=spans.onset_ms,
        offset_ms=spans.offset_ms,
        xy_px=xy,
        end_xy_px=end,
        first=spans.first,
        last=spans.last,
    )


def _means(samples: Mapping[str, Samples], first: IntArray, last: IntArray) -> FloatArray:
    """Mean gaze of each ``[first, last)``, some hundred stretches at a time."""
    means = np.full((len(first), 2), np.nan)
    for at in range(0, len(first), _STRETCHES):
        a, b = first[at : at + _STRETCHES], last[at : at + _STRETCHES]
        start = int(a[0])
        gaze = gaze_at(samples, slice(start, int(b[-1])))
        known = np.isfinite(gaze[:, 0])
        total = np.concatenate(([[0.0, 0.0]], np.where(known[:, None], gaze, 0.0))).cumsum(axis=0)
        count = np.concatenate(([0], known)).cumsum()
        n = count[b - start] - count[a - start]
        sums = total[b - start] - total[a - start]
        means[at : at + _STRETCHES] = sums / np.where(n > 0, n, np.nan)[:, None]
    return means


def trials_of_spans(
    spans: Spans, labels: Sequence[str], *, no_stimulus: Iterable[str]
) -> list[Trial]:
    """A trial per stretch of one label; an empty label is none, some name no stimulus."""
    shown = np.array([bool(label) for label in labels], dtype=bool)
    chosen = spans[shown]
    stimuli = [label for label in labels if label]
    blank = set(no_stimulus)
    return [
        Trial(
            name=name,
            onset_ms=float(onset),
            offset_ms=float(offset),
            stimulus=None if stimulus in blank else stimulus,
        )
        for name, stimulus, onset, offset in zip(
            unique_names(stimuli), stimuli, chosen.onset_ms, chosen.offset_ms, strict=True
        )
    ]
