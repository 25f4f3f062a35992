"""What a comparison found: a table of rows and metrics, each with chance, ceiling and interval."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.agreement.bootstrap import Resamples, interval
from gazecode.agreement.scoring import per_item, weights_of
from gazecode.errors import ParameterError
from gazecode.model.checks import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Difference", "Figure", "json_value"]

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row under one metric. Whatever is undefined or was not asked for is NaN.

    Attributes
    ----------
    row, metric
        Which.
    mean, low, high, sd
        Mean over items (of the mean over people), its 95 % interval over other people and items,
        and the standard deviation between items.
    pooled, pooled_low, pooled_high
        The figure of all items together, and its interval.
    chance, chance_low, chance_high
        Mean and 95 % range of `mean` where people's maps are permuted within the item.
    pooled_chance, pooled_chance_low, pooled_chance_high
        The same of `pooled`.
    above_chance, pooled_above_chance
        `mean` less `chance`, `pooled` less `pooled_chance`.
    ceiling, ceiling_low, ceiling_high, pooled_ceiling
        The same figure of each person against the mean of the others; NaN: not available.
    n_units, n_items, n_people
        What the figure rests on.
    undefined
        Readings (one person, one item) that have no figure, by reason.
    """

    row: str
    metric: str
    mean: float
    low: float
    high: float
    sd: float
    pooled: float
    pooled_low: float
    pooled_high: float
    chance: float
    chance_low: float
    chance_high: float
    pooled_chance: float
    pooled_chance_low: float
    pooled_chance_high: float
    above_chance: float
    pooled_above_chance: float
    ceiling: float
    ceiling_low: float
    ceiling_high: float
    pooled_ceiling: float
    n_units: int
    n_items: int
    n_people: int
    undefined: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much one row is above another, on the readings that both have; draws are paired.

    Attributes
    ----------
    row, other, metric
        `row` less `other`.
    mean, low, high
        Of the means over items, with the 95 % interval.
    pooled, pooled_low, pooled_high
        Of the pooled figures; NaN where the rows are not known on the same units.
    n_items
        Items that both have.
    """

    row: str
    other: str
    metric: str
    mean: float
    low: float
    high: float
    pooled: float
    pooled_low: float
    pooled_high: float
    n_items: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Rows beside people, with chance, ceiling and intervals; printing it gives the table.

    Attributes
    ----------
    rows, metrics
        Names. The rows of the model first, then the baselines.
    figures
        ``(row, metric)`` → `Figure`.
    items, people
        Names; a single person without one is "".
    left_out
        Items that one side or one row lacks: ``"only human"``, ``"only model"``, row.
    parameters
        All that decides the numbers.
    warnings
        Sentences that the numbers are misread without.
    pattern
        ``(rows,)`` rows of one number are known on the same units.
    reading_item, reading_person
        ``(g,)`` of each reading: places of its item and person among the sorted names.
    values
        Metric → ``(g, rows)`` figure of every reading; `per_item` joins people.
    draws_pooled
        Metric → ``(b, rows)`` pooled figure of every resample.
    """

    rows: tuple[str, ...]
    metrics: tuple[str, ...]
    figures: Mapping[tuple[str, str], Figure]
    items: tuple[str, ...]
    people: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Any]
    warnings: tuple[str, ...]
    pattern: IntArray
    reading_item: IntArray
    reading_person: IntArray
    values: Mapping[str, FloatArray]
    draws_pooled: Mapping[str, FloatArray]

    def figure(self, row: str, metric: str) -> Figure:
        """One figure; a miss lists the choices."""
        self._column(row), self._known(metric)
        return self.figures[row, metric]

    def per_item(self, metric: str) -> FloatArray:
        """``(items, rows)`` figure of every item, mean over its people; NaN where undefined."""
        found = per_item(self.values[self._known(metric)], self.reading_item, len(self.items))
        place = {name: i for i, name in enumerate(sorted(self.items))}
        return found[[place[name] for name in self.items]]

    def difference(self, row: str, other: str, metric: str) -> Difference:
        """How much `row` is above `other`, with a paired interval.

        Raises
        ------
        ParameterError
            For an unknown row or metric, and for the row of chance, which has no readings.
        """
        a, b = self._column(row), self._column(other)
        if self.parameters["random"] in (row, other):
            raise ParameterError(
                f"{self.parameters['random']!r} is chance itself, without readings to pair; "
                "read above_chance and the chance range of the other row"
            )
        values = self.values[self._known(metric)]
        apart = (values[:, a] - values[:, b])[:, None]
        resamples = Resamples(
            self.reading_item,
            self.reading_person,
            draws=self.parameters["bootstrap"],
            seed=self.parameters["seed"],
        )
        weight = weights_of(apart, self.reading_item)
        low, high = interval(resamples.means(apart, weight)[:, 0])
        each = per_item(apart, self.reading_item, len(self.items))[:, 0]
        there = each[~np.isnan(each)]
        pooled = self.draws_pooled[metric]
        of_both = self.figures[row, metric].pooled - self.figures[other, metric].pooled
        pooled_low, pooled_high = interval(pooled[:, a] - pooled[:, b])
        if self.pattern[a] != self.pattern[b]:
            # Each is of its own units: what is apart then may be the texts, not the rows.
            of_both = NAN
            pooled_low, pooled_high = np.full((2,), NAN)
        return Difference(
            row=row,
            other=other,
            metric=metric,
            mean=float(there.mean()) if len(there) else NAN,
            low=float(low),
            high=float(high),
            pooled=of_both,
            pooled_low=float(pooled_low),
            pooled_high=float(pooled_high),
            n_items=len(there),
        )

    def to_frame(self) -> "pd.DataFrame":
        """One line per metric and row, `Figure`'s fields as columns; `undefined` is its total."""
        import pandas as pd

        names = [field.name for field in fields(Figure)]
        lines = [asdict(figure) for figure in self._ordered()]
        for line in lines:
            line["undefined"] = sum(line["undefined"].values())
        return pd.DataFrame(lines, columns=names)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the readings, as JSON has it: NaN is None."""
        return {
            "rows": list(self.rows),
            "metrics": list(self.metrics),
            "items": list(self.items),
            "people": list(self.people),
            "left_out": {key: list(names) for key, names in self.left_out.items()},
            "parameters": json_value(self.parameters),
            "figures": [json_value(asdict(figure)) for figure in self._ordered()],
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        from gazecode.agreement.table import written

        return written(self)

    def _ordered(self) -> list[Figure]:
        return [self.figures[row, metric] for metric in self.metrics for row in self.rows]

    def _column(self, row: str) -> int:
        if row not in self.rows:
            raise ParameterError.unknown("rows", row, self.rows)
        return self.rows.index(row)

    def _known(self, metric: str) -> str:
        if metric not in self.metrics:
            raise ParameterError.unknown("metrics of this comparison", metric, self.metrics)
        return metric


def json_value(value: Any) -> Any:
    """A value as JSON has it, whatever it is nested in: undefined and infinite is None."""
    if isinstance(value, Mapping):
        return {str(key): json_value(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
