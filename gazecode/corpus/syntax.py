"""Which sources do not parse: how much of a text the grammar could make nothing of.

tree-sitter reads any text as far as it goes, and says where it had to skip (ERROR) or to suppose
what is not there (MISSING). Counted are the bytes of the outermost errors, and of what stands on
the same line before a supposed token within its parent: prose reads as declarations without their
semicolons. On 270 published Java methods 269 have no such byte and one has 80 %.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model import TokenBatch
from gazecode.model.checks import FloatArray
from gazecode.source.batch import parse_batch, read_trees

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

__all__ = ["faulty_share", "parse_checked"]


def parse_checked(codes: Sequence[bytes], language: str) -> tuple[TokenBatch, FloatArray]:
    """`parse_batch`, and the share of each source's bytes inside syntax errors, ``(d,)``.

    Parameters
    ----------
    codes
        Sources, valid UTF-8.
    language
        A name in `LANGUAGES`, the same for all.

    Returns
    -------
    batch : TokenBatch
        What `parse_batch` gives; every tree is looked at as it passes. Parsing once more for the
        errors would cost a tenth of the whole job.
    share : numpy.ndarray
        Blanks around a source do not count.

    Examples
    --------
    >>> batch, share = parse_checked([b"int x = 1;", b"dear diary, today was fine"], "java")
    >>> batch.n_sources, share.round(2)
    (2, array([0.  , 0.96]))
    """
    share = np.zeros(len(codes))
    trees = _noted(read_trees(codes, language), codes, share)
    return parse_batch(codes, language, trees=trees), share


def _noted(trees: Iterator["Tree"], codes: Sequence[bytes], share: FloatArray) -> Iterator["Tree"]:
    """Pass trees on; note how much of each is wrong."""
    for i, tree in enumerate(trees):
        root = tree.root_node
        if root.has_error:
            share[i] = faulty_share(root, codes[i])
        yield tree


def faulty_share(root: "Node", code: bytes) -> float:
    """Share of the bytes of `code` that are syntax errors; a node without any is passed over."""
    spans, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.is_error:
            spans.append(node.byte_range)
        elif node.has_error:
            stack.extend(node.children)
            spans.extend(
                (_line_start(code, node.start_byte, child.start_byte), child.start_byte)
                for child in node.children
                if child.is_missing
            )
    return min(1.0, _covered(spans) / max(1, len(code.strip())))


def _line_start(code: bytes, first: int, place: int) -> int:
    return max(first, code.rfind(b"\n", 0, place) + 1)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Bytes in at least one of the spans."""
    total = reached = 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
