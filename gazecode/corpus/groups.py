"""One digest per source over its normalised tokens, for splits that keep copies together.

Comments, blanks and line ends do not count, so that a copy that was only reformatted has the same
group (``validity.md`` 11). Near duplicates with other names are found by `gazecode.splitting`.
"""

import hashlib
from itertools import pairwise

import numpy as np

from gazecode.model import LABELS, TokenBatch

__all__ = ["source_groups"]

_COMMENT = LABELS.index("comment")


def source_groups(batch: TokenBatch, language: str) -> tuple[str, ...]:
    """Sixteen hex digits per source: equal for sources of one language with equal tokens.

    >>> from gazecode.source import parse
    >>> batch = TokenBatch.of([parse(c, "java") for c in ("int x;", "int  x; // y", "int y;")])
    >>> one, two, three = source_groups(batch, "java")
    >>> one == two, one == three
    (True, False)
    """
    kept = batch.label != _COMMENT
    span = batch.span[kept]
    inside = np.zeros(len(batch.code) + 1, dtype=np.int8)
    inside[span[:, 0]] = 1
    inside[span[:, 1]] -= 1
    # Kept bytes one after the other, and how they were cut: the two say what every token was.
    mask = np.cumsum(inside[:-1], dtype=np.int8).view(np.bool_)
    text = np.frombuffer(batch.code, dtype=np.uint8)[mask].tobytes()
    length = (span[:, 1] - span[:, 0]).astype("<u4")
    token = np.concatenate([[0], np.cumsum(kept)])[batch.token_start]
    byte = np.concatenate([[0], np.cumsum(length, dtype=np.int64)])[token].tolist()
    cuts, cut = length.tobytes(), (token * 4).tolist()
    head = language.encode() + b"\0"
    return tuple(
        [
            hashlib.sha256(head + cuts[i:j] + text[a:b]).hexdigest()[:16]
            for (i, j), (a, b) in zip(pairwise(cut), pairwise(byte), strict=True)
        ]
    )
