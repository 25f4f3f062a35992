"""Read the key words people marked: the study's CSV files, its pickle, or Parquet.

The study evaluates its pickle (``gradient_based/dataset.pkl``), which holds 7,990 spans; its CSV
files hold 7,983.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from gazecode.agreement.kou.columns import parquet_columns
from gazecode.agreement.kou.data import LabelledPrompt
from gazecode.agreement.kou.inert_pickle import MAX_STEPS, read_pickle
from gazecode.errors import DataError, FormatError, TooLarge, UnknownFormat

__all__ = ["load_human"]

Row = tuple[str, tuple[int, int] | None, str]
"""A prompt, one span in it or none, and the kind of key word."""

CSV_COLUMNS = {"prompt": "prompt", "label type": "label", "index range": "span", "index": "span"}
"""Columns of both CSV files in lower case, and what is in them."""
CSV_NAMES = ("mbpp.csv", "humaneval.csv")
PAIR = re.compile(r"\s*[(\[]\s*(\d{1,9})\s*,\s*(\d{1,9})\s*[)\]]\s*")
PARQUET_COLUMNS = {"source": "text", "prompt": "text", "spans": "spans"}


def load_human(path: str | Path) -> dict[str, LabelledPrompt]:
    """The labelled prompts by their text, in the order of the file.

    Rows of the same prompt are joined: four texts occur under two ids of MBPP.

    Parameters
    ----------
    path
        ``mbpp.csv`` or ``humaneval.csv``, the folder that holds both, ``dataset.pkl`` (nothing in
        it is executed), or ``human.parquet``.

    Raises
    ------
    UnknownFormat
        Another kind of file.
    FormatError
        Columns are missing, a span is no pair of numbers, or the pickle holds anything else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mbpp.csv"
    ...     with path.open("w") as file:
    ...         print(",prompt_id,Prompt,Word,Label Type,index", file=file)
    ...         print('0,1,Sort it.,Sort,Operator,"(0, 3)"', file=file)
    ...     human = load_human(path)
    >>> human["Sort it."].span
    array([[0, 3]])
    """
    path = Path(path)
    if path.is_dir():
        return _from_folder(path)
    if path.suffix == ".csv":
        return _joined(path.name, _csv_rows(path), {})
    if path.suffix == ".pkl":
        return _joined(path.name, _pickle_rows(path), {})
    if path.suffix == ".parquet":
        return _from_parquet(path)
    raise UnknownFormat(
        f"{path.name}: no file of labelled prompts; expected a .csv, .pkl or .parquet of the study"
    )


def prompts_by_id(path: Path) -> dict[int, str]:
    """The prompts of ``human.parquet`` by the number that ``attention.parquet`` names."""
    table = parquet_columns(path, {"prompt_id": "whole", "prompt": "text"})
    prompts = dict(zip(table["prompt_id"], table["prompt"], strict=True))
    if len(prompts) < len(table["prompt_id"]):
        raise FormatError(f"{path.name}: a prompt_id stands for two prompts; fetch the file again")
    return prompts


def _from_folder(folder: Path) -> dict[str, LabelledPrompt]:
    files = [folder / name for name in CSV_NAMES if (folder / name).is_file()]
    if not files:
        raise UnknownFormat(
            f"{folder.name}: holds neither {' nor '.join(CSV_NAMES)}; name the folder they lie in"
        )
    return {text: prompt for file in files for text, prompt in load_human(file).items()}


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            head = next(rows, [])
            at = {CSV_COLUMNS[n.lower()]: i for i, n in enumerate(head) if n.lower() in CSV_COLUMNS}
            missing = [name for name in ("prompt", "label", "span") if name not in at]
            if missing:
                raise FormatError.missing_columns(path.name, missing, head)
            for row in rows:
                if len(row) <= max(at.values()):
                    raise FormatError(
                        f"{path.name}:{rows.line_num}: {len(row)} fields; expected {len(head)}"
                    )
                where = f"{path.name}:{rows.line_num}"
                yield row[at["prompt"]], _pair(row[at["span"]], where), row[at["label"]]
        except (csv.Error, UnicodeDecodeError) as error:
            raise FormatError(f"{path.name}: no CSV file in UTF-8: {error}") from error


def _pair(text: str, where: str) -> tuple[int, int] | None:
    """A span as it is written, or None: most prompts of MBPP begin with a row without one."""
    if not text.strip():
        return None
    found = PAIR.fullmatch(text)
    if found is None:
        raise FormatError(f"{where}: span {text[:40]!r}; expected two numbers, as in '(0, 4)'")
    return int(found[1]), int(found[2])


def _pickle_rows(path: Path) -> Iterator[Row]:
    held = read_pickle(path)
    if not isinstance(held, dict) or not held:
        raise FormatError(
            f"{path.name}: holds a {type(held).__name__}; expected a dict of prompts and spans"
        )
    # A pickle may name one list many times over: together they may be no longer than the file.
    if sum(len(spans) for spans in held.values() if isinstance(spans, (list, tuple))) > MAX_STEPS:
        raise TooLarge(f"{path.name}: more than {MAX_STEPS:,} spans; expected about 8,000")
    for text, spans in held.items():
        yield text, None, ""
        for span in _entries(path.name, spans):
            yield text, (span[0], span[1]), ""


def _entries(name: str, spans: object) -> Iterator[tuple[int, int]]:
    if not isinstance(spans, (list, tuple)):
        raise FormatError(f"{name}: a prompt has a {type(spans).__name__}; expected its spans")
    for span in spans:
        whole = isinstance(span, (list, tuple)) and [type(one) for one in span] == [int, int]
        if not whole:
            raise FormatError(f"{name}: a span is no pair of whole numbers; expected (start, end)")
        yield span[0], span[1]


def _from_parquet(path: Path) -> dict[str, LabelledPrompt]:
    table = parquet_columns(path, PARQUET_COLUMNS)
    sources = dict(zip(table["prompt"], table["source"], strict=True))
    rows = [
        (text, span, "")
        for text, spans in zip(table["prompt"], table["spans"], strict=True)
        for span in [None, *_entries(path.name, spans)]
    ]
    return _joined(path.name, rows, sources)


def _joined(
    name: str, rows: Iterable[Row], sources: Mapping[str, str]
) -> dict[str, LabelledPrompt]:
    spans: dict[str, list[tuple[tuple[int, int], str]]] = {}
    for text, span, label in rows:
        held = spans.setdefault(text, [])
        if span is not None:
            held.append((span, label))
    try:
        return {
            text: LabelledPrompt(
                text=text,
                source=sources.get(text) or _source(text),
                span=np.array([span for span, _ in held], dtype=np.int64).reshape(-1, 2),
                label=tuple(label for _, label in held),
            )
            for text, held in spans.items()
        }
    except (DataError, OverflowError) as error:
        raise FormatError(f"{name}: {error}; fetch the file again") from error


def _source(text: str) -> str:
    """Prompts of HumanEval hold the head of a function, those of MBPP do not."""
    return "humaneval" if "def " in text else "mbpp"
