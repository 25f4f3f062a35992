"""Random numbers that depend on a seed and on what they are for, never on the order of work."""

from hashlib import blake2b, sha256

import numpy as np

__all__ = ["generator", "text_generator"]


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A generator of its own for a purpose (an item's name): another item changes nothing in it.

    >>> bool(generator(0, "a").random() == generator(0, "a").random())
    True
    >>> bool(generator(0, "a").random() == generator(0, "b").random())
    False
    """
    digest = blake2b("\0".join(purpose).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def text_generator(code: bytes) -> np.random.Generator:
    """A generator seeded by a text alone: what draws from it stays a function of the text."""
    return np.random.default_rng(int.from_bytes(sha256(code).digest()[:8], "big"))
