"""One participant reading one source once: what is counted, wherever it came from."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Hits, Layout, SourceTokens, label_codes
from gazecode.model.checks import FloatArray, StrArray, column, repeated
from gazecode.model.labels import CodeArray

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What priors need of one participant × trial.

    Attributes
    ----------
    participant, source, task, group
        Who read what (the code's SHA-256), doing what; "" where nobody says. Readings with an
        unknown participant are counted, but give no interval over people.
    study
        Goes into the participant's opaque id, so that the ``P1`` of two studies are two people.
    label
        ``(m,)`` codes of `gazecode.model.LABELS`.
    hits
        Fixations on tokens, exposure, and chance where it is known.
    characters, area_px2
        ``(m,)`` how long each token is, and how large it was on the screen; NaN where unknown.
    activity
        ``(f,)`` per fixation: reading, typing, scrolling or unknown.
    """

    label: CodeArray
    hits: Hits
    source: str
    participant: str = ""
    task: str = ""
    group: str = ""
    study: str = ""
    characters: FloatArray = field(default_factory=lambda: np.empty(0))
    area_px2: FloatArray = field(default_factory=lambda: np.empty(0))
    activity: StrArray = field(default_factory=lambda: np.empty(0, dtype=object))

    def __post_init__(self) -> None:
        column(self, "label", np.int8)
        m, f = len(self.label), self.hits.n_fixations
        for name in ("characters", "area_px2"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(m, np.nan))
            column(self, name, np.float64)
        if not len(self.activity):
            object.__setattr__(self, "activity", repeated("unknown", f))
        column(self, "activity", object)
        for name, found, wanted in (
            ("exposure_ms", self.hits.n_tokens, m),
            ("characters", len(self.characters), m),
            ("area_px2", len(self.area_px2), m),
            ("activity", len(self.activity), f),
        ):
            if found != wanted:
                what = "fixations" if name == "activity" else "tokens"
                raise DataError(
                    f"{name} has {found} entries, the reading has {wanted} {what}; tokens and "
                    "hits must be of the same trial"
                )

    @property
    def chance(self) -> FloatArray:
        """``(m,)`` share of circular shifts in which each token was fixated; NaN if unknown."""
        chance: FloatArray | None = getattr(self.hits, "chance", None)
        return np.full(len(self.label), np.nan) if chance is None else chance

    @classmethod
    def of(
        cls,
        tokens: SourceTokens,
        hits: Hits,
        *,
        participant: str = "",
        source: str | None = None,
        task: str = "",
        group: str = "",
        study: str = "",
        layout: Layout | None = None,
        activity: StrArray | None = None,
    ) -> "Reading":
        """Take the tokens of a source and the hits of one trial on it.

        Parameters
        ----------
        source
            What the source is counted as; by default the SHA-256 of its code.
        layout
            Where tokens stood, for their area.
        activity
            ``(f,)`` as in ``events.activity``.

        Examples
        --------
        >>> from gazecode.source import parse
        >>> tokens = parse("return x;", language="java")
        >>> hits = Hits(
        ...     fixation=[0],
        ...     token=[1],
        ...     share=[1],
        ...     onset_ms=[0],
        ...     duration_ms=[250],
        ...     status=["token"],
        ...     exposure_ms=[900, 900, 900],
        ... )
        >>> reading = Reading.of(tokens, hits, participant="P1")
        >>> reading.characters, reading.source[:8]
        (array([6., 1., 1.]), 'e60029d4')
        """
        return cls(
            label=label_codes(tokens.label),
            hits=hits,
            source=hashlib.sha256(tokens.code).hexdigest() if source is None else source,
            participant=participant,
            task=task,
            group=group,
            study=study,
            characters=_characters(tokens),
            area_px2=np.empty(0) if layout is None else _area_px2(layout),
            activity=np.empty(0, dtype=object) if activity is None else activity,
        )


def _characters(tokens: SourceTokens) -> FloatArray:
    code = np.frombuffer(tokens.code, dtype=np.uint8)
    # Every character has one byte that is not a continuation byte of UTF-8.
    before = np.concatenate([[0], np.cumsum((code & 0xC0) != 0x80)])
    return np.asarray(before[tokens.span[:, 1]] - before[tokens.span[:, 0]], dtype=np.float64)


def _area_px2(layout: Layout) -> FloatArray:
    """Area of all boxes of a token; NaN for one that was not placed."""
    sides = layout.boxes[:, 2:] - layout.boxes[:, :2]
    area = np.bincount(layout.token, weights=sides.prod(axis=1), minlength=layout.n_tokens)
    return np.where(area > 0, area, np.nan)
