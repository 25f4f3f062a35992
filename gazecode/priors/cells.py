"""Sums per participant × source × task × group: what priors are made of, and made from again.

Everything a prior says is a function of these sums. They add: a fit over more readings, a merge of
two files, a fit without one person are sums over other rows. Sums of measures that are not whole
numbers are rounded to a power of two when a reading is summed, so that adding them is exact and no
result depends on the order in which recordings came.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.model import N_LABELS
from gazecode.model.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    StrArray,
    column,
    repeated,
    same_length,
)
from gazecode.priors.ngrams import N_PACKED, sorted_codes

__all__ = ["KEYS", "SUMS", "TALLIES", "Cells", "added", "one_cell", "participant_id", "pooled"]

KEYS = ("participant", "source", "task", "group")
SUMS = (
    *("shown", "hit", "null_shown", "null_hit", "chance"),
    *("measured", "characters", "dwell_ms", "area_shown", "area_px2"),
)
"""Per label, over Bernoulli trials (participant × reading × token exposed for long enough).

``shown`` trials; ``hit`` successes; ``null_shown``, ``null_hit`` the same among trials whose chance
is known, ``chance`` the sum of their chances; ``measured`` trials whose ``characters`` and
``dwell_ms`` are known; ``area_shown`` trials whose ``area_px2`` is known.
"""
QUANTUM = np.array([1, 1, 1, 1, 2**-28, 1, 1, 2**-10, 1, 2**-10])
"""What each sum of one reading is a multiple of."""
TALLIES = (
    *("readings", "tokens", "tokens_unlabelled", "tokens_never_exposed", "tokens_too_brief"),
    *("trials", "hit_but_no_trial"),
    *("fixations", "fixations_token", "fixations_between", "fixations_off", "fixations_lost"),
    *("fixations_unlabelled", "fixations_typing", "fixations_scrolling", "fixations_unknown"),
    *("fixations_left_out", "fixations_bridged", "runs", "refixations"),
)
"""What became of every token and fixation; `docs` says what each counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """One row per participant × source × task × group, sorted by these.

    Attributes
    ----------
    participant
        ``(c,)`` opaque ids (`participant_id`); "" for unknown people.
    source
        ``(c,)`` SHA-256 of the code; "" for unknown sources.
    task, group
        ``(c,)`` as the study calls them; "" for none.
    sums
        ``(c, len(SUMS) * N_LABELS)``; `table` has the three axes.
    tally
        ``(c, len(TALLIES))`` counts.
    ngrams
        ``(k, 3)`` cell, packed sequence, count; sorted by the first two.
    """

    participant: StrArray
    source: StrArray
    task: StrArray
    group: StrArray
    sums: FloatArray
    tally: IntArray
    ngrams: IntArray

    def __post_init__(self) -> None:
        for name in KEYS:
            column(self, name, object)
        column(self, "sums", np.float64, width=len(SUMS) * N_LABELS)
        column(self, "tally", np.int64, width=len(TALLIES))
        column(self, "ngrams", np.int64, width=3)
        same_length(self, *KEYS, "sums", "tally")

    def __len__(self) -> int:
        return len(self.participant)

    @property
    def table(self) -> FloatArray:
        """``(c, len(SUMS), N_LABELS)`` sums per cell and label."""
        return self.sums.reshape(len(self), len(SUMS), N_LABELS)

    @property
    def total(self) -> dict[str, FloatArray]:
        """``(N_LABELS,)`` per name in `SUMS`, over all cells."""
        return dict(zip(SUMS, self.table.sum(axis=0), strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """Per name in `TALLIES`, over all cells."""
        return dict(zip(TALLIES, self.tally.sum(axis=0).tolist(), strict=True))

    def levels(self, key: str) -> list[str]:
        """What is there of one key: the people, the sources, ...; unknown ones left out."""
        return sorted(set(getattr(self, key)) - {""})

    def take(self, keep: BoolArray) -> "Cells":
        """Return only some rows."""
        number = np.cumsum(keep) - 1
        rows = self.ngrams[keep[self.ngrams[:, 0]]]
        return Cells(
            **{name: getattr(self, name)[keep] for name in KEYS},
            sums=self.sums[keep],
            tally=self.tally[keep],
            ngrams=np.column_stack([number[rows[:, 0]], rows[:, 1:]]),
        )

    def undirected(self) -> "Cells":
        """The same cells with sorted sequences: which label came first is forgotten."""
        code = sorted_codes(self.ngrams[:, 1])
        rows = np.column_stack([self.ngrams[:, 0], code, self.ngrams[:, 2]])
        return added([_with(self, rows)])


def participant_id(participant: str, study: str = "") -> str:
    """An opaque name of a person in a study: 16 hexadecimal digits.

    It lets people be counted over files and left out again, and names nobody; whoever knows the
    names can make it, too: a pseudonym, not anonymity.

    >>> participant_id("P1", study="demo") == participant_id("P1", study="demo")
    True
    >>> len(participant_id("P1")), participant_id("")
    (16, '')
    """
    if not participant:
        return ""
    text = f"{len(study)}:{study}:{participant}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def one_cell(
    key: Sequence[str], *, sums: FloatArray, tally: Sequence[int], ngrams: IntArray
) -> Cells:
    """A table of one row: key as in `KEYS`, ``(len(SUMS), N_LABELS)`` sums, ``(k, 2)`` n-grams."""
    return Cells(
        **{name: np.array([value], dtype=object) for name, value in zip(KEYS, key, strict=True)},
        sums=sums.reshape(1, -1),
        tally=np.array([tally], dtype=np.int64),
        ngrams=np.column_stack([np.zeros(len(ngrams), dtype=np.int64), ngrams]),
    )


def added(parts: Sequence[Cells]) -> Cells:
    """One table of cells of many: rows of the same key are added, rows sorted by key."""
    keys = [key for part in parts for key in zip(*(getattr(part, k) for k in KEYS), strict=True)]
    unique = sorted(set(keys))
    place = {key: i for i, key in enumerate(unique)}
    row = np.array([place[key] for key in keys], dtype=np.int64)
    sums = np.zeros((len(unique), len(SUMS) * N_LABELS))
    tally = np.zeros((len(unique), len(TALLIES)), dtype=np.int64)
    np.add.at(sums, row, np.concatenate([sums[:0], *(part.sums for part in parts)]))
    np.add.at(tally, row, np.concatenate([tally[:0], *(part.tally for part in parts)]))
    first = np.cumsum([0, *(len(part) for part in parts)]).tolist()
    ngrams = [
        np.column_stack([row[start + part.ngrams[:, 0]], part.ngrams[:, 1:]])
        for start, part in zip(first, parts, strict=False)
    ]
    names = np.array(unique, dtype=object).reshape(len(unique), len(KEYS))
    return Cells(
        **dict(zip(KEYS, names.T, strict=True)),
        sums=sums,
        tally=tally,
        ngrams=_added_ngrams(np.concatenate([np.zeros((0, 3), dtype=np.int64), *ngrams])),
    )


def pooled(cells: Cells) -> Cells:
    """One cell for all: no row tells one person or one source from another."""
    one = repeated("", len(cells))
    rows = cells.ngrams.copy()
    together = Cells(
        participant=one, source=one, task=one, group=one,
        sums=cells.sums, tally=cells.tally, ngrams=rows,
    )  # fmt: skip
    return added([together])


def _with(cells: Cells, ngrams: IntArray) -> Cells:
    return Cells(
        **{name: getattr(cells, name) for name in KEYS},
        sums=cells.sums,
        tally=cells.tally,
        ngrams=ngrams,
    )


def _added_ngrams(rows: IntArray) -> IntArray:
    key, inverse = np.unique(rows[:, 0] * N_PACKED + rows[:, 1], return_inverse=True)
    count = np.zeros(len(key), dtype=np.int64)
    np.add.at(count, inverse.reshape(-1), rows[:, 2])
    return np.column_stack([key // N_PACKED, key % N_PACKED, count])
