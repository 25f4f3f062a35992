"""What must be known before the figures are believed, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from gazecode.quality.checks import UNKNOWN
from gazecode.quality.gates import Gates
from gazecode.quality.measured import Measured

__all__ = ["caveats"]

EVENTS_ONLY = (
    "the recording holds fixations of the device and no samples: loss, rate and precision are "
    "unknown"
)
NO_ACCURACY = (
    "accuracy is unknown (no validation in the file, no targets named): output per token is "
    "flagged, an offset would move gaze to a wrong line"
)


def caveats(
    measured: Measured,
    whole: Mapping[str, Any],
    gates: Gates,
    trials: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Warnings of a report, those that put most in doubt first."""
    said = [
        *_of_samples(measured),
        *_of_accuracy(whole),
        *_of_geometry(measured, whole),
        *_of_clock(whole),
    ]
    unjudged = [gates.unjudged({**whole, **row}) for row in trials] or [gates.unjudged(whole)]
    gates_unjudged = dict.fromkeys(gate for names in unjudged for gate in names)
    return said + [
        f"{gate} is set and could not be judged: its figure is unknown" for gate in gates_unjudged
    ]


def _of_samples(measured: Measured) -> list[str]:
    return [EVENTS_ONLY] if measured.events_only else []


def _of_accuracy(whole: Mapping[str, Any]) -> list[str]:
    if whole["accuracy"] == UNKNOWN:
        return [NO_ACCURACY]
    if whole["accuracy_after"]:
        return ["accuracy comes from a check after the gaze it speaks for: there is none before"]
    return []


def _of_geometry(measured: Measured, whole: Mapping[str, Any]) -> list[str]:
    said = []
    if measured.recording.plane != "screen_px":
        said.append(
            f"gaze lies in the plane {measured.recording.plane}: degrees, lines and tokens need "
            "px of the screen"
        )
    elif measured.unit != "deg":
        said.append(
            "the screen's millimetres or the distance are unknown: figures are in px, gates in "
            "degrees are not judged"
        )
    resolved = whole.get("resolvability", {})
    if resolved.get("table") and resolved.get("px_per_deg_assumed"):
        said.append(
            f"lines and tokens are judged at an assumed {resolved['px_per_deg']:g} px per degree"
        )
    return said


def _of_clock(whole: Mapping[str, Any]) -> list[str]:
    jumps = whole["clock_jumps"]
    if not jumps:
        return []
    kinds = {
        "off the clock's grid": whole["clock_off_grid"],
        "forward by 1 s or more": whole["clock_forward"],
        "backward": whole["clock_backward"],
    }
    listed = ", ".join(f"{n} {kind}" for kind, n in kinds.items() if n)
    return [f"the clock jumps: {listed}"]
