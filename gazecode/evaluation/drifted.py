"""Drift put into places that are known to be right: what a poor calibration does to fixations.

Lines are confused by offset, not by noise; hence every kind of drift has one size, the root mean
square of the vertical error over the area of the text, deg, and noise is stated beside it.

* ``offset``: the same everywhere; up or down as the seed has it, and half as much sideways.
* ``slope``: linear in x and y, as a head that came nearer, turned or tilted.
* ``warp``: half a smooth field, quadratic in x and y (the one of `gazecode.simulate.Tracker`),
  half a slow swing in time, less than one period a trial.
* ``none``: nothing but noise.
"""

import math
from dataclasses import replace

import numpy as np

from gazecode.errors import ParameterError
from gazecode.evaluation.line_trials import LineTrial
from gazecode.model import Screen
from gazecode.model.checks import FloatArray
from gazecode.simulate.tracker import offset_deg

__all__ = ["DRIFTS", "drifted"]

DRIFTS = ("none", "offset", "slope", "warp")


def drifted(
    trial: LineTrial, kind: str, *, size_deg: float, noise_deg: float, seed: int, screen: Screen
) -> LineTrial:
    """The trial as a tracker with that drift would have recorded it.

    Parameters
    ----------
    trial
        Its places are taken to be right.
    kind
        One of `DRIFTS`.
    size_deg
        Root mean square of the vertical error over the area of the text.
    noise_deg
        STD of white noise per fixation and axis (RMS from fixation to fixation is √2 of it).
    seed
        Together with the trial's name it decides all that is drawn.
    screen
        With its size and distance: it says how many px a degree has.

    Raises
    ------
    ParameterError
        An unknown kind, or a screen without degrees.
    """
    if kind not in DRIFTS:
        raise ParameterError.unknown("drift", kind, DRIFTS)
    if not screen.px_per_deg:
        raise ParameterError(f"{screen} has no degrees; state its size in mm and its distance")
    rng = np.random.default_rng([seed, DRIFTS.index(kind), *trial.name.encode()])
    xy = trial.fixations.xy_px
    low, high = trial.layout.boxes[:, :2].min(axis=0), trial.layout.boxes[:, 2:].max(axis=0)
    place = (xy - low) / (high - low)
    error = _error(kind, place, trial.fixations.onset_ms, rng) * size_deg
    error = error + rng.normal(0.0, noise_deg, xy.shape)
    return replace(
        trial,
        name=f"{trial.name}#{kind}-{size_deg:g}-{seed}",
        set=f"{trial.set} {kind} {size_deg:g} deg, noise {noise_deg:g}",
        fixations=replace(trial.fixations, xy_px=xy + error * screen.px_per_deg),
        group=trial.group or trial.name,
    )


def _error(
    kind: str, place: FloatArray, t_ms: FloatArray, rng: "np.random.Generator"
) -> FloatArray:
    """``(n, 2)`` error of unit size at places given as shares of the text's area."""
    error = np.zeros_like(place)
    if kind == "none" or not len(place):
        return error
    if kind == "offset":
        error[:] = rng.uniform(-0.5, 0.5), rng.choice([-1.0, 1.0])
        return error
    if kind == "slope":
        # A linear term from -1 to 1 has the root mean square 1/√3.
        angle = rng.uniform(0, 2 * math.pi)
        direction = np.array([math.cos(angle), math.sin(angle)])
        error[:, 1] = math.sqrt(3) * (2 * place - 1) @ direction
        return error
    # A field's size is that of a vector, of which y has 1/√2; a swing has 1/√2 as well.
    field: FloatArray = offset_deg(place, np.ones(2), 1.0, rng) * np.array([0.5, 1.0])
    cycles = rng.uniform(0.3, 0.9) * (t_ms - t_ms[0]) / max(float(np.ptp(t_ms)), 1.0)
    field[:, 1] += np.sin(2 * math.pi * (cycles + rng.uniform()))
    return field
