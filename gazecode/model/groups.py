"""One digest per source over its tokens: what a copy of it has, too, however it is laid out.

Comments, blanks and line ends do not count, so that a copy that was only reformatted, or saved by
another editor, has the same group. Studies, corpora, alignment and priors all
call this one function: a source has one group wherever it is met. Blanks inside a literal do not
count either, for a line end may stand there. Copies with other names or other literals are found by
`gazecode.splitting`.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gazecode.model.batch import TokenBatch
from gazecode.model.checks import BoolArray, IntArray
from gazecode.model.labels import LABELS
from gazecode.model.source import SourceTokens

__all__ = ["group_of_texts", "source_group", "source_groups"]

_COMMENT = "comment"
_COMMENT_CODE = LABELS.index(_COMMENT)
_COUNTS: BoolArray = ~np.isin(np.arange(256), list(b" \t\n\v\f\r"))
"""Bytes that count, by their value."""


def source_groups(batch: TokenBatch, language: Sequence[str] | str) -> tuple[str, ...]:
    r"""Sixteen hexadecimal digits per source: equal for sources of one language with equal tokens.

    Parameters
    ----------
    batch
        ``d`` sources.
    language
        ``(d,)`` names; one may stand for all.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> codes = ("int x;", "int  x; // y", "int\r\nx;", "int y;")
    >>> batch = TokenBatch.of([parse(code, "java") for code in codes])
    >>> groups = source_groups(batch, "java")
    >>> [group == groups[0] for group in groups]
    [True, True, True, False]
    """
    names = [language] * batch.n_sources if isinstance(language, str) else language
    kept = np.asarray(batch.label != _COMMENT_CODE)
    return _digests(batch.code, batch.span, kept, batch.token_start, names)


def source_group(tokens: SourceTokens) -> str:
    """`source_groups` of one source.

    >>> from gazecode.source import parse
    >>> one = parse("return x;", "java")
    >>> source_group(one) == source_groups(TokenBatch.of([one]), "java")[0]
    True
    """
    kept = np.asarray(tokens.label != _COMMENT, dtype=bool)
    return _digests(tokens.code, tokens.span, kept, np.array([0, len(tokens)]), [tokens.language])[
        0
    ]


def group_of_texts(texts: Sequence[str], labels: Sequence[str], language: str) -> str:
    """`source_groups` of one source whose tokens are known by their texts alone.

    >>> from gazecode.source import parse
    >>> one = parse("return x; // why", "java")
    >>> group_of_texts(one.texts, one.label, "java") == source_group(one)
    True
    """
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum([0, *map(len, raw)])
    span = np.stack([ends[:-1], ends[1:]], axis=1)
    kept = np.array([label != _COMMENT for label in labels], dtype=bool) & (np.diff(ends) > 0)
    return _digests(b"".join(raw), span, kept, np.array([0, len(raw)]), [language])[0]


def _digests(
    code: bytes, span: IntArray, kept: BoolArray, token_start: IntArray, language: Sequence[str]
) -> tuple[str, ...]:
    span = span[kept]
    raw = np.frombuffer(code, dtype=np.uint8)
    inside = np.zeros(len(raw) + 1, dtype=np.int8)
    inside[span[:, 0]] = 1
    inside[span[:, 1]] -= 1
    counts = np.cumsum(inside[:-1], dtype=np.int8).view(np.bool_) & _COUNTS[raw]
    # Bytes that count one after the other, and how they were cut: the two say every token.
    text = raw[counts].tobytes()
    before = np.concatenate([[0], np.cumsum(counts)])
    length = before[span[:, 1]] - before[span[:, 0]]
    token = np.concatenate([[0], np.cumsum(kept)])[token_start]
    byte = np.concatenate([[0], np.cumsum(length)])[token].tolist()
    cuts, cut = length.astype("<u4").tobytes(), (token * 4).tolist()
    return tuple(
        [
            hashlib.sha256(name.encode() + b"\0" + cuts[i:j] + text[a:b]).hexdigest()[:16]
            for name, (i, j), (a, b) in zip(language, pairwise(cut), pairwise(byte), strict=True)
        ]
    )
