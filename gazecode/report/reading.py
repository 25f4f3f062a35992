"""What one trial says in numbers and words: dwell per token, the top tokens, tooltips."""

from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import FloatArray, IntArray
from gazecode.report.scale import WeightScale
from gazecode.report.views import TrialView
from gazecode.report.words import number, percent, plural, printable

__all__ = ["Reading", "TopToken", "read_out", "top_tokens"]

STATUS_WORDS = {
    "token": "on a token",
    "between": "between tokens",
    "off": "off the code",
    "lost": "lost",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """Per token: dwell, number of fixations, step of colour, tooltip. Per fixation: tooltip."""

    dwell_ms: FloatArray
    n_fixations: IntArray
    total_ms: float
    scale: WeightScale
    levels: IntArray
    titles: list[str]
    fixation_titles: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopToken:
    """One row of the table beside a drawing; `share` is of all time fixated in the trial."""

    text: str
    label: str
    line: int
    level: int
    weight: str
    dwell_ms: str
    n_fixations: int
    share: str


def read_out(view: TrialView) -> Reading:
    """Add up dwell and fixations per token.

    Dwell is the fixation's duration times its share on the token, so that the dwell of all tokens
    plus the time on none is the time fixated.
    """
    hits, m = view.hits, len(view.tokens)
    time = hits.share * hits.duration_ms[hits.fixation]
    dwell = np.bincount(hits.token, weights=time, minlength=m).astype(np.float64)
    pairs = np.unique(np.stack([hits.token, hits.fixation]), axis=1)
    count = np.bincount(pairs[0], minlength=m).astype(np.int64)
    scale = WeightScale.of(view.weights.value)
    total = float(np.nansum(hits.duration_ms))
    return Reading(
        dwell_ms=dwell,
        n_fixations=count,
        total_ms=total,
        scale=scale,
        levels=scale.levels(view.weights.value),
        titles=_token_titles(view, dwell, count, total),
        fixation_titles=_fixation_titles(view),
    )


def top_tokens(view: TrialView, reading: Reading, *, n: int = 10) -> list[TopToken]:
    """Tokens with the largest weight, then dwell, then the earlier one; none without either."""
    value = view.weights.value
    order = np.lexsort((np.arange(len(value)), -reading.dwell_ms, -value))
    rows = [i for i in order.tolist() if value[i] > 0 or reading.dwell_ms[i] > 0][:n]
    return [
        TopToken(
            text=_short(view.tokens.text(i), at_most=28),
            label=_label(view, i),
            line=int(view.tokens.row[i]) + 1,
            level=int(reading.levels[i]),
            weight=number(float(value[i])),
            dwell_ms=f"{reading.dwell_ms[i]:.0f}",
            n_fixations=int(reading.n_fixations[i]),
            share=percent(reading.dwell_ms[i] / reading.total_ms if reading.total_ms else None),
        )
        for i in rows
    ]


def _token_titles(view: TrialView, dwell: FloatArray, count: IntArray, total: float) -> list[str]:
    titles = []
    weights = view.weights
    exposed = np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed
    same_as_dwell = bool(np.allclose(weights.value, dwell))
    for i, text in enumerate(view.tokens.texts):
        parts = [
            _short(text),
            *filter(None, [_label(view, i)]),
            f"line {int(view.tokens.row[i]) + 1}",
        ]
        if not exposed[i]:
            parts.append("never on the screen")
        if not same_as_dwell:
            parts.append(f"weight {number(float(weights.value[i]))} {printable(weights.unit)}")
        if count[i]:
            share = percent(dwell[i] / total if total else None)
            parts.append(f"{dwell[i]:.0f} ms ({share})")
            parts.append(plural(int(count[i]), "fixation"))
        titles.append(" · ".join(parts))
    return titles


def _fixation_titles(view: TrialView) -> list[str]:
    """Per fixation: number, onset in the trial's own clock, duration, where it lies."""
    hits = view.hits
    on: list[list[int]] = [[] for _ in range(hits.n_fixations)]
    # Largest share first: that is the token a reader wants to see named.
    for row in np.argsort(-hits.share, kind="stable").tolist():
        on[int(hits.fixation[row])].append(int(hits.token[row]))
    titles = []
    for i, tokens in enumerate(on):
        where = STATUS_WORDS[str(hits.status[i])]
        if tokens:
            where = "on " + ", ".join(_short(view.tokens.text(t)) for t in tokens[:3])
        onset, duration = float(hits.onset_ms[i]) / 1000, float(hits.duration_ms[i])
        titles.append(f"{i + 1} · {where} · {duration:.0f} ms · at {onset:.2f} s")
    return titles


def _label(view: TrialView, token: int) -> str:
    """Semantic label, else the grammar's name if it says more than the text does."""
    label = str(view.tokens.label[token] or view.tokens.kind[token])
    return "" if label == view.tokens.text(token) else printable(label)


def _short(text: str, *, at_most: int = 40) -> str:
    """One line of a token's text."""
    line = " ".join(printable(text).split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"
