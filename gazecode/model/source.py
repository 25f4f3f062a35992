"""Source code as tokens, where they stood on the screen, and which of them gaze fell on."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    StrArray,
    column,
    same_length,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "Hits", "Layout", "SourceTokens"]

STATUSES = ("token", "between", "off", "lost")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceTokens:
    """The leaves of a syntax tree, punctuation and comments included, in text order.

    Attributes
    ----------
    code
        The source as UTF-8 bytes.
    span
        ``(m, 2)`` bytes of `code`, half-open; sorted and disjoint.
    row, column
        ``(m,)`` 0-based; `column` counts characters, a tab is one.
    kind
        ``(m,)`` the grammar's name of the leaf.
    path
        One tuple per token: the kinds of its ancestors, from the root down.
    label
        ``(m,)`` semantic label; "" for punctuation.
    definition
        ``(m,)`` number of the token that defines this token's identifier, its own number where it
        is the definition; -1 for what is no identifier and where this source does not say. What
        is linked and what is not: `gazecode.source.links`. All -1 if not given.
    label_mode
        "strict": labels are by structure alone; "compat": a table of names had its say.
    """

    language: str
    source_id: str
    code: bytes
    span: IntArray
    row: IntArray
    column: IntArray
    kind: StrArray
    path: tuple[tuple[str, ...], ...]
    label: StrArray
    definition: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    label_mode: str = "strict"

    def __post_init__(self) -> None:
        span = column(self, "span", np.int64, width=2)
        for name in ("row", "column"):
            column(self, name, np.int64)
        for name in ("kind", "label"):
            column(self, name, object)
        same_length(self, "span", "row", "column", "kind", "path", "label")
        flat = span.ravel()
        if len(flat) and (
            np.any(np.diff(flat) < 0) or np.any(span[:, 1] <= span[:, 0]) or flat[0] < 0
        ):
            raise DataError("token spans are not sorted, disjoint and non-empty")
        if len(flat) and flat[-1] > len(self.code):
            raise DataError(f"a token ends at byte {flat[-1]}, the code has {len(self.code)} bytes")
        self._check_definition()

    def _check_definition(self) -> None:
        m = len(self.span)
        if len(self.definition) == 0 < m:
            object.__setattr__(self, "definition", np.full(m, -1, dtype=np.int64))
        definition = column(self, "definition", np.int64)
        same_length(self, "span", "definition")
        if m and (definition.min() < -1 or definition.max() >= m):
            bad = int(np.flatnonzero((definition < -1) | (definition >= m))[0])
            raise DataError(
                f"token {bad} is defined by token {definition[bad]}; expected -1 (unknown) "
                f"or one of {m} tokens"
            )
        known = np.flatnonzero(definition >= 0)
        loose = known[definition[definition[known]] != definition[known]]
        if loose.size:
            raise DataError(
                f"token {loose[0]} is defined by token {definition[loose[0]]}, which is no "
                "definition; expected a definition to name itself"
            )

    def __len__(self) -> int:
        return len(self.span)

    def text(self, token: int) -> str:
        """Return the text of one token."""
        start, end = self.span[token]
        return self.code[start:end].decode("utf-8", "replace")

    @property
    def texts(self) -> list[str]:
        """The text of every token."""
        return [self.code[a:b].decode("utf-8", "replace") for a, b in self.span.tolist()]

    @property
    def links(self) -> IntArray:
        """``(k, 2)`` token that defines an identifier, token that uses it; in order of use."""
        use = np.flatnonzero((self.definition >= 0) & (self.definition != np.arange(len(self))))
        return np.stack([self.definition[use], use], axis=1)

    def to_frame(self) -> "pd.DataFrame":
        """One row per token: start and end (bytes), text, kind, label, row, column."""
        import pandas as pd

        return pd.DataFrame(
            {
                "start": self.span[:, 0],
                "end": self.span[:, 1],
                "text": self.texts,
                "kind": self.kind,
                "label": self.label,
                "row": self.row,
                "column": self.column,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Where tokens stood on the screen.

    Attributes
    ----------
    boxes
        ``(k, 4)`` px ``x0 y0 x1 y1``, one per token and visual line; none for what was not shown.
    token, line
        ``(k,)`` the token of each box and its visual line, both 0-based.
    n_tokens
        How many tokens the source has, shown or not.
    line_height_px
        Distance between lines, px.
    onset_ms, offset_ms
        The interval this layout holds for; infinite if it always does.
    scroll_t_ms, scroll_px
        ``(s,)`` and ``(s, 2)``: from each time on the text is moved by so much, to the left and
        up (what a scroll bar counts). Empty if the text stood still. Boxes are those at scroll 0.
    viewport_px
        ``x0 y0 x1 y1`` of the area that shows text; None if nothing is cut off.
    unmatched
        What could not be placed, by name, with counts; nothing is dropped in silence.
    """

    boxes: FloatArray
    token: IntArray
    line: IntArray
    n_tokens: int
    line_height_px: float
    onset_ms: float = -np.inf
    offset_ms: float = np.inf
    scroll_t_ms: FloatArray = field(default_factory=lambda: np.empty(0))
    scroll_px: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    viewport_px: tuple[float, float, float, float] | None = None
    unmatched: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        boxes = column(self, "boxes", np.float64, width=4)
        token = column(self, "token", np.int64)
        column(self, "line", np.int64)
        column(self, "scroll_t_ms", np.float64)
        column(self, "scroll_px", np.float64, width=2)
        same_length(self, "boxes", "token", "line")
        same_length(self, "scroll_t_ms", "scroll_px")
        bad = np.flatnonzero(~((boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])))
        if bad.size:
            i = int(bad[0])
            raise DataError(f"box {i} is {boxes[i].tolist()}; expected x0 < x1 and y0 < y1")
        if len(token) and (token.min() < 0 or token.max() >= self.n_tokens):
            raise DataError(f"a box belongs to token {token.max()}; the source has {self.n_tokens}")
        if not self.line_height_px > 0:
            raise DataError(f"line_height_px is {self.line_height_px}; expected more than 0")
        if np.any(np.diff(self.scroll_t_ms) <= 0):
            raise DataError("scroll_t_ms does not increase; expected one row per change of scroll")

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Which token each fixation fell on, and how much of it.

    Attributes
    ----------
    fixation, token, share
        Sparse triples: `share` of fixation number `fixation` lies on `token`. The shares of one
        fixation sum to at most 1; what is missing lies on no token.
    onset_ms, duration_ms, status
        ``(f,)`` per fixation; status is one of `STATUSES`: on a token, between tokens (within the
        text's area), off the code, or lost (no position).
    exposure_ms
        ``(m,)`` per token: how long it was on the screen.
    chance
        ``(m,)`` per token: share of circular shifts of the trial's gaze in which it is fixated;
        NaN if unknown. Optional.
    """

    fixation: IntArray
    token: IntArray
    share: FloatArray
    onset_ms: FloatArray
    duration_ms: FloatArray
    status: StrArray
    exposure_ms: FloatArray
    chance: FloatArray | None = None

    def __post_init__(self) -> None:
        fixation = column(self, "fixation", np.int64)
        token = column(self, "token", np.int64)
        share = column(self, "share", np.float64)
        for name in ("onset_ms", "duration_ms", "exposure_ms"):
            column(self, name, np.float64)
        column(self, "status", object)
        same_length(self, "fixation", "token", "share")
        n = same_length(self, "onset_ms", "duration_ms", "status")
        if len(fixation) and (fixation.min() < 0 or fixation.max() >= n):
            raise DataError(f"a hit names fixation {fixation.max()}; there are {n}")
        if len(token) and (token.min() < 0 or token.max() >= len(self.exposure_ms)):
            raise DataError(f"a hit names token {token.max()}; there are {len(self.exposure_ms)}")
        if len(share) and not (share > 0).all():
            raise DataError("a hit has a share that is not positive")
        if np.any(np.bincount(fixation, weights=share, minlength=1) > 1 + 1e-9):
            raise DataError("the shares of a fixation sum to more than 1")
        self._check_chance()
        if set(self.status) - set(STATUSES):
            raise DataError(f"unknown status in {sorted(set(self.status))}; expected {STATUSES}")

    def _check_chance(self) -> None:
        if self.chance is None:
            return
        chance = column(self, "chance", np.float64)
        same_length(self, "exposure_ms", "chance")
        if np.any((chance < 0) | (chance > 1)):
            raise DataError("chance is not a share; expected 0 to 1, or NaN where it is unknown")

    def __len__(self) -> int:
        return len(self.share)

    @property
    def n_fixations(self) -> int:
        """How many fixations were mapped, on a token or not."""
        return len(self.onset_ms)

    @property
    def n_tokens(self) -> int:
        """How many tokens the source has."""
        return len(self.exposure_ms)

    @property
    def exposed(self) -> BoolArray:
        """``(m,)`` tokens that were on the screen at all."""
        return self.exposure_ms > 0

    def only(self, fixations: BoolArray) -> "Hits":
        """The same with the shares of some fixations alone; the others stay, on no token.

        Parameters
        ----------
        fixations
            ``(f,)`` True for those that count.

        Examples
        --------
        >>> hits = Hits(
        ...     fixation=[0, 1],
        ...     token=[0, 0],
        ...     share=[1.0, 1.0],
        ...     onset_ms=[0, 300],
        ...     duration_ms=[200, 200],
        ...     status=["token"] * 2,
        ...     exposure_ms=[500],
        ... )
        >>> hits.only(np.array([True, False])).fixation
        array([0])
        """
        kept = fixations[self.fixation]
        return replace(
            self, fixation=self.fixation[kept], token=self.token[kept], share=self.share[kept]
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row per hit: fixation, token, share."""
        import pandas as pd

        return pd.DataFrame({"fixation": self.fixation, "token": self.token, "share": self.share})
