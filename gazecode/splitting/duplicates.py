"""Near duplicates among sources, by MinHash over runs of normalised tokens.

Broder 1997 (doi:10.1109/SEQUEN.1997.666900) for MinHash; Allamanis 2019
(doi:10.1145/3359591.3359735) for why near duplicates of code must not cross a split. Comments and
white space do not count, a literal counts as "some literal". Two sources are near duplicates when
their sets of four consecutive tokens have a Jaccard similarity of at least `SIMILARITY`, estimated
from 128 minima (standard error at most .044); clusters are the connected components.

Arrays of one batch at a time: of a source only its signature stays in memory, 512 bytes.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gazecode.model import Example
from gazecode.model.checks import IntArray

__all__ = ["SIMILARITY", "cluster", "near_duplicates", "normalised", "signature"]

SIMILARITY = 0.8
RUN = 4
"""Tokens in a run."""
BANDS, ROWS = 32, 4
"""Signatures that agree in one band of rows are compared: at .8 all but 1 in 10^7 pairs are."""

Signature = npt.NDArray[np.uint32]
_HALF = np.uint64(32)


def normalised(example: Example) -> list[str]:
    """Tokens without comments; strings and numbers as one sign each.

    Positions are those of the AST tokens in the example's text; a template around the code does
    not count.
    """
    text = example.text.encode()
    spans = zip(example.token_start.tolist(), example.token_end.tolist(), strict=True)
    return [
        _normal(text[start:end])
        for (start, end), label in zip(spans, example.token_label.tolist(), strict=True)
        if label != "comment"
    ]


def _normal(token: bytes) -> str:
    first = token[:1]
    if first.isdigit():
        return "0"
    return '"' if first in b"\"'`" else token.decode("utf-8", "replace")


@lru_cache(maxsize=2**16)
def _number(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "little")


def _coefficients() -> npt.NDArray[np.uint64]:
    drawn = np.random.default_rng(0).integers(1, 2**63, size=(2, BANDS * ROWS, 1), dtype=np.uint64)
    return drawn * np.uint64(2) + np.uint64(1)


_MULTIPLY, _ADD = _coefficients()


def signature(tokens: list[str]) -> Signature:
    """MinHash of the runs of four tokens, ``(128,)``; a shorter text is one run.

    >>> same = signature(["int", "x", "=", "0", ";"]) == signature(["int", "x", "=", "0", ";"])
    >>> bool(same.all())
    True
    """
    numbers = np.array([_number(t) for t in tokens], dtype=np.uint64)
    runs = np.zeros(max(len(numbers) - RUN + 1, 1), dtype=np.uint64)
    for k in range(min(RUN, len(numbers))):
        # Order matters within a run: each place multiplies what came before.
        runs = runs * np.uint64(0x9E3779B97F4A7C15) + numbers[k : k + len(runs)]
        runs ^= runs >> _HALF
    minima: Signature = ((runs * _MULTIPLY + _ADD) >> _HALF).min(axis=1).astype(np.uint32)
    return minima


def cluster(signatures: npt.NDArray[np.uint32], similarity: float = SIMILARITY) -> IntArray:
    """Number of the cluster of each signature ``(n, 128)``: the first member's place, ``(n,)``."""
    n = len(signatures)
    parent = np.arange(n)
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS])
        key = part.view(f"V{part.itemsize * ROWS}").ravel()
        _, bucket = np.unique(key, return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        # Chained within a bucket: neighbours in input order, and each with the bucket's first.
        edge = bucket[order][1:] == bucket[order][:-1]
        starts = np.flatnonzero(np.append(True, ~edge)) if n else np.empty(0, dtype=np.int64)
        first = np.repeat(order[starts], np.diff(np.append(starts, n)))
        pairs = np.concatenate(
            [
                np.stack([order[:-1], order[1:]], axis=1)[edge],
                np.stack([first, order], axis=1)[first != order],
            ]
        )
        _join(parent, pairs, signatures, similarity)
    return np.array([_root(parent, i) for i in range(n)], dtype=np.int64)


def _join(
    parent: IntArray, pairs: IntArray, signatures: npt.NDArray[np.uint32], similarity: float
) -> None:
    """Unite the pairs that are alike; those in one cluster already are not compared."""
    for start in range(0, len(pairs), 65536):
        block = pairs[start : start + 65536]
        alike = (signatures[block[:, 0]] == signatures[block[:, 1]]).mean(axis=1) >= similarity
        for a, b in block[alike].tolist():
            low, high = sorted((_root(parent, a), _root(parent, b)))
            parent[high] = low


def _root(parent: IntArray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = int(parent[i])
    return i


def near_duplicates(examples: Iterable[Example], similarity: float = SIMILARITY) -> IntArray:
    """Cluster of each example, ``(n,)``: equal numbers are near duplicates of each other.

    Examples are run through once. Exact copies are found by their normalised tokens, near copies
    by MinHash.
    """
    number: dict[bytes, int] = {}
    place: list[int] = []
    signatures: list[Signature] = []
    for example in examples:
        tokens = normalised(example)
        key = hashlib.sha256("\x00".join(tokens).encode()).digest()
        if key not in number:
            number[key] = len(signatures)
            signatures.append(signature(tokens))
        place.append(number[key])
    if not signatures:
        return np.empty(0, dtype=np.int64)
    clusters: IntArray = cluster(np.stack(signatures), similarity)[place]
    return clusters
