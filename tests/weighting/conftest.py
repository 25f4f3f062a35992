"""Hits and tokens made by hand."""

import numpy as np
import pytest

from gazecode.model import Hits, SourceTokens


def tokens(m):
    return SourceTokens(
        language="java",
        source_id="A.java",
        code=b"x" * m,
        span=[(i, i + 1) for i in range(m)],
        row=[0] * m,
        column=list(range(m)),
        kind=["leaf"] * m,
        path=[()] * m,
        label=[""] * m,
    )


def hits(shares, duration_ms, *, lost=(), exposure_ms=None):
    """From a dense table: `shares[f][t]` of fixation f on token t."""
    table = np.asarray(shares, dtype=np.float64)
    fixation, token = np.nonzero(table)
    status = np.where(table.any(axis=1), "token", "between").astype(object)
    status[list(lost)] = "lost"
    return Hits(
        fixation=fixation,
        token=token,
        share=table[fixation, token],
        onset_ms=np.cumsum(duration_ms) - np.asarray(duration_ms),
        duration_ms=duration_ms,
        status=status,
        exposure_ms=np.full(table.shape[1], 1000.0) if exposure_ms is None else exposure_ms,
    )


@pytest.fixture(scope="session")
def make():
    class Make:
        pass

    Make.tokens, Make.hits = staticmethod(tokens), staticmethod(hits)
    return Make
