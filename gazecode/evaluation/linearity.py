"""Linearity of reading on three published sets, beside what their papers say.

Which sets and by what rules: `gazecode.evaluation.reading_paths`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.evaluation.reading_paths import PathOfLines, busjahn2013, busjahn2014, peitek2020
from gazecode.measures.linearity import Linearity, pool_linearity

__all__ = ["CANDIDATES", "PUBLISHED", "linearity_table", "order_table"]

LEAST_PAIRS = 10
"""A reading with fewer pairs has no share of its own in the mean over readings."""

PUBLISHED: Mapping[str, str] = {
    "natural text, novices": "80 % linear (novices)",
    "Java, novices": "70 % linear (novices)",
    "Java, experienced": "60 % linear (experts)",
}
"""T. Busjahn et al. 2015, doi:10.1109/ICPC.2015.36, conclusion, as others quote it. The paper's
tables were not at hand, nor what exactly "linear" is there: the figure stands beside the measures
that may be meant (`CANDIDATES`). Of N. Peitek et al. 2020 no figure was at hand."""
CANDIDATES = ("vertical next", "vertical later", "no regression")


def linearity_table(folder: Path) -> list[dict[str, Any]]:
    """Local measures by set and group, each with every denominator in use.

    Parameters
    ----------
    folder
        The folder of all data sets.

    Returns
    -------
    list of dict
        set, group, measure, of, count, total, share (of all pairs pooled), mean (over readings
        with at least `LEAST_PAIRS` pairs), readings (how many these are), published. Shares of
        ``fixations`` are counted with fixations on no line passed over, as the scripts of Peitek
        et al. 2020 do; all others with the chain ended there.
    """
    rows = []
    for (name, group), paths in _grouped(folder).items():
        parts = [path.measured() for path in paths]
        bridged = [path.measured(bridge=True) for path in paths]
        own = [
            (part.variants(), over.variants())
            for part, over in zip(parts, bridged, strict=True)
            if part.pairs >= LEAST_PAIRS
        ]
        pooled, over = pool_linearity(parts), pool_linearity(bridged)
        for i, (row, other) in enumerate(zip(pooled.variants(), over.variants(), strict=True)):
            side = int(row["of"] == "fixations")
            shares = [both[side][i]["share"] for both in own]
            rows.append(
                {
                    "set": name,
                    "group": group,
                    **(other if side else row),
                    "mean": float(np.nanmean(shares)) if shares else float("nan"),
                    "readings": len(own),
                    "published": "",
                }
            )
        rows += [
            {"set": name, "group": group, "published": "", **row} for row in _whole(pooled, parts)
        ]
    for row in rows:
        if row["measure"] in CANDIDATES and row["of"] == "pairs":
            row["published"] = PUBLISHED.get(row["group"], "")
    return rows


def order_table(folder: Path) -> list[dict[str, Any]]:
    """Story and execution order by set and group: means over readings with enough pairs.

    Returns
    -------
    list of dict
        set, group, order, readings, naive, dynamic (scores), naive_share, dynamic_share,
        repetitions, n_path, n_reference: means over readings.
    """
    rows = []
    for (name, group), paths in _grouped(folder).items():
        scores = [path.ordered() for path in paths if path.measured().pairs >= LEAST_PAIRS]
        for order in ("story", "execution"):
            held = [one[order] for one in scores if order in one]
            if not held:
                continue
            figures = ("naive", "dynamic", "naive_share", "dynamic_share", "repetitions", "n_path")
            rows.append(
                {"set": name, "group": group, "order": order, "readings": len(held)}
                | {f: float(np.mean([getattr(one, f) for one in held])) for f in figures}
                | {"n_reference": float(np.mean([one.n_reference for one in held]))}
            )
    return rows


_SETS: Mapping[str, Callable[[Path], Iterator[PathOfLines]]] = {
    "busjahn2013-eyecode": busjahn2013,
    "busjahn2014-eyecode": busjahn2014,
    "linearity-peitek2020": peitek2020,
}


def _grouped(folder: Path) -> dict[tuple[str, str], list[PathOfLines]]:
    """Readings of the sets that lie in the folder, by set and group."""
    present = [name for name in _SETS if (folder / name).is_dir()]
    if not present:
        raise FormatError(f"{folder} holds none of {', '.join(_SETS)}; expected one folder a set")
    held: dict[tuple[str, str], list[PathOfLines]] = {}
    for name in present:
        for path in _SETS[name](folder):
            held.setdefault((name, path.group), []).append(path)
    return held


def _whole(pooled: Linearity, parts: Sequence[Linearity]) -> list[dict[str, Any]]:
    """What goes on or stays, saccade length, coverage."""
    enough = [part for part in parts if part.pairs >= LEAST_PAIRS]

    def row(measure: str, of: str, count: float, total: int, name: str) -> dict[str, Any]:
        own = [getattr(part, name) for part in enough]
        return {
            "measure": measure,
            "of": of,
            "count": count,
            "total": total,
            "share": getattr(pooled, name),
            "mean": float(np.mean(own)) if own else float("nan"),
            "readings": len(enough),
        }

    onward = pooled.pairs - pooled.earlier_line - pooled.backward
    rates = [1 - part.regression_rate for part in enough]
    rows = [
        {
            "measure": "no regression",
            "of": "pairs",
            "count": onward,
            "total": pooled.pairs,
            "share": 1 - pooled.regression_rate,
            "mean": float(np.mean(rates)) if rates else float("nan"),
            "readings": len(enough),
        },
        row("saccade length px", "pairs", pooled.length_px, pooled.saccades, "saccade_length_px"),
        row(
            "saccade length deg", "pairs", pooled.length_deg, pooled.saccades, "saccade_length_deg"
        ),
        row("line coverage", "lines", pooled.lines_fixated, pooled.lines, "line_coverage"),
    ]
    if pooled.elements:
        count, total = pooled.elements_fixated, pooled.elements
        rows.append(row("element coverage", "elements", count, total, "element_coverage"))
    return rows
