import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.errors import AlignmentError, ParameterError


def pieces(encoded):
    return [encoded.text[0].encode()[a:b].decode() for a, b in encoded.ownership.span]


def test_the_template_marks_the_code(bundled, make):
    tokens = make.source("a = b", [(0, 1), (2, 3), (4, 5)])
    encoded = make.encode_one(tokens, prepare(bundled), template="é: {code}\nend")
    assert encoded.text == ("é: a = b\nend",)
    assert encoded.segments.span.tolist() == [[4, 9]]
    in_code = [p for p, inside in zip(pieces(encoded), encoded.in_code, strict=True) if inside]
    assert "".join(in_code) == " a = b"


def test_a_subword_across_the_border_belongs_to_the_code(make):
    """Tokenizing the prompt alone would put the border one subword early."""
    own = Tokenizer(
        models.BPE({"f": 0, "(": 1, "x": 2, "f(": 3, ")": 4}, [("f", "(")], ignore_merges=False)
    )
    tokens = make.source("(x)", [(0, 1), (1, 2), (2, 3)])
    encoded = make.encode_one(tokens, prepare(own), template="f{code}")
    assert pieces(encoded) == ["f(", "x", ")"]
    assert own.encode("f").tokens == ["f"]
    assert encoded.in_code.tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("template", "found"), [("code:", 0), ("{code} {code}", 2), ("{ code }", 0)]
)
def test_a_template_needs_the_code_once(bundled, make, template, found):
    with pytest.raises(ParameterError) as error:
        make.encode_one(make.source("x", [(0, 1)]), prepare(bundled), template=template)
    expected = f"the template holds {{code}} {found} times; expected it exactly once"
    assert str(error.value) == expected


def test_braces_in_code_and_template_are_text(bundled, make):
    tokens = make.source("{code}", [(0, 6)])
    assert make.encode_one(tokens, prepare(bundled), template="{0} {code} }").text == (
        "{0} {code} }",
    )


def test_empty_code_is_refused(bundled, make):
    with pytest.raises(AlignmentError) as error:
        make.encode_one(make.source("", [], source_id="A.java"), prepare(bundled), template=None)
    assert str(error.value) == "A.java is empty; expected code to align weights with"


def test_code_that_is_not_utf8_is_refused(bundled, make):
    with pytest.raises(AlignmentError) as error:
        make.encode_one(make.source(b"a\xff", [(0, 1)]), prepare(bundled), template=None)
    assert str(error.value) == (
        "Demo.java is not UTF-8 at byte 1; decode it with its own encoding first"
    )


def test_special_tokens_added_and_spelled_out(bundled, make):
    """What the tokenizer adds is not code; what the code spells out is, and is counted."""
    own = Tokenizer.from_str(bundled.to_str())
    end = own.token_to_id("<|endoftext|>")
    own.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", end)]
    )
    tokens = make.source('"<|endoftext|>"', [(0, 15)])
    encoded = make.encode_one(tokens, prepare(own), template=None)
    assert encoded.special.tolist() == [True, False, True, False]
    assert encoded.in_code.tolist() == [False, True, True, True]
    assert encoded.special_in_code == 1


def test_blanks_that_trimmed_offsets_hide_still_count_as_code(bundled, make):
    own = Tokenizer.from_str(bundled.to_str())
    own.post_processor = processors.ByteLevel(trim_offsets=True)
    tokens = make.source("a  b", [(0, 1), (3, 4)])
    encoded = make.encode_one(tokens, prepare(own), template=" {code} ")
    trimmed = np.flatnonzero(encoded.ownership.span[:, 0] == encoded.ownership.span[:, 1])
    assert len(trimmed) == 2, "the blank inside, and the one after"
    assert encoded.in_code[trimmed].tolist() == [True, False]
    assert encoded.unowned_bytes == 2


def test_a_trimmed_blank_just_before_the_code_is_prompt(bundled, make):
    own = Tokenizer.from_str(bundled.to_str())
    own.post_processor = processors.ByteLevel(trim_offsets=True)
    encoded = make.encode_one(make.source("\ny", [(1, 2)]), prepare(own), template="x {code}")
    assert encoded.ownership.span.tolist() == [[0, 1], [2, 2], [2, 3], [3, 4]]
    assert encoded.in_code.tolist() == [False, False, True, True]


def test_bytes_that_nobody_owns_are_counted(make):
    own = Tokenizer(models.WordLevel({"x": 0}, "x"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    encoded = make.encode_one(make.source("x \t x", [(0, 1)]), prepare(own), template="x {code}")
    assert encoded.unowned_bytes == 3
