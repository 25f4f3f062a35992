"""The stream of sources cut into blocks: one block is one unit of work and one shard.

Where a block ends depends on the sources alone, never on the number of processes, so that the
shards are the same bytes whoever does the work.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.corpus.records import Record
from gazecode.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Block", "BlockRule", "SeenIds", "cut", "unique_ids"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRule:
    """A block ends when it holds so many sources or so many bytes of code."""

    rows: int = 2048
    n_bytes: int = 2_000_000

    def __post_init__(self) -> None:
        if self.rows < 1 or self.n_bytes < 1:
            raise ParameterError(
                f"a block of {self.rows} sources and {self.n_bytes} bytes; expected 1 or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive sources of the corpus, those that cannot be used among them.

    Attributes
    ----------
    n_duplicates
        Sources whose id had been seen before and got a number.
    """

    number: int
    sources: tuple[Record, ...]
    n_duplicates: int = 0

    @property
    def records(self) -> list[Record]:
        """Sources to weigh."""
        return [record for record in self.sources if not record.stage]

    @property
    def n_bytes(self) -> int:
        """Bytes of code to weigh."""
        return sum(len(record.code) + len(record.answer) for record in self.sources)

    def digest(self) -> str:
        """SHA-256 over all that the block's results depend on."""
        digest = hashlib.sha256(b"gazecode block 2\n")
        for record in self.sources:
            texts = (record.id, record.where, record.language, record.stage, record.reason)
            for raw in (*(text.encode() for text in texts), record.code, record.answer):
                digest.update(len(raw).to_bytes(8, "little"))
                digest.update(raw)
        return digest.hexdigest()

    def table(self) -> "pa.RecordBatch":
        """What a worker gets: ``id``, ``language``, ``code``, ``answer``."""
        import pyarrow as pa

        records = self.records
        return pa.RecordBatch.from_arrays(
            [
                pa.array([record.id for record in records], pa.string()),
                pa.array([record.language for record in records], pa.string()),
                pa.array([record.code for record in records], pa.large_binary()),
                pa.array([record.answer for record in records], pa.large_binary()),
            ],
            names=["id", "language", "code", "answer"],
        )


class SeenIds:
    """Which ids have been seen, in eight bytes each.

    Sorted arrays of digests, each at least twice as long as the next: a million ids take 8 MB,
    where a set of texts takes 150. Two ids that share a digest (1 in 10^7 for a million) would
    make one of them look seen: it then gets a number it did not need.

    >>> seen = SeenIds()
    >>> [seen.add(name) for name in ("a", "b", "a")]
    [False, False, True]
    """

    _BUFFER = 4096

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._levels: list[npt.NDArray[np.uint64]] = []

    def add(self, name: str) -> bool:
        """Note an id; return whether it had been seen."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        key = int.from_bytes(digest, "little")
        if key in self._recent or any(_holds(level, key) for level in self._levels):
            return True
        self._recent.add(key)
        if len(self._recent) >= self._BUFFER:
            self._settle()
        return False

    def _settle(self) -> None:
        """Move the recent ones into the sorted arrays, merging those of like length."""
        level = np.fromiter(self._recent, np.uint64, len(self._recent))
        self._recent = set()
        while self._levels and len(self._levels[-1]) < 2 * len(level):
            level = np.concatenate([self._levels.pop(), level])
        level.sort()
        self._levels.append(level)


def _holds(level: npt.NDArray[np.uint64], key: int) -> bool:
    place = int(np.searchsorted(level, np.uint64(key)))
    return place < len(level) and int(level[place]) == key


def unique_ids(records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
    """Give every source an id of its own; say which had to be changed.

    A second source of the same id gets its number in the corpus behind it: ``x``, ``x#7``.
    """
    seen = SeenIds()
    for number, record in enumerate(records):
        if not seen.add(record.id):
            yield record, False
            continue
        name = f"{record.id}#{number}"
        while seen.add(name):
            name += "#"
        yield replace(record, id=name), True


def cut(records: Iterable[Record], rule: BlockRule) -> Iterator[Block]:
    """Cut a stream into blocks; a source larger than a block is a block of its own."""
    held: list[Record] = []
    n_bytes = n_duplicates = number = 0
    for record, changed in unique_ids(records):
        size = len(record.code) + len(record.answer)
        if held and (len(held) >= rule.rows or n_bytes + size > rule.n_bytes):
            yield Block(number=number, sources=tuple(held), n_duplicates=n_duplicates)
            held, n_bytes, n_duplicates, number = [], 0, 0, number + 1
        held.append(record)
        n_bytes += size
        n_duplicates += changed
    if held:
        yield Block(number=number, sources=tuple(held), n_duplicates=n_duplicates)
