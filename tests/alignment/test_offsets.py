import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.alignment.subwords.offsets import byte_positions, offset_array, own, ranges, summed

NO_EDGES = np.zeros((64, 2), dtype=np.int64)
TEXTS = st.text(st.sampled_from("ab \n\té̀变量😀\u200bﬁ"), min_size=1, max_size=12)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_byte_positions(text):
    expected = [len(text[:i].encode()) for i in range(len(text) + 1)]
    assert byte_positions(text).tolist() == expected


@given(TEXTS, st.data())
def test_no_byte_is_owned_twice_whatever_the_offsets(text, data):
    """Law: a byte that k subwords name is owned once in sum; others by nobody."""
    n = len(text)
    pair = st.tuples(st.integers(0, n), st.integers(0, n)).map(lambda p: tuple(sorted(p)))
    offsets = np.array(data.draw(st.lists(pair, min_size=1, max_size=8)))
    edges = np.array(
        data.draw(
            st.lists(
                st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=len(offsets), max_size=8
            )
        )
    )
    o = own(offsets, byte_positions(text), lambda i: edges[i])
    raw = text.encode()
    owned, named = np.zeros(len(raw)), np.zeros(len(raw), dtype=int)
    for a, b, f in zip(o.start, o.end, o.fraction, strict=True):
        owned[a:b] += f
    for a, b in o.span:
        named[a:b] += 1
    np.testing.assert_allclose(owned, (named > 0).astype(float), atol=1e-12)
    for i, a, b in zip(o.subword, o.start, o.end, strict=True):
        assert o.span[i, 0] <= a < b <= o.span[i, 1]


def test_pieces_of_one_character_own_its_bytes_in_their_order():
    edges = np.array([[0, 3], [1, 0], [0, 0]])  # " 😀"[:4], the last byte of the emoji, "x"
    offsets = np.array([[0, 2], [1, 2], [2, 3]])
    o = own(offsets, byte_positions(" 😀x"), lambda i: edges[i])
    assert list(zip(o.subword, o.start, o.end, o.fraction, strict=True)) == [
        (0, 0, 1, 1.0),
        (0, 1, 4, 1.0),
        (1, 4, 5, 1.0),
        (2, 5, 6, 1.0),
    ]
    np.testing.assert_array_equal(o.owned(), [4, 1, 1])


def test_spellings_that_do_not_add_up_divide_the_character_equally():
    """A normalizer may spell another character than the text has: then nobody knows the bytes."""
    edges = np.array([[0, 1], [1, 0]])
    o = own(np.array([[0, 1], [0, 1]]), byte_positions("变"), lambda i: edges[i])
    assert o.start.tolist() == [0, 0]
    assert o.end.tolist() == [3, 3]
    assert o.fraction.tolist() == [0.5, 0.5]


def test_empty_offsets_own_nothing():
    offsets = np.array([[0, 0], [0, 1], [1, 1]])
    o = own(offsets, byte_positions("a"), lambda i: NO_EDGES[i])
    assert o.owned().tolist() == [0, 1, 0]
    assert own(offsets[:0], byte_positions("a"), lambda i: NO_EDGES[i]).owned().tolist() == []


def test_offsets_outside_the_text_are_kept_inside():
    assert offset_array([(0, 9), (3, 1)], n_characters=4).tolist() == [[0, 4], [3, 3]]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=10))
def test_ranges(pairs):
    first = np.array([p[0] for p in pairs], dtype=np.int64)
    count = np.array([p[1] for p in pairs], dtype=np.int64)
    expected = [i for a, n in pairs for i in range(a, a + n)]
    assert ranges(first, count).tolist() == expected


def test_summed_is_float_even_of_nothing():
    assert summed(np.empty(0, np.int64), np.empty(0), 2).dtype == np.float64
