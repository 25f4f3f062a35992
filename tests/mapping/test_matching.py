"""Common subsequences of texts, against a slow table; sparse areas lose no partner."""

from hypothesis import given
from hypothesis import strategies as st

from gazecode.mapping.matching import _common

WORDS = st.lists(st.sampled_from(["public", "int", "x", "this", ";"]), max_size=14)


def slow_weight(a, b):
    """Characters in the heaviest common subsequence."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            take = best[i][j] + len(x) if x == y else 0
            best[i + 1][j + 1] = max(best[i][j + 1], best[i + 1][j], take)
    return best[-1][-1]


@given(WORDS, WORDS)
def test_blocks_are_common_in_order_and_heaviest(a, b):
    blocks = _common(a, b)
    assert blocks[-1] == (len(a), len(b), 0)
    weight, at = 0, (0, 0)
    for i, j, size in blocks:
        assert (i, j) >= at
        assert i >= at[0]
        assert j >= at[1]
        assert a[i : i + size] == b[j : j + size]
        weight += sum(map(len, a[i : i + size]))
        at = (i + size, j + size)
    assert weight == slow_weight(a, b)


@given(st.data(), WORDS)
def test_areas_of_some_of_the_words_all_find_a_partner(data, words):
    kept = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    areas = [word for word, keep in zip(words, kept, strict=True) if keep]
    assert sum(size for _, _, size in _common(words, areas)) == len(areas)
