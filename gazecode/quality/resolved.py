"""Resolvability of trials and recording, from their figures of accuracy and precision."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.model import Recording
from gazecode.quality.resolvability import (
    GazeError,
    Resolver,
    shares,
    table,
    verdict,
    worded,
)
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["gaze_error", "of_trial", "of_whole", "resolvers_by_trial"]

Resolvers = Resolver | Mapping[str, Resolver] | None


def resolvers_by_trial(recording: Recording, resolvers: Resolvers) -> Mapping[str, Resolver]:
    """One resolver for all trials, or by trial name; "" is a recording without trials."""
    if resolvers is None:
        return {}
    if isinstance(resolvers, Mapping):
        return resolvers
    return {trial.name: resolvers for trial in recording.trials} or {"": resolvers}


def gaze_error(figures: Mapping[str, Any], recording: Recording) -> GazeError | None:
    """Error of gaze in px from the figures of a stretch; None where gaze is not on a screen."""
    if recording.plane != "screen_px":
        return None
    screen = recording.screen
    px_per_deg = (screen.px_per_deg if screen else None) or DEFAULT_PX_PER_DEG
    return GazeError(
        accuracy_px=_accuracy_px(figures, px_per_deg),
        precision_px=_precision_px(figures, px_per_deg),
        px_per_deg=px_per_deg,
    )


def _accuracy_px(figures: Mapping[str, Any], px_per_deg: float) -> tuple[float, float] | None:
    x, y = figures.get("accuracy_x_rms_px"), figures.get("accuracy_y_rms_px")
    if x is not None and y is not None:
        return x, y
    deg = figures.get("accuracy_deg")
    return None if deg is None else (deg * px_per_deg, deg * px_per_deg)


def _precision_px(figures: Mapping[str, Any], px_per_deg: float) -> tuple[float, float]:
    """STD per axis inside fixations, else within windows; 0 where neither is known."""
    unit, scale = ("deg", px_per_deg) if "std_deg" in figures else ("px", 1.0)
    x, y = (figures.get(f"fixation_std_{axis}_{unit}") for axis in ("x", "y"))
    if x is not None and y is not None:
        return x * scale, y * scale
    both = (figures.get(f"std_{unit}") or 0.0) * scale / math.sqrt(2)
    return both, both


def of_trial(
    figures: Mapping[str, Any],
    recording: Recording,
    *,
    resolver: Resolver | None,
    line_height_px: float | None,
    seed: int,
) -> dict[str, Any]:
    """Expected shares of one stretch with its own accuracy and precision, and the verdicts."""
    error = gaze_error(figures, recording)
    if error is None or (resolver is None and line_height_px is None):
        return {"line_share": None, "token_share": None, "lines": "unknown", "tokens": "unknown"}
    line, token = shares(error.sd_px(), resolver=resolver, line_height_px=line_height_px, seed=seed)
    return {
        "line_share": _known(line),
        "token_share": _known(token),
        "lines": verdict(line),
        "tokens": verdict(token),
    }


def of_whole(
    whole: Mapping[str, Any],
    trials: Sequence[Mapping[str, Any]],
    recording: Recording,
    *,
    resolvers: Mapping[str, Resolver],
    line_height_px: float | None,
    seed: int,
) -> dict[str, Any]:
    """Shares over the trials that have them, and the table that says what accuracy would make.

    Parameters
    ----------
    trials
        Figures of the trials that count, `of_trial` included.
    """
    error = gaze_error(whole, recording)
    if error is None:
        words = "lines: unknown; tokens: unknown (gaze is not in px of a screen)"
        return {"lines": "unknown", "tokens": "unknown", "table": [], "words": words}
    # Trials of one text have layouts of the same boxes: each is simulated once.
    distinct = list({_boxes_of(one): one for one in resolvers.values()}.values())
    rows = _table(error, distinct, line_height_px, seed)
    if trials:
        line, token = (
            _mean([row[name] for row in trials]) for name in ("line_share", "token_share")
        )
    else:
        own = distinct[0] if distinct else None
        line, token = shares(error.sd_px(), resolver=own, line_height_px=line_height_px, seed=seed)
    best = rows[0] if rows else {"line_share": math.nan, "token_share": math.nan}
    sd = error.sd_px()
    assumed = recording.screen is None or recording.screen.px_per_deg is None
    found: dict[str, Any] = {
        "lines": verdict(line, at_best=best["line_share"]),
        "tokens": verdict(token, at_best=best["token_share"]),
        "line_share": _known(line),
        "token_share": _known(token),
        "sd_x_px": _known(sd[0]),
        "sd_y_px": _known(sd[1]),
        "precision_x_px": error.precision_px[0],
        "precision_y_px": error.precision_px[1],
        "line_height_px": line_height_px,
        "px_per_deg": error.px_per_deg,
        "px_per_deg_assumed": assumed,
        "seed": seed,
        "table": [{key: _known(value) for key, value in row.items()} for row in rows],
    }
    return found | {"words": worded(found)}


def _table(
    error: GazeError, distinct: Sequence[Resolver], line_height_px: float | None, seed: int
) -> list[dict[str, float]]:
    """The table of `table`, averaged over the layouts."""
    if not distinct:
        return [] if line_height_px is None else table(error, line_height_px=line_height_px)
    tables = [table(error, resolver=resolver, seed=seed) for resolver in distinct]
    return [
        {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        for rows in zip(*tables, strict=True)
    ]


def _boxes_of(resolver: Resolver) -> tuple[bytes, bytes, bytes]:
    layout = resolver.layout
    return layout.boxes.tobytes(), layout.token.tobytes(), layout.line.tobytes()


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else math.nan


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
