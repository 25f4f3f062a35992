"""A run's quality over people: how many, how well, without a row for anybody.

Each person counts once: figures of several recordings are averaged first.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.model import STATUSES

__all__ = ["FIGURES", "over_people", "summarised"]

FIGURES: Mapping[str, str] = {
    "loss": "loss, share of samples",
    "rate_hz": "rate, Hz",
    "effective_hz": "valid samples, Hz",
    "rms_s2s_deg": "precision RMS-S2S, deg",
    "std_deg": "precision STD, deg",
    "rms_s2s_px": "precision RMS-S2S, px",
    "std_px": "precision STD, px",
    "fixation_rms_s2s_deg": "precision RMS-S2S inside fixations, deg",
    "fixation_std_deg": "precision STD inside fixations, deg",
    "accuracy_deg": "accuracy, deg",
    "line_share": "expected on the right line, share of fixations",
    "token_share": "expected on the right token, share of fixations",
    "drift_deg_min": "drift, deg per minute",
    "disparity_lines": "disparity of the eyes, lines of code",
    "off_screen": "gaze beyond the screen, share",
    "px_per_deg": "px per degree",
}
"""Name of a figure in ``quality.json`` to what a card calls it."""


OTHERS = "others"


def over_people(rows: Sequence[Mapping[str, Any]], *, min_people: int = 1) -> dict[str, Any]:
    """Sum up the recordings of a ``quality.json``.

    Parameters
    ----------
    rows
        Its ``recordings``.
    min_people
        A figure known of fewer people is left out: quartiles of two are two people.

    Returns
    -------
    dict
        Counts of ``people recordings trials``, ``fixations`` in all and by status, ``failures``
        by stage, ``figures`` (quartiles over people), what trackers, screens and tasks there
        were, ``accuracy``, ``warnings`` (how many people each concerns), and how many recordings
        are ``synthetic`` or have an assumed degree.
    """
    trials = [trial for row in rows for trial in row["trials"]]
    said = [row["provenance"] for row in rows]
    accuracy = {str(row["quality"]["recording"]["accuracy"]) for row in rows if row["quality"]}
    return {
        "people": len({row["participant"] for row in rows}),
        "recordings": len(rows),
        "trials": len(trials),
        "fixations": sum(trial["fixations"] for trial in trials),
        "status": {status: sum(trial[status] for trial in trials) for status in STATUSES},
        "failures": _failures(rows),
        "figures": _figures(rows, min_people),
        "tasks": _told(rows, [row["task"] for row in rows], min_people),
        "formats": _told(rows, [one.get("format") for one in said], min_people),
        "trackers": _told(rows, [one.get("tracker") for one in said], min_people),
        "screens": _told(rows, [_screen(row.get("screen")) for row in rows], min_people),
        "accuracy": sorted(accuracy),
        "warnings": _warnings(rows, min_people),
        "validated": sum(bool(one.get("validations")) for one in said),
        "synthetic": sum(bool(one.get("synthetic")) for one in said),
        "degrees_assumed": sum(bool(row["degrees"]["assumed"]) for row in rows if row["quality"]),
    }


def summarised(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a card says of a ``quality.json``; empty if it is something else."""
    if "over_people" in document:
        people = dict(document["over_people"])
    elif "recordings" in document:
        people = over_people(document["recordings"])
        # Beside what failed in a recording, what failed when its trials became examples.
        people |= {"failures": document.get("failures", people["failures"])}
    else:
        return {}
    return people | {"saccades": _saccades(document.get("examples", ()))}


def _saccades(examples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Saccades of all readings, those between tokens, those lost on tokens without a subword."""
    # The account is of a whole text: one window of it says it for all.
    first = [e for e in examples if e.get("transitions") and not e["window"]]
    if not first:
        return {}
    return {
        "all": sum(e["transitions"]["saccades"] for e in first),
        "on_tokens": sum(e["transitions"]["saccades_on_tokens"] for e in first),
        "lost": sum(e.get("saccades_lost") or 0.0 for e in first),
    }


def _told(rows: Sequence[Mapping[str, Any]], values: Sequence[Any], least: int) -> list[str]:
    """The different values; one that fewer than `least` people share could point at somebody."""
    people: dict[str, set[str]] = defaultdict(set)
    for row, value in zip(rows, values, strict=True):
        if value:
            people[str(value)].add(row["participant"])
    told = sorted(value for value, who in people.items() if len(who) >= least)
    return told if len(told) == len(people) else [*told, OTHERS]


def _warnings(rows: Sequence[Mapping[str, Any]], least: int) -> dict[str, int]:
    """People whom each warning concerns; its details, after a colon, are one recording's."""
    people: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for warning in row["quality"].get("warnings", ()):
            people[warning.partition(":")[0]].add(row["participant"])
    return {text: len(people[text]) for text in sorted(people) if len(people[text]) >= least}


def _screen(screen: Mapping[str, Any] | None) -> str:
    if not screen:
        return ""
    size = f"{screen['width_px']:g} x {screen['height_px']:g} px"
    known = [screen[name] for name in ("width_mm", "height_mm", "distance_mm")]
    if None in known:
        return f"{size}, size and distance unknown"
    return f"{size}, {known[0]:g} x {known[1]:g} mm at {known[2]:g} mm"


def _failures(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = Counter(failure["stage"] for row in rows for failure in row["failures"])
    return dict(sorted(counts.items()))


def _figures(rows: Sequence[Mapping[str, Any]], min_people: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name in FIGURES:
        of_person: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            value = _figure(row, name)
            if value is not None:
                of_person[row["participant"]].append(value)
        if len(of_person) >= min_people:
            means = [float(np.mean(values)) for values in of_person.values()]
            q25, median, q75 = np.quantile(means, (0.25, 0.5, 0.75)).round(6).tolist()
            found[name] = {"people": len(means), "q25": q25, "median": median, "q75": q75}
    return found


def _figure(row: Mapping[str, Any], name: str) -> float | None:
    if not row["quality"]:
        return None
    value = row["degrees"].get(name, row["quality"]["recording"].get(name))
    return float(value) if isinstance(value, int | float) else None
