"""Do models look where people look: every figure with its chance, its interval and its ceiling.

The controls are those that validity rules 10 and 14 and the published studies' defects ask for
(Kou et al. 2024, doi:10.1145/3660807, give figures that random scores reach).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gazecode.agreement.baselines import RANDOM, with_baselines
from gazecode.agreement.cautions import cautions
from gazecode.agreement.comparison import Comparison, Figure
from gazecode.agreement.figures import figures_of, units_of
from gazecode.agreement.inputs import Inputs, read_inputs, some
from gazecode.agreement.map_measures import FLOOR
from gazecode.agreement.measures import Measure
from gazecode.agreement.registry import DEFAULT_METRICS, chosen_measures
from gazecode.agreement.scoring import Progress, Task, score
from gazecode.agreement.stacks import patterns_of, readings_of
from gazecode.errors import ParameterError

__all__ = ["compare"]


def compare(
    human: Any,
    model: Any,
    *,
    metrics: Iterable[str | Measure] = DEFAULT_METRICS,
    permutations: int = 1000,
    bootstrap: int = 1000,
    seed: int = 0,
    baselines: bool = True,
    lengths: Any = None,
    texts: Any = None,
    progress: Progress | None = None,
) -> Comparison:
    """Score models against people over the same units, with chance, ceiling and intervals.

    Parameters
    ----------
    human
        Items, as a mapping from their names or as a list. Each is a map ``(n,)`` over its units,
        a matrix ``(people, n)`` (the same people in the same rows in every item), a mapping from
        people to maps, or `Marks`. NaN: not shown.
    model
        One row, with scores ``(n,)`` or `ModelScores` for each item, listed as `human` lists them;
        or a mapping from names of rows to such. A mapping holds rows if its values are mappings or
        lists of items, and scores of items if its values are scores. `ModelScores` with `expected`
        give a second row, ``"NAME / uniform"``, with what uniform attention gives divided out.
    metrics
        Names from `METRICS` (``"alpha@10"``), or measures.
    permutations
        How often people's maps are permuted within the item; the same for all rows.
    bootstrap
        How many times people and items are drawn anew; the same for all rows.
    seed
        Of both. An item's permutations depend on its name and this alone.
    baselines
        Whether to add the rows of `BASELINES`.
    lengths, texts
        Characters per unit, or the units' texts, by item as in `human`: what partial correlation
        holds fixed and the ``length`` baseline needs. Texts give frequencies too.
    progress
        Called with the number of items permuted so far, and of all.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Where one cannot tell what is meant, units differ in number, two entries have one name, or
        no item is shared.
    ParameterError
        For an unknown metric or a number of draws below 0.

    Notes
    -----
    With two people or more on an item, rows are scored against the mean of all but one of them,
    each left out in turn, and the ceiling is what the one left out scores there. Maps without
    negative values are brought to sum 1 before such a mean. Pooled figures are of all readings: an
    item counts once per person.

    Examples
    --------
    >>> found = compare(
    ...     {"a": [3, 0, 1, 0], "b": [0, 2, 0, 1, 1]},
    ...     {"a": [9, 1, 4, 2], "b": [1, 7, 2, 2, 3]},
    ...     metrics=["spearman"],
    ...     permutations=200,
    ...     bootstrap=200,
    ... )
    >>> round(found.figure("model", "spearman").mean, 3)
    0.907
    """
    measures = chosen_measures(metrics)
    _check(permutations=permutations, bootstrap=bootstrap, seed=seed)
    inputs = read_inputs(human, model, lengths=lengths, texts=texts)
    if baselines:
        inputs = with_baselines(inputs, seed=seed)
    # By name, so that the order in which items are given changes no digit.
    items = sorted(inputs.items, key=lambda item: item.name)
    people = sorted({person for item in items for person in item.people})
    readings = readings_of(items, people)
    task = Task(permutations=permutations, bootstrap=bootstrap, seed=seed, progress=progress)
    scored, reasons = score(items, readings, measures, n_rows=len(inputs.rows), task=task)
    parameters = _parameters(inputs, measures, task, several=len(people) > 1)
    parameters["random"] = RANDOM if baselines and permutations else None
    units = units_of(items, readings)
    figures: dict[tuple[str, str], Figure] = {}
    for measure, one in zip(measures, scored, strict=True):
        figures |= figures_of(
            measure.name,
            inputs.rows,
            one,
            reasons,
            readings=readings,
            units=units,
            random=parameters["random"],
        )
    return Comparison(
        rows=inputs.rows,
        metrics=tuple(measure.name for measure in measures),
        figures=figures,
        items=tuple(item.name for item in inputs.items),
        people=tuple(people),
        left_out=inputs.left_out,
        parameters=parameters,
        warnings=(
            *_of_left_out(inputs),
            *cautions(items, inputs.rows, measures, figures, parameters),
        ),
        pattern=np.unique(patterns_of(items, len(inputs.rows)), return_inverse=True)[1],
        reading_item=np.array([reading.item for reading in readings], dtype=np.int64),
        reading_person=np.array([reading.person for reading in readings], dtype=np.int64),
        values={m.name: one.value[:, :-1] for m, one in zip(measures, scored, strict=True)},
        draws_pooled={
            m.name: one.draws_pooled[:, :-1] for m, one in zip(measures, scored, strict=True)
        },
    )


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if not _is_count(count):
            raise ParameterError(f"{name} is {count!r}; expected a whole number, 0 or more")


def _is_count(value: object) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and int(value) >= 0  # type: ignore[call-overload]


def _parameters(
    inputs: Inputs, measures: Sequence[Measure], task: Task, *, several: bool
) -> dict[str, Any]:
    target = "the item's own map"
    if several:
        target = "the mean of the others' maps (each of sum 1 where nothing is below 0)"
    return {
        "permutations": task.permutations,
        "bootstrap": task.bootstrap,
        "seed": task.seed,
        "drawn": "people and items" if several else "items",
        "target": target,
        "counted": "an item counts once per person in pooled figures" if several else None,
        "metrics": {
            m.name: {"rule": m.rule, "pooled": m.pooled, "k": m.k, "null": m.null} for m in measures
        },
        "kl_floor": FLOOR,
        "rows": inputs.about,
    }


def _of_left_out(inputs: Inputs) -> list[str]:
    found = []
    for side, names in inputs.left_out.items():
        listed = some(names)
        is_side = side in ("only human", "only model", "no units")
        what = f"left out, {side}" if is_side else f"missing from row {side!r}"
        found.append(f"{len(names)} items {what}: {listed}")
    return found
