"""Both sides compared, with what a table, a page and JSON say of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.agreeing.programs import PROGRAMS
from gazecode.agreeing.published import Published, in_bytes, title_of
from gazecode.agreeing.rows import ModelRows
from gazecode.agreeing.texts import Humans, HumanText
from gazecode.agreement.baselines import BASELINES
from gazecode.agreement.compare import compare
from gazecode.agreement.comparison import Comparison, Figure
from gazecode.agreement.inputs import UNIFORM
from gazecode.agreement.measures import best_first
from gazecode.agreement.programs import ExplanationTable
from gazecode.agreement.registry import DEFAULT_METRICS, chosen_measures
from gazecode.agreement.scoring import Progress
from gazecode.model.checks import FloatArray
from gazecode.report import TableView
from gazecode.report import agreement as page

__all__ = [
    "MARKED_METRICS",
    "Agreed",
    "Draws",
    "agree_on_gaze",
    "agree_on_published",
    "as_dict",
    "as_view",
    "metric_words",
]

MARKED_METRICS = ("f1@5", "f1@10", "alpha@5", "alpha@10", "auc")
"""What is compared unless told otherwise where people marked spans instead of looking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What is drawn, how often, and which figures are asked for; none: the usual ones."""

    metrics: tuple[str, ...] = ()
    permutations: int = 1000
    bootstrap: int = 1000
    seed: int = 0

    def check(self) -> None:
        """Refuse an unknown metric before anything is read."""
        if self.metrics:
            chosen_measures(self.metrics)

    def said(self, usual: Sequence[str]) -> dict[str, Any]:
        """As `compare` takes it."""
        return asdict(self) | {"metrics": self.metrics or tuple(usual)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreed:
    """What was found.

    Attributes
    ----------
    comparisons
        One for each group of rows over the same units; mostly one.
    notes
        Sentences on what was left out before the comparison.
    facts
        Counts of the inputs.
    maps
        Texts to draw, as many as a page takes.
    n_texts
        How many there are.
    ranked
        Whether the rows of each metric stand best first, instead of in their order.
    explained
        What small programs say of people and of each row, where that was asked for.
    """

    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    maps: tuple[page.MapsView, ...] = ()
    n_texts: int = 0
    ranked: bool = False
    explained: ExplanationTable | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """All sentences, each once."""
        said = (w for comparison in self.comparisons for w in comparison.warnings)
        return tuple(dict.fromkeys([*self.notes, *map(_sentence, said)]))

    @property
    def figures(self) -> dict[str, list[Figure]]:
        """The figures of each metric: best first, or in their order and the baselines last."""
        found: dict[str, list[Figure]] = {}
        several = len(self.comparisons) > 1
        for comparison in self.comparisons:
            units = comparison.rows[0] if several else ""
            for metric in comparison.metrics:
                rows = [comparison.figures[row, metric] for row in comparison.rows]
                found.setdefault(metric, []).extend(_of_units(figure, units) for figure in rows)
        place = _rank if self.ranked else _is_baseline
        return {metric: sorted(rows, key=place) for metric, rows in found.items()}


def _rank(figure: Figure) -> tuple[bool, float]:
    return best_first(figure.metric, figure.mean)


def _of_units(figure: Figure, units: str) -> Figure:
    """A baseline says on whose units it stands, where there are those of several rows."""
    if not units or not _is_baseline(figure):
        return figure
    return replace(figure, row=f"{figure.row}, units of {units}")


def _sentence(said: str) -> str:
    return said if said.endswith(".") else f"{said}."


def _is_baseline(figure: Figure) -> bool:
    return figure.row.partition(", units of ")[0] in BASELINES


def agree_on_gaze(
    humans: Humans,
    rows: ModelRows,
    draws: Draws,
    *,
    ranked: bool = False,
    progress: Progress | None = None,
) -> Agreed:
    """Compare where people looked with scores of the same tokens.

    Parameters
    ----------
    ranked
        Whether to show the rows of each metric best first.
    progress
        Called with the number of texts permuted so far, and of all.

    Raises
    ------
    DataError, ParameterError
        As `gazecode.agreement.compare`.
    """
    read = {name for row in rows.rows.values() for name in row}
    texts = {name: text for name, text in humans.texts.items() if name in read}
    comparison = compare(
        {name: dict(zip(text.people, text.maps, strict=True)) for name, text in texts.items()},
        rows.rows,
        texts={name: text.units for name, text in texts.items()},
        # Among the programs are those that a model has to beat, under the same names.
        baselines=not set(BASELINES) & set(rows.rows),
        progress=progress,
        **draws.said(DEFAULT_METRICS),
    )
    agreed = Agreed(
        comparisons=(comparison,),
        notes=(*humans.notes, *rows.notes),
        facts={"readings": dict(humans.facts), "scores": dict(rows.facts)},
        n_texts=len(texts),
        ranked=ranked,
    )
    shown = list(texts.values())[: page.MAX_MAPS]
    # Rows are drawn in the order of the first metric, as the table has them.
    order = [figure.row for figure in next(iter(agreed.figures.values()))] if ranked else None
    return replace(agreed, maps=tuple(_drawn(text, rows, order) for text in shown))


def _drawn(text: HumanText, rows: ModelRows, order: Sequence[str] | None) -> page.MapsView:
    maps = list(_scores_of(text.name, rows))
    return page.MapsView(
        name=text.name,
        text=text.code,
        span=text.span,
        human=text.mean,
        looked=text.looked,
        people=len(text.people),
        rows=sorted(maps, key=lambda row: order.index(row[0])) if order else maps,
    )


def _scores_of(name: str, rows: ModelRows) -> Iterator[tuple[str, FloatArray]]:
    for row, texts in rows.rows.items():
        scores = texts.get(name)
        if scores is None:
            continue
        # Where uniform attention can be divided out, that is the map to look at first.
        if scores.expected is not None:
            yield row + UNIFORM, scores.corrected
        yield row, scores.value


def agree_on_published(
    published: Sequence[Published], draws: Draws, *, progress: Progress | None = None
) -> Agreed:
    """Compare what people marked with published scores, group by group.

    Raises
    ------
    DataError, ParameterError
        As `gazecode.agreement.compare`.
    """
    comparisons = tuple(
        compare(
            one.marks,
            one.rows,
            texts=one.units,
            progress=progress,
            **draws.said(MARKED_METRICS),
        )
        for one in published
    )
    prompts = {text for one in published for text in one.marks}
    return Agreed(
        comparisons=comparisons,
        facts={"prompts": len(prompts), "groups_of_tokens": len(published)},
        maps=tuple(_marked(published[0])) if published else (),
        n_texts=len(prompts),
    )


def _marked(published: Published) -> Iterator[page.MapsView]:
    """The first prompts whose tokens stand in order: those of a published shift do not."""
    left = page.MAX_MAPS
    for text, marks in published.marks.items():
        span = in_bytes(text, marks.unit)
        if not left or not len(span) or np.any(np.diff(span.ravel()) < 0):
            continue
        left -= 1
        yield page.MapsView(
            name=title_of(text),
            text=text.encode("utf-8", "replace"),
            span=span,
            human=marks.value,
            prose=True,
            rows=[(row, said[text]) for row, said in published.rows.items() if text in said],
        )


def as_dict(agreed: Agreed, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """All of it as JSON has it: what is undefined is null."""
    return {
        "inputs": {**inputs, **agreed.facts},
        "warnings": list(agreed.warnings),
        "comparisons": [comparison.to_dict() for comparison in agreed.comparisons],
    } | ({} if agreed.explained is None else {"explained": agreed.explained.to_dict()})


def as_view(agreed: Agreed, inputs: Mapping[str, Any]) -> page.AgreementView:
    """The page."""
    first = agreed.comparisons[0]
    people = sorted({person for c in agreed.comparisons for person in c.people} - {""})
    units = max((f.n_units for rows in agreed.figures.values() for f in rows), default=0)
    figures = {"texts": agreed.n_texts, "units": units} | (
        {"people": len(people)} if people else {}
    )
    said = {k: v for k, v in first.parameters.items() if k not in ("metrics", "rows")}
    return page.AgreementView(
        title="Do models look where people look?",
        metrics=[
            page.MetricView(
                name=metric,
                rows=[_figure(figure) for figure in rows],
                words=metric_words(agreed, metric),
            )
            for metric, rows in agreed.figures.items()
        ],
        warnings=agreed.warnings,
        maps=agreed.maps,
        n_texts=agreed.n_texts,
        explained=None if agreed.explained is None else _explained(agreed.explained),
        figures=figures,
        details={**inputs, **agreed.facts, **said, "rows": _about(first.parameters["rows"])},
    )


def _explained(table: ExplanationTable) -> TableView:
    return TableView(
        title="What explains whom",
        heads=["program", *table.readers],
        rows=[
            [row["program"], *(page.digits(row[r]) for r in table.readers)] for row in table.rows
        ],
        note=f"{table.metric} of small programs with people and with each row: mean over texts, on "
        "people and texts that a program learnt nothing from. Ceiling: one person against the "
        "others.",
    )


def _about(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What is known of the rows of real models, a line each."""
    return {
        row: f"{', '.join(about['model'])}; subwords merged by {', '.join(about['merge'])}; "
        f"{100 * about['removed_share']:.1f} % of the mass taken out"
        for row, about in rows.items()
        if about and about["model"] != [PROGRAMS]
    }


def metric_words(agreed: Agreed, metric: str) -> str:
    """How a metric is defined, in a sentence."""
    return _words(agreed.comparisons[0].parameters["metrics"].get(metric, {}))


def _words(said: Mapping[str, Any]) -> str:
    parts = [str(said["rule"])] if said.get("rule") else []
    if said.get("pooled"):
        parts.append(f"pooled: {said['pooled']}")
    return _sentence("; ".join(parts)) if parts else ""


def _figure(figure: Figure) -> page.FigureView:
    same = ("low", "high", "chance", "chance_low", "chance_high", "pooled")
    ceiling = ("ceiling", "ceiling_low", "ceiling_high")
    return page.FigureView(
        row=figure.row,
        value=figure.mean,
        above=figure.above_chance,
        pooled_chance=figure.pooled_chance,
        units=figure.n_units,
        items=figure.n_items,
        people=figure.n_people,
        undefined=sum(figure.undefined.values()),
        reasons=reasons(figure),
        baseline=_is_baseline(figure),
        **{name: getattr(figure, name) for name in (*same, *ceiling)},
    )


def reasons(figure: Figure) -> str:
    """Why readings have no figure, in words; empty if all have."""
    return ", ".join(f"{reason} {n}" for reason, n in figure.undefined.items())
