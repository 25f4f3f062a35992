import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from gazecode.alignment.subwords.pieces import byte_alphabet, piece_edges

SPELL = {byte: c for c, byte in byte_alphabet().items()}


def test_the_alphabet_is_the_one_the_library_uses():
    assert sorted(byte_alphabet()) == sorted(pre_tokenizers.ByteLevel.alphabet())
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str("\t é😀\n")
    letters = "".join(piece for piece, _ in spelled)
    assert bytes(byte_alphabet()[c] for c in letters) == "\t é😀\n".encode()


@given(st.text(min_size=1, max_size=8), st.data())
def test_edges_say_how_a_cut_splits_characters(text, data):
    """Law: for any cut of any text into two pieces, tail and head add up to the split character."""
    raw = text.encode("utf-8", "ignore")
    cut = data.draw(st.integers(0, len(raw)))
    left, right = ("".join(SPELL[b] for b in part) for part in (raw[:cut], raw[cut:]))
    whole = raw[:cut].decode("utf-8", "ignore").encode()
    tail = piece_edges(left, byte_level=True)[1]
    head = piece_edges(right, byte_level=True)[0]
    assert tail == cut - len(whole)
    split = raw[len(whole) :].decode()[:1] if tail else ""
    assert tail + head == len(split.encode())


@pytest.mark.parametrize(
    ("piece", "byte_level", "edges"),
    [
        pytest.param("abc", True, (0, 0), id="whole characters"),
        pytest.param("Ã", True, (0, 1), id="begins é"),
        pytest.param("©", True, (1, 0), id="ends é"),
        pytest.param("Ł", True, (1, 0), id="middle of an emoji"),
        pytest.param("ĢĠÃ", True, (1, 1), id="ends one, begins another"),
        pytest.param("Ã", False, (0, 0), id="a letter in a tokenizer of characters"),
        pytest.param("▁x", True, (0, 0), id="not of the alphabet"),
        pytest.param("<0x09>", False, (0, 0), id="fallback, one whole character"),
        pytest.param("<0xF0>", False, (0, 1), id="fallback begins"),
        pytest.param("<0x9F>", False, (1, 0), id="fallback goes on"),
        pytest.param("", True, (0, 0), id="nothing"),
    ],
)
def test_edges_of(piece, byte_level, edges):
    assert piece_edges(piece, byte_level=byte_level) == edges
