"""Sentences without which the numbers of a comparison are misread."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.agreement.baselines import BASELINES
from gazecode.agreement.comparison import Figure
from gazecode.agreement.inputs import UNIFORM
from gazecode.agreement.item import Item
from gazecode.agreement.measures import Measure
from gazecode.agreement.stacks import COVARIATES

__all__ = ["cautions"]

Figures = Mapping[tuple[str, str], Figure]
FEW_PEOPLE = 3
ENOUGH_PERMUTATIONS = 1_000
_ROUNDING = 1e-9


def cautions(
    items: Sequence[Item],
    rows: Sequence[str],
    measures: Sequence[Measure],
    figures: Figures,
    parameters: Mapping[str, Any],
) -> tuple[str, ...]:
    """All that apply; `parameters` are the comparison's."""
    return (
        *_of_chance(rows, measures, figures),
        *_of_attention(rows, parameters),
        *_of_people(items),
        *_of_items(items, measures),
        *_of_rows(rows, measures, figures),
        *_of_covariates(items, measures),
        *_of_draws(parameters),
    )


def _of_chance(rows: Sequence[str], measures: Sequence[Measure], figures: Figures) -> Iterator[str]:
    """Pooled figures that are not at chance where one expects them."""
    for measure in measures:
        if measure.null is None:
            continue
        found = [figures[row, measure.name] for row in rows]
        found = [figure for figure in found if not np.isnan(figure.pooled_chance)]
        off = [figure for figure in found if _is_off(figure, measure.null)]
        always = measure.name.startswith(("alpha@", "kappa@"))
        shown = off if off and not always else found[:1] if always else []
        if shown:
            figure = max(shown, key=lambda f: abs(f.pooled_chance - (measure.null or 0.0)))
            others = f", and {len(off) - 1} other rows" if len(shown) > 1 else ""
            why = (
                "pooling long and short items creates it"
                if figure in off
                else "as it should be here: items are alike enough"
            )
            yield (
                f"pooled {measure.name} is {figure.pooled_chance:.2f} "
                f"({figure.pooled_chance_low:.2f} to {figure.pooled_chance_high:.2f}) at chance"
                f"{f', not {measure.null:g}' if figure in off else ''}, measured for "
                f"{figure.row!r}{others}: {why}; read pooled figures beside their own chance"
            )


def _is_off(figure: Figure, null: float) -> bool:
    """Whether chance leaves out what one expects of it; rounding is no difference."""
    return not (
        figure.pooled_chance_low - _ROUNDING <= null <= figure.pooled_chance_high + _ROUNDING
    )


def _of_attention(rows: Sequence[str], parameters: Mapping[str, Any]) -> Iterator[str]:
    raw = [row for row, about in parameters["rows"].items() if about.get("raw_attention")]
    for row in raw:
        yield (
            f"{row!r} is attention received, which a causal model sends to early tokens whatever "
            f"it computes: read {row + UNIFORM!r}, where that is divided out"
        )
    removed = [(row, about["removed_share"]) for row, about in parameters["rows"].items() if about]
    for row, share in removed:
        if share > 0 and row in rows:
            yield f"{row!r}: {share:.0%} of the mass lay on sinks and special tokens, left out"


def _of_people(items: Sequence[Item]) -> Iterator[str]:
    people = {person for item in items for person in item.people}
    if len(people) == 1:
        yield "one person, or none named: intervals cover other items only, and there is no ceiling"
    elif len(people) < FEW_PEOPLE:
        yield f"{len(people)} people only: intervals say little about other people"
    alone = sum(len(item.people) == 1 for item in items)
    if len(people) > 1 and alone:
        yield (
            f"{alone} of {len(items)} items have one person: rows are scored against that person "
            "there, and the ceiling leaves these items out"
        )


def _of_items(items: Sequence[Item], measures: Sequence[Measure]) -> Iterator[str]:
    single = sum(len(item) < 2 for item in items)
    if single:
        yield f"{single} of {len(items)} items have fewer than two units: most figures need two"
    sizes = np.array([len(item) for item in items])
    for k in sorted({measure.k for measure in measures if measure.k is not None}):
        short = int((sizes < k).sum())
        if short:
            yield (
                f"{short} of {len(items)} items have fewer than {k} units: there all are chosen "
                f"at k = {k}, whatever a row says"
            )


def _of_rows(rows: Sequence[str], measures: Sequence[Measure], figures: Figures) -> Iterator[str]:
    units = {row: max(figures[row, m.name].n_units for m in measures) for row in rows}
    own = {row: n for row, n in units.items() if row not in BASELINES}
    if len(set(own.values())) > 1:
        listed = ", ".join(f"{row!r} {n:,}" for row, n in list(own.items())[:4])
        yield f"rows rest on different units ({listed}): their figures are not of the same text"
    alike: dict[str, list[str]] = {}
    for measure in measures:
        lost = {row: sum(figures[row, measure.name].undefined.values()) for row in own}
        row = max(lost, key=lambda name: lost[name])
        why = figures[row, measure.name].undefined
        if why:
            listed = ", ".join(f"{reason} ({n})" for reason, n in why.items())
            said = f"of {row!r}, which lacks most, {lost[row]} readings are undefined: {listed}"
            alike.setdefault(said, []).append(measure.name)
    for said, names in alike.items():
        yield f"{', '.join(names)} {said}"


def _of_covariates(items: Sequence[Item], measures: Sequence[Measure]) -> Iterator[str]:
    if not any(measure.name == "partial_spearman" for measure in measures):
        return
    known = {
        "length": [not np.isnan(item.length).any() for item in items],
        "frequency": [not np.isnan(item.frequency).any() for item in items],
    }
    missing = [name for name in COVARIATES if name in known and not all(known[name])]
    if missing:
        partly = any(any(known[name]) for name in missing)
        yield (
            f"partial_spearman does not hold {' and '.join(missing)} fixed: not known for "
            f"{max(known[name].count(False) for name in missing)} of {len(items)} items"
            f"{', and so nowhere in the pooled figure' if partly else ''}; give texts="
        )


def _of_draws(parameters: Mapping[str, Any]) -> Iterator[str]:
    drawn = parameters["permutations"]
    if drawn < ENOUGH_PERMUTATIONS:
        yield f"{drawn} permutations are few: take 1,000 for a figure to report"
