"""Matching by arrays finds and averages what a loop over the tokens does, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.alignment.routes.matching import WORD, Known, _parts, matched
from gazecode.alignment.subwords.encode import _meets
from gazecode.model import TokenBatch

TEXTS = st.sampled_from(
    [
        *("x", "é", "total", "Total", "getUserName", "user_name2", "HTTPServer", "User", "name"),
        *("=", "==", "12", '"a b"', "naïveÑame", "ñame", "İstanbul", "_", "__init__", "ßeta"),
    ]
)
SOURCES = st.lists(st.lists(TEXTS, max_size=12), min_size=1, max_size=4)


def laid(sources):
    """Tokens with a blank between them."""
    raw = [" ".join(texts).encode() for texts in sources]
    start = np.cumsum([0, *map(len, raw)])
    span = []
    for texts, first in zip(sources, start.tolist(), strict=False):
        size = np.array([len(text.encode()) for text in texts], dtype=np.int64)
        end = first + np.cumsum(size + 1) - 1
        span += zip(end - size, end, strict=True)
    m = len(span)
    return TokenBatch(
        code=b"".join(raw),
        code_start=start,
        token_start=np.cumsum([0, *map(len, sources)]),
        span=np.array(span, dtype=np.int64).reshape(-1, 2),
        row=np.zeros(m, dtype=np.int64),
        label=np.zeros(m, dtype=np.int8),
    )


def one_by_one(sources, value, exposed, on_path, answers, *, prose, divides):
    """What each token of the answers takes: mean value and whether any was on the path, or None."""
    found, t = [], 0
    for texts, answer in zip(sources, answers, strict=True):
        exact, loose = {}, {}
        for text in texts:
            if exposed[t]:
                exact.setdefault(text, []).append((value[t], on_path[t]))
                for part in _parts(text) if WORD.fullmatch(text) else ():
                    share = len(part) / len(text) if divides else 1.0
                    loose.setdefault(part, []).append((value[t] * share, on_path[t]))
            t += 1
        for text in answer:
            met = exact.get(text)
            if prose:
                met = None if len(text) == 1 else met or loose.get(text.lower())
            if met:
                total = 0.0
                for one, _ in met:
                    total += one
                met = (total / len(met), any(seen for _, seen in met))
            found.append(met)
    return found


@settings(max_examples=200, deadline=None)
@given(sources=SOURCES, data=st.data(), prose=st.booleans(), divides=st.booleans())
def test_as_one_by_one(sources, data, prose, divides):
    n = len(sources)
    answers = data.draw(st.lists(st.lists(TEXTS, max_size=8), min_size=n, max_size=n))
    if prose:
        answers = [[text for text in answer if WORD.fullmatch(text)] for answer in answers]
    m = sum(map(len, sources))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    value, exposed, on_path = rng.random(m) * 900, rng.random(m) < 0.8, rng.random(m) < 0.5
    known = Known(
        tokens=laid(sources), value=value, exposed=exposed, on_path=on_path, divides=divides
    )
    made = matched(known, laid(answers), prose=prose)
    expected = one_by_one(sources, value, exposed, on_path, answers, prose=prose, divides=divides)
    assert made.found.tolist() == [met is not None for met in expected]
    for i, met in enumerate(expected):
        if met:
            assert (made.value[i], made.on_path[i]) == met


def test_bytes_that_read_alike_are_one_text():
    """A token that cuts a character is no UTF-8; what it reads as is what counts."""
    code = laid([["é", "é"]])
    halves = TokenBatch(
        code=code.code,
        code_start=code.code_start,
        token_start=np.array([0, 2]),
        span=np.array([[0, 1], [4, 5]]),
        row=np.zeros(2, dtype=np.int64),
        label=np.zeros(2, dtype=np.int8),
    )
    yes = np.ones(2, dtype=bool)
    known = Known(tokens=halves, value=np.array([1.0, 4.0]), exposed=yes, on_path=yes, divides=True)
    assert matched(known, halves, prose=False).value == pytest.approx([2.5, 2.5])


PAIR = st.tuples(st.integers(0, 12), st.integers(0, 4))


@given(st.lists(PAIR, max_size=10), st.lists(PAIR, min_size=1, max_size=4))
def test_positions_that_meet_a_range_in_any_order(pieces, ranges):
    offsets = np.array([(a, a + n) for a, n in pieces], dtype=np.int64).reshape(-1, 2)
    start, end = np.array([(a, a + n + 1) for a, n in ranges], dtype=np.int64).T
    met = _meets(offsets, start, end)
    for found, a, b in zip(met, start.tolist(), end.tolist(), strict=True):
        assert found.tolist() == [
            i for i, (low, high) in enumerate(offsets.tolist()) if low < b and high > a
        ]
