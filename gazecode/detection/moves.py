"""Saccades with what swings after them, and the fixations between, made into events."""

from collections.abc import Mapping

import numpy as np

from gazecode.detection.brief_losses import Passed, assemble_passed
from gazecode.detection.limits import shows_oscillations
from gazecode.detection.merging import fixations_between
from gazecode.detection.segments import Stretches, covered
from gazecode.detection.velocity import Directions
from gazecode.model import Events
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["events_of_moves"]


def events_of_moves(
    passed: Passed,
    gaze: Directions,
    moves: IntArray,
    *,
    still: BoolArray,
    apart: IntArray,
    min_duration_ms: float,
    max_loss_ms: float,
    others: Mapping[str, Stretches] | None = None,
) -> Events:
    """Events of saccades and of what they leave.

    Parameters
    ----------
    passed, gaze
        Samples without brief losses, and their directions.
    moves
        ``(k, 3)`` first sample of each saccade, one past its last, one past its oscillation. Below
        250 Hz no oscillation is claimed, but its samples are no fixation's either.
    still
        ``(n,)`` what may be fixation, moves aside.
    apart
        First samples of what fixations are not joined across, beside moves.
    min_duration_ms, max_loss_ms
        As `gazecode.detection.merging.fixations_between` takes them.
    others
        Further events by kind.
    """
    samples, (begin, turn, end) = passed.samples, moves.T
    fixed = fixations_between(
        samples,
        gaze,
        passed.runs,
        still & ~covered(len(samples), begin, end),
        apart=np.sort(np.concatenate((begin, apart))),
        min_duration_ms=min_duration_ms,
        max_loss_ms=max_loss_ms,
    )
    found = {"fixation": fixed, "saccade": (begin, turn), **(others or {})}
    if shows_oscillations(samples.t_ms):
        swings = end > turn
        found["pso"] = (turn[swings], end[swings])
    return assemble_passed(passed, found)
