"""What the page draws of a recording: gaze over each trial, precision, saccades."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from gazecode.detection import event_measures
from gazecode.errors import GazecodeError
from gazecode.finding import find_events
from gazecode.model import Events, Recording, Trial
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.quality.measured import Measured, Options
from gazecode.quality.timing import MIN_PAUSE_MS
from gazecode.report import (
    Extent,
    MapView,
    SaccadeView,
    gaze_map,
    loss_timeline,
    main_sequence,
    precision_map,
)
from gazecode.report.words import plural

__all__ = [
    "MAX_MAPS",
    "extent_of",
    "gaze_maps",
    "loss_over_time",
    "precision_of",
    "saccades_of",
]

MAX_MAPS = 12
"""Trials of a recording that are drawn; the others are counted."""
LOSS_PARTS = 240
SHARE = 0.99
"""Of the gaze within an extent that nothing but the gaze itself tells."""
FLATTEST = 4.0
"""Such an extent is at most so many times as long as it is wide."""


def extent_of(recording: Recording, points_xy: FloatArray) -> Extent | None:
    """The part of its plane that a recording's maps show; None without any gaze.

    Parameters
    ----------
    points_xy
        ``(n, 2)`` gaze, or fixations: where nothing tells the size of the plane, 99 % of them lie
        within the extent, which says so.
    """
    screen, plane = recording.screen, recording.plane
    if plane == "screen_px" and screen is not None:
        return Extent(width=screen.width_px, height=screen.height_px)
    if plane in ("screen_fraction", "scene_fraction"):
        return Extent(width=1, height=1, unit=f"{plane.removesuffix('_fraction')} (fractions)")
    size = _scene_size(recording) if plane == "scene_px" else None
    if size is not None:
        return Extent(width=size[0], height=size[1], unit="px of the scene camera")
    return _robust(
        points_xy,
        unit={"href": "href units", "scene_px": "px of the scene camera"}.get(plane, "px"),
    )


def _scene_size(recording: Recording) -> tuple[float, float] | None:
    said = recording.provenance
    found = said.get("scene_size_px") or said.get("scene_px")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    width, height = (float(side) if isinstance(side, int | float) else 0.0 for side in found)
    return (width, height) if width > 0 and height > 0 else None


def _robust(points_xy: FloatArray, *, unit: str) -> Extent | None:
    known = points_xy[np.isfinite(points_xy).all(axis=1)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - SHARE) / 2, (1 + SHARE) / 2], axis=0)
    span = np.maximum(high - low, 1e-9 + 1e-6 * np.abs(high)) * 1.1
    span = np.maximum(span, span[::-1] / FLATTEST)
    left, top = ((low + high - span) / 2).tolist()
    return Extent(
        width=float(span[0]),
        height=float(span[1]),
        left=left,
        top=top,
        unit=unit,
        words="the file does not tell the size of the plane: what holds 99 % of the gaze is drawn",
    )


def gaze_maps(
    recording: Recording, events: Events | None, images: Mapping[str, bytes | None], *, most: int
) -> tuple[list[MapView], str]:
    """Gaze over what each trial showed, or of the whole recording; and what is not drawn.

    Parameters
    ----------
    images
        Trial name → what was on the screen.
    most
        Maps that may be drawn.
    """
    fixations = None if events is None else events.of("fixation")
    points = recording.gaze.xy_px
    if not len(points) and fixations is not None:
        points = fixations.xy_px
    extent = extent_of(recording, points)
    if extent is None:
        return [], ""
    trials = [t for t in recording.trials if t.stimulus is not None] or list(recording.trials)
    if not trials:
        whole = gaze_map(recording.gaze, extent, title="whole recording")
        return ([replace(whole, fixations=fixations)] if most else []), ""
    maps = [
        _of_trial(recording, trial, fixations, images.get(trial.name), extent)
        for trial in trials[:most]
    ]
    rest = len(trials) - len(maps)
    return maps, f"{plural(rest, 'trial')} more not drawn." if rest else ""


def _of_trial(
    recording: Recording,
    trial: Trial,
    fixations: Events | None,
    image: bytes | None,
    extent: Extent,
) -> MapView:
    name, shown = trial.name, trial.stimulus
    title = name if shown is None or PurePath(shown).stem in name else f"{name}: {shown}"
    view = gaze_map(recording.gaze.between(trial.onset_ms, trial.offset_ms), extent, title=title)
    if fixations is not None:
        onset = fixations.onset_ms
        fixations = fixations[slice(*np.searchsorted(onset, [trial.onset_ms, trial.offset_ms]))]
    # A picture of the screen has its extent; of another plane there is none.
    shot = (
        image if recording.plane in ("screen_px", "screen_fraction") and not extent.words else None
    )
    return replace(view, image=shot, fixations=fixations)


def loss_over_time(recording: Recording, *, parts: int = LOSS_PARTS) -> FloatArray:
    """Share of lost gaze in equal parts of the recording, ``(parts,)``, absent rows included.

    NaN for parts without a row that there should be: pauses.

    Examples
    --------
    >>> from gazecode.model import Samples
    >>> t = np.array([0.0, 10, 20, 30, 80, 90, 100])
    >>> samples = Samples(t_ms=t, xy_px=np.ones((7, 2)), eye="left")
    >>> loss_over_time(Recording(samples={"left": samples}), parts=2).round(3)
    array([0.286, 0.444])
    """
    measured = Measured(recording)
    t, interval = measured.gaze.t_ms, measured.interval_ms
    if len(t) < 2 or not interval > 0:
        return loss_timeline(measured.gaze, parts=parts)
    steps = measured.steps_ms
    absent = np.where(steps > 1.5 * interval, np.round(steps / interval) - 1, 0.0)
    if measured.has_lost_rows:
        absent[steps >= MIN_PAUSE_MS] = 0.0
    absent[~_within_trials(recording, (t[1:] + t[:-1]) / 2)] = 0.0
    edges = np.linspace(t[0], t[-1], parts + 1)
    # Absent rows lie evenly between their neighbours.
    n_absent = np.diff(np.interp(edges, t, np.concatenate(([0.0], np.cumsum(absent)))))
    part = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, parts - 1)
    n = np.bincount(part, minlength=parts) + n_absent
    lost = np.bincount(part, weights=measured.lost, minlength=parts) + n_absent
    share: FloatArray = np.where(n >= 1, lost / np.maximum(n, 1), np.nan)
    return share


def _within_trials(recording: Recording, t_ms: FloatArray) -> BoolArray:
    """Whether a trial runs at these times: between trials nothing had to be recorded."""
    if not recording.trials:
        return np.ones(len(t_ms), dtype=bool)
    onsets = np.sort([trial.onset_ms for trial in recording.trials])
    offsets = np.sort([trial.offset_ms for trial in recording.trials])
    begun, ended = (np.searchsorted(at, t_ms, side="right") for at in (onsets, offsets))
    return np.asarray(begun > ended)


def precision_of(recording: Recording, events: Events | None) -> MapView | None:
    """STD inside fixations over the plane; None where no cell holds enough of them."""
    measured = Measured(recording, Options(fixations=events))
    inside, fixations = measured.in_fixations, measured.fixations
    if inside is None or fixations is None or not np.isfinite(inside.std).any():
        return None
    extent = extent_of(recording, recording.gaze.xy_px)
    if extent is None:
        return None
    view = precision_map(fixations.xy_px, inside.std, extent, value_unit=measured.unit)
    return view if np.isfinite(view.values).any() else None


def saccades_of(recording: Recording, events: Events | None) -> tuple[SaccadeView | None, str]:
    """Saccades for the main sequence and whose they are; None where gaze is not in px of a screen.

    Those among `events`, else those that I-VT finds.
    """
    if recording.plane != "screen_px":
        return None, ""
    view = _saccades(events or Events.empty(), recording)
    if len(view.amplitude_deg):
        return view, f"{len(view.amplitude_deg)}, of the same source"
    try:
        found = find_events(recording) if len(recording) else Events.empty()
    except GazecodeError:
        return None, ""
    view = _saccades(found, recording)
    n = len(view.amplitude_deg)
    return (view, f"{n}, found by I-VT") if n else (None, "")


def _saccades(events: Events, recording: Recording) -> SaccadeView:
    """With peak velocities where there are samples to take them from."""
    saccades = events.of("saccade")
    if not len(recording) or not len(saccades) or saccades.end_xy_px is None:
        return main_sequence(saccades, recording.screen)
    speed = event_measures(saccades, recording.gaze, screen=recording.screen).peak_speed_deg_s
    known = np.isfinite(speed).any()
    return main_sequence(saccades, recording.screen, peak_speed_deg_s=speed if known else None)
