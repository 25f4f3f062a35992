"""The transition graph of labels: who follows whom, as nodes on a ring and curved arrows."""

import math
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import FloatArray
from gazecode.report.words import percent

__all__ = ["Arrow", "Graph", "Node", "transition_graph"]

WIDTH, HEIGHT = 960.0, 620.0
RING = (230.0, 235.0)
"""Half axes of the ring, px."""
LARGEST_NODE, LARGEST_ARROW = 20.0, 7.0
MOST_ARROWS = 40
LOOP_REACH = 26.0
"""How far a label's arrow to itself reaches beyond its circle, px."""
BEND = 0.16
"""How far an arrow bows to its right, as a share of its length: there and back stay apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A label on the ring: place and radius in px, where its name stands, what a pointer reads."""

    label: str
    x: str
    y: str
    radius: str
    text_x: str
    text_y: str
    anchor: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One transition: its curve, its width in px, its strength 1..8, what a pointer reads."""

    path: str
    width: str
    level: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes and arrows, weakest first; `n_hidden` transitions are too rare to draw."""

    width: str
    height: str
    nodes: list[Node]
    arrows: list[Arrow]
    n_hidden: int


def transition_graph(labels: list[str], counts: FloatArray, *, directed: bool) -> Graph | None:
    """Lay out the transitions between labels; None if there is not one.

    Parameters
    ----------
    labels
        ``k`` names.
    counts
        ``(k, k)`` how often column follows row.
    directed
        False draws lines without heads, each pair once: the order was lost in counting.
    """
    shown = counts if directed else np.triu(counts + counts.T - np.diag(np.diag(counts)))
    rows, columns = np.nonzero(shown)
    if not rows.size:
        return None
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    place = {int(label): _on_ring(i, len(used)) for i, label in enumerate(used)}
    visits = counts.sum(axis=0) + counts.sum(axis=1)
    radius = LARGEST_NODE * np.sqrt(visits / visits.max())
    order = np.argsort(shown[rows, columns], kind="stable")
    drawn = order[-MOST_ARROWS:]
    total, most = float(shown.sum()), float(shown.max())
    leaving = counts.sum(axis=1)
    arrows = []
    for k in drawn.tolist():
        a, b = int(rows[k]), int(columns[k])
        n = float(shown[a, b])
        follows = f", {percent(n / leaving[a])} of what follows {labels[a]}" if directed else ""
        sign = "→" if directed else "–"
        arrows.append(
            Arrow(
                path=_curve(place[a], place[b], float(radius[a]), float(radius[b])),
                width=_px(0.6 + (LARGEST_ARROW - 0.6) * n / most),
                level=1 + round(7 * n / most),
                title=f"{labels[a]} {sign} {labels[b]}: {n:.0f}, "
                f"{percent(n / total)} of all{follows}",
            )
        )
    looped = {int(rows[k]) for k in drawn if rows[k] == columns[k]}
    nodes = [
        _node(labels[i], place[i], float(radius[i]), visits[i] / 2, loop=i in looped)
        for i in used.tolist()
    ]
    return Graph(
        width=_px(WIDTH),
        height=_px(HEIGHT),
        nodes=nodes,
        arrows=arrows,
        n_hidden=len(order) - len(drawn),
    )


def _on_ring(i: int, n: int) -> tuple[float, float]:
    angle = 2 * math.pi * i / n - math.pi / 2
    return WIDTH / 2 + RING[0] * math.cos(angle), HEIGHT / 2 + RING[1] * math.sin(angle)


def _node(label: str, at: tuple[float, float], radius: float, visits: float, *, loop: bool) -> Node:
    x, y = at
    side = (x > WIDTH / 2 + 30) - (x < WIDTH / 2 - 30)
    room = radius + (LOOP_REACH if loop else 0.0)
    below = 0.0 if side else math.copysign(room + 12, y - HEIGHT / 2)
    return Node(
        label=label,
        x=_px(x),
        y=_px(y),
        radius=_px(max(radius, 2.5)),
        text_x=_px(x + side * (room + 7)),
        text_y=_px(y + below + 4),
        anchor=("middle", "start", "end")[side],
        title=f"{label}: {visits:.0f} transitions",
    )


def _curve(
    start: tuple[float, float], end: tuple[float, float], leave: float, arrive: float
) -> str:
    """From rim to rim, bowed to the right; a loop outwards for a label that follows itself."""
    (x0, y0), (x1, y1) = start, end
    if start == end:
        ux, uy = _unit(x0 - WIDTH / 2, y0 - HEIGHT / 2)
        far = leave + LOOP_REACH
        left = x0 + far * (ux - 0.45 * uy), y0 + far * (uy + 0.45 * ux)
        right = x0 + far * (ux + 0.45 * uy), y0 + far * (uy - 0.45 * ux)
        a = x0 + leave * (ux - 0.3 * uy), y0 + leave * (uy + 0.3 * ux)
        b = x0 + leave * (ux + 0.3 * uy), y0 + leave * (uy - 0.3 * ux)
        return f"M{_pair(a)}C{_pair(left)} {_pair(right)} {_pair(b)}"
    length = math.hypot(x1 - x0, y1 - y0)
    middle = (
        (x0 + x1) / 2 - BEND * length * (y1 - y0) / length,
        (y0 + y1) / 2 + BEND * length * (x1 - x0) / length,
    )
    ax, ay = _unit(middle[0] - x0, middle[1] - y0)
    bx, by = _unit(middle[0] - x1, middle[1] - y1)
    a = x0 + leave * ax, y0 + leave * ay
    b = x1 + (arrive + 5) * bx, y1 + (arrive + 5) * by
    return f"M{_pair(a)}Q{_pair(middle)} {_pair(b)}"


def _unit(x: float, y: float) -> tuple[float, float]:
    length = math.hypot(x, y) or 1.0
    return x / length, y / length


def _pair(point: tuple[float, float]) -> str:
    return f"{_px(point[0])} {_px(point[1])}"


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
