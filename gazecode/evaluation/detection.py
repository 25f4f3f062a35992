"""Detectors against hand-labelled gaze (`gazecode.evaluation.handlabels`)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gazecode.detection import detect
from gazecode.evaluation.handlabels import CLASSES, CODERS, Labelled
from gazecode.evaluation.scoring import (
    cohen_kappa,
    events_of_labels,
    f1,
    labels_of_events,
    match_by_iou,
    variant,
)
from gazecode.model import Events
from gazecode.model.checks import IntArray

__all__ = ["found_by", "score"]

Finder = Callable[[Labelled], Events]


def found_by(method: str, params: Mapping[str, Any] | None = None) -> Finder:
    """A detector with its parameters, as `score` takes it."""
    return lambda one: detect(one.samples, method, screen=one.screen, **dict(params or {}))


def score(
    recordings: Iterable[Labelled],
    find: Finder | str,
    *,
    kinds: tuple[str, ...] = ("fixation", "saccade", "pso"),
    counted: str = "all",
) -> list[dict[str, Any]]:
    """Kappa per sample and F1 per event for each class and coder, pooled over recordings.

    Parameters
    ----------
    find
        What gives the events; the name of a coder scores that coder.
    counted
        One of `gazecode.evaluation.scoring.VARIANTS`.
    """
    held = [(one, _labels(one, find)) for one in recordings]
    return [_row(held, kind, coder, counted) for kind in kinds for coder in CODERS if coder != find]


def _labels(one: Labelled, find: Finder | str) -> IntArray:
    if isinstance(find, str):
        return one.labels[find]
    return labels_of_events(find(one), one.samples.t_ms, CLASSES)


def _row(
    held: list[tuple[Labelled, IntArray]], kind: str, coder: str, counted: str
) -> dict[str, Any]:
    wanted = CLASSES[kind]
    pairs = [variant(counted, one.labels[coder], ours, CLASSES) for one, ours in held]
    theirs = np.concatenate([a for a, _ in pairs]) == wanted
    ours = np.concatenate([b for _, b in pairs]) == wanted
    matched = [
        match_by_iou(
            events_of_labels(one.labels[coder], one.samples.t_ms, wanted),
            events_of_labels(found, one.samples.t_ms, wanted),
        )
        for one, found in held
    ]
    return {
        "kind": kind,
        "coder": coder,
        "kappa": cohen_kappa(theirs, ours),
        "f1": f1(matched),
        "n_coder": sum(m.n_reference for m in matched),
        "n_found": sum(m.n_test for m in matched),
    }
