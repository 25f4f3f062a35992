"""The figures of a recording in groups: what, how much, and what it means.

Names are those of `gazecode.quality.figures`; ``{u}`` stands for the unit of precision (deg, or
that of the plane), ``{p}`` for that of the plane.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gazecode.quality import QualityReport
from gazecode.report import FigureGroup
from gazecode.verdict.words import UNKNOWN, plane_unit, unit_of, value_words

__all__ = ["figure_groups"]

Row = tuple[str, str, str, str]

ALWAYS = ("loss", "rate_hz", "accuracy_deg", "off_screen", "lines", "tokens", "drift_deg_min")
"""Figures that are shown as unknown; others are left out where they are."""

LOSS: Sequence[Row] = (
    ("loss", "lost", "%", "invalid and absent rows, of all rows there should be"),
    ("loss_invalid", "invalid", "%", "rows without gaze, of the rows in the file"),
    ("n_valid", "valid samples", "", "rows with gaze"),
    ("n_absent", "absent rows", "", "missing by the clock"),
    ("gap_count", "gaps", "", "stretches without gaze, pauses left out"),
    ("gap_longest_ms", "longest gap", "ms", ""),
    ("loss_from_expected", "lost against the clock", "%", "pauses included"),
    ("paused_ms", "paused", "ms", "nothing was recorded"),
)
CLOCK: Sequence[Row] = (
    ("rate_hz", "rate", "Hz", "of the clock, measured"),
    ("effective_hz", "effective rate", "Hz", "valid samples over time"),
    ("step_median_ms", "step", "ms", "median between samples"),
    ("step_sd_ms", "jitter", "ms", "standard deviation of steps below 1.5 intervals"),
    ("clock_jumps", "jumps of the clock", "", "off its grid, forward by 1 s or more, backward"),
)
WINDOWS: Sequence[Row] = (
    ("rms_s2s_{u}", "RMS-S2S", "{u}", "root mean square of steps from sample to sample"),
    ("std_{u}", "STD", "{u}", "spread around the middle, both axes"),
    ("bcea_{u}2", "BCEA", "{u}2", "area of the ellipse that holds the share p of the gaze"),
    ("rms_std_ratio", "RMS/STD", "", "√2 for white noise, less for filtered gaze"),
)
FIXATIONS: Sequence[Row] = (
    ("fixations_source", "fixations", "", "whose they are"),
    ("n_fixations", "how many", "", ""),
    ("fixation_ms", "duration", "ms", "median"),
    ("fixation_rms_s2s_{u}", "RMS-S2S", "{u}", "median over fixations"),
    ("fixation_std_{u}", "STD", "{u}", "median over fixations"),
    ("fixation_std_x_{u}", "STD, x", "{u}", ""),
    ("fixation_std_y_{u}", "STD, y", "{u}", "against the height of a line"),
    ("fixation_bcea_{u}2", "BCEA", "{u}2", "median over fixations"),
)
ACCURACY: Sequence[Row] = (
    ("accuracy", "accuracy is", "", ""),
    ("accuracy_deg", "offset", "deg", "mean over the targets of the check that speaks"),
    ("accuracy_median_deg", "median target", "deg", ""),
    ("accuracy_max_deg", "worst target", "deg", ""),
    ("accuracy_azimuth_deg", "azimuth", "deg", "mean; to the right is positive"),
    ("accuracy_elevation_deg", "elevation", "deg", "mean; down is positive"),
    ("accuracy_{p}", "offset", "{p}", "mean length"),
    ("accuracy_measured_deg", "measured on targets", "deg", ""),
    ("accuracy_device_deg", "stated by the device", "deg", ""),
    ("accuracy_targets", "targets", "", "all eyes"),
    ("accuracy_checks", "checks", "", ""),
)
DRIFT: Sequence[Row] = (
    ("drift_deg_min", "drift", "deg/min", "slope of the offset over three checks or more"),
    ("drift_se_deg_min", "standard error", "deg/min", ""),
    ("drift_change_deg", "first to last check", "deg", ""),
    ("drift_checks", "checks", "", ""),
    ("drift_minutes", "over", "min", ""),
)
EYES: Sequence[Row] = (
    ("one_eye", "one eye alone", "%", "rows with gaze of one eye only"),
    ("one_eye_longest_ms", "longest such stretch", "ms", ""),
    ("disparity_deg", "disparity", "deg", "median distance of the two points of regard"),
    ("disparity_{p}", "disparity", "{p}", "median distance of the two points of regard"),
    ("disparity_y_{p}", "vertical", "{p}", "median, right minus left"),
    ("disparity_lines", "in lines of code", "lines", "beyond 1 the eyes read different lines"),
    ("disparity_drift_y_{p}_min", "vertical change", "{p}/min", "one eye against the other"),
)
SCREEN: Sequence[Row] = (
    ("off_screen", "gaze off the screen", "%", "valid gaze beyond its edges"),
    ("plane", "plane", "", "what positions are"),
    ("eye", "gaze of", "", "whose gaze is assessed"),
    ("filter", "filter", "", "of the tracker, as the file says"),
)
LINES: Sequence[Row] = (
    ("lines", "lines can be told", "", "yes from 80 % on the right one, doubtful from 50 %"),
    ("tokens", "tokens can be told", "", ""),
    ("line_share", "on the right line", "%", "expected share of fixations"),
    ("token_share", "on the right token", "%", "expected share of fixations"),
    ("line_height_px", "height of a line", "px", ""),
    ("sd_y_px", "error, y", "px", "standard deviation: accuracy and precision together"),
    ("sd_x_px", "error, x", "px", ""),
)


def figure_groups(report: QualityReport, *, saccades: str = "") -> list[FigureGroup]:
    """All figures of a recording in groups; groups of which nothing is known are left out.

    Parameters
    ----------
    saccades
        Which saccades the main sequence shows, in words.
    """
    whole = report.recording
    resolved = {**whole.get("resolvability", {}), **whole}
    rate, screen = report.about.get("rate_nominal_hz"), report.about.get("screen") or {}
    clock = [("rate as the file states it", value_words(rate, "Hz"), "")] if rate else []
    found = [
        ("Loss", _rows(LOSS, whole)),
        ("Clock and rate", [*_rows(CLOCK, whole), *clock]),
        (f"Precision in windows of {value_words(whole.get('window_ms'), 'ms')}", _windows(whole)),
        ("Precision inside fixations", [*_rows(FIXATIONS, whole), *_said("saccades", saccades)]),
        ("Accuracy", _accuracy(whole)),
        ("Drift", _rows(DRIFT, whole) if whole.get("drift_checks") else []),
        ("The two eyes", _rows(EYES, whole) if whole.get("one_eye") is not None else []),
        ("On the screen", [*_rows(SCREEN, whole), *_screen(screen)]),
        ("Can lines and tokens be told?", _rows(LINES, resolved)),
    ]
    return [FigureGroup(title=title, rows=rows) for title, rows in found if rows]


def _rows(rows: Sequence[Row], figures: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    units = {"u": unit_of(figures), "p": plane_unit(figures)}
    told = []
    for name, what, unit, meaning in rows:
        value = figures.get(name.format(**units))
        if value is not None or name in ALWAYS:
            told.append((what, value_words(value, unit.format(**units)), meaning))
    return told


def _windows(whole: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = _rows(WINDOWS, whole)
    if rows and whole.get("bcea_p") is not None:
        rows.append(("p of the BCEA", f"{whole['bcea_p']:g}", ""))
    return rows


def _accuracy(whole: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if whole["accuracy"] == UNKNOWN:
        return [("accuracy", UNKNOWN, "no validation in the file and no targets named")]
    rows = _rows(ACCURACY, whole)
    both = None not in (whole.get("accuracy_measured_deg"), whole.get("accuracy_device_deg"))
    # Where there is one source alone its figure is the accuracy.
    apart = () if both else ("measured on targets", "stated by the device")
    return [row for row in rows if row[0] not in apart]


def _screen(screen: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    def size(unit: str) -> str:
        sides = [screen.get(f"{side}_{unit}") for side in ("width", "height")]
        return UNKNOWN if None in sides else f"{sides[0]:g} × {sides[1]:g} {unit}"

    if not screen:
        return [("screen", UNKNOWN, "")]
    return [
        ("screen", size("px"), ""),
        ("its size", size("mm"), "without it there are no degrees"),
        ("distance", value_words(screen.get("distance_mm"), "mm"), "of the eyes from it"),
    ]


def _said(what: str, words: str) -> list[tuple[str, str, str]]:
    return [(what, words, "")] if words else []
