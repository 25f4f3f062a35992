"""A methods paragraph to paste, with the items journals ask for; what is missing is named.

The items are those of the minimal reporting guideline of K. Holmqvist et al. 2023,
doi:10.3758/s13428-021-01762-8 (tracker, rate, eyes, screen, distance, calibration, accuracy,
precision, data loss, exclusions, event detection), and of M. J. Dunn et al. 2023,
doi:10.3758/s13428-023-02187-1. The text depends on the reports alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gazecode.quality.checks import UNKNOWN
from gazecode.quality.people import pooled
from gazecode.quality.report import QualityReport
from gazecode.version import __version__

__all__ = ["NOT_RECORDED", "methods_paragraph"]

_UNITS = ("deg", "px", "fraction", "scene_fraction", "href")
NOT_RECORDED = "not recorded"
"""What stands where an item is missing."""


def methods_paragraph(reports: Sequence[QualityReport], *, detector: str = "") -> str:
    """One paragraph on how gaze was recorded and how good it is.

    Parameters
    ----------
    reports
        Of all recordings of a study, the excluded ones too.
    detector
        Event detection and its parameters, in words, if it is another than the one under which
        precision was measured.

    Returns
    -------
    str
        Plain text; a missing item reads "not recorded".

    Examples
    --------
    >>> from gazecode.model import Recording, Samples
    >>> from gazecode.quality import assess
    >>> samples = Samples(t_ms=[0.0, 10, 20, 30], xy_px=[[1, 1]] * 4, eye="left")
    >>> text = methods_paragraph([assess(Recording(samples={"left": samples}))])
    >>> text.split("; ")[0]
    'Gaze was recorded with an eye tracker (make and model: not recorded'
    """
    if not reports:
        return "No recording was assessed."
    parts = (
        _tracker(reports),
        _screen(reports),
        _calibration(reports),
        _precision(reports),
        _loss(reports),
        _excluded(reports),
        _detection(reports, detector),
    )
    return " ".join(parts)


def _tracker(reports: Sequence[QualityReport]) -> str:
    tracker = _texts(reports, "tracker")
    made = (
        f"Gaze was recorded with {tracker} ("
        if tracker
        else (f"Gaze was recorded with an eye tracker (make and model: {NOT_RECORDED}; ")
    )
    eyes = {" and ".join(report.about.get("eyes", ())) for report in reports}
    used = {str(report.about.get("eye_assessed")) for report in reports}
    nominal = [report.about.get("rate_nominal_hz") for report in reports]
    return (
        f"{made}export format: {_texts(reports, 'format') or NOT_RECORDED}). "
        f"Sampling rate: nominal {_range(nominal, 'Hz')}, "
        f"measured {_range([r.recording.get('rate_hz') for r in reports], 'Hz')}; "
        f"filter of the tracker: {_texts(reports, 'filter') or NOT_RECORDED}. "
        f"Eyes recorded: {', '.join(sorted(eyes))}; gaze analysed: {_eyes_used(used)}."
    )


def _eyes_used(used: set[str]) -> str:
    words = {"mean": "mean of both eyes", "both": "both eyes as joined by the tracker"}
    return ", ".join(sorted(words.get(eye, f"{eye} eye") for eye in used))


def _screen(reports: Sequence[QualityReport]) -> str:
    screens = [report.about.get("screen") or {} for report in reports]

    def told(width: str, height: str, unit: str) -> str:
        sizes = {(s.get(width), s.get(height)) for s in screens}
        known = sorted((w, h) for w, h in sizes if w is not None and h is not None)
        listed = [f"{w:g} × {h:g} {unit}" for w, h in known]
        return _with_missing(listed, missing=len(known) < len(sizes))

    return (
        f"Screen: resolution {told('width_px', 'height_px', 'px')}; "
        f"size {told('width_mm', 'height_mm', 'mm')}; "
        f"viewing distance: {_range([s.get('distance_mm') for s in screens], 'mm')}; "
        f"head restraint: {NOT_RECORDED}; illumination: {NOT_RECORDED}."
    )


def _calibration(reports: Sequence[QualityReport]) -> str:
    rows = [report.recording for report in reports]
    calibrations = [report.about.get("calibrations") for report in reports]
    said = f"Calibrations per recording: {_range(calibrations, '')}"
    known = [row for row in rows if row["accuracy"] != UNKNOWN]
    if not known:
        return f"{said}; validation: {NOT_RECORDED}; accuracy is therefore unknown."
    by = " and ".join(sorted({row["accuracy"] for row in known}))
    targets = [float(row["accuracy_targets"]) for row in known]
    in_deg = [row["accuracy_deg"] for row in known if row["accuracy_deg"] is not None]
    if in_deg:
        means, worst = in_deg, [row["accuracy_max_deg"] for row in known]
        unit = "deg"
    else:
        means = [row.get("accuracy_px") for row in known]
        worst = [row.get("accuracy_max_px") for row in known]
        unit = "px"
    centres = {str(r.about.get("centre")) for r in reports if r.about.get("targets")}
    how = f", {' and '.join(sorted(centres))} of gaze per target" if centres else ""
    return (
        f"{said}. Accuracy ({by}{how}; {len(known)} of {len(rows)} recordings, targets per "
        f"recording: {_range(targets, '')}): {_mean_sd(means, unit)}; "
        f"worst target {_highest(worst, unit)}."
    )


def _precision(reports: Sequence[QualityReport]) -> str:
    rows = [report.recording for report in reports]
    units = [u for u in _UNITS if any(f"rms_s2s_{u}" in row for row in rows)]
    if not units:
        return f"Precision: {NOT_RECORDED}."
    said = []
    for unit in units:
        own = [row for row in rows if f"rms_s2s_{unit}" in row]
        inside = any(row.get(f"fixation_rms_s2s_{unit}") is not None for row in own)
        start = "fixation_" if inside else ""
        where = "inside fixations" if inside else f"in moving windows of {_windows(own)}"
        said.append(
            f"Precision (median {where}): RMS-S2S "
            f"{_mean_sd([row.get(f'{start}rms_s2s_{unit}') for row in own], unit)}, STD "
            f"{_mean_sd([row.get(f'{start}std_{unit}') for row in own], unit)}, BCEA "
            f"(p = {_shares(own)}) "
            f"{_mean_sd([row.get(f'{start}bcea_{unit}2') for row in own], f'{unit}²')}, RMS/STD "
            f"{_mean_sd([row.get(f'{start}rms_std_ratio') for row in own], '')}."
        )
    return " ".join(said)


def _windows(rows: Sequence[Any]) -> str:
    return f"{_range([row.get('window_ms') for row in rows], 'ms')}"


def _shares(rows: Sequence[Any]) -> str:
    return ", ".join(f"{p:g}" for p in sorted({row["bcea_p"] for row in rows}))


def _loss(reports: Sequence[QualityReport]) -> str:
    before = pooled([report.recording for report in reports])
    kept = [
        figures
        for report in reports
        if report.usable
        for figures in (
            [trial.figures for trial in report.trials if trial.passed] or [report.recording]
        )
    ]
    after = pooled(kept) if kept else {}
    return (
        f"Data loss (invalid and absent samples): {_percent(before.get('loss'))} before exclusion, "
        f"{_percent(after.get('loss'))} after; effective rate "
        f"{_range([r.recording.get('effective_hz') for r in reports], 'Hz')}."
    )


def _excluded(reports: Sequence[QualityReport]) -> str:
    unusable = [report for report in reports if not report.usable]
    trials = [trial for report in reports for trial in report.trials]
    failed = [trial for r in reports if r.usable for trial in r.trials if not trial.passed]
    people = sorted({report.participant for report in reports} - {""})
    who = (
        f" of {_count(len(people), 'participant')}"
        if people
        else f" (participants: {NOT_RECORDED})"
    )
    said = f"Assessed: {_count(len(reports), 'recording')}{who} with {_count(len(trials), 'trial')}"
    if not unusable and not failed:
        return f"{said}; none was excluded."
    gates: dict[str, int] = {}
    for report in unusable:
        names = {gate for trial in report.trials for gate in trial.failures}
        for gate in sorted(names) or sorted(report.gates.failures(report.recording)):
            gates[gate] = gates.get(gate, 0) + 1
    for trial in failed:
        for gate in trial.failures:
            gates[gate] = gates.get(gate, 0) + 1
    limits = reports[0].gates
    why = ", ".join(f"{gate}{_limit(limits, gate)}: {n}" for gate, n in sorted(gates.items()))
    return (
        f"{said}; excluded: {_count(len(unusable), 'recording')} and "
        f"{_count(len(failed), 'trial')} of the others "
        f"(criteria failed: {why or 'no samples'})."
    )


def _limit(gates: object, gate: str) -> str:
    value = getattr(gates, gate, None)
    return "" if value is None else f" {value:g}"


def _detection(reports: Sequence[QualityReport], detector: str) -> str:
    found = sorted(
        {str(r.about["fixations_source"]) for r in reports if r.about["fixations_source"]}
    )
    named = detector or " and ".join(found) or NOT_RECORDED
    named = "the tracker's own parser" if named == "device" else named
    return f"Events: {named}. Software: gazecode {__version__}."


def _texts(reports: Sequence[QualityReport], name: str) -> str:
    return ", ".join(sorted({str(r.about[name]) for r in reports if r.about.get(name)}))


def _with_missing(listed: Sequence[str], *, missing: bool) -> str:
    if not listed:
        return NOT_RECORDED
    return ", ".join(listed) + (f" (some {NOT_RECORDED})" if missing else "")


def _range(values: Sequence[Any], unit: str) -> str:
    known = [float(v) for v in values if isinstance(v, int | float)]
    if not known:
        return NOT_RECORDED
    low, high = f"{min(known):.4g}", f"{max(known):.4g}"
    said = low if low == high else f"{low} to {high}"
    return _with_missing([f"{said} {unit}".strip()], missing=len(known) < len(values))


def _mean_sd(values: Sequence[Any], unit: str) -> str:
    known = [float(v) for v in values if isinstance(v, int | float)]
    if not known:
        return NOT_RECORDED
    mean = f"{np.mean(known):.3g} {unit}".strip()
    if len(known) == 1:
        return mean
    spread = f"{np.std(known, ddof=1):.2g}"
    return f"M = {mean} (SD = {spread}, range {min(known):.3g} to {max(known):.3g})"


def _highest(values: Sequence[Any], unit: str) -> str:
    known = [float(v) for v in values if isinstance(v, int | float)]
    return f"{max(known):.3g} {unit}" if known else NOT_RECORDED


def _percent(share: Any) -> str:
    return f"{100 * share:.3g} %" if isinstance(share, int | float) else NOT_RECORDED


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
