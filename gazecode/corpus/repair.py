"""Right weights for the published rows of EyeMulator.

The release pairs its rows with an index that decodes none of their labels and 1 of their 708
n-grams: on the published sample 81 % of the tokens on a path weigh exactly 3.0, and the semantic
term is right for none of them. `eyemulator_weights` computes what was meant, by labels recovered
from the rows; `repair` does so for a whole file.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gazecode.corpus.lines import opened
from gazecode.corpus.tally import BrokenLine, RepairReport, Tally
from gazecode.disk import replacing
from gazecode.errors import DataError, FormatError, GazecodeError, ParameterError
from gazecode.model import LabelPriors, ScanPath, TokenBatch, label_codes
from gazecode.model.checks import FloatArray, IntArray
from gazecode.priors.arguments import check_priors
from gazecode.priors.released import decode_labels, decode_row, row_columns, whole_numbers
from gazecode.priors.windows import MAX_LINE_SPAN, Matching, cut_windows
from gazecode.registry import check_values
from gazecode.weighting.eyemulator import count_lookups
from gazecode.weighting.schemes import weigh_batch

__all__ = ["BrokenLine", "RepairReport", "eyemulator_weights", "repair"]

RowWindows = Literal["path", "published"]

ADDED = ("weights", "labels", "window")
"""Fields that `repair` adds to a row."""
_COLUMNS = ("semantic_token_sequence", "mask", "line_numbers")
_ANNOTATED = ("code_tokens", "order_sequence", "ngrams")
_PARALLEL = (*_COLUMNS, *_ANNOTATED, "ngram_indices", "code_occurrence")
"""Columns with one entry per token; weights need the first three, published windows the next."""


def eyemulator_weights(
    row: Mapping[str, Any],
    priors: LabelPriors,
    *,
    windows: RowWindows = "published",
    max_line_span: int = MAX_LINE_SPAN,
    matching: Matching = "scan",
    **params: Any,
) -> FloatArray:
    """Loss weights of one published row, one per token.

    Parameters
    ----------
    row
        A line of the published JSONL, its columns lists or arrays. Its `mask` says what is on the
        path, its `semantic_token_sequence` the labels; its n-gram ids and their index are not used.
    priors
        Posteriors, n-gram counts, and the sequences that may be windows.
    windows
        ``"published"``: the n-gram of a token is the one that the row's own `order_sequence` and
        `ngrams` put on it; the release wrote them over consecutive tokens (29 % of them off the
        path, where the weight is 1.0 here). ``"path"``: found anew among the tokens on the path.
    max_line_span, matching
        See `gazecode.priors.windows.cut_windows`.
    **params
        Parameters of the scheme ``eyemulator``: `preset`, `w_base`, `unseen`, ...

    Returns
    -------
    ndarray
        ``(m,)`` weights; 1.0 off the path.

    Raises
    ------
    FormatError
        No row, a column is missing, columns differ in length, or hold what such a row cannot hold.
    ParameterError
        No priors, an unknown parameter, or a value of another kind or outside its range.

    Examples
    --------
    >>> from gazecode.model import LABELS, NgramTable
    >>> hit, shown = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    >>> hit[13], shown[13] = 1, 2
    >>> priors = LabelPriors(
    ...     hit=hit,
    ...     shown=shown,
    ...     theta_null=np.full(len(LABELS), np.nan),
    ...     ngrams={1: NgramTable(order=1, counts={("loop",): 6})},
    ... )
    >>> row = {
    ...     "code_tokens": ["while", "x", "y"],
    ...     "semantic_token_sequence": [13, 13, 0],
    ...     "mask": [1, 0, 0],
    ...     "line_numbers": [1, 1, 2],
    ...     "order_sequence": [1, 0, 0],
    ...     "ngrams": ["loop", None, None],
    ... }
    >>> eyemulator_weights(row, priors).round(4)
    array([3.9809, 1.    , 1.    ])
    """
    check_priors(priors, "eyemulator_weights")
    shape = {"windows": windows, "max_line_span": max_line_span, "matching": matching}
    check_values(eyemulator_weights, shape, name="eyemulator_weights")
    batch, path = _as_path(row, priors, windows, max_line_span, matching)
    return weigh_batch(path, batch, "eyemulator", priors, **params).value


def repair(
    path_in: str | os.PathLike[str],
    path_out: str | os.PathLike[str],
    priors: LabelPriors,
    *,
    windows: RowWindows = "published",
    max_line_span: int = MAX_LINE_SPAN,
    matching: Matching = "scan",
    **params: Any,
) -> RepairReport:
    """Write a published JSONL file again, with right weights beside what each row holds.

    Every row keeps its text as it is and gains ``weights`` (one per token), ``labels`` (what its
    semantic ids mean) and ``window`` (number of the window on the path, -1 for none). One line is
    in memory at a time; the file appears whole or not at all.

    Parameters
    ----------
    path_in, path_out
        JSONL, packed with gzip or not, and another file for the new rows, which are not packed.
    priors, windows, max_line_span, matching, **params
        As for `eyemulator_weights`.

    Returns
    -------
    RepairReport
        With the number and the fault of every line that could not be repaired; those are left out.

    Raises
    ------
    DataError
        Not one row could be repaired; nothing is written.
    FormatError
        The file cannot be read to its end; nothing is written.
    ParameterError
        `path_in` is no file, both paths are the same file, or a parameter is wrong.
    """
    source = Path(path_in)
    if not source.is_file():
        raise ParameterError(f"{source}: no such file; expected published rows as JSONL")
    if Path(path_out).exists() and source.samefile(path_out):
        raise ParameterError(
            f"{source}: the new rows would replace the published ones; name another file to write"
        )
    # What is wrong with a parameter is wrong with every row: found before anything is written.
    check_priors(priors, "repair")
    options = {"windows": windows, "max_line_span": max_line_span, "matching": matching, **params}
    check_values(repair, options, name="repair")
    eyemulator_weights(dict.fromkeys((*_COLUMNS, *_ANNOTATED), ()), priors, **options)
    tally = Tally()
    with replacing(path_out) as part:
        try:
            with opened(source) as lines, part.open("wb") as out:
                for text in _repaired(lines, priors, tally, options):
                    out.write(text)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FormatError(
                f"{source}: cannot be unpacked to its end ({error}); fetch the file again"
            ) from error
        # Before the new file takes its name: an older one of that name stays as it was.
        _check_repaired(tally, source)
    return tally.report()


def _check_repaired(tally: Tally, source: Path) -> None:
    if tally.repaired:
        return
    first = "there is no row"
    if tally.failures:
        first = f"first reason: line {tally.failures[0].line}: {tally.failures[0].reason}"
    raise DataError(
        f"{source}: none of {len(tally.failures)} rows could be repaired; {first}; nothing is "
        "written: name rows as EyeMulator published them"
    )


def _repaired(
    lines: Iterable[bytes], priors: LabelPriors, tally: Tally, options: dict[str, Any]
) -> Iterator[bytes]:
    """The lines of the new file."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            tally.blank += 1
            continue
        try:
            repaired = _with_weights(text, priors, tally, options)
        except Exception as error:  # noqa: BLE001 - one row, whatever it holds, ends no file
            tally.failures.append(BrokenLine(line=number, reason=_reason(error)))
        else:
            yield repaired + b"\n"


def _reason(error: Exception) -> str:
    """One line that can be written anywhere; what nobody foresaw is said with its kind."""
    said = " ".join(str(error).split())
    if not isinstance(error, GazecodeError | ValueError) or not said:
        said = f"{type(error).__name__}: {said}".removesuffix(": ")
    return said.encode("utf-8", "backslashreplace").decode()


def _with_weights(text: bytes, priors: LabelPriors, tally: Tally, options: dict[str, Any]) -> bytes:
    row = _parsed(text)
    shape = {name: options[name] for name in ("windows", "max_line_span", "matching")}
    params = {name: value for name, value in options.items() if name not in shape}
    batch, path = _as_path(row, priors, **shape)
    weights = weigh_batch(path, batch, "eyemulator", priors, **params)
    added = {
        "weights": weights.value.tolist(),
        "labels": decode_labels(row["semantic_token_sequence"]),
        "window": np.where(path.on_path, path.ngram, -1).tolist(),
    }
    lookups = count_lookups(path, batch, priors, repeats=params.get("repeats", "keep"))
    # Spliced in: numbers and escapes of the row stay as they were written.
    repaired = text[:-1].rstrip() + b", " + json.dumps(added, allow_nan=False).encode()[1:]
    tally.add(weights, lookups)
    return repaired


def _parsed(text: bytes) -> dict[str, Any]:
    row = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_not_json)
    if not isinstance(row, dict):
        raise FormatError(f"found {type(row).__name__}; expected a JSON object per line")
    there = [name for name in ADDED if name in row]
    if there:
        raise FormatError(
            f"row: there is a field {there[0]!r} already; repair the file as it was published"
        )
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise FormatError("row: a field is there twice; expected each once")
    return row


def _not_json(name: str) -> float:
    raise FormatError(f"row: {name} is not a number in JSON")


def _as_path(
    row: Any,
    priors: LabelPriors,
    windows: RowWindows,
    max_line_span: int,
    matching: Matching,
) -> tuple[TokenBatch, ScanPath]:
    """A row as tokens without text, and the path its mask says."""
    columns = _columns(row)
    label = label_codes(decode_labels(columns["semantic_token_sequence"]))
    token, lines = np.flatnonzero(columns["mask"]), columns["line_numbers"]
    batch = TokenBatch(
        code=b"",
        code_start=np.array([0, 0]),
        token_start=np.array([0, len(label)]),
        span=np.zeros((len(label), 2), dtype=np.int64),
        row=lines,
        label=label,
    )
    ngram = np.full(len(label), -1, dtype=np.int64)
    ngram[token] = cut_windows(
        label[token], lines[token], priors, max_line_span=max_line_span, matching=matching
    )
    if windows == "path":
        return batch, ScanPath(ngram=ngram, unknown_labels={}, **_origin(priors))
    return batch, _published_path(row, priors)


def _published_path(row: Mapping[str, Any], priors: LabelPriors) -> ScanPath:
    """The windows as a row's own annotation says."""
    said = decode_row(row)
    long = [labels for labels in said.window_labels if len(labels) > 3]
    if long:
        raise FormatError(f"row: a window has {len(long[0])} labels; a window has one to three")
    codes = np.zeros((len(said.window_labels) + 1, 3), dtype=np.int8)
    for number, labels in enumerate(said.window_labels):
        codes[number, : len(labels)] = label_codes(labels)
    ngram = np.asarray(said.window, dtype=np.int64)
    # The last row of codes is for -1, no window.
    return ScanPath(
        ngram=ngram,
        on_path=np.asarray(said.on_path, dtype=bool),
        window=codes[ngram],
        unknown_labels={},
        **_origin(priors),
    )


def _origin(priors: LabelPriors) -> dict[str, Any]:
    return {"prior_sources": priors.prior_sources, "n_people": priors.n_people}


def _columns(row: Any) -> dict[str, IntArray]:
    """The columns that weights need, as whole numbers of equal length."""
    found = row_columns(row, needed=_COLUMNS, others=_PARALLEL[len(_COLUMNS) :])
    columns = {
        name: np.array(whole_numbers(found[name], f"row: {name}"), dtype=np.int64)
        for name in _COLUMNS
    }
    odd = columns["mask"][columns["mask"] > 1]
    if odd.size:
        raise FormatError(f"row: mask holds {odd[0]}; expected 0 or 1")
    return columns
