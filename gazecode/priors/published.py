"""The published priors: their JSON layout, their defects, and what their ids mean.

Zhang et al., EyeMulator: one folder per set (`PRESETS`) with the files

``beta_distribution.json``
    ``[{semantic_label, saccades_count, word_count, alpha, beta}]``,
    ``alpha = saccades_count + 1``, ``beta = word_count - saccades_count + 1``
``monogram_counts.json``, ``bigram_counts.json``, ``trigram_counts.json``
    ``{label: count}`` and ``{"('a', 'b')": count}``: Python tuples as text, sorted, so that the
    direction is lost, and without repeats
``indexed_ngrams.json``
    ``{sequence: id}``, sequences as above but directed and with repeats; optional

Labels are read by name, never by id. What cannot be a label sequence is set aside and counted:
single characters among the monograms (label texts were iterated), sequences that hold ``()`` or
``[]``, single words in the index. Any other unknown label is an error.

The ids of the released rows are *not* those of ``indexed_ngrams.json``, which decodes none of the
18 semantic ids that occur and 1 of 708 n-gram ids. `SEMANTIC_IDS` and `NGRAM_IDS` were recovered
from the rows themselves; `decode_row` reads a row by them (`gazecode.priors.released`).
"""

import ast
import json
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gazecode.errors import FormatError, GazecodeWarning, ParameterError
from gazecode.model import NgramTable
from gazecode.priors.plain import one_line, read_json
from gazecode.priors.released import (
    NGRAM_IDS,
    SEMANTIC_IDS,
    ReleasedRow,
    check_label,
    decode_labels,
    decode_row,
)

__all__ = [
    "BETA",
    "NGRAM_IDS",
    "PRESETS",
    "SEMANTIC_IDS",
    "Published",
    "ReleasedRow",
    "decode_labels",
    "decode_row",
    "load_published",
    "published_files",
]

PRESETS = ("combined", "reading", "writing")
DEFAULT_PRESET = "combined"
"""All of them: reading + writing."""
BETA = "beta_distribution.json"
COUNTS = {1: "monogram_counts.json", 2: "bigram_counts.json", 3: "trigram_counts.json"}
INDEX = "indexed_ngrams.json"

_NOT_LABELS = ("()", "[]")
_MAX_KEY = 500
_FIELDS = ("semantic_label", "saccades_count", "word_count", "alpha", "beta")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """What one set of files says.

    Attributes
    ----------
    hit, shown
        Label to count.
    ngrams
        Sequences to counts, by order; sorted.
    vocabulary
        Directed sequences of the index.
    set_aside
        What was left out: kind to entries and counts.
    """

    name: str
    hit: Mapping[str, int]
    shown: Mapping[str, int]
    ngrams: Mapping[int, NgramTable]
    vocabulary: frozenset[tuple[str, ...]] = frozenset()
    set_aside: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load_published(folder: Path, preset: str | None = None) -> Published:
    """Read one set.

    Parameters
    ----------
    folder
        A set, or a folder of sets.
    preset
        Which set of a folder of sets: "combined" (what None takes if it is there), "reading",
        "writing".

    Raises
    ------
    ParameterError
        A folder of sets without "combined" and no preset, or one that it does not hold.
    FormatError
        A file is missing, broken, or names a label that is none.
    """
    folder = _set_folder(folder, preset)
    aside: Counter[str] = Counter()
    hit, shown = _betas(folder)
    ngrams = {order: _counts(folder / name, order, aside) for order, name in COUNTS.items()}
    index = folder / INDEX
    vocabulary = _vocabulary(index, aside) if index.exists() else frozenset[tuple[str, ...]]()
    notes = ["n-gram keys were sorted before counting: direction and self-transitions are lost"]
    if vocabulary:
        notes.append(f"the ids of {INDEX} decode no released row; only its sequences are used")
        warnings.warn(
            f"{index.name}: its ids decode no semantic id of the released rows and 1 of 708 n-gram "
            "ids; its sequences are taken as the vocabulary, ids are decoded by "
            "gazecode.priors.published",
            GazecodeWarning,
            stacklevel=3,
        )
    return Published(
        name=f"eyemulator-{folder.name}" if folder.name in PRESETS else folder.name,
        hit=hit,
        shown=shown,
        ngrams=ngrams,
        vocabulary=vocabulary,
        set_aside=dict(sorted(aside.items())),
        notes=tuple(notes),
    )


def _set_folder(folder: Path, preset: str | None) -> Path:
    if (folder / BETA).is_file():
        if preset not in (None, folder.name):
            raise ParameterError(
                f"{folder} is one set; preset={preset!r} is for the folder that holds the sets"
            )
        return folder
    sets = sorted(p.name for p in folder.iterdir() if (p / BETA).is_file())
    if not sets:
        raise FormatError(
            f"{folder}: no {BETA} in it or one folder below; give a folder of published priors or "
            "a file that Priors.save wrote"
        )
    if preset is None and DEFAULT_PRESET in sets:
        return folder / DEFAULT_PRESET
    if preset is None:
        raise ParameterError(
            f"{folder} holds the sets {', '.join(sets)}; choose one: preset={sets[0]!r}"
        )
    if preset not in sets:
        raise ParameterError.unknown(f"the sets of {folder.name}", preset, sets)
    return folder / preset


def _betas(folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    path = folder / BETA
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise FormatError(f"{path.name}: expected a list of labels with counts")
    hit: dict[str, int] = {}
    shown: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, dict) or not all(name in row for name in _FIELDS):
            raise FormatError(
                f"{path.name}: {one_line(row)} has not all of {', '.join(_FIELDS)}; "
                "the file is not what it claims to be"
            )
        label = check_label(row["semantic_label"], path.name)
        c, n, alpha, beta = (_count(row[name], path.name, label) for name in _FIELDS[1:])
        if label in hit:
            raise FormatError(f"{path.name}: {label!r} is there twice; expected once")
        if c > n or (alpha, beta) != (c + 1, n - c + 1):
            raise FormatError(
                f"{path.name}: {label!r} has {c} of {n} and alpha {alpha}, beta {beta}; expected "
                "alpha = saccades_count + 1, beta = word_count - saccades_count + 1"
            )
        hit[label], shown[label] = c, n
    return hit, shown


def _counts(path: Path, order: int, aside: Counter[str]) -> NgramTable:
    kept: dict[tuple[str, ...], int] = {}
    for text, value in _mapping(path).items():
        count = _count(value, path.name, text)
        key = (text,) if order == 1 else parse_key(text, path.name)
        kind = _set_aside(key)
        if kind:
            aside[f"{path.stem}: {kind}"] += 1
            aside[f"{path.stem}: {kind}, counts"] += count
            continue
        _check_key(key, order, path.name)
        if order > 1 and (list(key) != sorted(key) or len(set(key)) < order):
            raise FormatError(f"{path.name}: {text} is not sorted without repeats, as keys are")
        kept[key] = count
    return NgramTable(order=order, counts=kept, is_sorted=order > 1)


def _vocabulary(path: Path, aside: Counter[str]) -> frozenset[tuple[str, ...]]:
    kept = []
    for text in _mapping(path):
        if not text.startswith("("):
            aside[f"{path.stem}: single words"] += 1
            continue
        key = parse_key(text, path.name)
        kind = _set_aside(key)
        if kind:
            aside[f"{path.stem}: {kind}"] += 1
            continue
        _check_key(key, min(max(len(key), 2), 3), path.name)
        kept.append(key)
    return frozenset(kept)


def parse_key(text: str, name: str) -> tuple[str, ...]:
    """Read a Python tuple of texts; nothing is executed.

    >>> parse_key("('loop', 'variable')", "bigram_counts.json")
    ('loop', 'variable')
    """
    try:
        key = ast.literal_eval(text) if len(text) <= _MAX_KEY else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        key = None
    if not isinstance(key, tuple) or not all(isinstance(label, str) for label in key):
        raise FormatError(
            f"{name}: {one_line(text)} is not a tuple of labels; expected a key like "
            "('loop', 'return')"
        )
    return key


def _set_aside(key: tuple[str, ...]) -> str:
    """Say which of the known defects a key has; "" if none."""
    if any(label in _NOT_LABELS for label in key):
        return "sequences with () or []"
    if len(key) == 1 and len(key[0]) == 1:
        return "single characters"
    return ""


def _check_key(key: tuple[str, ...], order: int, name: str) -> None:
    if len(key) != order:
        raise FormatError(f"{name}: {key} has {len(key)} labels; expected {order}")
    for label in key:
        check_label(label, name)


def _count(value: object, name: str, of: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise FormatError(
            f"{name}: {one_line(of)} is counted {one_line(value)}; expected a whole number >= 0"
        )
    return value


def _mapping(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise FormatError(f"{path.name}: expected an object of counts by label sequence")
    return found


def published_files(said: Published) -> dict[str, str]:
    """File name to text: the layout that `load_published` reads. Tables must be sorted."""
    betas = [
        dict(zip(_FIELDS, (label, hit, n, hit + 1, n - hit + 1), strict=True))
        for label, hit, n in sorted(
            ((label, said.hit[label], n) for label, n in said.shown.items()),
            key=lambda row: (-row[1], row[0]),
        )
    ]
    files: dict[str, object] = {BETA: betas}
    for order, name in COUNTS.items():
        text: Callable[[tuple[str, ...]], str] = (lambda key: key[0]) if order == 1 else str
        files[name] = {text(key): n for key, n in sorted(said.ngrams[order].counts.items())}
    if said.vocabulary:
        keys = sorted(said.vocabulary, key=lambda key: (len(key), key))
        files[INDEX] = {str(key): i for i, key in enumerate(keys, start=1)}
    return {name: json.dumps(content, ensure_ascii=False) + "\n" for name, content in files.items()}
