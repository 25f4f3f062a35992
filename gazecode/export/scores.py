"""Model scores as one Parquet file: a row for each text and method, so that nobody asks twice.

The schema is written down in ``docs/schema.md``. Like every file of the package it appears whole or
not at all, says its units, and is byte-identical on a rerun. Token-to-token matrices are not kept.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.disk import replacing
from gazecode.errors import DataError
from gazecode.export import metadata
from gazecode.export.parquet import SETTINGS
from gazecode.export.rows import is_text
from gazecode.export.scores_reader import is_scores, iter_scores, read_scores
from gazecode.export.scores_table import (
    SCORES_VERSION,
    TEXTS,
    ScoredText,
    scores_schema,
    span_problem,
)
from gazecode.model.scores import ModelScores

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ScoredText", "is_scores", "iter_scores", "read_scores", "to_scores"]

BATCH_ROWS = 256
BATCH_VALUES = 2**18
"""Rows and tokens after which a row group ends; one row is never cut."""
_REPEATING = (*TEXTS, "merge", "parameters")
_UNITS = {"token_start": "byte", "token_end": "byte"}


def to_scores(
    rows: Iterable[ScoredText | tuple[str, str, ModelScores]],
    path: str | Path,
    *,
    provenance: Mapping[str, object] | None = None,
) -> int:
    """Write scores as a Parquet file, streaming.

    Parameters
    ----------
    rows
        ``(source_id, text, scores)`` or `ScoredText`, one for each text and method; any iterable, a
        generator included, of which few rows are held at a time.
    path
        The file; it appears whole or not at all.
    provenance
        What else the file should say about itself, under the key ``gazecode``.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    DataError
        A text that is not Unicode, a token outside its text, or parameters that JSON cannot hold.
    ParameterError
        The folder does not exist, or the provenance does not fit into JSON.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.parquet"
    >>> scores = ModelScores(model="m", method="rollout", span=[[0, 3], [4, 5]], value=[0.7, 0.3])
    >>> to_scores([("a.java", "int x", scores)], path)
    1
    >>> read_scores(path)[0].scores.value
    array([0.7, 0.3])
    """
    import pyarrow.parquet as pq

    said = {"table": "scores", "table_version": SCORES_VERSION, "units": _UNITS}
    schema = scores_schema().with_metadata(
        {"gazecode": metadata.for_table(scores_schema().names, {**(provenance or {}), **said})}
    )
    written = 0
    with (
        replacing(path) as part,
        pq.ParquetWriter(part, schema, **SETTINGS, **_by_column()) as file,
    ):
        for batch in _batches(ScoredText(*row) for row in rows):
            file.write_batch(batch, row_group_size=batch.num_rows)
            written += batch.num_rows
    return written


def _by_column() -> dict[str, Any]:
    sorted_numbers = ("token_start.list.element", "token_end.list.element")
    return {
        # Texts are never searched by their order; statistics would only make the footer grow.
        "write_statistics": ["source_id", "source_sha256", "language", "model", "method"],
        # All methods of a text stand together, and name it each.
        "use_dictionary": list(_REPEATING),
        "column_encoding": dict.fromkeys(sorted_numbers, "DELTA_BINARY_PACKED"),
    }


def _batches(rows: Iterable[ScoredText]) -> "Iterator[pa.RecordBatch]":
    held: list[ScoredText] = []
    values = 0
    for row in rows:
        held.append(row)
        values += len(row.scores)
        if len(held) >= BATCH_ROWS or values >= BATCH_VALUES:
            yield _to_batch(held)
            held, values = [], 0
    if held:
        yield _to_batch(held)


def _to_batch(rows: list[ScoredText]) -> "pa.RecordBatch":
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([_row(*row) for row in rows], schema=scores_schema())


def _row(source_id: str, text: str, scores: ModelScores, language: str) -> dict[str, Any]:
    texts = {
        "source_id": source_id,
        "language": language,
        "model": scores.model,
        "method": scores.method,
        "text": text,
    }
    bad = next((name for name, said in texts.items() if not is_text(said)), None)
    if bad is not None:
        raise DataError(
            f"scores of {source_id!a:.60}: {bad} is no Unicode text ({texts[bad]!a:.60}); give "
            "text without half surrogate pairs"
        )
    raw = text.encode()
    problem = span_problem(scores.span, len(raw))
    if not 0 <= scores.removed_share <= 1:
        problem = f"removed_share is {scores.removed_share}; expected 0 to 1"
    if problem:
        raise DataError(f"scores of {source_id!a:.60}: {problem}")
    return texts | {
        "source_sha256": hashlib.sha256(raw).hexdigest(),
        "token_start": scores.span[:, 0],
        "token_end": scores.span[:, 1],
        # Adding 0 turns -0.0 into 0.0: one number, the same bytes.
        "value": scores.value + 0.0,
        "expected": None if scores.expected is None else scores.expected + 0.0,
        "merge": scores.merge,
        "removed_share": float(scores.removed_share),
        "parameters": _parameters(scores),
    }


def _parameters(scores: ModelScores) -> str:
    try:
        text = json.dumps(
            dict(scores.parameters),
            sort_keys=True,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=_plain,
        )
        text.encode()
    except (TypeError, ValueError) as error:
        raise DataError(
            f"parameters of {scores.method} do not fit into JSON ({error}); give texts, finite "
            "numbers, lists and mappings with text keys"
        ) from error
    return text


def _plain(value: object) -> object:
    """Numpy's scalars and arrays as Python's; everything else is refused."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")
