"""What priors are, apart from what can be computed from it; and what they say about themselves."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.errors import GazecodeWarning, ParameterError
from gazecode.model import LABELS, N_LABELS, NgramTable, label_codes
from gazecode.model.checks import FloatArray
from gazecode.priors.cells import KEYS, SUMS, TALLIES, Cells, added, one_cell, pooled
from gazecode.priors.intervals import Intervals
from gazecode.priors.ngrams import packed_tables, unpacked_tables
from gazecode.priors.published import Published

__all__ = [
    "CHANCE",
    "MIN_POOLED_PEOPLE",
    "POOLED",
    "WITHOUT",
    "Content",
    "content_of",
    "less",
    "names",
    "published_of",
    "remarks",
    "shared",
]


MIN_POOLED_PEOPLE = 5
"""A file to be shared pools at least so many people."""
WITHOUT = "without "
CHANCE = "chance"
POOLED = "pooled"
"""How notes begin that are remarks, too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """What a file holds.

    Attributes
    ----------
    sources
        Sources of a pooled cell; those of the others are in the cells.
    group_of
        Pairs of a source and the digest of its tokens, as far as they are known.
    anonymous
        People without an id: those of a pooled file.
    kept
        Intervals of a pooled file, which cannot be computed again.
    """

    cells: Cells
    name: str = ""
    is_sorted: bool = False
    vocabulary: frozenset[tuple[str, ...]] = frozenset()
    sources: tuple[str, ...] = ()
    group_of: frozenset[tuple[str, str]] = frozenset()
    studies: tuple[str, ...] = ()
    anonymous: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    kept: Intervals | None = None


def content_of(said: Published) -> Content:
    """The counts of a published set, as one cell of unknown people and sources."""
    sums = np.zeros((len(SUMS), N_LABELS))
    for name, counts in (("shown", said.shown), ("hit", said.hit)):
        sums[SUMS.index(name), label_codes(counts)] = list(counts.values())
    cell = one_cell(
        [""] * len(KEYS), sums=sums, tally=[0] * len(TALLIES), ngrams=packed_tables(said.ngrams)
    )
    return Content(
        cells=added([cell]),
        name=said.name,
        is_sorted=True,
        vocabulary=said.vocabulary,
        details={
            "parts": [said.name],
            "rules": [],
            "notes": list(said.notes),
            "set_aside": dict(said.set_aside),
        },
    )


def published_of(content: Content) -> Published:
    """The layout of the release: sorted sequences without repeats; what is left out is said."""
    cells = content.cells if content.is_sorted else content.cells.undirected()
    tables = unpacked_tables(cells.ngrams[:, 1], cells.ngrams[:, 2], is_sorted=True)
    kept, repeated = {}, 0
    for order, table in tables.items():
        once = {key: n for key, n in table.counts.items() if len(set(key)) == len(key)}
        repeated += sum(table.counts.values()) - sum(once.values())
        kept[order] = NgramTable(order=order, counts=once, is_sorted=table.is_sorted)
    if repeated:
        warnings.warn(
            f"{repeated} sequences repeat a label, which the published layout does not hold; they "
            "are left out",
            GazecodeWarning,
            stacklevel=3,
        )
    total = content.cells.total
    counted = [code for code in range(1, N_LABELS) if total["shown"][code]]
    return Published(
        name=content.name,
        hit={LABELS[code]: int(total["hit"][code]) for code in counted},
        shown={LABELS[code]: int(total["shown"][code]) for code in counted},
        ngrams=kept,
        vocabulary=content.vocabulary,
    )


def shared(content: Content, kept: Intervals, n_people: int) -> Content:
    """For a file that leaves the lab: one row for all people and sources, and no ids.

    Raises
    ------
    ParameterError
        Fewer than five people.
    """
    if n_people < MIN_POOLED_PEOPLE:
        raise ParameterError(
            f"share needs at least {MIN_POOLED_PEOPLE} people, these priors have {n_people}; the "
            "gaze of fewer can be told apart"
        )
    notes = [note for note in content.details["notes"] if not note.startswith(WITHOUT)]
    return replace(
        content,
        cells=pooled(content.cells),
        sources=names([*content.sources, *content.cells.levels("source")]),
        anonymous=n_people,
        details={**content.details, "notes": notes},
        kept=kept,
    )


def less(content: Content, people: Sequence[str]) -> Content:
    """The same without the cells of some people, by opaque id."""
    keep = ~np.isin(content.cells.participant.astype(str), people)
    notes = names([*content.details["notes"], *(WITHOUT + person for person in people)])
    details = {**content.details, "notes": list(notes)}
    return replace(content, cells=content.cells.take(keep), details=details)


def names(found: Iterable[str]) -> tuple[str, ...]:
    """Each name once, sorted; "" is none."""
    return tuple(sorted(set(found) - {""}))


def remarks(
    counts: Mapping[str, int],
    total: Mapping[str, FloatArray],
    details: Mapping[str, Any],
    *,
    without_group: int = 0,
) -> list[str]:
    """What whoever reads the numbers should know, in words."""
    said = []
    fixations, unknown = counts["fixations"], counts["fixations_unknown"]
    if unknown and all("unknown" in rule["activities"] for rule in details.get("rules", ())):
        said.append(
            f"{unknown} of {fixations} fixations are of unknown activity: they count as what "
            "their recording's task was"
        )
    if not counts["readings"]:
        said.append("people, sources and readings are not known")
    trials, known = float(total["shown"].sum()), float(total["null_shown"].sum())
    if counts["fixations_left_out"]:
        chance = "; chance was computed with them" if known else ""
        said.append(
            f"{counts['fixations_left_out']} of {fixations} fixations did not count by their "
            f"activity{chance}"
        )
    if counts["refixations"]:
        said.append(f"{counts['refixations']} transitions are refixations of the same token")
    if known < trials:
        said.append(f"chance is known for {known:.0f} of {trials:.0f} trials")
    if without_group:
        said.append(
            f"{without_group} sources are known by their bytes alone: a copy with other blanks is "
            "not known for a prior's source"
        )
    said += [n for n in details.get("notes", ()) if n.startswith((CHANCE, POOLED))]
    return said
