"""What a page shows, as data: the pipeline fills these types, the report only draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model import STATUSES, Events, Hits, Layout, Samples, Screen, SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, IntArray, column, same_length
from gazecode.model.weights import TokenWeights

__all__ = [
    "FailureView",
    "Histogram",
    "RecordingView",
    "SaccadeView",
    "StudyView",
    "SubwordView",
    "TrialView",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Counts between edges.

    Attributes
    ----------
    edges
        ``(b + 1,)`` increasing, in the unit of what was counted.
    counts
        ``(b,)``.
    below, above
        What fell outside the edges; nothing is dropped.
    """

    edges: FloatArray
    counts: IntArray
    below: int = 0
    above: int = 0

    def __post_init__(self) -> None:
        edges = column(self, "edges", np.float64)
        counts = column(self, "counts", np.int64)
        if len(edges) != len(counts) + 1:
            raise DataError(
                f"a histogram has {len(edges)} edges and {len(counts)} counts; "
                "expected one edge more than counts"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordingView:
    """One row of the quality table.

    Attributes
    ----------
    rate_hz, duration_ms, lost_share
        NaN where unknown; `lost_share` is 0 to 1.
    usable
        None if it was not assessed; `reasons` say why not, in words.
    rms_s2s, std, precision_unit
        Precision of fixations in `precision_unit`; None where unknown.
    accuracy_deg
        From a validation; None is shown as "unknown", never as 0.
    n_fixations, n_status
        All fixations, and how many of them have each status; the rest was in no mapped trial.
    steps_ms
        Histogram of the steps between samples, ms (see `step_histogram`).
    loss
        ``(b,)`` share lost in equal parts of the recording, NaN for parts without a sample (see
        `loss_timeline`).
    """

    participant: str
    file: str
    format: str = ""
    eye: str = ""
    rate_hz: float = float("nan")
    duration_ms: float = float("nan")
    lost_share: float = float("nan")
    rms_s2s: float | None = None
    std: float | None = None
    precision_unit: str = "deg"
    accuracy_deg: float | None = None
    usable: bool | None = None
    reasons: Sequence[str] = ()
    n_trials: int = 0
    n_fixations: int = 0
    n_status: Mapping[str, int] = field(default_factory=dict)
    steps_ms: Histogram | None = None
    loss: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        column(self, "loss", np.float64)
        unknown = set(self.n_status) - set(STATUSES)
        if unknown:
            raise DataError(
                f"{self.file}: unknown status {sorted(unknown)}; expected some of {STATUSES}"
            )
        if self.n_mapped > self.n_fixations:
            raise DataError(
                f"{self.file}: {self.n_mapped} fixations have a status and there are "
                f"{self.n_fixations}; expected at most as many, count each fixation once"
            )

    @property
    def n_mapped(self) -> int:
        """How many fixations have a status."""
        return sum(self.n_status.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SaccadeView:
    """Saccades for the main sequence: amplitude against peak velocity, or against duration.

    Attributes
    ----------
    amplitude_deg, duration_ms, peak_velocity_deg_s
        ``(n,)``; give `duration_ms`, `peak_velocity_deg_s` or both (velocity is drawn then).
    assumed_px_per_deg
        Set where the geometry of the screen was not known; the page says so.
    """

    amplitude_deg: FloatArray
    duration_ms: FloatArray | None = None
    peak_velocity_deg_s: FloatArray | None = None
    assumed_px_per_deg: float | None = None

    def __post_init__(self) -> None:
        column(self, "amplitude_deg", np.float64)
        for name in ("duration_ms", "peak_velocity_deg_s"):
            if getattr(self, name) is not None:
                column(self, name, np.float64)
        same_length(self, "amplitude_deg", "duration_ms", "peak_velocity_deg_s")
        if self.duration_ms is None and self.peak_velocity_deg_s is None:
            raise DataError("saccades have neither duration nor peak velocity; give one of them")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubwordView:
    """The text a tokenizer saw, with a loss weight per subword.

    Attributes
    ----------
    text
        What was tokenized, as UTF-8 bytes.
    span
        ``(n, 2)`` bytes of `text` that each subword owns; empty for special tokens.
    weight, loss_mask
        ``(n,)``; weight 1 is neutral.
    """

    text: bytes
    span: IntArray
    weight: FloatArray
    loss_mask: BoolArray

    def __post_init__(self) -> None:
        span = column(self, "span", np.int64, width=2)
        column(self, "weight", np.float64)
        column(self, "loss_mask", np.bool_)
        same_length(self, "span", "weight", "loss_mask")
        owned = span[span[:, 1] > span[:, 0]].ravel()
        if len(owned) and (np.any(np.diff(owned) < 0) or owned[-1] > len(self.text)):
            raise DataError(
                "subword spans overlap, run backward or leave the text; expected sorted bytes of it"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialView:
    """One trial: the code as it stood on the screen, the gaze on it, the weights that came of it.

    Attributes
    ----------
    gaze
        Raw samples, px; thinned out for the drawing, which says so.
    gaze_counts
        How many samples there were and how many of them lost, where `gaze` is thinned already.
    fixations, hits
        Row i of `fixations` is fixation i of `hits`.
    image, image_box_px
        What was on the screen (PNG, JPEG, GIF or WebP) and where, ``x0 y0 x1 y1``; the whole
        screen by default.
    """

    participant: str
    trial: str
    stimulus: str
    tokens: SourceTokens
    layout: Layout
    fixations: Events
    hits: Hits
    weights: TokenWeights
    gaze: Samples | None = None
    gaze_counts: tuple[int, int] | None = None
    screen: Screen | None = None
    image: bytes | None = None
    image_box_px: tuple[float, float, float, float] | None = None
    subwords: SubwordView | None = None

    def __post_init__(self) -> None:
        n = len(self.tokens)
        for name, found in (
            ("layout", self.layout.n_tokens),
            ("hits", self.hits.n_tokens),
            ("weights", len(self.weights)),
        ):
            if found != n:
                raise DataError(
                    f"trial {self.trial!r}: the {name} know {found} tokens and the source has {n}; "
                    "make them from the same tokens"
                )
        if self.hits.n_fixations != len(self.fixations):
            raise DataError(
                f"trial {self.trial!r}: {self.hits.n_fixations} fixations were mapped and "
                f"{len(self.fixations)} are given; pass the events that were mapped"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureView:
    """A recording, or one trial of it, that could not be used, with the reason in one line."""

    file: str
    error: str
    participant: str = ""
    trial: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyView:
    """A whole page.

    Attributes
    ----------
    intro
        One paragraph below the title, plain text.
    figures
        More numbers for the head of the page, name → number.
    provenance, parameters
        JSON-able; shown as they are, nested tables with dotted names.
    n_trials
        How many trials there are in all, where not every one is drawn.
    """

    title: str
    intro: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recordings: Sequence[RecordingView] = ()
    trials: Sequence[TrialView] = ()
    n_trials: int | None = None
    failures: Sequence[FailureView] = ()
    saccades: SaccadeView | None = None
