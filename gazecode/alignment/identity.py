"""What identifies examples: the names of their sources, and a digest of all that went into each."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gazecode.model.checks import Array, IntArray

__all__ = ["Names", "cut_bytes", "digests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of ``d`` sources."""

    source_id: tuple[str, ...]
    language: tuple[str, ...]
    source_group: tuple[str, ...]
    participant: str = ""
    trial: str = ""

    def of(self, kept: Sequence[int]) -> "Names":
        """Names of some of the sources."""
        return replace(
            self,
            source_id=tuple(self.source_id[i] for i in kept),
            language=tuple(self.language[i] for i in kept),
            source_group=tuple(self.source_group[i] for i in kept),
        )


def digests(
    head: Mapping[str, object],
    text: Sequence[str],
    source_id: Sequence[str],
    columns: Sequence[Iterator[memoryview]],
) -> tuple[str, ...]:
    """Sixteen hex digits that stand for all that went into an example.

    Parameters
    ----------
    head
        Parameters, the same for all.
    text, source_id
        ``(d,)``
    columns
        Bytes of each example, for each column.
    """
    dump = _json_form(head, "source_id", "text")
    found = []
    for one, name, *parts in zip(text, source_id, *columns, strict=True):
        digest = hashlib.sha256()
        for part in (dump(name, one).encode(), *parts):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        found.append(digest.hexdigest()[:16])
    return tuple(found)


def cut_bytes(column: Array, dtype: str, first: IntArray) -> Iterator[memoryview]:
    """Bytes of each of consecutive groups of a column."""
    raw = np.ascontiguousarray(column, dtype=dtype).view(np.uint8).data
    ends = (first * np.dtype(dtype).itemsize).tolist()
    return (raw[a:b] for a, b in pairwise(ends))


def _json_form(head: Mapping[str, object], *names: str) -> Callable[..., str]:
    """Make what gives the JSON of `head` and of texts under `names`; `head` is encoded once.

    >>> _json_form({"b": 1}, "a", "c")("x", "y")
    '{"a": "x", "b": 1, "c": "y"}'
    """
    left = json.dumps({**head, **dict.fromkeys(names, None)}, sort_keys=True)
    pieces: list[str] = []
    for name in sorted(names):
        # A key with its colon: inside a value the quotes would be escaped.
        key = f"{json.dumps(name)}: "
        before, _, left = left.partition(f"{key}null")
        pieces.append(before + key)

    def dump(*texts: str) -> str:
        whole = [
            part
            for piece, text in zip(pieces, texts, strict=True)
            for part in (piece, json.dumps(text))
        ]
        return "".join([*whole, left])

    return dump
