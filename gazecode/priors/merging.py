"""Priors added up, and what must not be: the same gaze twice."""

import itertools
import json
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gazecode.errors import GazecodeWarning, ParameterError
from gazecode.model import LabelPriors
from gazecode.priors.cells import KEYS, SUMS, TALLIES, Cells, added
from gazecode.priors.content import POOLED, Content, names

__all__ = ["merged", "merged_vocabulary"]

Row = tuple[str, ...]


def merged(
    contents: Sequence[Content], *, vocabulary: frozenset[tuple[str, ...]], name: str = ""
) -> Content:
    """Add up; directed sequences are sorted if they meet sorted ones, and a warning says so.

    Raises
    ------
    ParameterError
        Nothing to merge, or gaze that is in two parts and would count twice.
    """
    if not contents:
        raise ParameterError("there are no priors to merge; give at least one")
    _refuse_twice(contents)
    is_sorted = any(c.is_sorted for c in contents)
    directed = [c for c in contents if is_sorted and not c.is_sorted and len(c.cells.ngrams)]
    notes = _shared_cells(contents)
    odd = _shared_with_pooled(contents)
    if directed:
        who = ", ".join(sorted({_called(c) for c in directed}))
        notes.append(f"sequences of {who} were sorted to be added to sorted ones")
        odd.append(f"{notes[-1]}: their direction is lost")
    for words in odd:
        warnings.warn(words, GazecodeWarning, stacklevel=3)
    return Content(
        cells=added(
            [c.cells if c.is_sorted == is_sorted else c.cells.undirected() for c in contents]
        ),
        name=name or " + ".join(sorted(c.name for c in contents)),
        is_sorted=is_sorted,
        vocabulary=vocabulary,
        sources=names(source for c in contents for source in c.sources),
        group_of=frozenset[tuple[str, str]]().union(*(c.group_of for c in contents)),
        studies=tuple(sorted({study for c in contents for study in c.studies})),
        anonymous=sum(c.anonymous for c in contents),
        details=_merged_details(
            [c.details for c in contents], [*notes, *(n for n in odd if n.startswith(POOLED))]
        ),
    )


def _called(content: Content) -> str:
    return content.name or "priors"


def _refuse_twice(contents: Sequence[Content]) -> None:
    """Sums that agree to the last bit, for the same people and sources, are the same gaze."""
    cells = [_gaze_of_cells(content.cells) for content in contents]
    totals = [_sums_of(content.cells) for content in contents]
    for j, second in enumerate(contents):
        for i, first in enumerate(contents[:j]):
            n = len(cells[i] & cells[j])
            if n or (totals[i] == totals[j] and (_is_pooled(first) or _is_pooled(second))):
                what = f"{n} participant × source × task" if n else "pooled"
                raise ParameterError(
                    f"{_called(first)} (part {i + 1}) and {_called(second)} (part {j + 1}) hold "
                    f"the same gaze ({what}, equal sums) and it would count twice; give it once"
                )


def _gaze_of_cells(cells: Cells) -> set[tuple[Row, bytes]]:
    """Keys with sums of all cells in which somebody looked at something."""
    hit = cells.table[:, SUMS.index("hit")].sum(axis=1) + cells.tally[:, TALLIES.index("fixations")]
    keys = zip(*(getattr(cells, key) for key in KEYS), strict=True)
    return {
        (key, cells.sums[i].tobytes() + cells.tally[i].tobytes())
        for i, key in enumerate(keys)
        if hit[i]
    }


def _sums_of(cells: Cells) -> bytes:
    """What all cells would be in one row; sums are exact, so that their order does not matter."""
    sums: bytes = cells.sums.sum(axis=0).tobytes()
    tally: bytes = cells.tally.sum(axis=0).tobytes()
    return sums + tally


def _is_pooled(content: Content) -> bool:
    return bool(content.sources) and "" in content.cells.source


def _shared_cells(contents: Sequence[Content]) -> list[str]:
    """Other readings of the same person, source and task: another trial, as far as is known."""
    seen: Counter[Row] = Counter()
    for content in contents:
        keys = zip(*(getattr(content.cells, key) for key in KEYS), strict=True)
        seen.update(key for key in keys if key[0])
    twice = sum(count > 1 for count in seen.values())
    if not twice:
        return []
    return [f"{twice} participant × source × task are in more than one part: all were counted"]


def _shared_with_pooled(contents: Sequence[Content]) -> list[str]:
    """A pooled file does not say whose gaze it holds, only on which sources."""
    found = []
    for pooled in filter(_is_pooled, contents):
        others = names(s for c in contents if c is not pooled for s in _known_as(c))
        n = len(set(pooled.sources) & set(others))
        if n:
            found.append(
                f"{POOLED} priors {_called(pooled)} share {n} sources with another part: people "
                "who are in both were counted twice, and nobody can tell"
            )
    return sorted(set(found))


def _known_as(content: Content) -> Iterable[str]:
    return [*content.sources, *content.cells.levels("source")]


def _merged_details(details: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> dict[str, Any]:
    """What merged priors say of themselves: the same in whatever order they were merged."""
    rules = {json.dumps(rule, sort_keys=True) for said in details for rule in said.get("rules", ())}
    aside: Counter[str] = Counter()
    for said in details:
        aside.update(said.get("set_aside", {}))
    return {
        "parts": sorted(part for said in details for part in said.get("parts", ())),
        "rules": [json.loads(rule) for rule in sorted(rules)],
        "notes": list(names([*notes, *(n for said in details for n in said.get("notes", ()))])),
        "set_aside": dict(sorted(aside.items())),
    }


def merged_vocabulary(priors: Sequence[LabelPriors]) -> frozenset[tuple[str, ...]]:
    """Sequences that any of the priors allows; none if all allow what they counted."""
    if not any(p.vocabulary for p in priors):
        return frozenset()
    return frozenset[tuple[str, ...]]().union(*(p.vocabulary or _allowed(p) for p in priors))


def _allowed(priors: LabelPriors) -> frozenset[tuple[str, ...]]:
    tables = [table for order, table in priors.ngrams.items() if order > 1]
    found = {key for table in tables if not table.is_sorted for key in table.counts}
    # A sorted table stands for every order of its keys.
    turned = {
        turn
        for table in tables
        if table.is_sorted
        for key in table.counts
        for turn in itertools.permutations(key)
    }
    return frozenset(found | turned)
