import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from gazecode.alignment import POLICIES, align
from gazecode.errors import AlignmentError, ParameterError

CODE = 'public int café(int x) {\r\n\tString 变量 = "naïve 😀 é"; // </s>\r\n}\r\n'
TEXT = st.text(
    st.one_of(
        st.sampled_from("ax_1 \t\r\n(){};\"'é\u0301变😀\u200bﬁ\u00a0"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def token_spans(draw, text):
    """Disjoint spans of whole characters anywhere in the text, in bytes."""
    at = np.cumsum([0, *(len(c.encode()) for c in text)])
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    return [(int(at[a]), int(at[b])) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


def mass_per_token(shares, spans, value, shift=0):
    """Attention by an oracle's shares of single bytes."""
    owned = [
        sum(f for row in shares for byte, f in row.items() if a + shift <= byte < b + shift)
        for a, b in spans
    ]
    return np.array(
        [
            sum(
                f * v / o
                for (a, b), v, o in zip(spans, value, owned, strict=True)
                for byte, f in row.items()
                if o and a + shift <= byte < b + shift
            )
            for row in shares
        ]
    )


@given(TEXT, st.data())
def test_attention_and_weight_against_oracles(bundled, make, text, data):
    spans = data.draw(token_spans(text))
    value = np.array(data.draw(st.lists(st.floats(0, 1e4), min_size=len(spans), max_size=12)))
    value = value[: len(spans)]
    tokens = make.source(text, spans)
    example = align(make.gaze(value), tokens, bundled)
    encoding = bundled.encode(text)
    index = make.oracle_inherit(text, encoding.offsets, spans)
    np.testing.assert_array_equal(example.token_index, index)
    weight = np.where(index < 0, 1.0, np.append(value, 0)[index])
    expected_loss = ~np.isin(encoding.ids, [0, 1])
    np.testing.assert_array_equal(example.weight, np.where(expected_loss, weight, 1.0))
    mass = mass_per_token(make.true_shares(bundled, text), spans, value)
    total = value.sum()
    np.testing.assert_allclose(example.attention * total, mass, atol=1e-6)
    assert example.attention.sum() == pytest.approx(1.0 if total else 0.0, abs=1e-9)


def test_a_worked_example(bundled, make):
    spans = [(0, 6), (7, 10), (11, 16)]
    tokens = make.source("public int count;", [*spans, (16, 17)])
    example = align(make.gaze([300, 0, 100, 0]), tokens, bundled, participant="P1", trial="T1")
    encoding = bundled.encode("public int count;")
    assert encoding.tokens == ["public", "Ġint", "Ġcount", ";"]
    assert example.input_ids.tolist() == encoding.ids
    assert example.token_index.tolist() == [0, 1, 2, 3]
    assert example.weight.tolist() == [300, 0, 100, 0]
    assert example.attention.tolist() == [0.75, 0, 0.25, 0]
    assert example.on_path.tolist() == [True, False, True, False]
    assert example.loss_mask.all()
    assert (example.participant, example.trial, example.language) == ("P1", "T1", "java")
    assert example.token_start.tolist() == [0, 7, 11, 16]
    assert example.token_value.tolist() == [300, 0, 100, 0]
    assert example.weight_reach == 1.0
    assert example.report["no_signal"] is False


def test_attention_is_share_whatever_the_policy_of_the_weight(bundled, make):
    tokens = make.source(CODE, make.words(CODE))
    weights = make.gaze(np.arange(len(tokens)) % 5)
    examples = {policy: align(weights, tokens, bundled, policy=policy) for policy in POLICIES}
    for example in examples.values():
        np.testing.assert_array_equal(example.attention, examples["inherit"].attention)
    mass = np.where(examples["share"].token_index < 0, 0.0, examples["share"].weight)
    assert mass.sum() == pytest.approx(weights.value.sum(), abs=1e-6)


def test_spans_shift_with_the_template(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    plain = align(make.gaze([2, 1]), tokens, bundled, template="{code}")
    inside = align(make.gaze([2, 1]), tokens, bundled, template="// é\n{code}\nint x")
    texts = [
        inside.text.encode()[a:b].decode()
        for a, b in zip(inside.token_start, inside.token_end, strict=True)
    ]
    assert texts == ["int", "x"]
    assert inside.attention.sum() == pytest.approx(1.0)
    prompt = ~inside.loss_mask
    assert prompt.any()
    assert (inside.weight[prompt] == 1.0).all()
    assert (inside.attention[prompt] == 0.0).all()
    assert (inside.token_index[prompt] == -1).all()
    assert plain.loss_mask.all()


@given(st.floats(0, 1), st.sampled_from(list(POLICIES)), st.sampled_from(["character", "token"]))
def test_with_a_strength_the_mean_is_one_where_the_loss_counts(
    bundled, make, strength, policy, per
):
    spans = make.words(CODE)
    tokens = make.source(CODE, spans)
    exposed = np.arange(len(spans)) % 7 != 3
    value = np.where(exposed, np.arange(len(spans)) % 4, 0.0)
    example = align(
        make.gaze(value, exposed=exposed),
        tokens,
        bundled,
        template="Explain:\n{code}\n",
        strength=strength,
        policy=policy,
        per=per,
    )
    weighable = example.loss_mask & (example.token_index >= 0)
    weighable &= np.append(exposed, False)[example.token_index]
    assert example.weight[weighable].mean() == pytest.approx(1.0, abs=1e-12)
    assert (example.weight[~weighable] == 1.0).all()
    assert 0 < weighable.sum() < len(weighable)


def test_strength_0_is_plain_training(bundled, make):
    tokens = make.source(CODE, make.words(CODE))
    example = align(make.gaze(np.arange(len(tokens))), tokens, bundled, strength=0.0)
    assert (example.weight == 1.0).all()
    assert example.attention.sum() == pytest.approx(1.0)


def test_value_is_taken_per_character_so_that_length_does_not_count_twice(bundled, make):
    """Equal dwell per character: equal weights, however long the token and its subwords are."""
    tokens = make.source("ab café x", [(0, 2), (3, 8), (9, 10)])
    fair = align(make.gaze([200, 400, 100]), tokens, bundled, strength=1.0)
    on_token = fair.token_index >= 0
    np.testing.assert_allclose(fair.weight[on_token], 1.0)
    raw = align(make.gaze([200, 400, 100]), tokens, bundled, strength=1.0, per="token")
    assert raw.weight[raw.token_index == 1].min() > raw.weight[raw.token_index == 2].max()


def test_a_token_never_shown_is_missing_not_a_miss(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    weights = make.gaze([5.0, 0.0], exposed=[True, False])
    for strength in (None, 0.5):
        example = align(weights, tokens, bundled, strength=strength)
        assert example.weight[example.token_index == 1].tolist() == [1.0]
    assert example.token_index.tolist() == [0, 1]


def test_no_signal(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    example = align(make.gaze([0, 0]), tokens, bundled, strength=0.5)
    assert (example.weight == 1.0).all()
    assert (example.attention == 0.0).all()
    assert example.report["no_signal"] is True
    assert align(make.gaze([0, 0]), tokens, bundled).report["no_signal"] is True


def test_white_space_inside_a_token_belongs_to_it(bundled, make):
    code = '"a  b"   // c  d'
    tokens = make.source(code, [(0, 6), (9, 16)])
    example = align(make.gaze([6, 7]), tokens, bundled)
    spans = [make.byte_span(code, o) for o in bundled.encode(code).offsets]
    inside = [i for i, (a, b) in enumerate(spans) if b <= 6]
    assert (example.token_index[inside] == 0).all()
    assert example.attention[inside].sum() == pytest.approx(6 / 13)


def test_special_tokens_are_neutral(bundled, make):
    own = Tokenizer.from_str(bundled.to_str())
    end = own.token_to_id("<|endoftext|>")
    own.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
    )
    example = align(make.gaze([5, 5]), make.source("int x", [(0, 3), (4, 5)]), own)
    special = example.input_ids == end
    assert special.tolist() == [True, False, False, True]
    assert not example.loss_mask[special].any()
    assert (example.weight[special] == 1.0).all()
    assert (example.attention[special] == 0.0).all()
    assert (example.token_index[special] == -1).all()
    assert not example.on_path[special].any()


def test_a_special_token_spelled_out_keeps_its_gaze_and_has_no_loss(bundled, make):
    """A trainer must not learn to end a text in the middle of a string."""
    tokens = make.source('x = "<|endoftext|>";', [(0, 1), (2, 3), (4, 19), (19, 20)])
    example = align(make.gaze([1, 0, 3, 0]), tokens, bundled, strength=0.5)
    at = int(np.flatnonzero(example.input_ids == bundled.token_to_id("<|endoftext|>"))[0])
    assert not example.loss_mask[at]
    assert example.weight[at] == 1.0
    assert example.token_index[at] == 2
    assert example.attention[example.token_index == 2].sum() == pytest.approx(0.75)
    assert example.report["special_in_code"] == 1


def test_a_token_without_a_subword_is_reported(make):
    """A normalizer that deletes characters may delete a whole token."""
    own = Tokenizer(models.WordLevel({"x": 0, "y": 1}, "x"))
    own.normalizer = normalizers.Replace("@", "")
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = make.source("x @ y", [(0, 1), (2, 3), (4, 5)])
    example = align(make.gaze([100, 50, 300]), tokens, own)
    assert example.report["tokens_lost"] == 1
    assert example.report["mass_lost"] == 50.0
    assert example.attention.tolist() == [0.25, 0.75]


def test_the_id_stands_for_the_content(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])

    def made(value=(1, 2), **more):
        return align(make.gaze(value), tokens, bundled, **more).example_id

    same = {made(), made()}
    assert len(same) == 1
    assert len(same.copy().pop()) == 16
    others = [
        made(value=(1, 3)),
        made(participant="P1"),
        made(trial="P1"),
        made(strength=0.5),
        made(policy="mean"),
        made(template="{code} "),
        align(make.gaze((1, 2), scheme="count"), tokens, bundled).example_id,
    ]
    assert len({*same, *others}) == 1 + len(others)
    assert made(example_id="mine") == "mine"


def test_a_tokenizer_may_be_given_as_a_path(bundled_path, bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    by_path = align(make.gaze([1, 2]), tokens, bundled_path)
    assert by_path.input_ids.tolist() == bundled.encode("int x").ids
    report = align(make.gaze([1, 2]), tokens, bundled).report
    assert by_path.report["tokenizer_sha256"] == report["tokenizer_sha256"]


def test_code_without_any_token(bundled, make):
    example = align(make.gaze([]), make.source("\n\n", []), bundled, strength=0.5)
    assert (example.weight == 1.0).all()
    assert (example.token_index == -1).all()


def test_values_of_another_source(bundled, make):
    with pytest.raises(AlignmentError) as error:
        align(make.gaze([1]), make.source("int x", [(0, 3), (4, 5)]), bundled)
    assert str(error.value) == (
        "there are 1 values and 2 tokens; pass the tokens that the values were made for"
    )


def test_no_position_with_a_loss(make):
    own = Tokenizer(models.WordLevel({"x": 0}, "x"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(AlignmentError) as error:
        align(make.gaze([]), make.source(" \n", []), own, template="x{code}")
    assert str(error.value) == (
        "no position of Demo.java counts in the loss: none of its 1 subwords stands for text of "
        "the code; use another tokenizer or leave this source out"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"policy": "median"}, "no 'median' in policies; choose from: inherit, max, mean, share"),
        ({"per": "area"}, "no 'area' in per; choose from: character, token"),
        ({"strength": 2}, "strength is 2; expected 0 (plain training) to 1, or None"),
        (
            {"strength": 0.5, "max_ratio": 0.5},
            "max_ratio is 0.5; expected a number above 1",
        ),
    ],
)
def test_wrong_parameters(bundled, make, wrong, message):
    with pytest.raises(ParameterError) as error:
        align(make.gaze([1, 2]), make.source("int x", [(0, 3), (4, 5)]), bundled, **wrong)
    assert str(error.value) == message


def causal_loss(logits, ids, weight, mask):
    """Weighted mean of -log p(x_i | x_<i): position i is predicted from the logits at i - 1."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    above = below = 0.0
    for i in range(1, len(ids)):
        if mask[i]:
            above += weight[i] * -log_p[i - 1, ids[i]]
            below += weight[i]
    return above / below


def test_weights_belong_to_the_predicted_token(bundled, make):
    """Position i of weight multiplies the loss of input_ids[i]; one place off is another."""
    tokens = make.source("int x = y;", [(0, 3), (4, 5), (6, 7), (8, 9), (9, 10)])
    only_y = align(make.gaze([0, 0, 0, 1, 0]), tokens, bundled)
    ids, mask = only_y.input_ids, only_y.loss_mask
    logits = np.random.default_rng(3).normal(size=(len(ids), bundled.get_vocab_size()))
    at = int(np.flatnonzero(only_y.token_index == 3)[0])
    row = logits[at - 1] - logits[at - 1].max()
    expected = -(row - np.log(np.exp(row).sum()))[ids[at]]
    assert bundled.id_to_token(int(ids[at])) == "Ġy"
    assert causal_loss(logits, ids, only_y.weight, mask) == pytest.approx(expected)
    for step in (-1, 1):
        off = causal_loss(logits, ids, np.roll(only_y.weight, step), mask)
        assert abs(off - expected) > 1e-3


def test_values_near_the_smallest_float_keep_their_attention(bundled, make):
    tokens = make.source("\x94", [(0, 2)])
    assert align(make.gaze(np.array([5e-324])), tokens, bundled).attention.sum() == 1.0
