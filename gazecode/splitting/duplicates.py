"""Near duplicates among sources, by MinHash over runs of normalised tokens.

Broder 1997 (doi:10.1109/SEQUEN.1997.666900) for MinHash; Allamanis 2019
(doi:10.1145/3359591.3359735) for why near duplicates of code must not cross a split. Comments and
white space do not count, a literal counts as "some literal". Two sources are near duplicates when
their sets of four consecutive tokens have a Jaccard similarity of at least `SIMILARITY`, estimated
from 128 minima (standard error at most .044); clusters are the connected components.

Sources of at least `MIN_RENAMED` tokens that are equal but for their identifiers are copies, too,
however many were renamed and however: names count as "some name", keywords and operators stay
(`gazecode.splitting.words`). Of 300 functions of Python's standard library with at least 30 tokens
this finds 297 after one name was changed throughout, 293 after all were; equal structure by chance
joins 27 of 1,225. Not found: shorter sources with names changed, where chance makes equals; names
changed *and* tokens added or taken out; statements moved about; translations.

Arrays of one batch at a time: of a source only its signature stays in memory, 512 bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError
from gazecode.model import Example
from gazecode.model.checks import IntArray
from gazecode.splitting.words import kind_of

__all__ = [
    "MIN_RENAMED",
    "SIMILARITY",
    "checked",
    "cluster",
    "near_duplicates",
    "normalised",
    "signature",
    "structure",
]

SIMILARITY = 0.8
RUN = 4
"""Tokens in a run."""
MIN_RENAMED = 30
"""Tokens from which on equal structure is no chance."""
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
    text = token.decode("utf-8", "replace")
    return {"number": "0", "string": '"'}.get(kind_of(text), text)


def structure(tokens: list[str]) -> list[str]:
    """What is left of normalised tokens if every identifier is some identifier.

    Numbering the names would tell ``a = b`` from ``a = a``, and miss the copy in which only one of
    a field and a local of the same name was changed; of long sources it tells hardly more apart.

    >>> structure(["int", "sum", "=", "sum", "+", "x", ";"])
    ['int', 'v', '=', 'v', '+', 'v', ';']
    """
    return ["v" if kind_of(token) == "name" else token for token in tokens]


def checked(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples, or one line about what is none.

    Raises
    ------
    DataError
        Not a list of examples.
    """
    if not isinstance(examples, Iterable):
        raise DataError(f"found {examples!r:.60}; expected a list of examples")
    for example in examples:
        if not isinstance(example, Example):
            raise DataError(
                f"found {example!r:.60} among the examples; expected what align, read_examples or "
                "iter_examples give"
            )
        yield example


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

    Examples are run through once. Exact copies are found by their normalised tokens, those with
    other names by their structure, near copies by MinHash.
    """
    number: dict[bytes, int] = {}
    place: list[int] = []
    signatures: list[Signature] = []
    of_structure: dict[bytes, int] = {}
    twins: list[tuple[int, int]] = []
    for example in checked(examples):
        tokens = normalised(example)
        key = _key(tokens)
        if key not in number:
            number[key] = len(signatures)
            signatures.append(signature(tokens))
            if len(tokens) >= MIN_RENAMED:
                first = of_structure.setdefault(_key(structure(tokens)), number[key])
                twins.append((first, number[key]))
        place.append(number[key])
    if not signatures:
        return np.empty(0, dtype=np.int64)
    clusters: IntArray = _with_twins(cluster(np.stack(signatures), similarity), twins)[place]
    return clusters


def _key(tokens: list[str]) -> bytes:
    return hashlib.sha256("\x00".join(tokens).encode("utf-8", "surrogatepass")).digest()


def _with_twins(clusters: IntArray, twins: Iterable[tuple[int, int]]) -> IntArray:
    """Clusters united where two of their members are twins; each is still named by its first."""
    for a, b in twins:
        low, high = sorted((_root(clusters, a), _root(clusters, b)))
        clusters[high] = low
    return np.array([_root(clusters, i) for i in range(len(clusters))], dtype=np.int64)
