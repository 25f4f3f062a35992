"""One `Figure` per row and metric, from the numbers of all readings."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gazecode.agreement.bootstrap import interval
from gazecode.agreement.comparison import Figure
from gazecode.agreement.item import Item
from gazecode.agreement.scoring import REASONS, Scored, per_item
from gazecode.agreement.stacks import Reading
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["figures_of", "units_of"]

CEILING = -1
"""Column of the ceiling: the last."""


def figures_of(
    metric: str,
    rows: Sequence[str],
    scored: Scored,
    reasons: IntArray,
    *,
    readings: Sequence[Reading],
    units: IntArray,
    random: str | None,
) -> dict[tuple[str, str], Figure]:
    """The figures of one metric.

    Parameters
    ----------
    metric, rows
        Names.
    scored, reasons
        Of all readings, the ceiling last.
    readings
        The readings.
    units
        ``(items, rows)`` units that each row has in each item.
    random
        The row whose figures are replaced by those of chance.
    """
    item = np.array([reading.item for reading in readings], dtype=np.int64)
    person = np.array([reading.person for reading in readings], dtype=np.int64)
    each = per_item(scored.value, item, len(units))
    ceiling_low, ceiling_high = _ends(scored.draws[:, CEILING])
    found = {}
    for r, row in enumerate(rows):
        there = ~np.isnan(scored.value[:, r])
        figure = _figure(each[:, r], scored, r)
        figure |= {
            "ceiling": _mean(each[:, CEILING]),
            "ceiling_low": ceiling_low,
            "ceiling_high": ceiling_high,
            "pooled_ceiling": float(scored.pooled[CEILING]),
        }
        if row == random:
            figure |= _as_chance(figure)
        found[row, metric] = Figure(
            row=row,
            metric=metric,
            n_units=int(units[np.unique(item[there]), r].sum()),
            n_items=len(np.unique(item[there])),
            n_people=len(np.unique(person[there])),
            undefined=dict(Counter(REASONS[code] for code in reasons[~there, r])),
            **figure,
        )
    return found


def _figure(each: FloatArray, scored: Scored, r: int) -> dict[str, float]:
    there = each[~np.isnan(each)]
    mean, pooled = _mean(each), float(scored.pooled[r])
    chance, pooled_chance = _mean(scored.chance[:, r]), _mean(scored.chance_pooled[:, r])
    ranges = {
        "": scored.draws,
        "pooled_": scored.draws_pooled,
        "chance_": scored.chance,
        "pooled_chance_": scored.chance_pooled,
    }
    found = {}
    for prefix, draws in ranges.items():
        found[f"{prefix}low"], found[f"{prefix}high"] = _ends(draws[:, r])
    return found | {
        "mean": mean,
        "sd": float(there.std(ddof=1)) if len(there) > 1 else float("nan"),
        "pooled": pooled,
        "chance": chance,
        "pooled_chance": pooled_chance,
        "above_chance": mean - chance,
        "pooled_above_chance": pooled - pooled_chance,
    }


def _as_chance(figure: dict[str, float]) -> dict[str, float]:
    """One draw of random scores says less than all permutations do: those are shown for it."""
    return {
        "mean": figure["chance"],
        "low": figure["chance_low"],
        "high": figure["chance_high"],
        "sd": float("nan"),
        "pooled": figure["pooled_chance"],
        "pooled_low": figure["pooled_chance_low"],
        "pooled_high": figure["pooled_chance_high"],
        # 0, or NaN where chance is.
        "above_chance": figure["chance"] - figure["chance"],
        "pooled_above_chance": figure["pooled_chance"] - figure["pooled_chance"],
    }


def _ends(draws: FloatArray) -> tuple[float, float]:
    low, high = interval(draws)
    return float(low), float(high)


def _mean(values: FloatArray) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def units_of(items: Sequence[Item], readings: Sequence[Reading]) -> IntArray:
    """``(items, rows)`` units that a row has and some person has too."""
    looked = [np.zeros(len(item), dtype=bool) for item in items]
    for reading in readings:
        looked[reading.item] |= ~np.isnan(reading.target)
    counts = [
        np.count_nonzero(~np.isnan(item.model) & seen, axis=1)
        for item, seen in zip(items, looked, strict=True)
    ]
    return np.asarray(np.stack(counts), dtype=np.int64)
