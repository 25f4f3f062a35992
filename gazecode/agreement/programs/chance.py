"""Random numbers of programs: drawn by the text of the file, so that a program stays a function."""

import hashlib

import numpy as np

from gazecode.model import SourceTokens

__all__ = ["content_rng"]


def content_rng(tokens: SourceTokens) -> np.random.Generator:
    """A generator seeded by the code's SHA-256."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(tokens.code).digest()[:8], "big"))
