"""Random readings of small sources."""

from collections.abc import Callable

import numpy as np
import pytest

from gazecode.model import STATUSES, Hits, SourceTokens


@pytest.fixture(scope="session")
def source() -> Callable[..., SourceTokens]:
    """Tokens of two characters on the rows given, one blank apart."""

    def make(rows: list[int], definition: list[int] | None = None) -> SourceTokens:
        lines: list[list[str]] = [[] for _ in range(max(rows, default=-1) + 1)]
        span, column, at = [], [], 0
        for row in rows:
            lines[row].append("ab")
        code = "\n".join(" ".join(words) for words in lines)
        for row, words in enumerate(lines):
            start = sum(len(" ".join(w)) + 1 for w in lines[:row])
            for k in range(len(words)):
                span.append([start + 3 * k, start + 3 * k + 2])
                column.append(3 * k)
                at += 1
        return SourceTokens(
            language="java",
            source_id="made",
            code=code.encode(),
            span=np.reshape(span, (-1, 2)),
            row=sorted(rows),
            column=column,
            kind=["identifier"] * at,
            path=((),) * at,
            label=[("loop", "name")[i % 2] for i in range(at)],
            definition=np.full(at, -1) if definition is None else definition,
        )

    return make


@pytest.fixture(scope="session")
def reading() -> Callable[..., Hits]:
    """Fixations on `m` tokens: hard or soft, some on none, in any order of rows."""

    def make(seed: int, m: int, *, soft: bool = True) -> Hits:
        rng = np.random.default_rng(seed)
        n = int(rng.integers(0, 25))
        rows, status = [], []
        for f in range(n):
            if rng.random() < 0.2 or not m:
                status.append(str(rng.choice(STATUSES[1:])))
                continue
            status.append("token")
            count = int(rng.integers(1, min(m, 3) + 1)) if soft else 1
            # Often on or after the last one, as reading goes.
            at = rng.choice(m, count, replace=False)
            share = rng.dirichlet(np.ones(count)) * (rng.uniform(0.5, 1) if soft else 1)
            rows += [(f, int(t), float(s)) for t, s in zip(at, share, strict=True)]
        rows = [rows[i] for i in rng.permutation(len(rows))]
        return Hits(
            fixation=[r[0] for r in rows],
            token=[r[1] for r in rows],
            share=[r[2] for r in rows],
            onset_ms=rng.permutation(n) * 250.0,
            duration_ms=rng.integers(50, 400, n).astype(float),
            status=np.array(status, dtype=object),
            exposure_ms=np.where(rng.random(m) < 0.85, 9000.0, 0.0),
        )

    return make
