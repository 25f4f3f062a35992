"""Random numbers that depend on a seed and on a source's bytes, never on what it stands beside.

A corpus is cut into batches, batches go to processes, and a run is repeated on another machine:
the numbers of one source must stay the same. Each source has a key, the SHA-256 of seed, purpose
and bytes; token ``i`` gets number ``i`` of the SplitMix64 stream that starts there (Steele, Lea &
Flood 2014, doi:10.1145/2660193.2660195), which is one array operation for a whole batch.
"""

import hashlib
import operator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gazecode.errors import ParameterError
from gazecode.model.batch import TokenBatch
from gazecode.model.checks import FloatArray

__all__ = ["KeyArray", "source_keys", "stream", "token_draws", "uniform"]

KeyArray = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def source_keys(batch: TokenBatch, seed: int, purpose: str) -> KeyArray:
    """``(d,)`` keys, one per source.

    `purpose` keeps the numbers of two uses of one seed apart.

    Raises
    ------
    ParameterError
        `seed` is not a whole number.
    """
    try:
        head = f"{purpose}\0{operator.index(seed)}\0".encode()
    except TypeError:
        raise ParameterError(f"seed is {seed!r}; expected a whole number") from None
    start, code = batch.code_start.tolist(), memoryview(batch.code)
    common = hashlib.sha256(head)
    digests = bytearray()
    for first, end in pairwise(start):
        digest = common.copy()
        digest.update(code[first:end])
        digests += digest.digest()[:8]
    # Little-endian on every machine.
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def token_draws(batch: TokenBatch, seed: int, purpose: str) -> KeyArray:
    """``(m,)`` random 64-bit numbers, one per token."""
    keys = source_keys(batch, seed, purpose)
    at = np.arange(len(batch)) - np.repeat(batch.token_start[:-1], np.diff(batch.token_start))
    return stream(np.repeat(keys, np.diff(batch.token_start)), at)


def stream(key: KeyArray, at: npt.NDArray[np.int64]) -> KeyArray:
    """Number `at` (from 0) of the SplitMix64 streams that start at `key`; shapes broadcast.

    >>> int(stream(np.array([0], dtype=np.uint64), np.array([0]))[0]) == 0xE220A8397B1DCDAF
    True
    """
    z: KeyArray = key + (at.astype(np.uint64) + np.uint64(1)) * _STEP
    z ^= z >> np.uint64(30)
    z *= _MIX_1
    z ^= z >> np.uint64(27)
    z *= _MIX_2
    z ^= z >> np.uint64(31)
    return z


def uniform(draws: KeyArray) -> FloatArray:
    """The same numbers as floats in [0, 1)."""
    return np.asarray((draws >> np.uint64(11)).astype(np.float64) * 2.0**-53)
