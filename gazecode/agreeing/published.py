"""The published data of Kou et al. (FSE 2024) as inputs of a comparison, and as texts to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazecode.agreement.item import Marks
from gazecode.agreement.kou import (
    LabelledPrompt,
    PublishedScores,
    as_comparison_inputs,
    load_human,
    load_kou2024,
    load_scores,
    rows_by_units,
)
from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Published", "in_bytes", "is_published", "read_published"]

FILES = ("human.parquet", "gradient_based/dataset.pkl", "dataset", "mbpp.csv", "humaneval.csv")
"""Where the labels of a folder are: the first of these that is there."""
FOLDERS = ("dataset",)
COLUMNS = ({"prompt_id", "spans"}, {"prompt_id", "tok_idx"})
"""What columns a Parquet file of these data has: of people, or of models."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """Rows over the same tokens of the same prompts, and what people marked in them.

    Attributes
    ----------
    marks, rows
        Prompt → marks over the located tokens; name of a row → prompt → ``(n,)`` scores.
    """

    marks: Mapping[str, Marks]
    rows: Mapping[str, Mapping[str, FloatArray]]

    @property
    def units(self) -> dict[str, list[str]]:
        """The texts of all tokens, by prompt."""
        return {
            text: [text[a:b] for a, b in marks.unit.tolist()] for text, marks in self.marks.items()
        }


def is_published(path: Path) -> bool:
    """Whether this is one of the study's files, or a folder of them.

    >>> is_published(Path("mbpp.csv")), is_published(Path("weights.parquet"))
    (True, False)
    """
    if path.is_dir():
        return (
            any((path / name).exists() for name in FILES if name not in FOLDERS)
            or (path / "experiment_result").is_dir()
        )
    if path.suffix == ".parquet":
        return _has_columns(path)
    return path.suffix in (".csv", ".pkl")


def _has_columns(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return False
    return any(columns <= names for columns in COLUMNS)


def read_published(
    human: Path,
    model: Path,
    *,
    methods: Sequence[str] = (),
    rows: Sequence[str] = (),
    compat: str | None = None,
) -> list[Published]:
    """Read marks and scores, in groups of rows over the same tokens.

    Parameters
    ----------
    human
        A file of labelled prompts, or a folder that has one.
    model
        A file of scores, or a folder of them.
    methods, rows
        Only these, rows by their whole name ("polycoder saliency_coding"); all if empty.
    compat
        None, or the published figures that are wanted: ``kou2024``, ``kou2024-table3``.

    Raises
    ------
    FormatError, DataError
        As the readers; also where the scores are of no labelled prompt.
    ParameterError
        No row of a method that was asked for.
    """
    labelled = load_human(_labels(human))
    scores = _scores(model, methods)
    for row in rows:
        if row not in [one.name for one in scores]:
            raise ParameterError.unknown("the rows", row, [one.name for one in scores])
    scores = tuple(one for one in scores if not rows or one.name in rows)
    return [
        Published(marks=marks, rows=rows)
        for group in rows_by_units(labelled, scores, compat=compat)
        for marks, rows in [_inputs(labelled, group, compat)]
    ]


def _inputs(
    labelled: Mapping[str, LabelledPrompt], group: Sequence[PublishedScores], compat: str | None
) -> tuple[dict[str, Marks], dict[str, dict[str, FloatArray]]]:
    marks, rows = as_comparison_inputs(labelled, group, compat=compat)
    empty = [text for text, mark in marks.items() if not len(mark)]
    if len(empty) == len(marks):
        raise DataError(f"{group[0].name}: no token is found in its prompts; are these its tokens?")
    return marks, rows


def _labels(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = next((path / name for name in FILES if (path / name).exists()), path)
    # The folder of both tables has one name for both.
    return path if found.suffix == ".csv" else found


def _scores(path: Path, methods: Sequence[str]) -> tuple[PublishedScores, ...]:
    if path.is_dir():
        return load_kou2024(path, methods=tuple(methods) or None).scores
    rows = load_scores(path)
    kept = tuple(row for row in rows if not methods or row.method in methods)
    if not kept:
        raise ParameterError.unknown(
            f"the methods of {path.name}", methods[0], {row.method for row in rows}
        )
    return kept


def in_bytes(text: str, span: IntArray) -> IntArray:
    """``(n, 2)`` characters of a text as bytes of its UTF-8.

    >>> in_bytes("größe ok", np.array([[0, 5], [6, 8]])).tolist()
    [[0, 7], [8, 10]]
    """
    sizes = np.fromiter((len(c.encode("utf-8", "surrogatepass")) for c in text), np.int64)
    at = np.concatenate([[0], np.cumsum(sizes)])
    return np.asarray(at[np.clip(span, 0, len(text))])


def title_of(text: str, *, most: int = 70) -> str:
    """A prompt as the name of a text: one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
