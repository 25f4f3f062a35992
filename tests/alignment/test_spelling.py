"""Offsets read from pieces are the library's own, or are not used."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, normalizers, processors

from gazecode.alignment import load_tokenizer
from gazecode.alignment.subwords.offsets import first_of
from gazecode.alignment.subwords.tokenizer import prepare

TEXTS = st.lists(st.text(st.sampled_from("ax_1 \t\r\n(){};é"), max_size=20), max_size=5)
CODE = "int  value = 3;\r\n\t<|endoftext|> // <mask> x"


def spelled(prepared, texts):
    encodings = prepared.encode_batch(texts)
    first = first_of(np.array([len(e) for e in encodings], dtype=np.int64))
    ids = np.array([i for e in encodings for i in e.ids], dtype=np.int64)
    added = np.array([s for e in encodings for s in e.special_tokens_mask], dtype=bool)
    offsets, known = prepared.spelling.offsets(texts, ids, added, first)
    cut = [offsets[a:b].tolist() for a, b in pairwise(first)]
    return [
        (k, o, [list(p) for p in e.offsets]) for k, o, e in zip(known, cut, encodings, strict=True)
    ]


@given(TEXTS)
def test_they_are_the_librarys_own(bundled, texts):
    for text, (known, offsets, expected) in zip(
        texts, spelled(prepare(bundled), texts), strict=True
    ):
        assert known == text.isascii()
        assert offsets == expected or not known


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "used"),
    [
        *(
            (n, True)
            for n in ("codegen", "deepseek-coder", "gpt2", "llama3", "smollm", "starcoder2")
        ),
        *((n, False) for n in ("bert-base-uncased", "codellama", "codet5", "llama2", "roberta")),
    ],
)
def test_for_real_tokenizers(shared_data, name, used):
    prepared = prepare(load_tokenizer(shared_data / "tokenizers" / name))
    assert (prepared.spelling is not None) == used
    if used:
        texts = [CODE, "x", " ", "", "\n\n  y" * 9, "a" * 300, "</s><|im_start|> 1234567\t"]
        for known, offsets, expected in spelled(prepared, texts):
            assert known
            assert offsets == expected


def test_an_added_token_that_swallows_blanks_is_asked_for(bundled):
    own = Tokenizer.from_str(bundled.to_str())
    own.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    known = [k for k, _, _ in spelled(prepare(own), ["x <mask>", "x<mask>", "x y"])]
    assert known == [False, True, True]


def test_equal_length_is_not_enough(bundled):
    """Lower-casing keeps every length: the comparison of bytes must notice."""
    own = Tokenizer.from_str(bundled.to_str())
    prepared = prepare(own)
    own.normalizer = normalizers.Lowercase()
    known = [k for k, _, _ in spelled(prepared, ["int x", "INT x", "y", "Y"])]
    assert known == [True, False, True, False]


def test_tokenizers_that_rewrite_or_trim_are_always_asked(bundled):
    assert prepare(bundled).spelling is not None
    trims, rewrites = (Tokenizer.from_str(bundled.to_str()) for _ in range(2))
    trims.post_processor = processors.ByteLevel(trim_offsets=True)
    rewrites.normalizer = normalizers.Lowercase()
    assert prepare(trims).spelling is None
    assert prepare(rewrites).spelling is None
