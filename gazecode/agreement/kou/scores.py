"""Read the model's scores: the study's pickles without executing them, or Parquet."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.agreement.kou.columns import parquet_columns
from gazecode.agreement.kou.data import Kou2024, PublishedScores, ScoredTokens
from gazecode.agreement.kou.human import load_human, prompts_by_id
from gazecode.agreement.kou.inert_pickle import MAX_STEPS, read_pickle
from gazecode.errors import FormatError, ParameterError, TooLarge, UnknownFormat

__all__ = ["load_kou2024", "load_scores"]

PARQUET_COLUMNS = {
    "prompt_id": "whole",
    "model": "text",
    "method": "text",
    "tok_idx": "whole",
    "token": "text",
    "score": "number",
}
HUMAN_BESIDE = "human.parquet"
SCORES_FOLDER = "experiment_result"
"""Of the study's repository."""


def load_scores(path: str | Path) -> tuple[PublishedScores, ...]:
    """The rows of one file of scores.

    Parameters
    ----------
    path
        One of the study's ``METHOD_MODEL.pkl`` (nothing in it is executed), which is one row, or
        ``attention.parquet`` beside ``human.parquet``, which has the prompts.

    Raises
    ------
    UnknownFormat
        Another kind of file.
    FormatError
        The file holds anything but tokens and scores of prompts.
    TooLarge
        The pickle would unpack to more than is reasonable.

    Examples
    --------
    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "saliency_coding_polycoder.pkl"
    ...     _ = path.write_bytes(pickle.dumps({"Sort it.": [("Sort", 0.5), ("it", 0.25)]}))
    ...     (row,) = load_scores(path)
    >>> row.name, row.prompts["Sort it."].score
    ('polycoder saliency_coding', array([0.5 , 0.25]))
    """
    path = Path(path)
    if path.suffix == ".pkl":
        method, _, model = path.stem.rpartition("_")
        if not method:
            raise UnknownFormat(
                f"{path.name}: names no row; expected METHOD_MODEL.pkl, as in "
                "saliency_coding_polycoder.pkl"
            )
        return (PublishedScores(model=model, method=method, prompts=_from_pickle(path)),)
    if path.suffix == ".parquet":
        return _from_parquet(path)
    raise UnknownFormat(f"{path.name}: no file of scores; expected METHOD_MODEL.pkl or a .parquet")


def load_kou2024(
    folder: str | Path,
    *,
    models: tuple[str, ...] | None = None,
    methods: tuple[str, ...] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Kou2024:
    """The study's data from a copy of its repository, or from a folder with both Parquet files.

    The spans come from ``gradient_based/dataset.pkl``, as the study's figures do, and from the CSV
    files where that is missing.

    Parameters
    ----------
    folder
        Where the data lie.
    models, methods
        Read only these rows, as the score files name them.
    progress
        Called with the name of every file of scores before it is read.

    Raises
    ------
    UnknownFormat
        The folder holds neither.
    ParameterError
        No row is left of those asked for.
    FormatError
        As the readers.

    Examples
    --------
    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, held in (
    ...         ("gradient_based/dataset.pkl", {"Sort it.": [(0, 3)]}),
    ...         ("experiment_result/reading_all_incoder.pkl", {"Sort it.": [("Sort", 0.5)]}),
    ...     ):
    ...         path = Path(folder) / name
    ...         path.parent.mkdir()
    ...         _ = path.write_bytes(pickle.dumps(held))
    ...     study = load_kou2024(folder)
    >>> len(study.human), [row.name for row in study.scores]
    (1, ['incoder reading_all'])
    """
    folder = Path(folder)
    human, files = _files(folder)

    def wanted(model: str, method: str) -> bool:
        return (models is None or model in models) and (methods is None or method in methods)

    rows: list[PublishedScores] = []
    for file in files:
        method, _, model = file.stem.rpartition("_")
        if file.suffix == ".pkl" and not wanted(model, method):
            continue
        if progress is not None:
            progress(file.name)
        rows += [row for row in load_scores(file) if wanted(row.model, row.method)]
    if not rows:
        raise ParameterError(
            f"{folder.name} has no row of models {models or 'any'} and methods {methods or 'any'}; "
            f"it has the files {', '.join(file.name for file in files) or 'none'}"
        )
    return Kou2024(human=load_human(human), scores=tuple(rows))


def _files(folder: Path) -> tuple[Path, list[Path]]:
    """Where the spans are, and the files of scores, in the order of their names."""
    results = folder / SCORES_FOLDER
    spans = (folder / "gradient_based" / "dataset.pkl", folder / "dataset")
    if results.is_dir():
        found = [path for path in spans if path.exists()]
        if found:
            return found[0], sorted(results.glob("*_*.pkl"))
    elif (folder / HUMAN_BESIDE).is_file() and (folder / "attention.parquet").is_file():
        return folder / HUMAN_BESIDE, [folder / "attention.parquet"]
    raise UnknownFormat(
        f"{folder.name}: neither a copy of the study's repository ({SCORES_FOLDER}/ and "
        f"gradient_based/dataset.pkl or dataset/) nor {HUMAN_BESIDE} with attention.parquet"
    )


def _from_pickle(path: Path) -> dict[str, ScoredTokens]:
    held = read_pickle(path)
    if not isinstance(held, dict) or not held:
        raise FormatError(
            f"{path.name}: holds a {type(held).__name__}; expected a dict of prompts and tokens"
        )
    # A pickle may name one list many times over: together they may be no longer than the file.
    if sum(len(tokens) for tokens in held.values() if isinstance(tokens, list)) > MAX_STEPS:
        raise TooLarge(f"{path.name}: more than {MAX_STEPS:,} tokens; expected about 30,000")
    return {text: _scored(path.name, tokens) for text, tokens in held.items()}


def _scored(name: str, tokens: object) -> ScoredTokens:
    if not isinstance(tokens, list):
        raise FormatError(f"{name}: a prompt has a {type(tokens).__name__}; expected its tokens")
    for token in tokens:
        if not (isinstance(token, (tuple, list)) and len(token) == 2 and _is_scored(*token)):
            raise FormatError(f"{name}: a token is no pair of a text and a number")
    return _tokens([text for text, _ in tokens], [score for _, score in tokens])


def _is_scored(text: object, score: object) -> bool:
    return isinstance(text, str) and isinstance(score, (float, int))


def _tokens(texts: list[str], scores: list[Any]) -> ScoredTokens:
    return ScoredTokens(text=tuple(texts), score=np.array(scores, dtype=np.float64))


def _from_parquet(path: Path) -> tuple[PublishedScores, ...]:
    beside = path.with_name(HUMAN_BESIDE)
    if not beside.is_file():
        raise FormatError(
            f"{path.name}: names prompts by number, and no {HUMAN_BESIDE} lies beside it; put it "
            "there"
        )
    prompts = prompts_by_id(beside)
    held = parquet_columns(path, PARQUET_COLUMNS)
    rows: dict[tuple[str, str], dict[int, list[tuple[int, str, float]]]] = {}
    for number, model, method, order, text, score in zip(*held.values(), strict=True):
        if number not in prompts:
            raise FormatError(
                f"{path.name}: prompt {number} is not in {HUMAN_BESIDE}, which has {len(prompts)} "
                "prompts; the two files belong together"
            )
        rows.setdefault((model, method), {}).setdefault(number, []).append((order, text, score))
    return tuple(
        PublishedScores(model=model, method=method, prompts=_in_order(tokens, prompts))
        for (model, method), tokens in rows.items()
    )


def _in_order(
    tokens: Mapping[int, list[tuple[int, str, float]]], prompts: Mapping[int, str]
) -> dict[str, ScoredTokens]:
    ordered = {number: sorted(held, key=lambda one: one[0]) for number, held in tokens.items()}
    return {
        prompts[number]: _tokens([text for _, text, _ in held], [s for _, _, s in held])
        for number, held in ordered.items()
    }
