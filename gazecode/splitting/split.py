"""Examples into train, valid and test, so that what belongs together stays together."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Literal, cast

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Example
from gazecode.model.checks import IntArray
from gazecode.splitting.duplicates import SIMILARITY, checked, near_duplicates

__all__ = ["BY", "FRACTIONS", "assign_parts", "held_out", "split"]

BY = ("source", "participant", "both")
FRACTIONS: Mapping[str, float] = {"train": 0.8, "valid": 0.1, "test": 0.1}

By = Literal["source", "participant", "both"]


def split(
    examples: Sequence[Example],
    by: By = "source",
    *,
    fractions: Mapping[str, float] = FRACTIONS,
    seed: int = 0,
    similarity: float = SIMILARITY,
) -> dict[str, list[Example]]:
    """Split examples so that no held-out source, participant or prior's source is trained on.

    Parameters
    ----------
    examples
        In any order; the order within a part is kept.
    by
        ``"source"``: copies and near copies of a source stay in one part. ``"participant"``: all
        readings of a person do. ``"both"``: a part holds only its own people reading its own
        sources; an example that would pair one part's person with another's source is left out.
        ``"sources"`` and ``"participants"`` say the same.
    fractions
        Name and share of each part, in the order train first; shares sum to 1. Whole groups move,
        so that small sets come near the shares and do not meet them.
    seed
        Which groups go where; the order of `examples` does not matter.
    similarity
        Jaccard similarity above which two sources are near duplicates
        (`gazecode.splitting.near_duplicates`).

    Returns
    -------
    dict
        Part name to examples. A source that a prior was fitted on goes to the first part.

    Raises
    ------
    DataError
        An example pooled over people, or without a participant, where people are held out; or
        fewer groups than parts; what is no example.
    ParameterError
        Unknown `by`, shares that do not sum to 1.
    """
    examples = list(checked(examples))
    names = assign_parts(examples, by, fractions=fractions, seed=seed, similarity=similarity)
    parts: dict[str, list[Example]] = {name: [] for name in fractions}
    for example, name in zip(examples, names, strict=True):
        if name:
            parts[name].append(example)
    return parts


def assign_parts(
    examples: Iterable[Example],
    by: By = "source",
    *,
    fractions: Mapping[str, float] = FRACTIONS,
    seed: int = 0,
    similarity: float = SIMILARITY,
) -> list[str]:
    """Name of the part of each example, "" for one left out; `examples` are run through once.

    Takes what `split` takes; of an example only its names and a signature stay in memory.
    """
    by = held_out(by)
    _check_fractions(fractions)
    names = _Names()
    clusters = near_duplicates(names.noted(examples), similarity)
    if by != "source":
        names.check_people()
    n = len(clusters)
    if not n:
        return []
    sources = _united(clusters, names.source_group, names.source_sha256)
    people = _united(np.arange(n), names.participant)
    known = sorted(names.prior_sources)
    trained_on = np.isin(names.source_sha256, known) | np.isin(names.source_group, known)
    first = next(iter(fractions))
    of_source = _parts(sources, names.source_key(), fractions, seed, first, trained_on)
    if by == "source":
        return of_source
    nobody = np.zeros(n, dtype=bool)
    of_person = _parts(people, names.participant, fractions, seed, first, nobody)
    if by == "participant":
        return of_person
    return [a if a == b else "" for a, b in zip(of_source, of_person, strict=True)]


def held_out(by: str) -> By:
    """What a split holds out, singular.

    Raises
    ------
    ParameterError
        None of `BY`.

    Examples
    --------
    >>> held_out("participants")
    'participant'
    """
    name = _PLURAL.get(str(by), by)
    if name not in BY:
        raise ParameterError.unknown("by", by, BY)
    return cast("By", name)


_PLURAL = {"sources": "source", "participants": "participant"}


def _check_fractions(fractions: Mapping[str, float]) -> None:
    """Refuse shares that are not positive or do not sum to 1 with a `ParameterError`."""
    shares: list[Any] = list(fractions.values())
    numbers = all(
        isinstance(share, int | float) and isfinite(share) and share > 0 for share in shares
    )
    if not shares or not numbers or abs(sum(shares) - 1) > 1e-9:
        raise ParameterError(
            f"fractions are {dict(fractions)}; expected positive shares that sum to 1"
        )


class _Names:
    """What is kept of the examples that went by."""

    def __init__(self) -> None:
        self.participant: list[str] = []
        self.source_group: list[str] = []
        self.source_sha256: list[str] = []
        self.prior_sources: set[str] = set()
        self.pooled: list[str] = []

    def noted(self, examples: Iterable[Example]) -> Iterable[Example]:
        for example in checked(examples):
            self.participant.append(example.participant_group or example.participant)
            self.source_group.append(example.source_group)
            self.source_sha256.append(example.source_sha256)
            self.prior_sources.update(example.prior_sources)
            if not self.participant[-1]:
                self.pooled.append(example.example_id)
            yield example

    def check_people(self) -> None:
        if self.pooled:
            raise DataError(
                f"{len(self.pooled)} examples belong to no single participant (first: "
                f"{self.pooled[0]}); people can be held out of examples per trial or per "
                "participant only, so split by source"
            )

    def source_key(self) -> list[str]:
        pairs = zip(self.source_sha256, self.source_group, strict=True)
        return [sha or group for sha, group in pairs]


def _united(group: IntArray, *names: Sequence[str]) -> IntArray:
    """Groups joined wherever they share a name; an empty name joins nothing."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(group)
    ends = [group]
    for column in names:
        seen: dict[str, int] = {}
        ends.append(
            np.array([seen.setdefault(v, i) if v else i for i, v in enumerate(column)], dtype=int)
        )
    # Examples are 0..n-1, groups n..2n-1: an edge from each example to its group and namesakes.
    rows = np.tile(np.arange(n), len(ends))
    columns = np.concatenate([group + n, *ends[1:]])
    graph = coo_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(2 * n, 2 * n))
    components: IntArray = connected_components(graph, directed=False)[1][:n].astype(np.int64)
    return components


def _parts(  # noqa: PLR0917 - one call site, in the order of the sentence
    group: IntArray,
    keys: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    first: str,
    pinned: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> list[str]:
    """Give whole groups to parts, each to the part that lacks most of its share."""
    size = Counter(group.tolist())
    if len(size) < len(fractions):
        raise DataError(
            f"there are {len(size)} independent groups for {len(fractions)} parts; "
            "give more data, or ask for fewer parts"
        )
    name: dict[int, str] = {}
    for i, g in enumerate(group.tolist()):
        name[g] = min(name.get(g, keys[i]), keys[i])
    forced = set(group[pinned].tolist())
    # A group's place in the queue depends on the seed and its own name alone.
    queue = sorted(size, key=lambda g: (g not in forced, _shuffled(seed, name[g])))
    total = len(group)
    lacking = {part: share * total for part, share in fractions.items()}
    part_of: dict[int, str] = {}
    for g in queue:
        part = first if g in forced else max(lacking, key=lambda p: lacking[p] / fractions[p])
        lacking[part] -= size[g]
        part_of[g] = part
    return [part_of[g] for g in group.tolist()]


def _shuffled(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\x00{name}".encode(), digest_size=8).digest()
