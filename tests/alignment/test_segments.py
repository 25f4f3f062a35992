"""Which part of a text a subword stands for, against counting bytes one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors

from gazecode.alignment import Template, align
from gazecode.alignment.subwords.segments import Segments, borders, stood_for
from gazecode.errors import AlignmentError


@pytest.fixture(scope="module")
def merging():
    """Letters, and the pieces "ab", "bc", "cd", "abc" wherever they stand."""
    letters = {c: i for i, c in enumerate("abcdx ")}
    merges = [("a", "b"), ("c", "d"), ("ab", "c"), ("b", "c")]
    pieces = {"".join(m): len(letters) + i for i, m in enumerate(merges)}
    return Tokenizer(models.BPE(letters | pieces, merges))


@st.composite
def laid(draw):
    """Two texts with segments, and positions over all their bytes, some of them empty."""
    texts, segments, positions = [], [], []
    at = 0
    for k in range(2):
        n = draw(st.integers(1, 14))
        cuts = sorted(draw(st.lists(st.integers(0, n), max_size=6)))
        cuts = cuts[: len(cuts) // 2 * 2]
        segments += [(k, at + a, at + b) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]
        ends = sorted(draw(st.lists(st.integers(0, n), min_size=1, max_size=8)))
        positions += [(k, at + a, at + b) for a, b in zip([0, *ends], ends, strict=False)]
        texts.append(at)
        at += n
    return texts, at, segments, positions


@given(laid(), st.data())
def test_against_bytes_one_by_one(case, data):
    texts, total, rows, positions = case
    s, n = len(rows), len(positions)
    made_of = np.array(
        data.draw(st.lists(st.integers(0, 1), min_size=s, max_size=s)), dtype=np.int64
    )
    in_loss = np.array(data.draw(st.lists(st.booleans(), min_size=s, max_size=s)), dtype=bool)
    special = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    owner = np.array([k for k, _, _ in rows], dtype=np.int64)
    span = np.array([(a, b) for _, a, b in rows], dtype=np.int64).reshape(-1, 2)
    segments = Segments(
        name=("s",) * s,
        text=owner,
        first=np.array([0, *np.cumsum(np.bincount(owner, minlength=2))]),
        span=span,
        made_of=made_of,
        begin=np.zeros(s, dtype=int),
        in_loss=in_loss,
        ends=np.zeros(s, dtype=bool),
    )
    text = np.array([k for k, _, _ in positions])
    offsets = np.array([(a, b) for _, a, b in positions])
    first_byte = np.array([*texts, total])
    found = stood_for(
        segments,
        offsets,
        text,
        first_byte,
        added=np.zeros(n, dtype=bool),
        special=special,
    )
    for i, (k, low, high) in enumerate(positions):
        own = [j for j in range(s) if owner[j] == k and span[j, 0] < span[j, 1]]
        if low == high:
            inside = [
                j for j in own if span[j, 0] < low <= span[j, 1] or (span[j, 0] == low == texts[k])
            ]
            assert found[i] == (inside[0] if inside else -1)
            continue
        held = {j: len(set(range(low, high)) & set(range(*span[j]))) for j in own}
        held = {j: h for j, h in held.items() if h and (not special[i] or h == high - low)}
        carries = {j: h for j, h in held.items() if in_loss[j] or made_of[j]} or held
        best = min((-h, j) for j, h in carries.items())[1] if carries else -1
        assert found[i] == best
    start, end = borders(segments, found, np.array([0, *np.cumsum(np.bincount(text, minlength=2))]))
    assert (start <= end).all()
    at = np.array([0, *np.cumsum(np.bincount(text, minlength=2))])
    for j in range(s):
        at_j = np.flatnonzero(found == j)
        if len(at_j):
            assert (start[j], end[j]) == (at_j[0] - at[owner[j]], at_j[-1] + 1 - at[owner[j]])


def test_the_place_of_a_segment_is_not_guessed_from_its_own_tokens(merging, make):
    """Regression: alone, prompt "xa" and code "bc" have other pieces than together."""
    assert merging.encode("bc").tokens == ["bc"]
    assert merging.encode("xabcx").tokens == ["x", "abc", "x"]
    tokens = make.source("bc", [(0, 1), (1, 2)])
    example = align(make.gaze([3, 1]), tokens, merging, template="xa{code}x")
    assert example.loss_mask.tolist() == [False, True, False]
    assert example.token_index.tolist() == [-1, 0, -1]
    assert (example.segment_start.tolist(), example.segment_end.tolist()) == ([1], [2])
    assert example.attention.tolist() == [0, 1, 0]


def test_a_piece_across_two_parts_goes_to_the_one_that_counts(merging, make):
    tokens = make.source("x", [(0, 1)])
    example = align(
        make.gaze([1]),
        tokens,
        merging,
        template="{code} {instruction}{answer}",
        fields={"instruction": "xab"},
        answer="cx",
        allow_inert=True,
    )
    assert merging.encode(example.text).tokens == ["x", " ", "x", "abc", "x"]
    assert example.segment_name.tolist() == ["code", "instruction", "answer"]
    assert example.segment_start.tolist() == [0, 2, 3]
    assert example.segment_end.tolist() == [1, 3, 5]
    assert example.loss_mask.tolist() == [False, False, False, True, True]


def test_between_two_that_count_the_larger_part_wins_then_the_earlier(merging, make):
    def segments(code, answer):
        tokens = make.source(code, [(0, len(code))])
        example = align(
            make.gaze([2]),
            tokens,
            merging,
            template="{code}{answer}",
            answer=answer,
            loss=("code", "answer"),
        )
        return list(zip(example.segment_start, example.segment_end, strict=True))

    assert segments("xab", "cx") == [(0, 2), (2, 3)]  # x|abc|x: two bytes against one
    assert segments("xa", "bcx") == [(0, 1), (1, 3)]
    assert segments("xc", "dx") == [(0, 2), (2, 3)]  # cd: one byte each


def test_empty_parts_are_there_and_empty(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    example = align(
        make.gaze([1, 2]), tokens, bundled, template="{a}{code} {b}", fields={"a": "", "b": ""}
    )
    assert example.segment_name.tolist() == ["a", "code", "b"]
    assert example.segment_start.tolist()[0] == example.segment_end.tolist()[0] == 0
    assert example.segment_start.tolist()[2] == example.segment_end.tolist()[2]


@pytest.fixture(scope="module")
def ending(bundled):
    """The bundled tokenizer, which ends every text."""
    own = Tokenizer.from_str(bundled.to_str())
    end = own.token_to_id("<|endoftext|>")
    own.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
    )
    return own


def test_the_end_of_the_text_is_learned_on_request(ending, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    plain = align(make.gaze([1, 3]), tokens, ending, strength=0.5)
    assert not plain.loss_mask[-1]
    template = Template.of("{code}", learn_end=True)
    example = align(make.gaze([1, 3]), tokens, ending, template=template, strength=0.5)
    assert example.loss_mask.tolist() == [False, *plain.loss_mask[1:-1], True]
    np.testing.assert_array_equal(example.weight, plain.weight)
    assert example.weight[-1] == 1.0
    assert example.report["end_learned"] is True
    assert example.example_id != plain.example_id


def test_blanks_before_the_end_are_learned_too_and_text_is_not(ending, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])

    def learned(text):
        template = Template.of("{code}" + text, learn_end=True)
        example = align(make.gaze([1, 3]), tokens, ending, template=template)
        n_code = int(example.segment_end[0])
        return example.loss_mask[n_code:].tolist(), example.report["end_learned"]

    assert learned("<|endoftext|>") == ([True, False], True)
    assert all(learned(" \n")[0])
    assert learned(" \n")[1]
    assert not any(learned(" end")[0])
    assert learned(" end")[1] is False


def test_special_tokens_may_be_left_out(ending, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    with_them = align(make.gaze([1, 3]), tokens, ending)
    example = align(make.gaze([1, 3]), tokens, ending, special_tokens=False)
    assert example.input_ids.tolist() == with_them.input_ids[1:-1].tolist()
    assert example.loss_mask.all()
    assert example.example_id != with_them.example_id


def test_a_special_token_that_a_field_spells_is_neutral(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    example = align(
        make.gaze([1, 2]),
        tokens,
        bundled,
        template="{code}{answer}",
        answer="a <|endoftext|> b",
        allow_inert=True,
    )
    special = example.input_ids == bundled.token_to_id("<|endoftext|>")
    assert special.sum() == 1
    assert example.in_segment("answer")[special].all()
    assert not example.loss_mask[special].any()
    assert example.report["special_in_code"] == 0


@pytest.mark.parametrize("text", ["{answer}{code}", "{code}{answer}"])
def test_an_empty_answer_never_counts_the_beginning(bundled, make, text):
    """The tokens put around a text: the one before it is no end of turn."""
    tokenizer = Tokenizer.from_str(bundled.to_str())
    tokenizer.add_special_tokens(["<s>", "</s>"])
    around = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=around
    )
    given = make.gaze([3]), make.source("x", [(0, 1)]), tokenizer
    template = Template.of(text, learn_end=True)
    if text.endswith("{code}"):
        with pytest.raises(AlignmentError, match="the answer is empty; leave this source out"):
            align(*given, template=template, answer="", allow_inert=True)
        return
    example = align(*given, template=template, answer="", allow_inert=True)
    assert example.loss_mask.tolist() == [False, False, True]
