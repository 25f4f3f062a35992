"""Pass or fail: limits for a trial, with their reasons in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from gazecode.errors import ParameterError

__all__ = ["RECORDING_GATES", "Gates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What a trial must reach to be used; None switches a gate off.

    A recording is usable when at least `min_passed_trials` of its trials pass. Only trials that
    show a stimulus count (all, where none names one); without any trial the whole recording is
    judged as one. Whatever cannot be measured (degrees without the screen's millimetres) is not
    judged.

    Attributes
    ----------
    max_loss
        Share of lost gaze, absent samples included. 0.4: with more, fixations are pieces.
    min_rate_hz
        25 Hz: below it a fixation of 60 ms may fall between two samples.
    min_duration_ms
        500 ms: shorter trials hold one or two fixations and no reading.
    min_valid_samples
        20 valid samples.
    max_off_screen
        Share of the valid gaze beyond the screen's edges. 0.5: half of the gaze was elsewhere, or
        the coordinates are in another unit than the screen.
    max_std_deg
        Median spread of gaze within 100 ms. 1 deg: as wide as a line of code is high.
    max_rms_s2s_deg
        Median RMS of sample-to-sample steps within 100 ms. Off: it depends on rate and filter.
    max_rms_deg
        Another name of `max_rms_s2s_deg`. Off.
    max_bcea_deg2
        Median area of the contour ellipse within 100 ms. Off: it depends on the ellipse's share.
    max_accuracy_deg
        Mean offset at the targets of the check that speaks for the trial. Off: most recordings
        hold no validation, and an accuracy that is unknown is not judged (`assess` warns).
    min_line_share, min_token_share
        Expected share of fixations on the right line, or token (`gazecode.quality.resolvability`).
        Off: they need a layout and an accuracy.
    max_drift_deg_min
        Slope of the offset over checks, of the whole recording. Off: it needs three checks.
    max_clock_jumps
        Jumps of the clock, in each trial and in the whole recording. Off.
    max_gap_ms
        Longest stretch without gaze. Off: a reader may look away.
    max_disparity_lines
        Median vertical distance of the two eyes in lines of code. 3 lines; judged only where
        `assess` is told the height of a line.
    min_passed_trials
        How many trials must pass for a recording to be usable.

    Examples
    --------
    >>> Gates(max_loss=0.2).failures({"loss": 0.5, "rate_hz": 60.0, "n_valid": 500})
    {'max_loss': 'loss is 50 % (allowed: at most 20 %)'}
    """

    max_loss: float | None = 0.4
    min_rate_hz: float | None = 25.0
    min_duration_ms: float | None = 500.0
    min_valid_samples: float | None = 20
    max_off_screen: float | None = 0.5
    max_std_deg: float | None = 1.0
    max_rms_s2s_deg: float | None = None
    max_gap_ms: float | None = None
    max_disparity_lines: float | None = 3.0
    max_rms_deg: float | None = None
    max_bcea_deg2: float | None = None
    max_accuracy_deg: float | None = None
    min_line_share: float | None = None
    min_token_share: float | None = None
    max_drift_deg_min: float | None = None
    max_clock_jumps: float | None = None
    min_passed_trials: float = 1

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None and name != "min_passed_trials":
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not value >= 0:
                raise ParameterError(
                    f"Gates.{name} is {value!r}; expected a number of 0 or more"
                    + (", or None to switch it off" if name != "min_passed_trials" else "")
                )

    def unjudged(self, figures: Mapping[str, Any]) -> list[str]:
        """Gates somebody set although they are off by default, whose figure is not known.

        >>> Gates(max_accuracy_deg=0.5).unjudged({"accuracy_deg": None})
        ['max_accuracy_deg']
        """
        return [
            gate
            for gate, (name, _, _) in _GATES.items()
            if getattr(self, gate) is not None
            and type(self).__dataclass_fields__[gate].default is None
            and not _known(figures.get(name))
        ]

    def failures(self, figures: Mapping[str, Any]) -> dict[str, str]:
        """Gates that some figures fail, each with the reason in words.

        Parameters
        ----------
        figures
            As `assess` gives them for a trial; what is missing, None or NaN is not judged.
        """
        failed = {}
        for gate, (name, what, unit) in _GATES.items():
            limit, value = getattr(self, gate), figures.get(name)
            if limit is None or not _known(value):
                continue
            least = gate.startswith("min_")
            if value < limit if least else value > limit:
                needed = "needed: at least" if least else "allowed: at most"
                failed[gate] = f"{what} {_say(value, unit)} ({needed} {_say(limit, unit)})"
        return failed


_GATES = {
    "max_loss": ("loss", "loss is", "%"),
    "min_valid_samples": ("n_valid", "valid samples:", ""),
    "min_duration_ms": ("duration_ms", "duration is", "ms"),
    "min_rate_hz": ("rate_hz", "rate is", "Hz"),
    "max_off_screen": ("off_screen", "gaze off the screen:", "%"),
    "max_std_deg": ("std_deg", "spread within 100 ms is", "deg"),
    "max_rms_s2s_deg": ("rms_s2s_deg", "RMS of steps within 100 ms is", "deg"),
    "max_gap_ms": ("gap_longest_ms", "longest gap is", "ms"),
    "max_disparity_lines": ("disparity_lines", "vertical distance of the eyes is", "lines"),
    "max_rms_deg": ("rms_s2s_deg", "RMS of steps within 100 ms is", "deg"),
    "max_bcea_deg2": ("bcea_deg2", "BCEA within 100 ms is", "deg²"),
    "max_accuracy_deg": ("accuracy_deg", "offset at the targets is", "deg"),
    "min_line_share": ("line_share", "expected on the right line:", "%"),
    "min_token_share": ("token_share", "expected on the right token:", "%"),
    "max_drift_deg_min": ("drift_deg_min", "drift is", "deg/min"),
    "max_clock_jumps": ("clock_jumps", "jumps of the clock:", ""),
}
"""Gate → figure it judges, words, unit."""


RECORDING_GATES = ("max_drift_deg_min", "max_clock_jumps")
"""Gates that the whole recording must pass, beside those of its trials."""


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)


def _say(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.3g} %"
    return f"{value:.4g} {unit}".strip()
