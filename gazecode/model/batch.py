"""Many sources at once: laid end to end, they are one long array of tokens.

A corpus holds millions of short functions. Work per source would be spent on calling functions;
over a batch laid end to end the same array operations serve a thousand sources. Whatever must not
cross from one source into the next groups by `TokenBatch.source`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import IntArray, column, same_length
from gazecode.model.labels import CodeArray, label_codes
from gazecode.model.source import SourceTokens

__all__ = ["TokenBatch"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenBatch:
    """Tokens of ``d`` sources, laid end to end.

    Attributes
    ----------
    code
        The sources as UTF-8 bytes, one after the other, nothing between them.
    code_start
        ``(d + 1,)`` bytes of `code` at which each source begins; the last is its length.
    token_start
        ``(d + 1,)`` number of the first token of each source; the last is ``m``.
    span
        ``(m, 2)`` bytes of `code`, half-open.
    row
        ``(m,)`` 0-based line within the token's own source.
    label
        ``(m,)`` place of the semantic label in `gazecode.model.LABELS`; 0 for none.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> one = parse("int x;", "java")
    >>> batch = TokenBatch.of([one, one])
    >>> batch.code, batch.token_start, batch.source
    (b'int x;int x;', array([0, 3, 6]), array([0, 0, 0, 1, 1, 1]))
    """

    code: bytes
    code_start: IntArray
    token_start: IntArray
    span: IntArray
    row: IntArray
    label: CodeArray

    def __post_init__(self) -> None:
        column(self, "code_start", np.int64)
        token_start = column(self, "token_start", np.int64)
        span = column(self, "span", np.int64, width=2)
        column(self, "row", np.int64)
        column(self, "label", np.int8)
        same_length(self, "code_start", "token_start")
        same_length(self, "span", "row", "label")
        if not len(token_start) or token_start[-1] != len(span):
            raise DataError(f"token_start ends with {token_start[-1:]}; there are {len(span)}")

    def __len__(self) -> int:
        return len(self.span)

    @property
    def n_sources(self) -> int:
        """How many sources there are."""
        return len(self.token_start) - 1

    @property
    def source(self) -> IntArray:
        """``(m,)`` number of the source of each token."""
        return np.repeat(np.arange(self.n_sources), np.diff(self.token_start))

    def code_of(self, source: int) -> bytes:
        """The bytes of one source."""
        start, end = self.code_start[source : source + 2].tolist()
        return self.code[start:end]

    @classmethod
    def of(cls, sources: Sequence[SourceTokens]) -> "TokenBatch":
        """Lay parsed sources end to end."""
        code_start = np.cumsum([0, *(len(s.code) for s in sources)])
        spans = [s.span + start for s, start in zip(sources, code_start.tolist(), strict=False)]
        return cls(
            code=b"".join(s.code for s in sources),
            code_start=code_start,
            token_start=np.cumsum([0, *(len(s) for s in sources)]),
            span=np.concatenate([np.empty((0, 2), dtype=np.int64), *spans]),
            row=np.concatenate([np.empty(0, dtype=np.int64), *(s.row for s in sources)]),
            label=np.concatenate([label_codes(()), *(label_codes(s.label) for s in sources)]),
        )
