"""Readings from the folder of a run: ``tokens.parquet``, ``hits.parquet``, ``fixations.parquet``.

The three tables list the trials in the same order, so they are read side by side, one trial at a
time: memory does not grow with the number of recordings.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Hits, label_codes
from gazecode.model.checks import Array
from gazecode.model.groups import group_of_texts
from gazecode.model.priors import MIN_SHIFTS
from gazecode.priors.reading import Reading
from gazecode.priors.selection import Found

__all__ = ["read_run", "read_runs"]

KEY = ("file", "participant", "trial", "stimulus")
COLUMNS = {
    "tokens": (
        *("group", "task", "source_sha256", "token", "token_label", "characters", "area_px2"),
        *("exposure_ms", "chance"),
    ),
    "hits": ("fixation", "token", "share"),
    "fixations": ("fixation", "onset_ms", "offset_ms", "status", "activity"),
}
TEXTS = ("token_text", "token_label", "language")
"""What the digest of a source's tokens is made from; not every table holds it."""
_BATCH_ROWS = 2**15

Key: TypeAlias = tuple[str, ...]
Columns: TypeAlias = dict[str, Array]


def read_runs(folders: Sequence[Path]) -> Iterator[Found]:
    """Give the readings of runs, one after the other.

    Raises
    ------
    FormatError
        As for `read_run`.
    ParameterError
        A run, a copy of it, or a reading that is in two of them: its gaze would count twice.
    """
    where: dict[tuple[str, ...], Path] = {}
    for folder in folders:
        marks = _marks(folder)
        for mark in marks:
            _refuse_twice(where.get(mark), folder)
        mine = dict.fromkeys(marks, folder)
        for found in read_run(folder):
            reading = found.reading
            key = (reading.study, reading.participant, reading.source, found.trial)
            _refuse_twice(where.get(key), folder, f"trial {found.trial!r} of {reading.participant}")
            mine[key] = folder
            yield found
        # Within one run the file tells readings apart: sessions may call their trials the same.
        where |= mine


def _marks(folder: Path) -> list[tuple[str, ...]]:
    """What no other run has: where it lies, and what it was made of and how."""
    said = _Table(folder / "tokens.parquet", COLUMNS["tokens"]).said
    marks: list[tuple[str, ...]] = [("folder", str(folder.resolve()))]
    if said.get("inputs_sha256"):
        made = json.dumps([said["inputs_sha256"], said.get("parameters")], sort_keys=True)
        marks.append(("made", made))
    return marks


def _refuse_twice(before: Path | None, folder: Path, what: str = "") -> None:
    if before is None:
        return
    if not what:
        which = f"{folder} is given twice" if before == folder else f"{folder} is {before} again"
        raise ParameterError(f"{which}: its gaze would count twice; give each run once")
    raise ParameterError(
        f"{what} is in {before} and in {folder} and would count twice; give one of them, or name "
        "the trials of two readings apart in [trials]"
    )


def read_run(folder: Path) -> Iterator[Found]:
    """Give the readings of a run, one per participant × trial, in the order of its tables.

    Raises
    ------
    FormatError
        A table is missing, lacks a column, or the tables are not of the same run.
    """
    tables = {name: _Table(Path(folder) / f"{name}.parquet", COLUMNS[name]) for name in COLUMNS}
    study, shifts = tables["tokens"].study, tables["tokens"].shifts
    groups = _Groups()
    tokens, hits, fixations = (tables[name].trials() for name in COLUMNS)
    next_hits, next_fixations = next(hits, None), next(fixations, None)
    for key, columns in tokens:
        mine: list[Columns] = []
        if next_hits is not None and next_hits[0] == key:
            mine.append(next_hits[1])
            next_hits = next(hits, None)
        else:
            mine.append(tables["hits"].empty)
        if next_fixations is not None and next_fixations[0] == key:
            mine.append(next_fixations[1])
            next_fixations = next(fixations, None)
        else:
            mine.append(tables["fixations"].empty)
        few = shifts if 0 < shifts < MIN_SHIFTS else 0
        if few:
            columns["chance"] = np.full(len(columns["token"]), np.nan)
        reading = _reading(key, study, columns, *mine)
        group = groups.of(reading.source, columns)
        yield Found(reading=reading, source_group=group, trial=key[2], few_shifts=few)
    for name, left in (("hits", next_hits), ("fixations", next_fixations)):
        if left is not None:
            raise FormatError(
                f"{folder}: {name}.parquet has trial {left[0][2]!r} of {left[0][0]}, which is not "
                "at that place in tokens.parquet; the tables are not of one run: run it again"
            )


def _reading(key: Key, study: str, tokens: Columns, hits: Columns, fixations: Columns) -> Reading:
    where = f"trial {key[2]!r} of {key[0]}"
    tokens = _in_order(tokens, "token", where)
    fixations = _in_order(fixations, "fixation", where)
    onset = fixations["onset_ms"].astype(np.float64)
    return Reading(
        participant=key[1],
        source=_one(tokens["source_sha256"], "source_sha256", where),
        task=_one(tokens["task"], "task", where),
        group=_one(tokens["group"], "group", where),
        study=study,
        label=label_codes(tokens["token_label"]),
        hits=Hits(
            fixation=hits["fixation"].astype(np.int64),
            token=hits["token"].astype(np.int64),
            share=hits["share"],
            onset_ms=onset,
            duration_ms=fixations["offset_ms"].astype(np.float64) - onset,
            status=fixations["status"],
            exposure_ms=tokens["exposure_ms"],
            chance=tokens["chance"],
        ),
        characters=tokens["characters"],
        area_px2=tokens["area_px2"],
        activity=fixations["activity"],
    )


class _Groups:
    """Digests of the tokens of sources; each is computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, source: str, tokens: Columns) -> str:
        """The digest, or "" where the table does not hold the texts."""
        if not all(name in tokens for name in TEXTS):
            return ""
        if source not in self._known:
            tokens = _in_order(tokens, "token", source)
            text, label, language = (tokens[name].tolist() for name in TEXTS)
            self._known[source] = group_of_texts(text, label, language[0])
        return self._known[source]


def _in_order(columns: Columns, name: str, where: str) -> Columns:
    """Rows by number; the numbers must be 0, 1, 2, ... without gaps."""
    order = np.argsort(columns[name], kind="stable")
    if not np.array_equal(columns[name][order], np.arange(len(order))):
        raise FormatError(
            f"{where}: {name} numbers are not 0 to {len(order) - 1}; the table is not one that a "
            "run wrote, or a trial is there twice"
        )
    return {key: values[order] for key, values in columns.items()}


def _one(values: Array, name: str, where: str) -> str:
    found = sorted({"" if value is None else str(value) for value in values})
    if len(found) != 1:
        raise FormatError(f"{where}: {name} is {', '.join(found)}; expected one for all tokens")
    return found[0]


class _Table:
    """A Parquet file of which rows of one trial stand together."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not path.is_file():
            raise FormatError(
                f"{path.parent}: no {path.name}; expected the folder of a run: `gazecode run "
                "STUDY.toml --out DIR` writes it"
            )
        try:
            self.file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError) as error:
            said = " ".join(str(error).split())
            raise FormatError(f"{path.name}: not a Parquet file ({said})") from None
        self.path = path
        there = self.file.schema_arrow.names
        missing = [name for name in (*KEY, *columns) if name not in there]
        if missing:
            raise FormatError.missing_columns(path.name, missing, there, "Run the study again.")
        self.columns = list(dict.fromkeys([*KEY, *columns]))
        if "token_label" in columns:
            self.columns += [n for n in TEXTS if n in there and n not in self.columns]

    @property
    def said(self) -> dict[str, Any]:
        """What the file says about itself."""
        raw = (self.file.schema_arrow.metadata or {}).get(b"gazecode", b"{}")
        try:
            said = json.loads(raw)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self.said.get("study", ""))

    @property
    def shifts(self) -> int:
        """Circular shifts that chance was computed from; 0 where the file does not say."""
        said: Any = self.said
        for key in ("parameters", "null", "shifts"):
            said = said.get(key) if isinstance(said, dict) else None
        return said if isinstance(said, int) else 0

    @property
    def empty(self) -> Columns:
        """No row, for a trial without."""
        return {name: np.empty(0) for name in self.columns}

    def trials(self) -> Iterator[tuple[Key, Columns]]:
        """Give runs of rows with the same key, however the file is cut into batches."""
        waiting: list[Columns] = []
        last: Key | None = None
        for columns in self._batches():
            for start, stop in _stretches([columns[name] for name in KEY]):
                key = tuple(str(columns[name][start]) for name in KEY)
                if waiting and key != last:
                    yield last or key, _joined(waiting)
                    waiting = []
                waiting.append({name: values[start:stop] for name, values in columns.items()})
                last = key
        if last is not None:
            yield last, _joined(waiting)

    def _batches(self) -> Iterator[Columns]:
        import pyarrow as pa

        try:
            for batch in self.file.iter_batches(_BATCH_ROWS, columns=self.columns):
                table: Any = pa.Table.from_batches([batch])
                yield {
                    name: table.column(name).to_numpy(zero_copy_only=False) for name in self.columns
                }
        except (pa.ArrowException, OSError) as error:
            said = " ".join(str(error).split())
            raise FormatError(f"{self.path.name}: broken Parquet file ({said})") from None


def _stretches(keys: Sequence[Array]) -> Iterator[tuple[int, int]]:
    n = len(keys[0])
    if not n:
        return
    changed = np.zeros(n - 1, dtype=bool)
    for values in keys:
        changed |= (values[1:] != values[:-1]).astype(bool)
    borders = [0, *(np.flatnonzero(changed) + 1).tolist(), n]
    yield from pairwise(borders)


def _joined(parts: Sequence[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
