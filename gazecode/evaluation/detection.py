"""Detectors against hand-labelled gaze (`gazecode.evaluation.handlabels`).

Primary is kappa of one class against the rest over all samples, where an oscillation after a
saccade, a blink, pursuit and what a coder left undefined are rest. Beside it stand the other ways
to count (`gazecode.evaluation.scoring.VARIANTS`), the mean over recordings with an interval from a
bootstrap over people, F1 of events and the time between onsets; and what a slower and noisier
tracker makes of the same gaze.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.detection import detect
from gazecode.evaluation.handlabels import CLASSES, CODERS, Labelled, decimated
from gazecode.evaluation.scoring import (
    VARIANTS,
    cohen_kappa,
    event_kappa,
    events_of_labels,
    f1,
    labels_of_events,
    match_by_iou,
    match_first,
    timing,
    variant,
)
from gazecode.model import Events
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["KINDS_SCORED", "NOISE_DEG", "found_by", "rate_table", "score", "variant_table"]

Finder = Callable[[Labelled], Events]
Held = tuple[Labelled, IntArray]

KINDS_SCORED = ("fixation", "saccade", "pso")
NOISE_DEG = {250.0: 0.02, 120.0: 0.05, 60.0: 0.1}
"""White noise per axis added at each lower rate, deg: slower trackers are noisier."""
RESAMPLES = 1000


def found_by(method: str, params: Mapping[str, Any] | None = None) -> Finder:
    """A detector with its parameters, as `score` takes it."""
    return lambda one: detect(one.samples, method, screen=one.screen, **dict(params or {}))


def score(
    recordings: Iterable[Labelled],
    find: Finder | str,
    *,
    kinds: Sequence[str] = KINDS_SCORED,
    counted: str = "all",
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Agreement with each coder on each class, pooled over recordings and by recording.

    Parameters
    ----------
    recordings
        As `gazecode.evaluation.handlabels.recordings` gives them.
    find
        What gives the events; the name of a coder scores that coder.
    kinds
        Classes to score.
    counted
        One of `gazecode.evaluation.scoring.VARIANTS`.
    seed
        Of the bootstrap.

    Returns
    -------
    list of dict
        By kind and coder: ``kappa`` (pooled samples), ``mean_kappa`` over recordings with
        ``low`` and ``high`` (95 % of a bootstrap over people), ``f1`` (intersection over union
        above one half), ``f1_first`` (first overlap), ``event_kappa`` (mean over recordings),
        ``onset_ms`` and ``offset_ms`` (mean of found minus coder's) with their standard deviations,
        ``n_coder`` and ``n_found`` events with their mean durations.
    """
    held = _held(recordings, find)
    return [
        _row(held, kind, coder, counted, seed)
        for kind in kinds
        for coder in CODERS
        if coder != find
    ]


def variant_table(
    recordings: Iterable[Labelled], find: Finder | str, *, kinds: Sequence[str] = KINDS_SCORED
) -> list[dict[str, Any]]:
    """Kappa of each class, coder and way to count; what a way leaves no sample of is left out."""
    held = _held(recordings, find)
    rows = []
    for counted in VARIANTS:
        said = {
            f"{kind} {coder}": _kappa(held, kind, coder, counted)
            for kind in kinds
            for coder in CODERS
            if coder != find and not (kind == "pso" and counted.startswith("pso as"))
        }
        rows.append({"counted": counted, **said})
    return rows


def rate_table(
    recordings: Iterable[Labelled],
    find: Finder,
    *,
    noise_deg: Mapping[float, float] = NOISE_DEG,
    kinds: Sequence[str] = ("fixation", "saccade"),
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Kappa and F1 of the same gaze at lower rates, with noise added."""
    held = list(recordings)
    rows = []
    for rate, noise in noise_deg.items():
        slower = [decimated(one, rate, noise_deg=noise, seed=seed) for one in held]
        for row in score(slower, find, kinds=kinds, seed=seed):
            kept = ("kind", "coder", "kappa", "f1", "n_coder", "n_found")
            rows.append({"rate_hz": rate, "noise_deg": noise, **{k: row[k] for k in kept}})
    return rows


def _held(recordings: Iterable[Labelled], find: Finder | str) -> list[Held]:
    return [(one, _labels(one, find)) for one in recordings]


def _labels(one: Labelled, find: Finder | str) -> IntArray:
    if isinstance(find, str):
        return one.labels[find]
    return labels_of_events(find(one), one.samples.t_ms, CLASSES)


def _row(held: Sequence[Held], kind: str, coder: str, counted: str, seed: int) -> dict[str, Any]:
    wanted = CLASSES[kind]
    theirs = [events_of_labels(one.labels[coder], one.samples.t_ms, wanted) for one, _ in held]
    ours = [events_of_labels(found, one.samples.t_ms, wanted) for one, found in held]
    matched = [match_by_iou(a, b) for a, b in zip(theirs, ours, strict=True)]
    mean, deviation = timing(list(zip(matched, theirs, ours, strict=True)))
    by_file = [_kappa([one], kind, coder, counted) for one in held]
    by_event = [
        event_kappa(one.labels[coder], found, one.samples.t_ms, wanted) for one, found in held
    ]
    low, high = _interval(by_file, [one.person for one, _ in held], seed)
    return {
        "kind": kind,
        "coder": coder,
        "kappa": _kappa(held, kind, coder, counted),
        "mean_kappa": _mean(by_file),
        "low": low,
        "high": high,
        "f1": f1(matched),
        "f1_first": f1([match_first(a, b) for a, b in zip(theirs, ours, strict=True)]),
        "event_kappa": _mean(by_event),
        "onset_ms": float(mean[0]),
        "onset_sd_ms": float(deviation[0]),
        "offset_ms": float(mean[1]),
        "offset_sd_ms": float(deviation[1]),
        **_counts("coder", theirs),
        **_counts("found", ours),
    }


def _kappa(held: Sequence[Held], kind: str, coder: str, counted: str) -> float:
    pairs = [variant(counted, one.labels[coder], ours, CLASSES) for one, ours in held]
    theirs = np.concatenate([a for a, _ in pairs]) == CLASSES[kind]
    ours = np.concatenate([b for _, b in pairs]) == CLASSES[kind]
    return cohen_kappa(theirs, ours)


def _interval(values: Sequence[float], people: Sequence[str], seed: int) -> tuple[float, float]:
    """95 % of the means when people are drawn anew, with all their recordings."""
    names = sorted(set(people))
    total = np.zeros(len(names))
    count = np.zeros(len(names))
    for value, person in zip(values, people, strict=True):
        if not np.isnan(value):
            total[names.index(person)] += value
            count[names.index(person)] += 1
    drawn = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    n = count[drawn].sum(axis=1)
    if not (n > 0).any():
        return float("nan"), float("nan")
    means = total[drawn].sum(axis=1)[n > 0] / n[n > 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")


def _counts(who: str, spans: Sequence[FloatArray]) -> dict[str, Any]:
    lengths = np.diff(np.concatenate(spans), axis=1)
    mean = float(lengths.mean()) if len(lengths) else float("nan")
    return {f"n_{who}": len(lengths), f"mean_ms_{who}": mean}
