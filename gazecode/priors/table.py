"""Priors as rows, one per label: no theta without what chance would give beside it."""

from typing import TypeAlias

import numpy as np

from gazecode.model import LABELS, LabelPriors
from gazecode.priors.cells import Cells
from gazecode.priors.intervals import COLUMNS, MIN_TRIALS, Intervals

__all__ = ["Row", "rows_of", "text_of"]

Row: TypeAlias = dict[str, str | int | float]


def rows_of(priors: LabelPriors, cells: Cells, intervals: Intervals) -> list[Row]:
    """One row per label, in alphabetical order; NaN is unknown."""
    total = cells.total
    visits = priors.ngrams[1].counts if 1 in priors.ngrams else {}
    columns = {
        "theta": np.where(priors.known, priors.theta, np.nan),
        "sd_beta": priors.theta_sd,
        **{name: getattr(intervals, name) for name in ("low", "high")},
        **{name: getattr(intervals, name) for name in COLUMNS[4:]},
        "theta_null": priors.theta_null,
        "null_n": total["null_shown"],
        "enrichment": priors.enrichment,
        **{name: getattr(intervals, name) for name in COLUMNS[2:4]},
        "characters": _ratio(total["characters"], total["measured"]),
        "area_px2": _ratio(total["area_px2"], total["area_shown"]),
        "dwell_ms": _ratio(total["dwell_ms"], total["measured"]),
    }
    return [
        {
            "label": label,
            "n": int(priors.shown[code]),
            "hit": int(priors.hit[code]),
            "alpha": int(priors.alpha[code]),
            "beta": int(priors.beta[code]),
            **{name: float(values[code]) for name, values in columns.items()},
            "visits": visits.get((label,), 0),
            "flag": _flag(priors, code),
        }
        for code, label in enumerate(LABELS)
        if code
    ]


def _flag(priors: LabelPriors, code: int) -> str:
    n = int(priors.shown[code])
    if not n:
        return "no trial"
    flags = [f"n < {MIN_TRIALS}"] if n < MIN_TRIALS else []
    if np.isnan(priors.theta_null[code]):
        flags.append("chance unknown")
    return "; ".join(flags)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


_SHOWN = (
    *("label", "n", "theta", "low", "high", "theta_shrunk", "theta_null"),
    *("enrichment", "enrichment_low", "enrichment_high", "flag"),
)


def text_of(rows: list[Row]) -> str:
    """Return a table in plain text; what is not known is called unknown.

    >>> row = {name: float("nan") for name in _SHOWN} | {"label": "loop", "n": 0, "flag": ""}
    >>> print(text_of([row]).splitlines()[1].split()[:3])
    ['loop', '0', 'unknown']
    """
    cells = [list(_SHOWN), *([_cell(row[name]) for name in _SHOWN] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i in (0, len(_SHOWN) - 1) else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return "unknown" if np.isnan(value) else f"{value:.3f}"
    return str(value)
