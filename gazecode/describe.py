"""What the command line says about a file: facts, rows and pages, as plain data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.disk import read_limited
from gazecode.errors import FormatError, ParameterError
from gazecode.export import replacing, write_table
from gazecode.model import LABELS, N_LABELS, Events, Recording, Screen
from gazecode.report import (
    LabelView,
    PriorsView,
    write_priors_page,
)

if TYPE_CHECKING:
    from gazecode.priors import Intervals, Priors

__all__ = [
    "describe",
    "parse_screen",
    "priors_page",
    "read_source",
    "write_events",
]


MAX_SOURCE_BYTES = 256 << 20


def describe(recording: Recording) -> dict[str, Any]:
    """Format, clock, eyes, loss, trials, events: what `gazecode info` prints."""
    provenance = recording.provenance
    events = recording.device_events
    counts = {kind: int((events.kind == kind).sum()) for kind in sorted(set(events.kind))}
    facts = {
        key: provenance.get(key)
        for key in ("format", "file", "clock", "rate_hz", "eyes", "n_samples", "n_lost")
    }
    return facts | {
        "duration_s": recording.duration_ms / 1000,
        "plane": recording.plane,
        "screen": _screen_words(recording.screen),
        "device_events": counts,
        "messages": len(recording.messages),
        "stimuli_inside": len(recording.stimuli),
        "left_out": provenance.get("left_out", {}),
        "validations": len(recording.validations),
        "notes": list(provenance.get("notes", ())),
        "trials": [
            {
                "trial": t.name,
                "stimulus": t.stimulus,
                "onset_s": t.onset_ms / 1000,
                "duration_s": (t.offset_ms - t.onset_ms) / 1000,
                "samples": len(recording.gaze.between(t.onset_ms, t.offset_ms)),
            }
            for t in recording.trials
        ],
    }


def _screen_words(screen: Screen | None) -> str | None:
    if screen is None:
        return None
    size = f"{screen.width_px:g} × {screen.height_px:g} px"
    if not screen.has_geometry:
        return size
    return (
        f"{size}, {screen.width_mm:g} × {screen.height_mm:g} mm at {screen.distance_mm:g} mm "
        f"({screen.px_per_deg:.1f} px per degree)"
    )


def parse_screen(text: str | None) -> Screen | None:
    """``1920,1080`` or ``1920,1080,509,286,650`` (px, then mm and distance in mm).

    >>> parse_screen("1920,1080").width_px
    1920.0
    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 5):
        raise ParameterError(
            f"--screen {text}: expected W,H in px, or W,H,WMM,HMM,DMM with mm and distance, "
            "e.g. 1920,1080,509,286,650"
        )
    names = ("width_px", "height_px", "width_mm", "height_mm", "distance_mm")
    return Screen(**dict(zip(names, numbers, strict=False)))


def read_source(file: Path) -> bytes:
    """Bytes of a source file."""
    if file.is_dir():
        raise FormatError(f"{file} is a folder; name a source file in it")
    return read_limited(file, MAX_SOURCE_BYTES)


def write_events(events: Events, out: Path) -> None:
    """Events as CSV or Parquet, whole or not at all."""
    frame = events.to_frame()
    match out.suffix:
        case ".parquet":
            write_table(frame, out)
        case ".csv":
            with replacing(out) as beside:
                frame.to_csv(beside, index=False, lineterminator="\n")
        case other:
            raise ParameterError(f"{out.name}: unknown ending {other!r}; expected .csv or .parquet")


def priors_page(priors: "Priors", intervals: "Intervals", out: Path) -> None:
    """Priors as one HTML page: Beta densities beside chance, and the transition graph."""
    rows = [
        LabelView(
            label=str(row["label"]),
            hit=float(row["hit"]),
            shown=float(row["n"]),
            flag=str(row["flag"]),
            **{
                name: float(row[name])
                for name in ("theta", "low", "high", "theta_null", "enrichment", "characters")
            },
        )
        for row in priors.rows(intervals)
    ]
    counts = np.zeros((N_LABELS, N_LABELS))
    if 2 in priors.ngrams:
        counts += priors.ngrams[2].dense()
    figures = {
        "people": priors.n_people or "not known",
        "sources": len(priors.sources) or "not known",
        "tokens shown": f"{priors.shown.sum():.0f}",
        "looked at": f"{priors.hit.sum():.0f}",
    }
    view = PriorsView(
        title=f"Where programmers look: {priors.name or 'priors'}",
        labels=tuple(rows),
        transition_labels=LABELS,
        # A sorted table says each pair once; both orders of its dense form are that one count.
        transitions=np.triu(counts) if priors.is_sorted else counts,
        directed=not priors.is_sorted,
        figures=figures,
        details={"intervals": intervals.note, **priors.details},
    )
    write_priors_page(view, out)
