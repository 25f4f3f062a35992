"""Line methods against lines that people set: share of fixations on the right line.

A method is scored twice: over all fixations, none abstained, and over the nine tenths it is most
sure of (ties in the order of time; a method without probabilities is as sure of all of them).
Fixations that the data leave without a line are not given to any method, as in Carr et al. 2022;
they are counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.errors import DataError
from gazecode.evaluation.line_trials import LineTrial
from gazecode.mapping.lines import assign_lines
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["calibration", "line_table"]

_DRAWS = 1000
Methods = Sequence[str] | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scored:
    """Fixations of one trial under one method: right or not, and how sure it was."""

    right: BoolArray
    share: FloatArray
    taken: BoolArray
    group: str


def line_table(
    trials: Iterable[LineTrial],
    methods: Methods,
    *,
    abstain: float = 0.1,
    min_share: float = 0.5,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Accuracy of every method on every set.

    Parameters
    ----------
    methods
        Names in `LINE_METHODS`, or parameters by name; ``"jumps: none"`` is `jumps` under another
        heading.
    abstain
        Share of the fixations of a set that may be left without a line: the least sure ones.
    min_share
        Beside it: what a fixed threshold leaves out, and how often the rest is right.
    seed
        Of the bootstrap over readers (95 %; over trials, if there is one reader).

    Returns
    -------
    One row per set and method: ``set method trials readers fixations left_out failed accuracy low
    high accuracy_sure abstained_at accuracy_at calibration``. `failed` counts trials on which the
    method raised a `DataError` (all of their fixations count as wrong); `calibration` is the mean
    difference between probability and accuracy over tenths, NaN for methods without probability.
    """
    known = dict(methods) if isinstance(methods, Mapping) else {name: {} for name in methods}
    sets: dict[str, list[LineTrial]] = {}
    for trial in trials:
        sets.setdefault(trial.set, []).append(trial)
    return [
        _row(name, held, label, dict(params), abstain, min_share, seed)
        for name, held in sets.items()
        for label, params in known.items()
    ]


def calibration(
    trials: Iterable[LineTrial], method: str, **params: Any
) -> list[dict[str, float | int]]:
    """Per tenth of the probability a method gave: its mean, how often it was right, how many."""
    scored = [_score(trial, method, params)[0] for trial in trials]
    share = np.concatenate([one.share for one in scored])
    right = np.concatenate([one.right for one in scored])
    tenth = np.clip((share * 10).astype(np.int64), 0, 9)
    return [
        {
            "probability": float(share[here].mean()),
            "accuracy": float(right[here].mean()),
            "fixations": int(here.sum()),
        }
        for here in (tenth == number for number in range(10))
        if here.any()
    ]


def _row(  # noqa: PLR0917
    name: str,
    trials: list[LineTrial],
    label: str,
    params: dict[str, Any],
    abstain: float,
    min_share: float,
    seed: int,
) -> dict[str, Any]:
    pairs = [_score(trial, label.split(":", maxsplit=1)[0], params) for trial in trials]
    scored = [one for one, _ in pairs]
    share = np.concatenate([one.share for one in scored])
    right = np.concatenate([one.right for one in scored])
    taken = np.concatenate([one.taken for one in scored])
    n = len(right)
    soft = bool(((share > 0) & (share < 1)).any())
    sure = np.argsort(-share, kind="stable")[: n - int(abstain * n) if soft else n]
    above = taken & (share >= min_share)
    low, high = _interval(scored, seed)
    return {
        "set": name,
        "method": label,
        "trials": len(trials),
        "readers": len({trial.group or trial.name for trial in trials}),
        "fixations": n,
        "left_out": sum(trial.n_left_out for trial in trials),
        "failed": sum(failed for _, failed in pairs),
        "accuracy": float(right.mean()) if n else np.nan,
        "low": low,
        "high": high,
        "accuracy_sure": float(right[sure].mean()) if n else np.nan,
        "abstained_at": float(1 - above.mean()) if n else np.nan,
        "accuracy_at": float(right[above].mean()) if above.any() else np.nan,
        "calibration": _miscalibration(share, right) if soft else np.nan,
    }


def _score(trial: LineTrial, method: str, params: Mapping[str, Any]) -> tuple[_Scored, int]:
    """What a method says of the fixations that are scored; 1 if it could not say anything."""
    kept = np.flatnonzero(trial.kept)
    gold = trial.gold_line[kept]
    group = trial.group or trial.name
    try:
        found = assign_lines(trial.fixations[kept], trial.layout, method, min_share=0.0, **params)
    except DataError:
        nothing = np.zeros(len(kept), dtype=bool)
        return _Scored(right=nothing, share=np.zeros(len(kept)), taken=nothing, group=group), 1
    line, share = found.line, found.line_share
    if line is None or share is None:
        raise DataError(f"{method} gave no lines; expected `line` and `line_share`")
    return _Scored(right=line == gold, share=share, taken=line >= 0, group=group), 0


def _interval(scored: list[_Scored], seed: int) -> tuple[float, float]:
    """95 % of the accuracies of readers drawn with replacement (one reader: of trials)."""
    names, group = np.unique([one.group for one in scored], return_inverse=True)
    if len(names) == 1:
        names, group = np.arange(len(scored)), np.arange(len(scored))
    hits = np.bincount(group, [one.right.sum() for one in scored], len(names))
    size = np.bincount(group, [len(one.right) for one in scored], len(names))
    drawn = np.random.default_rng(seed).integers(0, len(names), (_DRAWS, len(names)))
    low, high = np.quantile(hits[drawn].sum(axis=1) / size[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _miscalibration(share: FloatArray, right: BoolArray) -> float:
    """Expected calibration error over tenths."""
    tenth = np.clip((share * 10).astype(np.int64), 0, 9)
    size = np.maximum(np.bincount(tenth, minlength=10), 1)
    apart = np.bincount(tenth, right, 10) - np.bincount(tenth, share, 10)
    return float((np.abs(apart / size) * size).sum() / len(share))
