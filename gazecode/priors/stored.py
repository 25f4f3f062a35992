"""Our own file of priors: versioned JSON, the same bytes for the same content.

The cells are the content; totals and the rows per label are repeated for people and for programs in
other languages, and checked when the file is read. ``docs`` describes every field.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import DataError, FormatError
from gazecode.model import LABELS, N_LABELS, NgramTable
from gazecode.priors.cells import KEYS, SUMS, TALLIES, Cells, added, one_cell
from gazecode.priors.content import Content
from gazecode.priors.intervals import COLUMNS, Intervals
from gazecode.priors.ngrams import digits, packed, unpacked_tables
from gazecode.priors.plain import one_line, read_json
from gazecode.priors.table import Row
from gazecode.version import __version__

__all__ = ["FORMAT", "VERSION", "dumps", "loads"]

FORMAT = "gazecode priors"
VERSION = 1


def dumps(
    content: Content, rows: Sequence[Row], intervals: Intervals, ngrams: Mapping[int, NgramTable]
) -> str:
    """Return the document as text: one line per top-level key, one per cell."""
    cells = content.cells
    document = {
        "format": FORMAT,
        "version": VERSION,
        "package_version": __version__,
        "name": content.name,
        "sorted": content.is_sorted,
        "pooled": content.kept is not None,
        "n_people": len(cells.levels("participant")) + content.anonymous,
        "n_people_without_id": content.anonymous,
        "people": cells.levels("participant"),
        "sources": sorted({*content.sources, *cells.levels("source")}),
        "sources_without_cell": list(content.sources),
        "source_groups": sorted(map(list, content.group_of)),
        "studies": list(content.studies),
        "details": content.details,
        "intervals": {
            name: value for name, value in asdict(intervals).items() if name not in COLUMNS
        },
        "labels": list(LABELS),
        "per_label": list(rows),
        "ngrams": {
            str(order): [[*key, count] for key, count in table.counts.items()]
            for order, table in sorted(ngrams.items())
        },
        "vocabulary": sorted(map(list, content.vocabulary), key=lambda key: (len(key), key)),
        "sums": list(SUMS),
        "tallies": list(TALLIES),
    }
    lines = [f"{json.dumps(key)}: {_text(value)}" for key, value in document.items()]
    cell_lines = ",\n".join(map(_text, _cell_rows(cells)))
    return "{\n" + ",\n".join([*lines, f'"cells": [\n{cell_lines}\n]']) + "\n}\n"


def _cell_rows(cells: Cells) -> list[dict[str, Any]]:
    borders = np.searchsorted(cells.ngrams[:, 0], np.arange(len(cells) + 1)).tolist()
    labels = [[code for code in row if code] for row in digits(cells.ngrams[:, 1]).tolist()]
    counts = cells.ngrams[:, 2].tolist()
    rows = []
    for i, table in enumerate(cells.table):
        present = np.flatnonzero(table.any(axis=0)).tolist()
        part = range(borders[i], borders[i + 1])
        rows.append(
            {
                **{name: getattr(cells, name)[i] for name in KEYS},
                "tally": cells.tally[i].tolist(),
                "sums": {LABELS[code]: table[:, code].tolist() for code in present},
                "ngrams": [[*labels[k], counts[k]] for k in part],
            }
        )
    return rows


def _text(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """What JSON can hold: unknown is null, whole numbers are written as such."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def loads(path: Path) -> Content:
    """Read a file that `dumps` wrote.

    Raises
    ------
    FormatError
        Not such a file, of another version, broken, or changed by hand so that its totals and its
        cells differ; one line.
    """
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        what = "a published file; load its folder" if isinstance(document, list) else "not priors"
        raise FormatError(f"{path.name}: {what}; expected a file that Priors.save wrote")
    if document.get("version") != VERSION:
        raise FormatError(
            f"{path.name}: version {one_line(document.get('version'))} of the format; this "
            f"gazecode reads {VERSION}: use the version that wrote it"
        )
    try:
        content = _content(document)
        _check_totals(document, content)
    except KeyError as error:
        raise FormatError(f"{path.name}: no {error} in it; the file is broken") from None
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise FormatError(f"{path.name}: the file is broken ({said})") from None
    except (FormatError, DataError) as error:
        raise FormatError(f"{path.name}: {error}") from None
    return content


def _content(document: dict[str, Any]) -> Content:
    for key, expected in (("labels", LABELS), ("sums", SUMS), ("tallies", TALLIES)):
        if tuple(document[key]) != expected:
            raise FormatError(f"{key} are not those of version {VERSION} of the format")
    cells = added([_cell(row) for row in document["cells"]])
    return Content(
        cells=cells,
        name=_typed(document["name"], str),
        is_sorted=_typed(document["sorted"], bool),
        vocabulary=frozenset(_sequence(key) for key in document["vocabulary"]),
        sources=tuple(_typed(s, str) for s in document["sources_without_cell"]),
        # Files written before there were such digests do not hold them.
        group_of=frozenset(_pair(pair) for pair in document.get("source_groups", [])),
        studies=tuple(_typed(s, str) for s in document["studies"]),
        anonymous=_number(document["n_people_without_id"]),
        details=_details(document["details"]),
        kept=_kept(document) if _typed(document["pooled"], bool) else None,
    )


def _details(said: Any) -> dict[str, Any]:
    return {
        **_typed(said, dict),
        "parts": [_typed(part, str) for part in said["parts"]],
        "rules": [{**rule, "activities": list(rule["activities"])} for rule in said["rules"]],
        "notes": [_typed(note, str) for note in said["notes"]],
        "set_aside": {kind: _number(n) for kind, n in _typed(said["set_aside"], dict).items()},
    }


def _cell(row: dict[str, Any]) -> Cells:
    sums = np.zeros((len(SUMS), N_LABELS))
    for label, values in _typed(row["sums"], dict).items():
        sums[:, _code(label)] = [_amount(value) for value in values]
    ngrams = [(_key_of(entry[:-1]), _number(entry[-1])) for entry in row["ngrams"]]
    digit = np.array([key for key, _ in ngrams], dtype=np.int64).reshape(-1, 3)
    counts = np.array([count for _, count in ngrams], dtype=np.int64)
    return one_cell(
        [_typed(row[name], str) for name in KEYS],
        sums=sums,
        tally=[_number(value) for value in row["tally"]],
        ngrams=np.stack([packed(digit), counts], axis=1),
    )


def _key_of(codes: Sequence[Any]) -> list[int]:
    known = [_number(code) for code in codes]
    if not 1 <= len(known) <= 3 or not all(0 < code < N_LABELS for code in known):
        raise FormatError(f"{one_line(codes)} is not a sequence of one to three label numbers")
    return [0] * (3 - len(known)) + known


def _sequence(labels: Sequence[Any]) -> tuple[str, ...]:
    if len(labels) not in (2, 3):
        raise FormatError(f"{one_line(labels)} in the vocabulary is not a pair or a triple")
    return tuple(LABELS[_code(label)] for label in labels)


def _pair(value: Any) -> tuple[str, str]:
    source, group = _typed(value, list)
    return _typed(source, str), _typed(group, str)


def _code(label: object) -> int:
    if label not in LABELS[1:]:
        raise FormatError(f"{one_line(label)} is not a semantic label")
    return LABELS.index(str(label))


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise FormatError(f"found {one_line(value)}; expected a {kind.__name__}")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise FormatError(f"found {one_line(value)}; expected a whole number >= 0")
    return value


def _amount(value: Any) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value < 2**53:
        raise FormatError(f"found {one_line(value)}; expected a finite number >= 0")
    return float(value)


def _kept(document: dict[str, Any]) -> Intervals:
    rows = {row["label"]: row for row in document["per_label"]}
    unknown: dict[str, Any] = {}
    columns = {
        name: [_or_nan(rows.get(label, unknown).get(name)) for label in LABELS] for name in COLUMNS
    }
    said = document["intervals"]
    return Intervals(
        **{name: np.array(values) for name, values in columns.items()},
        level=_amount(said["level"]),
        replicates=_number(said["replicates"]),
        seed=_number(said["seed"]),
        over=tuple(_typed(name, str) for name in said["over"]),
        note=_typed(said["note"], str),
    )


def _or_nan(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"found {one_line(value)} for an interval; expected a number or null")
    return float(value)


def _check_totals(document: dict[str, Any], content: Content) -> None:
    """The totals are for readers of the file; they must be those of its cells."""
    total = content.cells.total
    found = {row["label"]: (row["n"], row["hit"]) for row in document["per_label"]}
    tables = unpacked_tables(
        content.cells.ngrams[:, 1], content.cells.ngrams[:, 2], is_sorted=content.is_sorted
    )
    ngrams = {
        order: {tuple(entry[:-1]): entry[-1] for entry in document["ngrams"][str(order)]}
        for order in tables
    }
    people = content.cells.levels("participant")
    sources = sorted({*content.sources, *content.cells.levels("source")})
    checks: dict[str, Callable[[], bool]] = {
        "per_label": lambda: (
            found
            == {
                label: (total["shown"][code], total["hit"][code])
                for code, label in enumerate(LABELS)
                if code
            }
        ),
        "ngrams": lambda: ngrams == {order: dict(t.counts) for order, t in tables.items()},
        "people": lambda: document["people"] == people,
        "n_people": lambda: document["n_people"] == len(people) + content.anonymous,
        "sources": lambda: document["sources"] == sources,
        "source_groups": lambda: {source for source, _ in content.group_of} <= set(sources),
    }
    for name, holds in checks.items():
        if not holds():
            raise FormatError(
                f"{name} and the cells of the file differ: it was changed after it was written; "
                "fit or merge again"
            )
