"""Priors as a page: what each label's gaze amounts to beside chance, and which follows which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.model.checks import FloatArray
from gazecode.report.page import template, write_page
from gazecode.report.plots import Axis
from gazecode.report.scale import ticks
from gazecode.report.transitions import Graph, transition_graph
from gazecode.report.words import flatten, number

__all__ = ["LabelView", "PriorsView", "render_priors", "write_priors_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """One label: Beta posterior, 95 % interval and chance; NaN where nobody knows."""

    label: str
    hit: float
    shown: float
    theta: float
    low: float = float("nan")
    high: float = float("nan")
    theta_null: float = float("nan")
    enrichment: float = float("nan")
    characters: float = float("nan")
    flag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorsView:
    """What the page shows.

    Attributes
    ----------
    transitions
        ``(k, k)`` counts between `transition_labels`: column follows row.
    directed
        False where the order was lost in counting.
    """

    title: str
    labels: tuple[LabelView, ...]
    transition_labels: tuple[str, ...] = ()
    transitions: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    directed: bool = True
    figures: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridge:
    """One label as the template takes it: places are per cent of the axis."""

    view: LabelView
    density: str
    theta: str
    low: str
    high: str
    null: str
    words: str


def render_priors(view: PriorsView) -> str:
    """Render the page as HTML.

    >>> render_priors(PriorsView(title="a < b", labels=())).startswith("<!doctype html>")
    True
    """
    known = [row for row in view.labels if row.shown]
    graph: Graph | None = transition_graph(
        list(view.transition_labels), view.transitions, directed=view.directed
    )
    scale = ticks(0.0, 1.0)
    html = template("priors.html.j2").render(
        report=view,
        ridges=[_ridge(row) for row in sorted(known, key=lambda row: -row.theta)],
        axis=Axis(label="share of exposed tokens looked at", ticks=[_tick(t) for t in scale]),
        graph=graph,
        without_null=sum(bool(np.isnan(row.theta_null)) for row in known),
        figures=flatten(view.figures),
        details=flatten(view.details),
    )
    return html + "\n"


def write_priors_page(view: PriorsView, path: Path | str) -> Path:
    """Write the page; a half-written page never stands under its name."""
    return write_page(render_priors(view), path)


def _tick(value: float) -> tuple[str, str]:
    return _percent(value), number(value)


def _ridge(row: LabelView) -> Ridge:
    return Ridge(
        view=row,
        density=_density(row),
        theta=_percent(row.theta),
        low=_percent(row.low),
        high=_percent(row.high),
        null=_percent(row.theta_null),
        words=_words(row),
    )


def _words(row: LabelView) -> str:
    parts = [f"{row.theta:.3f}"]
    if not np.isnan(row.low):
        parts[0] += f" [{row.low:.3f}, {row.high:.3f}]"
    parts.append("chance unknown" if np.isnan(row.theta_null) else f"chance {row.theta_null:.3f}")
    return " · ".join([*parts, f"n {row.shown:.0f}", *([row.flag] if row.flag else [])])


def _density(row: LabelView) -> str:
    """The Beta posterior as a closed path: thousandths of the axis, hundredths of its peak."""
    a, b = row.hit + 1.0, row.shown - row.hit + 1.0
    mean = a / (a + b)
    sd = np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    x = np.clip(mean + sd * np.linspace(-5.0, 5.0, 61), 1e-9, 1 - 1e-9)
    log_density = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x)
    y = 100 * (1 - np.exp(log_density - log_density.max()))
    points = " ".join(f"{1000 * u:.1f} {v:.1f}" for u, v in zip(x, y, strict=True))
    return f"M{1000 * x[0]:.1f} 100L{points}L{1000 * x[-1]:.1f} 100Z"


def _percent(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:.2f}"
