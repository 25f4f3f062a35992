"""Programs of saccades against people, and against the attention matrices of models.

Token to token, row-stochastic: the weighted IoU of Hayes, Li & Andreas (arXiv 2606.19317,
equation 2) over the rows that a person left at least once, and the mean Jensen–Shannon divergence
of these rows (`gazecode.agreement.programs.matrices`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from gazecode.agreement.programs.hold_out import HoldOut, plan, plan_for_model
from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.matrices import rank_matrices
from gazecode.agreement.programs.observed import Observed, merged
from gazecode.agreement.programs.registry import TRANSITION_PROGRAMS, Program, Programs, chosen
from gazecode.agreement.programs.result import ProgramScores
from gazecode.agreement.scoring import Progress, Task
from gazecode.errors import DataError, ParameterError
from gazecode.model import ModelScores, SourceTokens, Transitions
from gazecode.model.checks import FloatArray

__all__ = ["explain_transitions", "score_transitions"]

ALWAYS_RANKED = ("uniform", "first_token", "random_token")
"""Whatever is asked for: no figure of attention stands without them (validity 14)."""

CHANCE = "targets of saccades permuted within the reading"


def score_transitions(
    observed: Iterable[Observed],
    *,
    programs: Programs | None = None,
    hold_out: HoldOut = "both",
    permutations: int = 1000,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> ProgramScores:
    """Rank programs by how well they say where the eyes go next from each token.

    Parameters
    ----------
    observed
        Readings with transitions; those without are left out and counted.
    programs
        Names in `TRANSITION_PROGRAMS`, or functions by name; all if left out. ``uniform``,
        ``first_token`` and ``random_token`` are always ranked beside them.
    hold_out
        As for `score_programs`.
    permutations
        Draws of chance: the targets of a reading's saccades permuted among its saccades.
    bootstrap
        Replicates of the interval, people and files drawn anew.
    seed
        Of both.
    progress
        Called with how many files are done and how many there are.

    Returns
    -------
    ProgramScores
        Metrics ``iou`` (weighted, of a reading's rows) and ``js`` (mean over them, nats; 0 is
        best), each the mean over files of the mean over people, and ``M_pooled`` over all rows of
        all readings at once. Rows are those tokens that the person left; program rows are those
        of the tokens that were shown, renormalised. ``silent`` is the share of human rows of
        which the program says nothing; they count as wrong. The ceiling is one person's matrix
        against the mean of the others' rows.

    Raises
    ------
    DataError
        No reading has a saccade, or a program gives no such matrix.
    ParameterError
        An unknown program or way to hold out, a negative number of draws.

    Examples
    --------
    >>> from gazecode.model import Transitions
    >>> from gazecode.source import parse
    >>> tokens = parse("int x = 1;", "java")
    >>> onward = Transitions(size=5, origin=[0, 1, 2], target=[1, 2, 3], count=[2, 1, 1])
    >>> seen = [
    ...     Observed(person=p, source="a", tokens=tokens, value=[1] * 5, transitions=onward)
    ...     for p in ("P1", "P2")
    ... ]
    >>> ranked = score_transitions(seen, hold_out="files", permutations=100, bootstrap=100)
    >>> ranked.rows[0]["program"], ranked.rows[0]["iou"], ranked.ceiling["iou"]
    ('next_token', 1.0, 1.0)
    """
    task = _checked(permutations, bootstrap, seed, progress)
    planned = plan(merged(observed), hold_out, seed)
    functions = _with_baselines(programs)
    return rank_matrices(planned, functions, task, chance=CHANCE)


def explain_transitions(
    model_maps: Mapping[str, ModelScores | FloatArray],
    tokens: Mapping[str, SourceTokens],
    *,
    observed: Iterable[Observed] = (),
    programs: Programs | None = None,
    causal: bool | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> ProgramScores:
    """Rank the same programs by how well they say where a model's attention goes from each token.

    Parameters
    ----------
    model_maps
        File to its scores with a matrix, or to the ``(m, m)`` matrix: from token (row) to token.
    tokens
        File to its tokens.
    observed
        People's readings, for what programs may know of people: of other files alone.
    programs
        As for `score_transitions`.
    causal
        Whether the model could see earlier tokens (and the token itself) only: then rows of
        programs are restricted to these. If left out, what the scores say of themselves (their
        parameter ``causal``: tokens that share a subword see each other either way), else found
        out from the matrices.
    bootstrap, seed, progress
        As for `score_transitions`; files are drawn anew.

    Returns
    -------
    ProgramScores
        As of `score_transitions`, for a table with it. There is no reading to permute in dense
        rows: what stands for chance is ``uniform``, ``first_token`` and ``random_token``, with the
        same restriction.

    Raises
    ------
    DataError
        Scores without a matrix, of another size or below 0; a file without tokens.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = {"a": parse("int x = 1;", "java")}
    >>> ranked = explain_transitions({"a": np.eye(5, k=-1)}, tokens, bootstrap=100)
    >>> ranked.rows[0]["program"], ranked.rows[0]["iou"]
    ('previous_token', 1.0)
    """
    task = _checked(0, bootstrap, seed, progress)
    matrices = {file: _matrix(file, said, tokens) for file, said in model_maps.items()}
    if causal is None:
        causal = all(_is_causal(said, matrices[file]) for file, said in model_maps.items())
    functions = _with_baselines(programs)
    if causal:
        functions = {name: _earlier(function) for name, function in functions.items()}
    planned = plan_for_model({file: tokens[file] for file in matrices}, merged(observed))
    readings = [
        replace(reading, transitions=_dense(matrices[reading.source])) for reading in planned.scored
    ]
    chance = "not drawn; compare with uniform, first_token and random_token"
    if causal:
        chance += "; programs see earlier tokens alone"
    ranked = rank_matrices(replace(planned, scored=tuple(readings)), functions, task, chance=chance)
    # A model is no person, and its rows are no saccades.
    counts = {name: ranked.counts[name] for name in ("files", "rows", "rows_never_left")}
    return replace(ranked, counts=counts)


def _is_causal(said: ModelScores | FloatArray, matrix: FloatArray) -> bool:
    told = said.parameters.get("causal") if isinstance(said, ModelScores) else None
    return not np.triu(matrix, 1).any() if told is None else bool(told)


def _checked(permutations: int, bootstrap: int, seed: int, progress: Progress | None) -> Task:
    if permutations < 0 or bootstrap < 0:
        raise ParameterError(
            f"permutations is {permutations} and bootstrap {bootstrap}; expected at least 0"
        )
    return Task(permutations=permutations, bootstrap=bootstrap, seed=seed, progress=progress)


def _with_baselines(programs: Programs | None) -> dict[str, Program]:
    baselines = {name: TRANSITION_PROGRAMS[name] for name in ALWAYS_RANKED}
    return baselines | chosen(programs, TRANSITION_PROGRAMS)


def _earlier(program: Program) -> Program:
    """The same, to earlier tokens and the token itself alone."""

    def restricted(tokens: SourceTokens, known: Known) -> FloatArray:
        said = np.asarray(program(tokens, known))
        # What is no matrix is refused as it is; numpy would make one of a vector.
        return np.tril(said) if said.ndim == 2 else said

    return restricted


def _matrix(
    file: str, said: ModelScores | FloatArray, tokens: Mapping[str, SourceTokens]
) -> FloatArray:
    if file not in tokens:
        raise DataError(f"{file}: scores without tokens; expected the tokens of every file")
    m = len(tokens[file])
    matrix = said.matrix if isinstance(said, ModelScores) else said
    if matrix is None:
        raise DataError(f"{file}: scores without a matrix; ask for one, or use explain(...)")
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != (m, m):
        raise DataError(f"{file}: a matrix of {matrix.shape}; expected {(m, m)}, token to token")
    # A row that the model never computed says nothing.
    matrix = np.nan_to_num(matrix)
    if (matrix < 0).any():
        raise DataError(f"{file}: the matrix has {matrix.min():g}; expected at least 0")
    return matrix


def _dense(matrix: FloatArray) -> Transitions:
    total = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    origin, target = np.nonzero(share)
    return Transitions(size=len(matrix), origin=origin, target=target, count=share[origin, target])
