"""What was found, as rows for a terminal, as JSON, and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from gazecode.quality import ParticipantQuality, assess_participants, methods_paragraph
from gazecode.report import QualityPage, TableView
from gazecode.report.words import number, percent
from gazecode.verdict.assessed import Assessed
from gazecode.verdict.words import UNKNOWN, plane_unit, short_words, unit_of

__all__ = ["document", "page_of", "participant_rows", "table_rows", "told_warnings"]

MOST_NAMES = 4


def table_rows(found: Sequence[Assessed]) -> list[dict[str, Any]]:
    """One row a recording."""
    rows = [
        {
            "file": one.short,
            "usable": "yes" if one.report.usable else "NO",
            **_key_figures(one.report.recording),
            "trials": f"{sum(t.passed for t in one.report.trials)}/{len(one.report.trials)}",
        }
        for one in found
    ]
    return _without_unknown(rows)


def _without_unknown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines and tokens only where something is known of them: a table must fit a terminal."""
    gone = [name for name in ("lines", "tokens") if all(row[name] == percent(None) for row in rows)]
    return [{name: value for name, value in row.items() if name not in gone} for row in rows]


def _key_figures(figures: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a table; precision inside fixations where there are any."""
    unit = unit_of(figures)
    inside = figures.get(f"fixation_std_{unit}") is not None
    start = "fixation_" if inside else ""
    return {
        "Hz": number(figures.get("rate_hz"), 4),
        "lost": percent(figures.get("loss")),
        "RMS / STD": f"{number(figures.get(f'{start}rms_s2s_{unit}'), 2)} / "
        f"{short_words(figures.get(f'{start}std_{unit}'), unit)}",
        "accuracy": _accuracy(figures),
        "lines": percent(figures.get("line_share")),
        "tokens": percent(figures.get("token_share")),
    }


def _accuracy(figures: Mapping[str, Any]) -> str:
    for unit in ("deg", plane_unit(figures)):
        value = figures.get(f"accuracy_{unit}")
        if value is not None:
            return short_words(value, unit)
    return UNKNOWN


def _people(found: Sequence[Assessed]) -> list[ParticipantQuality]:
    return assess_participants([one.report for one in found])


def participant_rows(found: Sequence[Assessed]) -> list[dict[str, Any]]:
    """One row a person, if anybody has several recordings; else none."""
    people = _people(found)
    if all(person.n_recordings == 1 for person in people):
        return []
    rows = [
        {
            "participant": person.participant,
            "usable": "yes" if person.usable else "NO",
            "files": f"{person.n_usable}/{person.n_recordings}",
            **_key_figures(person.figures),
            "trials": f"{person.n_passed}/{person.n_trials}",
            "why not": "; ".join(person.reasons),
        }
        for person in people
    ]
    return _without_unknown(rows)


def told_warnings(found: Sequence[Assessed]) -> list[str]:
    """Every warning once, with the recordings it concerns."""
    names: dict[str, list[str]] = {}
    for one in found:
        for warning in dict.fromkeys(one.warnings):
            names.setdefault(warning, []).append(one.short)
    return [f"{_whose(of, len(found))}: {warning}" for warning, of in names.items()]


def _whose(names: Sequence[str], n: int) -> str:
    if len(names) == n and n > 2:
        return f"all {n} recordings"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def document(
    found: Sequence[Assessed], broken: Sequence[tuple[str, str]], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Everything as JSON has it: recordings, people, what is not readable, the paragraph."""
    return {
        "recordings": {
            one.name: {
                "participant": one.report.participant,
                **one.report.to_dict(),
                "warnings": one.warnings,
            }
            for one in found
        },
        "participants": [person.to_dict() for person in _people(found)],
        "not_readable": dict(broken),
        "notes": list(notes),
        "methods": methods_paragraph([one.report for one in found]),
    }


def page_of(
    title: str,
    found: Sequence[Assessed],
    broken: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
) -> QualityPage:
    """The page of those that were drawn."""
    people = participant_rows(found)
    table = TableView(
        title="All recordings of each person together",
        heads=list(people[0]) if people else [],
        rows=[[str(value) for value in row.values()] for row in people],
        note="Counts are summed; medians weigh by valid samples, inside fixations by fixations.",
    )
    return QualityPage(
        title=title,
        recordings=[one.view for one in found if one.view is not None],
        participants=table if people else None,
        notes=notes,
        methods=methods_paragraph([one.report for one in found]) if found else "",
        # Of a path the name alone: the page may leave this machine.
        broken=[
            (PurePath(name).name, why.replace(name, PurePath(name).name)) for name, why in broken
        ],
    )
