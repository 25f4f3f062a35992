"""Where weight reaches the loss, and that what does not is said and refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.alignment import ROUTES, align
from gazecode.errors import AlignmentError, InertError, ParameterError
from gazecode.model import TokenWeights
from gazecode.source import parse

CODE = "int total = getUserName(total);"
ASK = "Code:\n{code}\nSummary: {answer}"
REFUSED = (
    "Demo.java: all weight lies where no loss counts (weight_reach 0): the loss counts on answer, "
    "where every weight is 1; choose route='copy', 'answer_prior' or 'attention', or pass "
    "allow_inert=True"
)


@pytest.fixture(scope="module")
def code(make):
    return make.source(CODE, make.words(CODE))


@pytest.fixture(scope="module")
def dwell(make, code):
    """100 ms on the first "total", 300 on the second, 330 on the call, nothing elsewhere."""
    value = {"total": [100, 300], "getUserName": [330]}
    return make.gaze([value[t].pop(0) if t in value else 0 for t in code.texts])


def words_of(example, start=0):
    return {
        example.text.encode()[a:b].decode(): float(v)
        for a, b, v in zip(example.token_start, example.token_end, example.token_value, strict=True)
        if a >= start
    }


def answer_start(example):
    return len(example.text[: example.text.index("Summary: ") + 9].encode())


def test_gaze_on_the_prompt_of_a_summary_does_nothing_and_is_refused(bundled, code, dwell):
    for strength in (None, 0.5):
        with pytest.raises(InertError) as error:
            align(dwell, code, bundled, template=ASK, answer="the total", strength=strength)
        assert str(error.value) == REFUSED
        asked_for = align(
            dwell,
            code,
            bundled,
            template=ASK,
            answer="the total",
            strength=strength,
            allow_inert=True,
        )
        assert asked_for.weight_reach == 0.0 == asked_for.report["weight_reach"]
        assert (asked_for.weight == 1.0).all()
        assert asked_for.inert_weight > 0
        assert asked_for.attention.sum() == pytest.approx(1.0)
        assert asked_for.route == "source_lm"


@pytest.mark.parametrize("strength", [None, 0.3, 1.0])
def test_inert_weight_is_what_the_rule_would_have_put_there(bundled, code, dwell, strength):
    """w' are the weights if the loss counted everywhere."""
    inert = align(
        dwell, code, bundled, template=ASK, answer="", loss=("answer", "code"), strength=strength
    )
    assert inert.inert_weight == 0.0
    everywhere = inert.weight[inert.in_segment("code")]
    asked = align(
        dwell, code, bundled, template=ASK, answer="x", strength=strength, allow_inert=True
    )
    assert asked.inert_weight == pytest.approx(np.abs(everywhere - 1).sum())


def test_copy_takes_the_mean_of_equal_tokens_and_parts_of_identifiers(bundled, code, dwell):
    example = align(
        dwell, code, bundled, template=ASK, answer="Total, a user's TOTAL of total!", route="copy"
    )
    found = words_of(example, answer_start(example))
    # total: (100 + 300) / 2; user: 4 of the 11 characters of getUserName.
    assert found == {"Total": 200, "a": 0, "user": 120, "s": 0, "TOTAL": 200, "of": 0, "total": 200}
    assert example.report["copied"] == 4
    assert example.report["unmatched"] == 3
    answer = example.in_segment("answer")
    assert set(example.weight[answer & (example.token_index >= 0)].tolist()) == {200.0, 120.0, 1.0}
    assert (example.weight[~example.loss_mask] == 1.0).all()
    assert 0 < example.weight_reach < 1
    on_path = example.on_path & answer
    assert on_path.sum() == (example.weight[answer] > 1).sum()


def test_copied_values_are_no_attention_to_the_answer(bundled, code, dwell):
    example = align(dwell, code, bundled, template=ASK, answer="the total", route="copy")
    assert example.attention[example.in_segment("code")].sum() == pytest.approx(1.0)
    assert example.attention[example.in_segment("answer")].sum() == 0.0


def test_with_a_strength_what_was_copied_has_mean_one(bundled, code, dwell):
    example = align(
        dwell,
        code,
        bundled,
        template=ASK,
        answer="user total of name x",
        route="copy",
        strength=0.5,
    )
    texts = words_of(example, answer_start(example))
    index = [list(words_of(example)).index(w) if w in texts else -1 for w in ("of", "x")]
    assert min(index) >= 0
    moved = example.weight != 1.0
    copied = moved & example.loss_mask
    assert example.weight[copied].mean() == pytest.approx(1.0)
    assert not (moved & ~example.loss_mask).any()


def test_only_exposed_tokens_are_copied(bundled, make, code):
    value = np.where([t == "total" for t in code.texts], 50.0, 0.0)
    shown = np.ones(len(code), dtype=bool)
    shown[[t == "total" for t in code.texts].index(True)] = False
    value[~shown] = 900.0
    example = align(
        make.gaze(value, exposed=shown), code, bundled, template=ASK, answer="total", route="copy"
    )
    assert words_of(example, answer_start(example)) == {"total": 50.0}


def test_operators_do_not_match_prose_and_match_code(bundled, make):
    source = make.source("a+b", [(0, 1), (1, 2), (2, 3)])
    weights = make.gaze([2, 6, 4])
    with pytest.raises(InertError):
        align(weights, source, bundled, template=ASK, answer="a + b", route="copy")
    code = make.source("b + c", [(0, 1), (2, 3), (4, 5)])
    example = align(weights, source, bundled, template=ASK, answer=code, route="copy")
    assert words_of(example, answer_start(example)) == {"b": 4.0, "+": 6.0, "c": 0.0}
    assert (example.report["copied"], example.report["unmatched"]) == (2, 1)


def test_an_answer_of_code_has_weights_of_its_own(bundled, make, code, dwell):
    answer = make.source("return total;", [(0, 6), (7, 12), (12, 13)])
    own = make.gaze([3.5, 4.0, 1.0], unit="loss weight", on_path=[True, True, False])
    example = align(dwell, code, bundled, template=ASK, answer=answer, answer_weights=own)
    assert example.route == "answer_prior"
    assert example.weight_reach == 1.0
    assert example.inert_weight == 0.0
    m = len(code)
    on = example.loss_mask & (example.token_index >= 0)
    np.testing.assert_array_equal(
        example.weight[on], np.array([3.5, 4.0, 1.0])[example.token_index[on] - m]
    )
    # Gaze was on the code; without any, the prior's mass on the answer stands in.
    assert example.attention[example.in_segment("code")].sum() == pytest.approx(1.0)
    nothing = align(
        make.gaze(np.zeros(m)), code, bundled, template=ASK, answer=answer, answer_weights=own
    )
    assert nothing.attention[nothing.in_segment("answer")].sum() == pytest.approx(1.0)
    assert example.example_id != nothing.example_id
    # The code's own values never mix with values of another kind.
    both = align(
        dwell,
        code,
        bundled,
        template=ASK,
        answer=answer,
        answer_weights=own,
        loss=("code", "answer"),
        strength=0.5,
    )
    assert (both.weight[both.in_segment("code")] == 1.0).all()


def test_attention_alone_leaves_all_weights_neutral(bundled, code, dwell):
    example = align(
        dwell, code, bundled, template=ASK, answer="the total", route="attention", strength=0.5
    )
    assert (example.weight == 1.0).all()
    assert np.isnan(example.weight_reach)
    assert np.isnan(example.report["weight_reach"])
    assert example.attention.sum() == pytest.approx(1.0)
    assert example.report["no_signal"] is False
    assert example.loss_mask.any()


def test_labels_of_the_answer_follow_those_of_the_code(bundled):
    code, answer = parse("int x = 1;", "java"), parse("x", "python")
    weights = TokenWeights(
        value=2.0 + np.arange(len(code)), on_path=np.ones(len(code), bool), scheme="s", unit="ms"
    )
    before = align(weights, code, bundled, template="{answer}|{code}", answer=answer, route="copy")
    assert before.token_label.tolist() == [*answer.label, *code.label]
    assert before.token_start.tolist() == sorted(before.token_start.tolist())
    prose = align(weights, code, bundled, template="{answer}|{code}", answer="int", route="copy")
    assert prose.token_label.tolist() == ["", *code.label]
    assert prose.token_value.tolist() == [2.0, *weights.value.tolist()]


def test_the_answer_of_a_source_counts_by_default(bundled, code, dwell):
    example = align(dwell, code, bundled, template=ASK, answer="x", route="attention")
    np.testing.assert_array_equal(example.loss_mask, example.in_segment("answer"))


def test_strength_0_is_plain_training_and_not_inert(bundled, code, dwell):
    example = align(dwell, code, bundled, template=ASK, answer="x", strength=0.0)
    assert (example.weight == 1.0).all()
    assert example.inert_weight == 0.0


@given(st.integers(1, 50), st.floats(0.01, 1.0))
def test_equal_dwell_per_character_is_no_weight_at_all(bundled, code, make, ms, strength):
    """Rounding of 1 is not taken for weight that is withheld."""
    weights = make.gaze(ms / 7 * np.diff(code.span).ravel())
    example = align(weights, code, bundled, template=ASK, answer="x", strength=strength)
    assert example.inert_weight == 0.0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"route": "prior"},
            "no 'prior' in routes; choose from: answer_prior, attention, copy, source_lm",
        ),
        (
            {"route": "answer_prior"},
            (
                "route 'answer_prior' needs the tokens of the answer and their weights; give "
                "answer=parse(...) and answer_weights=weigh(...)"
            ),
        ),
    ],
)
def test_wrong_routes(bundled, code, dwell, more, message):
    with pytest.raises(ParameterError) as error:
        align(dwell, code, bundled, template=ASK, answer="x", **more)
    assert str(error.value) == message


def test_weights_and_routes_that_do_not_fit(bundled, make, code, dwell):
    with pytest.raises(ParameterError, match="route 'copy' needs an answer"):
        align(dwell, code, bundled, route="copy")
    answer = make.source("x", [(0, 1)])
    with pytest.raises(AlignmentError, match="there are 2 values and 1 tokens of the answer"):
        align(dwell, code, bundled, template=ASK, answer=answer, answer_weights=make.gaze([1, 2]))
    with pytest.raises(ParameterError, match="only 'answer_prior' uses them"):
        align(
            dwell,
            code,
            bundled,
            template=ASK,
            answer=answer,
            answer_weights=make.gaze([1]),
            route="copy",
        )


def test_the_table_of_routes():
    assert sorted(ROUTES) == ["answer_prior", "attention", "copy", "source_lm"]


def test_a_copy_without_a_match_is_not_told_to_copy(bundled, code, dwell):
    with pytest.raises(InertError, match="repeats no token of the code that carries weight"):
        align(dwell, code, bundled, template=ASK, answer="zzz", route="copy")


def test_a_field_that_is_no_text_is_refused(bundled, code, dwell):
    with pytest.raises(ParameterError, match="is a int; expected a text"):
        align(dwell, code, bundled, template="{code} {x}", fields={"x": 3})
