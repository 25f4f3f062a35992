"""Weights as the rows that EyeMulator published (Zhang et al.), for trainers that read those.

One JSON object a line, the keys of the release in its order, with one entry per labelled AST token
in ``code_tokens`` and all lists beside it. What the release does not have (spans, values, where a
row is from) stands in one object under the key ``gazecode``; trainers that do not know it pass
over it. Other than in the release, ``code_tokens`` are in text order, ``null`` stays ``null``, and
``line_numbers`` count the lines that hold a token. Ids are those recovered from the released rows
(`gazecode.model.released`); windows for which none is known get ids of their own (`ngram_id`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gazecode.disk import replacing
from gazecode.errors import DataError, ParameterError
from gazecode.export import metadata
from gazecode.export.rows import from_batch, is_text
from gazecode.model import Example, ScanPath, SourceTokens, TokenWeights, label_codes
from gazecode.model.checks import BoolArray, FloatArray, IntArray, StrArray
from gazecode.model.labels import LABELS, CodeArray, label_names
from gazecode.model.released import NGRAM_IDS, SEMANTIC_IDS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SUFFIX", "ngram_id", "to_eyemulator", "write_batches"]

SUFFIX = ".eyemulator.jsonl"
FLAGS = ("train", "valid", "test")
FIRST_OWN_ID = 10_000
"""Ids of windows that the release gives none: its own end at 2,610."""

Row: TypeAlias = (
    Example | tuple[SourceTokens, ScanPath] | tuple[SourceTokens, ScanPath, TokenWeights]
)

_SEMANTIC = np.array(
    [{label: number for number, label in SEMANTIC_IDS.items()}[label] for label in LABELS]
)
_SINGLE = {label: number for number, label in NGRAM_IDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Annotated:
    """A text with one entry per AST token, whatever it was made from.

    `window` is the number of the window on each token, -1 for none; `codes` ``(m, 3)`` its labels.
    """

    raw: bytes
    start: IntArray
    end: IntArray
    line: IntArray
    label: CodeArray
    on_path: BoolArray
    window: IntArray
    codes: CodeArray
    value: FloatArray | None
    said: Mapping[str, object]


def to_eyemulator(
    rows: Iterable[Row],
    path: str | Path,
    *,
    contents: Iterable[str] | None = None,
    flag: str = "train",
    provenance: Mapping[str, object] | None = None,
) -> int:
    r"""Write rows in the form that EyeMulator published, streaming.

    Parameters
    ----------
    rows
        Examples; or pairs of tokens and their scan path; or these with token weights as a third.
        A pair has the windows of its path. An example does not hold them: each of its tokens on
        the path becomes a window of one.
    path
        The file, JSON lines; it appears whole or not at all.
    contents
        ``content`` of each row: what a model is to answer (a summary, a translation, the code
        again). Left out: empty.
    flag
        Which part of the data it is: ``train``, ``valid`` or ``test``.
    provenance
        As for `to_parquet`; stands in the object ``gazecode`` of the first row.

    Returns
    -------
    int
        How many rows were written. Tokens without a label (punctuation) are left out, as in the
        release; how many of them were on the path, each row says (``n_unlabelled_on_path``).

    Raises
    ------
    DataError
        A label outside the 19, or columns that differ in length.
    ParameterError
        Another `flag`, not as many `contents` as rows, or the folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from gazecode.source import parse
    >>> path = Path(tempfile.mkdtemp()) / "train.eyemulator.jsonl"
    >>> tokens = parse("int f() { return 1; }", "java", source_id="F.java")
    >>> seen = ScanPath(
    ...     ngram=[0 if text == "f" else -1 for text in tokens.texts], unknown_labels={}
    ... )
    >>> to_eyemulator([(tokens, seen)], path, contents=["One."])
    1
    >>> row = json.loads(path.read_text(encoding="utf-8"))
    >>> row["code_tokens"], row["mask"], row["ngrams"][:2]
    (['int', 'f', 'return', '1'], [0, 1, 0, 0], [None, 'function declaration'])
    """
    if flag not in FLAGS:
        raise ParameterError.unknown("flags of a row", flag, FLAGS)
    said = metadata.for_examples(provenance)
    annotated = (_of_example(r) if isinstance(r, Example) else _of_path(*r) for r in rows)
    return _write(annotated, Path(path), contents, flag, said)


def write_batches(rows: "Iterable[pa.RecordBatch]", path: Path, *, said: str) -> int:
    """Write record batches of the schema with the metadata `said`; return the number of rows."""
    examples = (_of_example(example) for batch in rows for example in from_batch(batch))
    return _write(examples, path, None, FLAGS[0], metadata.upgrade(said))


def _write(
    rows: Iterator[_Annotated], path: Path, contents: Iterable[str] | None, flag: str, said: str
) -> int:
    written = 0
    unread = repeat("") if contents is None else iter(contents)
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for annotated in rows:
            row = _row(annotated, _next(unread, written), flag)
            if not written:
                # Once: it is the same for all, and often longer than a row.
                row["gazecode"]["metadata"] = json.loads(said)
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            written += 1
        if contents is not None and next(unread, None) is not None:
            raise ParameterError(f"more contents than the {written} rows; give one for each")
    return written


def _next(contents: Iterator[str], row: int) -> str:
    content = next(contents, None)
    if not isinstance(content, str) or not is_text(content):
        raise ParameterError(
            f"contents: {content!a:.60} for row {row}; expected a Unicode text for each row"
        )
    return content


def _of_example(example: Example) -> _Annotated:
    if not is_text(example.text):
        raise DataError(
            f"example {example.example_id!a}: text is no Unicode text; give text without half "
            "surrogate pairs"
        )
    raw = example.text.encode()
    m = len(example.token_start)
    on_path = np.zeros(m, dtype=bool)
    seen = example.token_index[example.on_path]
    if np.any(seen >= m):
        raise DataError(
            f"example {example.example_id!a}: a subword belongs to token {seen.max()} of {m}; "
            "run gazecode validate on where it is from"
        )
    on_path[seen[seen >= 0]] = True
    label = label_codes(example.token_label)
    codes = np.zeros((m, 3), dtype=np.int8)
    codes[:, 0] = label
    newlines = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
    names = ("example_id", "source_id", "language", "participant", "trial")
    return _Annotated(
        raw=raw,
        start=example.token_start,
        end=example.token_end,
        line=np.searchsorted(newlines, example.token_start),
        label=label,
        on_path=on_path,
        window=np.where(on_path, np.arange(m), -1),
        codes=codes,
        value=example.token_value,
        said={name: getattr(example, name) for name in names} | {"windows": "single"},
    )


def _of_path(
    tokens: SourceTokens, path: ScanPath, weights: TokenWeights | None = None
) -> _Annotated:
    lengths = {len(tokens), len(path.ngram), len(tokens if weights is None else weights)}
    if len(lengths) > 1:
        raise DataError(
            f"{tokens.source_id}: {len(tokens)} tokens, a path over {len(path.ngram)}"
            + ("" if weights is None else f", {len(weights)} weights")
            + "; give a path and weights of these tokens"
        )
    label = label_codes(tokens.label)
    return _Annotated(
        raw=tokens.code,
        start=tokens.span[:, 0],
        end=tokens.span[:, 1],
        line=tokens.row,
        label=label,
        on_path=path.on_path,
        window=path.ngram,
        codes=_codes(path.ngram, label) if path.window is None else path.window,
        value=None if weights is None else weights.value,
        said={
            "example_id": "",
            "source_id": tokens.source_id,
            "language": tokens.language,
            "participant": "",
            "trial": "",
            "windows": "path",
        },
    )


def _codes(window: IntArray, label: CodeArray) -> CodeArray:
    """``(m, 3)`` labels of the window on each token, where a window is the tokens it is on."""
    n = int(window.max(initial=-1)) + 1
    # The last row is for -1, no window.
    codes = np.zeros((n + 1, 3), dtype=np.int8)
    token = np.flatnonzero((window >= 0) & (label > 0))
    rank = _rank(window[token])
    if np.any(rank > 2):
        raise DataError(f"a window covers {rank.max() + 1} tokens; expected one to three")
    codes[window[token], rank] = label[token]
    return codes[window]


def _rank(window: IntArray) -> IntArray:
    """Place of each token within its window, from 0."""
    order = np.argsort(window, kind="stable")
    ordered = window[order]
    first = np.searchsorted(ordered, ordered)
    rank = np.empty(len(window), dtype=np.int64)
    rank[order] = np.arange(len(window)) - first
    return rank


def _row(whole: _Annotated, content: str, flag: str) -> dict[str, Any]:
    kept = np.flatnonzero(whole.label > 0)
    start, end = whole.start[kept].tolist(), whole.end[kept].tolist()
    code = whole.raw.decode("utf-8", "replace")
    window = whole.window[kept]
    covered = window >= 0
    # Numbers without gaps, in the order in which the windows were found.
    number = np.zeros(len(kept), dtype=np.int64)
    number[covered] = np.unique(window[covered], return_inverse=True)[1] + 1
    labels = _labels(whole.codes[kept], window)
    _, line = np.unique(whole.line[kept], return_inverse=True)
    hashed = hashlib.sha256((code + content).encode("utf-8", "replace")).hexdigest()
    ours = {
        **whole.said,
        "token_start": start,
        "token_end": end,
        "token_value": [] if whole.value is None else _floats(whole.value[kept]),
        "n_unlabelled_on_path": int(np.sum(whole.on_path & (whole.label == 0))),
    }
    return {
        "code_content_hash": hashed[:16],
        "content": content,
        "flag": flag,
        "code": code,
        "ngrams": labels.tolist(),
        "code_tokens": [
            whole.raw[a:b].decode("utf-8", "replace") for a, b in zip(start, end, strict=True)
        ],
        "code_occurrence": [0] * len(kept),
        "semantic_token_sequence": _SEMANTIC[whole.label[kept]].tolist(),
        "line_numbers": (line + 1).tolist(),
        "mask": (whole.on_path[kept] & covered).astype(int).tolist(),
        "ngram_indices": _ids(whole.codes[kept], covered),
        "order_sequence": number.tolist(),
        "gazecode": ours,
    }


def _labels(codes: CodeArray, window: IntArray) -> StrArray:
    """The label that a window has at each of its tokens; None where there is no window."""
    covered = window >= 0
    rank = np.minimum(_rank(window), 2)
    labels = label_names(codes[np.arange(len(codes)), rank])
    labels[~covered] = None
    bare = np.flatnonzero(covered & (labels == ""))
    if bare.size:
        raise DataError(
            f"the window of labelled token {bare[0]} has no label for it; expected one for each"
        )
    return labels


def _ids(codes: CodeArray, covered: BoolArray) -> list[int]:
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    ids = np.array([ngram_id(label_names(row).tolist()) for row in distinct], dtype=np.int64)
    numbers = ids[which.ravel()] if len(ids) else np.empty(0, dtype=np.int64)
    return [int(number) for number in np.where(covered, numbers, 0)]


def ngram_id(labels: Iterable[str]) -> int:
    """Id of a window: that of the released rows if it is known, else 10,000 and more.

    Known are windows of one label. All others are numbered here: 10,000 plus the places of the
    labels in `gazecode.model.LABELS`, the first times 1, the second times 20, the third times 400.

    >>> ngram_id(["loop"]), ngram_id(["loop", "variable"]), ngram_id(["comment"])
    (14, 10373, 10003)
    """
    named = [label for label in labels if label]
    if len(named) == 1 and named[0] in _SINGLE:
        return _SINGLE[named[0]]
    places = label_codes(named).astype(np.int64)
    return FIRST_OWN_ID + int((places * len(LABELS) ** np.arange(len(places))).sum())


def _floats(values: FloatArray) -> list[float]:
    """Numbers with the digits that a float32 needs, as in the other containers."""
    return [float(digits) for digits in values.astype(np.float32).astype(str).tolist()]
