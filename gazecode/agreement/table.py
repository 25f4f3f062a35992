"""A comparison as text: one block per metric, one line per row."""

import math
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazecode.agreement.comparison import Comparison, Figure

__all__ = ["aligned", "number", "shown", "written"]

WIDTH = 110
COLUMNS = ("mean", "95 %", "sd", "chance", "95 %", "above", "pooled", "95 %", "chance", "95 %")
NO_FIGURE = "undefined"


def number(value: float) -> str:
    """Three digits, or two above 10; "-" for what is not there.

    >>> number(0.12345), number(-0.0001), number(float("nan"))
    ('0.123', '0.000', '-')
    """
    if math.isnan(value):
        return "-"
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text


def ranged(low: float, high: float) -> str:
    """Both ends, or nothing.

    >>> ranged(0.1, 0.25)
    '0.100 to 0.250'
    """
    return "" if math.isnan(low) or math.isnan(high) else f"{number(low)} to {number(high)}"


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column flush left, all others flush right.

    >>> aligned([["", "mean"], ["uniform", "0.5"]])
    ['         mean', 'uniform   0.5']
    """
    width = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            [
                line[0].ljust(width[0]),
                *(entry.rjust(w) for entry, w in zip(line[1:], width[1:], strict=True)),
            ]
        ).rstrip()
        for line in lines
    ]


def shown(name: str) -> str:
    r"""A name on one line of a table.

    >>> shown("a\nb")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def written(comparison: "Comparison") -> str:
    """The table, what it rests on, and what to keep in mind."""
    parts = [_head(comparison)]
    for metric in comparison.metrics:
        figures = [comparison.figures[row, metric] for row in comparison.rows]
        parts.append(_block(metric, figures, comparison.parameters["metrics"][metric]["pooled"]))
    if comparison.warnings:
        notes = [
            fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ")
            for note in comparison.warnings
        ]
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def _head(comparison: "Comparison") -> str:
    parameters = comparison.parameters
    people = _counted(len(comparison.people), "person", "people")
    return fill(
        f"{_counted(len(comparison.items), 'item', 'items')}, {people}; "
        f"chance: {parameters['permutations']:,} permutations within the item; "
        f"95 %: {parameters['bootstrap']:,} draws of {parameters['drawn']}; "
        f"seed {parameters['seed']}; "
        f"rows are scored against {parameters['target']}"
        f"{'; ' + parameters['counted'] if parameters['counted'] else ''}",
        WIDTH,
    )


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _block(metric: str, figures: "Sequence[Figure]", pooled: str) -> str:
    lines = [["", *COLUMNS, "items", "undefined"], *map(_line, figures)]
    return "\n".join([f"{metric} (pooled: {pooled})", *aligned(lines), _ceiling(figures[0])])


def _line(figure: "Figure") -> list[str]:
    undefined = sum(figure.undefined.values())
    return [
        shown(figure.row),
        number(figure.mean) if figure.n_items else NO_FIGURE,
        ranged(figure.low, figure.high),
        number(figure.sd),
        number(figure.chance),
        ranged(figure.chance_low, figure.chance_high),
        number(figure.above_chance),
        number(figure.pooled) if not math.isnan(figure.pooled) else NO_FIGURE,
        ranged(figure.pooled_low, figure.pooled_high),
        number(figure.pooled_chance),
        ranged(figure.pooled_chance_low, figure.pooled_chance_high),
        f"{figure.n_items:,}",
        f"{undefined:,}" if undefined else "",
    ]


def _ceiling(figure: "Figure") -> str:
    if math.isnan(figure.ceiling):
        return "human ceiling: not available"
    reach = ranged(figure.ceiling_low, figure.ceiling_high)
    beside = f" ({reach})" if reach else ""
    return (
        f"human ceiling, each person against the mean of the others: {number(figure.ceiling)}"
        f"{beside}, pooled {number(figure.pooled_ceiling)}"
    )
