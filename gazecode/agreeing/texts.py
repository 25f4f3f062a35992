"""What people looked at, text by text, as files of weights tell it.

Rows that hold the same code are one text, whoever read it and whatever stands around it in the
row: a chat template, blanks at either end. A person's map is the share of the looking that each
token got; trials of one person are averaged after that, so that a long trial counts no more than a
short one. Where the run's ``tokens.parquet`` lies beside the weights, tokens that were shown to a
person for less than 200 ms are missing from their map, not missed by them (validity 6).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import DataError, SchemaError
from gazecode.export import iter_examples
from gazecode.export.places import one_dataset
from gazecode.export.several import said_by
from gazecode.model import Example
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["MIN_EXPOSURE_MS", "HumanText", "Humans", "code_of", "read_gaze", "token_problem"]

MIN_EXPOSURE_MS = 200.0
"""A token on the screen for less was not shown (validity 6)."""
TOKENS = "tokens.parquet"
EXPOSURE = ("participant", "trial", "source_sha256", "token", "exposure_ms")


def mean_of(maps: FloatArray) -> FloatArray:
    """``(n,)`` mean of maps ``(p, n)`` over those that know a token; NaN where none does.

    >>> mean_of(np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]]))
    array([ 2.,  4., nan])
    """
    seen = ~np.isnan(maps)
    count = seen.sum(axis=0)
    mean: FloatArray = np.full(maps.shape[1], np.nan)
    np.divide(np.where(seen, maps, 0.0).sum(axis=0), count, out=mean, where=count > 0)
    return mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HumanText:
    """One text and the maps of those who read it.

    Attributes
    ----------
    name
        Of the text, unique among the texts.
    code
        From its first token to the end of its last, UTF-8.
    span
        ``(n, 2)`` bytes of `code`.
    people, maps
        ``(p,)`` names and ``(p, n)`` shares; NaN where a token was not shown.
    language, source_sha256
        As the rows say.
    group
        What must be held out together with the text: near-duplicates have the same.
    """

    name: str
    code: bytes
    span: IntArray
    people: tuple[str, ...]
    maps: FloatArray
    language: str = ""
    source_sha256: str = ""
    group: str = ""

    def __len__(self) -> int:
        return len(self.span)

    @property
    def units(self) -> list[str]:
        """``(n,)`` the text of every token."""
        return [self.code[a:b].decode("utf-8", "replace") for a, b in self.span.tolist()]

    @property
    def mean(self) -> FloatArray:
        """``(n,)`` mean map over those to whom a token was shown; NaN where that is nobody."""
        return mean_of(self.maps)

    @property
    def looked(self) -> IntArray:
        """``(n,)`` how many people looked at each token."""
        return np.asarray((self.maps > 0).sum(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Humans:
    """All texts by name, what there is to say of them, and counts."""

    texts: Mapping[str, HumanText]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who read something, sorted."""
        return tuple(sorted({person for text in self.texts.values() for person in text.people}))


@dataclass(slots=True)
class _Open:
    """A text while its readings come in."""

    example: Example
    code: bytes
    span: IntArray
    maps: dict[str, list[FloatArray]] = field(default_factory=dict)


def code_of(text: str, start: IntArray, end: IntArray) -> tuple[bytes, IntArray]:
    r"""The code of a row, from its first token to the end of its last, and spans in it.

    >>> code, span = code_of("// hi\n int x", np.array([7, 11]), np.array([10, 12]))
    >>> code, span.tolist()
    (b'int x', [[0, 3], [4, 5]])
    """
    first, last = (int(start[0]), int(end[-1])) if len(start) else (0, 0)
    return text.encode()[first:last], np.stack([start, end], axis=1) - first


def token_problem(one: IntArray, other: IntArray) -> str:
    """How two cuts of one text into tokens differ; empty if they do not.

    >>> token_problem(np.array([[0, 3]]), np.array([[0, 1], [1, 3]]))
    '1 and 2 tokens, the first that differs is 0: bytes 0-3 and 0-1'
    """
    if np.array_equal(one, other):
        return ""
    n = min(len(one), len(other))
    bad = np.flatnonzero((one[:n] != other[:n]).any(axis=1))
    at = int(bad[0]) if bad.size else n
    places = [f"{s[at, 0]}-{s[at, 1]}" if at < len(s) else "none" for s in (one, other)]
    return (
        f"{len(one)} and {len(other)} tokens, the first that differs is {at}: bytes "
        f"{places[0]} and {places[1]}"
    )


def read_gaze(path: Path) -> Humans:
    """Read the people's maps from weights, in any container, or from a run's folder.

    Raises
    ------
    SchemaError
        No weights, or broken ones.
    DataError
        No row says where a person looked, or two readings of a text have other tokens.
    """
    files = one_dataset(path)
    exposure = _exposures(files[0].parent / TOKENS)
    open_texts: dict[bytes, _Open] = {}
    left: dict[str, int] = {}
    n_rows = n_exposed = n_windows = n_pooled = 0
    for file in files:
        by_prior = "priors" in _parameters(file)
        for example in iter_examples(file):
            n_rows += 1
            why = _left_out(example, by_prior=by_prior)
            if why:
                left[why] = left.get(why, 0) + 1
                continue
            shown = exposure.get((example.participant, example.trial, example.source_sha256))
            n_exposed += _add(open_texts, example, shown)
            n_windows += example.n_windows > 1
            n_pooled += example.n_people > 1
    if not open_texts:
        found = ", ".join(f"{n} rows {why}" for why, n in left.items()) or "no row"
        raise DataError(
            f"{path.name}: {found}; expected rows with the gaze of people, as gazecode run "
            "writes them"
        )
    used = n_rows - sum(left.values())
    counts = {"used": used, "n_exposed": n_exposed, "n_windows": n_windows, "n_pooled": n_pooled}
    return Humans(
        texts=_closed(open_texts.values()),
        notes=tuple(_notes(left, **counts)),
        facts={"rows": used, "left_out": left, "rows_with_exposure": n_exposed},
    )


def _parameters(file: Path) -> Mapping[str, Any]:
    found = said_by(file).get("parameters", {})
    return found if isinstance(found, Mapping) else {}


def _left_out(example: Example, *, by_prior: bool) -> str:
    """Why a row says nothing about where people looked; empty if it does."""
    if by_prior or example.prior_sources:
        return "weighted by priors"
    if not len(example.token_start):
        return "without a token"
    return "" if (example.token_value > 0).any() else "without a look at any token"


def _add(texts: dict[bytes, _Open], example: Example, shown: FloatArray | None) -> bool:
    """Put a reading to its text; whether its exposure is known."""
    code, span = code_of(example.text, example.token_start, example.token_end)
    held = texts.setdefault(code, _Open(example=example, code=code, span=span))
    problem = token_problem(held.span, span)
    if problem:
        raise DataError(
            f"{example.source_id}: readings {held.example.example_id} and {example.example_id} cut "
            f"the same text into {problem}; make both with the same version of the grammar"
        )
    value = example.token_value.astype(np.float64)
    fits = shown is not None and len(shown) == len(value)
    if shown is not None and fits:
        value = np.where((shown < MIN_EXPOSURE_MS) & (value == 0), np.nan, value)
    share = value / np.nansum(value)
    held.maps.setdefault(example.participant, []).append(share)
    return fits


def _closed(texts: Iterable[_Open]) -> dict[str, HumanText]:
    closed: dict[str, HumanText] = {}
    for text in sorted(texts, key=lambda held: (held.example.source_id, held.code)):
        people = tuple(sorted(text.maps))
        name = _unused(text.example.source_id or _digest(text.code)[:12], closed)
        closed[name] = HumanText(
            name=name,
            code=text.code,
            span=text.span,
            people=people,
            maps=np.stack([mean_of(np.stack(text.maps[person])) for person in people]),
            language=text.example.language,
            source_sha256=text.example.source_sha256,
            group=text.example.source_group,
        )
    return closed


def _unused(name: str, taken: Mapping[str, object]) -> str:
    """A name of its own: two versions of one file, or two windows, are two texts."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _digest(code: bytes) -> str:
    return hashlib.sha256(code).hexdigest()


def _notes(
    left: Mapping[str, int], *, used: int, n_exposed: int, n_windows: int, n_pooled: int
) -> Iterable[str]:
    for why, n in left.items():
        yield f"{n} of {used + sum(left.values())} rows of the people are {why} and left out."
    if n_exposed < used:
        yield (
            f"For {used - n_exposed} of {used} readings no {TOKENS} says how long tokens were on "
            "the screen: what was never shown counts as not looked at."
        )
    if n_pooled:
        yield (
            f"{n_pooled} rows are pooled over several people and count as one: intervals and "
            "ceiling know nothing of how these differ."
        )
    if n_windows:
        yield (
            f"{n_windows} rows are windows of longer texts: each window is a text of its own, and "
            "those of one file are not independent."
        )


def _exposures(path: Path) -> dict[tuple[str, str, str], FloatArray]:
    """Per participant, trial and source ``(n,)`` ms that each token was on the screen.

    Rows of weights may be of all trials of a person, or of all people: those are under an empty
    name, with the longest exposure of any.
    """
    if not path.is_file():
        return {}
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(EXPOSURE)).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        said = " ".join(str(error).split())[:160]
        raise SchemaError(
            f"{path.name}: cannot say which tokens were shown ({said}); run the study again, or "
            "move the weights out of its folder"
        ) from error
    parts = [
        table,
        table.assign(trial=""),
        table.assign(trial="", participant=""),
    ]
    longest = pd.concat(parts).groupby(list(EXPOSURE[:4]), sort=True)["exposure_ms"].max()
    return {
        (str(p), str(t), str(s)): rows.to_numpy(dtype=np.float64)
        for (p, t, s), rows in longest.groupby(level=[0, 1, 2], sort=False)
    }
