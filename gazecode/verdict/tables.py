"""Tables of a recording: trials, targets of validations, the eyes, what accuracy would make."""

from collections.abc import Mapping, Sequence
from typing import Any

from gazecode.quality import QualityReport, TrialQuality
from gazecode.quality.resolvability import verdict
from gazecode.report import TableView
from gazecode.report.words import number, percent, plural, seconds
from gazecode.verdict.words import plane_unit, unit_of, value_words

__all__ = ["MAX_ROWS", "tables"]

MAX_ROWS = 200
"""Longer tables are cut, which is said below them."""
NAN = float("nan")


def tables(report: QualityReport) -> list[TableView]:
    """The tables that have a row."""
    found = [_resolvability(report), _trials(report), _targets(report), _eyes(report)]
    return [table for table in found if table.rows]


def _trials(report: QualityReport) -> TableView:
    shown = report.trials[:MAX_ROWS]
    unit = unit_of(report.recording)
    columns = [
        ("lost", "loss", "%"),
        ("longest gap", "gap_longest_ms", "ms"),
        ("fixations", "n_fixations", ""),
        ("RMS-S2S", f"rms_s2s_{unit}", unit),
        ("STD in fixations", f"fixation_std_{unit}", unit),
        ("off screen", "off_screen", "%"),
        ("accuracy", "accuracy_deg", "deg"),
        ("right line", "line_share", "%"),
        ("right token", "token_share", "%"),
    ]
    known = [c for c in columns if any(t.figures.get(c[1]) is not None for t in report.trials)]
    named = any(trial.stimulus not in (None, trial.name) for trial in report.trials)
    return _with_content(
        title=f"Trials ({sum(t.passed for t in report.trials)} of {len(report.trials)} pass)",
        heads=[
            "trial",
            "stimulus",
            "passes",
            "duration",
            *(head for head, _, _ in known),
            "why not",
        ],
        rows=[_trial(trial, known, stimulus=named) for trial in shown],
        note=_cut(len(report.trials), "trial"),
    )


def _with_content(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], note: str
) -> TableView:
    """A table without the columns that say nothing in any row."""
    kept = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    return TableView(
        title=title,
        heads=[heads[i] for i in kept],
        rows=[[row[i] for i in kept] for row in rows],
        note=note,
    )


def _trial(
    trial: TrialQuality, columns: Sequence[tuple[str, str, str]], *, stimulus: bool
) -> list[str]:
    return [
        trial.name,
        (trial.stimulus or "–") if stimulus else "",
        "yes" if trial.passed else "NO",
        seconds(trial.figures.get("duration_ms")),
        *(value_words(trial.figures.get(name), unit) for _, name, unit in columns),
        "; ".join(trial.reasons),
    ]


def _targets(report: QualityReport) -> TableView:
    unit = plane_unit(report.recording)
    rows = [row for check in report.recording.get("validations", ()) for row in _check(check, unit)]
    return _with_content(
        title="Accuracy at each target",
        heads=[
            *("time", "source", "eye", f"target x, y ({unit})", "offset", "azimuth", "elevation"),
            f"offset x, y ({unit})",
        ],
        rows=rows[:MAX_ROWS],
        note="Time is from the start of the recording. Azimuth counts to the right, elevation "
        f"downward. {_cut(len(rows), 'row')}".strip(),
    )


def _check(check: Mapping[str, Any], unit: str) -> list[list[str]]:
    """One row per target; a device that states no single target gives a row of means."""
    start = [
        f"{number(check['t_ms'] / 1000)} s",
        " ".join(part for part in (check["source"], check["verdict"]) if part),
        check["eye"],
    ]
    rows = [
        [
            *start,
            _pair(target, "", unit),
            *(
                "" if target.get(name) is None else value_words(target[name], "deg")
                for name in ("offset_deg", "azimuth_deg", "elevation_deg")
            ),
            _pair(target, "offset_", unit),
        ]
        for target in check.get("targets", ())
    ]
    mean = value_words(check.get("mean_deg"), "deg")
    return rows or [[*start, "all", mean, "", "", ""]]


def _pair(target: Mapping[str, Any], start: str, unit: str) -> str:
    x, y = (target.get(f"{start}{axis}_{unit}") for axis in ("x", "y"))
    return "" if x is None or y is None else f"{number(x, 4)}, {number(y, 4)}"


def _eyes(report: QualityReport) -> TableView:
    unit = unit_of(report.recording)
    names = (f"rms_s2s_{unit}", f"std_{unit}", f"fixation_rms_s2s_{unit}", f"fixation_std_{unit}")
    return TableView(
        title="Each eye",
        heads=["eye", "lost", "RMS-S2S", "STD", "RMS-S2S in fixations", "STD in fixations"],
        rows=[
            [
                eye,
                percent(row.get("lost_rows")),
                *(value_words(row.get(name), unit) for name in names),
            ]
            for eye, row in report.recording.get("eyes", {}).items()
        ],
    )


def _resolvability(report: QualityReport) -> TableView:
    """What would be, at several accuracies; the answer itself stands among the figures."""
    found = report.recording.get("resolvability", {})
    words = str(found.get("words", ""))
    return _with_content(
        title="Lines and tokens, by accuracy",
        heads=["accuracy", "on the right line", "lines", "on the right token", "tokens"],
        rows=[
            [
                value_words(row["accuracy_deg"], "deg"),
                percent(row["line_share"]),
                verdict(_share(row["line_share"])),
                *_of_tokens(row["token_share"]),
            ]
            for row in found.get("table", ())
        ],
        note=f"Expected shares of fixations, at this precision. {words}.".replace("..", "."),
    )


def _of_tokens(share: float | None) -> tuple[str, str]:
    return ("", "") if share is None else (percent(share), verdict(share))


def _share(value: float | None) -> float:
    return NAN if value is None else value


def _cut(n: int, noun: str) -> str:
    return f"{plural(n - MAX_ROWS, noun)} more not shown." if n > MAX_ROWS else ""
