"""From readings to sums: Bernoulli trials per label, and label sequences of the gaze.

The unit is participant × reading × token that was exposed for long enough; a success is at least
one fixation. Labels and sequences are those of Zhang et al. (EyeTrans, doi:10.1145/3643732;
EyeMulator); direction and self-transitions, which the published tables lost, are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import N_LABELS
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.fixated import largest_shares
from gazecode.priors.cells import QUANTUM, SUMS, TALLIES, Cells, added, one_cell, participant_id
from gazecode.priors.ngrams import counted
from gazecode.priors.reading import Reading

__all__ = ["RULES", "Rules", "cells_of"]

ACTIVITIES = ("reading", "typing", "scrolling", "unknown")
_BATCH = 256
"""Readings summed before their rows are added up: memory is that of a few hundred rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts.

    Attributes
    ----------
    min_exposure_ms
        A token is a trial if it was on the screen for at least so long; one never exposed, or not
        long enough, is missing, not a miss.
    bridge
        Whether a sequence of labels goes on over fixations between tokens and on tokens without a
        label (punctuation). If not, they end the run, as fixations off the code and lost ones do.
    activities
        Fixations that count. "unknown" is what a recording says that knows of no typing: its gaze
        is taken as what its task was. ``("typing",)`` gives the priors of following the caret.
    """

    min_exposure_ms: float = 200.0
    bridge: bool = True
    activities: tuple[str, ...] = ("reading", "unknown")

    def __post_init__(self) -> None:
        if not 0 <= self.min_exposure_ms < np.inf:
            raise ParameterError(
                f"min_exposure_ms is {self.min_exposure_ms}; expected a finite number >= 0"
            )
        for name in self.activities:
            if name not in ACTIVITIES:
                raise ParameterError.unknown("activities", name, ACTIVITIES)
        if not self.activities:
            raise ParameterError(f"no activity counts; name some of {', '.join(ACTIVITIES)}")


RULES = Rules()


def cells_of(readings: Iterable[Reading], rules: Rules = RULES) -> Cells:
    """Sum readings up, in any order, a few at a time."""
    total = added([])
    waiting: list[Cells] = []
    for reading in readings:
        waiting.append(_cell(reading, rules))
        if len(waiting) == _BATCH:
            total, waiting = added([total, *waiting]), []
    return added([total, *waiting])


def _cell(reading: Reading, rules: Rules) -> Cells:
    gaze = _Gaze.of(reading, rules)
    labelled = reading.label > 0
    exposure = np.nan_to_num(reading.hits.exposure_ms, nan=0.0)
    # Nobody can miss what was never there, whatever the threshold.
    trial = labelled & (exposure >= rules.min_exposure_ms) & (exposure > 0)
    sequences, runs, refixations = _sequences(reading, gaze, rules)
    tally = _token_tally(reading, gaze, trial, exposure) | _fixation_tally(reading, gaze, rules)
    tally |= {"runs": runs, "refixations": refixations}
    code, count = np.unique(sequences, return_counts=True)
    person = participant_id(reading.participant, reading.study)
    return one_cell(
        (person, reading.source, reading.task, reading.group),
        sums=_sums(reading, gaze, trial),
        tally=[tally[name] for name in TALLIES],
        ngrams=np.stack([code, count], axis=1),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Gaze:
    """Per fixation the token it counts for (-1: none) and whether it counts; looks per token."""

    token: IntArray
    counts: BoolArray
    looks: IntArray

    @classmethod
    def of(cls, reading: Reading, rules: Rules) -> "_Gaze":
        hits = reading.hits
        token = np.full(hits.n_fixations, -1)
        rows = largest_shares(hits.fixation, hits.token, hits.share)
        token[hits.fixation[rows]] = hits.token[rows]
        token[hits.status != "token"] = -1
        counts: BoolArray = np.isin(reading.activity.astype(str), rules.activities)
        looks = np.bincount(token[counts & (token >= 0)], minlength=len(reading.label))
        return cls(token=token, counts=counts, looks=looks)


def _sums(reading: Reading, gaze: _Gaze, trial: BoolArray) -> FloatArray:
    """``(len(SUMS), N_LABELS)`` of one reading."""
    hit = gaze.looks > 0
    null = trial & np.isfinite(reading.chance)
    measured = trial & np.isfinite(reading.characters)
    placed = trial & np.isfinite(reading.area_px2)
    dwell = _dwell_ms(reading, gaze)
    wanted: dict[str, tuple[BoolArray, FloatArray | None]] = {
        "shown": (trial, None),
        "hit": (trial & hit, None),
        "null_shown": (null, None),
        "null_hit": (null & hit, None),
        "chance": (null, reading.chance),
        "measured": (measured, None),
        "characters": (measured, reading.characters),
        "dwell_ms": (measured, dwell),
        "area_shown": (placed, None),
        "area_px2": (placed, reading.area_px2),
    }
    sums = np.array([_per_label(reading, *wanted[name]) for name in SUMS])
    exact: FloatArray = np.round(sums / QUANTUM[:, None]) * QUANTUM[:, None]
    return exact


def _per_label(reading: Reading, rows: BoolArray, values: FloatArray | None) -> FloatArray:
    weights = None if values is None else values[rows]
    return np.bincount(reading.label[rows], weights=weights, minlength=N_LABELS).astype(np.float64)


def _dwell_ms(reading: Reading, gaze: _Gaze) -> FloatArray:
    """``(m,)`` time of the fixations that count, shared out as the hits say."""
    hits = reading.hits
    rows = gaze.counts[hits.fixation]
    spent = (hits.share * hits.duration_ms[hits.fixation])[rows]
    dwell: FloatArray = np.bincount(
        hits.token[rows], weights=spent, minlength=len(reading.label)
    ).astype(np.float64)
    return dwell


_LABELLED, _BRIDGE, _END = 0, 1, 2


def _sequences(reading: Reading, gaze: _Gaze, rules: Rules) -> tuple[IntArray, int, int]:
    """Packed label sequences of the gaze, how many runs it has, and how many refixations.

    A refixation is the same token twice in succession; it is a transition of its label to itself.
    """
    kind = _kinds(reading, gaze, rules)
    order = np.argsort(reading.hits.onset_ms, kind="stable")
    kind, token = kind[order], gaze.token[order]
    run = np.cumsum(kind == _END)[kind == _LABELLED]
    token = token[kind == _LABELLED]
    same = (token[1:] == token[:-1]) & (run[1:] == run[:-1])
    label = reading.label[token].astype(np.int64)
    return counted(label, run), len(np.unique(run)), int(same.sum())


def _kinds(reading: Reading, gaze: _Gaze, rules: Rules) -> IntArray:
    """Per fixation: on a labelled token, to be bridged, or the end of a run."""
    status = reading.hits.status
    kind = np.full(len(status), _END)
    kind[(status == "token") | (status == "between")] = _BRIDGE if rules.bridge else _END
    labelled = (gaze.token >= 0) & (reading.label[gaze.token] > 0) if len(reading.label) else False
    kind[labelled] = _LABELLED
    kind[~gaze.counts] = _END
    return kind


def _token_tally(
    reading: Reading, gaze: _Gaze, trial: BoolArray, exposure: FloatArray
) -> dict[str, int]:
    labelled = reading.label > 0
    return {
        "readings": 1,
        "tokens": len(labelled),
        "tokens_unlabelled": int((~labelled).sum()),
        "tokens_never_exposed": int((labelled & (exposure <= 0)).sum()),
        "tokens_too_brief": int((labelled & (exposure > 0) & ~trial).sum()),
        "trials": int(trial.sum()),
        "hit_but_no_trial": int((labelled & ~trial & (gaze.looks > 0)).sum()),
    }


def _fixation_tally(reading: Reading, gaze: _Gaze, rules: Rules) -> dict[str, int]:
    status, activity = reading.hits.status, reading.activity
    unlabelled = gaze.counts & (gaze.token >= 0)
    unlabelled[unlabelled] = reading.label[gaze.token[unlabelled]] == 0
    between = gaze.counts & (status == "between")
    return {
        "fixations": len(status),
        **{f"fixations_{name}": int((status == name).sum()) for name in _STATUS_TALLIES},
        "fixations_unlabelled": int(unlabelled.sum()),
        **{f"fixations_{name}": int((activity == name).sum()) for name in _ACTIVITY_TALLIES},
        "fixations_left_out": int((~gaze.counts).sum()),
        "fixations_bridged": int((unlabelled | between).sum()) if rules.bridge else 0,
    }


_STATUS_TALLIES = ("token", "between", "off", "lost")
_ACTIVITY_TALLIES = ("typing", "scrolling", "unknown")
