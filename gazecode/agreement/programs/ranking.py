"""Programs against the maps of people, and against those of models: what explains whom.

Every figure is that of `gazecode.agreement.compare`: chance by permutation within the file, a
crossed bootstrap over people and files, the mean of the others as target and ceiling.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from gazecode.agreement.compare import compare
from gazecode.agreement.comparison import Comparison
from gazecode.agreement.programs.answers import ask_all
from gazecode.agreement.programs.hold_out import HoldOut, Plan, plan, plan_for_model
from gazecode.agreement.programs.observed import Observed, by_file, merged
from gazecode.agreement.programs.registry import PROGRAMS, Program, Programs, chosen
from gazecode.agreement.programs.result import ProgramScores, Row, sorted_rows
from gazecode.agreement.scoring import Progress
from gazecode.errors import DataError
from gazecode.model import ModelScores, SourceTokens
from gazecode.model.checks import FloatArray

__all__ = ["explain", "score_programs"]

DEFAULT_METRICS = ("iou", "spearman", "auc")
ALWAYS_RANKED = ("uniform", "first_token", "token_length", "earlier", "random_values")
"""Whatever is asked for, as `compare` has its baselines."""
CHANCE = "the map permuted within the file"


def score_programs(
    observed: Iterable[Observed],
    *,
    programs: Programs | None = None,
    metrics: Iterable[str] = DEFAULT_METRICS,
    hold_out: HoldOut = "both",
    permutations: int = 1000,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> ProgramScores:
    """Rank programs by how well they say where people look, on people and files held out.

    Parameters
    ----------
    observed
        Readings; several of one file by one person are added up.
    programs
        Names in `PROGRAMS`, or functions by name, ``{"mine": f}`` with ``f(tokens, known)``; all
        of `PROGRAMS` if left out. Five baselines are always ranked beside them: ``uniform``,
        ``first_token``, ``token_length``, ``earlier``, ``random_values``.
    metrics
        Names in `gazecode.agreement.METRICS`; the first one ranks.
    hold_out
        What programs may know of people (`Known`; most programs use nothing of it). "both": other
        files, read by people who did not read this one, at least two; where they are not to be
        had for every file, one half of the people teaches and the other half is scored. "people":
        always by halves, of any file. "files": other files, anybody; people who are scored have
        taught.
    permutations, bootstrap
        Draws of chance and of the interval, as for `gazecode.agreement.compare`.
    seed
        Of both, and of the halves.
    progress
        Called with how many files are done and how many there are.

    Returns
    -------
    ProgramScores
        Which rule held is in `hold_out`, how many people and files taught each file in `known`.

    Raises
    ------
    DataError
        No readings; two texts under one name; a program that gives no such map.
    ParameterError
        An unknown program, metric or way to hold out.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = parse("int x = y;", "java")
    >>> seen = [
    ...     Observed(person=p, source="a", tokens=tokens, value=[0, 9, 1, 9, 0])
    ...     for p in ("P1", "P2")
    ... ]
    >>> ranked = score_programs(
    ...     seen,
    ...     programs={"names": lambda tokens, known: tokens.kind == "identifier"},
    ...     hold_out="files",
    ...     permutations=100,
    ...     bootstrap=100,
    ... )
    >>> ranked.rows[0]["program"], round(ranked.rows[0]["iou"], 3), ranked.ceiling["iou"]
    ('names', 0.9, 1.0)
    """
    planned = plan(merged(observed), hold_out, seed)
    files = by_file(planned.scored)
    human = {
        file: {reading.person: reading.value for reading in readings}
        for file, readings in files.items()
    }
    tokens = {file: readings[0].tokens for file, readings in files.items()}
    said = ask_all(_with_baselines(programs), tokens, planned.known)
    found = compare(
        human,
        said,
        metrics=metrics,
        permutations=permutations,
        bootstrap=bootstrap,
        seed=seed,
        baselines=False,
        texts={file: of_file.texts for file, of_file in tokens.items()},
        progress=progress,
    )
    counts = {
        "people": len({reading.person for reading in planned.scored}),
        "files": len(files),
        "readings": len(planned.scored),
        "readings_that_only_taught": planned.n_teachers_only,
    }
    return _ranked(found, planned, counts, said)


def explain(
    model_maps: Mapping[str, ModelScores | FloatArray],
    tokens: Mapping[str, SourceTokens],
    *,
    observed: Iterable[Observed] = (),
    programs: Programs | None = None,
    metrics: Iterable[str] = DEFAULT_METRICS,
    permutations: int = 1000,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> ProgramScores:
    """Rank the same programs by how well they say what a model attends to.

    Parameters
    ----------
    model_maps
        File to one method's scores. Where they say what uniform attention gives
        (`ModelScores.expected`), that is divided out (validity 14).
    tokens
        File to its tokens.
    observed
        People's readings, for what programs may know of people: of other files alone. So
        ``label_theta`` asks whether the model attends to what people look at elsewhere.
    programs, metrics, permutations, bootstrap, seed, progress
        As for `score_programs`. There is one reader: intervals are over files.

    Returns
    -------
    ProgramScores
        As of `score_programs`, for one table with it (`explanation_table`); no ceiling.

    Raises
    ------
    DataError
        No files; scores of other tokens; values below 0 where a metric needs masses.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = {"a": parse("int x = y;", "java")}
    >>> ranked = explain({"a": [3, 1, 1, 1, 1]}, tokens, permutations=100, bootstrap=100)
    >>> ranked.rows[0]["program"], ranked.counts["files"]
    ('token_length', 1)
    """
    if not model_maps:
        raise DataError("no scores of a model; expected those of at least one file")
    maps = {file: _map(file, said, tokens) for file, said in model_maps.items()}
    of_files = {file: tokens[file] for file in maps}
    planned = plan_for_model(of_files, merged(observed))
    said = ask_all(_with_baselines(programs), of_files, planned.known)
    found = compare(
        maps,
        said,
        metrics=metrics,
        permutations=permutations,
        bootstrap=bootstrap,
        seed=seed,
        baselines=False,
        texts={file: of_file.texts for file, of_file in of_files.items()},
        progress=progress,
    )
    return _ranked(found, planned, {"files": len(maps)}, said)


def _with_baselines(programs: Programs | None) -> dict[str, Program]:
    return {name: PROGRAMS[name] for name in ALWAYS_RANKED} | chosen(programs, PROGRAMS)


def _map(
    file: str, said: ModelScores | FloatArray, tokens: Mapping[str, SourceTokens]
) -> FloatArray:
    if file not in tokens:
        raise DataError(f"{file}: scores without tokens; expected the tokens of every file")
    span = tokens[file].span
    if not isinstance(said, ModelScores):
        value = np.asarray(said, dtype=np.float64)
    elif np.array_equal(said.span, span):
        value = said.corrected
    else:
        raise DataError(
            f"{file}: scores of {len(said)} tokens, which are not the {len(span)} given; "
            "expected the same spans"
        )
    if value.shape != (len(span),):
        raise DataError(f"{file}: scores of {value.shape}; expected one per token, ({len(span)},)")
    return value


def _ranked(
    found: Comparison,
    planned: Plan,
    counts: Mapping[str, int],
    said: Mapping[str, Mapping[str, FloatArray]],
) -> ProgramScores:
    rows = []
    for program in found.rows:
        silent = [not of_file.any() for of_file in said[program].values()]
        rows.append(_row(found, program) | {"silent": sum(silent) / len(silent)})
    ceiling: dict[str, float] = {}
    for metric in found.metrics:
        figure = found.figures[found.rows[0], metric]
        ends = {f"{metric}_low": figure.ceiling_low, f"{metric}_high": figure.ceiling_high}
        ceiling |= {metric: figure.ceiling, **ends}
    return ProgramScores(
        kind="maps",
        metrics=found.metrics,
        rows=sorted_rows(rows, found.metrics[0]),
        ceiling=ceiling,
        hold_out=planned.rule,
        known=planned.known,
        counts=counts,
        chance=CHANCE,
        parameters=found.parameters,
        comparison=found,
    )


def _row(found: Comparison, program: str) -> Row:
    row: Row = {"program": program}
    figures = [found.figures[program, metric] for metric in found.metrics]
    for metric, figure in zip(found.metrics, figures, strict=True):
        row |= {
            metric: figure.mean,
            f"{metric}_pooled": figure.pooled,
            f"{metric}_chance": figure.chance,
            f"{metric}_chance_low": figure.chance_low,
            f"{metric}_chance_high": figure.chance_high,
            f"{metric}_above_chance": figure.above_chance,
            f"{metric}_low": figure.low,
            f"{metric}_high": figure.high,
            f"{metric}_undefined": sum(figure.undefined.values()),
        }
    return row | {
        "n_items": max(figure.n_items for figure in figures),
        "n_people": max(figure.n_people for figure in figures),
    }
